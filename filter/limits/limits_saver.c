/*
 * Two locks: the ledger's is held for some memory accesses, that of the file
 * while it is written. Who wants both takes the file's first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "limits_file.h"
#include "limits_saver.h"

#define SAVE_SECONDS 2
#define AGAIN_SECONDS 10  /* until a file that can't be had is tried again */
#define PURGE 1000        /* idle keys of a limit that are dropped at a time */
#define BATCH 256         /* records that are copied under the lock at once */

struct saver {
	struct ledger *ledger;
	char *path;               /* NULL: none */
	pthread_mutex_t lock;     /* of the file */
	struct limits_file *file; /* NULL: it can't be had now */
	int64_t tried;            /* when that was, by the ledger's clock */
	bool opened, troubled;    /* once; and that was told */
	pthread_t writer;
	pthread_cond_t wake;
	bool writes, ending;
};

struct loading {
	struct saver *s;
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
	e = entry_find(l->s->ledger, c, r->key);
	if (e == NULL)
		e = entry_add(l->s->ledger, c, r->key, l->now);
	if (e == NULL)
		return;
	window_move(&e->window, c->width, l->now);
	for (i = 0; i < WINDOW_PARTS; i++)
		e->window.part[i] += w.part[i];
}

static void
tell_trouble(struct saver *s, const char *why)
{
	char text[1024];

	s->tried = ledger_now(s->ledger);
	if (s->troubled)
		return;
	s->troubled = true;
	snprintf(text, sizeof(text), "limits: %.400s: %.400s: counting goes on "
	         "in memory, a restart would forget it", s->path, why);
	ledger_tell(s->ledger, true, text);
}

static void
tell_good(struct saver *s)
{
	char text[600];

	if (!s->troubled)
		return;
	s->troubled = false;
	snprintf(text, sizeof(text), "limits: %.400s: saved again", s->path);
	ledger_tell(s->ledger, false, text);
}

/* The records of a limit, into its counts; with both locks. */
static bool
load(struct saver *s, struct counts *c, char why[LIMITS_FILE_WHY])
{
	struct loading l = {s, c, ledger_now(s->ledger)};

	return limits_file_each(s->file, c->id, take_record, &l, why);
}

static bool
load_all(struct saver *s, char why[LIMITS_FILE_WHY])
{
	struct counts *c;
	bool good = true;

	pthread_mutex_lock(&s->ledger->lock);
	for (c = s->ledger->first; c != NULL && good; c = c->next)
		good = load(s, c, why);
	pthread_mutex_unlock(&s->ledger->lock);
	return good;
}

/* What the file lacks by now is not known: it is to be written as a whole. */
static void
mark_all(struct saver *s)
{
	pthread_mutex_lock(&s->ledger->lock);
	ledger_mark_all(s->ledger);
	pthread_mutex_unlock(&s->ledger->lock);
}

/* The clock may have been set back. */
static bool
may_try(const struct saver *s)
{
	int64_t since = ledger_now(s->ledger) - s->tried;

	return since < 0 || since >= AGAIN_SECONDS * 1000;
}

/* With the file's lock. */
static bool
open_file(struct saver *s)
{
	char why[LIMITS_FILE_WHY], text[800];
	bool aside;

	if (s->file != NULL)
		return true;
	if (!may_try(s))
		return false;
	s->file = limits_file_open(s->path, &aside, why);
	if (aside) {
		snprintf(text, sizeof(text), "limits: %.400s: %.200s: put aside "
		         "as .damaged, counting begins anew", s->path, why);
		ledger_tell(s->ledger, true, text);
	}
	if (s->file == NULL) {
		if (!s->ledger->anew)
			mark_all(s);
		tell_trouble(s, why);
		return false;
	}
	/* opened for the first time, late: what it holds is not yet counted */
	if (!s->opened && !load_all(s, why))
		tell_trouble(s, why);
	if (!s->opened || s->ledger->anew)
		mark_all(s); /* what is past goes from the file, too */
	s->opened = true;
	return true;
}

struct batch {
	struct limits_record record;
	char key[LIMITS_KEY];
	bool gone;
};

/* Those that are to be written, the first of them. */
static size_t
take_batch(struct saver *s, struct batch *batch)
{
	struct entry *e;
	size_t n = 0;

	pthread_mutex_lock(&s->ledger->lock);
	while (n < BATCH && (e = TAILQ_FIRST(&s->ledger->dirty)) != NULL) {
		struct batch *b = &batch[n++];

		memcpy(b->record.id, e->of->id, sizeof(b->record.id));
		memcpy(b->key, e->key, e->n);
		b->record.key = (struct span){b->key, e->n};
		b->record.width = e->of->width;
		b->record.window = e->window;
		b->gone = e->gone;
		entry_written(s->ledger, e);
	}
	pthread_mutex_unlock(&s->ledger->lock);
	return n;
}

static bool
write_all(struct saver *s, struct batch *batch, char why[LIMITS_FILE_WHY])
{
	size_t n, i;

	while ((n = take_batch(s, batch)) > 0)
		for (i = 0; i < n; i++)
			if (batch[i].gone ?
			    !limits_file_remove(s->file, &batch[i].record, why) :
			    !limits_file_put(s->file, &batch[i].record, why))
				return false;
	return true;
}

static void
set_anew(struct saver *s, bool anew)
{
	pthread_mutex_lock(&s->ledger->lock);
	s->ledger->anew = anew;
	pthread_mutex_unlock(&s->ledger->lock);
}

static bool
write_file(struct saver *s, struct batch *batch, char why[LIMITS_FILE_WHY])
{
	bool anew = s->ledger->anew; /* only the file's owner changes it */

	if (!limits_file_begin(s->file, why) ||
	    (anew && !limits_file_empty(s->file, why)))
		return false;
	if (anew)
		set_anew(s, false); /* who is forgotten now was written */
	return write_all(s, batch, why) && limits_file_commit(s->file, why);
}

/* Those that count nothing any more. */
static void
purge(struct saver *s)
{
	struct counts *c;

	pthread_mutex_lock(&s->ledger->lock);
	for (c = s->ledger->first; c != NULL; c = c->next)
		counts_purge(s->ledger, c, PURGE);
	pthread_mutex_unlock(&s->ledger->lock);
}

static bool
has_dirty(struct saver *s)
{
	bool has;

	pthread_mutex_lock(&s->ledger->lock);
	has = !TAILQ_EMPTY(&s->ledger->dirty) || s->ledger->anew;
	pthread_mutex_unlock(&s->ledger->lock);
	return has;
}

void
saver_save(struct saver *s)
{
	char why[LIMITS_FILE_WHY];
	struct batch *batch;

	purge(s);
	if (s->path == NULL || !has_dirty(s))
		return;
	batch = malloc(BATCH * sizeof(*batch));
	pthread_mutex_lock(&s->lock);
	if (batch != NULL && open_file(s)) {
		if (write_file(s, batch, why)) {
			tell_good(s);
		} else {
			limits_file_close(s->file);
			s->file = NULL;
			mark_all(s);
			tell_trouble(s, why);
		}
	}
	pthread_mutex_unlock(&s->lock);
	free(batch);
}

static void *
writer(void *of)
{
	struct saver *s = of;
	struct timespec until;

	pthread_mutex_lock(&s->ledger->lock);
	while (!s->ending) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += SAVE_SECONDS;
		pthread_cond_timedwait(&s->wake, &s->ledger->lock, &until);
		pthread_mutex_unlock(&s->ledger->lock);
		saver_save(s);
		pthread_mutex_lock(&s->ledger->lock);
	}
	pthread_mutex_unlock(&s->ledger->lock);
	return NULL;
}

/* ---- a policy comes into force ---- */

static void
prepare_limit(struct saver *s, const struct limit *limit)
{
	const int64_t width = window_width(limit->seconds);
	char why[LIMITS_FILE_WHY];
	struct counts *c;
	bool made, good = true;

	pthread_mutex_lock(&s->ledger->lock);
	made = ledger_find(s->ledger, limit) == NULL;
	c = ledger_counts(s->ledger, limit);
	if (c != NULL && c->width != width)
		counts_refit(c, width);
	if (c != NULL && made && s->file != NULL)
		good = load(s, c, why);
	pthread_mutex_unlock(&s->ledger->lock);
	if (!good)
		tell_trouble(s, why);
}

void
saver_prepare(struct saver *s, const struct policy *p)
{
	size_t i, n;
	const struct limit *limits = policy_limits(p, &n);

	pthread_mutex_lock(&s->lock);
	pthread_mutex_lock(&s->ledger->lock);
	ledger_drop_idle(s->ledger, p);
	pthread_mutex_unlock(&s->ledger->lock);
	for (i = 0; i < n; i++)
		prepare_limit(s, &limits[i]);
	if (n > 0 && s->path != NULL)
		open_file(s);
	if (n > 0 && s->path != NULL && !s->writes) {
		s->writes = pthread_create(&s->writer, NULL, writer, s) == 0;
		if (!s->writes)
			ledger_tell(s->ledger, true, "limits: no thread to "
			            "save them: a crash would forget them");
	}
	pthread_mutex_unlock(&s->lock);
}

/* ---- begin and end ---- */

struct saver *
saver_new(struct ledger *g, const char *path)
{
	struct saver *s = calloc(1, sizeof(*s));
	pthread_condattr_t monotonic;

	if (s != NULL && path != NULL)
		s->path = strdup(path);
	if (s == NULL || (path != NULL && s->path == NULL)) {
		free(s);
		return NULL;
	}
	s->ledger = g;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return s;
}

void
saver_free(struct saver *s)
{
	pthread_mutex_lock(&s->ledger->lock);
	s->ending = true;
	pthread_cond_signal(&s->wake);
	pthread_mutex_unlock(&s->ledger->lock);
	if (s->writes)
		pthread_join(s->writer, NULL);
	saver_save(s);
	limits_file_close(s->file);
	pthread_cond_destroy(&s->wake);
	pthread_mutex_destroy(&s->lock);
	free(s->path);
	free(s);
}
