#include <string.h>

#include "check.h"
#include "received.h"

struct client {
	const char *raw, *ip, *helo;
};

static void
are_read(const struct client *cases, size_t n)
{
	char text[IP_TEXT];
	struct span helo;
	struct ip ip;
	size_t i;

	for (i = 0; i < n; i++) {
		ck_assert_msg(received_read(span_of(cases[i].raw), &ip,
		              &helo) == RECEIVED_FROM, "%s", cases[i].raw);
		ck_assert_msg(strcmp(ip_print(&ip, text), cases[i].ip) == 0,
		              "%s: %s", cases[i].raw, text);
		ck_assert_msg(span_is(helo, span_of(cases[i].helo)),
		              "%s: %.*s", cases[i].raw, SPAN_ARG(helo));
	}
}

static void
are(const char *const *raw, size_t n, enum received want)
{
	struct span helo;
	struct ip ip;
	size_t i;

	for (i = 0; i < n; i++)
		ck_assert_msg(received_read(span_of(raw[i]), &ip, &helo) ==
		              want, "%s", raw[i]);
}

#define N(array) (sizeof(array) / sizeof((array)[0]))

START_TEST(the_address_is_the_one_that_the_relay_saw)
{
	static const struct client cases[] = {
		{"from mail.example.net (mail.example.net [192.0.2.1])\n\tby "
		 "mx (Postfix) with ESMTPS id 4X", "192.0.2.1",
		 "mail.example.net"},
		{"from h (h [192.0.2.1])\n\t(using TLSv1.3 with cipher X "
		 "(256/256 bits))\n\t(No client certificate requested)\n\tby "
		 "mx (Postfix) with ESMTPS id 4X", "192.0.2.1", "h"},
		{"from h (unknown [IPv6:2001:db8::1])\n by mx", "2001:db8::1",
		 "h"},
		{"from h (n [192.0.2.1] (may be forged))\n by mx", "192.0.2.1",
		 "h"},
		{"from h (IDENT:root@n [192.0.2.1])\n\tby mx (8.17.1/8.17.1)",
		 "192.0.2.1", "h"},
		{"from h ([192.0.2.1] (may be forged))\n\tby mx (8.17.1/",
		 "192.0.2.1", "h"},
		{"from h (n. [192.0.2.1])\n        by mx.example with ESMTPS",
		 "192.0.2.1", "h"},
		{"from h (n [::ffff:192.0.2.1])\n  (TLS: TLSv1.3,256bits)",
		 "192.0.2.1", "h"},
		{"from h ([192.0.2.1])\n          by m (Lotus Domino Release "
		 "9.0.1)", "192.0.2.1", "h"},
		{"from [198.51.100.1] (n [192.0.2.1]) by mx", "192.0.2.1",
		 "[198.51.100.1]"},
		{"from h (192.0.2.1) by ex.example (192.0.2.9) with Microsoft "
		 "SMTP\n Server (version=TLS1_2, cipher=X) id 15.20.1",
		 "192.0.2.1", "h"},
		{"from ex1.example (2001:db8:803:50::14) by ex2.example\n "
		 "(2001:db8:10:36::11) with Microsoft SMTP Server",
		 "2001:db8:803:50::14", "ex1.example"},
		{"from h ([192.0.2.1] helo=x.example) by mx", "192.0.2.1",
		 "x.example"},
		{"from h ([192.0.2.1]:4711 helo=x.example)\n\tby mx with esmtp "
		 "(Exim 4.96)", "192.0.2.1", "x.example"},
		{"from [192.0.2.1] (helo=x.example) by mx", "192.0.2.1",
		 "x.example"},
		{"from [192.0.2.1] (port=4711 helo=x.example ident=u)\n\tby mx",
		 "192.0.2.1", "x.example"},
		{"from [192.0.2.1]:4711 (helo=x.example)\n\tby mx",
		 "192.0.2.1", "x.example"},
		{"from unknown (HELO x.example) (192.0.2.1)\n  by 0 with SMTP",
		 "192.0.2.1", "x.example"},
		{"from n (HELO x.example) (u@192.0.2.1)\n  by 0 with SMTP",
		 "192.0.2.1", "x.example"},
		{"from x.example (u@192.0.2.1)\n  by 0 with SMTP",
		 "192.0.2.1", "x.example"},
		{"from unknown (HELO x.example) ([192.0.2.1])\n  by esa with "
		 "ESMTP/TLS/ECDHE-RSA-AES256-GCM-SHA384", "192.0.2.1",
		 "x.example"},
		{"from 192.0.2.1  (EHLO x.example) (192.0.2.1)\n  by mta1",
		 "192.0.2.1", "x.example"},
		{"from [192.0.2.1] (HELO x.example)\n  by m (CommuniGate Pro "
		 "SMTP 6.1)", "192.0.2.1", "x.example"},
		{"from [192.0.2.1] (account u@d.example HELO x.example)\n by m",
		 "192.0.2.1", "x.example"},
		{"from h (account u@d.example [192.0.2.1] verified)\n by m",
		 "192.0.2.1", "h"},
		{"from h ([192.0.2.1] verified)\n by m", "192.0.2.1", "h"},
		{"FROM h (192.0.2.1) by mx", "192.0.2.1", "h"},
		{" from\n\th\n\t(n\n\t[192.0.2.1])", "192.0.2.1", "h"},
	};

	are_read(cases, N(cases));
}
END_TEST

/* 203.0.113.9 is what the client says of itself, in one way or another. */
START_TEST(what_a_client_says_of_itself_is_no_address)
{
	static const struct client cases[] = {
		{"from [203.0.113.9] (unknown [192.0.2.1]) by mx", "192.0.2.1",
		 "[203.0.113.9]"},
		{"from n ([192.0.2.1] helo=[203.0.113.9]) by mx", "192.0.2.1",
		 "[203.0.113.9]"},
		{"from n ([192.0.2.1]:4711 helo=[203.0.113.9]) by mx",
		 "192.0.2.1", "[203.0.113.9]"},
		{"from [192.0.2.1] (helo=[203.0.113.9]) by mx", "192.0.2.1",
		 "[203.0.113.9]"},
		{"from [192.0.2.1] (ident=[203.0.113.9] helo=h) by mx",
		 "192.0.2.1", "h"},
		{"from [203.0.113.9] (helo=h [192.0.2.1]) by mx", "192.0.2.1",
		 "[203.0.113.9]"},
		{"from unknown (HELO [203.0.113.9]) (192.0.2.1) by mx",
		 "192.0.2.1", "[203.0.113.9]"},
		{"from unknown (HELO [203.0.113.9]) ([192.0.2.1]) by mx",
		 "192.0.2.1", "[203.0.113.9]"},
		{"from unknown (HELO 203.0.113.9) (192.0.2.1) by mx",
		 "192.0.2.1", "203.0.113.9"},
		{"from unknown (HELO h) (203.0.113.9) (192.0.2.1) by mx",
		 "192.0.2.1", "h"},
		{"from h (root@203.0.113.9@192.0.2.1) by mx", "192.0.2.1",
		 "h"},
		{"from [192.0.2.1] (HELO [203.0.113.9]) by m", "192.0.2.1",
		 "[203.0.113.9]"},
		{"from [192.0.2.1] (account u HELO [203.0.113.9]) by m",
		 "192.0.2.1", "[203.0.113.9]"},
		{"from h (u@[203.0.113.9] [192.0.2.1]) by mx", "192.0.2.1",
		 "h"},
	};
	static const char *const none[] = {
		"from h (u [203.0.113.9] v@n [192.0.2.1]) by mx",
		"from [203.0.113.9] by mx",
		"from [203.0.113.9] (n) by mx",
		"from h (HELO [203.0.113.9]) by mx",
		"from h (helo=[203.0.113.9]) by mx",
		"from 203.0.113.9 (HELO 203.0.113.9) by mx",
		"from h (n) by mx ([203.0.113.9])",
		"from h (with [203.0.113.9] in it) by mx",
	};

	are_read(cases, N(cases));
	are(none, N(none), RECEIVED_UNREADABLE);
}
END_TEST

START_TEST(what_a_host_had_from_itself_is_known)
{
	static const char *const cases[] = {
		"by fwd.example (Postfix)\n\tid 4X; Mon, 2 Nov 2026",
		"by fwd.example (Postfix, from userid 1000)\n\tid 4X",
		"(from u@localhost)\n\tby h (8.17.1/8.17.1/Submit) id 4X",
		"(qmail 4711 invoked from network); 2 Nov 2026 10:00:00 -0000",
		"(qmail 4711 invoked by alias); 2 Nov 2026 10:00:00 -0000",
		"from h\n\tby h with LMTP\n\tid 4X\n\t(envelope-from <u@d>)",
	};

	are(cases, N(cases), RECEIVED_WITHIN);
}
END_TEST

START_TEST(what_can_t_be_read_is_nobody)
{
	static const char *const none[] = {
		"", "from", "by", "by mx", "by mx with SMTP id 4X",
		"by mx (n [192.0.2.1])", "(n [192.0.2.1]) by mx",
		"from h by mx", "from h by h with ESMTP id 4X",
		"from h (n [300.1.1.1])", "from h (n [192.0.2.1]",
		"from h (]", "from h ([", "from h (n []) ", "from h ()",
		"from h (host [local]) by mx", "from h ([unix socket]) by mx",
		"from h (HELO ) (", "from h (fe80::1%12) by mx",
		"fromh (n [192.0.2.1])", "from (n [192.0.2.1])",
		"from h (n [192.0.2.1]x)", "from h (n [192.0.2.1", "(", "(qmail",
	};

	are(none, N(none), RECEIVED_UNREADABLE);
}
END_TEST

CHECK_MAIN("received", the_address_is_the_one_that_the_relay_saw,
           what_a_client_says_of_itself_is_no_address,
           what_a_host_had_from_itself_is_known,
           what_can_t_be_read_is_nobody)
