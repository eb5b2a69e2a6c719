/*
 * facts_header.c - what the fields of the header say.
 */
#include <stdlib.h>
#include <string.h>

#include "facts_answer.h"
#include "pattern.h"
#include "setting.h"
#include "utf8.h"

static struct value
field_value(struct told *t, const struct ask *ask, size_t number)
{
	struct value v = {.type = VALUE_TEXT, .item = (unsigned)number};

	if (ask->subject->flags & SUBJECT_IS_RAW)
		v.text = message_field(t->message, number)->raw;
	else
		v.text = message_decoded(t->message, number);
	return v;
}

/* The values of the fields whose numbers are these. */
static const struct fact *
field_values(struct told *t, const struct ask *ask, const size_t *numbers,
             size_t n)
{
	struct value *v;
	size_t i;

	if (n == 0)
		return &facts_absent;
	v = arena_alloc(t->arena, n * sizeof(*v));
	if (v == NULL)
		return facts_no_memory(t);
	for (i = 0; i < n; i++) {
		v[i] = field_value(t, ask, numbers[i]);
		if (v[i].text.p == NULL)
			return facts_no_memory(t);
	}
	return facts_of(t, v, n);
}

static int
compare_numbers(const void *left, const void *right)
{
	const size_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static enum truth
name_matches(struct told *t, const struct ask *ask, struct span name)
{
	const struct settings *s = policy_settings(t->policy);
	struct pattern_limits limits = {
		.match = (unsigned)s->match_limit.number,
		.work = &t->work,
	};
	struct span text = utf8_make_valid(t->arena, name);

	if (text.p == NULL)
		return TRUTH_FAILED;
	return pattern_match(ask->pattern, text, &limits, NULL);
}

/*
 * The numbers of the fields whose name matches, in the order in which they
 * came; each name is matched once. yes, or failed.
 */
static enum truth
matching_fields(struct told *t, const struct ask *ask, size_t **numbers,
                size_t *n)
{
	struct told_fields *f;
	enum truth truth;
	size_t i;

	*n = 0;
	facts_fields(t, SPAN("")); /* makes the index */
	*numbers = arena_alloc(t->arena,
		(t->message == NULL ? 0 : message_fields(t->message)) *
		sizeof(**numbers));
	if (t->fields == NULL || *numbers == NULL)
		return TRUTH_FAILED;
	for (i = 0; i < t->n_fields; i++) {
		f = &t->fields[i];
		truth = name_matches(t, ask,
			message_field(t->message, f->numbers[0])->name);
		if (truth == TRUTH_FAILED)
			return TRUTH_FAILED;
		if (truth == TRUTH_NO)
			continue;
		memcpy(*numbers + *n, f->numbers, f->n * sizeof(**numbers));
		*n += f->n;
	}
	qsort(*numbers, *n, sizeof(**numbers), compare_numbers);
	return TRUTH_YES;
}

struct span
facts_field_name(const struct ask *ask)
{
	if (ask->argument.p != NULL)
		return ask->argument;
	return span_of(ask->subject->fixed);
}

/* The numbers of the fields that are asked about. NULL: *f says why not. */
static const size_t *
asked_fields(struct told *t, const struct ask *ask, size_t *n,
             const struct fact **f)
{
	static const size_t none[1];
	struct told_fields *fields;
	size_t *numbers;

	*n = 0;
	if (ask->pattern == NULL) {
		fields = facts_fields(t, facts_field_name(ask));
		if (fields != NULL)
			*n = fields->n;
		if (t->fields == NULL) {
			*f = facts_no_memory(t);
			return NULL;
		}
		return fields == NULL ? none : fields->numbers;
	}
	if (matching_fields(t, ask, &numbers, n) == TRUTH_YES)
		return numbers;
	*f = t->no_memory || arena_full(t->arena) ? facts_no_memory(t) :
		facts_failed(t, SPAN("a pattern for a field's name hit its "
		                     "limit"));
	return NULL;
}

const struct fact *
get_header(struct told *t, const struct ask *ask, size_t rcpt)
{
	const struct fact *f;
	size_t n;
	const size_t *numbers = asked_fields(t, ask, &n, &f);

	(void)rcpt;
	return numbers == NULL ? f : field_values(t, ask, numbers, n);
}

const struct fact *
get_header_count(struct told *t, const struct ask *ask, size_t rcpt)
{
	const struct fact *f;
	size_t n;

	(void)rcpt;
	if (ask->argument.p == NULL && ask->pattern == NULL)
		return facts_number(t, t->message == NULL ? 0 :
			message_fields(t->message));
	if (asked_fields(t, ask, &n, &f) == NULL)
		return f;
	return facts_number(t, n);
}
