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

/* By each encoding and charset that it may have. */
static void
decode_part(struct mime *m, size_t i)
{
	const struct mime_list *l;
	enum mime_encoding e;

	for (e = ENCODING_7BIT; e <= ENCODING_UNKNOWN; e <<= 1) {
		if (!(m->parts[i].encodings & e))
			continue;
		for (l = mime_charsets(m, i, e); l != NULL && mime_ok(m);
		     l = l->next)
			keep_text(m, i, mime_text(m, i, e, l->text), false);
	}
}

/* What some take for its body: encoded, as it may be. */
static void
decode_behind_line(struct mime *m, const struct mime_loose *l)
{
	const struct mime_part *p = &m->parts[l->part];
	struct span bytes = l->bytes;
	enum mime_encoding e;

	span_line(&bytes);
	for (e = ENCODING_BASE64; e <= ENCODING_QP && p->text; e <<= 1)
		if ((p->encodings & e) && bytes.n > 0 && mime_ok(m))
			keep_text(m, l->part, mime_text_of(m, bytes, e,
				p->charsets == NULL ? SPAN("") :
				p->charsets->text), false);
}

static void
decode_all(struct mime *m)
{
	size_t i;

	for (i = 0; i < m->n_parts && mime_ok(m); i++)
		if (m->parts[i].text)
			decode_part(m, i);
	for (i = 0; i < m->n_loose && mime_ok(m); i++) {
		keep_text(m, m->loose[i].part,
			mime_loose_text(m, m->loose[i].bytes), true);
		if (m->loose[i].body && mime_ok(m))
			decode_behind_line(m, &m->loose[i]);
	}
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
view_plain(struct mime *m, size_t part, struct span text, bool flowed,
           bool delsp)
{
	/* each line may have a blank more, behind marks of quoting */
	size_t room = flowed ? text.n / 2 * 3 + 2 : text.n + 1;
	struct seen s = {.to = arena_alloc(m->arena, room)};
	struct mime_view *v = keep_view(m, part);

	if (s.to == NULL)
		m->no_memory = true;
	if (s.to == NULL || v == NULL)
		return;
	seen_plain(&s, text, flowed, delsp);
	v->text = (struct span){s.to, s.n};
}

static void
keep_page(struct mime *m, size_t part, const struct html_page *page,
          struct span base)
{
	struct mime_view *v;
	size_t i;

	for (i = 0; i < HTML_TEXTS; i++) {
		if (page->texts[i].p == NULL)
			continue;
		v = keep_view(m, part);
		if (v == NULL)
			return;
		v->text = page->texts[i];
		v->again = i > 0;
		v->urls = i > 0 ? NULL : page->urls;
		v->base = base;
	}
}

/* base: of the document that it is in. */
static void
view_html(struct mime *m, size_t part, struct span html, struct span base,
          bool inside)
{
	struct html_page page;

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
	base = page.base.p != NULL ? page.base : base;
	keep_page(m, part, &page, base);
	if (page.comments.p != NULL && !inside && mime_ok(m))
		view_html(m, part, page.comments, base, true);
}

/* RFC 5545 3.1 and 3.3.11, RFC 6350 3.2 and 3.4: lines that go on, and what
 * stands behind a backslash. */
static struct span
unfold(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t i, n = 0;

	for (i = 0; p != NULL && i < s.n; i++) {
		char c = s.p[i], next = i + 1 < s.n ? s.p[i + 1] : '\0';

		if (c == '\n' && (next == ' ' || next == '\t'))
			i++;
		else if (c == '\\' && (next == 'n' || next == 'N'))
			p[n++] = '\n', i++;
		else if (c == '\\' && next != '\0' && next != '\n')
			p[n++] = next, i++;
		else
			p[n++] = c;
	}
	return (struct span){p, n};
}

/* An invitation, whose description may be HTML as well. */
static void
view_calendar(struct mime *m, const struct mime_text *t)
{
	struct span s = unfold(m->arena, t->text);

	if (s.p == NULL) {
		m->no_memory = true;
		return;
	}
	view_plain(m, t->part, s, false, false);
	if (memchr(s.p, '<', s.n) != NULL && mime_ok(m))
		view_html(m, t->part, s, (struct span){NULL, 0}, false);
}

static bool
is_one_of(struct span type, const char *const *types)
{
	for (; *types != NULL; types++)
		if (span_is(type, span_of(*types)))
			return true;
	return false;
}

bool
mime_type_is_html(struct span type)
{
	static const char *const types[] = {
		"text/html", "text/x-amp-html", "text/watch-html",
		"text/xhtml", "application/xhtml+xml", NULL,
	};

	return is_one_of(type, types);
}

/* With tags of their own kind (RFC 1896), which some readers know. */
static bool
is_tagged(struct span type)
{
	static const char *const types[] = {
		"text/enriched", "text/richtext", NULL,
	};

	return is_one_of(type, types);
}

static bool
is_folded(struct span type)
{
	static const char *const types[] = {
		"text/calendar", "text/x-vcalendar", "text/vcard",
		"text/x-vcard", "text/directory", NULL,
	};

	return is_one_of(type, types);
}

static bool
is_plain(struct span type)
{
	return ((type.n >= 5 && memcmp(type.p, "text/", 5) == 0) ||
	        (type.n >= 8 && memcmp(type.p, "message/", 8) == 0)) &&
		!mime_type_is_html(type) && !is_folded(type);
}

/* Of several types each counts; a reader shows as plain what is no HTML. */
static void
view(struct mime *m, const struct mime_text *t)
{
	const struct mime_part *p = &m->parts[t->part];
	const struct mime_list *l;
	bool html = false, plain = false, folded = false;

	for (l = p->types; l != NULL && !t->loose; l = l->next) {
		html = html || mime_type_is_html(l->text) ||
			is_tagged(l->text);
		folded = folded || is_folded(l->text);
		plain = plain || is_plain(l->text);
	}
	if (html)
		view_html(m, t->part, t->text, (struct span){NULL, 0}, false);
	if (folded && mime_ok(m))
		view_calendar(m, t);
	if ((plain || (!html && !folded)) && mime_ok(m))
		view_plain(m, t->part, t->text, p->flowed && !t->loose,
		           p->delsp);
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
