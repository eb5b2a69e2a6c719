/*
 * told.h - what the MTA has told of a session and of the message at hand.
 *
 * session*.c write it, facts*.c and report.c read it. What is of the connection
 * stays from message to message; what is of the message lives in its arena.
 */
#ifndef TOLD_H
#define TOLD_H

#include "address.h"
#include "body.h"
#include "message.h"
#include "session.h"

struct told_rcpt {
	struct span given;            /* as the client spelt it */
	const struct span *params;    /* ESMTP parameters, "NAME=value" */
	size_t n_params;
	struct value address;
	bool in;                      /* not refused */
	bool shadowed;                /* "set shadow": would have been */
	struct told_answer *answers;  /* facts.c: what was asked of it */
	struct tally_answer *over;    /* tally.c: limits that were */
};

/* A macro that the policy or the log asks for. */
struct told_macro {
	char *name;                   /* as the MTA knows it: i, {auth_authen} */
	enum stage stage;             /* at which the MTA gives it */
	bool any;                     /* or later */
	bool asked;                   /* its stage was reached */
	size_t ask;                   /* the question that needs it, or NO_ASK */
	struct span value;            /* p NULL: absent */
};
#define NO_ASK ((size_t)-1)

/* The fields of one name, whatever its letters' case. */
struct told_fields {
	struct span name;
	const size_t *numbers;        /* of message_field, in their order */
	size_t n;
	bool parsed, full, no_memory; /* as an address field */
	struct mailbox *boxes;        /* of all the fields */
	size_t n_boxes;
};

/* The client that SPF judges: who gave the mail to us, or to the relay that
 * the policy trusts. */
struct told_origin {
	bool known;
	bool failed;                  /* the table of relays did */
	struct ip ip;
	struct span helo;
	struct span why;              /* not known: why not */
};

enum told_name { NAME_NONE, NAME_VERIFIED, NAME_LATER /* look-up failed */ };

struct told {
	struct policy *policy;
	const struct table *const *tables; /* in place of the policy's; NULL */
	const struct session_host *host;
	struct told_macro *macros;
	size_t n_macros;
	bool needs_body, needs_size;

	/* the connection; in an arena of its own */
	struct arena *connection;
	bool connected;               /* CONNECT was told */
	bool client_told;
	struct ip client;
	unsigned client_port;         /* 0: not known */
	bool no_smtp;                 /* Postfix plays it a message that came
	                                 from the sendmail command */
	enum told_name client_name_is;
	struct span client_name;
	char *helo;                   /* NULL: not told */
	struct span spf, spf_helo;    /* p NULL: not said */

	/* the message */
	struct arena *arena;
	enum stage stage;             /* reached last */
	bool sender_told;
	struct span sender_given;
	struct value sender;
	const struct span *sender_params;
	size_t n_sender_params;
	bool utf8;                    /* SMTPUTF8 was asked for */
	struct told_rcpt *rcpts;
	size_t n_rcpts, rcpts_size;
	struct message *message;
	size_t header_bytes;          /* as SMTP counts them */
	size_t body_bytes;
	struct body body;             /* if the policy needs it */
	bool too_large;               /* the body is not all there */
	size_t held;                  /* bytes, for memory_account */
	struct pattern_work work;     /* what matching may still take */
	struct lookup_wait wait;      /* before the MTA has its answer */
	struct mime *mime;            /* its parts, once asked; NULL */
	struct edit *edit;            /* once the body is changed; NULL */
	struct told_fields *fields;   /* by name, once asked; NULL */
	size_t n_fields;
	struct tally *tally;          /* of limits; NULL: there are none */
	const struct fact **facts;    /* by question; NULL until asked */
	const struct spf_finding *spf_found[2]; /* by identity; NULL: not
	                                           asked */
	int64_t spf_took;             /* nanoseconds, of both */
	const struct told_origin *origin; /* once it is known */
	bool no_memory;               /* a fact could not be had for it */
};

/* ---- told.c ---- */

/* What the policy needs to be told. false: no memory. */
bool told_open(struct told *t, struct policy *p,
               const struct session_host *host);
void told_close(struct told *t);

/* Forgets the message, then makes room for one. false: no memory. */
void told_forget(struct told *t);
bool told_begin(struct told *t);

/* The stage is reached: takes the macros that the MTA gives there. */
bool told_reach(struct told *t, enum stage stage);

/* false: no memory, or a limit of caps.h. */
bool told_connect(struct told *t, const char *name,
                  const struct sockaddr *address);
bool told_helo(struct told *t, const char *helo);
bool told_mail(struct told *t, char *const *argv);
bool told_rcpt(struct told *t, char *const *argv);
bool told_header(struct told *t, const char *name, const char *value);

/* The body while it is changed, begun when first asked. NULL: no memory. */
struct edit *told_edit(struct told *t);

/* What is held of this message now is counted: what all messages hold. */
size_t told_account(struct told *t);

/* The value of a macro that is kept, p NULL if it is not there. */
struct span told_macro(const struct told *t, struct span name);

/* ---- facts.c and facts_*.c ---- */

/* For struct facts; of is the struct told. */
const struct fact *facts_ask(void *of, size_t n, const struct ask *ask,
                             size_t rcpt);

/* An ESMTP parameter's value; the last of a name counts. */
bool facts_param(const struct span *params, size_t n, struct span name,
                 struct span *value);

/* The fields of a name, or NULL. */
struct told_fields *facts_fields(struct told *t, struct span name);

/* What SPF is said to be or found, p NULL if nobody asked. For the log. */
struct span facts_spf(const struct told *t, enum spf_identity identity);
/* Was another than the client judged: t->origin, behind a trusted relay? */
bool facts_spf_relayed(const struct told *t);
/* Why it is a temperror or a permerror; else p NULL. */
struct span facts_spf_why(const struct told *t, enum spf_identity identity);

/* The same, checked now if it was not yet. NULL: no memory. Of what a
 * trusted relay hands on, once the header's end is reached. */
const struct spf_finding *facts_check_spf(struct told *t,
                                          enum spf_identity identity);

/* The mailboxes of all of them, parsed once. false: no memory or full. */
bool facts_boxes(struct told *t, struct told_fields *f);

/* ---- stamp_message.c ---- */

/* Carries out EFFECT_STAMP_..., asking for SPF if nobody has. false: no
 * memory. */
bool stamp_message(struct told *t, enum effect_kind kind);

#endif
