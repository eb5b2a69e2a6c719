/*
 * table.h - sets of keys with values (vaglio.conf(5), TABLES).
 *
 * A table is immutable once it is made; any number of threads may ask.
 */
#ifndef TABLE_H
#define TABLE_H

#include "arena.h"
#include "diag.h"
#include "lookup.h"
#include "pattern.h"
#include "value.h"

struct table;

enum table_result { TABLE_NO, TABLE_YES, TABLE_FAILED };

struct table_answer {
	const struct span *values; /* of the entry found; in the table or in a */
	size_t n;
	struct span why;           /* of TABLE_FAILED */
};

/* How a policy asks: decides how keys are read and looked up. */
struct table_context {
	char recipient_delimiter;  /* or 0 */
	struct pattern_limits limits;
	const struct lookup_dns *dns; /* or NULL: the DNS is not asked */
	struct lookup_wait *wait;     /* for servers; or NULL: no bound */
};

/* An entry as it was written, for inline tables. */
struct table_entry {
	struct place place;
	struct span key;           /* "" with null true: <> */
	bool null;
	bool is_pattern;           /* key is between the slashes */
	struct span flags;
	const struct span *values;
	const struct place *value_places;
	size_t n_values;
};

/* Inline; entries and their texts are copied. Mistakes go to d. */
struct table *table_inline(const char *name, const struct table_entry *e,
                           size_t n, struct diags *d);

/*
 * The text form of postmap's input. where is the place of the file's name in
 * the policy, for a file that can't be read; NULL then. A mistake in the
 * file is told with the file's own line.
 */
struct table *table_file(const char *name, const char *path,
                         struct place where, struct diags *d);

/* The same, and the file is read again whenever it changes. */
struct table *table_file_watched(const char *name, const char *path,
                                 struct place where, struct diags *d);

/*
 * Whom to tell what becomes of a table later; of any thread. To be called
 * before the table is shared.
 */
void table_tell(struct table *t,
                void (*tell)(void *of, bool bad, const char *text), void *of);

/* Every question fails, with why: <t> fails in a test. */
struct table *table_failing(const char *name, struct span why);

/* NULL is fine. */
void table_free(struct table *t);

/* Of one that is inline or that table_file read. */
size_t table_entries(const struct table *t);

/*
 * The policy will look up keys (table_ask_key) or compare values
 * (table_ask_values) of this type: makes what lookups need, and tells d each
 * entry that can't be of the type, with its place. To be called before the
 * table is shared.
 */
void table_ask_key(struct table *t, enum value_type type, struct place where,
                   struct diags *d);
void table_ask_values(struct table *t, enum value_type type,
                      struct place where, struct diags *d);

/*
 * Looks up v by its type (the table of section TABLES): addresses as
 * user@dom, @dom, @.dom..., user@; names exact and .suffix; IPs by longest
 * prefix; texts whole; then the patterns in order. Case is ignored. A bad
 * value is in no table; the null sender is found as <>. answer may be NULL.
 */
enum table_result table_find(const struct table *t, const struct value *v,
                             const struct table_context *c, struct arena *a,
                             struct table_answer *answer);

/* The same without the values; why is that of TABLE_FAILED. */
enum table_result table_has(const struct table *t, const struct value *v,
                            const struct table_context *c, struct arena *a,
                            struct span *why);

/*
 * Is v covered by one entry (a value of a table: "user@example.org",
 * "@example.org", "10.0.0.0/8", ".example.org"), by v's type? The same rules.
 * Works in a: once that is full the answer is no, and means nothing.
 */
bool table_entry_covers(struct span entry, const struct value *v,
                        const struct table_context *c, struct arena *a);

/* Can entry be of the type at all? message says what is wrong if not. */
bool table_entry_fits(struct span entry, enum value_type type,
                      const char **message);

#endif
