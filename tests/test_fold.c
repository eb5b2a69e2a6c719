/* test_fold.c - texts as they look, and tables that are asked so. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "caps.h"
#include "check.h"
#include "fold.h"
#include "table.h"

static struct arena *arena;

static void
begin(void)
{
	ck_assert_ptr_null(fold_open());
	arena = arena_new(0);
	ck_assert_ptr_nonnull(arena);
}

static size_t
looks_of(const char *text, struct span looks[FOLD_LOOKS])
{
	size_t left = CAPS_FOLD_LETTERS;

	return fold_looks(arena, span_of(text), &left, looks);
}

/* Have they a look in common? */
static bool
alike(const char *text, const char *other)
{
	struct span a[FOLD_LOOKS], b[FOLD_LOOKS];
	size_t n = looks_of(text, a), m = looks_of(other, b), i, j;

	ck_assert_uint_gt(n, 0);
	ck_assert_uint_gt(m, 0);
	for (i = 0; i < n; i++)
		for (j = 0; j < m; j++)
			if (span_is(a[i], b[j]))
				return true;
	return false;
}

START_TEST(texts_that_look_alike_are_one)
{
	static const char *const pairs[][2] = {
		{"Jane Doe", "JANE DOE"},
		{"Jane Doe", "\xd0\x88\xd0\xb0n\xd0\xb5 D0e"},
		{"Jane Doe", "\xef\xbc\xaa\xef\xbd\x81\xef\xbd\x8e\xef\xbd\x85"
			"\xe3\x80\x80""Doe"},
		{"Jane", "J\xe2\x80\x8b\xc2\xad""an\xe2\x81\xa0""e"},
		{"Jane Doe", "  Jane \t\n Doe "},
		{"Jane Doe", "Jane\xc2\xa0\xe2\x80\x83""Doe"},
		{"PayPal", "paypaI"}, {"PayPal", "PAYPA1"}, {"PayPal", "PayPa|"},
		{"microsoft", "rnicrosoft"}, {"microsoft", "MICR0SOFT"},
		{"file", "\xef\xac\x81le"}, {"Strasse", "Stra\xc3\x9f""e"},
		{"Jos\xc3\xa9", "JOSE\xcc\x81"},
		{"\xd0\x9d\xd0\xb0\xd1\x82\xd0\xb0", "\xd0\xbd\xd0\x90\xd0\xa2"
			"\xd0\x90"},
		{"", "\xe2\x80\x8b \xe2\x80\x8e"},
		{"\xef\xbf\xbd", "\xef\xbf\xbd"},
	};
	size_t i;

	begin();
	for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		ck_assert_msg(alike(pairs[i][0], pairs[i][1]), "%s, %s",
			pairs[i][0], pairs[i][1]);
	arena_free(arena);
}
END_TEST

START_TEST(texts_that_look_otherwise_are_not)
{
	begin();
	ck_assert(!alike("Jane", "J a n e"));
	ck_assert(!alike("Jane", "Jan\xc3\xa9"));
	ck_assert(!alike("Jane", "Jan\xef\xbf\xbd"));
	ck_assert(!alike("Jane", "June"));
	ck_assert(!alike("Jane", "Jane."));
	arena_free(arena);
}
END_TEST

/* The table of ASCII says what ICU says, whatever stands beside a letter. */
START_TEST(ascii_looks_alike_in_any_word)
{
	struct span looks[FOLD_LOOKS];
	char text[] = "?\xe6\xbc\xa2"; /* a Han letter looks like itself */
	const char *look;
	size_t i, n;

	begin();
	for (*text = '!'; *text <= '~'; ++*text) {
		look = fold_ascii(*text);
		n = looks_of(text, looks);
		ck_assert_uint_gt(n, 0);
		for (i = 0; i < n; i++) {
			ck_assert_uint_eq(looks[i].n, strlen(look) + 3);
			ck_assert_int_eq(memcmp(looks[i].p, look,
				strlen(look)), 0);
		}
	}
	arena_free(arena);
}
END_TEST

static struct span
repeated(const char *text, size_t times)
{
	size_t n = strlen(text), i;
	char *p = arena_alloc(arena, n * times + 1);

	for (i = 0; i < times; i++)
		memcpy(p + i * n, text, n);
	return (struct span){p, n * times};
}

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

START_TEST(no_text_takes_long)
{
	static const char *const pieces[] = {
		"\xcc\x81", "\xcc\x81\xcc\x96", "\xcc\x81\xe2\x80\x8c\xcc\x96",
		"\xef\xb7\xba", "\xe6\xbc\xa2", "\xd0\x9d", "\xe2\x80\x8b",
		"a\xcc\x81 ", "%",
	};
	struct span looks[FOLD_LOOKS];
	size_t i, left;
	double from;

	begin();
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		left = CAPS_FOLD_LETTERS;
		from = seconds();
		fold_looks(arena, repeated(pieces[i], 1000000), &left, looks);
		ck_assert_msg(seconds() - from < 10, "%zu: %f", i,
			seconds() - from);
	}
	arena_free(arena);
}
END_TEST

START_TEST(letters_beyond_ascii_are_counted)
{
	struct span looks[FOLD_LOOKS];
	size_t left = 20;

	begin();
	ck_assert_uint_eq(fold_looks(arena, SPAN("only plain letters, more "
		"than twenty"), &left, looks), 1);
	ck_assert_uint_eq(left, 20);
	ck_assert_uint_eq(fold_looks(arena, SPAN("plain \xd1\x88\xd1\x88"),
		&left, looks), 1);
	ck_assert_uint_eq(left, 16); /* for each look */
	ck_assert_uint_eq(fold_looks(arena, repeated("\xd1\x88", 17), &left,
		looks), 0);
	arena_free(arena);
}
END_TEST

/* ---- tables ---- */

static enum table_result
find(const struct table *t, const char *text, struct table_answer *answer)
{
	struct span looks[FOLD_LOOKS];
	struct table_context context = {0};
	struct value v = {.type = VALUE_FOLDED};
	enum table_result found = TABLE_NO;
	size_t i, n = looks_of(text, looks);

	for (i = 0; i < n && found == TABLE_NO; i++) {
		v.text = looks[i];
		found = table_find(t, &v, &context, arena, answer);
	}
	return found;
}

START_TEST(a_files_keys_are_folded)
{
	static const char text[] = "\"Jane Doe\" one, P\xd0\xb0ul\n"
		"\xd0\x9d\xd0\xb0\xd1\x82\xd0\xb0 two\n/srnlth/ three\n";
	struct place nowhere = {NULL, 0, 0};
	struct table_context context = {0};
	struct value v = {.type = VALUE_FOLDED};
	struct table_answer answer;
	char path[] = "/tmp/test_fold.XXXXXX";
	int fd = mkstemp(path);
	struct diags *d;
	struct table *t;

	begin();
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	d = diags_new();
	t = table_file("people", path, nowhere, d);
	ck_assert_ptr_nonnull(t);
	table_ask_key(t, VALUE_FOLDED, nowhere, d);
	ck_assert_uint_eq(diags_errors(d), 0);
	ck_assert_int_eq(find(t, "JANE D0E", &answer), TABLE_YES);
	ck_assert_uint_eq(answer.n, 2);
	v.text = SPAN("paul");
	ck_assert(table_entry_covers(answer.values[1], &v, &context, arena));
	v.text = SPAN("pavl");
	ck_assert(!table_entry_covers(answer.values[1], &v, &context, arena));
	ck_assert_int_eq(find(t, "\xd0\x9d\xd0\x90\xd0\xa2\xd0\x90", &answer),
		TABLE_YES);
	ck_assert_int_eq(find(t, "hata", &answer), TABLE_NO);
	ck_assert_int_eq(find(t, "Paul Smith", &answer), TABLE_YES);
	ck_assert(span_is(answer.values[0], SPAN("three")));
	table_free(t);
	diags_free(d);
	unlink(path);
	arena_free(arena);
}
END_TEST

CHECK_MAIN("fold", texts_that_look_alike_are_one,
	texts_that_look_otherwise_are_not, ascii_looks_alike_in_any_word,
	no_text_takes_long, letters_beyond_ascii_are_counted,
	a_files_keys_are_folded)
