/*
 * sink.h - where the daemon's log lines go: syslog (facility mail) or
 * standard error. A log that is full or blocked never holds up mail: lines
 * are dropped then, and counted in the next one that gets through.
 */
#ifndef SINK_H
#define SINK_H

#include "span.h"

struct sink;

/* choice: LOG_TO_SYSLOG or LOG_TO_STDERR. NULL without memory. */
struct sink *sink_open(int choice);
/* The same with another path than /dev/log; it is kept. */
struct sink *sink_open_at(int choice, const char *path);
void sink_close(struct sink *s);

/* One line, of any thread; priority as syslog(3). */
void sink_write(struct sink *s, int priority, struct span line);

/* The same by printf; a line that is too long is cut. */
void sink_printf(struct sink *s, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
