/*
 * table_index.c - keys to entries.
 *
 * An open hash of 8 bytes a slot. A million keys of a file cost no more than
 * that: they are compared where they stand in the file's text. Only keys
 * whose spelling differs from what was written (quotes, U-labels, letters
 * beyond ASCII) are copied.
 */
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "table_impl.h"

#define COPIED 0x80000000u /* refers to copies, else to text */

struct slot {
	uint32_t tag; /* of the key's hash; 0: the slot is free */
	uint32_t ref;
};

struct copied {
	struct span key;
	uint32_t id;
};

struct table_index {
	const char *text;
	struct slot *slots;
	size_t mask;
	struct arena *arena;
	struct copied *copies;
	size_t n_copies, room;
	size_t longest;
	/* Most look-ups try keys of kinds that a table has none of. */
	bool begins[256]; /* with this byte some key begins */
	bool ends_at;     /* some key ends with "@" */
};

struct table_index *
table_index_new(size_t n, const char *text)
{
	struct table_index *x = calloc(1, sizeof(*x));
	size_t size = 8;

	if (x == NULL)
		return NULL;
	while (size < n + n / 2) /* at most two thirds full */
		size *= 2;
	x->text = text;
	x->mask = size - 1;
	x->slots = calloc(size, sizeof(*x->slots));
	x->arena = arena_new(0);
	if (x->slots == NULL || x->arena == NULL) {
		table_index_free(x);
		return NULL;
	}
	return x;
}

void
table_index_free(struct table_index *x)
{
	if (x == NULL)
		return;
	free(x->slots);
	free(x->copies);
	arena_free(x->arena);
	free(x);
}

size_t
table_index_longest(const struct table_index *x)
{
	return x->longest;
}

/*
 * Eight bytes at a time: multiply and fold. Whoever chooses what is looked up
 * can't add keys, so that it needs no secret.
 */
static uint64_t
hash(struct span key)
{
	const uint64_t odd = 0x9e3779b97f4a7c15u;
	uint64_t h = (key.n + 1) * odd, w;
	size_t i;

	for (i = 0; key.n - i >= sizeof(w); i += sizeof(w)) {
		memcpy(&w, key.p + i, sizeof(w));
		h = (h ^ w) * odd;
		h ^= h >> 32;
	}
	w = 0;
	if (i < key.n)
		memcpy(&w, key.p + i, key.n - i);
	h = (h ^ w) * odd;
	h ^= h >> 29;
	h *= odd;
	return h ^ h >> 32;
}

static uint32_t
tag_of(uint64_t h)
{
	uint32_t tag = (uint32_t)(h >> 32);

	return tag == 0 ? 1 : tag;
}

/* Ends a key that stands in a file's text. */
static bool
ends_key(char c)
{
	return c == '\0' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The text is NUL-terminated: comparing stops there. */
static bool
stands_at(const char *text, struct span key)
{
	size_t i;

	for (i = 0; i < key.n; i++) {
		char c = ascii_lower(text[i]);

		if (c != key.p[i] || ends_key(c))
			return false;
	}
	return ends_key(text[key.n]);
}

static bool
same(const struct table_index *x, uint32_t ref, struct span key, uint32_t *id)
{
	if ((ref & COPIED) == 0) {
		*id = ref;
		return stands_at(x->text + ref, key);
	}
	*id = x->copies[ref & ~COPIED].id;
	return span_is(x->copies[ref & ~COPIED].key, key);
}

/* The key's slot (*id then is its entry), or the free one for it. */
static size_t
look(const struct table_index *x, struct span key, uint64_t h, uint32_t *id)
{
	uint32_t tag = tag_of(h);
	size_t i = (size_t)h & x->mask;

	for (; x->slots[i].tag != 0; i = (i + 1) & x->mask)
		if (x->slots[i].tag == tag && same(x, x->slots[i].ref, key, id))
			break;
	return i;
}

bool
table_index_find(const struct table_index *x, struct span key, uint32_t *id)
{
	if (key.n > 0 && (!x->begins[(unsigned char)key.p[0]] ||
	                  (key.p[key.n - 1] == '@' && !x->ends_at)))
		return false;
	return x->slots[look(x, key, hash(key), id)].tag != 0;
}

static bool
copy(struct table_index *x, struct span key, uint32_t id, uint32_t *ref)
{
	if (x->n_copies == x->room) {
		size_t room = x->room * 2 + 16;
		struct copied *more =
			reallocarray(x->copies, room, sizeof(*more));

		if (more == NULL)
			return false;
		x->copies = more;
		x->room = room;
	}
	key = arena_copy(x->arena, key);
	*ref = COPIED | (uint32_t)x->n_copies;
	x->copies[x->n_copies++] = (struct copied){key, id};
	return key.p != NULL;
}

enum index_add
table_index_add(struct table_index *x, struct span key, uint32_t id,
                uint32_t *first)
{
	uint64_t h = hash(key);
	size_t i = look(x, key, h, first);
	uint32_t ref = id;

	if (x->slots[i].tag != 0)
		return INDEX_TWICE;
	if (x->text == NULL || !stands_at(x->text + id, key))
		if (!copy(x, key, id, &ref))
			return INDEX_NO_MEMORY;
	x->slots[i] = (struct slot){tag_of(h), ref};
	if (key.n > x->longest)
		x->longest = key.n;
	if (key.n > 0) {
		x->begins[(unsigned char)key.p[0]] = true;
		x->ends_at = x->ends_at || key.p[key.n - 1] == '@';
	}
	return INDEX_ADDED;
}
