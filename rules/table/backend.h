/*
 * backend.h - tables whose data lives elsewhere: one row and one file a back
 * end.
 *
 * A back end looks up one key and gives the text that stands for it. How a
 * value becomes keys, and a text values, is table_backend.c's.
 */
#ifndef BACKEND_H
#define BACKEND_H

#include <stdint.h>

#include "subject.h"
#include "table.h"

#define BACKEND_WHY 256

/* What may follow the argument, as NAME VALUE; NULL where it is not given. */
struct backend_options {
	const char *prefix;        /* of each key */
	const char *database;      /* a number */
	const char *user;
	const char *password_file;
};

/* Of a key: a text that is split into values, or the values. */
struct backend_reply {
	struct span text;
	const struct span *values; /* or NULL */
	size_t n;
	struct span why;           /* of TABLE_FAILED */
};

struct backend {
	const char *name;     /* in a policy */
	const char *argument; /* what follows it, for an error's text */
	bool is_path;         /* that names a file */
	bool near;            /* a key costs no more than a look at memory */
	bool takes_list;      /* behind the argument */
	bool takes_options;   /* the same */
	bool may_fail;        /* so often that a rule says what then */
	enum cost cost;
	const char *suffix;   /* of its file, where the policy leaves it out */
	/*
	 * Opens what the argument names (of a file: its path). NULL, and in
	 * why what is the matter.
	 */
	void *(*open)(const char *argument, const struct backend_options *o,
	              char why[BACKEND_WHY]);
	void (*close)(void *of);
	/*
	 * What stands for a key; the reply need not outlive of. Any number of
	 * threads. The deadline, of watch_clock, is for those that are not
	 * near.
	 */
	enum table_result (*find)(void *of, struct span key, int64_t deadline,
	                          struct arena *a,
	                          struct backend_reply *reply);
};

extern const struct backend backend_cdb, backend_dns, backend_lmdb,
                            backend_redis, backend_socketmap;

/* The row of that name, or NULL. "file" and "dns" have no functions. */
const struct backend *backend_find(struct span name);

/* Row i from 0 on; NULL behind the last. */
const struct backend *backend_row(size_t i);

/* A table of that back end; a mistake goes to d, with the argument's place. */
struct table *table_backend(const char *name, const struct backend *row,
                            const char *argument,
                            const struct backend_options *o,
                            struct place where, struct diags *d);

/* An option, in the order in which a dump writes them. */
struct backend_option {
	const char *words;
	enum { OPTION_TEXT, OPTION_NUMBER, OPTION_PATH } type;
	size_t offset;             /* of its member of backend_options */
};

/* Row i from 0 on; NULL behind the last. */
const struct backend_option *backend_option(size_t i);

/* One of those that count: an address or a network. */
struct backend_answer {
	struct span text;
	struct place place;
};

/* dns "zone" { answers }; mistakes go to d. */
struct table *table_dns(const char *name, struct span zone,
                        struct place where,
                        const struct backend_answer *answers, size_t n,
                        struct diags *d);

/*
 * A copy of a file in memory that nobody can change or cut off any more: a
 * descriptor, or -1 with why. What is mapped from it can't vanish.
 */
int backend_copy(const char *path, size_t *size, char why[BACKEND_WHY]);

#endif
