/*
 * limits_saver.h - saves what is counted in a file, every other second by a
 * thread of its own: no message waits for a disk. A file that can't be had is
 * told and tried again.
 */
#ifndef LIMITS_SAVER_H
#define LIMITS_SAVER_H

#include "limits_counts.h"

struct saver;

/* path NULL: there is no file. The ledger stays the caller's. NULL: no
 * memory. */
struct saver *saver_new(struct ledger *g, const char *path);

/* The policy's limits have their counts, as far as the file knows them. */
void saver_prepare(struct saver *s, const struct policy *p);

/* What is counted by now is on the disk when it returns, if it can be. */
void saver_save(struct saver *s);

/* The same, and ends. */
void saver_free(struct saver *s);

#endif
