#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "body.h"
#include "caps.h"

#define FIRST_SIZE 16384

/* ---- in a file ---- */

/* One with a name for a moment, where the file system knows no other. */
static int
open_named(const char *folder)
{
	char path[4096];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/vaglio-XXXXXX",
	                     folder) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	return fd;
}

static int
open_file(void)
{
	const char *folder = getenv("TMPDIR");
	int fd;

	if (folder == NULL || *folder != '/')
		folder = "/var/tmp";
	fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR ||
	               errno == EINVAL))
		fd = open_named(folder);
	return fd;
}

/*
 * Written, and not stored into a mapping: a full disk is an error here and
 * a signal there.
 */
static bool
write_at(int fd, const char *p, size_t n, size_t at)
{
	ssize_t done;

	for (; n > 0; p += done, n -= (size_t)done, at += (size_t)done) {
		done = pwrite(fd, p, n, (off_t)at);
		if (done < 0 && errno == EINTR)
			done = 0;
		else if (done <= 0)
			return false;
	}
	return true;
}

static bool
move_to_file(struct body *b)
{
	int fd = open_file(), why;

	if (fd < 0)
		return false;
	if (!write_at(fd, b->bytes, b->n, 0)) {
		why = errno;
		close(fd);
		errno = why;
		return false;
	}
	free(b->bytes);
	b->bytes = NULL;
	b->size = 0;
	b->in_file = true;
	b->fd = fd;
	return true;
}

static void
unmap(struct body *b)
{
	if (b->bytes != NULL)
		munmap(b->bytes, b->size);
	b->bytes = NULL;
	b->size = 0;
}

static bool
add_to_file(struct body *b, const char *chunk, size_t n)
{
	if (!write_at(b->fd, chunk, n, b->n))
		return false;
	unmap(b);
	b->n += n;
	return true;
}

/* ---- in memory ---- */

static bool
grow(struct body *b, size_t least)
{
	size_t size = b->size == 0 ? FIRST_SIZE : b->size;
	char *bytes;

	while (size < least)
		size *= 2;
	bytes = realloc(b->bytes, size);
	if (bytes == NULL)
		return false;
	b->bytes = bytes;
	b->size = size;
	return true;
}

bool
body_add(struct body *b, const void *chunk, size_t n)
{
	if (n == 0)
		return true;
	if (!b->in_file && n > CAPS_BODY_MEMORY - b->n && !move_to_file(b))
		return false;
	if (b->in_file)
		return add_to_file(b, chunk, n);
	if (b->n + n > b->size && !grow(b, b->n + n))
		return false;
	memcpy(b->bytes + b->n, chunk, n);
	b->n += n;
	return true;
}

/* ---- either ---- */

void
body_free(struct body *b)
{
	if (b->in_file) {
		unmap(b);
		close(b->fd);
	}
	free(b->bytes);
	*b = (struct body){.bytes = NULL};
}

struct span
body_bytes(struct body *b)
{
	void *p;

	if (b->n == 0)
		return SPAN("");
	if (b->in_file && b->bytes == NULL) {
		p = mmap(NULL, b->n, PROT_READ, MAP_SHARED, b->fd, 0);
		if (p == MAP_FAILED)
			return (struct span){NULL, 0};
		b->bytes = p;
		b->size = b->n;
	}
	return (struct span){b->bytes, b->n};
}

void
body_rest(const struct body *b)
{
	if (b->in_file && b->bytes != NULL)
		madvise(b->bytes, b->size, MADV_DONTNEED);
}

void
body_passed(struct span mapped)
{
	uintptr_t page = (uintptr_t)getpagesize();
	uintptr_t skip = -(uintptr_t)mapped.p & (page - 1);

	if (mapped.n < skip + page)
		return;
	madvise((char *)(size_t)mapped.p + skip,
	        (mapped.n - skip) & ~(size_t)(page - 1), MADV_DONTNEED);
}

size_t
body_memory(const struct body *b)
{
	return b->in_file ? 0 : b->size;
}

/* ---- all sessions ---- */

static atomic_size_t in_use;

size_t
memory_account(size_t *held, size_t now)
{
	size_t before = *held;

	*held = now;
	if (now >= before)
		return atomic_fetch_add(&in_use, now - before) + now - before;
	return atomic_fetch_sub(&in_use, before - now) - (before - now);
}
