/* test_review.c - when a rule decides, and for whom. */
#include <string.h>

#include "check.h"
#include "fake_facts.h"
#include "table_impl.h"

static struct arena *arena;
static struct fake_facts facts;
static struct policy *policy;
static struct review *review;
static struct diags *diags;

static void
begin(const char *text)
{
	diags = diags_new();
	arena = arena_new(0);
	policy = policy_load_text(span_of(text), "test.conf", ".", diags);
	if (policy == NULL)
		diags_print(diags, stderr);
	ck_assert_ptr_nonnull(policy);
	fake_facts_init(&facts, arena);
	review = review_new(policy, &facts.facts, NULL, arena);
	ck_assert_ptr_nonnull(review);
}

static void
end(void)
{
	diags_free(diags);
	policy_unref(policy);
	arena_free(arena);
}

/* What is answered at a stage: "reject a" is the verdict of rule a. */
static const char *
at(enum stage s, size_t rcpt)
{
	static char out[128];
	struct verdict v = review_read(review, s, rcpt);
	struct span name = SPAN("");

	if (v.kind != VERDICT_NONE && v.rule != NO_RULE)
		name = policy_rule_name(policy, v.rule);
	snprintf(out, sizeof(out), "%s%s%.*s", verdict_name(v.kind),
	         name.n > 0 ? " " : "", SPAN_ARG(name));
	return out;
}

static void
rcpt(const char *address)
{
	fake_facts_say_rcpt(&facts, review_add_rcpt(review), "rcpt", address);
}

/* Recipients so far, then DATA, headers, end: the last answer. */
static const char *
to_the_end(void)
{
	enum stage s;

	for (s = STAGE_DATA; s < STAGE_END; s++) {
		const char *answer = at(s, NO_RCPT);

		if (strcmp(answer, "none") != 0)
			return answer;
	}
	return at(STAGE_END, NO_RCPT);
}

START_TEST(a_reject_is_given_at_the_earliest_stage)
{
	begin("rule a if auth or header \"X\" reject\n");
	fake_facts_say(&facts, "auth", "alice");
	ck_assert_str_eq(at(STAGE_CONNECT, NO_RCPT), "none");
	ck_assert_str_eq(at(STAGE_HELO, NO_RCPT), "none");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "reject a");
	end();
}
END_TEST

START_TEST(a_reject_waits_for_an_undecided_accept_above)
{
	begin("rule a if header \"X\" accept\n"
	      "rule b if auth reject\n");
	fake_facts_say(&facts, "auth", "alice");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "none");
	rcpt("a@example.org");
	ck_assert_str_eq(at(STAGE_RCPT, 0), "none");
	ck_assert_str_eq(at(STAGE_DATA, NO_RCPT), "none");
	ck_assert_str_eq(at(STAGE_HEADERS, NO_RCPT), "reject b");
	end();
}
END_TEST

START_TEST(an_accept_above_that_holds_wins_over_the_reject_it_held_back)
{
	begin("rule a if header \"X\" accept\n"
	      "rule b if auth reject\n");
	fake_facts_say(&facts, "auth", "alice");
	fake_facts_say(&facts, "header X", "1");
	rcpt("a@example.org");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "none");
	ck_assert_str_eq(at(STAGE_RCPT, 0), "none");
	ck_assert_str_eq(to_the_end(), "accept a");
	end();
}
END_TEST

START_TEST(a_reject_does_not_wait_for_another_reject)
{
	begin("rule a if header \"X\" reject 550 5.1.1 \"a\"\n"
	      "rule b if auth reject 554 5.2.2 \"b\"\n");
	fake_facts_say(&facts, "auth", "alice");
	fake_facts_say(&facts, "header X", "1");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "reject b");
	end();
}
END_TEST

START_TEST(a_reject_waits_for_an_undecided_tempfail_above)
{
	begin("rule a if header \"X\" tempfail\n"
	      "rule b if auth reject\n");
	fake_facts_say(&facts, "auth", "alice");
	fake_facts_say(&facts, "header X", "1");
	rcpt("a@example.org");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "none");
	ck_assert_str_eq(to_the_end(), "tempfail a");
	end();
}
END_TEST

START_TEST(a_rule_waits_for_what_its_text_fills_in)
{
	begin("rule a if auth reject 550 5.7.1 \"${header \\\"X\\\"}\"\n");
	fake_facts_say(&facts, "auth", "alice");
	fake_facts_say(&facts, "header X", "why");
	rcpt("a@example.org");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "none");
	ck_assert_str_eq(to_the_end(), "reject a");
	ck_assert(span_is(review_of(review, NO_RCPT).text, SPAN("why")));
	end();
}
END_TEST

START_TEST(each_recipient_is_refused_by_itself)
{
	begin("rule a if rcpt in { b@example.org } reject\n");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "none");
	rcpt("a@example.org");
	ck_assert_str_eq(at(STAGE_RCPT, 0), "none");
	rcpt("b@example.org");
	ck_assert_str_eq(at(STAGE_RCPT, 1), "reject a");
	review_drop_rcpt(review, 1);
	ck_assert_str_eq(to_the_end(), "accept");
	end();
}
END_TEST

START_TEST(a_refusal_that_a_recipient_could_change_waits_for_rcpt)
{
	begin("rule a if rcpt is abuse@example.org accept\n"
	      "rule b if client in { 192.0.2.0/24 } reject\n");
	fake_facts_say(&facts, "client", "192.0.2.1");
	ck_assert_str_eq(at(STAGE_CONNECT, NO_RCPT), "none");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "none");
	rcpt("abuse@example.org");
	ck_assert_str_eq(at(STAGE_RCPT, 0), "none");
	rcpt("boss@example.org");
	ck_assert_str_eq(at(STAGE_RCPT, 1), "reject b");
	review_drop_rcpt(review, 1);
	ck_assert_str_eq(to_the_end(), "accept a");
	end();
}
END_TEST

START_TEST(a_content_rule_refuses_all_if_one_recipient_is_not_excepted)
{
	begin("rule a if rcpt is abuse@example.org accept\n"
	      "rule b if header \"X\" reject\n");
	fake_facts_say(&facts, "header X", "1");
	rcpt("abuse@example.org");
	rcpt("boss@example.org");
	ck_assert_str_eq(at(STAGE_RCPT, 0), "none");
	ck_assert_str_eq(at(STAGE_RCPT, 1), "none");
	ck_assert_str_eq(to_the_end(), "reject b");
	end();
}
END_TEST

START_TEST(discard_touches_only_those_who_reach_it)
{
	begin("rule a if rcpt is abuse@example.org accept\n"
	      "rule b if header \"X\" discard\n");
	fake_facts_say(&facts, "header X", "1");
	rcpt("abuse@example.org");
	rcpt("boss@example.org");
	at(STAGE_RCPT, 0);
	at(STAGE_RCPT, 1);
	ck_assert_str_eq(to_the_end(), "accept a");
	ck_assert_int_eq(review_of(review, 1).kind, VERDICT_DISCARD);
	end();
}
END_TEST

START_TEST(a_message_is_discarded_when_no_recipient_is_left)
{
	begin("rule b if header \"X\" discard\n");
	fake_facts_say(&facts, "header X", "1");
	rcpt("boss@example.org");
	at(STAGE_RCPT, 0);
	ck_assert_str_eq(to_the_end(), "discard b");
	end();
}
END_TEST

START_TEST(a_failed_rule_defers)
{
	begin("rule a if client.name is x.example reject\n"
	      "rule b if auth accept\n");
	fake_facts_say(&facts, "client.name", NULL);
	ck_assert_str_eq(at(STAGE_CONNECT, NO_RCPT), "tempfail a");
	ck_assert(span_is(review_of(review, NO_RCPT).code, SPAN("451")));
	ck_assert(span_is(review_of(review, NO_RCPT).text,
	                  SPAN("temporary failure in rule a")));
	end();
}
END_TEST

START_TEST(a_failed_rule_that_says_skip_is_passed_over)
{
	begin("rule a if client.name is x.example on error skip reject\n"
	      "rule b if auth reject\n");
	fake_facts_say(&facts, "client.name", NULL);
	fake_facts_say(&facts, "auth", "alice");
	ck_assert_str_eq(at(STAGE_CONNECT, NO_RCPT), "none");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "reject b");
	end();
}
END_TEST

START_TEST(a_noted_rule_that_fails_after_an_accept_below_defers_all_the_same)
{
	begin("rule a if header \"X\" is y add header \"A\" \"b\"\n"
	      "rule b if auth accept\n");
	fake_facts_say(&facts, "header X", NULL);
	fake_facts_say(&facts, "auth", "alice");
	rcpt("boss@example.org");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "none");
	ck_assert_str_eq(to_the_end(), "tempfail a");
	end();
}
END_TEST

START_TEST(an_accept_is_told_early_when_nothing_else_can_happen)
{
	begin("rule a if client in { 192.0.2.1 } accept\n"
	      "rule b if header \"X\" reject\n");
	fake_facts_say(&facts, "client", "192.0.2.1");
	ck_assert_str_eq(at(STAGE_CONNECT, NO_RCPT), "accept a");
	end();
}
END_TEST

START_TEST(an_accept_is_not_told_at_helo)
{
	begin("rule a if helo is a.example accept\n"
	      "rule b if header \"X\" reject\n");
	fake_facts_say(&facts, "helo", "a.example");
	ck_assert_str_eq(at(STAGE_HELO, NO_RCPT), "none");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "accept a");
	end();
}
END_TEST

START_TEST(an_accept_with_something_noted_is_told_at_the_end)
{
	const struct effect *e;
	size_t n;

	begin("rule a if client in { 192.0.2.1 } add header \"A\" \"b\"\n"
	      "rule b if client in { 192.0.2.1 } accept\n");
	fake_facts_say(&facts, "client", "192.0.2.1");
	ck_assert_str_eq(at(STAGE_CONNECT, NO_RCPT), "none");
	rcpt("boss@example.org");
	ck_assert_str_eq(to_the_end(), "accept b");
	ck_assert(review_effects(review, &e, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert(span_is(e[0].value, SPAN("b")));
	end();
}
END_TEST

START_TEST(a_shadow_rule_above_keeps_an_accept_from_being_told_early)
{
	begin("shadow rule s if header \"X\" reject\n"
	      "rule a if client in { 192.0.2.1 } accept\n");
	fake_facts_say(&facts, "client", "192.0.2.1");
	fake_facts_say(&facts, "header X", "1");
	ck_assert_str_eq(at(STAGE_CONNECT, NO_RCPT), "none");
	rcpt("boss@example.org");
	ck_assert_str_eq(to_the_end(), "accept a");
	end();
}
END_TEST

START_TEST(a_shadow_rule_says_what_it_would_do_and_ends_nothing)
{
	const struct shadow *s;
	size_t n;

	begin("shadow rule s if auth reject\n"
	      "rule a if header \"X\" tempfail\n");
	fake_facts_say(&facts, "auth", "alice");
	fake_facts_say(&facts, "header X", "1");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "none");
	rcpt("boss@example.org");
	ck_assert_str_eq(to_the_end(), "tempfail a");
	ck_assert(review_shadows(review, &s, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(s[0].verdict.kind, VERDICT_REJECT);
	end();
}
END_TEST

START_TEST(what_a_discarded_recipient_noted_is_dropped)
{
	const struct effect *e;
	size_t n;

	begin("rule n if rcpt is b@example.org add header \"For\" \"${rcpt}\"\n"
	      "rule d if rcpt is b@example.org discard\n");
	rcpt("a@example.org");
	rcpt("b@example.org");
	at(STAGE_RCPT, 0);
	at(STAGE_RCPT, 1);
	ck_assert_str_eq(to_the_end(), "accept");
	ck_assert(review_effects(review, &e, &n));
	ck_assert_uint_eq(n, 0);
	end();
}
END_TEST

START_TEST(a_header_is_added_once_however_many_recipients_reach_it)
{
	const struct effect *e;
	size_t n;

	begin("rule n if rcpt.domain is example.org\n"
	      "  add header \"For\" \"${rcpt}\"\n");
	rcpt("a@example.org");
	rcpt("b@example.org");
	fake_facts_say_rcpt(&facts, 0, "rcpt.domain", "example.org");
	fake_facts_say_rcpt(&facts, 1, "rcpt.domain", "example.org");
	at(STAGE_RCPT, 0);
	at(STAGE_RCPT, 1);
	to_the_end();
	ck_assert(review_effects(review, &e, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert(span_is(e[0].value, SPAN("a@example.org")));
	ck_assert_uint_eq(e[0].n_rcpts, 2);
	end();
}
END_TEST

START_TEST(first_refusal_gives_an_early_refusal_at_rcpt)
{
	begin("set first-refusal rcpt\n"
	      "rule a if client in { 192.0.2.1 } reject\n");
	fake_facts_say(&facts, "client", "192.0.2.1");
	ck_assert_str_eq(at(STAGE_CONNECT, NO_RCPT), "none");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "none");
	rcpt("a@example.org");
	ck_assert_str_eq(at(STAGE_RCPT, 0), "reject a");
	ck_assert_int_eq(review_of(review, 0).stage, STAGE_RCPT);
	end();
}
END_TEST

START_TEST(several_values_any_and_every)
{
	begin("rule a if every from in { a@example.org b@example.org }\n"
	      "  unless header \"X\" reject\n"
	      "rule b if from in { c@example.org } tempfail\n");
	fake_facts_say(&facts, "from", "a@example.org|c@example.org");
	rcpt("a@example.org");
	ck_assert_str_eq(to_the_end(), "tempfail b");
	end();
}
END_TEST

START_TEST(a_second_from_does_not_pass_an_unless_every)
{
	begin("rule a unless every from in { a@example.org }\n"
	      "  reject 550 5.7.1 \"not ${from}\"\n");
	fake_facts_say(&facts, "from", "a@example.org|evil@example.net");
	rcpt("a@example.org");
	ck_assert_str_eq(to_the_end(), "reject a");
	ck_assert(span_is(review_of(review, NO_RCPT).text,
	                  SPAN("not evil@example.net")));
	end();
}
END_TEST

START_TEST(groups_are_of_the_pattern_that_matched)
{
	begin("rule a if header \"X\" matches { /a(.)/ /b(.)/ }\n"
	      "  reject 550 5.7.1 \"<$1>\"\n");
	fake_facts_say(&facts, "header X", "zz|xb7");
	rcpt("a@example.org");
	ck_assert_str_eq(to_the_end(), "reject a");
	ck_assert(span_is(review_of(review, NO_RCPT).text, SPAN("<7>")));
	end();
}
END_TEST

START_TEST(a_fact_is_asked_for_once)
{
	begin("rule a if header \"X\" is 1 reject\n"
	      "rule b if header \"X\" is 2 tempfail\n"
	      "rule c if header \"X\" is 3 discard\n");
	fake_facts_say(&facts, "header X", "4");
	rcpt("a@example.org");
	rcpt("b@example.org");
	to_the_end();
	ck_assert_uint_eq(fake_facts_asked(&facts, "header X"), 1);
	end();
}
END_TEST

START_TEST(a_body_is_not_asked_for_when_a_header_settles_it)
{
	begin("rule a if raw body contains bad and header \"X\" reject\n"
	      "rule b if raw body contains bad reject\n"
	      "rule c if header \"Y\" reject\n");
	fake_facts_say(&facts, "raw body", "bad");
	fake_facts_say(&facts, "header Y", "1");
	rcpt("a@example.org");
	ck_assert_str_eq(to_the_end(), "reject c");
	ck_assert_uint_eq(fake_facts_asked(&facts, "raw body"), 0);
	end();
}
END_TEST

START_TEST(a_long_text_contains_what_a_short_one_does)
{
	static char text[300 << 10];

	begin("rule a if body contains \"gr\xc3\xbcsse x\" reject\n"
	      "rule b if body contains \"gr\xc3\xbcsse z\" and "
	      "body begins \"xx\" reject\n");
	memset(text, 'X', sizeof(text) - 1);
	memcpy(text + sizeof(text) - 10, "GR\xc3\x9cSSE Z", 9);
	text[sizeof(text) - 1] = '\0';
	fake_facts_say(&facts, "body", text);
	rcpt("a@example.org");
	ck_assert_str_eq(to_the_end(), "reject b");
	end();
}
END_TEST

START_TEST(not_in_holds_for_what_is_not_there)
{
	begin("rule a if helo not in { a.example } reject\n");
	ck_assert_str_eq(at(STAGE_HELO, NO_RCPT), "reject a");
	end();
}
END_TEST

START_TEST(an_accept_above_one_recipient_spares_nobody_else_at_mail)
{
	begin("rule a if any rcpt is abuse@example.org accept\n"
	      "rule b if auth reject\n");
	fake_facts_say(&facts, "auth", "alice");
	fake_facts_say(&facts, "all rcpt", "x@example.org|abuse@example.org");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "none");
	rcpt("x@example.org");
	rcpt("abuse@example.org");
	ck_assert_str_eq(at(STAGE_RCPT, 0), "none");
	ck_assert_str_eq(at(STAGE_DATA, NO_RCPT), "accept a");
	end();
}
END_TEST

START_TEST(a_recipient_is_refused_once_the_exception_above_was_asked_for)
{
	begin("rule a if header \"X\" reject\n"
	      "rule b if spf is pass accept\n"
	      "rule c if rcpt is bad@example.org reject\n");
	fake_facts_say(&facts, "spf", "none");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "none");
	ck_assert_uint_eq(fake_facts_asked(&facts, "spf"), 0);
	rcpt("good@example.org");
	rcpt("bad@example.org");
	ck_assert_str_eq(at(STAGE_RCPT, 0), "none");
	ck_assert_str_eq(at(STAGE_RCPT, 1), "reject c");
	end();
}
END_TEST

START_TEST(what_an_exception_of_the_network_holds_back_is_asked_for)
{
	begin("rule a if header \"X\" reject\n"
	      "rule b if spf.helo is pass accept\n"
	      "rule c if rcpt is bad@example.org and spf is fail reject\n");
	fake_facts_say(&facts, "spf", "fail");
	fake_facts_say(&facts, "spf.helo", "none");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "none");
	rcpt("bad@example.org");
	ck_assert_str_eq(at(STAGE_RCPT, 0), "reject c");
	end();
}
END_TEST

START_TEST(nobody_is_asked_for_a_rule_that_stays_held_back)
{
	begin("rule a if header \"X\" accept\n"
	      "rule b if spf is fail reject\n"
	      "rule c if auth reject\n");
	fake_facts_say(&facts, "spf", "fail");
	fake_facts_say(&facts, "auth", "alice");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "none");
	ck_assert_uint_eq(fake_facts_asked(&facts, "spf"), 0);
	rcpt("a@example.org");
	ck_assert_str_eq(to_the_end(), "reject c");
	end();
}
END_TEST

START_TEST(a_dear_question_that_may_decide_now_is_asked_beside_a_later_one)
{
	begin("rule a if header \"X\" or spf is fail reject\n");
	fake_facts_say(&facts, "spf", "fail");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "reject a");
	end();
	begin("rule a unless header \"X\" and spf is pass reject\n");
	fake_facts_say(&facts, "spf", "fail");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "reject a");
	end();
}
END_TEST

START_TEST(a_dear_question_that_can_only_say_no_waits_beside_a_later_one)
{
	begin("rule a if header \"X\" and spf is fail reject\n"
	      "rule b unless header \"X\" or spf is pass reject\n");
	fake_facts_say(&facts, "spf", "none");
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "none");
	ck_assert_uint_eq(fake_facts_asked(&facts, "spf"), 0);
	rcpt("a@example.org");
	ck_assert_str_eq(to_the_end(), "reject b");
	end();
}
END_TEST

START_TEST(an_accept_that_holds_after_all_is_where_the_reading_ends)
{
	const struct effect *e;
	size_t n;

	begin("rule a if header \"X\" accept\n"
	      "rule q if auth quarantine\n"
	      "rule f if header \"Y\" is z add header \"A\" \"b\"\n"
	      "rule b if auth accept\n");
	fake_facts_say(&facts, "auth", "alice");
	fake_facts_say(&facts, "header X", "1");
	fake_facts_say(&facts, "header Y", NULL);
	ck_assert_str_eq(at(STAGE_MAIL, NO_RCPT), "none");
	rcpt("a@example.org");
	ck_assert_str_eq(to_the_end(), "accept a");
	ck_assert(review_effects(review, &e, &n));
	ck_assert_uint_eq(n, 0);
	end();
}
END_TEST

START_TEST(a_stage_at_which_a_noted_rule_can_fail_may_be_answered)
{
	begin("rule a if helo is client.name add header \"A\" \"b\"\n");
	fake_facts_say(&facts, "client.name", NULL);
	fake_facts_say(&facts, "helo", "x.example");
	ck_assert_str_eq(at(STAGE_HELO, NO_RCPT), "tempfail a");
	ck_assert(policy_may_answer(policy, STAGE_HELO));
	end();
}
END_TEST

START_TEST(raw_bytes_are_compared_with_text_as_valid_text)
{
	begin("rule a if subject is raw header \"X\" reject\n"
	      "rule b if raw header \"X\" contains subject reject\n"
	      "rule c if raw header \"Y\" is raw header \"X\" reject\n");
	fake_facts_say(&facts, "subject", "\xef\xbf\xbd\xc3\xa9");
	fake_facts_say(&facts, "raw header X",
	               "A\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfd");
	fake_facts_say(&facts, "raw header Y",
	               "a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfd");
	rcpt("a@example.org");
	ck_assert_str_eq(to_the_end(), "reject c");
	end();
}
END_TEST

/* ---- a server that answers once ---- */

static unsigned asked;

static enum table_result
answer_once(const struct table *t, const struct value *v,
            const struct table_context *c, struct arena *a,
            struct table_answer *answer, bool values)
{
	static const struct span one = {"b@example.net", 13};

	(void)t;
	(void)v;
	(void)c;
	(void)a;
	(void)values;
	if (asked++ > 0)
		return TABLE_FAILED;
	answer->values = &one;
	answer->n = 1;
	return TABLE_YES;
}

static void
stay(struct table *t)
{
	(void)t;
}

/* It may be too slow, or go, when the text is filled in. */
START_TEST(what_was_looked_up_for_a_text_is_what_is_filled_in)
{
	static const struct elsewhere once = {.find = answer_once,
		.shut = stay};
	struct table *t = table_new("t", NULL);
	const struct table *tables[1] = {t};
	const struct effect *e;
	size_t n;

	ck_assert_ptr_nonnull(t);
	t->elsewhere = &once;
	begin("table <t> { a@example.org = { x } }\n"
	      "rule a if auth redirect \"${<t>[rcpt]}\"\n");
	review = review_new(policy, &facts.facts, tables, arena);
	fake_facts_say(&facts, "auth", "alice");
	rcpt("a@example.org");
	ck_assert_str_eq(at(STAGE_RCPT, 0), "none");
	ck_assert_str_eq(to_the_end(), "accept");
	ck_assert(review_effects(review, &e, &n));
	ck_assert_uint_eq(n, 1);
	ck_assert(span_is(e[0].value, SPAN("b@example.net")));
	ck_assert_uint_eq(asked, 1);
	table_free(t);
	end();
}
END_TEST

CHECK_MAIN("review", a_reject_is_given_at_the_earliest_stage,
           what_was_looked_up_for_a_text_is_what_is_filled_in,
           a_reject_waits_for_an_undecided_accept_above,
           an_accept_above_that_holds_wins_over_the_reject_it_held_back,
           a_reject_does_not_wait_for_another_reject,
           a_reject_waits_for_an_undecided_tempfail_above,
           a_rule_waits_for_what_its_text_fills_in,
           each_recipient_is_refused_by_itself,
           a_refusal_that_a_recipient_could_change_waits_for_rcpt,
           a_content_rule_refuses_all_if_one_recipient_is_not_excepted,
           discard_touches_only_those_who_reach_it,
           a_message_is_discarded_when_no_recipient_is_left,
           a_failed_rule_defers, a_failed_rule_that_says_skip_is_passed_over,
           a_noted_rule_that_fails_after_an_accept_below_defers_all_the_same,
           an_accept_is_told_early_when_nothing_else_can_happen,
           an_accept_is_not_told_at_helo,
           an_accept_with_something_noted_is_told_at_the_end,
           a_shadow_rule_above_keeps_an_accept_from_being_told_early,
           a_shadow_rule_says_what_it_would_do_and_ends_nothing,
           what_a_discarded_recipient_noted_is_dropped,
           a_header_is_added_once_however_many_recipients_reach_it,
           first_refusal_gives_an_early_refusal_at_rcpt,
           several_values_any_and_every,
           a_second_from_does_not_pass_an_unless_every,
           groups_are_of_the_pattern_that_matched, a_fact_is_asked_for_once,
           a_body_is_not_asked_for_when_a_header_settles_it,
           a_long_text_contains_what_a_short_one_does,
           not_in_holds_for_what_is_not_there,
           an_accept_above_one_recipient_spares_nobody_else_at_mail,
           a_recipient_is_refused_once_the_exception_above_was_asked_for,
           what_an_exception_of_the_network_holds_back_is_asked_for,
           nobody_is_asked_for_a_rule_that_stays_held_back,
           a_dear_question_that_may_decide_now_is_asked_beside_a_later_one,
           a_dear_question_that_can_only_say_no_waits_beside_a_later_one,
           an_accept_that_holds_after_all_is_where_the_reading_ends,
           a_stage_at_which_a_noted_rule_can_fail_may_be_answered,
           raw_bytes_are_compared_with_text_as_valid_text)
