#include <string.h>

#include "own.h"

/* ---- signatures ---- */

static bool
has_type(const struct mime_part *p, struct span type)
{
	const struct mime_list *t;

	for (t = p->types; t != NULL; t = t->next)
		if (span_is_nocase(t->text, type))
			return true;
	return false;
}

bool
own_is_html(const struct mime_part *p)
{
	const struct mime_list *t;

	/* an application's XHTML may not be what HTML may */
	for (t = p->types; t != NULL; t = t->next)
		if (t->text.n > 5 && memcmp(t->text.p, "text/", 5) == 0 &&
		    mime_type_is_html(t->text))
			return true;
	return false;
}

/*
 * Its type, or a file's name that says as much. A signature beside a part is
 * one of it in a multipart/signed alone; elsewhere anybody can attach one.
 */
const char *
own_seal(const struct mime_part *p)
{
	static const char *const types[] = {
		"multipart/signed", "multipart/encrypted",
		"application/pkcs7-mime", "application/x-pkcs7-mime",
		"application/pgp-encrypted", "application/pgp", NULL,
	};
	const struct mime_list *l;
	size_t i;

	for (i = 0; types[i] != NULL; i++)
		if (has_type(p, span_of(types[i])))
			return types[i];
	for (l = p->names; l != NULL; l = l->next)
		if (span_ends_nocase(l->text, SPAN(".p7m")))
			return "application/pkcs7-mime by its name";
	return NULL;
}

bool
own_is_report(const struct mime *m)
{
	return has_type(&m->parts[0], SPAN("multipart/report"));
}

bool
own_is_foreign(const struct mime *m, size_t part)
{
	while ((part = m->parts[part].parent) != MIME_NONE)
		if (m->parts[part].message)
			return true;
	return false;
}

const char *
own_sealed(struct edit *e)
{
	const struct mime *m = e->mime;
	const char *what;
	size_t i;

	for (i = 0; i < m->n_parts; i++) {
		what = own_is_foreign(m, i) ? NULL : own_seal(&m->parts[i]);
		if (what != NULL)
			return arena_printf(e->arena,
				"it is signed or encrypted: %s", what).p;
	}
	return NULL;
}

/* RFC 4880 6.2: what stands in the text itself. */
static bool
is_armoured(const struct own_part *p)
{
	static const struct span begins[] = {
		{"-----BEGIN PGP MESSAGE", 22},
		{"-----BEGIN PGP SIGNED MESSAGE", 29},
	};
	const char *at, *end = p->text.p + p->text.n;
	size_t i;

	for (i = 0; i < 2; i++)
		for (at = p->text.p; at < end; at++) {
			at = memmem(at, (size_t)(end - at), begins[i].p,
			            begins[i].n);
			if (at == NULL)
				break;
			if (p->html || at == p->text.p || at[-1] == '\n')
				return true;
		}
	return false;
}

/* ---- structure ---- */

/* Readers see different parts, or different headers of them. */
static const enum defect ambiguous[] = {
	DEFECT_DUPLICATE_TYPE, DEFECT_DUPLICATE_ENCODING,
	DEFECT_DUPLICATE_PARAMETER, DEFECT_EMPTY_BOUNDARY,
	DEFECT_REPEATED_BOUNDARY, DEFECT_FALSE_BOUNDARY,
	DEFECT_HEADER_WITHOUT_COLON, DEFECT_BLANK_BEFORE_COLON,
};

/* Is there a part whose type is none, and may be one of several? */
static bool
is_guessed(const struct mime *m)
{
	size_t i;

	for (i = 0; i < m->n_parts; i++)
		if (m->parts[i].types != NULL &&
		    m->parts[i].types->next != NULL)
			return true;
	return false;
}

/* Why nothing of the message may be changed, or NULL. */
static const char *
obstacle(struct edit *e)
{
	const struct mime *m = e->mime;
	struct span body = e->splice.base;
	size_t i;

	if (m->full != NULL)
		return m->full;
	for (i = 0; i < sizeof(ambiguous) / sizeof(ambiguous[0]); i++)
		if (mime_has(m, ambiguous[i]))
			return arena_printf(e->arena, "readers disagree about "
				"its parts: %s",
				mime_defect_name(ambiguous[i])).p;
	if (is_guessed(m))
		return "readers disagree about its parts: bad-content-type";
	if (m->n_parts > 1 && body.n > 0 &&
	    memmem(body.p, body.n, "\r--", 3) != NULL)
		return "readers disagree about its parts: bare-cr";
	return own_sealed(e);
}

/* ---- parts ---- */

static struct mime_param *
params(const struct edit *e, size_t part, const char *field,
       struct span *head)
{
	struct span value = edit_field(e, part, span_of(field));

	*head = (struct span){NULL, 0};
	return value.p == NULL ? NULL : mime_params(e->mime, value, head);
}

bool
own_is_shown(const struct edit *e, size_t part)
{
	const struct mime_part *p = &e->mime->parts[part];
	struct span head;

	/* a message that is one text is shown, whatever its name */
	if (!p->text || (p->attachment && part != 0) ||
	    own_is_foreign(e->mime, part) || !edit_holds(e, p->bytes))
		return false;
	params(e, part, "content-disposition", &head);
	return !span_is_nocase(head, SPAN("attachment"));
}

static bool
add(struct edit *e, struct own *o, size_t part, bool html)
{
	struct own_part *p = arena_grow(e->arena, &o->parts, &o->n,
	                                sizeof(*p));

	if (p == NULL)
		return false;
	p->part = part;
	p->html = html;
	return true;
}

/* The next child behind `at`, or MIME_NONE. */
static size_t
next_child(const struct mime *m, size_t part, size_t at)
{
	while (++at < m->n_parts)
		if (m->parts[at].parent == part)
			return at;
	return MIME_NONE;
}

/* RFC 2387 3.2: the child that "start" names, else the first. */
static size_t
related_root(struct edit *e, size_t part)
{
	const struct mime_param *q;
	size_t child, first = next_child(e->mime, part, part);
	struct span head, id;

	for (q = params(e, part, "content-type", &head); q != NULL;
	     q = q->next) {
		if (!span_is(q->name, SPAN("start")))
			continue;
		for (child = first; child != MIME_NONE;
		     child = next_child(e->mime, part, child)) {
			id = edit_field(e, child, SPAN("content-id"));
			if (id.p != NULL &&
			    span_is(span_trim(id), span_trim(q->value)))
				return child;
		}
	}
	return first;
}

/* Parts are no deeper than CAPS_MIME_DEPTH. */
static bool
collect(struct edit *e, struct own *o, size_t part)
{
	const struct mime_part *p = &e->mime->parts[part];
	bool all = has_type(p, SPAN("multipart/alternative"));
	bool plain = has_type(p, SPAN("text/plain"));
	size_t child, root, before = o->n;

	if (p->container || p->message)
		return true;
	if (!p->multipart || p->boundaries == NULL) {
		if (!own_is_shown(e, part) ||
		    (!plain && !own_is_html(p)))
			return true;
		return add(e, o, part, !plain);
	}
	if (has_type(p, SPAN("multipart/related"))) {
		child = next_child(e->mime, part, part);
		root = related_root(e, part);
		return (child == MIME_NONE || collect(e, o, child)) &&
			(root == child || collect(e, o, root));
	}
	for (child = next_child(e->mime, part, part);
	     child != MIME_NONE && (all || o->n == before);
	     child = next_child(e->mime, part, child))
		if (!collect(e, o, child))
			return false;
	return true;
}

/* ---- text ---- */

struct span
own_text(struct edit *e, struct own *o, size_t part)
{
	const struct mime_part *p = &e->mime->parts[part];
	enum mime_encoding encoding = ENCODING_7BIT;
	struct span text;

	while (!(p->encodings & encoding))
		encoding <<= 1;
	text = mime_text(e->mime, part, encoding, p->charsets == NULL ?
		SPAN("") : p->charsets->text);
	if (text.p == NULL)
		o->why = e->mime->full;
	return text;
}

bool
own_find(struct edit *e, struct own *o)
{
	size_t i;

	*o = (struct own){NULL, 0, NULL};
	if (edit_parts(e) == NULL)
		return false;
	o->why = obstacle(e);
	if (o->why != NULL)
		return true;
	if (!collect(e, o, 0))
		return false;
	if (o->n == 0)
		o->why = "it has no text of its own";
	for (i = 0; i < o->n && o->why == NULL; i++) {
		o->parts[i].text = own_text(e, o, o->parts[i].part);
		if (o->parts[i].text.p == NULL)
			return o->why != NULL;
		if (is_armoured(&o->parts[i]))
			o->why = "it is signed or encrypted: PGP in its text";
	}
	return !e->mime->no_memory;
}
