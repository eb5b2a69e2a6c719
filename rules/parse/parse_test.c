/* parse_test.c - the tests that a policy brings along. */
#include "parser.h"
#include "stage.h"
#include "words.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* ---- what is given ---- */

enum fact_takes {
	FACT_WORD,
	FACT_WORD_AND_STRING, /* the string may be left out */
	FACT_ADDRESS,
	FACT_ADDRESSES,       /* one, or several in braces */
	FACT_STRING,
	FACT_PATH,
	FACT_TWO_STRINGS,
	FACT_LIMIT,           /* NAME used NUMBER, NAME fails */
};

static const struct fact_row {
	const char *word;
	enum fact_takes takes;
} facts[] = {
	{"client", FACT_WORD_AND_STRING},
	{"helo", FACT_WORD},
	{"auth", FACT_WORD},
	{"tls", FACT_WORD},
	{"daemon", FACT_WORD},
	{"sender", FACT_ADDRESS},
	{"sender.param", FACT_TWO_STRINGS},
	{"rcpt", FACT_ADDRESSES},
	{"rcpt.param", FACT_TWO_STRINGS},
	{"macro", FACT_TWO_STRINGS},
	{"spf", FACT_WORD},
	{"spf.helo", FACT_WORD},
	{"header", FACT_TWO_STRINGS},
	{"body", FACT_STRING},
	{"message file", FACT_PATH},
	{"limit", FACT_LIMIT},
};

static const char *const fact_words[] = {
	"client", "helo", "auth", "tls", "daemon", "sender", "sender.param",
	"rcpt", "rcpt.param", "macro", "spf", "spf.helo", "header", "body",
	"message", "expect",
};

/* Without quotes a fact's name is no value: the value was forgotten. */
static void
refuse_fact_word(struct parser *p, const char *what)
{
	const struct token *t = parser_peek(p);

	if (parser_ends(p) || t->kind != TOKEN_WORD ||
	    !words_have(fact_words, COUNT(fact_words), t->text))
		return;
	FAIL(p, t->place, "a value is missing after %s (%s is a word of "
	     "tests: as a value it stands in quotes)", what, parser_found(p));
}

static struct ast_value *
parse_address_item(struct parser *p)
{
	refuse_fact_word(p, "\"{\"");
	return parse_address(p, "\"{\"");
}

static struct ast_value *
parse_addresses(struct parser *p, const char *what)
{
	struct ast_value *list;

	if (parser_ends(p) || parser_peek(p)->kind != TOKEN_BRACE)
		return parse_address(p, what);
	list = parse_list(p, "list", parse_address_item);
	if (list->items == NULL)
		MISTAKE(p, list->place, "this list is empty");
	return list;
}

static void
parse_fact_arguments(struct parser *p, struct ast_given *g,
                     enum fact_takes takes)
{
	const char *what = parser_quote(p, g->word);

	refuse_fact_word(p, what);
	switch (takes) {
	case FACT_WORD:
	case FACT_WORD_AND_STRING:
		g->first = parse_word(p, what);
		if (takes == FACT_WORD_AND_STRING &&
		    parser_peek(p)->kind == TOKEN_STRING)
			g->second = parse_string(p, what);
		break;
	case FACT_ADDRESS:
		g->first = parse_address(p, what);
		break;
	case FACT_ADDRESSES:
		g->first = parse_addresses(p, what);
		break;
	case FACT_STRING:
		g->first = parse_string(p, what);
		break;
	case FACT_PATH:
		g->first = parse_path(p, what);
		break;
	case FACT_TWO_STRINGS:
		if (!parser_ends(p))
			parse_refuse_field(p);
		g->first = parse_string(p, what);
		g->second = parse_string(p, what);
		break;
	case FACT_LIMIT: /* parse_at_limit_fact has seen it */
		g->first = parse_word(p, what);
		g->fails = !parser_accept(p, "used");
		if (g->fails)
			parser_take(p);
		else
			g->second = parse_number(p);
		break;
	}
}

static _Noreturn void
unknown_fact(struct parser *p)
{
	static const char *const fields[] = {
		"from", "to", "cc", "reply-to", "subject",
	};
	const struct token *t = parser_peek(p);
	const char *meant;

	if (t->kind != TOKEN_WORD)
		FAIL(p, t->place, "a fact or \"expect\" stands here, not %s",
		     parser_found(p));
	if (words_kind(t->text) == WORD_RESERVED)
		FAIL(p, t->place, "%s is reserved for later",
		     parser_found(p));
	if (t->first && (meant = diag_nearest(t->text, words_statements,
	                                      words_statements_count)) != NULL)
		FAIL(p, t->place, "unknown statement %s%s", parser_found(p),
		     parser_meant(p, meant));
	if (t->text.p[0] == '4' || t->text.p[0] == '5')
		FAIL(p, t->place, "a reply is expected as reply \"text\", with "
		     "or without its codes in the text");
	meant = diag_nearest(t->text, fact_words, COUNT(fact_words));
	if (meant == NULL && (words_have(fields, COUNT(fields), t->text) ||
	                      words_name_field(t->text)))
		FAIL(p, t->place, "unknown word in a test, %s: a field is "
		     "given as header \"%.*s\" \"...\"", parser_found(p),
		     SPAN_ARG(t->text));
	if (meant == NULL) {
		meant = words_nearest_subject(t->text);
		if (meant != NULL &&
		    !words_have(fact_words, COUNT(fact_words), span_of(meant)))
			meant = NULL;
	}
	FAIL(p, t->place, "unknown word in a test, %s%s", parser_found(p),
	     parser_meant(p, meant));
}

/* fact := its word, its arguments */
static void
parse_fact(struct parser *p, struct ast_given *g)
{
	const struct token *t = parser_peek(p);
	size_t i;

	if (parser_at(p, "message")) {
		parser_take(p);
		if (!parser_accept(p, "file"))
			FAIL(p, g->place, "after \"message\" stands file "
			     "\"PATH\"");
		g->word = SPAN("message file");
		g->place = place_join(g->place, p->last);
		parse_fact_arguments(p, g, FACT_PATH);
		return;
	}
	for (i = 0; i < COUNT(facts); i++)
		if (t->kind == TOKEN_WORD &&
		    span_is(t->text, span_of(facts[i].word)))
			break;
	if (i == COUNT(facts))
		unknown_fact(p);
	g->word = parser_take(p).text;
	parse_fact_arguments(p, g, facts[i].takes);
}

/* table fact := "<" NAME ">" ( "{" { entry } "}" | "fails" ) */
static void
parse_table_fact(struct parser *p, struct ast_given *g)
{
	struct token t = parser_take(p);

	parse_name_letters(p, &t, "a table");
	g->table = t.text;
	if (!parser_ends(p) && parser_peek(p)->kind == TOKEN_BRACE) {
		g->entries = parse_entries(p);
		return;
	}
	if (!parser_accept(p, "fails"))
		FAIL(p, parser_here(p), "in a test, { ... } or \"fails\" "
		     "stands after <%.*s>", SPAN_ARG(t.text));
	g->fails = true;
}

/* ---- what is expected ---- */

static const char *const verdicts[] = {
	"accept", "reject", "tempfail", "discard", "held",
};

static const char *const expect_words[] = {
	"accept", "reject", "tempfail", "discard", "held", "header", "rcpt",
	"sender", "no", "shadow", "body", "attachment", "notify",
};

static bool
at_verdict(struct parser *p)
{
	return !parser_ends(p) && parser_peek(p)->kind == TOKEN_WORD &&
		words_have(verdicts, COUNT(verdicts), parser_peek(p)->text);
}

/* stage := "connect" | "helo" | "mail" | "rcpt" | "data" | "headers" | "end" */
static struct ast_value *
parse_stage(struct parser *p)
{
	const char *names[STAGES];
	const struct token *t;
	size_t i;

	for (i = 0; i < STAGES; i++)
		names[i] = stage_name((enum stage)i);
	t = parser_peek(p);
	if (parser_ends(p) || t->kind != TOKEN_WORD)
		FAIL(p, parser_here(p), "a stage stands after \"at\": "
		     "connect, helo, mail, rcpt, data, headers or end");
	if (!words_have(names, STAGES, t->text))
		FAIL(p, t->place, "unknown stage %s%s", parser_found(p),
		     parser_meant(p, diag_nearest(t->text, names, STAGES)));
	return parse_word(p, "\"at\"");
}

static void
once(struct parser *p, const struct ast_value *before)
{
	if (before != NULL)
		MISTAKE(p, p->last, "\"%.*s\" stands twice", (int)p->last.n,
		        p->source->text.p + p->last.at);
}

/* details := { "by" RULE | "at" stage | "for" address | "reply" string } */
static void
parse_details(struct parser *p, struct ast_expect *e)
{
	for (;;) {
		if (parser_accept(p, "by")) {
			once(p, e->by);
			refuse_fact_word(p, "\"by\"");
			e->by = parse_word(p, "\"by\"");
		} else if (parser_accept(p, "at")) {
			once(p, e->at);
			e->at = parse_stage(p);
		} else if (parser_accept(p, "for")) {
			once(p, e->rcpt);
			refuse_fact_word(p, "\"for\"");
			e->rcpt = parse_address(p, "\"for\"");
		} else if (parser_accept(p, "reply")) {
			once(p, e->reply);
			e->reply = parse_string(p, "\"reply\"");
		} else {
			return;
		}
	}
}

/* shadow := ( verdict | "noted" ) "by" RULE */
static void
parse_shadow(struct parser *p, struct ast_expect *e)
{
	e->kind = AST_EXPECT_SHADOW;
	if (parser_ends(p) || parser_at(p, "held") ||
	    !(at_verdict(p) || parser_at(p, "noted")))
		FAIL(p, parser_here(p), "after \"expect shadow\" stands a "
		     "verdict (accept, reject, tempfail or discard), or "
		     "\"noted\" where there is none");
	e->verdict = parser_take(p).text;
	if (!parser_accept(p, "by"))
		FAIL(p, parser_here(p), "after \"expect shadow %.*s\" stands "
		     "\"by\" and a rule's name", SPAN_ARG(e->verdict));
	refuse_fact_word(p, "\"by\"");
	e->by = parse_word(p, "\"by\"");
}

/* no := "header" string [ string ] | "rcpt" address | "attachment" string
 *     | "notify" address | "shadow" "by" RULE */
static void
parse_no(struct parser *p, struct ast_expect *e)
{
	if (parser_accept(p, "header")) {
		e->kind = AST_EXPECT_NO_HEADER;
		e->name = parse_string(p, "\"no header\"");
		if (parser_peek(p)->kind == TOKEN_STRING)
			e->value = parse_string(p, "\"no header\"");
	} else if (parser_accept(p, "shadow")) {
		e->kind = AST_EXPECT_NO_SHADOW;
		if (!parser_accept(p, "by"))
			FAIL(p, parser_here(p), "after \"expect no shadow\" "
			     "stands \"by\" and a rule's name");
		refuse_fact_word(p, "\"by\"");
		e->by = parse_word(p, "\"by\"");
	} else if (parser_accept(p, "rcpt")) {
		e->kind = AST_EXPECT_NO_RCPT;
		refuse_fact_word(p, "\"no rcpt\"");
		e->rcpt = parse_address(p, "\"no rcpt\"");
	} else if (parser_accept(p, "attachment")) {
		e->kind = AST_EXPECT_NO_ATTACHMENT;
		e->value = parse_string(p, "\"no attachment\"");
	} else if (parser_accept(p, "notify")) {
		e->kind = AST_EXPECT_NO_NOTIFY;
		refuse_fact_word(p, "\"no notify\"");
		e->rcpt = parse_address(p, "\"no notify\"");
	} else {
		FAIL(p, parser_here(p), "after \"expect no\" stands "
		     "\"header\", \"rcpt\", \"attachment\", \"notify\" or "
		     "\"shadow\"");
	}
}

static _Noreturn void
unknown_expect(struct parser *p)
{
	const struct token *t = parser_peek(p);
	const char *meant;

	if (parser_ends(p) || t->kind != TOKEN_WORD)
		FAIL(p, parser_here(p), "after \"expect\" stands a verdict "
		     "(accept, reject, tempfail, discard, held), or header, "
		     "rcpt, sender, body, attachment, notify, no, shadow");
	meant = span_is(t->text, SPAN("quarantine")) ? "held" :
		diag_nearest(t->text, expect_words, COUNT(expect_words));
	FAIL(p, t->place, "unknown word after \"expect\", %s%s",
	     parser_found(p), parser_meant(p, meant));
}

/* body := [ "not" ] "contains" string */
static void
parse_body(struct parser *p, struct ast_expect *e)
{
	e->kind = AST_EXPECT_BODY;
	if (parser_accept(p, "not"))
		e->kind = AST_EXPECT_BODY_NOT;
	if (!parser_accept(p, "contains"))
		FAIL(p, parser_here(p), "after \"expect body\" stands "
		     "contains or not contains");
	e->value = parse_string(p, "\"contains\"");
}

/*
 * expect := "expect" ( verdict details | "shadow" shadow | "no" no
 *                    | "header" string string | "rcpt" address
 *                    | "sender" address
 *                    | "body" body | "attachment" string
 *                    | "notify" address )
 */
static struct ast_expect *
parse_expect(struct parser *p)
{
	struct ast_expect *e = parser_alloc(p, sizeof(*e));

	e->place = parser_take(p).place;
	if (at_verdict(p)) {
		e->kind = AST_EXPECT_VERDICT;
		e->verdict = parser_take(p).text;
		parse_details(p, e);
	} else if (!parser_ends(p) && parser_accept(p, "shadow")) {
		parse_shadow(p, e);
	} else if (parser_accept(p, "no")) {
		parse_no(p, e);
	} else if (parser_accept(p, "header")) {
		e->kind = AST_EXPECT_HEADER;
		if (!parser_ends(p))
			parse_refuse_field(p);
		e->name = parse_string(p, "\"header\"");
		e->value = parse_string(p, "\"header\"");
	} else if (parser_accept(p, "rcpt")) {
		e->kind = AST_EXPECT_RCPT;
		refuse_fact_word(p, "\"rcpt\"");
		e->rcpt = parse_address(p, "\"rcpt\"");
	} else if (parser_accept(p, "sender")) {
		e->kind = AST_EXPECT_SENDER;
		refuse_fact_word(p, "\"sender\"");
		e->rcpt = parse_address(p, "\"sender\"");
	} else if (parser_accept(p, "body")) {
		parse_body(p, e);
	} else if (parser_accept(p, "attachment")) {
		e->kind = AST_EXPECT_ATTACHMENT;
		e->value = parse_string(p, "\"attachment\"");
	} else if (parser_accept(p, "notify")) {
		e->kind = AST_EXPECT_NOTIFY;
		refuse_fact_word(p, "\"notify\"");
		e->rcpt = parse_address(p, "\"notify\"");
	} else {
		unknown_expect(p);
	}
	e->place = place_join(e->place, p->last);
	return e;
}

/* ---- tests ---- */

static struct ast_given *
parse_given(struct parser *p)
{
	struct ast_given *g = parser_alloc(p, sizeof(*g));

	g->place = parser_peek(p)->place;
	if (parser_peek(p)->kind == TOKEN_TABLE)
		parse_table_fact(p, g);
	else
		parse_fact(p, g);
	return g;
}

/* test := "test" string { fact | table fact | expect } */
struct ast_test *
parse_test(struct parser *p)
{
	struct ast_test *test = parser_alloc(p, sizeof(*test));
	struct ast_given **given = &test->givens;
	struct ast_expect **expect = &test->expects;
	struct ast_value *name = parse_string(p, "\"test\"");

	test->name = name->text;
	test->name_place = name->place;
	while (parse_at_limit_fact(p) || !parser_at_statement(p)) {
		if (parser_at(p, "expect")) {
			*expect = parse_expect(p);
			expect = &(*expect)->next;
		} else {
			*given = parse_given(p);
			given = &(*given)->next;
		}
	}
	if (test->expects == NULL)
		FAIL(p, test->name_place, "this test expects nothing: "
		     "\"expect\" is missing");
	return test;
}
