/*
 * run.c - the filter as a process: it loads the policy, opens the socket,
 * gives up its privileges, serves, reloads, and ends cleanly.
 *
 * libmilter waits for TERM, INT and HUP in a thread of its own, and notices
 * up to 5 s later that it is to stop. So the main thread waits for them too
 * (Linux prefers it), and knocks at the socket; should libmilter's thread be
 * given the signal, the end just takes these seconds.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "caps.h"
#include "control.h"
#include "current.h"
#include "identity.h"
#include "limits_show.h"
#include "milter.h"
#include "notice.h"
#include "run.h"
#include "sink.h"
#include "socket.h"

#define STOP_LIBMILTER 5000 /* ms: as often it looks whether it is to stop */
#define DRAIN_SECONDS 30 /* longer than any answer of ours takes */
#define DRAIN_NOTICES 5000 /* ms */
#define OWN_FILES 64     /* descriptors that are no sessions' */

struct filter {
	char *config;             /* absolute */
	struct current *policies;
	struct limits *limits;
	struct sink *log;
	struct notifier *notifier;
	struct listener listener;
	struct identity who;
	int control;
	int parent;               /* waits for a byte: we are up; or -1 */
	unsigned limit;           /* sessions */
	pthread_t main, milter;
	atomic_bool gave_up;      /* libmilter ended by itself */
	atomic_bool ending;
};

static void
complain(const char *why)
{
	fprintf(stderr, "vaglio: %s\n", why);
}

/* ---- the process ---- */

/* "READY=1" and the like, if somebody wants to know (see sd_notify(3)). */
static void
notify(const char *state)
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
		complain("the service manager can't be told");
	close(fd);
}

static void
block_signals(sigset_t *set)
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

static int
detach(struct filter *f)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0 || (child = fork()) < 0) {
		complain(strerror(errno));
		return EX_OSERR;
	}
	if (child > 0) {
		close(ends[1]);
		wait_for_child(ends[0], child);
	}
	close(ends[0]);
	f->parent = ends[1];
	setsid();
	return 0;
}

/* Nothing of the starter's is kept, but standard error if the log is there. */
static void
let_go(struct filter *f, int log)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		if (log != LOG_TO_STDERR)
			dup2(null, STDERR_FILENO);
		close(null);
	}
	if (chdir("/") != 0)
		sink_printf(f->log, LOG_WARNING, "/: %s", strerror(errno));
	if (write(f->parent, "", 1) != 1)
		sink_printf(f->log, LOG_WARNING, "the starter has gone");
	close(f->parent);
}

/*
 * As many descriptors as we may have. A session has one, and perhaps one
 * more for a server that it asks.
 */
static unsigned
raise_files(void)
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

/* ---- reload ---- */

/* What only a new start changes. */
static void
warn_of_settings(const struct settings *old, const struct settings *new,
                 struct diags *d)
{
	const struct place nowhere = {NULL, 0, 0};
	const struct {
		const char *name;
		bool same;
	} of[] = {
		{"socket", span_is(old->socket.text, new->socket.text)},
		{"user", span_is(old->user.text, new->user.text)},
		{"group", span_is(old->group.text, new->group.text)},
		{"socket-mode", (int)old->socket_mode.number ==
		                (int)new->socket_mode.number},
		{"log", (int)old->log.number == (int)new->log.number},
		{"limits", span_is(old->limits.text, new->limits.text)},
		{"limit-keys", (int)old->limit_keys.number ==
		               (int)new->limit_keys.number},
	};
	size_t i;

	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		if (!of[i].same)
			diag_warning(d, nowhere, "the new value of \"%s\" "
			             "takes effect when vaglio is restarted",
			             of[i].name);
}

static void
log_lines(struct filter *f, int priority, const char *text)
{
	size_t n;

	for (; *text != '\0'; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		if (n > 0)
			sink_write(f->log, priority, (struct span){text, n});
	}
}

/* To the log, and to out if there is one. */
static void
tell(struct filter *f, struct diags *d, bool loaded, FILE *out)
{
	char *text = NULL;
	size_t n = 0;
	FILE *words = open_memstream(&text, &n);

	if (words == NULL)
		return;
	diags_print(d, words);
	fclose(words);
	log_lines(f, loaded ? LOG_WARNING : LOG_ERR, text);
	if (out != NULL)
		fputs(text, out);
	free(text);
	if (loaded) {
		sink_printf(f->log, LOG_NOTICE, "%s: the policy was reloaded",
		            f->config);
		if (out != NULL)
			fprintf(out, "vaglio: %s: the new policy is in "
			        "force\n", f->config);
		return;
	}
	sink_printf(f->log, LOG_ERR, "%s: the new policy is refused, the old "
	            "one stays in force", f->config);
	if (out != NULL)
		fprintf(out, "vaglio: %s: the new policy is refused, the old "
		        "one stays in force\n", f->config);
}

/* Of the main thread and of the control thread; current does one at a time. */
static int
reload(void *of, FILE *out)
{
	struct filter *f = of;
	struct policy *old = current_get(f->policies), *new;
	struct diags *d = diags_new();
	bool loaded = false;

	if (d != NULL)
		loaded = current_reload(f->policies, d);
	if (loaded) {
		new = current_get(f->policies);
		warn_of_settings(policy_settings(old), policy_settings(new), d);
		policy_unref(new);
	}
	if (d != NULL)
		tell(f, d, loaded, out);
	else
		sink_printf(f->log, LOG_ERR, "no memory to reload the policy");
	diags_free(d);
	policy_unref(old);
	return loaded ? 0 : d == NULL ? EX_OSERR : EX_CONFIG;
}

/* The field of a request at *at, which then is that of the next. */
static struct span
field(struct span request, size_t *at)
{
	size_t from = *at;

	while (*at < request.n && request.p[*at] != '\0')
		++*at;
	return (struct span){request.p + from, (*at)++ - from};
}

static int
answer(void *of, struct span request, FILE *out)
{
	struct filter *f = of;
	struct policy *p;
	size_t at = 0;
	struct span verb = field(request, &at), first = SPAN("");
	int status;

	if (span_is(verb, SPAN("reload")))
		return reload(f, out);
	if (at < request.n)
		first = field(request, &at);
	p = current_get(f->policies);
	if (span_is(verb, SPAN("limits"))) {
		status = limits_show(f->limits, p, span_is(first, SPAN("json")),
		                     out);
	} else if (span_is(verb, SPAN("clear")) && at <= request.n) {
		status = limits_forget(f->limits, p, first, (struct span){
			request.p + at, request.n - at}, out);
	} else {
		fputs("vaglio: the running filter is of another version\n", out);
		status = EX_UNAVAILABLE;
	}
	policy_unref(p);
	return status;
}

static void *
control_thread(void *of)
{
	struct filter *f = of;

	while (control_answer(f->control, answer, f))
		;
	if (!atomic_load(&f->ending))
		sink_printf(f->log, LOG_ERR,
		            "the control socket is broken: reload by SIGUSR1");
	return NULL;
}

/* ---- start ---- */

static int
load(struct filter *f)
{
	struct diags *d = diags_new();

	if (d == NULL)
		return EX_OSERR;
	f->policies = current_load(f->config, d);
	diags_print(d, stderr);
	diags_free(d);
	return f->policies != NULL ? 0 : EX_CONFIG;
}

/* -u USER[:GROUP] stands for both settings. */
static int
find_identity(struct filter *f, const struct options *o,
              const struct settings *set)
{
	char why[512], *user, *group, *colon = NULL;
	int status = EX_OSERR;

	user = o->user != NULL ? strdup(o->user) : span_copy(set->user.text);
	if (o->user != NULL && user != NULL)
		colon = strchr(user, ':');
	if (colon != NULL)
		*colon = '\0';
	group = colon != NULL ? strdup(colon + 1) :
	        span_copy(set->group.text);
	if (user != NULL && group != NULL) {
		status = identity_find(user, group, &f->who, why);
		if (status != 0)
			complain(why);
	}
	free(user);
	free(group);
	return status;
}

static int
open_socket(struct filter *f, const struct options *o,
            const struct settings *set, int inherited)
{
	struct socket_access access = {
		.mode = (mode_t)set->socket_mode.number,
		.uid = geteuid() == 0 ? f->who.uid : (uid_t)-1,
		.gid = f->who.gid,
	};
	char why[512], descriptor[32], *name;
	int status;

	if (inherited == -2) {
		complain("systemd passed several sockets: one is wanted");
		return EX_CONFIG;
	}
	snprintf(descriptor, sizeof(descriptor), "fd:%d", inherited);
	name = o->socket != NULL ? strdup(o->socket) :
	       inherited >= 0 ? strdup(descriptor) : span_copy(set->socket.text);
	if (name == NULL)
		return EX_OSERR;
	status = socket_open(name, &access, &f->listener, why);
	if (status != 0)
		complain(why);
	else if (f->listener.exposed)
		sink_printf(f->log, LOG_WARNING, "%s: other machines can "
		            "connect here, and need no password: let a "
		            "firewall allow the MTA alone", name);
	free(name);
	return status;
}

static void
open_control(struct filter *f)
{
	struct sockaddr_un a;
	socklen_t n = sizeof(a);

	f->control = control_open(f->listener.base);
	if (f->control < 0) {
		sink_printf(f->log, LOG_WARNING, "%s.control: %s: `vaglio "
		            "reload` does not reach this filter, SIGUSR1 does",
		            f->listener.base, strerror(errno));
		return;
	}
	if (geteuid() == 0 && f->who.uid != (uid_t)-1 &&
	    getsockname(f->control, (struct sockaddr *)&a, &n) == 0 &&
	    lchown(a.sun_path, f->who.uid, f->who.gid) != 0)
		sink_printf(f->log, LOG_WARNING, "%s: %s", a.sun_path,
		            strerror(errno));
}

/*
 * From root to the filter's user, as whom the policy is read again: what
 * that user can't read is to be found out now, and not by the first reload.
 */
static int
drop_privileges(struct filter *f)
{
	bool root = geteuid() == 0;
	struct diags *d;
	char why[512];
	bool loaded;
	int status = identity_become(&f->who, why);

	if (status != 0) {
		complain(why);
		return status;
	}
	if (!root)
		return 0;
	if (geteuid() == 0) {
		sink_printf(f->log, LOG_WARNING, "vaglio runs as root: "
		            "\"set user\" names another user");
		return 0;
	}
	d = diags_new();
	loaded = d != NULL && current_reload(f->policies, d);
	if (d != NULL && !loaded) {
		diags_print(d, stderr);
		fprintf(stderr, "vaglio: user %s can't load %s\n", f->who.name,
		        f->config);
	}
	diags_free(d);
	return loaded ? 0 : EX_CONFIG;
}

static void *
milter_thread(void *of)
{
	struct filter *f = of;

	atomic_store(&f->gave_up, !milter_serve(dup(f->listener.fd),
	             f->policies, f->log, f->notifier, f->limit));
	/* Wakes the main thread if the signal was taken from it. */
	pthread_kill(f->main, SIGTERM);
	return NULL;
}

static int
start_threads(struct filter *f)
{
	pthread_t control;

	f->main = pthread_self();
	f->notifier = notifier_new(f->log);
	if (f->notifier == NULL || !notifier_start(f->notifier))
		return EX_OSERR;
	if (f->control >= 0 &&
	    (pthread_create(&control, NULL, control_thread, f) != 0 ||
	     pthread_detach(control) != 0))
		return EX_OSERR;
	return pthread_create(&f->milter, NULL, milter_thread, f) == 0 ?
	       0 : EX_OSERR;
}

/* Of a table's file, or the limits'. */
static void
tell_of_file(void *of, bool bad, const char *text)
{
	sink_write(of, bad ? LOG_WARNING : LOG_NOTICE, span_of(text));
}

/* Once it is the filter's user who opens the file. */
static int
open_limits(struct filter *f, const struct policy *p)
{
	struct limits_teller teller = {tell_of_file, f->log};
	const struct limit_server *server = policy_limit_server(p);
	const struct settings *set = policy_settings(p);
	char *path = span_copy(set->limits.text), why[LIMITS_WHY] = "no memory";
	char text[LIMITS_WHY + 16];

	if (server != NULL)
		f->limits = limits_redis(server, &teller, why);
	else if (path != NULL)
		f->limits = limits_memory((size_t)set->limit_keys.number,
		                          *path != '\0' ? path : NULL,
		                          NULL, NULL, &teller);
	free(path);
	if (f->limits == NULL) {
		snprintf(text, sizeof(text), "limits: %s", why);
		complain(text);
		return server != NULL ? EX_CONFIG : EX_OSERR;
	}
	current_count(f->policies, f->limits);
	return 0;
}

static int
start(struct filter *f, const struct options *o, int inherited)
{
	struct policy *p;
	const struct settings *set;
	int status = load(f), log;

	if (status != 0)
		return status;
	p = current_get(f->policies);
	set = policy_settings(p);
	log = (int)set->log.number;
	f->log = sink_open(log);
	if (f->log != NULL)
		current_tell(f->policies, tell_of_file, f->log);
	openlog("vaglio", LOG_PID | LOG_NDELAY, LOG_MAIL); /* libmilter's */
	status = f->log == NULL ? EX_OSERR : find_identity(f, o, set);
	if (status == 0)
		status = open_socket(f, o, set, inherited);
	if (status == 0) {
		open_control(f);
		f->limit = raise_files();
		status = drop_privileges(f);
	}
	if (status == 0)
		status = open_limits(f, p);
	policy_unref(p);
	if (status == 0)
		status = start_threads(f);
	if (status != 0)
		return status;
	sink_printf(f->log, LOG_NOTICE, "vaglio " PACKAGE_VERSION
	            " is up: %s", f->config);
	notify("READY=1");
	if (f->parent >= 0)
		let_go(f, log);
	return 0;
}

/* ---- the end ---- */

static void *
stop_thread(void *of)
{
	(void)of;
	milter_stop();
	return NULL;
}

/* Waits for a thread so long. */
static bool
has_ended(pthread_t thread, unsigned milliseconds)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += milliseconds / 1000;
	until.tv_nsec += milliseconds % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	return pthread_timedjoin_np(thread, NULL, &until) != ETIMEDOUT;
}

/*
 * libmilter looks up only when a connection comes, or after 5 s; so one
 * comes, until its thread has ended. That may be never: when it stops, one of
 * its threads destroys a lock that another may hold, which can't let go of it
 * then, and whoever wants it waits for ever. What is at work has its answer
 * sent before that lock is asked for, so the end need not wait for libmilter.
 */
static void
stop(struct filter *f)
{
	pthread_t stopping;
	unsigned waited = 0;
	bool other;

	atomic_store(&f->ending, true);
	notify("STOPPING=1");
	other = pthread_create(&stopping, NULL, stop_thread, NULL) == 0;
	if (!other)
		milter_stop();
	do
		socket_knock(&f->listener);
	while (!has_ended(f->milter, 20) && (waited += 20) < STOP_LIBMILTER);
	if (other)
		has_ended(stopping, STOP_LIBMILTER);
	if (!milter_drain(DRAIN_SECONDS))
		sink_printf(f->log, LOG_WARNING,
		            "the end did not wait for a message at work");
	notifier_drain(f->notifier, DRAIN_NOTICES);
}

static int
serve(struct filter *f, const sigset_t *signals)
{
	int sig = 0;

	while (sigwait(signals, &sig) == 0 && sig == SIGUSR1)
		reload(f, NULL);
	stop(f);
	sink_printf(f->log, f->gave_up ? LOG_CRIT : LOG_NOTICE,
	            f->gave_up ? "libmilter gave up: vaglio ends" :
	            "vaglio ends");
	limits_save(f->limits);
	/* What callbacks may still use is not freed: libmilter's threads may
	 * be alive, and the process ends. */
	control_close(f->control, f->listener.base);
	socket_close(&f->listener);
	return f->gave_up ? EX_SOFTWARE : 0;
}

/*
 * The C library keeps what a large message took for the next one, which then
 * needs more beside it: so pieces of more than 256 KB are always given back.
 */
static void
give_back_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 256 << 10);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

int
run(const struct options *o)
{
	/* Other threads may look at it until the very end. */
	static struct filter f = {.control = -1, .parent = -1,
	                          .listener = {.fd = -1, .lock = -1}};
	int inherited = socket_inherited(), status = 0;
	sigset_t signals;

	f.config = realpath(o->config, NULL);
	if (f.config == NULL)
		f.config = strdup(o->config); /* the load says what is wrong */
	if (f.config == NULL)
		return EX_OSERR;
	if (!o->foreground)
		status = detach(&f);
	block_signals(&signals);
	give_back_memory();
	if (status == 0)
		status = start(&f, o, inherited);
	if (status == 0)
		return serve(&f, &signals);
	control_close(f.control, f.listener.base);
	socket_close(&f.listener);
	return status;
}
