/* redis.c - replies are read by hiredis, which only this file knows. */
#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "caps.h"
#include "peer.h"
#include "redis.h"

#define PIECE 16384 /* bytes that are read at once */
#define PASSWORD 512

struct redis {
	struct peer *peer;
	struct arena *arena;  /* of the greeting */
	struct span greeting; /* commands for each new connection */
	size_t greetings;     /* how many they are */
};

/* A question on its way. */
struct asking {
	const struct redis *redis;
	struct arena *arena;
	struct span request;
	struct redis_reply *reply;
	struct redis_reply *space; /* where the reply goes that is read */
	size_t items, bytes;       /* of all replies */
	struct span why;           /* or errno says it */
};

/* ---- replies, as hiredis reads them ---- */

#if HIREDIS_MAJOR > 0
typedef size_t count_type;
#else
typedef int count_type;
#endif

/* The place for what is read; NULL: there is none. */
static struct redis_reply *
place_for(const redisReadTask *task)
{
	struct asking *q = task->privdata;
	struct redis_reply *list;

	if (task->parent == NULL)
		return q->space;
	list = task->parent->obj;
	return &list->items[task->idx];
}

static void *
create_text(const redisReadTask *task, char *text, size_t n)
{
	struct redis_reply *r = place_for(task);
	struct asking *q = task->privdata;

	r->kind = task->type == REDIS_REPLY_ERROR ? REDIS_ERROR : REDIS_TEXT;
	r->text = arena_copy(q->arena, (struct span){text, n});
	if (r->text.p != NULL)
		return r;
	q->why = SPAN("no memory");
	return NULL;
}

static void *
create_list(const redisReadTask *task, count_type n)
{
	struct redis_reply *r = place_for(task);
	struct asking *q = task->privdata;

	if ((size_t)n > CAPS_REDIS_VALUES - q->items) {
		q->why = SPAN("it answers with too many values");
		return NULL;
	}
	q->items += (size_t)n;
	r->kind = REDIS_LIST;
	r->n = (size_t)n;
	r->items = arena_alloc(q->arena, r->n * sizeof(*r->items));
	if (r->items != NULL)
		return r;
	q->why = SPAN("no memory");
	return NULL;
}

static void *
create_number(const redisReadTask *task, long long number)
{
	struct redis_reply *r = place_for(task);

	r->kind = REDIS_NUMBER;
	r->number = number;
	return r;
}

static void *
create_nothing(const redisReadTask *task)
{
	struct redis_reply *r = place_for(task);

	r->kind = REDIS_NOTHING;
	return r;
}

static redisReplyObjectFunctions functions = {
	.createString = create_text,
	.createArray = create_list,
	.createInteger = create_number,
	.createNil = create_nothing,
};

/* ---- a talk ---- */

/* One reply into *reply; what was read behind it stays with the reader. */
static bool
read_reply(redisReader *reader, int fd, struct asking *q,
           struct redis_reply *reply, int64_t deadline)
{
	char piece[PIECE];
	void *done = NULL;
	size_t n;

	*reply = (struct redis_reply){.kind = REDIS_NOTHING};
	q->space = reply;
	for (;;) {
		if (redisReaderGetReply(reader, &done) != REDIS_OK) {
			errno = EPROTO;
			return false;
		}
		if (done != NULL)
			return true;
		n = peer_receive_some(fd, piece, sizeof(piece), deadline);
		if (n == 0)
			return false;
		q->bytes += n;
		if (q->bytes > CAPS_REDIS_BYTES) {
			q->why = SPAN("its answer is too long");
			return false;
		}
		errno = ENOMEM;
		if (redisReaderFeed(reader, piece, n) != REDIS_OK)
			return false;
	}
}

/* The greeting's replies, then the one that is wanted. */
static bool
read_replies(redisReader *reader, int fd, struct asking *q, size_t greetings,
             int64_t deadline)
{
	struct redis_reply greeting;

	for (; greetings > 0; greetings--) {
		if (!read_reply(reader, fd, q, &greeting, deadline))
			return false;
		if (greeting.kind == REDIS_ERROR) {
			q->why = greeting.text;
			errno = EACCES;
			return false;
		}
	}
	if (!read_reply(reader, fd, q, q->reply, deadline))
		return false;
	errno = EPROTO; /* nothing more was asked */
	return reader->pos == reader->len;
}

/*
 * An error of a server that is no longer, or not yet, the one to ask: behind
 * a name or a proxy a new connection may lead to another.
 */
static bool
is_other_server(const struct redis_reply *r)
{
	return r->kind == REDIS_ERROR &&
	       (span_begins(r->text, SPAN("READONLY")) ||
	        span_begins(r->text, SPAN("MASTERDOWN")) ||
	        span_begins(r->text, SPAN("LOADING")));
}

static enum peer_talk
talk(void *of, int fd, bool fresh, int64_t deadline)
{
	struct asking *q = of;
	redisReader *reader = redisReaderCreateWithFunctions(&functions);
	bool sent, good;
	int error;

	q->items = q->bytes = 0;
	q->why = (struct span){NULL, 0};
	errno = ENOMEM;
	if (reader == NULL)
		return PEER_LOST;
	reader->privdata = q;
	sent = (!fresh || peer_send(fd, q->redis->greeting, deadline)) &&
	       peer_send(fd, q->request, deadline);
	error = errno;
	/* one that hangs up at once may have said why */
	good = read_replies(reader, fd, q, fresh ? q->redis->greetings : 0,
	                    deadline);
	if (!sent && good && q->reply->kind == REDIS_ERROR)
		q->why = q->reply->text;
	if (sent)
		error = errno;
	else if (q->why.p != NULL)
		error = EACCES;
	redisReaderFree(reader);
	errno = error;
	if (good && sent)
		return is_other_server(q->reply) ? PEER_SPOILED : PEER_GOOD;
	/* what was asked for is too much: another question may not be */
	return q->why.p != NULL && error != EACCES ? PEER_SPOILED : PEER_LOST;
}

/* ---- commands ---- */

/* As RESP has it: "*2\r\n$3\r\nGET\r\n$1\r\na\r\n". p is NULL without memory. */
static struct span
format(struct arena *a, const struct span *words, size_t n)
{
	size_t size = 32, i, at;
	char *p;

	for (i = 0; i < n; i++)
		size += words[i].n + 32;
	p = arena_alloc(a, size);
	if (p == NULL)
		return (struct span){NULL, 0};
	at = (size_t)snprintf(p, size, "*%zu\r\n", n);
	for (i = 0; i < n; i++) {
		at += (size_t)snprintf(p + at, size - at, "$%zu\r\n",
		                       words[i].n);
		memcpy(p + at, words[i].p, words[i].n);
		memcpy(p + at + words[i].n, "\r\n", 2);
		at += words[i].n + 2;
	}
	return (struct span){p, at};
}

bool
redis_ask(struct redis *r, const struct redis_command *c, int64_t deadline,
          struct arena *a, struct redis_reply *reply, struct span *why)
{
	struct asking q = {.redis = r, .arena = a, .reply = reply};
	const struct peer_question question = {talk, &q, c->again};
	bool got;

	*why = SPAN("no memory");
	q.request = format(a, c->words, c->n);
	if (q.request.p == NULL)
		return false;
	got = peer_ask(r->peer, &question, deadline);
	if (got && q.why.p == NULL)
		return true;
	*why = q.why.p != NULL ? q.why :
	       arena_copy(a, span_of(peer_error(errno)));
	if (why->p == NULL)
		*why = SPAN("no memory");
	return false;
}

/* ---- opening ---- */

/* The first line. */
static bool
read_password(struct redis *r, const char *path, struct span *password,
              char why[REDIS_WHY])
{
	char line[PASSWORD];
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL) {
		snprintf(why, REDIS_WHY, "%s: %s", path, strerror(errno));
		return false;
	}
	n = fread(line, 1, sizeof(line), f);
	fclose(f);
	if (memchr(line, '\n', n) != NULL)
		n = (size_t)((char *)memchr(line, '\n', n) - line);
	if (n == 0 || n == sizeof(line)) {
		snprintf(why, REDIS_WHY, "%s: %s", path, n == 0 ?
		         "its first line holds no password" :
		         "its first line is too long");
		return false;
	}
	*password = arena_copy(r->arena, (struct span){line, n});
	return true;
}

static void
greet(struct redis *r, const struct span *words, size_t n)
{
	struct span more = format(r->arena, words, n);
	char *both = arena_alloc(r->arena, r->greeting.n + more.n);

	if (more.p == NULL || both == NULL)
		return; /* the arena knows */
	if (r->greeting.n > 0)
		memcpy(both, r->greeting.p, r->greeting.n);
	memcpy(both + r->greeting.n, more.p, more.n);
	r->greeting = (struct span){both, r->greeting.n + more.n};
	r->greetings++;
}

/* AUTH [user] password, SELECT database */
static bool
take_login(struct redis *r, const struct redis_login *login,
           char why[REDIS_WHY])
{
	struct span words[3] = {SPAN("AUTH")};
	size_t n = 1;

	if (login != NULL && login->user != NULL &&
	    login->password_file == NULL) {
		snprintf(why, REDIS_WHY, "a user needs a password file");
		return false;
	}
	if (login != NULL && login->user != NULL)
		words[n++] = span_of(login->user);
	if (login != NULL && login->password_file != NULL) {
		if (!read_password(r, login->password_file, &words[n], why))
			return false;
		greet(r, words, n + 1);
	}
	if (login != NULL && login->database != NULL) {
		words[0] = SPAN("SELECT");
		words[1] = span_of(login->database);
		greet(r, words, 2);
	}
	snprintf(why, REDIS_WHY, "no memory");
	return !arena_full(r->arena);
}

static bool
is_there(struct redis *r, char why[REDIS_WHY])
{
	const struct span ping = SPAN("PING");
	const struct redis_command command = {&ping, 1, true};
	struct redis_reply reply;
	struct span what;

	if (redis_ask(r, &command, peer_deadline(REDIS_TIME), r->arena,
	              &reply, &what)) {
		if (reply.kind != REDIS_ERROR)
			return true;
		what = reply.text;
	}
	snprintf(why, REDIS_WHY, "%.*s", SPAN_ARG(what));
	return false;
}

struct redis *
redis_new(const char *where, const struct redis_login *login,
          char why[REDIS_WHY])
{
	struct redis *r = calloc(1, sizeof(*r));

	snprintf(why, REDIS_WHY, "no memory");
	if (r != NULL)
		r->arena = arena_new(0);
	if (r == NULL || r->arena == NULL)
		goto bad;
	r->greeting = SPAN("");
	if (!take_login(r, login, why))
		goto bad;
	r->peer = peer_new(where, why);
	if (r->peer != NULL)
		return r;
bad:
	redis_close(r);
	return NULL;
}

struct redis *
redis_open(const char *where, const struct redis_login *login,
           char why[REDIS_WHY])
{
	struct redis *r = redis_new(where, login, why);

	if (r == NULL || is_there(r, why))
		return r;
	redis_close(r);
	return NULL;
}

void
redis_close(struct redis *r)
{
	if (r == NULL)
		return;
	peer_free(r->peer);
	arena_free(r->arena);
	free(r);
}
