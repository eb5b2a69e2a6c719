/* check_expr.c - conditions become nodes; what does not fit is told. */
#include <stdint.h>
#include <string.h>

#include "backend.h"
#include "caps.h"
#include "checker.h"
#include "domain.h"
#include "number.h"
#include "utf8.h"

/* ---- nodes ---- */

static struct node *
add_node(struct checker *c, size_t *number)
{
	*number = c->program->n_nodes;
	return arena_grow(c->arena, &c->program->nodes, &c->program->n_nodes,
	                  sizeof(struct node));
}

static void
give_slot(struct checker *c, struct node *n)
{
	n->slot = n->rcpt ? c->program->rcpt_nodes++
	                  : c->program->shared_nodes++;
}

size_t
check_join(struct checker *c, enum node_kind kind, size_t left, size_t right)
{
	const struct node *l, *r;
	struct node *n;
	size_t number;

	if (left == NO_NODE || right == NO_NODE)
		return left == NO_NODE ? right : left;
	n = add_node(c, &number);
	l = &c->program->nodes[left];
	r = &c->program->nodes[right];
	n->kind = kind;
	n->left = left;
	n->right = right;
	n->rcpt = l->rcpt || r->rcpt;
	n->may_stay_later = l->may_stay_later || r->may_stay_later;
	n->stage = l->stage > r->stage ? l->stage : r->stage;
	n->first = l->first < r->first ? l->first : r->first;
	n->cost = l->cost > r->cost ? l->cost : r->cost;
	n->size = l->size + r->size + 1;
	n->depth = (l->depth > r->depth ? l->depth : r->depth) + 1;
	give_slot(c, n);
	return number;
}

size_t
check_not(struct checker *c, size_t left)
{
	const struct node *l;
	struct node *n;
	size_t number;

	if (left == NO_NODE)
		return NO_NODE;
	n = add_node(c, &number);
	l = &c->program->nodes[left];
	*n = *l;
	n->kind = NODE_NOT;
	n->left = left;
	n->expr = NULL;
	n->operands = NULL;
	n->n_operands = 0;
	n->size++;
	n->depth++;
	give_slot(c, n);
	return number;
}

/* Defines that are made of defines can double it with every line. */
size_t
check_extent(struct checker *c, size_t node, struct place where)
{
	const struct node *n;

	if (node == NO_NODE)
		return NO_NODE;
	n = &c->program->nodes[node];
	if (n->size <= CAPS_NODES && n->depth <= CAPS_NODE_DEPTH)
		return node;
	diag_error(c->diags, where, "with its defines put in, this condition "
	           "has more than %d parts, or more than %d within each other",
	           CAPS_NODES, CAPS_NODE_DEPTH);
	return NO_NODE;
}

void
check_needs(struct checker *c, struct node *n, size_t ask)
{
	const struct question *q = &c->program->questions[ask];
	bool any = (q->ask.subject->flags & SUBJECT_IS_ANY) != 0;
	enum stage first = any ? STAGE_CONNECT : q->ask.stage;

	if (q->ask.stage > n->stage)
		n->stage = q->ask.stage;
	if (first > n->first)
		n->first = first;
	if (q->ask.subject->cost > n->cost)
		n->cost = q->ask.subject->cost;
	n->rcpt = n->rcpt || q->rcpt;
	n->may_stay_later = n->may_stay_later || any;
}

/* ---- operands ---- */

static const char *const op_names[] = {
	[OP_IS] = "is", [OP_IN] = "in", [OP_MATCHES] = "matches",
	[OP_CONTAINS] = "contains", [OP_BEGINS] = "begins", [OP_ENDS] = "ends",
	[OP_LESS] = "<", [OP_LESS_OR_IS] = "<=", [OP_MORE] = ">",
	[OP_MORE_OR_IS] = ">=",
};

/* What a type allows, and what to write instead. */
static bool
op_fits(struct checker *c, const struct expr *e, enum value_type type)
{
	const char *name = op_names[e->op], *hint = NULL;

	switch (e->op) {
	case OP_IS:
	case OP_IN:
		return true;
	case OP_MATCHES:
	case OP_CONTAINS:
	case OP_BEGINS:
	case OP_ENDS:
		if (type == VALUE_IP)
			hint = "write: in { 192.0.2.0/24 }";
		else if (type == VALUE_NUMBER)
			hint = "write: is, <, <=, > or >=";
		break;
	default:
		if (type != VALUE_NUMBER && type != VALUE_TEXT)
			hint = "only numbers and texts are compared so";
		break;
	}
	if (hint == NULL)
		return e->op < OP_LESS || check_meant_number(c, e);
	diag_error(c->diags, e->op_place, "\"%s\" does not fit %s; %s", name,
	           check_type_name(type), hint);
	return false;
}

static struct span
fold(struct checker *c, struct span text, bool raw)
{
	return raw ? arena_lower(c->arena, text) : utf8_fold(c->arena, text);
}

/* local@domain with the domain in its one spelling; no @: as it is. */
static struct span
fold_address(struct checker *c, struct span text)
{
	struct span local = text, domain;
	size_t at = text.n;

	while (at > 0 && text.p[at - 1] != '@')
		at--;
	if (at == 0)
		return utf8_fold(c->arena, text);
	local.n = at - 1;
	domain = domain_canonical(c->arena,
	                          (struct span){text.p + at, text.n - at});
	return utf8_fold(c->arena, arena_printf(c->arena, "%.*s@%.*s",
	                 SPAN_ARG(local), SPAN_ARG(domain)));
}

static bool
tell_in_instead(struct checker *c, const struct ast_value *v, const char *what)
{
	diag_error(c->diags, v->place,
	           "\"is\" compares with one value, and %.*s is %s: write "
	           "in { %.*s }", SPAN_ARG(v->text), what, SPAN_ARG(v->text));
	return false;
}

static bool
ip_operand(struct checker *c, const struct ast_value *v, struct operand *o)
{
	struct net net;

	o->kind = OPERAND_IP;
	if (ip_parse(v->text, &o->ip))
		return true;
	if (net_parse(v->text, &net) != NET_BAD)
		return tell_in_instead(c, v, "a network");
	diag_error(c->diags, v->place, "\"%.*s\" is no IP address",
	           SPAN_ARG(v->text));
	return false;
}

static bool
number_operand(struct checker *c, const struct ast_value *v, struct operand *o)
{
	o->kind = OPERAND_NUMBER;
	if (number_parse(v->text, &o->number)
	    || number_parse_size(v->text, &o->number))
		return true;
	diag_error(c->diags, v->place,
	           "\"%.*s\" is no number and no size (50, 64K, 10M)",
	           SPAN_ARG(v->text));
	return false;
}

/* "ends example.org" is also the end of badexample.org. */
static void
warn_open_end(struct checker *c, const struct ast_value *v,
              enum value_type type)
{
	if (v->text.n == 0 || v->text.p[0] == '.' || v->text.p[0] == '@'
	    || memchr(v->text.p, '@', v->text.n) != NULL
	    || memchr(v->text.p, '.', v->text.n) == NULL)
		return;
	if (type == VALUE_NAME || type == VALUE_ADDRESS)
		diag_warning(c->diags, v->place,
		             "also the end of bad%.*s: write .%.*s%s%.*s, or in "
		             "{ ... }", SPAN_ARG(v->text), SPAN_ARG(v->text),
		             type == VALUE_ADDRESS ? " or @" : " or is ",
		             SPAN_ARG(v->text));
}


bool
check_word(struct checker *c, const struct subject *row,
           const struct ast_value *v)
{
	const char *names[64], *near, *p;
	struct span word, all = span_trim(span_of(row->fixed));
	size_t n = 0;

	if (!(row->flags & SUBJECT_IS_WORD))
		return true;
	for (p = row->fixed; *p != '\0'; p += word.n + (p[word.n] == ' ')) {
		word = (struct span){p, strcspn(p, " ")};
		if (span_is_nocase(v->text, word))
			return true;
		names[n++] = arena_copy(c->arena, word).p;
	}
	near = diag_nearest(v->text, names, n);
	if (near != NULL)
		diag_error(c->diags, v->place, "\"%s\" is never \"%.*s\": "
		           "did you mean \"%s\"?", row->name,
		           SPAN_ARG(v->text), near);
	else
		diag_error(c->diags, v->place, "\"%s\" is never \"%.*s\" but "
		           "one of: %.*s", row->name, SPAN_ARG(v->text),
		           SPAN_ARG(all));
	return false;
}

static bool
text_operand(struct checker *c, const struct expr *e,
             const struct ast_value *v, struct operand *o)
{
	const struct subject *row = e->subject->row;
	enum value_type type = check_type(e->subject);
	bool raw = row->flags & SUBJECT_IS_RAW;

	if (memmem(v->text.p, v->text.n, "${", 2) != NULL
	    && v->kind == AST_STRING) {
		diag_error(c->diags, v->place,
		           "${...} is filled in in actions only: write the "
		           "subject itself, without quotes");
		return false;
	}
	if (e->op == OP_IS && !check_word(c, row, v))
		return false;
	if (type == VALUE_FOLDED)
		return check_folded_text(c, v, o);
	if (e->op == OP_IS && !check_meant(c, row, v))
		return false;
	o->kind = OPERAND_TEXT;
	if (e->op == OP_IS && type == VALUE_NAME) {
		if (v->text.n > 0 && v->text.p[0] == '.')
			return tell_in_instead(c, v, "every name under a domain");
		o->text = domain_canonical(c->arena, v->text);
		o->text = fold(c, o->text, false);
		return true;
	}
	if (e->op == OP_IS && type == VALUE_ADDRESS) {
		if (v->text.n > 0
		    && (v->text.p[0] == '@' || v->text.p[v->text.n - 1] == '@'))
			return tell_in_instead(c, v, "more than one address");
		o->text = fold_address(c, v->text);
		return true;
	}
	if (e->op == OP_ENDS)
		warn_open_end(c, v, type);
	o->text = fold(c, v->text, raw);
	return true;
}

static bool
literal_operand(struct checker *c, const struct expr *e,
                const struct ast_value *v, struct operand *o)
{
	enum value_type type = check_type(e->subject);

	if (e->op >= OP_LESS || type == VALUE_NUMBER)
		return number_operand(c, v, o);
	if (type == VALUE_IP)
		return ip_operand(c, v, o);
	return text_operand(c, e, v, o);
}

static bool
types_meet(enum value_type a, enum value_type b)
{
	return a == b || a == VALUE_TEXT || b == VALUE_TEXT;
}

static bool
subject_operand(struct checker *c, const struct expr *e, bool open,
                const struct ast_value *v, struct operand *o)
{
	const struct subject *left = e->subject->row, *right;
	enum value_type type = check_type(e->subject);

	o->kind = OPERAND_ASK;
	v->subject->folded = e->subject->folded;
	o->ask = check_subject(c, v->subject);
	if (o->ask == NO_ASK)
		return false;
	right = v->subject->row;
	if (e->op >= OP_LESS || !types_meet(type, check_type(v->subject))) {
		diag_error(c->diags, v->place,
		           "\"%s\" is %s and can't be compared with %s",
		           right->name, check_type_name(right->type),
		           e->op >= OP_LESS ? "< or >"
		                            : check_type_name(left->type));
		return false;
	}
	if (check_open(v->subject, open)) {
		diag_error(c->diags, v->place,
		           "\"%s\" may have several values, and the sender "
		           "chooses how many: write \"every %s is %s\", with it "
		           "in front", right->name, right->name, left->name);
		return false;
	}
	return true;
}

static bool
pattern_operand(struct checker *c, const struct expr *e, struct ast_value *v,
                struct operand *o)
{
	struct question *q = &c->program->questions[e->subject->ask];
	struct pattern **slot;

	o->kind = OPERAND_PATTERN;
	if (v->pattern == NULL)
		v->pattern = check_pattern(c, v, e->subject->row->flags
		                                 & SUBJECT_IS_RAW);
	o->pattern = v->pattern;
	if (v->pattern == NULL)
		return false;
	if (e->subject->folded)
		check_folded_pattern(c, v);
	o->bit = q->n_patterns;
	slot = arena_grow(c->arena, &q->patterns, &q->n_patterns, sizeof(*slot));
	*slot = v->pattern;
	return true;
}

static bool
check_operand(struct checker *c, const struct expr *e, bool open,
              struct ast_value *v, struct operand *o)
{
	if ((v->kind == AST_PATTERN) != (e->op == OP_MATCHES)) {
		if (e->op == OP_MATCHES)
			diag_error(c->diags, v->place,
			           "\"matches\" wants a pattern: /.../");
		else
			diag_error(c->diags, v->place,
			           "a pattern stands behind \"matches\", not "
			           "behind \"%s\"", op_names[e->op]);
		return false;
	}
	switch (v->kind) {
	case AST_PATTERN:
		return pattern_operand(c, e, v, o);
	case AST_SUBJECT:
		return subject_operand(c, e, open, v, o);
	case AST_NULL:
		o->kind = OPERAND_NULL;
		if (e->op == OP_IS && check_type(e->subject) == VALUE_ADDRESS)
			return true;
		diag_error(c->diags, v->place,
		           "<> is the null sender: it is compared by \"is\", "
		           "with a mail address");
		return false;
	case AST_TABLE:
		diag_error(c->diags, v->place,
		           "a table stands behind \"in\", not behind \"%s\"",
		           op_names[e->op]);
		return false;
	default:
		return literal_operand(c, e, v, o);
	}
}

/* ---- leaves ---- */

/* any and every, and where they must stand. open: the sender could gain by
 * adding a value. */
static bool
check_quantifier(struct checker *c, const struct expr *e, bool open)
{
	const struct ast_subject *s = e->subject;
	const char *name = s->folded
	                   ? arena_printf(c->arena, "folded %s",
	                                  s->row->name).p : s->row->name;

	if (s->quant != QUANT_NONE && e->negated) {
		const char *q = s->quant == QUANT_ANY ? "any" : "every";

		diag_error(c->diags, e->op_place,
		           "\"%s %s\" does not go with a \"not\" behind it: write "
		           "\"not %s %s %s ...\"", q, name, q, name,
		           op_names[e->op]);
		return false;
	}
	if (!check_open(s, open || e->negated))
		return true;
	if (e->negated)
		diag_error(c->diags, s->place,
		           "\"%s\" may have several values, and the sender chooses "
		           "how many: write \"not any %s %s ...\" (one that fits "
		           "makes it false) or \"not every %s %s ...\" (one that "
		           "does not fit makes it true)", name, name,
		           op_names[e->op], name, op_names[e->op]);
	else
		diag_error(c->diags, s->place,
		           "\"%s\" may have several values, and the sender chooses "
		           "how many: write \"any %s\" (lets through what has one "
		           "that fits) or \"every %s\" (lets through only what has "
		           "none that does not fit)", name, name, name);
	return false;
}

static bool
check_in(struct checker *c, struct expr *e, struct operand *o)
{
	enum value_type type = check_type(e->subject);
	const struct ast_value *v;
	bool ok = true;

	o->kind = OPERAND_LOOKUP;
	if (e->value->kind == AST_TABLE)
		return check_lookup(c, e->value->lookup, type, &o->lookup);
	if (e->value->kind != AST_LIST) {
		diag_error(c->diags, e->value->place,
		           "\"in\" wants a table: <name> or { ... }");
		return false;
	}
	o->lookup.ask = NO_ASK;
	for (v = e->value->items; v != NULL; v = v->next)
		if (v->kind != AST_PATTERN
		    && (!check_word(c, e->subject->row, v)
		        || (type == VALUE_TEXT
		            && !check_meant(c, e->subject->row, v))))
			ok = false;
	if (!ok)
		return false;
	o->lookup.table = check_anonymous_table(c, e->value, type);
	e->table = o->lookup.table;
	return true;
}

static bool
check_operands(struct checker *c, struct expr *e, bool open, struct node *n)
{
	struct ast_value *v, *first = e->value;
	struct operand *o;
	size_t count = 1;
	bool ok = true;

	if (e->op != OP_IN && e->value->kind == AST_LIST) {
		first = e->value->items;
		for (count = 0, v = first; v != NULL; v = v->next)
			count++;
	}
	o = arena_alloc(c->arena, count * FOLD_LOOKS * sizeof(*o));
	n->operands = o;
	n->n_operands = 1;
	if (e->op == OP_IN)
		return check_in(c, e, o);
	for (v = first; count-- > 0; v = v->next, o++) {
		ok = check_operand(c, e, open, v, o) && ok;
		if (e->subject->folded && o[1].text.p != NULL)
			o++; /* its other look */
	}
	n->n_operands = (size_t)(o - n->operands);
	return ok;
}

/* Its key, and what asking the table costs. */
static void
needs_table(struct checker *c, struct node *n, const struct lookup *l)
{
	const struct ast_table *ast = c->program->tables[l->table].ast;
	const struct backend *row = ast == NULL ? NULL :
	                            backend_find(ast->backend);

	if (l->ask != NO_ASK)
		check_needs(c, n, l->ask);
	if (row == NULL)
		return;
	if (row->cost > n->cost)
		n->cost = row->cost;
	if (row->cost > c->program->cost)
		c->program->cost = row->cost;
}

static void
needs_operands(struct checker *c, struct node *n)
{
	size_t i;

	for (i = 0; i < n->n_operands; i++) {
		const struct operand *o = &n->operands[i];

		if (o->kind == OPERAND_ASK)
			check_needs(c, n, o->ask);
		else if (o->kind == OPERAND_LOOKUP)
			needs_table(c, n, &o->lookup);
	}
}

/* What has an operator that takes several things compares only one kind. */
static bool
list_allowed(struct checker *c, const struct expr *e)
{
	if (e->op < OP_LESS || e->value->kind != AST_LIST)
		return true;
	diag_error(c->diags, e->value->place,
	           "\"%s\" compares with one number", op_names[e->op]);
	return false;
}

static size_t
check_compare(struct checker *c, struct expr *e, bool negative, bool open)
{
	struct node leaf = {.kind = NODE_COMPARE, .op = e->op, .expr = e,
	                    .size = 1, .depth = 1,
	                    .negated = e->negated};
	size_t number;
	bool ok;

	leaf.ask = check_subject(c, e->subject);
	if (leaf.ask == NO_ASK)
		return NO_NODE;
	ok = check_quantifier(c, e, open);
	ok = op_fits(c, e, check_type(e->subject)) && ok;
	ok = list_allowed(c, e) && ok;
	if (!ok || !check_operands(c, e, open, &leaf))
		return NO_NODE;
	leaf.every = e->subject->quant == QUANT_EVERY;
	check_needs(c, &leaf, leaf.ask);
	needs_operands(c, &leaf);
	give_slot(c, &leaf);
	*add_node(c, &number) = leaf;
	if (e->op == OP_MATCHES && !negative && !e->negated) {
		c->pattern_leaves++;
		c->pattern_leaf = number;
	}
	return number;
}

static size_t
check_present(struct checker *c, struct expr *e)
{
	struct node leaf = {.kind = NODE_PRESENT, .expr = e,
	                    .size = 1, .depth = 1};
	size_t number;

	leaf.ask = check_subject(c, e->subject);
	if (leaf.ask == NO_ASK)
		return NO_NODE;
	if (e->subject->folded) {
		diag_error(c->diags, e->place, "\"folded\" compares: an "
		           "operator is missing behind \"%s\"",
		           e->subject->row->name);
		return NO_NODE;
	}
	check_needs(c, &leaf, leaf.ask);
	give_slot(c, &leaf);
	*add_node(c, &number) = leaf;
	return number;
}

static size_t
check_over_leaf(struct checker *c, struct expr *e)
{
	struct node leaf = {.kind = NODE_OVER, .expr = e,
	                    .size = 1, .depth = 1};
	size_t number;

	if (!check_over(c, e, &leaf))
		return NO_NODE;
	give_slot(c, &leaf);
	*add_node(c, &number) = leaf;
	return number;
}

static void
tell_unknown_name(struct checker *c, const struct expr *e)
{
	const char **names = arena_alloc(c->arena,
	                        (c->n_defines + SUBJECTS) * sizeof(*names));
	const char *near;
	size_t i, n = 0;

	if (ast_lost(c->program->ast, AST_DEFINE, e->name))
		return;
	for (i = 0; i < c->n_defines; i++)
		names[n++] = arena_copy(c->arena, c->defines[i]->name).p;
	for (i = 0; i < SUBJECTS; i++)
		names[n++] = subject_row((enum subject_id)i)->name;
	near = diag_nearest(e->name, names, n);
	if (near == NULL)
		diag_error(c->diags, e->place,
		           "\"%.*s\" is no subject, and nothing above defines it%s",
		           SPAN_ARG(e->name), e->after_value ?
		           ": several values stand in { }" : "");
	else
		diag_error(c->diags, e->place,
		           "\"%.*s\" is no subject, and nothing above defines it: "
		           "did you mean \"%s\"?", SPAN_ARG(e->name), near);
}

/*
 * A define is compiled once for each kind of place that it is used in: what
 * surrounds it decides what its address fields must say.
 */
static size_t
compile_define(struct checker *c, struct ast_define *define, bool negative,
               bool accepts)
{
	struct ast_compiled *done;
	size_t leaves = c->pattern_leaves, leaf = c->pattern_leaf;

	done = &define->compiled[(negative ? 1 : 0) + (accepts ? 2 : 0)];
	if (!done->done) {
		c->pattern_leaves = 0;
		done->node = check_expr(c, define->expr, negative, accepts);
		done->pattern_leaves = c->pattern_leaves;
		done->pattern_leaf = c->pattern_leaf;
		done->done = true;
	}
	c->pattern_leaves = leaves + done->pattern_leaves;
	c->pattern_leaf = done->pattern_leaves > 0 ? done->pattern_leaf : leaf;
	return done->node;
}

static size_t
check_defined(struct checker *c, struct expr *e, bool negative, bool accepts)
{
	e->define = check_find_define(c, e->name);
	if (e->define == NULL) {
		tell_unknown_name(c, e);
		return NO_NODE;
	}
	e->define->used = true;
	if (e->define->broken)
		return NO_NODE;
	return compile_define(c, e->define, negative, accepts);
}

/* "helo is a or b or c": for b and c. */
static bool
begins_with_value(const struct expr *e)
{
	if (e->right->kind != EXPR_DEFINED)
		return false;
	while (e->kind == EXPR_AND || e->kind == EXPR_OR)
		e = e->left;
	return e->kind == EXPR_COMPARE;
}

size_t
check_expr(struct checker *c, struct expr *e, bool negative, bool accepts)
{
	bool open = negative || accepts;
	size_t left;

	switch (e->kind) {
	case EXPR_AND:
	case EXPR_OR:
		check_meant_order(c, e);
		e->right->after_value = begins_with_value(e);
		left = check_expr(c, e->left, negative, accepts);
		left = check_join(c, e->kind == EXPR_AND ? NODE_AND : NODE_OR,
		                  left, check_expr(c, e->right, negative,
		                                   accepts));
		return check_extent(c, left, e->place);
	case EXPR_NOT:
		left = check_not(c, check_expr(c, e->left, true, accepts));
		return check_extent(c, left, e->place);
	case EXPR_DEFINED:
		return check_defined(c, e, negative, accepts);
	case EXPR_PRESENT:
		return check_present(c, e);
	case EXPR_OVER:
		return check_over_leaf(c, e);
	case EXPR_COMPARE:
		return check_compare(c, e, negative, open);
	}
	return NO_NODE;
}
