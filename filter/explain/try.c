#include <stdlib.h>
#include <string.h>

#include "header_text.h"
#include "trial.h"
#include "try.h"

#define SHOWN 400 /* bytes of a text, in words */

/* An expectation and what came instead, in words. */
struct finding {
	struct span expected, got;
};

/* ---- words ---- */

static struct span
rule_words(const struct trial *t, size_t rule)
{
	struct span name;

	if (rule == NO_RULE)
		return SPAN("");
	name = policy_rule_name(t->policy, rule);
	return arena_printf(t->arena, " by %.*s", SPAN_ARG(name));
}

static struct span
reply_words(const struct trial *t, struct span reply)
{
	if (reply.p == NULL)
		return SPAN("");
	return arena_printf(t->arena, " reply \"%.*s\"", SPAN_ARG(reply));
}

/* "reject by RULE at mail for RCPT reply "..."", as a policy says it. */
static struct span
verdict_words(const struct trial *t, const char *kind, size_t rule,
              const char *stage, struct span rcpt, struct span reply)
{
	struct span by = rule_words(t, rule), with = reply_words(t, reply);

	return arena_printf(t->arena, "%s%.*s%s%s%s%.*s%.*s", kind,
		SPAN_ARG(by), stage == NULL ? "" : " at ",
		stage == NULL ? "" : stage, rcpt.p == NULL ? "" : " for ",
		SPAN_ARG(rcpt), SPAN_ARG(with));
}

static const char *
expected_kind(const struct expectation *e)
{
	if (e->verdict == VERDICT_NONE)
		return "noted";
	return e->held ? "held" : verdict_name(e->verdict);
}

static struct span
expected_verdict(const struct trial *t, const struct expectation *e,
                 const char *before)
{
	struct span words = verdict_words(t, expected_kind(e), e->rule,
		e->at_said ? stage_name(e->at) : NULL, e->rcpt, e->reply);

	return arena_printf(t->arena, "%s%.*s", before, SPAN_ARG(words));
}

/* ---- what came out ---- */

struct outcome {
	enum verdict_kind kind;
	bool held;
	size_t rule;
	enum stage stage;
	struct span reply;
};

static enum verdict_kind
answered(enum answer_kind k)
{
	switch (k) {
	case ANSWER_REJECT:
		return VERDICT_REJECT;
	case ANSWER_TEMPFAIL:
		return VERDICT_TEMPFAIL;
	case ANSWER_DISCARD:
		return VERDICT_DISCARD;
	default:
		return VERDICT_ACCEPT;
	}
}

static struct outcome
of_message(const struct trial *t)
{
	struct outcome o = {
		.kind = answered(t->answer.kind), .held = t->held,
		.rule = t->held ? t->held_by : t->verdict.rule,
		.stage = t->stage, .reply = t->reply,
	};

	return o;
}

/* A recipient is refused at RCPT, or shares what comes to the message,
 * unless its own reading ended in a discard. */
static struct outcome
of_rcpt(const struct trial *t, size_t rcpt)
{
	const struct trial_rcpt *r = &t->rcpts[rcpt];
	struct outcome o = of_message(t);
	struct verdict v;

	if (r->refused)
		return (struct outcome){
			.kind = r->verdict.kind, .rule = r->verdict.rule,
			.stage = STAGE_RCPT, .reply = r->reply,
		};
	if (o.kind != VERDICT_ACCEPT)
		return o;
	v = review_of(session_review(t->session), rcpt);
	if (v.kind == VERDICT_DISCARD)
		return (struct outcome){
			.kind = v.kind, .rule = v.rule, .stage = t->stage,
		};
	if (!o.held && v.kind == VERDICT_ACCEPT)
		o.rule = v.rule;
	return o;
}

static struct span
outcome_words(const struct trial *t, const struct outcome *o)
{
	return verdict_words(t, o->held ? "held" : verdict_name(o->kind),
		o->rule, stage_name(o->stage), (struct span){NULL, 0},
		o->reply);
}

/* The canonical spelling of an address that a policy names. */
static struct span
canonical(const struct trial *t, struct span address)
{
	struct value v = {.type = VALUE_ADDRESS};

	if (!address_path(t->arena, address, &v))
		return (struct span){NULL, 0};
	return v.text;
}

/* Its number, or NO_RCPT. */
static size_t
find_rcpt(const struct trial *t, struct span address)
{
	struct span wanted = canonical(t, address);
	size_t i;

	for (i = 0; i < t->n_rcpts; i++)
		if (span_is_nocase(t->rcpts[i].address, wanted))
			return i;
	return NO_RCPT;
}

/* ---- expectations ---- */

/* The text may stand alone, or with the code and the enhanced code. */
static bool
is_reply(struct span reply, struct span wanted)
{
	size_t i, words;

	if (wanted.p == NULL || span_is(reply, wanted))
		return true;
	for (i = words = 0; i < reply.n && words < 2; i++) {
		words += reply.p[i] == ' ';
		if (reply.p[i] == ' ' && span_is(wanted,
		    (struct span){reply.p + i + 1, reply.n - i - 1}))
			return true;
	}
	return false;
}

static bool
meets_verdict(const struct trial *t, const struct expectation *e,
              struct finding *f)
{
	struct outcome o = of_message(t);
	size_t rcpt;

	if (e->rcpt.p != NULL) {
		rcpt = find_rcpt(t, e->rcpt);
		f->got = SPAN("no such recipient in the test");
		if (rcpt == NO_RCPT)
			return false;
		o = of_rcpt(t, rcpt);
	}
	f->got = outcome_words(t, &o);
	return o.kind == e->verdict && o.held == e->held &&
		(e->rule == NO_RULE || e->rule == o.rule) &&
		(!e->at_said || e->at == o.stage) &&
		is_reply(o.reply, e->reply);
}

static bool
is_shadow(const struct trial *t, const struct expectation *e,
          const struct shadow *s)
{
	if (e->rcpt.p != NULL && s->rcpt != NO_RCPT &&
	    s->rcpt != find_rcpt(t, e->rcpt))
		return false;
	return s->verdict.kind == e->verdict &&
		(e->rule == NO_RULE || e->rule == s->rule) &&
		(!e->at_said || e->at == s->verdict.stage) &&
		(e->reply.p == NULL || span_is(e->reply, s->verdict.text));
}

static struct span
shadow_words(const struct trial *t, const struct shadow *s)
{
	if (s->verdict.kind == VERDICT_NONE)
		return arena_printf(t->arena, "shadow noted%.*s",
			SPAN_ARG(rule_words(t, s->rule)));
	return arena_printf(t->arena, "shadow %.*s",
		SPAN_ARG(verdict_words(t, verdict_name(s->verdict.kind),
			s->rule, stage_name(s->verdict.stage),
			(struct span){NULL, 0}, s->verdict.text)));
}

static bool
meets_shadow(const struct trial *t, const struct expectation *e,
             struct finding *f)
{
	const struct shadow *s;
	size_t i, n;

	f->got = SPAN("no memory");
	if (!review_shadows(session_review(t->session), &s, &n))
		return false;
	f->got = SPAN("no shadow rule would do anything");
	for (i = 0; i < n; i++)
		if (is_shadow(t, e, &s[i]))
			return true;
	for (i = 0; i < n; i++)
		f->got = i == 0 ? shadow_words(t, &s[i]) :
			arena_printf(t->arena, "%.*s, %.*s", SPAN_ARG(f->got),
				SPAN_ARG(shadow_words(t, &s[i])));
	return false;
}

/* Would this shadow rule do anything? */
static bool
has_shadow(const struct trial *t, const struct expectation *e,
           struct finding *f)
{
	const struct shadow *s;
	size_t i, n;

	f->got = SPAN("no memory");
	if (!review_shadows(session_review(t->session), &s, &n))
		return true; /* is told as a failure */
	for (i = 0; i < n; i++) {
		f->got = shadow_words(t, &s[i]);
		if (s[i].rule == e->rule)
			return true;
	}
	return false;
}

static bool
has_sender(const struct trial *t, const struct expectation *e,
           struct finding *f)
{
	struct span sender = canonical(t,
		message_result_sender(session_message(t->session)));

	f->got = arena_printf(t->arena, "sender %.*s", sender.n == 0 ? 2 :
		(int)sender.n, sender.n == 0 ? "<>" : sender.p);
	return span_is_nocase(sender, canonical(t, e->rcpt));
}

static bool
has_header(const struct trial *t, const struct expectation *e,
           struct finding *f)
{
	struct message *m = session_message(t->session);
	struct span value;
	size_t i;

	f->got = arena_printf(t->arena, "no header \"%.*s\"",
		SPAN_ARG(e->name));
	for (i = 0; i < message_result_fields(m); i++) {
		if (!span_is_nocase(message_result_name(m, i), e->name))
			continue;
		value = span_trim(header_decode(t->arena,
			message_result_value(m, i)));
		f->got = arena_printf(t->arena, "header \"%.*s\" \"%.*s\"",
			SPAN_ARG(e->name), SPAN_ARG(value));
		if (e->value.p == NULL || span_is(value, span_trim(e->value)))
			return true;
	}
	return false;
}

static bool
has_rcpt(const struct trial *t, const struct expectation *e,
         struct finding *f)
{
	struct message *m = session_message(t->session);
	struct span wanted = canonical(t, e->rcpt), all = SPAN("rcpt {"), r;
	bool found = false;
	size_t i;

	for (i = 0; i < message_result_rcpts(m) && all.p != NULL; i++) {
		r = canonical(t, message_result_rcpt(m, i));
		found = found || span_is_nocase(r, wanted);
		all = arena_printf(t->arena, "%s %.*s", all.p, SPAN_ARG(r));
	}
	f->got = arena_printf(t->arena, "%s }", all.p == NULL ? "" : all.p);
	return found;
}

static bool
has_body(const struct trial *t, const struct expectation *e, struct finding *f)
{
	struct mime_answer a;
	struct span got = SPAN("");
	bool found = false;
	size_t i;

	f->got = SPAN("no memory");
	if (!trial_parts(t, SUBJECT_BODY, &a))
		return e->kind == EXPECT_BODY_NOT; /* is told as a failure */
	f->got = SPAN("no text at all");
	for (i = 0; i < a.n; i++) {
		got = a.values[i].text;
		found = found || memmem(got.p, got.n, e->value.p,
		                        e->value.n) != NULL;
		if (got.n > SHOWN)
			got.n = SHOWN;
		f->got = i == 0 ? arena_printf(t->arena, "body \"%.*s\"",
			SPAN_ARG(got)) : arena_printf(t->arena,
			"%.*s, \"%.*s\"", SPAN_ARG(f->got), SPAN_ARG(got));
	}
	return found;
}

static bool
has_attachment(const struct trial *t, const struct expectation *e,
               struct finding *f)
{
	struct mime_answer a;
	bool found = false;
	size_t i;

	f->got = SPAN("no memory");
	if (!trial_parts(t, SUBJECT_ATTACHMENT, &a))
		return e->kind == EXPECT_NO_ATTACHMENT;
	f->got = SPAN("no attachment");
	for (i = 0; i < a.n; i++) {
		found = found || span_is(a.values[i].text, e->value);
		f->got = arena_printf(t->arena, "%.*s%s\"%.*s\"",
			i == 0 ? 0 : (int)f->got.n, f->got.p,
			i == 0 ? "attachment " : ", ",
			SPAN_ARG(a.values[i].text));
	}
	return found;
}

/* Whatever becomes of the message. */
static bool
has_notice(const struct trial *t, const struct expectation *e,
           struct finding *f)
{
	struct span wanted = canonical(t, e->rcpt), all = SPAN(""), one;
	const struct effect *effects;
	bool found = false;
	size_t i, n;

	f->got = SPAN("no memory");
	if (!review_logs(session_review(t->session), &effects, &n))
		return false;
	for (i = 0; i < n && all.p != NULL; i++) {
		if (effects[i].kind != EFFECT_NOTIFY)
			continue;
		one = canonical(t, effects[i].value);
		found = found || span_is_nocase(one, wanted);
		all = arena_printf(t->arena, "%s%snotify %.*s", all.p,
			all.n == 0 ? "" : ", ", SPAN_ARG(one));
	}
	f->got = all.n == 0 ? SPAN("no notify") : all;
	return found;
}

/* Of the message as it is let in. */
static bool
meets_message(const struct trial *t, const struct expectation *e,
              struct finding *f)
{
	struct outcome o = of_message(t);

	if (o.kind != VERDICT_ACCEPT) {
		f->got = outcome_words(t, &o);
		return false;
	}
	switch (e->kind) {
	case EXPECT_HEADER:
		return has_header(t, e, f);
	case EXPECT_NO_HEADER:
		return !has_header(t, e, f);
	case EXPECT_SENDER:
		return has_sender(t, e, f);
	case EXPECT_RCPT:
		return has_rcpt(t, e, f);
	case EXPECT_BODY:
		return has_body(t, e, f);
	case EXPECT_BODY_NOT:
		return !has_body(t, e, f);
	case EXPECT_ATTACHMENT:
		return has_attachment(t, e, f);
	case EXPECT_NO_ATTACHMENT:
		return !has_attachment(t, e, f);
	default:
		return !has_rcpt(t, e, f);
	}
}

static struct span
expected_message(const struct trial *t, const struct expectation *e)
{
	bool rcpt = e->kind == EXPECT_RCPT || e->kind == EXPECT_NO_RCPT;
	bool no = e->kind == EXPECT_NO_RCPT || e->kind == EXPECT_NO_HEADER
	          || e->kind == EXPECT_NO_NOTIFY;
	bool notify = e->kind == EXPECT_NOTIFY || e->kind == EXPECT_NO_NOTIFY;

	if (e->kind == EXPECT_ATTACHMENT || e->kind == EXPECT_NO_ATTACHMENT)
		return arena_printf(t->arena, "%sattachment \"%.*s\"",
			e->kind == EXPECT_ATTACHMENT ? "" : "no ",
			SPAN_ARG(e->value));
	if (e->kind == EXPECT_BODY || e->kind == EXPECT_BODY_NOT)
		return arena_printf(t->arena, "body %scontains \"%.*s\"",
			e->kind == EXPECT_BODY ? "" : "not ",
			SPAN_ARG(e->value));
	if (e->kind == EXPECT_SENDER)
		return arena_printf(t->arena, "sender %.*s",
			e->rcpt.n == 0 ? 2 : (int)e->rcpt.n,
			e->rcpt.n == 0 ? "<>" : e->rcpt.p);
	if (rcpt || notify)
		return arena_printf(t->arena, "%s%s %.*s", no ? "no " : "",
			rcpt ? "rcpt" : "notify", SPAN_ARG(e->rcpt));
	if (e->value.p == NULL)
		return arena_printf(t->arena, "%sheader \"%.*s\"",
			no ? "no " : "", SPAN_ARG(e->name));
	return arena_printf(t->arena, "%sheader \"%.*s\" \"%.*s\"",
		no ? "no " : "", SPAN_ARG(e->name), SPAN_ARG(e->value));
}

static bool
meets(const struct trial *t, const struct expectation *e, struct finding *f)
{
	switch (e->kind) {
	case EXPECT_VERDICT:
		f->expected = expected_verdict(t, e, "");
		return meets_verdict(t, e, f);
	case EXPECT_SHADOW:
		f->expected = expected_verdict(t, e, "shadow ");
		return meets_shadow(t, e, f);
	case EXPECT_NO_SHADOW:
		f->expected = arena_printf(t->arena, "no shadow%.*s",
			SPAN_ARG(rule_words(t, e->rule)));
		return !has_shadow(t, e, f);
	case EXPECT_NOTIFY:
	case EXPECT_NO_NOTIFY:
		f->expected = expected_message(t, e);
		return has_notice(t, e, f) == (e->kind == EXPECT_NOTIFY);
	default:
		f->expected = expected_message(t, e);
		return meets_message(t, e, f);
	}
}

/* ---- tests ---- */

/* Where failures are told: one of them is NULL. */
struct teller {
	FILE *out;
	struct diags *diags;
};

static void
tell(const struct teller *to, const struct test *test, struct place where,
     struct finding f)
{
	if (to->diags != NULL) {
		diag_error(to->diags, where, "test \"%.*s\" failed: expected "
			"%.*s, got %.*s", SPAN_ARG(test->name),
			SPAN_ARG(f.expected), SPAN_ARG(f.got));
		return;
	}
	fprintf(to->out, "%s:%u: expected %.*s\n",
		where.source == NULL ? "" : where.source->name,
		place_line(where), SPAN_ARG(f.expected));
	fprintf(to->out, "%*s got %.*s\n", (int)sizeof("expected"), "",
		SPAN_ARG(f.got));
}

static bool
run_test(struct policy *p, const struct test *test, const struct teller *to)
{
	struct trial t = {.policy = p, .given = &test->given};
	struct finding f = {SPAN("a session"), SPAN("")};
	const char *why;
	bool good = true;
	size_t i;

	if (!trial_run(&t, test->tables, &why)) {
		f.got = span_of(why);
		tell(to, test, test->place, f);
		trial_close(&t);
		return false;
	}
	for (i = 0; i < test->n_expects; i++)
		if (!meets(&t, &test->expects[i], &f)) {
			tell(to, test, test->expects[i].place, f);
			good = false;
		}
	trial_close(&t);
	return good;
}

static bool
is_wanted(const struct test *test, char *const *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (span_is(test->name, span_of(names[i])))
			return true;
	return n == 0;
}

size_t
try_tests(struct policy *p, char *const *names, size_t n, bool verbose,
          FILE *out, size_t *ran)
{
	struct teller to = {.out = out};
	size_t i, n_tests, failed = 0;
	const struct test *tests = policy_tests(p, &n_tests);
	char *said = NULL;
	size_t said_bytes;
	bool good;

	*ran = 0;
	for (i = 0; i < n_tests; i++) {
		if (!is_wanted(&tests[i], names, n))
			continue;
		to.out = open_memstream(&said, &said_bytes);
		if (to.out == NULL)
			to.out = out;
		good = run_test(p, &tests[i], &to);
		if (to.out != out)
			fclose(to.out);
		++*ran;
		failed += !good;
		if (verbose || !good)
			fprintf(out, "%s  %.*s\n", good ? "ok    " : "FAILED",
				SPAN_ARG(tests[i].name));
		if (said != NULL)
			fputs(said, out);
		free(said);
		said = NULL;
	}
	return failed;
}

bool
try_policy(struct policy *p, struct diags *d)
{
	struct teller to = {.diags = d};
	size_t i, n;
	const struct test *tests = policy_tests(p, &n);
	bool good = true;

	for (i = 0; i < n; i++)
		good &= run_test(p, &tests[i], &to);
	return good;
}
