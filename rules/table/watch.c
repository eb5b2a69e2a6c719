/*
 * watch.c - what was read from a file, read again when the file changes.
 *
 * A file that another was renamed to is read at once. One that is written in
 * place may be half done: it is read when nobody has touched it for a while,
 * and what was read is kept only if it was not touched meanwhile. Then its
 * time also tells it from what it will be after the next write.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "watch.h"

#define SECOND 1000000000
#define LOOK_EVERY SECOND   /* at the file */
#define QUIET (SECOND / 2)  /* so long a file that is written in place */

struct watched {
	unsigned refs; /* under the lock */
	void *thing;
	char why[WATCH_WHY];
};

/* All of a file's state that changes when its content does. */
struct stamp {
	int error; /* errno of stat, or 0 */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec modified, changed;
};

struct watch {
	const struct watch_kind *kind;
	void *of;
	char *path;
	pthread_mutex_t lock; /* never held while the file is read */
	struct watched *now;
	int64_t next;         /* when to look again */
	bool looking;         /* somebody does */
	struct stamp stamp;   /* of what was read; of who is looking */
};

static int64_t
nanoseconds(struct timespec t)
{
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

static int64_t
clock_now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return nanoseconds(t);
}

int64_t
watch_clock(void)
{
	return clock_now(CLOCK_MONOTONIC_COARSE);
}

static struct stamp
stamp_of(const char *path)
{
	struct stamp s = {0};
	struct stat st;

	if (stat(path, &st) < 0) {
		s.error = errno;
		return s;
	}
	s.dev = st.st_dev;
	s.ino = st.st_ino;
	s.size = st.st_size;
	s.modified = st.st_mtim;
	s.changed = st.st_ctim;
	return s;
}

static bool
same_file(const struct stamp *a, const struct stamp *b)
{
	return a->error == b->error && a->dev == b->dev && a->ino == b->ino;
}

static bool
same(const struct stamp *a, const struct stamp *b)
{
	return same_file(a, b) && a->size == b->size &&
	       nanoseconds(a->modified) == nanoseconds(b->modified) &&
	       nanoseconds(a->changed) == nanoseconds(b->changed);
}

/* Has it been left alone long enough? A time to come is no reason to wait. */
static bool
quiet(const struct stamp *s)
{
	int64_t age = clock_now(CLOCK_REALTIME) - nanoseconds(s->changed);

	return age < 0 || age > QUIET;
}

/* ---- what is in force ---- */

static struct watched *
read_now(struct watch *w)
{
	struct watched *new = calloc(1, sizeof(*new));

	if (new == NULL)
		return NULL;
	new->refs = 1;
	new->thing = w->kind->load(w->of, w->path, new->why);
	return new;
}

static void
drop(struct watch *w, struct watched *x)
{
	if (x == NULL)
		return;
	if (x->thing != NULL)
		w->kind->drop(x->thing);
	free(x);
}

void
watch_put(struct watch *w, struct watched *held)
{
	bool last;

	pthread_mutex_lock(&w->lock);
	last = --held->refs == 0;
	pthread_mutex_unlock(&w->lock);
	if (last)
		drop(w, held);
}

/* The file's new content, if it has one and it is done; else NULL. */
static struct watched *
look(struct watch *w)
{
	struct stamp before = stamp_of(w->path), after;
	struct watched *new;

	if (same(&before, &w->stamp))
		return NULL;
	if (same_file(&before, &w->stamp) && !quiet(&before))
		return NULL;
	new = read_now(w);
	after = stamp_of(w->path);
	if (new == NULL || !same(&before, &after)) {
		drop(w, new);
		return NULL;
	}
	w->stamp = before;
	if (new->thing == NULL && w->kind->keeps) {
		drop(w, new);
		return NULL;
	}
	return new;
}

/* To be called by one thread at a time, which set looking. */
static void
refresh(struct watch *w)
{
	struct watched *new = look(w), *old = NULL;

	pthread_mutex_lock(&w->lock);
	if (new != NULL) {
		old = w->now;
		w->now = new;
	}
	w->next = clock_now(CLOCK_MONOTONIC_COARSE) + LOOK_EVERY;
	w->looking = false;
	pthread_mutex_unlock(&w->lock);
	if (old != NULL)
		watch_put(w, old);
}

struct watched *
watch_get(struct watch *w, void **thing, struct span *why)
{
	int64_t now = clock_now(CLOCK_MONOTONIC_COARSE);
	struct watched *held;

	pthread_mutex_lock(&w->lock);
	if (!w->looking && now >= w->next) {
		w->looking = true;
		pthread_mutex_unlock(&w->lock);
		refresh(w);
		pthread_mutex_lock(&w->lock);
	}
	held = w->now;
	held->refs++;
	pthread_mutex_unlock(&w->lock);
	*thing = held->thing;
	*why = span_of(held->why);
	return held;
}

struct watch *
watch_new(const struct watch_kind *kind, void *of, const char *path,
          char why[WATCH_WHY])
{
	struct watch *w = calloc(1, sizeof(*w));

	snprintf(why, WATCH_WHY, "no memory");
	if (w == NULL)
		return NULL;
	w->kind = kind;
	w->of = of;
	w->path = strdup(path);
	pthread_mutex_init(&w->lock, NULL);
	if (w->path != NULL) {
		w->stamp = stamp_of(path);
		w->now = read_now(w);
	}
	if (w->now == NULL || w->now->thing == NULL) {
		if (w->now != NULL)
			memcpy(why, w->now->why, WATCH_WHY);
		watch_free(w);
		return NULL;
	}
	w->next = clock_now(CLOCK_MONOTONIC_COARSE) + LOOK_EVERY;
	return w;
}

void
watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	drop(w, w->now);
	pthread_mutex_destroy(&w->lock);
	free(w->path);
	free(w);
}
