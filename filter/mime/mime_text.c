/*
 * mime_text.c - the texts of a message, each decoded once, and what a reader
 * sees of them.
 */
#include <string.h>

#include "caps.h"
#include "html.h"
#include "mime.h"
#include "seen.h"

static void
keep_text(struct mime *m, size_t part, struct span text, bool loose)
{
	struct mime_text *t;

	if (text.p == NULL)
		return;
	t = arena_grow(m->arena, &m->texts, &m->n_texts, sizeof(*t));
	if (t == NULL) {
		m->no_memory = true;
		return;
	}
	t->part = part;
	t->text = text;
	t->loose = loose;
}

/*
 * Is it UTF-16 or UTF-32 without a mark that tells the bytes' order? RFC 2781
 * 4.3 has big-endian then, and many readers what their machine has.
 */
static bool
lacks_order(struct mime *m, size_t i, enum mime_encoding e,
            struct span charset)
{
	static const struct span marks[] = {
		{"\xfe\xff", 2}, {"\xff\xfe", 2}, {"\0\0\xfe\xff", 4},
	};
	struct span begin;
	size_t k;

	if (!span_is_nocase(charset, SPAN("utf-16")) &&
	    !span_is_nocase(charset, SPAN("utf-32")))
		return false;
	begin = mime_begin(m, i, e, 4);
	for (k = 0; k < sizeof(marks) / sizeof(marks[0]); k++)
		if (begin.n >= marks[k].n && memcmp(begin.p, marks[k].p,
		                                    marks[k].n) == 0)
			return false;
	return true;
}

static void
decode_as(struct mime *m, size_t i, enum mime_encoding e,
          struct span charset)
{
	struct span big, little;

	if (!lacks_order(m, i, e, charset)) {
		keep_text(m, i, mime_text(m, i, e, charset), false);
		return;
	}
	big = arena_printf(m->arena, "%.*sbe", (int)charset.n, charset.p);
	little = arena_printf(m->arena, "%.*sle", (int)charset.n, charset.p);
	if (big.p == NULL || little.p == NULL) {
		m->no_memory = true;
		return;
	}
	keep_text(m, i, mime_text(m, i, e, big), false);
	if (mime_ok(m))
		keep_text(m, i, mime_text(m, i, e, little), false);
}

/* By each encoding and charset that it may have. */
static void
decode_part(struct mime *m, size_t i)
{
	const struct mime_list *none = &(struct mime_list){NULL, SPAN("")}, *l;
	const struct mime_part *p = &m->parts[i];
	enum mime_encoding e;

	for (e = ENCODING_7BIT; e <= ENCODING_UNKNOWN; e <<= 1)
		for (l = p->charsets != NULL ? p->charsets : none;
		     (p->encodings & e) && l != NULL && mime_ok(m);
		     l = l->next)
			decode_as(m, i, e, l->text);
}

static void
decode_all(struct mime *m)
{
	size_t i;

	for (i = 0; i < m->n_parts && mime_ok(m); i++)
		if (m->parts[i].text)
			decode_part(m, i);
	for (i = 0; i < m->n_loose && mime_ok(m); i++)
		keep_text(m, m->loose[i].part,
			mime_loose_text(m, m->loose[i].bytes), true);
}

const char *
mime_once(struct mime *m, struct mime_done *done,
          void (*work)(struct mime *m))
{
	const char *before = m->full;

	if (!done->done && mime_ok(m)) {
		done->done = true;
		work(m);
		done->failed = m->full;
		m->full = before;
	}
	return before != NULL ? before : done->failed;
}

const char *
mime_texts(struct mime *m)
{
	return mime_once(m, &m->decoded_texts, decode_all);
}

/* ---- what is seen ---- */

static struct mime_view *
keep_view(struct mime *m, size_t part)
{
	struct mime_view *v;

	v = arena_grow(m->arena, &m->views, &m->n_views, sizeof(*v));
	if (v == NULL)
		m->no_memory = true;
	else
		v->part = part;
	return v;
}

static void
view_plain(struct mime *m, const struct mime_text *t)
{
	const struct mime_part *p = &m->parts[t->part];
	struct seen s = {.out = g_string_new(NULL)};
	struct mime_view *v = keep_view(m, t->part);

	seen_plain(&s, t->text, p->flowed && !t->loose, p->delsp);
	if (v != NULL) {
		v->text = arena_copy(m->arena,
			(struct span){s.out->str, s.out->len});
		m->no_memory = m->no_memory || v->text.p == NULL;
	}
	g_string_free(s.out, TRUE);
}

/* base: of the document that it is in. */
static void
view_html(struct mime *m, size_t part, struct span html, struct span base,
          bool inside)
{
	struct html_page page;
	struct mime_view *v;

	switch (html_read(m->arena, html, &m->html_left, &page)) {
	case HTML_READ:
		break;
	case HTML_TOO_MUCH:
		m->full = "HTML that takes too long or too much memory to read";
		return;
	case HTML_NO_MEMORY:
		m->no_memory = true;
		return;
	}
	v = keep_view(m, part);
	if (v == NULL)
		return;
	v->text = page.text;
	v->urls = page.urls;
	v->base = page.base.p != NULL ? page.base : base;
	if (page.comments.p != NULL && !inside)
		view_html(m, part, page.comments, v->base, true);
}

static bool
is_text(struct span type)
{
	return type.n >= 5 && span_is((struct span){type.p, 5}, SPAN("text/"));
}

/* Of several types each counts; a reader shows as plain what is no HTML. */
static void
view(struct mime *m, const struct mime_text *t)
{
	const struct mime_list *l;
	bool html = false, plain = false;

	for (l = m->parts[t->part].types; l != NULL && !t->loose; l = l->next)
		if (span_is(l->text, SPAN("text/html")))
			html = true;
		else
			plain = plain || is_text(l->text);
	if (html)
		view_html(m, t->part, t->text, (struct span){NULL, 0}, false);
	if ((plain || !html) && mime_ok(m))
		view_plain(m, t);
}

static void
view_all(struct mime *m)
{
	size_t i;

	m->html_left = CAPS_HTML_SECONDS * (int64_t)1000000000;
	for (i = 0; i < m->n_texts && mime_ok(m); i++)
		view(m, &m->texts[i]);
}

const char *
mime_views(struct mime *m)
{
	const char *failed = mime_texts(m);

	return failed != NULL ? failed :
		mime_once(m, &m->made_views, view_all);
}
