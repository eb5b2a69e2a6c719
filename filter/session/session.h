/*
 * session.h - one SMTP session, as the milter and the tests drive it.
 *
 * No libmilter here: whoever drives it (milter.c for an MTA, try.c for a
 * scenario) calls a function for each stage and does what the answer says.
 * Every function may be called at any time and in any order; what has not
 * been told yet is simply not there. One thread at a time, any thread.
 */
#ifndef SESSION_H
#define SESSION_H

#include <sys/socket.h>

#include "message.h"
#include "policy.h"
#include "reply.h"
#include "spf.h"

enum answer_kind {
	ANSWER_GO_ON,
	ANSWER_ACCEPT,   /* nothing more need be told of this message (at
	                    connect: of this session) */
	ANSWER_REJECT,   /* reply is there */
	ANSWER_TEMPFAIL, /* reply is there */
	ANSWER_DISCARD,
	ANSWER_SKIP,     /* at body: no more of the body need be told */
};

struct answer {
	enum answer_kind kind;
	struct reply reply;  /* good until the next call */
};

struct notice;
struct limits;

/* The MTA's side. */
struct session_host {
	/* The value of a macro ("i", "{auth_authen}") now, or NULL. */
	const char *(*macro)(void *of, const char *name);
	/* One log line, without its time; NULL: nothing is logged. */
	void (*log)(void *of, int priority, struct span line);
	/* A notice; whether it will be sent. NULL: none are. */
	bool (*notify)(void *of, const struct notice *notice);
	void *of;
	/*
	 * Who is asked for SPF, or NULL: SPF then is what session_say_spf
	 * said, or none. Stays the host's.
	 */
	struct resolver *resolver;
	/* Who counts against limits, or NULL: none is over. The host's. */
	struct limits *limits;
	/* Each look-up that SPF makes, for explain; or NULL. */
	void (*looked_up)(void *of, const struct spf_lookup *l);
	/*
	 * explain and the policy's tests: read at every stage, each verdict
	 * given as if "set shadow" were "no".
	 */
	bool trial;
};

struct session;
struct edit;

/* The macros that the log line and stamps ask for, beside the policy's. */
#define SESSION_MACROS_CONNECT "j {client_addr} {client_name} {client_resolve}"
#define SESSION_MACROS_MAIL "i {auth_authen}"
#define SESSION_MACROS_LATER "i" /* at RCPT, DATA and the end */

/*
 * A session on a policy, on which it takes a reference. tables: in place of
 * the policy's, for its tests, or NULL. NULL without memory.
 */
struct session *session_new(struct policy *p, const struct table *const *tables,
                            const struct session_host *host);
void session_free(struct session *s);

/*
 * A refusal stands: after one at connect or HELO every later call gives it
 * again, after one from MAIL on every call until the message is over. So an
 * answer that the protocol has no room for (a stage without replies) is not
 * lost: the next call that can be answered gives it.
 */

/* name as the MTA has it ("[192.0.2.1]" for an unknown one), or NULL;
 * address NULL for a local client. */
struct answer session_connect(struct session *s, const char *name,
                              const struct sockaddr *address);
struct answer session_helo(struct session *s, const char *helo);
/* argv: the path, then ESMTP parameters, NULL at the end. */
struct answer session_mail(struct session *s, char *const *argv);
struct answer session_rcpt(struct session *s, char *const *argv);
struct answer session_data(struct session *s);
struct answer session_header(struct session *s, const char *name,
                             const char *value);
struct answer session_end_of_headers(struct session *s);
struct answer session_body(struct session *s, const void *chunk, size_t n);

/*
 * The end of the message. If it is let in, *changes (n of them) are to be
 * made; good until the next call. When they are made or could not be,
 * session_done says so, for the log.
 */
struct answer session_end_of_message(struct session *s,
                                     const struct change **changes, size_t *n);
void session_done(struct session *s, bool made);

/* The message is over, for whatever reason; the session goes on. */
void session_abort(struct session *s);

/* What SPF is said to be, for scenarios: asks no DNS. */
void session_say_spf(struct session *s, struct span mail, struct span helo);

/* ---- for explain and tests ---- */

/* The review of the message at hand, and the stage reached last. */
struct review *session_review(struct session *s);
enum stage session_stage(const struct session *s);
struct message *session_message(struct session *s);

/* The body as it is let in, once it was changed; or NULL. */
const struct edit *session_edit(const struct session *s);

/* What SPF found, if it was asked for and not said; or NULL. */
const struct spf_finding *session_spf(const struct session *s,
                                      enum spf_identity identity);

/* What the last answer but ANSWER_GO_ON and ANSWER_SKIP comes from. */
const struct verdict *session_verdict(const struct session *s);

#endif
