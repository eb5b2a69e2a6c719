#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "caps.h"
#include "diff.h"
#include "edit.h"
#include "explain.h"
#include "log.h"
#include "notice.h"
#include "try.h"

/* ---- what happens at each stage ---- */

struct watcher {
	struct explained *e;
	enum truth *last;   /* of each rule, for all recipients alike */
	bool *told;
	bool *each;         /* of each rule for each recipient: it was told */
	size_t room;
	bool full;          /* no memory */
};

static bool
add_step(struct watcher *w, struct explain_step step)
{
	struct explained *e = w->e;
	struct explain_step *more;
	size_t room = w->room == 0 ? 64 : w->room * 2;

	if (e->n_steps == w->room) {
		more = realloc(e->steps, room * sizeof(*more));
		w->full = w->full || more == NULL;
		if (more == NULL)
			return false;
		e->steps = more;
		w->room = room;
	}
	e->steps[e->n_steps++] = step;
	return true;
}

static void
tell_rule(struct watcher *w, struct trial *t, struct explain_step step)
{
	step.why = review_why(session_review(t->session), step.rule, step.rcpt);
	if (step.why.p != NULL) /* the review's arena is soon another's */
		step.why = arena_copy(t->arena, step.why);
	add_step(w, step);
}

/* Has this recipient's reading ended above the rule? */
static bool
ended_above(const struct review *review, size_t rcpt, size_t rule)
{
	struct verdict v = review_of(review, rcpt);

	return v.kind != VERDICT_NONE && v.rule != NO_RULE && v.rule < rule;
}

/* A rule that waits for the recipient is told of once for each. */
static void
watch_for(struct watcher *w, struct trial *t, enum stage stage, size_t rcpt,
          size_t rule)
{
	struct review *review = session_review(t->session);
	struct explain_step step = {stage, rcpt, rule, TRUTH_LATER, {NULL, 0}};
	bool *told = &w->each[rule * t->n_rcpts + rcpt];

	if (*told || ended_above(review, rcpt, rule))
		return;
	step.truth = review_rule(review, rule, rcpt);
	*told = step.truth != TRUTH_LATER;
	if (*told)
		tell_rule(w, t, step);
}

/*
 * A rule is told of when it was read for the first time, and again when more
 * is known.
 */
static void
watch_rule(struct watcher *w, struct trial *t, enum stage stage, size_t rcpt,
           size_t rule)
{
	enum truth truth = review_rule(session_review(t->session), rule,
		NO_RCPT);
	size_t i;

	if (truth == TRUTH_LATER && w->told[rule]) {
		if (stage < STAGE_RCPT ||
		    !policy_rule_asks_rcpt(t->policy, rule))
			return;
		if (rcpt != NO_RCPT)
			watch_for(w, t, stage, rcpt, rule);
		for (i = 0; rcpt == NO_RCPT && i < t->n_rcpts; i++)
			if (!t->rcpts[i].refused)
				watch_for(w, t, stage, i, rule);
	} else if (!w->told[rule] || w->last[rule] != truth) {
		w->told[rule] = true;
		w->last[rule] = truth;
		tell_rule(w, t, (struct explain_step){stage, NO_RCPT, rule,
		                                      truth, {NULL, 0}});
	}
}

static void
watch(void *of, struct trial *t, enum stage stage, size_t rcpt)
{
	size_t i;

	if (session_review(t->session) == NULL)
		return;
	for (i = 0; i < policy_rules(t->policy); i++)
		watch_rule(of, t, stage, rcpt, i);
}

/* ---- what SPF asked the DNS ---- */

#define SHOWN 4       /* records of an answer */
#define SHOWN_TEXT 200

/* One record, as a zone file has it. */
static struct span
record_words(struct trial *t, enum dns_type type, const struct dns_record *r)
{
	struct ip ip = {.byte = {[10] = 0xff, [11] = 0xff}};
	struct span s = spf_printable(t->arena, r->data, SHOWN_TEXT);
	char text[IP_TEXT];

	switch (type) {
	case DNS_A:
		memcpy(ip.byte + 12, r->data.p, 4);
		return arena_copy(t->arena, span_of(ip_print(&ip, text)));
	case DNS_AAAA:
		memcpy(ip.byte, r->data.p, 16);
		return arena_copy(t->arena, span_of(ip_print(&ip, text)));
	case DNS_MX:
		return arena_printf(t->arena, "%u %.*s", r->preference,
			SPAN_ARG(s));
	case DNS_TXT:
		return arena_printf(t->arena, "\"%.*s\"", SPAN_ARG(s));
	default:
		return s;
	}
}

static struct span
answer_words(struct trial *t, const struct spf_lookup *l)
{
	const struct dns_answer *a = l->answer;
	struct span all = SPAN("");
	size_t i;

	if (a->status != DNS_OK)
		return span_of(dns_status_words(a->status));
	for (i = 0; i < a->n && i < SHOWN; i++)
		all = arena_printf(t->arena, "%.*s%s%.*s", SPAN_ARG(all),
			i == 0 ? "" : ", ",
			SPAN_ARG(record_words(t, l->type, &a->record[i])));
	if (a->n > SHOWN)
		all = arena_printf(t->arena, "%.*s and %zu more",
			SPAN_ARG(all), a->n - SHOWN);
	return all;
}

static void
watch_lookup(void *of, struct trial *t, const struct spf_lookup *l)
{
	struct explained *e = ((struct watcher *)of)->e;
	struct explain_lookup *slot = arena_grow(t->arena, &e->lookups,
		&e->n_lookups, sizeof(*slot));

	if (slot == NULL)
		return;
	slot->stage = session_stage(t->session);
	slot->name = spf_printable(t->arena, l->name, DNS_NAME);
	slot->type = l->type;
	slot->status = l->answer->status;
	slot->answer = answer_words(t, l);
	slot->cached = l->cached;
	slot->ms = (double)l->took / 1e6;
}

/* ---- the message before and after ---- */

static bool
add_line(struct trial *t, struct explain_lines *l, struct span line)
{
	struct span *slot = arena_grow(t->arena, &l->lines, &l->n,
		sizeof(*slot));

	if (slot == NULL)
		return false;
	*slot = line;
	return line.p != NULL;
}

/* The text's lines, their ends taken off. */
static bool
add_lines(struct trial *t, struct explain_lines *l, struct span text)
{
	const char *end;
	size_t n;

	while (text.n > 0) {
		end = memchr(text.p, '\n', text.n);
		n = end == NULL ? text.n : (size_t)(end - text.p);
		if (!add_line(t, l, (struct span){text.p,
		              n - (n > 0 && text.p[n - 1] == '\r')}))
			return false;
		n += end != NULL;
		text = (struct span){text.p + n, text.n - n};
	}
	return true;
}

static bool
add_path(struct trial *t, struct explain_lines *l, const char *command,
         struct span path)
{
	bool bare = path.n == 0 || path.p[0] != '<';

	return add_line(t, l, arena_printf(t->arena, "%s:%s%.*s%s", command,
		bare ? "<" : "", SPAN_ARG(path), bare ? ">" : ""));
}

static bool
add_field(struct trial *t, struct explain_lines *l, struct span name,
          struct span value)
{
	return add_lines(t, l, arena_printf(t->arena, "%.*s: %.*s",
		SPAN_ARG(name), SPAN_ARG(value)));
}

static bool
lines_before(struct trial *t, struct explain_lines *l)
{
	bool good = add_path(t, l, "MAIL FROM", t->sender);
	size_t i;

	for (i = 0; good && i < t->n_rcpts; i++)
		if (!t->rcpts[i].refused)
			good = add_path(t, l, "RCPT TO", t->rcpts[i].given);
	good = good && add_line(t, l, SPAN(""));
	for (i = 0; good && i < t->n_fields; i++)
		good = add_field(t, l, t->fields[i].name, t->fields[i].value);
	return good && add_line(t, l, SPAN("")) && add_lines(t, l, t->body);
}

static bool
lines_after(struct trial *t, struct explain_lines *l)
{
	struct message *m = session_message(t->session);
	bool good = add_path(t, l, "MAIL FROM", message_result_sender(m));
	size_t i;

	for (i = 0; good && i < message_result_rcpts(m); i++)
		good = add_path(t, l, "RCPT TO", message_result_rcpt(m, i));
	good = good && add_line(t, l, SPAN(""));
	for (i = 0; good && i < message_result_fields(m); i++)
		good = add_field(t, l, message_result_name(m, i),
			message_result_value(m, i));
	return good && add_line(t, l, SPAN("")) &&
		add_lines(t, l, trial_body(t));
}

/* ---- words ---- */

struct span
explain_place(const struct trial *t, size_t rule)
{
	struct place where = policy_rule_place(t->policy, rule);

	return arena_printf(t->arena, "%s:%u", where.source->name,
		place_line(where));
}

const char *
explain_shadow(const struct shadow *s)
{
	return s->verdict.kind == VERDICT_NONE ? "note" :
		verdict_name(s->verdict.kind);
}

static const char *
end_kind(const struct trial *t)
{
	static const char *const kinds[] = {
		[ANSWER_REJECT] = "reject",
		[ANSWER_TEMPFAIL] = "tempfail",
		[ANSWER_DISCARD] = "discard",
		[ANSWER_ACCEPT] = "accept",
	};

	return t->held ? "held" : kinds[t->answer.kind];
}

/* ---- text ---- */

static int
name_width(const struct policy *p)
{
	size_t i, n, most = 12;

	for (i = 0; i < policy_rules(p); i++) {
		n = policy_rule_name(p, i).n;
		if (n > most && n <= 40)
			most = n;
	}
	return (int)most;
}

/* A reply's lines one below the other, quotes round the text alone. */
static void
print_reply(FILE *out, struct span reply)
{
	size_t i, words;

	for (i = words = 0; i < reply.n && words < 2; i++)
		words += reply.p[i] == ' ';
	fprintf(out, ": %.*s\"", (int)i, reply.p);
	for (; i < reply.n; i++)
		if (reply.p[i] == '\n')
			fputs("\\n", out);
		else
			fputc(reply.p[i], out);
	fputc('"', out);
}

static void
print_end(const struct explained *e, const struct explain_end *end,
          const struct trial_rcpt *rcpt, FILE *out)
{
	struct span place;

	fprintf(out, "        -> %s at %s", end->kind, stage_name(end->stage));
	if (rcpt != NULL)
		fprintf(out, " for %.*s", SPAN_ARG(rcpt->address));
	if (end->reply.p != NULL)
		print_reply(out, end->reply);
	if (end->rule != NO_RULE) {
		place = explain_place(e->trial, end->rule);
		fprintf(out, "   (%.*s)", SPAN_ARG(place));
	}
	fputc('\n', out);
}

/* What was noted and is not done, or not to each part. */
static void
print_left_out(const struct explained *e, FILE *out)
{
	const struct edit *edit = session_edit(e->trial->session);
	struct span name, place;
	size_t i;

	for (i = 0; edit != NULL && i < edit->n_notes; i++) {
		name = policy_rule_name(e->trial->policy,
			edit->notes[i].effect->rule);
		place = explain_place(e->trial, edit->notes[i].effect->rule);
		fprintf(out, "left out: %s of %.*s: %s   (%.*s)\n",
			effect_name(edit->notes[i].effect->kind),
			SPAN_ARG(name), edit->notes[i].why, SPAN_ARG(place));
	}
}

static void
print_taken(const struct explained *e, FILE *out)
{
	const struct edit *edit = session_edit(e->trial->session);
	char shown[CAPS_LOG_FIELD];
	struct span name, place;
	size_t i;

	for (i = 0; edit != NULL && i < edit->n_taken; i++) {
		name = log_escape(shown, sizeof(shown), edit->taken[i].name);
		place = explain_place(e->trial, edit->taken[i].effect->rule);
		fprintf(out, "%s \"%.*s\"   (%.*s)\n",
			effect_name(edit->taken[i].effect->kind),
			SPAN_ARG(name), SPAN_ARG(place));
	}
}

/* Returns how many were refused at RCPT. */
static size_t
print_refused(const struct explained *e, FILE *out)
{
	const struct trial_rcpt *r;
	struct explain_end end;
	size_t i, n = 0;

	for (i = 0; i < e->trial->n_rcpts; i++) {
		r = &e->trial->rcpts[i];
		if (!r->refused)
			continue;
		end = (struct explain_end){
			verdict_name(r->verdict.kind), STAGE_RCPT,
			r->verdict.rule, r->reply,
		};
		print_end(e, &end, r, out);
		n++;
	}
	return n;
}

/* Did the readings of those who are still in end alike? */
static bool
ended_alike(const struct explained *e)
{
	const struct trial *t = e->trial;
	const struct review *review = session_review(t->session);
	struct verdict first = {0}, v;
	size_t i, n = 0;

	for (i = 0; i < t->n_rcpts; i++) {
		if (t->rcpts[i].refused)
			continue;
		v = review_of(review, i);
		if (n++ == 0)
			first = v;
		else if (v.kind != first.kind || v.rule != first.rule)
			return false;
	}
	return true;
}

/* What comes to each recipient of a message that is taken, if not the same. */
static void
print_each(const struct explained *e, FILE *out)
{
	const struct trial *t = e->trial;
	struct explain_end end = e->end;
	struct verdict v;
	size_t i;

	for (i = 0; i < t->n_rcpts; i++) {
		if (t->rcpts[i].refused)
			continue;
		v = review_of(session_review(t->session), i);
		if (t->held && v.kind != VERDICT_DISCARD)
			continue;
		end.kind = verdict_name(v.kind);
		end.rule = v.rule;
		print_end(e, &end, &t->rcpts[i], out);
	}
}

/* The verdict of those who were not refused at RCPT. */
static void
print_verdict(const struct explained *e, FILE *out)
{
	bool taken = e->trial->answer.kind == ANSWER_ACCEPT ||
		e->trial->answer.kind == ANSWER_DISCARD;
	bool alike = !taken || ended_alike(e);

	if (!alike)
		print_each(e, out);
	if (alike || e->trial->held)
		print_end(e, &e->end, NULL, out);
}

static void
print_step(const struct explained *e, const struct explain_step *s, int width,
           FILE *out)
{
	struct span name = policy_rule_name(e->trial->policy, s->rule);

	fprintf(out, "%-7s %-*.*s   %-6s %.*s", stage_name(s->stage), width,
		SPAN_ARG(name), truth_name(s->truth), SPAN_ARG(s->why));
	if (s->rcpt != NO_RCPT && e->trial->n_rcpts > 1)
		fprintf(out, "   (for %.*s)",
			SPAN_ARG(e->trial->rcpts[s->rcpt].address));
	fputc('\n', out);
}

/* The look-ups of the stages up to this one that were not printed yet. */
static void
print_lookups(const struct explained *e, enum stage stage, size_t *at,
              FILE *out)
{
	const struct explain_lookup *l;

	for (; *at < e->n_lookups && e->lookups[*at].stage <= stage; ++*at) {
		l = &e->lookups[*at];
		fprintf(out, "%-7s %.*s %s: %.*s   (%s%.1f ms)\n", "dns",
			SPAN_ARG(l->name), dns_type_name(l->type),
			SPAN_ARG(l->answer), l->cached ? "known, " : "",
			l->ms);
	}
}

struct span
explain_spf(const struct spf_finding *f)
{
	if (f->term.n > 0)
		return f->term;
	return f->reason.n > 0 ? f->reason : SPAN("no term matches");
}

/* Without the look-ups of DNS nothing was found. */
static void
print_spf(const struct explained *e, FILE *out)
{
	static const enum spf_identity all[] = {SPF_MAILFROM, SPF_HELO};
	const struct spf_finding *f;
	size_t i;

	for (i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		f = session_spf(e->trial->session, all[i]);
		if (f == NULL || e->trial->resolver == NULL)
			continue;
		fprintf(out, "%-7s %s%s%s%.*s: %.*s\n", "spf",
			spf_result_name(f->result),
			f->domain.n > 0 ? " for " : "",
			all[i] == SPF_HELO && f->domain.n > 0 ? "HELO " : "",
			SPAN_ARG(f->domain), SPAN_ARG(explain_spf(f)));
		if (f->explanation.n > 0)
			fprintf(out, "%-7s \"%.*s\"\n", "",
				SPAN_ARG(f->explanation));
	}
}

static void
print_shadow(const struct explained *e, const struct shadow *s, FILE *out)
{
	struct span name = policy_rule_name(e->trial->policy, s->rule);
	struct span place = explain_place(e->trial, s->rule);

	fprintf(out, "shadow  %.*s would %s at %s   (%.*s)\n", SPAN_ARG(name),
		explain_shadow(s), stage_name(s->verdict.stage),
		SPAN_ARG(place));
}

static void
print_notices(const struct explained *e, FILE *out)
{
	const struct effect *n;
	struct span name, place;
	size_t i;

	for (i = 0; i < e->n_notices; i++) {
		n = &e->notices[i];
		if (n->kind != EFFECT_NOTIFY)
			continue;
		name = policy_rule_name(e->trial->policy, n->rule);
		place = explain_place(e->trial, n->rule);
		fprintf(out, "notify  %.*s would tell %.*s   (%.*s)\n",
			SPAN_ARG(name), SPAN_ARG(notice_address(n->value) ?
			n->value : SPAN("nobody: that is no address")),
			SPAN_ARG(place));
	}
}

static bool
print_difference(const struct explained *e, FILE *out)
{
	const struct diff_text before = {
		"as it came", e->before.lines, e->before.n,
	}, after = {
		"as it is let in", e->after.lines, e->after.n,
	};

	return diff_print(out, &before, &after);
}

static bool
print_text(const struct explained *e, FILE *out)
{
	int width = name_width(e->trial->policy);
	size_t i, refused, looked_up = 0;

	for (i = 0; i < e->n_steps && e->steps[i].stage <= STAGE_RCPT; i++) {
		print_lookups(e, e->steps[i].stage, &looked_up, out);
		print_step(e, &e->steps[i], width, out);
	}
	refused = print_refused(e, out);
	for (; i < e->n_steps; i++) {
		print_lookups(e, e->steps[i].stage, &looked_up, out);
		print_step(e, &e->steps[i], width, out);
	}
	print_lookups(e, STAGE_END, &looked_up, out);
	print_spf(e, out);
	if (refused < e->trial->n_rcpts)
		print_verdict(e, out);
	for (i = 0; i < e->n_shadows; i++)
		print_shadow(e, &e->shadows[i], out);
	print_notices(e, out);
	if (policy_settings(e->trial->policy)->shadow.number != 0)
		fputs("set shadow yes: all of this is logged, and mail is let "
			"in unchanged\n", out);
	if (e->let_in) {
		print_taken(e, out);
		print_left_out(e, out);
	}
	return !e->let_in || print_difference(e, out);
}

/* ---- explain ---- */

static bool
collect(struct explained *e)
{
	struct trial *t = e->trial;

	e->end = (struct explain_end){
		end_kind(t), t->stage, t->held ? t->held_by : t->verdict.rule,
		t->reply,
	};
	e->let_in = t->answer.kind == ANSWER_ACCEPT;
	return review_shadows(session_review(t->session), &e->shadows,
	                      &e->n_shadows) &&
		review_logs(session_review(t->session), &e->notices,
		            &e->n_notices) &&
		(!e->let_in || (lines_before(t, &e->before) &&
		                lines_after(t, &e->after)));
}

static int
exit_status(const struct trial *t)
{
	if (t->answer.kind == ANSWER_TEMPFAIL)
		return EX_TEMPFAIL;
	return t->answer.kind == ANSWER_ACCEPT ? 0 : 1;
}

int
try_explain(struct policy *p, const struct scenario *s, bool json,
            struct resolver *resolver, FILE *out)
{
	size_t rules = policy_rules(p) + 1;
	size_t rcpts = s->n_rcpts == 0 ? 1 : s->n_rcpts;
	struct trial t = {
		.policy = p, .given = s, .watch = watch,
		.resolver = resolver, .looked_up = watch_lookup,
	};
	struct explained e = {.trial = &t};
	struct watcher w = {.e = &e};
	const char *why = "no memory";
	int status = EX_OSERR;

	t.of = &w;
	w.last = calloc(rules, sizeof(*w.last));
	w.told = calloc(rules, sizeof(*w.told));
	w.each = calloc(rules, rcpts * sizeof(*w.each));
	if (w.last != NULL && w.told != NULL && w.each != NULL &&
	    trial_run(&t, NULL, &why) && !w.full && collect(&e) &&
	    (json ? explain_json(&e, out) : print_text(&e, out)))
		status = exit_status(&t);
	else
		fprintf(stderr, "vaglio: %s\n", why);
	trial_close(&t);
	free(e.steps);
	free(w.last);
	free(w.told);
	free(w.each);
	return status;
}
