/*
 * backend_socketmap.c - socketmap "inet:host:port:map" or "unix:path:map":
 * a server that speaks the socketmap protocol of Sendmail and Postfix
 * (socketmap_table(5)).
 *
 *	request := netstring of map " " key
 *	reply   := netstring of "OK " text | "NOTFOUND " | "TEMP " reason |
 *	           "TIMEOUT " reason | "PERM " reason
 *	netstring := decimal length ":" bytes ","
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "peer.h"

#define OPEN_TIME 3000000000 /* ns */
#define REPLY_MAX 100000     /* bytes; Postfix's own limit */
#define LENGTH_DIGITS 6      /* of that */

struct socketmap {
	struct peer *peer;
	char *map;
};

struct asking {
	struct span request, reply;
	struct arena *arena;
};

/* ---- a question ---- */

/* The reply's netstring in *reply; false with errno. */
static bool
receive(int fd, struct arena *a, struct span *reply, int64_t deadline)
{
	size_t length = 0, digits = 0;
	char c, *p;

	for (;; digits++) {
		if (!peer_receive(fd, &c, 1, deadline))
			return false;
		if (c == ':' && digits > 0)
			break;
		errno = EPROTO;
		if (c < '0' || c > '9' || digits == LENGTH_DIGITS)
			return false;
		length = length * 10 + (size_t)(c - '0');
	}
	errno = EMSGSIZE;
	if (length > REPLY_MAX)
		return false;
	p = arena_alloc(a, length + 1);
	errno = ENOMEM;
	if (p == NULL || !peer_receive(fd, p, length + 1, deadline))
		return false;
	errno = EPROTO;
	*reply = (struct span){p, length};
	return p[length] == ',';
}

static enum peer_talk
talk(void *of, int fd, bool fresh, int64_t deadline)
{
	struct asking *q = of;

	(void)fresh;
	return peer_send(fd, q->request, deadline) &&
	       receive(fd, q->arena, &q->reply, deadline) ? PEER_GOOD :
	       PEER_LOST;
}

/* What stands behind the word, if the reply begins with it. */
static bool
reply_is(struct span reply, struct span word, struct span *rest)
{
	if (reply.n < word.n || memcmp(reply.p, word.p, word.n) != 0 ||
	    (reply.n > word.n && reply.p[word.n] != ' '))
		return false;
	*rest = (struct span){reply.p + word.n, reply.n - word.n};
	return true;
}

static enum table_result
find_socketmap(void *of, struct span key, int64_t deadline, struct arena *a,
               struct backend_reply *reply)
{
	struct socketmap *m = of;
	struct asking q = {.arena = a};
	const struct peer_question question = {talk, &q, true};
	struct span body, rest;

	if (key.n == 0 || memchr(key.p, '\0', key.n) != NULL)
		return TABLE_NO; /* no map has such a key */
	body = arena_printf(a, "%s ", m->map);
	q.request = arena_printf(a, "%zu:%s %.*s,", body.n + key.n, m->map,
	                         SPAN_ARG(key));
	reply->why = SPAN("no memory");
	if (body.p == NULL || q.request.p == NULL)
		return TABLE_FAILED;
	if (!peer_ask(m->peer, &question, deadline)) {
		reply->why = arena_printf(a, "socketmap %s: %s", m->map,
		                          peer_error(errno));
		return TABLE_FAILED;
	}
	if (reply_is(q.reply, SPAN("OK"), &reply->text))
		return TABLE_YES;
	if (reply_is(q.reply, SPAN("NOTFOUND"), &rest))
		return TABLE_NO;
	reply->why = arena_printf(a, "socketmap %s says: %.*s", m->map,
	                          SPAN_ARG(q.reply));
	return TABLE_FAILED;
}

/* ---- opening ---- */

static void
close_socketmap(void *of)
{
	struct socketmap *m = of;

	peer_free(m->peer);
	free(m->map);
	free(m);
}

/* ("inet:" host ":" port | "unix:" path) ":" map */
static bool
take_argument(struct socketmap *m, char *text, char why[BACKEND_WHY])
{
	char *map = strrchr(text, ':');
	bool inet = strncmp(text, "inet:", 5) == 0;

	if (!(inet || strncmp(text, "unix:", 5) == 0) || map <= text + 5 ||
	    map[1] == '\0' || strchr(map, ' ') != NULL) {
		snprintf(why, BACKEND_WHY,
		         "it is inet:host:port:map or unix:path:map");
		return false;
	}
	*map++ = '\0';
	m->map = strdup(map);
	if (m->map != NULL)
		m->peer = peer_new(inet ? text + 5 : text, why);
	return m->peer != NULL;
}

/* Nothing is asked: only that somebody is there. */
static enum peer_talk
greet(void *of, int fd, bool fresh, int64_t deadline)
{
	(void)of;
	(void)fd;
	(void)fresh;
	(void)deadline;
	return PEER_GOOD;
}

static void *
open_socketmap(const char *argument, const struct backend_options *o,
               char why[BACKEND_WHY])
{
	const struct peer_question question = {greet, NULL, true};
	struct socketmap *m = calloc(1, sizeof(*m));
	char *text = strdup(argument);
	bool good = false;

	(void)o;
	snprintf(why, BACKEND_WHY, "no memory");
	if (m != NULL && text != NULL && take_argument(m, text, why)) {
		good = peer_ask(m->peer, &question, peer_deadline(OPEN_TIME));
		if (!good)
			snprintf(why, BACKEND_WHY, "%s", peer_error(errno));
	}
	free(text);
	if (good)
		return m;
	if (m != NULL)
		close_socketmap(m);
	return NULL;
}

const struct backend backend_socketmap = {
	.name = "socketmap", .argument = "inet:HOST:PORT:MAP",
	.cost = COST_NET, .open = open_socketmap, .close = close_socketmap,
	.find = find_socketmap,
};
