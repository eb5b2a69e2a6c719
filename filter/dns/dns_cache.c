/*
 * dns_cache.c - answers kept for their TTL.
 *
 * One lock, held for a look-up and a splice.  The order of use is a ring;
 * what was used least goes first.  Names are chosen by strangers, so the
 * hash is keyed.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "ascii.h"
#include "dns_answer.h"
#include "siphash.h"

#define BUCKETS 16384 /* a power of two */

struct entry {
	struct entry *chain;
	struct entry *newer, *older;
	struct dns_answer *answer;
	int64_t until; /* dns_now */
	uint64_t hash;
	size_t size;
	enum dns_type type;
	size_t n;
	char name[];   /* in lower case */
};

struct dns_cache {
	pthread_mutex_t lock;
	uint64_t key[2];
	size_t limit, bytes, entries;
	uint64_t evicted;
	struct entry *newest, *oldest;
	struct entry *bucket[BUCKETS];
};

struct dns_cache *
dns_cache_new(size_t bytes)
{
	struct dns_cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	if (getrandom(c->key, sizeof(c->key), 0) != sizeof(c->key) ||
	    pthread_mutex_init(&c->lock, NULL) != 0) {
		free(c);
		return NULL;
	}
	c->limit = bytes;
	return c;
}

static void
free_entry(struct entry *e)
{
	dns_answer_unref(e->answer);
	free(e);
}

void
dns_cache_free(struct dns_cache *c)
{
	struct entry *e, *older;

	if (c == NULL)
		return;
	for (e = c->newest; e != NULL; e = older) {
		older = e->older;
		free_entry(e);
	}
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static void
unlink_use(struct dns_cache *c, struct entry *e)
{
	*(e->newer != NULL ? &e->newer->older : &c->newest) = e->older;
	*(e->older != NULL ? &e->older->newer : &c->oldest) = e->newer;
}

static void
link_newest(struct dns_cache *c, struct entry *e)
{
	e->newer = NULL;
	e->older = c->newest;
	*(c->newest != NULL ? &c->newest->newer : &c->oldest) = e;
	c->newest = e;
}

static void
drop(struct dns_cache *c, struct entry *e)
{
	struct entry **at = &c->bucket[e->hash & (BUCKETS - 1)];

	while (*at != e)
		at = &(*at)->chain;
	*at = e->chain;
	unlink_use(c, e);
	c->bytes -= e->size;
	c->entries--;
	free_entry(e);
}

struct key {
	char name[DNS_NAME];
	size_t n;
	enum dns_type type;
	uint64_t hash;
};

static void
make_key(struct dns_cache *c, struct key *k, struct span name,
         enum dns_type type)
{
	size_t i;

	for (i = 0; i < name.n; i++)
		k->name[i] = ascii_lower(name.p[i]);
	k->n = name.n;
	k->type = type;
	k->hash = siphash(c->key, (struct span){k->name, k->n}) ^
	          (uint64_t)type;
}

static struct entry *
find(struct dns_cache *c, const struct key *k)
{
	struct entry *e = c->bucket[k->hash & (BUCKETS - 1)];

	for (; e != NULL; e = e->chain)
		if (e->hash == k->hash && e->type == k->type && e->n == k->n &&
		    memcmp(e->name, k->name, k->n) == 0)
			return e;
	return NULL;
}

struct dns_answer *
dns_cache_get(struct dns_cache *c, struct span name, enum dns_type type,
              int64_t now)
{
	struct dns_answer *a = NULL;
	struct entry *e;
	struct key k;

	make_key(c, &k, name, type);
	pthread_mutex_lock(&c->lock);
	e = find(c, &k);
	if (e != NULL && e->until <= now) {
		drop(c, e);
	} else if (e != NULL) {
		unlink_use(c, e);
		link_newest(c, e);
		a = dns_answer_ref(e->answer);
	}
	pthread_mutex_unlock(&c->lock);
	return a;
}

static void
put(struct dns_cache *c, struct entry *e, const struct key *k)
{
	struct entry *old = find(c, k);
	struct entry **at = &c->bucket[k->hash & (BUCKETS - 1)];

	if (old != NULL)
		drop(c, old);
	while (c->oldest != NULL && c->bytes + e->size > c->limit) {
		drop(c, c->oldest);
		c->evicted++;
	}
	e->chain = *at;
	*at = e;
	link_newest(c, e);
	c->bytes += e->size;
	c->entries++;
}

void
dns_cache_put(struct dns_cache *c, struct span name, enum dns_type type,
              struct dns_answer *a, int64_t now)
{
	size_t size = sizeof(struct entry) + name.n;
	struct entry *e;
	struct key k;

	/* one that would push out a good part of the others is not kept */
	if (a->ttl == 0 || size + a->size > c->limit / 8)
		return;
	e = malloc(size);
	if (e == NULL)
		return;
	make_key(c, &k, name, type);
	memcpy(e->name, k.name, k.n);
	e->n = k.n;
	e->type = type;
	e->hash = k.hash;
	e->size = size + a->size;
	e->until = now + (int64_t)a->ttl * 1000000000;
	e->answer = dns_answer_ref(a);
	pthread_mutex_lock(&c->lock);
	put(c, e, &k);
	pthread_mutex_unlock(&c->lock);
}

void
dns_cache_stats(struct dns_cache *c, struct dns_stats *s)
{
	pthread_mutex_lock(&c->lock);
	s->cache_entries = c->entries;
	s->cache_bytes = c->bytes;
	s->evicted = c->evicted;
	pthread_mutex_unlock(&c->lock);
}
