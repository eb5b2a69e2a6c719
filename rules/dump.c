#include <string.h>

#include "action.h"
#include "backend.h"
#include "dump.h"
#include "lex.h"

static void
put(struct span s, FILE *out)
{
	fwrite(s.p, 1, s.n, out);
}

/* ---- values ---- */

static void
put_string(struct span s, FILE *out)
{
	size_t i;

	putc('"', out);
	for (i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '\n':
			fputs("\\n", out);
			break;
		case '\t':
			fputs("\\t", out);
			break;
		case '"':
		case '\\':
			putc('\\', out);
			/* fall through */
		default:
			putc(s.p[i], out);
		}
	}
	putc('"', out);
}

/* A slash that is not escaped would end the pattern. */
static void
put_pattern(const struct ast_value *v, FILE *out)
{
	size_t i;

	putc('/', out);
	for (i = 0; i < v->text.n; i++) {
		if (v->text.p[i] == '/')
			putc('\\', out);
		else if (v->text.p[i] == '\\' && i + 1 < v->text.n)
			putc(v->text.p[i++], out);
		putc(v->text.p[i], out);
	}
	putc('/', out);
	put(v->flags, out);
}

static void
put_quantifier(enum quantifier quant, FILE *out)
{
	if (quant == QUANT_ANY)
		fputs("any ", out);
	else if (quant == QUANT_EVERY)
		fputs("every ", out);
}

static void put_value(const struct ast_value *v, FILE *out);

static void
put_asked(const struct ast_subject *s, FILE *out)
{
	put(s->name, out);
	if (s->argument != NULL) {
		putc(' ', out);
		put_value(s->argument, out);
	}
}

static void
put_subject(const struct ast_subject *s, FILE *out)
{
	put_quantifier(s->quant, out);
	put_asked(s, out);
}

static void
put_list(const struct ast_value *list, FILE *out)
{
	const struct ast_value *v;

	putc('{', out);
	for (v = list->items; v != NULL; v = v->next) {
		putc(' ', out);
		put_value(v, out);
	}
	fputs(" }", out);
}

static void
put_lookup(const struct ast_lookup *lookup, FILE *out)
{
	putc('<', out);
	put(lookup->name, out);
	putc('>', out);
	if (lookup->key == NULL)
		return;
	putc('[', out);
	put_subject(lookup->key, out);
	putc(']', out);
}

static void
put_value(const struct ast_value *v, FILE *out)
{
	switch (v->kind) {
	case AST_WORD:
		if (lex_is_word(v->text))
			put(v->text, out);
		else
			put_string(v->text, out);
		break;
	case AST_STRING:
		put_string(v->text, out);
		break;
	case AST_FILE:
		fputs("file ", out);
		put_string(v->text, out);
		break;
	case AST_NULL:
		fputs("<>", out);
		break;
	case AST_PATTERN:
		put_pattern(v, out);
		break;
	case AST_SUBJECT:
		put_subject(v->subject, out);
		break;
	case AST_LIST:
		put_list(v, out);
		break;
	case AST_TABLE:
		put_lookup(v->lookup, out);
		break;
	}
}

/* " word value", if there is a value */
static void
put_named(const char *word, const struct ast_value *v, FILE *out)
{
	if (v == NULL)
		return;
	fprintf(out, " %s%s", word, *word == '\0' ? "" : " ");
	put_value(v, out);
}

/* ---- conditions ---- */

static const char *const ops[] = {
	[OP_IS] = "is", [OP_IN] = "in", [OP_MATCHES] = "matches",
	[OP_CONTAINS] = "contains", [OP_BEGINS] = "begins",
	[OP_ENDS] = "ends", [OP_LESS] = "<", [OP_LESS_OR_IS] = "<=",
	[OP_MORE] = ">", [OP_MORE_OR_IS] = ">=",
};

static void
put_compare(const struct expr *e, FILE *out)
{
	put_quantifier(e->subject->quant, out);
	if (e->subject->folded) /* so is what it is compared with */
		fputs("folded ", out);
	put_asked(e->subject, out);
	if (e->op == OP_IS)
		fputs(e->negated ? " is not " : " is ", out);
	else
		fprintf(out, " %s%s ", e->negated ? "not " : "", ops[e->op]);
	put_value(e->value, out);
}

/* How tight it binds: a part that binds less needs parentheses. */
static int
rank(const struct expr *e)
{
	switch (e->kind) {
	case EXPR_OR:
		return 0;
	case EXPR_AND:
		return 1;
	case EXPR_NOT:
		return 2;
	default:
		return 3;
	}
}

/* An "and" in an "or" needs none, but is read more surely with them. */
static void
put_part(const struct expr *e, const struct expr *whole, int least, FILE *out)
{
	bool paren = rank(e) < least ||
		(e->kind == EXPR_AND && whole->kind == EXPR_OR);

	if (paren)
		putc('(', out);
	dump_expr(e, out);
	if (paren)
		putc(')', out);
}

void
dump_expr(const struct expr *e, FILE *out)
{
	switch (e->kind) {
	case EXPR_AND:
	case EXPR_OR: /* the parser builds chains to the left */
		put_part(e->left, e, rank(e), out);
		fputs(e->kind == EXPR_AND ? " and " : " or ", out);
		put_part(e->right, e, rank(e) + 1, out);
		break;
	case EXPR_NOT:
		fputs("not ", out);
		put_part(e->left, e, rank(e) + 1, out);
		break;
	case EXPR_DEFINED:
		put(e->name, out);
		break;
	case EXPR_PRESENT:
		put_subject(e->subject, out);
		break;
	case EXPR_OVER:
		fputs("over limit ", out);
		put(e->name, out);
		break;
	case EXPR_COMPARE:
		put_compare(e, out);
		break;
	}
}

/* ---- statements ---- */

static void
dump_set(const struct ast_set *set, FILE *out)
{
	const struct ast_option *o;

	fputs("set ", out);
	put(set->name, out);
	putc(' ', out);
	put_value(set->value, out);
	put_named("", set->server, out);
	for (o = set->options; o != NULL; o = o->next)
		put_named(o->row->words, o->value, out);
	putc('\n', out);
}

static void
put_entry(const struct ast_entry *e, FILE *out)
{
	put_value(e->key, out);
	if (e->values != NULL) {
		fputs(" = ", out);
		put_list(e->values, out);
	}
}

static void
dump_table(const struct ast_table *table, FILE *out)
{
	const struct ast_entry *e;
	const struct ast_option *o;

	fputs("table <", out);
	put(table->name, out);
	putc('>', out);
	if (table->backend.p != NULL) {
		putc(' ', out);
		put(table->backend, out);
		put_named("", table->path, out);
		put_named("", table->answers, out);
		for (o = table->options; o != NULL; o = o->next)
			put_named(o->row->words, o->value, out);
		putc('\n', out);
		return;
	}
	fputs(" {\n", out);
	for (e = table->entries; e != NULL; e = e->next) {
		fputs("  ", out);
		put_entry(e, out);
		putc('\n', out);
	}
	fputs("}\n", out);
}

static void
dump_limit(const struct ast_limit *limit, FILE *out)
{
	fputs("limit ", out);
	put(limit->name, out);
	put_named("", limit->most, out);
	put_named("", limit->unit, out);
	put_named("per", limit->time, out);
	fputs(" by ", out);
	put_subject(limit->by, out);
	if (limit->bits.p != NULL)
		fprintf(out, "/%.*s", SPAN_ARG(limit->bits));
	putc('\n', out);
}

static void
dump_define(const struct ast_define *define, FILE *out)
{
	fputs("define ", out);
	put(define->name, out);
	putc(' ', out);
	dump_expr(define->expr, out);
	putc('\n', out);
}

static void
dump_action(const struct ast_action *a, FILE *out)
{
	fprintf(out, "  %s", a->row->words);
	put_named("", a->code, out);
	put_named("", a->xcode, out);
	put_named("", a->name, out);
	put_named(a->row->takes & TAKES_MATCHING ? "matching" : "",
	          a->pattern, out);
	if (a->where != NULL) {
		fputs(" where ", out);
		dump_expr(a->where, out);
	}
	put_named(a->row->takes & TAKES_WITH ? "with" : "", a->text, out);
	put_named("in html", a->html, out);
	put_named("once per", a->per, out);
	fputs(a->once ? " once\n" : "\n", out);
}

static const char *const on_errors[] = {
	[ON_ERROR_TEMPFAIL] = "tempfail", [ON_ERROR_REJECT] = "reject",
	[ON_ERROR_SKIP] = "skip",
};

static void
dump_rule(const struct ast_rule *rule, FILE *out)
{
	const struct ast_clause *c;
	const struct ast_action *a;

	fputs(rule->shadow ? "shadow rule " : "rule ", out);
	put(rule->name, out);
	putc('\n', out);
	for (c = rule->clauses; c != NULL; c = c->next) {
		fputs(c->unless ? "  unless " : "  if ", out);
		dump_expr(c->expr, out);
		putc('\n', out);
	}
	if (rule->on_error != ON_ERROR_UNSAID)
		fprintf(out, "  on error %s\n", on_errors[rule->on_error]);
	for (a = rule->actions; a != NULL; a = a->next)
		dump_action(a, out);
}

static void
dump_given(const struct ast_given *g, FILE *out)
{
	const struct ast_entry *e;

	fputs("  ", out);
	if (g->table.p == NULL) {
		put(g->word, out);
		put_named("", g->first, out);
		put_named(span_is(g->word, SPAN("limit")) ? "used" : "",
		          g->second, out);
		fputs(g->fails ? " fails\n" : "\n", out);
		return;
	}
	putc('<', out);
	put(g->table, out);
	fputs(g->fails ? "> fails" : "> {", out);
	for (e = g->entries; e != NULL; e = e->next) {
		putc(' ', out);
		put_entry(e, out);
	}
	fputs(g->fails ? "\n" : " }\n", out);
}

static void
dump_expect(const struct ast_expect *e, FILE *out)
{
	static const char *const words[] = {
		[AST_EXPECT_VERDICT] = "", [AST_EXPECT_SHADOW] = "shadow ",
		[AST_EXPECT_HEADER] = "header", [AST_EXPECT_NO_HEADER] =
		"no header", [AST_EXPECT_RCPT] = "rcpt",
		[AST_EXPECT_NO_RCPT] = "no rcpt",
		[AST_EXPECT_BODY] = "body contains",
		[AST_EXPECT_BODY_NOT] = "body not contains",
		[AST_EXPECT_ATTACHMENT] = "attachment",
		[AST_EXPECT_NO_ATTACHMENT] = "no attachment",
		[AST_EXPECT_NOTIFY] = "notify",
		[AST_EXPECT_NO_NOTIFY] = "no notify",
		[AST_EXPECT_NO_SHADOW] = "no shadow",
		[AST_EXPECT_SENDER] = "sender",
	};
	bool verdict = e->kind == AST_EXPECT_VERDICT;

	fprintf(out, "  expect %s", words[e->kind]);
	if (verdict || e->kind == AST_EXPECT_SHADOW)
		put(e->verdict, out);
	put_named("by", e->by, out);
	put_named("at", e->at, out);
	put_named(verdict ? "for" : "", e->rcpt, out);
	put_named("reply", e->reply, out);
	put_named("", e->name, out);
	put_named("", e->value, out);
	putc('\n', out);
}

static void
dump_test(const struct ast_test *test, FILE *out)
{
	const struct ast_given *g;
	const struct ast_expect *e;

	fputs("test ", out);
	put_string(test->name, out);
	putc('\n', out);
	for (g = test->givens; g != NULL; g = g->next)
		dump_given(g, out);
	for (e = test->expects; e != NULL; e = e->next)
		dump_expect(e, out);
}

static void
dump_statement(const struct statement *s, FILE *out)
{
	switch (s->kind) {
	case AST_SET:
		dump_set(s->set, out);
		break;
	case AST_TABLE_STATEMENT:
		dump_table(s->table, out);
		break;
	case AST_LIMIT:
		dump_limit(s->limit, out);
		break;
	case AST_DEFINE:
		dump_define(s->define, out);
		break;
	case AST_RULE:
		dump_rule(s->rule, out);
		break;
	case AST_TEST:
		dump_test(s->test, out);
		break;
	}
}

/* Settings, limits and defines stand together, the rest between empty lines. */
static bool
gap(const struct statement *a, const struct statement *b)
{
	return a->kind != b->kind ||
		(a->kind != AST_SET && a->kind != AST_LIMIT &&
		 a->kind != AST_DEFINE);
}

void
dump_ast(const struct ast *ast, FILE *out)
{
	const struct statement *s, *before = NULL;

	for (s = ast->statements; s != NULL; before = s, s = s->next) {
		if (before != NULL && gap(before, s))
			putc('\n', out);
		dump_statement(s, out);
	}
}
