/*
 * writer_apply.c - a value that came and the changes in it, as stretches.
 */
#include <string.h>

#include "header_text.h"
#include "writer.h"

struct change_walk {
	struct writer *w;
	const struct patch *next, *end;
	size_t at;       /* in the decoded value */
	size_t done;     /* up to here a change has taken it */
	GString *fresh;  /* new text that is not a stretch yet */
	bool in_word;    /* some of it stands in an encoded word's place */
};

static void
say(struct writer *w, struct span text)
{
	g_string_append_len(w->text, text.p, (gssize)text.n);
}

static bool
flush(struct change_walk *c)
{
	struct span s = arena_copy(c->w->arena,
		(struct span){c->fresh->str, c->fresh->len});
	bool strict = c->w->strict || c->in_word;

	c->in_word = false;
	g_string_truncate(c->fresh, 0);
	if (s.p == NULL)
		return false;
	say(c->w, s);
	return writer_add_text(c->w, s, strict);
}

/* A text in the middle of a quoted string or a comment does not end it. */
static void
put_inside(struct change_walk *c, enum stretch_kind kind, struct span text)
{
	const char *marks = kind == STRETCH_QUOTED ? "\"\\" : "()\\";
	size_t i;

	for (i = 0; i < text.n; i++) {
		if (text.p[i] != '\0' && strchr(marks, text.p[i]) != NULL)
			g_string_append_c(c->fresh, '\\');
		g_string_append_c(c->fresh, text.p[i]);
	}
}

/* The change's own text, in the stretch s or (NULL) between two. */
static void
put_patch(struct change_walk *c, const struct stretch *s)
{
	const struct patch *e = c->next++;
	bool inside = s != NULL && e->from > c->at &&
		e->to < c->at + s->text.n;

	if (c->done < e->at + e->n)
		c->done = e->at + e->n;
	c->in_word |= s != NULL && s->kind == STRETCH_WORD;
	if (inside && (s->kind == STRETCH_QUOTED || s->kind == STRETCH_COMMENT))
		put_inside(c, s->kind, e->text);
	else
		g_string_append_len(c->fresh, e->text.p, (gssize)e->text.n);
}

/* What is left of a stretch that is changed. */
static bool
put_rest(struct change_walk *c, const struct stretch *s, size_t from,
         size_t to)
{
	struct span none = {NULL, 0}, text;

	if (from >= to)
		return true;
	text = header_clean(c->w->arena,
		(struct span){s->text.p + from, to - from});
	if (text.p == NULL)
		return false;
	if (s->kind == STRETCH_WORD && c->w->address) {
		if (!flush(c))
			return false;
		say(c->w, text);
		return writer_add(c->w, STRETCH_TEXT, none, text, true);
	}
	g_string_append_len(c->fresh, text.p, (gssize)text.n);
	return true;
}

static bool
put_changed(struct change_walk *c, const struct stretch *s, size_t end)
{
	size_t from = c->at, to;
	bool ok = true;

	if (from < c->done)
		from = c->done < end ? c->done : end;
	while (ok && c->next < c->end && c->next->at < end) {
		to = c->next->at > from ? c->next->at : from;
		ok = put_rest(c, s, from - c->at, to - c->at);
		put_patch(c, s);
		from = c->done < end ? c->done : end;
	}
	return ok && put_rest(c, s, from - c->at, end - c->at);
}

static bool
put_kept(struct change_walk *c, const struct stretch *s)
{
	struct span none = {NULL, 0};

	if (!flush(c))
		return false;
	say(c->w, s->text);
	if (s->raw.n > 0 && memchr(s->raw.p, '\0', s->raw.n) != NULL)
		return writer_add(c->w, STRETCH_TEXT, none, s->text, true);
	return writer_add(c->w, s->kind, s->raw, s->text, false);
}

/* An insert between two stretches touches neither. */
static bool
put_stretch(struct change_walk *c, const struct stretch *s)
{
	size_t end = c->at + s->text.n;
	bool ok;

	while (c->next < c->end && c->next->n == 0 &&
	       c->next->at == c->at && c->done <= c->at)
		put_patch(c, NULL);
	if (s->text.n == 0)
		ok = c->done > c->at || put_kept(c, s);
	else if (c->done > c->at ||
	         (c->next < c->end && c->next->at < end))
		ok = put_changed(c, s, end);
	else
		ok = put_kept(c, s);
	c->at = end;
	return ok;
}

bool
writer_apply(struct writer *w, const struct stretch *list, size_t n,
             const struct patch *patches, size_t n_patches)
{
	struct change_walk c = {
		.w = w, .next = patches, .end = patches + n_patches,
		.fresh = g_string_new(NULL),
	};
	bool ok = true;
	size_t i;

	for (i = 0; ok && i < n; i++)
		ok = put_stretch(&c, &list[i]);
	while (c.next < c.end)
		put_patch(&c, NULL);
	ok = ok && flush(&c);
	g_string_free(c.fresh, TRUE);
	return ok;
}
