/*
 * peer.h - a server that answers questions over connections.
 *
 * Connections are kept for the next question. A server that could not be had
 * is left alone for a while, in which every question fails at once; then one
 * question tries it again. Any number of threads.
 */
#ifndef PEER_H
#define PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "span.h"

#define PEER_WHY 256

enum peer_talk {
	PEER_GOOD,    /* the connection may be kept */
	PEER_SPOILED, /* it may not, but the server is there */
	PEER_LOST,    /* errno says why */
};

struct peer_question {
	/* fresh: nothing was said on the connection before. */
	enum peer_talk (*talk)(void *of, int fd, bool fresh, int64_t deadline);
	void *of;
	bool again;   /* it does no harm if the server hears it twice */
};

struct peer;

/*
 * where := "unix:" path | host ":" port, an IPv6 address in brackets. A name
 * is looked up here and now; nothing is connected yet. NULL, and why.
 */
struct peer *peer_new(const char *where, char why[PEER_WHY]);
void peer_free(struct peer *p);

/* A deadline: so many nanoseconds from now (of CLOCK_MONOTONIC). */
int64_t peer_deadline(int64_t in);

/*
 * Talks on a connection that was kept, or on a new one. false, with errno:
 * the server could not be had; EHOSTDOWN: it was not even tried.
 */
bool peer_ask(struct peer *p, const struct peer_question *q,
              int64_t deadline);

/* What errno of peer_ask says. */
const char *peer_error(int error);

/* ---- bytes; false, with errno ---- */

/* All of s. */
bool peer_send(int fd, struct span s, int64_t deadline);

/* All n bytes. */
bool peer_receive(int fd, char *p, size_t n, int64_t deadline);

/* Up to n bytes, at least one; 0: an error. */
size_t peer_receive_some(int fd, char *p, size_t n, int64_t deadline);

#endif
