/*
 * milter.c - between libmilter and the session: what to ask an MTA for, and
 * how to say a verdict so that Postfix and Sendmail take it alike.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include <libmilter/mfapi.h>

#include "caps.h"
#include "milter.h"
#include "session.h"

#define FILTER_NAME "vaglio"
/* What a callback says of itself where nothing else can be said. */
#define FAILED_CODE "451"
#define FAILED_XCODE "4.3.0"

/* The MTA's steps, as libmilter's callbacks have them. */
enum step {
	STEP_CONNECT,
	STEP_HELO,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_HEADER,
	STEP_EOH,
	STEP_BODY,
	STEP_END,
};

/* One row a step: its bits, and what a policy must want to have it. */
static const struct {
	unsigned long off, quiet; /* SMFIP_NO..., SMFIP_NR_... */
	enum stage stage;
} steps[] = {
	[STEP_CONNECT] = {SMFIP_NOCONNECT, SMFIP_NR_CONN, STAGE_CONNECT},
	[STEP_HELO] = {SMFIP_NOHELO, SMFIP_NR_HELO, STAGE_HELO},
	[STEP_MAIL] = {SMFIP_NOMAIL, SMFIP_NR_MAIL, STAGE_MAIL},
	[STEP_RCPT] = {SMFIP_NORCPT, SMFIP_NR_RCPT, STAGE_RCPT},
	[STEP_DATA] = {SMFIP_NODATA, SMFIP_NR_DATA, STAGE_DATA},
	[STEP_HEADER] = {SMFIP_NOHDRS, SMFIP_NR_HDR, STAGE_HEADERS},
	[STEP_EOH] = {SMFIP_NOEOH, SMFIP_NR_EOH, STAGE_HEADERS},
	[STEP_BODY] = {SMFIP_NOBODY, SMFIP_NR_BODY, STAGE_END},
	[STEP_END] = {0, 0, STAGE_END},
};

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

/* ---- what to ask for ---- */

static bool
changes_header(const struct policy *p)
{
	return policy_may_do(p, EFFECT_REPLACE_HEADER) ||
	       policy_may_do(p, EFFECT_REMOVE_HEADER) ||
	       policy_may_do(p, EFFECT_REWRITE_HEADER) ||
	       policy_may_do(p, EFFECT_STAMP_RESULTS) ||
	       policy_changes_body(p); /* and what says how it is encoded */
}

/*
 * Is a step of use? The envelope always is: the log names the client, HELO,
 * sender and recipients. The header is read for rules, to number the fields
 * that change, and as part of the message's size.
 */
static bool
is_wanted(const struct policy *p, enum step step)
{
	switch (step) {
	case STEP_CONNECT:
	case STEP_HELO:
	case STEP_MAIL:
	case STEP_RCPT:
	case STEP_END:
		return true;
	case STEP_DATA:
	case STEP_EOH:
		return policy_may_answer(p, steps[step].stage);
	case STEP_HEADER:
		return policy_needs(p, STAGE_HEADERS) ||
		       policy_needs(p, STAGE_END) || changes_header(p);
	case STEP_BODY:
		return policy_needs(p, STAGE_END) || policy_changes_body(p);
	}
	return true;
}

/*
 * May a step go without a reply? A verdict falls at the end of the header,
 * not at a field. The body's pieces are always answered: "skip" spares the
 * rest of a body that nobody asks for; and to the piece that comes with the
 * end (see answer_piece) libmilter would take "no reply" for the answer to
 * the end, and the MTA would wait for one in vain.
 */
static bool
is_quiet(const struct policy *p, enum step step)
{
	if (step == STEP_HEADER)
		return true;
	return step < STEP_BODY && !policy_may_answer(p, steps[step].stage);
}

static unsigned long
wanted_steps(const struct policy *p, unsigned long offered)
{
	unsigned long flags = SMFIP_NOUNKNOWN | SMFIP_SKIP;
	enum step s;

	for (s = STEP_CONNECT; s < STEP_END; s++) {
		if (!is_wanted(p, s))
			flags |= steps[s].off;
		else if (is_quiet(p, s))
			flags |= steps[s].quiet;
	}
	if (!is_wanted(p, STEP_BODY))
		flags &= ~(unsigned long)SMFIP_SKIP;
	/* Bits that an MTA does not know would end the negotiation, but for
	 * those that libmilter plays for it. */
	return flags & (offered | SMFIP_NODATA | SMFIP_NOUNKNOWN);
}

static unsigned long
wanted_actions(const struct policy *p)
{
	static const struct {
		enum effect_kind kind;
		unsigned long flags;
	} of[] = {
		{EFFECT_ADD_HEADER, SMFIF_ADDHDRS},
		{EFFECT_PREPEND_HEADER, SMFIF_ADDHDRS},
		{EFFECT_REPLACE_HEADER, SMFIF_ADDHDRS | SMFIF_CHGHDRS},
		{EFFECT_REMOVE_HEADER, SMFIF_CHGHDRS},
		{EFFECT_REWRITE_HEADER, SMFIF_CHGHDRS},
		{EFFECT_ADD_RCPT, SMFIF_ADDRCPT},
		{EFFECT_REDIRECT, SMFIF_ADDRCPT},
		{EFFECT_REPLACE_SENDER, SMFIF_CHGFROM},
		{EFFECT_QUARANTINE, SMFIF_QUARANTINE},
		{EFFECT_STAMP_RECEIVED_SPF, SMFIF_ADDHDRS},
		{EFFECT_STAMP_RESULTS, SMFIF_ADDHDRS | SMFIF_CHGHDRS},
	};
	unsigned long flags = SMFIF_DELRCPT; /* a discarded recipient's */
	size_t i;

	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		if (policy_may_do(p, of[i].kind))
			flags |= of[i].flags;
	if (policy_changes_body(p))
		flags |= SMFIF_CHGBODY | SMFIF_ADDHDRS | SMFIF_CHGHDRS;
	return flags;
}

/* ---- macros ---- */

struct names {
	char *text; /* names with a blank between */
	size_t n;
	bool failed;
};

static bool
has_name(const struct names *list, struct span name)
{
	const char *at = list->text, *end;

	for (; at != NULL && *at != '\0'; at = *end == ' ' ? end + 1 : end) {
		end = strchrnul(at, ' ');
		if (span_is(name, (struct span){at, (size_t)(end - at)}))
			return true;
	}
	return false;
}

static void
add_name(struct names *list, struct span name)
{
	char *more;

	if (name.n == 0 || has_name(list, name))
		return;
	more = realloc(list->text, list->n + name.n + 2);
	if (more == NULL) {
		list->failed = true;
		return;
	}
	if (list->n > 0)
		more[list->n++] = ' ';
	memcpy(more + list->n, name.p, name.n);
	list->n += name.n;
	more[list->n] = '\0';
	list->text = more;
}

static void
add_names(struct names *list, const char *names)
{
	size_t n;

	for (; *names != '\0'; names += n + (names[n] == ' ')) {
		n = strcspn(names, " ");
		add_name(list, (struct span){names, n});
	}
}

/* Those that the policy's questions take at a stage, and the log's. */
static void
collect_names(const struct policy *p, enum stage stage, struct names *list)
{
	size_t n, i;
	const struct ask *ask = policy_asks(p, &n);

	if (stage == STAGE_CONNECT)
		add_names(list, SESSION_MACROS_CONNECT);
	if (stage == STAGE_MAIL)
		add_names(list, SESSION_MACROS_MAIL);
	if (stage > STAGE_MAIL)
		add_names(list, SESSION_MACROS_LATER);
	for (i = 0; i < n; i++) {
		bool any = (ask[i].subject->flags & SUBJECT_IS_ANY) != 0;

		if (ask[i].subject->stage != stage &&
		    !(any && ask[i].subject->stage < stage))
			continue;
		add_names(list, ask[i].subject->macros);
		if (ask[i].subject->id == SUBJECT_MACRO)
			add_name(list, ask[i].argument);
	}
}

/*
 * The lists replace the MTA's own, so every stage is given one; an empty one
 * spares a packet. Postfix sends most of these only when they are asked for.
 */
static bool
ask_macros(SMFICTX *ctx, const struct policy *p)
{
	static const struct {
		enum stage stage;
		int where;
	} at[] = {
		{STAGE_CONNECT, SMFIM_CONNECT}, {STAGE_HELO, SMFIM_HELO},
		{STAGE_MAIL, SMFIM_ENVFROM},    {STAGE_RCPT, SMFIM_ENVRCPT},
		{STAGE_DATA, SMFIM_DATA},       {STAGE_HEADERS, SMFIM_EOH},
		{STAGE_END, SMFIM_EOM},
	};
	size_t i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct names list = {0};
		char none[] = "";
		bool fine;

		collect_names(p, at[i].stage, &list);
		fine = !list.failed &&
		       smfi_setsymlist(ctx, at[i].where, list.text != NULL ?
		                       list.text : none) == MI_SUCCESS;
		free(list.text);
		if (!fine)
			return false;
	}
	return true;
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

/*
 * A connection that is to be refused wants to say so at once, and asks for
 * no step but that.
 */
static unsigned long
refusing_steps(unsigned long offered)
{
	unsigned long flags = SMFIP_NOUNKNOWN | SMFIP_NODATA;

	flags |= (SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY) & offered;
	return flags;
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
	*want_actions = wanted_actions(c->policy) & actions;
	c->agreed = c->refused != NULL ? refusing_steps(offered) :
	            wanted_steps(c->policy, offered);
	if ((actions & SMFIF_SETSYMLIST) != 0) {
		*want_actions |= SMFIF_SETSYMLIST;
		if (!ask_macros(ctx, c->policy)) {
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

/*
 * The text of a refusal. Percent signs are doubled: both MTAs read the text
 * as a format. A code of the other class would be dropped silently with its
 * text; then the MTA's own text stands, and the verdict all the same.
 */
static void
set_reply(SMFICTX *ctx, enum answer_kind kind, const char *code,
          const char *xcode, const char *const *lines, size_t n)
{
	static char nothing[] = "";
	char *text[CAPS_REPLY_LINES] = {NULL};
	char class = kind == ANSWER_REJECT ? '5' : '4';
	const char *x = xcode[0] == class ? xcode : NULL;
	size_t i;

	if (code[0] != class)
		return;
	if (n > CAPS_REPLY_LINES)
		n = CAPS_REPLY_LINES;
	for (i = 0; i < n; i++) {
		const char *from = lines[i];
		char *to = malloc(2 * strlen(from) + 1);

		if (to == NULL)
			break;
		text[i] = to;
		do {
			if (*from == '%')
				*to++ = '%';
			*to++ = *from;
		} while (*from++ != '\0');
	}
	/* One line or none goes without libmilter's invented X.Y.Z. */
	if (n <= 1)
		smfi_setreply(ctx, (char *)(size_t)code, (char *)(size_t)x,
		              text[0] != NULL ? text[0] : nothing);
	else
		smfi_setmlreply(ctx, code, x, text[0], text[1], text[2],
			text[3], text[4], text[5], text[6], text[7], text[8],
			text[9], text[10], text[11], text[12], text[13],
			text[14], text[15], text[16], text[17], text[18],
			text[19], text[20], text[21], text[22], text[23],
			text[24], text[25], text[26], text[27], text[28],
			text[29], text[30], text[31], (char *)NULL);
	for (i = 0; i < n; i++)
		free(text[i]);
}

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
		set_reply(c->ctx, kind, code, xcode, lines, n);
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

	if ((c->agreed & steps[step].quiet) != 0)
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

/* libmilter takes no const, and changes nothing. */
static char *
text_of(struct span s)
{
	return (char *)(size_t)s.p;
}

/* The null sender, and a reason that says nothing, can't be sent empty. */
static char *
text_or(struct span s, char *other)
{
	return s.p == NULL || s.n == 0 ? other : text_of(s);
}

static int
change(SMFICTX *ctx, const struct change *ch)
{
	static char null_sender[] = "<>", held[] = "held by policy";

	switch (ch->kind) {
	case CHANGE_HEADER:
		return smfi_chgheader(ctx, text_of(ch->name), (int)ch->index,
		                      text_of(ch->value));
	case INSERT_HEADER:
		return smfi_insheader(ctx, (int)ch->index, text_of(ch->name),
		                      text_of(ch->value));
	case ADD_HEADER:
		if (ch->index != 0)
			return smfi_insheader(ctx, (int)ch->index,
			                      text_of(ch->name),
			                      text_of(ch->value));
		return smfi_addheader(ctx, text_of(ch->name),
		                      text_of(ch->value));
	case CHANGE_SENDER:
		return smfi_chgfrom(ctx, text_or(ch->value, null_sender),
		                    NULL);
	case ADD_RCPT:
		return smfi_addrcpt(ctx, text_of(ch->value));
	case REMOVE_RCPT:
		return smfi_delrcpt(ctx, text_of(ch->value));
	case HOLD:
		return smfi_quarantine(ctx, text_or(ch->value, held));
	case REPLACE_BODY:
		return smfi_replacebody(ctx,
			(unsigned char *)text_of(ch->value),
			(int)ch->value.n);
	}
	return MI_FAILURE;
}

static const char *
change_name(enum change_kind kind)
{
	static const char *const names[] = {
		[CHANGE_HEADER] = "change a header field",
		[INSERT_HEADER] = "insert a header field",
		[ADD_HEADER] = "add a header field",
		[CHANGE_SENDER] = "change the sender",
		[ADD_RCPT] = "add a recipient",
		[REMOVE_RCPT] = "remove a recipient",
		[HOLD] = "hold the message",
		[REPLACE_BODY] = "change the body",
	};

	return names[kind];
}

/* All of them, or the message is not let in. */
static bool
make_changes(struct connection *c, const struct change *changes, size_t n)
{
	const char *id = host_macro(c, "i");
	size_t i;

	for (i = 0; i < n; i++) {
		if (change(c->ctx, &changes[i]) == MI_SUCCESS)
			continue;
		sink_printf(shared.log, LOG_ERR,
		            "%.64s: the MTA does not let us %s: deferred",
		            id != NULL ? id : "NOQUEUE",
		            change_name(changes[i].kind));
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
