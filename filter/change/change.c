#include <string.h>

#include <glib.h>

#include "change.h"
#include "cut.h"
#include "markup.h"
#include "own.h"
#include "write.h"

/* What an effect writes, in both forms. */
struct forms {
	struct span plain, html;
};

/* ---- the forms ---- */

/* A block: it is not to stand in the line of what is before it. */
static struct span
html_of(struct arena *a, struct span plain)
{
	struct span s = plain, body;

	while (s.n > 0 && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
		s.n--;
	body = markup_escape(a, s);
	if (body.p == NULL || s.n == 0)
		return body;
	return arena_printf(a, "<div>%.*s</div>", SPAN_ARG(body));
}

struct span
change_clean(struct arena *a, struct span s)
{
	struct span copy = s.p == NULL ? s : arena_copy(a, s);
	char *p = (char *)(size_t)copy.p; /* the copy is ours */
	size_t i;

	for (i = 0; p != NULL && i < copy.n; i++)
		if (((unsigned char)p[i] < ' ' && p[i] != '\n' &&
		     p[i] != '\t') || p[i] == 0x7f)
			p[i] = ' ';
	return copy;
}

static bool
make_forms(struct arena *a, const struct effect *e, struct forms *f)
{
	struct span plain = change_clean(a, e->value);
	struct span html = change_clean(a, e->html);

	f->plain = plain.p != NULL ? plain : markup_plain(a, html);
	f->html = html.p != NULL ? html : html_of(a, plain);
	return f->plain.p != NULL && f->html.p != NULL && !arena_full(a);
}

/* ---- once ---- */

/* Does a reply change it in what it quotes, or HTML in how it is set? */
static bool
is_passed_over(struct span s, size_t *n)
{
	*n = 1;
	if (s.n >= 2 && memcmp(s.p, "\xc2\xa0", 2) == 0)
		*n = 2; /* U+00A0 */
	return *n == 2 || g_ascii_isspace(s.p[0]) || s.p[0] == '>' ||
		s.p[0] == '|';
}

static void
squeeze(GString *out, struct span s)
{
	size_t i, n;

	for (i = 0; i < s.n; i += n)
		if (!is_passed_over((struct span){s.p + i, s.n - i}, &n))
			g_string_append_c(out, s.p[i]); /* n is 1 */
}

/* p NULL: no memory, or too much text. */
static struct span
shown_text(struct edit *e, struct own *o, size_t part)
{
	struct span text;
	size_t i;

	for (i = 0; i < o->n && o->parts[i].part != part; i++)
		;
	text = i < o->n ? o->parts[i].text : own_text(e, o, part);

	if (text.p != NULL && own_is_html(&e->mime->parts[part]))
		text = markup_plain(e->arena, text);
	return text;
}

static bool
stands_in(const GString *text, const GString *wanted)
{
	return wanted->len > 0 && memmem(text->str, text->len, wanted->str,
	                                 wanted->len) != NULL;
}

/* o->why is set if it does, or if that can't be said. false: no memory. */
static bool
find_text(struct edit *e, struct own *o, const struct forms *f)
{
	GString *plain = g_string_new(NULL), *html = g_string_new(NULL), *all;
	struct span text = markup_plain(e->arena, f->html);
	size_t i;

	squeeze(plain, f->plain);
	squeeze(html, text);
	for (i = 0; i < e->mime->n_parts && o->why == NULL; i++) {
		if (!own_is_shown(e, i))
			continue;
		text = shown_text(e, o, i);
		if (text.p == NULL)
			break;
		all = g_string_sized_new(text.n);
		squeeze(all, text);
		if (stands_in(all, plain) || stands_in(all, html))
			o->why = "the text stands in it already";
		g_string_free(all, TRUE);
	}
	g_string_free(plain, TRUE);
	g_string_free(html, TRUE);
	return text.p != NULL || o->why != NULL;
}

/* ---- the parts ---- */

static enum write_where
where_of(enum effect_kind kind)
{
	switch (kind) {
	case EFFECT_PREPEND_BODY:
		return WRITE_PREPEND;
	case EFFECT_REPLACE_BODY:
		return WRITE_REPLACE;
	default:
		return WRITE_APPEND;
	}
}

/* *n: how many parts it stands in now. */
static bool
write_parts(struct edit *e, const struct effect *effect, const struct own *o,
            const struct forms *f, size_t *n)
{
	const struct own_part *p;
	const char *why;
	size_t i;

	for (i = 0, *n = 0; i < o->n; i++) {
		p = &o->parts[i];
		if (!write_text(e, p, where_of(effect->kind),
		                p->html ? f->html : f->plain, &why))
			return false;
		*n += why == NULL;
		if (why != NULL && !edit_leave_out(e, effect, arena_printf(
		    e->arena, "of text/%s: %s", p->html ? "html" : "plain",
		    why).p))
			return false;
	}
	return true;
}

/* ---- what else is shown ---- */

static bool
take_out(struct edit *e, const bool *goes, size_t part)
{
	return cut_may(e, goes, part) ? cut_part(e, part) :
		edit_replace(e, e->mime->parts[part].bytes, SPAN(""));
}

/* Where a text takes the body's place nothing else is said beside it. */
static bool
take_others_out(struct edit *e, const struct effect *effect,
                const struct own *o)
{
	bool *goes = arena_alloc(e->arena, e->mime->n_parts);
	const char *why = NULL;
	size_t i;

	for (i = 0; goes != NULL && i < e->mime->n_parts; i++)
		goes[i] = own_is_shown(e, i);
	for (i = 0; goes != NULL && i < o->n; i++)
		goes[o->parts[i].part] = false;
	for (i = 0; goes != NULL && i < e->mime->n_parts; i++)
		if (goes[i] && !take_out(e, goes, i))
			why = "of a text beside it: others overlap it";
	return goes != NULL && !arena_full(e->arena) &&
		(why == NULL || edit_leave_out(e, effect, why));
}

bool
change_body(struct edit *e, const struct effect *effect)
{
	struct forms f;
	struct own o;
	size_t n;

	if (!make_forms(e->arena, effect, &f) || !own_find(e, &o))
		return false;
	/* a banner goes in: who calls his mail a report is not past it */
	if (o.why == NULL && effect->kind == EFFECT_APPEND &&
	    own_is_report(e->mime))
		o.why = "it is a multipart/report, which no person wrote";
	if (o.why == NULL && effect->once && !find_text(e, &o, &f))
		return false;
	if (o.why != NULL)
		return edit_leave_out(e, effect, o.why);
	return write_parts(e, effect, &o, &f, &n) &&
		(n == 0 || effect->kind != EFFECT_REPLACE_BODY ||
		 take_others_out(e, effect, &o));
}
