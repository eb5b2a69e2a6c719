#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "limits_show.h"
#include "log.h"
#include "utf8.h"

#define SHOWN 20

struct top {
	const struct limit *limit;
	struct limits_row *rows;
	size_t n, all;
};

/* ---- in words ---- */

/* As in the log; but nothing stands round it that <, > or " would end. */
static struct span
show_key(char *out, size_t size, struct span key)
{
	static const struct {
		const char *escaped;
		char c;
	} plain[] = {{"\\x3c", '<'}, {"\\x3e", '>'}, {"\\x22", '"'}};
	struct span s = log_escape(out, size, key);
	size_t i, j, n = 0;

	for (i = 0; i < s.n;) {
		size_t take = s.p[i] == '\\' ? 2 : 1; /* \\ stays */

		for (j = 0; j < 3; j++)
			if (s.n - i >= 4 &&
			    memcmp(s.p + i, plain[j].escaped, 4) == 0)
				break;
		if (j < 3) {
			out[n++] = plain[j].c;
			i += 4;
			continue;
		}
		memmove(out + n, s.p + i, take);
		n += take;
		i += take;
	}
	return (struct span){out, n};
}

/* 90 s, 12 m, 3 h: rounded up, two digits or so. */
static const char *
time_words(int64_t seconds, char out[32])
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	size_t i = 0;

	while (units[i].seconds > 1 && seconds < 2 * units[i].seconds &&
	       seconds != units[i].seconds)
		i++;
	snprintf(out, 32, "%lld%c", (long long)
	         ((seconds + units[i].seconds - 1) / units[i].seconds),
	         units[i].unit);
	return out;
}

static void
put_top(const struct top *t, FILE *out)
{
	const struct limit *l = t->limit;
	char key[4 * LIMITS_KEY + 8], time[32];
	struct span text;
	size_t i;

	fprintf(out, "%.*s: %.0f %s per %s by %.*s, %zu key%s\n",
	        SPAN_ARG(l->name), l->most, limit_unit_name(l->unit),
	        time_words((int64_t)l->seconds, time), SPAN_ARG(l->by), t->all,
	        t->all == 1 ? "" : "s");
	for (i = 0; i < t->n; i++) {
		text = show_key(key, sizeof(key), (struct span){
			t->rows[i].key, t->rows[i].n});
		fprintf(out, "  %12llu  %.*s",
		        (unsigned long long)t->rows[i].used, SPAN_ARG(text));
		if (t->rows[i].free_in > 0)
			fprintf(out, "  (full; again in %s)",
			        time_words(t->rows[i].free_in, time));
		fputc('\n', out);
	}
}

/* ---- as JSON ---- */

static json_t *
text_json(struct span s)
{
	struct arena *a = arena_new(0);
	json_t *j = NULL;

	if (a != NULL)
		s = utf8_make_valid(a, s);
	if (a != NULL && s.p != NULL)
		j = json_stringn(s.p, s.n);
	arena_free(a);
	return j;
}

static json_t *
rows_json(const struct top *t)
{
	json_t *rows = json_array();
	size_t i;

	for (i = 0; i < t->n; i++) {
		const struct limits_row *r = &t->rows[i];

		json_array_append_new(rows, json_pack("{s:o, s:I, s:I}",
			"key", text_json((struct span){r->key, r->n}),
			"used", (json_int_t)r->used,
			"again_in", (json_int_t)r->free_in));
	}
	return rows;
}

static json_t *
top_json(const struct top *t)
{
	const struct limit *l = t->limit;

	return json_pack("{s:o, s:s, s:I, s:I, s:o, s:I, s:o}",
		"name", text_json(l->name),
		"unit", limit_unit_name(l->unit),
		"most", (json_int_t)l->most,
		"seconds", (json_int_t)l->seconds,
		"by", text_json(l->by),
		"keys", (json_int_t)t->all,
		"top", rows_json(t));
}

static int
put_json(const struct top *tops, size_t n, FILE *out)
{
	json_t *all = json_array(), *j;
	size_t i;
	int bad = 0;

	for (i = 0; i < n; i++)
		bad |= json_array_append_new(all, top_json(&tops[i]));
	j = json_pack("{s:o}", "limits", all);
	bad |= json_dumpf(j, out, JSON_INDENT(2));
	json_decref(j);
	fputc('\n', out);
	return bad == 0 ? 0 : EX_OSERR;
}

/* ---- the whole ---- */

int
limits_show(struct limits *l, const struct policy *p, bool json, FILE *out)
{
	size_t i, n;
	const struct limit *limits = policy_limits(p, &n);
	struct top *tops = calloc(n + 1, sizeof(*tops));
	char why[LIMITS_WHY] = "no memory";
	int status = 0;

	for (i = 0; tops != NULL && i < n; i++) {
		tops[i].limit = &limits[i];
		tops[i].rows = limits_top(l, &limits[i], SHOWN, &tops[i].n,
		                          &tops[i].all, why);
		if (tops[i].rows == NULL)
			break;
	}
	if (tops == NULL || i < n) {
		fprintf(out, "vaglio: the limits can't be had: %s\n", why);
		status = EX_TEMPFAIL;
	} else if (json) {
		status = put_json(tops, n, out);
	} else {
		for (i = 0; i < n; i++)
			put_top(&tops[i], out);
		if (n == 0)
			fputs("the policy has no limits\n", out);
	}
	for (i = 0; tops != NULL && i < n; i++)
		limits_rows_free(tops[i].rows, tops[i].n);
	free(tops);
	return status;
}

/* The key as it is counted: an address may be any of its network. */
static struct span
spell(struct arena *a, const struct policy *p, const struct limit *l,
      struct span key)
{
	size_t n;
	const struct subject *s = policy_asks(p, &n)[l->ask].subject;
	struct value v = {.type = s->type, .text = key};
	struct net net;

	if (s->type == VALUE_NUMBER || span_is(key, SPAN("<>")))
		return key;
	if (s->type == VALUE_IP && net_parse(key, &net) != NET_BAD)
		v.ip = net.ip;
	else if (s->type == VALUE_IP)
		return key;
	return limits_key(a, l, &v);
}

/* What log_escape made of it, turned back. */
static struct span
unescape(struct arena *a, struct span key)
{
	static const char digits[] = "0123456789abcdef";
	char *p = arena_alloc(a, key.n + 1);
	const char *high, *low;
	size_t i, n = 0;

	if (p == NULL)
		return (struct span){NULL, 0};
	for (i = 0; i < key.n; i++) {
		const char *at = key.p + i;

		p[n] = *at;
		if (key.n - i >= 2 && at[0] == '\\' && at[1] == '\\') {
			i++;
		} else if (key.n - i >= 4 && at[0] == '\\' && at[1] == 'x' &&
		           (high = memchr(digits, at[2], 16)) != NULL &&
		           (low = memchr(digits, at[3], 16)) != NULL) {
			p[n] = (char)((high - digits) * 16 + (low - digits));
			i += 3;
		}
		n++;
	}
	return (struct span){p, n};
}

/* As limits_clear; *key is as it is or as it was shown, then as it counts. */
static int
forget(struct limits *l, const struct policy *p, const struct limit *limit,
       struct arena *a, struct span *key, char why[LIMITS_WHY])
{
	struct span given = *key;
	int cleared;

	*key = spell(a, p, limit, given);
	if (key->p == NULL)
		return -1;
	cleared = limits_clear(l, limit, *key, why);
	given = unescape(a, given);
	if (given.p != NULL)
		given = spell(a, p, limit, given);
	if (cleared != 0 || given.p == NULL)
		return cleared;
	return limits_clear(l, limit, given, why);
}

int
limits_forget(struct limits *l, const struct policy *p, struct span name,
              struct span key, FILE *out)
{
	size_t i, n;
	const struct limit *limits = policy_limits(p, &n);
	char why[LIMITS_WHY] = "no memory", safe[4 * LIMITS_KEY + 8];
	struct arena *a;
	int cleared = -1;

	for (i = 0; i < n && !span_is(limits[i].name, name); i++)
		;
	if (i == n) {
		fprintf(out, "vaglio: the policy in force has no limit "
		        "\"%.*s\"\n", SPAN_ARG(name));
		return EX_USAGE;
	}
	a = arena_new(0);
	if (a != NULL)
		cleared = forget(l, p, &limits[i], a, &key, why);
	key = show_key(safe, sizeof(safe), key);
	if (cleared < 0)
		fprintf(out, "vaglio: %s\n", why);
	else
		fprintf(out, cleared ? "%.*s: %.*s is free again\n" :
		        "vaglio: %.*s: nothing is counted for \"%.*s\"\n",
		        SPAN_ARG(name), SPAN_ARG(key));
	arena_free(a);
	return cleared < 0 ? EX_TEMPFAIL : cleared ? 0 : 1;
}
