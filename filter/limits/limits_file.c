#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "limits_store.h"
#include "limits_file.h"
#include "lmdb_pages.h"

/* Of addresses, not of bytes: the file is as large as what is in it. */
#define MAP_SIZE (sizeof(void *) < 8 ? (size_t)256 << 20 : (size_t)64 << 30)

#define KEY_BYTES (LIMITS_FILE_ID + LIMITS_KEY)

struct limits_file {
	int fd;               /* holds the lock */
	MDB_env *env;
	MDB_dbi dbi;
	MDB_txn *txn;         /* between begin and commit */
};

/* As it is written; a file never leaves its machine. */
struct value_bytes {
	int64_t width, at;
	uint64_t part[WINDOW_PARTS];
};

static bool
say(char why[LIMITS_FILE_WHY], const char *words)
{
	snprintf(why, LIMITS_FILE_WHY, "%s", words);
	return false;
}

static bool
fine(int error, char why[LIMITS_FILE_WHY])
{
	/* liblmdb's word for less written than was to be */
	if (error == EIO)
		return say(why, "the disk is full, or has an error");
	return error == 0 || say(why, mdb_strerror(error));
}

/* ---- opening ---- */

static int
open_locked(const char *path, char why[LIMITS_FILE_WHY])
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		say(why, strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	say(why, errno == EWOULDBLOCK ? "another vaglio counts there" :
	    strerror(errno));
	close(fd);
	return -1;
}

/* liblmdb believes what it reads. NULL, or what is wrong with the file. */
static const char *
problem_of(int fd)
{
	const char *problem;
	struct stat st;
	char *map;

	if (fstat(fd, &st) != 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "it is no file";
	if (st.st_size == 0)
		return NULL;
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return strerror(errno);
	problem = lmdb_pages_check((struct span){map, (size_t)st.st_size});
	munmap(map, (size_t)st.st_size);
	return problem;
}

static bool
put_aside(const char *path)
{
	size_t n = strlen(path) + sizeof(".damaged");
	char *to = malloc(n);
	bool done;

	if (to == NULL)
		return false;
	snprintf(to, n, "%s.damaged", path);
	done = rename(path, to) == 0;
	free(to);
	return done;
}

static bool
open_env(struct limits_file *f, const char *path, char why[LIMITS_FILE_WHY])
{
	return fine(mdb_env_create(&f->env), why) &&
	       fine(mdb_env_set_mapsize(f->env, MAP_SIZE), why) &&
	       fine(mdb_env_open(f->env, path, MDB_NOSUBDIR | MDB_NOLOCK |
	                         MDB_NOTLS, 0600), why) &&
	       fine(mdb_txn_begin(f->env, NULL, 0, &f->txn), why) &&
	       fine(mdb_dbi_open(f->txn, NULL, 0, &f->dbi), why) &&
	       limits_file_commit(f, why);
}

static void
close_env(struct limits_file *f)
{
	if (f->txn != NULL)
		mdb_txn_abort(f->txn);
	if (f->env != NULL)
		mdb_env_close(f->env);
	f->txn = NULL;
	f->env = NULL;
}

/* What a full disk took of a new file would look like a damaged one. */
static void
take_back(struct limits_file *f)
{
	close_env(f);
	if (ftruncate(f->fd, 0) != 0)
		return; /* then it is put aside */
}

struct limits_file *
limits_file_open(const char *path, bool *aside, char why[LIMITS_FILE_WHY])
{
	struct limits_file *f = calloc(1, sizeof(*f));
	const char *problem;
	struct stat st;
	bool fresh;

	*aside = false;
	if (f == NULL) {
		say(why, "no memory");
		return NULL;
	}
	f->fd = open_locked(path, why);
	problem = f->fd < 0 ? NULL : problem_of(f->fd);
	if (problem != NULL) {
		say(why, problem);
		close(f->fd);
		f->fd = -1;
		*aside = put_aside(path);
		if (*aside)
			f->fd = open_locked(path, why);
	}
	fresh = f->fd >= 0 && fstat(f->fd, &st) == 0 && st.st_size == 0;
	if (f->fd >= 0 && open_env(f, path, why))
		return f;
	if (fresh)
		take_back(f);
	limits_file_close(f);
	return NULL;
}

void
limits_file_close(struct limits_file *f)
{
	if (f == NULL)
		return;
	close_env(f);
	if (f->fd >= 0)
		close(f->fd);
	free(f);
}

/* ---- reading ---- */

static bool
take_record(const MDB_val *k, const MDB_val *v, struct limits_record *r)
{
	struct value_bytes b;

	if (v->mv_size != sizeof(b) || k->mv_size > KEY_BYTES)
		return false;
	memcpy(&b, v->mv_data, sizeof(b));
	r->key = (struct span){(const char *)k->mv_data + LIMITS_FILE_ID,
	                       k->mv_size - LIMITS_FILE_ID};
	r->width = b.width;
	r->window.at = b.at;
	memcpy(r->window.part, b.part, sizeof(b.part));
	return b.width > 0 && b.width < INT64_MAX / 1000 &&
	       b.at >= WINDOW_PARTS && b.at < INT64_MAX / 1000 / b.width;
}

bool
limits_file_each(struct limits_file *f,
                 const unsigned char id[LIMITS_FILE_ID],
                 void (*take)(void *of, const struct limits_record *r),
                 void *of, char why[LIMITS_FILE_WHY])
{
	unsigned char from[LIMITS_FILE_ID];
	MDB_val k = {sizeof(from), from}, v;
	struct limits_record r;
	MDB_cursor *c = NULL;
	MDB_txn *txn;
	int error;

	memcpy(from, id, sizeof(from));
	memcpy(r.id, id, sizeof(r.id));
	if (!fine(mdb_txn_begin(f->env, NULL, MDB_RDONLY, &txn), why))
		return false;
	error = mdb_cursor_open(txn, f->dbi, &c);
	if (error == 0)
		error = mdb_cursor_get(c, &k, &v, MDB_SET_RANGE);
	while (error == 0 && k.mv_size >= sizeof(from) &&
	       memcmp(k.mv_data, id, sizeof(from)) == 0) {
		if (take_record(&k, &v, &r))
			take(of, &r);
		error = mdb_cursor_get(c, &k, &v, MDB_NEXT);
	}
	if (c != NULL)
		mdb_cursor_close(c);
	mdb_txn_abort(txn);
	return error == MDB_NOTFOUND || fine(error, why);
}

/* ---- writing ---- */

bool
limits_file_begin(struct limits_file *f, char why[LIMITS_FILE_WHY])
{
	return fine(mdb_txn_begin(f->env, NULL, 0, &f->txn), why);
}

bool
limits_file_empty(struct limits_file *f, char why[LIMITS_FILE_WHY])
{
	return fine(mdb_drop(f->txn, f->dbi, 0), why);
}

static MDB_val
key_bytes(const struct limits_record *r, unsigned char room[KEY_BYTES])
{
	memcpy(room, r->id, LIMITS_FILE_ID);
	if (r->key.n > 0)
		memcpy(room + LIMITS_FILE_ID, r->key.p, r->key.n);
	return (MDB_val){LIMITS_FILE_ID + r->key.n, room};
}

bool
limits_file_put(struct limits_file *f, const struct limits_record *r,
                char why[LIMITS_FILE_WHY])
{
	unsigned char room[KEY_BYTES];
	struct value_bytes b = {.width = r->width, .at = r->window.at};
	MDB_val k = key_bytes(r, room), v = {sizeof(b), &b};

	memcpy(b.part, r->window.part, sizeof(b.part));
	return fine(mdb_put(f->txn, f->dbi, &k, &v, 0), why);
}

bool
limits_file_remove(struct limits_file *f, const struct limits_record *r,
                   char why[LIMITS_FILE_WHY])
{
	unsigned char room[KEY_BYTES];
	MDB_val k = key_bytes(r, room);
	int error = mdb_del(f->txn, f->dbi, &k, NULL);

	return error == MDB_NOTFOUND || fine(error, why);
}

bool
limits_file_commit(struct limits_file *f, char why[LIMITS_FILE_WHY])
{
	MDB_txn *txn = f->txn;

	f->txn = NULL;
	return fine(mdb_txn_commit(txn), why);
}
