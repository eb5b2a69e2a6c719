/*
 * facts_fields.c - the fields of the header by their names.
 */
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "facts_answer.h"

struct named {
	struct span name;
	size_t number;
};

static int
compare_names(struct span a, struct span b)
{
	int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

static int
compare_named(const void *left, const void *right)
{
	const struct named *a = left, *b = right;
	int c = compare_names(a->name, b->name);

	return c != 0 ? c : (a->number > b->number) - (a->number < b->number);
}

/* Sorted by name, so that a question costs a search and not a scan. */
static struct named *
sort_fields(struct told *t, size_t n)
{
	struct named *named = arena_alloc(t->arena, n * sizeof(*named));
	size_t i;

	if (named == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		named[i].name = arena_lower(t->arena,
			message_field(t->message, i)->name);
		named[i].number = i;
		if (named[i].name.p == NULL)
			return NULL;
	}
	qsort(named, n, sizeof(*named), compare_named);
	return named;
}

static bool
index_fields(struct told *t)
{
	size_t i, n = t->message == NULL ? 0 : message_fields(t->message);
	struct named *named = sort_fields(t, n);
	struct told_fields *fields = arena_alloc(t->arena,
		n * sizeof(*fields)), *f = fields;
	size_t *numbers = arena_alloc(t->arena, n * sizeof(*numbers));

	if (named == NULL || fields == NULL || numbers == NULL)
		return false;
	t->n_fields = 0;
	for (i = 0; i < n; i++) {
		if (i == 0 || compare_names(f->name, named[i].name) != 0) {
			f = &fields[t->n_fields++];
			f->name = named[i].name;
			f->numbers = &numbers[i];
		}
		numbers[i] = named[i].number;
		f->n++;
	}
	t->fields = fields;
	return true;
}

static int
compare_lower(struct span name, struct span lower)
{
	size_t i, n = name.n < lower.n ? name.n : lower.n;
	unsigned char a, b;

	for (i = 0; i < n; i++) {
		a = (unsigned char)ascii_lower(name.p[i]);
		b = (unsigned char)lower.p[i];
		if (a != b)
			return a < b ? -1 : 1;
	}
	return (name.n > lower.n) - (name.n < lower.n);
}

struct told_fields *
facts_fields(struct told *t, struct span name)
{
	size_t low = 0, high, middle;
	int c;

	if (t->fields == NULL && !index_fields(t)) {
		t->no_memory = true;
		return NULL;
	}
	for (high = t->n_fields; low < high; ) {
		middle = low + (high - low) / 2;
		c = compare_lower(name, t->fields[middle].name);
		if (c == 0)
			return &t->fields[middle];
		if (c < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
