#include <jansson.h>

#include "edit.h"
#include "explain.h"
#include "utf8.h"

/* Jansson takes no NULL into an object or array: a failure shows at the end. */

static json_t *
text(const struct explained *e, struct span s)
{
	if (s.p == NULL)
		return json_null();
	s = utf8_make_valid(e->trial->arena, s);
	return s.p == NULL ? NULL : json_stringn(s.p, s.n);
}

static json_t *
rule_name(const struct explained *e, size_t rule)
{
	if (rule == NO_RULE)
		return json_null();
	return text(e, policy_rule_name(e->trial->policy, rule));
}

static json_t *
rule_place(const struct explained *e, size_t rule)
{
	if (rule == NO_RULE)
		return json_null();
	return text(e, explain_place(e->trial, rule));
}

static json_t *
rcpt_address(const struct explained *e, size_t rcpt)
{
	if (rcpt >= e->trial->n_rcpts)
		return json_null();
	return text(e, e->trial->rcpts[rcpt].address);
}

/*
 * What make gives for each of n. null is left out; NULL: a failure, which
 * gives NULL.
 */
static json_t *
list(const struct explained *e, size_t n,
     json_t *(*make)(const struct explained *e, size_t i))
{
	json_t *all = json_array(), *one;
	size_t i;

	for (i = 0; i < n; i++) {
		one = make(e, i);
		if (json_is_null(one) ||
		    json_array_append_new(all, one) == 0)
			continue;
		json_decref(all);
		return NULL;
	}
	return all;
}

static json_t *
step(const struct explained *e, size_t i)
{
	const struct explain_step *s = &e->steps[i];

	return json_pack("{s:s, s:o, s:o, s:s, s:o}",
		"stage", stage_name(s->stage),
		"rcpt", rcpt_address(e, s->rcpt),
		"rule", rule_name(e, s->rule),
		"truth", truth_name(s->truth),
		"why", text(e, s->why));
}

static json_t *
shadow(const struct explained *e, size_t i)
{
	const struct shadow *s = &e->shadows[i];

	return json_pack("{s:o, s:o, s:s, s:s, s:o}",
		"rule", rule_name(e, s->rule),
		"place", rule_place(e, s->rule),
		"would", explain_shadow(s),
		"stage", stage_name(s->verdict.stage),
		"rcpt", rcpt_address(e, s->rcpt));
}

static json_t *
notice(const struct explained *e, size_t i)
{
	const struct effect *n = &e->notices[i];

	if (n->kind != EFFECT_NOTIFY)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:i}",
		"rule", rule_name(e, n->rule),
		"place", rule_place(e, n->rule),
		"address", text(e, n->value),
		"once", (int)n->per);
}

/* Of a recipient: what RCPT was answered, or what was read for it. */
static json_t *
recipient(const struct explained *e, size_t i)
{
	const struct trial_rcpt *r = &e->trial->rcpts[i];
	struct verdict v = r->refused ? r->verdict :
		review_of(session_review(e->trial->session), i);

	return json_pack("{s:o, s:b, s:s, s:o, s:o}",
		"address", text(e, r->address),
		"refused", r->refused,
		"verdict", verdict_name(v.kind),
		"rule", rule_name(e, v.kind == VERDICT_NONE ? NO_RULE : v.rule),
		"reply", text(e, r->reply));
}

/* The pieces of a new body, the last changes, are the MTA's: here it is one. */
static json_t *
change(const struct explained *e, size_t i)
{
	static const char *const kinds[] = {
		[CHANGE_HEADER] = "change header",
		[INSERT_HEADER] = "insert header",
		[ADD_HEADER] = "add header",
		[CHANGE_SENDER] = "change sender",
		[ADD_RCPT] = "add rcpt",
		[REMOVE_RCPT] = "remove rcpt",
		[HOLD] = "hold",
		[REPLACE_BODY] = "replace body",
	};
	const struct change *c = &e->trial->changes[i];
	bool header = c->kind <= ADD_HEADER, body = c->kind == REPLACE_BODY;

	if (body && i > 0 && c[-1].kind == REPLACE_BODY)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o}",
		"change", kinds[c->kind],
		"name", header ? text(e, c->name) : json_null(),
		"index", c->kind <= INSERT_HEADER ?
			json_integer((json_int_t)c->index) : json_null(),
		"value", text(e, body ? trial_body(e->trial) : c->value));
}

/* An attachment that is gone, or that a text replaced. */
static json_t *
taken_out(const struct explained *e, size_t i)
{
	const struct edit *edit = session_edit(e->trial->session);

	return json_pack("{s:s, s:o, s:o}",
		"action", effect_name(edit->taken[i].effect->kind),
		"rule", rule_name(e, edit->taken[i].effect->rule),
		"name", text(e, edit->taken[i].name));
}

static json_t *
left_out(const struct explained *e, size_t i)
{
	const struct edit *edit = session_edit(e->trial->session);

	return json_pack("{s:s, s:o, s:s}",
		"action", effect_name(edit->notes[i].effect->kind),
		"rule", rule_name(e, edit->notes[i].effect->rule),
		"why", edit->notes[i].why);
}

static json_t *
lookup(const struct explained *e, size_t i)
{
	const struct explain_lookup *l = &e->lookups[i];

	return json_pack("{s:s, s:o, s:s, s:s, s:o, s:b, s:f}",
		"stage", stage_name(l->stage),
		"name", text(e, l->name),
		"type", dns_type_name(l->type),
		"status", dns_status_words(l->status),
		"answer", text(e, l->answer),
		"cached", l->cached,
		"ms", l->ms);
}

static json_t *
finding(const struct explained *e, size_t i)
{
	const struct spf_finding *f = session_spf(e->trial->session,
		(enum spf_identity)i);

	if (f == NULL || e->trial->resolver == NULL)
		return json_null();
	return json_pack("{s:s, s:o, s:s, s:o, s:o}",
		"identity", f->identity == SPF_HELO ? "helo" : "mailfrom",
		"domain", text(e, f->domain),
		"result", spf_result_name(f->result),
		"why", text(e, explain_spf(f)),
		"explanation", f->explanation.n > 0 ?
			text(e, f->explanation) : json_null());
}

static json_t *
object(const struct explained *e)
{
	const struct edit *edit = session_edit(e->trial->session);

	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:o, s:o, s:o}",
		"verdict", e->end.kind,
		"stage", stage_name(e->end.stage),
		"rule", rule_name(e, e->end.rule),
		"place", rule_place(e, e->end.rule),
		"reply", text(e, e->end.reply),
		"rules", list(e, e->n_steps, step),
		"lookups", list(e, e->n_lookups, lookup),
		"spf", list(e, SPF_HELO + 1, finding),
		"recipients", list(e, e->trial->n_rcpts, recipient),
		"shadows", list(e, e->n_shadows, shadow),
		"notices", list(e, e->n_notices, notice),
		"changes", list(e, e->trial->n_changes, change),
		"taken_out", list(e, edit == NULL ? 0 : edit->n_taken, taken_out),
		"left_out", list(e, edit == NULL ? 0 : edit->n_notes, left_out));
}

bool
explain_json(const struct explained *e, FILE *out)
{
	json_t *all = object(e);
	bool done = all != NULL && json_dumpf(all, out, JSON_INDENT(2)) == 0;

	if (done)
		fputc('\n', out);
	json_decref(all);
	return done;
}
