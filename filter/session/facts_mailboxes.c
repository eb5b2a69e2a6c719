/*
 * facts_mailboxes.c - the addresses in the header.
 */
#include "caps.h"
#include "facts_answer.h"

/* Appends what one field holds to the mailboxes of its name. */
static bool
add_boxes(struct told *t, struct told_fields *f, size_t number)
{
	struct mailbox *boxes, *slot;
	size_t i, n;

	if (!address_field(t->arena, message_field(t->message, number)->raw,
	                   &boxes, &n, &f->full)) {
		f->no_memory = !f->full;
		return false;
	}
	if (f->n_boxes + n > CAPS_FIELD_WORDS) {
		f->full = true;
		return false;
	}
	for (i = 0; i < n; i++) {
		slot = arena_grow(t->arena, &f->boxes, &f->n_boxes,
			sizeof(*slot));
		f->no_memory = slot == NULL;
		if (slot == NULL)
			return false;
		*slot = boxes[i];
	}
	return true;
}

bool
facts_boxes(struct told *t, struct told_fields *f)
{
	size_t i;

	if (!f->parsed)
		for (i = 0; i < f->n; i++)
			if (!add_boxes(t, f, f->numbers[i]))
				break;
	f->parsed = true;
	return !f->full && !f->no_memory;
}

/* false: *why_not is the answer. No field of the name: *f is NULL. */
static bool
asked_boxes(struct told *t, const struct ask *ask, struct told_fields **f,
            const struct fact **why_not)
{
	*f = facts_fields(t, facts_field_name(ask));
	if (t->fields == NULL) {
		*why_not = facts_no_memory(t);
		return false;
	}
	if (*f == NULL || facts_boxes(t, *f))
		return true;
	*why_not = (*f)->no_memory ? facts_no_memory(t) :
		facts_failed(t, arena_printf(t->arena,
			"more than %d addresses in the %.*s fields",
			CAPS_FIELD_WORDS, SPAN_ARG(facts_field_name(ask))));
	return false;
}

/*
 * A part of a mailbox. One that could not be parsed, or has no domain, is a
 * bad domain, too: what can't be read must not pass an "every".
 */
static bool
box_part(enum subject_part part, const struct mailbox *box, struct value *v)
{
	*v = box->address;
	switch (part) {
	case PART_NAME:
		*v = (struct value){.type = VALUE_TEXT, .text = box->name};
		return box->name.p != NULL;
	case PART_DOMAIN:
		*v = (struct value){.type = VALUE_NAME};
		v->bad = box->address.bad || box->address.domain.p == NULL;
		v->text = v->bad ? box->address.text : box->address.domain;
		return true;
	default:
		return true;
	}
}

const struct fact *
get_address(struct told *t, const struct ask *ask, size_t rcpt)
{
	struct told_fields *f;
	const struct fact *why_not;
	struct value *v;
	size_t i, n, without = 0;

	(void)rcpt;
	if (!asked_boxes(t, ask, &f, &why_not))
		return why_not;
	if (f == NULL)
		return &facts_absent;
	v = arena_alloc(t->arena, f->n_boxes * sizeof(*v));
	if (v == NULL)
		return facts_no_memory(t);
	for (n = i = 0; i < f->n_boxes; i++)
		if (box_part(ask->subject->part, &f->boxes[i], &v[n]))
			v[n++].item = (unsigned)i;
		else
			without = i;
	/* one without a name beside those with: passes no "every" */
	if (n > 0 && n < f->n_boxes)
		v[n++] = (struct value){
			.type = VALUE_TEXT, .text = SPAN(""), .bad = true,
			.item = (unsigned)without,
		};
	return facts_of(t, v, n);
}

const struct fact *
get_address_count(struct told *t, const struct ask *ask, size_t rcpt)
{
	struct told_fields *f;
	const struct fact *why_not;

	(void)rcpt;
	if (!asked_boxes(t, ask, &f, &why_not))
		return why_not;
	return facts_number(t, f == NULL ? 0 : f->n_boxes);
}
