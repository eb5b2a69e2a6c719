/*
 * limits_counts.h - counts in memory, by limit and key, in the order of use.
 * What changes is put in a list for who writes it down. Whoever calls, but for
 * begin and end, holds the lock.
 */
#ifndef LIMITS_COUNTS_H
#define LIMITS_COUNTS_H

#include <pthread.h>
#include <sys/queue.h>

#include "limits_file.h"
#include "limits_store.h"
#include "window.h"

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

struct ledger {
	pthread_mutex_t lock;
	int64_t (*clock)(void *of);
	void *of;
	struct counts *first;
	struct entries dirty;     /* what is to be written, in its order */
	bool notes;               /* them: there is a file */
	bool anew;                /* the file is old: all will be written; only
	                             who writes it changes that */
	uint64_t seed[2];
	size_t most;              /* keys a limit */
	struct limits_teller teller;
};

/* most keys a limit. false: no random bytes. */
bool ledger_begin(struct ledger *g, size_t most, bool notes,
                  const struct limits_teller *teller);
void ledger_end(struct ledger *g);

/* Milliseconds since 1970. */
int64_t ledger_now(const struct ledger *g);
void ledger_tell(const struct ledger *g, bool bad, const char *text);

/* The counts of a limit, which is the same if its name, unit and subject are;
 * or NULL. */
struct counts *ledger_find(const struct ledger *g, const struct limit *l);

/* The same, made if it is not there. NULL: no memory. */
struct counts *ledger_counts(struct ledger *g, const struct limit *l);

/* Forgets limits that the policy has not, once they count nothing. */
void ledger_drop_idle(struct ledger *g, const struct policy *p);

/* All of it is to be written: what the file has is not known. */
void ledger_mark_all(struct ledger *g);

/* A limit's time was changed by a reload. */
void counts_refit(struct counts *c, int64_t width);

/* Forgets up to so many keys that count nothing any more. */
void counts_purge(struct ledger *g, struct counts *c, size_t most);

/* The most used keys, as limits_top gives them. NULL: no memory. */
struct limits_row *counts_top(struct counts *c, const struct limit *limit,
                              int64_t now, size_t most, size_t *n,
                              size_t *all);

/* What is counted of the key, or NULL. */
struct entry *entry_find(const struct ledger *g, const struct counts *c,
                         struct span key);

/* NULL: no memory. If there are too many, the oldest makes room. */
struct entry *entry_add(struct ledger *g, struct counts *c, struct span key,
                        int64_t now);

/* It was used now, and is to be written. */
void entry_use(struct ledger *g, struct entry *e);
void entry_mark(struct ledger *g, struct entry *e);

/* It is written; if it is gone, it is freed. */
void entry_written(struct ledger *g, struct entry *e);
void entry_forget(struct ledger *g, struct entry *e);

#endif
