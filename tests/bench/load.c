/*
 * load.c - the MTA's side of the milter protocol, as fast as it goes.
 *
 *	load [OPTION...] SOCKET
 *
 *	-n N  connections at a time, each in a thread (1)
 *	-s N  sessions on each, one after the other (1)
 *	-m N  messages in each session (1000)
 *	-b N  bytes of a message's body (2048)
 *	-f FILE  a multipart with the boundary "b", as the body
 *	-H N  header fields of a message, eight at least (14)
 *	-r N  recipients of a message (1)
 *	-i    idle: n sessions are opened, one after the other, and kept at
 *	      HELO while the filter is measured; no mail
 *	-P N  process of the filter, whose CPU time and memory are measured
 *
 * SOCKET is unix:PATH or inet:PORT@HOST. Packets, macros, and when they are
 * written out are those of Postfix: a packet that needs no reply waits in the
 * buffer. Each message has its own sender and subject.
 *
 * One line of KEY=VALUE is printed; times are in seconds, CPU time a message
 * in microseconds, memory in KiB, steps and actions as negotiated.
 */
#include "config.h"

#include <arpa/inet.h>
#include <err.h>
#include <libmilter/mfdef.h>
#include <netdb.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 65535   /* MILTER_CHUNK_SIZE */
#define BUFFER 4096   /* Postfix' VSTREAM_BUFSIZE: written out when it is full */
#define ALL_STEPS 0x1fffffUL /* what Postfix 3.7 offers */
#define ALL_ACTIONS 0x1ffUL

struct load {
	const char *where;
	unsigned connections, sessions, messages;
	size_t body, headers, recipients;
	bool idle;
	long pid;
	const char *file;
};

/* One connection to the filter. */
struct peer {
	const struct load *load;
	unsigned number;
	int fd;
	char *out;            /* not yet written: n bytes of size */
	size_t n, size;
	unsigned char *in;    /* the packet read last, in bytes of room */
	size_t got, room;
	uint32_t steps, actions;
	unsigned long let_in, refused, changes;
};

static char *body;            /* of load.body bytes, shared */

/* ---- packets ---- */

static void
flush(struct peer *p)
{
	size_t done = 0;
	ssize_t w;

	while (done < p->n) {
		w = write(p->fd, p->out + done, p->n - done);
		if (w <= 0)
			err(EX_IOERR, "write");
		done += (size_t)w;
	}
	p->n = 0;
}

static void
put(struct peer *p, const void *bytes, size_t n)
{
	if (p->n + n > p->size) {
		p->size = 2 * (p->n + n);
		p->out = realloc(p->out, p->size);
		if (p->out == NULL)
			err(EX_OSERR, "memory");
	}
	memcpy(p->out + p->n, bytes, n);
	p->n += n;
}

static void
put_number(struct peer *p, uint32_t number)
{
	uint32_t net = htonl(number);

	put(p, &net, sizeof(net));
}

static size_t
begin(struct peer *p, char command)
{
	size_t at = p->n;

	put_number(p, 0);
	put(p, &command, 1);
	return at;
}

static void
put_string(struct peer *p, const char *s)
{
	put(p, s, strlen(s) + 1);
}

static void
finish(struct peer *p, size_t at)
{
	uint32_t net = htonl((uint32_t)(p->n - at - sizeof(net)));

	memcpy(p->out + at, &net, sizeof(net));
	if (p->n >= BUFFER)
		flush(p);
}

static void
take(struct peer *p, void *to, size_t n)
{
	size_t done = 0;
	ssize_t r;

	while (done < n) {
		r = read(p->fd, (char *)to + done, n - done);
		if (r < 0)
			err(EX_IOERR, "read");
		if (r == 0)
			errx(EX_PROTOCOL, "the filter has gone");
		done += (size_t)r;
	}
}

/* The next packet's command; its data is p->in. */
static char
answer(struct peer *p)
{
	uint32_t length;
	char command;

	take(p, &length, sizeof(length));
	length = ntohl(length);
	if (length == 0 || length > 1 << 24)
		errx(EX_PROTOCOL, "a packet of %lu bytes", (unsigned long)length);
	take(p, &command, 1);
	p->got = length - 1;
	if (p->got > p->room) {
		p->room = p->got;
		free(p->in);
		p->in = malloc(p->room);
		if (p->in == NULL)
			err(EX_OSERR, "memory");
	}
	take(p, p->in, p->got);
	return command;
}

/* The final answer to what was sent; changes are counted. */
static char
reply(struct peer *p)
{
	char c;

	flush(p);
	for (;;) {
		c = answer(p);
		if (c == SMFIR_PROGRESS)
			continue;
		if (strchr("+-2behimq", c) == NULL)
			return c;
		p->changes++;
	}
}

/* Is the step sent at all, and if so is it answered? */
static char
step(struct peer *p, size_t at, uint32_t no_reply)
{
	finish(p, at);
	return (p->steps & no_reply) != 0 ? SMFIR_CONTINUE : reply(p);
}

static void
macros(struct peer *p, char command, const char *const *pairs)
{
	size_t at = begin(p, SMFIC_MACRO);

	put(p, &command, 1);
	for (; *pairs != NULL; pairs++)
		put_string(p, *pairs);
	finish(p, at);
}

/* ---- a session ---- */

static void
negotiate(struct peer *p)
{
	size_t at = begin(p, SMFIC_OPTNEG);
	uint32_t numbers[3];

	put_number(p, 6);
	put_number(p, ALL_ACTIONS);
	put_number(p, ALL_STEPS);
	finish(p, at);
	if (reply(p) != SMFIC_OPTNEG || p->got < sizeof(numbers))
		errx(EX_PROTOCOL, "no negotiation");
	memcpy(numbers, p->in, sizeof(numbers));
	p->actions = ntohl(numbers[1]);
	p->steps = ntohl(numbers[2]);
}

static bool
greet(struct peer *p)
{
	static const char *const at_connect[] = {
		"j", "mx.example.org", "{daemon_name}", "mx.example.org",
		"{daemon_addr}", "192.0.2.25", "v", "Postfix 3.7.11",
		"{client_addr}", "198.51.100.7",
		"{client_name}", "mail.example.net",
		"{client_resolve}", "OK", NULL,
	};
	static const char *const at_helo[] = {NULL};
	uint16_t port = htons(40000);
	size_t at;
	char c = SMFIR_CONTINUE;

	if ((p->steps & SMFIP_NOCONNECT) == 0) {
		macros(p, SMFIC_CONNECT, at_connect);
		at = begin(p, SMFIC_CONNECT);
		put_string(p, "mail.example.net");
		put(p, "4", 1);
		put(p, &port, sizeof(port));
		put_string(p, "198.51.100.7");
		c = step(p, at, SMFIP_NR_CONN);
	}
	if (c == SMFIR_CONTINUE && (p->steps & SMFIP_NOHELO) == 0) {
		macros(p, SMFIC_HELO, at_helo);
		at = begin(p, SMFIC_HELO);
		put_string(p, "mail.example.net");
		c = step(p, at, SMFIP_NR_HELO);
	}
	return c == SMFIR_CONTINUE;
}

static char
envelope(struct peer *p, unsigned n)
{
	char address[64];
	const char *const at_mail[] = {
		"{mail_addr}", address, "{mail_host}", "example.net",
		"{mail_mailer}", "smtp", NULL,
	};
	const char *const at_rcpt[] = {
		"{rcpt_addr}", address, "{rcpt_host}", "example.org",
		"{rcpt_mailer}", "smtp", NULL,
	};
	size_t at, i;
	char c = SMFIR_CONTINUE, path[80];

	snprintf(address, sizeof(address), "user%u@example.net", n);
	if ((p->steps & SMFIP_NOMAIL) == 0) {
		macros(p, SMFIC_MAIL, at_mail);
		at = begin(p, SMFIC_MAIL);
		snprintf(path, sizeof(path), "<%s>", address);
		put_string(p, path);
		put_string(p, "SIZE=3000");
		c = step(p, at, SMFIP_NR_MAIL);
	}
	for (i = 0; i < p->load->recipients && c == SMFIR_CONTINUE; i++) {
		if ((p->steps & SMFIP_NORCPT) != 0)
			continue;
		snprintf(address, sizeof(address), "rcpt%zu@example.org", i);
		macros(p, SMFIC_RCPT, at_rcpt);
		at = begin(p, SMFIC_RCPT);
		snprintf(path, sizeof(path), "<%s>", address);
		put_string(p, path);
		c = step(p, at, SMFIP_NR_RCPT);
	}
	return c;
}

static char
field(struct peer *p, const char *name, const char *value)
{
	size_t at = begin(p, SMFIC_HEADER);

	put_string(p, name);
	put_string(p, value);
	return step(p, at, SMFIP_NR_HDR);
}

static char
header(struct peer *p, unsigned n)
{
	char subject[96], id[64], from[64];
	const char *const fields[][2] = {
		{"Received", "from client.example.net (client.example.net "
		             "[203.0.113.9])\n\tby mail.example.net (Postfix) "
		             "with ESMTPS id 4XyZ1abcde;\n\tMon, 2 Jun 2025 "
		             "10:00:00 +0000 (UTC)"},
		{"From", from},
		{"To", "\"A. Recipient\" <rcpt0@example.org>"},
		{"Subject", subject},
		{"Date", "Mon, 2 Jun 2025 10:00:00 +0000"},
		{"Message-ID", id},
		{"MIME-Version", "1.0"},
		{"Content-Type", p->load->file != NULL ?
		                 "multipart/mixed; boundary=b" :
		                 "text/plain; charset=us-ascii"},
	};
	const size_t some = sizeof(fields) / sizeof(fields[0]);
	size_t i;
	char c = SMFIR_CONTINUE, name[32];

	if ((p->steps & SMFIP_NOHDRS) != 0)
		return c;
	snprintf(subject, sizeof(subject), "The figures of week %u, as agreed", n);
	snprintf(from, sizeof(from), "Sender %u <user%u@example.net>", n, n);
	snprintf(id, sizeof(id), "<%u.%u@mail.example.net>", p->number, n);
	for (i = 0; i < p->load->headers && c == SMFIR_CONTINUE; i++) {
		snprintf(name, sizeof(name), "X-Field-%zu", i);
		c = i < some ? field(p, fields[i][0], fields[i][1]) :
		    field(p, name, "words that fill a field of usual length");
	}
	return c;
}

/* Body packets; Postfix sends the last bytes so, too, not with the end. */
static char
chunks(struct peer *p)
{
	size_t at, n, done = 0, all = p->load->body;
	char c = SMFIR_CONTINUE;

	if ((p->steps & SMFIP_NOBODY) != 0)
		return c;
	while (done < all && c == SMFIR_CONTINUE) {
		n = all - done < CHUNK ? all - done : CHUNK;
		at = begin(p, SMFIC_BODY);
		put(p, body + done, n);
		c = step(p, at, SMFIP_NR_BODY);
		done += n;
	}
	return c == SMFIR_SKIP ? SMFIR_CONTINUE : c;
}

static char
content(struct peer *p, unsigned n)
{
	static const char *const id[] = {"i", "4XyZ1abcde", NULL};
	char c = SMFIR_CONTINUE;

	if ((p->steps & SMFIP_NODATA) == 0) {
		macros(p, SMFIC_DATA, id);
		c = step(p, begin(p, SMFIC_DATA), SMFIP_NR_DATA);
	}
	if (c == SMFIR_CONTINUE)
		c = header(p, n);
	if (c == SMFIR_CONTINUE && (p->steps & SMFIP_NOEOH) == 0) {
		macros(p, SMFIC_EOH, id);
		c = step(p, begin(p, SMFIC_EOH), SMFIP_NR_EOH);
	}
	if (c == SMFIR_CONTINUE)
		c = chunks(p);
	if (c != SMFIR_CONTINUE)
		return c;
	macros(p, SMFIC_BODYEOB, id);
	finish(p, begin(p, SMFIC_BODYEOB));
	return reply(p);
}

static void
message(struct peer *p, unsigned n)
{
	char c = envelope(p, n);

	if (c == SMFIR_CONTINUE)
		c = content(p, n);
	if (c == SMFIR_CONTINUE || c == SMFIR_ACCEPT)
		p->let_in++;
	else
		p->refused++;
	/* Postfix resets after an answer that is not the end of message */
	if (c != SMFIR_CONTINUE)
		finish(p, begin(p, SMFIC_ABORT));
}

/* ---- connections ---- */

static int
reach_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (strlen(path) >= sizeof(address.sun_path))
		errx(EX_USAGE, "%s: too long", path);
	memcpy(address.sun_path, path, strlen(path));
	if (fd < 0 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		err(EX_UNAVAILABLE, "%s", path);
	return fd;
}

static int
reach_inet(const char *where)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found;
	const char *at = strchr(where, '@');
	char port[16];
	int fd;

	if (at == NULL || (size_t)(at - where) >= sizeof(port))
		errx(EX_USAGE, "%s: PORT@HOST is wanted", where);
	memcpy(port, where, (size_t)(at - where));
	port[at - where] = '\0';
	if (getaddrinfo(at + 1, port, &hints, &found) != 0)
		errx(EX_NOHOST, "%s: no such host", at + 1);
	fd = socket(found->ai_family, SOCK_STREAM, 0);
	if (fd < 0 || connect(fd, found->ai_addr, found->ai_addrlen) != 0)
		err(EX_UNAVAILABLE, "%s", where);
	freeaddrinfo(found);
	return fd;
}

static int
reach(const char *where)
{
	if (strncmp(where, "unix:", 5) == 0)
		return reach_unix(where + 5);
	if (strncmp(where, "inet:", 5) == 0)
		return reach_inet(where + 5);
	return reach_unix(where);
}

static void
leave(struct peer *p)
{
	finish(p, begin(p, SMFIC_QUIT));
	flush(p);
	close(p->fd);
	p->fd = -1;
}

/* A connection's thread. */
static void *
work(void *peer)
{
	struct peer *p = peer;
	const struct load *l = p->load;
	unsigned s, m;

	for (s = 0; s < l->sessions; s++) {
		p->fd = reach(l->where);
		negotiate(p);
		if (greet(p))
			for (m = 0; m < l->messages; m++)
				message(p, (p->number * l->sessions + s) *
				        l->messages + m);
		leave(p);
	}
	return NULL;
}

/* ---- measuring ---- */

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static FILE *
of_process(long pid, const char *what)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/%s", pid, what);
	f = fopen(path, "r");
	if (f == NULL)
		err(EX_NOINPUT, "%s", path);
	return f;
}

/* Seconds of user and system time so far; 0 without a process. */
static double
cpu_time(long pid)
{
	unsigned long user, system;
	char line[1024];
	const char *rest;
	FILE *f;

	if (pid == 0)
		return 0;
	f = of_process(pid, "stat");
	if (fgets(line, sizeof(line), f) == NULL)
		errx(EX_NOINPUT, "process %ld has no stat", pid);
	fclose(f);
	rest = strrchr(line, ')'); /* the name before it may hold anything */
	if (rest == NULL ||
	    sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u"
	           " %lu %lu", &user, &system) != 2)
		errx(EX_NOINPUT, "process %ld: a strange stat", pid);
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

/* The peak of its memory begins anew. */
static void
forget_peak(long pid)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/clear_refs", pid);
	f = pid == 0 ? NULL : fopen(path, "w");
	if (f == NULL)
		return;
	fputs("5", f);
	fclose(f);
}

/* KiB in memory, or at the peak; 0 without a process. */
static long
memory(long pid, const char *what)
{
	char line[256];
	long kib = 0;
	FILE *f;

	if (pid == 0)
		return 0;
	f = of_process(pid, "status");
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, what, strlen(what)) == 0 &&
		    sscanf(line + strlen(what), ": %ld", &kib) == 1)
			break;
	fclose(f);
	return kib;
}

static void
report(const struct load *l, const struct peer *peers, double seconds,
       double cpu, long before)
{
	unsigned long let_in = 0, refused = 0, changes = 0, messages;
	unsigned i;

	for (i = 0; i < l->connections; i++) {
		let_in += peers[i].let_in;
		refused += peers[i].refused;
		changes += peers[i].changes;
	}
	messages = let_in + refused;
	printf("messages=%lu let_in=%lu refused=%lu changes=%lu seconds=%.3f "
	       "rate=%.0f cpu=%.2f cpu_us=%.2f rss_before=%ld rss=%ld peak=%ld "
	       "steps=0x%lx actions=0x%lx\n", messages, let_in, refused,
	       changes, seconds, (double)messages / seconds, cpu,
	       messages == 0 ? 0.0 : cpu * 1e6 / (double)messages, before,
	       memory(l->pid, "VmRSS"), memory(l->pid, "VmHWM"),
	       (unsigned long)peers[0].steps,
	       (unsigned long)peers[0].actions);
}

static void
run(const struct load *l, struct peer *peers)
{
	pthread_t *threads = calloc(l->connections, sizeof(*threads));
	double began = now(), cpu = cpu_time(l->pid);
	long before = memory(l->pid, "VmRSS");
	unsigned i;

	forget_peak(l->pid);
	if (threads == NULL)
		err(EX_OSERR, "memory");
	for (i = 0; i < l->connections; i++)
		if (pthread_create(&threads[i], NULL, work, &peers[i]) != 0)
			errx(EX_OSERR, "no thread");
	for (i = 0; i < l->connections; i++)
		pthread_join(threads[i], NULL);
	report(l, peers, now() - began, cpu_time(l->pid) - cpu, before);
	free(threads);
}

static void
run_idle(const struct load *l, struct peer *peers)
{
	double began = now(), cpu = cpu_time(l->pid);
	long before = memory(l->pid, "VmRSS");
	unsigned i;

	for (i = 0; i < l->connections; i++) {
		peers[i].fd = reach(l->where);
		negotiate(&peers[i]);
		greet(&peers[i]);
		flush(&peers[i]);
	}
	report(l, peers, now() - began, cpu_time(l->pid) - cpu, before);
	for (i = 0; i < l->connections; i++)
		leave(&peers[i]);
}

/* ---- */

static size_t
read_body(const char *path)
{
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL || fseek(f, 0, SEEK_END) != 0)
		err(EX_NOINPUT, "%s", path);
	n = (size_t)ftell(f);
	body = malloc(n + 1);
	if (body == NULL)
		err(EX_OSERR, "memory");
	rewind(f);
	if (fread(body, 1, n, f) != n)
		err(EX_IOERR, "%s", path);
	fclose(f);
	return n;
}

static void
make_body(size_t n)
{
	static const char line[] =
	    "The figures are as we said they would be, and nobody complained "
	    "so far.\r\n";
	size_t i;

	body = malloc(n + 1);
	if (body == NULL)
		err(EX_OSERR, "memory");
	for (i = 0; i < n; i++)
		body[i] = line[i % (sizeof(line) - 1)];
}

/* As many descriptors as the system lets us have. */
static void
raise_files(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
}

static unsigned
count(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end != '\0' || n > 1UL << 30)
		errx(EX_USAGE, "%s: a number is wanted", text);
	return (unsigned)n;
}

static struct load
options(int argc, char **argv)
{
	struct load l = {NULL, 1, 1, 1000, 2048, 14, 1, false, 0, NULL};
	int c;

	while ((c = getopt(argc, argv, "n:s:m:b:f:H:r:iP:")) != -1)
		switch (c) {
		case 'n': l.connections = count(optarg); break;
		case 's': l.sessions = count(optarg); break;
		case 'm': l.messages = count(optarg); break;
		case 'b': l.body = count(optarg); break;
		case 'f': l.file = optarg; break;
		case 'H': l.headers = count(optarg); break;
		case 'r': l.recipients = count(optarg); break;
		case 'i': l.idle = true; break;
		case 'P': l.pid = count(optarg); break;
		default: exit(EX_USAGE);
		}
	if (optind + 1 != argc || l.connections == 0)
		errx(EX_USAGE, "usage: load [-i] [-n CONNECTIONS] [-s SESSIONS] "
		     "[-m MESSAGES] [-b BYTES | -f FILE] [-H FIELDS] [-r RECIPIENTS] "
		     "[-P PID] SOCKET");
	l.where = argv[optind];
	return l;
}

int
main(int argc, char **argv)
{
	struct load l = options(argc, argv);
	struct peer *peers = calloc(l.connections, sizeof(*peers));
	unsigned i;

	if (peers == NULL)
		err(EX_OSERR, "memory");
	raise_files();
	if (l.file != NULL)
		l.body = read_body(l.file);
	else
		make_body(l.body);
	for (i = 0; i < l.connections; i++) {
		peers[i].load = &l;
		peers[i].number = i;
		peers[i].fd = -1;
	}
	if (l.idle)
		run_idle(&l, peers);
	else
		run(&l, peers);
	for (i = 0; i < l.connections; i++) {
		free(peers[i].out);
		free(peers[i].in);
	}
	free(peers);
	free(body);
	return 0;
}
