/* daemon.h - a vaglio of a test's own, in a folder of its own. */
#ifndef TESTS_DAEMON_H
#define TESTS_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

struct daemon {
	char dir[64];     /* made by daemon_prepare, removed by daemon_end */
	char config[96], socket[96], log[96];
	pid_t pid;        /* 0: none runs */
	int pidfd;
	int notify;       /* what NOTIFY_SOCKET names */
	unsigned files;   /* RLIMIT_NOFILE; 0: as it is */
	int pass;         /* a descriptor to pass as 3, or -1 */
	bool listen_fds;  /* tell it by LISTEN_FDS */
	bool background;  /* without -f */
};

/* A folder with this policy ("set log stderr" and the socket before it). */
void daemon_prepare(struct daemon *d, const char *policy);

/* Another policy in its place. */
void daemon_policy(struct daemon *d, const char *policy);

/*
 * Starts it with more arguments (NULL at the end) and waits until it is up;
 * then 0, else its exit status.
 */
int daemon_start(struct daemon *d, ...);

/* The exit status of the command with these arguments (NULL at the end);
 * what it says goes to the file of that name (NULL: nowhere). */
int daemon_command(struct daemon *d, const char *out, ...);

/* Waits for its end: the exit status, 128 + a signal, -1 if it does not. */
int daemon_wait(struct daemon *d);
/* TERM, then daemon_wait. */
int daemon_stop(struct daemon *d);

/* Waits until the log has this text; false if it does not come. */
bool daemon_logs(struct daemon *d, const char *text);
bool daemon_logged(const struct daemon *d, const char *text);
/* Times that the log has the text. */
unsigned daemon_count(const struct daemon *d, const char *text);

/*
 * Have its sanitizers nothing to say? libmilter's threads use locks that it
 * has destroyed while it stops: ThreadSanitizer's words on that are not ours.
 */
bool daemon_is_clean(const struct daemon *d);

/* Stops it if it runs, and removes its folder. */
void daemon_end(struct daemon *d);

/* A whole file, malloced, NUL-terminated; "" if it can't be read. */
char *read_file(const char *path);

#endif
