/* check_test.c - the policy's own tests: what is given, what is expected. */
#include <stdint.h>
#include <string.h>

#include "checker.h"
#include "number.h"
#include "source.h"

/* ---- what is given ---- */

struct given_row {
	const char *word;
	void (*take)(struct checker *c, const struct ast_given *g,
	             struct scenario *s);
};

static struct span
word_of(const struct ast_value *v)
{
	return v == NULL || v->kind == AST_NULL ? SPAN("") : v->text;
}

static void
take_client(struct checker *c, const struct ast_given *g, struct scenario *s)
{
	struct ip ip;

	s->client = word_of(g->first);
	if (!ip_parse(s->client, &ip))
		diag_error(c->diags, g->first->place,
		           "\"%.*s\" is no IP address", SPAN_ARG(s->client));
	if (g->second != NULL)
		s->client_name = word_of(g->second);
}

static void
take_helo(struct checker *c, const struct ast_given *g, struct scenario *s)
{
	(void)c;
	s->helo = word_of(g->first);
}

static void
take_auth(struct checker *c, const struct ast_given *g, struct scenario *s)
{
	(void)c;
	s->auth = word_of(g->first);
}

static void
take_tls(struct checker *c, const struct ast_given *g, struct scenario *s)
{
	(void)c;
	s->tls = word_of(g->first);
}

static void
take_daemon(struct checker *c, const struct ast_given *g, struct scenario *s)
{
	(void)c;
	s->daemon = word_of(g->first);
}

static void
take_sender(struct checker *c, const struct ast_given *g, struct scenario *s)
{
	(void)c;
	s->sender = word_of(g->first);
}

static void
add_rcpt(struct checker *c, struct scenario *s, struct span rcpt)
{
	struct span *list = (struct span *)(uintptr_t)s->rcpts;

	*(struct span *)arena_grow(c->arena, &list, &s->n_rcpts, sizeof(*list)) = rcpt;
	s->rcpts = list;
}

static void
take_rcpt(struct checker *c, const struct ast_given *g, struct scenario *s)
{
	const struct ast_value *v;

	if (g->first->kind != AST_LIST) {
		add_rcpt(c, s, word_of(g->first));
		return;
	}
	for (v = g->first->items; v != NULL; v = v->next)
		add_rcpt(c, s, word_of(v));
}

static void
add_pair(struct checker *c, const struct scenario_pair **pairs, size_t *n,
         struct span name, struct span value)
{
	struct scenario_pair *list = (struct scenario_pair *)(uintptr_t)*pairs;
	struct scenario_pair *p = arena_grow(c->arena, &list, n, sizeof(*list));

	p->name = name;
	p->value = value;
	*pairs = list;
}

static void
take_macro(struct checker *c, const struct ast_given *g, struct scenario *s)
{
	add_pair(c, &s->macros, &s->n_macros, word_of(g->first),
	         word_of(g->second));
}

static void
take_sender_param(struct checker *c, const struct ast_given *g,
                  struct scenario *s)
{
	add_pair(c, &s->sender_params, &s->n_sender_params, word_of(g->first),
	         word_of(g->second));
}

static void
take_rcpt_param(struct checker *c, const struct ast_given *g,
                struct scenario *s)
{
	add_pair(c, &s->rcpt_params, &s->n_rcpt_params, word_of(g->first),
	         word_of(g->second));
}

static void
take_header(struct checker *c, const struct ast_given *g, struct scenario *s)
{
	add_pair(c, &s->headers, &s->n_headers, word_of(g->first),
	         word_of(g->second));
}

static void
take_body(struct checker *c, const struct ast_given *g, struct scenario *s)
{
	(void)c;
	s->body = word_of(g->first);
}

static void
take_message(struct checker *c, const struct ast_given *g, struct scenario *s)
{
	const char *path = check_path(c, g->first), *why;

	s->message = source_read(c->arena, path, &why);
	if (why != NULL)
		diag_error(c->diags, g->first->place, "can't read %s: %s",
		           path, why);
}

static void
take_spf(struct checker *c, const struct ast_given *g, struct scenario *s)
{
	if (check_word(c, subject_row(SUBJECT_SPF), g->first))
		s->spf = arena_lower(c->arena, word_of(g->first));
}

static void
take_spf_helo(struct checker *c, const struct ast_given *g, struct scenario *s)
{
	if (check_word(c, subject_row(SUBJECT_SPF_HELO), g->first))
		s->spf_helo = arena_lower(c->arena, word_of(g->first));
}

static void
take_limit(struct checker *c, const struct ast_given *g, struct scenario *s)
{
	struct scenario_limit *list, *l;
	double used = 0;

	if (check_find_limit(c, g->first->text, g->first->place)
	    == c->program->n_limits)
		return;
	if (g->second != NULL
	    && !(number_parse(g->second->text, &used)
	         || number_parse_size(g->second->text, &used)))
		used = -1;
	if (used < 0 || used > LIMIT_MOST)
		diag_error(c->diags, g->second->place,
		           "\"%.*s\" is nothing that can be used",
		           SPAN_ARG(g->second->text));
	list = (struct scenario_limit *)(uintptr_t)s->limits;
	l = arena_grow(c->arena, &list, &s->n_limits, sizeof(*list));
	*l = (struct scenario_limit){g->first->text, used, g->fails};
	s->limits = list;
}

static const struct given_row given_rows[] = {
	{"client", take_client},
	{"helo", take_helo},
	{"auth", take_auth},
	{"tls", take_tls},
	{"daemon", take_daemon},
	{"sender", take_sender},
	{"sender.param", take_sender_param},
	{"rcpt", take_rcpt},
	{"rcpt.param", take_rcpt_param},
	{"macro", take_macro},
	{"spf", take_spf},
	{"spf.helo", take_spf_helo},
	{"header", take_header},
	{"body", take_body},
	{"message file", take_message},
	{"limit", take_limit},
};

#define GIVEN_ROWS (sizeof(given_rows) / sizeof(given_rows[0]))

/* One for all that a test leaves empty, whatever they are asked. */
static void
make_empty_table(struct checker *c)
{
	static const struct place nowhere = {NULL, 0, 0};
	struct program *p = c->program;
	unsigned type;

	c->empty_table = table_inline("empty", NULL, 0, c->diags);
	for (type = VALUE_TEXT; type <= VALUE_NUMBER; type++) {
		table_ask_key(c->empty_table, type, nowhere, c->diags);
		table_ask_values(c->empty_table, type, nowhere, c->diags);
	}
	*(struct table **)arena_grow(c->arena, &p->test_tables, &p->n_test_tables,
	                             sizeof(struct table *)) = c->empty_table;
}

/* Made once: each rule may have a table without a name, and a test. */
static const struct table **
test_tables(struct checker *c)
{
	struct program *p = c->program;
	size_t i;

	if (c->test_tables != NULL)
		return c->test_tables;
	make_empty_table(c);
	c->test_tables = arena_alloc(c->arena,
	                             p->n_tables * sizeof(*c->test_tables));
	for (i = 0; i < p->n_tables; i++)
		c->test_tables[i] = p->tables[i].ast == NULL
		                    || p->tables[i].ast->backend.p == NULL
		                    ? p->tables[i].table : c->empty_table;
	return c->test_tables;
}

static void
set_table(struct checker *c, struct test *test, size_t number,
          const struct table *t)
{
	size_t size = c->program->n_tables * sizeof(*c->test_tables);
	const struct table **own = (const struct table **)
	                           (uintptr_t)test->tables;

	if (own == c->test_tables) {
		own = arena_alloc(c->arena, size);
		memcpy(own, c->test_tables, size);
		test->tables = own;
	}
	own[number] = t;
}

/* <t> { ... } or <t> fails: a table of the test's own */
static void
take_table(struct checker *c, const struct ast_given *g, struct test *test)
{
	struct program *p = c->program;
	const struct policy_table *t = check_find_table(c, g->table);
	struct table *made;
	const char *name;
	unsigned type;

	if (t == NULL) {
		if (!ast_lost(p->ast, AST_TABLE_STATEMENT, g->table))
			diag_error(c->diags, g->place,
			           "there is no table <%.*s>",
			           SPAN_ARG(g->table));
		return;
	}
	name = arena_copy(c->arena, g->table).p;
	made = g->fails ? table_failing(name, SPAN("the test says so"))
	                : check_inline_table(c, name, g->entries);
	if (made == NULL)
		return;
	for (type = VALUE_TEXT; type <= VALUE_NUMBER; type++) {
		if (t->key_types & (1u << type))
			table_ask_key(made, type, g->place, c->diags);
		if (t->value_types & (1u << type))
			table_ask_values(made, type, g->place, c->diags);
	}
	*(struct table **)arena_grow(c->arena, &p->test_tables, &p->n_test_tables,
	                             sizeof(struct table *)) = made;
	set_table(c, test, (size_t)(t - p->tables), made);
}

static void
take_given(struct checker *c, const struct ast_given *g, struct test *out)
{
	size_t i;

	if (g->table.p != NULL) {
		take_table(c, g, out);
		return;
	}
	for (i = 0; i < GIVEN_ROWS; i++) {
		if (!span_is(g->word, span_of(given_rows[i].word)))
			continue;
		given_rows[i].take(c, g, &out->given);
		return;
	}
	diag_error(c->diags, g->place, "\"%.*s\" can't be given in a test",
	           SPAN_ARG(g->word));
}

/* ---- what is expected ---- */

static size_t
find_rule(struct checker *c, const struct ast_value *v)
{
	struct program *p = c->program;
	const char **names;
	const char *near;
	size_t i;

	if (v == NULL)
		return NO_RULE;
	i = check_find_rule(c, v->text);
	if (i != NO_RULE)
		return i;
	if (ast_lost(p->ast, AST_RULE, v->text))
		return NO_RULE;
	names = arena_alloc(c->arena, p->n_rules * sizeof(*names));
	for (i = 0; i < p->n_rules; i++)
		names[i] = arena_copy(c->arena, p->rules[i].ast->name).p;
	near = diag_nearest(v->text, names, p->n_rules);
	if (near == NULL)
		diag_error(c->diags, v->place, "there is no rule \"%.*s\"",
		           SPAN_ARG(v->text));
	else
		diag_error(c->diags, v->place,
		           "there is no rule \"%.*s\": did you mean \"%s\"?",
		           SPAN_ARG(v->text), near);
	return NO_RULE;
}

static void
find_stage(struct checker *c, const struct ast_value *v,
           struct expectation *out)
{
	int s;

	if (v == NULL)
		return;
	out->at_said = true;
	for (s = 0; s < STAGES; s++)
		if (span_is(v->text, span_of(stage_name((enum stage)s)))) {
			out->at = (enum stage)s;
			return;
		}
	diag_error(c->diags, v->place,
	           "\"%.*s\" is no stage: connect, helo, mail, rcpt, data, "
	           "headers, end", SPAN_ARG(v->text));
}

static void
find_verdict(struct checker *c, const struct ast_expect *e,
             struct expectation *out)
{
	int k;

	if (e->verdict.p == NULL)
		return;
	if (span_is(e->verdict, SPAN("held"))) {
		out->held = true;
		out->verdict = VERDICT_ACCEPT;
		return;
	}
	if (span_is(e->verdict, SPAN("noted"))) {
		out->verdict = VERDICT_NONE;
		return;
	}
	for (k = VERDICT_ACCEPT; k <= VERDICT_DISCARD; k++)
		if (span_is(e->verdict,
		            span_of(verdict_name((enum verdict_kind)k)))) {
			out->verdict = (enum verdict_kind)k;
			return;
		}
	diag_error(c->diags, e->place, "\"%.*s\" is no verdict",
	           SPAN_ARG(e->verdict));
}

static void
take_expect(struct checker *c, const struct ast_expect *e,
            struct expectation *out)
{
	static const enum expect_kind kinds[] = {
		[AST_EXPECT_VERDICT] = EXPECT_VERDICT,
		[AST_EXPECT_SHADOW] = EXPECT_SHADOW,
		[AST_EXPECT_HEADER] = EXPECT_HEADER,
		[AST_EXPECT_NO_HEADER] = EXPECT_NO_HEADER,
		[AST_EXPECT_RCPT] = EXPECT_RCPT,
		[AST_EXPECT_NO_RCPT] = EXPECT_NO_RCPT,
		[AST_EXPECT_BODY] = EXPECT_BODY,
		[AST_EXPECT_BODY_NOT] = EXPECT_BODY_NOT,
		[AST_EXPECT_ATTACHMENT] = EXPECT_ATTACHMENT,
		[AST_EXPECT_NO_ATTACHMENT] = EXPECT_NO_ATTACHMENT,
		[AST_EXPECT_NOTIFY] = EXPECT_NOTIFY,
		[AST_EXPECT_NO_NOTIFY] = EXPECT_NO_NOTIFY,
		[AST_EXPECT_NO_SHADOW] = EXPECT_NO_SHADOW,
		[AST_EXPECT_SENDER] = EXPECT_SENDER,
	};

	out->kind = kinds[e->kind];
	out->place = e->place;
	find_verdict(c, e, out);
	out->rule = find_rule(c, e->by);
	if ((out->kind == EXPECT_SHADOW || out->kind == EXPECT_NO_SHADOW)
	    && out->rule != NO_RULE
	    && !c->program->rules[out->rule].shadow)
		diag_error(c->diags, e->by->place,
		           "\"%.*s\" is no shadow rule", SPAN_ARG(e->by->text));
	find_stage(c, e->at, out);
	if (e->rcpt != NULL)
		out->rcpt = word_of(e->rcpt);
	if (e->reply != NULL)
		out->reply = e->reply->text;
	if (e->name != NULL)
		out->name = e->name->text;
	if (e->value != NULL)
		out->value = e->value->text;
}

void
check_test(struct checker *c, const struct ast_test *t)
{
	struct program *p = c->program;
	const struct ast_given *g;
	const struct ast_expect *e;
	struct expectation *expects = NULL;
	struct test *out;
	size_t i;

	for (i = 0; i < p->n_tests; i++)
		if (span_is(p->tests[i].name, t->name))
			diag_error(c->diags, t->name_place,
			           "test \"%.*s\" is there already, in line %u",
			           SPAN_ARG(t->name),
			           place_line(p->tests[i].place));
	out = arena_grow(c->arena, &p->tests, &p->n_tests, sizeof(*out));
	out->name = t->name;
	out->place = t->name_place;
	out->tables = test_tables(c);
	for (g = t->givens; g != NULL; g = g->next)
		take_given(c, g, out);
	for (e = t->expects; e != NULL; e = e->next)
		take_expect(c, e, arena_grow(c->arena, &expects, &out->n_expects,
		                             sizeof(*expects)));
	out->expects = expects;
	if (t->expects == NULL)
		diag_error(c->diags, t->name_place,
		           "test \"%.*s\" expects nothing", SPAN_ARG(t->name));
}
