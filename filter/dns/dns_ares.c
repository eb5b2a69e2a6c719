/*
 * dns_ares.c - asking name servers, by c-ares (only here).
 *
 * A channel belongs to one check and is polled in its thread, so that a
 * deadline is kept to the poll's precision whatever the servers do. Messages
 * are written and read by dns_wire.c: c-ares tells no TTL of a TXT record,
 * and takes a name as text with escapes.
 */
#include <ares.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/time.h>

#include "dns_answer.h"

#define TRY_MS 2000 /* the first wait for a server; c-ares doubles it */
#define TRIES 3
#define LAST_FOR 60000000000 /* ns: how long a silent server is asked last */
#define SERVERS 7   /* two sockets a server, and ares_getsock tells of 16;
                       of the last it can't without shifting into a sign */
#define SOCKETS (2 * SERVERS + 1)

struct ares_resolver {
	struct resolver base;
	ares_channel model;      /* what each channel is a copy of */
	struct dns_cache *cache;
	/* Of the list of servers, which is asked first, and until when. */
	atomic_uint first;
	_Atomic int64_t first_until;
};

struct channel {
	ares_channel ares;
	unsigned first;          /* of the list, the server it asks first */
};

/* One question under way. */
struct query {
	struct span name;
	enum dns_type type;
	struct dns_answer *answer; /* NULL: not yet */
	bool misunderstood; /* by a server that knows no EDNS */
	unsigned silences;  /* of servers before the one that answered */
};

static void
answered(void *arg, int status, int timeouts, unsigned char *message, int n)
{
	struct query *q = arg;

	if (status == ARES_SUCCESS && message != NULL && n >= 12) {
		q->answer = dns_wire_answer(message, (size_t)n, q->name,
		                            q->type);
		q->misunderstood = (message[3] & 15) == 1; /* FORMERR */
		q->silences = (unsigned)timeouts;
	} else if (status == ARES_ETIMEOUT ||
	           status == ARES_ECANCELLED) {
		q->answer = dns_answer_none(DNS_TIMEOUT, 0);
	} else if (status == ARES_ENOMEM) {
		q->answer = dns_answer_no_memory();
	} else {
		q->answer = dns_answer_none(DNS_SERVFAIL, 0);
	}
}

/* Milliseconds until deadline or c-ares' next time-out, rounded up. */
static int
wait_ms(ares_channel channel, int64_t deadline)
{
	int64_t left = (deadline - dns_now() + 999999) / 1000000;
	struct timeval buffer, *next;
	int64_t ms;

	if (left <= 0)
		return 0;
	next = ares_timeout(channel, NULL, &buffer);
	if (next != NULL) {
		ms = (int64_t)next->tv_sec * 1000 + next->tv_usec / 1000 + 1;
		if (ms < left)
			left = ms;
	}
	return left > 60000 ? 60000 : (int)left;
}

static void
step(ares_channel channel, int64_t deadline)
{
	ares_socket_t socket[SOCKETS];
	struct pollfd fd[SOCKETS];
	int bits, i;
	nfds_t n = 0;

	bits = ares_getsock(channel, socket, SOCKETS);
	for (i = 0; i < SOCKETS; i++) {
		if (!ARES_GETSOCK_READABLE((unsigned)bits, i) &&
		    !ARES_GETSOCK_WRITABLE((unsigned)bits, i))
			continue;
		fd[n] = (struct pollfd){.fd = socket[i]};
		if (ARES_GETSOCK_READABLE((unsigned)bits, i))
			fd[n].events |= POLLIN;
		if (ARES_GETSOCK_WRITABLE((unsigned)bits, i))
			fd[n].events |= POLLOUT;
		n++;
	}
	if (poll(fd, n, wait_ms(channel, deadline)) < 0)
		n = 0;
	for (i = 0; i < (int)n; i++)
		if (fd[i].revents != 0)
			ares_process_fd(channel,
			                (fd[i].revents & ~POLLOUT) != 0
			                        ? fd[i].fd
			                        : ARES_SOCKET_BAD,
			                (fd[i].revents & POLLOUT) != 0
			                        ? fd[i].fd
			                        : ARES_SOCKET_BAD);
	/* and its own time-outs */
	ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void
ask_once(ares_channel channel, struct query *q, bool edns, int64_t deadline)
{
	unsigned char message[DNS_QUESTION];
	uint16_t id;
	size_t n;

	q->answer = NULL;
	q->misunderstood = false;
	q->silences = 0;
	if (getrandom(&id, sizeof(id), 0) != sizeof(id)) {
		q->answer = dns_answer_none(DNS_SERVFAIL, 0);
		return;
	}
	n = dns_wire_question(message, id, q->name, q->type, edns);
	if (n == 0) { /* no such name can be */
		q->answer = dns_answer_none(DNS_NXDOMAIN, 0);
		return;
	}
	ares_send(channel, message, (int)n, answered, q);
	while (q->answer == NULL) {
		if (dns_now() >= deadline)
			ares_cancel(channel);
		else
			step(channel, deadline);
	}
}

/* ---- which server is asked first ---- */

static unsigned
first_server(struct ares_resolver *r)
{
	return dns_now() < atomic_load(&r->first_until)
		? atomic_load(&r->first) : 0;
}

/*
 * n servers from that one on did not answer, the next one did. Whoever asked
 * them at the same time says the same.
 */
static void
pass_over(struct ares_resolver *r, unsigned from, unsigned n)
{
	atomic_store(&r->first, from + n);
	atomic_store(&r->first_until, dns_now() + LAST_FOR);
}

/* The n'th of the servers comes first, and those before it last. */
static int
rotate(ares_channel channel, unsigned n)
{
	struct ares_addr_port_node *head, *last, *moved;
	int status = ares_get_servers_ports(channel, &head);
	unsigned count = 1;

	if (status != ARES_SUCCESS || head == NULL)
		return status;
	for (last = head; last->next != NULL; last = last->next)
		count++;
	for (n %= count; n > 0; n--) {
		moved = head;
		head = head->next;
		moved->next = NULL;
		last->next = moved;
		last = moved;
	}
	status = ares_set_servers_ports(channel, head);
	ares_free_data(head);
	return status;
}

static void
shut(void *of)
{
	struct channel *c = of;

	ares_destroy(c->ares);
	free(c);
}

static int
open_channel(struct ares_resolver *r, void **channel)
{
	struct channel *c = malloc(sizeof(*c));
	int status;

	if (c == NULL)
		return ARES_ENOMEM;
	status = ares_dup(&c->ares, r->model);
	if (status != ARES_SUCCESS) {
		free(c);
		return status;
	}
	c->first = first_server(r);
	if (c->first > 0)
		status = rotate(c->ares, c->first);
	if (status == ARES_SUCCESS)
		*channel = c;
	else
		shut(c);
	return status;
}

static struct dns_answer *
ask_servers(struct ares_resolver *r, void **channel, struct query *q,
            int64_t deadline)
{
	int status = *channel == NULL ? open_channel(r, channel)
	                              : ARES_SUCCESS;
	struct channel *c = *channel;

	if (status == ARES_ENOMEM)
		return dns_answer_no_memory();
	if (status != ARES_SUCCESS)
		return dns_answer_none(DNS_SERVFAIL, 0);
	ask_once(c->ares, q, true, deadline);
	if (q->misunderstood) {
		dns_answer_unref(q->answer);
		ask_once(c->ares, q, false, deadline);
	}
	if (q->silences > 0) { /* the next question goes to another first */
		pass_over(r, c->first, q->silences);
		shut(c);
		*channel = NULL;
	}
	return q->answer;
}

static struct dns_answer *
ask(struct resolver *base, void **channel, struct span name,
    enum dns_type type, int64_t deadline, bool *cached)
{
	struct ares_resolver *r = (struct ares_resolver *)base;
	struct query q = {.name = name, .type = type};
	struct dns_answer *a;

	if (name.n > DNS_NAME)
		return dns_answer_none(DNS_NXDOMAIN, 0);
	a = dns_cache_get(r->cache, name, type, dns_now());
	*cached = a != NULL;
	if (a != NULL)
		return a;
	if (dns_now() >= deadline)
		return dns_answer_none(DNS_TIMEOUT, 0);
	a = ask_servers(r, channel, &q, deadline);
	dns_cache_put(r->cache, name, type, a, dns_now());
	return a;
}

static void
stats(struct resolver *r, struct dns_stats *s)
{
	dns_cache_stats(((struct ares_resolver *)r)->cache, s);
}

static void
free_resolver(struct resolver *base)
{
	struct ares_resolver *r = (struct ares_resolver *)base;

	if (r->model != NULL)
		ares_destroy(r->model);
	dns_cache_free(r->cache);
	free(r);
}

static void
start_library(void)
{
	ares_library_init(ARES_LIB_INIT_ALL);
}

/* Blanks become commas, as c-ares has it. */
static bool
set_servers(ares_channel channel, struct span servers)
{
	char list[512];
	size_t i, n = 0, count = 1;

	if (servers.n >= sizeof(list))
		return false;
	for (i = 0; i < servers.n; i++) {
		char c = servers.p[i];

		if (c == '\0')
			return false;
		if (c != ' ' && c != '\t' && c != ',')
			list[n++] = c;
		else if (n > 0 && list[n - 1] != ',')
			list[n++] = ',', count++;
	}
	while (n > 0 && list[n - 1] == ',')
		n--;
	list[n] = '\0';
	return count <= SERVERS &&
	       ares_set_servers_ports_csv(channel, list) == ARES_SUCCESS;
}

static bool
make_model(struct ares_resolver *r, struct span servers, const char **why)
{
	struct ares_options o = {
		.flags = ARES_FLAG_EDNS | ARES_FLAG_STAYOPEN,
		.timeout = TRY_MS,
		.tries = TRIES,
		.ednspsz = 1232,
		.lookups = (char[]){"b"},
	};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
	           ARES_OPT_EDNSPSZ | ARES_OPT_LOOKUPS | ARES_OPT_NOROTATE;

	if (ares_init_options(&r->model, &o, mask) != ARES_SUCCESS) {
		r->model = NULL;
		*why = "the system's name servers can't be read";
		return false;
	}
	if (servers.n > 0 && !set_servers(r->model, servers)) {
		*why = "not a list of at most seven name servers such as "
		       "\"127.0.0.1:5353 [2001:db8::1]:53\"";
		return false;
	}
	return true;
}

struct resolver *
resolver_new(struct span servers, size_t cache, const char **why)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	static const struct resolver_class class = {
		.ask = ask,
		.shut = shut,
		.stats = stats,
		.free = free_resolver,
	};
	struct ares_resolver *r = calloc(1, sizeof(*r));

	pthread_once(&once, start_library);
	if (r == NULL) {
		*why = "out of memory";
		return NULL;
	}
	resolver_init(&r->base, &class);
	atomic_init(&r->first, 0);
	atomic_init(&r->first_until, 0);
	r->cache = dns_cache_new(cache);
	if (r->cache == NULL)
		*why = "out of memory";
	else if (make_model(r, servers, why))
		return &r->base;
	free_resolver(&r->base);
	return NULL;
}
