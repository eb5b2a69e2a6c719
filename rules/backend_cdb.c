/*
 * backend_cdb.c - cdb "F": a constant database.
 *
 * It is looked at in a copy, so that nobody can cut it off below our feet;
 * libcdb (tinycdb) bounds every look by the size.
 */
#include <cdb.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend.h"

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
	if (cdb_init(cdb, fd) == 0)
		return cdb;
	snprintf(why, BACKEND_WHY, "%s", errno == EPROTO ?
	         "it is no cdb file, or a part of one" : strerror(errno));
	close(fd);
	free(cdb);
	return NULL;
}

static void
close_cdb(void *of)
{
	struct cdb *cdb = of;
	int fd = cdb->cdb_fd;

	cdb_free(cdb);
	close(fd);
	free(cdb);
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
