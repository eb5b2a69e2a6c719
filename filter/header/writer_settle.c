/*
 * writer_settle.c - what stretches that now stand side by side need of
 * each other.
 */
#include <string.h>

#include "writer.h"

bool
tok_is_joined(const struct tok *a, const struct tok *b)
{
	return a->raw.p != NULL && b->raw.p != NULL &&
		a->raw.p + a->raw.n == b->raw.p;
}

bool
tok_is_wordish(const struct tok *t)
{
	return t->kind == STRETCH_WORD || t->encode;
}

/* Texts that now stand side by side are one, and blanks too. */
static bool
merges(const struct tok *a, const struct tok *b)
{
	return a->kind == b->kind && !tok_is_joined(a, b) &&
		(a->kind == STRETCH_TEXT || a->kind == STRETCH_BLANKS);
}

static bool
merge(struct writer *w)
{
	size_t i, end, k, n = 0, made = 0;
	char *p;

	for (i = 0; i < w->n; i = end) {
		struct tok *t = &w->toks[made++];
		bool encode = false;

		for (end = i, n = 0; end == i || (end < w->n &&
		     merges(&w->toks[end - 1], &w->toks[end])); end++) {
			n += w->toks[end].text.n;
			encode |= w->toks[end].encode;
		}
		if (end == i + 1) {
			*t = w->toks[i];
			continue;
		}
		p = arena_alloc(w->arena, n + 1);
		if (p == NULL)
			return false;
		for (k = i, n = 0; k < end; n += w->toks[k++].text.n)
			memcpy(p + n, w->toks[k].text.p, w->toks[k].text.n);
		*t = (struct tok){w->toks[i].kind, {NULL, 0}, {p, n}, encode};
		if (t->kind == STRETCH_TEXT)
			t->encode |= writer_must_encode(w, t->text, false);
	}
	w->n = made;
	return true;
}

/* The blanks between two encoded words are seen only where they stay. */
static void
drop_gaps(struct writer *w)
{
	size_t i, made = 0;

	for (i = 0; i < w->n; i++) {
		const struct tok *t = &w->toks[i];
		bool ends = made == 0 || i + 1 == w->n;

		if (t->kind == STRETCH_GAP &&
		    (ends || !tok_is_joined(&w->toks[made - 1], t) ||
		     !tok_is_joined(t, t + 1)))
			continue;
		if (t->kind == STRETCH_BLANKS && ends && t->raw.p == NULL)
			continue;
		w->toks[made++] = *t;
	}
	w->n = made;
}

static void
encode_it(struct tok *t)
{
	t->kind = STRETCH_TEXT;
	t->raw = (struct span){NULL, 0};
	t->encode = true;
}

/* No other text stands beside an encoded word without a blank. */
static void
encode_beside_words(struct writer *w)
{
	size_t i;

	for (i = 0; i + 1 < w->n; i++) {
		struct tok *a = &w->toks[i], *b = a + 1;

		if (tok_is_joined(a, b))
			continue;
		if (a->kind == STRETCH_TEXT && b->kind == STRETCH_WORD)
			encode_it(a);
		else if (a->kind == STRETCH_WORD && b->kind == STRETCH_TEXT)
			encode_it(b);
	}
}

/* A blank between two encoded words is no text (RFC 2047 6.2). */
static void
encode_blanks(struct writer *w)
{
	size_t i;

	for (i = 1; i + 1 < w->n; i++)
		if (w->toks[i].kind == STRETCH_BLANKS &&
		    tok_is_wordish(&w->toks[i - 1]) &&
		    tok_is_wordish(&w->toks[i + 1]))
			encode_it(&w->toks[i]);
}

bool
writer_settle(struct writer *w)
{
	if (!merge(w))
		return false;
	drop_gaps(w);
	encode_beside_words(w);
	encode_blanks(w);
	return true;
}
