/*
 * mta.h - the MTA's side of the milter protocol, over a Unix socket.
 *
 * A step function sends what an MTA would send for it and gives the letter of
 * the reply: 'c' go on, 'a' accept, 'r' reject, 't' tempfail, 'd' discard,
 * 's' skip, 'y' a reply with a code (see text). NONE: the filter asked not to
 * have the step, or not to reply to it. GONE: it closed the connection.
 * SILENT: nothing came for too long.
 */
#ifndef TESTS_MTA_H
#define TESTS_MTA_H

#include <stdbool.h>
#include <stddef.h>

enum { MTA_NONE = 0, MTA_GONE = -1, MTA_SILENT = -2 };

/* What Postfix 3.7 and Sendmail 8.17 offer. */
#define MTA_VERSION 6
#define MTA_ACTIONS 0x1ffU
#define MTA_STEPS 0x1fffffU

#define MTA_MACRO_LISTS 7

struct mta {
	int fd;
	unsigned version, actions, steps; /* as the filter chose */
	char *macros[MTA_MACRO_LISTS];    /* lists that it asked for, or NULL */
	int patience;     /* ms to wait for a reply */
	size_t piece;     /* packets are sent in pieces of so many bytes; 0:
	                     each at once */
	char *text;       /* of the last 'y' */
	char *changes;    /* what mta_end was asked for: a line each, as
	                     "h X-A: b", "m 1 Subject: x", "+ a@example.org" */
};

/* A connection, or NULL. */
struct mta *mta_open(const char *path);
/* Closes, whatever state it is in. */
void mta_close(struct mta *m);

/* 'O', or what it came to. */
int mta_negotiate(struct mta *m, unsigned version, unsigned actions,
                  unsigned steps);

/* mta_open and mta_negotiate as a current MTA; NULL if either fails. */
struct mta *mta_meet(const char *path);

/* Macros for a command: names and values, NULL at the end. */
bool mta_macros(struct mta *m, int command, ...);

/* address NULL: an unknown family. */
int mta_connect(struct mta *m, const char *name, const char *address);
int mta_helo(struct mta *m, const char *name);
int mta_mail(struct mta *m, const char *path);
int mta_mail_args(struct mta *m, const char *args, size_t n);
int mta_rcpt(struct mta *m, const char *path);
int mta_data(struct mta *m);
int mta_header(struct mta *m, const char *name, const char *value);
int mta_end_of_headers(struct mta *m);
int mta_body(struct mta *m, const void *chunk, size_t n);
int mta_end(struct mta *m);
bool mta_abort(struct mta *m);
bool mta_quit(struct mta *m);

/* One packet, and its reply if any; bytes as they are, and a reply. */
bool mta_send(struct mta *m, char command, const void *data, size_t n);
bool mta_send_raw(struct mta *m, const void *bytes, size_t n);
int mta_reply(struct mta *m);

/*
 * From connect to the end of a message of one recipient: the first answer
 * that is not to go on, or that of the end.
 */
int mta_session(struct mta *m, const char *sender, const char *rcpt,
                const char *subject);
/* The same from MAIL on. */
int mta_message(struct mta *m, const char *sender, const char *rcpt,
                const char *subject);

#endif
