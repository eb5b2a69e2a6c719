#include <stdint.h>

#include "why.h"

#define WHY_VALUE 80 /* a value is shown in a line; more is a blob */
#define WHY_MOST 2000 /* bytes, of all that decided a rule */

static struct span
subject_words(struct evaluation *e, size_t ask)
{
	const struct question *q = &e->program->questions[ask];
	const char *many = q->ask.all_rcpts ? "any " : "";
	const char *folded = q->ask.folded ? "folded " : "";

	if (q->argument == NULL)
		return arena_printf(e->arena, "%s%s%s", many, folded,
		                    q->ask.subject->name);
	if (q->argument->kind == AST_PATTERN)
		return arena_printf(e->arena, "%s%s%s /%.*s/", many, folded,
		                    q->ask.subject->name,
		                    SPAN_ARG(q->argument->text));
	return arena_printf(e->arena, "%s%s%s \"%.*s\"", many, folded,
	                    q->ask.subject->name, SPAN_ARG(q->argument->text));
}

/* A value in quotes, controls as ?, cut. */
static struct span
quoted(struct evaluation *e, struct span text)
{
	bool cut = text.n > WHY_VALUE;
	struct span s;
	char *p;
	size_t i;

	if (cut) {
		text.n = WHY_VALUE;
		while (text.n > 0
		       && ((unsigned char)text.p[text.n] & 0xC0) == 0x80)
			text.n--;
	}
	s = arena_printf(e->arena, "\"%.*s%s\"", SPAN_ARG(text),
	                 cut ? "..." : "");
	p = (char *)(uintptr_t)s.p;
	for (i = 0; p != NULL && i < s.n; i++)
		if ((unsigned char)p[i] < 32 || p[i] == 127)
			p[i] = '?';
	return s;
}

/* The source text of a value, on one line; a run of blanks is one. */
static struct span
source_words(struct evaluation *e, const struct ast_value *v)
{
	struct span s = {v->place.source->text.p + v->place.at, v->place.n};
	char *p;
	size_t i, n;

	s = arena_copy(e->arena, s);
	p = (char *)(uintptr_t)s.p;
	for (i = n = 0; p != NULL && i < s.n; i++) {
		bool blank = p[i] == '\n' || p[i] == '\t' || p[i] == '\r';

		if ((blank || p[i] == ' ') && n > 0 && p[n - 1] == ' ')
			continue;
		p[n++] = blank ? ' ' : p[i];
	}
	s.n = n;
	if (s.n > WHY_VALUE)
		return arena_printf(e->arena, "%.*s...", WHY_VALUE, s.p);
	return s;
}

/* A subject on the right, with its value if it has one and no more. */
static struct span
asked_words(struct evaluation *e, size_t ask)
{
	struct span subject = subject_words(e, ask);
	const struct fact *f = eval_fact(e, ask);

	if (f->state != FACT_HERE || f->n != 1)
		return subject;
	return arena_printf(e->arena, "%.*s %.*s", SPAN_ARG(subject),
	                    SPAN_ARG(quoted(e, f->values[0].text)));
}

static struct span
operand_words(struct evaluation *e, const struct node *n)
{
	const struct lookup *l = &n->operands[0].lookup;
	const struct fact *key;
	struct span k;

	if (n->n_operands == 1 && n->operands[0].kind == OPERAND_ASK)
		return asked_words(e, n->operands[0].ask);
	if (n->operands[0].kind != OPERAND_LOOKUP || l->ask == NO_ASK)
		return source_words(e, n->expr->value);
	key = eval_fact(e, l->ask);
	if (key->state != FACT_HERE)
		k = arena_printf(e->arena, "no %.*s",
		                 SPAN_ARG(subject_words(e, l->ask)));
	else
		k = quoted(e, key->values[0].text);
	return arena_printf(e->arena, "<%.*s>[%.*s]",
	                    SPAN_ARG(e->program->tables[l->table].name),
	                    SPAN_ARG(k));
}

static const char *
op_words(enum op op, bool not)
{
	static const char *const yes[] = {
		"is", "in", "matches", "contains", "begins", "ends", "<",
		"<=", ">", ">=",
	};
	static const char *const no[] = {
		"is not", "not in", "not matches", "not contains",
		"not begins", "not ends", "not <", "not <=", "not >", "not >=",
	};

	return not ? no[op] : yes[op];
}

/* The value that decided, else the first. */
static struct span
value_words(struct evaluation *e, const struct node *n, struct span subject)
{
	const struct fact *f = eval_fact(e, n->ask);
	const struct value *v;
	size_t i = 0;

	eval_deciding(e, n, &i);
	v = &f->values[i];
	return arena_printf(e->arena, "%s%.*s %.*s", n->every ? "every " : "",
	                    SPAN_ARG(subject), SPAN_ARG(quoted(e, v->text)));
}

/* What is not known yet is not asked for the sake of words. */
static struct span
over_words(struct evaluation *e, const struct node *n, enum truth t)
{
	struct span name = e->program->limits[n->limit].name, why;

	if (t == TRUTH_LATER || t > TRUTH_FAILED)
		return arena_printf(e->arena, "over limit %.*s is not known "
		                    "yet", SPAN_ARG(name));
	eval_over(e, n, &why);
	return arena_printf(e->arena, "%sover limit %.*s%s%s%.*s",
	                    t == TRUTH_NO ? "not " : "", SPAN_ARG(name),
	                    t == TRUTH_FAILED ? " failed" : "",
	                    why.n > 0 ? ": " : "", SPAN_ARG(why));
}

/* p NULL: the answer to that question is no failure. */
static struct span
failed_ask(struct evaluation *e, size_t ask)
{
	const struct fact *f = ask == NO_ASK ? NULL : eval_fact(e, ask);

	if (f == NULL || f->state != FACT_FAILED)
		return (struct span){NULL, 0};
	return arena_printf(e->arena, "%.*s failed: %.*s",
	                    SPAN_ARG(subject_words(e, ask)), SPAN_ARG(f->why));
}

static struct span
table_failed(struct evaluation *e, size_t table)
{
	struct span why = e->table_why == NULL ? (struct span){NULL, 0} :
	                  e->table_why[table];

	return arena_printf(e->arena, "table %.*s failed%s%.*s",
	                    SPAN_ARG(e->program->tables[table].name),
	                    why.n > 0 ? ": " : "", SPAN_ARG(why));
}

struct span
why_piece_failed(struct evaluation *e, const struct piece *p)
{
	size_t ask = piece_ask(p);

	if (p->kind != PIECE_LOOKUP
	    || eval_fact(e, ask)->state == FACT_FAILED)
		return failed_ask(e, ask);
	return table_failed(e, p->lookup.table);
}

/* The subject, what it is compared with, a table; or else a pattern. */
static struct span
failed_words(struct evaluation *e, const struct node *n)
{
	struct span words = failed_ask(e, n->ask);
	const struct operand *o;
	size_t i;

	for (i = 0; words.p == NULL && i < n->n_operands; i++) {
		o = &n->operands[i];
		if (o->kind == OPERAND_ASK)
			words = failed_ask(e, o->ask);
		if (o->kind != OPERAND_LOOKUP)
			continue;
		words = failed_ask(e, o->lookup.ask);
		if (words.p == NULL && e->table_why != NULL &&
		    e->table_why[o->lookup.table].p != NULL)
			words = table_failed(e, o->lookup.table);
	}
	if (words.p != NULL)
		return words;
	return arena_printf(e->arena, "%.*s failed: a limit was hit",
	                    SPAN_ARG(subject_words(e, n->ask)));
}

/* p NULL: the question has its answer. */
static struct span
later_ask(struct evaluation *e, size_t ask)
{
	const struct question *q = &e->program->questions[ask];
	bool told = q->ask.stage <= e->stage
	            && !(q->ask.subject->flags & SUBJECT_IS_ANY)
	            && !(q->rcpt && e->rcpt == NULL);

	if (told && q->ask.subject->cost < COST_NET)
		return (struct span){NULL, 0};
	return arena_printf(e->arena, "%.*s is not %s yet",
	                    SPAN_ARG(subject_words(e, ask)),
	                    told ? "asked for" : "known");
}

/* What the leaf waits for: its subject, what it is compared with, a table. */
static struct span
later_words(struct evaluation *e, const struct node *n)
{
	struct span words = later_ask(e, n->ask);
	const struct operand *o;
	size_t i;

	for (i = 0; words.p == NULL && i < n->n_operands; i++) {
		o = &n->operands[i];
		if (o->kind == OPERAND_ASK)
			words = later_ask(e, o->ask);
		if (o->kind != OPERAND_LOOKUP)
			continue;
		if (o->lookup.ask != NO_ASK)
			words = later_ask(e, o->lookup.ask);
		if (words.p == NULL)
			words = arena_printf(e->arena,
			        "<%.*s> is not asked yet",
			        SPAN_ARG(e->program->tables[o->lookup.table]
			                 .name));
	}
	if (words.p != NULL)
		return words;
	return arena_printf(e->arena, "%.*s is not known yet",
	                    SPAN_ARG(subject_words(e, n->ask)));
}

static struct span
leaf_words(struct evaluation *e, const struct node *n, enum truth t)
{
	struct span subject, value;
	const struct fact *f;

	if (n->kind == NODE_OVER)
		return over_words(e, n, t);
	if (t == TRUTH_LATER || t > TRUTH_FAILED)
		return later_words(e, n);
	subject = subject_words(e, n->ask);
	if (t == TRUTH_FAILED)
		return failed_words(e, n);
	f = eval_fact(e, n->ask);
	if (f->state != FACT_HERE)
		return arena_printf(e->arena, "no %.*s", SPAN_ARG(subject));
	if (n->kind == NODE_PRESENT)
		return arena_printf(e->arena, "%.*s is %.*s",
		                    SPAN_ARG(subject),
		                    SPAN_ARG(quoted(e, f->values[0].text)));
	value = value_words(e, n, subject);
	return arena_printf(e->arena, "%.*s %s %.*s", SPAN_ARG(value),
	                    op_words(n->op, n->negated == (t == TRUTH_YES)),
	                    SPAN_ARG(operand_words(e, n)));
}

#define MORE "; and so on"

/* A chain of thousands of comparisons is not read aloud to its end. */
static bool
is_cut(struct span a)
{
	const size_t n = sizeof(MORE) - 1;

	return a.n > n && span_is((struct span){a.p + a.n - n, n}, SPAN(MORE));
}

static struct span
both_words(struct evaluation *e, struct span a, struct span b)
{
	if (a.p == NULL || b.p == NULL || span_is(a, b) || is_cut(a))
		return a;
	if (a.n > WHY_MOST)
		return arena_printf(e->arena, "%.*s" MORE, SPAN_ARG(a));
	return arena_printf(e->arena, "%.*s; %.*s", SPAN_ARG(a), SPAN_ARG(b));
}

struct span
why_node(struct evaluation *e, size_t number)
{
	const struct node *n;
	enum truth t, left;

	if (number == NO_NODE)
		return SPAN("always");
	n = &e->program->nodes[number];
	t = eval_node(e, number);
	if (n->kind == NODE_NOT)
		return why_node(e, n->left);
	if (n->kind >= NODE_PRESENT)
		return leaf_words(e, n, t);
	left = eval_node(e, n->left);
	if (t == (n->kind == NODE_AND ? TRUTH_YES : TRUTH_NO))
		return both_words(e, why_node(e, n->left),
		                  why_node(e, n->right));
	return why_node(e, left == t ? n->left : n->right);
}

struct span
why_failed(struct evaluation *e, size_t number)
{
	const struct node *n;

	if (number == NO_NODE)
		return SPAN("");
	n = &e->program->nodes[number];
	if (n->kind >= NODE_PRESENT)
		return leaf_words(e, n, TRUTH_FAILED);
	if (n->kind == NODE_NOT || eval_node(e, n->left) == TRUTH_FAILED)
		return why_failed(e, n->left);
	return why_failed(e, n->right);
}
