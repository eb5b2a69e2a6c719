/*
 * backend_cdb.c - cdb "F": a constant database.
 *
 * It is looked at in a copy, so that nobody can cut it off below our feet;
 * libcdb (tinycdb) bounds every look by the size.
 */
#include <cdb.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"

#define TABLES 256      /* a header of so many: position, number of slots */
#define PAIR 8          /* two numbers: bytes */

/* ---- damage ---- */

struct pair {
	unsigned first, second;
};

/* false: it is behind the end. */
static bool
read_pair(const struct cdb *cdb, size_t at, struct pair *out)
{
	const unsigned char *p = at > UINT_MAX ? NULL :
	                         cdb_get(cdb, PAIR, (unsigned)at);

	if (p == NULL)
		return false;
	out->first = cdb_unpack(p);
	out->second = cdb_unpack(p + PAIR / 2);
	return true;
}

/* Is there a record, whose key has this hash? */
static bool
has_record(const struct cdb *cdb, unsigned at, unsigned hash)
{
	struct pair sizes;
	const void *key;

	if (!read_pair(cdb, at, &sizes))
		return false;
	key = cdb_get(cdb, sizes.first, at + PAIR);
	return key != NULL && cdb_hash(key, sizes.first) == hash;
}

/* Of a table of slots (hash, position): how many records it has, in *n. */
static bool
check_table(const struct cdb *cdb, unsigned number, struct pair table,
            size_t *n)
{
	struct pair slot;
	unsigned i;

	for (i = 0; i < table.second; i++) {
		if (!read_pair(cdb, table.first + (size_t)i * PAIR, &slot))
			return false;
		if (slot.second == 0)
			continue;
		if (slot.first % TABLES != number ||
		    !has_record(cdb, slot.second, slot.first))
			return false;
		++*n;
	}
	return true;
}

/* How many records there are, one behind the other up to end, in *n. */
static bool
count_records(const struct cdb *cdb, size_t end, size_t *n)
{
	size_t at = TABLES * PAIR;
	struct pair sizes;

	while (at < end) {
		if (!read_pair(cdb, at, &sizes))
			return false;
		at += PAIR + (size_t)sizes.first + sizes.second;
		++*n;
	}
	return at == end;
}

/*
 * A file has no checksums, and a key that is lost would say "no". So each
 * record is counted and must be found under its key.
 */
static bool
is_sound(const struct cdb *cdb)
{
	size_t records = 0, found = 0, end = UINT_MAX;
	struct pair table;
	unsigned i;

	for (i = 0; i < TABLES; i++) {
		if (!read_pair(cdb, (size_t)i * PAIR, &table) ||
		    !check_table(cdb, i, table, &found))
			return false;
		if (table.first < end)
			end = table.first;
	}
	return count_records(cdb, end, &records) && records == found;
}

/* ---- a table ---- */

static void
close_cdb(void *of)
{
	struct cdb *cdb = of;
	int fd = cdb->cdb_fd;

	cdb_free(cdb);
	close(fd);
	free(cdb);
}

static void *
open_cdb(const char *path, const struct backend_options *o,
         char why[BACKEND_WHY])
{
	struct cdb *cdb = calloc(1, sizeof(*cdb));
	size_t size;
	int fd;

	(void)o;
	if (cdb == NULL) {
		snprintf(why, BACKEND_WHY, "no memory");
		return NULL;
	}
	fd = backend_copy(path, &size, why);
	if (fd < 0) {
		free(cdb);
		return NULL;
	}
	if (cdb_init(cdb, fd) == 0) {
		if (is_sound(cdb))
			return cdb;
		snprintf(why, BACKEND_WHY, "the cdb file is damaged");
		close_cdb(cdb);
		return NULL;
	}
	snprintf(why, BACKEND_WHY, "%s", errno == EPROTO ?
	         "it is no cdb file, or a part of one" : strerror(errno));
	close(fd);
	free(cdb);
	return NULL;
}

static enum table_result
find_bytes(const struct cdb *cdb, const char *key, size_t n, struct arena *a,
           struct span *text)
{
	struct cdb c = *cdb; /* a look-up writes in it */
	const char *p;
	int found = cdb_find(&c, key, (unsigned)n);

	if (found == 0)
		return TABLE_NO;
	p = found < 0 ? NULL : cdb_get(&c, cdb_datalen(&c), cdb_datapos(&c));
	if (p == NULL)
		return TABLE_FAILED;
	*text = arena_copy(a, (struct span){p, cdb_datalen(&c)});
	return TABLE_YES;
}

/* Postfix writes no NUL behind a key here, other programs may. */
static enum table_result
find_cdb(void *of, struct span key, int64_t deadline, struct arena *a,
         struct backend_reply *reply)
{
	enum table_result found = find_bytes(of, key.p, key.n, a,
	                                     &reply->text);
	struct span with_nul;

	(void)deadline;
	if (found == TABLE_NO) {
		with_nul = arena_copy(a, key);
		if (with_nul.p != NULL)
			found = find_bytes(of, with_nul.p, key.n + 1, a,
			                   &reply->text);
	}
	if (found == TABLE_FAILED)
		reply->why = SPAN("the cdb file is damaged");
	return found;
}

const struct backend backend_cdb = {
	.name = "cdb", .argument = "PATH", .is_path = true, .near = true,
	.suffix = ".cdb",
	.open = open_cdb, .close = close_cdb, .find = find_cdb,
};
