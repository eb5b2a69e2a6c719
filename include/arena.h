/*
 * arena.h - memory that is given back all at once.
 *
 * An arena has a limit in bytes.  Past it, or when the system has no more,
 * arena_alloc gives NULL and the arena remembers it (arena_full), so that a
 * caller may test once at the end of its work.  While an escape is set it
 * does not return at all but jumps there: loading a policy does that.
 */
#ifndef ARENA_H
#define ARENA_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>

#include "span.h"

struct arena;

/* A new arena, or NULL without memory. limit 0: none. */
struct arena *arena_new(size_t limit);
void arena_free(struct arena *a);

/* Gives back what was allocated, keeps a first block for reuse. */
void arena_reset(struct arena *a);

/* Sets the escape (NULL: none) and gives the one before. */
jmp_buf *arena_escape(struct arena *a, jmp_buf *where);

/* n zeroed bytes, aligned for anything; n 0 gives a valid pointer. */
void *arena_alloc(struct arena *a, size_t n);

/* A copy with a NUL behind it (not counted). p is NULL on failure. */
struct span arena_copy(struct arena *a, struct span s);

/* A copy of n pieces, one behind the other; NUL-terminated, too. */
struct span arena_join(struct arena *a, const struct span *pieces, size_t n);

/* The same with ASCII letters in lower case. */
struct span arena_lower(struct arena *a, struct span s);

/*
 * Room for one more, zeroed, behind the *n elements of size bytes of an
 * array that is grown by this alone: the array (*array, any pointer) may
 * move, *n is counted up. NULL on failure, and then nothing has changed.
 */
void *arena_grow(struct arena *a, void *array, size_t *n, size_t size);

/* printf into the arena; p is NULL on failure. */
struct span arena_printf(struct arena *a, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Bytes handed out since the last reset; true once something was refused. */
size_t arena_used(const struct arena *a);
bool arena_full(const struct arena *a);

#endif
