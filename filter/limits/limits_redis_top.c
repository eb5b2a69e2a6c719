/*
 * limits_redis_top.c - the most used keys of a limit on a server: its keys are
 * gone through, some hundred at a time, and looked at by a script.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "limits_redis.h"

#define LOOKED_AT 100000 /* keys at most */

/* KEYS; time, most. Gives for each: used, ms until less than most is. */
static const char top_script[] = LIMITS_REDIS_WINDOW
"local most = tonumber(ARGV[2])\n"
"local out = {}\n"
"for i, key in ipairs(KEYS) do\n"
"  local used, parts, free = 0, {}, 0\n"
"  local all = redis.call('HGETALL', key)\n"
"  for j = 1, #all, 2 do\n"
"    if counts(tonumber(all[j])) then\n"
"      used = used + all[j + 1]\n"
"      parts[#parts + 1] = {tonumber(all[j]), tonumber(all[j + 1])}\n"
"    end\n"
"  end\n"
"  table.sort(parts, function(a, b) return a[1] < b[1] end)\n"
"  local left = used\n"
"  for _, p in ipairs(parts) do\n"
"    if left >= most then free = p[1] + width + time - now end\n"
"    left = left - p[2]\n"
"  end\n"
"  out[2 * i - 1], out[2 * i] = used, free\n"
"end\n"
"return out\n";

/* As a pattern of SCAN that means these bytes. */
static struct span
as_pattern(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, 2 * s.n + 2);
	size_t i, n = 0;

	if (p == NULL)
		return (struct span){NULL, 0};
	for (i = 0; i < s.n; i++) {
		if (strchr("*?[]\\^-", s.p[i]) != NULL)
			p[n++] = '\\';
		p[n++] = s.p[i];
	}
	p[n++] = '*';
	return (struct span){p, n};
}

struct look {
	struct redis *redis;
	const struct limit *limit;
	struct span front;    /* of the keys */
	struct limits_row *rows;
	size_t n, room;
};

static bool
add_row(struct look *look, struct span key, int64_t used, int64_t free_ms)
{
	struct limits_row *more;
	char *copy;

	if (look->n == look->room) {
		more = realloc(look->rows, 2 * look->room * sizeof(*more));
		if (more == NULL)
			return false;
		look->rows = more;
		look->room *= 2;
	}
	copy = malloc(key.n + 1);
	if (copy == NULL)
		return false;
	memcpy(copy, key.p, key.n);
	copy[key.n] = '\0';
	look->rows[look->n++] = (struct limits_row){
		.key = copy, .n = key.n, .used = (uint64_t)used,
		.free_in = (free_ms + 999) / 1000,
	};
	return true;
}

/* How much is used of each of the keys that a SCAN found. */
static bool
look_at(struct look *look, struct arena *a, const struct redis_reply *keys,
        struct span *why)
{
	struct span *words = arena_alloc(a, (keys->n + 5) * sizeof(*words));
	struct redis_reply reply;
	size_t i;

	if (keys->n == 0)
		return true;
	if (words == NULL)
		return false;
	words[0] = SPAN("EVAL");
	words[1] = span_of(top_script);
	words[2] = limits_redis_number(a, (double)keys->n);
	for (i = 0; i < keys->n; i++)
		words[3 + i] = keys->items[i].text;
	words[3 + i] = limits_redis_number(a, look->limit->seconds * 1000);
	words[4 + i] = limits_redis_number(a, look->limit->most);
	if (!limits_redis_say(look->redis, a, words, keys->n + 5, &reply, why))
		return false;
	*why = SPAN("an answer to something else");
	if (reply.kind != REDIS_LIST || reply.n != 2 * keys->n)
		return false;
	for (i = 0; i < keys->n; i++) {
		struct span key = keys->items[i].text;

		if (key.n < look->front.n || reply.items[2 * i].number <= 0)
			continue;
		key.p += look->front.n;
		key.n -= look->front.n;
		*why = SPAN("no memory");
		if (!add_row(look, key, reply.items[2 * i].number,
		             reply.items[2 * i + 1].number))
			return false;
	}
	return true;
}

static bool
scan(struct look *look, struct arena *a, struct span *why)
{
	struct span pattern = as_pattern(a, look->front), cursor = SPAN("0");
	struct redis_reply reply;

	do {
		const struct span words[] = {
			SPAN("SCAN"), cursor, SPAN("MATCH"), pattern,
			SPAN("COUNT"), SPAN("500"),
		};

		if (!limits_redis_say(look->redis, a, words, 6, &reply, why))
			return false;
		*why = SPAN("an answer to something else");
		if (reply.kind != REDIS_LIST || reply.n != 2 ||
		    reply.items[0].kind != REDIS_TEXT ||
		    reply.items[1].kind != REDIS_LIST ||
		    !look_at(look, a, &reply.items[1], why))
			return false;
		cursor = reply.items[0].text;
	} while (!span_is(cursor, SPAN("0")) && look->n < LOOKED_AT);
	return true;
}

/* SCAN may give a key twice. */
static void
drop_twins(struct look *look)
{
	size_t i, kept = 0;

	for (i = 0; i < look->n; i++) {
		if (kept > 0 && look->rows[i].n == look->rows[kept - 1].n &&
		    strcmp(look->rows[i].key, look->rows[kept - 1].key) == 0)
			free(look->rows[i].key);
		else
			look->rows[kept++] = look->rows[i];
	}
	look->n = kept;
}

struct limits_row *
limits_redis_top(struct redis *r, const struct limit *l, struct span front,
                 size_t most, size_t *n, size_t *all, char why[LIMITS_WHY])
{
	struct arena *a = arena_new(0);
	struct span what = SPAN("no memory");
	struct look look = {r, l, front, calloc(1, sizeof(*look.rows)), 0, 1};

	if (a == NULL || look.rows == NULL || !scan(&look, a, &what)) {
		snprintf(why, LIMITS_WHY, "redis: %.*s",
		         (int)(what.n < 200 ? what.n : 200), what.p);
		limits_rows_free(look.rows, look.n);
		arena_free(a);
		return NULL;
	}
	arena_free(a);
	limits_rows_sort(look.rows, look.n);
	drop_twins(&look);
	*all = look.n;
	for (*n = look.n; *n > most; --*n)
		free(look.rows[*n - 1].key);
	return look.rows;
}
