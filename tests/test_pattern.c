#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "pattern.h"

static struct pattern *
compile(const char *text, const char *flags, bool raw)
{
	struct arena *a = arena_new(0);
	struct span message = {NULL, 0};
	size_t at = 0;
	struct pattern *p = pattern_new(a, span_of(text), span_of(flags), raw,
	                                &message, &at);

	ck_assert_msg(p != NULL, "/%s/%s: %.*s at %zu", text, flags,
	              SPAN_ARG(message), at);
	arena_free(a);
	return p;
}

static enum truth
match(const char *text, const char *flags, bool raw, struct span subject)
{
	struct pattern *p = compile(text, flags, raw);
	enum truth t = pattern_match(p, subject, NULL, NULL);

	pattern_free(p);
	return t;
}

static bool
matches(const char *text, const char *flags, const char *subject)
{
	return match(text, flags, false, span_of(subject)) == TRUTH_YES;
}

START_TEST(flags_are_those_of_pcre)
{
	ck_assert(matches("b", "", "abc"));
	ck_assert(!matches("B", "", "abc"));
	ck_assert(matches("B", "i", "abc"));
	ck_assert(!matches("^b", "", "a\nb"));
	ck_assert(matches("^b", "m", "a\nb"));
	ck_assert(!matches("a.b", "", "a\nb"));
	ck_assert(matches("a.b", "s", "a\nb"));
	ck_assert(matches("a b # c", "x", "ab"));
	ck_assert(matches("\xc3\x84", "i", "\xc3\xa4"));
	ck_assert(matches("^.$", "", "\xc3\xa4"));
	ck_assert(matches("^\\w$", "", "\xc3\xa4"));
}
END_TEST

START_TEST(a_line_ends_with_crlf_too)
{
	ck_assert(matches("^b$", "m", "a\r\nb\r\nc"));
	ck_assert(matches("c$", "", "c\r\n"));
}
END_TEST

START_TEST(raw_patterns_see_bytes)
{
	ck_assert(match("^..$", "", true, SPAN("\xc3\xa4")) == TRUTH_YES);
	ck_assert(match("\\xff\\x00", "", true, SPAN("a\xff\0")) == TRUTH_YES);
	ck_assert(match("^$", "", true, (struct span){NULL, 0}) == TRUTH_YES);
}
END_TEST

static void
wrong(const char *text, const char *flags, bool raw, size_t where,
      const char *what)
{
	struct arena *a = arena_new(0);
	struct span message = {NULL, 0};
	size_t at = 999;

	ck_assert_ptr_null(pattern_new(a, span_of(text), span_of(flags), raw,
	                               &message, &at));
	ck_assert_msg(at == where, "/%s/: at %zu", text, at);
	ck_assert_msg(strstr(message.p, what) != NULL, "/%s/: %s", text,
	              message.p);
	arena_free(a);
}

START_TEST(mistakes_have_a_place_and_a_text)
{
	wrong("a(b", "", false, 3, "missing closing parenthesis");
	wrong("a[", "", false, 2, "missing terminating ]");
	wrong("ab", "iq", false, 2, "unknown flag \"q\"");
	wrong("(*UTF)a", "", true, 6, "UTF");
	wrong("a\\C", "", false, 3, "\\C");
}
END_TEST

START_TEST(groups_say_what_took_part)
{
	struct pattern *p = compile("(a)|(b)(c)?", "", false);
	struct span groups[PATTERN_GROUPS], s = SPAN("xb");

	ck_assert_uint_eq(pattern_groups(p), 3);
	ck_assert(pattern_match(p, s, NULL, groups) == TRUTH_YES);
	ck_assert(span_is(groups[0], SPAN("b")));
	ck_assert_ptr_eq(groups[0].p, s.p + 1);
	ck_assert_ptr_null(groups[1].p);
	ck_assert(span_is(groups[2], SPAN("b")));
	ck_assert_ptr_null(groups[3].p);
	ck_assert_ptr_null(groups[9].p);
	pattern_free(p);
}
END_TEST

START_TEST(more_groups_than_ten_do_no_harm)
{
	struct pattern *p = compile("(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)(.)", "",
	                            false);
	struct span groups[PATTERN_GROUPS];

	ck_assert(pattern_match(p, SPAN("abcdefghijkl"), NULL, groups) ==
	          TRUTH_YES);
	ck_assert(span_is(groups[9], SPAN("i")));
	pattern_free(p);
}
END_TEST

static const struct pattern_limits settings = {.match = 1000000};

START_TEST(a_limit_makes_the_condition_fail)
{
	static const char *const evil[] = {
		"(a+)+$", "(a|a)*$", "(?:a|aa)+$", "((a*)*)*b\\z", "(.*)*x",
		"(*NO_JIT)(a+)+$", "(?:a*)(?:a*)[bc]",
	};
	size_t n = 1 << 20, i;
	char *text = malloc(n);

	memset(text, 'a', n);
	text[n - 1] = '!';
	for (i = 0; i < sizeof(evil) / sizeof(evil[0]); i++) {
		struct pattern *p = compile(evil[i], "", i % 2 == 0);
		enum truth t = pattern_match(p, (struct span){text, n},
		                             &settings, NULL);

		ck_assert_msg(t == TRUTH_FAILED, "%s: %s", evil[i],
		              truth_name(t));
		pattern_free(p);
	}
	free(text);
}
END_TEST

START_TEST(each_limit_is_obeyed)
{
	struct pattern *p = compile("(*NO_JIT)(a|b|c)*d\\z", "", false);
	struct span s = SPAN("abcabcabcabcabcabcabcabcabcabcd!");
	struct pattern_limits l = {0};

	ck_assert(pattern_match(p, s, &l, NULL) == TRUTH_NO);
	l.match = 5;
	ck_assert(pattern_match(p, s, &l, NULL) == TRUTH_FAILED);
	l.match = 0;
	l.depth = 2;
	ck_assert(pattern_match(p, s, &l, NULL) == TRUTH_FAILED);
	l.depth = 0;
	ck_assert(pattern_match(p, s, &l, NULL) == TRUTH_NO);
	pattern_free(p);
}
END_TEST

START_TEST(a_heap_limit_is_obeyed)
{
	struct pattern *p = compile("(*NO_JIT)(?:(a)|b)*c\\z", "", false);
	struct pattern_limits l = {.heap_kib = 1};
	size_t n = 1 << 20;
	char *text = malloc(n);

	memset(text, 'a', n);
	text[n - 1] = 'c';
	ck_assert(pattern_match(p, (struct span){text, n}, &l, NULL) ==
	          TRUTH_FAILED);
	free(text);
	pattern_free(p);
}
END_TEST

/* ---- replacing ---- */

static struct span
brackets(void *of, const struct span *groups)
{
	return arena_printf(of, "[%.*s]", SPAN_ARG(groups[0]));
}

static void
replaces(const char *text, const char *flags, const char *subject,
         const char *with)
{
	struct arena *a = arena_new(0);
	struct pattern *p = compile(text, flags, false);
	struct span out;

	ck_assert(pattern_replace(p, span_of(subject), NULL, brackets, a, a,
	                          &out) == TRUTH_YES);
	ck_assert_msg(span_is(out, span_of(with)), "/%s/ on %s: %.*s", text,
	              subject, SPAN_ARG(out));
	pattern_free(p);
	arena_free(a);
}

START_TEST(every_match_is_replaced)
{
	replaces("b", "", "abcb", "a[b]c[b]");
	replaces("b+", "", "bb", "[bb]");
	replaces("x*", "", "axb", "[]a[x][]b[]");
	replaces("", "", "\xc3\xa4" "b", "[]\xc3\xa4[]b[]");
	replaces("", "", "", "[]");
	replaces("$", "m", "a\r\nb", "a[]\r\nb[]");
	replaces("(?<=a)b", "", "abab", "a[b]a[b]");
	replaces("a\\Kb", "", "abab", "a[b]a[b]");
	replaces("^a", "", "aa", "[a]a");
}
END_TEST

START_TEST(nothing_replaced_is_the_subject_itself)
{
	struct arena *a = arena_new(0);
	struct pattern *p = compile("x", "", false);
	struct span out, s = SPAN("abc");

	ck_assert(pattern_replace(p, s, NULL, brackets, a, a, &out) ==
	          TRUTH_NO);
	ck_assert_ptr_eq(out.p, s.p);
	pattern_free(p);
	arena_free(a);
}
END_TEST

START_TEST(replacing_without_memory_fails)
{
	struct arena *a = arena_new(64);
	struct pattern *p = compile("a", "", false);
	struct span out;

	ck_assert(pattern_replace(p, SPAN("aaaaaaaaaa"), NULL, brackets, a, a,
	                          &out) == TRUTH_FAILED);
	pattern_free(p);
	arena_free(a);
}
END_TEST

START_TEST(matches_share_their_time)
{
	struct arena *a = arena_new(0);
	struct pattern_work work = {1}; /* a match takes more */
	struct pattern_limits limits = {.work = &work};
	struct span message;
	size_t at;
	struct pattern *p = pattern_new(a, SPAN("b"), SPAN(""), false,
	                                &message, &at);

	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(pattern_match(p, SPAN("abc"), &limits, NULL),
	                 TRUTH_YES);
	ck_assert_int_le(work.left, 0);
	ck_assert_int_eq(pattern_match(p, SPAN("abc"), &limits, NULL),
	                 TRUTH_FAILED);
	work.left = INT64_C(1000000000);
	ck_assert_int_eq(pattern_match(p, SPAN("abc"), &limits, NULL),
	                 TRUTH_YES);
	ck_assert_int_lt(work.left, INT64_C(1000000000));
	pattern_free(p);
	arena_free(a);
}
END_TEST

CHECK_MAIN("pattern", matches_share_their_time, flags_are_those_of_pcre, a_line_ends_with_crlf_too,
           raw_patterns_see_bytes, mistakes_have_a_place_and_a_text,
           groups_say_what_took_part, more_groups_than_ten_do_no_harm,
           a_limit_makes_the_condition_fail, each_limit_is_obeyed,
           a_heap_limit_is_obeyed, every_match_is_replaced,
           nothing_replaced_is_the_subject_itself,
           replacing_without_memory_fails)
