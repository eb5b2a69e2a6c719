/* limits_redis.h - between limits_redis.c and those who look at its keys. */
#ifndef LIMITS_REDIS_H
#define LIMITS_REDIS_H

#include "arena.h"
#include "limits_store.h"
#include "redis.h"

/*
 * How the scripts begin. ARGV[1] is the limit's time in ms. The server's clock
 * may have been set back: what is of a time far ahead is past, too.
 */
#define LIMITS_REDIS_WINDOW \
"local t = redis.call('TIME')\n" \
"local now = t[1] * 1000 + math.floor(t[2] / 1000)\n" \
"local time = tonumber(ARGV[1])\n" \
"local width = math.ceil(time / 15)\n" \
"local function counts(part)\n" \
"  return math.abs(now - part - width / 2) < time + width / 2\n" \
"end\n"

/* A number as a word of a command. */
struct span limits_redis_number(struct arena *a, double d);

/* false, with *why: the server could not be had, or says that it can't. */
bool limits_redis_say(struct redis *r, struct arena *a,
                      const struct span *words, size_t n,
                      struct redis_reply *reply, struct span *why);

/*
 * limits_top, of the keys that begin so. The hash of each is as limits_redis.c
 * has it.
 */
struct limits_row *limits_redis_top(struct redis *r, const struct limit *l,
                                    struct span front, size_t most, size_t *n,
                                    size_t *all, char why[LIMITS_WHY]);

#endif
