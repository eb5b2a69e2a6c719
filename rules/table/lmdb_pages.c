/*
 * lmdb_pages.c - is every page of an LMDB file what it says it is?
 *
 * The format of liblmdb 0.9 (mdb.c, "MDB_page"), in the machine's own word
 * size and byte order:
 *
 *	file   := meta page, meta page, { page }
 *	page   := number:8 pad:2 flags:2 lower:2 upper:2 { offset:2 } ... nodes
 *	          (of an overflow page lower and upper are the number of pages)
 *	node   := low:2 high:2 flags:2 key size:2 key data
 *	branch's node: low, high and flags are the child's page number
 *	leaf's node: low and high are the data's size; with BIG, data is the
 *	          number of an overflow page
 *	meta   := magic:4 version:4 address:8 mapsize:8 free-db main-db
 *	          last-page:8 transaction:8
 *	db     := pagesize:4 flags:2 depth:2 branches:8 leaves:8 overflows:8
 *	          entries:8 root:8
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lmdb_pages.h"

#define MAGIC 0xBEEFC0DEu
#define VERSION 1
#define HEAD 16           /* of a page */
#define NODE 8            /* of a node */
#define META (HEAD + 136) /* head and meta */
#define DEPTH 30          /* liblmdb's cursors hold 32 */
#define NO_PAGE UINT64_MAX

enum { BRANCH = 1, LEAF = 2, OVERFLOW = 4, META_PAGE = 8 };
enum { BIG = 1 };
enum { FIXED_MAP = 1 }; /* of the free-db: the file's own */

struct pages {
	struct span file;
	size_t size;           /* of a page */
	uint64_t n;
	unsigned char *seen;   /* a bit a page */
};

static const char damaged[] = "the lmdb file is damaged";
static const char foreign[] = "it is no lmdb file, or not of this machine";

static uint16_t
get16(const char *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t
get32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t
get64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Page number, not seen before; NULL if it can't be. */
static const char *
take(struct pages *all, uint64_t number)
{
	unsigned char bit = (unsigned char)(1u << number % 8);

	if (number < 2 || number >= all->n || (all->seen[number / 8] & bit))
		return NULL;
	all->seen[number / 8] |= bit;
	return all->file.p + number * all->size;
}

/* The data of size bytes that begin on an overflow page. */
static const char *
check_big(struct pages *all, uint64_t number, size_t size)
{
	const char *p = take(all, number);
	uint64_t pages, i;

	if (p == NULL || !(get16(p + 10) & OVERFLOW))
		return damaged;
	pages = get32(p + 12);
	if (pages == 0 || pages > all->n - number ||
	    size > pages * all->size - HEAD)
		return damaged;
	for (i = 1; i < pages; i++)
		if (take(all, number + i) == NULL)
			return damaged;
	return NULL;
}

/* A leaf's node, with room bytes up to the page's end. */
static const char *
check_leaf(struct pages *all, const char *node, size_t room)
{
	size_t size = get16(node) | (size_t)get16(node + 2) << 16;
	unsigned flags = get16(node + 4);
	size_t key = get16(node + 6);

	if (flags & ~(unsigned)BIG)
		return "it is no file of postmap: a key has several values";
	if (NODE + key + (flags & BIG ? sizeof(uint64_t) : size) > room)
		return damaged;
	return flags & BIG ? check_big(all, get64(node + NODE + key), size)
	                   : NULL;
}

static const char *check_page(struct pages *all, uint64_t number,
                              unsigned depth);

static const char *
check_branch(struct pages *all, const char *node, size_t room, unsigned depth)
{
	uint64_t child = get16(node) | (uint64_t)get16(node + 2) << 16 |
	                 (uint64_t)get16(node + 4) << 32;

	if (NODE + (size_t)get16(node + 6) > room)
		return damaged;
	return check_page(all, child, depth + 1);
}

/* It calls itself DEPTH times at most. */
static const char *
check_page(struct pages *all, uint64_t number, unsigned depth)
{
	const char *p = depth > DEPTH ? NULL : take(all, number);
	const char *problem = NULL;
	size_t lower, upper, n, i, at;
	unsigned flags;

	if (p == NULL || get64(p) != number)
		return damaged;
	flags = get16(p + 10) & 0xff;
	lower = get16(p + 12);
	upper = get16(p + 14);
	if ((flags != BRANCH && flags != LEAF) || lower < HEAD ||
	    lower > upper || upper > all->size || lower % 2 != 0)
		return damaged;
	n = (lower - HEAD) / 2;
	if (flags == BRANCH && n < 2)
		return damaged;
	for (i = 0; i < n && problem == NULL; i++) {
		at = get16(p + HEAD + 2 * i);
		if (at < upper || at % 2 != 0 || at + NODE > all->size)
			return damaged;
		problem = flags == LEAF ?
		          check_leaf(all, p + at, all->size - at) :
		          check_branch(all, p + at, all->size - at, depth);
	}
	return problem;
}

/* The main database of the newer meta page. */
static const char *
check_tree(struct pages *all, const char *meta)
{
	const char *db = meta + 24 + 48;
	uint64_t root = get64(db + 40);
	const char *problem;

	if (get16(meta + 24 + 4) & FIXED_MAP || get16(db + 4) != 0)
		return "it is no file of postmap: its keys are of another kind";
	if (get64(meta + 120) < all->n - 1)
		all->n = get64(meta + 120) + 1;
	if (root == NO_PAGE)
		return NULL;
	all->seen = calloc(all->n / 8 + 1, 1);
	if (all->seen == NULL)
		return "no memory";
	problem = check_page(all, root, 0);
	free(all->seen);
	return problem;
}

static const char *
check_meta(const char *page, size_t size)
{
	const char *meta = page + HEAD;

	if (!(get16(page + 10) & META_PAGE) || get32(meta) != MAGIC ||
	    get32(meta + 4) != VERSION)
		return foreign;
	return get32(meta + 24) == size ? NULL : damaged;
}

const char *
lmdb_pages_check(struct span file)
{
	struct pages all = {.file = file};
	const char *problem, *first, *second;

	if (file.n < META)
		return foreign;
	all.size = get32(file.p + HEAD + 24);
	problem = check_meta(file.p, all.size);
	if (problem != NULL)
		return problem;
	if (all.size < 512 || all.size > 32768 ||
	    (all.size & (all.size - 1)) != 0 || file.n < 2 * all.size)
		return damaged;
	all.n = file.n / all.size;
	problem = check_meta(file.p + all.size, all.size);
	if (problem != NULL)
		return damaged;
	first = file.p + HEAD;
	second = file.p + all.size + HEAD;
	return check_tree(&all, get64(first + 128) < get64(second + 128) ?
	                  second : first);
}
