#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "ascii.h"

#define ALIGN _Alignof(max_align_t)
#define FIRST_BLOCK 512
#ifndef BLOCK_BYTES /* a test has a block for each allocation */
#define BLOCK_BYTES(used) ((used) < FIRST_BLOCK ? FIRST_BLOCK : (used))
#endif

struct block {
	struct block *next;
	size_t size, used;
	_Alignas(max_align_t) char bytes[];
};

struct arena {
	struct block *blocks; /* the newest first; the last is kept */
	size_t limit, used;
	bool full;
	jmp_buf *escape;
};

struct arena *
arena_new(size_t limit)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (a != NULL)
		a->limit = limit;
	return a;
}

static void
free_blocks(struct block *b)
{
	struct block *next;

	for (; b != NULL; b = next) {
		next = b->next;
		free(b);
	}
}

void
arena_free(struct arena *a)
{
	if (a == NULL)
		return;
	free_blocks(a->blocks);
	free(a);
}

void
arena_reset(struct arena *a)
{
	struct block *b = a->blocks, *next;

	for (; b != NULL && b->next != NULL; b = next) {
		next = b->next;
		free(b);
	}
	a->blocks = b;
	if (b != NULL && b->size > FIRST_BLOCK) {
		free(b);
		a->blocks = NULL;
	} else if (b != NULL) {
		b->used = 0;
	}
	a->used = 0;
	a->full = false;
}

jmp_buf *
arena_escape(struct arena *a, jmp_buf *where)
{
	jmp_buf *before = a->escape;

	a->escape = where;
	return before;
}

static void *
refuse(struct arena *a)
{
	a->full = true;
	if (a->escape != NULL)
		longjmp(*a->escape, 1);
	return NULL;
}

/* Blocks grow with what is in use, so that there are few of them. */
static struct block *
add_block(struct arena *a, size_t n)
{
	size_t size = BLOCK_BYTES(a->used);
	struct block *b;

	if (size > (1 << 20))
		size = 1 << 20;
	if (size < n)
		size = n;
	b = malloc(sizeof(*b) + size);
	if (b == NULL)
		return NULL;
	b->size = size;
	b->used = 0;
	b->next = a->blocks;
	a->blocks = b;
	return b;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct block *b = a->blocks;
	char *p;

	if (n > SIZE_MAX / 2)
		return refuse(a);
	n = n == 0 ? ALIGN : (n + ALIGN - 1) & ~(ALIGN - 1);
	if (a->limit != 0 && (n > a->limit || a->used > a->limit - n))
		return refuse(a);
	if (b == NULL || b->size - b->used < n)
		b = add_block(a, n);
	if (b == NULL)
		return refuse(a);
	p = b->bytes + b->used;
	b->used += n;
	a->used += n;
	return memset(p, 0, n);
}

struct span
arena_copy(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n + 1);

	if (p == NULL)
		return (struct span){NULL, 0};
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return (struct span){p, s.n};
}

struct span
arena_join(struct arena *a, const struct span *pieces, size_t n)
{
	size_t size = 0, i;
	char *p;

	for (i = 0; i < n; i++)
		size += pieces[i].n;
	p = arena_alloc(a, size + 1);
	if (p == NULL)
		return (struct span){NULL, 0};
	for (i = size = 0; i < n; size += pieces[i++].n)
		if (pieces[i].n > 0)
			memcpy(p + size, pieces[i].p, pieces[i].n);
	return (struct span){p, size};
}

struct span
arena_lower(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t i;

	if (p == NULL)
		return (struct span){NULL, 0};
	for (i = 0; i < s.n; i++)
		p[i] = ascii_lower(s.p[i]);
	return (struct span){p, s.n};
}

/* Full when *n is a power of two (or 0), so that no size need be kept. */
void *
arena_grow(struct arena *a, void *array, size_t *n, size_t size)
{
	char *elements, *more;

	/* by memcpy, since the array's own type is not known here */
	memcpy(&elements, array, sizeof(elements));
	if ((*n & (*n - 1)) == 0) {
		more = arena_alloc(a, (*n == 0 ? 1 : *n * 2) * size);
		if (more == NULL)
			return NULL;
		if (*n > 0)
			memcpy(more, elements, *n * size);
		elements = more;
		memcpy(array, &elements, sizeof(elements));
	}
	return elements + size * (*n)++;
}

struct span
arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	char *p;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	p = n < 0 ? refuse(a) : arena_alloc(a, (size_t)n + 1);
	if (p == NULL)
		return (struct span){NULL, 0};
	va_start(args, format);
	vsnprintf(p, (size_t)n + 1, format, args);
	va_end(args);
	return (struct span){p, (size_t)n};
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}

bool
arena_full(const struct arena *a)
{
	return a->full;
}
