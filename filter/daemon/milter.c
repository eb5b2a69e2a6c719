/*
 * milter.c - between libmilter and the session: the callbacks of an MTA's
 * connection.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>

#include "caps.h"
#include "milter.h"
#include "milter_impl.h"

#define FILTER_NAME "vaglio"
/* What a callback says of itself where nothing else can be said. */
#define FAILED_CODE "451"
#define FAILED_XCODE "4.3.0"

/* One connection of an MTA. Its callbacks run on any thread, one at a time. */
struct connection {
	SMFICTX *ctx;              /* while a callback is at work */
	struct policy *policy;     /* as negotiated, for as long as it lasts */
	struct resolver *resolver;
	struct session *session;   /* NULL: could not be made */
	unsigned long agreed;      /* SMFIP_ */
	const char *refused;       /* why it gets no session, or NULL */
};

/* libmilter takes no argument for its callbacks. */
static struct {
	struct current *policies;
	struct sink *log;
	struct notifier *notifier;
	unsigned limit;
	atomic_uint sessions;
	atomic_uint busy; /* callbacks at work */
} shared;

/* ---- the session's host ---- */

static const char *
host_macro(void *of, const char *name)
{
	const struct connection *c = of;

	return c->ctx == NULL ? NULL :
	       smfi_getsymval(c->ctx, (char *)(size_t)name);
}

static void
host_log(void *of, int priority, struct span line)
{
	(void)of;
	sink_write(shared.log, priority, line);
}

static bool
host_notify(void *of, const struct notice *notice)
{
	(void)of;
	return notifier_add(shared.notifier, notice);
}

/* ---- a connection's begin and end ---- */

static void
drop(struct connection *c)
{
	session_free(c->session);
	policy_unref(c->policy);
	resolver_unref(c->resolver);
	free(c);
	atomic_fetch_sub(&shared.sessions, 1);
}

static struct connection *
connection_new(void)
{
	struct connection *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		sink_printf(shared.log, LOG_ERR,
		            "no memory for a session: deferred");
		return NULL;
	}
	if (atomic_fetch_add(&shared.sessions, 1) >= shared.limit) {
		c->refused = "too many sessions";
		sink_printf(shared.log, LOG_WARNING,
		            "more than %u sessions: one deferred",
		            shared.limit);
	}
	c->policy = current_get_both(shared.policies, &c->resolver);
	return c;
}

static void
make_session(struct connection *c)
{
	const struct session_host host = {
		.macro = host_macro, .log = host_log, .of = c,
		.notify = host_notify,
		.resolver = c->resolver,
		.limits = current_limits(shared.policies)};

	if (c->refused != NULL)
		return;
	c->session = session_new(c->policy, NULL, &host);
	if (c->session != NULL)
		return;
	c->refused = "out of memory";
	sink_printf(shared.log, LOG_ERR, "no memory for a session: deferred");
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long offered,
             unsigned long f2, unsigned long f3, unsigned long *want_actions,
             unsigned long *want_steps, unsigned long *want_f2,
             unsigned long *want_f3)
{
	struct connection *c = connection_new();

	(void)f2;
	(void)f3;
	*want_f2 = *want_f3 = 0;
	if (c == NULL)
		return SMFIS_REJECT; /* libmilter closes the connection */
	make_session(c);
	*want_actions = milter_actions(c->policy) & actions;
	c->agreed = c->refused != NULL ? milter_refusing_steps(offered) :
	            milter_steps(c->policy, offered);
	if ((actions & SMFIF_SETSYMLIST) != 0) {
		*want_actions |= SMFIF_SETSYMLIST;
		if (!milter_ask_macros(ctx, c->policy)) {
			sink_printf(shared.log, LOG_ERR,
			            "no memory for a session: deferred");
			drop(c);
			return SMFIS_REJECT;
		}
	}
	*want_steps = c->agreed;
	smfi_setpriv(ctx, c);
	return SMFIS_CONTINUE;
}

/* ---- answers ---- */

/* What to return to libmilter; a reply is set only where it is used. */
static sfsistat
say(struct connection *c, enum step step, enum answer_kind kind,
    const char *code, const char *xcode, const char *const *lines, size_t n)
{
	bool message = step >= STEP_MAIL && step != STEP_RCPT;

	switch (kind) {
	case ANSWER_GO_ON:
		break;
	case ANSWER_ACCEPT:
		/* At HELO the MTA takes it for the whole session, at RCPT
		 * for the whole message. */
		if (message || step == STEP_CONNECT)
			return SMFIS_ACCEPT;
		break;
	case ANSWER_DISCARD:
		/* Before MAIL it is an error, at RCPT for everybody. */
		if (message)
			return SMFIS_DISCARD;
		break;
	case ANSWER_SKIP:
		if (step == STEP_BODY && (c->agreed & SMFIP_SKIP) != 0)
			return SMFIS_SKIP;
		break;
	case ANSWER_REJECT:
	case ANSWER_TEMPFAIL:
		milter_set_reply(c->ctx, kind, code, xcode, lines, n);
		return kind == ANSWER_REJECT ? SMFIS_REJECT : SMFIS_TEMPFAIL;
	}
	return SMFIS_CONTINUE;
}

static sfsistat
say_failed(struct connection *c, enum step step, const char *text)
{
	return say(c, step, ANSWER_TEMPFAIL, FAILED_CODE, FAILED_XCODE, &text,
	           1);
}

/*
 * The answer of the session, or what stands in its place; the callback ends
 * with this. Where the MTA was told to expect no reply no verdict can fall;
 * a failure of ours there is kept by the session, which gives it again until
 * the end of the message, where there always is a reply.
 */
static sfsistat
answer(struct connection *c, enum step step, const struct answer *a)
{
	sfsistat s;

	if ((c->agreed & milter_quiet(step)) != 0)
		s = SMFIS_NOREPLY;
	else if (c->refused != NULL && step != STEP_BODY)
		s = say_failed(c, step, c->refused);
	else
		s = say(c, step, a->kind, a->reply.code, a->reply.xcode,
		        a->reply.lines, a->reply.n);
	c->ctx = NULL;
	atomic_fetch_sub(&shared.busy, 1);
	return s;
}

/*
 * The connection of a callback. Every callback makes it if it is not there:
 * libmilter takes a MAIL without a CONNECT. One that was not negotiated has
 * no policy that fits what the MTA was told, so it gets no session; no MTA
 * does that. NULL without memory.
 */
static struct connection *
begin(SMFICTX *ctx)
{
	struct connection *c = smfi_getpriv(ctx);

	if (c == NULL) {
		c = connection_new();
		if (c == NULL)
			return NULL;
		c->refused = "commands before the negotiation";
		smfi_setpriv(ctx, c);
		sink_printf(shared.log, LOG_WARNING,
		            "an MTA sent commands before the negotiation: "
		            "deferred");
	}
	c->ctx = ctx;
	atomic_fetch_add(&shared.busy, 1);
	return c;
}

/* ---- the steps ---- */

/* The end of every step: ask is evaluated if there is a session to ask. */
#define STEP(ctx, step, ask)                                              \
	do {                                                              \
		struct connection *c = begin(ctx);                        \
		struct answer a = {.kind = ANSWER_GO_ON};                 \
                                                                          \
		if (c == NULL)                                            \
			return SMFIS_TEMPFAIL;                            \
		if (c->refused == NULL)                                   \
			a = (ask);                                        \
		return answer(c, (step), &a);                             \
	} while (0)

static sfsistat
on_connect(SMFICTX *ctx, char *name, struct sockaddr *address)
{
	STEP(ctx, STEP_CONNECT, session_connect(c->session, name, address));
}

static sfsistat
on_helo(SMFICTX *ctx, char *helo)
{
	STEP(ctx, STEP_HELO, session_helo(c->session, helo));
}

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	STEP(ctx, STEP_MAIL, session_mail(c->session, argv));
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **argv)
{
	STEP(ctx, STEP_RCPT, session_rcpt(c->session, argv));
}

static sfsistat
on_data(SMFICTX *ctx)
{
	STEP(ctx, STEP_DATA, session_data(c->session));
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	STEP(ctx, STEP_HEADER, session_header(c->session, name, value));
}

static sfsistat
on_end_of_headers(SMFICTX *ctx)
{
	STEP(ctx, STEP_EOH, session_end_of_headers(c->session));
}

/*
 * Postfix sends the last piece in the packet that ends the message. To that
 * packet libmilter answers twice if this callback says anything but to go
 * on, and from then on each answer would be taken for that to the command
 * before. So a piece is never told more than "skip", and that only when it is
 * full: such a one is not the last. The session keeps its answer for the end.
 */
static struct answer
answer_piece(struct answer a, size_t n)
{
	bool skip = a.kind != ANSWER_GO_ON && n >= MILTER_CHUNK_SIZE;

	return (struct answer){.kind = skip ? ANSWER_SKIP : ANSWER_GO_ON};
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *chunk, size_t n)
{
	STEP(ctx, STEP_BODY,
	     answer_piece(session_body(c->session, chunk, n), n));
}

/* All of them, or the message is not let in. */
static bool
make_changes(struct connection *c, const struct change *changes, size_t n)
{
	const char *id = host_macro(c, "i");
	size_t i;

	for (i = 0; i < n; i++) {
		if (milter_change(c->ctx, &changes[i]) == MI_SUCCESS)
			continue;
		sink_printf(shared.log, LOG_ERR,
		            "%.64s: the MTA does not let us %s: deferred",
		            id != NULL ? id : "NOQUEUE",
		            milter_change_name(changes[i].kind));
		return false;
	}
	return true;
}

static sfsistat
on_end_of_message(SMFICTX *ctx)
{
	static const char *const failed[] = {
		"temporary failure: the message could not be changed"};
	struct connection *c = begin(ctx);
	struct answer a = {.kind = ANSWER_GO_ON};
	const struct change *changes = NULL;
	bool made = true;
	size_t n = 0;

	if (c == NULL)
		return SMFIS_TEMPFAIL;
	if (c->refused != NULL)
		return answer(c, STEP_END, &a);
	a = session_end_of_message(c->session, &changes, &n);
	if (a.kind == ANSWER_ACCEPT || a.kind == ANSWER_GO_ON) {
		made = make_changes(c, changes, n);
		session_done(c->session, made);
		if (!made)
			a = (struct answer){ANSWER_TEMPFAIL,
				{FAILED_CODE, FAILED_XCODE, 1,
				 (const char **)(size_t)failed}};
	}
	return answer(c, STEP_END, &a);
}

/* Any number of times, in odd places. */
static sfsistat
on_abort(SMFICTX *ctx)
{
	struct connection *c = smfi_getpriv(ctx);

	if (c == NULL)
		return SMFIS_CONTINUE;
	c->ctx = ctx;
	if (c->session != NULL)
		session_abort(c->session);
	c->ctx = NULL;
	return SMFIS_CONTINUE;
}

/* Perhaps under libmilter's own lock: nothing here waits. */
static sfsistat
on_close(SMFICTX *ctx)
{
	struct connection *c = smfi_getpriv(ctx);

	if (c == NULL)
		return SMFIS_CONTINUE;
	smfi_setpriv(ctx, NULL);
	drop(c);
	return SMFIS_CONTINUE;
}

/* ---- from outside ---- */

bool
milter_serve(int listener, struct current *policies, struct sink *log,
             struct notifier *notifier, unsigned limit)
{
	static char name[] = FILTER_NAME;
	char descriptor[32];
	const struct smfiDesc filter = {
		.xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFI_CURR_ACTS,
		.xxfi_connect = on_connect,
		.xxfi_helo = on_helo,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_data = on_data,
		.xxfi_header = on_header,
		.xxfi_eoh = on_end_of_headers,
		.xxfi_body = on_body,
		.xxfi_eom = on_end_of_message,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_negotiate = on_negotiate,
	};

	shared.policies = policies;
	shared.log = log;
	shared.notifier = notifier;
	shared.limit = limit;
	snprintf(descriptor, sizeof(descriptor), "fd:%d", listener);
	smfi_setbacklog(CAPS_BACKLOG);
	smfi_settimeout(CAPS_MILTER_IDLE);
	return smfi_register(filter) == MI_SUCCESS &&
	       smfi_setconn(descriptor) == MI_SUCCESS &&
	       smfi_main() == MI_SUCCESS;
}

void
milter_stop(void)
{
	smfi_stop();
}

bool
milter_drain(unsigned seconds)
{
	const struct timespec tick = {.tv_nsec = 10 * 1000 * 1000};
	unsigned left = seconds * 100;

	while (atomic_load(&shared.busy) > 0 && left-- > 0)
		nanosleep(&tick, NULL);
	/* libmilter sends the reply after its callback has returned, and
	 * tells nobody when it has: give it a moment. */
	nanosleep(&tick, NULL);
	return atomic_load(&shared.busy) == 0;
}
