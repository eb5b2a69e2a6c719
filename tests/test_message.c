#include <string.h>

#include "caps.h"
#include "check.h"
#include "message.h"
#include "two_mtas.h"

/* A pattern of our own: a text found, and put in its place. */
struct action {
	const char *find, *put;
	bool fails;
};

enum truth
effect_matches(const struct effect *e, struct span value)
{
	if (e->action == NULL)
		return TRUTH_YES;
	if (e->action->fails)
		return TRUTH_FAILED;
	return memmem(value.p, value.n, e->action->find,
	              strlen(e->action->find)) != NULL ? TRUTH_YES : TRUTH_NO;
}

enum truth
effect_rewrite(const struct effect *e, struct span value, struct arena *a,
               struct subst **edits, size_t *n)
{
	const char *at = memmem(value.p, value.n, e->action->find,
	                        strlen(e->action->find));

	*edits = arena_alloc(a, sizeof(**edits));
	*n = 1;
	if (e->action->fails)
		return TRUTH_FAILED;
	if (at == NULL)
		return TRUTH_NO;
	**edits = (struct subst){(size_t)(at - value.p),
		strlen(e->action->find), span_of(e->action->put)};
	return TRUTH_YES;
}

/* ---- telling and asking ---- */

/* Kept until the test's process ends. */
static struct arena *
mem(void)
{
	static struct arena *arena;

	if (arena == NULL)
		arena = arena_new(0);
	return arena;
}

/* "Name: value" each; the sender a@x, the recipients <r0@x> and so on. */
static struct message *
told(size_t n_rcpts, const char *const *fields)
{
	struct message *m = message_new(mem());
	size_t i, n;

	ck_assert(message_set_sender(m, SPAN("<a@x>")));
	for (i = 0; i < n_rcpts; i++)
		ck_assert(message_add_rcpt(m, arena_printf(mem(), "<r%zu@x>", i)));
	for (; fields != NULL && *fields != NULL; fields++) {
		n = strcspn(*fields, ":");
		ck_assert(message_add_field(m, (struct span){*fields, n},
		                            span_of(*fields + n + 2)));
	}
	return m;
}

#define TOLD(n_rcpts, ...)                                                  \
	told(n_rcpts, (const char *const []){__VA_ARGS__, NULL})

static void
apply(struct message *m, const struct effect *e)
{
	struct span why = {NULL, 0};

	ck_assert_msg(message_apply(m, e, &why), "%.*s", SPAN_ARG(why));
}

#define APPLY(m, ...) apply(m, &(struct effect){__VA_ARGS__})
#define HEADER(kind_, name_, value_)                                        \
	.kind = kind_, .name = SPAN(name_), .value = SPAN(value_)

static void
is_refused(struct message *m, const struct effect *e, const char *wanted)
{
	struct span why = {NULL, 0};

	ck_assert(!message_apply(m, e, &why));
	ck_assert_ptr_nonnull(why.p);
	ck_assert_int_eq(why.p[why.n], '\0');
	ck_assert_str_eq(why.p, wanted);
}

#define REFUSED(m, wanted, ...)                                             \
	is_refused(m, &(struct effect){__VA_ARGS__}, wanted)

static const char *
change_text(const struct change *c)
{
	switch (c->kind) {
	case CHANGE_HEADER:
		return arena_printf(mem(), "%s %s %u%s%s\n",
			c->value.p == NULL ? "delete" : "change", c->name.p,
			c->index, c->value.p == NULL ? "" : " ",
			c->value.p == NULL ? "" : c->value.p).p;
	case INSERT_HEADER:
		return arena_printf(mem(), "insert %u %s %s\n", c->index,
		                    c->name.p, c->value.p).p;
	case ADD_HEADER:
		return arena_printf(mem(), "%s %s %s\n",
			c->index == CHANGE_AT_END ? "add" : "add own",
			c->name.p, c->value.p).p;
	case CHANGE_SENDER:
		return arena_printf(mem(), "from %s\n", c->value.p).p;
	case ADD_RCPT:
		return arena_printf(mem(), "to %s\n", c->value.p).p;
	case REMOVE_RCPT:
		return arena_printf(mem(), "not to %s\n", c->value.p).p;
	case HOLD:
		return arena_printf(mem(), "hold %s\n", c->value.p).p;
	case REPLACE_BODY:
		return "body\n"; /* is not the message's */
	}
	return "?";
}

/* The changes as text; both MTAs make the working copy of them. */
static const char *
changes(struct message *m)
{
	const struct change *c;
	struct span all = SPAN("");
	size_t i, n;

	ck_assert(message_changes(m, &c, &n));
	ck_assert(changes_are_fit(c, n));
	ck_assert(mta_agrees(m, POSTFIX, c, n));
	ck_assert(mta_agrees(m, SENDMAIL, c, n));
	for (i = 0; i < n; i++)
		all = arena_printf(mem(), "%s%s", all.p, change_text(&c[i]));
	return all.p;
}

/* "Name: value" a line */
static const char *
header(const struct message *m)
{
	struct span all = SPAN("");
	size_t i;

	for (i = 0; i < message_result_fields(m); i++)
		all = arena_printf(mem(), "%s%s: %s\n", all.p,
			message_result_name(m, i).p,
			message_result_value(m, i).p);
	return all.p;
}

/* "r0@x r1@x" */
static const char *
rcpts(const struct message *m)
{
	struct span all = SPAN("");
	size_t i;

	for (i = 0; i < message_result_rcpts(m); i++)
		all = arena_printf(mem(), "%s%s%.*s", all.p,
			i > 0 ? " " : "", SPAN_ARG(message_result_rcpt(m, i)));
	return all.p;
}

/* ---- fields ---- */

START_TEST(fields_are_kept_as_they_came)
{
	struct message *m = TOLD(0, "From: a@x", "Subject: =?utf-8?q?=C3=BC?=\n b",
	                         "Empty: ");

	ck_assert_uint_eq(message_fields(m), 3);
	ck_assert(span_is(message_field(m, 1)->name, SPAN("Subject")));
	ck_assert(span_is(message_field(m, 1)->raw,
	                  SPAN("=?utf-8?q?=C3=BC?=\n b")));
	ck_assert_ptr_null(message_field(m, 1)->decoded.p);
	ck_assert(span_is(message_decoded(m, 1), SPAN("\xc3\xbc b")));
	ck_assert_ptr_eq(message_decoded(m, 1).p, message_field(m, 1)->decoded.p);
	ck_assert(span_is(message_decoded(m, 2), SPAN("")));
	ck_assert_str_eq(changes(m), "");
	ck_assert_str_eq(header(m), "From: a@x\nSubject: =?utf-8?q?=C3=BC?=\n b\n"
	                 "Empty: \n");
}
END_TEST

START_TEST(a_header_has_its_limits)
{
	struct message *m = message_new(mem());
	size_t i, n = CAPS_HEADER_BYTES / 4;
	struct span big = {arena_alloc(mem(), n), n - sizeof("A: \r\n") + 1};

	for (i = 0; i < CAPS_HEADER_FIELDS; i++)
		ck_assert(message_add_field(m, SPAN("A"), SPAN("b")));
	ck_assert(!message_add_field(m, SPAN("A"), SPAN("b")));
	m = message_new(mem());
	for (i = 0; i < 4; i++)
		ck_assert(message_add_field(m, SPAN("A"), big));
	ck_assert(!message_add_field(m, SPAN("A"), SPAN("")));
	ck_assert_uint_eq(message_fields(m), 4);
}
END_TEST

/* ---- effects on the header ---- */

START_TEST(a_field_is_added_at_the_end)
{
	struct message *m = TOLD(0, "A: 1");

	APPLY(m, HEADER(EFFECT_ADD_HEADER, "A", "2"));
	APPLY(m, HEADER(EFFECT_ADD_HEADER, "B", "3"));
	ck_assert_str_eq(changes(m), "add A 2\nadd B 3\n");
	ck_assert_str_eq(header(m), "A: 1\nA: 2\nB: 3\n");
}
END_TEST

START_TEST(a_field_that_an_mta_makes_itself_is_added_in_its_place)
{
	struct message *m = TOLD(0, "A: 1", "Date: yesterday");

	APPLY(m, HEADER(EFFECT_ADD_HEADER, "Message-ID", "<1@a>"));
	APPLY(m, HEADER(EFFECT_ADD_HEADER, "Date", "today"));
	ck_assert_str_eq(changes(m),
	                 "add own Message-ID <1@a>\nadd Date today\n");
}
END_TEST

START_TEST(a_field_prepended_later_stands_above)
{
	struct message *m = TOLD(0, "A: 1");

	APPLY(m, HEADER(EFFECT_PREPEND_HEADER, "B", "2"));
	APPLY(m, HEADER(EFFECT_PREPEND_HEADER, "C", "3"));
	ck_assert_str_eq(changes(m), "insert 0 B 2\ninsert 0 C 3\n");
	ck_assert_str_eq(header(m), "C: 3\nB: 2\nA: 1\n");
}
END_TEST

START_TEST(replace_changes_the_first_and_removes_the_others)
{
	struct message *m = TOLD(0, "S: 1", "T: x", "s: 2", "S: 3");

	APPLY(m, HEADER(EFFECT_REPLACE_HEADER, "S", "new"));
	ck_assert_str_eq(changes(m), "delete S 3\ndelete s 2\nchange S 1 new\n");
	ck_assert_str_eq(header(m), "S: new\nT: x\n");
}
END_TEST

START_TEST(replace_adds_what_is_not_there)
{
	struct message *m = TOLD(0, "T: x");

	APPLY(m, HEADER(EFFECT_REPLACE_HEADER, "S", "new"));
	ck_assert_str_eq(changes(m), "add S new\n");
}
END_TEST

START_TEST(the_same_value_again_is_no_change)
{
	struct message *m = TOLD(0, "S:  one\n two", "T: x");

	APPLY(m, HEADER(EFFECT_REPLACE_HEADER, "S", "one two"));
	APPLY(m, HEADER(EFFECT_REPLACE_HEADER, "T", "y"));
	APPLY(m, HEADER(EFFECT_REPLACE_HEADER, "T", "x"));
	ck_assert_str_eq(changes(m), "");
	ck_assert_str_eq(header(m), "S:  one\n two\nT: x\n");
}
END_TEST

START_TEST(remove_takes_all_or_those_that_match)
{
	struct action match = {.find = "\xc3\xbc"};
	struct message *m = TOLD(0, "A: 1", "X: =?utf-8?q?=C3=BC?=", "x: b",
	                         "X: =?iso-8859-1?q?=FC?=");

	APPLY(m, .kind = EFFECT_REMOVE_HEADER, .name = SPAN("X"), .action = &match);
	ck_assert_str_eq(changes(m), "delete X 3\ndelete X 1\n");
	APPLY(m, .kind = EFFECT_REMOVE_HEADER, .name = SPAN("X"));
	ck_assert_str_eq(changes(m), "delete X 3\ndelete x 2\ndelete X 1\n");
	ck_assert_str_eq(header(m), "A: 1\n");
	APPLY(m, .kind = EFFECT_REMOVE_HEADER, .name = SPAN("None"));
	ck_assert_uint_eq(message_result_fields(m), 1);
}
END_TEST

START_TEST(rewrite_encodes_only_what_it_changed)
{
	struct action put = {.find = "b", .put = "\xc3\xa4"};
	struct message *m = TOLD(0, "S: =?UTF-8?Q?=C3=BC?= a", "S: abc",
	                         "S: b");

	APPLY(m, .kind = EFFECT_REWRITE_HEADER, .name = SPAN("s"), .action = &put);
	ck_assert_str_eq(changes(m), "change S 3 =?UTF-8?B?w6Q=?=\n"
	                 "change S 2 =?UTF-8?Q?a=C3=A4c?=\n");
	ck_assert(span_is(message_result_value(m, 0),
	                  SPAN("=?UTF-8?Q?=C3=BC?= a")));
}
END_TEST

START_TEST(each_effect_sees_the_result_of_the_one_before)
{
	struct action put = {.find = "1", .put = "2"};
	struct message *m = TOLD(0, "A: 1", "B: 1");

	APPLY(m, HEADER(EFFECT_ADD_HEADER, "A", "1x"));
	APPLY(m, HEADER(EFFECT_PREPEND_HEADER, "A", "1y"));
	APPLY(m, .kind = EFFECT_REWRITE_HEADER, .name = SPAN("A"), .action = &put);
	ck_assert_str_eq(header(m), "A: 2y\nA: 2\nB: 1\nA: 2x\n");
	APPLY(m, HEADER(EFFECT_REPLACE_HEADER, "A", "3"));
	ck_assert_str_eq(changes(m), "delete A 1\ninsert 0 A 3\n");
	APPLY(m, .kind = EFFECT_REMOVE_HEADER, .name = SPAN("A"));
	ck_assert_str_eq(changes(m), "delete A 1\n");
	APPLY(m, HEADER(EFFECT_REPLACE_HEADER, "A", "4"));
	ck_assert_str_eq(changes(m), "delete A 1\nadd A 4\n");
	ck_assert_str_eq(header(m), "B: 1\nA: 4\n");
}
END_TEST

START_TEST(what_is_filled_in_stays_in_its_field)
{
	struct message *m = TOLD(0, "S: x");

	APPLY(m, HEADER(EFFECT_ADD_HEADER, "A", "1\r\nB: 2\n\n3\0\t"));
	APPLY(m, HEADER(EFFECT_REPLACE_HEADER, "S", "a\nb"));
	ck_assert_str_eq(changes(m), "change S 1 a b\nadd A 1  B: 2  3\n");
}
END_TEST

START_TEST(a_name_that_is_none_is_refused)
{
	static const struct span names[] = {
		{"", 0}, {"A:", 2}, {"A B", 3}, {"A\n", 2}, {"\xc3\xbc", 2},
		{"A\0", 2},
	};
	struct message *m = TOLD(0, "S: x");
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		REFUSED(m, "a header field's name is not fit to be sent",
		        .kind = EFFECT_ADD_HEADER, .name = names[i],
		        .value = SPAN("x"));
	ck_assert_str_eq(changes(m), "");
}
END_TEST

START_TEST(a_pattern_that_fails_stops_the_message)
{
	struct action fails = {.find = "x", .put = "y", .fails = true};
	struct message *m = TOLD(0, "S: x");

	REFUSED(m, "remove header: a pattern hit its limit",
	        .kind = EFFECT_REMOVE_HEADER, .name = SPAN("S"), .action = &fails);
	REFUSED(m, "rewrite header: a pattern hit its limit",
	        .kind = EFFECT_REWRITE_HEADER, .name = SPAN("S"), .action = &fails);
}
END_TEST

START_TEST(thousands_of_one_name_take_linear_time)
{
	struct message *m = message_new(mem());
	struct action match = {.find = "7"};
	const struct change *c;
	size_t i, n;

	for (i = 0; i < CAPS_HEADER_FIELDS; i++)
		ck_assert(message_add_field(m, SPAN("Received"),
		                            arena_printf(mem(), "%zu", i)));
	for (i = 0; i < 100; i++)
		APPLY(m, .kind = EFFECT_REMOVE_HEADER, .name = SPAN("received"),
		      .action = &match);
	APPLY(m, HEADER(EFFECT_REPLACE_HEADER, "Received", "x"));
	ck_assert(message_changes(m, &c, &n));
	ck_assert_uint_eq(n, CAPS_HEADER_FIELDS);
	for (i = 0; i < n; i++)
		ck_assert_uint_eq(c[i].index, CAPS_HEADER_FIELDS - i);
	ck_assert_str_eq(header(m), "Received: x\n");
}
END_TEST

/* ---- the envelope ---- */

#define EFFECT(kind_, value_) .kind = kind_, .value = SPAN(value_)
#define OF(...)                                                             \
	.rcpts = (const size_t []){__VA_ARGS__},                            \
	.n_rcpts = sizeof((const size_t []){__VA_ARGS__}) / sizeof(size_t)

START_TEST(the_sender_is_replaced)
{
	struct message *m = told(1, NULL);

	ck_assert(span_is(message_result_sender(m), SPAN("a@x")));
	APPLY(m, EFFECT(EFFECT_REPLACE_SENDER, "b@Y"));
	ck_assert_str_eq(changes(m), "from <b@y>\n");
	APPLY(m, EFFECT(EFFECT_REPLACE_SENDER, ""));
	ck_assert_str_eq(changes(m), "from <>\n");
	ck_assert(span_is(message_result_sender(m), SPAN("")));
	APPLY(m, EFFECT(EFFECT_REPLACE_SENDER, "a@X"));
	ck_assert_str_eq(changes(m), "");
}
END_TEST

START_TEST(a_recipient_is_added_once)
{
	struct message *m = told(2, NULL);

	APPLY(m, EFFECT(EFFECT_ADD_RCPT, "new@x"));
	APPLY(m, EFFECT(EFFECT_ADD_RCPT, "NEW@X."));
	APPLY(m, EFFECT(EFFECT_ADD_RCPT, "\"r1\"@x"));
	APPLY(m, EFFECT(EFFECT_ADD_RCPT, "\"a b\"@x"));
	ck_assert_str_eq(changes(m), "to <new@x>\nto <\"a b\"@x>\n");
	ck_assert_str_eq(rcpts(m), "r0@x r1@x new@x \"a b\"@x");
}
END_TEST

START_TEST(redirect_replaces_those_whose_reading_reached_it)
{
	struct message *m = told(3, NULL);

	APPLY(m, EFFECT(EFFECT_REDIRECT, "new@x"), OF(0, 2));
	ck_assert_str_eq(rcpts(m), "r1@x new@x");
	ck_assert_str_eq(changes(m), "to <new@x>\nnot to <r0@x>\nnot to <r2@x>\n");
	/* what has become of r0 goes on, what has become of r2 stays */
	APPLY(m, EFFECT(EFFECT_REDIRECT, "other@x"), OF(0));
	ck_assert_str_eq(rcpts(m), "r1@x new@x other@x");
	APPLY(m, EFFECT(EFFECT_REDIRECT, "r0@x"), OF(0));
	ck_assert_str_eq(changes(m), "to <new@x>\nnot to <r2@x>\n");
}
END_TEST

START_TEST(redirect_to_one_who_is_there_adds_nobody)
{
	struct message *m = told(2, NULL);

	APPLY(m, EFFECT(EFFECT_REDIRECT, "R1@x"), OF(0, 1));
	ck_assert_str_eq(changes(m), "not to <r0@x>\n");
	ck_assert_str_eq(rcpts(m), "r1@x");
	m = told(1, NULL);
	APPLY(m, EFFECT(EFFECT_REDIRECT, "r0@x"), OF(0));
	ck_assert_str_eq(changes(m), "");
	APPLY(m, EFFECT(EFFECT_REDIRECT, "new@x"), OF(5));
	ck_assert_str_eq(changes(m), "");
}
END_TEST

START_TEST(who_was_refused_or_discarded_is_redirected_no_more)
{
	struct message *m = told(3, NULL);

	message_drop_rcpt(m, 0);
	message_drop_rcpt(m, 0);
	message_remove_rcpt(m, 1);
	message_remove_rcpt(m, 1);
	APPLY(m, EFFECT(EFFECT_REDIRECT, "new@x"), OF(0, 1));
	ck_assert_str_eq(changes(m), "not to <r1@x>\n");
	ck_assert_str_eq(rcpts(m), "r2@x");
	message_remove_rcpt(m, 2);
	ck_assert_uint_eq(message_result_rcpts(m), 0);
	APPLY(m, EFFECT(EFFECT_ADD_RCPT, "r0@x"));
	APPLY(m, EFFECT(EFFECT_ADD_RCPT, "r1@x"));
	ck_assert_str_eq(changes(m), "to <r0@x>\nnot to <r2@x>\n");
	message_drop_rcpt(m, 99);
	message_remove_rcpt(m, 99);
}
END_TEST

START_TEST(a_recipient_is_removed_as_the_client_spelt_it)
{
	struct message *m = message_new(mem());

	ck_assert(message_add_rcpt(m, SPAN("<@relay:\"Bob\"@X.>")));
	ck_assert(message_add_rcpt(m, SPAN("<b c>")));
	ck_assert_str_eq(rcpts(m), "Bob@x <b c>");
	APPLY(m, EFFECT(EFFECT_REDIRECT, "new@x"), OF(0, 1));
	ck_assert_str_eq(changes(m), "to <new@x>\nnot to <@relay:\"Bob\"@X.>\n"
	                 "not to <b c>\n");
}
END_TEST

START_TEST(a_recipient_given_twice_is_removed_with_the_second)
{
	struct message *m = message_new(mem());

	ck_assert(message_add_rcpt(m, SPAN("<a@x>")));
	ck_assert(message_add_rcpt(m, SPAN("<A@X>")));
	message_remove_rcpt(m, 0);
	ck_assert_uint_eq(message_result_rcpts(m), 1);
	ck_assert_str_eq(changes(m), "");
	message_remove_rcpt(m, 1);
	ck_assert_str_eq(changes(m), "not to <a@x>\nnot to <A@X>\n");
}
END_TEST

START_TEST(what_is_no_address_is_not_handed_on)
{
	struct message *m = told(1, NULL);

	REFUSED(m, "add rcpt: <a b> is no mail address", EFFECT(EFFECT_ADD_RCPT, "a b"));
	REFUSED(m, "add rcpt: <> is no mail address", EFFECT(EFFECT_ADD_RCPT, ""));
	REFUSED(m, "redirect: <b@y\nX> is no mail address",
	        EFFECT(EFFECT_REDIRECT, "b@y\nX"), OF(0));
	REFUSED(m, "replace sender: <<b@y>> is no mail address",
	        EFFECT(EFFECT_REPLACE_SENDER, "<b@y>"));
	REFUSED(m, "replace sender: <b@y> SIZE=1> is no mail address",
	        EFFECT(EFFECT_REPLACE_SENDER, "b@y> SIZE=1"));
	REFUSED(m, "add rcpt: <@r:b@y> is no mail address",
	        EFFECT(EFFECT_ADD_RCPT, "@r:b@y"));
	ck_assert_str_eq(changes(m), "");
}
END_TEST

START_TEST(many_recipients_take_linear_time)
{
	struct message *m = message_new(mem());
	size_t *all = arena_alloc(mem(), CAPS_RCPTS * sizeof(*all)), i, n;
	const struct change *c;

	for (i = 0; i < CAPS_RCPTS; i++) {
		ck_assert(message_add_rcpt(m, arena_printf(mem(),
			"<r%zu@example.org>", i)));
		all[i] = i;
	}
	APPLY(m, EFFECT(EFFECT_REDIRECT, "new@x"), .rcpts = all,
	      .n_rcpts = CAPS_RCPTS);
	ck_assert(message_changes(m, &c, &n));
	ck_assert_uint_eq(n, CAPS_RCPTS + 1);
	ck_assert_int_eq(c[0].kind, ADD_RCPT);
}
END_TEST

/* ---- all of it ---- */

START_TEST(the_first_reason_to_hold_stands)
{
	struct message *m = told(1, NULL);

	ck_assert(!message_held(m));
	APPLY(m, EFFECT(EFFECT_QUARANTINE, " look\nat\0this\xff"));
	APPLY(m, EFFECT(EFFECT_QUARANTINE, "other"));
	APPLY(m, EFFECT(EFFECT_LOG, "said"));
	ck_assert(message_held(m));
	ck_assert_str_eq(changes(m), "hold look at this\xef\xbf\xbd\n");
}
END_TEST

START_TEST(changes_come_in_the_order_that_is_safe)
{
	struct message *m = TOLD(2, "A: 1", "B: 2");

	APPLY(m, EFFECT(EFFECT_QUARANTINE, "why"));
	APPLY(m, EFFECT(EFFECT_REDIRECT, "new@x"), OF(0, 1));
	APPLY(m, EFFECT(EFFECT_REPLACE_SENDER, "b@x"));
	APPLY(m, HEADER(EFFECT_ADD_HEADER, "C", "3"));
	APPLY(m, HEADER(EFFECT_PREPEND_HEADER, "D", "4"));
	APPLY(m, HEADER(EFFECT_REPLACE_HEADER, "A", "5"));
	ck_assert_str_eq(changes(m), "change A 1 5\ninsert 0 D 4\nadd C 3\n"
	                 "from <b@x>\nto <new@x>\nnot to <r0@x>\n"
	                 "not to <r1@x>\nhold why\n");
}
END_TEST

START_TEST(without_memory_nothing_is_promised)
{
	struct arena *small;
	struct message *m;
	struct span why;
	const struct change *c;
	size_t limit, n, done = 0;
	struct effect e = {HEADER(EFFECT_ADD_HEADER, "Name", "value")};
	struct effect to = {EFFECT(EFFECT_ADD_RCPT, "new@x")};

	for (limit = 100; limit < 20000; limit += 100) {
		small = arena_new(limit);
		m = message_new(small);
		if (m != NULL && message_set_sender(m, SPAN("<a@x>")) &&
		    message_add_rcpt(m, SPAN("<b@x>")) &&
		    message_add_field(m, SPAN("A"), SPAN("1")) &&
		    message_apply(m, &e, &why) && message_apply(m, &to, &why) &&
		    message_changes(m, &c, &n)) {
			ck_assert(!arena_full(small));
			ck_assert_uint_eq(n, 2);
			done++;
		}
		arena_free(small);
	}
	ck_assert_uint_gt(done, 0);
}
END_TEST

CHECK_MAIN("message", fields_are_kept_as_they_came,
           a_header_has_its_limits,
           a_field_is_added_at_the_end,
           a_field_that_an_mta_makes_itself_is_added_in_its_place,
           a_field_prepended_later_stands_above,
           replace_changes_the_first_and_removes_the_others,
           replace_adds_what_is_not_there,
           the_same_value_again_is_no_change,
           remove_takes_all_or_those_that_match,
           rewrite_encodes_only_what_it_changed,
           each_effect_sees_the_result_of_the_one_before,
           what_is_filled_in_stays_in_its_field,
           a_name_that_is_none_is_refused,
           a_pattern_that_fails_stops_the_message,
           thousands_of_one_name_take_linear_time,
           the_sender_is_replaced,
           a_recipient_is_added_once,
           redirect_replaces_those_whose_reading_reached_it,
           redirect_to_one_who_is_there_adds_nobody,
           who_was_refused_or_discarded_is_redirected_no_more,
           a_recipient_is_removed_as_the_client_spelt_it,
           a_recipient_given_twice_is_removed_with_the_second,
           what_is_no_address_is_not_handed_on,
           many_recipients_take_linear_time,
           the_first_reason_to_hold_stands,
           changes_come_in_the_order_that_is_safe,
           without_memory_nothing_is_promised)
