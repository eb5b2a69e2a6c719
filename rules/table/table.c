/* table.c - what a policy asks of a table. */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "table_impl.h"
#include "utf8.h"

/* Of one kind of mistake in a table so many are told, then their number. */
#define TOLD 20

struct table *
table_new(const char *name, const struct store *store)
{
	struct table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->store = store;
	t->arena = arena_new(0);
	if (t->arena != NULL)
		t->name = arena_copy(t->arena, span_of(name));
	if (t->name.p == NULL) {
		table_free(t);
		return NULL;
	}
	return t;
}

struct table *
table_failing(const char *name, struct span why)
{
	struct table *t = table_new(name, &table_list_store);

	if (t == NULL)
		return NULL;
	t->why = arena_copy(t->arena, why.n == 0 ? SPAN("failed") : why);
	if (t->why.p == NULL) {
		table_free(t);
		return NULL;
	}
	return t;
}

void
table_free(struct table *t)
{
	size_t i;

	if (t == NULL)
		return;
	if (t->elsewhere != NULL)
		t->elsewhere->shut(t);
	for (i = 0; i < sizeof(t->keys) / sizeof(t->keys[0]); i++)
		table_index_free(t->keys[i]);
	table_nets_free(t->nets);
	pattern_set_free(t->set);
	for (i = 0; i < t->n_patterns; i++)
		pattern_free(t->patterns[i]);
	free(t->patterns);
	free(t->pattern_ids);
	free(t->text);
	arena_free(t->arena);
	free(t);
}

void
table_tell(struct table *t,
           void (*tell)(void *of, bool bad, const char *text), void *of)
{
	if (t->elsewhere != NULL && t->elsewhere->tell != NULL)
		t->elsewhere->tell(t, tell, of);
}

size_t
table_entries(const struct table *t)
{
	return t->n;
}

/* ---- patterns ---- */

static bool
room_for_pattern(struct table *t)
{
	size_t room = t->room_patterns * 2 + 8;
	void *more;

	if (t->n_patterns < t->room_patterns)
		return true;
	more = reallocarray(t->patterns, room, sizeof(*t->patterns));
	if (more == NULL)
		return false;
	t->patterns = more;
	more = reallocarray(t->pattern_ids, room, sizeof(*t->pattern_ids));
	if (more == NULL)
		return false;
	t->pattern_ids = more;
	t->room_patterns = room;
	return true;
}

bool
table_add_pattern(struct table *t, const struct entry *e, struct diags *d)
{
	struct arena *a;
	struct span message;
	struct pattern *p;
	size_t at;

	if (!room_for_pattern(t) || (a = arena_new(0)) == NULL)
		return false;
	p = pattern_new(a, e->key, e->flags, false, &message, &at);
	if (p != NULL) {
		t->pattern_ids[t->n_patterns] = e->id;
		t->patterns[t->n_patterns++] = p;
	} else {
		diag_error(d, e->place, "in the pattern, after %zu bytes: "
		           "%.*s", at, SPAN_ARG(message));
	}
	arena_free(a);
	return true;
}

void
table_seal_patterns(struct table *t)
{
	if (t->n_patterns > 0)
		t->set = pattern_set_new(t->patterns, t->n_patterns);
}

/* ---- asking a table's keys and values ---- */

/* What is told while a table's entries are gone through. */
struct teller {
	struct table *t;
	struct diags *d;
	struct place where; /* in the policy */
	enum value_type type;
	const char *part;
	size_t wrong, twice;
	struct place last;
};

static void
tell_wrong(struct teller *teller, struct place place, struct span text,
           const char *problem, struct span hint)
{
	bool mean = hint.n > 0;

	teller->last = place;
	if (teller->wrong++ >= TOLD)
		return;
	diag_error(teller->d, place, "\"%.*s\" %s%s%.*s%s", SPAN_ARG(text),
	           problem, mean ? ": did you mean \"" : "",
	           SPAN_ARG(hint), mean ? "\"?" : "");
}

static void
tell_twice(struct teller *teller, const struct entry *e, uint32_t first)
{
	struct entry other;

	teller->last = e->place;
	if (teller->t->told_twice || teller->twice++ >= TOLD ||
	    !teller->t->store->next(teller->t, first, &other))
		return;
	diag_warning(teller->d, e->place, "\"%.*s\" is in line %u already: "
	             "that one stands, not this one",
	             SPAN_ARG(e->key), place_line(other.place));
}

static void
tell_rest(const struct teller *teller)
{
	if (teller->wrong > TOLD)
		diag_error(teller->d, teller->last,
		           "%zu %s of <%.*s> are wrong in all",
		           teller->wrong, teller->part,
		           SPAN_ARG(teller->t->name));
	if (teller->twice > TOLD && !teller->t->told_twice)
		diag_warning(teller->d, teller->last,
		             "%zu keys of <%.*s> are there twice in all",
		             teller->twice, SPAN_ARG(teller->t->name));
}

/* What backslashes stand before, without them. */
static struct span
unescape(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n);
	size_t i, n = 0;

	for (i = 0; p != NULL && i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		p[n++] = s.p[i];
	}
	return (struct span){p, n};
}

/* The keys of an entry; one but of VALUE_FOLDED. Returns what is wrong. */
static const char *
entry_keys(struct teller *teller, struct arena *a, const struct entry *e,
           struct span text, struct span keys[FOLD_LOOKS], size_t *n,
           struct net *net, struct span *hint)
{
	*n = 1;
	if (teller->type == VALUE_IP)
		return table_net_key(a, text, e->null, net, hint);
	if (teller->type == VALUE_FOLDED)
		return table_looks(a, text, e->null, keys, n);
	return table_key(a, text, e->null, teller->type, keys, hint);
}

/* false: no memory */
static bool
index_entry(struct teller *teller, struct table_index *x, struct arena *a,
            const struct entry *e)
{
	struct span keys[FOLD_LOOKS], hint = {NULL, 0};
	struct span text = e->escaped ? unescape(a, e->key) : e->key;
	enum index_add added = INDEX_ADDED;
	const char *problem;
	struct net net;
	uint32_t first = 0;
	size_t i, n;

	problem = entry_keys(teller, a, e, text, keys, &n, &net, &hint);
	if (problem != NULL) {
		tell_wrong(teller, e->place, e->null ? SPAN("<>") : text,
		           problem, hint);
		return true;
	}
	if (teller->type == VALUE_IP)
		added = table_nets_add(teller->t->nets, &net, e->id, &first);
	else if (n == 0 || keys[0].p == NULL)
		return false;
	for (i = 0; i < n && teller->type != VALUE_IP &&
	            added == INDEX_ADDED; i++)
		added = table_index_add(x, keys[i], e->id, &first);
	if (added == INDEX_TWICE)
		tell_twice(teller, e, first);
	return added != INDEX_NO_MEMORY;
}

static bool
index_entries(struct teller *teller, struct table_index *x)
{
	struct table *t = teller->t;
	struct arena *a = arena_new(0);
	struct entry e;
	bool good = a != NULL;
	uint32_t id = 0;

	for (; good && t->store->next(t, id, &e); id = t->store->after(t, &e)) {
		if (e.is_pattern)
			continue;
		good = index_entry(teller, x, a, &e);
		arena_reset(a);
	}
	arena_free(a);
	return good;
}

static void
ask_elsewhere(struct table *t, bool values, enum value_type type,
              struct place where, struct diags *d)
{
	if (t->elsewhere->ask != NULL)
		t->elsewhere->ask(t, values, type, where, d);
}

void
table_ask_key(struct table *t, enum value_type type, struct place where,
              struct diags *d)
{
	struct teller teller = {.t = t, .d = d, .where = where, .type = type,
	                        .part = "keys"};
	bool good;

	if (t->elsewhere != NULL) {
		ask_elsewhere(t, false, type, where, d);
		return;
	}
	if (t->why.p != NULL || t->keys[type] != NULL ||
	    (type == VALUE_IP && t->nets != NULL))
		return;
	if (type == VALUE_IP)
		good = (t->nets = table_nets_new(t->n)) != NULL;
	else
		good = (t->keys[type] = table_index_new(
			type == VALUE_FOLDED ? t->n * FOLD_LOOKS : t->n,
			t->source.text.p)) != NULL;
	if (!good || !index_entries(&teller, t->keys[type]))
		diag_error(d, where, "no memory for table <%.*s>",
		           SPAN_ARG(t->name));
	tell_rest(&teller);
	/* Said of one type, it need not be said again of the next. */
	t->told_twice = t->told_twice || teller.twice > 0;
}

static void
check_value(struct teller *teller, struct arena *a, struct span value,
            struct place place)
{
	bool null = span_is(value, SPAN("<>"));
	struct span out, hint = {NULL, 0};
	const char *problem;
	struct net net;

	problem = teller->type == VALUE_IP ?
	          table_net_key(a, value, null, &net, &hint) :
	          table_key(a, value, null, teller->type, &out, &hint);
	if (problem != NULL)
		tell_wrong(teller, place, value, problem, hint);
	arena_reset(a);
}

void
table_ask_values(struct table *t, enum value_type type, struct place where,
                 struct diags *d)
{
	struct teller teller = {.t = t, .d = d, .where = where, .type = type,
	                        .part = "values"};
	struct arena *a = arena_new(0);
	struct span value;
	struct place place;
	struct entry e;
	uint32_t id = 0;
	size_t at;

	if (t->elsewhere != NULL) {
		arena_free(a);
		ask_elsewhere(t, true, type, where, d);
		return;
	}
	if (a == NULL) {
		diag_error(d, where, "no memory for table <%.*s>",
		           SPAN_ARG(t->name));
		return;
	}
	for (; t->store->next(t, id, &e); id = t->store->after(t, &e))
		for (at = 0; t->store->value(t, &e, &at, &value, &place);)
			check_value(&teller, a, value, place);
	tell_rest(&teller);
	arena_free(a);
}

/* ---- finding ---- */

struct finder {
	const struct table_index *keys;
	uint32_t id;
};

static bool
find_key(void *of, struct span key)
{
	struct finder *f = of;

	return table_index_find(f->keys, key, &f->id);
}

static bool
fail(struct table_answer *answer, struct span why)
{
	if (answer != NULL)
		answer->why = why;
	return false;
}

/* What folding at most shrinks a text to: U+212A, three bytes, becomes k. */
#define SHRINKS 3

/* Of all keys but the patterns. */
static bool
find_exact(const struct table *t, const struct value *v,
           const struct table_context *c, struct arena *a, uint32_t *id)
{
	struct finder f = {t->keys[v->type], 0};

	if (v->type == VALUE_IP) {
		assert(t->nets != NULL);
		return table_nets_find(t->nets, &v->ip, id);
	}
	assert(f.keys != NULL);
	if (v->type == VALUE_TEXT &&
	    v->text.n / SHRINKS > table_index_longest(f.keys))
		return false;
	if (!table_walk(v, c, a, find_key, &f))
		return false;
	*id = f.id;
	return true;
}

/* The first pattern that matches; *id is its entry. */
static enum table_result
find_pattern(const struct table *t, const struct value *v,
             const struct table_context *c, struct arena *a, uint32_t *id,
             struct table_answer *answer)
{
	unsigned char *may;
	struct span text;
	size_t i;

	if (t->n_patterns == 0)
		return TABLE_NO;
	text = utf8_make_valid(a, v->text);
	may = arena_alloc(a, pattern_set_bytes(t->set));
	if (may == NULL || (text.p == NULL && v->text.n > 0))
		return fail(answer, SPAN("no memory")), TABLE_FAILED;
	pattern_set_scan(t->set, text, may);
	for (i = 0; i < t->n_patterns; i++) {
		if (may[i / CHAR_BIT] >> i % CHAR_BIT == 0) {
			i |= CHAR_BIT - 1; /* nor the others of this byte */
			continue;
		}
		if ((may[i / CHAR_BIT] & 1u << i % CHAR_BIT) == 0)
			continue;
		switch (pattern_match(t->patterns[i], text, &c->limits,
		                      NULL)) {
		case TRUTH_YES:
			*id = t->pattern_ids[i];
			return TABLE_YES;
		case TRUTH_NO:
			break;
		case TRUTH_LATER:
		case TRUTH_FAILED:
			fail(answer, SPAN("a pattern of the table hit its "
			                  "limit"));
			return TABLE_FAILED;
		}
	}
	return TABLE_NO;
}

static bool
take_values(const struct table *t, uint32_t id, struct arena *a,
            struct table_answer *answer)
{
	struct span value, *values;
	struct place place;
	struct entry e;
	size_t at = 0, n = 0;

	if (!t->store->next(t, id, &e))
		return true;
	if (e.values != NULL) {
		answer->values = e.values;
		answer->n = e.n_values;
		return true;
	}
	while (t->store->value(t, &e, &at, &value, &place))
		n++;
	values = arena_alloc(a, n * sizeof(*values));
	if (values == NULL)
		return fail(answer, SPAN("no memory"));
	answer->values = values;
	for (at = 0; answer->n < n &&
	     t->store->value(t, &e, &at, &values[answer->n], &place);)
		answer->n++;
	return true;
}

static enum table_result
find(const struct table *t, const struct value *v,
     const struct table_context *c, struct arena *a,
     struct table_answer *answer, bool values)
{
	enum table_result found = TABLE_YES;
	uint32_t id = 0;

	*answer = (struct table_answer){NULL, 0, {NULL, 0}};
	if (t->why.p != NULL)
		return fail(answer, t->why), TABLE_FAILED;
	if (v->bad)
		return TABLE_NO;
	if (t->elsewhere != NULL)
		return t->elsewhere->find(t, v, c, a, answer, values);
	if (!find_exact(t, v, c, a, &id))
		found = find_pattern(t, v, c, a, &id, answer);
	if (arena_full(a))
		return fail(answer, SPAN("no memory")), TABLE_FAILED;
	if (found == TABLE_YES && values && !take_values(t, id, a, answer))
		return TABLE_FAILED;
	return found;
}

enum table_result
table_find(const struct table *t, const struct value *v,
           const struct table_context *c, struct arena *a,
           struct table_answer *answer)
{
	struct table_answer unwanted;

	return find(t, v, c, a, answer == NULL ? &unwanted : answer,
	            answer != NULL);
}

enum table_result
table_has(const struct table *t, const struct value *v,
          const struct table_context *c, struct arena *a, struct span *why)
{
	struct table_answer answer;
	enum table_result found = find(t, v, c, a, &answer, false);

	*why = answer.why;
	return found;
}

/* ---- one entry ---- */

static bool
is_key(void *of, struct span key)
{
	return span_is(*(const struct span *)of, key);
}

bool
table_entry_covers(struct span entry, const struct value *v,
                   const struct table_context *c, struct arena *a)
{
	bool null = span_is(entry, SPAN("<>"));
	struct span key = {NULL, 0}, hint, looks[FOLD_LOOKS];
	struct net net;
	size_t n;

	if (v->bad)
		return false;
	if (v->type == VALUE_IP)
		return table_net_key(a, entry, null, &net, &hint) == NULL &&
		       net_has(&net, &v->ip);
	if (v->type == VALUE_FOLDED)
		return table_looks(a, entry, null, looks, &n) == NULL &&
		       n > 0 && (span_is(looks[0], v->text) ||
		                 (n > 1 && span_is(looks[1], v->text)));
	return table_key(a, entry, null, v->type, &key, &hint) == NULL &&
	       key.p != NULL && table_walk(v, c, a, is_key, &key);
}
