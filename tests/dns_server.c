#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dns.h"
#include "dns_server.h"

struct dns_server {
	pthread_t thread;
	int udp, tcp, stop[2];
	char address[32];
	dns_handler *handler;
	void *of;
	atomic_uint questions;
};

static size_t
put_name(unsigned char *out, const char *name)
{
	size_t n = 0, label;

	while (*name != '\0') {
		label = strcspn(name, ".");
		out[n++] = (unsigned char)label;
		memcpy(out + n, name, label);
		n += label;
		name += label + (name[label] == '.');
	}
	out[n++] = 0;
	return n;
}

static void
put16(unsigned char *p, size_t v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

static void
count(struct dns_reply *r, size_t at)
{
	put16(r->message + at,
	      (size_t)(r->message[at] << 8 | r->message[at + 1]) + 1);
}

static void
put_record(struct dns_reply *r, const char *owner, unsigned type, unsigned ttl,
           const void *data, size_t n)
{
	unsigned char *p = r->message + r->n;
	size_t name = put_name(p, owner);

	p += name;
	put16(p, type);
	put16(p + 2, 1);
	put16(p + 4, ttl >> 16);
	put16(p + 6, ttl & 0xffff);
	put16(p + 8, n);
	memcpy(p + 10, data, n);
	r->n += name + 10 + n;
}

void
dns_reply_add(struct dns_reply *r, const char *owner, unsigned type,
              unsigned ttl, const void *data, size_t n)
{
	put_record(r, owner, type, ttl, data, n);
	count(r, 6);
}

void
dns_reply_txt(struct dns_reply *r, const char *owner, unsigned ttl,
              const char *text, size_t n)
{
	static unsigned char data[65535];
	size_t part, at = 0;

	while (n > 0) {
		part = n > 255 ? 255 : n;
		data[at++] = (unsigned char)part;
		memcpy(data + at, text, part);
		at += part;
		text += part;
		n -= part;
	}
	dns_reply_add(r, owner, DNS_TXT, ttl, data, at);
}

void
dns_reply_cname(struct dns_reply *r, const char *owner, const char *target)
{
	unsigned char data[300];

	dns_reply_add(r, owner, 5, 300, data, put_name(data, target));
}

void
dns_reply_soa(struct dns_reply *r, unsigned ttl)
{
	unsigned char data[64] = {0};
	size_t n = put_name(data, "ns.example") ;

	n += put_name(data + n, "root.example");
	put16(data + n + 16, ttl >> 16);
	put16(data + n + 18, ttl & 0xffff);
	put_record(r, "example", 6, ttl, data, n + 20);
	count(r, 8);
}

void
dns_reply_rcode(struct dns_reply *r, unsigned rcode)
{
	r->message[3] = (unsigned char)((r->message[3] & 0xf0) | rcode);
}

/* Keeps header and question, notes what is asked. */
static bool
begin(struct dns_reply *r, const unsigned char *q, size_t n, char name[256])
{
	size_t at = 12, to = 0;

	if (n < 17)
		return false;
	while (at < n && q[at] != 0) {
		if (to > 0)
			name[to++] = '.';
		memcpy(name + to, q + at + 1, q[at]);
		to += q[at];
		at += 1u + q[at];
	}
	name[to] = '\0';
	r->name = name;
	r->type = (unsigned)(q[at + 1] << 8 | q[at + 2]);
	r->n = at + 5;
	memcpy(r->message, q, r->n);
	r->message[2] |= 0x80; /* QR */
	r->message[3] |= 0x80; /* RA */
	r->flood = 0;
	r->edns = q[11] != 0;
	memset(r->message + 6, 0, 6);
	return true;
}

/* Waits, unless the server is stopped meanwhile. */
static bool
wait_for(struct dns_server *s, int ms)
{
	struct pollfd fd = {s->stop[0], POLLIN, 0};

	return ms >= 0 && (ms == 0 || poll(&fd, 1, ms) == 0);
}

static void
serve_udp(struct dns_server *s, struct dns_reply *r)
{
	unsigned char q[4096];
	char name[256];
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	ssize_t n = recvfrom(s->udp, q, sizeof(q), 0, (struct sockaddr *)&from,
	                     &length);

	if (n < 0 || !begin(r, q, (size_t)n, name))
		return;
	r->tcp = false;
	r->number = atomic_fetch_add(&s->questions, 1);
	if (wait_for(s, s->handler(r, s->of)))
		sendto(s->udp, r->message, r->n, 0, (struct sockaddr *)&from,
		       length);
}

static bool
read_all(int fd, unsigned char *p, size_t n)
{
	ssize_t got;

	for (; n > 0; p += got, n -= (size_t)got) {
		got = recv(fd, p, n, 0);
		if (got <= 0)
			return false;
	}
	return true;
}

/* Messages that are no answer to anything. */
static void
send_flood(int fd, unsigned n)
{
	static unsigned char junk[2 + 65535];

	memset(junk, 0xff, sizeof(junk));
	for (; n > 0; n--)
		if (send(fd, junk, sizeof(junk), MSG_NOSIGNAL) < 0)
			return;
}

/* One question, on a connection of its own. */
static void
answer_tcp(struct dns_server *s, struct dns_reply *r, int fd)
{
	unsigned char q[4096], size[2];
	char name[256];
	size_t n;
	int wait;

	if (!read_all(fd, size, 2))
		return;
	n = (size_t)(size[0] << 8 | size[1]);
	if (n > sizeof(q) || !read_all(fd, q, n) || !begin(r, q, n, name))
		return;
	r->tcp = true;
	r->number = atomic_fetch_add(&s->questions, 1);
	wait = s->handler(r, s->of);
	send_flood(fd, r->flood);
	if (wait == DNS_SILENT) { /* the connection stays */
		wait_for(s, 60000);
		return;
	}
	if (!wait_for(s, wait))
		return;
	put16(size, r->n);
	send(fd, size, 2, MSG_NOSIGNAL | MSG_MORE);
	send(fd, r->message, r->n, MSG_NOSIGNAL);
}

static void
serve_tcp(struct dns_server *s, struct dns_reply *r)
{
	int fd = accept(s->tcp, NULL, NULL);

	if (fd < 0)
		return;
	answer_tcp(s, r, fd);
	close(fd);
}

static void *
serve(void *of)
{
	struct dns_server *s = of;
	struct dns_reply *r = malloc(sizeof(*r));
	struct pollfd fd[] = {
		{s->stop[0], POLLIN, 0},
		{s->udp, POLLIN, 0},
		{s->tcp, POLLIN, 0},
	};

	while (poll(fd, 3, -1) > 0 && fd[0].revents == 0) {
		if (fd[1].revents != 0)
			serve_udp(s, r);
		if (fd[2].revents != 0)
			serve_tcp(s, r);
	}
	free(r);
	return NULL;
}

/* TCP first, then UDP on the port that it got. */
static bool
bind_both(struct dns_server *s)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t n = sizeof(a);

	s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(s->tcp, (struct sockaddr *)&a, n) == 0 &&
	    getsockname(s->tcp, (struct sockaddr *)&a, &n) == 0 &&
	    bind(s->udp, (struct sockaddr *)&a, n) == 0 &&
	    listen(s->tcp, 16) == 0) {
		snprintf(s->address, sizeof(s->address), "127.0.0.1:%u",
		         ntohs(a.sin_port));
		return true;
	}
	close(s->tcp);
	close(s->udp);
	return false;
}

struct dns_server *
dns_server_start(dns_handler *handler, void *of)
{
	struct dns_server *s = calloc(1, sizeof(*s));
	int tries = 20;

	s->handler = handler;
	s->of = of;
	while (!bind_both(s))
		if (--tries == 0)
			abort();
	if (pipe(s->stop) != 0 ||
	    pthread_create(&s->thread, NULL, serve, s) != 0)
		abort();
	return s;
}

void
dns_server_stop(struct dns_server *s)
{
	close(s->stop[1]); /* POLLHUP at the other end */
	pthread_join(s->thread, NULL);
	close(s->stop[0]);
	close(s->udp);
	close(s->tcp);
	free(s);
}

const char *
dns_server_address(const struct dns_server *s)
{
	return s->address;
}

unsigned
dns_server_questions(struct dns_server *s)
{
	return atomic_load(&s->questions);
}
