/*
 * mime_decode.c - what the parts hold: transfer encodings undone, text in
 * UTF-8, and the defects that only contents show.
 */
#include <string.h>

#include "address.h"
#include "caps.h"
#include "charset.h"
#include "mime.h"
#include "transfer.h"
#include "utf8.h"

#define STRING_OF(number) #number
#define STRING(number) STRING_OF(number)

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

static size_t
decoded_size(struct mime *m, enum mime_encoding e, struct span bytes)
{
	bool bad = false;
	size_t n = bytes.n;

	if (e == ENCODING_BASE64)
		n = transfer_base64_size(bytes, &bad);
	else if (e == ENCODING_QP)
		n = transfer_qp(bytes, NULL, &bad);
	if (bad)
		mime_defect(m, e == ENCODING_QP ?
			DEFECT_BAD_QUOTED_PRINTABLE : DEFECT_BAD_BASE64);
	return n;
}

struct span
mime_decode(struct mime *m, enum mime_encoding e, struct span bytes)
{
	size_t n = decoded_size(m, e, bytes);
	bool bad = false; /* known by now */
	char *p;

	if (!count(m, n))
		return nothing;
	if (!(e & ENCODINGS_DECODED))
		return bytes.p == NULL ? SPAN("") : bytes;
	address_init(); /* GMime */
	p = arena_alloc(m->arena, n + 4);
	if (p == NULL) {
		m->no_memory = true;
		return nothing;
	}
	if (e == ENCODING_BASE64)
		n = transfer_base64(bytes, p);
	else
		n = transfer_qp(bytes, p, &bad);
	return (struct span){p, n};
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
	address_init(); /* GMime */
	p = arena_alloc(m->arena, bytes.n + 4);
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

static struct span
without_cr(struct mime *m, struct span s)
{
	size_t i, n = 0;
	char *p;

	if (s.n == 0 || memchr(s.p, '\r', s.n) == NULL)
		return s;
	p = arena_alloc(m->arena, s.n);
	if (p == NULL) {
		m->no_memory = true;
		return nothing;
	}
	for (i = 0; i < s.n; i++)
		if (s.p[i] != '\r' || i + 1 == s.n || s.p[i + 1] != '\n')
			p[n++] = s.p[i];
	return (struct span){p, n};
}

static struct span
convert(struct mime *m, struct span charset, struct span bytes)
{
	GString *out = g_string_sized_new(bytes.n + 1);
	struct span s = nothing;

	charset_to_utf8(out, charset, bytes);
	if (count(m, out->len))
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

/* Bytes of which nobody says what they are: windows-1252 is the most
 * frequent guess. */
static struct span
in_utf8(struct mime *m, struct span charset, struct span bytes)
{
	static const struct span mark = {"\xef\xbb\xbf", 3};

	if (!is_ascii_or_utf8(charset))
		return convert(m, charset, bytes);
	if (!utf8_valid(bytes))
		return convert(m, charset.n > 0 && (charset.p[0] | 0x20) == 'u'
			&& (charset.p[1] | 0x20) == 't' ? SPAN("utf-8") :
			SPAN("windows-1252"), bytes);
	if (bytes.n >= 3 && memcmp(bytes.p, mark.p, 3) == 0)
		return (struct span){bytes.p + 3, bytes.n - 3};
	return bytes;
}

static struct span
as_text(struct mime *m, struct span charset, struct span bytes)
{
	struct span s = in_utf8(m, charset, bytes);

	return s.p == NULL ? nothing : without_cr(m, s);
}

struct span
mime_text(struct mime *m, size_t part, enum mime_encoding e,
          struct span charset)
{
	struct span bytes = mime_decode(m, e, m->parts[part].bytes);

	return bytes.p == NULL ? nothing : as_text(m, charset, bytes);
}

struct span
mime_loose_text(struct mime *m, struct span bytes)
{
	return count(m, bytes.n) ? as_text(m, SPAN(""), bytes) : nothing;
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
		if (!is_ascii_or_utf8(c->text) && !charset_known(c->text))
			mime_defect(m, DEFECT_UNKNOWN_CHARSET);
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
