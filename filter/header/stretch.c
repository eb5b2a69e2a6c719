/* stretch.c - a field's value cut into what can be kept or changed alone. */
#include <string.h>

#include "address.h"
#include "ascii.h"
#include "encoded.h"
#include "header_text.h"

struct cutter {
	struct arena *arena;
	struct span raw, text; /* text: unfolded, not yet valid UTF-8 */
	uint32_t *from;        /* the place of each of its bytes in raw */
	struct word_finder finder;
	struct word word;      /* the next one */
	bool has_word;
	bool address;
	/* once one was not closed, the next ones are text */
	bool open_quote, open_comment, open_angle;
	struct stretch *list;
	size_t n;
	struct word *words;    /* of each stretch that is one */
	size_t n_words;
};

/* ---- what has a meaning in an address field ---- */

/* Behind the angle that begins at at; 0: no end. */
static size_t
angle_end(struct span s, size_t at)
{
	const char *end = memchr(s.p + at, '>', s.n - at);

	return end == NULL ? 0 : (size_t)(end + 1 - s.p);
}

static size_t
end_unless(bool *open, size_t end)
{
	*open = end == 0;
	return end;
}

/* Behind what begins at at and is no text; 0: it is text. */
static size_t
special_end(struct cutter *c, size_t at, enum stretch_kind *kind)
{
	switch (c->text.p[at]) {
	case '"':
		*kind = STRETCH_QUOTED;
		return c->open_quote ? 0 : end_unless(&c->open_quote,
			address_quoted_end(c->text, at));
	case '(':
		*kind = STRETCH_COMMENT;
		return c->open_comment ? 0 : end_unless(&c->open_comment,
			address_comment_end(c->text, at));
	case '<':
		*kind = STRETCH_ANGLE;
		return c->open_angle ? 0 : end_unless(&c->open_angle,
			angle_end(c->text, at));
	case ',': case ':': case ';':
		*kind = STRETCH_MARK;
		return at + 1;
	default:
		return 0;
	}
}

/* ---- stretches ---- */

static struct stretch *
add(struct cutter *c, enum stretch_kind kind, size_t end)
{
	const struct stretch *last = c->n == 0 ? NULL : &c->list[c->n - 1];
	const char *begin = last == NULL ? c->raw.p : last->raw.p + last->raw.n;
	size_t to = kind == STRETCH_BLANKS ? c->from[end] :
		c->from[end - 1] + 1; /* the fold behind it is the blanks' */
	struct stretch *s = arena_grow(c->arena, &c->list, &c->n, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->kind = kind;
	s->raw = (struct span){begin, to - (size_t)(begin - c->raw.p)};
	return s;
}

static bool
add_text(struct cutter *c, enum stretch_kind kind, size_t at, size_t end)
{
	struct stretch *s = add(c, kind, end);

	if (s == NULL)
		return false;
	s->text = (struct span){c->text.p + at, end - at};
	if (kind != STRETCH_BLANKS)
		s->text = header_decode(c->arena, s->text);
	return s->text.p != NULL;
}

static bool
add_word(struct cutter *c)
{
	struct stretch *s = add(c, STRETCH_WORD, c->word.end);
	struct word *w = arena_grow(c->arena, &c->words, &c->n_words,
	                            sizeof(*w));

	if (s == NULL || w == NULL)
		return false;
	*w = c->word;
	return true;
}

static void
next_word(struct cutter *c, size_t at)
{
	if (c->has_word && c->word.begin < at)
		c->has_word = word_find(&c->finder, at, &c->word);
}

static size_t
blanks_end(const struct cutter *c, size_t at)
{
	while (at < c->text.n && ascii_is_blank(c->text.p[at]))
		at++;
	return at;
}

/* The text from at on up to what is something else. */
static size_t
text_end(const struct cutter *c, size_t at)
{
	size_t limit = c->has_word ? c->word.begin : c->text.n;

	for (at++; at < limit && !ascii_is_blank(c->text.p[at]); at++)
		if (c->address && strchr("\"(<,:;", c->text.p[at]) != NULL &&
		    c->text.p[at] != '\0')
			break;
	return at;
}

static bool
cut(struct cutter *c)
{
	enum stretch_kind kind;
	size_t at = 0, end;
	bool ok = true;

	for (; ok && at < c->text.n; at = end) {
		next_word(c, at);
		if (c->has_word && c->word.begin == at) {
			end = c->word.end;
			ok = add_word(c);
		} else if (ascii_is_blank(c->text.p[at])) {
			end = blanks_end(c, at);
			ok = add_text(c, STRETCH_BLANKS, at, end);
		} else if (c->address &&
		           (end = special_end(c, at, &kind)) > 0) {
			ok = add_text(c, kind, at, end);
		} else {
			end = text_end(c, at);
			ok = add_text(c, STRETCH_TEXT, at, end);
		}
	}
	return ok;
}

/* ---- what the words hold ---- */

static bool
is_same_charset(const struct word *a, const struct word *b)
{
	return span_is_nocase(a->charset, b->charset);
}

static bool
give_text(struct cutter *c, struct stretch *s, const struct word *w, size_t n)
{
	GString *out = g_string_new(NULL);

	s->text = (struct span){NULL, 0};
	if (words_decode(w, n, out))
		s->text = arena_copy(c->arena, (struct span){out->str,
			out->len});
	g_string_free(out, TRUE);
	return s->text.p != NULL;
}

/*
 * n words of one charset, each the stretch at[i]. If they say another thing
 * together than each alone, a character is cut between them: they are one
 * stretch, the first, and the others are gaps without bytes.
 */
static bool
decode_group(struct cutter *c, const size_t *at, const struct word *w,
             size_t n)
{
	struct stretch *first = &c->list[at[0]], *last = &c->list[at[n - 1]];
	struct stretch all = *first;
	size_t i, done = 0;
	bool same = true;

	if (!give_text(c, &all, w, n))
		return false;
	for (i = 0; i < n; i++) {
		struct stretch *s = &c->list[at[i]];

		if (n > 1 && !give_text(c, s, &w[i], 1))
			return false;
		same = same && n > 1 && done + s->text.n <= all.text.n &&
			memcmp(all.text.p + done, s->text.p, s->text.n) == 0;
		done += s->text.n;
	}
	if (same && done == all.text.n)
		return true;
	all.raw.n = (size_t)(last->raw.p + last->raw.n - first->raw.p);
	for (i = at[0] + 1; i <= at[n - 1]; i++)
		c->list[i] = (struct stretch){STRETCH_GAP,
			{all.raw.p + all.raw.n, 0}, SPAN("")};
	*first = all;
	return true;
}

static bool
decode_words(struct cutter *c)
{
	size_t *at = arena_alloc(c->arena, c->n_words * sizeof(*at));
	size_t i, first = 0, n = 0;

	if (at == NULL)
		return false;
	for (i = 0; i < c->n; i++) {
		struct stretch *s = &c->list[i];
		bool behind = n > 0 && at[n - 1] + 1 == i;

		if (s->kind == STRETCH_WORD)
			at[n++] = i;
		else if (s->kind == STRETCH_BLANKS && behind &&
		         i + 1 < c->n && s[1].kind == STRETCH_WORD)
			*s = (struct stretch){STRETCH_GAP, s->raw, SPAN("")};
	}
	for (i = 1; i <= n; i++) {
		bool goes_on = i < n && is_same_charset(&c->words[i - 1],
			&c->words[i]) && (at[i] == at[i - 1] + 1 ||
			(at[i] == at[i - 1] + 2 &&
			 c->list[at[i] - 1].kind == STRETCH_GAP));

		if (goes_on)
			continue;
		if (!decode_group(c, at + first, c->words + first, i - first))
			return false;
		first = i;
	}
	return true;
}

bool
header_stretches(struct arena *a, struct span raw, bool address,
                 struct stretch **list, size_t *n)
{
	char *text = arena_alloc(a, raw.n + 1);
	struct cutter c = {.arena = a, .raw = raw, .address = address};
	bool ok;

	c.from = arena_alloc(a, (raw.n + 1) * sizeof(*c.from));
	if (text == NULL || c.from == NULL)
		return false;
	c.text = (struct span){text, unfold(raw, text, c.from)};
	c.finder.text = c.text;
	c.has_word = word_find(&c.finder, 0, &c.word);
	ok = cut(&c) && decode_words(&c);
	*list = c.list;
	*n = c.n;
	return ok;
}
