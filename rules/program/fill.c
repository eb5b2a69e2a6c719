#include <stdint.h>
#include <string.h>

#include "caps.h"
#include "fill.h"
#include "utf8.h"

bool
fill_ready(struct evaluation *e, const struct rule *r)
{
	const struct action *a;
	const struct piece *p;

	for (a = r->actions; a != NULL; a = a->next)
		for (p = a->text.pieces; p != NULL; p = p->next) {
			size_t ask = piece_ask(p);

			if (ask != NO_ASK
			    && eval_fact(e, ask)->state == FACT_LATER)
				return false;
		}
	return true;
}

/* Are the values of two questions of the same things? from and from.domain,
 * attachment and attachment.extension are. */
static bool
same_family(const struct question *a, const struct question *b)
{
	const char *x = a->ask.subject->name, *y = b->ask.subject->name;
	size_t n = strcspn(x, ".");

	if (a->ask.all_rcpts != b->ask.all_rcpts)
		return false;
	return n == strcspn(y, ".") && memcmp(x, y, n) == 0
	       && span_is_nocase(a->ask.argument, b->ask.argument);
}

/* The value that decided a leaf of that family. */
static const struct value *
deciding_value(struct evaluation *e, size_t node, size_t ask)
{
	const struct question *questions = e->program->questions;
	const struct value *v;
	const struct node *n;
	size_t i;

	if (node == NO_NODE)
		return NULL;
	n = &e->program->nodes[node];
	if (n->kind == NODE_NOT)
		return deciding_value(e, n->left, ask);
	if (n->kind < NODE_NOT) {
		v = deciding_value(e, n->left, ask);
		return v != NULL ? v : deciding_value(e, n->right, ask);
	}
	if (!same_family(&questions[n->ask], &questions[ask])
	    || !eval_deciding(e, n, &i))
		return NULL;
	return &eval_fact(e, n->ask)->values[i];
}

static bool
ends_with(struct span s, struct span end)
{
	return end.n > 0 && span_ends_nocase(s, end);
}

/*
 * What of a fact goes with the value that decided: that value itself; else
 * one of the same thing, and of its names one that ends so, for it may be the
 * extension that decided.
 */
static const struct value *
going_with(const struct fact *f, const struct value *deciding)
{
	const struct value *found = NULL, *v;
	size_t i;

	for (i = 0; i < f->n; i++) {
		v = &f->values[i];
		if (v == deciding)
			return v;
		if (v->item != deciding->item)
			continue;
		if (found == NULL || (!ends_with(found->text, deciding->text)
		                      && ends_with(v->text, deciding->text)))
			found = v;
	}
	return found;
}

const struct value *
fill_value(struct evaluation *e, const struct rule *r, size_t ask)
{
	const struct fact *f = eval_fact(e, ask);
	const struct value *deciding = NULL, *found = NULL;

	if (f->state != FACT_HERE)
		return NULL;
	if (f->n > 1)
		deciding = deciding_value(e, r->node, ask);
	if (deciding != NULL)
		found = going_with(f, deciding);
	return found != NULL ? found : &f->values[0];
}

/* ---- a text that grows ---- */

struct growing {
	struct arena *arena;
	char *p;
	size_t n, room;
};

static bool
append(struct growing *g, struct span s)
{
	char *more;

	if (g->n + s.n + 1 > g->room) {
		g->room = (g->n + s.n + 1) * 2;
		more = arena_alloc(g->arena, g->room);
		if (more == NULL)
			return false;
		if (g->n > 0)
			memcpy(more, g->p, g->n);
		g->p = more;
	}
	if (s.n > 0)
		memcpy(g->p + g->n, s.p, s.n);
	g->n += s.n;
	return true;
}

static struct span
grown(const struct growing *g)
{
	return (struct span){g->n == 0 ? "" : g->p, g->n};
}

/*
 * A line end of a stranger's is none of the policy's: a reply would get a
 * line more. As a CR it is what each place puts for a control character.
 */
static struct span
without_line_ends(struct arena *a, struct span s)
{
	struct span copy;
	char *p;
	size_t i;

	if (s.n == 0 || memchr(s.p, '\n', s.n) == NULL)
		return s;
	copy = arena_copy(a, s);
	p = (char *)(uintptr_t)copy.p;
	for (i = 0; p != NULL && i < copy.n; i++)
		if (p[i] == '\n')
			p[i] = '\r';
	return copy;
}

/* What was chosen by a stranger has a bound; the cut is marked. */
static bool
append_filling(struct growing *g, struct span s)
{
	size_t n = CAPS_FILL;

	s = utf8_make_valid(g->arena, s);
	if (s.p != NULL)
		s = without_line_ends(g->arena, s);
	if (s.p == NULL)
		return false;
	if (s.n <= CAPS_FILL)
		return append(g, s);
	while (n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80)
		n--;
	return append(g, (struct span){s.p, n}) && append(g, SPAN("..."));
}

/* Five characters are more in HTML. */
static bool
append_escaped(struct growing *g, struct span s)
{
	static const struct {
		char c;
		struct span as;
	} marks[] = {
		{'&', {"&amp;", 5}}, {'<', {"&lt;", 4}}, {'>', {"&gt;", 4}},
		{'"', {"&quot;", 6}}, {'\'', {"&#39;", 5}},
	};
	struct growing plain = {.arena = g->arena};
	bool ok = append_filling(&plain, s);
	size_t i, j;

	for (i = 0; ok && i < plain.n; i++) {
		for (j = 0; j < 5 && marks[j].c != plain.p[i]; j++)
			;
		ok = append(g, j < 5 ? marks[j].as :
		            (struct span){plain.p + i, 1});
	}
	return ok;
}

static enum table_result
ask_table(struct evaluation *e, const struct rule *r, const struct lookup *l,
          struct table_answer *answer)
{
	const struct value *key = fill_value(e, r, l->ask);
	struct table_context c = eval_context(e);
	enum table_result found;
	struct value k;

	if (key == NULL
	    || (e->closed && program_asks_net(e->program, l->table)))
		return TABLE_NO;
	k = eval_key(key);
	found = table_find(eval_table(e, l->table), &k, &c, e->arena,
	                   answer);
	if (found == TABLE_FAILED)
		eval_table_failed(e, l->table, answer->why);
	return found;
}

/* What a text's look-up came to. */
struct looked {
	struct looked *next;
	const struct lookup *of;
	enum table_result found;
	struct table_answer answer;
};

/*
 * Whether a rule failed is settled first, then its texts are filled in. At the
 * end a table is asked once for both: a server that answered before may not
 * answer again, and what was noted would be left out, or have a gap.
 */
static enum table_result
look_up(struct evaluation *e, const struct rule *r, const struct lookup *l,
        struct table_answer *answer)
{
	struct known *known = r->rcpt && e->rcpt != NULL ? e->rcpt : e->shared;
	struct looked *one = known->looked;

	if (e->stage < STAGE_END || e->closed)
		return ask_table(e, r, l, answer);
	while (one != NULL && one->of != l)
		one = one->next;
	if (one == NULL) {
		one = arena_alloc(e->arena, sizeof(*one));
		if (one == NULL)
			return TABLE_FAILED;
		one->of = l;
		one->found = ask_table(e, r, l, &one->answer);
		one->next = known->looked;
		known->looked = one;
	}
	*answer = one->answer;
	return one->found;
}

static struct span
looked_up(struct evaluation *e, const struct rule *r, const struct lookup *l)
{
	struct table_answer answer = {0};

	if (look_up(e, r, l, &answer) != TABLE_YES || answer.n == 0)
		return SPAN("");
	return answer.values[0];
}

static struct span
subject_text(struct evaluation *e, const struct rule *r, const struct piece *p)
{
	const struct value *v;

	if (p->kind == PIECE_LOOKUP)
		return looked_up(e, r, &p->lookup);
	v = fill_value(e, r, p->ask);
	return v == NULL || v->text.p == NULL ? SPAN("") : v->text;
}

static struct span
group_text(const struct span *groups, unsigned group)
{
	struct span s = groups[group];

	return s.p == NULL ? SPAN("") : s;
}

static struct span
fill_form(struct evaluation *e, const struct rule *r, const struct text *t,
          bool html)
{
	bool (*fill)(struct growing *, struct span) =
		html ? append_escaped : append_filling;
	struct growing g = {.arena = e->arena};
	struct span groups[PATTERN_GROUPS] = {{NULL, 0}};
	const struct piece *p;
	bool ok = true;

	if (t->groups && r->group_node != NO_NODE)
		eval_groups(e, &e->program->nodes[r->group_node], groups);
	for (p = t->pieces; p != NULL && ok; p = p->next) {
		if (p->html != html)
			continue;
		if (p->kind == PIECE_TEXT)
			ok = append(&g, p->text);
		else if (p->kind == PIECE_GROUP)
			ok = fill(&g, group_text(groups, p->group));
		else
			ok = fill(&g, subject_text(e, r, p));
	}
	return ok ? grown(&g) : (struct span){NULL, 0};
}

struct span
fill_text(struct evaluation *e, const struct rule *r, const struct text *t)
{
	return fill_form(e, r, t, false);
}

/* In the HTML form what is filled in is escaped. */
bool
fill_body(struct evaluation *e, const struct rule *r, const struct action *a,
          struct effect *out)
{
	out->once = a->once;
	if (a->plain)
		out->value = fill_form(e, r, &a->text, false);
	if (a->html)
		out->html = fill_form(e, r, &a->text, true);
	return (!a->plain || out->value.p != NULL)
	       && (!a->html || out->html.p != NULL);
}

/* Is it another one for each attachment that is replaced? */
static bool
is_of_attachment(const struct program *p, const struct piece *piece)
{
	if (piece->kind != PIECE_ASK)
		return false;
	switch (p->questions[piece->ask].ask.subject->id) {
	case SUBJECT_ATTACHMENT:
	case SUBJECT_ATTACHMENT_EXTENSION:
	case SUBJECT_ATTACHMENT_TYPE:
	case SUBJECT_ATTACHMENT_SIZE:
		return true;
	default:
		return false;
	}
}

static bool
is_left(const struct program *p, const struct action *a,
        const struct piece *piece)
{
	switch (piece->kind) {
	case PIECE_TEXT:
		return true;
	case PIECE_GROUP:
		return a->pattern != NULL;
	default:
		return a->row->effect == EFFECT_REPLACE_ATTACHMENT
		       && is_of_attachment(p, piece);
	}
}

static bool
piece_failed(struct evaluation *e, const struct rule *r, const struct piece *p)
{
	struct table_answer answer = {0};
	size_t ask = piece_ask(p);

	if (ask != NO_ASK && eval_fact(e, ask)->state == FACT_FAILED)
		return true;
	return p->kind == PIECE_LOOKUP
	       && look_up(e, r, &p->lookup, &answer) == TABLE_FAILED;
}

const struct piece *
fill_failed(struct evaluation *e, const struct rule *r)
{
	const struct action *a;
	const struct piece *p;

	for (a = r->actions; a != NULL; a = a->next) {
		if (a->row->ends != VERDICT_NONE
		    || action_tells(a->row))
			continue;
		for (p = a->text.pieces; p != NULL; p = p->next)
			if (!is_left(e->program, a, p)
			    && piece_failed(e, r, p))
				return p;
	}
	return NULL;
}

bool
fill_replacement(struct evaluation *e, const struct rule *r,
                 const struct action *a, struct text *out)
{
	struct span groups[PATTERN_GROUPS] = {{NULL, 0}};
	struct piece **end = &out->pieces;
	const struct piece *p;

	*out = a->text;
	if (a->pattern == NULL && a->text.groups && r->group_node != NO_NODE)
		eval_groups(e, &e->program->nodes[r->group_node], groups);
	for (p = a->text.pieces; p != NULL; p = p->next) {
		struct piece *copy = arena_alloc(e->arena, sizeof(*copy));
		struct growing g = {.arena = e->arena};

		if (copy == NULL)
			return false;
		*copy = *p;
		if (!is_left(e->program, a, p)) {
			if (!append_filling(&g, p->kind == PIECE_GROUP
			                    ? group_text(groups, p->group)
			                    : subject_text(e, r, p)))
				return false;
			copy->kind = PIECE_TEXT;
			copy->text = grown(&g);
		}
		*end = copy;
		end = &copy->next;
	}
	*end = NULL;
	return true;
}

struct span
fill_attachment(struct arena *a, const struct action *action,
                const struct span *groups,
                struct span (*give)(void *of, enum subject_id id), void *of)
{
	const struct question *questions = action->program->questions;
	struct growing g = {.arena = a};
	const struct piece *p;
	bool ok = true;

	for (p = action->text.pieces; p != NULL && ok; p = p->next) {
		if (p->kind == PIECE_TEXT)
			ok = append(&g, p->text);
		else if (p->kind == PIECE_GROUP)
			ok = append_filling(&g, group_text(groups, p->group));
		else
			ok = append_filling(&g, give(of,
				questions[p->ask].ask.subject->id));
	}
	return ok ? grown(&g) : (struct span){NULL, 0};
}

struct span
fill_groups(struct arena *a, const struct text *t, const struct span *groups)
{
	struct growing g = {.arena = a};
	const struct piece *p;
	bool ok = true;

	for (p = t->pieces; p != NULL && ok; p = p->next)
		ok = append(&g, p->kind == PIECE_GROUP
		                ? group_text(groups, p->group) : p->text);
	return ok ? grown(&g) : (struct span){NULL, 0};
}
