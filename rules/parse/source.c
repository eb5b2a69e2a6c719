#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "caps.h"
#include "source.h"

/* Size of a file that a policy can be read from, or why it is none. */
static const char *
measure(const char *path, size_t *size)
{
	struct stat st;

	if (stat(path, &st) == -1)
		return strerror(errno);
	if (S_ISDIR(st.st_mode))
		return strerror(EISDIR);
	if (!S_ISREG(st.st_mode))
		return "not a regular file"; /* a FIFO would make us wait */
	if (st.st_size > CAPS_POLICY_BYTES)
		return "larger than 64 MB (data belongs in tables)";
	*size = (size_t)st.st_size;
	return NULL;
}

/* Reads until n bytes are there or the file ends; -1 on an error. */
static ssize_t
read_all(int fd, char *p, size_t n)
{
	size_t have = 0;
	ssize_t got;

	while (have < n) {
		got = read(fd, p + have, n - have);
		if (got == -1 && errno == EINTR)
			continue;
		if (got == -1)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

struct span
source_read(struct arena *a, const char *path, const char **why)
{
	struct span none = {NULL, 0};
	size_t size = 0;
	ssize_t got;
	char *p;
	int fd;

	if ((*why = measure(path, &size)) != NULL)
		return none;
	p = arena_alloc(a, size + 1); /* may escape: nothing is open yet */
	if (p == NULL) {
		*why = strerror(ENOMEM);
		return none;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd == -1) {
		*why = strerror(errno);
		return none;
	}
	got = read_all(fd, p, size + 1);
	*why = got == -1 ? strerror(errno) :
		(size_t)got > size ? "it grew while it was read" : NULL;
	close(fd);
	return *why == NULL ? (struct span){p, (size_t)got} : none;
}
