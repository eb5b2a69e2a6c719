/*
 * encoded.c - a header field's value as text (RFC 5322 2.2.3, RFC 2047).
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

#include "ascii.h"
#include "charset.h"
#include "encoded.h"
#include "header_text.h"
#include "transfer.h"
#include "utf8.h"

#define CHARSET_MAX 64  /* a longer name is nobody's; * and a language too */

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
encoded_init(void)
{
	pthread_once(&once, init);
}

/* ---- unfolding ---- */

size_t
unfold(struct span s, char *out, uint32_t *from)
{
	size_t i, n = 0;

	for (i = 0; i < s.n; i++) {
		char c = s.p[i];
		size_t next = c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n' ?
			i + 2 : i + 1;
		bool end = c == '\r' || c == '\n';

		if (!end || next >= s.n || !ascii_is_blank(s.p[next])) {
			if (from != NULL)
				from[n] = (uint32_t)i;
			out[n++] = end ? ' ' : c;
		}
		if (c == '\r')
			i = next - 1;
	}
	if (from != NULL)
		from[n] = (uint32_t)s.n;
	return n;
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
	s.n = unfold(raw, p, NULL);
	s = without_nul(a, span_trim(s));
	return s.p == NULL ? s : utf8_make_valid(a, s);
}

/* ---- decoding ---- */

struct decoder {
	GString *out;
	/* words of one charset, not yet converted */
	struct span charset;
	GString *bytes;
	/* words of one charset and encoding, not yet decoded */
	char encoding;
	GString *run;
	bool failed; /* a charset can't be had now */
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
find_end(struct word_finder *f, size_t at)
{
	if (f->next_end < at)
		f->next_end = find_pair(f->text, at, "?=");
	return f->next_end;
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
read_word(struct word_finder *f, size_t at, struct word *w)
{
	struct span s = {f->text.p + at + 2, f->text.n - at - 2};
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
	w->end = find_end(f, start);
	if (w->end == f->text.n)
		return false;
	w->payload = (struct span){f->text.p + start, w->end - start};
	w->begin = at;
	w->end += 2;
	return true;
}

bool
word_find(struct word_finder *f, size_t at, struct word *w)
{
	for (; (at = find_pair(f->text, at, "=?")) < f->text.n; at++)
		if (read_word(f, at, w))
			return true;
	return false;
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
	if (d->bytes->len > 0 && !charset_to_utf8(d->out, d->charset,
	    (struct span){d->bytes->str, d->bytes->len}))
		d->failed = true;
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
	while (s.n > 0 && ascii_is_blank(s.p[s.n - 1]))
		s.n--;
	return s.n == 0;
}

static void
begin_words(struct decoder *d, GString *out)
{
	encoded_init();
	*d = (struct decoder){
		.out = out, .bytes = g_string_new(NULL), .run = g_string_new(NULL),
	};
}

static bool
end_words(struct decoder *d)
{
	convert_bytes(d);
	g_string_free(d->bytes, TRUE);
	g_string_free(d->run, TRUE);
	return !d->failed;
}

bool
words_decode(const struct word *words, size_t n, GString *out)
{
	struct decoder d;
	size_t i;

	begin_words(&d, out);
	for (i = 0; i < n; i++)
		add_word(&d, &words[i]);
	return end_words(&d);
}

/* Blanks between two words are no part of the text (RFC 2047 6.2). */
static bool
decode_words(struct word_finder *f, GString *out)
{
	struct decoder d;
	struct word w;
	size_t at = 0;
	bool done;

	begin_words(&d, out);
	while (word_find(f, at, &w)) {
		struct span between = {f->text.p + at, w.begin - at};

		if (at == 0 || !all_blank(between)) {
			convert_bytes(&d);
			g_string_append_len(out, between.p,
			                    (gssize)between.n);
		}
		add_word(&d, &w);
		at = w.end;
	}
	done = end_words(&d);
	g_string_append_len(out, f->text.p + at, (gssize)(f->text.n - at));
	return done;
}

struct span
header_decode(struct arena *a, struct span raw)
{
	struct word_finder f = {.text = header_unfold(a, raw)};
	struct span s = {NULL, 0};
	GString *out;

	if (f.text.p == NULL || find_pair(f.text, 0, "=?") == f.text.n)
		return f.text;
	out = g_string_sized_new(f.text.n + 1);
	if (decode_words(&f, out))
		s = arena_copy(a, (struct span){out->str, out->len});
	g_string_free(out, TRUE);
	return s.p == NULL ? s : span_trim(s);
}
