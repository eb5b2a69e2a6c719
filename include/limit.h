/* limit.h - a limit of a policy: how much a sender may send in how long. */
#ifndef LIMIT_H
#define LIMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "span.h"

enum limit_unit {
	LIMIT_MESSAGES,
	LIMIT_RECIPIENTS,
	LIMIT_BYTES,
	LIMIT_REJECTS,
};
#define LIMIT_UNITS 4

/* "messages", "recipients", "bytes", "rejects" */
const char *limit_unit_name(enum limit_unit u);

struct limit {
	struct span name;
	struct span by;        /* as written: "auth", "client/24/64" */
	enum limit_unit unit;
	double most;           /* whole, up to LIMIT_MOST */
	double seconds;
	size_t ask;            /* the question whose values are the keys */
	bool rcpt;             /* is asked of the recipient at hand */
	unsigned v4, v6;       /* bits of an IP address that make a key */
};

/* Where limits are counted for several machines; NULL where nothing is said. */
struct limit_server {
	const char *where, *prefix, *database, *user, *password_file;
};

#define LIMIT_MOST 1e15            /* what a double counts exactly, and more */
#define LIMIT_LEAST_SECONDS 15     /* a fifteenth of it is a second */
#define LIMIT_MOST_SECONDS 2678400 /* 31 days */

#endif
