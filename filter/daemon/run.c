/*
 * run.c - the filter from its start to its end: it loads the policy, opens
 * the socket, gives up its privileges, serves, and ends cleanly.
 *
 * libmilter waits for TERM, INT and HUP in a thread of its own, and notices
 * up to 5 s later that it is to stop. So the main thread waits for them too
 * (Linux prefers it), and knocks at the socket; should libmilter's thread be
 * given the signal, the end just takes these seconds.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "charset.h"
#include "control.h"
#include "milter.h"
#include "process.h"
#include "run.h"
#include "run_impl.h"

#define STOP_LIBMILTER 5000 /* ms: as often it looks whether it is to stop */
#define DRAIN_SECONDS 30 /* longer than any answer of ours takes */
#define DRAIN_NOTICES 5000 /* ms */

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
			process_complain(why);
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
		process_complain("systemd passed several sockets: one "
		                 "is wanted");
		return EX_CONFIG;
	}
	snprintf(descriptor, sizeof(descriptor), "fd:%d", inherited);
	name = o->socket != NULL ? strdup(o->socket) :
	       inherited >= 0 ? strdup(descriptor) :
	       span_copy(set->socket.text);
	if (name == NULL)
		return EX_OSERR;
	status = socket_open(name, &access, &f->listener, why);
	if (status != 0)
		process_complain(why);
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
		process_complain(why);
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
	    (pthread_create(&control, NULL, run_control, f) != 0 ||
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
		process_complain(text);
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
		f->limit = process_raise_files();
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
	process_notify("READY=1");
	if (f->parent >= 0)
		process_let_go(f->parent, log == LOG_TO_STDERR, f->log);
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
	process_notify("STOPPING=1");
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
		run_reload(f, NULL);
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
		status = process_detach(&f.parent);
	process_block_signals(&signals);
	process_give_back_memory();
	charset_load();
	if (status == 0)
		status = start(&f, o, inherited);
	if (status == 0)
		return serve(&f, &signals);
	control_close(f.control, f.listener.base);
	socket_close(&f.listener);
	return status;
}
