#include <assert.h>
#include <string.h>

#include "caps.h"
#include "reply.h"
#include "utf8.h"

#define CUT "..."
#define CUT_BYTES (sizeof(CUT) - 1)

/* How many bytes the character at p has; s is valid UTF-8. */
static size_t
character(const char *p)
{
	unsigned char c = (unsigned char)*p;

	if (c < 0x80)
		return 1;
	return c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

/* A control of ASCII, or of U+0080 to U+009F, which some terminals obey. */
static bool
is_control(const char *p)
{
	unsigned char c = (unsigned char)*p;

	return c < 0x20 || c == 0x7f ||
	       (c == 0xc2 && (unsigned char)p[1] < 0xa0);
}

/*
 * One line made fit: each character that must not stand there is one "?".
 * RFC 5321 4.2: a textstring is printable ASCII and tabs; a tab is no help
 * to anybody, so it goes too.
 */
static const char *
fit_line(struct arena *a, struct span line, bool utf8)
{
	char *out = arena_alloc(a, CAPS_REPLY_LINE + 1);
	size_t in, n, used = 0, room = 0;

	if (out == NULL)
		return NULL;
	for (in = 0; in < line.n; in += n) {
		size_t made = 1;

		n = character(line.p + in);
		if (n > 1 && utf8 && !is_control(line.p + in))
			made = n;
		if (used + made > CAPS_REPLY_LINE) {
			memcpy(out + room, CUT, CUT_BYTES + 1);
			return out;
		}
		if (made > 1)
			memcpy(out + used, line.p + in, n);
		else
			out[used] = (char)(n > 1 || is_control(line.p + in) ?
			                   '?' : line.p[in]);
		used += made;
		if (used <= CAPS_REPLY_LINE - CUT_BYTES)
			room = used;
	}
	out[used] = '\0';
	return out;
}

static size_t
count_lines(struct span text)
{
	size_t i, n = 1;

	for (i = 0; i < text.n && n <= CAPS_REPLY_LINES; i++)
		n += text.p[i] == '\n';
	return n;
}

static bool
fit_lines(struct arena *a, struct span text, bool utf8, struct reply *out)
{
	size_t i, n = count_lines(text);
	bool cut = n > CAPS_REPLY_LINES;

	out->n = cut ? CAPS_REPLY_LINES : n;
	out->lines = arena_alloc(a, out->n * sizeof(*out->lines));
	if (out->lines == NULL)
		return false;
	for (i = 0; i < out->n; i++) {
		out->lines[i] = fit_line(a, span_line(&text), utf8);
		if (out->lines[i] == NULL)
			return false;
	}
	if (cut)
		out->lines[out->n - 1] = CUT;
	return true;
}

static struct span
default_text(const char *code)
{
	return code[0] == '4' ? SPAN("try again later") :
	                        SPAN("refused by policy");
}

static void
copy_code(char *out, size_t size, struct span code)
{
	assert(code.n < size); /* the policy's check lets no other in */
	if (code.n > 0)
		memcpy(out, code.p, code.n);
	out[code.n] = '\0';
}

bool
reply_make(struct arena *a, struct span code, struct span xcode,
           struct span text, bool utf8, struct reply *out)
{
	copy_code(out->code, sizeof(out->code), code);
	copy_code(out->xcode, sizeof(out->xcode), xcode);
	while (text.n > 0 && text.p[text.n - 1] == '\n')
		text.n--;
	if (text.n == 0)
		text = default_text(out->code);
	text = utf8_make_valid(a, text);
	return text.p != NULL && fit_lines(a, text, utf8, out);
}
