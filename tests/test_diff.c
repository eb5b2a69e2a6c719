#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "diff.h"

static char out[65536];

/* Lines of a text, each a letter. */
static size_t
lines(const char *text, struct span *l)
{
	size_t i;

	for (i = 0; text[i] != '\0'; i++)
		l[i] = (struct span){text + i, 1};
	return i;
}

static const char *
difference(const char *before, const char *after)
{
	struct span x[200], y[200];
	struct diff_text a = {"a", x, lines(before, x)};
	struct diff_text b = {"b", y, lines(after, y)};
	FILE *f = fmemopen(out, sizeof(out), "w");

	memset(out, 0, sizeof(out));
	ck_assert(diff_print(f, &a, &b));
	fclose(f);
	return out;
}

START_TEST(equal_texts_have_no_difference)
{
	ck_assert_str_eq(difference("abc", "abc"), "");
	ck_assert_str_eq(difference("", ""), "");
}
END_TEST

START_TEST(a_line_is_added)
{
	ck_assert_str_eq(difference("abcdefgh", "abcdXefgh"),
		"--- a\n+++ b\n@@ -2,6 +2,7 @@\n b\n c\n d\n+X\n e\n f\n g\n");
	ck_assert_str_eq(difference("", "X"),
		"--- a\n+++ b\n@@ -0,0 +1,1 @@\n+X\n");
	ck_assert_str_eq(difference("a", "aX"),
		"--- a\n+++ b\n@@ -1,1 +1,2 @@\n a\n+X\n");
}
END_TEST

START_TEST(a_line_is_removed_or_changed)
{
	ck_assert_str_eq(difference("aXb", "ab"),
		"--- a\n+++ b\n@@ -1,3 +1,2 @@\n a\n-X\n b\n");
	ck_assert_str_eq(difference("aXb", "aYb"),
		"--- a\n+++ b\n@@ -1,3 +1,3 @@\n a\n-X\n+Y\n b\n");
	ck_assert_str_eq(difference("X", ""),
		"--- a\n+++ b\n@@ -1,1 +0,0 @@\n-X\n");
}
END_TEST

START_TEST(near_changes_share_a_hunk_and_far_ones_do_not)
{
	ck_assert_str_eq(difference("Xabcdef", "abcdefY"),
		"--- a\n+++ b\n@@ -1,7 +1,7 @@\n-X\n a\n b\n c\n d\n e\n f\n"
		"+Y\n");
	ck_assert_str_eq(difference("Xabcdefg", "abcdefgY"),
		"--- a\n+++ b\n@@ -1,4 +1,3 @@\n-X\n a\n b\n c\n"
		"@@ -6,3 +5,4 @@\n e\n f\n g\n+Y\n");
}
END_TEST

START_TEST(control_characters_do_not_reach_the_terminal)
{
	struct span line = SPAN("a\x1b[2J\tb");
	struct diff_text a = {"a", NULL, 0}, b = {"b", &line, 1};
	FILE *f = fmemopen(out, sizeof(out), "w");

	memset(out, 0, sizeof(out));
	ck_assert(diff_print(f, &a, &b));
	fclose(f);
	ck_assert_ptr_nonnull(strstr(out, "+a?[2J\tb\n"));
}
END_TEST

START_TEST(what_is_too_large_to_compare_is_shown_whole)
{
	size_t i, n = 5000;
	struct span *l = calloc(n, sizeof(*l)), *m = calloc(n, sizeof(*m));
	struct diff_text a = {"a", l, n}, b = {"b", m, n};
	char *text = NULL;
	size_t bytes;
	FILE *f = open_memstream(&text, &bytes);

	ck_assert(l != NULL && m != NULL && f != NULL);
	for (i = 0; i < n; i++) {
		l[i] = SPAN("x");
		m[i] = i % 2 == 0 ? SPAN("y") : SPAN("x");
	}
	l[0] = l[n - 1] = SPAN("z");
	m[n - 1] = SPAN("y");
	ck_assert(diff_print(f, &a, &b));
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "@@ -1,5000 +1,5000 @@\n-z\n-x\n"));
	free(text);
	free(l);
	free(m);
}
END_TEST

CHECK_MAIN("diff", equal_texts_have_no_difference, a_line_is_added,
	a_line_is_removed_or_changed,
	near_changes_share_a_hunk_and_far_ones_do_not,
	control_characters_do_not_reach_the_terminal,
	what_is_too_large_to_compare_is_shown_whole)
