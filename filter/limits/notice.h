/*
 * notice.h - short mails that rules send: notify "postmaster@example.org".
 *
 * They are handed to an MTA by SMTP: a milter without privileges can't run
 * the sendmail command, which is setgid. Whoever adds one never waits: there
 * is one queue, with an end, and one thread that sends. Of one rule, address
 * and login there is one notice in the time that the rule says; the others
 * are counted in the next one. One that can't be sent is a line in the log.
 */
#ifndef NOTICE_H
#define NOTICE_H

#include "ip.h"
#include "peer.h"
#include "sink.h"
#include "span.h"

struct notice {
	struct span server;    /* as peer.h has it */
	struct span rule;
	struct span address;   /* to whom */
	struct span login;     /* p NULL: none */
	unsigned once;         /* seconds */
	struct span facts;     /* a line of the log */
	struct ip client;      /* of the message that it is about ... */
	unsigned port;         /* ... its port; 0: not known */
};

struct notifier;

/* Failures go to the log, which stays the caller's. NULL: no memory. */
struct notifier *notifier_new(struct sink *log);

/* Starts the thread. false: the system has none. */
bool notifier_start(struct notifier *n);

/*
 * Whether it will be sent; what is given is copied. Not if there was one in
 * that time, if the message is a notice of ours, or (said in the log) if too
 * much waits already. Any thread.
 */
bool notifier_add(struct notifier *n, const struct notice *notice);

/* Waits so long for what is in the queue; the rest goes to the log. */
void notifier_drain(struct notifier *n, unsigned milliseconds);

/* Ends the thread after the notice that it is at. */
void notifier_free(struct notifier *n);

/* ---- notice_mail.c ---- */

/* A mail that waits. */
struct notice_mail {
	char *server, *rule, *address, *facts;
	unsigned once;
	unsigned held;         /* others since the one before */
};

/* An SMTP session, for peer_ask; why is set if it failed by a reply. */
struct notice_session {
	const struct notice_mail *mail;
	char why[512];
	/* Told the connection's own end before the server hears of it. */
	void (*connected)(void *of, int fd);
	void *of;
};

/* The talk of peer.h; of is a notice_session. */
enum peer_talk notice_talk(void *of, int fd, bool fresh, int64_t deadline);

/* Can a notice go there? ASCII, no blanks, nothing that ends a path. */
bool notice_address(struct span address);

/* The whole mail, dots not yet stuffed; malloced, or NULL. */
char *notice_text(const struct notice_mail *mail, const char *host);

#endif
