#include "check.h"
#include "received.h"

START_TEST(the_address_is_the_one_that_the_relay_saw)
{
	static const struct {
		const char *raw, *ip, *helo;
	} cases[] = {
		{"from mail.example.net (mail.example.net [192.0.2.1])\n\tby "
		 "mx (Postfix) with ESMTPS id 4X", "192.0.2.1",
		 "mail.example.net"},
		{"from h (unknown [IPv6:2001:db8::1])\n by mx", "2001:db8::1",
		 "h"},
		{"from h (n [192.0.2.1] (may be forged))\n by mx", "192.0.2.1",
		 "h"},
		{"from [198.51.100.1] (n [192.0.2.1]) by mx", "192.0.2.1",
		 "[198.51.100.1]"},
		{"from h ([192.0.2.1] helo=x.example) by mx", "192.0.2.1",
		 "x.example"},
		{"from [192.0.2.1] (helo=x.example) by mx", "192.0.2.1",
		 "x.example"},
		{"FROM h (192.0.2.1) by mx", "192.0.2.1", "h"},
		{"from h (user@[198.51.100.1] [192.0.2.1]) by mx", "192.0.2.1",
		 "h"},
		{" from\n\th\n\t(n\n\t[192.0.2.1])", "192.0.2.1", "h"},
	};
	static const char *const none[] = {
		"by mx (Postfix, from userid 1000) id 4X", "", "from",
		"from h by mx", "from [192.0.2.1] by mx",
		"from [192.0.2.1] (n) by mx", "from h (n) by mx ([192.0.2.1])",
		"from h (n [300.1.1.1])", "from h (n [192.0.2.1]", "from h (]",
		"from h (n []) ", "fromh (n [192.0.2.1])", "from (n [192.0.2.1])",
	};
	char text[IP_TEXT];
	struct span helo;
	struct ip ip;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		ck_assert_msg(received_from(span_of(cases[i].raw), &ip, &helo),
		              "%s", cases[i].raw);
		ck_assert_str_eq(ip_print(&ip, text), cases[i].ip);
		ck_assert(span_is(helo, span_of(cases[i].helo)));
	}
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		ck_assert_msg(!received_from(span_of(none[i]), &ip, &helo),
		              "%s", none[i]);
}
END_TEST

CHECK_MAIN("received", the_address_is_the_one_that_the_relay_saw)
