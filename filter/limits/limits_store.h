/*
 * limits_store.h - what has been counted against the limits, by limit and key.
 *
 * A message takes its place in a limit when it is asked whether that is over,
 * all at once with the answer; what it does not need in the end, for it is
 * refused or the client goes away, is given back. So no number of messages at
 * a time lets more through than the limit. Any thread, any number at once.
 */
#ifndef LIMITS_STORE_H
#define LIMITS_STORE_H

#include <stdbool.h>
#include <stdint.h>

#include "limit.h"
#include "policy.h"

#define LIMITS_KEY 200 /* bytes of a key at most */
#define LIMITS_WHY 256

struct limits;

struct limits_found {
	uint64_t used;    /* without what was asked for */
	int64_t when;     /* it was taken, as limits_add wants it to be told */
	char why[LIMITS_WHY]; /* of TRUTH_FAILED */
};

/* A key, for who looks at them. */
struct limits_row {
	char *key;        /* n bytes and a NUL */
	size_t n;
	uint64_t used;
	int64_t free_in;  /* seconds until less than the limit is used */
};

/* Where counts live. */
struct limits_kind {
	enum truth (*ask)(struct limits *l, const struct limit *limit,
	                  struct span key, uint64_t n, bool take,
	                  struct limits_found *found);
	void (*add)(struct limits *l, const struct limit *limit,
	            struct span key, int64_t n, int64_t when);
	void (*prepare)(struct limits *l, const struct policy *p);
	struct limits_row *(*top)(struct limits *l, const struct limit *limit,
	                          size_t most, size_t *n, size_t *all,
	                          char why[LIMITS_WHY]);
	int (*clear)(struct limits *l, const struct limit *limit,
	             struct span key, char why[LIMITS_WHY]);
	void (*save)(struct limits *l);
	void (*free)(struct limits *l);
};

struct limits {
	const struct limits_kind *kind;
};

/*
 * Yes: with n more it would be over. No, and with take the n are counted
 * now. Or failed: nobody knows.
 */
enum truth limits_ask(struct limits *l, const struct limit *limit,
                      struct span key, uint64_t n, bool take,
                      struct limits_found *found);

/*
 * n more, whatever the limit; less than 0: what was taken at a time is given
 * back. Never waits for anybody else.
 */
void limits_add(struct limits *l, const struct limit *limit, struct span key,
                int64_t n, int64_t when);

/* The policy is to come into force: its limits are made ready. */
void limits_prepare(struct limits *l, const struct policy *p);

/*
 * The keys of which most is used, at most so many; *all: how many keys there
 * are. To be freed by limits_rows_free. NULL: why says why not.
 */
struct limits_row *limits_top(struct limits *l, const struct limit *limit,
                              size_t most, size_t *n, size_t *all,
                              char why[LIMITS_WHY]);
void limits_rows_free(struct limits_row *rows, size_t n);

/* The most used first. */
bool limits_row_before(const struct limits_row *a, const struct limits_row *b);
void limits_rows_sort(struct limits_row *rows, size_t n);

/* Forgets a key: 1, or 0: it was not there; -1: why says why not. */
int limits_clear(struct limits *l, const struct limit *limit,
                 struct span key, char why[LIMITS_WHY]);

/* What is counted by now is on the disk when it returns, if it can be. */
void limits_save(struct limits *l);
void limits_free(struct limits *l);

/* The one spelling of a value as a key; p NULL without memory. */
struct span limits_key(struct arena *a, const struct limit *limit,
                       const struct value *v);

/* ---- makers ---- */

struct limits_teller {
	void (*tell)(void *of, bool bad, const char *text); /* or NULL */
	void *of;
};

/*
 * In memory, at most so many keys a limit: past them those that were used
 * longest ago are forgotten. path, if not NULL: a file in which they are
 * saved every other second. now: the clock; NULL: the system's. NULL without
 * memory; a file that can't be had is told and tried again.
 */
struct limits *limits_memory(size_t keys, const char *path,
                             int64_t (*now)(void *of), void *of,
                             const struct limits_teller *teller);

/*
 * On a Redis or Valkey server, for all who ask it, by the server's clock. A
 * server that can't be had is told once, and again when it is back. NULL: why
 * says why not.
 */
struct limits *limits_redis(const struct limit_server *server,
                            const struct limits_teller *teller,
                            char why[LIMITS_WHY]);

/* As a scenario says: for explain and the policy's tests. In a. */
struct limits *limits_said(struct arena *a, const struct policy *p,
                           const struct scenario *s);

#endif
