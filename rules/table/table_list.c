/* table_list.c - a table whose entries stand in the policy. */
#include "table_impl.h"

static bool
next(const struct table *t, uint32_t id, struct entry *e)
{
	const struct table_entry *from = t->list + id;

	if (id >= t->n_list)
		return false;
	*e = (struct entry){
		.id = id, .key = from->key, .place = from->place,
		.null = from->null, .is_pattern = from->is_pattern,
		.flags = from->flags, .values = from->values,
		.value_places = from->value_places, .n_values = from->n_values,
	};
	return true;
}

static uint32_t
after(const struct table *t, const struct entry *e)
{
	(void)t;
	return e->id + 1;
}

static bool
value(const struct table *t, const struct entry *e, size_t *at,
      struct span *v, struct place *place)
{
	(void)t;
	if (*at >= e->n_values)
		return false;
	*v = e->values[*at];
	*place = e->value_places == NULL ? e->place : e->value_places[*at];
	(*at)++;
	return true;
}

const struct store table_list_store = {next, after, value};

/* Its texts too; false without memory. */
static bool
copy_entry(struct arena *a, struct table_entry *to,
           const struct table_entry *from)
{
	struct span *values = arena_alloc(a, from->n_values * sizeof(*values));
	struct place *places = arena_alloc(a, from->n_values * sizeof(*places));
	size_t i;

	*to = *from;
	to->key = arena_copy(a, from->key);
	to->flags = arena_copy(a, from->flags);
	to->values = values;
	to->value_places = places;
	if (arena_full(a) || values == NULL || places == NULL)
		return false;
	for (i = 0; i < from->n_values; i++) {
		values[i] = arena_copy(a, from->values[i]);
		places[i] = from->value_places == NULL ? from->place :
		            from->value_places[i];
	}
	return !arena_full(a);
}

struct table *
table_inline(const char *name, const struct table_entry *e, size_t n,
             struct diags *d)
{
	struct table *t = n > ENTRY_ID_MAX ? NULL :
	                  table_new(name, &table_list_store);
	struct entry entry;

	if (t != NULL)
		t->list = arena_alloc(t->arena, n * sizeof(*t->list));
	if (t == NULL || t->list == NULL)
		goto no_memory;
	for (; t->n_list < n; t->n_list++)
		if (!copy_entry(t->arena, &t->list[t->n_list],
		                &e[t->n_list]))
			goto no_memory;
	t->n = n;
	for (entry.id = 0; next(t, entry.id, &entry); entry.id++)
		if (entry.is_pattern && !table_add_pattern(t, &entry, d))
			goto no_memory;
	table_seal_patterns(t);
	return t;
no_memory:
	diag_error(d, n > 0 ? e[0].place : (struct place){NULL, 0, 0},
	           "no memory for table <%s>", name);
	table_free(t);
	return NULL;
}
