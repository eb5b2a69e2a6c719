/*
 * encoded.c - a header field's value as text, and text as a value (RFC 5322
 * 2.2.3, RFC 2047).
 *
 * Encoded words are found here and what they hold is decoded by GMime. Its
 * function for a whole field looks for each word's end anew (quadratic time),
 * ends a text at a NUL, writes "?" for what it can't convert, and keeps for
 * ever each charset's name that a stranger made up.
 */
#include <gmime/gmime.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "charset.h"
#include "transfer.h"
#include "utf8.h"

#define CHARSET_MAX 64  /* a longer name is nobody's; * and a language too */
#define WORD_LIMIT 75     /* RFC 2047 2 */
#define WORDS_LINE 76   /* the same, of a line with encoded words */
#define LINE_GOOD 78    /* RFC 5322 2.1.1 */
#define LINE_LIMIT 998

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The classes too: GObject makes one at its first use, in any thread. */
static void
init(void)
{
	g_mime_init();
	g_type_class_ref(INTERNET_ADDRESS_TYPE_MAILBOX);
	g_type_class_ref(INTERNET_ADDRESS_TYPE_GROUP);
	g_type_class_ref(INTERNET_ADDRESS_LIST_TYPE);
}

void
address_init(void)
{
	pthread_once(&once, init);
}

/* ---- unfolding ---- */

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/*
 * A CRLF or LF before a blank goes; any other CR or LF is a blank, as the
 * MTAs make it.
 */
static char *
unfold(char *out, struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		char c = s.p[i];
		size_t next = c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n' ?
			i + 2 : i + 1;

		if (c != '\r' && c != '\n')
			*out++ = c;
		else if (next >= s.n || !is_blank(s.p[next]))
			*out++ = ' ';
		if (c == '\r')
			i = next - 1;
	}
	return out;
}

/* U+FFFD for each NUL, so that a C string can be made of s. */
static struct span
without_nul(struct arena *a, struct span s)
{
	size_t i, n = 0;
	char *p;

	for (i = 0; i < s.n; i++)
		n += s.p[i] == '\0';
	if (n == 0)
		return s;
	p = arena_alloc(a, s.n + 2 * n + 1);
	if (p == NULL)
		return (struct span){NULL, 0};
	for (i = 0, n = 0; i < s.n; i++) {
		if (s.p[i] != '\0') {
			p[n++] = s.p[i];
			continue;
		}
		memcpy(p + n, "\xef\xbf\xbd", 3);
		n += 3;
	}
	return (struct span){p, n};
}

struct span
header_unfold(struct arena *a, struct span raw)
{
	char *p = arena_alloc(a, raw.n + 1);
	struct span s = {p, 0};

	if (p == NULL)
		return s;
	s.n = (size_t)(unfold(p, raw) - p);
	s = without_nul(a, span_trim(s));
	return s.p == NULL ? s : utf8_make_valid(a, s);
}

/* ---- decoding ---- */

/* =?charset*language?B?payload?= */
struct word {
	struct span charset, payload;
	char encoding; /* 'B' or 'Q' */
	size_t end;    /* behind it, in the text */
};

struct decoder {
	struct span text;
	size_t next_end; /* no "?=" between the last look and here */
	GString *out;
	/* words of one charset, not yet converted */
	struct span charset;
	GString *bytes;
	/* words of one charset and encoding, not yet decoded */
	char encoding;
	GString *run;
};

/* The place of the first pair from at on; s.n: there is none. */
static size_t
find_pair(struct span s, size_t at, const char pair[2])
{
	const char *p;

	for (; at + 1 < s.n; at++) {
		p = memchr(s.p + at, pair[0], s.n - 1 - at);
		if (p == NULL)
			break;
		at = (size_t)(p - s.p);
		if (s.p[at + 1] == pair[1])
			return at;
	}
	return s.n;
}

/* The place of the first "?=" from at on. */
static size_t
find_end(struct decoder *d, size_t at)
{
	if (d->next_end < at)
		d->next_end = find_pair(d->text, at, "?=");
	return d->next_end;
}

/* RFC 2047 2, of the token; the "*" of RFC 2231 5 is cut off. */
static size_t
charset_length(struct span s)
{
	size_t n = 0;

	while (n < s.n && n < CHARSET_MAX && s.p[n] > ' ' && s.p[n] != 0x7f &&
	       strchr("()<>@,;:\"/[]?=", s.p[n]) == NULL)
		n++;
	return n;
}

/*
 * Blanks in the payload are taken, and words in the middle of others: mail
 * readers show them decoded.
 */
static bool
find_word(struct decoder *d, size_t at, struct word *w)
{
	struct span s = {d->text.p + at + 2, d->text.n - at - 2};
	size_t n = charset_length(s), start = at + 2 + n + 3;
	const char *star;

	if (n == 0 || n + 3 > s.n || s.p[n] != '?' || s.p[n + 2] != '?')
		return false;
	w->charset = (struct span){s.p, n};
	star = memchr(s.p, '*', n);
	if (star != NULL)
		w->charset.n = (size_t)(star - s.p);
	w->encoding = (char)(s.p[n + 1] & ~0x20);
	if (w->charset.n == 0 || (w->encoding != 'B' && w->encoding != 'Q'))
		return false;
	w->end = find_end(d, start);
	if (w->end == d->text.n)
		return false;
	w->payload = (struct span){d->text.p + start, w->end - start};
	w->end += 2;
	return true;
}

static bool
is_hex(struct span s, size_t at)
{
	return at < s.n && g_ascii_isxdigit(s.p[at]);
}

/*
 * RFC 2047 4.2 is quoted-printable but for "_". A "=" that begins nothing
 * stands for itself; written out, so that GMime does not swallow what is
 * behind it.
 */
static size_t
decode_q(struct span in, unsigned char *out)
{
	GString *fixed = g_string_sized_new(in.n + 1);
	int state = 0;
	guint32 save = 0;
	size_t i, n;

	for (i = 0; i < in.n; i++) {
		g_string_append_c(fixed, in.p[i] == '_' ? ' ' : in.p[i]);
		if (in.p[i] == '=' &&
		    !(is_hex(in, i + 1) && is_hex(in, i + 2)))
			g_string_append(fixed, "3D");
	}
	n = g_mime_encoding_quoted_decode_step(
		(const unsigned char *)fixed->str, fixed->len, out, &state,
		&save);
	g_string_free(fixed, TRUE);
	return n;
}

/* The words of a run as one: some mailers cut inside a "=XX". */
static void
decode_run(struct decoder *d)
{
	struct span in = {d->run->str, d->run->len};
	gsize before = d->bytes->len;
	char *out;
	size_t n;

	if (in.n == 0)
		return;
	g_string_set_size(d->bytes, before + in.n + 4);
	out = d->bytes->str + before;
	n = d->encoding == 'B' ? transfer_base64(in, out) :
		decode_q(in, (unsigned char *)out);
	g_string_truncate(d->bytes, before + n);
	g_string_truncate(d->run, 0);
}

static void
convert_bytes(struct decoder *d)
{
	decode_run(d);
	if (d->bytes->len > 0)
		charset_to_utf8(d->out, d->charset,
			(struct span){d->bytes->str, d->bytes->len});
	g_string_truncate(d->bytes, 0);
}

static void
add_word(struct decoder *d, const struct word *w)
{
	if (!span_is_nocase(w->charset, d->charset))
		convert_bytes(d);
	else if (w->encoding != d->encoding)
		decode_run(d);
	d->charset = w->charset;
	d->encoding = w->encoding;
	g_string_append_len(d->run, w->payload.p, (gssize)w->payload.n);
}

static bool
all_blank(struct span s)
{
	while (s.n > 0 && is_blank(s.p[s.n - 1]))
		s.n--;
	return s.n == 0;
}

/* Blanks between two words are no part of the text (RFC 2047 6.2). */
static void
decode_words(struct decoder *d)
{
	size_t at = 0, done = 0;
	bool behind_word = false;
	struct word w;

	for (;;) {
		struct span between;

		at = find_pair(d->text, at, "=?");
		if (at == d->text.n)
			break;
		if (!find_word(d, at, &w)) {
			at++;
			continue;
		}
		between = (struct span){d->text.p + done, at - done};
		if (!behind_word || !all_blank(between)) {
			convert_bytes(d);
			g_string_append_len(d->out, between.p,
			                    (gssize)between.n);
		}
		add_word(d, &w);
		behind_word = true;
		at = done = w.end;
	}
	convert_bytes(d);
	g_string_append_len(d->out, d->text.p + done,
	                    (gssize)(d->text.n - done));
}

struct span
header_decode(struct arena *a, struct span raw)
{
	struct decoder d = {.text = header_unfold(a, raw)};
	struct span s;

	if (d.text.p == NULL || find_pair(d.text, 0, "=?") == d.text.n)
		return d.text;
	address_init();
	d.out = g_string_sized_new(d.text.n + 1);
	d.bytes = g_string_new(NULL);
	d.run = g_string_new(NULL);
	decode_words(&d);
	s = arena_copy(a, (struct span){d.out->str, d.out->len});
	g_string_free(d.out, TRUE);
	g_string_free(d.bytes, TRUE);
	g_string_free(d.run, TRUE);
	return s.p == NULL ? s : span_trim(s);
}

/* ---- encoding ---- */

/* One line of valid UTF-8, each control a blank, none at the ends. */
static struct span
one_line(struct arena *a, struct span value)
{
	struct span s = utf8_make_valid(a, value);
	char *p;
	size_t i;

	if (s.p == NULL)
		return value.n == 0 ? SPAN("") : s;
	s = arena_copy(a, s);
	p = (char *)(size_t)s.p; /* the copy is ours */
	if (p == NULL)
		return s;
	for (i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c < 0x20 || c == 0x7f)
			p[i] = ' ';
	}
	s = span_trim(s);
	((char *)(size_t)s.p)[s.n] = '\0'; /* for GMime */
	return s;
}

static bool
is_ascii(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

/*
 * Each run of blanks is a place to fold at: a LF goes before it where what
 * follows would stand past column 78.
 */
static void
fold(GString *out, size_t column, struct span s)
{
	size_t i, n;
	bool first = true;

	for (i = 0; i < s.n; i += n, first = false) {
		for (n = 0; i + n < s.n && s.p[i + n] == ' '; n++)
			;
		while (i + n < s.n && s.p[i + n] != ' ')
			n++;
		if (!first && column + n > LINE_GOOD) {
			g_string_append_c(out, '\n');
			column = 0;
		}
		g_string_append_len(out, s.p + i, (gssize)n);
		column += n;
	}
}

/* May it be sent so? column: where the first line begins. */
static bool
is_sendable(const GString *folded, size_t column)
{
	const char *line = folded->str, *end;

	for (; *line != '\0'; line = *end == '\0' ? end : end + 1) {
		size_t n = strcspn(line, "\n");

		end = line + n;
		if (column + n > LINE_LIMIT)
			return false;
		if (column + n > WORDS_LINE &&
		    find_pair((struct span){line, n}, 0, "=?") < n)
			return false;
		column = 0;
	}
	return true;
}

/* The longest begin of s of at most n bytes that ends with a character. */
static size_t
whole_characters(struct span s, size_t n)
{
	if (s.n <= n)
		return s.n;
	while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80)
		n--;
	return n;
}

#define WORD_BEGIN "=?UTF-8?B?"
#define WORD_REST (sizeof(WORD_BEGIN) - 1 + 2) /* bytes round the payload */

/*
 * All of it in encoded words, one a line: what no other way carries safely
 * (a word past the longest line, a text that looks like an encoded word).
 */
static void
encode_all(GString *out, size_t column, struct span s)
{
	size_t n, room;
	gchar *payload;

	for (; s.n > 0; s.p += n, s.n -= n) {
		room = WORDS_LINE - 1 - WORD_REST;
		if (out->len > 0)
			g_string_append(out, "\n ");
		else if (column < room - 12)
			room = WORDS_LINE - WORD_REST - column;
		n = whole_characters(s, (room > WORD_LIMIT - WORD_REST ?
			WORD_LIMIT - WORD_REST : room) / 4 * 3);
		payload = g_base64_encode((const guchar *)s.p, n);
		g_string_append_printf(out, WORD_BEGIN "%s?=", payload);
		g_free(payload);
	}
}

static bool
decodes_to(struct arena *a, const GString *folded, struct span value)
{
	struct span s = header_decode(a,
		(struct span){folded->str, folded->len});

	return s.p != NULL && span_is(s, value);
}

struct span
header_encode(struct arena *a, struct span name, struct span value)
{
	struct span s = one_line(a, value);
	size_t column = name.n + 2; /* of ": " */
	GString *out;
	char *made = NULL;

	if (s.p == NULL)
		return s;
	address_init();
	if (!is_ascii(s))
		made = g_mime_utils_header_encode_text(NULL, s.p, "utf-8");
	out = g_string_sized_new(s.n + 1);
	fold(out, column, made == NULL ? s : span_of(made));
	g_free(made);
	if (!is_sendable(out, column) || !decodes_to(a, out, s)) {
		g_string_truncate(out, 0);
		encode_all(out, column, s);
	}
	s = arena_copy(a, (struct span){out->str, out->len});
	g_string_free(out, TRUE);
	return s;
}
