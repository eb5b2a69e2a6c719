/*
 * limits_file.h - counts in a file of LMDB, which is ours alone.
 *
 * Each record is a key of a limit and its window. One thread at a time.
 */
#ifndef LIMITS_FILE_H
#define LIMITS_FILE_H

#include <stdbool.h>

#include "span.h"
#include "window.h"

#define LIMITS_FILE_ID 16 /* bytes that tell one limit from another */
#define LIMITS_FILE_WHY 512

struct limits_file;

/* A record's key: the limit's, then the key of what it counts. */
struct limits_record {
	unsigned char id[LIMITS_FILE_ID];
	struct span key;      /* at most LIMITS_KEY */
	int64_t width;
	struct window window;
};

/*
 * Opens or makes it, and takes it for us alone. A damaged one is put aside,
 * as PATH.damaged (*aside is true then). NULL: why says why not.
 */
struct limits_file *limits_file_open(const char *path, bool *aside,
                                     char why[LIMITS_FILE_WHY]);
void limits_file_close(struct limits_file *f);

/* Each record of a limit; a record that can't be one of ours is left out. */
bool limits_file_each(struct limits_file *f,
                      const unsigned char id[LIMITS_FILE_ID],
                      void (*take)(void *of, const struct limits_record *r),
                      void *of, char why[LIMITS_FILE_WHY]);

/*
 * What is written between begin and commit is there or not as a whole, when
 * commit returns on the disk. After a false the file is only to be closed.
 */
bool limits_file_begin(struct limits_file *f, char why[LIMITS_FILE_WHY]);
bool limits_file_empty(struct limits_file *f, char why[LIMITS_FILE_WHY]);
bool limits_file_put(struct limits_file *f, const struct limits_record *r,
                     char why[LIMITS_FILE_WHY]);
bool limits_file_remove(struct limits_file *f, const struct limits_record *r,
                        char why[LIMITS_FILE_WHY]);
bool limits_file_commit(struct limits_file *f, char why[LIMITS_FILE_WHY]);

#endif
