/*
 * backend_socketmap.c - socketmap "inet:host:port:map" or "unix:path:map":
 * a server that speaks the socketmap protocol of Sendmail and Postfix
 * (socketmap_table(5)).
 *
 *	request := netstring of map " " key
 *	reply   := netstring of "OK " text | "NOTFOUND " | "TEMP " reason |
 *	           "TIMEOUT " reason | "PERM " reason
 *	netstring := decimal length ":" bytes ","
 *
 * Connections are kept for the next question. A server that could not be
 * had is left alone for a while, in which every question fails at once.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"

#define SECOND 1000000000LL
#define ANSWER_TIME (3 * SECOND)  /* for a question; the MTA waits */
#define PAUSE_FIRST (SECOND / 2)  /* doubled while the server is down, ... */
#define PAUSE_MAX (30 * SECOND)   /* ... up to this */
#define IDLE 8                    /* connections kept */
#define REPLY_MAX 100000          /* bytes; Postfix's own limit */
#define LENGTH_DIGITS 6           /* of that */

struct socketmap {
	struct sockaddr_storage address;
	socklen_t address_size;
	char *map;
	pthread_mutex_t lock;     /* of what follows */
	int idle[IDLE];
	size_t n_idle;
	int64_t pause, until;     /* down: asked again then */
};

static int64_t
clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

/* ---- bytes ---- */

/* false: the time is over, or an error; errno says which. */
static bool
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = {fd, events, 0};
	int64_t left;
	int ready;

	for (;;) {
		left = deadline - clock_now();
		if (left <= 0) {
			errno = ETIMEDOUT;
			return false;
		}
		ready = poll(&p, 1, (int)(left / 1000000) + 1);
		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return false;
	}
}

static bool
send_all(int fd, struct span s, int64_t deadline)
{
	ssize_t n;

	while (s.n > 0) {
		n = send(fd, s.p, s.n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno != EAGAIN ||
		              !wait_for(fd, POLLOUT, deadline)))
			return false;
		if (n > 0) {
			s.p += n;
			s.n -= (size_t)n;
		}
	}
	return true;
}

static bool
receive_all(int fd, char *p, size_t n, int64_t deadline)
{
	ssize_t got;

	while (n > 0) {
		got = recv(fd, p, n, MSG_DONTWAIT);
		if (got == 0) {
			errno = ECONNRESET;
			return false;
		}
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 && (errno != EAGAIN ||
		                !wait_for(fd, POLLIN, deadline)))
			return false;
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
	return true;
}

/* The reply's netstring in *reply; false with errno. */
static bool
receive(int fd, struct arena *a, struct span *reply, int64_t deadline)
{
	size_t length = 0, digits = 0;
	char c, *p;

	for (;; digits++) {
		if (!receive_all(fd, &c, 1, deadline))
			return false;
		if (c == ':' && digits > 0)
			break;
		errno = EPROTO;
		if (c < '0' || c > '9' || digits == LENGTH_DIGITS)
			return false;
		length = length * 10 + (size_t)(c - '0');
	}
	errno = EMSGSIZE;
	if (length > REPLY_MAX)
		return false;
	p = arena_alloc(a, length + 1);
	errno = ENOMEM;
	if (p == NULL || !receive_all(fd, p, length + 1, deadline))
		return false;
	errno = EPROTO;
	*reply = (struct span){p, length};
	return p[length] == ',';
}

/* ---- connections ---- */

static int
connect_to(const struct socketmap *m, int64_t deadline)
{
	int fd = socket(m->address.ss_family,
	                SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;
	socklen_t size = sizeof(error);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&m->address,
	            m->address_size) == 0)
		return fd;
	if (errno == EINPROGRESS && wait_for(fd, POLLOUT, deadline) &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0) {
		if (error == 0)
			return fd;
		errno = error;
	}
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* One that was kept, or -1; *down: the server is to be left alone. */
static int
take_idle(struct socketmap *m, bool *down)
{
	int fd = -1;

	pthread_mutex_lock(&m->lock);
	*down = clock_now() < m->until;
	if (m->n_idle > 0)
		fd = m->idle[--m->n_idle];
	pthread_mutex_unlock(&m->lock);
	return fd;
}

static void
give_back(struct socketmap *m, int fd)
{
	pthread_mutex_lock(&m->lock);
	m->pause = m->until = 0;
	if (m->n_idle < IDLE) {
		m->idle[m->n_idle++] = fd;
		fd = -1;
	}
	pthread_mutex_unlock(&m->lock);
	if (fd >= 0)
		close(fd);
}

/* The connections that were kept would only cost the same time each. */
static void
leave_alone(struct socketmap *m)
{
	pthread_mutex_lock(&m->lock);
	while (m->n_idle > 0)
		close(m->idle[--m->n_idle]);
	m->pause = m->pause == 0 ? PAUSE_FIRST : m->pause * 2;
	if (m->pause > PAUSE_MAX)
		m->pause = PAUSE_MAX;
	m->until = clock_now() + m->pause;
	pthread_mutex_unlock(&m->lock);
}

/* ---- a question ---- */

static bool
ask_on(int fd, struct span request, struct arena *a, struct span *reply,
       int64_t deadline)
{
	return send_all(fd, request, deadline) &&
	       receive(fd, a, reply, deadline);
}

/* false, with errno: the server could not be had. */
static bool
ask(struct socketmap *m, struct span request, struct arena *a,
    struct span *reply)
{
	int64_t deadline = clock_now() + ANSWER_TIME;
	bool down;
	int fd, error;

	/* those that were kept may have been closed by the server */
	while ((fd = take_idle(m, &down)) >= 0) {
		if (ask_on(fd, request, a, reply, deadline)) {
			give_back(m, fd);
			return true;
		}
		close(fd);
		if (clock_now() >= deadline)
			break;
	}
	errno = EHOSTDOWN;
	if (down)
		return false;
	fd = connect_to(m, deadline);
	if (fd >= 0 && ask_on(fd, request, a, reply, deadline)) {
		give_back(m, fd);
		return true;
	}
	error = errno;
	if (fd >= 0)
		close(fd);
	leave_alone(m);
	errno = error;
	return false;
}

/* What stands behind the word, if the reply begins with it. */
static bool
reply_is(struct span reply, struct span word, struct span *rest)
{
	if (reply.n < word.n || memcmp(reply.p, word.p, word.n) != 0 ||
	    (reply.n > word.n && reply.p[word.n] != ' '))
		return false;
	*rest = (struct span){reply.p + word.n, reply.n - word.n};
	return true;
}

static enum table_result
find_socketmap(void *of, struct span key, struct arena *a, struct span *text,
               struct span *why)
{
	struct socketmap *m = of;
	struct span body, request, reply, rest;

	if (key.n == 0 || memchr(key.p, '\0', key.n) != NULL)
		return TABLE_NO; /* no map has such a key */
	body = arena_printf(a, "%s ", m->map);
	request = arena_printf(a, "%zu:%s %.*s,", body.n + key.n, m->map,
	                       SPAN_ARG(key));
	*why = SPAN("no memory");
	if (body.p == NULL || request.p == NULL)
		return TABLE_FAILED;
	if (!ask(m, request, a, &reply)) {
		*why = arena_printf(a, "socketmap %s: %s", m->map,
		                    errno == EHOSTDOWN ? "it is down" :
		                    strerror(errno));
		return TABLE_FAILED;
	}
	if (reply_is(reply, SPAN("OK"), text))
		return TABLE_YES;
	if (reply_is(reply, SPAN("NOTFOUND"), &rest))
		return TABLE_NO;
	*why = arena_printf(a, "socketmap %s says: %.*s", m->map,
	                    SPAN_ARG(reply));
	return TABLE_FAILED;
}

/* ---- opening ---- */

static void
close_socketmap(void *of)
{
	struct socketmap *m = of;

	while (m->n_idle > 0)
		close(m->idle[--m->n_idle]);
	pthread_mutex_destroy(&m->lock);
	free(m->map);
	free(m);
}

static bool
take_unix(struct socketmap *m, const char *path, char why[BACKEND_WHY])
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(un.sun_path)) {
		snprintf(why, BACKEND_WHY, "the socket's path is too long");
		return false;
	}
	memcpy(un.sun_path, path, strlen(path));
	memcpy(&m->address, &un, sizeof(un));
	m->address_size = sizeof(un);
	return true;
}

/* host ":" port; an IPv6 address stands in brackets */
static bool
take_inet(struct socketmap *m, char *host, char why[BACKEND_WHY])
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	char *port = strrchr(host, ':');
	struct addrinfo *list;
	int error;

	if (port == NULL || port == host || port[1] == '\0') {
		snprintf(why, BACKEND_WHY, "inet: is followed by host:port");
		return false;
	}
	*port++ = '\0';
	if (host[0] == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = '\0';
		host++;
	}
	error = getaddrinfo(host, port, &hints, &list);
	if (error != 0) {
		snprintf(why, BACKEND_WHY, "%s", gai_strerror(error));
		return false;
	}
	memcpy(&m->address, list->ai_addr, list->ai_addrlen);
	m->address_size = list->ai_addrlen;
	freeaddrinfo(list);
	return true;
}

/* ("inet:" host ":" port | "unix:" path) ":" map */
static bool
take_argument(struct socketmap *m, char *text, char why[BACKEND_WHY])
{
	char *map = strrchr(text, ':');

	if ((strncmp(text, "inet:", 5) == 0 || strncmp(text, "unix:", 5) == 0)
	    && map > text + 5 && map[1] != '\0' && strchr(map, ' ') == NULL) {
		*map++ = '\0';
		m->map = strdup(map);
		if (m->map != NULL && *text == 'i')
			return take_inet(m, text + 5, why);
		if (m->map != NULL)
			return take_unix(m, text + 5, why);
		snprintf(why, BACKEND_WHY, "no memory");
		return false;
	}
	snprintf(why, BACKEND_WHY,
	         "it is inet:host:port:map or unix:path:map");
	return false;
}

static void *
open_socketmap(const char *argument, char why[BACKEND_WHY])
{
	struct socketmap *m = calloc(1, sizeof(*m));
	char *text = strdup(argument);
	int fd = -1;

	snprintf(why, BACKEND_WHY, "no memory");
	if (m != NULL)
		pthread_mutex_init(&m->lock, NULL);
	if (m != NULL && text != NULL && take_argument(m, text, why)) {
		fd = connect_to(m, clock_now() + ANSWER_TIME);
		if (fd < 0)
			snprintf(why, BACKEND_WHY, "%s", strerror(errno));
		else
			give_back(m, fd);
	}
	free(text);
	if (fd >= 0)
		return m;
	if (m != NULL)
		close_socketmap(m);
	return NULL;
}

const struct backend backend_socketmap = {
	.name = "socketmap", .argument = "inet:HOST:PORT:MAP",
	.cost = COST_NET, .open = open_socketmap, .close = close_socketmap,
	.find = find_socketmap,
};
