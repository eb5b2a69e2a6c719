/*
 * control.h - a socket beside the listener on which `vaglio reload` and
 * `vaglio limits` ask, and are told what came of it. Only root and the
 * filter's own user are answered.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stdio.h>

#include "span.h"

/*
 * Opens BASE.control (0600), in place of one that is left over: whoever holds
 * the listener's path owns this too. The descriptor, or -1 with errno.
 */
int control_open(const char *base);
void control_close(int fd, const char *base);

/* Does what is asked for, in words on out; the caller is to exit with it. */
typedef int control_act(void *of, struct span request, FILE *out);

/*
 * Answers one caller. Returns false once the descriptor is closed or broken.
 */
bool control_answer(int fd, control_act *act, void *of);

/*
 * Asks the filter at BASE: prints what it says, with status 0 on good, else
 * on bad, and returns the status it gave, or one of sysexits.h if it can't be
 * asked.
 */
int control_ask(const char *base, struct span request, FILE *good, FILE *bad);

#endif
