/*
 * limits_redis.c - counts on a Redis or Valkey server, shared by all who ask
 * it.
 *
 * Each key of a limit is a hash there: the fields are the times at which the
 * parts of its window begin (window.h), the values what was counted in them.
 * A script, which the server runs as one step, forgets what is past, looks and
 * takes; times are the server's. The hash goes by itself when it is idle.
 *
 * Only a question is waited for. What is counted late, or given back, a thread
 * sends from a queue.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "limits_store.h"
#include "limits_redis.h"
#include "peer.h"
#include "window.h"

#define PREFIX "vaglio:limit:"
#define QUEUE 20000       /* counts that wait to be sent; some MB */
#define SAVE_SECONDS 3    /* that the end waits for the queue */

/*
 * KEYS[1]; time, n, most, what ("look", "take", "add"), when it was taken. n
 * of "add" may be less than 0. Gives: over, used before, the end of the part
 * in which n is counted now.
 */
static const char script[] = LIMITS_REDIS_WINDOW
"local n, most = tonumber(ARGV[2]), tonumber(ARGV[3])\n"
"local used, all = 0, redis.call('HGETALL', KEYS[1])\n"
"for i = 1, #all, 2 do\n"
"  if counts(tonumber(all[i])) then\n"
"    used = used + all[i + 1]\n"
"  elseif ARGV[4] ~= 'look' then\n"
"    redis.call('HDEL', KEYS[1], all[i])\n"
"  end\n"
"end\n"
"local over = used + n > most and 1 or 0\n"
"local at = n < 0 and tonumber(ARGV[5]) or now\n"
"at = at - at % width\n"
"if ARGV[4] == 'look' or (ARGV[4] == 'take' and over == 1) then\n"
"  return {over, used, now}\n"
"end\n"
"local part = string.format('%.0f', at)\n"
"if n < 0 then\n"
"  n = -math.min(-n, tonumber(redis.call('HGET', KEYS[1], part) or 0))\n"
"end\n"
"if n ~= 0 then\n"
"  redis.call('HINCRBY', KEYS[1], part, string.format('%.0f', n))\n"
"  redis.call('PEXPIRE', KEYS[1], time + 2 * width)\n"
"end\n"
"return {0, used, at + width - 1}\n";

/* What waits to be sent. */
struct job {
	struct job *next;
	double time, most;
	int64_t n, when;
	size_t key_n;
	char key[];           /* the whole, with the prefix */
};

struct shared {
	struct limits base;
	struct redis *redis;
	char *where, *prefix;
	struct limits_teller teller;
	pthread_mutex_t lock;
	pthread_cond_t more, done;
	struct job *first, **last;
	size_t jobs;          /* in the queue or being sent */
	unsigned long lost;   /* since the server could not be had */
	bool troubled;
	pthread_t sender;
	bool sends, ending;
};

/* ---- what is told ---- */

static void
tell_state(struct shared *s, bool good, struct span why, unsigned long lost)
{
	char text[1024];
	unsigned long all;
	bool news;

	pthread_mutex_lock(&s->lock);
	s->lost += lost;
	all = s->lost;
	news = s->troubled == good;
	s->troubled = !good;
	if (good)
		s->lost = 0;
	pthread_mutex_unlock(&s->lock);
	if (!news || s->teller.tell == NULL)
		return;
	if (!good)
		snprintf(text, sizeof(text), "limits: redis %.400s: %.*s",
		         s->where, (int)(why.n < 400 ? why.n : 400), why.p);
	else if (all > 0)
		snprintf(text, sizeof(text), "limits: redis %.400s is there "
		         "again; %lu counts were lost", s->where, all);
	else
		snprintf(text, sizeof(text), "limits: redis %.400s is there "
		         "again", s->where);
	s->teller.tell(s->teller.of, !good, text);
}

/* ---- commands ---- */

struct span
limits_redis_number(struct arena *a, double d)
{
	return arena_printf(a, "%.0f", d);
}

bool
limits_redis_say(struct redis *r, struct arena *a, const struct span *words,
                 size_t n, struct redis_reply *reply, struct span *why)
{
	/* A script that a lost connection makes run twice counts twice: it
	 * lets through less, not more. */
	const struct redis_command c = {words, n, true};
	size_t i;

	*why = SPAN("no memory");
	for (i = 0; i < n; i++)
		if (words[i].p == NULL)
			return false;
	if (!redis_ask(r, &c, peer_deadline(REDIS_TIME), a, reply, why))
		return false;
	if (reply->kind != REDIS_ERROR)
		return true;
	*why = reply->text;
	return false;
}

/* "vaglio:limit:outbound:recipients:auth:" in front of the keys. */
static struct span
front(const struct shared *s, struct arena *a, const struct limit *l)
{
	return arena_printf(a, "%s%.*s:%s:%.*s:", s->prefix,
	                    SPAN_ARG(l->name), limit_unit_name(l->unit),
	                    SPAN_ARG(l->by));
}

static bool
run_script(struct shared *s, struct arena *a, const struct job *j,
           const char *what, struct redis_reply *reply, struct span *why)
{
	const struct span words[] = {
		SPAN("EVAL"), span_of(script), SPAN("1"), {j->key, j->key_n},
		limits_redis_number(a, j->time),
		limits_redis_number(a, (double)j->n),
		limits_redis_number(a, j->most), span_of(what),
		limits_redis_number(a, (double)j->when),
	};

	if (!limits_redis_say(s->redis, a, words, 9, reply, why))
		return false;
	if (reply->kind == REDIS_LIST && reply->n == 3 &&
	    reply->items[0].kind == REDIS_NUMBER &&
	    reply->items[1].kind == REDIS_NUMBER &&
	    reply->items[2].kind == REDIS_NUMBER)
		return true;
	*why = SPAN("an answer to something else");
	return false;
}

static struct job *
make_job(const struct shared *s, const struct limit *l, struct span key,
         int64_t n, int64_t when)
{
	struct arena *a = arena_new(0);
	struct span begin = {NULL, 0};
	struct job *j = NULL;

	if (a != NULL)
		begin = front(s, a, l);
	if (begin.p != NULL)
		j = malloc(sizeof(*j) + begin.n + key.n);
	if (j != NULL) {
		*j = (struct job){.time = l->seconds * 1000, .most = l->most,
		                  .n = n, .when = when,
		                  .key_n = begin.n + key.n};
		memcpy(j->key, begin.p, begin.n);
		if (key.n > 0)
			memcpy(j->key + begin.n, key.p, key.n);
	}
	arena_free(a);
	return j;
}

/* ---- asking ---- */

static enum truth
ask(struct limits *l, const struct limit *limit, struct span key, uint64_t n,
    bool take, struct limits_found *found)
{
	struct shared *s = (struct shared *)l;
	struct job *j = make_job(s, limit, key, (int64_t)n, 0);
	struct arena *a = arena_new(0);
	struct redis_reply reply;
	struct span why = SPAN("no memory");
	enum truth t = TRUTH_FAILED;

	if (j != NULL && a != NULL &&
	    run_script(s, a, j, take ? "take" : "look", &reply, &why)) {
		found->used = (uint64_t)reply.items[1].number;
		found->when = reply.items[2].number;
		t = reply.items[0].number != 0 ? TRUTH_YES : TRUTH_NO;
		tell_state(s, true, SPAN(""), 0);
	} else {
		snprintf(found->why, LIMITS_WHY, "redis: %.*s",
		         (int)(why.n < 200 ? why.n : 200), why.p);
		tell_state(s, false, why, 0);
	}
	arena_free(a);
	free(j);
	return t;
}

/* ---- the queue ---- */

static void
add(struct limits *l, const struct limit *limit, struct span key, int64_t n,
    int64_t when)
{
	struct shared *s = (struct shared *)l;
	struct job *j = make_job(s, limit, key, n, when);
	bool queued;

	pthread_mutex_lock(&s->lock);
	queued = j != NULL && s->sends && s->jobs < QUEUE;
	if (queued) {
		*s->last = j;
		s->last = &j->next;
		s->jobs++;
		pthread_cond_signal(&s->more);
	} else {
		s->lost++;
	}
	pthread_mutex_unlock(&s->lock);
	if (!queued)
		free(j);
}

static void
send_job(struct shared *s, const struct job *j)
{
	struct arena *a = arena_new(0);
	struct redis_reply reply;
	struct span why = SPAN("no memory");
	bool good = a != NULL && run_script(s, a, j, "add", &reply, &why);

	tell_state(s, good, why, good ? 0 : 1);
	arena_free(a);
}

static void *
sender(void *of)
{
	struct shared *s = of;
	struct job *j;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		while (s->first == NULL && !s->ending)
			pthread_cond_wait(&s->more, &s->lock);
		j = s->first;
		if (j == NULL || s->ending)
			break;
		s->first = j->next;
		if (s->first == NULL)
			s->last = &s->first;
		pthread_mutex_unlock(&s->lock);
		send_job(s, j);
		free(j);
		pthread_mutex_lock(&s->lock);
		if (--s->jobs == 0)
			pthread_cond_broadcast(&s->done);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void
save(struct limits *l)
{
	struct shared *s = (struct shared *)l;
	struct timespec until;
	unsigned long lost;
	char text[600];

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += SAVE_SECONDS;
	pthread_mutex_lock(&s->lock);
	while (s->jobs > 0 &&
	       pthread_cond_timedwait(&s->done, &s->lock, &until) == 0)
		;
	lost = s->lost + s->jobs;
	pthread_mutex_unlock(&s->lock);
	if (lost == 0 || s->teller.tell == NULL)
		return;
	snprintf(text, sizeof(text), "limits: redis %.400s: %lu counts are "
	         "lost", s->where, lost);
	s->teller.tell(s->teller.of, true, text);
}

/* A policy without limits needs no thread. */
static void
prepare(struct limits *l, const struct policy *p)
{
	struct shared *s = (struct shared *)l;
	bool start, failed;
	size_t n;

	policy_limits(p, &n);
	pthread_mutex_lock(&s->lock);
	start = n > 0 && !s->sends;
	if (start)
		s->sends = pthread_create(&s->sender, NULL, sender, s) == 0;
	failed = start && !s->sends;
	pthread_mutex_unlock(&s->lock);
	if (failed && s->teller.tell != NULL)
		s->teller.tell(s->teller.of, true, "limits: no thread to send "
		               "counts: what is given back stays counted");
}

/* ---- who looks at them ---- */

static struct limits_row *
top(struct limits *l, const struct limit *limit, size_t most, size_t *n,
    size_t *all, char why[LIMITS_WHY])
{
	struct shared *s = (struct shared *)l;
	struct arena *a = arena_new(0);
	struct limits_row *rows = NULL;
	struct span begin = {NULL, 0};

	if (a != NULL)
		begin = front(s, a, limit);
	if (begin.p != NULL)
		rows = limits_redis_top(s->redis, limit, begin, most, n, all,
		                        why);
	else
		snprintf(why, LIMITS_WHY, "no memory");
	arena_free(a);
	return rows;
}

static int
clear(struct limits *l, const struct limit *limit, struct span key,
      char why[LIMITS_WHY])
{
	struct shared *s = (struct shared *)l;
	struct job *j = make_job(s, limit, key, 0, 0);
	struct arena *a = arena_new(0);
	struct span what = SPAN("no memory");
	struct redis_reply reply = {.kind = REDIS_NOTHING};
	int cleared = -1;

	if (j != NULL && a != NULL) {
		const struct span words[] = {SPAN("DEL"), {j->key, j->key_n}};

		if (limits_redis_say(s->redis, a, words, 2, &reply, &what))
			cleared = reply.number != 0;
	}
	if (cleared < 0)
		snprintf(why, LIMITS_WHY, "redis: %.*s",
		         (int)(what.n < 200 ? what.n : 200), what.p);
	arena_free(a);
	free(j);
	return cleared;
}

/* ---- begin and end ---- */

static void
shared_free(struct limits *l)
{
	struct shared *s = (struct shared *)l;
	struct job *j;

	if (s->sends) {
		save(l);
		pthread_mutex_lock(&s->lock);
		s->ending = true;
		pthread_cond_signal(&s->more);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->sender, NULL);
	}
	while ((j = s->first) != NULL) {
		s->first = j->next;
		free(j);
	}
	redis_close(s->redis);
	pthread_cond_destroy(&s->more);
	pthread_cond_destroy(&s->done);
	pthread_mutex_destroy(&s->lock);
	free(s->where);
	free(s->prefix);
	free(s);
}

static const struct limits_kind shared_kind = {
	.ask = ask, .add = add, .prepare = prepare, .top = top,
	.clear = clear, .save = save, .free = shared_free,
};

struct limits *
limits_redis(const struct limit_server *server,
             const struct limits_teller *teller, char why[LIMITS_WHY])
{
	const struct redis_login login = {
		.user = server->user, .password_file = server->password_file,
		.database = server->database,
	};
	struct shared *s = calloc(1, sizeof(*s));
	pthread_condattr_t monotonic;
	char what[REDIS_WHY] = "no memory";

	if (s == NULL) {
		snprintf(why, LIMITS_WHY, "no memory");
		return NULL;
	}
	s->base.kind = &shared_kind;
	s->last = &s->first;
	if (teller != NULL)
		s->teller = *teller;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->more, &monotonic);
	pthread_cond_init(&s->done, &monotonic);
	pthread_condattr_destroy(&monotonic);
	s->where = strdup(server->where);
	s->prefix = strdup(server->prefix != NULL ? server->prefix : PREFIX);
	if (s->where != NULL && s->prefix != NULL)
		s->redis = redis_new(server->where, &login, what);
	if (s->redis != NULL)
		return &s->base;
	snprintf(why, LIMITS_WHY, "redis %.100s: %.100s", server->where, what);
	shared_free(&s->base);
	return NULL;
}
