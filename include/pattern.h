/*
 * pattern.h - regular expressions: PCRE2 decides, a Hyperscan prefilter
 * (where it is built in) says which patterns of a set can be left alone.
 * Results are the same with and without it.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <stdint.h>

#include "arena.h"
#include "truth.h"

struct pattern;

/*
 * Compiles. flags are letters of "imsx"; raw: the subject is bytes, else
 * valid UTF-8. On a mistake NULL, with *message in a and *offset in text.
 */
struct pattern *pattern_new(struct arena *a, struct span text,
                            struct span flags, bool raw,
                            struct span *message, size_t *offset);
void pattern_free(struct pattern *p);

/* What all matches of a message may still take together. */
struct pattern_work {
	int64_t left; /* nanoseconds */
};

/* Given with each match; 0 stands for the library's own. */
struct pattern_limits {
	unsigned match, depth;
	unsigned heap_kib;
	struct pattern_work *work; /* or NULL: no bound */
};

/*
 * yes, no, or failed (a limit was hit). groups, if not NULL, takes the
 * groups 0 to 9, in subject; .p NULL where a group took no part.
 */
#define PATTERN_GROUPS 10
enum truth pattern_match(const struct pattern *p, struct span subject,
                         const struct pattern_limits *limits,
                         struct span groups[PATTERN_GROUPS]);

/* How many groups it has (0: none). */
unsigned pattern_groups(const struct pattern *p);

/*
 * Every match replaced by what fill makes of its groups. *out is in a, or
 * subject itself if nothing matched (no). failed: a limit or no memory.
 */
enum truth pattern_replace(const struct pattern *p, struct span subject,
                           const struct pattern_limits *limits,
                           struct span (*fill)(void *of, const struct span *groups),
                           void *of, struct arena *a, struct span *out);

/* ---- sets ---- */

struct pattern_set;

/*
 * The n patterns, all raw or all not. They must outlive the set. Never NULL;
 * without Hyperscan, or where it can't express a pattern, all are candidates.
 */
struct pattern_set *pattern_set_new(struct pattern *const *patterns, size_t n);
void pattern_set_free(struct pattern_set *s);

/* Bytes that a set of candidates needs: one bit a pattern. */
size_t pattern_set_bytes(const struct pattern_set *s);

/*
 * Sets the bits of the patterns that may match subject; the others do not.
 * Any thread, any number at once.
 */
void pattern_set_scan(const struct pattern_set *s, struct span subject,
                      unsigned char *candidates);

/* "Hyperscan 5.4.0", "Vectorscan ...", or "none". */
const char *pattern_prefilter(void);

/* Tests turn the prefilter off (VAGLIO_PREFILTER=no in the environment
 * does it too), before any set is made. */
void pattern_prefilter_off(void);

#endif
