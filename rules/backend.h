/*
 * backend.h - tables whose data lives elsewhere: one row and one file a back
 * end.
 *
 * A back end looks up one key and gives the text that stands for it. How a
 * value becomes keys, and a text values, is table_backend.c's.
 */
#ifndef BACKEND_H
#define BACKEND_H

#include "subject.h"
#include "table.h"

struct ast_table;

#define BACKEND_WHY 256

struct backend {
	const char *name;     /* in a policy */
	const char *argument; /* what follows it, for an error's text */
	bool is_path;         /* that names a file */
	bool near;            /* a key costs no more than a look at memory */
	bool takes_list;      /* behind the argument */
	bool may_fail;        /* so often that a rule says what then */
	enum cost cost;
	const char *suffix;   /* of its file, where the policy leaves it out */
	/*
	 * Opens what the argument names (of a file: its path). NULL, and in
	 * why what is the matter.
	 */
	void *(*open)(const char *argument, char why[BACKEND_WHY]);
	void (*close)(void *of);
	/*
	 * The text of a key, in *text; it need not outlive of. Any number of
	 * threads. TABLE_FAILED: *why says why.
	 */
	enum table_result (*find)(void *of, struct span key, struct arena *a,
	                          struct span *text, struct span *why);
};

extern const struct backend backend_cdb, backend_dns, backend_lmdb,
                            backend_socketmap;

/* The row of that name, or NULL. "file" and "dns" have no functions. */
const struct backend *backend_find(struct span name);

/* Is somebody on the network asked for the table? NULL: no. */
bool backend_asks_net(const struct ast_table *t);

/* Row i from 0 on; NULL behind the last. */
const struct backend *backend_row(size_t i);

/* A table of that back end; a mistake goes to d, with the argument's place. */
struct table *table_backend(const char *name, const struct backend *row,
                            const char *argument, struct place where,
                            struct diags *d);

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
