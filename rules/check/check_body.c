/* check_body.c - the texts that an action puts into a message's body. */
#include <string.h>

#include "caps.h"
#include "checker.h"
#include "source.h"
#include "utf8.h"

/* A file's text, as the lines of the language are: ends in LF, none last. */
static struct span
lines_of(struct checker *c, struct span s)
{
	struct span copy = arena_copy(c->arena, s);
	char *p = (char *)(size_t)copy.p; /* the copy is ours */
	size_t i, n = 0;

	for (i = 0; i < s.n; i++)
		if (s.p[i] != '\r')
			p[n++] = s.p[i];
	if (n > 0 && p[n - 1] == '\n')
		n--;
	return (struct span){p, n};
}

/* Why bytes are no text to be shown, or NULL. */
static const char *
fault(struct span s)
{
	size_t i;

	if (s.n > CAPS_BODY_TEXT)
		return "it is larger than 256 kB";
	if (!utf8_valid(s))
		return "it is not UTF-8";
	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' && s.p[i] != '\n' &&
		    s.p[i] != '\t' && s.p[i] != '\r')
			return "there are control characters in it";
	return NULL;
}

/* A file's text stands for itself: nothing is filled in. */
static struct text
read_text(struct checker *c, const struct ast_value *v)
{
	const char *path = check_path(c, v), *why;
	struct span s = source_read(c->arena, path, &why);
	struct text t = {.pieces = NULL};

	if (why == NULL)
		why = fault(s);
	if (why != NULL) {
		diag_error(c->diags, v->place, "can't take the text of %s: %s",
		           path, why);
		return t;
	}
	if (s.n >= 3 && memcmp(s.p, "\xef\xbb\xbf", 3) == 0)
		s = (struct span){s.p + 3, s.n - 3};
	t.pieces = arena_alloc(c->arena, sizeof(*t.pieces));
	*t.pieces = (struct piece){.kind = PIECE_TEXT,
	                           .text = lines_of(c, s)};
	return t;
}

static struct text
check_form(struct checker *c, const struct ast_value *v)
{
	return v->kind == AST_FILE ? read_text(c, v) : check_text(c, v, NULL);
}

void
check_body_texts(struct checker *c, const struct ast_action *a,
                 struct action *out)
{
	struct piece **end = &out->text.pieces, *p;
	struct text html;

	out->plain = a->text != NULL;
	out->html = a->html != NULL;
	out->once = a->once;
	if (out->plain)
		out->text = check_form(c, a->text);
	if (!out->html)
		return;
	html = check_form(c, a->html);
	for (p = html.pieces; p != NULL; p = p->next)
		p->html = true;
	while (*end != NULL)
		end = &(*end)->next;
	*end = html.pieces;
	out->text.rcpt = out->text.rcpt || html.rcpt;
	out->text.groups = out->text.groups || html.groups;
}
