/*
 * control.h - a socket beside the listener on which `vaglio reload` asks, and
 * is told what came of it. Only root and the filter's own user are answered.
 */
#ifndef CONTROL_H
#define CONTROL_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Opens BASE.control (0600), in place of one that is left over: whoever holds
 * the listener's path owns this too. The descriptor, or -1 with errno.
 */
int control_open(const char *base);
void control_close(int fd, const char *base);

/*
 * Answers one caller: act prints its words on out and returns the status that
 * the caller is to exit with. Returns false once the descriptor is closed or
 * broken.
 */
bool control_answer(int fd, int (*act)(void *of, FILE *out), void *of);

/*
 * Asks the filter at BASE to reload: prints what it says on out and returns
 * the status it gave, or one of sysexits.h if it can't be asked.
 */
int control_ask(const char *base, FILE *out);

#endif
