/*
 * watch.h - what was read from a file, read again when the file changes.
 *
 * Whoever asks gets what was read last, held until it is put back. Once a
 * second one of those who ask looks at the file and, if it has changed, reads
 * it, while all others go on with what was read before.
 */
#ifndef WATCH_H
#define WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "span.h"

#define WATCH_WHY 256

struct watch_kind {
	/* NULL, and why, if the file can't be used. */
	void *(*load)(void *of, const char *path, char why[WATCH_WHY]);
	void (*drop)(void *thing);
	bool keeps; /* a file that can't be used leaves the last one in force */
};

/* Nanoseconds of a clock that is not set. */
int64_t watch_clock(void);

struct watch;
struct watched;

/* Reads the file. NULL, and why, if it can't be used. */
struct watch *watch_new(const struct watch_kind *kind, void *of,
                        const char *path, char why[WATCH_WHY]);
void watch_free(struct watch *w);

/*
 * What is in force. *thing is NULL where there is nothing, and *why then says
 * why; both are good until watch_put.
 */
struct watched *watch_get(struct watch *w, void **thing, struct span *why);
void watch_put(struct watch *w, struct watched *held);

#endif
