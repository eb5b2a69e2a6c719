/*
 * limits_memory.c - counts in this process, saved in a file every other
 * second by a thread of its own: no message waits for a disk.
 *
 * Two locks: that of the counts is held for some memory accesses, that of
 * the file while it is written. Who wants both takes the file's first.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/random.h>
#include <time.h>

#include "limits_store.h"
#include "limits_file.h"
#include "siphash.h"

#define SAVE_SECONDS 2
#define AGAIN_SECONDS 10  /* until a file that can't be had is tried again */
#define PURGE 1000        /* idle keys of a limit that are dropped at a time */
#define BATCH 256         /* records that are copied under the lock at once */

struct entry {
	TAILQ_ENTRY(entry) use;   /* in the order of use */
	TAILQ_ENTRY(entry) write; /* of what is to be written */
	struct entry *chain;
	struct counts *of;
	bool dirty;               /* it is among those to be written */
	bool gone;                /* its record is to be removed */
	struct window window;
	size_t n;
	char key[];
};
TAILQ_HEAD(entries, entry);

/* Of one limit. */
struct counts {
	struct counts *next;
	char *name, *by;
	enum limit_unit unit;
	unsigned char id[LIMITS_FILE_ID];
	int64_t width;
	struct entry **chains;
	size_t n_chains;          /* a power of two */
	struct entries used;      /* the newest first */
	size_t n;
	bool told_full;
};

struct memory {
	struct limits base;
	pthread_mutex_t lock;
	struct counts *counts;
	struct entries dirty;
	uint64_t seed[2];
	size_t most;              /* keys a limit */
	int64_t (*now)(void *of);
	void *of;
	struct limits_teller teller;

	char *path;               /* NULL: none */
	pthread_mutex_t file_lock;
	struct limits_file *file; /* NULL: it can't be had now */
	int64_t again;            /* when it is tried again, by the clock */
	bool opened, troubled;    /* once; and that was told */
	bool anew;                /* what it holds is old: write all */
	pthread_t writer;
	pthread_cond_t wake;
	bool writes, ending;
};

static int64_t
system_clock(void *of)
{
	struct timespec t;

	(void)of;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
tell(struct memory *m, bool bad, const char *text)
{
	if (m->teller.tell != NULL)
		m->teller.tell(m->teller.of, bad, text);
}

/* ---- the counts of a limit ---- */

/* What makes a limit the same: its name, unit and key. */
static bool
is_of(const struct counts *c, const struct limit *l)
{
	return c->unit == l->unit && span_is(span_of(c->name), l->name) &&
	       span_is(span_of(c->by), l->by);
}

static void
make_id(struct counts *c)
{
	static const uint64_t seeds[2][2] = {{1, 2}, {3, 4}};
	char text[1024];
	uint64_t half[2];
	size_t n = (size_t)snprintf(text, sizeof(text), "%d %s %s",
	                            (int)c->unit, c->name, c->by);

	if (n >= sizeof(text))
		n = sizeof(text) - 1;
	half[0] = siphash(seeds[0], (struct span){text, n});
	half[1] = siphash(seeds[1], (struct span){text, n});
	memcpy(c->id, half, sizeof(c->id));
}

static void
counts_free(struct counts *c)
{
	struct entry *e;

	while ((e = TAILQ_FIRST(&c->used)) != NULL) {
		TAILQ_REMOVE(&c->used, e, use);
		free(e);
	}
	free(c->chains);
	free(c->name);
	free(c->by);
	free(c);
}

static struct counts *
counts_new(const struct limit *l)
{
	struct counts *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	TAILQ_INIT(&c->used);
	c->name = strndup(l->name.p, l->name.n);
	c->by = strndup(l->by.p, l->by.n);
	c->unit = l->unit;
	c->width = window_width(l->seconds);
	c->n_chains = 64;
	c->chains = calloc(c->n_chains, sizeof(*c->chains));
	if (c->name == NULL || c->by == NULL || c->chains == NULL) {
		counts_free(c);
		return NULL;
	}
	make_id(c);
	return c;
}

static struct counts *
find_counts(struct memory *m, const struct limit *l)
{
	struct counts *c;

	for (c = m->counts; c != NULL; c = c->next)
		if (is_of(c, l))
			return c;
	return NULL;
}

/* The same, made if it is not there. NULL: no memory. */
static struct counts *
counts_of(struct memory *m, const struct limit *l)
{
	struct counts *c = find_counts(m, l);

	if (c != NULL)
		return c;
	c = counts_new(l);
	if (c == NULL)
		return NULL;
	c->next = m->counts;
	return m->counts = c;
}

/* ---- entries ---- */

static void
mark(struct memory *m, struct entry *e)
{
	if (m->path == NULL || e->dirty)
		return;
	e->dirty = true;
	TAILQ_INSERT_TAIL(&m->dirty, e, write);
}

static void
unmark(struct memory *m, struct entry *e)
{
	if (e->dirty)
		TAILQ_REMOVE(&m->dirty, e, write);
	e->dirty = false;
}

static struct entry **
chain_of(const struct memory *m, struct counts *c, struct span key)
{
	return &c->chains[siphash(m->seed, key) & (c->n_chains - 1)];
}

/* A copy of it is in the file, perhaps: whoever writes that frees it. */
static void
forget(struct memory *m, struct entry *e)
{
	struct counts *c = e->of;
	struct entry **at = chain_of(m, c, (struct span){e->key, e->n});

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	TAILQ_REMOVE(&c->used, e, use);
	c->n--;
	if (m->path != NULL && !m->anew) {
		e->gone = true;
		mark(m, e);
	} else {
		unmark(m, e);
		free(e);
	}
}

/* With more chains, if there is memory. */
static void
spread(struct memory *m, struct counts *c)
{
	struct entry **old = c->chains, *e;
	struct entry **chains = calloc(c->n_chains * 2, sizeof(*chains)), **at;

	if (chains == NULL)
		return;
	free(old);
	c->chains = chains;
	c->n_chains *= 2;
	TAILQ_FOREACH(e, &c->used, use) {
		at = chain_of(m, c, (struct span){e->key, e->n});
		e->chain = *at;
		*at = e;
	}
}

static struct entry *
find(const struct memory *m, struct counts *c, struct span key)
{
	struct entry *e;

	for (e = *chain_of(m, c, key); e != NULL; e = e->chain)
		if (span_is((struct span){e->key, e->n}, key))
			return e;
	return NULL;
}

static bool
is_idle(const struct counts *c, const struct entry *e, int64_t now)
{
	return window_idle(&e->window, c->width, now);
}

/* Those that count nothing any more, two for each new one; and if there are
 * too many, the one that was used longest ago. */
static void
make_room(struct memory *m, struct counts *c, int64_t now)
{
	struct entry *e;
	char text[256];
	int i;

	for (i = 0; i < 2; i++) {
		e = TAILQ_LAST(&c->used, entries);
		if (e == NULL || !is_idle(c, e, now))
			break;
		forget(m, e);
	}
	e = TAILQ_LAST(&c->used, entries);
	if (c->n < m->most || e == NULL)
		return;
	forget(m, e);
	if (c->told_full)
		return;
	c->told_full = true;
	snprintf(text, sizeof(text), "limit %.100s: more than %zu keys are in "
	         "use: those used longest ago are forgotten (set limit-keys)",
	         c->name, m->most);
	tell(m, true, text);
}

/* NULL: no memory. */
static struct entry *
add_entry(struct memory *m, struct counts *c, struct span key, int64_t now)
{
	struct entry *e, **at;

	make_room(m, c, now);
	if (c->n >= c->n_chains)
		spread(m, c);
	e = calloc(1, sizeof(*e) + key.n + 1);
	if (e == NULL)
		return NULL;
	e->of = c;
	e->n = key.n;
	if (key.n > 0)
		memcpy(e->key, key.p, key.n);
	e->window.at = now / c->width;
	at = chain_of(m, c, key);
	e->chain = *at;
	*at = e;
	TAILQ_INSERT_HEAD(&c->used, e, use);
	c->n++;
	return e;
}

/* The limit's time was changed by a reload. */
static void
refit(struct counts *c, int64_t width)
{
	struct entry *e;

	TAILQ_FOREACH(e, &c->used, use)
		window_refit(&e->window, c->width, width);
	c->width = width;
}

/* ---- what is asked ---- */

static enum truth
failed(struct limits_found *found, const char *why)
{
	snprintf(found->why, LIMITS_WHY, "%s", why);
	return TRUTH_FAILED;
}

static enum truth
ask_locked(struct memory *m, const struct limit *limit, struct span key,
           uint64_t n, bool take, struct limits_found *found)
{
	struct counts *c = counts_of(m, limit);
	struct entry *e = c == NULL ? NULL : find(m, c, key);
	int64_t now;

	if (c == NULL)
		return failed(found, "no memory");
	now = m->now(m->of);
	if (e != NULL) {
		window_move(&e->window, c->width, now);
		found->used = window_used(&e->window);
	}
	if ((double)found->used + (double)n > limit->most)
		return TRUTH_YES;
	if (!take)
		return TRUTH_NO;
	if (e == NULL)
		e = add_entry(m, c, key, now);
	if (e == NULL)
		return failed(found, "no memory");
	window_add(&e->window, n);
	found->when = window_when(&e->window, c->width);
	TAILQ_REMOVE(&c->used, e, use);
	TAILQ_INSERT_HEAD(&c->used, e, use);
	mark(m, e);
	return TRUTH_NO;
}

static enum truth
ask(struct limits *l, const struct limit *limit, struct span key, uint64_t n,
    bool take, struct limits_found *found)
{
	struct memory *m = (struct memory *)l;
	enum truth t;

	pthread_mutex_lock(&m->lock);
	t = ask_locked(m, limit, key, n, take, found);
	pthread_mutex_unlock(&m->lock);
	return t;
}

static void
add_locked(struct memory *m, const struct limit *limit, struct span key,
           int64_t n, int64_t when)
{
	struct counts *c = counts_of(m, limit);
	struct entry *e = c == NULL ? NULL : find(m, c, key);
	int64_t now = m->now(m->of);

	if (e == NULL && c != NULL && n > 0)
		e = add_entry(m, c, key, now);
	if (e == NULL)
		return;
	window_move(&e->window, c->width, now);
	if (n > 0) {
		window_add(&e->window, (uint64_t)n);
		TAILQ_REMOVE(&c->used, e, use);
		TAILQ_INSERT_HEAD(&c->used, e, use);
	} else {
		window_take_back(&e->window, c->width, (uint64_t)-n, when);
	}
	mark(m, e);
}

static void
add(struct limits *l, const struct limit *limit, struct span key, int64_t n,
    int64_t when)
{
	struct memory *m = (struct memory *)l;

	pthread_mutex_lock(&m->lock);
	add_locked(m, limit, key, n, when);
	pthread_mutex_unlock(&m->lock);
}

/* ---- who looks at them ---- */

/* Every key in use, its texts not yet copied. */
static struct limits_row *
rows_of(struct memory *m, struct counts *c, const struct limit *limit,
        size_t *n)
{
	struct limits_row *rows = calloc(c->n + 1, sizeof(*rows)), *row;
	int64_t now = m->now(m->of);
	struct entry *e;

	*n = 0;
	if (rows == NULL)
		return NULL;
	TAILQ_FOREACH(e, &c->used, use) {
		window_move(&e->window, c->width, now);
		row = &rows[*n];
		row->used = window_used(&e->window);
		if (row->used == 0)
			continue;
		row->key = e->key;
		row->n = e->n;
		row->free_in = (window_free(&e->window, c->width,
		                            (uint64_t)limit->most) -
		                now + 999) / 1000;
		if ((double)row->used < limit->most || row->free_in < 0)
			row->free_in = 0;
		++*n;
	}
	limits_rows_sort(rows, *n);
	return rows;
}

static bool
copy_keys(struct limits_row *rows, size_t n)
{
	char *copy;
	size_t i;

	for (i = 0; i < n; i++) {
		copy = malloc(rows[i].n + 1);
		if (copy == NULL) {
			limits_rows_free(rows, i);
			return false;
		}
		memcpy(copy, rows[i].key, rows[i].n + 1);
		rows[i].key = copy;
	}
	return true;
}

static struct limits_row *
top(struct limits *l, const struct limit *limit, size_t most, size_t *n,
    size_t *all, char why[LIMITS_WHY])
{
	struct memory *m = (struct memory *)l;
	struct limits_row *rows = NULL;
	struct counts *c;

	pthread_mutex_lock(&m->lock);
	c = counts_of(m, limit);
	if (c != NULL)
		rows = rows_of(m, c, limit, all);
	*n = rows == NULL ? 0 : *all < most ? *all : most;
	if (rows != NULL && !copy_keys(rows, *n))
		rows = NULL;
	pthread_mutex_unlock(&m->lock);
	if (rows == NULL)
		snprintf(why, LIMITS_WHY, "no memory");
	return rows;
}

static int
clear(struct limits *l, const struct limit *limit, struct span key,
      char why[LIMITS_WHY])
{
	struct memory *m = (struct memory *)l;
	struct counts *c;
	struct entry *e;

	(void)why;
	pthread_mutex_lock(&m->lock);
	c = find_counts(m, limit);
	e = c == NULL ? NULL : find(m, c, key);
	if (e != NULL)
		forget(m, e);
	pthread_mutex_unlock(&m->lock);
	return e != NULL;
}

/* ---- the file ---- */

struct loading {
	struct memory *m;
	struct counts *c;
	int64_t now;
	bool full;
};

/* What was counted since, before it could be read, is added to. */
static void
take_record(void *of, const struct limits_record *r)
{
	struct loading *l = of;
	struct counts *c = l->c;
	struct window w = r->window;
	struct entry *e;
	int i;

	window_refit(&w, r->width, c->width);
	window_move(&w, c->width, l->now);
	if (window_used(&w) == 0 || r->key.n > LIMITS_KEY)
		return;
	e = find(l->m, c, r->key);
	if (e == NULL)
		e = add_entry(l->m, c, r->key, l->now);
	if (e == NULL)
		return;
	window_move(&e->window, c->width, l->now);
	for (i = 0; i < WINDOW_PARTS; i++)
		e->window.part[i] += w.part[i];
}

static void
tell_trouble(struct memory *m, const char *why)
{
	char text[1024];

	m->again = m->now(m->of) + AGAIN_SECONDS * 1000;
	if (m->troubled)
		return;
	m->troubled = true;
	snprintf(text, sizeof(text), "limits: %.400s: %.400s: counting goes on "
	         "in memory, a restart would forget it", m->path, why);
	tell(m, true, text);
}

static void
tell_good(struct memory *m)
{
	char text[600];

	if (!m->troubled)
		return;
	m->troubled = false;
	snprintf(text, sizeof(text), "limits: %.400s: saved again", m->path);
	tell(m, false, text);
}

/* The records of a limit, into its counts. */
static bool
load(struct memory *m, struct counts *c, char why[LIMITS_FILE_WHY])
{
	struct loading l = {.m = m, .c = c};
	bool good;

	pthread_mutex_lock(&m->lock);
	l.now = m->now(m->of);
	good = limits_file_each(m->file, c->id, take_record, &l, why);
	pthread_mutex_unlock(&m->lock);
	return good;
}

/* What the file lacks by now is not known: it is to be written as a whole. */
static void
mark_all(struct memory *m)
{
	struct entry *e, *next;
	struct counts *c;

	pthread_mutex_lock(&m->lock);
	m->anew = true;
	for (e = TAILQ_FIRST(&m->dirty); e != NULL; e = next) {
		next = TAILQ_NEXT(e, write);
		unmark(m, e);
		if (e->gone)
			free(e);
	}
	for (c = m->counts; c != NULL; c = c->next)
		TAILQ_FOREACH(e, &c->used, use)
			mark(m, e);
	pthread_mutex_unlock(&m->lock);
}

/* With the file's lock. */
static bool
open_file(struct memory *m)
{
	char why[LIMITS_FILE_WHY], text[800];
	struct counts *c;
	bool aside;

	if (m->file != NULL)
		return true;
	if (m->again != 0 && m->now(m->of) < m->again)
		return false;
	m->file = limits_file_open(m->path, &aside, why);
	if (aside) {
		snprintf(text, sizeof(text), "limits: %.400s: %.200s: put aside "
		         "as .damaged, counting begins anew", m->path, why);
		tell(m, true, text);
	}
	if (m->file == NULL) {
		if (!m->anew)
			mark_all(m);
		tell_trouble(m, why);
		return false;
	}
	/* opened for the first time, late: what it holds is not yet counted */
	for (c = m->counts; c != NULL && !m->opened; c = c->next)
		if (!load(m, c, why))
			tell_trouble(m, why);
	if (!m->opened || m->anew)
		mark_all(m); /* what is past goes from the file, too */
	m->opened = true;
	return true;
}

struct batch {
	struct limits_record record;
	char key[LIMITS_KEY];
	bool gone;
};

/* Those that are to be written, the first of them. */
static size_t
take_batch(struct memory *m, struct batch *batch)
{
	struct entry *e;
	size_t n = 0;

	pthread_mutex_lock(&m->lock);
	while (n < BATCH && (e = TAILQ_FIRST(&m->dirty)) != NULL) {
		struct batch *b = &batch[n++];

		unmark(m, e);
		memcpy(b->record.id, e->of->id, sizeof(b->record.id));
		memcpy(b->key, e->key, e->n);
		b->record.key = (struct span){b->key, e->n};
		b->record.width = e->of->width;
		b->record.window = e->window;
		b->gone = e->gone;
		if (e->gone)
			free(e);
	}
	pthread_mutex_unlock(&m->lock);
	return n;
}

static bool
write_all(struct memory *m, struct batch *batch, char why[LIMITS_FILE_WHY])
{
	size_t n, i;

	while ((n = take_batch(m, batch)) > 0)
		for (i = 0; i < n; i++)
			if (batch[i].gone ?
			    !limits_file_remove(m->file, &batch[i].record, why) :
			    !limits_file_put(m->file, &batch[i].record, why))
				return false;
	return true;
}

static void
set_anew(struct memory *m, bool anew)
{
	pthread_mutex_lock(&m->lock);
	m->anew = anew;
	pthread_mutex_unlock(&m->lock);
}

static bool
write_file(struct memory *m, struct batch *batch, char why[LIMITS_FILE_WHY])
{
	bool anew = m->anew; /* only the file's owner changes it */

	if (!limits_file_begin(m->file, why) ||
	    (anew && !limits_file_empty(m->file, why)))
		return false;
	if (anew)
		set_anew(m, false); /* who is forgotten now was written */
	return write_all(m, batch, why) && limits_file_commit(m->file, why);
}

/* Those that count nothing any more. */
static void
purge(struct memory *m)
{
	struct counts *c;
	struct entry *e;
	int64_t now;
	int i;

	pthread_mutex_lock(&m->lock);
	now = m->now(m->of);
	for (c = m->counts; c != NULL; c = c->next)
		for (i = 0; i < PURGE; i++) {
			e = TAILQ_LAST(&c->used, entries);
			if (e == NULL || !is_idle(c, e, now))
				break;
			forget(m, e);
		}
	pthread_mutex_unlock(&m->lock);
}

static bool
has_dirty(struct memory *m)
{
	bool has;

	pthread_mutex_lock(&m->lock);
	has = !TAILQ_EMPTY(&m->dirty) || m->anew;
	pthread_mutex_unlock(&m->lock);
	return has;
}

static void
save(struct limits *l)
{
	struct memory *m = (struct memory *)l;
	char why[LIMITS_FILE_WHY];
	struct batch *batch;

	purge(m);
	if (m->path == NULL || !has_dirty(m))
		return;
	batch = malloc(BATCH * sizeof(*batch));
	pthread_mutex_lock(&m->file_lock);
	if (batch != NULL && open_file(m)) {
		if (write_file(m, batch, why)) {
			tell_good(m);
		} else {
			limits_file_close(m->file);
			m->file = NULL;
			mark_all(m);
			tell_trouble(m, why);
		}
	}
	pthread_mutex_unlock(&m->file_lock);
	free(batch);
}

static void *
writer(void *of)
{
	struct memory *m = of;
	struct timespec until;

	pthread_mutex_lock(&m->lock);
	while (!m->ending) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += SAVE_SECONDS;
		pthread_cond_timedwait(&m->wake, &m->lock, &until);
		pthread_mutex_unlock(&m->lock);
		save(&m->base);
		pthread_mutex_lock(&m->lock);
	}
	pthread_mutex_unlock(&m->lock);
	return NULL;
}

/* ---- a policy comes into force ---- */

static bool
names(const struct policy *p, const struct counts *c)
{
	size_t i, n;
	const struct limit *limits = policy_limits(p, &n);

	for (i = 0; i < n; i++)
		if (is_of(c, &limits[i]))
			return true;
	return false;
}

/* Limits of policies that are gone, once they count nothing. */
static void
drop_idle(struct memory *m, const struct policy *p)
{
	int64_t now = m->now(m->of);
	struct counts **at = &m->counts, *c;
	struct entry *e;

	while ((c = *at) != NULL) {
		while ((e = TAILQ_LAST(&c->used, entries)) != NULL &&
		       is_idle(c, e, now))
			forget(m, e);
		if (c->n > 0 || names(p, c) || !TAILQ_EMPTY(&m->dirty)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		counts_free(c);
	}
}

static void
prepare_limit(struct memory *m, const struct limit *limit)
{
	char why[LIMITS_FILE_WHY];
	struct counts *c;
	bool made;

	pthread_mutex_lock(&m->lock);
	made = find_counts(m, limit) == NULL;
	c = counts_of(m, limit);
	if (c != NULL && c->width != window_width(limit->seconds))
		refit(c, window_width(limit->seconds));
	pthread_mutex_unlock(&m->lock);
	if (c != NULL && made && m->file != NULL && !load(m, c, why))
		tell_trouble(m, why);
}

static void
prepare(struct limits *l, const struct policy *p)
{
	struct memory *m = (struct memory *)l;
	size_t i, n;
	const struct limit *limits = policy_limits(p, &n);

	pthread_mutex_lock(&m->file_lock);
	pthread_mutex_lock(&m->lock);
	drop_idle(m, p);
	pthread_mutex_unlock(&m->lock);
	for (i = 0; i < n; i++)
		prepare_limit(m, &limits[i]);
	if (n > 0 && m->path != NULL)
		open_file(m);
	if (n > 0 && m->path != NULL && !m->writes) {
		m->writes = pthread_create(&m->writer, NULL, writer, m) == 0;
		if (!m->writes)
			tell(m, true, "limits: no thread to save them: a "
			     "crash would forget them");
	}
	pthread_mutex_unlock(&m->file_lock);
}

/* ---- begin and end ---- */

static void
memory_free(struct limits *l)
{
	struct memory *m = (struct memory *)l;
	struct counts *c;
	struct entry *e;

	pthread_mutex_lock(&m->lock);
	m->ending = true;
	pthread_cond_signal(&m->wake);
	pthread_mutex_unlock(&m->lock);
	if (m->writes)
		pthread_join(m->writer, NULL);
	save(l);
	limits_file_close(m->file);
	while ((e = TAILQ_FIRST(&m->dirty)) != NULL) {
		unmark(m, e);
		if (e->gone)
			free(e);
	}
	while ((c = m->counts) != NULL) {
		m->counts = c->next;
		counts_free(c);
	}
	pthread_cond_destroy(&m->wake);
	pthread_mutex_destroy(&m->lock);
	pthread_mutex_destroy(&m->file_lock);
	free(m->path);
	free(m);
}

static const struct limits_kind memory_kind = {
	.ask = ask, .add = add, .prepare = prepare, .top = top,
	.clear = clear, .save = save, .free = memory_free,
};

struct limits *
limits_memory(size_t keys, const char *path, int64_t (*now)(void *of),
              void *of, const struct limits_teller *teller)
{
	struct memory *m = calloc(1, sizeof(*m));
	pthread_condattr_t monotonic;

	if (m == NULL)
		return NULL;
	m->base.kind = &memory_kind;
	TAILQ_INIT(&m->dirty);
	m->most = keys;
	m->now = now != NULL ? now : system_clock;
	m->of = of;
	if (teller != NULL)
		m->teller = *teller;
	if ((path != NULL && (m->path = strdup(path)) == NULL) ||
	    getrandom(m->seed, sizeof(m->seed), 0) != sizeof(m->seed)) {
		free(m->path);
		free(m);
		return NULL;
	}
	pthread_mutex_init(&m->lock, NULL);
	pthread_mutex_init(&m->file_lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&m->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return &m->base;
}
