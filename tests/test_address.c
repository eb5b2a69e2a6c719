#include <string.h>

#include "address.h"
#include "caps.h"
#include "check.h"
#include "utf8.h"

/* Kept until the test's process ends. */
static struct arena *
mem(void)
{
	static struct arena *arena;

	if (arena == NULL)
		arena = arena_new(0);
	return arena;
}

static void
is_span(struct span got, const char *wanted)
{
	ck_assert_msg(wanted == NULL ? got.p == NULL :
	              got.p != NULL && span_is(got, span_of(wanted)),
	              "\"%.*s\" is not \"%s\"", SPAN_ARG(got),
	              wanted == NULL ? "(absent)" : wanted);
}

/* ---- paths ---- */

struct path_case {
	const char *given, *text, *local, *domain;
};

static void
check_path(const struct path_case *c)
{
	struct value v;

	ck_assert(address_path(mem(), span_of(c->given), &v));
	ck_assert_int_eq(v.type, VALUE_ADDRESS);
	ck_assert_msg(!v.bad, "%s is bad", c->given);
	is_span(v.text, c->text);
	is_span(v.local, c->local);
	is_span(v.domain, c->domain);
}

#define CHECK_PATHS(...)                                                    \
	do {                                                                \
		static const struct path_case cases[] = {__VA_ARGS__};      \
		size_t i_;                                                  \
                                                                            \
		for (i_ = 0; i_ < sizeof(cases) / sizeof(cases[0]); i_++)   \
			check_path(&cases[i_]);                             \
	} while (0)

static void
is_bad_path(struct span given)
{
	struct value v;

	ck_assert(address_path(mem(), given, &v));
	ck_assert_msg(v.bad, "%.*s is \"%.*s\"", SPAN_ARG(given),
	              SPAN_ARG(v.text));
	ck_assert_ptr_nonnull(v.text.p);
	ck_assert(utf8_valid(v.text));
	ck_assert_ptr_null(v.local.p);
	ck_assert_ptr_null(v.domain.p);
}

START_TEST(a_path_is_taken_with_and_without_brackets)
{
	CHECK_PATHS(
		{"<u@d.example>", "u@d.example", "u", "d.example"},
		{"u@d.example", "u@d.example", "u", "d.example"},
		{" < u@d.example > ", "u@d.example", "u", "d.example"},
		{"<postmaster>", "postmaster", "postmaster", NULL},
		{"root", "root", "root", NULL});
}
END_TEST

START_TEST(the_null_sender_is_there_and_empty)
{
	CHECK_PATHS({"<>", "", NULL, NULL}, {"< >", "", NULL, NULL},
	            {"", "", NULL, NULL});
}
END_TEST

START_TEST(a_source_route_is_dropped)
{
	CHECK_PATHS(
		{"<@relay.example:u@d>", "u@d", "u", "d"},
		{"<@a,@b.example.,@[192.0.2.1]:u@d>", "u@d", "u", "d"},
		{"<@[IPv6:::1]:\"@\"@d>", "\"@\"@d", "@", "d"});
	is_bad_path(SPAN("<@relay>"));
	is_bad_path(SPAN("<@relay:>"));
	is_bad_path(SPAN("<@:u@d>"));
	is_bad_path(SPAN("<@a,b:u@d>"));
	is_bad_path(SPAN("<@a,:u@d>"));
	is_bad_path(SPAN("<@[1:u@d>"));
	is_bad_path(SPAN("<@a:@b:u@d>"));
}
END_TEST

START_TEST(percent_and_bang_are_letters_of_the_local_part)
{
	CHECK_PATHS({"<u%other@d>", "u%other@d", "u%other", "d"},
	            {"<other!u@d>", "other!u@d", "other!u", "d"});
}
END_TEST

START_TEST(quotes_are_resolved_and_written_only_where_needed)
{
	CHECK_PATHS(
		{"<\"x@y\"@d>", "\"x@y\"@d", "x@y", "d"},
		{"<\"a b\"@d>", "\"a b\"@d", "a b", "d"},
		{"<\"a\\\"b\"@d>", "\"a\\\"b\"@d", "a\"b", "d"},
		{"<\"a\\b\\\\\"@d>", "\"ab\\\\\"@d", "ab\\", "d"},
		{"<\"plain\"@d>", "plain@d", "plain", "d"},
		{"<\"a\".b.\"c d\"@d>", "\"a.b.c d\"@d", "a.b.c d", "d"},
		{"<\"\"@d>", "\"\"@d", "", "d"},
		{"<\"post master\">", "\"post master\"", "post master", NULL},
		{"<a..b.@d>", "a..b.@d", "a..b.", "d"},
		{"<\">\"@d>", "\">\"@d", ">", "d"});
	is_bad_path(SPAN("<\"a@d>"));
	is_bad_path(SPAN("<\"a\"b@d>"));
	is_bad_path(SPAN("<a\"b\"@d>"));
	is_bad_path(SPAN("<\"a\\\">"));
	is_bad_path(SPAN("<\"a\tb\"@d>"));
}
END_TEST

START_TEST(a_domain_has_one_spelling)
{
	CHECK_PATHS(
		{"<U@D.Example.>", "U@d.example", "U", "d.example"},
		{"<u@b\xc3\xbc" "cher.example>", "u@xn--bcher-kva.example",
		 "u", "xn--bcher-kva.example"},
		{"<u@XN--BCHER-KVA.example>", "u@xn--bcher-kva.example",
		 "u", "xn--bcher-kva.example"},
		{"<j\xc3\xb6rg@d>", "j\xc3\xb6rg@d", "j\xc3\xb6rg", "d"});
}
END_TEST

START_TEST(an_address_literal_is_kept)
{
	CHECK_PATHS(
		{"<u@[192.0.2.1]>", "u@[192.0.2.1]", "u", "[192.0.2.1]"},
		{"<u@[IPv6:2001:DB8::1]>", "u@[ipv6:2001:db8::1]", "u",
		 "[ipv6:2001:db8::1]"});
	is_bad_path(SPAN("<u@[]>"));
	is_bad_path(SPAN("<u@[192.0.2.1>"));
	is_bad_path(SPAN("<u@[192.0.2.256]>"));
	is_bad_path(SPAN("<u@[::1]>"));
	is_bad_path(SPAN("<u@[IPv6:192.0.2.1]>"));
	is_bad_path(SPAN("<u@[x y]>"));
}
END_TEST

START_TEST(what_is_no_path_is_bad)
{
	is_bad_path(SPAN("<a b>"));
	is_bad_path(SPAN("<a b@d>"));
	is_bad_path(SPAN("<u@d"));
	is_bad_path(SPAN("u@d>"));
	is_bad_path(SPAN("<"));
	is_bad_path(SPAN(">"));
	is_bad_path(SPAN("<<u@d>>"));
	is_bad_path(SPAN("<u@d>x"));
	is_bad_path(SPAN("<u@d> <v@e>"));
	is_bad_path(SPAN("<@d>"));
	is_bad_path(SPAN("<u@>"));
	is_bad_path(SPAN("<u@@d>"));
	is_bad_path(SPAN("<u@a@d>"));
	is_bad_path(SPAN("<u@.d>"));
	is_bad_path(SPAN("<u@a..d>"));
	is_bad_path(SPAN("<u@.>"));
	is_bad_path(SPAN("<u@d..>"));
	is_bad_path(SPAN("<u@d/e>"));
	is_bad_path(SPAN("<u@a b>"));
	is_bad_path(SPAN("<a\\@b@d>"));
	is_bad_path(SPAN("<(c)u@d>"));
	is_bad_path(SPAN("<u,v@d>"));
}
END_TEST

START_TEST(bytes_that_are_no_text_are_bad)
{
	is_bad_path(SPAN("<u\0@d>"));
	is_bad_path(SPAN("<u@d\0.example>"));
	is_bad_path(SPAN("<u\r\n@d>"));
	is_bad_path(SPAN("<u\x1b@d>"));
	is_bad_path(SPAN("<u@d\n>"));
	is_bad_path(SPAN("<u\xff@d>"));
	is_bad_path(SPAN("<u\xc2\x85@d>"));
	is_bad_path(SPAN("<u\xef\xbf\xbd@d>"));
	is_bad_path(SPAN("<u@\xf0\x9f\x98>"));
	/* U+FF20 would be mapped to "@" */
	is_bad_path(SPAN("<u@a\xef\xbc\xa0" "b>"));
}
END_TEST

static struct span
filled(const char *before, size_t n, const char *after)
{
	size_t b = strlen(before);
	char *p = arena_alloc(mem(), b + n + strlen(after) + 1);

	strcpy(p, before);
	memset(p + b, 'a', n);
	strcpy(p + b + n, after);
	return span_of(p);
}

START_TEST(what_is_too_long_is_bad)
{
	struct value v;

	ck_assert(address_path(mem(), filled("<", CAPS_ADDRESS - 4, "@d>"), &v));
	ck_assert(!v.bad);
	is_bad_path(filled("<", CAPS_ADDRESS - 3, "@d>"));
	is_bad_path(filled("<u@", 64, ".example>"));
	is_bad_path(filled("", 1 << 20, ""));
}
END_TEST

START_TEST(the_canonical_text_is_its_own_canonical_text)
{
	static const char *const given[] = {
		"<\"x@y\"@D.>", "<\"a\\\"b\\\\\"@d>", "<\"a\".b@[1.2.3.4]>",
		"postmaster", "<@r:\" \"@b\xc3\xbc" "cher.example>",
	};
	struct value v, again;
	size_t i;

	for (i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		ck_assert(address_path(mem(), span_of(given[i]), &v));
		ck_assert(!v.bad);
		ck_assert(address_path(mem(), v.text, &again));
		ck_assert(!again.bad);
		ck_assert(span_is(v.text, again.text));
		ck_assert(span_is(v.local, again.local));
		ck_assert(address_usable(v.text));
	}
}
END_TEST

START_TEST(a_path_outlives_what_was_given)
{
	char given[] = "<alice@example.org>", bad[] = "<alice";
	struct value v, w;

	ck_assert(address_path(mem(), span_of(given), &v));
	ck_assert(address_path(mem(), span_of(bad), &w));
	memset(given, 'x', sizeof(given));
	memset(bad, 'x', sizeof(bad));
	is_span(v.text, "alice@example.org");
	is_span(v.local, "alice");
	is_span(w.text, "<alice");
}
END_TEST

START_TEST(only_a_whole_address_is_usable)
{
	ck_assert(address_usable(SPAN("")));
	ck_assert(address_usable(SPAN("u@d.example")));
	ck_assert(address_usable(SPAN("\"a b\"@d")));
	ck_assert(address_usable(SPAN("u@[192.0.2.1]")));
	ck_assert(address_usable(SPAN("postmaster")));
	ck_assert(!address_usable(SPAN("<u@d>")));
	ck_assert(!address_usable(SPAN("a b")));
	ck_assert(!address_usable(SPAN(" u@d")));
	ck_assert(!address_usable(SPAN("u@d,v@d")));
	ck_assert(!address_usable(SPAN("@r:u@d")));
	ck_assert(!address_usable(SPAN("u@d\n")));
	ck_assert(!address_usable(SPAN("u@d\0")));
	ck_assert(!address_usable(SPAN("u@d> NOTIFY=NEVER")));
	ck_assert(!address_usable(SPAN("\"a\rb\"@d")));
	ck_assert(!address_usable(SPAN("u\xff@d")));
	ck_assert(!address_usable(filled("", CAPS_ADDRESS, "@d")));
}
END_TEST

CHECK_MAIN("address", a_path_is_taken_with_and_without_brackets,
           the_null_sender_is_there_and_empty,
           a_source_route_is_dropped,
           percent_and_bang_are_letters_of_the_local_part,
           quotes_are_resolved_and_written_only_where_needed,
           a_domain_has_one_spelling,
           an_address_literal_is_kept,
           what_is_no_path_is_bad,
           bytes_that_are_no_text_are_bad,
           what_is_too_long_is_bad,
           the_canonical_text_is_its_own_canonical_text,
           a_path_outlives_what_was_given,
           only_a_whole_address_is_usable)
