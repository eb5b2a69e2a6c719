/*
 * facts_envelope.c - the sender and the recipients, and their ESMTP parameters.
 */
#include <string.h>

#include "facts_answer.h"

/* A part of an envelope address in *v. false: it has none. */
static bool
address_part(enum subject_part part, const struct value *address,
             struct value *v)
{
	*v = *address;
	if (part == PART_WHOLE)
		return true;
	if (address->bad || address->text.n == 0)
		return false;
	*v = (struct value){.item = address->item};
	v->type = part == PART_DOMAIN ? VALUE_NAME : VALUE_TEXT;
	v->text = part == PART_DOMAIN ? address->domain : address->local;
	return v->text.p != NULL;
}

const struct fact *
get_sender(struct told *t, const struct ask *ask, size_t rcpt)
{
	struct value v;

	(void)rcpt;
	if (!t->sender_told ||
	    !address_part(ask->subject->part, &t->sender, &v))
		return &facts_absent;
	return facts_one(t, v);
}

/*
 * The value of an ESMTP parameter, as it came (xtext, RFC 3461 4, is not
 * decoded). Of several of one name the last: it is the one that Postfix
 * goes by.
 */
bool
facts_param(const struct span *params, size_t n, struct span name,
           struct span *value)
{
	struct span key;
	size_t i;
	const char *eq;

	for (i = n; i > 0; i--) {
		key = params[i - 1];
		eq = key.n == 0 ? NULL : memchr(key.p, '=', key.n);
		*value = SPAN("");
		if (eq != NULL) {
			*value = (struct span){eq + 1,
				key.n - (size_t)(eq + 1 - key.p)};
			key.n = (size_t)(eq - key.p);
		}
		if (span_is_nocase(key, name))
			return true;
	}
	return false;
}

const struct fact *
get_sender_param(struct told *t, const struct ask *ask, size_t rcpt)
{
	struct span value;

	(void)rcpt;
	if (!facts_param(t->sender_params, t->n_sender_params, ask->argument,
	                &value))
		return &facts_absent;
	return facts_one(t, facts_text(t, value));
}

/* What a question about recipients finds in one of them. */
static bool
rcpt_value(struct told *t, const struct ask *ask, const struct told_rcpt *r,
           bool param, struct value *v)
{
	struct span value;

	if (!param)
		return address_part(ask->subject->part, &r->address, v);
	if (!facts_param(r->params, r->n_params, ask->argument, &value))
		return false;
	*v = facts_text(t, value);
	return true;
}

static const struct fact *
rcpt_values(struct told *t, const struct ask *ask, bool param)
{
	struct value *v = arena_alloc(t->arena, t->n_rcpts * sizeof(*v));
	size_t i, n = 0;

	if (v == NULL)
		return facts_no_memory(t);
	for (i = 0; i < t->n_rcpts; i++) {
		if (!t->rcpts[i].in)
			continue;
		/* who has none of it must not pass an "every" */
		if (!rcpt_value(t, ask, &t->rcpts[i], param, &v[n]))
			v[n] = (struct value){
				.type = VALUE_TEXT, .text = SPAN(""),
				.bad = true,
			};
		if (v[n].text.p == NULL)
			return facts_no_memory(t);
		v[n++].item = (unsigned)i;
	}
	return facts_of(t, v, n);
}

static const struct fact *
about_rcpt(struct told *t, const struct ask *ask, size_t rcpt, bool param)
{
	struct value v;

	if (ask->all_rcpts)
		return rcpt_values(t, ask, param);
	if (rcpt >= t->n_rcpts ||
	    !rcpt_value(t, ask, &t->rcpts[rcpt], param, &v))
		return &facts_absent;
	return facts_one(t, v);
}

const struct fact *
get_rcpt(struct told *t, const struct ask *ask, size_t rcpt)
{
	return about_rcpt(t, ask, rcpt, false);
}

const struct fact *
get_rcpt_param(struct told *t, const struct ask *ask, size_t rcpt)
{
	return about_rcpt(t, ask, rcpt, true);
}

const struct fact *
get_rcpt_count(struct told *t, const struct ask *ask, size_t rcpt)
{
	size_t i, count = 0;

	(void)ask;
	(void)rcpt;
	for (i = 0; i < t->n_rcpts; i++)
		count += t->rcpts[i].in;
	return facts_number(t, count);
}
