/*
 * table_reload.c - a table's file that is read again when it changes, whole
 * or not at all: with a mistake in it what was read before stays in force,
 * and the mistake is told once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "table_impl.h"
#include "watch.h"

#define TYPES (VALUE_NUMBER + 1)

struct reload {
	struct watch_kind kind;
	struct watch *watch;
	struct span name;
	/* how the policy asks, so that what is read later fits, too */
	bool keys[TYPES], values[TYPES];
	/* while the policy is loaded */
	struct diags *diags;
	struct place where;
	/* afterwards */
	void (*tell)(void *of, bool bad, const char *text);
	void *of;
};

static void
ask_as_before(const struct reload *r, struct table *t, struct diags *d)
{
	static const struct place nowhere = {NULL, 0, 0};
	unsigned type;

	for (type = 0; type < TYPES; type++) {
		if (r->keys[type])
			table_ask_key(t, (enum value_type)type, nowhere, d);
		if (r->values[type])
			table_ask_values(t, (enum value_type)type, nowhere, d);
	}
}

/* The first line of what is told; "" without memory. */
static void
first_mistake(struct diags *d, char *line, size_t room)
{
	char *text = diags_text(d);

	*line = '\0';
	if (text != NULL)
		snprintf(line, room, "%.*s", (int)strcspn(text, "\n"), text);
	free(text);
}

static void
tell(const struct reload *r, const struct table *t, struct diags *d)
{
	char line[1024], text[1200];

	if (r->tell == NULL)
		return;
	if (t != NULL) {
		snprintf(text, sizeof(text), "table <%.*s> was read again: "
		         "%zu entr%s", SPAN_ARG(r->name), t->n,
		         t->n == 1 ? "y" : "ies");
	} else {
		first_mistake(d, line, sizeof(line));
		snprintf(text, sizeof(text), "%s: the old entries of <%.*s> "
		         "stay in force", line, SPAN_ARG(r->name));
	}
	r->tell(r->of, t == NULL, text);
}

static void *
load(void *of, const char *path, char why[WATCH_WHY])
{
	static const struct place nowhere = {NULL, 0, 0};
	struct reload *r = of;
	struct table *t;
	struct diags *d;

	snprintf(why, WATCH_WHY, "it was told");
	if (r->diags != NULL)
		return table_file(r->name.p, path, r->where, r->diags);
	d = diags_new();
	if (d == NULL)
		return NULL;
	t = table_file(r->name.p, path, nowhere, d);
	if (t != NULL)
		ask_as_before(r, t, d);
	if (diags_errors(d) > 0) {
		table_free(t);
		t = NULL;
	}
	tell(r, t, d);
	diags_free(d);
	return t;
}

static void
drop(void *thing)
{
	table_free(thing);
}

/* ---- what the policy asks ---- */

/* What was found goes with the table that it was found in. */
static bool
keep(struct table_answer *answer, struct arena *a)
{
	struct span *values = arena_alloc(a, answer->n * sizeof(*values));
	size_t i;

	for (i = 0; values != NULL && i < answer->n; i++)
		values[i] = arena_copy(a, answer->values[i]);
	answer->values = values;
	return !arena_full(a);
}

static enum table_result
find(const struct table *t, const struct value *v,
     const struct table_context *c, struct arena *a,
     struct table_answer *answer, bool values)
{
	struct reload *r = t->backend;
	enum table_result found = TABLE_FAILED;
	struct watched *held;
	struct span why;
	void *inner;

	held = watch_get(r->watch, &inner, &why);
	if (inner != NULL)
		found = table_find(inner, v, c, a, values ? answer : NULL);
	if (found == TABLE_YES && values && !keep(answer, a)) {
		answer->why = SPAN("no memory");
		found = TABLE_FAILED;
	}
	watch_put(r->watch, held);
	return found;
}

/* Before the table is shared: the one that was read first is asked, too. */
static void
ask(struct table *t, bool values, enum value_type type, struct place where,
    struct diags *d)
{
	struct reload *r = t->backend;
	struct watched *held;
	struct span why;
	void *inner;

	held = watch_get(r->watch, &inner, &why);
	if (inner != NULL && values)
		table_ask_values(inner, type, where, d);
	else if (inner != NULL)
		table_ask_key(inner, type, where, d);
	watch_put(r->watch, held);
	(values ? r->values : r->keys)[type] = true;
}

static void
set_tell(struct table *t,
         void (*teller)(void *of, bool bad, const char *text), void *of)
{
	struct reload *r = t->backend;

	r->tell = teller;
	r->of = of;
}

static void
shut(struct table *t)
{
	struct reload *r = t->backend;

	watch_free(r->watch);
}

static const struct elsewhere elsewhere = {
	.find = find, .shut = shut, .ask = ask, .tell = set_tell,
};

struct table *
table_file_watched(const char *name, const char *path, struct place where,
                   struct diags *d)
{
	struct table *t = table_new(name, NULL);
	struct reload *r = NULL;
	char why[WATCH_WHY];

	if (t != NULL)
		r = arena_alloc(t->arena, sizeof(*r));
	if (r == NULL) {
		diag_error(d, where, "no memory for table <%s>", name);
		table_free(t);
		return NULL;
	}
	r->kind = (struct watch_kind){.load = load, .drop = drop,
	                              .keeps = true};
	r->name = t->name;
	r->diags = d;
	r->where = where;
	r->watch = watch_new(&r->kind, r, path, why);
	r->diags = NULL;
	if (r->watch == NULL) {
		table_free(t);
		return NULL;
	}
	t->backend = r;
	t->elsewhere = &elsewhere;
	return t;
}
