/*
 * writer_text.c - new text, cut into stretches.
 */
#include <string.h>

#include "address.h"
#include "writer.h"

#define TEXT_LIMIT 900  /* of a text without blanks; a longer one is encoded */

/* Might an encoded word begin in it? "=?charset?B?" has no blanks. */
static bool
begins_word(struct span s)
{
	const char *p = s.n < 2 ? NULL : memmem(s.p, s.n, "=?", 2);
	size_t i, marks = 0;

	for (i = p == NULL ? s.n : (size_t)(p - s.p); i < s.n; i++)
		marks += s.p[i] == '?';
	return marks > 2;
}

bool
writer_add(struct writer *w, enum stretch_kind kind, struct span raw,
           struct span text, bool encode)
{
	struct tok *t = arena_grow(w->arena, &w->toks, &w->n, sizeof(*t));

	if (t == NULL)
		return false;
	*t = (struct tok){kind, raw, text, encode};
	return true;
}

/* A quoted string without its quotes; it is to be encoded. */
static struct span
unquote(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t i, n = 0;

	for (i = 1; p != NULL && i + 1 < s.n; i++) {
		if (s.p[i] == '\\' && i + 2 < s.n)
			i++;
		p[n++] = s.p[i];
	}
	return (struct span){p, n};
}

/* "<" address ">" and no more? */
static bool
is_angle(struct span s)
{
	return s.n > 2 && s.p[0] == '<' && s.p[s.n - 1] == '>' &&
		address_usable((struct span){s.p + 1, s.n - 2});
}

bool
writer_must_encode(const struct writer *w, struct span s, bool strict)
{
	size_t i;

	if (!span_is_ascii(s) || begins_word(s) || s.n > TEXT_LIMIT)
		return true;
	for (i = 0; w->address && strict && i < s.n; i++)
		if (strchr("()<>[]:;@\\,\"", s.p[i]) != NULL)
			return true;
	return false;
}

/* What is in a comment, or between its words (RFC 5322 3.2.2). */
static bool
add_comment(struct writer *w, struct span s)
{
	struct span none = {NULL, 0}, part;
	bool ok = true;
	size_t n;

	for (; ok && s.n > 0; s.p += n, s.n -= n) {
		for (n = 0; n < s.n && s.p[n] == ' '; n++)
			;
		part = (struct span){s.p, n};
		if (n > 0) {
			ok = writer_add(w, STRETCH_BLANKS, none, part, false);
			continue;
		}
		while (n < s.n && strchr("() ", s.p[n]) == NULL)
			n += s.p[n] == '\\' && n + 1 < s.n ? 2 : 1;
		part.n = n;
		if (n > 0) {
			ok = writer_add(w, STRETCH_TEXT, none, part,
			             writer_must_encode(w, part, false));
			continue;
		}
		part.n = n = 1;
		ok = writer_add(w, STRETCH_COMMENT, none, part, false);
	}
	return ok;
}

static bool
add_special(struct writer *w, enum stretch_kind kind, struct span s)
{
	struct span none = {NULL, 0}, text = s;
	bool encode = false;

	if (kind == STRETCH_COMMENT)
		return add_comment(w, s);
	if (kind == STRETCH_QUOTED && writer_must_encode(w, s, false)) {
		kind = STRETCH_TEXT;
		text = unquote(w->arena, s);
		encode = true;
	} else if (kind == STRETCH_ANGLE && !span_is_ascii(s)) {
		encode = !is_angle(s);
	}
	return text.p != NULL && writer_add(w, kind, none, text, encode);
}

/*
 * strict: what has a meaning in an address field is text there, but for a
 * quoted string, and an address at the end.
 */
static bool
is_special(const struct stretch *s, bool strict, bool last)
{
	switch (s->kind) {
	case STRETCH_QUOTED:
		return true;
	case STRETCH_ANGLE:
		return !strict || (last && is_angle(s->raw));
	case STRETCH_COMMENT: case STRETCH_MARK:
		return !strict;
	default:
		return false;
	}
}

bool
writer_add_text(struct writer *w, struct span s, bool strict)
{
	struct span none = {NULL, 0};
	struct stretch *list;
	size_t i, n;
	bool ok = true;

	if (!header_stretches(w->arena, s, w->address, &list, &n))
		return false;
	for (i = 0; ok && i < n; i++) {
		struct span text = list[i].raw;
		enum stretch_kind kind = list[i].kind;

		if (kind == STRETCH_BLANKS || kind == STRETCH_GAP)
			ok = text.n == 0 ||
				writer_add(w, STRETCH_BLANKS, none, text,
				           false);
		else if (is_special(&list[i], strict, i + 1 == n))
			ok = add_special(w, kind, text);
		else /* what looks like an encoded word is none */
			ok = writer_add(w, STRETCH_TEXT, none, text,
			             writer_must_encode(w, text, strict));
	}
	return ok;
}
