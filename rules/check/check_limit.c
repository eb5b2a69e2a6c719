/* check_limit.c - limits: what is counted, for whom, and when it is known. */
#include "checker.h"
#include "number.h"

/* An IPv6 client has all of its /64: RFC 6177 2. */
#define V4_BITS 32
#define V6_BITS 64

size_t
check_find_limit(struct checker *c, struct span name, struct place where)
{
	struct program *p = c->program;
	const char **names = arena_alloc(c->arena,
	                                 (p->n_limits + 1) * sizeof(*names));
	const char *near;
	size_t i;

	for (i = 0; i < p->n_limits; i++) {
		if (span_is(p->limits[i].name, name))
			return i;
		names[i] = arena_copy(c->arena, p->limits[i].name).p;
	}
	if (ast_lost(p->ast, AST_LIMIT, name))
		return i;
	near = diag_nearest(name, names, p->n_limits);
	if (near == NULL)
		diag_error(c->diags, where, "there is no limit \"%.*s\"",
		           SPAN_ARG(name));
	else
		diag_error(c->diags, where,
		           "there is no limit \"%.*s\": did you mean \"%s\"?",
		           SPAN_ARG(name), near);
	return i;
}

/* ---- the statement ---- */

static bool
check_unit(struct checker *c, const struct ast_value *v, struct limit *l)
{
	const char *names[LIMIT_UNITS], *near;
	int u;

	for (u = 0; u < LIMIT_UNITS; u++) {
		names[u] = limit_unit_name((enum limit_unit)u);
		if (!span_is(v->text, span_of(names[u])))
			continue;
		l->unit = (enum limit_unit)u;
		return true;
	}
	near = diag_nearest(v->text, names, LIMIT_UNITS);
	if (near == NULL)
		diag_error(c->diags, v->place, "\"%.*s\" is nothing that is "
		           "counted: messages, recipients, bytes or rejects",
		           SPAN_ARG(v->text));
	else
		diag_error(c->diags, v->place, "\"%.*s\" is nothing that is "
		           "counted: did you mean \"%s\"?", SPAN_ARG(v->text),
		           near);
	return false;
}

static bool
is_whole(double d)
{
	return d >= 1 && d <= LIMIT_MOST && d - (double)(long long)d <= 0;
}

static bool
check_most(struct checker *c, const struct ast_value *v, struct limit *l)
{
	bool size = l->unit == LIMIT_BYTES;

	if ((number_parse(v->text, &l->most)
	     || (size && number_parse_size(v->text, &l->most)))
	    && is_whole(l->most))
		return true;
	diag_error(c->diags, v->place, size
	           ? "a limit on bytes wants a size such as 500M"
	           : "a limit wants a whole number, 1 or more");
	return false;
}

static bool
check_time(struct checker *c, const struct ast_value *v, struct limit *l)
{
	if (number_parse_time(v->text, &l->seconds)
	    && l->seconds >= LIMIT_LEAST_SECONDS
	    && l->seconds <= LIMIT_MOST_SECONDS)
		return true;
	diag_error(c->diags, v->place, "after \"per\" stands a time such as "
	           "10m, 1h or 7d: from %ds to %dd", LIMIT_LEAST_SECONDS,
	           LIMIT_MOST_SECONDS / 86400);
	return false;
}

/* bits := V4 [ "/" V6 ] */
static bool
check_bits(struct checker *c, const struct ast_limit *a, struct limit *l)
{
	struct span v4 = a->bits, v6 = {NULL, 0};
	double four = V4_BITS, six = V6_BITS;
	size_t i;

	l->v4 = V4_BITS;
	l->v6 = V6_BITS;
	if (a->bits.p == NULL)
		return true;
	for (i = 0; i < v4.n && v4.p[i] != '/'; i++)
		;
	if (i < v4.n)
		v6 = (struct span){v4.p + i + 1, v4.n - i - 1};
	v4.n = i;
	if (a->by->row->type != VALUE_IP || !number_parse(v4, &four)
	    || (v6.p != NULL && !number_parse(v6, &six)) || !is_whole(four)
	    || !is_whole(six) || four > 32 || six > 128) {
		diag_error(c->diags, a->by->place, "only the networks of "
		           "addresses are counted so: client/24, or "
		           "client/24/64, the second number for IPv6");
		return false;
	}
	l->v4 = (unsigned)four;
	l->v6 = (unsigned)six;
	return true;
}

/* What is compared as bytes has no one spelling. */
static bool
check_by(struct checker *c, const struct ast_limit *a, struct limit *l)
{
	l->ask = check_subject(c, a->by);
	if (l->ask == NO_ASK)
		return false;
	if (a->by->row->cost >= COST_BODY
	    || (a->by->row->flags & SUBJECT_IS_RAW)) {
		diag_error(c->diags, a->by->place, "what is sent is not "
		           "counted by \"%s\": by whom it is sent, or from "
		           "where", a->by->row->name);
		return false;
	}
	l->by = a->by->name;
	if (a->by->argument != NULL)
		l->by = arena_printf(c->arena, "%.*s %.*s", SPAN_ARG(l->by),
		                     SPAN_ARG(a->by->argument->text));
	if (a->bits.p != NULL)
		l->by = arena_printf(c->arena, "%.*s/%.*s", SPAN_ARG(l->by),
		                     SPAN_ARG(a->bits));
	return check_bits(c, a, l);
}

/* The question for the size, which then is known to be needed. */
static void
ask_size(struct checker *c, const struct ast_limit *a)
{
	struct ast_subject *size = arena_alloc(c->arena, sizeof(*size));

	size->place = a->unit->place;
	size->name = span_of(subject_row(SUBJECT_SIZE)->name);
	check_subject(c, size);
}

void
check_limit(struct checker *c, struct ast_limit *a)
{
	struct program *p = c->program;
	struct limit l = {.name = a->name}, *made;
	struct ast_limit **slot;
	const struct question *key;
	size_t i, n = p->n_limits;
	bool good;

	for (i = 0; i < n; i++)
		if (span_is(p->limits[i].name, a->name))
			diag_error(c->diags, a->name_place, "limit \"%.*s\" is "
			           "there already, in line %u",
			           SPAN_ARG(a->name),
			           place_line(p->limit_asts[i]->name_place));
	good = check_unit(c, a->unit, &l);
	good = good && check_most(c, a->most, &l);
	good = check_time(c, a->time, &l) && good;
	good = check_by(c, a, &l) && good;
	if (good) {
		key = &p->questions[l.ask];
		l.rcpt = key->rcpt || (l.unit == LIMIT_RECIPIENTS
		                       && key->ask.stage <= STAGE_RCPT);
		if (l.unit == LIMIT_BYTES)
			ask_size(c, a);
	}
	slot = arena_grow(c->arena, &p->limit_asts, &n, sizeof(*slot));
	*slot = a;
	made = arena_grow(c->arena, &p->limits, &p->n_limits, sizeof(*made));
	*made = l;
	if (!good)
		made->ask = NO_ASK;
}

/* ---- the condition ---- */

/* When what the message adds is known, at the earliest and at the latest. */
static const struct {
	enum stage first, last;
} known[LIMIT_UNITS] = {
	[LIMIT_MESSAGES] = {STAGE_MAIL, STAGE_MAIL},
	[LIMIT_RECIPIENTS] = {STAGE_RCPT, STAGE_RCPT},
	[LIMIT_BYTES] = {STAGE_MAIL, STAGE_END}, /* MAIL may say SIZE= */
	[LIMIT_REJECTS] = {STAGE_CONNECT, STAGE_CONNECT},
};

bool
check_over(struct checker *c, const struct expr *e, struct node *leaf)
{
	struct program *p = c->program;
	const struct limit *l;

	leaf->limit = check_find_limit(c, e->name, e->op_place);
	if (leaf->limit == p->n_limits)
		return false;
	p->limit_asts[leaf->limit]->used = true;
	l = &p->limits[leaf->limit];
	leaf->ask = l->ask;
	if (l->ask == NO_ASK)
		return false;
	check_needs(c, leaf, l->ask);
	leaf->rcpt = l->rcpt;
	if (p->limit_server != NULL) {
		leaf->cost = COST_NET;
		p->cost = COST_NET;
	}
	if (leaf->first < known[l->unit].first)
		leaf->first = known[l->unit].first;
	if (leaf->stage < known[l->unit].last)
		leaf->stage = known[l->unit].last;
	return true;
}
