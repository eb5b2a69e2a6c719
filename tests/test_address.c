#include <stdio.h>
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

/* n times piece, then last. */
static struct span
many(const char *piece, size_t n, const char *last)
{
	size_t one = strlen(piece), i;
	char *p = arena_alloc(mem(), one * n + strlen(last) + 1);

	for (i = 0; i < n; i++)
		memcpy(p + i * one, piece, one);
	strcpy(p + n * one, last);
	return span_of(p);
}

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
		"postmaster", "<@r:\" \"@k\xc3\xb6ln.example>",
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

/* ---- fields ---- */

/*
 * The mailboxes as text: "address" or "address = name" each, a bad one as
 * "!text", one a line.
 */
static const char *
field(struct span value)
{
	struct mailbox *b;
	struct span all = SPAN("");
	size_t i, n;
	bool full;

	ck_assert(address_field(mem(), value, &b, &n, &full));
	ck_assert(!full);
	for (i = 0; i < n; i++) {
		const struct value *v = &b[i].address;

		ck_assert_int_eq(v->type, VALUE_ADDRESS);
		ck_assert(utf8_valid(v->text));
		ck_assert(v->bad || v->domain.n > 0);
		all = arena_printf(mem(), "%.*s%s%s%.*s%s%.*s", SPAN_ARG(all),
			i > 0 ? "\n" : "", v->bad ? "!" : "", SPAN_ARG(v->text),
			b[i].name.p != NULL ? " = " : "", (int)b[i].name.n,
			b[i].name.p != NULL ? b[i].name.p : "");
	}
	return all.p;
}

#define FIELD(value, wanted) ck_assert_str_eq(field(SPAN(value)), wanted)

START_TEST(mailboxes_are_found_with_their_names)
{
	FIELD("u@d.example", "u@d.example");
	FIELD("<u@D.example>", "u@d.example");
	FIELD("Alice <a@x>", "a@x = Alice");
	FIELD("Alice B. Carol <a@x>", "a@x = Alice B. Carol");
	FIELD("\"Alice, B\" <a@x>, c@y", "a@x = Alice, B\nc@y");
	FIELD("\"a \\\"b\\\"\" <a@x>", "a@x = a \"b\"");
	FIELD("J\xc3\xb6rg <a@x>", "a@x = J\xc3\xb6rg");
	FIELD("a@x,b@y , <c@z>", "a@x\nb@y\nc@z");
	FIELD("a@x,\n\tb@y", "a@x\nb@y");
	FIELD("\"a b\"@x", "\"a b\"@x");
	FIELD("a@[192.0.2.1], <a@[IPv6:::1]>", "a@[192.0.2.1]\na@[ipv6:::1]");
	FIELD("a@b\xc3\xbc" "cher.example, <a@xn--bcher-kva.example>",
	      "a@xn--bcher-kva.example\na@xn--bcher-kva.example");
	FIELD("< a@x >", "a@x");
	FIELD("a@x.", "a@x");
	FIELD("\"\" <a@x>", "a@x");
}
END_TEST

START_TEST(an_empty_field_has_no_mailbox)
{
	FIELD("", "");
	FIELD(" \r\n ", "");
	FIELD("undisclosed-recipients:;", "");
	FIELD("Group: ;", "");
}
END_TEST

START_TEST(groups_are_opened)
{
	FIELD("Team: Alice <a@x>, b@y;", "a@x = Alice\nb@y");
	FIELD("Team: a@x;, \"Other: one\": b@y; , c@z", "a@x\nb@y\nc@z");
	FIELD("Team: a@x", "a@x");
	FIELD("Re: x <a@x>", "a@x = x");
	FIELD("a: b: c@x;;", "!b:\nc@x");
	FIELD(": a@x;", "!:\na@x");
	FIELD("a@x: b@y;", "a@x\n!a@x:\nb@y");
	FIELD("<a@x>: b@y;", "a@x\n!<a@x>:\nb@y");
}
END_TEST

START_TEST(comments_are_left_out)
{
	FIELD("(a@b) c@d", "c@d");
	FIELD("c@d (a@b)", "c@d = a@b");
	FIELD("c@d (Carol (the) \\) D)", "c@d = Carol (the) \\) D");
	FIELD("c@d (one) (two)", "c@d");
	FIELD("(x, <a@b>) Carol (y;) <c@d> (z:)", "c@d = Carol");
	FIELD("a@x, (nothing), , b@y", "a@x\nb@y");
}
END_TEST

START_TEST(a_quoted_name_names_nobody)
{
	FIELD("\"x@y\" <z@w>", "z@w = x@y");
	FIELD("\"<x@y>, \" <z@w>", "z@w = <x@y>,");
	FIELD("\"x@y\"", "x@y\n!\"x@y\"");
}
END_TEST

START_TEST(encoded_words_have_no_say_in_the_structure)
{
	FIELD("=?utf-8?q?x=40y=2C_=3Ca=40b=3E?= <z@w>", "z@w = x@y, <a@b>");
	FIELD("\"=?utf-8?q?x=40y?=\" <z@w>", "z@w = x@y");
	FIELD("=?utf-8?b?w7w=?= =?utf-8?b?w7w=?= <z@w>", "z@w = \xc3\xbc\xc3\xbc");
	FIELD("z@w (=?utf-8?q?=C3=BC?=)", "z@w = \xc3\xbc");
	FIELD("=?utf-8?q?x=40y?=", "!=?utf-8?q?x=40y?=");
	FIELD("<=?utf-8?q?x=40y?=>", "!<=?utf-8?q?x=40y?=>");
	FIELD("=?utf-8?q?x?=@y", "!=?utf-8?q?x?=@y");
	FIELD("A <=?utf-8?q?x?=@y>", "!A <=?utf-8?q?x?=@y>");
	FIELD("=?utf-8?q?<a@b>?= <c@d>",
	      "a@b\nc@d\n!=?utf-8?q?<a@b>?= <c@d>");
	FIELD("=?utf-8?q?a,?= <c@d>", "!=?utf-8?q?a\nc@d = ?=");
}
END_TEST

START_TEST(where_readers_may_differ_all_readings_are_values)
{
	FIELD("a@x <b@y>", "b@y = a@x\na@x");
	FIELD("a@x <A@x>", "A@x = a@x\na@x");
	FIELD("a@x <a@x>", "a@x = a@x");
	FIELD("<a@x> <b@y>", "a@x\nb@y\n!<a@x> <b@y>");
	FIELD("a@x b@y", "a@x\nb@y\n!a@x b@y");
	FIELD("<a@x> b@y", "a@x\nb@y\n!<a@x> b@y");
	FIELD("<a@x>b", "a@x\n!<a@x>b");
	FIELD("a@x; b@y", "a@x\nb@y");
	FIELD("a@x <b@y> <c@z>", "a@x\nb@y\nc@z\n!a@x <b@y> <c@z>");
	FIELD("<a@x, b@y>", "a@x\nb@y\n!<a@x, b@y>");
	FIELD("<<a@x>>", "a@x\n!<<a@x>>");
	FIELD("<@r:a@x>", "a@x\n!<@r:a@x>");
	FIELD("a@x(c).y", "a@x\na@x.y\n!a@x(c).y");
	FIELD("a(c)@x", "a@x\n!a(c)@x");
	FIELD("N <a (c(d)) @ (e) x>", "a@x\n!N <a (c(d)) @ (e) x>");
	FIELD("a @ x", "!a @ x");
	FIELD("a b@x", "b@x\n!a b@x");
	FIELD("John @ Work <j@x>", "j@x = John @ Work\n!John @ Work <j@x>");
	FIELD("\"a b\"@x <c@d>", "c@d = a b@x\n!\"a b\"@x <c@d>");
	FIELD("alice, bob <c@d>", "!alice\nc@d = bob");
}
END_TEST

START_TEST(what_is_not_closed_is_bad)
{
	FIELD("\"a@x <b@y>", "a@x\nb@y\n!\"a@x <b@y>");
	FIELD("\"a, <b@y>", "!\"a\nb@y");
	FIELD("(a@x <b@y>", "a@x\nb@y\n!(a@x <b@y>");
	FIELD("<a@x", "a@x\n!<a@x");
	FIELD("<a@x, b@y", "a@x\n!<a@x\nb@y");
	FIELD("<a@x <b@y>", "a@x\nb@y\n!<a@x <b@y>");
	FIELD("a@x>", "a@x\n!a@x>");
	FIELD("a@x)", "a@x\n!a@x)");
	FIELD("\"", "!\"");
	FIELD("(", "!(");
	FIELD("\\", "!\\");
}
END_TEST

START_TEST(what_is_no_address_is_bad_and_counts)
{
	FIELD("junk", "!junk");
	FIELD("junk, a@x", "!junk\na@x");
	FIELD("<>", "!<>");
	FIELD("Alice <>", "!Alice <>");
	FIELD("<a>", "!<a>");
	FIELD("a@", "!a@");
	FIELD("@x", "!@x");
	FIELD("a@x@y", "!a@x@y");
	FIELD("a@@x", "!a@@x");
	FIELD(",", "!,");
	FIELD("(a@b)", "!(a@b)");
	FIELD("[x] <a@x>", "a@x\n![x] <a@x>");
	FIELD("a@x\0, b@y", "!a@x\xef\xbf\xbd\nb@y");
	FIELD("\xfc@x", "!\xef\xbf\xbd@x");
	FIELD("\xfc <a@x>", "a@x = \xef\xbf\xbd");
	FIELD("a@x\x01", "!a@x\x01");
}
END_TEST

START_TEST(more_addresses_than_anybody_reads_are_too_many)
{
	static char broken[8 * (CAPS_FIELD_WORDS + 1) + 1];
	struct mailbox *b;
	size_t i, n;
	bool full;

	ck_assert(address_field(mem(), many("a@x,", CAPS_FIELD_WORDS, ""), &b,
	                        &n, &full));
	ck_assert_uint_eq(n, CAPS_FIELD_WORDS);
	ck_assert(!full);
	ck_assert(!address_field(mem(), many("a@x,", CAPS_FIELD_WORDS + 1, ""),
	                         &b, &n, &full));
	ck_assert(full);
	for (i = 0; i <= CAPS_FIELD_WORDS; i++)
		sprintf(broken + 8 * i, "%05zu@x ", i);
	ck_assert(!address_field(mem(), span_of(broken), &b, &n, &full));
	ck_assert(full);
}
END_TEST

/* What is quadratic takes minutes: Check's time limit ends it. */
START_TEST(a_hostile_field_takes_linear_time)
{
	static const char *const pieces[] = {
		"a ", "a,", "a:", "(", "<", "\"", "\\\"", "<\"", "(\"", "a@x ",
		"a@x,", "@", "[", "@[", ",", ";", ":", "<>", "<a@x>", "()", "\"\"",
		"=?utf-8?q?", "=?u?q?a?= ", "a@x <", "(a@x ", "\"\\", ">", "a.",
		"\"a\".", "xn--a.", "<a@x,b> ", "(,)", "\",\" ", "\":\"",
		"(:", "\xc3\xbc ", "a <@", "<\"\\\">\"",
	};
	static const char *const lasts[] = {"", ">", "\"", ")", " <a@x>", "@x"};
	struct mailbox *b;
	size_t i, k, n;
	bool full;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		for (k = 0; k < sizeof(lasts) / sizeof(lasts[0]); k++) {
			struct arena *a = arena_new(0);
			struct span value = many(pieces[i],
				(1 << 18) / strlen(pieces[i]), lasts[k]);

			ck_assert(address_field(a, value, &b, &n, &full) ||
			          full);
			ck_assert_uint_gt(n, 0);
			arena_free(a);
		}
	}
}
END_TEST

START_TEST(a_field_needs_its_memory)
{
	struct arena *small = arena_new(200);
	struct mailbox *b;
	size_t n;
	bool full;

	ck_assert(!address_field(small, many("a@x,", 50, ""), &b, &n, &full));
	ck_assert(!full);
	arena_free(small);
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
           only_a_whole_address_is_usable,
           mailboxes_are_found_with_their_names,
           an_empty_field_has_no_mailbox,
           groups_are_opened,
           comments_are_left_out,
           a_quoted_name_names_nobody,
           encoded_words_have_no_say_in_the_structure,
           where_readers_may_differ_all_readings_are_values,
           what_is_not_closed_is_bad,
           what_is_no_address_is_bad_and_counts,
           more_addresses_than_anybody_reads_are_too_many,
           a_hostile_field_takes_linear_time,
           a_field_needs_its_memory)
