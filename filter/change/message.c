/*
 * message.c - the header of a message as it came, and the effects that are
 * applied to a working copy of it and of the envelope.
 */
#include "caps.h"
#include "header_text.h"
#include "message_impl.h"

struct message *
message_new(struct arena *a)
{
	struct message *m = arena_alloc(a, sizeof(*m));

	if (m != NULL)
		m->arena = a;
	return m;
}

bool
message_add_field(struct message *m, struct span name, struct span raw)
{
	struct field f = {.name = arena_copy(m->arena, name),
	                  .raw = arena_copy(m->arena, raw)}, *slot;

	m->bytes += name.n + raw.n + 4; /* ": " and CRLF */
	if (m->n_fields >= CAPS_HEADER_FIELDS || m->bytes > CAPS_HEADER_BYTES
	    || f.name.p == NULL || f.raw.p == NULL)
		return false;
	slot = arena_grow(m->arena, &m->fields, &m->n_fields, sizeof(*slot));
	if (slot == NULL)
		return false;
	*slot = f;
	return true;
}

size_t
message_fields(const struct message *m)
{
	return m->n_fields;
}

const struct field *
message_field(const struct message *m, size_t i)
{
	return &m->fields[i];
}

struct span
message_read(struct message *m, struct field *f)
{
	if (f->decoded.p == NULL)
		f->decoded = header_decode(m->arena, f->raw);
	return f->decoded;
}

struct span
message_decoded(struct message *m, size_t i)
{
	return message_read(m, &m->fields[i]);
}

/* ---- effects ---- */

/* The first reason stands: a message is held once. */
static bool
hold(struct message *m, struct span reason)
{
	if (m->held)
		return true;
	reason = header_clean(m->arena, reason);
	if (reason.p == NULL || arena_full(m->arena))
		return false;
	m->reason = span_trim(reason);
	m->held = true;
	return true;
}

bool
message_apply(struct message *m, const struct effect *e, struct span *why)
{
	m->found = true;
	*why = SPAN("no memory for the changes");
	switch (e->kind) {
	case EFFECT_ADD_HEADER:
	case EFFECT_PREPEND_HEADER:
	case EFFECT_REPLACE_HEADER:
	case EFFECT_REMOVE_HEADER:
	case EFFECT_REWRITE_HEADER:
		return message_apply_header(m, e, why);
	case EFFECT_ADD_RCPT:
	case EFFECT_REDIRECT:
	case EFFECT_REPLACE_SENDER:
		return message_apply_envelope(m, e, why);
	case EFFECT_QUARANTINE:
		return hold(m, e->value);
	case EFFECT_STAMP_RECEIVED_SPF:
	case EFFECT_STAMP_RESULTS:
	case EFFECT_APPEND:
	case EFFECT_PREPEND_BODY:
	case EFFECT_REPLACE_BODY:
	case EFFECT_REMOVE_ATTACHMENT:
	case EFFECT_REPLACE_ATTACHMENT:
	case EFFECT_NOTIFY:
	case EFFECT_LOG:
		break; /* are not done here */
	}
	return true;
}

bool
message_found(const struct message *m)
{
	return m->found;
}
