/* check_folded.c - what "folded" can stand before, and what behind it. */
#include <string.h>

#include "backend.h"
#include "caps.h"
#include "checker.h"
#include "fold.h"

bool
check_folded(struct checker *c, const struct ast_subject *s)
{
	const char *why;

	if (!s->folded)
		return true;
	if (s->row->flags & SUBJECT_IS_RAW) {
		diag_error(c->diags, s->place, "\"folded\" compares texts as "
		           "they look, and \"%s\" is bytes", s->row->name);
		return false;
	}
	if ((s->row->flags & SUBJECT_IS_WORD)
	    || (s->row->type != VALUE_TEXT && s->row->type != VALUE_NAME
	        && s->row->type != VALUE_ADDRESS)) {
		diag_error(c->diags, s->place, "\"folded\" compares texts as "
		           "they look, and \"%s\" is %s", s->row->name,
		           s->row->flags & SUBJECT_IS_WORD
		           ? "one of a few words"
		           : check_type_name(s->row->type));
		return false;
	}
	why = fold_open();
	if (why == NULL)
		return true;
	diag_error(c->diags, s->place, "\"folded\" needs the data of ICU, "
	           "which can't be had: %s", why);
	return false;
}

enum value_type
check_type(const struct ast_subject *s)
{
	return s->folded ? VALUE_FOLDED : s->row->type;
}

bool
check_folded_text(struct checker *c, const struct ast_value *v,
                  struct operand o[FOLD_LOOKS])
{
	struct span looks[FOLD_LOOKS];
	size_t left = CAPS_FOLD_LETTERS, n, i;

	n = fold_looks(c->arena, v->text, &left, looks);
	if (n == 0 || (looks[0].n == 0 && v->text.n > 0)) {
		diag_error(c->diags, v->place, n == 0
		           ? "this text is too long to be folded"
		           : "nothing is left of this text when it is folded");
		return false;
	}
	for (i = 0; i < n; i++) {
		o[i].kind = OPERAND_TEXT;
		o[i].text = looks[i];
	}
	return true;
}

static const char *
first_of(const char *p, size_t n, const char *set)
{
	for (; n > 0; p++, n--)
		if (strchr(set, *p) != NULL)
			return p;
	return NULL;
}

/* Where what begins here ends, if its letters and digits are none; else i. */
static size_t
end_of_mark(struct span pattern, size_t i)
{
	const char *p = pattern.p + i, *end = NULL;
	size_t left = pattern.n - i;

	if (*p == '\\')
		return i + 1;
	if (*p == '{') /* {2,10} */
		end = memchr(p, '}', left);
	else if (*p == '(' && left > 1 && p[1] == '?') /* (?i), (?<name>...) */
		end = first_of(p + 2, left - 2,
			left > 2 && p[2] == '<' ? ">" : ":)=!");
	return end == NULL || end >= pattern.p + pattern.n
	       ? i : (size_t)(end - pattern.p);
}

/* What a letter or digit of a pattern is in a folded text. */
void
check_folded_pattern(struct checker *c, const struct ast_value *v)
{
	bool nocase = v->flags.n > 0 && memchr(v->flags.p, 'i', v->flags.n);
	struct span pattern = arena_copy(c->arena, v->text);
	const char *look;
	size_t i, end;
	char ch;

	for (i = 0; i < pattern.n; i++) {
		end = end_of_mark(pattern, i);
		ch = nocase ? g_ascii_tolower(pattern.p[i]) : pattern.p[i];
		look = fold_ascii(ch);
		if (end > i || !g_ascii_isalnum(ch)
		    || (look[0] == ch && look[1] == '\0')) {
			i = end;
			continue;
		}
		diag_warning(c->diags, v->place,
		             "in a folded text there is no \"%c\": it is "
		             "\"%s\" there, and a pattern is taken as it "
		             "stands", ch, look);
		return;
	}
}

bool
check_folded_table(struct checker *c, const struct ast_lookup *l,
                   const struct ast_table *t)
{
	if (t == NULL || t->backend.p == NULL
	    || span_is(t->backend, SPAN("file")))
		return true;
	diag_error(c->diags, l->place,
	           "\"folded\" looks up in a table that stands in the policy "
	           "or in a file: the keys of <%.*s>, which are in %.*s, can't "
	           "be folded", SPAN_ARG(l->name), SPAN_ARG(t->backend));
	return false;
}
