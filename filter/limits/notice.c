#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>

#include "caps.h"
#include "log.h"
#include "notice.h"
#include "peer.h"

#define SECOND 1000000000LL
#define SEND_TIME (60 * SECOND) /* postscreen and others make us wait */
#define AGAIN (60 * SECOND)     /* after one that could not be sent */

/* A rule, an address and a login: when the next notice may be. */
struct turn {
	char *key;
	size_t n;
	int64_t next;
	unsigned held;   /* since the last */
};

struct waiting {
	struct notice_mail mail;
	char *key;       /* of its turn */
	size_t n_key;
	struct waiting *next;
};

struct notifier {
	struct sink *log;
	pthread_t thread;
	bool started;
	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	struct turn turns[CAPS_NOTICE_TURNS];
	size_t n_turns;
	struct waiting *first, **last;
	const struct waiting *at_work;
	size_t n_waiting;     /* the one at work is among them */
	int64_t told_full;    /* a lack of room is told of once a minute */
	bool ending;
	/* the connection at work, as the MTA sees its client */
	struct ip own;
	unsigned own_port;    /* 0: none */
	/* of the thread */
	struct peer *peer;
	char *peer_where;
};

/* ---- turns ---- */

/* rule NUL address NUL login; malloced. */
static char *
make_key(const struct notice *notice, size_t *n)
{
	const struct span parts[] = {
		notice->rule, notice->address, notice->login,
	};
	char *key, *to;
	size_t i;

	*n = notice->rule.n + notice->address.n + notice->login.n + 2;
	key = to = malloc(*n + 1);
	if (key == NULL)
		return NULL;
	for (i = 0; i < 3; i++) {
		if (parts[i].n > 0)
			memcpy(to, parts[i].p, parts[i].n);
		to += parts[i].n;
		*to++ = '\0';
	}
	return key;
}

static struct turn *
find_turn(struct notifier *n, const char *key, size_t size)
{
	size_t i;

	for (i = 0; i < n->n_turns; i++)
		if (n->turns[i].n == size &&
		    memcmp(n->turns[i].key, key, size) == 0)
			return &n->turns[i];
	return NULL;
}

/* Those that are over make room. */
static void
forget_turns(struct notifier *n, int64_t now)
{
	size_t i, kept = 0;

	for (i = 0; i < n->n_turns; i++) {
		if (n->turns[i].next > now)
			n->turns[kept++] = n->turns[i];
		else
			free(n->turns[i].key);
	}
	n->n_turns = kept;
}

/* A new one, with a copy of the key; NULL: there are too many. */
static struct turn *
add_turn(struct notifier *n, const char *key, size_t size, int64_t now)
{
	struct turn *t;

	if (n->n_turns == CAPS_NOTICE_TURNS)
		forget_turns(n, now);
	if (n->n_turns == CAPS_NOTICE_TURNS)
		return NULL;
	t = &n->turns[n->n_turns];
	*t = (struct turn){.key = malloc(size), .n = size};
	if (t->key == NULL)
		return NULL;
	memcpy(t->key, key, size);
	n->n_turns++;
	return t;
}

/* ---- the queue ---- */

static void
free_waiting(struct waiting *w)
{
	if (w == NULL)
		return;
	free(w->mail.server);
	free(w->mail.rule);
	free(w->mail.address);
	free(w->mail.facts);
	free(w->key);
	free(w);
}

/* NULL: no memory. */
static struct waiting *
make_waiting(const struct notice *notice)
{
	struct waiting *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->key = make_key(notice, &w->n_key);
	w->mail = (struct notice_mail){
		.server = span_copy(notice->server),
		.rule = span_copy(notice->rule),
		.address = span_copy(notice->address),
		.facts = span_copy(notice->facts),
		.once = notice->once,
	};
	if (w->key != NULL && w->mail.server != NULL &&
	    w->mail.rule != NULL && w->mail.address != NULL &&
	    w->mail.facts != NULL)
		return w;
	free_waiting(w);
	return NULL;
}

static void
tell(struct notifier *n, const char *rule, const char *address,
     const char *why)
{
	sink_printf(n->log, LOG_WARNING, "notify: rule=%s: the notice to <%s> "
	            "is not sent: %s", rule, address, why);
}

/* Under the lock: is this message our own notice? */
static bool
is_own(const struct notifier *n, const struct notice *notice)
{
	return n->own_port != 0 && n->own_port == notice->port &&
	       memcmp(&n->own, &notice->client, sizeof(n->own)) == 0;
}

static const char *
no_room(struct notifier *n, int64_t now, const char *why)
{
	if (n->told_full != 0 && now < n->told_full + AGAIN)
		return "";
	n->told_full = now;
	return why;
}

/* Under the lock. NULL, or why it can't wait here; "": nobody need know. */
static const char *
append(struct notifier *n, const struct notice *notice, struct waiting *w)
{
	int64_t now = peer_deadline(0);
	struct turn *t = find_turn(n, w->key, w->n_key);

	if (n->ending || is_own(n, notice))
		return "";
	if (t != NULL && now < t->next) {
		t->held++;
		return "";
	}
	if (n->n_waiting >= CAPS_NOTICES)
		return no_room(n, now, "too many wait already");
	if (t == NULL)
		t = add_turn(n, w->key, w->n_key, now);
	if (t == NULL)
		return no_room(n, now, "too many are remembered");
	w->mail.held = t->held;
	t->held = 0;
	t->next = now + w->mail.once * SECOND;
	*n->last = w;
	n->last = &w->next;
	n->n_waiting++;
	pthread_cond_broadcast(&n->changed);
	return NULL;
}

bool
notifier_add(struct notifier *n, const struct notice *notice)
{
	struct waiting *w = make_waiting(notice);
	const char *why;

	if (w == NULL) {
		sink_printf(n->log, LOG_WARNING, "no memory for a notice");
		return false;
	}
	pthread_mutex_lock(&n->lock);
	why = append(n, notice, w);
	pthread_mutex_unlock(&n->lock);
	if (why == NULL)
		return true;
	if (*why != '\0')
		tell(n, w->mail.rule, w->mail.address, why);
	free_waiting(w);
	return false;
}

/* ---- sending ---- */

/* The socket's own end is what the MTA will call its client. */
static void
connected(void *of, int fd)
{
	struct notifier *n = of;
	struct sockaddr_storage a = {0};
	socklen_t size = sizeof(a);
	struct sockaddr_in *in = (void *)&a;
	struct sockaddr_in6 *in6 = (void *)&a;
	struct ip ip = {.byte = {[10] = 0xff, [11] = 0xff}};
	unsigned port = 0;

	if (getsockname(fd, (struct sockaddr *)&a, &size) == 0 &&
	    a.ss_family == AF_INET) {
		memcpy(ip.byte + 12, &in->sin_addr, 4);
		port = ntohs(in->sin_port);
	} else if (a.ss_family == AF_INET6) {
		memcpy(ip.byte, &in6->sin6_addr, 16);
		port = ntohs(in6->sin6_port);
	}
	pthread_mutex_lock(&n->lock);
	n->own = ip;
	n->own_port = port;
	pthread_mutex_unlock(&n->lock);
}

/* The server of the policy in force; back-off is kept while it is the same. */
static bool
turn_to(struct notifier *n, const char *where, char why[PEER_WHY])
{
	if (n->peer != NULL && strcmp(n->peer_where, where) == 0)
		return true;
	peer_free(n->peer);
	free(n->peer_where);
	n->peer_where = strdup(where);
	n->peer = n->peer_where == NULL ? NULL : peer_new(where, why);
	return n->peer != NULL;
}

static bool
send_one(struct notifier *n, const struct notice_mail *mail)
{
	struct notice_session s = {
		.mail = mail, .connected = connected, .of = n,
	};
	const struct peer_question q = {notice_talk, &s, false};
	char why[PEER_WHY] = "no memory";
	bool sent = false;

	if (turn_to(n, mail->server, why)) {
		if (peer_ask(n->peer, &q, peer_deadline(SEND_TIME)))
			sent = s.why[0] == '\0';
		else
			snprintf(why, sizeof(why), "%s: %s", mail->server,
			         peer_error(errno));
	}
	if (!sent)
		tell(n, mail->rule, mail->address,
		     s.why[0] != '\0' ? s.why : why);
	return sent;
}

/* Under the lock: w is done. One that was not sent may be sent soon. */
static void
done(struct notifier *n, const struct waiting *w, bool sent)
{
	struct turn *t = find_turn(n, w->key, w->n_key);

	n->at_work = NULL;
	n->own_port = 0;
	n->n_waiting--;
	if (!sent && t != NULL) {
		t->held += w->mail.held + 1;
		if (t->next > peer_deadline(AGAIN))
			t->next = peer_deadline(AGAIN);
	}
	pthread_cond_broadcast(&n->changed);
}

static struct waiting *
take(struct notifier *n)
{
	struct waiting *w;

	while (n->first == NULL && !n->ending)
		pthread_cond_wait(&n->changed, &n->lock);
	w = n->ending ? NULL : n->first;
	if (w == NULL)
		return NULL;
	n->first = w->next;
	if (n->first == NULL)
		n->last = &n->first;
	n->at_work = w;
	return w;
}

static void *
work(void *of)
{
	struct notifier *n = of;
	struct waiting *w;
	bool sent;

	pthread_mutex_lock(&n->lock);
	while ((w = take(n)) != NULL) {
		pthread_mutex_unlock(&n->lock);
		sent = send_one(n, &w->mail);
		pthread_mutex_lock(&n->lock);
		done(n, w, sent);
		free_waiting(w);
	}
	pthread_mutex_unlock(&n->lock);
	return NULL;
}

/* ---- its life ---- */

struct notifier *
notifier_new(struct sink *log)
{
	struct notifier *n = calloc(1, sizeof(*n));
	pthread_condattr_t clock;

	if (n == NULL)
		return NULL;
	n->log = log;
	n->last = &n->first;
	pthread_mutex_init(&n->lock, NULL);
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&n->changed, &clock);
	pthread_condattr_destroy(&clock);
	return n;
}

bool
notifier_start(struct notifier *n)
{
	n->started = pthread_create(&n->thread, NULL, work, n) == 0;
	return n->started;
}

void
notifier_drain(struct notifier *n, unsigned milliseconds)
{
	int64_t until = peer_deadline((int64_t)milliseconds * 1000000);
	const struct timespec time = {
		.tv_sec = (time_t)(until / SECOND),
		.tv_nsec = (long)(until % SECOND),
	};
	const struct waiting *w;
	bool idle;

	pthread_mutex_lock(&n->lock);
	while (n->n_waiting > 0 && pthread_cond_timedwait(&n->changed,
	       &n->lock, &time) != ETIMEDOUT)
		;
	n->ending = true;
	if ((w = n->at_work) != NULL)
		tell(n, w->mail.rule, w->mail.address, "vaglio ends");
	for (w = n->first; w != NULL; w = w->next)
		tell(n, w->mail.rule, w->mail.address, "vaglio ends");
	idle = n->at_work == NULL;
	pthread_cond_broadcast(&n->changed);
	pthread_mutex_unlock(&n->lock);
	/* A thread that is at work may wait for a server for long. */
	if (n->started && idle) {
		pthread_join(n->thread, NULL);
		n->started = false;
	}
}

void
notifier_free(struct notifier *n)
{
	struct waiting *w;
	size_t i;

	if (n == NULL)
		return;
	pthread_mutex_lock(&n->lock);
	n->ending = true;
	pthread_cond_broadcast(&n->changed);
	pthread_mutex_unlock(&n->lock);
	if (n->started)
		pthread_join(n->thread, NULL);
	while ((w = n->first) != NULL) {
		n->first = w->next;
		free_waiting(w);
	}
	for (i = 0; i < n->n_turns; i++)
		free(n->turns[i].key);
	peer_free(n->peer);
	free(n->peer_where);
	pthread_cond_destroy(&n->changed);
	pthread_mutex_destroy(&n->lock);
	free(n);
}
