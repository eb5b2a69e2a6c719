/* parse_value.c - subjects, values, lists and tables in a policy. */
#include <string.h>

#include "caps.h"
#include "parser.h"
#include "words.h"

static struct ast_value *
make(struct parser *p, enum ast_value_kind kind, const struct token *t)
{
	struct ast_value *v = parser_alloc(p, sizeof(*v));

	v->kind = kind;
	v->place = t->place;
	v->text = t->text;
	v->flags = t->flags;
	return v;
}

/* Nothing but a subject's part may be glued to a string. */
static struct ast_value *
take_string(struct parser *p)
{
	struct token t = parser_take(p);

	if (parser_peek(p)->kind == TOKEN_WORD && parser_peek(p)->glued)
		FAIL(p, parser_peek(p)->place,
		     "a blank is missing after the string");
	return make(p, AST_STRING, &t);
}

static struct ast_value *
take(struct parser *p, enum ast_value_kind kind)
{
	struct token t = parser_take(p);

	return make(p, kind, &t);
}

void
parse_refuse_field(struct parser *p)
{
	const struct token *t = parser_peek(p);
	const char *colon = t->kind != TOKEN_STRING || t->text.n == 0 ? NULL :
	                    memchr(t->text.p, ':', t->text.n);
	struct span name = t->text, value;

	if (colon == NULL || t->text.n > 100 ||
	    parser_peek2(p)->kind == TOKEN_STRING)
		return;
	name.n = (size_t)(colon - name.p);
	value.p = colon + 1;
	value.n = t->text.n - name.n - 1;
	value = span_trim(value);
	FAIL(p, t->place, "the name and the value are two strings: \"%.*s\" "
	     "\"%.*s\"", SPAN_ARG(name), SPAN_ARG(value));
}

/* string := '"' ... '"' */
struct ast_value *
parse_string(struct parser *p, const char *what)
{
	const struct token *t = parser_peek(p);

	if (t->kind == TOKEN_STRING)
		return take_string(p);
	if (parser_new_line(p))
		FAIL(p, p->last, "a string is missing after %s", what);
	if (t->kind == TOKEN_WORD && words_value_kind(t->text) == WORD_FREE)
		FAIL(p, t->place, "a string stands after %s, in quotes: %s",
		     what, parser_quote(p, t->text));
	FAIL(p, t->place, "a string stands after %s, not %s", what,
	     parser_found(p));
}

/* A string where a pattern stands. */
static void
refuse_string_pattern(struct parser *p)
{
	const struct token *t = parser_peek(p);

	if (t->text.n == 0 || t->text.n > 60 ||
	    memchr(t->text.p, '/', t->text.n) != NULL)
		return;
	FAIL(p, t->place, "a pattern stands between slashes: /%.*s/",
	     SPAN_ARG(t->text));
}

/* pattern := "/" ... "/" flags */
struct ast_value *
parse_pattern(struct parser *p, const char *what)
{
	if (parser_peek(p)->kind == TOKEN_PATTERN)
		return take(p, AST_PATTERN);
	if (parser_ends(p))
		FAIL(p, p->last, "a pattern is missing after %s", what);
	if (parser_peek(p)->kind == TOKEN_STRING)
		refuse_string_pattern(p);
	FAIL(p, parser_peek(p)->place,
	     "a pattern stands after %s, between slashes, not %s", what,
	     parser_found(p));
}

/* A word may stand unquoted only if it can be nothing else. */
static void
refuse_taken(struct parser *p, const char *what)
{
	const struct token *t = parser_peek(p);
	enum word_kind kind = words_value_kind(t->text);

	if (kind == WORD_FREE)
		return;
	if (t->first)
		FAIL(p, p->last, "a value is missing after %s", what);
	FAIL(p, t->place, "a value is missing after %s (%s is %s: as a value "
	     "it stands in quotes)", what, parser_quote(p, t->text),
	     words_kind_name(kind));
}

/* word := WORD | string */
struct ast_value *
parse_word(struct parser *p, const char *what)
{
	if (parser_ends(p))
		FAIL(p, p->last, "a value is missing after %s", what);
	if (parser_peek(p)->kind == TOKEN_STRING)
		return take_string(p);
	if (parser_peek(p)->kind != TOKEN_WORD)
		FAIL(p, parser_peek(p)->place,
		     "a word or a string stands after %s, not %s", what,
		     parser_found(p));
	refuse_taken(p, what);
	return take(p, AST_WORD);
}

/* <user@example.org>: an address as mail has it. */
static void
refuse_angles(struct parser *p)
{
	const struct token *t = parser_peek(p);

	if (t->kind == TOKEN_TABLE && memchr(t->text.p, '@', t->text.n) != NULL)
		FAIL(p, t->place, "an address stands without < >: %.*s",
		     SPAN_ARG(t->text));
}

/* address := word | "<>" */
struct ast_value *
parse_address(struct parser *p, const char *what)
{
	const struct token *t = parser_peek(p);

	if (t->kind == TOKEN_NULL)
		return take(p, AST_NULL);
	refuse_angles(p);
	return parse_word(p, what);
}

/* ---- subjects ---- */

static bool
names_subject(struct parser *p)
{
	const struct token *t = parser_peek(p), *next;
	struct span name;

	if (!span_is(t->text, SPAN("raw")))
		return subject_find(t->text) != NULL;
	next = parser_peek2(p);
	if (next->kind != TOKEN_WORD)
		return false;
	name = arena_printf(p->all->arena, "raw %.*s", SPAN_ARG(next->text));
	return subject_find(name) != NULL;
}

bool
parse_at_subject(struct parser *p)
{
	return parser_peek(p)->kind == TOKEN_WORD && names_subject(p);
}

/* "client is 10.0.0.1 or 10.0.0.2" */
static bool
looks_like_value(struct span word)
{
	return word.n > 0 && (memchr(word.p, '@', word.n) != NULL ||
	                      (word.p[0] >= '0' && word.p[0] <= '9') ||
	                      word.p[0] == '.');
}

static void
unknown_subject(struct parser *p, struct place place, struct span name)
{
	struct span part = words_unknown_part(name);

	if (words_kind(name) == WORD_RESERVED) {
		MISTAKE(p, place, "%s is reserved for later",
		        parser_quote(p, name));
		return;
	}
	if (looks_like_value(name)) {
		MISTAKE(p, place, "%s is no subject: several values stand in "
		        "{ }", parser_quote(p, name));
		return;
	}
	if (span_is_nocase(name, SPAN("dkim")) ||
	    span_is_nocase(name, SPAN("dmarc"))) {
		MISTAKE(p, place, "unknown subject %s: what other filters find "
		        "stands in header \"Authentication-Results\"",
		        parser_quote(p, name));
		return;
	}
	if (words_name_field(name)) {
		MISTAKE(p, place, "unknown subject %s: a header field is "
		        "header \"%.*s\"", parser_quote(p, name),
		        SPAN_ARG(name));
		return;
	}
	if (place.n > part.n)
		place.n = part.n;
	MISTAKE(p, place, "unknown subject %s%s", parser_quote(p, part),
	        parser_meant(p, words_nearest_subject(part)));
}

/* argument := string | pattern, as the subject's row says */
static void
parse_argument(struct parser *p, struct ast_subject *s,
               enum subject_argument takes)
{
	const struct token *t = parser_peek(p);
	bool field = takes == ARGUMENT_FIELD ||
		takes == ARGUMENT_FIELD_OR_NONE;
	const char *example = takes == ARGUMENT_STRING ? "..." : "Name";

	if (t->kind == TOKEN_STRING) {
		struct token string = parser_take(p);

		s->argument = make(p, AST_STRING, &string);
		return;
	}
	if (t->kind == TOKEN_PATTERN && field) {
		s->argument = take(p, AST_PATTERN);
		return;
	}
	if (takes == ARGUMENT_FIELD_OR_NONE)
		return;
	if (!parser_ends(p) && t->kind == TOKEN_WORD &&
	    words_kind(t->text) == WORD_FREE && t->text.n <= 60)
		FAIL(p, t->place, "after \"%.*s\" stands %s in quotes: "
		     "%.*s \"%.*s\"", SPAN_ARG(s->name),
		     takes == ARGUMENT_STRING ? "a name" : "a field's name",
		     SPAN_ARG(s->name), SPAN_ARG(t->text));
	FAIL(p, s->place, "after \"%.*s\" stands %s in quotes: %.*s \"%s\"",
	     SPAN_ARG(s->name),
	     takes == ARGUMENT_STRING ? "a name" : "a field's name",
	     SPAN_ARG(s->name), example);
}

/* part := "." WORD, glued to the argument: address "Sender".domain */
static const struct subject *
parse_part(struct parser *p, struct ast_subject *s, const struct subject *row)
{
	const struct token *t = parser_peek(p);
	struct span name;

	if (s->argument == NULL || t->kind != TOKEN_WORD || !t->glued)
		return row;
	name = arena_printf(p->all->arena, "%.*s%.*s", SPAN_ARG(s->name),
	                    SPAN_ARG(t->text));
	row = subject_find(name);
	if (row == NULL || row->argument == ARGUMENT_NONE)
		unknown_subject(p, t->place, name);
	s->name = name;
	parser_take(p);
	return row;
}

/* subject := ["raw"] WORD [argument [part]] */
struct ast_subject *
parse_subject(struct parser *p)
{
	struct ast_subject *s = parser_alloc(p, sizeof(*s));
	struct token t = parser_take(p);
	const struct subject *row;

	s->name = t.text;
	s->place = t.place;
	if (span_is(t.text, SPAN("raw"))) {
		if (parser_ends(p) || parser_peek(p)->kind != TOKEN_WORD ||
		    words_kind(parser_peek(p)->text) == WORD_OPERATOR)
			FAIL(p, s->place, "after \"raw\" stands \"header\" or "
			     "\"body\"");
		t = parser_take(p);
		s->name = arena_printf(p->all->arena, "raw %.*s",
		                       SPAN_ARG(t.text));
		s->place = place_join(s->place, t.place);
	}
	row = subject_find(s->name);
	if (row == NULL)
		unknown_subject(p, s->place, s->name);
	if (row != NULL && row->argument != ARGUMENT_NONE)
		parse_argument(p, s, row->argument);
	else if (row == NULL && (parser_peek(p)->kind == TOKEN_STRING ||
	                         parser_peek(p)->kind == TOKEN_PATTERN))
		parser_take(p); /* it may have been its argument */
	parse_part(p, s, row);
	return s;
}

/* ---- lists ---- */

static _Noreturn void
not_closed(struct parser *p, const struct token *open, const char *what)
{
	const struct token *t = parser_peek(p);

	if (t->kind == TOKEN_END)
		FAIL(p, open->place, "this %s is not closed", what);
	FAIL(p, open->place, "this %s is not closed: line %u begins with %s%s",
	     what, place_line(t->place), parser_found(p),
	     lex_is_statement(t->text) ? "" :
	     " (as a value it stands in quotes)");
}

/* Takes the commas before an item; true if the list ends here. */
static bool
between_items(struct parser *p, const struct token *open, const char *what,
              bool first)
{
	const struct token *t;
	enum word_kind kind;
	bool comma = false;

	while (!parser_ends(p) && parser_peek(p)->kind == TOKEN_COMMA) {
		if (comma || first)
			MISTAKE(p, parser_peek(p)->place,
			        "a comma stands between two items");
		comma = true;
		parser_take(p);
	}
	t = parser_peek(p);
	kind = t->kind == TOKEN_WORD ? words_value_kind(t->text) : WORD_FREE;
	if (parser_ends(p) ||
	    (t->first && (kind == WORD_ACTION || kind == WORD_JOINER)))
		not_closed(p, open, what);
	if (t->kind != TOKEN_BRACE_END)
		return false;
	if (comma && !first)
		MISTAKE(p, p->last, "a comma stands between two items");
	parser_take(p);
	return true;
}

/* list := "{" { item [","] } "}" */
struct ast_value *
parse_list(struct parser *p, const char *what,
           struct ast_value *(*item)(struct parser *p))
{
	struct token open = parser_take(p);
	struct ast_value *list = make(p, AST_LIST, &open);
	struct ast_value **tail = &list->items;

	while (!between_items(p, &open, what, list->items == NULL)) {
		if (parser_peek(p)->kind == TOKEN_BRACE)
			FAIL(p, parser_peek(p)->place,
			     "a list can't stand in a list");
		*tail = item(p);
		tail = &(*tail)->next;
	}
	list->place = place_join(open.place, p->last);
	return list;
}

static struct ast_value *
parse_full_list(struct parser *p, struct ast_value *(*item)(struct parser *p))
{
	struct ast_value *list = parse_list(p, "list", item);

	if (list->items == NULL)
		MISTAKE(p, list->place, "this list is empty");
	return list;
}

/*
 * In a list, a word that is taken is a value without its quotes, or, where it
 * begins a line, what follows a list that was not closed.
 */
static void
refuse_taken_item(struct parser *p, const struct token *t)
{
	enum word_kind kind = words_value_kind(t->text);

	if (kind != WORD_FREE)
		MISTAKE(p, t->place, "%s is %s: as a value it stands in "
		        "quotes", parser_quote(p, t->text),
		        words_kind_name(kind));
}

/* constant := WORD | string | "<>" */
struct ast_value *
parse_constant(struct parser *p)
{
	const struct token *t = parser_peek(p);

	refuse_angles(p);
	switch (t->kind) {
	case TOKEN_STRING:
		return take_string(p);
	case TOKEN_NULL:
		return take(p, AST_NULL);
	case TOKEN_WORD:
		refuse_taken_item(p, t);
		return take(p, AST_WORD);
	case TOKEN_PATTERN:
		FAIL(p, t->place, "a pattern can't stand here");
	case TOKEN_TABLE:
		FAIL(p, t->place, "%s can't stand in a list: a table has an "
		     "\"in\" of its own", parser_found(p));
	default:
		FAIL(p, t->place, "%s can't stand in a list",
		     parser_found(p));
	}
}

/* key := constant | pattern */
static struct ast_value *
parse_key(struct parser *p)
{
	if (parser_peek(p)->kind == TOKEN_PATTERN)
		return take(p, AST_PATTERN);
	return parse_constant(p);
}

/* ---- what stands after an operator ---- */

/* "folded" stands once, for both sides. */
static void
refuse_folded(struct parser *p)
{
	const struct token *next;

	if (!parser_at(p, "folded"))
		return;
	next = parser_peek2(p);
	if (!next->first && (next->kind == TOKEN_STRING ||
	    (next->kind == TOKEN_WORD &&
	     (span_is(next->text, SPAN("raw")) ||
	      subject_find(next->text) != NULL))))
		FAIL(p, parser_peek(p)->place, "\"folded\" stands before the "
		     "first subject: it folds both sides");
}

/* operand := WORD | string | "<>" | subject */
static struct ast_value *
parse_item(struct parser *p)
{
	struct ast_value *v;
	struct token t;

	refuse_folded(p);
	if (!parse_at_subject(p))
		return parse_constant(p);
	t = *parser_peek(p);
	v = make(p, AST_SUBJECT, &t);
	v->subject = parse_subject(p);
	v->place = place_join(t.place, p->last);
	return v;
}

/* operand | "{" { operand } "}" */
struct ast_value *
parse_operand(struct parser *p, const char *after)
{
	const struct token *t = parser_peek(p);

	if (parser_ends(p))
		FAIL(p, p->last, "a value is missing after %s", after);
	refuse_angles(p);
	switch (t->kind) {
	case TOKEN_BRACE:
		return parse_full_list(p, parse_item);
	case TOKEN_PATTERN:
		FAIL(p, t->place, "a pattern stands after \"matches\", not "
		     "after %s", after);
	case TOKEN_TABLE:
		FAIL(p, t->place, "%s stands after \"in\", not after %s",
		     parser_found(p), after);
	case TOKEN_WORD:
		refuse_taken(p, after);
		return parse_item(p);
	case TOKEN_STRING:
	case TOKEN_NULL:
		return parse_item(p);
	case TOKEN_PAREN:
	case TOKEN_BRACKET:
		FAIL(p, t->place, "a value stands after %s; several stand in "
		     "braces: { a b }", after);
	default:
		FAIL(p, t->place, "a value stands after %s, not %s", after,
		     parser_found(p));
	}
}

static struct ast_value *
parse_pattern_item(struct parser *p)
{
	if (parser_peek(p)->kind == TOKEN_PATTERN)
		return take(p, AST_PATTERN);
	FAIL(p, parser_peek(p)->place,
	     "a pattern stands after \"matches\", between slashes, not %s",
	     parser_found(p));
}

/* pattern | "{" { pattern } "}" */
struct ast_value *
parse_patterns(struct parser *p)
{
	if (!parser_ends(p) && parser_peek(p)->kind == TOKEN_BRACE)
		return parse_full_list(p, parse_pattern_item);
	return parse_pattern(p, "\"matches\"");
}

/* [+-] digits [ "." digits ] [ "K" | "M" | "G" ] */
static bool
is_number(struct span s)
{
	size_t i = 0, digits = 0;
	bool point = false;

	if (s.n > 0 && (s.p[0] == '-' || s.p[0] == '+'))
		i++;
	for (; i < s.n; i++) {
		if (s.p[i] >= '0' && s.p[i] <= '9')
			digits++;
		else if (s.p[i] == '.' && !point && digits > 0)
			point = true;
		else
			break;
	}
	if (digits == 0 || s.p[i - 1] == '.')
		return false;
	return i == s.n || (i + 1 == s.n && strchr("KMG", s.p[i]) != NULL);
}

/* number := WORD */
struct ast_value *
parse_number(struct parser *p)
{
	const struct token *t = parser_peek(p);
	const char *after = parser_quote(p, (struct span){
		p->source->text.p + p->last.at, p->last.n});

	if (parser_ends(p) || (t->first && t->kind == TOKEN_WORD &&
	                       words_value_kind(t->text) != WORD_FREE))
		FAIL(p, p->last, "a number is missing after %s", after);
	if (t->kind == TOKEN_STRING && is_number(t->text))
		FAIL(p, t->place, "a number stands without quotes: %.*s",
		     SPAN_ARG(t->text));
	if (t->kind != TOKEN_WORD || !is_number(t->text))
		FAIL(p, t->place, "a number (50) or a size (64K, 10M, 1G) "
		     "stands after %s, not %s", after, parser_found(p));
	return take(p, AST_WORD);
}

/* ---- tables ---- */

/* "[" ["any" | "every"] subject "]" */
static struct ast_subject *
parse_lookup_key(struct parser *p)
{
	struct token open = parser_take(p);
	enum quantifier quant = QUANT_NONE;
	struct ast_subject *key;

	if (parser_accept(p, "any"))
		quant = QUANT_ANY;
	else if (parser_accept(p, "every"))
		quant = QUANT_EVERY;
	if (parser_ends(p))
		not_closed(p, &open, "\"[\"");
	if (parser_peek(p)->kind != TOKEN_WORD)
		FAIL(p, parser_peek(p)->place, "a table's key is a subject, "
		     "as in <table>[auth], not %s", parser_found(p));
	key = parse_subject(p);
	key->quant = quant;
	if (parser_ends(p))
		not_closed(p, &open, "\"[\"");
	if (!parser_accept_mark(p, TOKEN_BRACKET_END))
		FAIL(p, parser_peek(p)->place, "\"]\" stands after a table's "
		     "key, not %s", parser_found(p));
	return key;
}

/* lookup := "<" NAME ">" [ key ] */
static struct ast_value *
parse_lookup(struct parser *p)
{
	struct token t = parser_take(p);
	struct ast_value *v = make(p, AST_TABLE, &t);
	struct ast_lookup *lookup = parser_alloc(p, sizeof(*lookup));

	parse_name_letters(p, &t, "a table");
	lookup->place = t.place;
	lookup->name = t.text;
	v->lookup = lookup;
	if (!parser_ends(p) && parser_peek(p)->kind == TOKEN_BRACKET)
		lookup->key = parse_lookup_key(p);
	v->place = place_join(t.place, p->last);
	return v;
}

/* An entry of in { ... }: what looks like a subject is quoted, to be clear. */
static struct ast_value *
parse_unnamed_entry(struct parser *p)
{
	const struct token *t = parser_peek(p);

	if (t->kind == TOKEN_WORD && span_is(t->text, SPAN("=")))
		FAIL(p, t->place, "entries with values stand in a table with "
		     "a name: table <name> { ... }");
	if (parse_at_subject(p))
		MISTAKE(p, t->place, "%s is a subject: as an entry it stands "
		        "in quotes", parser_quote(p, t->text));
	return parse_key(p);
}

static bool
may_name_table(struct span word)
{
	size_t i;

	for (i = 0; i < word.n; i++)
		if (!(word.p[i] == '-' ||
		      ((word.p[i] | 32) >= 'a' && (word.p[i] | 32) <= 'z') ||
		      (i > 0 && word.p[i] >= '0' && word.p[i] <= '9')))
			return false;
	return word.n > 0;
}

/* What stands after "in", and is no table. */
static _Noreturn void
refuse_no_table(struct parser *p)
{
	const struct token *t = parser_peek(p);
	struct span word = t->text;

	if (t->kind == TOKEN_BRACKET || t->kind == TOKEN_PAREN)
		FAIL(p, t->place, "a list stands in braces: { a b }");
	if (t->kind != TOKEN_WORD || word.n > 60)
		FAIL(p, t->place, "a table stands after \"in\", <name> or "
		     "{ ... }, not %s", parser_found(p));
	if (word.p[0] == '!')
		FAIL(p, t->place, "the opposite of \"in\" is \"not in\"");
	if (word.p[0] == '$' || word.p[0] == '@' || word.p[0] == '%')
		word = (struct span){word.p + 1, word.n - 1};
	if (may_name_table(word))
		FAIL(p, t->place, "a table stands after \"in\": write "
		     "<%.*s>, or { ... } round its entries", SPAN_ARG(word));
	FAIL(p, t->place, "a table stands after \"in\": write { %.*s }",
	     SPAN_ARG(t->text));
}

/* table := lookup | "{" { key } "}" */
struct ast_value *
parse_table(struct parser *p)
{
	const struct token *t = parser_peek(p);

	if (parser_ends(p))
		FAIL(p, p->last, "a table is missing after \"in\": <name> or "
		     "{ ... }");
	if (t->kind == TOKEN_TABLE)
		return parse_lookup(p);
	if (t->kind == TOKEN_BRACE)
		return parse_full_list(p, parse_unnamed_entry);
	if (t->kind == TOKEN_LESS)
		FAIL(p, t->place, "a table's name stands in < >, begins with "
		     "a letter and has no blanks: <name>");
	refuse_no_table(p);
}

static struct ast_value *
parse_values(struct parser *p, const struct ast_value *key)
{
	struct token equals = parser_take(p);
	const struct token *t = parser_peek(p);

	if (!parser_ends(p) && (equals.glued || t->glued))
		MISTAKE(p, equals.place, "\"=\" stands between blanks");
	if (parser_ends(p) || t->kind != TOKEN_BRACE)
		FAIL(p, parser_here(p), "values stand in braces: %.*s = "
		     "{ ... }", SPAN_ARG(((struct span){
			     p->source->text.p + key->place.at,
			     key->place.n < 60 ? key->place.n : 60})));
	return parse_list(p, "list", parse_constant);
}

/* entry := key [ "=" "{" { constant } "}" ] */
static struct ast_entry *
parse_entry(struct parser *p)
{
	struct ast_entry *e = parser_alloc(p, sizeof(*e));

	if (parser_at(p, "="))
		FAIL(p, parser_peek(p)->place,
		     "\"=\" stands between a key and its values");
	e->key = parse_key(p);
	if (parser_at(p, "="))
		e->values = parse_values(p, e->key);
	else if (!parser_ends(p) && parser_peek(p)->kind == TOKEN_BRACE)
		FAIL(p, parser_peek(p)->place, "values follow \"=\" between "
		     "blanks: key = { ... }");
	return e;
}

static void
check_alike(struct parser *p, const struct ast_entry *entries)
{
	const struct ast_entry *e;

	for (e = entries; e != NULL; e = e->next) {
		if ((e->values == NULL) == (entries->values == NULL))
			continue;
		MISTAKE(p, e->key->place, "this entry has %s: either every "
		        "entry of a table has values, or none", e->values ==
		        NULL ? "no values, but others have" :
		        "values, but others have none");
		return;
	}
}

/* entries := "{" { entry [","] } "}" */
struct ast_entry *
parse_entries(struct parser *p)
{
	struct token open = parser_take(p);
	struct ast_entry *entries = NULL, **tail = &entries;

	while (!between_items(p, &open, "table", entries == NULL)) {
		*tail = parse_entry(p);
		tail = &(*tail)->next;
	}
	check_alike(p, entries);
	return entries;
}
