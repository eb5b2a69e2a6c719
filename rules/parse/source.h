/* source.h - a policy's file read into memory. */
#ifndef SOURCE_H
#define SOURCE_H

#include "arena.h"

/*
 * The bytes of a regular file, in a. On failure .p is NULL and *why says
 * what is wrong, in words.
 */
struct span source_read(struct arena *a, const char *path, const char **why);

#endif
