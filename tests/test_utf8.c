#include <string.h>

#include <glib.h>

#include "check.h"
#include "pattern.h"
#include "utf8.h"

START_TEST(nul_is_valid_and_surrogates_are_not)
{
	ck_assert(utf8_valid(SPAN("")));
	ck_assert(utf8_valid((struct span){NULL, 0}));
	ck_assert(utf8_valid(SPAN("a\0b\0")));
	ck_assert(utf8_valid(SPAN("\xc3\xa4\0\xf0\x9f\x98\x80")));
	ck_assert(!utf8_valid(SPAN("\xed\xa0\x80")));
	ck_assert(!utf8_valid(SPAN("\xc0\x80")));
	ck_assert(!utf8_valid(SPAN("\xf4\x90\x80\x80")));
	ck_assert(!utf8_valid(SPAN("a\xc3")));
	ck_assert(!utf8_valid(SPAN("\0\xff")));
}
END_TEST

START_TEST(each_wrong_byte_becomes_one_replacement)
{
	struct arena *a = arena_new(0);
	struct span s = SPAN("good \xc3\xa4"), made;

	ck_assert_ptr_eq(utf8_make_valid(a, s).p, s.p);
	made = utf8_make_valid(a, SPAN("a\xff" "b\0\xc3"));
	ck_assert(span_is(made, SPAN("a\xef\xbf\xbd" "b\0\xef\xbf\xbd")));
	made = utf8_make_valid(a, SPAN("\x80\x80"));
	ck_assert(span_is(made, SPAN("\xef\xbf\xbd\xef\xbf\xbd")));
	ck_assert(utf8_valid(made));
	arena_free(a);
}
END_TEST

START_TEST(folding_makes_cases_equal)
{
	struct arena *a = arena_new(0);
	struct span s = SPAN("already folded 1");

	ck_assert_ptr_eq(utf8_fold(a, s).p, s.p);
	ck_assert(span_is(utf8_fold(a, SPAN("AbC \xc3\x84\0Z")),
	                  SPAN("abc \xc3\xa4\0z")));
	/* capital sigma, final sigma, sigma */
	ck_assert(span_is(utf8_fold(a, SPAN("\xce\xa3\xcf\x82\xcf\x83")),
	                  SPAN("\xcf\x83\xcf\x83\xcf\x83")));
	/* simple folding leaves sharp s and the Turkish letters alone */
	ck_assert(span_is(utf8_fold(a, SPAN("\xc3\x9f\xc4\xb0\xc4\xb1")),
	                  SPAN("\xc3\x9f\xc4\xb0\xc4\xb1")));
	/* U+023A grows by a byte */
	ck_assert(span_is(utf8_fold(a, SPAN("\xc8\xba\xc8\xba\xc8\xba")),
	                  SPAN("\xe2\xb1\xa5\xe2\xb1\xa5\xe2\xb1\xa5")));
	arena_free(a);
}
END_TEST

START_TEST(a_long_text_is_looked_through_wherever_its_pieces_end)
{
	enum { SIZE = 6 * UTF8_SOUGHT };
	static char text[SIZE];
	static char sought[UTF8_SOUGHT];
	struct span all = {text, SIZE};
	size_t at;

	for (at = 1; at + 6 <= SIZE; at += 61) {
		memset(text, 'A', SIZE);
		memcpy(text + at, "B\xc3\x84\xc8\xbaZ", 6);
		ck_assert(utf8_fold_contains(all,
			SPAN("ab\xc3\xa4\xe2\xb1\xa5z")));
		ck_assert(!utf8_fold_contains(all,
			SPAN("\xe2\xb1\xa5\xc3\xa4")));
	}
	memset(sought, 'a', sizeof(sought));
	memset(text, 'A', SIZE);
	ck_assert(utf8_fold_contains(all,
	          (struct span){sought, sizeof(sought)}));
	sought[sizeof(sought) - 1] = 'b';
	ck_assert(!utf8_fold_contains(all,
	          (struct span){sought, sizeof(sought)}));
	text[SIZE - 1] = 'B';
	ck_assert(utf8_fold_contains(all,
	          (struct span){sought, sizeof(sought)}));
	ck_assert(!utf8_fold_contains(SPAN("A"), SPAN("aa")));
}
END_TEST

static struct pattern *
same_letter(struct arena *a)
{
	struct span message;
	size_t at;
	struct pattern *p = pattern_new(a, SPAN("^(.)\\1$"), SPAN("is"), false,
	                                &message, &at);

	ck_assert_ptr_nonnull(p);
	return p;
}

START_TEST(folding_agrees_with_patterns_that_ignore_case)
{
	struct arena *a = arena_new(0);
	struct pattern *p = same_letter(a);
	gunichar c, by;
	char pair[12], *end;
	struct span one, other;

	for (c = 1; c < 0x20000; c++) {
		if (!g_unichar_validate(c))
			continue;
		end = pair + g_unichar_to_utf8(c, pair);
		one = (struct span){pair, (size_t)(end - pair)};
		other = utf8_fold(a, one);
		memcpy(end, other.p, other.n);
		one.n += other.n;
		by = g_utf8_get_char(other.p);
		ck_assert_msg(pattern_match(p, one, NULL, NULL) == TRUTH_YES,
		              "U+%04X folds to U+%04X", c, by);
		arena_reset(a);
	}
	pattern_free(p);
	arena_free(a);
}
END_TEST

CHECK_MAIN("utf8", nul_is_valid_and_surrogates_are_not,
           each_wrong_byte_becomes_one_replacement,
           folding_makes_cases_equal,
           a_long_text_is_looked_through_wherever_its_pieces_end,
           folding_agrees_with_patterns_that_ignore_case)
