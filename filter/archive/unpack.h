/*
 * unpack.h - the files in an archive, and in the archives in it: zip, tar,
 * 7z, rar, cab and iso images, what gzip, bzip2, xz and zstd made, and TNEF.
 *
 * What is read was made by strangers, with readers that had many bugs: all of
 * it runs in a process of its own (apart.h), which may take the time, memory
 * and bytes of caps.h and can open nothing.
 */
#ifndef UNPACK_H
#define UNPACK_H

#include <stdint.h>

#include "arena.h"

#define UNPACK_NAMES 4       /* of one file */
#define UNPACK_TOP ((size_t)-1)

struct unpack_file {
	size_t holder;       /* the number, from 0, of the file that is the
	                        archive it is in; UNPACK_TOP: the first one */
	struct span names[UNPACK_NAMES]; /* bytes */
	size_t n_names;
	bool sized;
	uint64_t size;
	struct span begin;   /* its first bytes; p NULL: can't be had */
};

enum unpack_fault {
	UNPACK_ENCRYPTED = 1,
	UNPACK_BAD = 2,      /* can't be read, or its lists of names differ */
	UNPACK_TOO_MUCH = 4, /* a limit was passed: not all files were told */
};

/* Begins as {arena, take, of}. */
struct unpack {
	struct arena *arena;
	bool (*take)(void *of, const struct unpack_file *f); /* false: stop */
	void *of;
	unsigned faults;
	bool stopped;
	size_t n_files;
	size_t n_bytes;      /* unpacked */
};

struct unpack_names;

/* An archive at hand. */
struct unpack_in {
	struct unpack *u;
	const struct span *names;
	size_t n_names;
	size_t holder;       /* its number */
	unsigned depth;
};

/* ---- unpack.c ---- */

/* As many bytes say whether a file may be an archive. */
#define UNPACK_BEGIN (64 << 10)

/* So it may be, by its names or by its first bytes. */
bool unpack_wanted(struct arena *a, const struct span *names, size_t n_names,
                   struct span begin);

/* Tells of each file in one that is wanted, archives before what is in them. */
void unpack_read(struct unpack *u, const struct span *names, size_t n_names,
                 struct span bytes);

/* Tells of a file; if content is all of it (p NULL: it is not had), and it
 * is an archive, of those in it, too. */
void unpack_tell(const struct unpack_in *in, const struct unpack_file *f,
                 struct span content);

/* So many bytes more may be unpacked; if not, that is a fault. */
bool unpack_room(struct unpack *u, size_t n);

/* May work go on? */
bool unpack_ok(const struct unpack *u);

/* ---- unpack_libarchive.c ---- */

/* Opens what unpack_read needs, where files can be opened. */
void unpack_prepare(void);

/* Anything but TNEF. sure: it is an archive, or says so. */
void unpack_archive(const struct unpack_in *in, struct span bytes, bool sure);

/* ---- unpack_zip.c ---- */

/* The names in a zip that are none of those told already. Where its two lists
 * differ, that is a fault. */
void unpack_zip(const struct unpack_in *in, struct span bytes,
                struct unpack_names *told);

/* ---- unpack_names.c ---- */

/* NULL, or false: no memory. */
struct unpack_names *unpack_names_new(struct arena *a);
bool unpack_names_add(struct unpack_names *names, struct span name);
bool unpack_names_has(const struct unpack_names *names, struct span name);
bool unpack_names_are(const struct unpack_names *a,
                      const struct unpack_names *b);

/* ---- unpack_tnef.c ---- */

/* By its first bytes (winmail.dat, MS-OXTNEF). */
bool unpack_is_tnef(struct span bytes);
/* Gives the files in it to in; what is cut or broken is UNPACK_BAD. */
void unpack_tnef(const struct unpack_in *in, struct span bytes);

#endif
