/*
 * process.h - the process that the filter is: its signals, its starter, its
 * descriptors and its memory.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <signal.h>
#include <stdbool.h>

#include "sink.h"

/* To standard error, while somebody reads it. */
void process_complain(const char *why);

/* "READY=1" and the like, if somebody wants to know (see sd_notify(3)). */
void process_notify(const char *state);

/* Those that end the filter or reload it, in this thread and its children. */
void process_block_signals(sigset_t *set);

/*
 * Goes on in a child. 0, and *parent is what process_let_go wants; or an exit
 * status, told on standard error.
 */
int process_detach(int *parent);

/*
 * Tells the starter that all is well, and keeps nothing of it, but standard
 * error if the log is there.
 */
void process_let_go(int parent, bool keep_errors, struct sink *log);

/*
 * As many descriptors as we may have. Returns how many sessions they are good
 * for: each has one, and perhaps one more for a server that it asks.
 */
unsigned process_raise_files(void);

/*
 * The C library keeps what a large message took for the next one, which then
 * needs more beside it: so pieces of more than 256 KB are always given back.
 */
void process_give_back_memory(void);

#endif
