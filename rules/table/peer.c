#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "peer.h"
#include "watch.h"

#define SECOND 1000000000LL
#define PAUSE_FIRST (SECOND / 2)  /* doubled while the server is down, ... */
#define PAUSE_MAX (30 * SECOND)   /* ... up to this */
#define IDLE 8                    /* connections kept */
#define ADDRESSES 4               /* of a name that are tried */

struct endpoint {
	struct sockaddr_storage address;
	socklen_t size;
};

struct peer {
	struct endpoint endpoints[ADDRESSES];
	size_t n_endpoints;
	pthread_mutex_t lock;     /* of what follows */
	int idle[IDLE];
	size_t n_idle;
	int64_t pause, until;     /* down: asked again then */
};

int64_t
peer_deadline(int64_t in)
{
	return watch_clock() + in;
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
		left = deadline - watch_clock();
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

bool
peer_send(int fd, struct span s, int64_t deadline)
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

size_t
peer_receive_some(int fd, char *p, size_t n, int64_t deadline)
{
	ssize_t got;

	for (;;) {
		got = recv(fd, p, n, MSG_DONTWAIT);
		if (got > 0)
			return (size_t)got;
		if (got == 0) {
			errno = ECONNRESET;
			return 0;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || !wait_for(fd, POLLIN, deadline))
			return 0;
	}
}

bool
peer_receive(int fd, char *p, size_t n, int64_t deadline)
{
	size_t got;

	for (; n > 0; p += got, n -= got) {
		got = peer_receive_some(fd, p, n, deadline);
		if (got == 0)
			return false;
	}
	return true;
}

/* ---- connections ---- */

static int
connect_to(const struct endpoint *e, int64_t deadline)
{
	int fd = socket(e->address.ss_family,
	                SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;
	socklen_t size = sizeof(error);

	if (fd < 0)
		return -1;
	if (connect(fd, (const struct sockaddr *)&e->address, e->size) == 0)
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

/* To the first address that takes it. */
static int
connect_any(const struct peer *p, int64_t deadline)
{
	int fd = -1;
	size_t i;

	for (i = 0; fd < 0 && i < p->n_endpoints; i++)
		fd = connect_to(&p->endpoints[i], deadline);
	return fd;
}

/*
 * A server says nothing by itself: what can be read is that it has gone, or
 * an answer that nobody waits for any more.
 */
static bool
is_stale(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};

	return poll(&p, 1, 0) != 0;
}

/*
 * A connection that was kept, or -1. *down: the server is to be left alone;
 * *trial: it was down, and nobody else tries it for now.
 */
static int
take_idle(struct peer *p, bool *down, bool *trial)
{
	int64_t now = watch_clock();
	int fd = -1;

	pthread_mutex_lock(&p->lock);
	*down = now < p->until;
	if (!*down && p->pause > 0) {
		*trial = true;
		p->until = now + p->pause;
	}
	if (p->n_idle > 0)
		fd = p->idle[--p->n_idle];
	pthread_mutex_unlock(&p->lock);
	return fd;
}

/* Closes it if it may not be kept. */
static void
give_back(struct peer *p, int fd, bool keep)
{
	pthread_mutex_lock(&p->lock);
	p->pause = p->until = 0;
	if (keep && p->n_idle < IDLE) {
		p->idle[p->n_idle++] = fd;
		fd = -1;
	}
	pthread_mutex_unlock(&p->lock);
	if (fd >= 0)
		close(fd);
}

/*
 * The connections that were kept would only cost the same time each. Of many
 * questions that fail together one makes the pause longer.
 */
static void
leave_alone(struct peer *p, bool trial)
{
	pthread_mutex_lock(&p->lock);
	while (p->n_idle > 0)
		close(p->idle[--p->n_idle]);
	if (trial || p->pause == 0) {
		p->pause = p->pause == 0 ? PAUSE_FIRST : p->pause * 2;
		if (p->pause > PAUSE_MAX)
			p->pause = PAUSE_MAX;
		p->until = watch_clock() + p->pause;
	}
	pthread_mutex_unlock(&p->lock);
}

/* ---- a question ---- */

/* Whether there was an answer; else the connection is closed, errno stays. */
static bool
ask_on(struct peer *p, const struct peer_question *q, int fd, bool fresh,
       int64_t deadline)
{
	enum peer_talk said = q->talk(q->of, fd, fresh, deadline);
	int error = errno;

	if (said != PEER_LOST) {
		give_back(p, fd, said == PEER_GOOD);
		return true;
	}
	close(fd);
	errno = error;
	return false;
}

bool
peer_ask(struct peer *p, const struct peer_question *q, int64_t deadline)
{
	bool down, trial = false, over = false;
	int fd, error = 0;

	/* those that were kept may have been closed by the server */
	while (!over && (fd = take_idle(p, &down, &trial)) >= 0) {
		if (is_stale(fd)) {
			close(fd);
			continue;
		}
		if (ask_on(p, q, fd, false, deadline))
			return true;
		error = errno;
		over = !q->again || watch_clock() >= deadline;
	}
	if (!over) {
		errno = EHOSTDOWN;
		if (down)
			return false;
		fd = connect_any(p, deadline);
		if (fd >= 0 && ask_on(p, q, fd, true, deadline))
			return true;
		error = errno;
	}
	leave_alone(p, trial);
	errno = error;
	return false;
}

const char *
peer_error(int error)
{
	return error == EHOSTDOWN ? "it is down" : strerror(error);
}

/* ---- where it is ---- */

static bool
take_unix(struct peer *p, const char *path, char why[PEER_WHY])
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	if (*path == '\0' || strlen(path) >= sizeof(un.sun_path)) {
		snprintf(why, PEER_WHY, *path == '\0' ?
		         "unix: is followed by a socket's path" :
		         "the socket's path is too long");
		return false;
	}
	memcpy(un.sun_path, path, strlen(path));
	memcpy(&p->endpoints[0].address, &un, sizeof(un));
	p->endpoints[0].size = sizeof(un);
	p->n_endpoints = 1;
	return true;
}

static bool
look_up(struct peer *p, const char *host, const char *port,
        char why[PEER_WHY])
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list, *i;
	int error = getaddrinfo(host, port, &hints, &list);
	struct endpoint *e;

	if (error != 0) {
		snprintf(why, PEER_WHY, "%s", error == EAI_SERVICE ?
		         "there is no such port" : gai_strerror(error));
		return false;
	}
	for (i = list; i != NULL && p->n_endpoints < ADDRESSES; i = i->ai_next) {
		e = &p->endpoints[p->n_endpoints++];
		memcpy(&e->address, i->ai_addr, i->ai_addrlen);
		e->size = i->ai_addrlen;
	}
	freeaddrinfo(list);
	return true;
}

/* host ":" port; host is changed */
static bool
take_inet(struct peer *p, char *host, char why[PEER_WHY])
{
	char *port = strrchr(host, ':');

	if (port == NULL || port == host || port[1] == '\0' ||
	    strchr(host, '/') != NULL) {
		snprintf(why, PEER_WHY, "it is no host:port");
		return false;
	}
	*port++ = '\0';
	if (host[0] == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = '\0';
		host++;
	}
	return look_up(p, host, port, why);
}

struct peer *
peer_new(const char *where, char why[PEER_WHY])
{
	struct peer *p = calloc(1, sizeof(*p));
	char *text = strdup(where);
	bool good = false;

	snprintf(why, PEER_WHY, "no memory");
	if (p != NULL)
		pthread_mutex_init(&p->lock, NULL);
	if (p != NULL && text != NULL)
		good = strncmp(text, "unix:", 5) == 0 ?
		       take_unix(p, text + 5, why) : take_inet(p, text, why);
	free(text);
	if (good)
		return p;
	peer_free(p);
	return NULL;
}

void
peer_free(struct peer *p)
{
	if (p == NULL)
		return;
	while (p->n_idle > 0)
		close(p->idle[--p->n_idle]);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
