/* test_html.c - HTML that costs no more than it may, and what CSS hides. */
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "body.h"
#include "caps.h"
#include "check.h"
#include "css.h"
#include "html.h"
#include "seen.h"

#define SECOND INT64_C(1000000000)

static struct arena *arena;

/* Looked at while HTML is read: what all sessions are said to hold. */
static size_t most_held;

int
clock_gettime(clockid_t clock, struct timespec *t)
{
	size_t nothing = 0, held = memory_account(&nothing, 0);

	most_held = held > most_held ? held : most_held;
	return (int)syscall(SYS_clock_gettime, clock, t);
}

static void
begin(void)
{
	arena = arena_new(0);
	ck_assert_ptr_nonnull(arena);
}

static void
end(void)
{
	arena_free(arena);
}

static struct span
many(const char *before, const char *text, size_t times, const char *after)
{
	size_t n = strlen(text), at = strlen(before), i;
	char *p = arena_alloc(arena, at + n * times + strlen(after) + 1);

	memcpy(p, before, at);
	for (i = 0; i < times; i++, at += n)
		memcpy(p + at, text, n);
	strcpy(p + at, after);
	return span_of(p);
}

static struct html_page page;

static enum html_end
try(struct span html)
{
	int64_t left = CAPS_HTML_SECONDS * SECOND;
	struct timespec from, to;
	enum html_end how;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	how = html_read(arena, html, &left, &page);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	/* what is freed then takes its time, too; sanitizers make it more */
	ck_assert_int_le(to.tv_sec - from.tv_sec, CAPS_HTML_SECONDS + 2);
	ck_assert_int_lt(left, CAPS_HTML_SECONDS * SECOND);
	return how;
}

START_TEST(hostile_html_ends_in_its_time_and_memory)
{
	begin();
	ck_assert_int_eq(try(many("", "<div>", 100000, "x")), HTML_TOO_MUCH);
	ck_assert_int_ne(try(many("", "<b>", 100000, "x")), HTML_NO_MEMORY);
	ck_assert_int_ne(try(many("", "<a<a<a", 1700000, "x")),
		HTML_NO_MEMORY);
	ck_assert_int_eq(try(many("", "<table><tr>x<td>", 50000, "")),
		HTML_TOO_MUCH);
	ck_assert_int_eq(try(many("", "<table>x", 200000, "")),
		HTML_TOO_MUCH);
	ck_assert_int_eq(try(many("<a ", "href=x ", 1000000, ">")),
		HTML_READ);
	ck_assert_int_ne(try(many("", "<p><i a=1><i a=2><i a=3>", 5000, "")),
		HTML_NO_MEMORY);
	ck_assert_int_ne(try(many("<!--", "[if x]>", 1000000, "")),
		HTML_NO_MEMORY);
	ck_assert_int_ne(try(many("<p style=\"", "display:none;/*", 1000000,
		"\">x")), HTML_NO_MEMORY);
	end();
}
END_TEST

START_TEST(a_tree_is_counted_while_it_is_there)
{
	size_t nothing = 0;

	begin();
	most_held = 0;
	ck_assert_int_eq(try(many("", "<p>word", 20000, "")), HTML_READ);
	ck_assert_uint_gt(most_held, 2 << 20);
	ck_assert_uint_eq(memory_account(&nothing, 0), 0);
	try(many("", "<table>x", 200000, ""));
	ck_assert_uint_gt(most_held, CAPS_HTML_BYTES / 2);
	ck_assert_uint_eq(memory_account(&nothing, 0), 0);
	end();
}
END_TEST

START_TEST(attributes_without_number_end_in_time)
{
	char *p, *at;
	int i;

	begin();
	p = at = arena_alloc(arena, 1200000);
	at = stpcpy(at, "<a ");
	for (i = 0; i < 100000; i++)
		at += sprintf(at, "a%d ", i);
	strcpy(at, ">x");
	ck_assert_int_eq(try(span_of(p)), HTML_TOO_MUCH);
	end();
}
END_TEST

START_TEST(a_style_sheet_hides_no_more_names_than_it_may)
{
	GString *s = g_string_new("<style>");
	int i;

	begin();
	for (i = 0; i < CAPS_CSS_NAMES; i++)
		g_string_append_printf(s, ".a%d{display:none}", i);
	ck_assert_int_eq(try(span_of(s->str)), HTML_READ);
	g_string_append(s, ".b{display:none}");
	ck_assert_int_eq(try(span_of(s->str)), HTML_TOO_MUCH);
	g_string_free(s, TRUE);
	end();
}
END_TEST

START_TEST(without_time_left_nothing_is_read)
{
	int64_t left = 0;

	begin();
	ck_assert_int_eq(html_read(arena, SPAN("<p>x"), &left, &page),
		HTML_TOO_MUCH);
	end();
}
END_TEST

START_TEST(long_common_html_is_read)
{
	struct span row, html;

	begin();
	row = many("", "<tr><td style=\"font-size:12px\"><p>A text "
		"of a <a href=\"https://example.org/a\">letter</a></p></td>"
		"</tr>\n", 2000, "");
	html = many("<table>", row.p, 1, "</table>");
	ck_assert_int_eq(try(html), HTML_READ);
	ck_assert_uint_eq(page.texts[0].n, 2000 * sizeof("A text of a letter") - 1);
	ck_assert(span_is(page.urls->text, SPAN("https://example.org/a")));
	end();
}
END_TEST

/* ---- CSS ---- */

static unsigned
css(const char *style)
{
	return css_style(span_of(style));
}

START_TEST(css_says_what_is_not_seen)
{
	begin();
	ck_assert_uint_eq(css("display:none"), CSS_GONE);
	ck_assert_uint_eq(css(" Display : NONE ; color: red"), CSS_GONE);
	ck_assert_uint_eq(css("opacity: 0.0"), CSS_DIM);
	ck_assert_uint_eq(css("opacity: 5%"), CSS_DIM);
	ck_assert_uint_eq(css("max-height:0;overflow:hidden"), CSS_DIM);
	ck_assert_uint_eq(css("visibility:collapse"), CSS_HIDDEN);
	ck_assert_uint_eq(css("font-size:.9px"), CSS_TINY);
	ck_assert_uint_eq(css("font: italic 0 serif"), CSS_TINY);
	ck_assert_uint_eq(css("font: 700 12px / 0 serif"), CSS_SIZED);
	ck_assert_uint_eq(css("opacity:1"), 0);
	ck_assert_uint_eq(css("max-height:0"), 0);
	ck_assert_uint_eq(css("xdisplay:none"), 0);
	ck_assert_uint_eq(css("display"), 0);
	ck_assert_uint_eq(css(""), 0);
	end();
}
END_TEST

START_TEST(of_css_declarations_the_last_valid_one_counts)
{
	begin();
	ck_assert_uint_eq(css("display:none;display:inline"), CSS_INLINE);
	ck_assert_uint_eq(css("display:none;display:x"), CSS_GONE);
	ck_assert_uint_eq(css("display:none!IMPORTANT;display:block"),
		CSS_GONE);
	ck_assert_uint_eq(css("display:none ! important;"
		"display:block !important"), CSS_BLOCK);
	ck_assert_uint_eq(css("opacity:0;opacity:.5"), 0);
	ck_assert_uint_eq(css("opacity:0;opacity:no"), CSS_DIM);
	ck_assert_uint_eq(css("font-size:0;font:12px serif"), CSS_SIZED);
	end();
}
END_TEST

START_TEST(css_quotes_comments_and_escapes_are_read)
{
	begin();
	ck_assert_uint_eq(css("a:';display:none'"), 0);
	ck_assert_uint_eq(css("a:\"\\\";display:none\""), 0);
	ck_assert_uint_eq(css("a:url(;display:none)"), 0);
	ck_assert_uint_eq(css("a:);display:none"), CSS_GONE);
	ck_assert_uint_eq(css("dis/**/play:none"), 0);
	ck_assert_uint_eq(css("/*;*/display:/**/none"), CSS_GONE);
	ck_assert_uint_eq(css("\\64 isplay:n\\6fne"), CSS_GONE);
	ck_assert_uint_eq(css("\\000064isplay:none"), CSS_GONE);
	ck_assert_uint_eq(css("display:none\\"), 0);
	ck_assert_uint_eq(css("display:none/*"), CSS_GONE);
	end();
}
END_TEST

/* ---- plain text ---- */

static const char *
plain(const char *text, bool flowed, bool delsp)
{
	struct seen s = {.out = g_string_new(NULL)};
	const char *out;

	seen_plain(&s, span_of(text), flowed, delsp);
	out = arena_copy(arena, (struct span){s.out->str, s.out->len}).p;
	g_string_free(s.out, TRUE);
	return out;
}

START_TEST(flowed_lines_go_on)
{
	begin();
	ck_assert_str_eq(plain("a \nb\n", true, false), "a b");
	ck_assert_str_eq(plain("a \nb\n", true, true), "ab");
	ck_assert_str_eq(plain("> a \n> b\n> c", true, false), "> a b > c");
	ck_assert_str_eq(plain("> a \n>> b", true, false), "> a >> b");
	ck_assert_str_eq(plain("-- \nb", true, true), "-- b");
	ck_assert_str_eq(plain("> a \n> b", false, false), "> a > b");
	ck_assert_str_eq(plain("", true, true), "");
	ck_assert_str_eq(plain("\n \n", true, true), "");
	end();
}
END_TEST

CHECK_MAIN("html",
	hostile_html_ends_in_its_time_and_memory,
	a_tree_is_counted_while_it_is_there,
	attributes_without_number_end_in_time,
	a_style_sheet_hides_no_more_names_than_it_may,
	without_time_left_nothing_is_read, long_common_html_is_read,
	css_says_what_is_not_seen,
	of_css_declarations_the_last_valid_one_counts,
	css_quotes_comments_and_escapes_are_read, flowed_lines_go_on)
