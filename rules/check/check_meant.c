/*
 * check_meant.c - values that are right by their grammar and can't be meant:
 * what such a condition compares never comes, so that its rule would sleep.
 */
#include <string.h>

#include "caps.h"
#include "checker.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
one_of(const char *const *words, size_t n, struct span s)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (span_is_nocase(s, span_of(words[i])))
			return true;
	return false;
}

/* ---- that something is there, or is not ---- */

/* What is there or not, whatever its words. */
static bool
of_the_mta(enum subject_id id)
{
	return (id >= SUBJECT_AUTH && id <= SUBJECT_TLS_VERIFIED)
	       || id == SUBJECT_CLIENT_NAME || id == SUBJECT_CLIENT_PTR
	       || id == SUBJECT_SENDER;
}

/*
 * header "X" is missing, auth is true, client.name is unknown: in quotes such
 * a word is a text like any other, and so it is for what a stranger writes.
 */
static bool
says_there(const struct subject *row, const struct ast_value *v)
{
	static const char *const always[] = {
		"missing", "empty", "absent", "present", "null", "undefined",
		"unset", "set", "there",
	};
	static const char *const ours[] = {
		"yes", "no", "true", "false", "on", "off", "none", "unknown",
	};

	if (v->kind != AST_WORD || (row->flags & SUBJECT_IS_WORD))
		return false;
	if (one_of(always, COUNT(always), v->text))
		return true;
	return of_the_mta(row->id) && one_of(ours, COUNT(ours), v->text);
}

static void
warn_there(struct checker *c, const struct subject *row,
           const struct ast_value *v)
{
	const char *rest;

	if (row->id == SUBJECT_SENDER) {
		diag_warning(c->diags, v->place, "\"%.*s\" is compared as a "
		             "text: the null sender is <>", SPAN_ARG(v->text));
		return;
	}
	rest = row->argument == ARGUMENT_NONE ? "" : " \"...\"";

	diag_warning(c->diags, v->place, "\"%.*s\" is compared as a text: "
	             "write %s%s if there is one, not %s%s if there is none "
	             "(a text stands in quotes)", SPAN_ARG(v->text), row->name,
	             rest, row->name, rest);
}

/* ---- names and addresses ---- */

static bool
address_meant(struct checker *c, const struct ast_value *v)
{
	struct span t = v->text, rest = {t.p + 1, t.n - 1};

	if (t.n == 0) {
		diag_error(c->diags, v->place,
		           "this is no address: the null sender is <>");
		return false;
	}
	if (span_begins(t, SPAN("*@")) && t.n > 2) {
		diag_error(c->diags, v->place,
		           "\"%.*s\" would be the address of somebody called "
		           "\"*\": write in { %.*s }", SPAN_ARG(t),
		           SPAN_ARG(rest));
		return false;
	}
	if (memchr(t.p, '@', t.n) == NULL
	    && !span_is_nocase(t, SPAN("postmaster")))
		diag_warning(c->diags, v->place,
		             "only an address without a domain is \"%.*s\": "
		             "that name, whatever the domain, is in { %.*s@ }",
		             SPAN_ARG(t), SPAN_ARG(t));
	return true;
}

static bool
name_meant(struct checker *c, const struct subject *row,
           const struct ast_value *v)
{
	struct span t = v->text, rest = {t.p + 1, t.n - 1};

	if (span_begins(t, SPAN("*."))) {
		diag_error(c->diags, v->place, "\"%.*s\" is no name: write "
		           "in { %.*s }", SPAN_ARG(t), SPAN_ARG(rest));
		return false;
	}
	if (row->id != SUBJECT_HELO && t.n > 0
	    && memchr(t.p, '@', t.n) != NULL) {
		diag_error(c->diags, v->place, "\"%.*s\" is an address, and "
		           "\"%s\" a name", SPAN_ARG(t), row->name);
		return false;
	}
	return true;
}

/* ---- texts ---- */

/* What stands behind the last dot of a name has none. */
static bool
extension_meant(struct checker *c, const struct ast_value *v)
{
	const char *dot = v->text.n == 0 ? NULL
	                  : memrchr(v->text.p, '.', v->text.n);
	struct span last;

	if (dot == NULL)
		return true;
	last.p = dot + 1;
	last.n = (size_t)(v->text.p + v->text.n - last.p);
	diag_error(c->diags, v->place, "an extension is what stands behind "
	           "the last dot of a name: write %.*s", SPAN_ARG(last));
	return false;
}

/* *.exe, and offer*: a star is no more than a star. */
static bool
star_meant(struct checker *c, const struct subject *row,
           const struct ast_value *v)
{
	struct span t = v->text;

	if (row->id == SUBJECT_ATTACHMENT && span_begins(t, SPAN("*.")) &&
	    t.n > 2) {
		diag_error(c->diags, v->place, "\"*\" stands for itself: write "
		           "attachment.extension is %.*s", (int)t.n - 2,
		           t.p + 2);
		return false;
	}
	if (v->kind == AST_WORD && t.n > 1
	    && (t.p[0] == '*') + (t.p[t.n - 1] == '*') > 0)
		diag_warning(c->diags, v->place, "\"*\" stands for itself: "
		             "write contains, begins, ends or a pattern (a text "
		             "stands in quotes)");
	return true;
}

/* OpenSSL's names, which both MTAs pass on. */
static void
warn_version(struct checker *c, const struct ast_value *v)
{
	if (!span_begins_nocase(v->text, SPAN("TLSv")) &&
	    !span_begins_nocase(v->text, SPAN("SSLv")))
		diag_warning(c->diags, v->place, "no version of TLS is called "
		             "\"%.*s\": there are TLSv1, TLSv1.1, TLSv1.2 and "
		             "TLSv1.3", SPAN_ARG(v->text));
	else if (span_is_nocase(v->text, SPAN("TLSv1.0")))
		diag_warning(c->diags, v->place,
		             "TLS 1.0 is called TLSv1");
}

bool
check_meant(struct checker *c, const struct subject *row,
            const struct ast_value *v)
{
	if (says_there(row, v)) {
		warn_there(c, row, v);
		return true;
	}
	if (row->type == VALUE_ADDRESS)
		return address_meant(c, v);
	if (row->type == VALUE_NAME)
		return name_meant(c, row, v);
	if (row->id == SUBJECT_ATTACHMENT_EXTENSION)
		return extension_meant(c, v);
	if (row->id == SUBJECT_TLS || row->id == SUBJECT_TLS_VERSION)
		warn_version(c, v);
	return star_meant(c, row, v);
}

/* ---- numbers ---- */

bool
check_meant_number(struct checker *c, const struct expr *e)
{
	const struct subject *row = e->subject->row;
	const char *hint = "";

	/* an extension of a telephone, a number to send a fax to */
	if (row->type != VALUE_TEXT || row->argument != ARGUMENT_NONE
	    || row->part == PART_LOCAL || row->id == SUBJECT_SUBJECT)
		return true;
	if (row->id == SUBJECT_TLS || row->id == SUBJECT_TLS_VERSION)
		hint = ": write is { TLSv1 TLSv1.1 }";
	else if (row->id == SUBJECT_ATTACHMENT)
		hint = ": its size is attachment.size";
	else if (row->id == SUBJECT_BODY || row->id == SUBJECT_RAW_BODY)
		hint = ": the size of the message is size";
	diag_error(c->diags, e->op_place, "\"%s\" is no number%s", row->name,
	           hint);
	return false;
}

/* ---- replies ---- */

/* "550 5.7.1 no": what the action has before its text. */
static bool
begins_with_code(struct span t)
{
	return t.n > 3 && (t.p[0] == '4' || t.p[0] == '5')
	       && t.p[1] >= '0' && t.p[1] <= '5'
	       && t.p[2] >= '0' && t.p[2] <= '9'
	       && (t.p[3] == ' ' || t.p[3] == '-');
}

void
check_meant_reply(struct checker *c, const struct ast_action *a)
{
	struct span rest, line;
	size_t lines = 0;

	if (a->text == NULL)
		return;
	rest = a->text->text;
	if (a->code == NULL && begins_with_code(rest))
		diag_warning(c->diags, a->text->place, "a reply's code stands "
		             "before the quotes: %s %.3s \"...\"",
		             a->row->words, rest.p);
	if (!span_is_ascii(rest))
		diag_warning(c->diags, a->text->place, "in a reply what is not "
		             "ASCII becomes \"?\", unless the client uses "
		             "SMTPUTF8");
	for (; rest.n > 0; lines++) {
		line = span_line(&rest);
		if (line.n <= CAPS_REPLY_LINE)
			continue;
		diag_warning(c->diags, a->text->place, "a line of a reply has "
		             "at most %d bytes: what is beyond is cut (\\n "
		             "begins another line)", CAPS_REPLY_LINE);
		break;
	}
	if (lines > CAPS_REPLY_LINES)
		diag_warning(c->diags, a->text->place, "a reply has at most %d "
		             "lines: what is beyond is cut",
		             CAPS_REPLY_LINES);
}

/* ---- and with or ---- */

void
check_meant_order(struct checker *c, const struct expr *e)
{
	const struct expr *part = e->left->kind == EXPR_AND && !e->left->paren
	                          ? e->left : e->right;

	if (e->kind == EXPR_OR && part->kind == EXPR_AND && !part->paren)
		diag_warning(c->diags, part->place, "\"and\" binds more "
		             "tightly than \"or\": parentheses would say what "
		             "belongs together");
}
