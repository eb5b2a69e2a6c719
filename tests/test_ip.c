#include <string.h>

#include "check.h"
#include "ip.h"

static struct ip
ip(const char *text)
{
	struct ip made;

	ck_assert_msg(ip_parse(span_of(text), &made), "%s", text);
	return made;
}

static struct net
net(const char *text)
{
	struct net made;

	ck_assert_msg(net_parse(span_of(text), &made) == NET_OK, "%s", text);
	return made;
}

static bool
has(const char *n, const char *i)
{
	struct net made = net(n);
	struct ip address = ip(i);

	return net_has(&made, &address);
}

START_TEST(a_mapped_address_is_its_ipv4_address)
{
	struct ip a = ip("192.0.2.1"), b = ip("::ffff:192.0.2.1"),
	          c = ip("::FFFF:c000:201");

	ck_assert(memcmp(&a, &b, sizeof(a)) == 0);
	ck_assert(memcmp(&a, &c, sizeof(a)) == 0);
	ck_assert(ip_is_v4(&b));
}
END_TEST

START_TEST(an_address_is_printed_as_one_would_write_it)
{
	static const char *const pairs[][2] = {
		{"::ffff:192.0.2.1", "192.0.2.1"},
		{"2001:DB8:0:0:0:0:0:1", "2001:db8::1"},
		{"::", "::"},
		{"255.255.255.255", "255.255.255.255"},
	};
	char out[IP_TEXT];
	size_t i;

	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct ip a = ip(pairs[i][0]);

		ck_assert_str_eq(ip_print(&a, out), pairs[i][1]);
	}
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
	static const char *const bad[] = {
		"", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", " 1.2.3.4",
		"1.2.3.4 ", "[::1]", "fe80::1%lo", "::1::", ":", "example.org",
		"1.2.3.4/32", "IPv6:::1", "12345::",
		"0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000",
	};
	struct ip made;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(!ip_parse(span_of(bad[i]), &made), "%s", bad[i]);
	ck_assert(!ip_parse(SPAN("1.2.3.4\0"), &made));
	ck_assert(!ip_parse((struct span){NULL, 0}, &made));
}
END_TEST

START_TEST(a_network_holds_what_begins_with_its_bits)
{
	ck_assert(has("10.0.0.0/8", "10.255.255.255"));
	ck_assert(!has("10.0.0.0/8", "11.0.0.0"));
	ck_assert(has("192.0.2.128/25", "192.0.2.129"));
	ck_assert(!has("192.0.2.128/25", "192.0.2.127"));
	ck_assert(has("192.0.2.1", "192.0.2.1"));
	ck_assert(!has("192.0.2.1", "192.0.2.2"));
	ck_assert(has("0.0.0.0/0", "192.0.2.1"));
	ck_assert(has("2001:db8::/32", "2001:db8:ffff::1"));
	ck_assert(!has("2001:db8::/32", "2001:db9::"));
	ck_assert(has("2001:db8::1/128", "2001:db8::1"));
}
END_TEST

START_TEST(ipv4_and_ipv6_are_two_worlds_but_for_mapped_addresses)
{
	ck_assert(!has("0.0.0.0/0", "2001:db8::1"));
	ck_assert(!has("::/0", "192.0.2.1"));
	ck_assert(has("::/0", "2001:db8::1"));
	ck_assert(has("::ffff:10.0.0.0/104", "10.1.2.3"));
	ck_assert(has("10.0.0.0/8", "::ffff:10.1.2.3"));
}
END_TEST

START_TEST(host_bits_are_told_and_cleared)
{
	struct net n;
	char out[IP_TEXT];

	ck_assert(net_parse(SPAN("10.1.0.0/8"), &n) == NET_HOST_BITS);
	ck_assert_str_eq(ip_print(&n.ip, out), "10.0.0.0");
	ck_assert_uint_eq(n.length, 104);
	ck_assert(net_parse(SPAN("2001:db8::1/32"), &n) == NET_HOST_BITS);
	ck_assert(net_parse(SPAN("0.0.0.1/0"), &n) == NET_HOST_BITS);
}
END_TEST

START_TEST(what_is_no_network_is_refused)
{
	static const char *const bad[] = {
		"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
		"10.0.0.0/08", "10.0.0.0/8/8", "10/8", "::/129", "::/1000",
		"10.0.0.0/8 ", "10.0.0.0/255.0.0.0",
	};
	struct net n;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(net_parse(span_of(bad[i]), &n) == NET_BAD, "%s",
		              bad[i]);
	ck_assert(net_parse((struct span){NULL, 0}, &n) == NET_BAD);
}
END_TEST

START_TEST(a_mask_keeps_the_first_bits)
{
	struct ip all, masked;
	unsigned length, i, bits;

	memset(&all, 0xff, sizeof(all));
	for (length = 0; length <= 128; length++) {
		masked = ip_mask(&all, length);
		bits = 0;
		for (i = 0; i < 128; i++)
			bits += ((unsigned)masked.byte[i / 8] >> (7 - i % 8)) & 1;
		ck_assert_uint_eq(bits, length);
		ck_assert(length == 0 || (masked.byte[0] & 0x80) != 0);
	}
}
END_TEST

CHECK_MAIN("ip", a_mapped_address_is_its_ipv4_address,
           an_address_is_printed_as_one_would_write_it,
           what_is_no_address_is_refused,
           a_network_holds_what_begins_with_its_bits,
           ipv4_and_ipv6_are_two_worlds_but_for_mapped_addresses,
           host_bits_are_told_and_cleared, what_is_no_network_is_refused,
           a_mask_keeps_the_first_bits)
