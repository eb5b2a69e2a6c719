/*
 * effect.c - a pattern of a noted action, matched and replaced in what the
 * action is done to; an attachment's notice.
 */
#include "fill.h"

static struct pattern_limits
effect_limits(const struct effect *e)
{
	struct pattern_limits limits =
		e->action->program->table_context.limits;

	limits.work = e->work;
	return limits;
}

bool
effect_chooses(const struct effect *e)
{
	return e->action->pattern != NULL;
}

enum truth
effect_matches(const struct effect *e, struct span value)
{
	struct pattern_limits limits;

	if (e->action->pattern == NULL)
		return TRUTH_YES;
	limits = effect_limits(e);
	return pattern_match(e->action->pattern, value, &limits, NULL);
}

struct replacement {
	struct arena *arena;
	const struct text *text;
	const char *value;
	struct subst *edits;
	size_t n;
};

static struct span
fill_match(void *of, const struct span *groups)
{
	struct replacement *r = of;
	struct span text = fill_groups(r->arena, r->text, groups);
	struct subst *e = arena_grow(r->arena, &r->edits, &r->n, sizeof(*e));

	if (e != NULL)
		*e = (struct subst){(size_t)(groups[0].p - r->value),
			groups[0].n, text};
	return text;
}

enum truth
effect_rewrite(const struct effect *e, struct span value, struct arena *a,
               struct subst **edits, size_t *n)
{
	struct replacement r = {
		.arena = a, .text = &e->action->text,
		.value = value.p == NULL ? "" : value.p,
	};
	struct pattern_limits limits = effect_limits(e);
	struct span out;
	enum truth t;

	value.p = r.value;
	t = pattern_replace(e->action->pattern, value, &limits, fill_match, &r,
	                    a, &out);
	*edits = r.edits;
	*n = r.n;
	return t == TRUTH_YES && arena_full(a) ? TRUTH_FAILED : t;
}

struct span
effect_text(const struct effect *e, struct span name, struct arena *a,
            struct span (*give)(void *of, enum subject_id id), void *of)
{
	struct span groups[PATTERN_GROUPS] = {{NULL, 0}};
	struct pattern_limits limits = effect_limits(e);

	if (e->action->pattern != NULL)
		pattern_match(e->action->pattern, name, &limits, groups);
	return fill_attachment(a, e->action, groups, give, of);
}
