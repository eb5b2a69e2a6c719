/*
 * message_envelope.c - the working copy of the envelope: the sender, and who
 * gets the mail by which recipient.
 */
#include <ctype.h>
#include <stdint.h>

#include "address.h"
#include "message_impl.h"

bool
message_set_sender(struct message *m, struct span given)
{
	struct value v;

	if (!address_path(m->arena, given, &v))
		return false;
	m->sender = v.text;
	return true;
}

static struct rcpt *
add_entry(struct message *m, struct span given)
{
	struct rcpt *r;
	struct value v;

	if (!address_path(m->arena, given, &v))
		return NULL;
	r = arena_grow(m->arena, &m->rcpts, &m->n_rcpts, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->given = arena_copy(m->arena, given);
	r->address = v.text;
	return r->given.p == NULL ? NULL : r;
}

bool
message_add_rcpt(struct message *m, struct span given)
{
	struct rcpt *r = add_entry(m, given);
	size_t *now;

	if (r == NULL)
		return false;
	r->owners = 1;
	now = arena_grow(m->arena, &m->now, &m->n_now, sizeof(*now));
	if (now == NULL)
		return false;
	*now = m->n_rcpts - 1;
	return true;
}

void
message_drop_rcpt(struct message *m, size_t rcpt)
{
	if (rcpt >= m->n_now)
		return;
	message_remove_rcpt(m, rcpt);
	m->rcpts[rcpt].refused = true;
}

void
message_remove_rcpt(struct message *m, size_t rcpt)
{
	if (rcpt >= m->n_now || m->now[rcpt] == NOBODY)
		return;
	m->rcpts[m->now[rcpt]].owners--;
	m->now[rcpt] = NOBODY;
}

/* The slot of the first entry with that address, or an empty one (FNV-1a). */
static size_t *
slot_of(struct message *m, struct span address)
{
	uint32_t hash = 2166136261;
	size_t i, number;

	for (i = 0; i < address.n; i++)
		hash = (hash ^ (uint32_t)tolower((unsigned char)address.p[i]))
			* 16777619;
	for (i = hash; ; i++) {
		number = m->slots[i & (m->n_slots - 1)];
		if (number == 0 || span_is_nocase(
		    m->rcpts[number - 1].address, address))
			return &m->slots[i & (m->n_slots - 1)];
	}
}

static bool
index_entries(struct message *m)
{
	size_t i, *slot;

	for (m->n_slots = 16; m->n_slots < 4 * m->n_rcpts; )
		m->n_slots *= 2;
	m->slots = arena_alloc(m->arena, m->n_slots * sizeof(*m->slots));
	for (i = 0; m->slots != NULL && i < m->n_rcpts; i++) {
		slot = slot_of(m, m->rcpts[i].address);
		if (*slot == 0 && !m->rcpts[i].refused)
			*slot = i + 1;
	}
	return m->slots != NULL;
}

/*
 * The entry of an address, made if there is none. NULL: no memory. A policy
 * may redirect each of many recipients to an address of his own.
 */
static struct rcpt *
entry_of(struct message *m, struct span address)
{
	struct rcpt *r;
	struct value v;
	size_t *slot;

	if (!address_path(m->arena, address, &v)
	    || ((m->slots == NULL || m->n_slots < 2 * (m->n_rcpts + 1))
	        && !index_entries(m)))
		return NULL;
	slot = slot_of(m, v.text);
	if (*slot != 0)
		return &m->rcpts[*slot - 1];
	r = add_entry(m, address);
	if (r == NULL)
		return NULL;
	r->added = true;
	*slot = m->n_rcpts;
	return r;
}

static bool
usable(struct message *m, const struct effect *e, const char *what,
       bool null_allowed, struct span *why)
{
	struct value v;

	if (e->value.n == 0 && null_allowed)
		return true;
	if (!address_path(m->arena, e->value, &v))
		return false;
	if (e->value.n > 0 && address_usable(e->value) && !v.bad)
		return true;
	*why = arena_printf(m->arena, "%s: <%.*s> is no mail address", what,
	                    SPAN_ARG(e->value));
	return false;
}

static bool
apply_add_rcpt(struct message *m, const struct effect *e, struct span *why)
{
	struct rcpt *r;

	if (!usable(m, e, "add rcpt", false, why))
		return false;
	r = entry_of(m, e->value);
	if (r == NULL)
		return false;
	m->found = r->owners == 0;
	r->owners++;
	return true;
}

static bool
apply_redirect(struct message *m, const struct effect *e, struct span *why)
{
	struct rcpt *r;
	size_t i, entry;

	if (!usable(m, e, "redirect", false, why))
		return false;
	r = entry_of(m, e->value);
	if (r == NULL)
		return false;
	entry = (size_t)(r - m->rcpts);
	for (i = 0; i < e->n_rcpts; i++) {
		size_t rcpt = e->rcpts[i];

		if (rcpt >= m->n_now || m->now[rcpt] == NOBODY)
			continue;
		m->rcpts[entry].owners++;
		m->rcpts[m->now[rcpt]].owners--;
		m->now[rcpt] = entry;
	}
	return true;
}

static bool
apply_sender(struct message *m, const struct effect *e, struct span *why)
{
	struct value v;

	if (!usable(m, e, "replace sender", true, why)
	    || !address_path(m->arena, e->value, &v))
		return false;
	m->new_sender = e->value.n == 0 ? SPAN("") : v.text;
	return true;
}

bool
message_apply_envelope(struct message *m, const struct effect *e,
                       struct span *why)
{
	switch (e->kind) {
	case EFFECT_ADD_RCPT:
		return apply_add_rcpt(m, e, why);
	case EFFECT_REDIRECT:
		return apply_redirect(m, e, why);
	default:
		return apply_sender(m, e, why);
	}
}
