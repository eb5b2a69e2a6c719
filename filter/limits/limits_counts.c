#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "limits_counts.h"
#include "siphash.h"

static int64_t
system_clock(void *of)
{
	struct timespec t;

	(void)of;
	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t
ledger_now(const struct ledger *g)
{
	return g->clock(g->of);
}

void
ledger_tell(const struct ledger *g, bool bad, const char *text)
{
	if (g->teller.tell != NULL)
		g->teller.tell(g->teller.of, bad, text);
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
	c->name = span_copy(l->name);
	c->by = span_copy(l->by);
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

struct counts *
ledger_find(const struct ledger *g, const struct limit *l)
{
	struct counts *c;

	for (c = g->first; c != NULL; c = c->next)
		if (is_of(c, l))
			return c;
	return NULL;
}

struct counts *
ledger_counts(struct ledger *g, const struct limit *l)
{
	struct counts *c = ledger_find(g, l);

	if (c != NULL)
		return c;
	c = counts_new(l);
	if (c == NULL)
		return NULL;
	c->next = g->first;
	return g->first = c;
}

/* ---- entries ---- */

void
entry_mark(struct ledger *g, struct entry *e)
{
	if (!g->notes || e->dirty)
		return;
	e->dirty = true;
	TAILQ_INSERT_TAIL(&g->dirty, e, write);
}

void
entry_written(struct ledger *g, struct entry *e)
{
	if (e->dirty)
		TAILQ_REMOVE(&g->dirty, e, write);
	e->dirty = false;
	if (e->gone)
		free(e);
}

static struct entry **
chain_of(const struct ledger *g, const struct counts *c, struct span key)
{
	return &c->chains[siphash(g->seed, key) & (c->n_chains - 1)];
}

/* A copy of it is in the file, perhaps: whoever writes that frees it. */
void
entry_forget(struct ledger *g, struct entry *e)
{
	struct counts *c = e->of;
	struct entry **at = chain_of(g, c, (struct span){e->key, e->n});

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	TAILQ_REMOVE(&c->used, e, use);
	c->n--;
	e->gone = true;
	if (g->notes && !g->anew)
		entry_mark(g, e);
	else
		entry_written(g, e);
}

/* With more chains, if there is memory. */
static void
spread(struct ledger *g, struct counts *c)
{
	struct entry **old = c->chains, *e;
	struct entry **chains = calloc(c->n_chains * 2, sizeof(*chains)), **at;

	if (chains == NULL)
		return;
	free(old);
	c->chains = chains;
	c->n_chains *= 2;
	TAILQ_FOREACH(e, &c->used, use) {
		at = chain_of(g, c, (struct span){e->key, e->n});
		e->chain = *at;
		*at = e;
	}
}

struct entry *
entry_find(const struct ledger *g, const struct counts *c, struct span key)
{
	struct entry *e;

	for (e = *chain_of(g, c, key); e != NULL; e = e->chain)
		if (span_is((struct span){e->key, e->n}, key))
			return e;
	return NULL;
}

void
counts_purge(struct ledger *g, struct counts *c, size_t most)
{
	int64_t now = ledger_now(g);
	struct entry *e;

	for (; most > 0; most--) {
		e = TAILQ_LAST(&c->used, entries);
		if (e == NULL || !window_idle(&e->window, c->width, now))
			break;
		entry_forget(g, e);
	}
}

/* Two idle ones for each new one; and if there are too many, the one that was
 * used longest ago. */
static void
make_room(struct ledger *g, struct counts *c)
{
	char text[256];

	counts_purge(g, c, 2);
	if (c->n < g->most)
		return;
	entry_forget(g, TAILQ_LAST(&c->used, entries));
	if (c->told_full)
		return;
	c->told_full = true;
	snprintf(text, sizeof(text), "limit %.100s: more than %zu keys are in "
	         "use: those used longest ago are forgotten (set limit-keys)",
	         c->name, g->most);
	ledger_tell(g, true, text);
}

struct entry *
entry_add(struct ledger *g, struct counts *c, struct span key, int64_t now)
{
	struct entry *e, **at;

	make_room(g, c);
	if (c->n >= c->n_chains)
		spread(g, c);
	e = calloc(1, sizeof(*e) + key.n + 1);
	if (e == NULL)
		return NULL;
	e->of = c;
	e->n = key.n;
	if (key.n > 0)
		memcpy(e->key, key.p, key.n);
	e->window.at = now / c->width;
	at = chain_of(g, c, key);
	e->chain = *at;
	*at = e;
	TAILQ_INSERT_HEAD(&c->used, e, use);
	c->n++;
	return e;
}

void
entry_use(struct ledger *g, struct entry *e)
{
	TAILQ_REMOVE(&e->of->used, e, use);
	TAILQ_INSERT_HEAD(&e->of->used, e, use);
	entry_mark(g, e);
}

void
counts_refit(struct counts *c, int64_t width)
{
	struct entry *e;

	TAILQ_FOREACH(e, &c->used, use)
		window_refit(&e->window, c->width, width);
	c->width = width;
}

/* ---- the most used ---- */

/* Its text is still the entry's. */
static struct limits_row
row_of(struct entry *e, const struct limit *limit, int64_t now)
{
	const int64_t width = e->of->width;
	struct limits_row row = {.key = e->key, .n = e->n};

	window_move(&e->window, width, now);
	row.used = window_used(&e->window);
	if ((double)row.used >= limit->most)
		row.free_in = (window_free(&e->window, width,
		                           (uint64_t)limit->most) -
		               now + 999) / 1000;
	if (row.free_in < 0)
		row.free_in = 0;
	return row;
}

/* Into its place among the first n; what is past the last of most goes. */
static size_t
put_row(struct limits_row *rows, size_t n, size_t most,
        const struct limits_row *row)
{
	size_t i = n < most ? n : most;

	for (; i > 0 && limits_row_before(row, &rows[i - 1]); i--)
		if (i < most)
			rows[i] = rows[i - 1];
	if (i < most)
		rows[i] = *row;
	return n < most ? n + 1 : most;
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

struct limits_row *
counts_top(struct counts *c, const struct limit *limit, int64_t now,
           size_t most, size_t *n, size_t *all)
{
	struct limits_row *rows = calloc(most + 1, sizeof(*rows)), row;
	struct entry *e;

	*n = *all = 0;
	if (rows == NULL)
		return NULL;
	TAILQ_FOREACH(e, &c->used, use) {
		row = row_of(e, limit, now);
		if (row.used == 0)
			continue;
		*n = put_row(rows, *n, most, &row);
		++*all;
	}
	return copy_keys(rows, *n) ? rows : NULL;
}

/* ---- the whole ---- */

bool
ledger_begin(struct ledger *g, size_t most, bool notes,
             const struct limits_teller *teller)
{
	*g = (struct ledger){
		.most = most, .notes = notes, .clock = system_clock,
	};
	pthread_mutex_init(&g->lock, NULL);
	TAILQ_INIT(&g->dirty);
	if (teller != NULL)
		g->teller = *teller;
	return getrandom(g->seed, sizeof(g->seed), 0) == sizeof(g->seed);
}

void
ledger_end(struct ledger *g)
{
	struct counts *c;
	struct entry *e;

	while ((e = TAILQ_FIRST(&g->dirty)) != NULL)
		entry_written(g, e);
	while ((c = g->first) != NULL) {
		g->first = c->next;
		counts_free(c);
	}
	pthread_mutex_destroy(&g->lock);
}

void
ledger_mark_all(struct ledger *g)
{
	struct counts *c;
	struct entry *e;

	g->anew = true;
	while ((e = TAILQ_FIRST(&g->dirty)) != NULL)
		entry_written(g, e);
	for (c = g->first; c != NULL; c = c->next)
		TAILQ_FOREACH(e, &c->used, use)
			entry_mark(g, e);
}

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

void
ledger_drop_idle(struct ledger *g, const struct policy *p)
{
	struct counts **at = &g->first, *c;

	while ((c = *at) != NULL) {
		counts_purge(g, c, SIZE_MAX);
		/* those that are gone and not yet written are of it */
		if (c->n > 0 || names(p, c) || !TAILQ_EMPTY(&g->dirty)) {
			at = &c->next;
			continue;
		}
		*at = c->next;
		counts_free(c);
	}
}
