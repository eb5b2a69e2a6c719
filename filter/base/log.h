/*
 * log.h - a line for each verdict and each message let in.
 *
 *	ID: VERB: rule=R stage=S client=NAME[IP] helo=<...> from=<...>
 *	to=<...>,<...> auth=<...> header-from=<...>,<...> spf=RESULT
 *	[spf-client=IP] [spf-why="..."] [shadow=KIND] [done="..."]
 *	[why="..."] [text="..."] [reply="..."]
 *
 * What a stranger chose stands inside <> or quotes. There each control
 * character, the delimiters and each byte that is no UTF-8 is \xNN and a
 * backslash is doubled, so that a line can't be forged, not even for a
 * reader that knows of no escapes. A text that was cut ends in "...".
 */
#ifndef LOG_H
#define LOG_H

#include "reply.h"
#include "span.h"

#define LOG_LINE 12000 /* bytes that hold any line */

struct log_entry {
	struct span id;          /* the queue's; p NULL: NOQUEUE */
	const char *verb;        /* "reject" */
	struct span rule;        /* empty: the policy's end was reached */
	const char *stage;
	struct span client_name; /* p NULL: unknown */
	struct span client;      /* p NULL: unknown */
	struct span helo, from;
	const struct span *to;
	size_t n_to;
	struct span auth;
	const struct span *header_from;
	size_t n_header_from;
	struct span spf;
	struct span spf_client;    /* p NULL: not written, as what follows */
	struct span spf_why;
	const char *shadow;
	struct span done, why, text;
	const struct reply *reply;
};

/* The line, in out. */
struct span log_line(char out[LOG_LINE], const struct log_entry *e);

/* The bytes of s, escaped as inside <> or quotes, into out: at most size. */
struct span log_escape(char *out, size_t size, struct span s);

#endif
