/*
 * redis.h - commands to a Redis or Valkey server, over connections that are
 * kept (peer.h). Any number of threads.
 */
#ifndef REDIS_H
#define REDIS_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "caps.h"
#include "span.h"

#define REDIS_WHY 256
#define REDIS_TIME (CAPS_SERVER_SECONDS * 1000000000LL) /* ns for an answer */

struct redis_login {
	const char *user;          /* or NULL */
	const char *password_file; /* its first line; or NULL */
	const char *database;      /* a number; or NULL */
};

struct redis;

/*
 * Connects, and logs in (both may be NULL). where is as in peer.h. NULL, and
 * why, if the server can't be had.
 */
struct redis *redis_open(const char *where, const struct redis_login *login,
                         char why[REDIS_WHY]);

/* The same, but the server need not be there yet. */
struct redis *redis_new(const char *where, const struct redis_login *login,
                        char why[REDIS_WHY]);
void redis_close(struct redis *r);

enum redis_kind {
	REDIS_NOTHING,
	REDIS_TEXT,
	REDIS_NUMBER,
	REDIS_LIST,
	REDIS_ERROR,  /* the server's: text */
};

struct redis_reply {
	enum redis_kind kind;
	struct span text;
	int64_t number;
	struct redis_reply *items;
	size_t n;
};

struct redis_command {
	const struct span *words;  /* bytes of any kind */
	size_t n;
	bool again;                /* it does no harm if it is done twice */
};

/*
 * What the server answers until the deadline (peer_deadline), in a. false:
 * the server could not be had, or said too much; *why says so.
 */
bool redis_ask(struct redis *r, const struct redis_command *c,
               int64_t deadline, struct arena *a, struct redis_reply *reply,
               struct span *why);

#endif
