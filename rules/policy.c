/* policy.c - a policy from its file to its end, and what may be asked of it. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "checker.h"
#include "dump.h"
#include "parse.h"
#include "source.h"

/* ---- load ---- */

/* The file's bytes in a; p NULL after an error, which d has. */
static struct span
read_source(struct arena *a, const char *path, struct diags *d)
{
	static const struct place nowhere = {NULL, 0, 0};
	const char *why;
	struct span text = source_read(a, path, &why);

	if (why != NULL)
		diag_error(d, nowhere, "can't read the policy %s: %s", path,
		           why);
	return text;
}

static void
policy_free(struct policy *p)
{
	struct program *program = &p->program;
	size_t i;

	for (i = 0; i < program->n_questions; i++)
		pattern_set_free(program->questions[i].set);
	for (i = 0; i < program->n_patterns; i++)
		pattern_free(program->patterns[i]);
	for (i = 0; i < program->n_tables; i++)
		table_free(program->tables[i].table);
	for (i = 0; i < program->n_test_tables; i++)
		table_free(program->test_tables[i]);
	if (program->question_keys != NULL)
		g_hash_table_destroy(program->question_keys);
	if (program->rule_names != NULL)
		g_hash_table_destroy(program->rule_names);
	if (program->define_names != NULL)
		g_hash_table_destroy(program->define_names);
	arena_free(program->arena);
	free(p);
}

/* ---- loading ---- */

/* Parses and checks into p; false if memory ran out on the way. */
static bool
compile(struct policy *p, struct span text, const char *name, const char *dir,
        struct diags *d)
{
	struct arena *a = p->program.arena;
	struct source *source;
	jmp_buf out_of_memory;

	if (setjmp(out_of_memory) != 0) {
		arena_escape(a, NULL);
		return false;
	}
	arena_escape(a, &out_of_memory);
	source = arena_alloc(a, sizeof(*source));
	source->name = arena_copy(a, span_of(name)).p;
	source->text = arena_copy(a, text);
	p->program.ast = parse_policy(a, source, dir, d);
	check_policy(&p->program, dir, d);
	arena_escape(a, NULL);
	return true;
}

struct policy *
policy_load_text(struct span text, const char *name, const char *dir,
                 struct diags *d)
{
	static const struct place nowhere = {NULL, 0, 0};
	struct policy *p = calloc(1, sizeof(*p));

	if (p != NULL)
		p->program.arena = arena_new(0);
	if (p == NULL || p->program.arena == NULL
	    || !compile(p, text, name, dir, d))
		diag_error(d, nowhere, "no memory for the policy");
	else
		atomic_init(&p->refs, 1);
	if (diags_errors(d) == 0) {
		program_find_answers(&p->program);
		return p;
	}
	if (p != NULL && p->program.arena != NULL)
		policy_free(p);
	else
		free(p);
	return NULL;
}

struct policy *
policy_load(const char *path, struct diags *d)
{
	struct arena *a = arena_new(0);
	const char *slash = strrchr(path, '/');
	struct policy *p = NULL;
	struct span text, dir = SPAN(".");

	if (a == NULL)
		return NULL;
	text = read_source(a, path, d);
	if (slash != NULL)
		dir = arena_copy(a, slash == path ? SPAN("/")
		      : (struct span){path, (size_t)(slash - path)});
	if (text.p != NULL)
		p = policy_load_text(text, path, dir.p, d);
	arena_free(a);
	return p;
}

void
policy_tell(struct policy *p,
            void (*tell)(void *of, bool bad, const char *text), void *of)
{
	size_t i;

	for (i = 0; i < p->program.n_tables; i++)
		table_tell(p->program.tables[i].table, tell, of);
}

struct policy *
policy_ref(struct policy *p)
{
	atomic_fetch_add(&p->refs, 1);
	return p;
}

void
policy_unref(struct policy *p)
{
	if (p != NULL && atomic_fetch_sub(&p->refs, 1) == 1)
		policy_free(p);
}

/* ---- what is in it ---- */

const struct settings *
policy_settings(const struct policy *p)
{
	return &p->program.settings;
}

size_t
policy_rules(const struct policy *p)
{
	return p->program.n_rules;
}

struct span
policy_rule_name(const struct policy *p, size_t rule)
{
	return p->program.rules[rule].ast->name;
}

struct place
policy_rule_place(const struct policy *p, size_t rule)
{
	return p->program.rules[rule].ast->name_place;
}

const struct ask *
policy_asks(const struct policy *p, size_t *n)
{
	*n = p->program.n_questions;
	return p->program.asks;
}

const struct limit *
policy_limits(const struct policy *p, size_t *n)
{
	*n = p->program.n_limits;
	return p->program.limits;
}

const struct limit_server *
policy_limit_server(const struct policy *p)
{
	return p->program.limit_server;
}

static bool
leaf_asks_limit(const struct program *p, const struct node *leaf, size_t limit)
{
	(void)p;
	return leaf->kind == NODE_OVER && leaf->limit == limit;
}

bool
policy_rule_asks_limit(const struct policy *p, size_t rule, size_t limit)
{
	return rule < p->program.n_rules
	       && program_any_leaf(&p->program, p->program.rules[rule].node,
	                           leaf_asks_limit, limit);
}

bool
policy_rule_asks_rcpt(const struct policy *p, size_t rule)
{
	const struct program *program = &p->program;

	return rule < program->n_rules &&
	       program->rules[rule].node != NO_NODE &&
	       program->nodes[program->rules[rule].node].rcpt;
}

const struct test *
policy_tests(const struct policy *p, size_t *n)
{
	*n = p->program.n_tests;
	return p->program.tests;
}

enum truth
policy_trusts_relay(const struct policy *p, const struct table *const *tables,
                    const struct ip *client, struct arena *a)
{
	const struct program *program = &p->program;
	size_t number = (size_t)program->settings.trusted_relays.number;
	struct value v = {.type = VALUE_IP, .ip = *client};
	const struct table *t;
	char text[IP_TEXT];

	if (number == 0)
		return TRUTH_NO;
	v.text = span_of(ip_print(client, text));
	t = tables != NULL ? tables[number - 1]
	                   : program->tables[number - 1].table;
	switch (table_find(t, &v, &program->table_context, a, NULL)) {
	case TABLE_YES:
		return TRUTH_YES;
	case TABLE_NO:
		return TRUTH_NO;
	default:
		return TRUTH_FAILED;
	}
}

bool
policy_asks_net(const struct policy *p)
{
	return p->program.cost == COST_NET;
}

struct waits
policy_waits(const struct policy *p)
{
	const struct program *program = &p->program;
	struct waits w = {policy_may_do(p, EFFECT_STAMP_RECEIVED_SPF) ||
	                  policy_may_do(p, EFFECT_STAMP_RESULTS), 0};
	size_t i;

	for (i = 0; i < program->n_questions; i++)
		if (program->questions[i].ask.subject->cost == COST_NET)
			w.dns = true;
	for (i = 0; i < program->n_tables; i++) {
		if (!program_asks_net(program, i))
			continue;
		if (backend_find(program->tables[i].ast->backend) ==
		    &backend_dns)
			w.dns = true;
		else
			w.servers++;
	}
	if (program->limit_server != NULL && program->n_limits > 0)
		w.servers++;
	return w;
}

bool
policy_changes_body(const struct policy *p)
{
	int k;

	for (k = EFFECT_APPEND; k < EFFECT_LOG; k++)
		if (effect_is_of_body((enum effect_kind)k) &&
		    policy_may_do(p, (enum effect_kind)k))
			return true;
	return false;
}

bool
policy_may_do(const struct policy *p, enum effect_kind k)
{
	const struct action *a;
	size_t i;

	for (i = 0; i < p->program.n_rules; i++) {
		if (p->program.rules[i].shadow)
			continue;
		for (a = p->program.rules[i].actions; a != NULL; a = a->next)
			if (a->row->ends == VERDICT_NONE && a->row->effect == k)
				return true;
	}
	return false;
}

/* ---- printing ---- */

void
policy_dump(const struct policy *p, FILE *out)
{
	dump_ast(p->program.ast, out);
}

static bool
leaf_asks(const struct program *p, const struct node *n, size_t ask)
{
	size_t i;

	(void)p;
	for (i = 0; i < n->n_operands; i++)
		if ((n->operands[i].kind == OPERAND_ASK
		     && n->operands[i].ask == ask)
		    || (n->operands[i].kind == OPERAND_LOOKUP
		        && n->operands[i].lookup.ask == ask))
			return true;
	return n->ask == ask;
}

static bool
rule_asks(const struct program *p, const struct rule *r, size_t ask)
{
	const struct action *a;
	const struct piece *t;

	for (a = r->actions; a != NULL; a = a->next)
		for (t = a->text.pieces; t != NULL; t = t->next)
			if (piece_ask(t) == ask)
				return true;
	return program_any_leaf(p, r->node, leaf_asks, ask);
}

size_t
policy_ask_rule(const struct policy *policy, size_t n)
{
	const struct program *p = &policy->program;
	size_t i;

	for (i = 0; i < p->n_rules; i++)
		if (rule_asks(p, &p->rules[i], n))
			return i;
	return NO_RULE;
}

/* What a rule waits for, at the stage at which it is settled. */
static void
dump_waits(const struct program *p, const struct rule *r, FILE *out)
{
	const char *between = " for ";
	size_t i;

	for (i = 0; i < p->n_questions; i++) {
		const struct question *q = &p->questions[i];

		if (q->ask.stage != r->stage
		    || !rule_asks(p, r, i))
			continue;
		fprintf(out, "%s%s%s%s", between,
		        q->ask.all_rcpts ? "any " : "",
		        q->ask.folded ? "folded " : "", q->ask.subject->name);
		if (q->argument != NULL)
			fprintf(out, q->argument->kind == AST_PATTERN
			             ? " /%.*s/" : " \"%.*s\"",
			        SPAN_ARG(q->argument->text));
		between = ", ";
	}
	for (i = 0; i < p->n_limits; i++) {
		if (!program_any_leaf(p, r->node, leaf_asks_limit, i))
			continue;
		fprintf(out, "%slimit %.*s", between,
		        SPAN_ARG(p->limits[i].name));
		between = ", ";
	}
}

void
policy_dump_stages(const struct policy *policy, FILE *out)
{
	const struct program *p = &policy->program;
	struct lint_above above = {{NULL}};
	size_t i;

	for (i = 0; i < p->n_rules; i++) {
		const struct rule *r = &p->rules[i], *by;

		fprintf(out, "# %.*s: settled at %s", SPAN_ARG(r->ast->name),
		        stage_name(r->stage));
		dump_waits(p, r, out);
		by = lint_held_by(&above, r);
		lint_pass(&above, r);
		if (by != NULL)
			fprintf(out, "; may wait until %s for %.*s",
			        stage_name(by->stage),
			        SPAN_ARG(by->ast->name));
		fputs(r->rcpt ? "; once for each recipient\n" : "\n", out);
	}
}
