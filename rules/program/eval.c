/*
 * eval.c - a condition is yes, no, later or failed.
 *
 * Questions have a cost. A caller goes over its rules with a low bound first
 * and asks dearer questions only if something still depends on them; what was
 * left out on that account is EVAL_UNASKED.
 */
#include <string.h>

#include "caps.h"
#include "domain.h"
#include "eval.h"
#include "fold.h"
#include "number.h"
#include "utf8.h"

#define LONG_TEXT (256 << 10)

static const struct fact later_fact = {.state = FACT_LATER};
static const struct fact no_memory = {
	.state = FACT_FAILED, .why = {"no memory", 9},
};
static const struct fact too_long = {
	.state = FACT_FAILED, .why = {"too many letters to be folded", 29},
};

const struct table *
eval_table(const struct evaluation *e, size_t n)
{
	return e->tables != NULL ? e->tables[n] : e->program->tables[n].table;
}

static struct memo *
memo_of(struct evaluation *e, const struct question *q)
{
	if (!q->rcpt)
		return &e->shared->memos[q->slot];
	return e->rcpt == NULL ? NULL : &e->rcpt->memos[q->slot];
}

struct table_context
eval_context(const struct evaluation *e)
{
	struct table_context c = e->program->table_context;

	c.dns = e->facts->dns;
	c.wait = e->facts->wait;
	c.limits.work = e->facts->work;
	return c;
}

/* As who reads it has it: a domain in its own letters, not in A-labels. */
static struct span
as_read(struct arena *a, const struct value *v)
{
	struct span domain = v->text, s;
	const char *at;

	if ((v->type != VALUE_NAME && v->type != VALUE_ADDRESS) ||
	    domain.n == 0)
		return v->text;
	at = memrchr(domain.p, '@', domain.n);
	if (at != NULL)
		domain = (struct span){at + 1, (size_t)(domain.p + domain.n -
			at - 1)};
	s = domain_unicode(a, domain);
	return s.p == NULL || span_is(s, domain) ? v->text :
		arena_printf(a, "%.*s%.*s", (int)(v->text.n - domain.n),
		             v->text.p, SPAN_ARG(s));
}

/* Each value as it looks; one with two looks is there twice. */
static const struct fact *
fold_fact(struct evaluation *e, const struct fact *f)
{
	struct fact *made = arena_alloc(e->arena, sizeof(*made));
	struct value *v = arena_alloc(e->arena,
	                              f->n * FOLD_LOOKS * sizeof(*v));
	struct span looks[FOLD_LOOKS];
	size_t left = CAPS_FOLD_LETTERS, i, j, n;

	if (made == NULL || v == NULL)
		return &no_memory;
	*made = *f;
	made->values = v;
	made->n = 0;
	for (i = 0; i < f->n; i++) {
		n = fold_looks(e->arena, as_read(e->arena, &f->values[i]),
		               &left, looks);
		if (n == 0)
			return arena_full(e->arena) ? &no_memory : &too_long;
		for (j = 0; j < n; j++)
			v[made->n++] = (struct value){
				.type = VALUE_FOLDED, .text = looks[j],
				.item = f->values[i].item, .again = j > 0,
				.bad = f->values[i].bad,
			};
	}
	return made;
}

const struct fact *
eval_fact(struct evaluation *e, size_t ask)
{
	const struct question *q = &e->program->questions[ask];
	struct memo *m = memo_of(e, q);
	const struct fact *f;

	if (m == NULL)
		return &later_fact;
	if (m->fact != NULL)
		return m->fact;
	if (q->ask.stage > e->stage
	    && !(q->ask.subject->flags & SUBJECT_IS_ANY))
		return &later_fact;
	if (e->closed && q->ask.subject->cost == COST_NET)
		return &later_fact;
	f = e->facts->ask(e->facts->of, ask, &q->ask,
	                  q->rcpt ? e->rcpt_number : NO_RCPT);
	if (f == NULL)
		f = &no_memory;
	if (q->ask.folded && f->state == FACT_HERE)
		f = fold_fact(e, f);
	if (f->state != FACT_LATER)
		m->fact = f;
	return f;
}

/* ---- one value against one operand ---- */

static bool
is_raw(const struct evaluation *e, size_t ask)
{
	return e->program->questions[ask].ask.subject->flags & SUBJECT_IS_RAW;
}

static struct span
fold(struct evaluation *e, size_t ask, struct span text, bool as_bytes)
{
	if (text.n == 0)
		return SPAN("");
	if (e->program->questions[ask].ask.folded)
		return text;
	if (as_bytes)
		return arena_lower(e->arena, text);
	if (is_raw(e, ask))
		text = utf8_make_valid(e->arena, text);
	return text.p == NULL ? text : utf8_fold(e->arena, text);
}

/* The text of a question's value without case; made once. */
static struct span
folded(struct evaluation *e, size_t ask, const struct fact *f, size_t i,
       bool as_bytes)
{
	struct memo *m = memo_of(e, &e->program->questions[ask]);
	struct span **list = &m->folded[as_bytes], none = {NULL, 0};

	if (*list == NULL)
		*list = arena_alloc(e->arena, f->n * sizeof(**list));
	if (*list == NULL)
		return none;
	if ((*list)[i].p == NULL)
		(*list)[i] = fold(e, ask, f->values[i].text, as_bytes);
	return (*list)[i];
}

static bool
compare_texts(enum op op, struct span value, struct span with)
{
	switch (op) {
	case OP_IS:
		return span_is(value, with);
	case OP_CONTAINS:
		return with.n == 0
		       || (value.n >= with.n
		           && memmem(value.p, value.n, with.p, with.n) != NULL);
	case OP_BEGINS:
		return value.n >= with.n
		       && (with.n == 0 || memcmp(value.p, with.p, with.n) == 0);
	case OP_ENDS:
		return value.n >= with.n
		       && (with.n == 0
		           || memcmp(value.p + value.n - with.n, with.p,
		                     with.n) == 0);
	default:
		return false;
	}
}

/* A long text is looked through without a copy of it. */
static bool
is_looked_through(const struct evaluation *e, const struct node *n,
                  struct span value, struct span with)
{
	return n->op == OP_CONTAINS && value.n >= LONG_TEXT && with.n > 0
	       && with.n <= UTF8_SOUGHT && !is_raw(e, n->ask)
	       && !e->program->questions[n->ask].ask.folded;
}

static enum truth
compare_text(struct evaluation *e, const struct node *n, const struct fact *f,
             size_t i, struct span with)
{
	struct span value = f->values[i].text;

	if (is_looked_through(e, n, value, with))
		return utf8_fold_contains(value, with) ? TRUTH_YES : TRUTH_NO;
	value = folded(e, n->ask, f, i, is_raw(e, n->ask));
	if (value.p == NULL)
		return TRUTH_FAILED;
	/* what could not be parsed is no address, whatever it looks like */
	if (f->values[i].bad && n->op == OP_IS)
		return TRUTH_NO;
	return compare_texts(n->op, value, with) ? TRUTH_YES : TRUTH_NO;
}

static enum truth
compare_number(enum op op, const struct value *v, double with)
{
	double number = v->number;
	bool yes = false;

	if (v->type != VALUE_NUMBER && !number_parse(v->text, &number))
		return TRUTH_NO;
	switch (op) {
	case OP_IS:
		yes = number >= with && number <= with;
		break;
	case OP_LESS:
		yes = number < with;
		break;
	case OP_LESS_OR_IS:
		yes = number <= with;
		break;
	case OP_MORE:
		yes = number > with;
		break;
	case OP_MORE_OR_IS:
		yes = number >= with;
		break;
	default:
		break;
	}
	return yes ? TRUTH_YES : TRUTH_NO;
}

/* Strangers choose how many values there are on either side. */
static bool
too_much(const struct node *n, const struct fact *f, size_t i,
         const struct fact *other)
{
	unsigned long long one = 16; /* a look at both lengths */

	if (n->op == OP_CONTAINS)
		one += f->values[i].text.n;
	return one * f->n * other->n > CAPS_COMPARE_BYTES;
}

/* What stands for a value that is not there, so that no "every" passes it. */
static bool
is_missing(const struct value *v)
{
	return v->bad && v->text.n == 0;
}

/* Against every value of another subject: one is enough. */
static enum truth
compare_subject(struct evaluation *e, const struct node *n,
                const struct fact *f, size_t i, const struct operand *o)
{
	const struct fact *other = eval_fact(e, o->ask);
	enum truth t = TRUTH_NO;
	size_t j;

	if (other->state == FACT_LATER)
		return TRUTH_LATER;
	if (other->state == FACT_FAILED || too_much(n, f, i, other))
		return TRUTH_FAILED;
	for (j = 0; other->state == FACT_HERE && j < other->n; j++) {
		struct span with;

		if (is_missing(&other->values[j]) ||
		    (other->values[j].bad && n->op == OP_IS))
			continue;
		with = folded(e, o->ask, other, j, is_raw(e, n->ask));
		t = truth_or(t, with.p == NULL ? TRUTH_FAILED
		                : compare_text(e, n, f, i, with));
		if (t == TRUTH_YES)
			break;
	}
	return t;
}

/*
 * Most patterns match nowhere: their leaves are settled together, without a
 * look at each.
 */
static void
settle_misses(struct evaluation *e, const struct question *q,
              const unsigned char *candidates, size_t n)
{
	struct known *known = q->rcpt ? e->rcpt : e->shared;
	size_t bytes = pattern_set_bytes(q->set), i, j;

	for (i = 0; i < q->n_leaves; i++) {
		const struct pattern_leaf *l = &q->leaves[i];
		const unsigned char *byte = candidates + l->bit / 8;

		for (j = 0; j < n; j++, byte += bytes)
			if (*byte & (1u << l->bit % 8))
				break;
		if (j == n && known->nodes[l->slot] == 0)
			known->nodes[l->slot] = (unsigned char)
				((l->negated ? TRUTH_YES : TRUTH_NO) + 1);
	}
}

/* The set says which patterns can match which value; scanned once. */
static bool
candidate(struct evaluation *e, const struct node *n, const struct fact *f,
          size_t i, size_t bit)
{
	const struct question *q = &e->program->questions[n->ask];
	struct memo *m = memo_of(e, q);
	size_t bytes, j;

	if (q->set == NULL)
		return true;
	bytes = pattern_set_bytes(q->set);
	if (m->candidates == NULL) {
		m->candidates = arena_alloc(e->arena, f->n * bytes);
		if (m->candidates == NULL)
			return true;
		for (j = 0; j < f->n; j++)
			pattern_set_scan(q->set, f->values[j].text,
			                 m->candidates + j * bytes);
		settle_misses(e, q, m->candidates, f->n);
	}
	return m->candidates[i * bytes + bit / 8] & (1u << bit % 8);
}

static enum truth
match(struct evaluation *e, const struct node *n, const struct fact *f,
      size_t i, const struct operand *o)
{
	struct table_context c = eval_context(e);

	if (!candidate(e, n, f, i, o->bit))
		return TRUTH_NO;
	return pattern_match(o->pattern, f->values[i].text, &c.limits, NULL);
}

struct value
eval_key(const struct value *v)
{
	struct value key = *v;

	if (key.type == VALUE_NUMBER)
		key.type = VALUE_TEXT;
	return key;
}

static enum truth
truth_of(enum table_result r)
{
	if (r == TABLE_FAILED)
		return TRUTH_FAILED;
	return r == TABLE_YES ? TRUTH_YES : TRUTH_NO;
}

void
eval_table_failed(struct evaluation *e, size_t table, struct span why)
{
	if (e->table_why == NULL)
		e->table_why = arena_alloc(e->arena, e->program->n_tables *
		                           sizeof(*e->table_why));
	if (e->table_why != NULL)
		e->table_why[table] = why;
}

/* Is v among the values of one key? */
static enum truth
among_values(struct evaluation *e, size_t table, const struct value *key,
             const struct value *v)
{
	struct value k = eval_key(key), subject = eval_key(v);
	struct table_context c = eval_context(e);
	struct table_answer answer = {0};
	enum table_result r;
	size_t i;

	r = table_find(eval_table(e, table), &k, &c, e->arena, &answer);
	if (r == TABLE_FAILED)
		eval_table_failed(e, table, answer.why);
	if (r != TABLE_YES)
		return truth_of(r);
	for (i = 0; i < answer.n; i++)
		if (table_entry_covers(answer.values[i], &subject, &c,
		                       e->arena))
			return TRUTH_YES;
	return arena_full(e->arena) ? TRUTH_FAILED : TRUTH_NO;
}

static enum truth
is_key(struct evaluation *e, size_t table, const struct value *v)
{
	struct value key = eval_key(v);
	struct table_context c = eval_context(e);
	enum table_result r;
	struct span why;

	r = table_has(eval_table(e, table), &key, &c, e->arena, &why);
	if (r == TABLE_FAILED)
		eval_table_failed(e, table, why);
	return truth_of(r);
}

static enum truth
look_up(struct evaluation *e, const struct value *v, const struct lookup *l)
{
	const struct fact *keys;
	enum truth result;
	size_t i;

	if (l->ask == NO_ASK)
		return is_key(e, l->table, v);
	keys = eval_fact(e, l->ask);
	if (keys->state == FACT_LATER)
		return TRUTH_LATER;
	if (keys->state == FACT_FAILED)
		return TRUTH_FAILED;
	if (keys->state == FACT_ABSENT)
		return TRUTH_NO;
	result = l->every ? TRUTH_YES : TRUTH_NO;
	for (i = 0; i < keys->n; i++) {
		enum truth one = among_values(e, l->table, &keys->values[i], v);

		result = l->every ? truth_and(result, one)
		                  : truth_or(result, one);
		if (result == (l->every ? TRUTH_NO : TRUTH_YES))
			break;
	}
	return result;
}

static enum truth
compare(struct evaluation *e, const struct node *n, const struct fact *f,
        size_t i, const struct operand *o)
{
	const struct value *v = &f->values[i];

	switch (o->kind) {
	case OPERAND_TEXT:
		return compare_text(e, n, f, i, o->text);
	case OPERAND_NULL:
		return !v->bad && v->text.n == 0 ? TRUTH_YES : TRUTH_NO;
	case OPERAND_IP:
		return memcmp(&v->ip, &o->ip, sizeof(o->ip)) == 0
		       ? TRUTH_YES : TRUTH_NO;
	case OPERAND_NUMBER:
		return compare_number(n->op, v, o->number);
	case OPERAND_PATTERN:
		return match(e, n, f, i, o);
	case OPERAND_ASK:
		return compare_subject(e, n, f, i, o);
	case OPERAND_LOOKUP:
		return look_up(e, v, &o->lookup);
	}
	return TRUTH_FAILED;
}

/* ---- a leaf ---- */

/* Does the value, by one of its looks, meet one of the operands? */
static enum truth
value_meets(struct evaluation *e, const struct node *n, const struct fact *f,
            size_t i)
{
	enum truth t = TRUTH_NO;
	size_t j;

	/* "every" vouches for all of them: not for what can't be read */
	if (n->every && f->values[i].bad)
		return TRUTH_NO;
	if (is_missing(&f->values[i]))
		return TRUTH_NO;
	do {
		for (j = 0; j < n->n_operands && t != TRUTH_YES; j++)
			t = truth_or(t, compare(e, n, f, i, &n->operands[j]));
	} while (++i < f->n && f->values[i].again);
	return t;
}

static enum truth
compare_values(struct evaluation *e, const struct node *n,
               const struct fact *f)
{
	enum truth t = n->every ? TRUTH_YES : TRUTH_NO;
	size_t i;

	for (i = 0; i < f->n; i++) {
		enum truth one;

		if (f->values[i].again)
			continue;
		one = value_meets(e, n, f, i);
		t = n->every ? truth_and(t, one) : truth_or(t, one);
		if (t == (n->every ? TRUTH_NO : TRUTH_YES))
			break;
	}
	return t;
}

/* over limit NAME; why, if it is wanted */
enum truth
eval_over(struct evaluation *e, const struct node *n, struct span *why)
{
	const struct facts *f = e->facts;

	*why = (struct span){NULL, 0};
	if (n->rcpt && e->rcpt == NULL)
		return TRUTH_LATER;
	if (f->over == NULL)
		return TRUTH_NO;
	return f->over(f->of, n->limit, n->rcpt ? e->rcpt_number : NO_RCPT,
	               why);
}

static enum truth
eval_leaf(struct evaluation *e, const struct node *n)
{
	const struct fact *f;
	struct span why;
	enum truth t;

	if (n->first > e->stage)
		return TRUTH_LATER;
	if (n->cost > e->cost)
		return EVAL_UNASKED;
	if (n->kind == NODE_OVER)
		return eval_over(e, n, &why);
	f = eval_fact(e, n->ask);
	if (f->state == FACT_LATER)
		return TRUTH_LATER;
	if (f->state == FACT_FAILED)
		return TRUTH_FAILED;
	if (n->kind == NODE_PRESENT)
		return f->state == FACT_HERE ? TRUTH_YES : TRUTH_NO;
	t = f->state == FACT_ABSENT ? TRUTH_NO : compare_values(e, n, f);
	return n->negated ? truth_not(t) : t;
}

/* ---- and, or, not ---- */

static enum truth
not(enum truth t)
{
	return t == EVAL_UNASKED ? t : truth_not(t);
}

/*
 * As truth_and; what was not asked may turn out to be a no, and so stands
 * between later and failed, or before later if a no is of use.
 */
static enum truth
and(enum truth a, enum truth b, bool no_helps)
{
	if (a == EVAL_UNASKED || b == EVAL_UNASKED) {
		enum truth other = a == EVAL_UNASKED ? b : a;

		return other == TRUTH_NO || (other == TRUTH_LATER && !no_helps)
		       ? other : EVAL_UNASKED;
	}
	return truth_and(a, b);
}

/* a and b, or with flip set not a and not b: so that "or" is the same work. */
static enum truth
both(struct evaluation *e, const struct node *n, bool flip)
{
	enum truth a = eval_node(e, n->left), b;
	bool no_helps = e->eager || e->inside_not != flip;

	if (flip)
		a = not(a);
	if (a == TRUTH_NO)
		return a;
	b = eval_node(e, n->right);
	return and(a, flip ? not(b) : b, no_helps);
}

static enum truth
eval_junction(struct evaluation *e, const struct node *n)
{
	bool flip = n->kind == NODE_OR;
	enum cost cost = e->cost;
	enum truth t;

	if (cost == COST_NET && n->cost == COST_NET) {
		e->cost = COST_BODY;
		t = both(e, n, flip);
		e->cost = cost;
		/* beside something later a dear question settles nothing
		 * but a no: that is asked for only if it helps */
		if (t == TRUTH_NO || t == TRUTH_LATER)
			return flip ? not(t) : t;
	}
	t = both(e, n, flip);
	return flip ? not(t) : t;
}

enum truth
eval_node(struct evaluation *e, size_t number)
{
	const struct node *n;
	struct known *known;
	enum truth t;

	if (number == NO_NODE)
		return TRUTH_YES;
	n = &e->program->nodes[number];
	if (n->first > e->stage || (n->rcpt && e->rcpt == NULL
	                            && n->kind >= NODE_PRESENT))
		return TRUTH_LATER;
	known = n->rcpt ? e->rcpt : e->shared;
	if (known != NULL && known->nodes[n->slot] != 0)
		return (enum truth)(known->nodes[n->slot] - 1);
	if (n->kind == NODE_NOT) {
		e->inside_not = !e->inside_not;
		t = not(eval_node(e, n->left));
		e->inside_not = !e->inside_not;
	} else if (n->kind >= NODE_PRESENT)
		t = eval_leaf(e, n);
	else
		t = eval_junction(e, n);
	if (known != NULL && t != TRUTH_LATER && t != EVAL_UNASKED)
		known->nodes[n->slot] = (unsigned char)(t + 1);
	return t;
}

/* ---- what decided ---- */

bool
eval_deciding(struct evaluation *e, const struct node *n, size_t *value)
{
	const struct fact *f = eval_fact(e, n->ask);
	enum truth wanted = n->every ? TRUTH_NO : TRUTH_YES;
	size_t i;

	if (n->kind != NODE_COMPARE || f->state != FACT_HERE)
		return false;
	for (i = 0; i < f->n; i++) {
		if (f->values[i].again
		    || value_meets(e, n, f, i) != wanted)
			continue;
		*value = i;
		return true;
	}
	return false;
}

bool
eval_groups(struct evaluation *e, const struct node *n,
            struct span groups[PATTERN_GROUPS])
{
	const struct fact *f = eval_fact(e, n->ask);
	struct table_context c = eval_context(e);
	size_t i, j;

	for (i = 0; f->state == FACT_HERE && i < f->n; i++)
		for (j = 0; j < n->n_operands; j++) {
			const struct operand *o = &n->operands[j];

			if (o->kind == OPERAND_PATTERN
			    && candidate(e, n, f, i, o->bit)
			    && pattern_match(o->pattern, f->values[i].text,
			                     &c.limits, groups) == TRUTH_YES)
				return true;
		}
	return false;
}
