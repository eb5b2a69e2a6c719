/*
 * no_memory.h - malloc and its kin replaced for the whole program, so that
 * they fail in the thread and at the time that a test says.
 */
#ifndef TESTS_NO_MEMORY_H
#define TESTS_NO_MEMORY_H

#include <stdbool.h>

#if defined(__clang__) && defined(__has_feature)
#if __has_feature(address_sanitizer)
#define NO_MEMORY_WORKS 0 /* its runtime is linked in, with a malloc of its own */
#endif
#endif
#ifdef __SANITIZE_THREAD__
#define NO_MEMORY_WORKS 0 /* asks for memory before it is up */
#endif
#ifndef NO_MEMORY_WORKS
#define NO_MEMORY_WORKS 1
#endif

/* Of the thread: allocation fail_at (from 1) of those counted fails, and
 * if for_good all after it. */
struct no_memory {
	bool counting, for_good;
	unsigned long count, fail_at;
};
extern _Thread_local struct no_memory no_memory;

#endif
