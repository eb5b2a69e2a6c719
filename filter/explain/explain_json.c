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

static json_t *
step(const struct explained *e, const struct explain_step *s)
{
	return json_pack("{s:s, s:o, s:o, s:s, s:o}",
		"stage", stage_name(s->stage),
		"rcpt", rcpt_address(e, s->rcpt),
		"rule", rule_name(e, s->rule),
		"truth", truth_name(s->truth),
		"why", text(e, s->why));
}

static json_t *
steps(const struct explained *e)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < e->n_steps; i++)
		if (json_array_append_new(all, step(e, &e->steps[i])) != 0)
			goto failed;
	return all;
failed:
	json_decref(all);
	return NULL;
}

static json_t *
shadow(const struct explained *e, const struct shadow *s)
{
	return json_pack("{s:o, s:o, s:s, s:s, s:o}",
		"rule", rule_name(e, s->rule),
		"place", rule_place(e, s->rule),
		"would", explain_shadow(s),
		"stage", stage_name(s->verdict.stage),
		"rcpt", rcpt_address(e, s->rcpt));
}

static json_t *
shadows(const struct explained *e)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < e->n_shadows; i++)
		if (json_array_append_new(all, shadow(e, &e->shadows[i])) != 0)
			goto failed;
	return all;
failed:
	json_decref(all);
	return NULL;
}

static json_t *
notices(const struct explained *e)
{
	json_t *all = json_array(), *one;
	const struct effect *n;
	size_t i;

	for (i = 0; i < e->n_notices; i++) {
		n = &e->notices[i];
		if (n->kind != EFFECT_NOTIFY)
			continue;
		one = json_pack("{s:o, s:o, s:o, s:i}",
			"rule", rule_name(e, n->rule),
			"place", rule_place(e, n->rule),
			"address", text(e, n->value),
			"once", (int)n->per);
		if (json_array_append_new(all, one) != 0)
			goto failed;
	}
	return all;
failed:
	json_decref(all);
	return NULL;
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

static json_t *
recipients(const struct explained *e)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < e->trial->n_rcpts; i++)
		if (json_array_append_new(all, recipient(e, i)) != 0)
			goto failed;
	return all;
failed:
	json_decref(all);
	return NULL;
}

static json_t *
change(const struct explained *e, const struct change *c)
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
	bool header = c->kind <= ADD_HEADER;

	return json_pack("{s:s, s:o, s:o, s:o}",
		"change", kinds[c->kind],
		"name", header ? text(e, c->name) : json_null(),
		"index", c->kind <= INSERT_HEADER ?
			json_integer((json_int_t)c->index) : json_null(),
		"value", text(e, c->value));
}

/* The pieces of a new body are the MTA's: here it is one. */
static json_t *
changes(const struct explained *e)
{
	json_t *all = json_array();
	struct change c;
	size_t i;

	for (i = 0; i < e->trial->n_changes; i++) {
		c = e->trial->changes[i];
		if (c.kind == REPLACE_BODY)
			c.value = trial_body(e->trial);
		if (json_array_append_new(all, change(e, &c)) != 0)
			goto failed;
		if (c.kind == REPLACE_BODY)
			break; /* they are the last */
	}
	return all;
failed:
	json_decref(all);
	return NULL;
}

/* The attachments that are gone, or that a text replaced. */
static json_t *
taken_out(const struct explained *e)
{
	const struct edit *edit = session_edit(e->trial->session);
	json_t *all = json_array();
	size_t i;

	for (i = 0; edit != NULL && i < edit->n_taken; i++)
		if (json_array_append_new(all, json_pack("{s:s, s:o, s:o}",
		    "action", effect_name(edit->taken[i].effect->kind),
		    "rule", rule_name(e, edit->taken[i].effect->rule),
		    "name", text(e, edit->taken[i].name))) != 0)
			goto failed;
	return all;
failed:
	json_decref(all);
	return NULL;
}

static json_t *
left_out(const struct explained *e)
{
	const struct edit *edit = session_edit(e->trial->session);
	json_t *all = json_array();
	size_t i;

	for (i = 0; edit != NULL && i < edit->n_notes; i++)
		if (json_array_append_new(all, json_pack("{s:s, s:o, s:s}",
		    "action", effect_name(edit->notes[i].effect->kind),
		    "rule", rule_name(e, edit->notes[i].effect->rule),
		    "why", edit->notes[i].why)) != 0)
			goto failed;
	return all;
failed:
	json_decref(all);
	return NULL;
}

static json_t *
lookup(const struct explained *e, const struct explain_lookup *l)
{
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
lookups(const struct explained *e)
{
	json_t *all = json_array();
	size_t i;

	for (i = 0; i < e->n_lookups; i++)
		if (json_array_append_new(all, lookup(e, &e->lookups[i])) != 0)
			goto failed;
	return all;
failed:
	json_decref(all);
	return NULL;
}

static json_t *
finding(const struct explained *e, const struct spf_finding *f)
{
	return json_pack("{s:s, s:o, s:s, s:o, s:o}",
		"identity", f->identity == SPF_HELO ? "helo" : "mailfrom",
		"domain", text(e, f->domain),
		"result", spf_result_name(f->result),
		"why", text(e, explain_spf(f)),
		"explanation", f->explanation.n > 0 ?
			text(e, f->explanation) : json_null());
}

static json_t *
findings(const struct explained *e)
{
	json_t *all = json_array();
	const struct spf_finding *f;
	int i;

	for (i = SPF_MAILFROM; i <= SPF_HELO; i++) {
		f = session_spf(e->trial->session, (enum spf_identity)i);
		if (f != NULL && e->trial->resolver != NULL &&
		    json_array_append_new(all, finding(e, f)) != 0)
			goto failed;
	}
	return all;
failed:
	json_decref(all);
	return NULL;
}

static json_t *
object(const struct explained *e)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
		"s:o, s:o, s:o}",
		"verdict", e->end.kind,
		"stage", stage_name(e->end.stage),
		"rule", rule_name(e, e->end.rule),
		"place", rule_place(e, e->end.rule),
		"reply", text(e, e->end.reply),
		"rules", steps(e),
		"lookups", lookups(e),
		"spf", findings(e),
		"recipients", recipients(e),
		"shadows", shadows(e),
		"notices", notices(e),
		"changes", changes(e),
		"taken_out", taken_out(e),
		"left_out", left_out(e));
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
