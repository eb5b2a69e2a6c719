#include "attached.h"
#include "mime_facts.h"

/* What the whole message answers, a subject each. */
struct attached {
	struct mime *m;
	struct mime_answer answers[SUBJECT_ATTACHMENT_ARCHIVED + 1 -
	                           SUBJECT_ATTACHMENT];
	bool asked[SUBJECT_ATTACHMENT_ARCHIVED + 1 - SUBJECT_ATTACHMENT];
};

/* Values stand by item; the first that is not below it. */
static size_t
first_of(const struct mime_answer *a, size_t item)
{
	size_t low = 0, high = a->n, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (a->values[middle].item < item)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct fact *
answer(void *of, size_t item, enum subject_id id)
{
	struct attached *t = of;
	size_t number = (size_t)id - SUBJECT_ATTACHMENT;
	struct mime_answer *a = &t->answers[number];
	struct fact *f = arena_alloc(t->m->arena, sizeof(*f));
	size_t end;

	if (!t->asked[number] && !mime_answer(t->m, id, a))
		return NULL;
	t->asked[number] = true;
	if (f == NULL)
		return NULL;
	*f = (struct fact){.state = FACT_FAILED, .why = span_of(a->failed)};
	if (a->failed != NULL)
		return f;
	/* a file in an archive has no type of its own */
	if (id == SUBJECT_ATTACHMENT_TYPE && item >= t->m->n_parts)
		item = t->m->members[item - t->m->n_parts].part;
	f->values = a->values + first_of(a, item);
	end = first_of(a, item + 1);
	f->n = (size_t)(a->values + end - f->values);
	f->state = f->n > 0 ? FACT_HERE : FACT_ABSENT;
	return f;
}

const bool *
attached_meant(struct mime *m, const struct effect *effect, struct span *why)
{
	struct attached t = {.m = m};
	size_t n = m->n_parts + m->n_members;
	bool *meant = arena_alloc(m->arena, n * sizeof(*meant));

	*why = SPAN("no memory for the message's parts");
	if (meant == NULL || !effect_where(effect, n, answer, &t, m->arena,
	                                   meant, why))
		return NULL;
	return meant;
}
