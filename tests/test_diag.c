#include <stdio.h>
#include <string.h>

#include "caps.h"
#include "check.h"
#include "diag.h"

static struct diags *diags;

static struct source
text_of(const char *text)
{
	diags_free(diags);
	diags = diags_new();
	ck_assert_ptr_nonnull(diags);
	return (struct source){"vaglio.conf", span_of(text), 0};
}

static struct place
at(const struct source *s, size_t from, size_t n)
{
	return (struct place){s, from, n};
}

static void
prints(const char *wanted)
{
	static char text[65536];
	FILE *out = fmemopen(text, sizeof(text), "w");

	ck_assert_ptr_nonnull(out);
	diags_print(diags, out);
	fclose(out);
	ck_assert_str_eq(text, wanted);
}

START_TEST(a_mistake_shows_its_line_and_a_mark)
{
	struct source s = text_of("set\n      if sendr.domain\n");

	diag_error(diags, at(&s, 13, 5), "unknown subject \"%s\"", "sendr");
	prints("vaglio.conf:2:10: unknown subject \"sendr\"\n"
	       "      if sendr.domain\n"
	       "         ^~~~~\n");
	ck_assert_uint_eq(diags_errors(diags), 1);
	ck_assert_uint_eq(diags_warnings(diags), 0);
}
END_TEST

START_TEST(a_warning_says_so)
{
	struct source s = text_of("rule a");

	diag_warning(diags, at(&s, 0, 4), "hm");
	prints("vaglio.conf:1:1: warning: hm\nrule a\n^~~~\n");
	ck_assert_uint_eq(diags_errors(diags), 0);
	ck_assert_uint_eq(diags_warnings(diags), 1);
}
END_TEST

START_TEST(a_mistake_without_a_place_comes_first)
{
	struct source s = text_of("a");

	diag_error(diags, at(&s, 0, 1), "x");
	diag_error(diags, at(NULL, 0, 0), "no such file");
	prints("vaglio: no such file\nvaglio.conf:1:1: x\na\n^\n");
}
END_TEST

START_TEST(mistakes_are_sorted_by_source_and_place)
{
	struct source a = text_of("abc"), b = {"b", SPAN("x"), 1};

	diag_error(diags, at(&b, 0, 1), "4");
	diag_error(diags, at(&a, 2, 1), "3");
	diag_error(diags, at(&a, 0, 1), "1");
	diag_error(diags, at(&a, 0, 1), "2");
	prints("vaglio.conf:1:1: 1\nabc\n^\nvaglio.conf:1:1: 2\nabc\n^\n"
	       "vaglio.conf:1:3: 3\nabc\n  ^\nb:1:1: 4\nx\n^\n");
}
END_TEST

START_TEST(equal_mistakes_are_told_once)
{
	struct source s = text_of("a");

	diag_error(diags, at(&s, 0, 1), "x");
	diag_error(diags, at(&s, 0, 1), "x");
	prints("vaglio.conf:1:1: x\na\n^\n");
	ck_assert_uint_eq(diags_errors(diags), 1);
}
END_TEST

START_TEST(tabs_stay_so_that_the_mark_stands_right)
{
	struct source s = text_of("\tif\tsendr");

	diag_error(diags, at(&s, 4, 5), "x");
	prints("vaglio.conf:1:5: x\n\tif\tsendr\n\t  \t^~~~~\n");
}
END_TEST

START_TEST(columns_count_characters)
{
	struct source s = text_of("\"\xc3\xa4\xe2\x82\xac\" \xc3\xbc\xc3\xbc");

	diag_error(diags, at(&s, 8, 4), "x");
	prints("vaglio.conf:1:6: x\n"
	       "\"\xc3\xa4\xe2\x82\xac\" \xc3\xbc\xc3\xbc\n     ^~\n");
}
END_TEST

START_TEST(a_place_of_several_lines_is_marked_on_its_first)
{
	struct source s = text_of("a {\r\n b\r\n}\r\n");

	diag_error(diags, at(&s, 2, 7), "x");
	prints("vaglio.conf:1:3: x\na {\n  ^\n");
}
END_TEST

START_TEST(the_end_of_a_text_is_a_place)
{
	struct source s = text_of("ab");

	diag_error(diags, at(&s, 2, 0), "x");
	prints("vaglio.conf:1:3: x\nab\n  ^\n");
}
END_TEST

START_TEST(controls_and_bad_bytes_do_not_reach_the_terminal)
{
	struct source s = text_of("a\x1b[2J\xff" "b\x7f");

	diag_error(diags, at(&s, 6, 1), "bad \x1b\n\"%s\"", "\xfe");
	prints("vaglio.conf:1:7: bad ??\"\xef\xbf\xbd\"\n"
	       "a?[2J\xef\xbf\xbd" "b?\n      ^\n");
}
END_TEST

START_TEST(a_long_line_is_shortened_round_the_mark)
{
	char text[1001], wanted[1000];
	struct source s;

	memset(text, 'x', 1000);
	text[1000] = '\0';
	s = text_of(text);
	diag_error(diags, at(&s, 500, 3), "y");
	snprintf(wanted, sizeof(wanted),
	         "vaglio.conf:1:501: y\n...%.100s...\n   %50s^~~\n", text, "");
	prints(wanted);
	s = text_of(text);
	diag_error(diags, at(&s, 0, 1000), "y");
	snprintf(wanted, sizeof(wanted),
	         "vaglio.conf:1:1: y\n%.100s...\n^%.99s\n", text,
	         "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"
	         "~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~");
	prints(wanted);
	s = text_of(text);
	diag_error(diags, at(&s, 999, 1), "y");
	snprintf(wanted, sizeof(wanted),
	         "vaglio.conf:1:1000: y\n...%.51s\n   %50s^\n", text, "");
	prints(wanted);
}
END_TEST

START_TEST(past_the_cap_errors_are_counted_and_warnings_take_no_room)
{
	static char text[300];
	struct source s;
	size_t i;

	memset(text, '\n', sizeof(text) - 1);
	s = text_of(text);
	for (i = 0; i < CAPS_DIAGS + 5; i++)
		diag_warning(diags, at(&s, i, 0), "w");
	for (i = 0; i < CAPS_DIAGS + 1; i++)
		diag_error(diags, at(&s, i, 0), "e");
	ck_assert_uint_eq(diags_warnings(diags), CAPS_DIAGS + 5);
	ck_assert_uint_eq(diags_errors(diags), CAPS_DIAGS + 1);
	{
		static char out[65536];
		FILE *f = fmemopen(out, sizeof(out), "w");

		ck_assert_ptr_nonnull(f);
		diags_print(diags, f);
		fclose(f);
		ck_assert_ptr_nonnull(strstr(out, "vaglio.conf:100:1: e\n"));
		ck_assert_ptr_null(strstr(out, "vaglio.conf:101:1: e\n"));
		ck_assert_ptr_nonnull(strstr(
			out, "vaglio: 1 more error is not shown\n"
			"vaglio: 5 more warnings are not shown\n"));
	}
}
END_TEST

START_TEST(a_mistake_outlives_its_source)
{
	char text[] = "rule a";
	struct source s = text_of(text);

	diag_error(diags, at(&s, 5, 1), "x");
	memset(text, '#', sizeof(text) - 1);
	s.name = NULL;
	prints("vaglio.conf:1:6: x\nrule a\n     ^\n");
}
END_TEST

START_TEST(places_join_and_know_their_line)
{
	struct source s = text_of("a\nb\nc d e");
	struct place p = place_join(at(&s, 4, 1), at(&s, 8, 1));

	ck_assert_uint_eq(p.at, 4);
	ck_assert_uint_eq(p.n, 5);
	ck_assert_uint_eq(place_line(p), 3);
	ck_assert_uint_eq(place_line(at(&s, 0, 1)), 1);
}
END_TEST

static const char *const names[] = {
	"sender", "sender.domain", "rcpt", "helo", "is", "in", "reject",
};

static const char *
near(const char *word)
{
	return diag_nearest(span_of(word), names,
	                    sizeof(names) / sizeof(names[0]));
}

START_TEST(the_nearest_name_is_near)
{
	ck_assert_str_eq(near("sendr"), "sender");
	ck_assert_str_eq(near("sneder"), "sender");
	ck_assert_str_eq(near("SENDER"), "sender");
	ck_assert_str_eq(near("sender.domian"), "sender.domain");
	ck_assert_str_eq(near("rctp"), "rcpt");
	ck_assert_str_eq(near("rejct"), "reject");
	ck_assert_str_eq(near("IS"), "is");
}
END_TEST

START_TEST(what_is_far_is_not_guessed)
{
	char long_word[500];

	memset(long_word, 's', sizeof(long_word) - 1);
	long_word[sizeof(long_word) - 1] = '\0';
	ck_assert_ptr_null(near("body"));
	ck_assert_ptr_null(near("on"));
	ck_assert_ptr_null(near(""));
	ck_assert_ptr_null(near("bounce"));
	ck_assert_ptr_null(near(long_word));
	ck_assert_ptr_null(diag_nearest(SPAN("x"), names, 0));
}
END_TEST

CHECK_MAIN("diag",
           a_mistake_shows_its_line_and_a_mark,
           a_warning_says_so,
           a_mistake_without_a_place_comes_first,
           mistakes_are_sorted_by_source_and_place,
           equal_mistakes_are_told_once,
           tabs_stay_so_that_the_mark_stands_right,
           columns_count_characters,
           a_place_of_several_lines_is_marked_on_its_first,
           the_end_of_a_text_is_a_place,
           controls_and_bad_bytes_do_not_reach_the_terminal,
           a_long_line_is_shortened_round_the_mark,
           past_the_cap_errors_are_counted_and_warnings_take_no_room,
           a_mistake_outlives_its_source,
           places_join_and_know_their_line,
           the_nearest_name_is_near,
           what_is_far_is_not_guessed)
