/*
 * backend_redis.c - redis "unix:path" or "host:port": keys of a Redis or
 * Valkey server.
 *
 * A key may hold a string, which is split into values as the text of a file
 * is; a set, whose members are the values; or a hash, the values of whose
 * fields are. What it holds the server says only by refusing the wrong
 * command, so the commands are tried, strings first.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "redis.h"

#define KEY_MAX 4096 /* bytes without the prefix; an address has 1024 */

struct keys {
	struct redis *redis;
	const char *prefix;
};

/* ---- what is answered ---- */

static bool
is_other_kind(const struct redis_reply *r)
{
	return r->kind == REDIS_ERROR && r->text.n >= 9 &&
	       memcmp(r->text.p, "WRONGTYPE", 9) == 0;
}

/* Sets and hashes; none is empty. */
static enum table_result
take_list(const struct redis_reply *r, struct arena *a,
          struct backend_reply *reply)
{
	struct span *values = arena_alloc(a, r->n * sizeof(*values));
	size_t i;

	reply->why = SPAN("no memory");
	if (values == NULL)
		return TABLE_FAILED;
	for (i = 0; i < r->n; i++)
		if (r->items[i].kind == REDIS_TEXT)
			values[reply->n++] = r->items[i].text;
	reply->values = values;
	return r->n > 0 ? TABLE_YES : TABLE_NO;
}

static enum table_result
take(const struct redis_reply *r, struct arena *a,
     struct backend_reply *reply)
{
	switch (r->kind) {
	case REDIS_NOTHING:
		return TABLE_NO;
	case REDIS_TEXT:
		reply->text = r->text;
		return TABLE_YES;
	case REDIS_LIST:
		return take_list(r, a, reply);
	case REDIS_ERROR:
		reply->why = is_other_kind(r) ?
			SPAN("redis: the key holds no string, set or hash") :
			arena_printf(a, "redis says: %.*s", SPAN_ARG(r->text));
		break;
	case REDIS_NUMBER:
		reply->why = SPAN("redis: an answer to something else");
		break;
	}
	return TABLE_FAILED;
}

/* ---- a question ---- */

static enum table_result
find_redis(void *of, struct span key, int64_t deadline, struct arena *a,
           struct backend_reply *reply)
{
	static const struct span commands[] = {
		{"GET", 3}, {"SMEMBERS", 8}, {"HVALS", 5},
	};
	const struct keys *k = of;
	struct redis_reply r = {.kind = REDIS_NOTHING};
	struct span words[2], why;
	const struct redis_command command = {words, 2, true};
	size_t i;

	if (key.n > KEY_MAX || memchr(key.p, '\0', key.n) != NULL)
		return TABLE_NO;
	words[1] = arena_printf(a, "%s%.*s", k->prefix, SPAN_ARG(key));
	reply->why = SPAN("no memory");
	if (words[1].p == NULL)
		return TABLE_FAILED;
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		words[0] = commands[i];
		if (!redis_ask(k->redis, &command, deadline, a, &r, &why)) {
			reply->why = arena_printf(a, "redis: %.*s",
			                          SPAN_ARG(why));
			return TABLE_FAILED;
		}
		if (!is_other_kind(&r))
			break;
	}
	return take(&r, a, reply);
}

/* ---- opening ---- */

static void
close_redis(void *of)
{
	struct keys *k = of;

	redis_close(k->redis);
	free(k);
}

static void *
open_redis(const char *argument, const struct backend_options *o,
           char why[BACKEND_WHY])
{
	const struct redis_login login = {
		.user = o->user, .password_file = o->password_file,
		.database = o->database,
	};
	struct keys *k = calloc(1, sizeof(*k));

	snprintf(why, BACKEND_WHY, "no memory");
	if (k == NULL)
		return NULL;
	k->prefix = o->prefix == NULL ? "" : o->prefix;
	k->redis = redis_open(argument, &login, why);
	if (k->redis != NULL)
		return k;
	free(k);
	return NULL;
}

const struct backend backend_redis = {
	.name = "redis", .argument = "HOST:PORT", .takes_options = true,
	.cost = COST_NET, .open = open_redis, .close = close_redis,
	.find = find_redis,
};
