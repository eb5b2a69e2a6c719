#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "apart.h"
#include "caps.h"

/* ---- there: what it may do ---- */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
	offsetof(struct seccomp_data, member))
#define ANSWER(what) BPF_STMT(BPF_RET | BPF_K, (what))
#define ALLOW(call) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 1), \
	ANSWER(SECCOMP_RET_ALLOW)
/* memory that is no code (the low half of the third argument) */
#define ALLOW_DATA(call) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (call), 0, 4), \
	LOAD(args[2]), \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0), \
	ANSWER(SECCOMP_RET_ALLOW), \
	ANSWER(SECCOMP_RET_ERRNO | EPERM)

/* It may compute, have memory, write to its pipe and end. */
static bool
lock_in(void)
{
	struct sock_filter rules[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
		ANSWER(SECCOMP_RET_KILL_PROCESS),
		LOAD(nr),
		ALLOW(__NR_write), ALLOW(__NR_exit), ALLOW(__NR_exit_group),
		ALLOW(__NR_brk), ALLOW(__NR_munmap), ALLOW(__NR_mremap),
		ALLOW(__NR_madvise), ALLOW(__NR_futex),
		ALLOW(__NR_clock_gettime), ALLOW(__NR_gettimeofday),
		ALLOW(__NR_rt_sigreturn), ALLOW(__NR_restart_syscall),
		ALLOW_DATA(__NR_mmap), ALLOW_DATA(__NR_mprotect),
		ANSWER(SECCOMP_RET_ERRNO | EPERM),
	};
	struct sock_fprog program = {
		.len = sizeof(rules) / sizeof(rules[0]), .filter = rules,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return false;
	/* EINVAL: a kernel without it; the limits hold there, too */
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0 ||
		errno == EINVAL;
}
#else
static bool
lock_in(void)
{
	return true;
}
#endif

/* What it has by now, in bytes. */
static rlim_t
data_bytes(void)
{
	unsigned long n = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (f == NULL)
		return RLIM_INFINITY;
	if (fscanf(f, "%*u %*u %*u %*u %*u %lu", &n) != 1)
		n = 0;
	fclose(f);
	return n == 0 ? RLIM_INFINITY : (rlim_t)n * (rlim_t)getpagesize();
}

static bool
limit(__rlimit_resource_t what, rlim_t soft, rlim_t hard)
{
	struct rlimit r = {soft, hard};

	return setrlimit(what, &r) == 0;
}

static bool
set_limits(void)
{
	rlim_t data = data_bytes();

	alarm(CAPS_APART_SECONDS);
	return data != RLIM_INFINITY &&
		limit(RLIMIT_CORE, 0, 0) && limit(RLIMIT_FSIZE, 0, 0) &&
		limit(RLIMIT_CPU, CAPS_ARCHIVE_SECONDS,
		      CAPS_ARCHIVE_SECONDS + 1) &&
		(APART_SANITIZED ||
		 limit(RLIMIT_DATA, data + CAPS_ARCHIVE_MEMORY,
		       data + CAPS_ARCHIVE_MEMORY));
}

/* Signals end it, as they would end any program. */
static void
reset_signals(void)
{
	sigset_t none;
	int i;

	for (i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
close_others(int fd)
{
	unsigned first = APART_SANITIZED ? 3 : 0;

	if (fd > (int)first)
		close_range(first, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0U, 0);
}

/* The process, which does not come back. */
static void
live(void (*job)(void *of, int fd), void *of, int fd, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1); /* it is gone already */
	close_others(fd);
	reset_signals();
	if (!set_limits() || (!APART_SANITIZED && !lock_in()))
		_exit(1);
	job(of, fd);
	_exit(0);
}

void
apart_write(int fd, const void *p, size_t n)
{
	const char *from = p;
	ssize_t done;

	for (; n > 0; from += done, n -= (size_t)done) {
		done = write(fd, from, n);
		if (done <= 0)
			_exit(1);
	}
}

/* ---- here ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t fewer = PTHREAD_COND_INITIALIZER;
static unsigned running;

static int64_t
now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Memory and CPU are for so many at a time. */
static bool
wait_for_room(void)
{
	struct timespec t;
	bool room;

	clock_gettime(CLOCK_REALTIME, &t);
	t.tv_sec += CAPS_APART_SECONDS;
	pthread_mutex_lock(&lock);
	while (running >= CAPS_APART &&
	       pthread_cond_timedwait(&fewer, &lock, &t) == 0)
		;
	room = running < CAPS_APART;
	running += room;
	pthread_mutex_unlock(&lock);
	return room;
}

static void
give_room(void)
{
	pthread_mutex_lock(&lock);
	running--;
	pthread_cond_signal(&fewer);
	pthread_mutex_unlock(&lock);
}

bool
apart_start(struct apart *a, void (*job)(void *of, int fd), void *of)
{
	int fds[2];
	pid_t parent = getpid();

	*a = (struct apart){.pid = -1, .fd = -1};
	if (!wait_for_room())
		return false;
	if (pipe2(fds, O_CLOEXEC) != 0) {
		give_room();
		return false;
	}
	a->pid = fork();
	if (a->pid == 0)
		live(job, of, fds[1], parent);
	close(fds[1]);
	if (a->pid < 0) {
		close(fds[0]);
		give_room();
		return false;
	}
	a->fd = fds[0];
	a->deadline = now(CLOCK_MONOTONIC) + CAPS_APART_SECONDS * 1000;
	return true;
}

static bool
wait_for_bytes(struct apart *a)
{
	struct pollfd p = {.fd = a->fd, .events = POLLIN};
	int64_t left;
	int n;

	do {
		left = a->deadline - now(CLOCK_MONOTONIC);
		n = left <= 0 ? 0 : poll(&p, 1, (int)left);
	} while (n < 0 && errno == EINTR);
	a->late = a->late || n == 0;
	return n > 0;
}

bool
apart_read(struct apart *a, void *p, size_t n)
{
	char *to = p;
	ssize_t done;

	for (; n > 0; to += done, n -= (size_t)done) {
		if (!wait_for_bytes(a))
			return false;
		done = read(a->fd, to, n);
		if (done <= 0)
			return false;
	}
	return true;
}

enum apart_end
apart_end(struct apart *a)
{
	int status = 0;
	pid_t ended;

	/* it ends by itself when nobody reads, unless it computes */
	close(a->fd);
	if (a->late)
		kill(a->pid, SIGKILL);
	do
		ended = waitpid(a->pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	give_room();
	if (a->late)
		return APART_LIMIT;
	if (ended != a->pid)
		return APART_CRASHED;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return APART_DONE;
	return WIFSIGNALED(status) && (WTERMSIG(status) == SIGXCPU ||
		WTERMSIG(status) == SIGALRM || WTERMSIG(status) == SIGKILL) ?
		APART_LIMIT : APART_CRASHED;
}
