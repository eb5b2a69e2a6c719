/* check.c - the statements of a policy, one after the other. */
#include <stdint.h>
#include <string.h>

#include "backend.h"
#include "caps.h"
#include "checker.h"
#include "number.h"

/* ---- names ---- */

static void
tell_twice(struct checker *c, const char *what, struct span name,
           struct place again, struct place first)
{
	diag_error(c->diags, again, "%s \"%.*s\" is there already, in line %u",
	           what, SPAN_ARG(name), place_line(first));
}

/* ---- tables ---- */

/* Relative to the policy's folder, as the parser left it. */
const char *
check_path(struct checker *c, const struct ast_value *v)
{
	const char *slash = strcmp(c->dir, "/") == 0 ? "" : "/";

	if ((v->text.n > 0 && v->text.p[0] == '/') ||
	    strcmp(c->dir, ".") == 0)
		return arena_copy(c->arena, v->text).p;
	return arena_printf(c->arena, "%s%s%.*s", c->dir, slash,
	                    SPAN_ARG(v->text)).p;
}

static struct table *
open_list(struct checker *c, const char *name, const struct ast_table *t)
{
	struct backend_answer *answers;
	const struct ast_value *v;
	size_t n = 0;

	v = t->answers == NULL ? NULL : t->answers->items;
	for (; v != NULL; v = v->next)
		n++;
	answers = arena_alloc(c->arena, n * sizeof(*answers));
	v = t->answers == NULL ? NULL : t->answers->items;
	for (n = 0; v != NULL; v = v->next)
		answers[n++] = (struct backend_answer){v->text, v->place};
	return table_dns(name, t->path->text, t->path->place, answers, n,
	                 c->diags);
}

const struct backend_options *
check_options(struct checker *c, const struct ast_option *o)
{
	struct backend_options *all = arena_alloc(c->arena, sizeof(*all));
	const char **member;

	for (; o != NULL; o = o->next) {
		member = (const char **)(void *)((char *)all + o->row->offset);
		*member = o->row->type == OPTION_PATH ?
		          check_path(c, o->value) :
		          arena_copy(c->arena, o->value->text).p;
	}
	return all;
}

static struct table *
open_table(struct checker *c, const char *name, const struct ast_table *t)
{
	const struct backend *row = backend_find(t->backend);

	if (t->backend.p == NULL)
		return check_inline_table(c, name, t->entries);
	if (row->open == NULL && row->is_path)
		return table_file_watched(name, check_path(c, t->path),
		                          t->path->place, c->diags);
	if (row->takes_list)
		return open_list(c, name, t);
	return table_backend(name, row, row->is_path ? check_path(c, t->path) :
	                     arena_copy(c->arena, t->path->text).p,
	                     check_options(c, t->options), t->path->place, c->diags);
}

static void
check_table(struct checker *c, struct ast_table *t)
{
	const struct policy_table *there = check_find_table(c, t->name);
	struct policy_table *made;

	if (there != NULL) {
		tell_twice(c, "table", t->name, t->name_place, there->place);
		return;
	}
	made = arena_grow(c->arena, &c->program->tables, &c->program->n_tables,
	                  sizeof(*made));
	t->table = c->program->n_tables - 1;
	made->ast = t;
	made->name = t->name;
	made->place = t->name_place;
	made->table = open_table(c, arena_copy(c->arena, t->name).p, t);
}

/* ---- defines ---- */

struct ast_define *
check_find_define(struct checker *c, struct span name)
{
	return g_hash_table_lookup(c->program->define_names,
	                           arena_copy(c->arena, name).p);
}

static void
check_define(struct checker *c, struct ast_define *d)
{
	struct ast_define **slot, *there = check_find_define(c, d->name);
	size_t before = diags_errors(c->diags);

	if (there != NULL) {
		tell_twice(c, "define", d->name, d->name_place,
		           there->name_place);
		d->used = true; /* that it can't be is no second mistake */
	}
	d->compiled[0].node = check_expr(c, d->expr, false, false);
	d->compiled[0].pattern_leaves = c->pattern_leaves;
	d->compiled[0].pattern_leaf = c->pattern_leaf;
	d->compiled[0].done = true;
	d->broken = diags_errors(c->diags) != before;
	c->pattern_leaves = 0;
	slot = arena_grow(c->arena, &c->defines, &c->n_defines, sizeof(*slot));
	*slot = d;
	if (there == NULL)
		g_hash_table_insert(c->program->define_names,
		        (void *)(uintptr_t)arena_copy(c->arena, d->name).p, d);
}

/* ---- rules ---- */

static bool
digits(struct span s, size_t most)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n >= 1 && s.n <= most;
}

/* X.Y.Z of RFC 3463 2: its first digit the reply's class */
static bool
enhanced(struct span s)
{
	const char *dot = memchr(s.p, '.', s.n), *second;
	size_t left;

	if (dot == NULL)
		return false;
	left = s.n - (size_t)(dot + 1 - s.p);
	second = memchr(dot + 1, '.', left);
	return second != NULL
	       && digits((struct span){s.p, (size_t)(dot - s.p)}, 1)
	       && digits((struct span){dot + 1, (size_t)(second - dot - 1)}, 3)
	       && digits((struct span){second + 1,
	                 (size_t)(s.p + s.n - second - 1)}, 3);
}

static void
check_reply(struct checker *c, const struct ast_action *a, struct action *out)
{
	char class = a->row->ends == VERDICT_REJECT ? '5' : '4';

	out->code = span_of(a->row->code);
	out->xcode = span_of(a->row->xcode);
	if (a->code == NULL)
		return;
	out->code = a->code->text;
	if (!digits(out->code, 3) || out->code.n != 3
	    || out->code.p[0] != class || out->code.p[1] > '5') {
		diag_error(c->diags, a->code->place,
		           "\"%s\" wants a code of its class: %cxx", a->row->words,
		           class);
		return;
	}
	if (a->xcode == NULL)
		return;
	out->xcode = a->xcode->text;
	if (!enhanced(out->xcode) || out->xcode.p[0] != class)
		diag_error(c->diags, a->xcode->place,
		           "the enhanced code must agree with %.*s: %c.Y.Z",
		           SPAN_ARG(out->code), class);
}

static void
check_header_name(struct checker *c, const struct ast_value *v)
{
	size_t i;

	if (v->text.n > 1 && v->text.p[v->text.n - 1] == ':') {
		diag_error(c->diags, v->place,
		           "a field's name stands without its colon: \"%.*s\"",
		           (int)v->text.n - 1, v->text.p);
		return;
	}
	for (i = 0; i < v->text.n; i++)
		if (v->text.p[i] <= 32 || v->text.p[i] >= 127
		    || v->text.p[i] == ':')
			break;
	if (v->text.n == 0 || i < v->text.n)
		diag_error(c->diags, v->place,
		           "\"%.*s\" is no name of a header field",
		           SPAN_ARG(v->text));
}

/* An address without ${...} is looked at now. */
static void
check_fixed_address(struct checker *c, const struct ast_action *a)
{
	struct span s = a->text->text;
	const char *at;

	if (a->text->kind == AST_NULL) {
		if (a->row->effect != EFFECT_REPLACE_SENDER)
			diag_error(c->diags, a->text->place,
			           "<> is a sender, not a recipient");
		return;
	}
	if (memchr(s.p, '$', s.n) != NULL)
		return;
	at = memchr(s.p, '@', s.n);
	if (s.n == 0 || at == s.p || (at != NULL && at + 1 == s.p + s.n)
	    || memchr(s.p, ' ', s.n) != NULL || memchr(s.p, '<', s.n) != NULL
	    || memchr(s.p, '>', s.n) != NULL)
		diag_error(c->diags, a->text->place,
		           "\"%.*s\" is no mail address", SPAN_ARG(s));
}

static unsigned
check_per(struct checker *c, const struct ast_value *v)
{
	double seconds;

	if (v == NULL)
		return ACTION_ONCE;
	if (number_parse_time(v->text, &seconds) &&
	    seconds >= ACTION_ONCE_LEAST && seconds <= ACTION_ONCE_MOST)
		return (unsigned)seconds;
	diag_error(c->diags, v->place, "\"once per\" wants a time from 1m to "
	           "30d, such as 6h");
	return ACTION_ONCE;
}

static struct action *
check_action(struct checker *c, const struct ast_action *a)
{
	struct action *out = arena_alloc(c->arena, sizeof(*out));
	struct ast_value standard = {.kind = AST_STRING,
	                             .text = span_of(a->row->text)};

	out->row = a->row;
	out->place = a->place;
	out->program = c->program;
	if (a->row->takes & TAKES_REPLY) {
		check_reply(c, a, out);
		check_meant_reply(c, a);
	}
	if (a->name != NULL) {
		check_header_name(c, a->name);
		out->name = a->name->text;
	}
	if (a->pattern != NULL) {
		a->pattern->pattern = check_pattern(c, a->pattern, false);
		out->pattern = a->pattern->pattern;
	}
	check_where(c, a, out);
	out->per = check_per(c, a->per);
	if (a->row->takes & TAKES_ADDRESS)
		check_fixed_address(c, a);
	if (a->row->takes & TAKES_BODY)
		check_body_texts(c, a, out);
	else if (a->text != NULL && a->text->kind != AST_NULL)
		out->text = check_text(c, a->text, out->pattern);
	else if (a->row->text != NULL)
		out->text = check_text(c, &standard, NULL);
	return out;
}

/* The rule waits for what its texts fill in. */
static void
text_needs(struct checker *c, struct rule *r, const struct text *t)
{
	const struct piece *p;

	r->rcpt = r->rcpt || t->rcpt;
	for (p = t->pieces; p != NULL; p = p->next) {
		size_t ask = piece_ask(p);

		if (ask != NO_ASK
		    && c->program->questions[ask].ask.stage > r->stage)
			r->stage = c->program->questions[ask].ask.stage;
	}
}

static struct place
text_place(const struct ast_action *a)
{
	return a->text != NULL ? a->text->place : a->html->place;
}

/* In a list of patterns, some must have the group. */
static void
check_group_numbers(struct checker *c, const struct ast_action *a,
                    const struct text *text)
{
	const struct node *node = &c->program->nodes[c->pattern_leaf];
	unsigned groups = 0, n;
	const struct piece *p;
	size_t i;

	for (i = 0; i < node->n_operands; i++) {
		if (node->operands[i].pattern == NULL)
			continue;
		n = pattern_groups(node->operands[i].pattern);
		groups = n > groups ? n : groups;
	}
	for (p = text->pieces; p != NULL; p = p->next)
		if (p->kind == PIECE_GROUP && p->group > groups)
			diag_error(c->diags, text_place(a),
			           "$%u: the pattern has %u group%s", p->group,
			           groups, groups == 1 ? "" : "s");
}

static void
check_groups(struct checker *c, struct rule *r, const struct ast_action *a,
             const struct text *text)
{
	r->group_node = c->pattern_leaf;
	if (c->pattern_leaves == 1) {
		check_group_numbers(c, a, text);
		return;
	}
	r->group_node = NO_NODE;
	if (c->pattern_leaves == 0)
		diag_error(c->diags, text_place(a),
		           "$1 to $9 are of the rule's pattern, and it has none "
		           "that is not negated");
	else
		diag_error(c->diags, text_place(a),
		           "$1 to $9 are of the rule's only pattern, and it has "
		           "%zu", c->pattern_leaves);
}

static void
check_actions(struct checker *c, struct rule *r)
{
	struct action **end = &r->actions;
	const struct ast_action *a;

	for (a = r->ast->actions; a != NULL; a = a->next) {
		struct action *made = check_action(c, a);

		*end = made;
		end = &made->next;
		text_needs(c, r, &made->text);
		if (made->text.groups && made->pattern == NULL)
			check_groups(c, r, a, &made->text);
		if (made->row->ends == VERDICT_NONE)
			continue;
		r->last = made;
		if (a->next != NULL)
			diag_error(c->diags, a->next->place,
			           "nothing may follow \"%s\", which ends the "
			           "reading: put it in front", made->row->words);
	}
}

static bool
accepts(const struct ast_rule *r)
{
	const struct ast_action *a;

	for (a = r->actions; a != NULL; a = a->next)
		if (a->row->ends == VERDICT_ACCEPT)
			return true;
	return false;
}

static void
check_conditions(struct checker *c, struct rule *r)
{
	struct ast_clause *clause;
	size_t node;

	r->node = NO_NODE;
	for (clause = r->ast->clauses; clause != NULL; clause = clause->next) {
		node = check_expr(c, clause->expr, clause->unless,
		                  accepts(r->ast));
		if (clause->unless)
			node = check_not(c, node);
		r->node = check_join(c, NODE_AND, r->node, node);
		r->node = check_extent(c, r->node, clause->expr->place);
	}
	r->first = r->stage = STAGE_CONNECT;
	if (r->node == NO_NODE)
		return;
	r->stage = c->program->nodes[r->node].stage;
	r->first = c->program->nodes[r->node].first;
	r->rcpt = c->program->nodes[r->node].rcpt;
}

size_t
check_find_rule(struct checker *c, struct span name)
{
	void *there = g_hash_table_lookup(c->program->rule_names,
	                                  arena_copy(c->arena, name).p);

	return there == NULL ? NO_RULE : GPOINTER_TO_SIZE(there) - 1;
}

/* The first table in the condition that may well fail, or NULL. */
static const struct policy_table *
risky_table(const struct program *p, size_t number)
{
	const struct policy_table *t = NULL;
	const struct node *n;
	size_t i;

	if (number == NO_NODE)
		return NULL;
	n = &p->nodes[number];
	if (n->kind <= NODE_NOT) {
		t = risky_table(p, n->left);
		return t != NULL || n->kind == NODE_NOT ? t :
		       risky_table(p, n->right);
	}
	for (i = 0; i < n->n_operands; i++) {
		if (n->operands[i].kind != OPERAND_LOOKUP)
			continue;
		t = &p->tables[n->operands[i].lookup.table];
		if (t->ast != NULL && t->ast->backend.p != NULL &&
		    backend_find(t->ast->backend)->may_fail)
			return t;
	}
	return NULL;
}

static void
check_on_error(struct checker *c, const struct rule *r)
{
	const struct policy_table *t;
	const struct action *a;

	if (r->on_error != ON_ERROR_UNSAID)
		return;
	t = risky_table(c->program, r->node);
	for (a = r->actions; a != NULL && t == NULL; a = a->next)
		t = risky_table(c->program, a->where);
	if (t != NULL)
		diag_error(c->diags, r->ast->name_place,
		           "rule \"%.*s\" asks <%.*s>, which may not answer: "
		           "say on error skip (then the rule is passed over), "
		           "on error tempfail or on error reject",
		           SPAN_ARG(r->ast->name), SPAN_ARG(t->name));
}

static void
check_rule(struct checker *c, struct ast_rule *ast)
{
	struct program *p = c->program;
	struct rule *r;
	size_t there = check_find_rule(c, ast->name);

	if (there != NO_RULE)
		tell_twice(c, "rule", ast->name, ast->name_place,
		           p->rules[there].ast->name_place);
	r = arena_grow(c->arena, &p->rules, &p->n_rules, sizeof(*r));
	if (there == NO_RULE)
		g_hash_table_insert(p->rule_names,
		        (void *)(uintptr_t)arena_copy(c->arena, ast->name).p,
		        GSIZE_TO_POINTER(p->n_rules));
	r->ast = ast;
	r->shadow = ast->shadow;
	r->on_error = ast->on_error;
	r->group_node = NO_NODE;
	c->pattern_leaves = 0;
	check_conditions(c, r);
	if (ast->actions == NULL)
		diag_error(c->diags, ast->name_place,
		           "rule \"%.*s\" has no action", SPAN_ARG(ast->name));
	check_actions(c, r);
	check_on_error(c, r);
	p->rcpt_rules = p->rcpt_rules || r->rcpt;
}

/* ---- the whole ---- */

static void
each(struct checker *c, enum statement_kind kind)
{
	struct statement *s;

	for (s = c->program->ast->statements; s != NULL; s = s->next) {
		if (s->kind != kind)
			continue;
		switch (kind) {
		case AST_SET:
			setting_set(c, s->set);
			break;
		case AST_TABLE_STATEMENT:
			check_table(c, s->table);
			break;
		case AST_LIMIT:
			check_limit(c, s->limit);
			break;
		case AST_TEST:
			check_test(c, s->test);
			break;
		default:
			break;
		}
	}
}

/* Defines and rules, in the order in which they stand. */
static void
each_rule(struct checker *c)
{
	struct statement *s;

	for (s = c->program->ast->statements; s != NULL; s = s->next)
		if (s->kind == AST_DEFINE)
			check_define(c, s->define);
		else if (s->kind == AST_RULE)
			check_rule(c, s->rule);
}

static void
take_settings(struct program *p)
{
	size_t i;

	for (i = 0; i < p->n_rules; i++)
		if (p->rules[i].on_error == ON_ERROR_UNSAID)
			p->rules[i].on_error =
				(int)p->settings.on_error.number;
	p->table_context.limits.match =
		(unsigned)p->settings.match_limit.number;
	p->table_context.limits.depth =
		(unsigned)p->settings.match_limit.number;
	p->table_context.limits.heap_kib = CAPS_MATCH_HEAP_KIB;
	if (p->settings.recipient_delimiter.text.n > 0)
		p->table_context.recipient_delimiter =
			p->settings.recipient_delimiter.text.p[0];
}

void
check_policy(struct program *program, const char *dir, struct diags *d)
{
	struct checker c = {.program = program, .arena = program->arena,
	                    .diags = d, .dir = dir};
	const struct statement *s;

	program->question_keys = g_hash_table_new(g_str_hash, g_str_equal);
	program->rule_names = g_hash_table_new(g_str_hash, g_str_equal);
	program->define_names = g_hash_table_new(g_str_hash, g_str_equal);
	setting_defaults(&program->settings);
	each(&c, AST_SET);
	each(&c, AST_TABLE_STATEMENT);
	for (s = program->ast->statements; s != NULL; s = s->next)
		if (s->kind == AST_SET)
			setting_tables(&c, s->set);
	each(&c, AST_LIMIT);
	each_rule(&c);
	take_settings(program);
	each(&c, AST_TEST);
	lint_policy(&c);
	check_finish(&c);
}
