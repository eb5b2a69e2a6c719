#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "setting.h"
#include "sink.h"

#define SYSLOG_SOCKET "/dev/log"
#define PRINTED 2048 /* bytes of a line of our own words */

struct sink {
	pthread_mutex_t lock;
	int choice;
	const char *path;
	int fd;          /* a datagram socket to syslog, or -1 */
	unsigned long dropped;
};

struct sink *
sink_open_at(int choice, const char *path)
{
	struct sink *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	s->choice = choice;
	s->path = path;
	s->fd = -1;
	return s;
}

struct sink *
sink_open(int choice)
{
	return sink_open_at(choice, SYSLOG_SOCKET);
}

void
sink_close(struct sink *s)
{
	if (s == NULL)
		return;
	if (s->fd >= 0)
		close(s->fd);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/*
 * syslog(3) waits while the logger's queue is full; so we speak to it
 * ourselves, and never wait.
 */
static bool
dial(struct sink *s)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};

	if (strlen(s->path) >= sizeof(to.sun_path))
		return false;
	strcpy(to.sun_path, s->path);
	if (s->fd >= 0)
		close(s->fd);
	s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return false;
	if (connect(s->fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return true;
	close(s->fd);
	s->fd = -1;
	return false;
}

/* RFC 3164 as syslog(3) writes it to the local socket. */
static bool
to_syslog(struct sink *s, int priority, struct span line)
{
	char head[80], stamp[32];
	time_t now = time(NULL);
	struct tm tm;
	struct iovec parts[2];
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	int n, tries;

	localtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%h %e %T", &tm);
	n = snprintf(head, sizeof(head), "<%d>%s vaglio[%ld]: ",
	             LOG_MAIL | priority, stamp, (long)getpid());
	parts[0] = (struct iovec){head, (size_t)n};
	parts[1] = (struct iovec){(void *)(size_t)line.p, line.n};
	for (tries = 0; tries < 2; tries++) {
		if (s->fd >= 0 &&
		    sendmsg(s->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return true;
		if (s->fd >= 0 && (errno == EAGAIN || errno == ENOBUFS))
			return false;
		if (!dial(s)) /* the logger was started anew, perhaps */
			return false;
	}
	return false;
}

/*
 * A pipe that poll calls writable takes PIPE_BUF bytes without a wait; more
 * than that of one line waits for its reader a second at most.
 */
static bool
to_stderr(struct span line)
{
	struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
	char *text = malloc(line.n + 1);
	size_t at = 0, piece;
	ssize_t wrote;

	if (text == NULL)
		return false;
	memcpy(text, line.p, line.n);
	text[line.n] = '\n';
	while (at < line.n + 1) {
		if (poll(&ready, 1, at == 0 ? 0 : 1000) <= 0 ||
		    (ready.revents & POLLOUT) == 0)
			break;
		piece = line.n + 1 - at;
		wrote = write(STDERR_FILENO, text + at,
		              piece > 4096 ? 4096 : piece);
		if (wrote < 0 && errno != EINTR)
			break;
		at += wrote > 0 ? (size_t)wrote : 0;
	}
	free(text);
	return at == line.n + 1;
}

static bool
put(struct sink *s, int priority, struct span line)
{
	return s->choice == LOG_TO_STDERR ? to_stderr(line) :
	       to_syslog(s, priority, line);
}

void
sink_write(struct sink *s, int priority, struct span line)
{
	char lost[80];
	int n;

	pthread_mutex_lock(&s->lock);
	if (s->dropped > 0) {
		n = snprintf(lost, sizeof(lost),
		             "log lines lost while the log was blocked: %lu",
		             s->dropped);
		if (put(s, LOG_WARNING, (struct span){lost, (size_t)n}))
			s->dropped = 0;
	}
	/* One try a line: it costs a few microseconds, so that a clock to try
	 * less often would save nothing, and lose lines. */
	if (s->dropped > 0 || !put(s, priority, line))
		s->dropped++;
	pthread_mutex_unlock(&s->lock);
}

void
sink_printf(struct sink *s, int priority, const char *format, ...)
{
	char line[PRINTED];
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(line)) {
		n = sizeof(line) - 1;
		memcpy(line + n - 3, "...", 3);
	}
	sink_write(s, priority, (struct span){line, (size_t)n});
}
