#include <stdint.h>
#include <string.h>

#include "edit.h"

void
edit_begin(struct edit *e, struct arena *a, struct message *m,
           struct span body, bool utf8)
{
	if (body.p == NULL)
		body = SPAN("");
	*e = (struct edit){.arena = a, .message = m, .utf8 = utf8,
	                   .came = body};
	splice_begin(&e->splice, a, body);
}

void
edit_end(struct edit *e)
{
	body_free(&e->whole);
}

struct span
edit_result(const struct edit *e)
{
	return e->splice.n_edits == 0 ? e->splice.base :
		splice_result(&e->splice);
}

/* The changes so far become what the next one acts on. */
static bool
make_whole(struct edit *e)
{
	struct body whole = {.bytes = NULL};
	struct span piece, all;
	size_t at = 0;

	if (e->splice.n_edits == 0)
		return true;
	while (splice_next(&e->splice, &at, &piece))
		if (!body_add(&whole, piece.p, piece.n)) {
			body_free(&whole);
			return false;
		}
	all = body_bytes(&whole);
	if (all.p == NULL) {
		body_free(&whole);
		return false;
	}
	body_free(&e->whole);
	e->whole = whole;
	splice_begin(&e->splice, e->arena, all);
	return true;
}

/* The working copy's header, as it is now. */
static bool
take_header(struct edit *e)
{
	size_t n = message_result_fields(e->message);
	struct field *fields = arena_alloc(e->arena, n * sizeof(*fields));

	if (fields == NULL)
		return false;
	message_result_all(e->message, fields);
	e->fields = fields;
	e->n_fields = n;
	return true;
}

struct mime *
edit_parts(struct edit *e)
{
	struct mime_field *fields;
	size_t i;

	if (!take_header(e) || !make_whole(e))
		return NULL;
	fields = arena_alloc(e->arena, e->n_fields * sizeof(*fields));
	if (fields == NULL)
		return NULL;
	for (i = 0; i < e->n_fields; i++)
		fields[i] = (struct mime_field){e->fields[i].name,
		                                e->fields[i].raw};
	e->mime = mime_parse(e->arena, fields, e->n_fields, e->splice.base,
	                     e->utf8);
	return e->mime == NULL || e->mime->no_memory ? NULL : e->mime;
}

/* ---- bytes ---- */

static size_t
offset(const struct edit *e, struct span bytes)
{
	return (uintptr_t)bytes.p - (uintptr_t)e->splice.base.p;
}

bool
edit_holds(const struct edit *e, struct span bytes)
{
	uintptr_t base = (uintptr_t)e->splice.base.p;
	uintptr_t p = (uintptr_t)bytes.p;

	return bytes.p != NULL && p >= base &&
		p - base <= e->splice.base.n &&
		bytes.n <= e->splice.base.n - (p - base);
}

struct span
edit_from(const struct edit *e, struct span bytes)
{
	size_t at = offset(e, bytes);

	return (struct span){bytes.p, e->splice.base.n - at};
}

bool
edit_replace(struct edit *e, struct span bytes, struct span text)
{
	size_t at = offset(e, bytes);

	return edit_holds(e, bytes) &&
		splice_replace(&e->splice, at, at + bytes.n, text);
}

/* ---- fields ---- */

struct span
edit_next_field(struct span *rest)
{
	struct span field = {rest->p, 0};
	const char *end;

	do {
		end = memchr(field.p + field.n, '\n', rest->n - field.n);
		field.n = end == NULL ? rest->n :
			(size_t)(end + 1 - field.p);
	} while (field.n < rest->n &&
	         (field.p[field.n] == ' ' || field.p[field.n] == '\t'));
	rest->p += field.n;
	rest->n -= field.n;
	return field;
}

/* The first field of that name in a header; *value is part of it. */
static bool
find_field(struct span header, struct span name, struct span *value)
{
	struct span rest = header, field;
	const char *colon;

	while (rest.n > 0) {
		field = edit_next_field(&rest);
		colon = memchr(field.p, ':', field.n);
		if (colon == NULL)
			continue;
		*value = (struct span){field.p, (size_t)(colon - field.p)};
		if (!span_is_nocase(span_trim(*value), name))
			continue;
		*value = (struct span){colon + 1,
			field.n - (size_t)(colon + 1 - field.p)};
		while (value->n > 0 && (value->p[value->n - 1] == '\n' ||
		                        value->p[value->n - 1] == '\r'))
			value->n--;
		if (value->n > 0 && value->p[0] == ' ')
			*value = (struct span){value->p + 1, value->n - 1};
		return true;
	}
	return false;
}

struct span
edit_field(const struct edit *e, size_t part, struct span name)
{
	struct span value = {NULL, 0};
	size_t i;

	if (part != 0)
		return find_field(e->mime->parts[part].header, name, &value) ?
			value : (struct span){NULL, 0};
	for (i = 0; i < e->n_fields; i++)
		if (span_is_nocase(e->fields[i].name, name))
			return e->fields[i].raw;
	return value;
}

bool
edit_set_field(struct edit *e, size_t part, struct span name,
               struct span value)
{
	struct span header, old;

	if (part == 0)
		return message_set_field(e->message, name, value) &&
			take_header(e);
	header = e->mime->parts[part].header;
	if (!edit_holds(e, header))
		return false;
	if (find_field(header, name, &old)) {
		bool blank = old.p[-1] == ' ';

		return edit_replace(e, old, blank ? value : arena_printf(
			e->arena, " %.*s", SPAN_ARG(value)));
	}
	return edit_replace(e, (struct span){header.p + header.n, 0},
		arena_printf(e->arena, "%.*s: %.*s\r\n", SPAN_ARG(name),
			SPAN_ARG(value)));
}

/* ---- what came out ---- */

const char *
edit_left_out(const struct edit *e, const struct effect *effect)
{
	size_t i;

	for (i = 0; i < e->n_notes; i++)
		if (e->notes[i].effect == effect)
			return e->notes[i].why;
	return NULL;
}

bool
edit_leave_out(struct edit *e, const struct effect *effect, const char *why)
{
	const char *before = edit_left_out(e, effect);
	struct edit_note *note = e->notes;

	if (before != NULL) {
		while (note->effect != effect)
			note++;
		note->why = arena_printf(e->arena, "%s; %s", before, why).p;
		return note->why != NULL;
	}
	note = arena_grow(e->arena, &e->notes, &e->n_notes, sizeof(*note));
	if (note == NULL)
		return false;
	*note = (struct edit_note){effect, why};
	return true;
}

bool
edit_take(struct edit *e, const struct effect *effect, struct span name)
{
	struct edit_taken *taken = arena_grow(e->arena, &e->taken,
	                                      &e->n_taken, sizeof(*taken));

	if (taken != NULL)
		*taken = (struct edit_taken){effect, name};
	return taken != NULL;
}

bool
edit_is_same(const struct edit *e)
{
	return splice_is(&e->splice, e->came);
}

bool
edit_changes(const struct edit *e, const struct change **changes, size_t *n)
{
	struct change *all, *one;
	size_t more = 0, at = 0;
	struct span piece;

	if (edit_is_same(e))
		return true;
	while (splice_next(&e->splice, &at, &piece))
		more++;
	more += more == 0; /* an empty body is sent, too */
	all = arena_alloc(e->arena, (*n + more) * sizeof(*all));
	if (all == NULL)
		return false;
	if (*n > 0)
		memcpy(all, *changes, *n * sizeof(*all));
	one = all + *n;
	for (at = 0; splice_next(&e->splice, &at, &piece); one++)
		*one = (struct change){.kind = REPLACE_BODY, .value = piece};
	if (one == all + *n)
		one->kind = REPLACE_BODY, one->value = SPAN("");
	*changes = all;
	*n += more;
	return true;
}
