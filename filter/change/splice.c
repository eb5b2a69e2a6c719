#include <string.h>

#include "splice.h"

void
splice_begin(struct splice *s, struct arena *a, struct span base)
{
	*s = (struct splice){.arena = a, .base = base};
}

/* Where an edit that begins at `begin` goes. */
static size_t
place_of(const struct splice *s, size_t begin, size_t end)
{
	size_t i = s->n_edits;

	while (i > 0 && (s->edits[i - 1].begin > begin ||
	                 (s->edits[i - 1].begin == begin && begin == end &&
	                  s->edits[i - 1].end > begin)))
		i--;
	return i;
}

bool
splice_replace(struct splice *s, size_t begin, size_t end, struct span text)
{
	size_t i = place_of(s, begin, end), n = s->n_edits;
	struct splice_edit *e = s->edits;

	if (begin > end || end > s->base.n || (i > 0 && e[i - 1].end > begin)
	    || (i < n && e[i].begin < end))
		return false;
	if (arena_grow(s->arena, &s->edits, &s->n_edits, sizeof(*e)) == NULL)
		return false;
	e = &s->edits[i];
	memmove(e + 1, e, (n - i) * sizeof(*e));
	*e = (struct splice_edit){begin, end, text};
	return true;
}

/* Even steps are what stays before an edit, odd ones the edits. */
static struct span
step(const struct splice *s, size_t at)
{
	size_t i = at / 2;
	size_t begin = i == 0 ? 0 : s->edits[i - 1].end;
	size_t end = i == s->n_edits ? s->base.n : s->edits[i].begin;

	if (at % 2 == 1)
		return s->edits[i].text;
	return (struct span){s->base.p + begin, end - begin};
}

bool
splice_next(const struct splice *s, size_t *at, struct span *piece)
{
	while (*at <= 2 * s->n_edits) {
		*piece = step(s, (*at)++);
		if (piece->n > 0)
			return true;
	}
	return false;
}

bool
splice_is(const struct splice *s, struct span text)
{
	struct span piece;
	size_t at = 0;

	while (splice_next(s, &at, &piece)) {
		if (piece.n > text.n || memcmp(piece.p, text.p, piece.n) != 0)
			return false;
		text = (struct span){text.p + piece.n, text.n - piece.n};
	}
	return text.n == 0;
}

struct span
splice_result(const struct splice *s)
{
	size_t at, n = 0;
	struct span piece;
	char *p;

	for (at = 0; splice_next(s, &at, &piece); )
		n += piece.n;
	p = arena_alloc(s->arena, n);
	if (p == NULL)
		return (struct span){NULL, 0};
	for (at = 0, n = 0; splice_next(s, &at, &piece); n += piece.n)
		memcpy(p + n, piece.p, piece.n);
	return (struct span){p, n};
}
