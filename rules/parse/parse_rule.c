/* parse_rule.c - rules and their actions. */
#include <string.h>

#include "parser.h"
#include "words.h"

/* ---- an action's arguments ---- */

static bool
digits(struct span s, size_t least, size_t most)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return s.n >= least && s.n <= most;
}

/* D "." D[DD] "." D[DD] (RFC 3463) */
static bool
is_xcode(struct span s)
{
	struct span rest = s, part;
	const char *dot;
	unsigned n;

	for (n = 0; n < 3; n++) {
		dot = memchr(rest.p, '.', rest.n);
		part = rest;
		if (dot != NULL)
			part.n = (size_t)(dot - rest.p);
		if (!digits(part, 1, n == 0 ? 1 : 3) ||
		    (dot == NULL) != (n == 2))
			return false;
		rest.p += n == 2 ? 0 : part.n + 1;
		rest.n -= n == 2 ? 0 : part.n + 1;
	}
	return true;
}

static bool
at_digit(struct parser *p)
{
	const struct token *t = parser_peek(p);

	return t->kind == TOKEN_WORD && t->text.p[0] >= '0' &&
		t->text.p[0] <= '9';
}

static struct ast_value *
take_word(struct parser *p)
{
	struct ast_value *v = parser_alloc(p, sizeof(*v));
	struct token t = parser_take(p);

	v->kind = AST_WORD;
	v->place = t.place;
	v->text = t.text;
	return v;
}

/* reply := [ CODE [ X.Y.Z ] ] [ string ] */
static void
parse_reply(struct parser *p, struct ast_action *a)
{
	const char *words = a->row->words;

	if (at_digit(p)) {
		if (is_xcode(parser_peek(p)->text))
			FAIL(p, parser_peek(p)->place, "a reply's code is "
			     "missing before %s: %s %s %.*s", parser_found(p),
			     words, a->row->code,
			     SPAN_ARG(parser_peek(p)->text));
		if (!digits(parser_peek(p)->text, 3, 3))
			FAIL(p, parser_peek(p)->place, "a reply's code has "
			     "three digits, as %s", a->row->code);
		a->code = take_word(p);
		if (at_digit(p)) {
			if (!is_xcode(parser_peek(p)->text))
				FAIL(p, parser_peek(p)->place, "an enhanced "
				     "code has three numbers, as %s",
				     a->row->xcode);
			a->xcode = take_word(p);
		}
	}
	if (parser_peek(p)->kind != TOKEN_STRING)
		return;
	a->text = parse_string(p, words);
	if (at_digit(p))
		FAIL(p, parser_peek(p)->place,
		     "a reply's code stands before its text");
}

static struct ast_value *
parse_header_name(struct parser *p, const char *words)
{
	const struct token *t = parser_peek(p);

	if (!parser_ends(p) && t->kind == TOKEN_WORD && t->text.n <= 60)
		FAIL(p, t->place, "a field's name stands in quotes: "
		     "%s \"%.*s\"", words,
		     (int)(t->text.n - (t->text.p[t->text.n - 1] == ':')),
		     t->text.p);
	if (parser_ends(p) || t->kind != TOKEN_STRING)
		FAIL(p, parser_here(p), "after \"%s\" stands a field's name "
		     "in quotes", words);
	return parse_string(p, words);
}

static struct ast_value *
parse_recipient(struct parser *p, const char *words)
{
	const struct token *t = parser_peek(p);

	if (!parser_ends(p) && parser_at(p, "to") && !parser_peek2(p)->first)
		FAIL(p, t->place, "\"to\" is too much after %s", words);
	if (!parser_ends(p) && t->kind == TOKEN_BRACE)
		FAIL(p, t->place, "%s takes one address, and no list",
		     words);
	if (!parser_ends(p) && parse_at_subject(p))
		FAIL(p, t->place, "%s is a subject: as an address write "
		     "\"${%.*s}\"", parser_found(p), SPAN_ARG(t->text));
	return parse_address(p, words);
}

/* per := "once" "per" TIME */
static struct ast_value *
parse_per(struct parser *p)
{
	if (!parser_accept(p, "per") || parser_ends(p) || !at_digit(p))
		FAIL(p, parser_here(p), "after \"once\" stand \"per\" and a "
		     "time: once per 6h");
	return take_word(p);
}

/* What the action's row takes, in the row's order. */
static void
parse_arguments(struct parser *p, struct ast_action *a)
{
	unsigned takes = a->row->takes;
	const char *words = parser_quote(p, span_of(a->row->words));

	if (takes & TAKES_REPLY)
		parse_reply(p, a);
	if ((takes & TAKES_NAME) && (takes & TAKES_TEXT) && !parser_ends(p))
		parse_refuse_field(p);
	if (takes & TAKES_NAME)
		a->name = parse_header_name(p, a->row->words);
	if ((takes & TAKES_MATCHING) && parser_accept(p, "matching"))
		a->pattern = parse_pattern(p, "\"matching\"");
	if ((takes & TAKES_WHERE) && parser_accept(p, "where"))
		a->where = parse_where(p);
	if (takes & TAKES_PATTERN)
		a->pattern = parse_pattern(p, words);
	if ((takes & TAKES_WITH) && !parser_accept(p, "with"))
		FAIL(p, parser_here(p), "after %s stands with \"text\", or "
		     "matching /pattern/ or where and a condition before it",
		     words);
	if (takes & TAKES_WITH)
		a->text = parse_string(p, "\"with\"");
	if (takes & TAKES_TEXT)
		a->text = parse_string(p, words);
	if ((takes & TAKES_OPTIONAL_TEXT) &&
	    parser_peek(p)->kind == TOKEN_STRING)
		a->text = parse_string(p, words);
	if (takes & TAKES_ADDRESS)
		a->text = parse_recipient(p, words);
	if (takes & TAKES_BODY)
		parse_body_texts(p, a);
	if ((takes & TAKES_PER) && parser_accept(p, "once"))
		a->per = parse_per(p);
}

/* ---- an action's words ---- */

/* The row of these words; second may be empty. */
static const struct action_row *
find_row(struct span first, struct span second)
{
	struct span words;
	size_t i;

	for (i = 0; i < action_count; i++) {
		words = span_of(action_rows[i].words);
		if (second.n == 0 ? span_is(words, first) :
		    words.n == first.n + 1 + second.n &&
		    memcmp(words.p, first.p, first.n) == 0 &&
		    words.p[first.n] == ' ' &&
		    memcmp(words.p + first.n + 1, second.p, second.n) == 0)
			return &action_rows[i];
	}
	return NULL;
}

/* Some row begins so, but with another word behind it. */
static _Noreturn void
unknown_second(struct parser *p, const struct token *first)
{
	const struct token *t = parser_peek(p);
	const char *list = "";
	size_t i;

	for (i = 0; i < action_count; i++) {
		const char *words = action_rows[i].words;

		if (strncmp(words, first->text.p, first->text.n) == 0 &&
		    words[first->text.n] == ' ')
			list = arena_printf(p->all->arena, "%s%s\"%s\"", list,
			                    *list == '\0' ? "" : " or ",
			                    words + first->text.n + 1).p;
	}
	if (parser_ends(p) || t->kind != TOKEN_WORD)
		FAIL(p, first->place, "%s is missing after \"%.*s\"", list,
		     SPAN_ARG(first->text));
	FAIL(p, t->place, "after \"%.*s\" stands %s, not %s%s",
	     SPAN_ARG(first->text), list, parser_found(p),
	     parser_meant(p, words_nearest_second(first->text, t->text)));
}

/* A word that may stand at the end of the action before. */
static const char *
nearest_tail(const struct ast_action *before, struct span word)
{
	static const struct {
		unsigned takes;
		const char *word;
	} tails[] = {
		{TAKES_MATCHING, "matching"}, {TAKES_WHERE, "where"},
		{TAKES_PER, "once per"},
		{TAKES_PER | TAKES_BODY, "once"}, {TAKES_BODY, "in html"},
	};
	const char *words[sizeof(tails) / sizeof(tails[0])];
	size_t i, n = 0;

	for (i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		if (before->row->takes & tails[i].takes)
			words[n++] = tails[i].word;
	return diag_nearest(word, words, n);
}

/* What belongs to the action before, and is not as it should be. */
static void
refuse_tail(struct parser *p, const struct ast_action *before)
{
	const struct token *t = parser_peek(p);
	unsigned takes = before->row->takes;
	const char *meant;

	if ((takes & TAKES_MATCHING) && before->pattern == NULL &&
	    t->kind == TOKEN_PATTERN)
		FAIL(p, t->place,
		     "\"matching\" is missing before this pattern");
	if (t->kind != TOKEN_WORD)
		return;
	if ((takes & TAKES_WHERE) && parser_at(p, "if"))
		FAIL(p, t->place, "which attachments is said by \"where\": "
		     "\"if\" stands before the actions");
	if ((takes & TAKES_BODY) &&
	    (parser_at(p, "html") || parser_at(p, "text")))
		FAIL(p, t->place, "\"in\" is missing before %s",
		     parser_found(p));
	if (before->once && parser_at(p, "in"))
		FAIL(p, t->place, "\"once\" stands last: behind in html "
		     "\"...\"");
	if ((takes & TAKES_PER) && parser_at(p, "per"))
		FAIL(p, t->place, "\"once\" is missing before \"per\"");
	if (span_is(span_of(before->row->words), SPAN("remove attachment")) &&
	    parser_at(p, "with"))
		FAIL(p, t->place, "\"with\" and a text stand after "
		     "\"replace attachment\"");
	meant = t->first ? NULL : nearest_tail(before, t->text);
	if (meant != NULL && !parser_at(p, meant))
		FAIL(p, t->place, "unknown word %s%s", parser_found(p),
		     parser_meant(p, meant));
}

/* What else stands where an action should. */
static _Noreturn void
unknown_action(struct parser *p, const struct ast_action *before,
               struct place name)
{
	const struct token *t = parser_peek(p);
	const char *meant;

	if (before != NULL)
		refuse_tail(p, before);
	if (t->kind == TOKEN_BRACE || t->kind == TOKEN_BRACE_END)
		FAIL(p, t->place, "a rule stands without braces: its "
		     "conditions and actions follow its name");
	if (t->kind == TOKEN_STRING && before != NULL &&
	    before->row->takes == 0)
		FAIL(p, t->place, "\"%s\" takes no text",
		     before->row->words);
	if (t->kind == TOKEN_STRING && before != NULL &&
	    (before->row->takes & (TAKES_REPLY | TAKES_OPTIONAL_TEXT)) &&
	    before->text != NULL)
		FAIL(p, t->place, "\"%s\" takes one text",
		     before->row->words);
	if (t->kind != TOKEN_WORD)
		FAIL(p, t->place, "an action is expected here, not %s",
		     parser_found(p));
	if (words_kind(t->text) == WORD_RESERVED)
		FAIL(p, t->place, "%s is reserved for later",
		     parser_found(p));
	if (words_kind(t->text) == WORD_JOINER)
		FAIL(p, t->place, "%s can't stand after an action: conditions "
		     "and \"on error\" stand before the actions",
		     parser_found(p));
	if (t->first && (meant = diag_nearest(t->text, words_statements,
	                                      words_statements_count)) != NULL)
		FAIL(p, t->place, "unknown statement %s%s", parser_found(p),
		     parser_meant(p, meant));
	parser_refuse_else(p);
	if (t->text.p[0] == ';')
		FAIL(p, t->place, "a comment begins with #");
	if (before == NULL && (words_kind(t->text) == WORD_SUBJECT ||
	                       words_kind(t->text) == WORD_OPERATOR))
		FAIL(p, t->place, "\"if\" is missing before %s",
		     parser_found(p));
	meant = words_nearest_action(t->text);
	if (meant == NULL && before == NULL && !t->first &&
	    p->last.at == name.at)
		FAIL(p, t->place, "unknown action %s (a rule's name is one "
		     "word: %.*s-%.*s)", parser_found(p),
		     (int)name.n, p->source->text.p + name.at,
		     t->text.n > 60 ? 0 : (int)t->text.n, t->text.p);
	if (meant == NULL && before != NULL && before->text == NULL &&
	    (before->row->takes & (TAKES_REPLY | TAKES_OPTIONAL_TEXT)))
		FAIL(p, t->place, "unknown action %s (a text stands in "
		     "quotes)", parser_found(p));
	FAIL(p, t->place, "unknown action %s%s", parser_found(p),
	     parser_meant(p, meant));
}

/* action := its words, its arguments */
static struct ast_action *
parse_action(struct parser *p, const struct ast_action *before,
             struct place name)
{
	struct ast_action *a = parser_alloc(p, sizeof(*a));
	struct token first;

	if (parser_peek(p)->kind != TOKEN_WORD ||
	    words_kind(parser_peek(p)->text) != WORD_ACTION)
		unknown_action(p, before, name);
	first = parser_take(p);
	if (!parser_ends(p) && parser_peek(p)->kind == TOKEN_WORD)
		a->row = find_row(first.text, parser_peek(p)->text);
	if (a->row != NULL)
		parser_take(p);
	else if ((a->row = find_row(first.text, SPAN(""))) == NULL)
		unknown_second(p, &first);
	a->place = place_join(first.place, p->last);
	parse_arguments(p, a);
	return a;
}

/* ---- rules ---- */

/* on-error := "on" "error" ( "skip" | "tempfail" | "reject" ) */
static void
parse_on_error(struct parser *p, struct ast_rule *rule)
{
	struct token on = parser_take(p);

	if (!parser_accept(p, "error"))
		FAIL(p, on.place, "after \"on\" stands \"error\": on error "
		     "skip, tempfail or reject");
	if (rule->on_error != ON_ERROR_UNSAID)
		FAIL(p, on.place, "\"on error\" stands twice");
	if (parser_accept(p, "skip"))
		rule->on_error = ON_ERROR_SKIP;
	else if (parser_accept(p, "tempfail"))
		rule->on_error = ON_ERROR_TEMPFAIL;
	else if (parser_accept(p, "reject"))
		rule->on_error = ON_ERROR_REJECT;
	else
		FAIL(p, parser_here(p), "after \"on error\" stands skip, "
		     "tempfail or reject");
	rule->on_error_place = place_join(on.place, p->last);
}

static void
check_clause(struct parser *p, const struct ast_rule *rule,
             const struct ast_clause *before, bool unless)
{
	struct place here = parser_peek(p)->place;

	if (rule->on_error != ON_ERROR_UNSAID)
		FAIL(p, here, "%s stands before \"on error\"",
		     parser_found(p));
	if (before == NULL || unless)
		return;
	if (before->unless)
		FAIL(p, here, "\"if\" stands before \"unless\"");
	FAIL(p, here, "a second \"if\": join the conditions with \"and\"");
}

/* clauses := [ "if" expr ] { "unless" expr } [ on-error ] */
static void
parse_clauses(struct parser *p, struct ast_rule *rule)
{
	struct ast_clause **tail = &rule->clauses, *c, *before = NULL;

	for (;;) {
		if (parser_at(p, "on")) {
			parse_on_error(p, rule);
			continue;
		}
		if (!parser_at(p, "if") && !parser_at(p, "unless"))
			return;
		c = parser_alloc(p, sizeof(*c));
		c->unless = parser_at(p, "unless");
		check_clause(p, rule, before, c->unless);
		parser_take(p);
		c->expr = parse_expr(p);
		*tail = before = c;
		tail = &c->next;
	}
}

/* rule := "rule" NAME clauses action { action } */
struct ast_rule *
parse_rule(struct parser *p, bool shadow)
{
	struct ast_rule *rule = parser_alloc(p, sizeof(*rule));
	struct ast_action **tail = &rule->actions, *before = NULL;
	struct token name = parse_name(p, "rule");

	rule->name = name.text;
	rule->name_place = name.place;
	rule->shadow = shadow;
	rule->on_error = ON_ERROR_UNSAID;
	parse_clauses(p, rule);
	while (!parser_at_statement(p)) {
		*tail = before = parse_action(p, before, rule->name_place);
		tail = &before->next;
	}
	if (rule->actions == NULL)
		FAIL(p, rule->name_place, "rule %s does nothing: an action is "
		     "missing", parser_quote(p, rule->name));
	return rule;
}
