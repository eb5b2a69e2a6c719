#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

#include "caps.h"
#include "fail.h"
#include "socket.h"

/* For what has no path of its own; the default socket's folder. */
#define RUN_FOLDER "/run/vaglio"

#define FIRST_INHERITED 3 /* SD_LISTEN_FDS_START */

/* inet = "inet:" port [ "@" host ] */
static bool
parse_inet(const char *rest, const char *loopback, struct socket_name *w)
{
	const char *at = strchr(rest, '@');
	size_t n = at != NULL ? (size_t)(at - rest) : strlen(rest);
	const char *host = at != NULL ? at + 1 : loopback;

	if (n == 0 || n >= sizeof(w->port) || *host == '\0' ||
	    strlen(host) >= sizeof(w->host))
		return false;
	memcpy(w->port, rest, n);
	w->port[n] = '\0';
	strcpy(w->host, host);
	return true;
}

bool
socket_parse(const char *name, struct socket_name *w)
{
	char *end;
	long n;

	memset(w, 0, sizeof(*w));
	w->fd = -1;
	w->family = SOCKET_PATH;
	w->path = name[0] == '/' ? name :
	          strncmp(name, "unix:", 5) == 0 ? name + 5 :
	          strncmp(name, "local:", 6) == 0 ? name + 6 : NULL;
	if (w->path != NULL)
		return *w->path != '\0';
	w->family = SOCKET_INET4;
	if (strncmp(name, "inet:", 5) == 0)
		return parse_inet(name + 5, "127.0.0.1", w);
	w->family = SOCKET_INET6;
	if (strncmp(name, "inet6:", 6) == 0)
		return parse_inet(name + 6, "::1", w);
	w->family = SOCKET_FD;
	if (strncmp(name, "fd:", 3) != 0 || name[3] < '0' || name[3] > '9')
		return false;
	n = strtol(name + 3, &end, 10);
	w->fd = (int)n;
	return *end == '\0' && n < 65536;
}

static char *
join(const char *a, const char *b)
{
	char *s = NULL;

	return asprintf(&s, "%s%s", a, b) < 0 ? NULL : s;
}

/*
 * The folder of what is at base, as the filter's user's, if it is not there:
 * /run is empty after a boot. That it can't be made shows at the next step.
 */
static void
make_folder(const char *base, const struct socket_access *access)
{
	char *copy = strdup(base), *folder = copy != NULL ? dirname(copy) :
	                                     NULL;

	if (folder != NULL && mkdir(folder, 0755) == 0 && geteuid() == 0 &&
	    access->uid != (uid_t)-1)
		(void)!lchown(folder, access->uid, access->gid);
	free(copy);
}

/*
 * An OFD lock on PATH.pid for as long as we live: of two that start at once
 * only one may look whether the path is stale. The lock asks for write
 * access, so nobody else can hold it against us.
 */
static int
take_lock(struct listener *l, char why[512])
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char *path = join(l->base, ".pid");
	struct stat st;
	char pid[32];
	int n;

	if (path == NULL)
		return fail(why, EX_OSERR, "no memory");
	l->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (l->lock < 0 || fstat(l->lock, &st) != 0) {
		fail(why, 0, "%s: %s", path, strerror(errno));
		free(path);
		return EX_CANTCREAT;
	}
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1) {
		fail(why, 0, "%s: is there and is not our file", path);
		free(path);
		return EX_CANTCREAT;
	}
	free(path);
	if (fcntl(l->lock, F_OFD_SETLK, &whole) != 0) {
		close(l->lock); /* what is written there is the other's */
		l->lock = -1;
		return fail(why, EX_UNAVAILABLE,
		            "another vaglio is running on %s", l->base);
	}
	n = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
	if (ftruncate(l->lock, 0) != 0 ||
	    pwrite(l->lock, pid, (size_t)n, 0) != n)
		return fail(why, EX_IOERR, "%s.pid: %s", l->base,
		            strerror(errno));
	return 0;
}

/* Removes what is at the path if it is a socket on which nobody answers. */
static int
remove_stale(const struct sockaddr_un *to, char why[512])
{
	struct stat st;
	int fd, got;

	if (lstat(to->sun_path, &st) != 0)
		return errno == ENOENT ? 0 :
		       fail(why, EX_CANTCREAT, "%s: %s", to->sun_path,
		            strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return fail(why, EX_CANTCREAT,
		            "%s: is there and is not a socket", to->sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(why, EX_OSERR, "socket: %s", strerror(errno));
	got = connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0 ?
	      0 : errno;
	close(fd);
	if (got == 0 || got == EAGAIN || got == EINPROGRESS)
		return fail(why, EX_UNAVAILABLE,
		            "%s: another program answers on this socket",
		            to->sun_path);
	if (got != ECONNREFUSED)
		return fail(why, EX_CANTCREAT,
		            "%s: can't tell if anybody listens there: %s",
		            to->sun_path, strerror(got));
	if (unlink(to->sun_path) != 0 && errno != ENOENT)
		return fail(why, EX_CANTCREAT, "%s: can't remove it: %s",
		            to->sun_path, strerror(errno));
	return 0;
}

static int
bind_path(struct listener *l, const struct sockaddr_un *to,
          const struct socket_access *access, char why[512])
{
	mode_t old = umask((mode_t)(0777 & ~access->mode));
	int got = bind(l->fd, (const struct sockaddr *)to, sizeof(*to)) == 0 ?
	          0 : errno;
	struct stat st;

	umask(old);
	if (got != 0)
		return fail(why, EX_CANTCREAT, "%s: %s", to->sun_path,
		            strerror(got));
	l->path = strdup(to->sun_path);
	if (l->path == NULL || lstat(to->sun_path, &st) != 0)
		return fail(why, EX_OSERR, "%s: %s", to->sun_path,
		            strerror(errno));
	l->dev = st.st_dev;
	l->ino = st.st_ino;
	if ((access->uid != (uid_t)-1 || access->gid != (gid_t)-1) &&
	    lchown(to->sun_path, access->uid, access->gid) != 0)
		return fail(why, EX_NOPERM,
		            "%s: can't give it to user %ld and group %ld: %s",
		            to->sun_path, (long)access->uid, (long)access->gid,
		            strerror(errno));
	return 0;
}

static int
open_unix(const struct socket_name *w, const struct socket_access *access,
          struct listener *l, char why[512])
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int status;

	if (strlen(w->path) >= sizeof(to.sun_path))
		return fail(why, EX_CONFIG,
		            "%s: a socket's path has at most %zu bytes", w->path,
		            sizeof(to.sun_path) - 1);
	strcpy(to.sun_path, w->path);
	l->base = strdup(w->path);
	if (l->base == NULL)
		return fail(why, EX_OSERR, "no memory");
	make_folder(l->base, access);
	status = take_lock(l, why);
	if (status == 0)
		status = remove_stale(&to, why);
	if (status != 0)
		return status;
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return fail(why, EX_OSERR, "socket: %s", strerror(errno));
	return bind_path(l, &to, access, why);
}

static bool
is_loopback(const struct sockaddr *a)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)a;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)a;

	if (a->sa_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	return a->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static int
bind_inet(struct listener *l, const struct addrinfo *to)
{
	int one = 1;

	l->fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return errno;
	setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (to->ai_family == AF_INET6)
		setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &one,
		           sizeof(one));
	l->exposed = !is_loopback(to->ai_addr);
	return bind(l->fd, to->ai_addr, to->ai_addrlen) == 0 ? 0 : errno;
}

static int
open_inet(const struct socket_name *w, const struct socket_access *access,
          struct listener *l, char why[512])
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *to;
	int got;

	hints.ai_family = w->family == SOCKET_INET4 ? AF_INET : AF_INET6;
	got = getaddrinfo(w->host, w->port, &hints, &to);
	if (got != 0)
		return fail(why, EX_NOHOST, "port %s on %s: %s", w->port,
		            w->host, gai_strerror(got));
	got = bind_inet(l, to);
	freeaddrinfo(to);
	if (got != 0)
		return fail(why, got == EADDRINUSE ? EX_UNAVAILABLE : EX_OSERR,
		            "port %s on %s: %s", w->port, w->host,
		            strerror(got));
	if (asprintf(&l->base, RUN_FOLDER "/port-%s", w->port) < 0)
		return fail(why, EX_OSERR, "no memory");
	/* The port is ours already: the lock is but for the process' number,
	 * and not every user can write there. */
	make_folder(l->base, access);
	if (take_lock(l, why) != 0 && l->lock >= 0) {
		close(l->lock);
		l->lock = -1;
	}
	return 0;
}

/* A socket that somebody else opened: what it is tells its own name. */
static int
take_descriptor(int fd, struct listener *l, char why[512])
{
	struct sockaddr_storage a = {0};
	const struct sockaddr_un *path = (const struct sockaddr_un *)&a;
	socklen_t n = sizeof(a);
	int type = 0;
	socklen_t size = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) != 0)
		return fail(why, EX_USAGE, "fd:%d: %s", fd, strerror(errno));
	if (type != SOCK_STREAM)
		return fail(why, EX_USAGE, "fd:%d: is not a stream socket", fd);
	l->fd = fd;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (a.ss_family == AF_UNIX && path->sun_path[0] == '/')
		l->base = strdup(path->sun_path);
	else if (a.ss_family == AF_UNIX)
		l->base = strdup(RUN_FOLDER "/fd");
	else if (asprintf(&l->base, RUN_FOLDER "/port-%d",
	                  ntohs(((struct sockaddr_in *)&a)->sin_port)) < 0)
		l->base = NULL;
	l->exposed = a.ss_family != AF_UNIX &&
	             !is_loopback((struct sockaddr *)&a);
	return l->base != NULL ? 0 : fail(why, EX_OSERR, "no memory");
}

int
socket_open(const char *name, const struct socket_access *access,
            struct listener *l, char why[512])
{
	struct socket_name w;
	int status;

	*l = (struct listener){.fd = -1, .lock = -1};
	if (!socket_parse(name, &w))
		return fail(why, EX_CONFIG,
		            "\"%s\" is not a socket: write unix:/path, "
		            "inet:port@host, inet6:port@host or fd:number",
		            name);
	if (w.family == SOCKET_PATH)
		status = open_unix(&w, access, l, why);
	else if (w.family == SOCKET_FD)
		status = take_descriptor(w.fd, l, why);
	else
		status = open_inet(&w, access, l, why);
	if (status == 0 && listen(l->fd, CAPS_BACKLOG) != 0)
		status = fail(why, EX_OSERR, "%s: %s", name, strerror(errno));
	if (status != 0)
		socket_close(l);
	return status;
}

int
socket_inherited(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	long n;

	if (pid == NULL || fds == NULL ||
	    strtol(pid, NULL, 10) != (long)getpid())
		return -1;
	n = strtol(fds, NULL, 10);
	if (n <= 0)
		return -1;
	return n == 1 ? FIRST_INHERITED : -2;
}

char *
socket_base(const char *name)
{
	struct listener l = {0};
	struct socket_name w;
	char why[512];

	if (!socket_parse(name, &w))
		return NULL;
	if (w.family == SOCKET_PATH)
		return strdup(w.path);
	if (w.family == SOCKET_FD)
		return take_descriptor(w.fd, &l, why) == 0 ? l.base : NULL;
	return asprintf(&l.base, RUN_FOLDER "/port-%s", w.port) < 0 ?
	       NULL : l.base;
}

bool
socket_knock(const struct listener *l)
{
	struct sockaddr_storage a = {0};
	socklen_t n = sizeof(a);
	int fd, got;

	if (getsockname(l->fd, (struct sockaddr *)&a, &n) != 0)
		return false;
	fd = socket(a.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	got = connect(fd, (struct sockaddr *)&a, n);
	close(fd);
	return got == 0;
}

void
socket_close(struct listener *l)
{
	struct stat st;

	if (l->path != NULL && lstat(l->path, &st) == 0 &&
	    st.st_dev == l->dev && st.st_ino == l->ino)
		unlink(l->path);
	if (l->fd >= 0)
		close(l->fd);
	if (l->lock >= 0) {
		/* The file stays, empty: without it two could hold the lock.
		 * Should that fail, the lock still tells that nobody runs. */
		(void)!ftruncate(l->lock, 0);
		close(l->lock);
	}
	free(l->base);
	free(l->path);
	*l = (struct listener){.fd = -1, .lock = -1};
}
