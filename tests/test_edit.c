/* The splices of a body, and what a change of a part leaves alone. */
#include <string.h>

#include "check.h"
#include "edit.h"

static struct arena *
mem(void)
{
	static struct arena *a;

	if (a == NULL)
		a = arena_new(0);
	ck_assert_ptr_nonnull(a);
	return a;
}

/* ---- splice ---- */

static struct splice
on(const char *base)
{
	struct splice s;

	splice_begin(&s, mem(), span_of(base));
	return s;
}

#define IS(span, text)                                                      \
	ck_assert_msg(span_is((span), span_of(text)), "%.*s, not %s",       \
	              SPAN_ARG(span), (text))

START_TEST(ranges_are_replaced_in_any_order)
{
	struct splice s = on("0123456789");

	ck_assert(splice_replace(&s, 8, 10, SPAN("end")));
	ck_assert(splice_replace(&s, 0, 1, SPAN("begin")));
	ck_assert(splice_replace(&s, 4, 6, SPAN("")));
	IS(splice_result(&s), "begin12367end");
}
END_TEST

START_TEST(what_is_inserted_at_one_place_stands_in_its_order)
{
	struct splice s = on("0123456789");

	ck_assert(splice_replace(&s, 5, 5, SPAN("a")));
	ck_assert(splice_replace(&s, 5, 7, SPAN("R")));
	ck_assert(splice_replace(&s, 5, 5, SPAN("b")));
	ck_assert(splice_replace(&s, 7, 7, SPAN("c")));
	ck_assert(splice_replace(&s, 3, 5, SPAN("L")));
	ck_assert(splice_replace(&s, 10, 10, SPAN("z")));
	ck_assert(splice_replace(&s, 0, 0, SPAN("A")));
	IS(splice_result(&s), "A012LabRc789z");
}
END_TEST

START_TEST(ranges_that_overlap_are_refused)
{
	struct splice s = on("0123456789");

	ck_assert(splice_replace(&s, 2, 6, SPAN("x")));
	ck_assert(!splice_replace(&s, 2, 6, SPAN("y")));
	ck_assert(!splice_replace(&s, 0, 3, SPAN("y")));
	ck_assert(!splice_replace(&s, 5, 9, SPAN("y")));
	ck_assert(!splice_replace(&s, 3, 4, SPAN("y")));
	ck_assert(!splice_replace(&s, 4, 4, SPAN("y")));
	ck_assert(!splice_replace(&s, 0, 10, SPAN("y")));
	ck_assert(!splice_replace(&s, 9, 11, SPAN("y")));
	ck_assert(!splice_replace(&s, 9, 8, SPAN("y")));
	ck_assert(!arena_full(mem()));
	IS(splice_result(&s), "01x6789");
}
END_TEST

START_TEST(the_pieces_are_the_result_and_none_is_empty)
{
	struct splice s = on("0123456789");
	struct span piece, all = SPAN("");
	size_t at = 0, n = 0;

	ck_assert(splice_is(&s, s.base));
	ck_assert(splice_replace(&s, 0, 2, SPAN("01")));
	ck_assert(splice_is(&s, s.base));
	ck_assert(splice_replace(&s, 2, 4, SPAN("")));
	ck_assert(splice_replace(&s, 4, 4, SPAN("ab")));
	ck_assert(!splice_is(&s, s.base));
	for (; splice_next(&s, &at, &piece); n++) {
		ck_assert_uint_gt(piece.n, 0);
		all = arena_printf(mem(), "%.*s%.*s", SPAN_ARG(all),
		                   SPAN_ARG(piece));
	}
	ck_assert_uint_eq(n, 3);
	IS(all, "01ab456789");
	IS(splice_result(&s), "01ab456789");
}
END_TEST

START_TEST(of_nothing_something_is_made_and_of_something_nothing)
{
	struct splice s = on("");

	ck_assert(splice_replace(&s, 0, 0, SPAN("a")));
	IS(splice_result(&s), "a");
	s = on("abc");
	ck_assert(splice_replace(&s, 0, 3, SPAN("")));
	IS(splice_result(&s), "");
}
END_TEST

/* ---- a message ---- */

#define BODY \
	"before\r\n" \
	"--b\r\n" \
	"Content-Type: text/plain;\r\n" \
	"\tcharset=us-ascii\r\n" \
	"X-Kept:  two  \r\n" \
	"\r\n" \
	"one\r\n" \
	"--b\r\n" \
	"\r\n" \
	"two\r\n" \
	"--b--\r\n" \
	"behind\r\n"

static void
begin(struct edit *e, const char *type, const char *body)
{
	struct message *m = message_new(mem());

	ck_assert_ptr_nonnull(m);
	ck_assert(message_add_field(m, SPAN("Subject"), SPAN("s")));
	ck_assert(message_add_field(m, SPAN("Content-Type"), span_of(type)));
	edit_begin(e, mem(), m, span_of(body), false);
}

START_TEST(the_parts_are_ranges_of_the_body)
{
	struct edit e;
	struct mime *m;

	begin(&e, "multipart/mixed; boundary=b", BODY);
	m = edit_parts(&e);
	ck_assert_ptr_nonnull(m);
	ck_assert_uint_eq(m->n_parts, 3);
	ck_assert_ptr_null(m->parts[0].header.p);
	IS(m->parts[1].header, "Content-Type: text/plain;\r\n"
	   "\tcharset=us-ascii\r\nX-Kept:  two  \r\n");
	IS(m->parts[1].bytes, "one");
	IS(m->parts[2].header, "");
	IS(m->parts[2].bytes, "two");
	ck_assert(edit_holds(&e, m->parts[2].header));
	ck_assert(edit_holds(&e, m->parts[2].bytes));
	ck_assert(!edit_holds(&e, SPAN("two")));
	IS(edit_from(&e, m->parts[2].bytes), "two\r\n--b--\r\nbehind\r\n");
}
END_TEST

START_TEST(each_change_acts_on_the_one_before)
{
	struct edit e;
	struct mime *m;

	begin(&e, "multipart/mixed; boundary=b", BODY);
	m = edit_parts(&e);
	ck_assert(edit_replace(&e, m->parts[1].bytes, SPAN("ONE")));
	ck_assert(!edit_replace(&e, m->parts[1].bytes, SPAN("twice")));
	ck_assert(edit_set_field(&e, 1, SPAN("content-type"),
	                         SPAN("text/html")));
	ck_assert(edit_set_field(&e, 1, SPAN("Content-Transfer-Encoding"),
	                         SPAN("8bit")));
	m = edit_parts(&e);
	IS(m->parts[1].types->text, "text/html");
	ck_assert_uint_eq(m->parts[1].encodings, ENCODING_8BIT);
	IS(m->parts[1].bytes, "ONE");
	IS(edit_field(&e, 1, SPAN("x-kept")), " two  ");
	ck_assert_ptr_null(edit_field(&e, 2, SPAN("x-kept")).p);
	ck_assert(edit_replace(&e, m->parts[1].bytes, SPAN("one, again")));
	ck_assert(edit_set_field(&e, 2, SPAN("X-Made"), SPAN("1")));
	IS(edit_result(&e),
	   "before\r\n--b\r\nContent-Type: text/html\r\nX-Kept:  two  \r\n"
	   "Content-Transfer-Encoding: 8bit\r\n\r\none, again\r\n"
	   "--b\r\nX-Made: 1\r\n\r\ntwo\r\n--b--\r\nbehind\r\n");
}
END_TEST

START_TEST(the_message_s_own_fields_are_those_of_its_header)
{
	const struct change *c = NULL;
	struct edit e;
	size_t n = 0;

	begin(&e, "text/plain;\n charset=latin1", "text\r\n");
	ck_assert_uint_eq(edit_parts(&e)->n_parts, 1);
	IS(edit_field(&e, 0, SPAN("CONTENT-TYPE")),
	   "text/plain;\n charset=latin1");
	ck_assert(edit_set_field(&e, 0, SPAN("content-type"),
	                         SPAN("text/plain;\n charset=utf-8")));
	ck_assert(edit_set_field(&e, 0, SPAN("MIME-Version"), SPAN("1.0")));
	ck_assert(edit_is_same(&e));
	IS(edit_parts(&e)->parts[0].charsets->text, "utf-8");
	ck_assert(message_changes(e.message, &c, &n));
	ck_assert_uint_eq(n, 2);
	ck_assert_int_eq(c[0].kind, CHANGE_HEADER);
	IS(c[0].name, "Content-Type");
	IS(c[0].value, "text/plain;\n charset=utf-8");
	ck_assert_int_eq(c[1].kind, ADD_HEADER);
	IS(c[1].name, "MIME-Version");
	IS(c[1].value, "1.0");
}
END_TEST

/* ---- what the MTA is told ---- */

START_TEST(the_mta_is_told_of_a_body_that_is_another_only)
{
	const struct change before = {.kind = HOLD}, *c = &before;
	struct span all = SPAN("");
	struct edit e;
	struct mime *m;
	size_t n = 1, i;

	begin(&e, "multipart/mixed; boundary=b", BODY);
	m = edit_parts(&e);
	ck_assert(edit_replace(&e, m->parts[1].bytes, SPAN("ONE")));
	ck_assert(!edit_is_same(&e));
	m = edit_parts(&e);
	ck_assert(edit_replace(&e, m->parts[1].bytes, SPAN("one")));
	ck_assert(edit_is_same(&e));
	ck_assert(edit_changes(&e, &c, &n));
	ck_assert_uint_eq(n, 1);
	m = edit_parts(&e);
	ck_assert(edit_replace(&e, m->parts[2].bytes, SPAN("TWO")));
	ck_assert(edit_changes(&e, &c, &n));
	ck_assert_uint_eq(n, 4);
	ck_assert_int_eq(c[0].kind, HOLD);
	for (i = 1; i < n; i++) {
		ck_assert_int_eq(c[i].kind, REPLACE_BODY);
		all = arena_printf(mem(), "%.*s%.*s", SPAN_ARG(all),
		                   SPAN_ARG(c[i].value));
	}
	IS(all, edit_result(&e).p);
}
END_TEST

START_TEST(a_body_that_is_emptied_is_told_too)
{
	const struct change *c = NULL;
	struct edit e;
	size_t n = 0;

	begin(&e, "text/plain", "text\r\n");
	ck_assert(edit_replace(&e, edit_parts(&e)->parts[0].bytes, SPAN("")));
	ck_assert(edit_changes(&e, &c, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(c->kind, REPLACE_BODY);
	ck_assert_uint_eq(c->value.n, 0);
}
END_TEST

CHECK_MAIN("edit",
	ranges_are_replaced_in_any_order,
	what_is_inserted_at_one_place_stands_in_its_order,
	ranges_that_overlap_are_refused,
	the_pieces_are_the_result_and_none_is_empty,
	of_nothing_something_is_made_and_of_something_nothing,
	the_parts_are_ranges_of_the_body,
	each_change_acts_on_the_one_before,
	the_message_s_own_fields_are_those_of_its_header,
	the_mta_is_told_of_a_body_that_is_another_only,
	a_body_that_is_emptied_is_told_too)
