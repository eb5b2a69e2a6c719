/* limits_said.c - limits of which a scenario says how much is used. */
#include <stdio.h>

#include "limits_store.h"

/* Of every key alike. */
struct said_limit {
	const struct limit *limit;
	uint64_t used;
	bool fails;
};

struct said {
	struct limits base;
	struct said_limit *list;
	size_t n;
};

static struct said_limit *
find(struct said *s, struct span name)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (span_is(s->list[i].limit->name, name))
			return &s->list[i];
	return NULL;
}

static enum truth
ask(struct limits *l, const struct limit *limit, struct span key, uint64_t n,
    bool take, struct limits_found *found)
{
	struct said_limit *said = find((struct said *)l, limit->name);

	(void)key;
	if (said->fails) {
		snprintf(found->why, LIMITS_WHY, "the test says so");
		return TRUTH_FAILED;
	}
	found->used = said->used;
	if ((double)said->used + (double)n > limit->most)
		return TRUTH_YES;
	said->used += take ? n : 0;
	return TRUTH_NO;
}

/* A scenario has one message: nobody asks after it. */
static void
add(struct limits *l, const struct limit *limit, struct span key, int64_t n,
    int64_t when)
{
	(void)l;
	(void)limit;
	(void)key;
	(void)n;
	(void)when;
}

static const struct limits_kind said_kind = {.ask = ask, .add = add};

struct limits *
limits_said(struct arena *a, const struct policy *p, const struct scenario *s)
{
	struct said *said = arena_alloc(a, sizeof(*said));
	const struct limit *limits;
	struct said_limit *one;
	size_t i;

	if (said == NULL)
		return NULL;
	limits = policy_limits(p, &said->n);
	said->base.kind = &said_kind;
	said->list = arena_alloc(a, said->n * sizeof(*said->list));
	if (said->list == NULL)
		return NULL;
	for (i = 0; i < said->n; i++)
		said->list[i].limit = &limits[i];
	for (i = 0; i < s->n_limits; i++) {
		one = find(said, s->limits[i].name);
		if (one == NULL)
			continue; /* explain has told it */
		one->used = (uint64_t)s->limits[i].used;
		one->fails = s->limits[i].fails;
	}
	return &said->base;
}
