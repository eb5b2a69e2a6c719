#include <stdio.h>
#include <string.h>

#include "ascii.h"
#include "caps.h"
#include "log.h"
#include "utf8.h"

/* ---- escaping ---- */

#define CUT 3 /* "..." */

/*
 * The bytes of the UTF-8 sequence at p, or 0 if there is none. Of the table
 * in RFC 3629 4 only the second byte's range depends on the first.
 */
static size_t
sequence(const unsigned char *p, size_t n)
{
	size_t length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

	if (p[0] < 0xc2 || p[0] > 0xf4 || length > n)
		return 0;
	return utf8_valid((struct span){(const char *)p, length}) ? length : 0;
}

/*
 * Characters that would move what stands round them: C1 controls, the marks
 * and overrides of writing direction, line and paragraph separators.
 */
static bool
moves_text(const unsigned char *p, size_t length)
{
	if (length == 2)
		return p[0] == 0xc2 && p[1] < 0xa0;
	if (length != 3 || p[0] != 0xe2)
		return false;
	if (p[1] == 0x80)
		return p[2] == 0x8e || p[2] == 0x8f ||
			(p[2] >= 0xa8 && p[2] <= 0xae);
	return p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9;
}

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '<' && c != '>' && c != '"' &&
		c != '\\';
}

/* One character of s in out; how many bytes of s it took in *taken. */
static size_t
escape_one(char out[32], struct span s, size_t *taken)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t i, n = 0, length = p[0] < 0x80 ? 1 : sequence(p, s.n);

	*taken = length == 0 ? 1 : length;
	if ((length == 1 && is_plain(p[0])) ||
	    (length > 1 && !moves_text(p, length))) {
		memcpy(out, s.p, length);
		return length;
	}
	if (p[0] == '\\') {
		memcpy(out, "\\\\", 2);
		return 2;
	}
	for (i = 0; i < *taken; i++)
		n += (size_t)snprintf(out + n, 5, "\\x%02x", p[i]);
	return n;
}

struct span
log_escape(char *out, size_t size, struct span s)
{
	size_t n = 0, safe = 0, taken, length;
	char one[32];

	while (s.n > 0) {
		length = escape_one(one, s, &taken);
		if (n + length > size) {
			memcpy(out + safe, "...", CUT);
			return (struct span){out, safe + CUT};
		}
		memcpy(out + n, one, length);
		n += length;
		if (n + CUT <= size)
			safe = n;
		s.p += taken;
		s.n -= taken;
	}
	return (struct span){out, n};
}

/* ---- a line ---- */

struct line {
	char *out;
	size_t n;
};

static void
put(struct line *l, const char *text)
{
	size_t n = strlen(text);

	if (n > LOG_LINE - l->n)
		n = LOG_LINE - l->n;
	memcpy(l->out + l->n, text, n);
	l->n += n;
}

static void
put_escaped(struct line *l, const char *open, struct span s, size_t most,
            const char *close)
{
	put(l, open);
	if (most > LOG_LINE - l->n)
		most = LOG_LINE - l->n;
	if (s.p != NULL && most >= CUT)
		l->n += log_escape(l->out + l->n, most, s).n;
	put(l, close);
}

/* Names and numbers of the MTA's: what is not of them can't break out. */
static void
put_word(struct line *l, struct span s)
{
	char one[2] = "", hex[8];
	size_t i;

	for (i = 0; i < s.n && i < CAPS_LOG_FIELD; i++) {
		one[0] = s.p[i];
		if (ascii_is_alnum(one[0]) ||
		    (one[0] != '\0' && strchr("-._:", one[0]) != NULL)) {
			put(l, one);
			continue;
		}
		snprintf(hex, sizeof(hex), "\\x%02x", (unsigned char)s.p[i]);
		put(l, hex);
	}
	if (i < s.n)
		put(l, "...");
}

/* key<a>,<b>,... */
static void
put_list(struct line *l, const char *key, const struct span *list, size_t n)
{
	size_t i, begin = l->n;

	put(l, key);
	if (n == 0)
		put(l, "<>");
	for (i = 0; i < n; i++) {
		if (l->n - begin > 4 * CAPS_LOG_FIELD) {
			put(l, ",...");
			break;
		}
		put_escaped(l, i == 0 ? "<" : ",<", list[i], CAPS_LOG_FIELD,
		            ">");
	}
}

static void
put_reply(struct line *l, const struct reply *r)
{
	size_t i, begin;

	put(l, " reply=\"");
	put(l, r->code);
	if (r->xcode[0] != '\0') {
		put(l, " ");
		put(l, r->xcode);
	}
	begin = l->n;
	for (i = 0; i < r->n; i++) {
		if (l->n - begin > CAPS_LOG_REPLY) {
			put(l, "...");
			break;
		}
		put_escaped(l, i == 0 ? " " : "\\x0a", span_of(r->lines[i]),
		            CAPS_LOG_REPLY, "");
	}
	put(l, "\"");
}

static void
put_identity(struct line *l, const struct log_entry *e)
{
	put(l, " client=");
	put_word(l, e->client_name.p == NULL ? SPAN("unknown") :
		e->client_name);
	put(l, "[");
	put_word(l, e->client.p == NULL ? SPAN("unknown") : e->client);
	put(l, "]");
	put_escaped(l, " helo=<", e->helo, CAPS_LOG_FIELD, ">");
	put_escaped(l, " from=<", e->from, CAPS_LOG_FIELD, ">");
	put_list(l, " to=", e->to, e->n_to);
	put_escaped(l, " auth=<", e->auth, CAPS_LOG_FIELD, ">");
	put_list(l, " header-from=", e->header_from, e->n_header_from);
	put(l, " spf=");
	put_word(l, e->spf);
}

struct span
log_line(char out[LOG_LINE], const struct log_entry *e)
{
	struct line l = {out, 0};

	if (e->id.n == 0)
		put(&l, "NOQUEUE");
	else
		put_word(&l, e->id);
	put(&l, ": ");
	put(&l, e->verb);
	put(&l, ": rule=");
	put_word(&l, e->rule);
	put(&l, " stage=");
	put(&l, e->stage);
	put_identity(&l, e);
	if (e->spf_client.p != NULL) {
		put(&l, " spf-client=");
		put_word(&l, e->spf_client);
	}
	if (e->spf_why.p != NULL)
		put_escaped(&l, " spf-why=\"", e->spf_why, CAPS_LOG_FIELD,
		            "\"");
	if (e->shadow != NULL) {
		put(&l, " shadow=");
		put(&l, e->shadow);
	}
	if (e->done.p != NULL)
		put_escaped(&l, " done=\"", e->done, CAPS_LOG_REPLY, "\"");
	if (e->why.p != NULL)
		put_escaped(&l, " why=\"", e->why, CAPS_LOG_FIELD, "\"");
	if (e->text.p != NULL)
		put_escaped(&l, " text=\"", e->text, CAPS_LOG_REPLY, "\"");
	if (e->reply != NULL)
		put_reply(&l, e->reply);
	return (struct span){out, l.n};
}
