/*
 * mime_head.c - what the header of a part says of it (RFC 2045 5 and 6, RFC
 * 2183). Of fields that are there twice each counts: readers differ.
 */
#include <string.h>

#include "mime.h"
#include "caps.h"
#include "file_name.h"
#include "header_text.h"
#include "utf8.h"

/* ---- any field ---- */

static void
check_bytes(struct mime *m, struct span s)
{
	size_t i;
	bool high = false;

	for (i = 0; i < s.n; i++) {
		high = high || (unsigned char)s.p[i] >= 0x80;
		if (s.p[i] == '\0')
			mime_defect(m, DEFECT_NUL);
		if (s.p[i] == '\r' && (i + 1 == s.n || s.p[i + 1] != '\n'))
			mime_defect(m, DEFECT_BARE_CR);
	}
	if (high && !(m->utf8 && utf8_valid(s)))
		mime_defect(m, DEFECT_RAW_8BIT);
}

/* ---- Content-Type ---- */

/* type "/" subtype, of tokens (RFC 2045 5.1); in lower case already */
static bool
is_type(struct span s)
{
	const char *slash = s.n == 0 ? NULL : memchr(s.p, '/', s.n);
	size_t i;

	if (slash == NULL || slash == s.p || slash + 1 == s.p + s.n)
		return false;
	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f ||
		    (s.p + i != slash &&
		     strchr("()<>@,;:\\\"/[]?=", s.p[i]) != NULL))
			return false;
	return true;
}

static bool
has_word(struct span s, const char *word)
{
	return s.n > 0 && memmem(s.p, s.n, word, strlen(word)) != NULL;
}

/* One that is none: plain text to many, and what it may mean to some. */
static void
guess_type(struct mime *m, struct mime_part *p, struct span head)
{
	mime_defect(m, DEFECT_BAD_TYPE);
	mime_list_add(m, &p->types, SPAN("text/plain"), true);
	if (has_word(head, "html"))
		mime_list_add(m, &p->types, SPAN("text/html"), true);
	if (has_word(head, "multipart"))
		mime_list_add(m, &p->types, SPAN("multipart/mixed"), true);
}

/* Some drop blanks at its end, some decode it (RFC 2047). */
static void
add_boundary(struct mime *m, struct mime_part *p, struct span value)
{
	struct span decoded = header_decode(m->arena, value);

	mime_list_add(m, &p->boundaries, value, false);
	if (span_trim(value).n > 0)
		mime_list_add(m, &p->boundaries, span_trim(value), false);
	if (utf8_valid(value))
		mime_list_add(m, &p->boundaries, decoded, false);
}

static void
take_type(struct mime *m, size_t part, struct span value)
{
	struct mime_part *p = &m->parts[part];
	struct span head;
	struct mime_param *q = mime_params(m, value, &head);

	if (++p->n_types > 1)
		mime_defect(m, DEFECT_DUPLICATE_TYPE);
	if (is_type(head))
		mime_list_add(m, &p->types, head, true);
	else
		guess_type(m, p, head);
	for (; q != NULL && mime_ok(m); q = q->next)
		if (span_is(q->name, SPAN("boundary")))
			add_boundary(m, p, q->value);
		else if (span_is(q->name, SPAN("charset")))
			mime_list_add(m, &p->charsets, q->value, true);
		else if (span_is(q->name, SPAN("name")))
			mime_name_add(m, part, q);
		else if (span_is(q->name, SPAN("format")))
			p->flowed = p->flowed || span_is_nocase(q->value,
				SPAN("flowed"));
		else if (span_is(q->name, SPAN("delsp")))
			p->delsp = p->delsp || span_is_nocase(q->value,
				SPAN("yes"));
	if ((p->boundaries != NULL && p->boundaries->next != NULL) ||
	    (p->charsets != NULL && p->charsets->next != NULL))
		mime_defect(m, DEFECT_DUPLICATE_PARAMETER);
}

/* ---- the others ---- */

static void
take_encoding(struct mime *m, size_t part, struct span value)
{
	static const struct {
		struct span name;
		enum mime_encoding encoding;
	} known[] = {
		{{"7bit", 4}, ENCODING_7BIT},
		{{"8bit", 4}, ENCODING_8BIT},
		{{"binary", 6}, ENCODING_8BIT},
		{{"base64", 6}, ENCODING_BASE64},
		{{"quoted-printable", 16}, ENCODING_QP},
	};
	struct mime_part *p = &m->parts[part];
	struct span head;
	size_t i;

	mime_params(m, value, &head);
	if (++p->n_encodings > 1)
		mime_defect(m, DEFECT_DUPLICATE_ENCODING);
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (span_is(head, known[i].name)) {
			p->encodings |= known[i].encoding;
			return;
		}
	p->encodings |= ENCODING_UNKNOWN;
	mime_defect(m, DEFECT_UNKNOWN_ENCODING);
	/* "quoted-printable" with quotes, and other ways to miss it */
	head = arena_lower(m->arena, value);
	if (has_word(head, "base64"))
		p->encodings |= ENCODING_BASE64;
	if (has_word(head, "quoted"))
		p->encodings |= ENCODING_QP;
}

static void
take_disposition(struct mime *m, size_t part, struct span value)
{
	struct span head;
	struct mime_param *q = mime_params(m, value, &head);

	for (; q != NULL && mime_ok(m); q = q->next)
		if (span_is(q->name, SPAN("filename")) ||
		    span_is(q->name, SPAN("name")))
			mime_name_add(m, part, q);
}

void
mime_head_field(struct mime *m, size_t part, struct span name,
                struct span value)
{
	struct span word = span_trim(name);

	check_bytes(m, name);
	check_bytes(m, value);
	if (word.n != name.n)
		mime_defect(m, DEFECT_BLANK_BEFORE_COLON);
	if (word.n < 8 || !span_is_nocase((struct span){word.p, 8},
	                                  SPAN("content-")))
		return;
	if (value.n > CAPS_MIME_FIELD) {
		mime_stop(m, DEFECT_TOO_MANY_PARAMETERS,
		          "a Content- field that is too long");
		return;
	}
	if (span_is_nocase(word, SPAN("content-type")))
		take_type(m, part, value);
	else if (span_is_nocase(word, SPAN("content-transfer-encoding")))
		take_encoding(m, part, value);
	else if (span_is_nocase(word, SPAN("content-disposition")))
		take_disposition(m, part, value);
}

/* ---- all of them ---- */

static bool
has_type(const struct mime_part *p, const char *type)
{
	const struct mime_list *t;

	for (t = p->types; t != NULL; t = t->next)
		if (span_begins(t->text, span_of(type)))
			return true;
	return false;
}

/* RFC 2046 5.1.5 */
static struct span
default_type(const struct mime *m, const struct mime_part *p)
{
	if (p->parent != MIME_NONE &&
	    has_type(&m->parts[p->parent], "multipart/digest"))
		return SPAN("message/rfc822");
	return SPAN("text/plain");
}

static bool
is_attachment(const struct mime_part *p)
{
	const struct mime_list *t;

	for (t = p->types; t != NULL; t = t->next)
		if (!span_begins(t->text, SPAN("text/")) &&
		    !span_begins(t->text, SPAN("multipart/")))
			return true;
	return p->names != NULL;
}

static void
check_boundary(struct mime *m, struct mime_part *p)
{
	const struct mime_list *b;

	if (p->boundaries == NULL) {
		mime_defect(m, DEFECT_MISSING_BOUNDARY);
		p->text = true; /* so a reader shows it */
	}
	for (b = p->boundaries; b != NULL; b = b->next)
		if (b->text.n == 0)
			mime_defect(m, DEFECT_EMPTY_BOUNDARY);
}

/* Programs go by the name, whatever the type. */
static bool
is_called(struct mime *m, const struct mime_part *p, const char *extension)
{
	const struct mime_list *l;

	for (l = p->names; l != NULL; l = l->next)
		if (span_is(file_name_extension(m->arena, l->text),
		            span_of(extension)))
			return true;
	return false;
}

/* A message that is called something else, and opened by a click. */
static void
find_message(struct mime *m, struct mime_part *p)
{
	if (p->multipart || p->message)
		return;
	p->signature = has_type(p, "application/pkcs7-mime") ||
		has_type(p, "application/x-pkcs7-mime") ||
		is_called(m, p, "p7m");
	p->file = !p->signature && is_called(m, p, "eml");
	p->container = p->signature || p->file;
}

void
mime_head_end(struct mime *m, size_t part)
{
	struct mime_part *p = &m->parts[part];

	if (p->types == NULL)
		mime_list_add(m, &p->types, default_type(m, p), true);
	if (p->encodings == 0)
		p->encodings = ENCODING_7BIT;
	p->multipart = has_type(p, "multipart/");
	p->message = !p->multipart && (has_type(p, "message/rfc822") ||
		has_type(p, "message/global") || has_type(p, "message/news"));
	/* reports, too, and a message's piece */
	p->text = has_type(p, "text/") ||
		has_type(p, "application/xhtml+xml") ||
		(has_type(p, "message/") && !p->message);
	p->attachment = is_attachment(p);
	if (p->multipart)
		check_boundary(m, p);
	if ((p->message || (p->multipart && p->boundaries != NULL)) &&
	    (p->encodings & ENCODINGS_DECODED)) {
		mime_defect(m, DEFECT_ENCODED_MULTIPART);
		p->container = true;
	}
	find_message(m, p);
}
