/*
 * backend_lmdb.c - lmdb "F": a file of liblmdb.
 *
 * liblmdb maps the file and believes it: one that is cut off or damaged ends
 * the process. So it gets a copy in memory whose pages were gone through.
 * A copy is of one state of the file if no transaction ended meanwhile: pages
 * of the last one are never written on by the next. (watch.c sees to that.)
 */
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "backend.h"
#include "lmdb_pages.h"

struct lmdb {
	int fd;
	MDB_env *env;
	MDB_dbi dbi;
};

static void
close_lmdb(void *of)
{
	struct lmdb *l = of;

	if (l->env != NULL)
		mdb_env_close(l->env);
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}

static const char *
check_pages(int fd, size_t size)
{
	const char *problem;
	char *map;

	if (size == 0)
		return "it is empty";
	map = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return "no memory";
	problem = lmdb_pages_check((struct span){map, size});
	munmap(map, size);
	return problem;
}

/* 0, or an error of liblmdb */
static int
open_env(struct lmdb *l)
{
	char path[sizeof("/proc/self/fd/") + 3 * sizeof(int)];
	MDB_txn *txn;
	int error = mdb_env_create(&l->env);

	if (error != 0)
		return error;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", l->fd);
	error = mdb_env_open(l->env, path, MDB_RDONLY | MDB_NOSUBDIR |
	                     MDB_NOLOCK | MDB_NOTLS, 0);
	if (error == 0)
		error = mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn);
	if (error != 0)
		return error;
	error = mdb_dbi_open(txn, NULL, 0, &l->dbi);
	if (error == 0)
		return mdb_txn_commit(txn);
	mdb_txn_abort(txn);
	return error;
}

static void *
open_lmdb(const char *path, const struct backend_options *o,
          char why[BACKEND_WHY])
{
	struct lmdb *l = calloc(1, sizeof(*l));
	const char *problem;
	size_t size;
	int error;

	(void)o;
	if (l == NULL) {
		snprintf(why, BACKEND_WHY, "no memory");
		return NULL;
	}
	l->fd = backend_copy(path, &size, why);
	if (l->fd < 0) {
		free(l);
		return NULL;
	}
	problem = check_pages(l->fd, size);
	if (problem == NULL && (error = open_env(l)) != 0)
		problem = mdb_strerror(error);
	if (problem == NULL)
		return l;
	snprintf(why, BACKEND_WHY, "%s", problem);
	close_lmdb(l);
	return NULL;
}

static int
get(const struct lmdb *l, MDB_txn *txn, const char *key, size_t n,
    struct arena *a, struct span *text)
{
	MDB_val k = {n, (void *)(size_t)key}, v;
	int error = mdb_get(txn, l->dbi, &k, &v);

	if (error == 0)
		*text = arena_copy(a, (struct span){v.mv_data, v.mv_size});
	return error;
}

/* Postfix writes a NUL behind each key, and can read those without. */
static enum table_result
find_lmdb(void *of, struct span key, int64_t deadline, struct arena *a,
          struct backend_reply *reply)
{
	const struct lmdb *l = of;
	struct span with_nul = arena_copy(a, key);
	MDB_txn *txn;
	int error;

	(void)deadline;
	if (with_nul.p == NULL)
		return TABLE_NO;
	error = mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn);
	if (error == 0) {
		error = get(l, txn, with_nul.p, key.n + 1, a,
		            &reply->text);
		if (error == MDB_NOTFOUND)
			error = get(l, txn, with_nul.p, key.n, a,
			            &reply->text);
		mdb_txn_abort(txn);
	}
	if (error == 0)
		return TABLE_YES;
	/* a key of no length, or too long, is in no file */
	if (error == MDB_NOTFOUND || error == MDB_BAD_VALSIZE)
		return TABLE_NO;
	reply->why = span_of(mdb_strerror(error));
	return TABLE_FAILED;
}

const struct backend backend_lmdb = {
	.name = "lmdb", .argument = "PATH", .is_path = true, .near = true,
	.suffix = ".lmdb",
	.open = open_lmdb, .close = close_lmdb, .find = find_lmdb,
};
