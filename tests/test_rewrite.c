#include <stdlib.h>
#include <string.h>

#include "address.h"
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

/* Each find in the decoded value; "" is its begin, "$" its end. */
static size_t
edits_of(struct span value, const char *find, struct span put,
         struct subst **edits)
{
	size_t n = 0, at = 0, length = strlen(find);
	const char *p;
	struct subst *e;

	if (length == 0 || strcmp(find, "$") == 0) {
		e = arena_grow(mem(), edits, &n, sizeof(*e));
		*e = (struct subst){length == 0 ? 0 : value.n, 0, put};
		return n;
	}
	while ((p = memmem(value.p + at, value.n - at, find, length)) != NULL) {
		at = (size_t)(p - value.p);
		e = arena_grow(mem(), edits, &n, sizeof(*e));
		*e = (struct subst){at, length, put};
		at += length;
	}
	return n;
}

/* No line too long, none blank, no control but LF. */
static void
is_sound(struct span name, struct span s)
{
	size_t column = name.n + 2, i, wrong = 0, seen = 0;

	ck_assert_ptr_nonnull(s.p);
	ck_assert_int_eq(s.p[s.n], '\0');
	ck_assert_uint_eq(strlen(s.p), s.n);
	for (i = 0; i < s.n; i++, column++) {
		wrong += column >= 998 || s.p[i] == '\r';
		seen += s.p[i] != ' ' && s.p[i] != '\t';
		if (s.p[i] == '\n') {
			wrong += seen == 1 && i > 0;
			wrong += i + 1 >= s.n || (s.p[i + 1] != ' ' &&
			                          s.p[i + 1] != '\t');
			seen = 0;
			column = (size_t)-1;
		}
	}
	ck_assert_msg(wrong == 0, "bad lines: %s", s.p);
}

static struct span
rewrites(struct span name, struct span raw, const char *find, struct span put)
{
	struct span value = header_decode(mem(), raw), got;
	struct subst *edits = NULL;
	size_t n = edits_of(value, find, put, &edits);

	ck_assert_uint_gt(n, 0);
	got = header_rewrite(mem(), name, raw, edits, n);
	is_sound(name, got);
	return got;
}

/* The value as the edits make it, read again. */
static void
reads(struct span got, const char *wanted)
{
	struct span s = header_decode(mem(), got);

	ck_assert_msg(span_is(s, span_of(wanted)), "\"%.*s\" reads \"%.*s\", "
	              "not \"%s\"", SPAN_ARG(got), SPAN_ARG(s), wanted);
}

static void
becomes(const char *name, const char *raw, const char *find, const char *put,
        const char *wanted)
{
	struct span got = rewrites(span_of(name), span_of(raw), find,
	                           span_of(put));

	ck_assert_msg(span_is(got, span_of(wanted)),
	              "%s: \"%s\" becomes\n\"%.*s\", not\n\"%s\"", name, raw,
	              SPAN_ARG(got), wanted);
}

#define SUBJECT(raw, find, put, wanted) becomes("Subject", raw, find, put, wanted)
#define FROM(raw, find, put, wanted) becomes("From", raw, find, put, wanted)

START_TEST(a_tag_leaves_encoded_words_as_they_came)
{
	SUBJECT("=?iso-8859-1?q?Gr=FC=DFe?=", "", "[EXT] ",
	        "[EXT] =?iso-8859-1?q?Gr=FC=DFe?=");
	SUBJECT("=?koi8-r?B?8NLJ18XU?=\n =?koi8-r?B?8NLJ18XU?=", "", "[EXT] ",
	        "[EXT] =?koi8-r?B?8NLJ18XU?=\n =?koi8-r?B?8NLJ18XU?=");
	SUBJECT("=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "", "[EXT] ",
	        "[EXT] =?iso-2022-jp?B?GyRCRnxLXBsoQg==?=");
	SUBJECT("=?gb2312?B?xOO6ww==?= x", "$", " !",
	        "=?gb2312?B?xOO6ww==?= x !");
	SUBJECT("=?utf-8*de?b?w7w=?=", "", "\xc3\xa4 ",
	        "=?UTF-8?B?w6Qg?= =?utf-8*de?b?w7w=?=");
	SUBJECT("Re: =?windows-1251?Q?=CF=F0=E8?= a", "Re: ", "Re: [L] ",
	        "Re: [L] =?windows-1251?Q?=CF=F0=E8?= a");
}
END_TEST

START_TEST(only_the_words_that_are_touched_are_encoded_again)
{
	SUBJECT("=?iso-8859-1?q?=FCa?= b =?iso-8859-1?q?=FCc?=", "\xc3\xbc" "c",
	        "x", "=?iso-8859-1?q?=FCa?= b x");
	SUBJECT("=?iso-8859-1?q?=FCa?= =?iso-8859-1?q?=FCc?=", "\xc3\xbc" "c",
	        "x", "=?iso-8859-1?q?=FCa?= =?UTF-8?Q?x?=");
	SUBJECT("=?iso-8859-1?q?=FCa?=\n =?iso-8859-1?q?=FCc?=\n d", "d",
	        "e", "=?iso-8859-1?q?=FCa?=\n =?iso-8859-1?q?=FCc?=\n e");
	SUBJECT("a  b\n\tcat  d", "cat", "dog", "a  b\n\tdog  d");
	SUBJECT("a b c", "b", "\xc3\xbc", "a =?UTF-8?B?w7w=?= c");
	SUBJECT("abc", "b", "\xc3\xbc", "=?UTF-8?Q?a=C3=BCc?=");
	SUBJECT("=?utf-8?Q?KAUFEN_B=C3=BC?=", "KAUFEN", "lesen",
	        "lesen =?UTF-8?B?QsO8?=");
}
END_TEST

START_TEST(what_is_put_back_as_it_was_is_not_touched)
{
	SUBJECT("RE: =?iso-8859-1?q?=FC?=\n x", "RE: \xc3\xbc x",
	        "[l] \xc3\xbc x", "[l] =?iso-8859-1?q?=FC?=\n x");
	SUBJECT("a =?iso-8859-1?q?=FC?=", "\xc3\xbc", "\xc3\xa4",
	        "a =?UTF-8?B?w6Q=?=");
	SUBJECT("=?utf-8?q?=C3=BC?= aa", "aa", "aaa", "=?utf-8?q?=C3=BC?= aaa");
}
END_TEST

START_TEST(blanks_beside_encoded_words_stay_text)
{
	SUBJECT("=?utf-8?q?=C3=BC?= b", "b", "\xc3\xa4",
	        "=?utf-8?q?=C3=BC?= =?UTF-8?B?IMOk?=");
	SUBJECT("b =?utf-8?q?=C3=BC?=", "b", "\xc3\xa4",
	        "=?UTF-8?B?w6Qg?= =?utf-8?q?=C3=BC?=");
	SUBJECT("=?utf-8?q?=C3=BC?= b =?utf-8?q?=C3=BC?=", " b ", "",
	        "=?utf-8?q?=C3=BC?= =?utf-8?q?=C3=BC?=");
	SUBJECT("=?utf-8?q?=C3=BC?= b =?utf-8?q?=C3=BC?=", "b", "",
	        "=?utf-8?q?=C3=BC?= =?UTF-8?Q?__?= =?utf-8?q?=C3=BC?=");
	SUBJECT("a =?utf-8?q?=C3=BC?=", " ", "", "=?UTF-8?Q?a?= "
	        "=?utf-8?q?=C3=BC?=");
	SUBJECT("a\n b\n c", "b", "", "a  c");
	SUBJECT("a =?utf-8?q?=C3=BC?= c", "\xc3\xbc", "", "a  c");
}
END_TEST

START_TEST(a_character_cut_between_words_keeps_them_together)
{
	SUBJECT("x =?utf-8?Q?=C3?= =?utf-8?Q?=BC?= y", "y", "z",
	        "x =?utf-8?Q?=C3?= =?utf-8?Q?=BC?= z");
	SUBJECT("=?utf-8?Q?a=C3?= =?utf-8?Q?=BCb?= =?utf-8?Q?c?=", "b", "d",
	        "=?UTF-8?B?YcO8ZGM=?=");
	SUBJECT("=?iso-2022-jp?B?GyRCRg==?= =?iso-2022-jp?B?fBsoQg==?= y", "y",
	        "z", "=?iso-2022-jp?B?GyRCRg==?= =?iso-2022-jp?B?fBsoQg==?= z");
}
END_TEST

START_TEST(broken_words_and_bytes_stay_where_they_are)
{
	SUBJECT("gr\xfc\xdf a", "a", "b", "gr\xfc\xdf b");
	SUBJECT("gr\xc3\xbc a", "a", "b", "gr\xc3\xbc b");
	SUBJECT("a=?utf-8?q?b?=c d", "d", "e", "a=?utf-8?q?b?=c e");
	SUBJECT("=?utf-8?q?b d", "d", "e", "=?utf-8?q?b e");
	SUBJECT("x\r\n y a", "a", "b", "x\n y b");
	SUBJECT("x\ry a", "a", "b", "x y b");
	reads(rewrites(SPAN("Subject"), SPAN("x\0y a"), "a", SPAN("b")),
	      "x\xef\xbf\xbdy b");
	reads(rewrites(SPAN("Subject"), SPAN("=?utf-8?q?\xff?= a"), "a",
	               SPAN("b")), "\xef\xbf\xbd b");
}
END_TEST

START_TEST(what_is_put_in_breaks_nothing)
{
	static const struct span hostile[] = {
		{"\r\nBcc: x@y", 10}, {"a\n\nb", 4}, {"\0", 1}, {"a\0b", 3},
		{"=?utf-8?q?=0D=0AX:_y?=", 22}, {"\x1b[2J", 4}, {"\xff\xfe", 2},
		{"\n ", 2}, {"", 0}, {"\t", 1}, {"a\r", 2}, {"?=", 2},
		{"=?", 2}, {"\xe2\x80\xa8", 3}, {"\\\"<>,;:(", 8},
	};
	static const char *const raws[] = {
		"X", "=?utf-8?q?X?=", "a X b", "=?utf-8?q?=C3=BC?= X",
		"\"X\" <a@b>", "a@b (X)", "=?utf-8?q?=0D=0AX?=", "X <a@b>, c@d",
		"=?utf-8?q?X?= <a@b>", "\"a X\n b\" <a@b>", "g: X <a@b>;",
	};
	static const char *const names[] = {"Subject", "From", "X"};
	size_t i, k, j, m;

	for (i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		for (k = 0; k < sizeof(raws) / sizeof(raws[0]); k++)
			for (j = 0; j < 3; j++) {
				struct span got = rewrites(span_of(names[j]),
					span_of(raws[k]), "X", hostile[i]);
				for (m = 0; m < got.n; m++)
					ck_assert_uint_lt(
						(unsigned char)got.p[m], 0x7f);
				ck_assert_ptr_null(memmem(got.p, got.n,
				                          "\x1b", 1));
			}
}
END_TEST

START_TEST(a_text_that_looks_like_a_word_is_encoded)
{
	SUBJECT("a b", "b", "=?utf-8?q?x?=",
	        "a =?UTF-8?B?PT91dGYtOD9xP3g/PQ==?=");
	SUBJECT("a b", "b", "what=?", "a what=?");
}
END_TEST

START_TEST(lines_that_grow_are_folded)
{
	static const char sixty[] = "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd "
		"eeeeeeeee fffffffff";

	becomes("Subject", sixty, "", "[EXTERNAL] ", "[EXTERNAL] "
	        "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee\n fffffffff");
	/* the next line is not touched, though it could be fuller */
	becomes("Subject", "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee "
	        "fffffffff\n g\n h", "", "[EXTERNAL] ", "[EXTERNAL] "
	        "aaaaaaaaa bbbbbbbbb ccccccccc ddddddddd eeeeeeeee\n "
	        "fffffffff\n g\n h");
	becomes("Subject", "=?utf-8?Q?aaaaaaaaaabbbbbbbbbbccccccccccdddddddddd"
	        "eeeee?=", "", "[EXTERNAL] ", "[EXTERNAL]\n "
	        "=?utf-8?Q?aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeee?=");
}
END_TEST

START_TEST(no_line_gets_longer_than_smtp_allows)
{
	static const char *const pieces[] = {
		"x", "xy ", "=?utf-8?q?=C3=BC?= ", "\xc3\xbc", "\xc3\xbc ", "a@b,",
		"=?utf-8?b?w7w=?=\n ", "a <a@b>, ", "\"", "(", "<", "(a) ", "=?",
		"\"x\" ", "=?u?q?=C3?= =?u?q?=BC?= ", "x                       ",
	};
	static const char *const names[] = {"Subject", "To", "X-Y"};
	size_t i, k;

	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++)
		for (k = 0; k < 3; k++) {
			struct span raw = many(pieces[i], 60000 /
				strlen(pieces[i]), "end");
			rewrites(span_of(names[k]), raw, "end", SPAN("END"));
			rewrites(span_of(names[k]), raw, "", SPAN("[E] "));
			rewrites(span_of(names[k]), raw, "", SPAN("\xc3\xbc "));
			rewrites(span_of(names[k]), raw, "$", SPAN("\xc3\xbc"));
			rewrites(span_of(names[k]), many(pieces[i], 400, "x"),
			         "x", many("yz ", 300, ""));
		}
}
END_TEST

START_TEST(every_match_in_a_long_value_is_changed)
{
	struct span raw = many("=?iso-8859-1?q?=FC?= abc ", 2400, ".");
	struct span got = rewrites(SPAN("Subject"), raw, "b", SPAN("\xc3\xbc"));
	struct span value = header_decode(mem(), got);

	ck_assert_uint_gt(raw.n, 60000);
	ck_assert(span_is(value,
	          many("\xc3\xbc a\xc3\xbc" "c ", 2400, ".")));
	ck_assert_ptr_nonnull(memmem(got.p, got.n, "=?iso-8859-1?q?=FC?=", 20));
	got = rewrites(SPAN("Subject"), many("a", 60000, ""), "a",
	               SPAN("\xe2\x82\xac"));
	reads(got, many("\xe2\x82\xac", 60000, "").p);
}
END_TEST

START_TEST(a_display_name_stays_a_phrase)
{
	FROM("\"Doe, J\" <a@b>", "", "[EXT] ",
	     "=?UTF-8?B?W0VYVF0=?= \"Doe, J\" <a@b>");
	FROM("=?utf-8?q?M=C3=BCller=2C_J?= <a@b>", "", "[EXT] ",
	     "=?UTF-8?B?W0VYVF0g?= =?utf-8?q?M=C3=BCller=2C_J?= <a@b>");
	FROM("=?utf-8?q?M=C3=BCller=2C_J?= <a@b>", "\xc3\xbc", "ue",
	     "=?UTF-8?Q?Mueller=2C_J?= <a@b>");
	FROM("Doe <a@b>", "", "List ", "List Doe <a@b>");
	FROM("Doe <a@b>", "Doe", "D\xc3\xb6", "=?UTF-8?B?RMO2?= <a@b>");
	FROM("Doe<a@b>", "Doe", "D\xc3\xb6", "=?UTF-8?B?RMO2?= <a@b>");
	FROM("\"Doe, J\" <a@b>", "Doe", "D\xc3\xb6",
	     "=?UTF-8?B?RMO2LCBK?= <a@b>");
	FROM("\"Doe, J\" <a@b>", "Doe", "Roe", "\"Roe, J\" <a@b>");
	FROM("a@b (Doe)", "Doe", "D\xc3\xb6 x (y)",
	     "a@b (=?UTF-8?B?RMO2?= x \\(y\\))");
	FROM("\"Doe\" <a@b>", "Doe", "x\" <e@f>, \"y",
	     "\"x\\\" <e@f>, \\\"y\" <a@b>");
	FROM("=?utf-8?q?a?= <a@b>,\n =?utf-8?q?b?= <b@c>", "b@c", "c@d",
	     "=?utf-8?q?a?= <a@b>,\n =?utf-8?q?b?= <c@d>");
}
END_TEST

START_TEST(a_policy_may_change_addresses)
{
	FROM("Doe <a@b>", "<a@b>", "via list <l@x>", "Doe via list <l@x>");
	FROM("a@b", "$", ", c@d", "a@b, c@d");
	FROM("\"Doe, J\" <a@b>", "\"Doe, J\" <a@b>", "Doe, J via l <l@x>",
	     "=?UTF-8?Q?Doe=2C?= J via l <l@x>");
	FROM("=?utf-8?q?M=C3=BCller=2C_J?= <a@b>", "M\xc3\xbcller, J <a@b>",
	     "M\xc3\xbcller, J via l <l@x>",
	     "=?utf-8?q?M=C3=BCller=2C_J?= via l <l@x>");
}
END_TEST

/* What is in an encoded word has no say in the structure. */
START_TEST(an_encoded_word_brings_no_address)
{
	struct mailbox *boxes;
	size_t n;
	bool full;
	struct span got = rewrites(SPAN("From"),
		SPAN("=?utf-8?q?=22x=22_=3Cevil=40y=3E=2C_z?= <a@b>"), "z",
		SPAN("zz"));

	ck_assert(address_field(mem(), got, &boxes, &n, &full));
	ck_assert_uint_eq(n, 1);
	ck_assert(span_is(boxes[0].address.text, SPAN("a@b")));
	ck_assert(span_is(boxes[0].name, SPAN("\"x\" <evil@y>, zz")));
}
END_TEST

START_TEST(new_fields_of_addresses_are_encoded_by_their_parts)
{
	struct span got = header_encode(mem(), SPAN("Reply-To"),
		SPAN("\"M\xc3\xbcller, J\" <a@b>, J\xc3\xb6rg <c@d>"));

	ck_assert_str_eq(got.p, "=?UTF-8?Q?M=C3=BCller=2C_J?= <a@b>, "
	                 "=?UTF-8?B?SsO2cmc=?= <c@d>");
}
END_TEST

START_TEST(without_memory_nothing_is_made)
{
	size_t limit;
	struct subst e = {2, 1, SPAN("\xc3\xbc")};

	for (limit = 8; limit < 4000; limit += 40) {
		struct arena *small = arena_new(limit);
		struct span got = header_rewrite(small, SPAN("From"),
			SPAN("a b =?utf-8?q?x?= \"y\" <a@b>"), &e, 1);

		ck_assert(got.p == NULL || !arena_full(small));
		arena_free(small);
	}
}
END_TEST

CHECK_MAIN("rewrite", a_tag_leaves_encoded_words_as_they_came,
           only_the_words_that_are_touched_are_encoded_again,
           what_is_put_back_as_it_was_is_not_touched,
           blanks_beside_encoded_words_stay_text,
           a_character_cut_between_words_keeps_them_together,
           broken_words_and_bytes_stay_where_they_are,
           what_is_put_in_breaks_nothing,
           a_text_that_looks_like_a_word_is_encoded,
           lines_that_grow_are_folded,
           no_line_gets_longer_than_smtp_allows,
           every_match_in_a_long_value_is_changed,
           a_display_name_stays_a_phrase,
           a_policy_may_change_addresses,
           an_encoded_word_brings_no_address,
           new_fields_of_addresses_are_encoded_by_their_parts,
           without_memory_nothing_is_made)
