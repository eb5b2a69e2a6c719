/*
 * doctor_socket.c - the policy's socket: does an MTA's word lead there, who
 * answers there, and who may connect.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "doctor_visit.h"
#include "options.h"
#include "session.h"

#define PATIENCE 5 /* seconds for a program to answer the negotiation */

/* ---- is it ours? ---- */

/* Any address of the host: a filter on 0.0.0.0 answers on each. */
static bool
is_any(const struct sockaddr *a)
{
	static const struct in6_addr none = IN6ADDR_ANY_INIT;

	if (a->sa_family == AF_INET)
		return ((const struct sockaddr_in *)a)->sin_addr.s_addr == 0;
	return a->sa_family == AF_INET6 &&
	       memcmp(&((const struct sockaddr_in6 *)a)->sin6_addr, &none,
	              sizeof(none)) == 0;
}

static bool
is_same_address(const struct sockaddr *a, const struct sockaddr *b)
{
	const struct sockaddr_in *a4 = (const struct sockaddr_in *)a;
	const struct sockaddr_in *b4 = (const struct sockaddr_in *)b;
	const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)a;
	const struct sockaddr_in6 *b6 = (const struct sockaddr_in6 *)b;

	/* The port is at the same place in both. */
	if (a->sa_family != b->sa_family || a4->sin_port != b4->sin_port)
		return false;
	if (is_any(a) || is_any(b))
		return true;
	if (a->sa_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return memcmp(&a6->sin6_addr, &b6->sin6_addr,
	              sizeof(a6->sin6_addr)) == 0;
}

static struct addrinfo *
resolve(const char *host, const char *port, int family)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
	                         .ai_family = family}, *all;

	return getaddrinfo(host, port, &hints, &all) == 0 ? all : NULL;
}

static struct addrinfo *
resolve_ours(const struct visit *v)
{
	return resolve(v->name.host, v->name.port,
	               v->name.family == SOCKET_INET4 ? AF_INET : AF_INET6);
}

bool
visit_is_port(const struct visit *v, const char *host, const char *port)
{
	struct addrinfo *ours, *theirs, *a, *b;
	bool same = false;

	if (v->name.family != SOCKET_INET4 && v->name.family != SOCKET_INET6)
		return false;
	ours = resolve_ours(v);
	theirs = resolve(host, port, AF_UNSPEC);
	for (a = ours; a != NULL; a = a->ai_next)
		for (b = theirs; b != NULL; b = b->ai_next)
			same = same || is_same_address(a->ai_addr, b->ai_addr);
	if (ours != NULL)
		freeaddrinfo(ours);
	if (theirs != NULL)
		freeaddrinfo(theirs);
	return same;
}

/* The path with one slash where there are several. */
static void
squeeze(char *path)
{
	char *to = path;

	for (; *path != '\0'; path++)
		if (*path != '/' || path[1] != '/')
			*to++ = *path;
	*to = '\0';
}

/* The path without links, or as it is where nothing is. */
static char *
plain_path(const char *path)
{
	char *plain = realpath(path, NULL);

	if (plain == NULL)
		plain = strdup(path);
	if (plain != NULL)
		squeeze(plain);
	return plain;
}

bool
visit_is_path(const struct visit *v, const char *path)
{
	char *a, *b;
	bool same;

	if (v->name.family != SOCKET_PATH)
		return false;
	a = plain_path(path);
	b = plain_path(v->name.path);
	same = a != NULL && b != NULL && strcmp(a, b) == 0;
	free(a);
	free(b);
	return same;
}

/* ---- who answers ---- */

static void
be_patient(int fd)
{
	const struct timeval time = {.tv_sec = PATIENCE};

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
}

/* A descriptor, or -1 with errno. */
static int
connect_path(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fd, got;

	if (strlen(path) >= sizeof(to.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(to.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	be_patient(fd);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	got = errno;
	close(fd);
	errno = got;
	return -1;
}

static int
connect_port(const struct visit *v)
{
	struct addrinfo *to = resolve_ours(v), *a;
	int fd = -1, got = EADDRNOTAVAIL;

	for (a = to; a != NULL && fd < 0; a = a->ai_next) {
		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			break;
		be_patient(fd);
		if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
			break;
		got = errno;
		close(fd);
		fd = -1;
	}
	if (to != NULL)
		freeaddrinfo(to);
	errno = got;
	return fd;
}

static int
connect_ours(const struct visit *v)
{
	return v->name.family == SOCKET_PATH ? connect_path(v->name.path) :
	       connect_port(v);
}

/* With errno as it is. */
static bool
can_connect(const struct visit *v)
{
	int fd = v->name.family != SOCKET_FD ? connect_ours(v) : -1;

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* By the unit, where systemd runs and it is the unit's policy. */
static struct span
start_line(struct visit *v)
{
	if (!v->socket_given && strcmp(v->config, DEFAULT_CONFIG) == 0 &&
	    access("/run/systemd/system", F_OK) == 0)
		return SPAN("systemctl start vaglio");
	return TEXT(v, "vaglio -c %s%s%s", v->config,
	            v->socket_given ? " -p " : "",
	            v->socket_given ? v->socket : "");
}

static void
look_for_listener(struct visit *v, const void *of)
{
	(void)of;
	if (v->name.family != SOCKET_FD && !can_connect(v) && errno != EACCES)
		visit_find(v, SPAN(""), TEXT(v, "no filter answers on %s: %s",
		           v->socket, strerror(errno)), "shell",
		           start_line(v));
}

static void
look_for_hindrance(struct visit *v, const void *of)
{
	(void)of;
	if (v->name.family == SOCKET_FD)
		visit_find(v, SPAN(""),
		           TEXT(v, "the policy's socket is %s, which has no "
		                "name here: nothing can be tried", v->socket),
		           "shell", SPAN("vaglio doctor -p unix:/path"));
	else if (!can_connect(v) && errno == EACCES)
		visit_find(v, SPAN(""), TEXT(v, "you may not connect to %s: "
		           "what answers there was not tried", v->socket),
		           "shell", SPAN("sudo vaglio doctor"));
}

/* What is said to a filter first: version 6, everything offered. */
static const unsigned char offer[] = {
	0, 0, 0, 13, 'O', 0, 0, 0, 6, 0, 0, 1, 0xff, 0, 0x1f, 0xff, 0xff};

static bool
read_all(int fd, unsigned char *p, size_t n)
{
	return recv(fd, p, n, MSG_WAITALL) == (ssize_t)n;
}

/* Its answer, at most size bytes, or 0: it speaks another protocol. */
static size_t
negotiate(int fd, unsigned char *answer, size_t size)
{
	static const unsigned char quit[] = {0, 0, 0, 1, 'Q'};
	unsigned char head[4];
	size_t n;

	if (send(fd, offer, sizeof(offer), MSG_NOSIGNAL) !=
	    (ssize_t)sizeof(offer) || !read_all(fd, head, sizeof(head)))
		return 0;
	n = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
	    (size_t)head[2] << 8 | head[3];
	if (n < 13 || n > size || !read_all(fd, answer, n))
		return 0;
	(void)!send(fd, quit, sizeof(quit), MSG_NOSIGNAL);
	return answer[0] == 'O' ? n : 0;
}

/*
 * Does it ask for what every vaglio asks at connect? Behind the three numbers
 * stand, for each stage, its number and the macros with a NUL behind them.
 */
static bool
is_vaglio(const unsigned char *answer, size_t n)
{
	const size_t ours = strlen(SESSION_MACROS_CONNECT);
	const char *list;
	size_t at = 13, room;

	for (; at + 4 < n; at += 4 + strnlen(list, room) + 1) {
		list = (const char *)answer + at + 4;
		room = n - at - 4;
		if (memcmp(answer + at, "\0\0\0\0", 4) == 0)
			return room > ours &&
			       strncmp(list, SESSION_MACROS_CONNECT,
			               ours) == 0;
	}
	return false;
}

/* Tried once: a program that does not answer takes its time. */
static int
ask_filter(struct visit *v)
{
	int fd;

	if (v->asked)
		return v->n_answer;
	v->asked = true;
	v->n_answer = -1;
	fd = v->name.family == SOCKET_FD ? -1 : connect_ours(v);
	if (fd < 0)
		return v->n_answer;
	v->n_answer = (int)negotiate(fd, v->answer, sizeof(v->answer));
	close(fd);
	return v->n_answer;
}

static void
look_for_milter(struct visit *v, const void *of)
{
	(void)of;
	if (ask_filter(v) == 0)
		visit_find(v, SPAN(""), TEXT(v, "what listens on %s is no "
		           "milter: it does not answer the negotiation",
		           v->socket), "policy",
		           SPAN("set socket to a path or port of its own"));
}

static void
look_for_vaglio(struct visit *v, const void *of)
{
	int n = ask_filter(v);

	(void)of;
	if (n > 0 && !is_vaglio(v->answer, (size_t)n))
		visit_find(v, SPAN(""), TEXT(v, "a milter answers on %s, and "
		           "it is not vaglio", v->socket), "policy",
		           SPAN("set socket to a path or port of its own"));
}

const struct check socket_checks[] = {
	{"nobody-listens", FAULT, look_for_listener},
	{"not-tried", NOTE, look_for_hindrance},
	{"no-milter", FAULT, look_for_milter},
	{"other-milter", FAULT, look_for_vaglio},
};
const size_t n_socket_checks = sizeof(socket_checks) /
                               sizeof(socket_checks[0]);

/* ---- who may connect ---- */

/* The errno with which that user's connect ends, as root finds out. */
static int
connect_as(const struct visit *v, const struct caller *c)
{
	size_t n = c->chroot != NULL ? strlen(c->chroot) : 0;
	int status, fd;
	pid_t child = fork();

	if (child < 0)
		return 0;
	if (child == 0) {
		/* In this order: a chroot may have no /etc/group. */
		if (initgroups(c->user, c->gid) != 0 ||
		    setgid(c->gid) != 0 ||
		    (n > 0 && (chroot(c->chroot) != 0 || chdir("/") != 0)) ||
		    setuid(c->uid) != 0)
			_exit(0);
		fd = connect_path(v->name.path + n);
		_exit(fd >= 0 ? 0 : errno);
	}
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

static bool
is_in_group(const struct caller *c, gid_t gid)
{
	gid_t groups[256];
	int n = 256, i;

	if (getgrouplist(c->user, c->gid, groups, &n) < 0)
		n = 256;
	for (i = 0; i < n; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

static bool
may(const struct caller *c, const struct stat *st, unsigned right)
{
	if (c->uid == 0)
		return true;
	if (st->st_uid == c->uid)
		right <<= 6;
	else if (is_in_group(c, st->st_gid))
		right <<= 3;
	return (st->st_mode & right) != 0;
}

struct span
visit_owners(struct visit *v, const struct stat *st)
{
	const struct passwd *user = getpwuid(st->st_uid);
	struct span name = user != NULL ? TEXT(v, "%s", user->pw_name) :
	                   TEXT(v, "%ld", (long)st->st_uid);
	const struct group *group = getgrgid(st->st_gid);

	return group != NULL ?
	       TEXT(v, "%04o %.*s:%s", st->st_mode & 07777, SPAN_ARG(name),
	            group->gr_name) :
	       TEXT(v, "%04o %.*s:%ld", st->st_mode & 07777, SPAN_ARG(name),
	            (long)st->st_gid);
}

static const char *
own_group(const struct caller *c)
{
	const struct group *g = getgrgid(c->gid);

	return g != NULL ? g->gr_name : c->user;
}

static void
find_folder(struct visit *v, const struct caller *c, struct span where,
            const char *folder, const struct stat *st)
{
	struct span mend = is_in_group(c, st->st_gid) ?
		TEXT(v, "chmod g+x %s", folder) :
		TEXT(v, "chgrp %s %s && chmod g+x %s", own_group(c), folder,
		     folder);

	visit_find(v, where, TEXT(v, "user %s may not enter %s (%.*s), where "
	           "the socket is", c->user, folder, SPAN_ARG(visit_owners(v, st))),
	           "shell", mend);
}

static void
find_socket(struct visit *v, const struct caller *c, struct span where,
            const struct stat *st)
{
	struct span mend = is_in_group(c, st->st_gid) ?
		SPAN("set socket-mode 0660") :
		TEXT(v, "set group \"%s\"", own_group(c));

	visit_find(v, where, TEXT(v, "user %s may not write to %s (%.*s)",
	           c->user, v->name.path, SPAN_ARG(visit_owners(v, st))),
	           "policy (with systemd SocketGroup= and SocketMode= of "
	           "vaglio.socket)", mend);
}

/* Folder by folder, then the socket; what is not there is told elsewhere. */
static bool
find_barrier(struct visit *v, const struct caller *c, struct span where)
{
	const char *path = v->name.path;
	char *part = arena_alloc(v->arena, strlen(path) + 1);
	size_t n = c->chroot != NULL ? strlen(c->chroot) : 1;
	struct stat st;

	for (; part != NULL && path[n] != '\0'; n++) {
		if (n > 1 && path[n] != '/')
			continue;
		memcpy(part, path, n);
		part[n] = '\0';
		if (stat(part, &st) != 0)
			return false;
		if (!may(c, &st, S_IXOTH)) {
			find_folder(v, c, where, part, &st);
			return true;
		}
	}
	if (part == NULL || stat(path, &st) != 0 || may(c, &st, S_IWOTH))
		return false;
	find_socket(v, c, where, &st);
	return true;
}

void
visit_check_access(struct visit *v, const struct caller *c, struct span where)
{
	if (v->name.family != SOCKET_PATH)
		return;
	if (geteuid() != 0) {
		find_barrier(v, c, where);
		return;
	}
	if (connect_as(v, c) != EACCES || find_barrier(v, c, where))
		return;
	visit_find(v, where, TEXT(v, "user %s may not connect to %s",
	           c->user, v->name.path), "shell",
	           TEXT(v, "getfacl -p %s", v->name.path));
}
