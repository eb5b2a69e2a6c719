/* redis_server.h - a Redis server of a test's own: a socket, no files kept. */
#ifndef REDIS_SERVER_H
#define REDIS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>
#include <unistd.h>

#include "check.h"

struct redis_server {
	const char *folder;
	pid_t pid;
};

#define REDIS_SERVER "/usr/bin/redis-server"

/* If not, the test is skipped. */
static inline bool
redis_server_there(void)
{
	bool there = access(REDIS_SERVER, X_OK) == 0;

	if (!there)
		check_skip("redis-server");
	return there;
}

/*
 * Starts one on folder/r; it answers when this returns. more: further
 * arguments of the command, ended by NULL; or NULL.
 */
void redis_server_start(struct redis_server *s, const char *folder,
                        const char *const *more);

/* By its process id; it has ended when this returns. */
void redis_server_stop(struct redis_server *s);

/* Sends commands, one a line, and wants no error for any. */
void redis_server_say(const struct redis_server *s, const char *commands);

#endif
