/*
 * run_impl.h - the running filter inside, for run*.c alone.
 */
#ifndef RUN_IMPL_H
#define RUN_IMPL_H

#include <pthread.h>
#include <stdatomic.h>

#include "current.h"
#include "identity.h"
#include "limits_store.h"
#include "notice.h"
#include "sink.h"
#include "socket.h"

struct filter {
	char *config;             /* absolute */
	struct current *policies;
	struct limits *limits;
	struct sink *log;
	struct notifier *notifier;
	struct listener listener;
	struct identity who;
	int control;
	int parent;               /* waits for a byte: we are up; or -1 */
	unsigned limit;           /* sessions */
	pthread_t main, milter;
	atomic_bool gave_up;      /* libmilter ended by itself */
	atomic_bool ending;
};

/* ---- run_orders.c ---- */

/*
 * Loads the policy anew. What is wrong with it goes to the log, and to out if
 * there is one. An exit status. of: the filter. Of the main thread and of the
 * control thread; current does one at a time.
 */
int run_reload(void *of, FILE *out);

/* The thread that answers the control socket. of: the filter. */
void *run_control(void *of);

#endif
