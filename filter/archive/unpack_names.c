/*
 * unpack_names.c - a set of names, in an arena. (Not GLib's tables: their
 * memory has locks that a copy of this process may have been made under.)
 */
#include "unpack.h"

#define ROWS 1024

struct row {
	struct row *next;
	struct span name;
};

struct unpack_names {
	struct arena *arena;
	struct row *rows[ROWS];
};

/* FNV-1a */
static size_t
hash(struct span s)
{
	uint32_t h = 2166136261u;
	size_t i;

	for (i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h % ROWS;
}

struct unpack_names *
unpack_names_new(struct arena *a)
{
	struct unpack_names *names = arena_alloc(a, sizeof(*names));

	if (names != NULL)
		names->arena = a;
	return names;
}

bool
unpack_names_has(const struct unpack_names *names, struct span name)
{
	const struct row *row = names->rows[hash(name)];

	while (row != NULL && !span_is(row->name, name))
		row = row->next;
	return row != NULL;
}

bool
unpack_names_add(struct unpack_names *names, struct span name)
{
	struct row **head = &names->rows[hash(name)], *row;

	if (unpack_names_has(names, name))
		return true;
	row = arena_alloc(names->arena, sizeof(*row));
	if (row == NULL)
		return false;
	row->name = arena_copy(names->arena, name);
	row->next = *head;
	*head = row;
	return row->name.p != NULL;
}

bool
unpack_names_are(const struct unpack_names *a, const struct unpack_names *b)
{
	const struct row *row;
	size_t i;

	for (i = 0; i < ROWS; i++) {
		for (row = a->rows[i]; row != NULL; row = row->next)
			if (!unpack_names_has(b, row->name))
				return false;
		for (row = b->rows[i]; row != NULL; row = row->next)
			if (!unpack_names_has(a, row->name))
				return false;
	}
	return true;
}
