#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <libmilter/mfdef.h>

#include "mta.h"

#define PATIENCE 30000       /* ms for a reply; a sanitizer is slow */
#define LARGEST (1 << 20)    /* bytes of a packet that a filter may send */

struct packet {
	char command;
	unsigned char *data; /* malloced, a NUL behind */
	size_t n;
};

struct mta *
mta_open(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct mta *m = calloc(1, sizeof(*m));

	if (m == NULL || strlen(path) >= sizeof(to.sun_path)) {
		free(m);
		return NULL;
	}
	strcpy(to.sun_path, path);
	m->patience = PATIENCE;
	m->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (m->fd >= 0 &&
	    connect(m->fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return m;
	mta_close(m);
	return NULL;
}

void
mta_close(struct mta *m)
{
	size_t i;

	if (m == NULL)
		return;
	if (m->fd >= 0)
		close(m->fd);
	for (i = 0; i < MTA_MACRO_LISTS; i++)
		free(m->macros[i]);
	free(m->text);
	free(m->changes);
	free(m);
}

bool
mta_send_raw(struct mta *m, const void *bytes, size_t n)
{
	const char *p = bytes;
	size_t piece;
	ssize_t sent;

	while (n > 0) {
		piece = m->piece > 0 && m->piece < n ? m->piece : n;
		sent = send(m->fd, p, piece, MSG_NOSIGNAL);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		p += sent;
		n -= (size_t)sent;
	}
	return true;
}

bool
mta_send(struct mta *m, char command, const void *data, size_t n)
{
	uint32_t size = htonl((uint32_t)n + 1);
	char *packet = malloc(n + 5);
	bool sent;

	if (packet == NULL)
		return false;
	memcpy(packet, &size, 4);
	packet[4] = command;
	if (n > 0)
		memcpy(packet + 5, data, n);
	sent = mta_send_raw(m, packet, n + 5);
	free(packet);
	return sent;
}

/* 1, MTA_GONE or MTA_SILENT */
static int
receive_bytes(struct mta *m, void *to, size_t n)
{
	struct pollfd ready = {.fd = m->fd, .events = POLLIN};
	char *p = to;
	ssize_t got;

	while (n > 0) {
		if (poll(&ready, 1, m->patience) <= 0)
			return MTA_SILENT;
		got = recv(m->fd, p, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return MTA_GONE;
		p += got;
		n -= (size_t)got;
	}
	return 1;
}

static int
receive(struct mta *m, struct packet *p)
{
	uint32_t size;
	int got = receive_bytes(m, &size, 4);

	p->data = NULL;
	if (got != 1)
		return got;
	p->n = ntohl(size);
	if (p->n == 0 || p->n > LARGEST)
		return MTA_GONE;
	p->n--;
	got = receive_bytes(m, &p->command, 1);
	if (got != 1)
		return got;
	p->data = calloc(1, p->n + 1);
	if (p->data == NULL)
		return MTA_GONE;
	got = receive_bytes(m, p->data, p->n);
	if (got == 1)
		return 1;
	free(p->data);
	p->data = NULL;
	return got;
}

/* ---- what a filter wants ---- */

static void
note(struct mta *m, const char *format, ...)
{
	char *line = NULL, *more = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&line, format, ap) < 0)
		line = NULL;
	va_end(ap);
	if (line != NULL && asprintf(&more, "%s%s\n", m->changes != NULL ?
	                             m->changes : "", line) >= 0) {
		free(m->changes);
		m->changes = more;
	}
	free(line);
}

/* An index, if the packet has one, a name and a value. */
static void
note_header(struct mta *m, const struct packet *p, bool indexed)
{
	const char *name = (const char *)p->data + (indexed ? 4 : 0);
	const char *value = name + strlen(name) + 1;
	uint32_t index = 0;

	if (indexed)
		memcpy(&index, p->data, 4);
	if (indexed)
		note(m, "%c %u %s: %s", p->command, ntohl(index), name, value);
	else
		note(m, "%c %s: %s", p->command, name, value);
}

/* true: it was a change, and a reply is still to come */
static bool
take_change(struct mta *m, const struct packet *p)
{
	switch (p->command) {
	case SMFIR_ADDHEADER:
		note_header(m, p, false);
		return true;
	case SMFIR_INSHEADER:
	case SMFIR_CHGHEADER:
		note_header(m, p, true);
		return true;
	case SMFIR_ADDRCPT:
	case SMFIR_DELRCPT:
	case SMFIR_CHGFROM:
	case SMFIR_QUARANTINE:
		note(m, "%c %s", p->command, (const char *)p->data);
		return true;
	case SMFIR_REPLBODY:
		note(m, "%c %zu", p->command, p->n);
		return true;
	case SMFIR_PROGRESS:
		return true;
	default:
		return false;
	}
}

int
mta_reply(struct mta *m)
{
	struct packet p;
	bool more;
	int got;

	do {
		got = receive(m, &p);
		if (got != 1)
			return got;
		more = take_change(m, &p);
		if (p.command == SMFIR_REPLYCODE) {
			free(m->text);
			m->text = (char *)p.data;
		} else {
			free(p.data);
		}
	} while (more);
	return (unsigned char)p.command;
}

/* ---- negotiation ---- */

/* Behind the three numbers: a place, a list, ... */
static void
take_macro_lists(struct mta *m, const struct packet *p)
{
	size_t at = 12;
	uint32_t place;

	while (at + 4 < p->n) {
		memcpy(&place, p->data + at, 4);
		place = ntohl(place);
		at += 4;
		if (place < MTA_MACRO_LISTS) {
			free(m->macros[place]);
			m->macros[place] = strdup((char *)p->data + at);
		}
		at += strlen((char *)p->data + at) + 1;
	}
}

int
mta_negotiate(struct mta *m, unsigned version, unsigned actions,
              unsigned steps)
{
	uint32_t numbers[3] = {htonl(version), htonl(actions), htonl(steps)};
	struct packet p;
	int got;

	if (!mta_send(m, SMFIC_OPTNEG, numbers, sizeof(numbers)))
		return MTA_GONE;
	got = receive(m, &p);
	if (got != 1)
		return got;
	if (p.command == SMFIC_OPTNEG && p.n >= 12) {
		memcpy(numbers, p.data, 12);
		m->version = ntohl(numbers[0]);
		m->actions = ntohl(numbers[1]);
		m->steps = ntohl(numbers[2]);
		take_macro_lists(m, &p);
	}
	free(p.data);
	return (unsigned char)p.command;
}

struct mta *
mta_meet(const char *path)
{
	struct mta *m = mta_open(path);

	if (m == NULL || mta_negotiate(m, MTA_VERSION, MTA_ACTIONS,
	                               MTA_STEPS) == SMFIC_OPTNEG)
		return m;
	mta_close(m);
	return NULL;
}

/* ---- steps ---- */

bool
mta_macros(struct mta *m, int command, ...)
{
	char data[4096];
	size_t n = 1, size;
	const char *s;
	va_list ap;

	data[0] = (char)command;
	va_start(ap, command);
	while ((s = va_arg(ap, const char *)) != NULL) {
		size = strlen(s) + 1;
		if (n + size > sizeof(data))
			break;
		memcpy(data + n, s, size);
		n += size;
	}
	va_end(ap);
	return s == NULL && mta_send(m, SMFIC_MACRO, data, n);
}

/* off, quiet: the filter's wish not to have the step or not to reply */
static int
step(struct mta *m, unsigned off, unsigned quiet, char command,
     const void *data, size_t n)
{
	if ((m->steps & off) != 0)
		return MTA_NONE;
	if (!mta_send(m, command, data, n))
		return MTA_GONE;
	return (m->steps & quiet) != 0 ? MTA_NONE : mta_reply(m);
}

int
mta_connect(struct mta *m, const char *name, const char *address)
{
	char data[1024];
	uint16_t port = htons(2525);
	size_t n = strlen(name) + 1;

	if (n > 512)
		return MTA_GONE;
	memcpy(data, name, n);
	if (address == NULL) {
		data[n++] = SMFIA_UNKNOWN;
		data[n++] = '\0';
	} else {
		data[n++] = strchr(address, ':') != NULL ? SMFIA_INET6 :
		            SMFIA_INET;
		memcpy(data + n, &port, 2);
		n += 2;
		memcpy(data + n, address, strlen(address) + 1);
		n += strlen(address) + 1;
	}
	return step(m, SMFIP_NOCONNECT, SMFIP_NR_CONN, SMFIC_CONNECT, data, n);
}

int
mta_helo(struct mta *m, const char *name)
{
	return step(m, SMFIP_NOHELO, SMFIP_NR_HELO, SMFIC_HELO, name,
	            strlen(name) + 1);
}

int
mta_mail_args(struct mta *m, const char *args, size_t n)
{
	return step(m, SMFIP_NOMAIL, SMFIP_NR_MAIL, SMFIC_MAIL, args, n);
}

int
mta_mail(struct mta *m, const char *path)
{
	return mta_mail_args(m, path, strlen(path) + 1);
}

int
mta_rcpt(struct mta *m, const char *path)
{
	return step(m, SMFIP_NORCPT, SMFIP_NR_RCPT, SMFIC_RCPT, path,
	            strlen(path) + 1);
}

/* Known since version 4. */
int
mta_data(struct mta *m)
{
	if (m->version < 4)
		return MTA_NONE;
	return step(m, SMFIP_NODATA, SMFIP_NR_DATA, SMFIC_DATA, NULL, 0);
}

int
mta_header(struct mta *m, const char *name, const char *value)
{
	size_t n = strlen(name) + 1, v = strlen(value) + 1;
	char *data = malloc(n + v);
	int got;

	if (data == NULL)
		return MTA_GONE;
	memcpy(data, name, n);
	memcpy(data + n, value, v);
	got = step(m, SMFIP_NOHDRS, SMFIP_NR_HDR, SMFIC_HEADER, data, n + v);
	free(data);
	return got;
}

int
mta_end_of_headers(struct mta *m)
{
	return step(m, SMFIP_NOEOH, SMFIP_NR_EOH, SMFIC_EOH, NULL, 0);
}

int
mta_body(struct mta *m, const void *chunk, size_t n)
{
	return step(m, SMFIP_NOBODY, SMFIP_NR_BODY, SMFIC_BODY, chunk, n);
}

int
mta_end(struct mta *m)
{
	free(m->changes);
	m->changes = NULL;
	return step(m, 0, 0, SMFIC_BODYEOB, NULL, 0);
}

bool
mta_abort(struct mta *m)
{
	return mta_send(m, SMFIC_ABORT, NULL, 0);
}

bool
mta_quit(struct mta *m)
{
	return mta_send(m, SMFIC_QUIT, NULL, 0);
}

/* ---- whole messages ---- */

static bool
goes_on(int reply)
{
	return reply == MTA_NONE || reply == SMFIR_CONTINUE ||
	       reply == SMFIR_SKIP;
}

int
mta_message(struct mta *m, const char *sender, const char *rcpt,
            const char *subject)
{
	static const char body[] = "Hello.\r\n";
	int got;

	if (!goes_on(got = mta_mail(m, sender)) ||
	    !goes_on(got = mta_rcpt(m, rcpt)) ||
	    !goes_on(got = mta_data(m)) ||
	    !goes_on(got = mta_header(m, "From", sender)) ||
	    !goes_on(got = mta_header(m, "Subject", subject)) ||
	    !goes_on(got = mta_end_of_headers(m)) ||
	    !goes_on(got = mta_body(m, body, sizeof(body) - 1)))
		return got;
	return mta_end(m);
}

int
mta_session(struct mta *m, const char *sender, const char *rcpt,
            const char *subject)
{
	int got;

	if (!goes_on(got = mta_connect(m, "mail.example.net",
	                               "198.51.100.7")) ||
	    !goes_on(got = mta_helo(m, "mail.example.net")))
		return got;
	return mta_message(m, sender, rcpt, subject);
}
