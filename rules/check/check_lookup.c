/* check_lookup.c - tables: those that are named, and those made for { ... }. */
#include "checker.h"

struct policy_table *
check_find_table(struct checker *c, struct span name)
{
	size_t i;

	for (i = 0; i < c->program->n_tables; i++)
		if (c->program->tables[i].ast != NULL
		    && span_is(c->program->tables[i].name, name))
			return &c->program->tables[i];
	return NULL;
}

static void
tell_unknown_table(struct checker *c, const struct ast_lookup *l)
{
	struct program *p = c->program;
	const char **names = arena_alloc(c->arena,
	                                 (p->n_tables + 1) * sizeof(*names));
	const char *near;
	size_t i, n = 0;

	if (ast_lost(p->ast, AST_TABLE_STATEMENT, l->name))
		return;
	for (i = 0; i < p->n_tables; i++)
		if (p->tables[i].ast != NULL)
			names[n++] = arena_copy(c->arena, p->tables[i].name).p;
	near = diag_nearest(l->name, names, n);
	if (near == NULL)
		diag_error(c->diags, l->place, "there is no table <%.*s>",
		           SPAN_ARG(l->name));
	else
		diag_error(c->diags, l->place,
		           "there is no table <%.*s>: did you mean <%s>?",
		           SPAN_ARG(l->name), near);
}

/* Numbers are looked up as texts. */
static enum value_type
lookup_type(enum value_type t)
{
	return t == VALUE_NUMBER ? VALUE_TEXT : t;
}

static void
tell_key(struct checker *c, const struct ast_lookup *l)
{
	const char *key = l->key->row->name;

	diag_error(c->diags, l->key->place,
	           "\"%s\" may have several values, and the sender chooses how "
	           "many: write <%.*s>[any %s] (the key of one is enough) or "
	           "<%.*s>[every %s] (it must hold for each)", key,
	           SPAN_ARG(l->name), key, SPAN_ARG(l->name), key);
}

static void
ask_key(struct checker *c, struct policy_table *t, enum value_type type,
        struct place where)
{
	if (t->table != NULL && !(t->key_types & (1u << type)))
		table_ask_key(t->table, type, where, c->diags);
	t->key_types |= 1u << type;
}

static void
ask_values(struct checker *c, struct policy_table *t, enum value_type type,
           struct place where)
{
	if (t->table != NULL && !(t->value_types & (1u << type)))
		table_ask_values(t->table, type, where, c->diags);
	t->value_types |= 1u << type;
}

bool
check_lookup(struct checker *c, struct ast_lookup *l, enum value_type type,
             struct lookup *out)
{
	struct policy_table *t = check_find_table(c, l->name);

	out->ask = NO_ASK;
	if (t == NULL) {
		tell_unknown_table(c, l);
		return false;
	}
	t->used = true;
	if (type == VALUE_FOLDED && !check_folded_table(c, l, t->ast))
		return false;
	out->table = (size_t)(t - c->program->tables);
	l->table = out->table;
	if (l->key == NULL) {
		ask_key(c, t, lookup_type(type), l->place);
		return true;
	}
	out->ask = check_subject(c, l->key);
	if (out->ask == NO_ASK)
		return false;
	if (check_open(l->key, true)) {
		tell_key(c, l);
		return false;
	}
	if (t->ast != NULL && t->ast->backend.p == NULL &&
	    t->ast->entries != NULL && t->ast->entries->values == NULL) {
		diag_error(c->diags, l->place,
		           "the entries of <%.*s> have no values, which "
		           "<%.*s>[...] gives: key = { value ... }",
		           SPAN_ARG(l->name), SPAN_ARG(l->name));
		return false;
	}
	out->every = l->key->quant == QUANT_EVERY;
	ask_key(c, t, lookup_type(l->key->row->type), l->place);
	ask_values(c, t, lookup_type(type), l->place);
	return true;
}

/* The span and place of each value of a list. */
static void
list_values(struct checker *c, const struct ast_value *list,
            struct table_entry *e)
{
	const struct ast_value *v;
	struct span *values;
	struct place *places;
	size_t n = 0;

	for (v = list == NULL ? NULL : list->items; v != NULL; v = v->next)
		n++;
	e->values = values = arena_alloc(c->arena, n * sizeof(*values));
	e->value_places = places = arena_alloc(c->arena, n * sizeof(*places));
	for (v = list == NULL ? NULL : list->items; v != NULL; v = v->next) {
		values[e->n_values] = v->kind == AST_NULL ? SPAN("<>") : v->text;
		places[e->n_values++] = v->place;
	}
}

static struct table_entry
entry_of(struct checker *c, const struct ast_value *key,
         const struct ast_value *list)
{
	struct table_entry e = {
		.place = key->place, .key = key->text, .flags = key->flags,
		.null = key->kind == AST_NULL,
		.is_pattern = key->kind == AST_PATTERN,
	};

	list_values(c, list, &e);
	return e;
}

struct table *
check_inline_table(struct checker *c, const char *name,
                   const struct ast_entry *entries)
{
	const struct ast_entry *e;
	struct table_entry *list;
	size_t n = 0;

	for (e = entries; e != NULL; e = e->next)
		n++;
	list = arena_alloc(c->arena, n * sizeof(*list));
	n = 0;
	for (e = entries; e != NULL; e = e->next)
		list[n++] = entry_of(c, e->key, e->values);
	return table_inline(name, list, n, c->diags);
}

/* in { ... }: a table without a name */
size_t
check_anonymous_table(struct checker *c, const struct ast_value *list,
                      enum value_type type)
{
	struct ast_entry *entries = NULL, **end = &entries;
	struct policy_table *t;
	struct ast_value *v;
	size_t number = c->program->n_tables;

	for (v = list->items; v != NULL; v = v->next) {
		*end = arena_alloc(c->arena, sizeof(**end));
		(*end)->key = v;
		end = &(*end)->next;
	}
	t = arena_grow(c->arena, &c->program->tables, &c->program->n_tables,
	               sizeof(*t));
	t->name = SPAN("");
	t->place = list->place;
	t->used = true;
	t->table = check_inline_table(c, "{ ... }", entries);
	ask_key(c, t, lookup_type(type), list->place);
	return number;
}
