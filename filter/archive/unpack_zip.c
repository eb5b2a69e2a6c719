/*
 * unpack_zip.c - the names in a zip (APPNOTE.TXT 4.3), which stands in it
 * twice: before each file, and in the directory at its end. Some programs go
 * by the one, some by the other; libarchive tells one of them.
 */
#include <string.h>

#include "unpack.h"

#define UNICODE_PATH 0x7075 /* 4.6.9: a name in UTF-8 beside the other */

/* A record that begins with what must be there before its name. */
struct record {
	struct span magic;
	size_t flags, size, lengths, names;
};

static const struct record local = {{"PK\3\4", 4}, 6, 22, 26, 30};
static const struct record central = {{"PK\1\2", 4}, 8, 24, 28, 46};
static const struct span last = {"PK\5\6", 4};

#define END_BYTES 22       /* of the last record, without its comment */
#define COMMENT_MAX 65535
#define ENDS_MAX 8         /* which say that they are the last */

static unsigned
u16(struct span s, size_t at)
{
	const unsigned char *u = (const unsigned char *)s.p + at;

	return u[0] | (unsigned)u[1] << 8;
}

static uint32_t
u32(struct span s, size_t at)
{
	return u16(s, at) | (uint32_t)u16(s, at + 2) << 16;
}

struct zip {
	const struct unpack_in *in;
	struct span bytes;
	struct unpack_names *told, *lists[2]; /* local and central */
};

/* ---- names ---- */

/* As libarchive spells it: what was made with FAT has backslashes. */
static struct span
with_slashes(struct arena *a, struct span name)
{
	struct span copy = arena_copy(a, name);
	char *p = (char *)(size_t)copy.p; /* ours */
	size_t i;

	for (i = 0; p != NULL && i < name.n; i++)
		if (p[i] == '\\')
			p[i] = '/';
	return copy;
}

static void
tell(struct zip *z, const struct record *kind, struct span at,
     struct span name)
{
	struct unpack_file f = {
		.holder = z->in->holder, .names = {name}, .n_names = 1,
		.sized = true, .size = u32(at, kind->size),
	};
	struct span slashed;

	if (name.n == 0)
		return;
	slashed = with_slashes(z->in->u->arena, name);
	if (slashed.p == NULL ||
	    !unpack_names_add(z->lists[kind == &central], name)) {
		z->in->u->faults |= UNPACK_TOO_MUCH;
		return;
	}
	if (unpack_names_has(z->told, name) ||
	    unpack_names_has(z->told, slashed) ||
	    !unpack_names_add(z->told, name))
		return;
	if (f.size == 0 && name.p[name.n - 1] == '/')
		return; /* a folder */
	unpack_tell(z->in, &f, (struct span){NULL, 0});
}

/* 4.5: the name in a field of what is extra. */
static void
tell_extra(struct zip *z, const struct record *kind, struct span at,
           struct span extra)
{
	size_t n;

	while (extra.n >= 4) {
		n = u16(extra, 2);
		if (n > extra.n - 4)
			return;
		if (u16(extra, 0) == UNICODE_PATH && n > 5)
			tell(z, kind, at,
			     (struct span){extra.p + 9, n - 5});
		extra.p += n + 4;
		extra.n -= n + 4;
	}
}

/* The bytes of the record there with its name; 0: there is none. */
static size_t
take_record(struct zip *z, const struct record *kind, size_t at)
{
	struct span s = {z->bytes.p + at, z->bytes.n - at};
	size_t name, extra;

	if (s.n < kind->names ||
	    memcmp(s.p, kind->magic.p, kind->magic.n) != 0)
		return 0;
	name = u16(s, kind->lengths);
	extra = u16(s, kind->lengths + 2);
	if (name > s.n - kind->names || extra > s.n - kind->names - name)
		return 0;
	if (u16(s, kind->flags) & 1)
		z->in->u->faults |= UNPACK_ENCRYPTED;
	tell(z, kind, s, (struct span){s.p + kind->names, name});
	tell_extra(z, kind, s,
		(struct span){s.p + kind->names + name, extra});
	return kind->names + name + extra;
}

/* ---- the files, one after the other ---- */

static size_t
find(struct span s, size_t from, struct span what)
{
	const char *p = from >= s.n ? NULL :
		memmem(s.p + from, s.n - from, what.p, what.n);

	return p == NULL ? s.n : (size_t)(p - s.p);
}

static void
walk_files(struct zip *z)
{
	size_t at = find(z->bytes, 0, local.magic), n;
	struct span s;

	while (at < z->bytes.n && unpack_ok(z->in->u)) {
		n = take_record(z, &local, at);
		if (n == 0) {
			at = find(z->bytes, at + 1, local.magic);
			continue;
		}
		s = (struct span){z->bytes.p + at, z->bytes.n - at};
		/* 4.4.4: with bit 3 its size stands behind it */
		if (!(u16(s, 6) & 8) && u32(s, 18) < s.n - n)
			n += u32(s, 18);
		at = find(z->bytes, at + n, local.magic);
	}
}

/* ---- the directory ---- */

static void
walk_directory(struct zip *z, size_t at, size_t end)
{
	size_t n;

	while (at < end && unpack_ok(z->in->u)) {
		n = take_record(z, &central, at);
		if (n == 0)
			return;
		at += n + u16((struct span){z->bytes.p + at, 46}, 32);
	}
}

/*
 * It is where the last record says, or as long as that says. In a zip of
 * more than 4 GB it says neither; then it is looked for.
 */
static void
take_end(struct zip *z, size_t end)
{
	struct span s = {z->bytes.p + end, z->bytes.n - end};
	size_t n = u32(s, 12), at = u32(s, 16);

	if (n <= end)
		walk_directory(z, end - n, end);
	if (at < end && (n > end || at != end - n))
		walk_directory(z, at, end);
	if (at == UINT32_MAX || n == UINT32_MAX)
		walk_directory(z, find(z->bytes, 0, central.magic), end);
}

/*
 * The last record, with its comment, is the end; each that says so counts. If
 * none is, then the last of all that look like one. (A zip that is in this
 * one, not packed, has another.)
 */
static bool
walk_ends(struct zip *z)
{
	size_t n = 0, other = SIZE_MAX, at = 0;

	if (z->bytes.n > COMMENT_MAX + END_BYTES)
		at = z->bytes.n - COMMENT_MAX - END_BYTES;
	for (; n < ENDS_MAX; at++) {
		at = find(z->bytes, at, last);
		if (at + END_BYTES > z->bytes.n)
			break;
		other = at;
		if (at + END_BYTES + u16(z->bytes, at + 20) < z->bytes.n)
			continue;
		take_end(z, at);
		n++;
	}
	if (n == 0 && other != SIZE_MAX)
		take_end(z, other);
	return other != SIZE_MAX;
}

/* ---- both ---- */

void
unpack_zip(const struct unpack_in *in, struct span bytes,
           struct unpack_names *told)
{
	struct arena *a = in->u->arena;
	struct zip z = {
		.in = in, .bytes = bytes, .told = told,
		.lists = {unpack_names_new(a), unpack_names_new(a)},
	};
	bool begins = bytes.n >= 4 && memcmp(bytes.p, local.magic.p, 4) == 0;

	if (z.lists[0] == NULL || z.lists[1] == NULL) {
		in->u->faults |= UNPACK_TOO_MUCH;
		return;
	}
	if (walk_ends(&z) || begins)
		walk_files(&z);
	if (unpack_ok(in->u) && !unpack_names_are(z.lists[0], z.lists[1]))
		in->u->faults |= UNPACK_BAD;
}
