#include <string.h>

#include "caps.h"
#include "check.h"
#include "reply.h"
#include "utf8.h"

static struct arena *arena;
static struct reply reply;

static void
make(struct span text, bool utf8)
{
	if (arena == NULL)
		arena = arena_new(0);
	ck_assert(reply_make(arena, SPAN("550"), SPAN("5.7.1"), text, utf8,
	                     &reply));
	ck_assert_str_eq(reply.code, "550");
	ck_assert_str_eq(reply.xcode, "5.7.1");
}

static void
done(void)
{
	arena_free(arena);
	arena = NULL;
}

START_TEST(a_plain_text_stays_as_it_is)
{
	make(SPAN("100% refused"), false);
	ck_assert_uint_eq(reply.n, 1);
	ck_assert_str_eq(reply.lines[0], "100% refused");
	done();
}
END_TEST

START_TEST(an_empty_text_gets_one_that_fits_the_code)
{
	make(SPAN(""), false);
	ck_assert_str_eq(reply.lines[0], "refused by policy");
	make((struct span){NULL, 0}, true);
	ck_assert_str_eq(reply.lines[0], "refused by policy");
	make(SPAN("\n\n"), false);
	ck_assert_uint_eq(reply.n, 1);
	ck_assert_str_eq(reply.lines[0], "refused by policy");
	ck_assert(reply_make(arena, SPAN("451"), (struct span){NULL, 0},
	                     SPAN(""), false, &reply));
	ck_assert_str_eq(reply.lines[0], "try again later");
	ck_assert_str_eq(reply.xcode, "");
	done();
}
END_TEST

START_TEST(a_line_feed_begins_a_line_and_other_controls_do_not)
{
	make(SPAN("one\ntwo\r250 ok\0\x1b[2J\t\x7f\n\nthree\n"), false);
	ck_assert_uint_eq(reply.n, 4);
	ck_assert_str_eq(reply.lines[0], "one");
	ck_assert_str_eq(reply.lines[1], "two?250 ok??[2J??");
	ck_assert_str_eq(reply.lines[2], "");
	ck_assert_str_eq(reply.lines[3], "three");
	done();
}
END_TEST

START_TEST(utf8_stands_only_where_it_is_allowed)
{
	struct span text = SPAN("Gr\xc3\xbc\xc3\x9f" "e \xf0\x9f\x98\x80 \xff\xc2\x9b");

	make(text, false);
	ck_assert_str_eq(reply.lines[0], "Gr??e ? ??");
	make(text, true);
	ck_assert_str_eq(reply.lines[0], "Gr\xc3\xbc\xc3\x9f"
	                 "e \xf0\x9f\x98\x80 \xef\xbf\xbd?");
	done();
}
END_TEST

START_TEST(a_long_line_is_cut_and_says_so)
{
	char text[CAPS_REPLY_LINE + 1];

	memset(text, 'a', sizeof(text));
	make((struct span){text, CAPS_REPLY_LINE}, false);
	ck_assert_uint_eq(strlen(reply.lines[0]), CAPS_REPLY_LINE);
	ck_assert_ptr_null(strchr(reply.lines[0], '.'));
	make((struct span){text, sizeof(text)}, false);
	ck_assert_uint_eq(strlen(reply.lines[0]), CAPS_REPLY_LINE);
	ck_assert_str_eq(reply.lines[0] + CAPS_REPLY_LINE - 4, "a...");
	done();
}
END_TEST

START_TEST(no_cut_falls_inside_a_character)
{
	char text[3 * CAPS_REPLY_LINE];
	size_t shift, i, n;

	for (shift = 0; shift < 4; shift++) {
		memset(text, 'a', shift);
		for (i = shift; i + 4 <= sizeof(text); i += 4)
			memcpy(text + i, "\xf0\x9f\x98\x80", 4);
		make((struct span){text, i}, true);
		n = strlen(reply.lines[0]);
		ck_assert_uint_le(n, CAPS_REPLY_LINE);
		ck_assert_uint_gt(n, CAPS_REPLY_LINE - 8);
		ck_assert_str_eq(reply.lines[0] + n - 3, "...");
		ck_assert(utf8_valid(span_of(reply.lines[0])));
	}
	done();
}
END_TEST

START_TEST(there_are_no_more_lines_than_the_mta_takes)
{
	char text[4 * CAPS_REPLY_LINES];
	size_t i;

	for (i = 0; i < sizeof(text); i += 2)
		memcpy(text + i, "x\n", 2);
	make((struct span){text, 2 * CAPS_REPLY_LINES}, false);
	ck_assert_uint_eq(reply.n, CAPS_REPLY_LINES);
	ck_assert_str_eq(reply.lines[CAPS_REPLY_LINES - 1], "x");
	make((struct span){text, 2 * CAPS_REPLY_LINES + 1}, false);
	ck_assert_uint_eq(reply.n, CAPS_REPLY_LINES);
	ck_assert_str_eq(reply.lines[CAPS_REPLY_LINES - 2], "x");
	ck_assert_str_eq(reply.lines[CAPS_REPLY_LINES - 1], "...");
	done();
}
END_TEST

START_TEST(without_memory_there_is_no_reply)
{
	struct arena *small = arena_new(64);

	ck_assert(!reply_make(small, SPAN("550"), SPAN("5.7.1"), SPAN("text"),
	                      false, &reply));
	arena_free(small);
}
END_TEST

CHECK_MAIN("reply", a_plain_text_stays_as_it_is,
           an_empty_text_gets_one_that_fits_the_code,
           a_line_feed_begins_a_line_and_other_controls_do_not,
           utf8_stands_only_where_it_is_allowed,
           a_long_line_is_cut_and_says_so,
           no_cut_falls_inside_a_character,
           there_are_no_more_lines_than_the_mta_takes,
           without_memory_there_is_no_reply)
