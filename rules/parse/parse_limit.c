/* parse_limit.c - limits, as statements and as facts of a test. */
#include <string.h>

#include "parser.h"

#define FORM "limit NAME 200 recipients per 1h by auth"

/* A word of the statement, or its end. */
static struct ast_value *
parse_part(struct parser *p, const char *what)
{
	if (parser_new_line(p))
		FAIL(p, p->last, "%s is missing: " FORM, what);
	if (parser_peek(p)->kind != TOKEN_WORD)
		FAIL(p, parser_peek(p)->place, "%s stands here, not %s: " FORM,
		     what, parser_found(p));
	return parse_word(p, what);
}

static void
parse_joint(struct parser *p, const char *word, const char *before)
{
	if (!parser_new_line(p) && parser_accept(p, word))
		return;
	FAIL(p, parser_new_line(p) ? p->last : parser_peek(p)->place,
	     "\"%s\" and %s stand here: " FORM, word, before);
}

/* by := subject | WORD "/" BITS [ "/" BITS ] */
static void
parse_by(struct parser *p, struct ast_limit *limit)
{
	const char *slash;
	struct token t;

	if (parser_new_line(p) || parser_peek(p)->kind != TOKEN_WORD)
		FAIL(p, parser_new_line(p) ? p->last : parser_peek(p)->place,
		     "a subject stands after \"by\": " FORM);
	t = *parser_peek(p);
	slash = memchr(t.text.p, '/', t.text.n);
	if (slash == NULL) {
		limit->by = parse_subject(p);
		return;
	}
	parser_take(p);
	limit->by = parser_alloc(p, sizeof(*limit->by));
	limit->by->name.p = t.text.p;
	limit->by->name.n = (size_t)(slash - t.text.p);
	limit->by->place = t.place;
	limit->bits.p = slash + 1;
	limit->bits.n = t.text.n - limit->by->name.n - 1;
}

/* limit := "limit" NAME NUMBER UNIT "per" TIME "by" by */
struct ast_limit *
parse_limit(struct parser *p)
{
	struct ast_limit *limit = parser_alloc(p, sizeof(*limit));
	struct token t = parse_name(p, "limit");

	limit->name = t.text;
	limit->name_place = t.place;
	if (!parser_new_line(p) && parser_at(p, "used"))
		FAIL(p, parser_peek(p)->place, "what of a limit is used is "
		     "said in a test; a limit is made by: " FORM);
	limit->most = parse_part(p, "a number");
	limit->unit = parse_part(p, "what is counted");
	parse_joint(p, "per", "a time");
	limit->time = parse_part(p, "a time");
	parse_joint(p, "by", "a subject");
	parse_by(p, limit);
	return limit;
}

bool
parse_at_limit_fact(struct parser *p)
{
	const struct token *t;

	if (!parser_at(p, "limit") || parser_peek2(p)->kind != TOKEN_WORD)
		return false;
	t = parser_peek3(p);
	return t->kind == TOKEN_WORD && (span_is(t->text, SPAN("used")) ||
	                                 span_is(t->text, SPAN("fails")));
}
