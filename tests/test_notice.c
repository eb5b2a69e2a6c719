/*
 * test_notice.c - short mails that rules send, to a mail server of the test's
 * own; at the end by the real filter.
 */
#include <arpa/inet.h>
#include <libmilter/mfdef.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "caps.h"
#include "check.h"
#include "daemon.h"
#include "mta.h"
#include "notice.h"
#include "peer.h"
#include "setting.h"

/* ---- a mail server ---- */

enum mood { TAKES, REFUSES_RCPT, HANGS_UP, SAYS_NOTHING };

struct server {
	int fd;
	unsigned port;
	pthread_t thread;
	atomic_int mood;
	atomic_uint mails;      /* taken */
	atomic_uint sessions;
	char mail[65536];       /* the last one: what the client said */
	/* Called at RCPT with the client's address; or NULL. */
	void (*at_rcpt)(struct server *s, const struct sockaddr_in *client);
};

/* What a line of the client is answered, or NULL: nothing yet. */
static const char *
answer_to(struct server *s, const char *line, bool *data)
{
	if (*data) {
		*data = strcmp(line, ".\r\n") != 0;
		return *data ? NULL : "250 2.0.0 taken\r\n";
	}
	if (strncmp(line, "EHLO ", 5) == 0)
		return "250-mx.example.org\r\n250-PIPELINING\r\n250 HELP\r\n";
	if (strncmp(line, "RCPT ", 5) == 0 &&
	    atomic_load(&s->mood) == REFUSES_RCPT)
		return "550-5.1.1 no\r\n550 5.1.1 such \x1b[1m<user>\r\n";
	*data = strncmp(line, "DATA", 4) == 0;
	return *data ? "354 go on\r\n" : strncmp(line, "QUIT", 4) == 0 ?
	       "221 bye\r\n" : "250 2.1.0 ok\r\n";
}

static void
serve_one(struct server *s, int fd, const struct sockaddr_in *client)
{
	FILE *io = fdopen(fd, "r+"), *in = fdopen(dup(fd), "r");
	char line[2048];
	bool data = false;
	const char *reply = "220 mx.example.org ESMTP\r\n";
	size_t n = 0;

	fputs(reply, io);
	fflush(io);
	while (atomic_load(&s->mood) != HANGS_UP &&
	       fgets(line, sizeof(line), in) != NULL) {
		if (strncmp(line, "QUIT", 4) != 0) /* the mail is being read */
			n += (size_t)snprintf(s->mail + n, sizeof(s->mail) - n,
			                      "%s", line);
		if (strncmp(line, "RCPT ", 5) == 0 && s->at_rcpt != NULL)
			s->at_rcpt(s, client);
		reply = answer_to(s, line, &data);
		if (reply == NULL)
			continue;
		fputs(reply, io);
		fflush(io);
		if (strstr(reply, "taken") != NULL)
			atomic_fetch_add(&s->mails, 1);
	}
	fclose(in);
	fclose(io);
}

static void *
serve(void *of)
{
	struct server *s = of;
	struct sockaddr_in client;
	socklen_t size = sizeof(client);
	char byte;
	int fd;

	while ((fd = accept(s->fd, (struct sockaddr *)&client, &size)) >= 0) {
		atomic_fetch_add(&s->sessions, 1);
		if (atomic_load(&s->mood) == SAYS_NOTHING) {
			while (read(fd, &byte, 1) > 0)
				;
			close(fd);
			continue;
		}
		serve_one(s, fd, &client);
	}
	return NULL;
}

static void
start_server(struct server *s)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(a);

	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(s->fd, 8), 0);
	ck_assert_int_eq(getsockname(s->fd, (struct sockaddr *)&a, &size), 0);
	s->port = ntohs(a.sin_port);
	ck_assert_int_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}

/* After its clients have gone. */
static void
stop_server(struct server *s)
{
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}

static void
wait_for(atomic_uint *what, unsigned n)
{
	const struct timespec pause = {0, 5000000};
	int i;

	for (i = 0; i < 4000 && atomic_load(what) < n; i++)
		nanosleep(&pause, NULL);
	ck_assert_uint_eq(atomic_load(what), n);
}

/* ---- a notifier ---- */

static struct server server;
static struct sink *sink;
static struct notifier *notifier;
static int log_fd;
static char logged[65536];
static char where[32];

/* Of the sanitizers, where they are built in. */
void __sanitizer_set_report_fd(void *fd) __attribute__((weak));

static void
begin(void)
{
	int ends[2];

	/* what they say is for us, and not for the log */
	if (__sanitizer_set_report_fd != NULL)
		__sanitizer_set_report_fd((void *)(intptr_t)
			dup(STDERR_FILENO));
	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
	close(ends[1]);
	log_fd = ends[0];
	sink = sink_open(LOG_TO_STDERR);
	notifier = notifier_new(sink);
	ck_assert(sink != NULL && notifier != NULL);
	ck_assert(notifier_start(notifier));
	start_server(&server);
	snprintf(where, sizeof(where), "127.0.0.1:%u", server.port);
}

static void
end(void)
{
	notifier_free(notifier);
	stop_server(&server);
	sink_close(sink);
}

/* Reads the log until it has the text. */
static void
logs(const char *text)
{
	size_t n = strlen(logged);
	ssize_t got = 1;

	while (strstr(logged, text) == NULL && got > 0 &&
	       n < sizeof(logged) - 1) {
		got = read(log_fd, logged + n, sizeof(logged) - 1 - n);
		n += got > 0 ? (size_t)got : 0;
		logged[n] = '\0';
	}
	ck_assert_msg(strstr(logged, text) != NULL, "%s", logged);
}

static struct notice
notice_of(const char *login)
{
	return (struct notice){
		.server = span_of(where), .rule = SPAN("stolen"),
		.address = SPAN("postmaster@example.org"),
		.login = span_of(login), .once = 3600,
		.facts = SPAN("4X: notify: rule=stolen stage=rcpt "
		              "client=a[192.0.2.1] helo=<a b> from=<x@y.z> "
		              "text=\"two words <\""),
	};
}

static bool
add(const char *login)
{
	struct notice n = notice_of(login);

	return notifier_add(notifier, &n);
}

/* ---- what is sent ---- */

static void
has(const char *text)
{
	ck_assert_msg(strstr(server.mail, text) != NULL, "\"%s\" in:\n%s",
	              text, server.mail);
}

START_TEST(a_notice_is_an_automatic_mail_with_a_fact_on_a_line)
{
	char host[256];

	begin();
	ck_assert(add("alice"));
	wait_for(&server.mails, 1);
	ck_assert_int_eq(gethostname(host, sizeof(host)), 0);
	has("EHLO ");
	has("MAIL FROM:<>\r\nRCPT TO:<postmaster@example.org>\r\nDATA\r\n");
	has(host);
	has("\r\nTo: <postmaster@example.org>\r\n");
	has("\r\nSubject: vaglio: rule stolen\r\n");
	has("\r\nDate: ");
	has("\r\nMessage-ID: <");
	has("\r\nAuto-Submitted: auto-generated\r\n");
	has("\r\n    4X:\r\n    notify:\r\n    rule=stolen\r\n    stage=rcpt"
	    "\r\n    client=a[192.0.2.1]\r\n    helo=<a b>\r\n"
	    "    from=<x@y.z>\r\n    text=\"two words <\"\r\n");
	has("There is one of this rule, address and login in 1h.\r\n.\r\n");
	end();
}
END_TEST

START_TEST(no_byte_of_a_stranger_leaves_its_line)
{
	struct notice n;
	char facts[4000], *p;
	size_t i;

	begin();
	n = notice_of(NULL);
	memset(facts, 'x', sizeof(facts));
	memcpy(facts, "from=<", 6);
	memcpy(facts + 100, "\r\n.\r\nMAIL", 9);
	memcpy(facts + 200, "\nBcc: all@example.org\n\n", 23);
	memcpy(facts + 300, "\xc3\xa4\x80\x7f\x1b", 5);
	n.facts = (struct span){facts, sizeof(facts)};
	ck_assert(notifier_add(notifier, &n));
	wait_for(&server.mails, 1);
	has("xx\\x0d\\x0a.\\x0d\\x0aMAILxx");
	has("\\x0aBcc: all@example.org\\x0a\\x0axx");
	has("\\xc3\\xa4\\x80\\x7f\\x1bxx");
	for (p = server.mail; (p = strstr(p, "\r\n")) != NULL; p += 2) {
		i = strcspn(p + 2, "\r");
		ck_assert_uint_le(i, 998);
	}
	end();
}
END_TEST

START_TEST(addresses_that_could_break_out_get_no_notice)
{
	static const char *const bad[] = {
		"", "a b@example.org", "a@example.org>", "\"a b\"@example.org",
		"a@example.org\r\nRCPT TO:<b@example.org>", "\xc3\xa4@example.org",
		"a,b@example.org",
	};
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!notice_address(span_of(bad[i])), "%s", bad[i]);
	ck_assert(notice_address(SPAN("a+b@example.org")));
	ck_assert(notice_address(SPAN("postmaster")));
}
END_TEST

/* ---- how often ---- */

/* Asks until it is time; how often it was not. */
static unsigned
add_until(struct notice *n)
{
	const struct timespec pause = {0, 10000000};
	unsigned held = 0;

	while (!notifier_add(notifier, n)) {
		ck_assert_uint_lt(++held, 3000);
		nanosleep(&pause, NULL);
	}
	return held;
}

START_TEST(a_rule_an_address_and_a_login_have_one_in_their_time)
{
	struct notice n;
	char more[64];
	unsigned held;

	begin();
	ck_assert(add("alice"));
	ck_assert(!add("alice"));
	ck_assert(add("bob"));
	ck_assert(add(NULL));
	ck_assert(!add(NULL));
	n = notice_of("alice");
	n.rule = SPAN("other");
	ck_assert(notifier_add(notifier, &n));
	n.address = SPAN("abuse@example.org");
	ck_assert(notifier_add(notifier, &n));
	wait_for(&server.mails, 5);
	n.rule = SPAN("short");
	n.once = 1;
	ck_assert(notifier_add(notifier, &n));
	held = add_until(&n);
	ck_assert_uint_gt(held, 0);
	wait_for(&server.mails, 7);
	snprintf(more, sizeof(more), "in 1s; %u more\r\nmessages", held);
	has(more);
	end();
}
END_TEST

/* ---- no loop ---- */

static atomic_int answers[2];

static void
ask_at_rcpt(struct server *s, const struct sockaddr_in *client)
{
	struct notice n = notice_of("loop");

	(void)s;
	n.client = (struct ip){.byte = {[10] = 0xff, [11] = 0xff}};
	memcpy(n.client.byte + 12, &client->sin_addr, 4);
	n.port = ntohs(client->sin_port);
	atomic_store(&answers[0], notifier_add(notifier, &n));
	n.port ^= 1;
	atomic_store(&answers[1], notifier_add(notifier, &n));
	server.at_rcpt = NULL;
}

START_TEST(a_notice_gives_rise_to_no_notice)
{
	begin();
	server.at_rcpt = ask_at_rcpt;
	ck_assert(add("alice"));
	wait_for(&server.mails, 2);
	ck_assert_int_eq(atomic_load(&answers[0]), 0);
	ck_assert_int_eq(atomic_load(&answers[1]), 1);
	end();
}
END_TEST

/* ---- failures ---- */

START_TEST(a_notice_that_is_refused_is_a_line_in_the_log)
{
	begin();
	atomic_store(&server.mood, REFUSES_RCPT);
	ck_assert(add("alice"));
	logs("notify: rule=stolen: the notice to <postmaster@example.org> is "
	     "not sent: it was answered \"550 5.1.1 such \\x1b[1m\\x3cuser"
	     "\\x3e\"\n");
	atomic_store(&server.mood, TAKES);
	ck_assert(!add("alice")); /* in a minute again */
	ck_assert(add("bob"));    /* the server is not left alone for it */
	wait_for(&server.mails, 1);
	end();
}
END_TEST

START_TEST(a_server_that_goes_is_tried_again)
{
	const struct timespec pause = {0, 50000000};
	char login[16];
	int i;

	begin();
	atomic_store(&server.mood, HANGS_UP);
	ck_assert(add("alice"));
	logs("is not sent: 127.0.0.1:");
	logs(": Connection reset by peer\n");
	ck_assert(add("bob"));
	logs(": it is down\n");
	atomic_store(&server.mood, TAKES);
	for (i = 0; i < 600 && atomic_load(&server.mails) == 0; i++) {
		snprintf(login, sizeof(login), "user%d", i);
		ck_assert(add(login));
		nanosleep(&pause, NULL);
	}
	ck_assert_uint_gt(atomic_load(&server.mails), 0);
	end();
}
END_TEST

/* A server that says nothing costs the messages no time. */
START_TEST(nobody_waits_and_the_queue_has_an_end)
{
	char login[16];
	int64_t begun;
	unsigned i;

	begin();
	atomic_store(&server.mood, SAYS_NOTHING);
	begun = peer_deadline(0);
	for (i = 0; i < CAPS_NOTICES; i++) {
		snprintf(login, sizeof(login), "user%u", i);
		ck_assert(add(login));
	}
	ck_assert(!add("one more"));
	ck_assert(!add("and one"));
	ck_assert_int_lt(peer_deadline(0) - begun, 1000000000);
	logs("the notice to <postmaster@example.org> is not sent: too many "
	     "wait already\n");
	begun = peer_deadline(0);
	notifier_drain(notifier, 100);
	ck_assert_int_lt(peer_deadline(0) - begun, 5000000000);
	logs("is not sent: vaglio ends\n");
	/* the one at work has a minute: nobody waits for it at the end */
	_exit(0);
}
END_TEST

/* ---- the filter ---- */

static struct daemon d;

static int
session(const char *sender, const char *login)
{
	struct mta *m = mta_meet(d.socket);
	int got;

	ck_assert_ptr_nonnull(m);
	mta_connect(m, "a.example.net", "192.0.2.1");
	mta_helo(m, "a.example.net");
	mta_macros(m, 'M', "{auth_authen}", login, NULL);
	got = mta_message(m, sender, "<user@example.com>", "hello");
	mta_quit(m);
	mta_close(m);
	return got;
}

START_TEST(the_filter_tells_of_what_it_refuses_and_lets_in)
{
	char policy[512];

	start_server(&server);
	snprintf(policy, sizeof(policy),
	         "set notify-server \"127.0.0.1:%u\"\n"
	         "rule stolen  if auth  notify boss@example.org once per 6h\n"
	         "  tempfail 451 4.7.1 \"too many\"\n"
	         "rule odd  if sender is odd@example.org\n"
	         "  notify \"odd@example.org\"\n", server.port);
	daemon_prepare(&d, policy);
	ck_assert_int_eq(daemon_start(&d, NULL), 0);
	ck_assert_int_eq(session("<a\"b@example.net>", "alice"),
	                 SMFIR_REPLYCODE);
	wait_for(&server.mails, 1);
	has("RCPT TO:<boss@example.org>\r\n");
	has("\r\n    auth=<alice>\r\n");
	ck_assert_int_eq(session("<a@example.net>", "alice"), SMFIR_REPLYCODE);
	ck_assert_int_eq(session("<a@example.net>", "bob"), SMFIR_REPLYCODE);
	wait_for(&server.mails, 2);
	ck_assert_int_ne(session("<odd@example.org>", ""), SMFIR_REPLYCODE);
	wait_for(&server.mails, 3);
	has("RCPT TO:<odd@example.org>\r\n");
	ck_assert_uint_eq(daemon_count(&d, ": notify: rule=stolen stage="), 2);
	ck_assert_uint_eq(daemon_count(&d, ": notify: rule=odd stage="), 1);
	/* under shadow nobody is told */
	snprintf(policy, sizeof(policy),
	         "set notify-server \"127.0.0.1:%u\"\nset shadow yes\n"
	         "rule new  if auth  notify boss@example.org\n", server.port);
	daemon_policy(&d, policy);
	ck_assert_int_eq(daemon_command(&d, NULL, "reload", "-c", d.config,
	                                NULL), 0);
	session("<a@example.net>", "alice");
	ck_assert(daemon_logs(&d, ": notify: rule=new "));
	ck_assert(daemon_logs(&d, " shadow=noted text=\"boss@example.org\""));
	ck_assert_int_eq(daemon_stop(&d), 0);
	ck_assert(daemon_is_clean(&d));
	ck_assert_uint_eq(atomic_load(&server.mails), 3);
	daemon_end(&d);
	stop_server(&server);
}
END_TEST

START_TEST(what_waits_when_the_filter_ends_is_sent_or_told)
{
	char policy[512];

	start_server(&server);
	atomic_store(&server.mood, SAYS_NOTHING);
	snprintf(policy, sizeof(policy),
	         "set notify-server \"127.0.0.1:%u\"\n"
	         "rule all  if auth  notify boss@example.org\n", server.port);
	daemon_prepare(&d, policy);
	ck_assert_int_eq(daemon_start(&d, NULL), 0);
	session("<a@example.net>", "alice");
	session("<a@example.net>", "bob");
	wait_for(&server.sessions, 1);
	ck_assert_int_eq(daemon_stop(&d), 0);
	ck_assert(daemon_logged(&d, "is not sent: vaglio ends"));
	ck_assert(daemon_is_clean(&d));
	daemon_end(&d);
	stop_server(&server);
}
END_TEST

CHECK_MAIN("notice",
	a_notice_is_an_automatic_mail_with_a_fact_on_a_line,
	no_byte_of_a_stranger_leaves_its_line,
	addresses_that_could_break_out_get_no_notice,
	a_rule_an_address_and_a_login_have_one_in_their_time,
	a_notice_gives_rise_to_no_notice,
	a_notice_that_is_refused_is_a_line_in_the_log,
	a_server_that_goes_is_tried_again,
	nobody_waits_and_the_queue_has_an_end,
	the_filter_tells_of_what_it_refuses_and_lets_in,
	what_waits_when_the_filter_ends_is_sent_or_told)
