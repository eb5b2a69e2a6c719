/*
 * apart.h - work on what strangers made, in a process of its own: a copy of
 * this one that may use the memory and the CPU time of caps.h, has no file
 * but the pipe that it answers on, and can open none. If it goes astray, that
 * is all that happens.
 */
#ifndef APART_H
#define APART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Sanitizers map terabytes and open files for their reports: with one the
 * time is limited, and nothing else. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define APART_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define APART_SANITIZED 1
#endif
#endif
#ifndef APART_SANITIZED
#define APART_SANITIZED 0
#endif

struct apart {
	pid_t pid;
	int fd;
	int64_t deadline; /* milliseconds of the monotonic clock */
	bool late;
};

/* Runs job, which writes to fd (apart_write). Waits while too many run.
 * false: it can't be done now. */
bool apart_start(struct apart *a, void (*job)(void *of, int fd), void *of);

/* There: all of it, or the process ends. */
void apart_write(int fd, const void *p, size_t n);

/* Here: n bytes. false: so many do not come. */
bool apart_read(struct apart *a, void *p, size_t n);

enum apart_end {
	APART_DONE,
	APART_LIMIT,   /* it took more than it may */
	APART_CRASHED,
};

/* Ends it, whatever it does. */
enum apart_end apart_end(struct apart *a);

#endif
