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
#include <time.h>

#include "limits_counts.h"

#define SAVE_SECONDS 2
#define AGAIN_SECONDS 10  /* until a file that can't be had is tried again */
#define PURGE 1000        /* idle keys of a limit that are dropped at a time */
#define BATCH 256         /* records that are copied under the lock at once */

struct memory {
	struct limits base;
	pthread_mutex_t lock;
	struct ledger ledger;     /* anew: only with both locks */
	int64_t (*now)(void *of);
	void *of;

	char *path;               /* NULL: none */
	pthread_mutex_t file_lock;
	struct limits_file *file; /* NULL: it can't be had now */
	int64_t again;            /* when it is tried again, by the clock */
	bool opened, troubled;    /* once; and that was told */
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
	if (m->ledger.teller.tell != NULL)
		m->ledger.teller.tell(m->ledger.teller.of, bad, text);
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
	struct counts *c = ledger_counts(&m->ledger, limit);
	struct entry *e = c == NULL ? NULL : entry_find(&m->ledger, c, key);
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
		e = entry_add(&m->ledger, c, key, now);
	if (e == NULL)
		return failed(found, "no memory");
	window_add(&e->window, n);
	found->when = window_when(&e->window, c->width);
	entry_use(&m->ledger, e);
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
	struct counts *c = ledger_counts(&m->ledger, limit);
	struct entry *e = c == NULL ? NULL : entry_find(&m->ledger, c, key);
	int64_t now = m->now(m->of);

	if (e == NULL && c != NULL && n > 0)
		e = entry_add(&m->ledger, c, key, now);
	if (e == NULL)
		return;
	window_move(&e->window, c->width, now);
	if (n > 0) {
		window_add(&e->window, (uint64_t)n);
		entry_use(&m->ledger, e);
	} else {
		window_take_back(&e->window, c->width, (uint64_t)-n, when);
		entry_mark(&m->ledger, e);
	}
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

static struct limits_row *
top(struct limits *l, const struct limit *limit, size_t most, size_t *n,
    size_t *all, char why[LIMITS_WHY])
{
	struct memory *m = (struct memory *)l;
	struct limits_row *rows = NULL;
	struct counts *c;

	pthread_mutex_lock(&m->lock);
	c = ledger_counts(&m->ledger, limit);
	if (c != NULL)
		rows = counts_top(c, limit, m->now(m->of), most, n, all);
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
	c = ledger_find(&m->ledger, limit);
	e = c == NULL ? NULL : entry_find(&m->ledger, c, key);
	if (e != NULL)
		entry_forget(&m->ledger, e);
	pthread_mutex_unlock(&m->lock);
	return e != NULL;
}

/* ---- the file ---- */

struct loading {
	struct memory *m;
	struct counts *c;
	int64_t now;
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
	e = entry_find(&l->m->ledger, c, r->key);
	if (e == NULL)
		e = entry_add(&l->m->ledger, c, r->key, l->now);
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
	pthread_mutex_lock(&m->lock);
	ledger_mark_all(&m->ledger);
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
		if (!m->ledger.anew)
			mark_all(m);
		tell_trouble(m, why);
		return false;
	}
	/* opened for the first time, late: what it holds is not yet counted */
	for (c = m->ledger.first; c != NULL && !m->opened; c = c->next)
		if (!load(m, c, why))
			tell_trouble(m, why);
	if (!m->opened || m->ledger.anew)
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
	while (n < BATCH && (e = TAILQ_FIRST(&m->ledger.dirty)) != NULL) {
		struct batch *b = &batch[n++];

		memcpy(b->record.id, e->of->id, sizeof(b->record.id));
		memcpy(b->key, e->key, e->n);
		b->record.key = (struct span){b->key, e->n};
		b->record.width = e->of->width;
		b->record.window = e->window;
		b->gone = e->gone;
		entry_written(&m->ledger, e);
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
	m->ledger.anew = anew;
	pthread_mutex_unlock(&m->lock);
}

static bool
write_file(struct memory *m, struct batch *batch, char why[LIMITS_FILE_WHY])
{
	bool anew = m->ledger.anew; /* only the file's owner changes it */

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

	pthread_mutex_lock(&m->lock);
	for (c = m->ledger.first; c != NULL; c = c->next)
		counts_purge(&m->ledger, c, m->now(m->of), PURGE);
	pthread_mutex_unlock(&m->lock);
}

static bool
has_dirty(struct memory *m)
{
	bool has;

	pthread_mutex_lock(&m->lock);
	has = !TAILQ_EMPTY(&m->ledger.dirty) || m->ledger.anew;
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

static void
prepare_limit(struct memory *m, const struct limit *limit)
{
	char why[LIMITS_FILE_WHY];
	struct counts *c;
	bool made;

	pthread_mutex_lock(&m->lock);
	made = ledger_find(&m->ledger, limit) == NULL;
	c = ledger_counts(&m->ledger, limit);
	if (c != NULL && c->width != window_width(limit->seconds))
		counts_refit(c, window_width(limit->seconds));
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
	ledger_drop_idle(&m->ledger, p, m->now(m->of));
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

	pthread_mutex_lock(&m->lock);
	m->ending = true;
	pthread_cond_signal(&m->wake);
	pthread_mutex_unlock(&m->lock);
	if (m->writes)
		pthread_join(m->writer, NULL);
	save(l);
	limits_file_close(m->file);
	ledger_end(&m->ledger);
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
	m->now = now != NULL ? now : system_clock;
	m->of = of;
	if ((path != NULL && (m->path = strdup(path)) == NULL) ||
	    !ledger_begin(&m->ledger, keys, path != NULL, teller)) {
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
