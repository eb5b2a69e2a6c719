/*
 * mime_decode.c - what the parts hold: transfer encodings undone, text in
 * UTF-8, and the defects that only contents show.
 */
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "caps.h"
#include "charset.h"
#include "mime.h"
#include "transfer.h"
#include "utf8.h"

static const struct span nothing = {NULL, 0};

/* What is decoded is kept: no more than the cap of it in all. */
static bool
count(struct mime *m, size_t n)
{
	if (n > CAPS_MIME_TEXT || m->decoded + n > CAPS_MIME_TEXT) {
		mime_stop(m, DEFECT_TOO_MUCH_TEXT,
		          "too much text to be decoded");
		return false;
	}
	m->decoded += n;
	return true;
}

void
mime_passed(const struct mime *m, struct span bytes)
{
	if (m->file.n > 0 && bytes.p >= m->file.p &&
	    bytes.p <= m->file.p + m->file.n)
		body_passed(bytes);
}

/* So much is read before the pages that it was in may go. */
#define PIECE ((size_t)1 << 20)

/* Of bytes, from at on: up to a line's end where lines count. */
static struct span
next_piece(struct span bytes, size_t at, enum mime_encoding e)
{
	struct span s = {bytes.p + at, bytes.n - at};
	const char *end;

	if (s.n <= PIECE)
		return s;
	if (e != ENCODING_QP)
		return (struct span){s.p, PIECE};
	end = memchr(s.p + PIECE, '\n', s.n - PIECE);
	return end == NULL ? s :
		(struct span){s.p, (size_t)(end + 1 - s.p)};
}

/* Undoes an encoding, into out unless that is NULL. How much it made. */
static size_t
undo(struct mime *m, enum mime_encoding e, struct span bytes, char *out)
{
	struct base64 b = {0};
	struct span s;
	size_t at, n = 0;
	char *to = out;

	for (at = 0; at < bytes.n; at += s.n) {
		s = next_piece(bytes, at, e);
		n += e == ENCODING_BASE64 ? transfer_base64_some(&b, s, to) :
			transfer_qp(s, to, &b.bad);
		to = out == NULL ? NULL : out + n;
		mime_passed(m, s);
	}
	if (e == ENCODING_BASE64)
		n += transfer_base64_end(&b, to);
	if (b.bad)
		mime_defect(m, e == ENCODING_QP ?
			DEFECT_BAD_QUOTED_PRINTABLE : DEFECT_BAD_BASE64);
	return n;
}

static size_t
decoded_size(struct mime *m, enum mime_encoding e, struct span bytes)
{
	return e & ENCODINGS_DECODED ? undo(m, e, bytes, NULL) : bytes.n;
}

/* Room for what is in base64, whose line ends are few; else counted. */
static size_t
room_for(struct mime *m, enum mime_encoding e, struct span bytes)
{
	size_t most = bytes.n / 4 * 3 + 3;

	return e == ENCODING_BASE64 && most <= CAPS_MIME_TEXT - m->decoded ?
		most : decoded_size(m, e, bytes);
}

struct span
mime_decode(struct mime *m, enum mime_encoding e, struct span bytes)
{
	size_t n = room_for(m, e, bytes), decoded = m->decoded;
	char *p;

	if (!count(m, n))
		return nothing;
	if (!(e & ENCODINGS_DECODED))
		return bytes.p == NULL ? SPAN("") : bytes;
	mime_passed(m, bytes); /* it need not be there beside all of this */
	p = arena_alloc(m->arena, n);
	if (p == NULL) {
		m->no_memory = true;
		return nothing;
	}
	n = undo(m, e, bytes, p);
	m->decoded = decoded + n;
	return (struct span){p, n};
}

void
mime_each_piece(struct mime *m, enum mime_encoding e, struct span bytes,
                void (*take)(void *of, struct span piece), void *of)
{
	struct base64 b = {0};
	struct span s, piece;
	bool bad = false; /* mime_scan sees it */
	size_t at;
	char *out;

	for (at = 0; at < bytes.n && mime_ok(m); at += s.n) {
		s = piece = next_piece(bytes, at, e);
		out = e & ENCODINGS_DECODED ? malloc(s.n + 4) : NULL;
		if (out == NULL && (e & ENCODINGS_DECODED)) {
			m->no_memory = true;
			return;
		}
		if (e & ENCODINGS_DECODED)
			piece = (struct span){out, e == ENCODING_BASE64 ?
				transfer_base64_some(&b, s, out) :
				transfer_qp(s, out, &bad)};
		take(of, piece);
		free(out);
		mime_passed(m, s);
	}
}

struct span
mime_begin(struct mime *m, size_t part, enum mime_encoding e, size_t max)
{
	struct span bytes = m->parts[part].bytes, out;
	bool bad = false; /* mime_scan sees it */
	char *p;

	/* quoted-printable takes three bytes for one; line ends are more */
	if (bytes.n > max * 4)
		bytes.n = max * 4;
	if (!(e & ENCODINGS_DECODED) || bytes.n == 0)
		return bytes.p == NULL ? SPAN("") : bytes;
	p = arena_alloc(m->arena, bytes.n);
	if (p == NULL) {
		m->no_memory = true;
		return nothing;
	}
	out = (struct span){p, 0};
	out.n = e == ENCODING_BASE64 ? transfer_base64(bytes, p) :
		transfer_qp(bytes, p, &bad);
	return out;
}

/* ---- text ---- */

/* Stretches up to each CR are moved; to is s.p itself, or elsewhere. */
static size_t
move_without_cr(struct mime *m, struct span s, char *to)
{
	size_t at = 0, next, n = 0, piece = 0;
	const char *cr;

	for (; at < s.n; at = next) {
		cr = memchr(s.p + at + 1, '\r', s.n - at - 1);
		next = cr == NULL ? s.n : (size_t)(cr - s.p);
		if (s.p[at] == '\r' && at + 1 < s.n && s.p[at + 1] == '\n')
			at++;
		memmove(to + n, s.p + at, next - at);
		n += next - at;
		if (next - piece >= PIECE) {
			mime_passed(m, (struct span){s.p + piece,
			                             next - piece});
			piece = next;
		}
	}
	return n;
}

/* ours: s may be changed where it is. */
static struct span
without_cr(struct mime *m, struct span s, bool ours)
{
	char *p;

	if (s.n == 0 || memchr(s.p, '\r', s.n) == NULL)
		return s;
	mime_passed(m, s);
	p = ours ? (char *)(size_t)s.p : arena_alloc(m->arena, s.n);
	if (p == NULL) {
		m->no_memory = true;
		return nothing;
	}
	return (struct span){p, move_without_cr(m, s, p)};
}

static struct span
convert(struct mime *m, struct span charset, struct span bytes)
{
	GString *out = g_string_sized_new(bytes.n + 1);
	struct span s = nothing;

	if (charset_to_utf8(out, charset, bytes) && count(m, out->len))
		s = arena_copy(m->arena, (struct span){out->str, out->len});
	g_string_free(out, TRUE);
	m->no_memory = m->no_memory || (s.p == NULL && m->full == NULL);
	return s;
}

/* Charsets whose text may be taken as UTF-8 if it is. */
static bool
is_ascii_or_utf8(struct span charset)
{
	return charset.n == 0 || span_is_nocase(charset, SPAN("us-ascii")) ||
		span_is_nocase(charset, SPAN("ascii")) ||
		span_is_nocase(charset, SPAN("utf-8")) ||
		span_is_nocase(charset, SPAN("utf8"));
}

/*
 * Bytes of which nobody says what they are: windows-1252 is the most
 * frequent guess. What is converted is *ours.
 */
static struct span
in_utf8(struct mime *m, struct span charset, struct span bytes, bool *ours)
{
	static const struct span mark = {"\xef\xbb\xbf", 3};

	if (is_ascii_or_utf8(charset)) {
		if (utf8_valid(bytes))
			return bytes.n >= 3 &&
				memcmp(bytes.p, mark.p, 3) == 0 ?
				(struct span){bytes.p + 3, bytes.n - 3} :
				bytes;
		charset = charset.n > 0 && (charset.p[0] | 0x20) == 'u' &&
			(charset.p[1] | 0x20) == 't' ? SPAN("utf-8") :
			SPAN("windows-1252");
	}
	*ours = true;
	return convert(m, charset, bytes);
}

/* ours: bytes may be changed where they are. */
static struct span
as_text(struct mime *m, struct span charset, struct span bytes, bool ours)
{
	struct span s = in_utf8(m, charset, bytes, &ours);

	return s.p == NULL ? nothing : without_cr(m, s, ours);
}

struct span
mime_text_of(struct mime *m, struct span bytes, enum mime_encoding e,
             struct span charset)
{
	bytes = mime_decode(m, e, bytes);
	return bytes.p == NULL ? nothing :
		as_text(m, charset, bytes, (e & ENCODINGS_DECODED) != 0);
}

struct span
mime_text(struct mime *m, size_t part, enum mime_encoding e,
          struct span charset)
{
	return mime_text_of(m, m->parts[part].bytes, e, charset);
}

struct span
mime_loose_text(struct mime *m, struct span bytes)
{
	return count(m, bytes.n) ? as_text(m, SPAN(""), bytes, false) :
		nothing;
}

/* ---- what contents show ---- */

static bool
is_leaf(const struct mime *m, size_t part)
{
	const struct mime_part *p = &m->parts[part];

	return !(p->multipart && p->boundaries != NULL) && !p->message;
}

static void
check_bytes(struct mime *m, const struct mime_part *p)
{
	bool high = false, nul = false;
	size_t i;

	if (p->encodings & ENCODING_8BIT && !p->text)
		return;
	for (i = 0; i < p->bytes.n; i++) {
		char c = p->bytes.p[i];

		if (i > 0 && i % PIECE == 0)
			mime_passed(m, (struct span){
				p->bytes.p + i - PIECE, PIECE});
		high = high || c < 0;
		nul = nul || c == '\0';
		if (c == '\r' && (i + 1 == p->bytes.n ||
		                  p->bytes.p[i + 1] != '\n'))
			mime_defect(m, DEFECT_BARE_CR);
	}
	if (high && !(p->encodings & ENCODING_8BIT))
		mime_defect(m, DEFECT_RAW_8BIT);
	if (nul)
		mime_defect(m, DEFECT_NUL);
}

static void
check_charset(struct mime *m, struct span charset)
{
	enum truth known = charset_known(charset);

	if (known == TRUTH_NO)
		mime_defect(m, DEFECT_UNKNOWN_CHARSET);
	m->no_memory = m->no_memory || known == TRUTH_FAILED;
}

static void
scan(struct mime *m, struct mime_part *p)
{
	const struct mime_list *c;
	enum mime_encoding e;
	size_t n;

	for (e = ENCODING_7BIT; e <= ENCODING_UNKNOWN; e <<= 1)
		if (p->encodings & e) {
			n = decoded_size(m, e, p->bytes);
			p->size = n > p->size || !p->scanned ? n : p->size;
			p->scanned = true;
		}
	check_bytes(m, p);
	for (c = p->charsets; c != NULL && p->text; c = c->next)
		if (!is_ascii_or_utf8(c->text))
			check_charset(m, c->text);
}

void
mime_scan(struct mime *m)
{
	size_t i;

	if (m->scanned)
		return;
	m->scanned = true;
	for (i = 0; i < m->n_parts; i++)
		if (is_leaf(m, i))
			scan(m, &m->parts[i]);
		else
			m->parts[i].size = m->parts[i].bytes.n;
}
