#include <string.h>

#include "caps.h"
#include "check.h"
#include "log.h"

static char line[LOG_LINE + 1];

static const char *
written(const struct log_entry *e)
{
	struct span s = log_line(line, e);

	line[s.n] = '\0';
	return line;
}

static const char *
escaped(const char *text, size_t n, size_t most)
{
	struct span s = log_escape(line, most, (struct span){text, n});

	line[s.n] = '\0';
	return line;
}

#define ESCAPED(literal) escaped(literal, sizeof(literal) - 1, 200)

static struct log_entry
entry(void)
{
	static const struct span to[] = {{"b@example.com", 13}};

	return (struct log_entry){
		.id = SPAN("4XyZ1"), .verb = "reject",
		.rule = SPAN("spf-fail"), .stage = "mail",
		.client_name = SPAN("mail.example.net"),
		.client = SPAN("198.51.100.7"),
		.helo = SPAN("mail.example.net"),
		.from = SPAN("a@example.org"), .to = to, .n_to = 1,
		.spf = SPAN("fail"),
	};
}

START_TEST(a_line_has_its_fields_in_order)
{
	const char *lines[] = {"SPF: no"};
	struct reply reply = {"550", "5.7.23", 1, lines};
	struct log_entry e = entry();

	e.reply = &reply;
	ck_assert_str_eq(written(&e), "4XyZ1: reject: rule=spf-fail "
		"stage=mail client=mail.example.net[198.51.100.7] "
		"helo=<mail.example.net> from=<a@example.org> "
		"to=<b@example.com> auth=<> header-from=<> spf=fail "
		"reply=\"550 5.7.23 SPF: no\"");
}
END_TEST

START_TEST(what_is_not_known_has_its_place)
{
	struct log_entry e = {.verb = "accept", .stage = "end"};

	ck_assert_str_eq(written(&e), "NOQUEUE: accept: rule= stage=end "
		"client=unknown[unknown] helo=<> from=<> to=<> auth=<> "
		"header-from=<> spf=");
}
END_TEST

START_TEST(what_was_done_comes_before_the_reply)
{
	struct log_entry e = entry();

	e.spf_why = SPAN("\"x\"");
	e.shadow = "reject";
	e.done = SPAN("add header X");
	e.why = SPAN("a limit");
	e.text = SPAN("hello");
	ck_assert_ptr_nonnull(strstr(written(&e), " spf=fail "
		"spf-why=\"\\x22x\\x22\" shadow=reject "
		"done=\"add header X\" why=\"a limit\" text=\"hello\""));
}
END_TEST

START_TEST(control_characters_are_escaped)
{
	ck_assert_str_eq(ESCAPED("a\r\nb\tc\x1b[2J\x7f"),
		"a\\x0d\\x0ab\\x09c\\x1b[2J\\x7f");
	ck_assert_str_eq(ESCAPED("a\0b"), "a\\x00b");
}
END_TEST

START_TEST(delimiters_are_escaped)
{
	ck_assert_str_eq(ESCAPED("a> auth=<root"), "a\\x3e auth=\\x3croot");
	ck_assert_str_eq(ESCAPED("say \"no\""), "say \\x22no\\x22");
	ck_assert_str_eq(ESCAPED("c:\\x3e"), "c:\\\\x3e");
}
END_TEST

START_TEST(utf8_stays_and_what_is_none_is_escaped)
{
	ck_assert_str_eq(ESCAPED("caf\xc3\xa9 \xf0\x9f\x93\xa7"),
		"caf\xc3\xa9 \xf0\x9f\x93\xa7");
	ck_assert_str_eq(ESCAPED("caf\xe9"), "caf\\xe9");
	ck_assert_str_eq(ESCAPED("\xc0\xaf"), "\\xc0\\xaf");
	ck_assert_str_eq(ESCAPED("\xed\xa0\x80"), "\\xed\\xa0\\x80");
	ck_assert_str_eq(ESCAPED("\xe2\x82"), "\\xe2\\x82");
}
END_TEST

START_TEST(characters_that_move_text_are_escaped)
{
	ck_assert_str_eq(ESCAPED("\xe2\x80\xae" "x"), "\\xe2\\x80\\xaex");
	ck_assert_str_eq(ESCAPED("\xc2\x9b" "x"), "\\xc2\\x9bx");
	ck_assert_str_eq(ESCAPED("\xe2\x80\xa8"), "\\xe2\\x80\\xa8");
}
END_TEST

START_TEST(a_long_text_is_cut_and_says_so)
{
	char text[1000];
	struct log_entry e = entry();
	const char *from;

	memset(text, 'a', sizeof(text));
	e.from = (struct span){text, sizeof(text)};
	from = strstr(written(&e), "from=<") + 6;
	ck_assert_uint_eq(strspn(from, "a"), CAPS_LOG_FIELD - 3);
	ck_assert_int_eq(strncmp(from + CAPS_LOG_FIELD - 3, "...> to=", 8), 0);
}
END_TEST

START_TEST(a_cut_falls_between_characters)
{
	ck_assert_str_eq(escaped("aaaa\xc3\xa9" "bbbb", 10, 8), "aaaa...");
	ck_assert_str_eq(escaped("aaa\n\n", 5, 10), "aaa\\x0a...");
	ck_assert_str_eq(escaped("aaaaaaaa", 8, 8), "aaaaaaaa");
}
END_TEST

START_TEST(a_client_name_can_not_break_out)
{
	struct log_entry e = entry();

	e.client_name = SPAN("x[192.0.2.1] helo=<y>");
	ck_assert_ptr_nonnull(strstr(written(&e), " client=x\\x5b192.0.2.1"
		"\\x5d\\x20helo\\x3d\\x3cy\\x3e[198.51.100.7] helo="));
	e.id = SPAN("A B");
	ck_assert_int_eq(strncmp(written(&e), "A\\x20B: ", 8), 0);
}
END_TEST

START_TEST(many_recipients_are_cut)
{
	struct span to[100];
	struct log_entry e = entry();
	size_t i;

	for (i = 0; i < 100; i++)
		to[i] = SPAN("somebody@some.example.com");
	e.to = to;
	e.n_to = 2;
	ck_assert_ptr_nonnull(strstr(written(&e), "to=<somebody@some.example."
		"com>,<somebody@some.example.com> auth="));
	e.n_to = 100;
	ck_assert_ptr_nonnull(strstr(written(&e), ">,... auth=<"));
}
END_TEST

START_TEST(no_line_is_longer_than_its_room)
{
	static char text[LOG_LINE];
	const char *lines[CAPS_REPLY_LINES];
	struct reply reply = {"550", "5.7.1", CAPS_REPLY_LINES, lines};
	struct span all = {text, sizeof(text)}, list[100];
	struct log_entry e = {
		.id = all, .verb = "reject", .rule = all, .stage = "end",
		.client_name = all, .client = all, .helo = all, .from = all,
		.to = list, .n_to = 100, .auth = all, .header_from = list,
		.n_header_from = 100, .spf = all, .shadow = "reject",
		.done = all, .why = all, .text = all, .reply = &reply,
	};
	size_t i;

	memset(text, '\n', sizeof(text) - 1);
	for (i = 0; i < 100; i++)
		list[i] = all;
	for (i = 0; i < CAPS_REPLY_LINES; i++)
		lines[i] = text;
	ck_assert_uint_le(log_line(line, &e).n, LOG_LINE);
}
END_TEST

START_TEST(a_reply_of_many_lines_is_one_text)
{
	const char *lines[] = {"one", "two \"2\""};
	struct reply reply = {"550", "", 2, lines};
	struct log_entry e = entry();

	e.reply = &reply;
	ck_assert_ptr_nonnull(strstr(written(&e),
		"reply=\"550 one\\x0atwo \\x222\\x22\""));
}
END_TEST

CHECK_MAIN("log", a_line_has_its_fields_in_order,
	what_is_not_known_has_its_place,
	what_was_done_comes_before_the_reply,
	control_characters_are_escaped, delimiters_are_escaped,
	utf8_stays_and_what_is_none_is_escaped,
	characters_that_move_text_are_escaped,
	a_long_text_is_cut_and_says_so, a_cut_falls_between_characters,
	a_client_name_can_not_break_out, many_recipients_are_cut,
	no_line_is_longer_than_its_room,
	a_reply_of_many_lines_is_one_text)
