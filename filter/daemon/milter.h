/* milter.h - libmilter's callbacks, driving sessions. Only milter*.c know it. */
#ifndef MILTER_H
#define MILTER_H

#include <stdbool.h>

#include "current.h"
#include "notice.h"
#include "sink.h"

/*
 * Serves MTAs on the listening descriptor until milter_stop or a signal that
 * libmilter takes (TERM, INT, HUP: blocked in every thread by now). limit:
 * sessions at a time; past it one is told to try again later. False if it
 * gave up by itself. libmilter allows one call in a process' life.
 */
bool milter_serve(int listener, struct current *policies, struct sink *log,
                  struct notifier *notifier, unsigned limit);

/*
 * Asks milter_serve to end. It may take some seconds to notice unless a
 * connection comes; may wait for it meanwhile.
 */
void milter_stop(void);

/*
 * Waits until no callback is at work, so that no message is left half
 * changed; at most so many seconds. False: some still is.
 */
bool milter_drain(unsigned seconds);

#endif
