#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"

#define FIRST_SIZE 16384

static bool
grow(struct body *b, size_t least)
{
	size_t size = b->size == 0 ? FIRST_SIZE : b->size;
	char *bytes;

	while (size < least)
		size = size > SIZE_MAX / 2 ? least : size * 2;
	bytes = realloc(b->bytes, size);
	if (bytes == NULL)
		return false;
	b->bytes = bytes;
	b->size = size;
	return true;
}

bool
body_add(struct body *b, const void *chunk, size_t n)
{
	if (n == 0)
		return true;
	if (n > SIZE_MAX - b->n)
		return false;
	if (b->n + n > b->size && !grow(b, b->n + n))
		return false;
	memcpy(b->bytes + b->n, chunk, n);
	b->n += n;
	return true;
}

void
body_free(struct body *b)
{
	free(b->bytes);
	*b = (struct body){NULL, 0, 0};
}

static atomic_size_t in_use;

size_t
memory_account(size_t *held, size_t now)
{
	size_t before = *held;

	*held = now;
	if (now >= before)
		return atomic_fetch_add(&in_use, now - before) + now - before;
	return atomic_fetch_sub(&in_use, before - now) - (before - now);
}
