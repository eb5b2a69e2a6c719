#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "control.h"

#define PATIENCE 5     /* seconds for a caller to say what it wants */
#define REQUEST 4096   /* bytes that it may take for it */

/*
 * What is said over the socket: the request, and the end of what is sent;
 * then the status in decimal, LF, the words.
 */

static bool
address(const char *base, struct sockaddr_un *a)
{
	int n;

	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(a->sun_path, sizeof(a->sun_path), "%s.control", base);
	if (n >= 0 && (size_t)n < sizeof(a->sun_path))
		return true;
	errno = ENAMETOOLONG;
	return false;
}

int
control_open(const char *base)
{
	struct sockaddr_un a;
	mode_t old;
	int fd, got;

	if (!address(base, &a))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	unlink(a.sun_path);
	old = umask(0177);
	got = bind(fd, (struct sockaddr *)&a, sizeof(a));
	umask(old);
	if (got == 0 && listen(fd, 8) == 0)
		return fd;
	got = errno;
	close(fd);
	errno = got;
	return -1;
}

void
control_close(int fd, const char *base)
{
	struct sockaddr_un a;

	if (fd < 0)
		return;
	if (address(base, &a))
		unlink(a.sun_path);
	close(fd);
}

static bool
is_trusted(int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
	       (peer.uid == 0 || peer.uid == geteuid());
}

static bool
send_all(int fd, const char *p, size_t n)
{
	ssize_t sent;

	while (n > 0) {
		sent = send(fd, p, n, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

/* The request, its end or "reload" and LF seen; 0: none, or too long. */
static size_t
receive(int fd, char request[REQUEST])
{
	static const char reload[] = "reload\n"; /* of those of version 0.1 */
	size_t n = 0;
	ssize_t got;

	while (n < REQUEST) {
		got = recv(fd, request + n, REQUEST - n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return 0;
		if (got == 0)
			return n - (n > 0 && request[n - 1] == '\n');
		n += (size_t)got;
		if (n == sizeof(reload) - 1 && memcmp(request, reload, n) == 0)
			return n - 1;
	}
	return 0;
}

static void
serve(int fd, control_act *act, void *of)
{
	const struct timeval patience = {.tv_sec = PATIENCE};
	char request[REQUEST], head[16];
	char *words = NULL;
	size_t n = 0, size;
	FILE *out;
	int status;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	size = is_trusted(fd) ? receive(fd, request) : 0;
	if (size == 0)
		return;
	out = open_memstream(&words, &n);
	if (out == NULL)
		return;
	status = act(of, (struct span){request, size}, out);
	fclose(out);
	snprintf(head, sizeof(head), "%d\n", status);
	if (send_all(fd, head, strlen(head)))
		send_all(fd, words, n);
	free(words);
}

bool
control_answer(int fd, control_act *act, void *of)
{
	int caller = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

	/* No descriptor, no memory: those who wait are asked again soon. */
	if (caller < 0 && (errno == EMFILE || errno == ENFILE ||
	                   errno == ENOBUFS || errno == ENOMEM)) {
		poll(NULL, 0, 200);
		return true;
	}
	if (caller < 0)
		return errno == EINTR || errno == ECONNABORTED ||
		       errno == EAGAIN;
	serve(caller, act, of);
	close(caller);
	return true;
}

/* The status is the first line; what follows is copied. */
static int
take_answer(FILE *in, FILE *good, FILE *bad)
{
	char line[512];
	size_t n;
	int status;
	FILE *out;

	if (fgets(line, sizeof(line), in) == NULL ||
	    line[0] < '0' || line[0] > '9')
		return -1;
	status = atoi(line);
	out = status == 0 ? good : bad;
	while ((n = fread(line, 1, sizeof(line), in)) > 0)
		fwrite(line, 1, n, out);
	return status;
}

int
control_ask(const char *base, struct span request, FILE *good, FILE *bad)
{
	struct sockaddr_un a;
	int fd, got, status = -1;
	FILE *in;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || !address(base, &a) ||
	    connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
		got = errno;
		fprintf(bad, got == EACCES ? "vaglio: %s.control: %s\n" :
		        "vaglio: %s.control: %s: is the filter running?\n",
		        base, strerror(got));
		if (fd >= 0)
			close(fd);
		return got == EACCES ? EX_NOPERM : EX_UNAVAILABLE;
	}
	if (send_all(fd, request.p, request.n) &&
	    shutdown(fd, SHUT_WR) == 0 &&
	    (in = fdopen(fd, "r")) != NULL) {
		status = take_answer(in, good, bad);
		fclose(in);
	} else {
		close(fd);
	}
	if (status >= 0)
		return status;
	fprintf(bad, "vaglio: %s.control: the filter ended without an "
	        "answer\n", base);
	return EX_UNAVAILABLE;
}
