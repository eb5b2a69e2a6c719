/*
 * test_protocol.c - the real filter on a real socket, against an MTA's side
 * that is old, new, slow, chatty, confused or hostile.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#include "check.h"
#include "control.h"
#include "daemon.h"
#include "mta.h"

#define GOOD "<good@example.org>"
#define BAD "<bad@example.org>"
#define LATER "<later@example.org>"
#define RCPT "<user@example.com>"

#define ALL_NO                                                            \
	(SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NOMAIL | SMFIP_NORCPT |   \
	 SMFIP_NOBODY | SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOUNKNOWN |    \
	 SMFIP_NODATA)
#define ALL_NR                                                            \
	(SMFIP_NR_HDR | SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL |   \
	 SMFIP_NR_RCPT | SMFIP_NR_DATA | SMFIP_NR_UNKN | SMFIP_NR_EOH |   \
	 SMFIP_NR_BODY)

static const char senders[] =
	"rule bad-sender\n"
	"  if sender is bad@example.org\n"
	"  reject 550 5.7.1 \"100% bad: ${sender}\"\n"
	"rule later-sender\n"
	"  if sender is later@example.org\n"
	"  tempfail 451 4.7.1 \"come back\"\n";

static const char every_stage[] =
	"rule no-client if client is 192.0.2.66\n"
	"  reject 554 5.7.1 \"not from ${client}\"\n"
	"rule no-helo if helo is bad.example.net\n"
	"  reject 550 5.7.1 \"not from ${helo}\"\n"
	"rule no-sender if sender is bad@example.org\n"
	"  reject 550 5.7.1 \"100% bad: ${sender}\"\n"
	"rule later    if sender is later@example.org\n"
	"  tempfail 451 4.7.1 \"come back\"\n"
	"rule no-rcpt if rcpt is nobody@example.com\n"
	"  reject 550 5.1.1 \"no such user: ${rcpt}\"\n"
	"rule many     if rcpt.count > 1500\n"
	"  reject 550 5.5.3 \"too many: ${rcpt.count}\"\n"
	"rule no-subject if subject contains forbidden\n"
	"  reject 554 5.7.1 \"first line\\nsecond line\"\n"
	"rule no-body if raw body contains \"virus\"\n"
	"  reject 554 5.7.1 \"a virus\"\n"
	"rule mark     if subject contains mark\n"
	"  add header \"X-Mark\" \"yes\"\n";

static struct daemon d;

static void
up(const char *policy)
{
	daemon_prepare(&d, policy);
	ck_assert_int_eq(daemon_start(&d, NULL), 0);
}

/* Whatever was sent, it ends well and its sanitizers have nothing to say. */
static void
down(void)
{
	ck_assert_int_eq(daemon_stop(&d), 0);
	ck_assert(daemon_is_clean(&d));
	daemon_end(&d);
}

static struct mta *
meet(void)
{
	struct mta *m = mta_meet(d.socket);

	ck_assert_ptr_nonnull(m);
	return m;
}

static int
one_message(const char *sender, const char *subject)
{
	struct mta *m = meet();
	int got = mta_session(m, sender, RCPT, subject);

	mta_quit(m);
	mta_close(m);
	return got;
}

static bool
is_let_in(int reply)
{
	return reply == SMFIR_ACCEPT || reply == SMFIR_CONTINUE;
}

static void
still_serves(void)
{
	ck_assert(is_let_in(one_message(GOOD, "hello")));
	ck_assert_int_eq(one_message(BAD, "hello"), SMFIR_REPLYCODE);
}

/* ---- negotiation ---- */

START_TEST(a_policy_of_senders_hears_no_header_and_no_body)
{
	struct mta *m;

	up(senders);
	m = meet();
	ck_assert_uint_eq(m->version, 6);
	ck_assert_uint_eq(m->steps & ALL_NO, SMFIP_NOUNKNOWN | SMFIP_NODATA |
	                  SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY);
	ck_assert_uint_eq(m->steps & ALL_NR,
	                  SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_RCPT);
	ck_assert_uint_eq(m->steps & SMFIP_HDR_LEADSPC, 0);
	ck_assert_uint_eq(m->steps & SMFIP_RCPT_REJ, 0);
	ck_assert_uint_eq(m->actions & (SMFIF_ADDHDRS | SMFIF_CHGHDRS |
	                  SMFIF_CHGBODY | SMFIF_QUARANTINE | SMFIF_CHGFROM |
	                  SMFIF_ADDRCPT), 0);
	mta_close(m);
	down();
}
END_TEST

START_TEST(macros_alone_want_no_header_and_no_body)
{
	struct mta *m;

	up("rule a  if macro \"{foo}\" is bar  prepend header \"X-A\" \"b\"\n");
	m = meet();
	ck_assert_uint_eq(m->steps & (SMFIP_NOHDRS | SMFIP_NOBODY),
	                  SMFIP_NOHDRS | SMFIP_NOBODY);
	ck_assert_uint_eq(m->actions & SMFIF_ADDHDRS, SMFIF_ADDHDRS);
	mta_connect(m, "a.example.net", "198.51.100.7");
	mta_mail(m, GOOD);
	mta_rcpt(m, RCPT);
	ck_assert(mta_macros(m, SMFIC_BODYEOB, "{foo}", "bar", NULL));
	ck_assert(is_let_in(mta_end(m)));
	ck_assert_str_eq(m->changes, "i 0 X-A: b\n");
	mta_close(m);
	down();
}
END_TEST

START_TEST(a_policy_of_every_stage_hears_every_stage)
{
	struct mta *m;

	up(every_stage);
	m = meet();
	ck_assert_uint_eq(m->steps & ALL_NO, SMFIP_NOUNKNOWN);
	ck_assert_uint_eq(m->steps & ALL_NR, SMFIP_NR_HDR);
	ck_assert_uint_eq(m->steps & SMFIP_SKIP, SMFIP_SKIP);
	ck_assert_uint_eq(m->actions & SMFIF_ADDHDRS, SMFIF_ADDHDRS);
	ck_assert_uint_eq(m->actions & SMFIF_CHGHDRS, 0);
	mta_close(m);
	down();
}
END_TEST

static bool
lists(const struct mta *m, int where, const char *name)
{
	char padded[4096], wanted[128];

	snprintf(padded, sizeof(padded), " %s ",
	         m->macros[where] != NULL ? m->macros[where] : "");
	snprintf(wanted, sizeof(wanted), " %s ", name);
	return strstr(padded, wanted) != NULL;
}

START_TEST(the_macros_asked_for_are_the_policys_and_the_logs)
{
	struct mta *m;

	up("rule a  if client.port < 1024 and daemon is ORIGINATING\n"
	   "  reject\n"
	   "rule b  if tls.cipher contains RC4 or macro \"{foo}\" is y\n"
	   "  reject\n");
	m = meet();
	ck_assert(lists(m, SMFIM_CONNECT, "{client_port}"));
	ck_assert(lists(m, SMFIM_CONNECT, "{daemon_name}"));
	ck_assert(lists(m, SMFIM_CONNECT, "{client_addr}"));
	ck_assert(!lists(m, SMFIM_CONNECT, "{client_ptr}"));
	ck_assert(lists(m, SMFIM_ENVFROM, "{cipher}"));
	ck_assert(lists(m, SMFIM_ENVFROM, "{auth_authen}"));
	ck_assert(lists(m, SMFIM_ENVFROM, "i"));
	ck_assert(!lists(m, SMFIM_ENVFROM, "{tls_version}"));
	ck_assert(lists(m, SMFIM_CONNECT, "{foo}"));
	ck_assert(lists(m, SMFIM_EOM, "{foo}"));
	ck_assert(lists(m, SMFIM_EOM, "i"));
	mta_close(m);
	down();
}
END_TEST

START_TEST(macros_reach_the_rules)
{
	struct mta *m;

	up("rule a  if auth is alice and queue-id is 4XyZ1\n"
	   "  reject 550 5.7.1 \"${auth} in ${queue-id}\"\n");
	m = meet();
	ck_assert_int_le(mta_connect(m, "a.example.net", "198.51.100.7"),
	                 'c');
	mta_helo(m, "a.example.net");
	ck_assert(mta_macros(m, SMFIC_MAIL, "i", "4XyZ1", "{auth_authen}",
	                     "alice", NULL));
	ck_assert_int_eq(mta_mail(m, GOOD), SMFIR_REPLYCODE);
	ck_assert_str_eq(m->text, "550 5.7.1 alice in 4XyZ1");
	mta_close(m);
	down();
}
END_TEST

/* What a peer that offers this much makes of the policy of every stage. */
static void
try_peer(unsigned version, unsigned actions, unsigned offered)
{
	static const struct {
		const char *sender, *rcpt, *subject, *text;
	} mails[] = {
		{GOOD, RCPT, "hello", NULL},
		{BAD, RCPT, "hello", "550 5.7.1 100%% bad: bad@example.org"},
		{LATER, RCPT, "hello", "451 4.7.1 come back"},
		{GOOD, "<nobody@example.com>", "hello",
		 "550 5.1.1 no such user: nobody@example.com"},
		{GOOD, RCPT, "forbidden", "554-5.7.1 first line\r\n"
		 "554 5.7.1 second line"},
		{GOOD, RCPT, "mark", NULL},
	};
	struct mta *m = mta_open(d.socket);
	size_t i;
	int got;

	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(mta_negotiate(m, version, actions, offered),
	                 SMFIC_OPTNEG);
	ck_assert_uint_eq(m->version, version);
	ck_assert_uint_eq(m->steps & ~offered, 0);
	ck_assert_uint_eq(m->actions & ~actions, 0);
	for (i = 0; i < sizeof(mails) / sizeof(mails[0]); i++) {
		if (i == 0)
			got = mta_session(m, mails[i].sender, mails[i].rcpt,
			                  mails[i].subject);
		else
			got = mta_message(m, mails[i].sender, mails[i].rcpt,
			                  mails[i].subject);
		if (mails[i].text == NULL) {
			ck_assert_msg(is_let_in(got), "%u %#x: mail %zu: %d",
			              version, offered, i, got);
			if (i > 0)
				ck_assert_str_eq(m->changes,
				                 "i 2147483647 X-Mark: yes\n");
			continue;
		}
		ck_assert_msg(got == SMFIR_REPLYCODE, "%u %#x: mail %zu: %d",
		              version, offered, i, got);
		ck_assert_str_eq(m->text, mails[i].text);
		mta_abort(m);
	}
	mta_quit(m);
	mta_close(m);
}

START_TEST(peers_of_every_version_are_served)
{
	unsigned version;

	up(every_stage);
	for (version = 2; version <= 6; version++) {
		try_peer(version, 0x3f, 0x3f);
		try_peer(version, 0x3f, 0x7f);
		try_peer(version, 0x7f, 0x3ff);
		try_peer(version, 0x1ff, MTA_STEPS);
	}
	down();
}
END_TEST

/* The bits of number, spread over those of mask. */
static unsigned
spread(unsigned number, unsigned mask)
{
	unsigned out = 0, bit;

	for (bit = 1; bit != 0 && bit <= mask; bit <<= 1) {
		if ((mask & bit) == 0)
			continue;
		if ((number & 1) != 0)
			out |= bit;
		number >>= 1;
	}
	return out;
}

START_TEST(every_combination_of_offered_no_replies_works)
{
	unsigned i;

	up(every_stage);
	for (i = 0; i < 512; i++)
		try_peer(6, MTA_ACTIONS,
		         (MTA_STEPS & ~(unsigned)ALL_NR) |
		         spread(i, ALL_NR));
	down();
}
END_TEST

/* Postfix sends the last piece so, and is not to wait in vain. */
START_TEST(a_piece_of_the_body_may_come_with_the_end)
{
	struct mta *m;
	const char *const bodies[] = {"a virus", "well"};
	size_t i;

	up(every_stage);
	for (i = 0; i < 2; i++) {
		m = mta_open(d.socket);
		ck_assert_ptr_nonnull(m);
		ck_assert_int_eq(mta_negotiate(m, 6, MTA_ACTIONS, MTA_STEPS &
		                 ~(unsigned)SMFIP_SKIP), SMFIC_OPTNEG);
		ck_assert_uint_eq(m->steps & SMFIP_NR_BODY, 0);
		mta_connect(m, "a.example.net", "198.51.100.7");
		mta_helo(m, "mail.example.net");
		mta_mail(m, GOOD);
		mta_rcpt(m, RCPT);
		mta_data(m);
		mta_header(m, "Subject", "a");
		mta_end_of_headers(m);
		ck_assert(mta_send(m, SMFIC_BODYEOB, bodies[i],
		                   strlen(bodies[i])));
		if (i == 0)
			ck_assert_int_eq(mta_reply(m), SMFIR_REPLYCODE);
		else
			ck_assert(is_let_in(mta_reply(m)));
		mta_close(m);
	}
	down();
}
END_TEST

/*
 * libmilter would answer twice, and each answer from then on would be taken
 * for that to the command before.
 */
START_TEST(a_failure_at_the_last_piece_is_answered_once)
{
	static char piece[65535];
	struct mta *m;
	int i;

	up("set memory-limit 1M\n"
	   "rule no-body if raw body contains \"virus\" reject\n"
	   "rule no-rcpt if rcpt is nobody@example.com reject");
	m = meet();
	mta_connect(m, "a.example.net", "198.51.100.7");
	mta_helo(m, "mail.example.net");
	mta_mail(m, GOOD);
	mta_rcpt(m, RCPT);
	memset(piece, 'x', sizeof(piece));
	piece[sizeof(piece) - 1] = '\0';
	for (i = 0; i < 6; i++)
		mta_header(m, "X", piece + 5000);
	for (i = 0; i < 8; i++)
		ck_assert_int_eq(mta_body(m, piece, sizeof(piece)),
		                 SMFIR_CONTINUE);
	ck_assert(mta_send(m, SMFIC_BODYEOB, piece, 1000));
	ck_assert_int_eq(mta_reply(m), SMFIR_REPLYCODE);
	ck_assert_int_eq(m->text[0], '4');
	mta_abort(m);
	mta_mail(m, GOOD);
	ck_assert_int_eq(mta_rcpt(m, RCPT), SMFIR_CONTINUE);
	ck_assert_int_eq(mta_rcpt(m, "<nobody@example.com>"),
	                 SMFIR_REPLYCODE);
	ck_assert(is_let_in(mta_end(m)));
	mta_close(m);
	down();
}
END_TEST

/* Without a bit the step is sent, wanted or not. */
START_TEST(every_combination_of_offered_steps_works)
{
	unsigned i, offered;
	struct mta *m;

	up(senders);
	for (i = 0; i < 512; i++) {
		offered = (MTA_STEPS & ~(unsigned)ALL_NO) | spread(i, ALL_NO);
		m = mta_open(d.socket);
		ck_assert_ptr_nonnull(m);
		ck_assert_int_eq(mta_negotiate(m, 6, MTA_ACTIONS, offered),
		                 SMFIC_OPTNEG);
		ck_assert(is_let_in(mta_session(m, GOOD, RCPT, "a")));
		ck_assert_int_eq(mta_message(m, BAD, RCPT, "a"),
		                 SMFIR_REPLYCODE);
		ck_assert_int_eq(mta_message(m, LATER, RCPT, "a"),
		                 SMFIR_REPLYCODE);
		mta_close(m);
	}
	down();
}
END_TEST

START_TEST(a_peer_of_version_1_is_turned_away)
{
	struct mta *m;

	up(senders);
	m = mta_open(d.socket);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(mta_negotiate(m, 1, 0xf, 0x3f), MTA_GONE);
	mta_close(m);
	still_serves();
	down();
}
END_TEST

/* ---- odd orders ---- */

START_TEST(each_stage_gives_its_refusal)
{
	struct mta *m;

	up(every_stage);
	m = meet();
	ck_assert_int_eq(mta_connect(m, "[192.0.2.66]", "192.0.2.66"),
	                 SMFIR_REPLYCODE);
	ck_assert_str_eq(m->text, "554 5.7.1 not from 192.0.2.66");
	mta_close(m);
	m = meet();
	ck_assert_int_eq(mta_connect(m, "a.example.net", "198.51.100.7"), 'c');
	ck_assert_int_eq(mta_helo(m, "bad.example.net"), SMFIR_REPLYCODE);
	ck_assert_str_eq(m->text, "550 5.7.1 not from bad.example.net");
	mta_close(m);
	m = meet();
	ck_assert_int_eq(mta_connect(m, "a.example.net", "198.51.100.7"), 'c');
	ck_assert_int_eq(mta_mail(m, GOOD), 'c');
	ck_assert_int_eq(mta_rcpt(m, RCPT), 'c');
	ck_assert_int_eq(mta_rcpt(m, "<nobody@example.com>"),
	                 SMFIR_REPLYCODE);
	ck_assert_int_eq(mta_data(m), 'c');
	ck_assert_int_eq(mta_header(m, "Subject", "a"), MTA_NONE);
	ck_assert_int_eq(mta_end_of_headers(m), 'c');
	ck_assert_int_eq(mta_body(m, "a vi", 4), 'c');
	ck_assert_int_eq(mta_body(m, "rus\r\n", 5), 'c');
	ck_assert_int_eq(mta_end(m), SMFIR_REPLYCODE);
	ck_assert_str_eq(m->text, "554 5.7.1 a virus");
	mta_close(m);
	down();
}
END_TEST

START_TEST(mail_without_connect_is_filtered)
{
	struct mta *m;

	up(every_stage);
	m = meet();
	ck_assert_int_eq(mta_message(m, BAD, RCPT, "a"), SMFIR_REPLYCODE);
	mta_abort(m);
	ck_assert(is_let_in(mta_message(m, GOOD, RCPT, "a")));
	mta_close(m);
	m = meet();
	ck_assert_int_eq(mta_helo(m, "bad.example.net"), SMFIR_REPLYCODE);
	mta_close(m);
	down();
}
END_TEST

START_TEST(commands_before_the_negotiation_are_deferred)
{
	static const char mail[] = "\0\0\0\x07M<a@b>";
	struct mta *m;

	up(senders);
	m = mta_open(d.socket);
	ck_assert_ptr_nonnull(m);
	ck_assert(mta_send_raw(m, mail, sizeof(mail)));
	ck_assert_int_eq(mta_reply(m), SMFIR_REPLYCODE);
	ck_assert_int_eq(strncmp(m->text, "451 4.3.0 ", 10), 0);
	ck_assert_int_eq(mta_message(m, GOOD, RCPT, "a"), SMFIR_REPLYCODE);
	mta_close(m);
	still_serves();
	ck_assert(daemon_logged(&d, "before the negotiation"));
	down();
}
END_TEST

/* 'K' ends an SMTP session, and another begins that was not negotiated. */
START_TEST(a_session_without_its_own_negotiation_is_deferred)
{
	struct mta *m;

	up(every_stage);
	m = meet();
	ck_assert(is_let_in(mta_session(m, GOOD, RCPT, "a")));
	ck_assert(mta_send(m, SMFIC_UNKNOWN, "XYZ", 4)); /* libmilter takes
	                                                    a 'K' after it */
	ck_assert_int_eq(mta_reply(m), 'c');
	ck_assert(mta_send(m, SMFIC_QUIT_NC, NULL, 0));
	ck_assert_int_eq(mta_connect(m, "a.example.net", "198.51.100.7"),
	                 SMFIR_REPLYCODE);
	ck_assert_int_eq(m->text[0], '4');
	mta_close(m);
	still_serves();
	down();
}
END_TEST

/* The steps of a message, one by one. */
static int
nth_step(struct mta *m, unsigned n)
{
	switch (n) {
	case 0:
		return mta_helo(m, "mail.example.net");
	case 1:
		return mta_mail(m, GOOD);
	case 2:
		return mta_rcpt(m, RCPT);
	case 3:
		return mta_data(m);
	case 4:
		return mta_header(m, "Subject", "mark");
	case 5:
		return mta_end_of_headers(m);
	default:
		return mta_body(m, "virus", 5);
	}
}

START_TEST(an_abort_anywhere_leaves_nothing_behind)
{
	unsigned n, i, times;
	struct mta *m;

	up(every_stage);
	for (n = 0; n <= 6; n++) {
		for (times = 1; times <= 3; times++) {
			m = meet();
			mta_connect(m, "a.example.net", "198.51.100.7");
			for (i = 0; i <= n; i++)
				nth_step(m, i);
			for (i = 0; i < times; i++)
				ck_assert(mta_abort(m));
			ck_assert(is_let_in(mta_message(m, GOOD, RCPT, "a")));
			ck_assert_int_eq(mta_message(m, BAD, RCPT, "a"),
			                 SMFIR_REPLYCODE);
			ck_assert(mta_abort(m));
			ck_assert(is_let_in(mta_message(m, GOOD, RCPT, "a")));
			mta_close(m);
		}
	}
	down();
}
END_TEST

START_TEST(a_connection_may_close_after_any_step)
{
	unsigned n, i;
	struct mta *m;

	up(every_stage);
	for (n = 0; n <= 6; n++) {
		m = meet();
		mta_connect(m, "a.example.net", "198.51.100.7");
		for (i = 0; i <= n; i++)
			nth_step(m, i);
		if (n % 2 == 0)
			mta_quit(m);
		mta_close(m);
	}
	still_serves();
	down();
}
END_TEST

/* After a refusal in the header there is no abort. */
START_TEST(a_refused_header_does_not_touch_the_next_message)
{
	struct mta *m;
	unsigned i;

	up(every_stage);
	m = meet();
	ck_assert_int_eq(mta_session(m, GOOD, RCPT, "forbidden"),
	                 SMFIR_REPLYCODE);
	for (i = 0; i < 3; i++) {
		ck_assert(is_let_in(mta_message(m, GOOD, RCPT, "mark")));
		ck_assert_str_eq(m->changes, "i 2147483647 X-Mark: yes\n");
		ck_assert_int_eq(mta_message(m, GOOD, RCPT, "forbidden"),
		                 SMFIR_REPLYCODE);
	}
	mta_close(m);
	down();
}
END_TEST

START_TEST(several_helos_count_as_the_last)
{
	struct mta *m;

	up(every_stage);
	m = meet();
	mta_connect(m, "a.example.net", "198.51.100.7");
	ck_assert_int_eq(mta_helo(m, "one.example.net"), 'c');
	ck_assert_int_eq(mta_helo(m, "two.example.net"), 'c');
	ck_assert_int_eq(mta_mail(m, BAD), SMFIR_REPLYCODE);
	ck_assert_int_eq(mta_helo(m, "bad.example.net"), SMFIR_REPLYCODE);
	mta_close(m);
	ck_assert(daemon_logs(&d, "helo=<two.example.net>"));
	ck_assert(!daemon_logged(&d, "helo=<one.example.net>"));
	down();
}
END_TEST

/* ---- replies ---- */

START_TEST(a_reply_is_that_of_its_own_verdict)
{
	static const char *const order[] = {BAD, LATER, GOOD, LATER, BAD, BAD,
	                                    GOOD, GOOD, LATER};
	struct mta *m;
	size_t i;
	int got;

	up(every_stage);
	m = meet();
	mta_connect(m, "a.example.net", "198.51.100.7");
	for (i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		ck_assert_int_eq(mta_helo(m, "a.example.net"), 'c');
		free(m->text);
		m->text = NULL;
		got = mta_mail(m, order[i]);
		if (order[i][1] == 'g') {
			ck_assert_int_eq(got, 'c');
			ck_assert_ptr_null(m->text);
			mta_abort(m);
			continue;
		}
		ck_assert_int_eq(got, SMFIR_REPLYCODE);
		ck_assert_str_eq(m->text, order[i][1] == 'b' ?
		                 "550 5.7.1 100%% bad: bad@example.org" :
		                 "451 4.7.1 come back");
	}
	mta_close(m);
	down();
}
END_TEST

/* The text is a stranger's. */
START_TEST(a_reply_has_no_format_no_controls_and_no_eighth_bit)
{
	static const char helo[] = "a%s%n\x01\xff\xc3\xa9.example.org";
	struct mta *m;
	const char *p;

	up("rule r  if helo contains example\n"
	   "  reject 550 5.7.1 \"no: ${helo}\"\n");
	m = meet();
	ck_assert_int_eq(mta_helo(m, helo), SMFIR_REPLYCODE);
	for (p = m->text; *p != '\0'; p++) {
		ck_assert(*p >= ' ' && *p < 127);
		if (*p == '%') {
			ck_assert_int_eq(p[1], '%');
			p++;
		}
	}
	ck_assert_ptr_nonnull(strstr(m->text, "%%s%%n"));
	mta_close(m);
	down();
}
END_TEST

/* ---- changes ---- */

START_TEST(changes_are_made_in_portable_order)
{
	struct mta *m;

	up("rule a\n"
	   "  remove header \"X-Old\"\n"
	   "  add header \"X-New\" \"n\"\n"
	   "  prepend header \"X-Top\" \"t\"\n"
	   "  add rcpt copy@example.com\n"
	   "  replace sender new@example.org\n"
	   "  quarantine \"look at it\"\n");
	m = meet();
	mta_connect(m, "a.example.net", "198.51.100.7");
	mta_mail(m, GOOD);
	mta_rcpt(m, RCPT);
	mta_data(m);
	mta_header(m, "X-Old", "one");
	mta_header(m, "Subject", "s");
	mta_header(m, "x-old", "two");
	mta_end_of_headers(m);
	ck_assert(is_let_in(mta_end(m)));
	ck_assert_ptr_nonnull(m->changes);
	ck_assert_ptr_nonnull(strstr(m->changes, "i 2147483647 X-New: n\n"));
	ck_assert_ptr_nonnull(strstr(m->changes, " X-Top: t\n"));
	ck_assert_ptr_nonnull(strstr(m->changes, "+ <copy@example.com>\n"));
	ck_assert_ptr_nonnull(strstr(m->changes, "e <new@example.org>\n"));
	ck_assert_ptr_nonnull(strstr(m->changes, "q look at it\n"));
	/* The second goes first: Postfix counts anew after it. */
	ck_assert_ptr_nonnull(strstr(m->changes, "m 2 "));
	ck_assert_ptr_nonnull(strstr(m->changes, "m 1 "));
	ck_assert(strstr(m->changes, "m 2 ") < strstr(m->changes, "m 1 "));
	mta_close(m);
	down();
}
END_TEST

/* An old MTA lets no filter change the sender. */
START_TEST(a_message_that_can_not_be_changed_is_deferred)
{
	struct mta *m;

	up("rule a  replace sender new@example.org\n");
	m = mta_open(d.socket);
	ck_assert_ptr_nonnull(m);
	ck_assert_int_eq(mta_negotiate(m, 2, 0x3f, 0x7f), SMFIC_OPTNEG);
	ck_assert_int_eq(mta_session(m, GOOD, RCPT, "a"), SMFIR_REPLYCODE);
	ck_assert_int_eq(strncmp(m->text, "451 4.3.0 ", 10), 0);
	mta_close(m);
	ck_assert(daemon_logs(&d, "the MTA does not let us change the sender"));
	down();
}
END_TEST

/* ---- sizes ---- */

START_TEST(a_thousand_recipients_are_each_answered)
{
	struct mta *m;
	char rcpt[64];
	unsigned i;

	up(every_stage);
	m = meet();
	mta_connect(m, "a.example.net", "198.51.100.7");
	ck_assert_int_eq(mta_mail(m, GOOD), 'c');
	for (i = 0; i < 1600; i++) {
		snprintf(rcpt, sizeof(rcpt), "<user%u@example.com>", i);
		ck_assert_int_eq(mta_rcpt(m, rcpt), 'c');
		if (i % 100 == 0)
			ck_assert_int_eq(mta_rcpt(m, "<nobody@example.com>"),
			                 SMFIR_REPLYCODE);
	}
	ck_assert_int_eq(mta_data(m), SMFIR_REPLYCODE);
	ck_assert_str_eq(m->text, "550 5.5.3 too many: 1600");
	mta_close(m);
	down();
}
END_TEST

START_TEST(a_huge_header_is_deferred_and_not_cut)
{
	struct mta *m;
	char *big = malloc(60001);
	unsigned i;
	int got = MTA_NONE;

	ck_assert_ptr_nonnull(big);
	memset(big, 'x', 60000);
	big[60000] = '\0';
	up(every_stage);
	m = meet();
	mta_connect(m, "a.example.net", "198.51.100.7");
	mta_mail(m, GOOD);
	mta_rcpt(m, RCPT);
	mta_data(m);
	for (i = 0; i < 100; i++) /* 6 MB */
		ck_assert_int_eq(mta_header(m, "X-Big", big), MTA_NONE);
	got = mta_end_of_headers(m);
	ck_assert_int_eq(got, SMFIR_REPLYCODE);
	ck_assert_int_eq(m->text[0], '4');
	ck_assert(is_let_in(mta_message(m, GOOD, RCPT, big)));
	mta_close(m);
	free(big);
	down();
}
END_TEST

START_TEST(twenty_thousand_fields_are_deferred)
{
	struct mta *m;
	unsigned i;

	up("rule a  if header \"X-A\" is b  reject\n");
	m = meet();
	mta_mail(m, GOOD);
	mta_rcpt(m, RCPT);
	for (i = 0; i < 20000; i++)
		ck_assert_int_eq(mta_header(m, "X-A", "a"), MTA_NONE);
	ck_assert_int_eq(mta_end_of_headers(m), SMFIR_REPLYCODE);
	ck_assert_int_eq(m->text[0], '4');
	mta_close(m);

	down();
}
END_TEST

/* ---- garbage ---- */

/* A reproducible stream of numbers. */
static uint32_t
next(uint32_t *state)
{
	*state = *state * 1664525U + 1013904223U;
	return *state >> 8;
}

START_TEST(garbage_does_no_harm)
{
	uint32_t state = 4711;
	unsigned char bytes[256];
	unsigned i;
	struct mta *m;
	size_t n, k;

	up(every_stage);
	for (i = 0; i < 400; i++) {
		m = i % 2 == 0 ? meet() : mta_open(d.socket);
		ck_assert_ptr_nonnull(m);
		n = next(&state) % sizeof(bytes) + 1;
		for (k = 0; k < n; k++)
			bytes[k] = (unsigned char)next(&state);
		mta_send_raw(m, bytes, n);
		mta_close(m);
	}
	still_serves();
	down();
}
END_TEST

/* Each command with data that ends too early or says nothing. */
START_TEST(truncated_packets_do_no_harm)
{
	static const char commands[] = "ABCEHLMNOQRTUKDxyz0";
	static const struct {
		const char *data;
		size_t n;
	} cuts[] = {
		{"", 0}, {"", 1}, {"a", 1}, {"a\0", 2}, {"a\0b", 3},
		{"\0\0\0", 3}, {"a\0" "4", 3}, {"a\0" "4\0\0", 5},
		{"a\0" "4\0\0x", 6}, {"a\0L\0\0/", 6}, {"a\0" "6\0\0::g\0", 9},
		{"<", 1}, {"<\0=\0", 4},
	};
	struct mta *m;
	size_t i, k;

	up(every_stage);
	for (i = 0; i < sizeof(commands) - 1; i++) {
		for (k = 0; k < sizeof(cuts) / sizeof(cuts[0]); k++) {
			/* An odd number of macros is read past its end by
			 * libmilter itself: the socket is the MTA's alone. */
			if (commands[i] == 'D')
				continue;
			m = meet();
			mta_send(m, commands[i], cuts[k].data, cuts[k].n);
			mta_close(m);
			m = meet();
			mta_mail(m, GOOD);
			mta_rcpt(m, RCPT);
			mta_send(m, commands[i], cuts[k].data, cuts[k].n);
			mta_close(m);
		}
	}
	still_serves();
	down();
}
END_TEST

START_TEST(lengths_that_lie_do_no_harm)
{
	static const unsigned char lies[][5] = {
		{0, 0, 0, 0, 'M'}, {0xff, 0xff, 0xff, 0xff, 'M'},
		{0x7f, 0xff, 0xff, 0xff, 'M'}, {0x80, 0, 0, 0, 'M'},
		{0, 1, 0, 1, 'M'}, {0, 0, 0x10, 0, 'B'},
	};
	struct mta *m;
	size_t i;

	up(every_stage);
	for (i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		m = meet();
		mta_mail(m, GOOD);
		mta_send_raw(m, lies[i], sizeof(lies[i]));
		mta_send_raw(m, "tail", 4);
		mta_close(m);
	}
	still_serves();
	down();
}
END_TEST

/*
 * libmilter counts a worker as idle until it has woken up, so a session may
 * be left to one that half a packet keeps; the next connection frees it.
 */
static struct mta *
meet_beside_others(void)
{
	struct mta *m[5];
	size_t i, n = 0;

	do {
		ck_assert_uint_lt(n, 5);
		m[n] = mta_open(d.socket);
		ck_assert_ptr_nonnull(m[n]);
		m[n]->patience = 2000;
	} while (mta_negotiate(m[n++], MTA_VERSION, MTA_ACTIONS, MTA_STEPS) !=
	         SMFIC_OPTNEG);
	for (i = 0; i + 1 < n; i++)
		mta_close(m[i]);
	return m[n - 1];
}

START_TEST(half_a_packet_holds_up_nobody)
{
	struct mta *half[32], *m;
	unsigned tries = 0;
	size_t i;
	int got;

	up(every_stage);
	for (i = 0; i < 32; i++) {
		half[i] = meet_beside_others();
		ck_assert(mta_send_raw(half[i], "\0\0\0\x20M<a@ex", 11));
	}
	do {
		m = meet_beside_others();
		got = mta_session(m, BAD, RCPT, "a");
		mta_close(m);
	} while (got == MTA_SILENT && ++tries < 5);
	ck_assert_int_eq(got, SMFIR_REPLYCODE);
	for (i = 0; i < 32; i++)
		mta_close(half[i]);
	still_serves();
	down();
}
END_TEST

START_TEST(a_peer_that_sends_byte_by_byte_is_served)
{
	struct mta *m;

	up(every_stage);
	m = meet();
	m->piece = 1;
	ck_assert(is_let_in(mta_session(m, GOOD, RCPT, "mark")));
	ck_assert_str_eq(m->changes, "i 2147483647 X-Mark: yes\n");
	ck_assert_int_eq(mta_message(m, GOOD, RCPT, "forbidden"),
	                 SMFIR_REPLYCODE);
	mta_close(m);
	down();
}
END_TEST

/* ---- reload ---- */

static const char refuses_good[] =
	"rule good  if sender is good@example.org\n"
	"  reject 550 5.7.1 \"not good enough\"\n";

static int
reload(const char *out)
{
	return daemon_command(&d, out, "reload", "-c", d.config, NULL);
}

START_TEST(a_session_keeps_the_policy_that_it_began_with)
{
	struct mta *before, *after;

	up(senders);
	before = meet();
	mta_connect(before, "a.example.net", "198.51.100.7");
	daemon_policy(&d, refuses_good);
	ck_assert_int_eq(reload(NULL), 0);
	after = meet();
	ck_assert(is_let_in(mta_message(before, GOOD, RCPT, "a")));
	ck_assert_int_eq(mta_message(before, BAD, RCPT, "a"),
	                 SMFIR_REPLYCODE);
	ck_assert_int_eq(mta_session(after, GOOD, RCPT, "a"),
	                 SMFIR_REPLYCODE);
	ck_assert_str_eq(after->text, "550 5.7.1 not good enough");
	mta_abort(after);
	ck_assert(is_let_in(mta_message(after, BAD, RCPT, "a")));
	mta_close(before);
	mta_close(after);
	ck_assert(daemon_logs(&d, "the policy was reloaded"));
	down();
}
END_TEST

START_TEST(a_bad_policy_is_refused_and_the_old_one_stays)
{
	char *said, out[128];

	up(senders);
	snprintf(out, sizeof(out), "%s/said", d.dir);
	daemon_policy(&d, "rule x  if sendr is a@example.org  reject\n");
	ck_assert_int_eq(reload(out), EX_CONFIG);
	said = read_file(out);
	ck_assert_ptr_nonnull(strstr(said, "unknown subject \"sendr\""));
	free(said);
	still_serves();
	/* Its own tests fail. */
	daemon_policy(&d, "rule x  if sender is a@example.org  reject\n"
	                  "test \"t\"  sender a@example.org\n"
	                  "  rcpt b@example.com  expect accept\n");
	ck_assert_int_eq(reload(out), EX_CONFIG);
	still_serves();
	kill(d.pid, SIGUSR1);
	ck_assert(daemon_logs(&d, "the new policy is refused"));
	still_serves();
	down();
}
END_TEST

START_TEST(sigusr1_reloads_too)
{
	up(senders);
	daemon_policy(&d, refuses_good);
	kill(d.pid, SIGUSR1);
	ck_assert(daemon_logs(&d, "the policy was reloaded"));
	ck_assert_int_eq(one_message(GOOD, "a"), SMFIR_REPLYCODE);
	down();
}
END_TEST

START_TEST(reload_says_when_no_filter_runs)
{
	daemon_prepare(&d, senders);
	ck_assert_int_eq(reload(NULL), EX_UNAVAILABLE);
	daemon_end(&d);
}
END_TEST

START_TEST(only_a_restart_moves_the_socket_and_reload_says_so)
{
	char policy[512], out[128], *said;
	FILE *f;

	up(senders);
	snprintf(out, sizeof(out), "%s/said", d.dir);
	snprintf(policy, sizeof(policy), "set socket \"unix:%s.other\"\n"
	         "set log stderr\n%s", d.socket, refuses_good);
	f = fopen(d.config, "w");
	ck_assert_ptr_nonnull(f);
	fputs(policy, f);
	fclose(f);
	ck_assert_int_eq(daemon_command(&d, out, "reload", "-c", d.config,
	                                "-p", d.socket, NULL), 0);
	said = read_file(out);
	ck_assert_ptr_nonnull(strstr(said, "\"socket\""));
	free(said);
	ck_assert_int_eq(one_message(GOOD, "a"), SMFIR_REPLYCODE);
	down();
}
END_TEST

/*
 * Under one policy the sender's verdict falls at MAIL, under the other at
 * the end of the header: a session that saw both would give neither, or two.
 */
static int
load_child(int until)
{
	struct pollfd over = {.fd = until, .events = POLLIN};
	struct mta *m;
	int got;

	while (poll(&over, 1, 0) == 0) {
		m = mta_meet(d.socket);
		if (m == NULL)
			return 1;
		got = mta_session(m, GOOD, RCPT, "forbidden");
		if (got != SMFIR_REPLYCODE)
			return 2;
		got = strcmp(m->text, (m->steps & SMFIP_NOHDRS) != 0 ?
		             "550 5.7.1 not good enough" :
		             "550 5.7.1 forbidden here");
		mta_close(m);
		if (got != 0)
			return 3;
	}
	return 0;
}

START_TEST(a_hundred_reloads_under_load_mix_no_session)
{
	static const char headers[] =
		"rule s  if subject is forbidden\n"
		"  reject 550 5.7.1 \"forbidden here\"\n";
	int until[2], i, status;
	pid_t child[2];
	FILE *null = fopen("/dev/null", "w");

	ck_assert_ptr_nonnull(null);
	up(headers);
	ck_assert_int_eq(pipe(until), 0);
	for (i = 0; i < 2; i++) {
		child[i] = fork();
		if (child[i] == 0) {
			close(until[1]);
			_exit(load_child(until[0]));
		}
	}
	close(until[0]);
	for (i = 0; i < 100; i++) {
		daemon_policy(&d, i % 2 == 0 ? refuses_good : headers);
		ck_assert_int_eq(control_ask(d.socket, SPAN("reload\n"), null, null), 0);
	}
	close(until[1]);
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(waitpid(child[i], &status, 0), child[i]);
		ck_assert_int_eq(status, 0);
	}
	fclose(null);
	ck_assert_uint_eq(daemon_count(&d, "the policy was reloaded"), 100);
	down();
}
END_TEST

/* ---- the end ---- */

START_TEST(sigterm_in_mid_session_ends_cleanly)
{
	struct mta *idle, *busy;
	int got;

	up(every_stage);
	idle = meet();
	mta_connect(idle, "a.example.net", "198.51.100.7");
	busy = meet();
	mta_connect(busy, "a.example.net", "198.51.100.7");
	ck_assert_int_eq(mta_mail(busy, GOOD), 'c');
	ck_assert_int_eq(mta_rcpt(busy, RCPT), 'c');
	kill(d.pid, SIGTERM);
	got = mta_data(busy);
	ck_assert(got == MTA_GONE || got == 'c' || got == 't');
	if (got == 'c') {
		mta_header(busy, "Subject", "mark");
		got = mta_end_of_headers(busy);
	}
	ck_assert_int_eq(daemon_wait(&d), 0);
	ck_assert_int_eq(mta_helo(idle, "a.example.net"), MTA_GONE);
	mta_close(idle);
	mta_close(busy);
	ck_assert_int_ne(access(d.socket, F_OK), 0);
	ck_assert(daemon_logged(&d, "vaglio ends"));
	ck_assert(daemon_is_clean(&d));
	daemon_end(&d);
}
END_TEST

START_TEST(the_end_under_load_changes_nothing_by_half)
{
	int i, got, status;
	struct mta *m;
	pid_t child[3];

	up("rule a\n  add header \"X-A\" \"1\"\n  add header \"X-B\" \"2\"\n"
	   "  prepend header \"X-C\" \"3\"\n");
	for (i = 0; i < 3; i++) {
		child[i] = fork();
		if (child[i] != 0)
			continue;
		for (;;) {
			m = mta_meet(d.socket);
			if (m == NULL)
				_exit(0);
			got = mta_session(m, GOOD, RCPT, "a");
			if (is_let_in(got) && (m->changes == NULL ||
			    strstr(m->changes, "X-A") == NULL ||
			    strstr(m->changes, "X-B") == NULL ||
			    strstr(m->changes, "X-C") == NULL))
				_exit(1);
			if (!is_let_in(got) && got != MTA_GONE)
				_exit(2);
			mta_close(m);
		}
	}
	for (i = 0; i < 50; i++)
		ck_assert(is_let_in(one_message(GOOD, "a")));
	ck_assert_int_eq(daemon_stop(&d), 0);
	for (i = 0; i < 3; i++) {
		ck_assert_int_eq(waitpid(child[i], &status, 0), child[i]);
		ck_assert_int_eq(status, 0);
	}
	ck_assert(daemon_is_clean(&d));
	daemon_end(&d);
}
END_TEST

/* ---- the socket ---- */

START_TEST(a_stale_socket_is_replaced)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;

	daemon_prepare(&d, senders);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", d.socket);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	close(fd);
	ck_assert_int_eq(daemon_start(&d, NULL), 0);
	still_serves();
	/* Killed, it leaves one itself. */
	kill(d.pid, SIGKILL);
	ck_assert_int_eq(daemon_wait(&d), 128 + SIGKILL);
	ck_assert_int_eq(access(d.socket, F_OK), 0);
	ck_assert_int_eq(daemon_start(&d, NULL), 0);
	still_serves();
	down();
}
END_TEST

START_TEST(a_second_instance_does_not_start)
{
	up(senders);
	ck_assert_int_eq(daemon_command(&d, d.log, "-f", "-c", d.config,
	                                NULL), EX_UNAVAILABLE);
	ck_assert(daemon_logged(&d, "another vaglio is running"));
	still_serves();
	ck_assert_int_eq(reload(NULL), 0);
	down();
}
END_TEST

START_TEST(another_programs_socket_is_left_alone)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd;

	daemon_prepare(&d, senders);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", d.socket);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(daemon_start(&d, NULL), EX_UNAVAILABLE);
	ck_assert(daemon_logged(&d, "another program answers"));
	ck_assert_int_eq(access(d.socket, F_OK), 0);
	close(fd);
	daemon_end(&d);
}
END_TEST

START_TEST(a_file_in_the_sockets_place_is_left_alone)
{
	FILE *f;

	daemon_prepare(&d, senders);
	f = fopen(d.socket, "w");
	ck_assert_ptr_nonnull(f);
	fclose(f);
	ck_assert_int_eq(daemon_start(&d, NULL), EX_CANTCREAT);
	ck_assert(daemon_logged(&d, "is not a socket"));
	ck_assert_int_eq(access(d.socket, F_OK), 0);
	daemon_end(&d);
}
END_TEST

static int
listening(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	ck_assert_int_eq(listen(fd, 64), 0);
	return fd;
}

START_TEST(a_socket_that_systemd_passes_is_taken_and_kept)
{
	daemon_prepare(&d, senders);
	d.pass = listening(d.socket);
	d.listen_fds = true;
	ck_assert_int_eq(daemon_start(&d, NULL), 0);
	still_serves();
	ck_assert_int_eq(reload(NULL), 0);
	ck_assert_int_eq(daemon_stop(&d), 0);
	/* It is not ours to remove: the next start is given it again. */
	ck_assert_int_eq(access(d.socket, F_OK), 0);
	ck_assert_int_eq(daemon_start(&d, NULL), 0);
	still_serves();
	close(d.pass);
	down();
}
END_TEST

START_TEST(a_descriptor_can_be_named)
{
	daemon_prepare(&d, senders);
	d.pass = listening(d.socket);
	ck_assert_int_eq(daemon_start(&d, "-p", "fd:3", NULL), 0);
	still_serves();
	close(d.pass);
	down();
}
END_TEST

START_TEST(a_missing_folder_is_made)
{
	char name[160], path[80];
	struct stat st;

	daemon_prepare(&d, senders);
	snprintf(path, sizeof(path), "%s/run", d.dir);
	snprintf(name, sizeof(name), "unix:%s/milter", path);
	snprintf(d.socket, sizeof(d.socket), "%s/milter", path);
	ck_assert_int_eq(daemon_start(&d, "-p", name, NULL), 0);
	still_serves();
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert(S_ISDIR(st.st_mode));
	ck_assert_int_eq(daemon_stop(&d), 0);
	snprintf(name, sizeof(name), "%s/milter.pid", path);
	ck_assert_int_eq(unlink(name), 0);
	ck_assert_int_eq(rmdir(path), 0); /* nothing else is left there */
	daemon_end(&d);
}
END_TEST

START_TEST(a_socket_that_is_none_is_an_error)
{
	daemon_prepare(&d, senders);
	ck_assert_int_eq(daemon_start(&d, "-p", "fd:77", NULL), EX_USAGE);
	ck_assert_int_eq(daemon_start(&d, "-p", "tcp:77", NULL), EX_CONFIG);
	ck_assert_int_eq(daemon_start(&d, "-p", "inet:@::1", NULL),
	                 EX_CONFIG);
	daemon_end(&d);
}
END_TEST

START_TEST(the_socket_has_the_mode_of_the_policy)
{
	struct stat st;
	mode_t old = umask(077);

	daemon_prepare(&d, "set socket-mode 0620\nrule a  if auth  reject\n");
	chmod(d.config, 0644);
	ck_assert_int_eq(daemon_start(&d, NULL), 0);
	ck_assert_int_eq(lstat(d.socket, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0620);
	umask(old);
	down();
}
END_TEST

/* Root's part: what the kernel says of the running filter. */
START_TEST(privileges_are_dropped_for_good)
{
	const struct passwd *user = getpwnam("nobody");
	const struct group *group = getgrnam("daemon");
	char path[64], line[160], who[64], *status;
	struct stat st;

	if (geteuid() != 0 || user == NULL || group == NULL)
		return;
	daemon_prepare(&d, senders);
	snprintf(who, sizeof(who), "nobody:daemon");
	ck_assert_int_eq(daemon_start(&d, "-u", who, NULL), 0);
	ck_assert_int_eq(lstat(d.socket, &st), 0);
	ck_assert_uint_eq(st.st_uid, user->pw_uid);
	ck_assert_uint_eq(st.st_gid, group->gr_gid);
	ck_assert_uint_eq(st.st_mode & 07777, 0660);
	snprintf(path, sizeof(path), "/proc/%ld/status", (long)d.pid);
	status = read_file(path);
	snprintf(line, sizeof(line), "Uid:\t%u\t%u\t%u\t%u\n", user->pw_uid,
	         user->pw_uid, user->pw_uid, user->pw_uid);
	ck_assert_ptr_nonnull(strstr(status, line));
	snprintf(line, sizeof(line), "Gid:\t%u\t%u\t%u\t%u\n", group->gr_gid,
	         group->gr_gid, group->gr_gid, group->gr_gid);
	ck_assert_ptr_nonnull(strstr(status, line));
	ck_assert_ptr_nonnull(strstr(status, "NoNewPrivs:\t1\n"));
	ck_assert_ptr_nonnull(strstr(status, "CapEff:\t0000000000000000\n"));
	ck_assert_ptr_null(strstr(status, "Groups:\t0 "));
	free(status);
	still_serves();
	ck_assert_int_eq(reload(NULL), 0);
	down();
}
END_TEST

START_TEST(a_policy_that_the_user_can_not_read_does_not_start)
{
	if (geteuid() != 0 || getpwnam("nobody") == NULL)
		return;
	daemon_prepare(&d, senders);
	chmod(d.config, 0600);
	ck_assert_int_eq(daemon_start(&d, "-u", "nobody", NULL), EX_CONFIG);
	ck_assert(daemon_logged(&d, "user nobody can't load"));
	ck_assert_int_eq(daemon_start(&d, "-u", "no-such-user", NULL),
	                 EX_NOUSER);
	daemon_end(&d);
}
END_TEST

/* ---- limits ---- */

START_TEST(sessions_past_the_limit_are_deferred)
{
	struct mta *m[40];
	size_t i, deferred = 0;

	daemon_prepare(&d, every_stage);
	d.files = 64; /* so that few sessions are allowed */
	ck_assert_int_eq(daemon_start(&d, NULL), 0);
	for (i = 0; i < 40; i++) {
		m[i] = meet();
		if (mta_connect(m[i], "a.example.net", "198.51.100.7") ==
		    SMFIR_REPLYCODE) {
			ck_assert_int_eq(strncmp(m[i]->text, "451 ", 4), 0);
			deferred++;
		}
	}
	ck_assert_uint_gt(deferred, 0);
	ck_assert_uint_lt(deferred, 40);
	for (i = 0; i < 40; i++) {
		mta_quit(m[i]);
		ck_assert_int_eq(mta_reply(m[i]), MTA_GONE);
		mta_close(m[i]);
	}
	ck_assert(daemon_logged(&d, "sessions: one deferred"));
	still_serves();
	down();
}
END_TEST

START_TEST(a_shortage_of_descriptors_passes)
{
	struct mta *m[100];
	size_t i;

	daemon_prepare(&d, every_stage);
	d.files = 64;
	ck_assert_int_eq(daemon_start(&d, NULL), 0);
	for (i = 0; i < 100; i++) {
		m[i] = mta_open(d.socket); /* the rest waits in the queue */
		ck_assert_ptr_nonnull(m[i]);
	}
	/* The first that were taken are served all the while. */
	ck_assert_int_eq(mta_negotiate(m[0], 6, MTA_ACTIONS, MTA_STEPS),
	                 SMFIC_OPTNEG);
	ck_assert_int_eq(mta_session(m[0], BAD, RCPT, "a"), SMFIR_REPLYCODE);
	for (i = 0; i < 100; i++)
		mta_close(m[i]);
	still_serves();
	down();
}
END_TEST

/* ---- the start ---- */

START_TEST(a_bad_policy_does_not_start)
{
	daemon_prepare(&d, "rule x  if sendr is a@example.org  reject\n");
	ck_assert_int_eq(daemon_start(&d, NULL), EX_CONFIG);
	ck_assert(daemon_logged(&d, "did you mean \"sender\"?"));
	ck_assert_int_ne(access(d.socket, F_OK), 0);
	daemon_policy(&d, "rule x  if sender is a@example.org  reject\n"
	                  "test \"t\"  sender a@example.org\n"
	                  "  rcpt b@example.com  expect accept\n");
	ck_assert_int_eq(daemon_start(&d, NULL), EX_CONFIG);
	ck_assert_int_eq(unlink(d.config), 0);
	ck_assert_int_eq(daemon_start(&d, NULL), EX_CONFIG);
	daemon_end(&d);
}
END_TEST

START_TEST(in_the_background_it_is_up_when_the_command_ends)
{
	char pid_file[128], *text;
	pid_t pid;

	daemon_prepare(&d, senders);
	d.background = true;
	ck_assert_int_eq(daemon_command(&d, d.log, "-c", d.config, NULL), 0);
	still_serves();
	snprintf(pid_file, sizeof(pid_file), "%s.pid", d.socket);
	text = read_file(pid_file);
	pid = (pid_t)strtol(text, NULL, 10);
	free(text);
	ck_assert_int_gt(pid, 1);
	ck_assert_int_eq(kill(pid, SIGTERM), 0);
	ck_assert(daemon_logs(&d, "vaglio ends"));
	daemon_policy(&d, "rule x  if sendr is a@example.org  reject\n");
	ck_assert_int_eq(daemon_command(&d, d.log, "-c", d.config, NULL),
	                 EX_CONFIG);
	daemon_end(&d);
}
END_TEST

CHECK_MAIN("protocol",
	a_policy_of_senders_hears_no_header_and_no_body,
	macros_alone_want_no_header_and_no_body,
	a_policy_of_every_stage_hears_every_stage,
	the_macros_asked_for_are_the_policys_and_the_logs,
	macros_reach_the_rules,
	peers_of_every_version_are_served,
	every_combination_of_offered_no_replies_works,
	a_piece_of_the_body_may_come_with_the_end,
	a_failure_at_the_last_piece_is_answered_once,
	every_combination_of_offered_steps_works,
	a_peer_of_version_1_is_turned_away,
	each_stage_gives_its_refusal,
	mail_without_connect_is_filtered,
	commands_before_the_negotiation_are_deferred,
	a_session_without_its_own_negotiation_is_deferred,
	an_abort_anywhere_leaves_nothing_behind,
	a_connection_may_close_after_any_step,
	a_refused_header_does_not_touch_the_next_message,
	several_helos_count_as_the_last,
	a_reply_is_that_of_its_own_verdict,
	a_reply_has_no_format_no_controls_and_no_eighth_bit,
	changes_are_made_in_portable_order,
	a_message_that_can_not_be_changed_is_deferred,
	a_thousand_recipients_are_each_answered,
	a_huge_header_is_deferred_and_not_cut,
	twenty_thousand_fields_are_deferred,
	garbage_does_no_harm,
	truncated_packets_do_no_harm,
	lengths_that_lie_do_no_harm,
	half_a_packet_holds_up_nobody,
	a_peer_that_sends_byte_by_byte_is_served,
	a_session_keeps_the_policy_that_it_began_with,
	a_bad_policy_is_refused_and_the_old_one_stays,
	sigusr1_reloads_too,
	reload_says_when_no_filter_runs,
	only_a_restart_moves_the_socket_and_reload_says_so,
	a_hundred_reloads_under_load_mix_no_session,
	sigterm_in_mid_session_ends_cleanly,
	the_end_under_load_changes_nothing_by_half,
	a_stale_socket_is_replaced,
	a_second_instance_does_not_start,
	another_programs_socket_is_left_alone,
	a_file_in_the_sockets_place_is_left_alone,
	a_socket_that_systemd_passes_is_taken_and_kept,
	a_descriptor_can_be_named,
	a_missing_folder_is_made,
	a_socket_that_is_none_is_an_error,
	the_socket_has_the_mode_of_the_policy,
	privileges_are_dropped_for_good,
	a_policy_that_the_user_can_not_read_does_not_start,
	sessions_past_the_limit_are_deferred,
	a_shortage_of_descriptors_passes,
	a_bad_policy_does_not_start,
	in_the_background_it_is_up_when_the_command_ends)
