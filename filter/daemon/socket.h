/*
 * socket.h - the listening socket, opened by us and handed to libmilter as a
 * descriptor: libmilter would bind a path under the process' umask, and take
 * it from a live second instance.
 */
#ifndef SOCKET_H
#define SOCKET_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

struct listener {
	int fd;
	int lock;          /* keeps the path ours; -1: none needed */
	bool exposed;      /* reachable from other machines */
	char *base;        /* names the files beside it (.pid, .control) */
	char *path;        /* of a Unix socket that we made, else NULL */
	dev_t dev;         /* what we made, so that only that is removed */
	ino_t ino;
};

/* A socket's name, read. */
struct socket_name {
	enum { SOCKET_PATH, SOCKET_INET4, SOCKET_INET6, SOCKET_FD } family;
	const char *path;
	char host[256], port[32];
	int fd;
};

/*
 * name = "unix:" path | "local:" path | "/" path | "inet:" port [ "@" host ]
 *      | "inet6:" port [ "@" host ] | "fd:" number
 * Without a host it is the loopback's. path points into name.
 */
bool socket_parse(const char *name, struct socket_name *w);

/* Who owns a Unix socket and who may connect; -1: as the process is. */
struct socket_access {
	mode_t mode;
	uid_t uid;
	gid_t gid;
};

/*
 * Opens "unix:/path", "/path", "inet:port@host", "inet6:port@host" (without
 * a host: loopback) or takes "fd:N". Returns 0 or a status of sysexits.h, and
 * then why says it in words, for a message that begins with the program's
 * name.
 */
int socket_open(const char *name, const struct socket_access *access,
                struct listener *l, char why[512]);

/*
 * The number of the descriptor that systemd passed to this process (see
 * sd_listen_fds(3)), -1 if it passed none, -2 if more than one.
 */
int socket_inherited(void);

/* Where the files beside the socket of that name are, malloced, or NULL. */
char *socket_base(const char *name);

/*
 * A connection to the listener itself, which wakes whoever waits to accept.
 * Closed at once; false if it could not be made.
 */
bool socket_knock(const struct listener *l);

/* Closes, and removes a path that we made and that is still ours. */
void socket_close(struct listener *l);

#endif
