/* check_text.c - ${...} and $1 in the texts of actions. */
#include <string.h>

#include "checker.h"

/* A text being read; at is in v->text. */
struct reader {
	struct checker *c;
	const struct ast_value *v;
	size_t at;
	struct text text;
	struct piece **end;
};

/* Past n bytes of the text, of which an escape is one, from at. */
static size_t
skip_text(struct place place, size_t at, size_t n)
{
	const char *p = place.source->text.p;

	for (; n > 0; n--)
		at += p[place.at] == '"' && p[at] == '\\' ? 2 : 1;
	return at;
}

/* The place of part of the text, in the source. */
static struct place
place_of(const struct reader *r, struct span part)
{
	struct place place = r->v->place;
	size_t from;

	if (place.source == NULL || part.n == 0)
		return place;
	from = place.at + (place.source->text.p[place.at] == '"');
	from = skip_text(place, from, (size_t)(part.p - r->v->text.p));
	place.n = skip_text(place, from, part.n) - from;
	place.at = from;
	return place;
}

static struct piece *
add_piece(struct reader *r, enum piece_kind kind)
{
	struct piece *p = arena_alloc(r->c->arena, sizeof(*p));

	p->kind = kind;
	*r->end = p;
	r->end = &p->next;
	return p;
}

static void
add_literal(struct reader *r, struct span s)
{
	if (s.n > 0)
		add_piece(r, PIECE_TEXT)->text = s;
}

/* subject := ["raw"] WORD [ STRING ] */
static struct ast_subject *
parse_subject(struct reader *r, struct span inside)
{
	struct ast_subject *s = arena_alloc(r->c->arena, sizeof(*s));
	const char *quote = inside.n == 0 ? NULL
	                    : memchr(inside.p, '"', inside.n);
	struct ast_value *v;

	s->place = place_of(r, inside);
	s->name = span_trim(inside);
	if (quote == NULL)
		return s;
	s->name = span_trim((struct span){inside.p,
	                    (size_t)(quote - inside.p)});
	v = arena_alloc(r->c->arena, sizeof(*v));
	v->kind = AST_STRING;
	v->place = s->place;
	v->text.p = quote + 1;
	v->text.n = (size_t)(inside.p + inside.n - v->text.p);
	v->text = span_trim(v->text);
	if (v->text.n == 0 || v->text.p[v->text.n - 1] != '"') {
		diag_error(r->c->diags, s->place,
		           "the name in ${...} is not closed by \\\"");
		return NULL;
	}
	v->text.n--;
	s->argument = v;
	return s;
}

static void
tell_unknown_subject(struct reader *r, const struct ast_subject *s)
{
	const char *names[SUBJECTS];
	const char *near;
	struct span head = s->name, rest;
	size_t i;

	while (head.n > 0 && head.p[head.n - 1] != ' ')
		head.n--;
	rest = (struct span){head.p + head.n, s->name.n - head.n};
	head = span_trim(head);
	if (subject_find(head) != NULL && s->argument == NULL) {
		diag_error(r->c->diags, s->place,
		           "in ${...} a name stands in quotes with a backslash: "
		           "${%.*s \\\"%.*s\\\"}", SPAN_ARG(head),
		           SPAN_ARG(rest));
		return;
	}
	for (i = 0; i < SUBJECTS; i++)
		names[i] = subject_row((enum subject_id)i)->name;
	near = diag_nearest(s->name, names, SUBJECTS);
	if (near == NULL)
		diag_error(r->c->diags, s->place, "unknown subject \"%.*s\"",
		           SPAN_ARG(s->name));
	else
		diag_error(r->c->diags, s->place,
		           "unknown subject \"%.*s\": did you mean \"%s\"?",
		           SPAN_ARG(s->name), near);
}

static size_t
subject_in_text(struct reader *r, struct span inside)
{
	struct ast_subject *s = parse_subject(r, inside);
	size_t ask;

	if (s == NULL)
		return NO_ASK;
	if (subject_find(s->name) == NULL) {
		tell_unknown_subject(r, s);
		return NO_ASK;
	}
	ask = check_subject(r->c, s);
	if (ask != NO_ASK && r->c->program->questions[ask].rcpt)
		r->text.rcpt = true;
	return ask;
}

/* ${<t>[subject]} */
static void
add_lookup(struct reader *r, struct span inside)
{
	const char *open = memchr(inside.p, '[', inside.n);
	const char *close = memchr(inside.p, '>', inside.n);
	struct ast_lookup l = {.place = place_of(r, inside)};
	struct ast_subject *key;
	struct piece *p;

	if (open == NULL || close == NULL || close + 1 != open
	    || inside.p[inside.n - 1] != ']') {
		diag_error(r->c->diags, l.place,
		           "a table is filled in as ${<name>[subject]}");
		return;
	}
	l.name = (struct span){inside.p + 1, (size_t)(close - inside.p - 1)};
	key = parse_subject(r, (struct span){open + 1,
	                    (size_t)(inside.p + inside.n - 2 - open)});
	if (key == NULL)
		return;
	if (subject_find(key->name) == NULL) {
		tell_unknown_subject(r, key);
		return;
	}
	key->quant = subject_find(key->name)->flags & SUBJECT_IS_MANY
	             ? QUANT_ANY : QUANT_NONE;
	l.key = key;
	p = add_piece(r, PIECE_LOOKUP);
	if (check_lookup(r->c, &l, VALUE_TEXT, &p->lookup)
	    && r->c->program->questions[p->lookup.ask].rcpt)
		r->text.rcpt = true;
}

/* What stands in ${...}. */
static void
fill(struct reader *r, struct span inside)
{
	size_t ask;

	inside = span_trim(inside);
	if (inside.n > 0 && inside.p[0] == '<') {
		add_lookup(r, inside);
		return;
	}
	ask = subject_in_text(r, inside);
	if (ask != NO_ASK)
		add_piece(r, PIECE_ASK)->ask = ask;
}

/* A dollar at r->at, with what follows it; moves past it. */
static void
dollar(struct reader *r)
{
	struct span t = r->v->text;
	const char *p = t.p + r->at, *close;
	size_t left = t.n - r->at;

	if (left > 1 && p[1] == '$') {
		add_literal(r, (struct span){p, 1});
		r->at += 2;
	} else if (left > 1 && p[1] >= '1' && p[1] <= '9') {
		add_piece(r, PIECE_GROUP)->group = (unsigned)(p[1] - '0');
		r->text.groups = true;
		r->at += 2;
	} else if (left > 1 && p[1] == '{'
	           && (close = memchr(p, '}', left)) != NULL) {
		/* a macro's name has braces of its own */
		if (close[-1] != '"' && memchr(p, '"', (size_t)(close - p))
		    && (size_t)(close - t.p) + 2 < t.n && close[1] == '"'
		    && close[2] == '}')
			close += 2;
		fill(r, (struct span){p + 2, (size_t)(close - p - 2)});
		r->at += (size_t)(close - p) + 1;
	} else {
		diag_error(r->c->diags, place_of(r, (struct span){p, 1}),
		           "a dollar begins ${subject} or $1; a dollar itself is "
		           "$$");
		r->at++;
	}
}

struct text
check_text(struct checker *c, const struct ast_value *v,
           const struct pattern *replacement)
{
	struct reader r = {.c = c, .v = v};
	struct span t = v->text;
	unsigned groups;
	struct piece *p;

	r.end = &r.text.pieces;
	while (r.at < t.n) {
		const char *from = t.p + r.at;
		const char *to = memchr(from, '$', t.n - r.at);
		size_t n = to == NULL ? t.n - r.at : (size_t)(to - from);

		add_literal(&r, (struct span){from, n});
		r.at += n;
		if (to != NULL)
			dollar(&r);
	}
	if (replacement == NULL)
		return r.text;
	groups = pattern_groups(replacement);
	for (p = r.text.pieces; p != NULL; p = p->next)
		if (p->kind == PIECE_GROUP && p->group > groups)
			diag_error(c->diags, v->place,
			           "$%u: the pattern has %u group%s", p->group,
			           groups, groups == 1 ? "" : "s");
	return r.text;
}
