/*
 * process.c - the process that the filter is.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <syslog.h>
#include <unistd.h>

#include "caps.h"
#include "process.h"

#define OWN_FILES 64     /* descriptors that are no sessions' */

void
process_complain(const char *why)
{
	fprintf(stderr, "vaglio: %s\n", why);
}

void
process_notify(const char *state)
{
	const char *name = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t n = name != NULL ? strlen(name) : 0;
	socklen_t size;
	int fd;

	if (n < 2 || n >= sizeof(to.sun_path) ||
	    (name[0] != '/' && name[0] != '@'))
		return;
	memcpy(to.sun_path, name, n);
	if (name[0] == '@')
		to.sun_path[0] = '\0'; /* the abstract name space */
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	           (struct sockaddr *)&to, size) < 0)
		process_complain("the service manager can't be told");
	close(fd);
}

void
process_block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* what can't grow is then as on a full disk */
}

/*
 * The parent waits until the child is up, or has said on standard error why
 * not, and ends with its status.
 */
static void
wait_for_child(int in, pid_t child)
{
	unsigned char up;
	int status = 0;

	if (read(in, &up, 1) == 1)
		_exit(0);
	if (waitpid(child, &status, 0) < 0)
		_exit(EX_OSERR);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE);
}

int
process_detach(int *parent)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0 || (child = fork()) < 0) {
		process_complain(strerror(errno));
		return EX_OSERR;
	}
	if (child > 0) {
		close(ends[1]);
		wait_for_child(ends[0], child);
	}
	close(ends[0]);
	*parent = ends[1];
	setsid();
	return 0;
}

void
process_let_go(int parent, bool keep_errors, struct sink *log)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		if (!keep_errors)
			dup2(null, STDERR_FILENO);
		close(null);
	}
	if (chdir("/") != 0)
		sink_printf(log, LOG_WARNING, "/: %s", strerror(errno));
	if (write(parent, "", 1) != 1)
		sink_printf(log, LOG_WARNING, "the starter has gone");
	close(parent);
}

unsigned
process_raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return 256;
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur / 2 > CAPS_SESSIONS + OWN_FILES)
		return CAPS_SESSIONS;
	if (files.rlim_cur < 4 * OWN_FILES)
		return (unsigned)files.rlim_cur / 4 + 1;
	return (unsigned)(files.rlim_cur - OWN_FILES) / 2;
}

void
process_give_back_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
}
