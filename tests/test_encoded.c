#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "charset.h"
#include "check.h"
#include "header_text.h"
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

#define FFFD "\xef\xbf\xbd"

/* ---- decoding ---- */

static void
decodes(struct span raw, struct span wanted)
{
	struct span got = header_decode(mem(), raw);

	ck_assert_ptr_nonnull(got.p);
	ck_assert_msg(span_is(got, wanted), "\"%.*s\" is not \"%.*s\"",
	              SPAN_ARG(got), SPAN_ARG(wanted));
	ck_assert(utf8_valid(got));
}

#define DECODES(raw, wanted) decodes(SPAN(raw), SPAN(wanted))

START_TEST(plain_text_is_unfolded)
{
	DECODES("", "");
	DECODES("plain", "plain");
	DECODES("  a b \t", "a b");
	DECODES("a\n b\r\n\tc", "a b\tc");
	DECODES("a\n \n b", "a  b");
	DECODES("a\rb\nc\n", "a b c");
	DECODES("a\r\r\nb", "a  b");
	DECODES("\r\n", "");
	decodes((struct span){NULL, 0}, SPAN(""));
}
END_TEST

START_TEST(what_is_no_utf8_becomes_the_replacement)
{
	DECODES("gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f");
	DECODES("gr\xfc\xdf", "gr" FFFD FFFD);
	DECODES("a\0b", "a" FFFD "b");
	DECODES("\xfc =?utf-8?q?=C3=BC?=", FFFD " \xc3\xbc");
}
END_TEST

START_TEST(encoded_words_are_decoded)
{
	DECODES("=?utf-8?Q?Gr=C3=BC=c3=9fe_aus?= K", "Gr\xc3\xbc\xc3\x9f" "e aus K");
	DECODES("=?UTF-8?B?R3LDvMOfZQ==?=", "Gr\xc3\xbc\xc3\x9f" "e");
	DECODES("=?iso-8859-1?q?=FC?=", "\xc3\xbc");
	DECODES("=?ISO-8859-15?q?=A4?=", "\xe2\x82\xac");
	DECODES("=?us-ascii*en?Q?a?=", "a");
	DECODES("=?koi8-r?B?8NLJ18XU?=", "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82");
	DECODES("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "\xe6\x97\xa5\xe6\x9c\xac");
	DECODES("=?gb2312?B?xOO6ww==?=", "\xe4\xbd\xa0\xe5\xa5\xbd");
	DECODES("=?utf-16be?B?AEEAQg==?=", "AB");
	DECODES("=?utf-7?Q?+AGEAYg-?=", "ab");
}
END_TEST

START_TEST(adjacent_words_are_joined_without_the_blanks)
{
	DECODES("=?utf-8?q?a?= =?utf-8?q?b?=", "ab");
	DECODES("=?utf-8?q?a?=\n  =?utf-8?b?Yg==?=", "ab");
	DECODES("=?utf-8?q?a?= =?iso-8859-1?q?=FC?= c", "a\xc3\xbc c");
	DECODES("=?utf-8?q?a?= x =?utf-8?q?b?=", "a x b");
	DECODES("=?utf-8?b?YQ==?= =?utf-8?b?Yg==?=", "ab");
	DECODES("=?utf-8?q?a?==?utf-8?q?b?=", "ab");
}
END_TEST

START_TEST(a_character_may_be_cut_by_a_word)
{
	DECODES("=?utf-8?Q?=C3?= =?utf-8?Q?=BC?=", "\xc3\xbc");
	DECODES("=?utf-8?B?ww==?= =?utf-8?B?vA==?=", "\xc3\xbc");
	DECODES("=?utf-8?Q?=C3?= =?UTF-8?B?vA==?=", "\xc3\xbc");
	DECODES("=?utf-8?Q?=C3?= =?koi8-r?Q?a?=", FFFD "a");
}
END_TEST

START_TEST(what_cannot_be_decoded_is_the_replacement)
{
	DECODES("=?utf-8?q?a=FFb?=", "a" FFFD "b");
	DECODES("=?x-unknown?q?a=FFb=3F?=", "a" FFFD "b?");
	DECODES("=?us-ascii?q?=E4?=", FFFD);
	DECODES("=?utf-8?q?a=00b?=", "a" FFFD "b");
	DECODES("=?utf-8?b?YQBi?=", "a" FFFD "b");
	DECODES("=?iso-2022-jp?B?GyRCRg==?=", FFFD);
	DECODES("=?../../etc//IGNORE?q?a=FF?=", "=?../../etc//IGNORE?q?a=FF?=");
}
END_TEST

START_TEST(a_text_is_decoded_once)
{
	DECODES("=?utf-8?q?=3D=3Futf-8=3Fq=3Fx=3F=3D?=", "=?utf-8?q?x?=");
	DECODES("=?utf-8?b?PT91dGYtOD9xP3g/PQ==?=", "=?utf-8?q?x?=");
	DECODES("=?utf-8?q?=3D=3F?= =?utf-8?q?utf-8=3Fq=3Fx=3F=3D?=",
	        "=?utf-8?q?x?=");
}
END_TEST

START_TEST(a_word_in_the_middle_of_another_is_decoded)
{
	DECODES("a=?utf-8?q?b?=c", "abc");
	DECODES("=?=?utf-8?q?b?=", "=?b");
	DECODES("(=?utf-8?q?a b?=)", "(a b)");
	DECODES("=?utf-8?q?a\n b?=", "a b");
	DECODES("=?utf-8?q?\?=", "");
	DECODES("x =?utf-8?q?\?= y", "x  y");
}
END_TEST

START_TEST(what_is_no_encoded_word_stays)
{
	DECODES("=?", "=?");
	DECODES("=?utf-8", "=?utf-8");
	DECODES("=?utf-8?", "=?utf-8?");
	DECODES("=?utf-8?q", "=?utf-8?q");
	DECODES("=?utf-8?q?", "=?utf-8?q?");
	DECODES("=?utf-8?q?abc", "=?utf-8?q?abc");
	DECODES("=?utf-8?q?=", "=?utf-8?q?=");
	DECODES("=?utf-8?x?a?=", "=?utf-8?x?a?=");
	DECODES("=??q?a?=", "=??q?a?=");
	DECODES("=?*en?q?a?=", "=?*en?q?a?=");
	DECODES("=?a b?q?a?=", "=?a b?q?a?=");
}
END_TEST

START_TEST(broken_payloads_do_no_harm)
{
	DECODES("=?utf-8?q?a=?=", "a=");
	DECODES("=?utf-8?q?a=4?=", "a=4");
	DECODES("=?utf-8?q?a=zz?=", "a=zz");
	DECODES("=?utf-8?q?a==41=?=", "a=A=");
	DECODES("=?utf-8?b?YQ?=", "a");
	DECODES("=?utf-8?b?YWI?=", "ab");
	DECODES("=?utf-8?b?YWJj=?=", "abc");
	DECODES("=?utf-8?b?YWJjZ?=", "abc");
	DECODES("=?utf-8?b?Y!W!I?=", "ab");
	DECODES("=?utf-8?b?\?\?\?=", "");
}
END_TEST

/* n times piece, then end. */
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

/* What is quadratic takes minutes: Check's time limit ends it. */
START_TEST(a_hostile_value_takes_linear_time)
{
	static const char *const pieces[] = {
		"=?", "=?utf-8?q?", "=?utf-8?q?a?= ", "=?u?b?YQ?= =?v?q?=FF?=",
		"=?a?=", "?=", " ", "a ", "=?utf-8?b?", "\n ", "=?*?q?",
		"=?x-a?q?=FF?= =?x-b?q?a?= ", "=?iso-2022-jp?b?GyRC?= ",
	};
	size_t i;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct span raw = many(pieces[i],
			(1 << 18) / strlen(pieces[i]), "");

		ck_assert_ptr_nonnull(header_decode(mem(), raw).p);
	}
}
END_TEST

START_TEST(many_words_are_all_decoded)
{
	struct span got = header_decode(mem(), many("=?utf-8?q?=C3?= "
		"=?utf-8?b?vA==?=\n ", 20000, "."));
	size_t i;

	ck_assert_uint_eq(got.n, 40000 + 2);
	for (i = 0; i < 20000; i++)
		ck_assert_int_eq(memcmp(got.p + 2 * i, "\xc3\xbc", 2), 0);
	ck_assert_int_eq(memcmp(got.p + 2 * i, " .", 2), 0);
}
END_TEST

START_TEST(a_long_charset_name_is_no_charset)
{
	struct span raw = many("x", 1 << 20, "?q?a?=");
	struct span all = arena_printf(mem(), "=?%.*s", SPAN_ARG(raw));

	decodes(all, all);
}
END_TEST

/* What could not be read is not taken for a text that is none. */
START_TEST(without_a_descriptor_a_charset_is_not_called_unknown)
{
	static const char raw[] = "=?koi8-r?b?98nS1dM=?= =?x-nobody?q?s?=";
	struct rlimit before, none = {0};

	DECODES("=?iso-8859-2?q?=F9?=", "ů"); /* now glibc has its index */
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none.rlim_max = before.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	ck_assert_ptr_null(header_decode(mem(), SPAN(raw)).p);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	DECODES(raw, "Вирусs");
}
END_TEST

START_TEST(a_charset_that_was_loaded_needs_no_descriptor)
{
	struct rlimit before, none = {0};

	charset_load();
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	none.rlim_max = before.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	DECODES("=?koi8-r?b?98nS1dM=?=", "Вирус");
	DECODES("=?iso-2022-jp?b?GyRCJDMbKEI=?=", "こ");
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
}
END_TEST

/* ---- encoding ---- */

/* One line's longest, the field's name before the first. */
static void
is_folded_well(struct span name, struct span s)
{
	size_t column = name.n + 2, i, wrong = 0;

	ck_assert_ptr_nonnull(s.p);
	ck_assert_int_eq(s.p[s.n], '\0');
	for (i = 0; i < s.n; i++, column++) {
		unsigned char c = (unsigned char)s.p[i];

		wrong += column >= 998;
		if (c == '\n') {
			wrong += i == 0 || i + 2 >= s.n || s.p[i + 1] != ' ' ||
			         s.p[i + 2] == '\n';
			column = (size_t)-1;
		} else {
			wrong += c < 0x20 || c >= 0x7f;
		}
	}
	ck_assert_uint_eq(wrong, 0);
}

static struct span
encodes(struct span value, struct span wanted)
{
	struct span name = SPAN("Subject");
	struct span got = header_encode(mem(), name, value);

	is_folded_well(name, got);
	decodes(got, wanted);
	return got;
}

static void
encodes_as(struct span value, const char *wanted)
{
	struct span got = header_encode(mem(), SPAN("Subject"), value);

	is_folded_well(SPAN("Subject"), got);
	ck_assert_str_eq(got.p, wanted);
}

START_TEST(ascii_is_sent_as_it_is)
{
	encodes_as(SPAN(""), "");
	encodes_as((struct span){NULL, 0}, "");
	encodes_as(SPAN("a <b@c> = ?"), "a <b@c> = ?");
	encodes_as(SPAN("  a  b "), "a  b");
}
END_TEST

START_TEST(controls_become_blanks)
{
	encodes_as(SPAN("a\r\nX-Evil: b\0c\td\x1b\x7f"), "a  X-Evil: b c d");
	encodes(SPAN("\xc3\xbc\n\xc3\xbc"), SPAN("\xc3\xbc \xc3\xbc"));
	encodes(SPAN("\n\r\n"), SPAN(""));
}
END_TEST

START_TEST(what_is_not_ascii_is_encoded)
{
	encodes_as(SPAN("Rosen, Tulpen und Nelken aus K\xc3\xb6ln"),
	           "Rosen, Tulpen und Nelken aus =?UTF-8?B?S8O2bG4=?=");
	encodes(SPAN("a\xff"), SPAN("a" FFFD));
	encodes(SPAN("\xf0\x9f\x98\x80  \xc3\xbc x \xc3\xbc"),
	        SPAN("\xf0\x9f\x98\x80  \xc3\xbc x \xc3\xbc"));
}
END_TEST

START_TEST(what_looks_like_an_encoded_word_is_encoded)
{
	encodes_as(SPAN("=?utf-8?q?x?="), "=?UTF-8?B?PT91dGYtOD9xP3g/PQ==?=");
	encodes(SPAN("a =?utf-8?q?x?= \xc3\xbc"),
	        SPAN("a =?utf-8?q?x?= \xc3\xbc"));
	encodes_as(SPAN("what=?"), "what=?");
}
END_TEST

START_TEST(long_values_are_folded)
{
	struct span plain = many("word ", 100, "end");
	struct span url = many("u", 900, "");
	struct span got = encodes(plain, plain);

	ck_assert_uint_gt(got.n, plain.n);
	ck_assert_ptr_null(memmem(got.p, got.n, "=?", 2));
	/* a word that fits a line is not torn */
	encodes_as(url, url.p);
}
END_TEST

START_TEST(no_line_is_longer_than_smtp_allows)
{
	static const char *const pieces[] = {
		"x", "\xe6\x97\xa5", "\xf0\x9f\x98\x80", "\xc3\xbc", "a\xc3\xbc ",
		"\xe6\x97\xa5 ", "=?", "=?utf-8?q?a?= ", "ab cd ", "a \xc3\xbc a ",
		"x                                                          ",
		"\xc2\x80", "_ \xe2\x82\xac",
	};
	static const size_t sizes[] = {1, 20, 80, 990, 1000, 20000};
	size_t i, k;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		for (k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
			struct span value = many(pieces[i], sizes[k], ".");

			encodes(value, value);
		}
	}
	encodes(many(" ", 2000, "a"), SPAN("a"));
	encodes(many("a", 1, many(" ", 2000, "a").p),
	        many("a", 1, many(" ", 2000, "a").p));
}
END_TEST

START_TEST(a_long_name_leaves_room)
{
	struct span name = many("N", 255, ""), value = many("\xc3\xbc", 500, "");
	struct span got = header_encode(mem(), name, value);

	is_folded_well(name, got);
	decodes(got, value);
}
END_TEST

START_TEST(encoding_takes_linear_time)
{
	static const char *const pieces[] = {
		"a ", "\xc3\xbc ", "\xc3\xbc a a a a ", "=?", "x", "\xe6\x97\xa5",
	};
	size_t i;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		struct span value = many(pieces[i],
			(1 << 18) / strlen(pieces[i]), ".");

		ck_assert_ptr_nonnull(header_encode(mem(), SPAN("X"), value).p);
	}
}
END_TEST

START_TEST(without_memory_nothing_is_made)
{
	struct arena *small = arena_new(64);

	ck_assert_ptr_null(header_decode(small, many("a", 100, "")).p);
	ck_assert_ptr_null(header_decode(small, many("=?a?q?b?= ", 9, "")).p);
	ck_assert_ptr_null(header_encode(small, SPAN("X"), many("a", 100, "")).p);
	ck_assert(arena_full(small));
	arena_free(small);
}
END_TEST

CHECK_MAIN("encoded", plain_text_is_unfolded,
           what_is_no_utf8_becomes_the_replacement,
           encoded_words_are_decoded,
           adjacent_words_are_joined_without_the_blanks,
           a_character_may_be_cut_by_a_word,
           what_cannot_be_decoded_is_the_replacement,
           a_text_is_decoded_once,
           a_word_in_the_middle_of_another_is_decoded,
           what_is_no_encoded_word_stays,
           broken_payloads_do_no_harm,
           a_hostile_value_takes_linear_time,
           many_words_are_all_decoded,
           a_long_charset_name_is_no_charset,
           without_a_descriptor_a_charset_is_not_called_unknown,
           a_charset_that_was_loaded_needs_no_descriptor,
           ascii_is_sent_as_it_is,
           controls_become_blanks,
           what_is_not_ascii_is_encoded,
           what_looks_like_an_encoded_word_is_encoded,
           long_values_are_folded,
           no_line_is_longer_than_smtp_allows,
           a_long_name_leaves_room,
           encoding_takes_linear_time,
           without_memory_nothing_is_made)
