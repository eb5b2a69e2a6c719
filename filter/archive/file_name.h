/* file_name.h - what a desktop makes of the name of a file. */
#ifndef FILE_NAME_H
#define FILE_NAME_H

#include "arena.h"

/* A name without what is not shown or not kept. p NULL: no memory. */
struct span file_name_kept(struct arena *a, struct span name);

/*
 * What a desktop takes for a file's kind: what is behind the last dot, in
 * lower case, once what is not shown or not kept is gone. n 0: nothing.
 */
struct span file_name_extension(struct arena *a, struct span name);

/* What of one is left when what can't be in it ends it: of "exe:x" "exe". */
struct span file_name_extension_begin(struct span extension);

#endif
