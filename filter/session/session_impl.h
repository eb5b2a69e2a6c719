/*
 * session_impl.h - a session inside, for session*.c alone.
 */
#ifndef SESSION_IMPL_H
#define SESSION_IMPL_H

#include "session.h"
#include "told.h"

enum over {
	NOT_OVER,
	MESSAGE_OVER, /* its answer stands until the next message */
	SESSION_OVER, /* the answer stands for all that follows */
};

struct session {
	struct told told;
	struct session_host host;
	const struct table *const *tables;
	struct facts facts;
	struct lookup_dns dns;
	struct review *review;  /* NULL: no message at hand */
	enum stage at;          /* of the call at hand */
	bool mail;              /* MAIL was told */
	bool headers;           /* the end of the header was told */
	enum over over;
	struct answer given;    /* if over */
	struct verdict verdict; /* what it comes from */
	bool let_in;            /* the line for it is due */
	bool finished;          /* the review's lines are written */
	struct span done;       /* what was asked of the MTA, in words */
	size_t holder;          /* the rule that holds the message, or NO_RULE */
	const char *shadow;     /* what "set shadow" kept from happening */
	const char *rcpt_shadow; /* to the recipient refused last */
	size_t rcpts_shadowed;  /* how many would have been refused */
	char failure[256];
	const char *failure_lines[1];
};

/* ---- session.c ---- */

/*
 * There is a message that a call may add to, and the stage is reached. false:
 * *a is the answer, for what was decided stands or there is no memory.
 */
bool session_reach(struct session *s, enum stage stage, struct answer *a);

/* ---- session_answer.c ---- */

extern const struct answer session_go_on;

/* The shadow of what "set shadow" kept from happening: changes, no more. */
extern const char session_noted[];

/* Is "set shadow" yes, and this no trial? */
bool session_is_shadowed(const struct session *s);

/* What "set shadow" kept from happening to the message, or NULL. */
const char *session_shadowed(const struct session *s);

/* The line for a message that was let in, if it is due. */
void session_write_let_in(struct session *s, bool made);

/* All that is left to be said of the message. */
void session_finish(struct session *s);

/*
 * What has no verdict by now gets none. Nobody waits for an answer any more,
 * but libmilter perhaps, with a lock held: so nobody else is asked.
 */
void session_finish_early(struct session *s);

/*
 * The answer that stands, as far as it may be given now: an accept or a
 * discard at HELO or RCPT would mean something else (see session.c).
 */
struct answer session_again(const struct session *s);

/* a is the answer from now on, until the message or the session is over. */
void session_conclude(struct session *s, struct answer a);

/*
 * We can't do our work: no memory, a limit of ours. The text says which, and
 * must do without memory. While "set shadow" is yes mail goes on.
 */
struct answer session_fail(struct session *s, const char *why);
struct answer session_no_memory(struct session *s);

/*
 * Is everything held for messages, in all sessions, within memory-limit? Over
 * it no message begins; those that are coming in have a quarter more.
 */
bool session_within_limit(struct session *s);

/* A verdict, logged and told; ANSWER_GO_ON where "set shadow" keeps it. */
struct answer session_refuse(struct session *s, const struct verdict *v,
                             size_t rcpt);
struct answer session_discard(struct session *s, const struct verdict *v);

/* What the policy says before the end. */
struct answer session_decide(struct session *s, size_t rcpt);

#endif
