/* backend.c - the table of back ends, and what several of them need. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend.h"

/* Read whole: table_file.c, table_reload.c. */
static const struct backend backend_file = {
	.name = "file", .argument = "PATH", .is_path = true, .near = true,
};

static const struct backend *const rows[] = {
	&backend_file, &backend_cdb, &backend_lmdb, &backend_dns,
	&backend_redis, &backend_socketmap,
};

static const struct backend_option options[] = {
#define OPTION(words, type, member) \
	{words, OPTION_##type, offsetof(struct backend_options, member)}
	OPTION("prefix", TEXT, prefix),
	OPTION("database", NUMBER, database),
	OPTION("user", TEXT, user),
	OPTION("password file", PATH, password_file),
#undef OPTION
};

const struct backend *
backend_row(size_t i)
{
	return i < sizeof(rows) / sizeof(rows[0]) ? rows[i] : NULL;
}

const struct backend *
backend_find(struct span name)
{
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_is(name, span_of(rows[i]->name)))
			return rows[i];
	return NULL;
}

const struct backend_option *
backend_option(size_t i)
{
	return i < sizeof(options) / sizeof(options[0]) ? &options[i] : NULL;
}

/* ---- a copy of a file ---- */

static bool
write_all(int fd, const char *p, size_t n)
{
	ssize_t done;

	while (n > 0) {
		done = write(fd, p, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		p += done;
		n -= (size_t)done;
	}
	return true;
}

static bool
copy_bytes(int from, int to, size_t *size)
{
	size_t room = 1 << 16;
	char *buffer = malloc(room);
	ssize_t got = -1;

	*size = 0;
	while (buffer != NULL) {
		got = read(from, buffer, room);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || !write_all(to, buffer, (size_t)got))
			break;
		*size += (size_t)got;
	}
	free(buffer);
	return got == 0;
}

int
backend_copy(const char *path, size_t *size, char why[BACKEND_WHY])
{
	/* Not to hang on a FIFO. */
	int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int to = -1;
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0) {
		snprintf(why, BACKEND_WHY, "%s", strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		snprintf(why, BACKEND_WHY, "it is no file");
	} else {
		to = memfd_create("table", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		if (to < 0 || !copy_bytes(from, to, size) ||
		    fcntl(to, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW |
		          F_SEAL_WRITE | F_SEAL_SEAL) < 0) {
			snprintf(why, BACKEND_WHY, "%s", strerror(errno));
			if (to >= 0)
				close(to);
			to = -1;
		}
	}
	if (from >= 0)
		close(from);
	return to;
}
