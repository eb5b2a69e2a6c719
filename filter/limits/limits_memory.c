/*
 * limits_memory.c - counts in this process, saved in a file if there is one
 * (limits_saver.h).
 */
#include <stdio.h>
#include <stdlib.h>

#include "limits_saver.h"

struct memory {
	struct limits base;
	struct ledger ledger;
	struct saver *saver;
};

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
	now = ledger_now(&m->ledger);
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

	pthread_mutex_lock(&m->ledger.lock);
	t = ask_locked(m, limit, key, n, take, found);
	pthread_mutex_unlock(&m->ledger.lock);
	return t;
}

static void
add_locked(struct memory *m, const struct limit *limit, struct span key,
           int64_t n, int64_t when)
{
	struct counts *c = ledger_counts(&m->ledger, limit);
	struct entry *e = c == NULL ? NULL : entry_find(&m->ledger, c, key);
	int64_t now = ledger_now(&m->ledger);

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

	pthread_mutex_lock(&m->ledger.lock);
	add_locked(m, limit, key, n, when);
	pthread_mutex_unlock(&m->ledger.lock);
}

/* ---- who looks at them ---- */

static struct limits_row *
top(struct limits *l, const struct limit *limit, size_t most, size_t *n,
    size_t *all, char why[LIMITS_WHY])
{
	struct memory *m = (struct memory *)l;
	struct limits_row *rows = NULL;
	struct counts *c;

	pthread_mutex_lock(&m->ledger.lock);
	c = ledger_counts(&m->ledger, limit);
	if (c != NULL)
		rows = counts_top(c, limit, ledger_now(&m->ledger), most, n, all);
	pthread_mutex_unlock(&m->ledger.lock);
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
	pthread_mutex_lock(&m->ledger.lock);
	c = ledger_find(&m->ledger, limit);
	e = c == NULL ? NULL : entry_find(&m->ledger, c, key);
	if (e != NULL)
		entry_forget(&m->ledger, e);
	pthread_mutex_unlock(&m->ledger.lock);
	return e != NULL;
}

static void
prepare(struct limits *l, const struct policy *p)
{
	saver_prepare(((struct memory *)l)->saver, p);
}

static void
save(struct limits *l)
{
	saver_save(((struct memory *)l)->saver);
}

/* ---- begin and end ---- */

static void
memory_free(struct limits *l)
{
	struct memory *m = (struct memory *)l;

	saver_free(m->saver);
	ledger_end(&m->ledger);
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

	if (m == NULL)
		return NULL;
	m->base.kind = &memory_kind;
	if (ledger_begin(&m->ledger, keys, path != NULL, teller))
		m->saver = saver_new(&m->ledger, path);
	if (m->saver == NULL) {
		ledger_end(&m->ledger);
		free(m);
		return NULL;
	}
	if (now != NULL) {
		m->ledger.clock = now;
		m->ledger.of = of;
	}
	return &m->base;
}
