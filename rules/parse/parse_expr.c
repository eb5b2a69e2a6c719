/* parse_expr.c - conditions. */
#include <string.h>

#include "caps.h"
#include "parser.h"
#include "words.h"

static struct expr *
make(struct parser *p, enum expr_kind kind, struct place place)
{
	struct expr *e = parser_alloc(p, sizeof(*e));

	e->kind = kind;
	e->place = place;
	return e;
}

static const char *
last_text(struct parser *p)
{
	return parser_quote(p, (struct span){
		p->source->text.p + p->last.at, p->last.n});
}

struct operator {
	const char *word;
	enum op op;
};

static const struct operator operators[] = {
	{"in", OP_IN}, {"matches", OP_MATCHES}, {"contains", OP_CONTAINS},
	{"begins", OP_BEGINS}, {"ends", OP_ENDS},
};

static bool
find_operator(const struct token *t, enum op *op)
{
	size_t i;

	switch (t->kind) {
	case TOKEN_LESS:
		*op = OP_LESS;
		return true;
	case TOKEN_LESS_OR_IS:
		*op = OP_LESS_OR_IS;
		return true;
	case TOKEN_MORE:
		*op = OP_MORE;
		return true;
	case TOKEN_MORE_OR_IS:
		*op = OP_MORE_OR_IS;
		return true;
	case TOKEN_WORD:
		break;
	default:
		return false;
	}
	for (i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		if (span_is(t->text, span_of(operators[i].word))) {
			*op = operators[i].op;
			return true;
		}
	}
	return false;
}

/* Can only an operator be meant here? */
static bool
looks_like_operator(const struct token *t)
{
	enum op op;

	if (t->kind == TOKEN_WORD && (span_is(t->text, SPAN("is")) ||
	                              span_is(t->text, SPAN("not")) ||
	                              words_foreign_operator(t->text) != NULL))
		return true;
	return find_operator(t, &op);
}

/* "is in <t>": the operator of the language is "in" alone. */
static void
refuse_two_operators(struct parser *p)
{
	const struct token *t = parser_peek(p), *next;
	enum op op;

	if (parser_ends(p) || !find_operator(t, &op))
		return;
	if (t->kind == TOKEN_WORD) {
		next = parser_peek2(p);
		if (next->kind != TOKEN_STRING && next->kind != TOKEN_TABLE &&
		    next->kind != TOKEN_PATTERN && next->kind != TOKEN_BRACE &&
		    next->kind != TOKEN_NULL)
			return; /* a value, oddly chosen */
	}
	FAIL(p, t->place, "%s is an operator itself: it stands without \"is\"",
	     parser_found(p));
}

static struct ast_value *
parse_right(struct parser *p, enum op op)
{
	switch (op) {
	case OP_IN:
		return parse_table(p);
	case OP_MATCHES:
		return parse_patterns(p);
	case OP_IS:
	case OP_CONTAINS:
	case OP_BEGINS:
	case OP_ENDS:
		return parse_operand(p, last_text(p));
	default:
		return parse_number(p);
	}
}

/* "begins with x" */
static void
refuse_with(struct parser *p, enum op op)
{
	const struct token *next;

	if ((op != OP_BEGINS && op != OP_ENDS) || parser_ends(p) ||
	    !parser_at(p, "with"))
		return;
	next = parser_peek2(p);
	if (!next->first && next->kind != TOKEN_END &&
	    next->kind != TOKEN_PAREN_END &&
	    words_kind(next->text) != WORD_JOINER)
		FAIL(p, parser_peek(p)->place, "\"with\" is too much: the "
		     "value follows the operator");
}

/* "is" ["not"] | ["not"] operator */
static bool
parse_operator(struct parser *p, struct expr *e)
{
	struct place from = parser_peek(p)->place;

	if (parser_ends(p))
		return false;
	if (parser_accept(p, "is")) {
		e->op = OP_IS;
		e->negated = parser_accept(p, "not");
		e->op_place = place_join(from, p->last);
		refuse_two_operators(p);
		return true;
	}
	e->negated = parser_accept(p, "not");
	if (e->negated && parser_at(p, "is"))
		FAIL(p, from, "\"not\" stands after \"is\": is not");
	if (find_operator(parser_peek(p), &e->op)) {
		parser_take(p);
		refuse_with(p, e->op);
		e->op_place = place_join(from, p->last);
		return true;
	}
	if (e->negated)
		FAIL(p, from, "after a subject, an operator follows \"not\": "
		     "not in, not contains ...; as the opposite of a "
		     "condition \"not\" stands before it");
	return false;
}

/* "folded", with a subject behind it */
static bool
parse_folded(struct parser *p)
{
	const struct token *t;

	if (!parser_accept(p, "folded"))
		return false;
	t = parser_peek(p);
	if (parser_at(p, "any") || parser_at(p, "every"))
		FAIL(p, t->place, "%s stands before \"folded\"",
		     parser_found(p));
	if (parser_ends(p) || t->kind != TOKEN_WORD ||
	    (!parse_at_subject(p) && words_kind(t->text) != WORD_FREE &&
	     words_kind(t->text) != WORD_RESERVED &&
	     !parser_at(p, "raw")))
		FAIL(p, p->last, "after \"folded\" stands a subject: "
		     "folded from.name contains ...");
	return true;
}

/* comparison := ["folded"] subject [ operator right ] */
static struct expr *
parse_comparison(struct parser *p, enum quantifier quant, struct place from)
{
	struct expr *e = make(p, EXPR_PRESENT, from);
	bool folded = parse_folded(p);

	e->subject = parse_subject(p);
	e->subject->quant = quant;
	e->subject->folded = folded;
	if (parser_peek(p)->kind == TOKEN_STRING)
		FAIL(p, parser_peek(p)->place,
		     "\"%.*s\" has all it takes: an operator is missing "
		     "before this string", SPAN_ARG(e->subject->name));
	if (parser_peek(p)->kind == TOKEN_PATTERN)
		FAIL(p, parser_peek(p)->place,
		     "\"matches\" is missing before this pattern");
	if (parser_peek(p)->kind == TOKEN_TABLE)
		FAIL(p, parser_peek(p)->place,
		     "\"in\" is missing before this table");
	if (parser_peek(p)->kind == TOKEN_NULL)
		FAIL(p, parser_peek(p)->place,
		     "\"is\" is missing before <> (\"is not\" is the "
		     "opposite)");
	if (parser_peek(p)->kind == TOKEN_BRACE)
		FAIL(p, parser_peek(p)->place, "an operator is missing "
		     "before this list: is { ... }, in { ... }");
	if (parse_operator(p, e)) {
		e->kind = EXPR_COMPARE;
		e->value = parse_right(p, e->op);
	}
	e->place = place_join(from, p->last);
	return e;
}

/* over := "over" "limit" NAME */
static struct expr *
parse_over(struct parser *p)
{
	struct token over = parser_take(p), t;
	struct expr *e = make(p, EXPR_OVER, over.place);

	if (parser_ends(p) || !parser_accept(p, "limit"))
		FAIL(p, parser_here(p), "after \"over\" stands \"limit\" and "
		     "a limit's name");
	if (parser_new_line(p) || parser_peek(p)->kind != TOKEN_WORD)
		FAIL(p, p->last, "a limit's name is missing after "
		     "\"over limit\"");
	t = parser_take(p);
	e->name = t.text;
	e->op_place = t.place;
	e->place = place_join(over.place, t.place);
	return e;
}

static bool
may_be_defined(struct span word)
{
	size_t i;

	for (i = 0; i < word.n; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz"
		           "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-",
		           word.p[i]) == NULL)
			return false;
	return true;
}

/* A word of the language where a condition should begin. */
static _Noreturn void
condition_missing(struct parser *p)
{
	const struct token *t = parser_peek(p);
	enum word_kind kind;

	if (parser_ends(p) ||
	    (t->first && words_kind(t->text) == WORD_ACTION))
		FAIL(p, p->last, "a condition is missing after %s",
		     last_text(p));
	if (t->kind == TOKEN_STRING && subject_find(t->text) != NULL)
		FAIL(p, t->place, "a subject stands without quotes: %.*s",
		     SPAN_ARG(t->text));
	if (t->kind == TOKEN_TABLE)
		FAIL(p, t->place, "a subject and \"in\" are missing before "
		     "%s", parser_found(p));
	if (t->kind != TOKEN_WORD)
		FAIL(p, t->place, "a condition begins with a subject or a "
		     "defined name, not %s", parser_found(p));
	if (span_is(t->text, SPAN("=")) || span_is(t->text, SPAN(":=")))
		FAIL(p, t->place, "%s is too much", parser_found(p));
	kind = words_kind(t->text);
	if (kind == WORD_OPERATOR)
		FAIL(p, t->place, "a subject is missing before %s",
		     parser_found(p));
	if (kind == WORD_RESERVED)
		FAIL(p, t->place, "%s is reserved for later",
		     parser_found(p));
	if (parser_at(p, "limit"))
		FAIL(p, t->place, "\"over\" is missing before \"limit\"");
	if (words_foreign_operator(t->text) != NULL || t->text.p[0] == '!')
		FAIL(p, t->place, "a condition begins with a subject or a "
		     "defined name, not %s (the opposite is \"not\")",
		     parser_found(p));
	FAIL(p, t->place, "a condition is missing before %s",
	     parser_found(p));
}

static enum quantifier
parse_quantifier(struct parser *p)
{
	if (parser_accept(p, "any"))
		return QUANT_ANY;
	return parser_accept(p, "every") ? QUANT_EVERY : QUANT_NONE;
}

/* "foled subject", "ovr limit": the first is no define of anybody's. */
static void
refuse_misspelt_modifier(struct parser *p)
{
	const struct token *t = parser_peek(p), *next = parser_peek2(p);
	const char *meant = words_nearest_modifier(t->text);

	if (meant == NULL || next->first || next->kind != TOKEN_WORD)
		return;
	if (words_kind(next->text) == WORD_SUBJECT ||
	    span_is(next->text, SPAN("limit")))
		FAIL(p, t->place, "unknown word %s%s", parser_found(p),
		     parser_meant(p, meant));
}

/* "spf=fail" */
static void
refuse_glued_operator(struct parser *p)
{
	const struct token *t = parser_peek(p);
	const char *equals = memchr(t->text.p, '=', t->text.n);
	struct span left = t->text, right;

	if (equals == NULL)
		return;
	left.n = (size_t)(equals - t->text.p);
	right.p = equals + 1 + (left.n + 1 < t->text.n && equals[1] == '=');
	right.n = (size_t)(t->text.p + t->text.n - right.p);
	if (subject_find(left) != NULL && right.n < 60)
		FAIL(p, t->place, "\"=\" is no operator: write %.*s is %.*s",
		     SPAN_ARG(left), SPAN_ARG(right));
}

/* "exists header ..." */
static void
refuse_exists(struct parser *p)
{
	const struct token *t = parser_peek(p), *next = parser_peek2(p);

	if (words_says_there(t->text) && !next->first &&
	    next->kind == TOKEN_WORD && words_kind(next->text) == WORD_SUBJECT)
		FAIL(p, t->place, "%s is too much: a subject alone is true if "
		     "it is there", parser_found(p));
}

/* A word that names no subject: a define, if it may be one here. */
static struct expr *
parse_name_or_comparison(struct parser *p, enum quantifier quant,
                         struct place from)
{
	const struct token *t = parser_peek(p), *next;
	struct expr *e;
	enum op op;

	if (parser_ends(p) || t->kind != TOKEN_WORD ||
	    words_kind(t->text) != WORD_FREE || t->text.p[0] == '!' ||
	    words_foreign_operator(t->text) != NULL)
		condition_missing(p);
	refuse_misspelt_modifier(p);
	refuse_glued_operator(p);
	refuse_exists(p);
	next = parser_peek2(p);
	if (t->text.p[0] >= '0' && t->text.p[0] <= '9' &&
	    find_operator(next, &op) && next->kind != TOKEN_WORD)
		FAIL(p, t->place, "%s is no subject: a number stands to the "
		     "right of < and >", parser_found(p));
	if (quant != QUANT_NONE || looks_like_operator(next) ||
	    next->kind == TOKEN_STRING || next->kind == TOKEN_PATTERN ||
	    !may_be_defined(t->text))
		return parse_comparison(p, quant, from);
	e = make(p, EXPR_DEFINED, t->place);
	e->name = t->text;
	parser_take(p);
	return e;
}

static struct expr *parse_or(struct parser *p);

/* A word that was meant for another one. */
static void
refuse_misspelt(struct parser *p, struct span word, bool bare)
{
	struct place place = parser_peek(p)->place;
	const char *meant = words_foreign_operator(word);

	if (span_is(word, SPAN("then")))
		FAIL(p, place, "\"then\" is too much: the action follows the "
		     "condition");
	if (bare && words_says_there(word))
		FAIL(p, place, "%s is too much: a subject alone is true if it "
		     "is there, with \"not\" before it if it is not",
		     parser_found(p));
	if (bare && span_is(word, SPAN("does")))
		FAIL(p, place, "\"does\" is no operator: write \"not "
		     "contains\", \"not matches\"");
	if (meant != NULL && (bare || span_is(span_of(meant), SPAN("and")) ||
	                      span_is(span_of(meant), SPAN("or"))))
		FAIL(p, place, "%s is no operator: write \"%s\"",
		     parser_found(p), meant);
	if (bare && (meant = words_nearest_operator(word)) != NULL)
		FAIL(p, place, "unknown operator %s%s", parser_found(p),
		     parser_meant(p, meant));
	if ((meant = words_nearest_action(word)) != NULL)
		FAIL(p, place, "unknown word %s%s", parser_found(p),
		     parser_meant(p, meant));
	parser_refuse_else(p);
	if (parser_peek(p)->first)
		FAIL(p, place, "unknown action %s", parser_found(p));
}

/* "/offer/ i" */
static void
refuse_flags(struct parser *p)
{
	const struct token *t = parser_peek(p);
	size_t i;

	if (t->kind != TOKEN_WORD || p->source->text.p[p->last.at] != '/')
		return;
	for (i = 0; i < t->text.n; i++)
		if (strchr("imsx", t->text.p[i]) == NULL)
			return;
	FAIL(p, t->place, "a pattern's flags follow it without a blank");
}

/* What may stand after a condition is known; this is something else. */
static _Noreturn void
refuse_follower(struct parser *p, bool bare)
{
	struct place place = parser_peek(p)->place;

	refuse_flags(p);
	if (parser_peek(p)->kind == TOKEN_WORD)
		refuse_misspelt(p, parser_peek(p)->text, bare);
	if (bare && (parser_at(p, "folded") || parser_at(p, "any") ||
	             parser_at(p, "every")))
		FAIL(p, place, "%s stands before the subject",
		     parser_found(p));
	if (parser_peek(p)->kind == TOKEN_PAREN_END)
		FAIL(p, place, "there is no \"(\" for this \")\"");
	FAIL(p, place, "%s can't stand after a condition: \"and\", \"or\"%s "
	     "or an action is missing%s", parser_found(p),
	     bare ? ", an operator" : "",
	     bare ? "" : "; several words stand in quotes, several values "
	     "in { }");
}

static void
check_follower(struct parser *p, const struct expr *e, bool in_paren)
{
	const struct token *t = parser_peek(p);
	enum word_kind kind;

	if (parser_ends(p) || (in_paren && t->kind == TOKEN_PAREN_END))
		return;
	if (t->kind == TOKEN_WORD && !in_paren) {
		kind = words_kind(t->text);
		if ((kind == WORD_JOINER && !span_is(t->text, SPAN("not"))) ||
		    kind == WORD_ACTION || kind == WORD_STATEMENT)
			return;
		if (kind == WORD_RESERVED)
			FAIL(p, t->place, "%s is reserved for later",
			     parser_found(p));
	}
	while (e->kind == EXPR_AND || e->kind == EXPR_OR)
		e = e->right;
	refuse_follower(p, e->kind != EXPR_COMPARE && e->kind != EXPR_OVER);
}

/* "(" or ")" */
static struct expr *
parse_paren(struct parser *p)
{
	struct token open = parser_take(p);
	struct expr *e;

	if (++p->depth > CAPS_EXPR_DEPTH)
		FAIL(p, open.place, "conditions are nested more than %d deep",
		     CAPS_EXPR_DEPTH);
	e = parse_or(p);
	if (parser_ends(p))
		FAIL(p, open.place, "this \"(\" is not closed");
	if (parser_peek(p)->kind == TOKEN_WORD &&
	    words_value_kind(parser_peek(p)->text) != WORD_FREE)
		FAIL(p, open.place, "this \"(\" is not closed before %s",
		     parser_found(p));
	check_follower(p, e, true);
	parser_take(p);
	p->depth--;
	e->place = place_join(open.place, p->last);
	e->paren = true;
	return e;
}

/* primary := "(" or ")" | DEFINED-NAME | over
 *          | ["any" | "every"] comparison */
static struct expr *
parse_primary(struct parser *p)
{
	struct place from = parser_peek(p)->place;
	enum quantifier quant;

	if (parser_peek(p)->kind == TOKEN_PAREN)
		return parse_paren(p);
	if (++p->terms > CAPS_EXPR_TERMS)
		FAIL(p, from, "more than %d conditions in one: values belong "
		     "in a table", CAPS_EXPR_TERMS);
	if (parser_at(p, "over"))
		return parse_over(p);
	quant = parse_quantifier(p);
	if (parser_at(p, "raw") || parser_at(p, "folded") ||
	    (!parser_ends(p) && parse_at_subject(p)))
		return parse_comparison(p, quant, from);
	return parse_name_or_comparison(p, quant, from);
}

/* not := [ "not" ] primary */
static struct expr *
parse_not(struct parser *p)
{
	struct place from = parser_peek(p)->place;
	struct expr *e;

	if (!parser_accept(p, "not"))
		return parse_primary(p);
	if (parser_at(p, "not"))
		FAIL(p, parser_peek(p)->place, "\"not\" stands twice");
	e = make(p, EXPR_NOT, from);
	e->left = parse_primary(p);
	e->place = place_join(from, p->last);
	return e;
}

static struct expr *
join(struct parser *p, enum expr_kind kind, struct expr *left,
     struct expr *right)
{
	struct expr *e = make(p, kind, place_join(left->place, right->place));

	e->left = left;
	e->right = right;
	return e;
}

/* and := not { "and" not } */
static struct expr *
parse_and(struct parser *p)
{
	struct expr *e = parse_not(p);

	while (parser_accept(p, "and"))
		e = join(p, EXPR_AND, e, parse_not(p));
	return e;
}

/* or := and { "or" and } */
static struct expr *
parse_or(struct parser *p)
{
	struct expr *e = parse_and(p);

	while (parser_accept(p, "or"))
		e = join(p, EXPR_OR, e, parse_and(p));
	return e;
}

/* where := "where" or; an action's own words may follow */
struct expr *
parse_where(struct parser *p)
{
	struct expr *e;

	p->depth = p->terms = 0;
	e = parse_or(p);
	if (parser_at(p, "matching"))
		FAIL(p, parser_peek(p)->place, "\"matching\" stands before "
		     "\"where\"");
	if (!parser_at(p, "with"))
		check_follower(p, e, false);
	return e;
}

/* expr := or */
struct expr *
parse_expr(struct parser *p)
{
	struct expr *e;

	p->depth = p->terms = 0;
	e = parse_or(p);
	check_follower(p, e, false);
	return e;
}
