/* redis_server.h - a Redis server of a test's own: a socket, no files kept. */
#ifndef REDIS_SERVER_H
#define REDIS_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

struct redis_server {
	const char *folder;
	pid_t pid;
};

/* Is the server installed at all? */
bool redis_server_there(void);

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
