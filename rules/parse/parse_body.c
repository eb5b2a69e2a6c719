/* parse_body.c - the texts that an action puts into a message's body. */
#include "parser.h"

/* body-text := string | "file" string */
static struct ast_value *
parse_text(struct parser *p, const char *what)
{
	struct ast_value *v;

	if (!parser_accept(p, "file"))
		return parse_string(p, what);
	v = parse_path(p, "\"file\"");
	v->kind = AST_FILE;
	return v;
}

/* form := "in" ( "text" | "html" ) body-text */
static void
parse_form(struct parser *p, struct ast_action *a)
{
	bool html = parser_at(p, "html");
	struct ast_value **form = html ? &a->html : &a->text;

	if (!html && !parser_at(p, "text"))
		FAIL(p, parser_here(p), "after \"in\" stands text or html");
	parser_take(p);
	if (*form != NULL)
		MISTAKE(p, p->last, "the text for %s stands twice",
		        html ? "HTML" : "plain text");
	*form = parse_text(p, html ? "\"in html\"" : "\"in text\"");
}

/* body-texts := ( body-text | form ) [ form ] [ "once" ] */
void
parse_body_texts(struct parser *p, struct ast_action *a)
{
	const struct token *t = parser_peek(p);

	if (parser_ends(p) || (t->kind != TOKEN_STRING &&
	    !parser_at(p, "file") && !parser_at(p, "in")))
		FAIL(p, parser_here(p), "after \"%s\" stands a text in "
		     "quotes, file \"F\", or in html \"...\"", a->row->words);
	if (!parser_at(p, "in"))
		a->text = parse_text(p, parser_quote(p,
			span_of(a->row->words)));
	while (parser_accept(p, "in"))
		parse_form(p, a);
	a->once = parser_accept(p, "once");
}
