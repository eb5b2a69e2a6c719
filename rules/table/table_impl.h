/*
 * table_impl.h - a table from the inside, for table*.c alone.
 *
 *	table.c        what the policy asks
 *	table_key.c    one spelling for each key, by type; what can be of a type
 *	table_index.c  keys to entries: a hash
 *	table_net.c    networks to entries: the longest prefix
 *	table_list.c   entries that stand in the policy
 *	table_file.c   entries that stand in a file
 *	table_reload.c a file that is read again when it changes
 *	table_backend.c  entries that stand elsewhere, behind a back end
 *	table_spell.c  the other spellings of a key there
 */
#ifndef TABLE_IMPL_H
#define TABLE_IMPL_H

#include <stdint.h>

#include "fold.h"
#include "table.h"

/* An entry's number: in a list its position, in a file the byte it begins at. */
#define ENTRY_ID_MAX 0x7fffffffu

struct entry {
	uint32_t id;
	struct span key;    /* as it was written, without quotes around it */
	struct place place; /* of the key */
	bool null;          /* <> */
	bool escaped;       /* a backslash in key stands before a character */
	bool is_pattern;    /* key is what stands between the slashes */
	struct span flags;
	/* its values: in a list an array, in a file text to be split */
	const struct span *values;
	const struct place *value_places;
	size_t n_values;
	struct span rest;
};

/* Where the entries are. */
struct store {
	/* The first entry from number id on; false: there is none. */
	bool (*next)(const struct table *t, uint32_t id, struct entry *e);
	/* The number to go on with behind e. */
	uint32_t (*after)(const struct table *t, const struct entry *e);
	/* The next value of e from *at on, which begins with 0. */
	bool (*value)(const struct table *t, const struct entry *e, size_t *at,
	              struct span *value, struct place *place);
};

extern const struct store table_list_store, table_file_store;

/* A table that has no entries of its own: it looks up otherwise. */
struct elsewhere {
	/* v is not bad; answer is there, empty; values are wanted or not. */
	enum table_result (*find)(const struct table *t, const struct value *v,
	                          const struct table_context *c,
	                          struct arena *a, struct table_answer *answer,
	                          bool values);
	void (*shut)(struct table *t);
	/* table_ask_key, table_ask_values; or NULL */
	void (*ask)(struct table *t, bool values, enum value_type type,
	            struct place where, struct diags *d);
	/* table_tell; or NULL */
	void (*tell)(struct table *t,
	             void (*tell)(void *of, bool bad, const char *text),
	             void *of);
};

struct table {
	const struct store *store;
	struct span name;
	struct arena *arena;
	size_t n;                     /* entries, patterns among them */
	struct table_index *keys[VALUE_NUMBER + 1]; /* by type, once asked */
	struct table_nets *nets;      /* for VALUE_IP */
	struct pattern **patterns;    /* in order */
	uint32_t *pattern_ids;
	size_t n_patterns, room_patterns;
	struct pattern_set *set;
	bool told_twice;              /* keys that are there twice */
	struct span why;              /* of a table that always fails */
	const struct elsewhere *elsewhere; /* or NULL: what follows */
	void *backend;
	/* of a list */
	struct table_entry *list;
	size_t n_list;
	/* of a file */
	struct source source;
	char *text;
};

/* NULL without memory. */
struct table *table_new(const char *name, const struct store *store);

/* Compiles an entry that is a pattern and keeps it; a mistake goes to d. */
bool table_add_pattern(struct table *t, const struct entry *e,
                       struct diags *d);

/* After the last pattern. */
void table_seal_patterns(struct table *t);

/* ---- keys ---- */

/*
 * The one spelling of an entry's key, for types that are looked up in an
 * index. NULL, or what is wrong with it: a phrase behind the key. *hint may
 * become what to write instead. out->p is NULL without memory.
 */
const char *table_key(struct arena *a, struct span key, bool null,
                      enum value_type type, struct span *out,
                      struct span *hint);

/* The same for VALUE_FOLDED, of which a key has several. */
const char *table_looks(struct arena *a, struct span key, bool null,
                        struct span looks[FOLD_LOOKS], size_t *n);

/* The same for VALUE_IP. */
const char *table_net_key(struct arena *a, struct span key, bool null,
                          struct net *net, struct span *hint);

/*
 * Calls visit with each key under which v (not of type IP) would be found, in
 * order, until it says true. false, with a full, without memory.
 */
bool table_walk(const struct value *v, const struct table_context *c,
                struct arena *a, bool (*visit)(void *of, struct span key),
                void *of);

#define TABLE_SPELLINGS 3

/*
 * How else people write a key of table_walk where nobody makes one spelling of
 * it: in quotes, as U-labels. Into out; how many they are.
 */
size_t table_spell(struct arena *a, enum value_type type, struct span key,
                   struct span out[TABLE_SPELLINGS]);

/* ---- indexes ---- */

/*
 * For up to n keys. Keys whose spelling is the entry's own text (ASCII
 * letters of either case) are not stored again: text is where they stand.
 * NULL: no memory.
 */
struct table_index *table_index_new(size_t n, const char *text);
void table_index_free(struct table_index *x);

/* Adds key, for entry id. An entry that has the key already stays, in *first. */
enum index_add { INDEX_ADDED, INDEX_TWICE, INDEX_NO_MEMORY };
enum index_add table_index_add(struct table_index *x, struct span key,
                               uint32_t id, uint32_t *first);

/* The entry of a key, in *id. false: there is none. */
bool table_index_find(const struct table_index *x, struct span key,
                      uint32_t *id);

/* The longest key, in bytes. */
size_t table_index_longest(const struct table_index *x);

/* The same of up to n networks; of several that have an address the longest
 * is found. */
struct table_nets *table_nets_new(size_t n);
void table_nets_free(struct table_nets *x);
enum index_add table_nets_add(struct table_nets *x, const struct net *net,
                              uint32_t id, uint32_t *first);
bool table_nets_find(const struct table_nets *x, const struct ip *ip,
                     uint32_t *id);

#endif
