/*
 * message_changes.c - what the MTA is told of the working copy: the difference.
 *
 * It is told in a form that Postfix and Sendmail take alike: changes and
 * removals of one name together, from the highest index down (Postfix renumbers
 * after a removal, Sendmail does not); then inserts at the top, then additions
 * at the end. Recipients are added before others are removed, since a message
 * without one is dropped.
 */
#include <stdlib.h>
#include <strings.h>

#include "message_impl.h"

struct change_list {
	struct message *m;
	struct change *list;
	size_t n;
	bool full;
};

static struct change *
add_change(struct change_list *c, enum change_kind kind, struct span value)
{
	struct change *one = arena_grow(c->m->arena, &c->list, &c->n,
	                                sizeof(*one));

	if (one == NULL) {
		c->full = true;
		return NULL;
	}
	one->kind = kind;
	if (value.p != NULL)
		one->value = arena_copy(c->m->arena, value);
	return one;
}

static void
add_field_change(struct change_list *c, enum change_kind kind,
                 const struct line *l, size_t index)
{
	struct span none = {NULL, 0};
	struct change *one = add_change(c, kind,
	                                l->removed ? none : l->field.raw);

	if (one == NULL)
		return;
	one->name = l->field.name;
	one->index = (unsigned)index;
}

/* ---- of the header ---- */

static bool
differs(const struct message *m, const struct line *l)
{
	if (l->index == 0)
		return false;
	return l->removed
	       || (l->changed
	           && !span_is(l->field.raw, m->fields[l->index - 1].raw));
}

/* Fields received, those of one name side by side in their order. */
static int
by_name(const void *a, const void *b)
{
	const struct line *l = *(const struct line *const *)a;
	const struct line *k = *(const struct line *const *)b;
	struct span s = l->field.name, t = k->field.name;
	int order;

	if (s.n != t.n)
		return s.n < t.n ? -1 : 1;
	order = s.n == 0 ? 0 : strncasecmp(s.p, t.p, s.n);
	return order != 0 ? order : l->index < k->index ? -1 : 1;
}

/* All differences of one name, of which there are n, the highest index first. */
static void
differences_of(struct change_list *c, struct line **lines, size_t n)
{
	for (; n > 0; n--)
		if (differs(c->m, lines[n - 1]))
			add_field_change(c, CHANGE_HEADER, lines[n - 1], n);
}

static bool
differences(struct change_list *c)
{
	struct message *m = c->m;
	struct line **lines;
	size_t i, end;

	for (i = 0; i < m->n_fields && !differs(m, &m->lines[i]); i++)
		;
	if (i == m->n_fields)
		return true;
	lines = arena_alloc(m->arena, m->n_fields * sizeof(*lines));
	if (lines == NULL)
		return false;
	for (i = 0; i < m->n_fields; i++)
		lines[i] = &m->lines[i];
	qsort(lines, m->n_fields, sizeof(*lines), by_name);
	for (i = 0; i < m->n_fields; i = end) {
		for (end = i + 1; end < m->n_fields && span_is_nocase(
		     lines[end]->field.name, lines[i]->field.name); end++)
			;
		differences_of(c, lines + i, end - i);
	}
	return true;
}

/*
 * Fields that Sendmail makes itself where they are missing: one that is added
 * takes the place of its own, one that is inserted stands beside it.
 */
static bool
is_made_by_mta(struct span name)
{
	static const char *const names[] = {
		"Date", "From", "Message-Id", "Full-Name", "Return-Path",
		"Resent-Date", "Resent-From", "Resent-Message-Id",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is_nocase(name, span_of(names[i])))
			return true;
	return false;
}

/*
 * Where an added field goes: Sendmail adds one above the first field of its
 * name, so it is inserted behind the last field there is.
 */
static unsigned
place_of(const struct message *m, size_t added)
{
	struct span name = m->lines[added].field.name;
	size_t i;

	if (!is_made_by_mta(name))
		return CHANGE_AT_END;
	for (i = 0; i < added; i++)
		if (span_is_nocase(m->lines[i].field.name, name))
			return CHANGE_AT_END;
	return 0;
}

static bool
header_changes(struct change_list *c)
{
	struct message *m = c->m;
	size_t i;

	if (!m->copied)
		return true;
	if (!differences(c))
		return false;
	for (i = 0; i < m->n_tops; i++)
		if (!m->tops[i].removed)
			add_field_change(c, INSERT_HEADER, &m->tops[i], 0);
	for (i = m->n_fields; i < m->n_lines; i++)
		if (!m->lines[i].removed)
			add_field_change(c, ADD_HEADER, &m->lines[i],
			                 place_of(m, i));
	return true;
}

/* ---- of the envelope ---- */

/* An address as the MTA takes it. */
static struct span
bracketed(struct message *m, struct span address)
{
	return arena_printf(m->arena, "<%.*s>", SPAN_ARG(address));
}

static int
by_address(const void *a, const void *b)
{
	struct span s = ((const struct rcpt *)a)->address;
	struct span t = ((const struct rcpt *)b)->address;

	if (s.n != t.n)
		return s.n < t.n ? -1 : 1;
	return s.n == 0 ? 0 : strncasecmp(s.p, t.p, s.n);
}

/*
 * Those whom the MTA has and who get it no more. An address that the client
 * gave twice goes when neither gets it: the MTA would take both away.
 */
static bool
removals(struct change_list *c)
{
	struct message *m = c->m;
	struct rcpt *kept = arena_alloc(m->arena, m->n_rcpts * sizeof(*kept));
	size_t i, n = 0;

	if (kept == NULL)
		return false;
	for (i = 0; i < m->n_rcpts; i++)
		if (m->rcpts[i].owners > 0)
			kept[n++] = m->rcpts[i];
	qsort(kept, n, sizeof(*kept), by_address);
	for (i = 0; i < m->n_rcpts; i++)
		if (!m->rcpts[i].added && !m->rcpts[i].refused
		    && m->rcpts[i].owners == 0
		    && bsearch(&m->rcpts[i], kept, n, sizeof(*kept),
		               by_address) == NULL)
			add_change(c, REMOVE_RCPT, m->rcpts[i].given);
	return true;
}

static void
envelope_changes(struct change_list *c)
{
	struct message *m = c->m;
	size_t i;

	if (m->new_sender.p != NULL && !span_is(m->new_sender, m->sender))
		add_change(c, CHANGE_SENDER, bracketed(m, m->new_sender));
	for (i = 0; i < m->n_rcpts; i++)
		if (m->rcpts[i].added && m->rcpts[i].owners > 0)
			add_change(c, ADD_RCPT,
			           bracketed(m, m->rcpts[i].address));
	if (!removals(c))
		c->full = true;
	if (m->held)
		add_change(c, HOLD, m->reason);
}

/* ---- of both ---- */

bool
message_changes(struct message *m, const struct change **changes, size_t *n)
{
	struct change_list c = {.m = m};

	if (!header_changes(&c))
		return false;
	envelope_changes(&c);
	*changes = c.list;
	*n = c.n;
	return !c.full && !arena_full(m->arena);
}
