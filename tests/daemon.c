#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <check.h>

#include "daemon.h"

#define PATIENCE 40000 /* ms */
#define MOST_ARGS 24

char *
read_file(const char *path)
{
	FILE *in = fopen(path, "rb"), *out;
	char *text = NULL, piece[4096];
	size_t n = 0, got;

	out = open_memstream(&text, &n);
	ck_assert_ptr_nonnull(out);
	while (in != NULL && (got = fread(piece, 1, sizeof(piece), in)) > 0)
		fwrite(piece, 1, got, out);
	if (in != NULL)
		fclose(in);
	fclose(out);
	return text;
}

void
daemon_policy(struct daemon *d, const char *policy)
{
	char *new = NULL;
	FILE *out;

	ck_assert_int_gt(asprintf(&new, "%s.new", d->config), 0);
	out = fopen(new, "w");
	ck_assert_ptr_nonnull(out);
	fprintf(out, "set socket \"unix:%s\"\nset log stderr\n%s\n",
	        d->socket, policy);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(rename(new, d->config), 0);
	free(new);
}

static void
open_notify(struct daemon *d)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "%.60s/notify", d->dir);
	d->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(d->notify, 0);
	ck_assert_int_eq(bind(d->notify, (struct sockaddr *)&a, sizeof(a)), 0);
	chmod(a.sun_path, 0777);
}

void
daemon_prepare(struct daemon *d, const char *policy)
{
	*d = (struct daemon){.pidfd = -1, .notify = -1, .pass = -1};
	strcpy(d->dir, "/tmp/vaglio-test.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(d->dir));
	chmod(d->dir, 0755); /* another user is to get in */
	snprintf(d->config, sizeof(d->config), "%s/vaglio.conf", d->dir);
	snprintf(d->socket, sizeof(d->socket), "%s/milter", d->dir);
	snprintf(d->log, sizeof(d->log), "%s/log", d->dir);
	daemon_policy(d, policy);
	open_notify(d);
}

static const char *
binary(void)
{
	const char *path = getenv("VAGLIO");

	return path != NULL ? path : "./vaglio";
}

/* What it says is looked at when it has ended: see daemon_is_clean. */
static void
keep_going(void)
{
	const char *options = getenv("TSAN_OPTIONS");
	char *more;

	if (asprintf(&more, "%s halt_on_error=0 exitcode=0",
	             options != NULL ? options : "") > 0)
		setenv("TSAN_OPTIONS", more, 1);
	/* GLib's own allocator hides from the sanitizers who frees what. */
	setenv("G_SLICE", "always-malloc", 1);
}

static void
run_child(struct daemon *d, char **argv, int out)
{
	char number[32], notify[96];
	struct rlimit files = {d->files, d->files};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	snprintf(notify, sizeof(notify), "%s/notify", d->dir);
	setenv("NOTIFY_SOCKET", notify, 1);
	keep_going();
	if (d->listen_fds) {
		snprintf(number, sizeof(number), "%ld", (long)getpid());
		setenv("LISTEN_PID", number, 1);
		setenv("LISTEN_FDS", "1", 1);
	}
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	if (d->pass >= 0)
		dup2(d->pass, 3); /* after out: that may be 3 */
	if (d->files > 0)
		setrlimit(RLIMIT_NOFILE, &files);
	execv(binary(), argv);
	_exit(127);
}

static pid_t
spawn(struct daemon *d, char **argv, const char *out)
{
	int fd = open(out, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	pid_t pid;

	ck_assert_int_ge(fd, 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		run_child(d, argv, fd);
	close(fd);
	return pid;
}

static int
status_of(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	       128 + WTERMSIG(status);
}

/* Up (0), or its end. */
static int
wait_up(struct daemon *d)
{
	struct pollfd ready[2] = {{.fd = d->notify, .events = POLLIN},
	                          {.fd = d->pidfd, .events = POLLIN}};
	char said[64] = "";

	do { /* past what an earlier one said */
		ck_assert_int_gt(poll(ready, 2, PATIENCE), 0);
		if ((ready[0].revents & POLLIN) == 0)
			return daemon_wait(d);
		memset(said, 0, sizeof(said));
		ck_assert_int_gt(recv(d->notify, said, sizeof(said) - 1, 0),
		                 0);
	} while (strcmp(said, "READY=1") != 0);
	return 0;
}

int
daemon_start(struct daemon *d, ...)
{
	char *argv[MOST_ARGS] = {(char *)(size_t)"vaglio",
	                         (char *)(size_t)"-c", d->config};
	size_t n = 3;
	va_list ap;

	if (!d->background)
		argv[n++] = (char *)(size_t)"-f";
	va_start(ap, d);
	while (n + 1 < MOST_ARGS && (argv[n] = va_arg(ap, char *)) != NULL)
		n++;
	va_end(ap);
	d->pid = spawn(d, argv, d->log);
	d->pidfd = (int)syscall(SYS_pidfd_open, d->pid, 0);
	ck_assert_int_ge(d->pidfd, 0);
	fcntl(d->pidfd, F_SETFD, FD_CLOEXEC);
	return wait_up(d);
}

int
daemon_command(struct daemon *d, const char *out, ...)
{
	char *argv[MOST_ARGS] = {(char *)(size_t)"vaglio"};
	size_t n = 1;
	int status;
	va_list ap;
	pid_t pid;

	va_start(ap, out);
	while (n + 1 < MOST_ARGS && (argv[n] = va_arg(ap, char *)) != NULL)
		n++;
	va_end(ap);
	pid = spawn(d, argv, out != NULL ? out : "/dev/null");
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status_of(status);
}

int
daemon_wait(struct daemon *d)
{
	struct pollfd ended = {.fd = d->pidfd, .events = POLLIN};
	int status;

	if (poll(&ended, 1, PATIENCE) <= 0)
		return -1;
	ck_assert_int_eq(waitpid(d->pid, &status, 0), d->pid);
	close(d->pidfd);
	d->pidfd = -1;
	d->pid = 0;
	return status_of(status);
}

int
daemon_stop(struct daemon *d)
{
	kill(d->pid, SIGTERM);
	return daemon_wait(d);
}

unsigned
daemon_count(const struct daemon *d, const char *text)
{
	char *log = read_file(d->log), *at = log;
	unsigned n = 0;

	while ((at = strstr(at, text)) != NULL) {
		at += strlen(text);
		n++;
	}
	free(log);
	return n;
}

bool
daemon_logged(const struct daemon *d, const char *text)
{
	return daemon_count(d, text) > 0;
}

bool
daemon_logs(struct daemon *d, const char *text)
{
	struct pollfd changed = {.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK),
	                         .events = POLLIN};
	char events[4096];
	bool found;

	ck_assert_int_ge(changed.fd, 0);
	ck_assert_int_ge(inotify_add_watch(changed.fd, d->log, IN_MODIFY), 0);
	while (!(found = daemon_logged(d, text)) &&
	       poll(&changed, 1, PATIENCE) > 0)
		while (read(changed.fd, events, sizeof(events)) > 0)
			;
	close(changed.fd);
	return found;
}

bool
daemon_is_clean(const struct daemon *d)
{
	static const char ours[] = "SUMMARY: ThreadSanitizer";
	char *log = read_file(d->log), *at = log, *end;
	bool clean = strstr(log, "runtime error") == NULL &&
	             strstr(log, "AddressSanitizer") == NULL &&
	             strstr(log, "LeakSanitizer") == NULL;

	while (clean && (at = strstr(at, ours)) != NULL) {
		end = at + strcspn(at, "\n");
		clean = memmem(at, (size_t)(end - at), "libmilter.so",
		               strlen("libmilter.so")) != NULL;
		at = end;
	}
	free(log);
	return clean;
}

static void
remove_folder(const char *dir)
{
	DIR *in = opendir(dir);
	struct dirent *e;
	char path[512];

	while (in != NULL && (e = readdir(in)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		if (e->d_name[0] != '.')
			unlink(path);
	}
	if (in != NULL)
		closedir(in);
	rmdir(dir);
}

void
daemon_end(struct daemon *d)
{
	if (d->pid > 0) {
		kill(d->pid, SIGKILL);
		daemon_wait(d);
	}
	if (d->notify >= 0)
		close(d->notify);
	remove_folder(d->dir);
}
