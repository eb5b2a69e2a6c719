#include <check.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "redis_server.h"

#define ARGUMENTS 32

static int
reach(const struct redis_server *s)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s/r", s->folder);
	if (connect(fd, (struct sockaddr *)&un, sizeof(un)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void
wait_until_there(const struct redis_server *s)
{
	const struct timespec pause = {0, 10000000};
	int i, fd, status;

	for (i = 0; i < 1500; i++) {
		fd = reach(s);
		if (fd >= 0) {
			close(fd);
			return;
		}
		ck_assert_msg(waitpid(s->pid, &status, WNOHANG) == 0,
		              "redis-server ended: see %s/redis.log", s->folder);
		nanosleep(&pause, NULL);
	}
	ck_abort_msg("redis-server does not answer");
}

void
redis_server_start(struct redis_server *s, const char *folder,
                   const char *const *more)
{
	char path[128], log[128];
	const char *words[ARGUMENTS] = {
		"redis-server", "--port", "0", "--unixsocket", path,
		"--save", "", "--appendonly", "no", "--dir", folder,
		"--logfile", log, "--daemonize", "no",
	};
	size_t n = 15;

	snprintf(path, sizeof(path), "%s/r", folder);
	snprintf(log, sizeof(log), "%s/redis.log", folder);
	for (; more != NULL && *more != NULL; more++) {
		ck_assert_uint_lt(n, ARGUMENTS - 1);
		words[n++] = *more;
	}
	s->folder = folder;
	s->pid = fork();
	ck_assert_int_ge(s->pid, 0);
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* of a test that fails */
		execv(REDIS_SERVER, (char *const *)(size_t)words);
		_exit(127);
	}
	wait_until_there(s);
}

void
redis_server_stop(struct redis_server *s)
{
	char path[128];
	int status;

	if (s->pid <= 0)
		return;
	kill(s->pid, SIGCONT);
	kill(s->pid, SIGKILL);
	ck_assert_int_eq(waitpid(s->pid, &status, 0), s->pid);
	s->pid = 0;
	snprintf(path, sizeof(path), "%s/r", s->folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/redis.log", s->folder);
	unlink(path);
}

/* Each line is a command, and gets one reply that begins with no "-". */
void
redis_server_say(const struct redis_server *s, const char *commands)
{
	int fd = reach(s);
	FILE *io = fdopen(fd, "r+"), *in;
	char reply[4096];
	const char *line, *end;
	long n;

	ck_assert_int_ge(fd, 0);
	in = fdopen(dup(fd), "r");
	ck_assert(io != NULL && in != NULL);
	for (line = commands; *line != '\0'; line = end + (*end == '\n')) {
		end = strchrnul(line, '\n');
		fprintf(io, "%.*s\r\n", (int)(end - line), line);
		fflush(io);
		ck_assert(fgets(reply, sizeof(reply), in) != NULL);
		ck_assert_msg(*reply != '-', "%.*s: %s", (int)(end - line),
		              line, reply);
		if (sscanf(reply, "$%ld", &n) == 1 && n >= 0)
			ck_assert(fgets(reply, sizeof(reply), in) != NULL);
	}
	fclose(in);
	fclose(io);
}
