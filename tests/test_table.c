#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tables.h"

static void
tells(const char *what)
{
	ck_assert_msg(strstr(told(), what) != NULL, "\"%s\" is not in:\n%s",
	              what, told());
}

static void
tells_nothing(void)
{
	ck_assert_msg(diags_errors(diags) + diags_warnings(diags) == 0,
	              "%s", told());
}

/* ---- tables ---- */

static struct table *
list(const char *const *keys, size_t n)
{
	struct table_entry *e = arena_alloc(arena, n * sizeof(*e));
	size_t i;

	for (i = 0; i < n; i++) {
		e[i].key = span_of(keys[i]);
		e[i].null = strcmp(keys[i], "<>") == 0;
		e[i].is_pattern = keys[i][0] == '/';
		if (e[i].is_pattern)
			e[i].key = (struct span){keys[i] + 1,
			                         strlen(keys[i]) - 2};
	}
	return table_inline("t", e, n, diags);
}

#define LIST(...)                                                           \
	list((const char *const[]){__VA_ARGS__},                            \
	     sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static struct table *
asked(struct table *t, enum value_type type)
{
	ck_assert_ptr_nonnull(t);
	table_ask_key(t, type, nowhere, diags);
	return t;
}

/* A file with that text. */
static struct table *
file_bytes(struct span content)
{
	char path[] = "/tmp/vaglio-table-XXXXXX";
	int fd = mkstemp(path);
	struct table *t;

	ck_assert(fd >= 0);
	ck_assert(write(fd, content.p, content.n) == (ssize_t)content.n);
	close(fd);
	t = table_file("t", path, nowhere, diags);
	unlink(path);
	return t;
}

static struct table *
file(const char *content)
{
	return file_bytes(span_of(content));
}

static enum table_result
find(const struct table *t, struct value v)
{
	return table_find(t, &v, &context, arena, NULL);
}

/* The values found, joined by "|"; "-" if there is no such key. */
static const char *
values(const struct table *t, struct value v)
{
	struct table_answer answer;
	struct span s = SPAN("");
	size_t i;

	if (table_find(t, &v, &context, arena, &answer) != TABLE_YES)
		return "-";
	for (i = 0; i < answer.n; i++)
		s = arena_printf(arena, "%.*s%s%.*s", SPAN_ARG(s),
		                 i > 0 ? "|" : "", SPAN_ARG(answer.values[i]));
	return s.p;
}

/* ---- looking up ---- */

static bool
covers(struct span entry, const struct value *v,
       const struct table_context *c)
{
	struct arena *a = arena_new(0);
	bool yes = table_entry_covers(entry, v, c, a);

	ck_assert(!arena_full(a));
	arena_free(a);
	return yes;
}

START_TEST(a_text_is_found_whole_whatever_its_case)
{
	struct table *t;

	tables_begin();
	t = asked(LIST("Alice", "two words", "\xc3\x84rger", ""), VALUE_TEXT);
	ck_assert(find(t, text("alice")) == TABLE_YES);
	ck_assert(find(t, text("ALICE")) == TABLE_YES);
	ck_assert(find(t, text("Two Words")) == TABLE_YES);
	ck_assert(find(t, text("\xc3\xa4RGER")) == TABLE_YES);
	ck_assert(find(t, text("")) == TABLE_YES);
	ck_assert(find(t, text("alic")) == TABLE_NO);
	ck_assert(find(t, text("alice ")) == TABLE_NO);
	ck_assert(find(t, text("xalice")) == TABLE_NO);
	ck_assert(find(t, text("\xff\xfe")) == TABLE_NO);
	ck_assert_uint_eq(table_entries(t), 4);
	tells_nothing();
	tables_end(t);
}
END_TEST

START_TEST(a_name_is_found_exactly_or_under_a_dot)
{
	struct table *t;

	tables_begin();
	t = asked(LIST("example.org", ".Example.net", ".sub.example.net",
	               "m\xc3\xbcnchen.example", "[192.0.2.1]"), VALUE_NAME);
	ck_assert(find(t, name("EXAMPLE.org.")) == TABLE_YES);
	ck_assert(find(t, name("mx.example.org")) == TABLE_NO);
	ck_assert(find(t, name("example.net")) == TABLE_NO);
	ck_assert(find(t, name("a.example.net")) == TABLE_YES);
	ck_assert(find(t, name("b.a.example.net")) == TABLE_YES);
	ck_assert(find(t, name("badexample.net")) == TABLE_NO);
	ck_assert(find(t, name("xn--mnchen-3ya.example")) == TABLE_YES);
	ck_assert(find(t, name("M\xc3\x9cNCHEN.example")) == TABLE_YES);
	ck_assert(find(t, name("[192.0.2.1]")) == TABLE_YES);
	ck_assert(find(t, name("")) == TABLE_NO);
	ck_assert(find(t, name(".")) == TABLE_NO);
	tells_nothing();
	tables_end(t);
}
END_TEST

START_TEST(the_longest_suffix_comes_first)
{
	struct table *t;

	tables_begin();
	t = asked(file(".net n\n.example.net e\n.a.example.net a\n"
	               "x.a.example.net x\n"), VALUE_NAME);
	ck_assert_str_eq(values(t, name("x.a.example.net")), "x");
	ck_assert_str_eq(values(t, name("y.x.a.example.net")), "a");
	ck_assert_str_eq(values(t, name("a.example.net")), "e");
	ck_assert_str_eq(values(t, name("other.net")), "n");
	ck_assert_str_eq(values(t, name("net")), "-");
	tables_end(t);
}
END_TEST

START_TEST(an_address_is_looked_up_from_whole_to_part)
{
	struct table *t;

	tables_begin();
	t = asked(file("u@example.org 1\n@example.org 2\n@.example.org 3\n"
	               "@.b.example.org 4\nu@ 5\n<> 6\n"
	               "\"a b\"@example.net 7\n"), VALUE_ADDRESS);
	tells_nothing();
	ck_assert_str_eq(values(t, address("U@Example.org")), "1");
	ck_assert_str_eq(values(t, address("v@example.org")), "2");
	ck_assert_str_eq(values(t, address("u@a.example.org")), "3");
	ck_assert_str_eq(values(t, address("u@c.b.example.org")), "4");
	ck_assert_str_eq(values(t, address("u@b.example.org")), "3");
	ck_assert_str_eq(values(t, address("U@example.com")), "5");
	ck_assert_str_eq(values(t, address("v@example.com")), "-");
	ck_assert_str_eq(values(t, address("v@badexample.org")), "-");
	ck_assert_str_eq(values(t, address("")), "6");
	ck_assert_str_eq(values(t, address("A b@example.net")), "7");
	ck_assert_str_eq(values(t, address("x@u@example.org")), "2");
	tables_end(t);
}
END_TEST

START_TEST(the_extension_is_tried_and_then_left_out)
{
	struct table *t;

	tables_begin();
	t = asked(file("u+x@d.org 1\nu@d.org 2\n@d.org 3\nw+x@ 4\nw@ 5\n"
	               "+only@e.org 6\n"), VALUE_ADDRESS);
	ck_assert_str_eq(values(t, address("u+y@d.org")), "3");
	context.recipient_delimiter = '+';
	ck_assert_str_eq(values(t, address("u+x@d.org")), "1");
	ck_assert_str_eq(values(t, address("u+y@d.org")), "2");
	ck_assert_str_eq(values(t, address("u+y+z@d.org")), "2");
	ck_assert_str_eq(values(t, address("v+y@d.org")), "3");
	ck_assert_str_eq(values(t, address("w+x@e.org")), "4");
	ck_assert_str_eq(values(t, address("w+y@e.org")), "5");
	ck_assert_str_eq(values(t, address("+only@e.org")), "6");
	ck_assert_str_eq(values(t, address("+other@e.org")), "-");
	tables_end(t);
}
END_TEST

START_TEST(postmaster_needs_no_domain)
{
	struct table *t;

	tables_begin();
	t = asked(LIST("Postmaster"), VALUE_ADDRESS);
	ck_assert(find(t, address("postmaster")) == TABLE_YES);
	ck_assert(find(t, address("postmaster@example.org")) == TABLE_NO);
	tables_end(t);
	tables_begin();
	t = asked(LIST("postmaster@"), VALUE_ADDRESS);
	ck_assert(find(t, address("POSTMASTER")) == TABLE_YES);
	ck_assert(find(t, address("postmaster@example.org")) == TABLE_YES);
	tells_nothing();
	tables_end(t);
}
END_TEST

START_TEST(the_null_sender_is_no_other_address)
{
	struct table *t;

	tables_begin();
	t = asked(LIST("@example.org", "u@"), VALUE_ADDRESS);
	ck_assert(find(t, address("")) == TABLE_NO);
	tables_end(t);
	tables_begin();
	t = asked(LIST("<>"), VALUE_ADDRESS);
	ck_assert(find(t, address("")) == TABLE_YES);
	ck_assert(find(t, address("<>")) == TABLE_NO);
	ck_assert(find(t, address("a@b")) == TABLE_NO);
	tables_end(t);
}
END_TEST

START_TEST(a_nul_in_an_address_does_not_end_it)
{
	struct value v = {.type = VALUE_ADDRESS, .text = SPAN("u\0x@d.org"),
	                  .local = SPAN("u\0x"), .domain = SPAN("d.org")};
	struct table *t;

	tables_begin();
	t = asked(LIST("u@d.org", "u@"), VALUE_ADDRESS);
	ck_assert(find(t, v) == TABLE_NO);
	v = (struct value){.type = VALUE_NAME, .text = SPAN("d.org\0.e")};
	ck_assert(find(asked(t, VALUE_NAME), v) == TABLE_NO);
	tables_end(t);
}
END_TEST

START_TEST(the_longest_prefix_wins)
{
	struct table *t;

	tables_begin();
	t = asked(file("10.0.0.0/8 eight\n10.1.0.0/16 sixteen\n"
	               "10.1.2.3 one\n2001:db8::/32 six\n::/0 all\n"
	               "::ffff:192.0.2.0/120 mapped\n"), VALUE_IP);
	tells_nothing();
	ck_assert_str_eq(values(t, ip("10.9.9.9")), "eight");
	ck_assert_str_eq(values(t, ip("10.1.9.9")), "sixteen");
	ck_assert_str_eq(values(t, ip("10.1.2.3")), "one");
	ck_assert_str_eq(values(t, ip("::ffff:10.1.2.3")), "one");
	ck_assert_str_eq(values(t, ip("192.0.2.77")), "mapped");
	ck_assert_str_eq(values(t, ip("11.0.0.1")), "-");
	ck_assert_str_eq(values(t, ip("2001:db8::1")), "six");
	ck_assert_str_eq(values(t, ip("2001:db9::1")), "all");
	tables_end(t);
}
END_TEST

START_TEST(numbers_are_equal_by_value)
{
	struct table *t;

	tables_begin();
	t = asked(LIST("25", "587.0", "-1.5"), VALUE_NUMBER);
	ck_assert(find(t, number(25)) == TABLE_YES);
	ck_assert(find(t, number(587)) == TABLE_YES);
	ck_assert(find(t, number(-1.5)) == TABLE_YES);
	ck_assert(find(t, number(2)) == TABLE_NO);
	tables_end(t);
}
END_TEST

START_TEST(patterns_come_after_the_exact_keys_in_order)
{
	struct table *t;

	tables_begin();
	t = asked(file("/^a/ first\n/b\\/c d$/i second\n/a/ third\n"
	               "alice exact\n/\\.example$/\n"), VALUE_TEXT);
	tells_nothing();
	ck_assert_str_eq(values(t, text("Alice")), "exact");
	ck_assert_str_eq(values(t, text("albert")), "first");
	ck_assert_str_eq(values(t, text("xB/C D")), "second");
	ck_assert_str_eq(values(t, text("xa")), "third");
	ck_assert_str_eq(values(t, text("x.example")), "third");
	ck_assert_str_eq(values(t, text("y.exomple")), "-");
	ck_assert_str_eq(values(t, text("\xff" "a")), "third");
	ck_assert_uint_eq(table_entries(t), 5);
	tables_end(t);
}
END_TEST

START_TEST(a_pattern_at_its_limit_makes_the_table_fail)
{
	struct table_answer answer;
	struct table *t;
	struct value v = text("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");

	tables_begin();
	t = asked(LIST("/(a+)+$/"), VALUE_TEXT);
	context.limits.match = 1000;
	ck_assert(table_find(t, &v, &context, arena, &answer) ==
	          TABLE_FAILED);
	ck_assert_uint_gt(answer.why.n, 0);
	tables_end(t);
}
END_TEST

START_TEST(a_bad_value_is_in_no_table)
{
	struct table *t;
	struct value v;

	tables_begin();
	t = asked(LIST("a@b", "/a/"), VALUE_ADDRESS);
	v = address("a@b");
	v.bad = true;
	ck_assert(find(t, v) == TABLE_NO);
	ck_assert(!covers(SPAN("a@b"), &v, &context));
	tables_end(t);
}
END_TEST

START_TEST(a_failing_table_fails)
{
	struct value v = text("a");
	struct table_answer answer;
	struct table *t;

	tables_begin();
	t = asked(table_failing("t", SPAN("down")), VALUE_TEXT);
	ck_assert(table_find(t, &v, &context, arena, &answer) ==
	          TABLE_FAILED);
	ck_assert(span_is(answer.why, SPAN("down")));
	tables_end(t);
}
END_TEST

START_TEST(without_memory_a_look_up_fails)
{
	struct arena *small = arena_new(16);
	struct value v;
	struct table *t;

	tables_begin();
	t = asked(LIST("a@b"), VALUE_ADDRESS);
	v = address("someone-else@example.org");
	ck_assert(table_find(t, &v, &context, small, NULL) == TABLE_FAILED);
	arena_free(small);
	tables_end(t);
}
END_TEST

START_TEST(an_empty_table_has_nothing)
{
	struct table *t;

	tables_begin();
	t = asked(asked(list(NULL, 0), VALUE_TEXT), VALUE_IP);
	ck_assert(find(t, text("")) == TABLE_NO);
	ck_assert(find(t, ip("192.0.2.1")) == TABLE_NO);
	tables_end(t);
	tables_begin();
	t = asked(asked(file(""), VALUE_TEXT), VALUE_ADDRESS);
	ck_assert(find(t, text("")) == TABLE_NO);
	ck_assert(find(t, address("")) == TABLE_NO);
	tells_nothing();
	tables_end(t);
}
END_TEST

START_TEST(one_table_may_be_asked_in_several_ways)
{
	struct table *t;

	tables_begin();
	t = asked(LIST("192.0.2.1"), VALUE_TEXT);
	t = asked(asked(t, VALUE_NAME), VALUE_IP);
	ck_assert(find(t, text("192.0.2.1")) == TABLE_YES);
	ck_assert(find(t, name("192.0.2.1")) == TABLE_YES);
	ck_assert(find(t, ip("192.0.2.1")) == TABLE_YES);
	ck_assert(find(t, ip("192.0.2.2")) == TABLE_NO);
	tells_nothing();
	tables_end(t);
}
END_TEST

START_TEST(an_inline_entry_keeps_its_values)
{
	struct span v[] = {SPAN("a@example.org"), SPAN("b@example.org")};
	struct place places[2] = {{0}};
	struct table_entry e = {.key = SPAN("alice"), .values = v,
	                        .value_places = places, .n_values = 2};
	struct table *t;

	tables_begin();
	t = asked(table_inline("t", &e, 1, diags), VALUE_TEXT);
	v[0] = v[1] = SPAN("gone");
	table_ask_values(t, VALUE_ADDRESS, nowhere, diags);
	tells_nothing();
	ck_assert_str_eq(values(t, text("alice")),
	                 "a@example.org|b@example.org");
	tables_end(t);
}
END_TEST

START_TEST(an_entry_covers_by_the_rules_of_look_ups)
{
	static const struct {
		const char *entry, *address;
		bool covers;
	} cases[] = {
		{"u@example.org", "U@Example.org", true},
		{"@example.org", "u@example.org", true},
		{"@.example.org", "u@example.org", false},
		{"@.example.org", "u@a.b.example.org", true},
		{"u@", "u@example.org", true},
		{"u@", "v@example.org", false},
		{"<>", "", true},
		{"<>", "u@example.org", false},
		{"u@example.org", "u+x@example.org", true},
		{"u+x@example.org", "u@example.org", false},
		{"example.org", "u@example.org", false},
		{"\"u\"@example.org", "u@example.org", true},
	};
	struct value v;
	size_t i;

	tables_begin();
	context.recipient_delimiter = '+';
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		v = address(cases[i].address);
		ck_assert_msg(covers(span_of(cases[i].entry), &v,
		                                 &context) == cases[i].covers,
		              "%s and %s", cases[i].entry, cases[i].address);
	}
	v = ip("10.1.2.3");
	ck_assert(covers(SPAN("10.0.0.0/8"), &v, &context));
	ck_assert(!covers(SPAN("11.0.0.0/8"), &v, &context));
	ck_assert(!covers(SPAN("no"), &v, &context));
	v = name("a.example.org");
	ck_assert(covers(SPAN(".EXAMPLE.org"), &v, &context));
	ck_assert(!covers(SPAN("example.org"), &v, &context));
	v = text("Whole");
	ck_assert(covers(SPAN("wHOLE"), &v, &context));
	ck_assert(!covers(SPAN("wh"), &v, &context));
	tables_end(NULL);
}
END_TEST

/* ---- mistakes ---- */

START_TEST(an_entry_that_is_of_no_such_type_is_told)
{
	static const struct {
		enum value_type type;
		const char *key, *says;
	} cases[] = {
		{VALUE_ADDRESS, "example.org",
		 "\"example.org\" is no address: did you mean \"@example.org\"?"},
		{VALUE_ADDRESS, "alice",
		 "\"alice\" is no address: did you mean \"alice@\"?"},
		{VALUE_ADDRESS, "<a@b>",
		 "\"<a@b>\" is no address: did you mean \"a@b\"?"},
		{VALUE_ADDRESS, "*@example.org", "did you mean \"@example.org\"?"},
		{VALUE_ADDRESS, "u@.example.org", "did you mean \"@.example.org\"?"},
		{VALUE_ADDRESS, "@", "\"@\" is no address"},
		{VALUE_ADDRESS, "a b@c", "\"a b@c\" is no address"},
		{VALUE_ADDRESS, "a@b@c", "\"a@b@c\" is no address"},
		{VALUE_ADDRESS, "@a b", "\"@a b\" is no address"},
		{VALUE_ADDRESS, "\"a@b", "has a quote that is not closed"},
		{VALUE_NAME, "@example.org",
		 "is an address, where names are looked up: did you mean "
		 "\"example.org\"?"},
		{VALUE_NAME, "10.0.0.0/8", "is a network, where names are"},
		{VALUE_NAME, "*.example.org", "did you mean \".example.org\"?"},
		{VALUE_NAME, "two words", "\"two words\" is no name"},
		{VALUE_NAME, "<>", "\"<>\" is the null sender"},
		{VALUE_IP, "example.org",
		 "\"example.org\" is no IP address or network"},
		{VALUE_IP, "10.1.0.0/8",
		 "\"10.1.0.0/8\" has host bits set: did you mean "
		 "\"10.0.0.0/8\"?"},
		{VALUE_IP, "2001:db8::1/32", "did you mean \"2001:db8::/32\"?"},
		{VALUE_IP, "[192.0.2.1]", "did you mean \"192.0.2.1\"?"},
		{VALUE_NUMBER, "1e5", "\"1e5\" is no number"},
		{VALUE_NUMBER, "nan", "\"nan\" is no number"},
		{VALUE_NUMBER, "1.2.3", "\"1.2.3\" is no number"},
		{VALUE_TEXT, "<>", "\"<>\" is the null sender, which only"},
	};
	const char *message;
	struct table *t;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tables_begin();
		t = asked(LIST(cases[i].key), cases[i].type);
		ck_assert_uint_eq(diags_errors(diags), 1);
		tells(cases[i].says);
		ck_assert(!table_entry_fits(span_of(cases[i].key),
		                            cases[i].type, &message));
		tells(message);
		tables_end(t);
	}
}
END_TEST

START_TEST(a_file_is_told_with_its_own_line)
{
	struct table *t;

	tables_begin();
	t = asked(file("# who\na@example.org b@example.org\n\nexample.net x\n"
	               "  y@example.net, z\n"), VALUE_ADDRESS);
	table_ask_values(t, VALUE_ADDRESS, nowhere, diags);
	ck_assert_uint_eq(diags_errors(diags), 3);
	tells(":4:1: \"example.net\" is no address: did you mean "
	      "\"@example.net\"?");
	tells(":4:13: \"x\" is no address");
	tells(":5:18: \"z\" is no address: did you mean \"z@\"?");
	tells("  y@example.net, z\n");
	tables_end(t);
}
END_TEST

START_TEST(a_key_that_is_there_twice_is_told_once)
{
	struct table *t;

	tables_begin();
	t = asked(file("alice one\nbob\nALICE two\n"), VALUE_TEXT);
	asked(t, VALUE_TEXT);
	asked(t, VALUE_NAME);
	ck_assert_uint_eq(diags_warnings(diags), 1);
	tells(":3:1: ");
	tells("\"ALICE\" is in line 1 already: that one stands");
	ck_assert_str_eq(values(t, text("alice")), "one");
	tables_end(t);
	tables_begin();
	t = asked(file("10.0.0.0/8 a\n::ffff:10.0.0.0/104 b\n"), VALUE_IP);
	tells("is in line 1 already");
	tables_end(t);
}
END_TEST

START_TEST(many_mistakes_are_counted)
{
	struct arena *all;
	struct span s = SPAN("");
	struct table *t;
	int i;

	tables_begin();
	all = arena_new(0);
	for (i = 0; i < 50; i++)
		s = arena_printf(all, "%.*sno%d\nno%d\n", SPAN_ARG(s), i, i);
	t = asked(file_bytes(s), VALUE_IP);
	ck_assert_uint_eq(diags_errors(diags), 21);
	tells("100 keys of <t> are wrong in all");
	asked(t, VALUE_TEXT);
	tells("50 keys of <t> are there twice in all");
	arena_free(all);
	tables_end(t);
}
END_TEST

/* ---- files ---- */

START_TEST(a_file_has_the_form_of_postmaps_input)
{
	struct table *t;

	tables_begin();
	t = asked(file("\xef\xbb\xbf# comment\n"
	               "   # a comment after blanks\n"
	               "alice  a@x.org,b@x.org , c@x.org\r\n"
	               "\n"
	               "  d@x.org\n"
	               "# between\n"
	               "\te@x.org,\n"
	               "bob\n"
	               "\"two words\"\tx#y #z\n"
	               "\"a \\\"b\\\" \\\\\" esc\n"
	               "C=D value\n"
	               "last v"), VALUE_TEXT);
	tells_nothing();
	ck_assert_uint_eq(table_entries(t), 6);
	ck_assert_str_eq(values(t, text("alice")),
	                 "a@x.org|b@x.org|c@x.org|d@x.org|e@x.org");
	ck_assert_str_eq(values(t, text("bob")), "");
	ck_assert_str_eq(values(t, text("two words")), "x#y|#z");
	ck_assert_str_eq(values(t, text("a \"b\" \\")), "esc");
	ck_assert_str_eq(values(t, text("c=d")), "value");
	ck_assert_str_eq(values(t, text("last")), "v");
	ck_assert_str_eq(values(t, text("# between")), "-");
	ck_assert_str_eq(values(t, text("")), "-");
	tables_end(t);
}
END_TEST

START_TEST(a_key_does_not_run_on_into_its_values)
{
	struct table *t;

	tables_begin();
	t = asked(file("alice smith\n"), VALUE_TEXT);
	ck_assert(find(t, text("alice smith")) == TABLE_NO);
	ck_assert(find(t, text("alice")) == TABLE_YES);
	tables_end(t);
}
END_TEST

START_TEST(a_file_with_a_mistake_says_where)
{
	static const struct {
		const char *content, *says;
	} cases[] = {
		{"a\n\"b c\nd\n", ":2:1: this quote is not closed"},
		{"a\n/b c\nd\n", ":2:1: this pattern is not closed"},
		{"a\n/b/q\n", ":2:1: in the pattern, after 1 bytes: unknown "
		 "flag \"q\""},
		{"/(b/\n", "missing closing parenthesis"},
		{"# c\n  a\n", ":2:1: a line that begins with a blank"},
		{"a\nb\xff\n", ":2:1: this line is not valid UTF-8"},
	};
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		tables_begin();
		struct table *t = asked(file(cases[i].content), VALUE_TEXT);

		ck_assert_uint_eq(diags_errors(diags), 1);
		tells(cases[i].says);
		tables_end(t);
	}
	tables_begin();
	struct table *t = file_bytes(SPAN("a\nb\0c\n"));

	tells(":2:2: a NUL byte");
	tables_end(t);
}
END_TEST

START_TEST(what_is_no_file_says_so)
{
	tables_begin();
	ck_assert_ptr_null(table_file("t", "/nonexistent/x", nowhere, diags));
	tells("can't read the table's file /nonexistent/x: No such file");
	ck_assert_ptr_null(table_file("t", "/tmp", nowhere, diags));
	tells("/tmp: it is a directory");
	ck_assert_ptr_null(table_file("t", "/dev/null", nowhere, diags));
	tells("/dev/null: it is no file");
	tables_end(NULL);
}
END_TEST

START_TEST(many_entries_are_all_found)
{
	enum { MANY = 100000 };
	char *content = NULL, key[64];
	size_t n = 0;
	FILE *out = open_memstream(&content, &n);
	struct table *t;
	struct value v;
	int i;

	tables_begin();
	for (i = 0; i < MANY; i++)
		fprintf(out, "User%d@host%d.Example.org v%d\n", i, i % 1000, i);
	fclose(out);
	t = asked(file_bytes((struct span){content, n}), VALUE_ADDRESS);
	free(content);
	tells_nothing();
	ck_assert_uint_eq(table_entries(t), MANY);
	for (i = 0; i < MANY; i++) {
		snprintf(key, sizeof(key), "%d", i);
		v = (struct value){.type = VALUE_ADDRESS, .text = SPAN("x")};
		v.local = arena_printf(arena, "user%d", i);
		v.domain = arena_printf(arena, "host%d.example.org", i % 1000);
		ck_assert_str_eq(values(t, v) + 1, key);
		v.local = arena_printf(arena, "user%d", i + MANY);
		ck_assert(find(t, v) == TABLE_NO);
		arena_reset(arena);
	}
	tables_end(t);
}
END_TEST

static void *
look_up_often(void *of)
{
	static const char *const people[] = {
		"a@example.org", "b@x.example.net", "c@example.com",
		"\xc3\xa4@example.edu", "",
	};
	struct arena *a = arena_new(0);
	const struct table *t = of;
	struct table_answer answer;
	size_t i, found = 0;

	for (i = 0; i < 5000; i++) {
		const char *who = people[i % 5], *at = strrchr(who, '@');
		struct value v = {.type = VALUE_ADDRESS,
		                  .text = span_of(who)};

		v.local = v.text;
		if (at != NULL) {
			v.local.n = (size_t)(at - who);
			v.domain = span_of(at + 1);
		}
		found += table_find(t, &v, &context, a, &answer) == TABLE_YES &&
		         answer.n == 1;
		arena_reset(a);
	}
	arena_free(a);
	return found == 4000 ? of : NULL;
}

START_TEST(threads_look_up_at_once)
{
	pthread_t threads[4];
	void *good;
	struct table *t;
	int i;

	tables_begin();
	t = asked(file("a@example.org 1\n@.example.net 2\n<> 3\n"
	               "/\\.edu$/ 4\n/^x.*\\.com$/ 5\n"), VALUE_ADDRESS);
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL,
		                                look_up_often, t), 0);
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &good), 0);
		ck_assert_ptr_nonnull(good);
	}
	tables_end(t);
}
END_TEST

CHECK_MAIN("table", a_text_is_found_whole_whatever_its_case,
           a_name_is_found_exactly_or_under_a_dot,
           the_longest_suffix_comes_first,
           an_address_is_looked_up_from_whole_to_part,
           the_extension_is_tried_and_then_left_out,
           postmaster_needs_no_domain, the_null_sender_is_no_other_address,
           a_nul_in_an_address_does_not_end_it, the_longest_prefix_wins,
           numbers_are_equal_by_value,
           patterns_come_after_the_exact_keys_in_order,
           a_pattern_at_its_limit_makes_the_table_fail,
           a_bad_value_is_in_no_table, a_failing_table_fails,
           without_memory_a_look_up_fails, an_empty_table_has_nothing,
           one_table_may_be_asked_in_several_ways,
           an_inline_entry_keeps_its_values,
           an_entry_covers_by_the_rules_of_look_ups,
           an_entry_that_is_of_no_such_type_is_told,
           a_file_is_told_with_its_own_line,
           a_key_that_is_there_twice_is_told_once,
           many_mistakes_are_counted,
           a_file_has_the_form_of_postmaps_input,
           a_key_does_not_run_on_into_its_values,
           a_file_with_a_mistake_says_where, what_is_no_file_says_so,
           many_entries_are_all_found, threads_look_up_at_once)
