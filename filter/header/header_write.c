/*
 * header_write.c - text as a header field's value (RFC 5322 2.2.3 and 3.2,
 * RFC 2047), and changes in one that is there.
 *
 * A value is cut into stretches. What no change touches goes out with the
 * bytes and folds that it came with; the rest is made anew, in encoded words
 * where it has to be. In the end the result is decoded again: if it does not
 * say what it should, all of it is encoded.
 *
 * In an address field a text is first written as it stands, so that a policy
 * can put an address there. If what was a list of addresses is none by that,
 * it was meant for a name: then what has a meaning there is encoded, too.
 */
#include <string.h>

#include "address.h"
#include "encoded.h"
#include "utf8.h"

#define WORD_LIMIT 75   /* RFC 2047 2 */
#define WORDS_LINE 76   /* the same, of a line with encoded words */
#define LINE_GOOD 78    /* RFC 5322 2.1.1 */
#define LINE_LIMIT 998
#define TEXT_LIMIT 900  /* of a text without blanks; a longer one is encoded */

#define WORD_ROUND (sizeof("=?UTF-8?B?" "?=") - 1)
#define WORD_LEAST (WORD_ROUND + 12) /* room for any one character */

/* A stretch of the result. */
struct tok {
	enum stretch_kind kind;
	struct span raw;  /* as it came; p NULL: it is new */
	struct span text;
	bool encode;      /* new, and to be encoded */
};

struct writer {
	struct arena *arena;
	bool address;
	bool strict;      /* what has a meaning is encoded */
	struct tok *toks;
	size_t n;
	GString *text;    /* what the result must say */
	/* while it is written */
	GString *out;
	size_t column;
	bool touched;     /* something of this line is new */
	bool words;       /* there are encoded words in it */
	bool fold_all;    /* lines that came too long, too */
};

/* ---- kinds of fields ---- */

static bool
is_address_field(struct span name)
{
	static const struct span names[] = {
		{"from", 4}, {"sender", 6}, {"reply-to", 8}, {"to", 2},
		{"cc", 2}, {"bcc", 3}, {"resent-from", 11},
		{"resent-sender", 13}, {"resent-to", 9}, {"resent-cc", 9},
		{"resent-bcc", 10}, {"resent-reply-to", 15},
		{"mail-followup-to", 16}, {"mail-reply-to", 13},
		{"disposition-notification-to", 27}, {"errors-to", 9},
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is_nocase(name, names[i]))
			return true;
	return false;
}

static bool
is_ascii(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80)
			return false;
	return true;
}

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

/* Valid UTF-8, each control a blank. */
static struct span
without_controls(struct arena *a, struct span value)
{
	struct span s = utf8_make_valid(a, value);
	size_t i;
	char *p;

	s = arena_copy(a, s);
	p = (char *)(size_t)s.p; /* the copy is ours */
	for (i = 0; p != NULL && i < s.n; i++)
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
			p[i] = ' ';
	return s;
}

/* ---- new text, cut into stretches ---- */

static bool
add_tok(struct writer *w, enum stretch_kind kind, struct span raw,
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

static bool
must_encode(const struct writer *w, struct span s, bool strict)
{
	size_t i;

	if (!is_ascii(s) || begins_word(s) || s.n > TEXT_LIMIT)
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
			ok = add_tok(w, STRETCH_BLANKS, none, part, false);
			continue;
		}
		while (n < s.n && strchr("() ", s.p[n]) == NULL)
			n += s.p[n] == '\\' && n + 1 < s.n ? 2 : 1;
		part.n = n;
		if (n > 0) {
			ok = add_tok(w, STRETCH_TEXT, none, part,
			             must_encode(w, part, false));
			continue;
		}
		part.n = n = 1;
		ok = add_tok(w, STRETCH_COMMENT, none, part, false);
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
	if (kind == STRETCH_QUOTED && must_encode(w, s, false)) {
		kind = STRETCH_TEXT;
		text = unquote(w->arena, s);
		encode = true;
	} else if (kind == STRETCH_ANGLE && !is_ascii(s)) {
		encode = !is_angle(s);
	}
	return text.p != NULL && add_tok(w, kind, none, text, encode);
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

static bool
add_new(struct writer *w, struct span s, bool strict)
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
				add_tok(w, STRETCH_BLANKS, none, text, false);
		else if (is_special(&list[i], strict, i + 1 == n))
			ok = add_special(w, kind, text);
		else /* what looks like an encoded word is none */
			ok = add_tok(w, STRETCH_TEXT, none, text,
			             must_encode(w, text, strict));
	}
	return ok;
}

/* ---- the value with its changes ---- */

/* A substitution, and the part of it that makes a difference. */
struct edit {
	size_t from, to; /* in the decoded value */
	size_t at, n;    /* in these */
	struct span text;
};

struct change_walk {
	struct writer *w;
	const struct edit *next, *end;
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
	return add_new(c->w, s, strict);
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
put_edit(struct change_walk *c, const struct stretch *s)
{
	const struct edit *e = c->next++;
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
	text = without_controls(c->w->arena,
		(struct span){s->text.p + from, to - from});
	if (text.p == NULL)
		return false;
	if (s->kind == STRETCH_WORD && c->w->address) {
		if (!flush(c))
			return false;
		say(c->w, text);
		return add_tok(c->w, STRETCH_TEXT, none, text, true);
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
		put_edit(c, s);
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
		return add_tok(c->w, STRETCH_TEXT, none, s->text, true);
	return add_tok(c->w, s->kind, s->raw, s->text, false);
}

/* An insert between two stretches touches neither. */
static bool
put_stretch(struct change_walk *c, const struct stretch *s)
{
	size_t end = c->at + s->text.n;
	bool ok;

	while (c->next < c->end && c->next->n == 0 &&
	       c->next->at == c->at && c->done <= c->at)
		put_edit(c, NULL);
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

static bool
put_all(struct writer *w, const struct stretch *list, size_t n,
        const struct edit *edits, size_t n_edits)
{
	struct change_walk c = {
		.w = w, .next = edits, .end = edits + n_edits,
		.fresh = g_string_new(NULL),
	};
	bool ok = true;
	size_t i;

	for (i = 0; ok && i < n; i++)
		ok = put_stretch(&c, &list[i]);
	while (c.next < c.end)
		put_edit(&c, NULL);
	ok = ok && flush(&c);
	g_string_free(c.fresh, TRUE);
	return ok;
}

/* ---- neighbours ---- */

static bool
is_joined(const struct tok *a, const struct tok *b)
{
	return a->raw.p != NULL && b->raw.p != NULL &&
		a->raw.p + a->raw.n == b->raw.p;
}

static bool
is_wordish(const struct tok *t)
{
	return t->kind == STRETCH_WORD || t->encode;
}

/* Texts that now stand side by side are one, and blanks too. */
static bool
merges(const struct tok *a, const struct tok *b)
{
	return a->kind == b->kind && !is_joined(a, b) &&
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
			t->encode |= must_encode(w, t->text, false);
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
		    (ends || !is_joined(&w->toks[made - 1], t) ||
		     !is_joined(t, t + 1)))
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

		if (is_joined(a, b))
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
		    is_wordish(&w->toks[i - 1]) && is_wordish(&w->toks[i + 1]))
			encode_it(&w->toks[i]);
}

static bool
settle(struct writer *w)
{
	if (!merge(w))
		return false;
	drop_gaps(w);
	encode_beside_words(w);
	encode_blanks(w);
	return true;
}

/* ---- writing ---- */

static void
new_line(struct writer *w)
{
	g_string_append_c(w->out, '\n');
	w->column = 0;
	w->touched = w->fold_all;
	w->words = false;
}

static void
put(struct writer *w, struct span s)
{
	g_string_append_len(w->out, s.p, (gssize)s.n);
	w->column += s.n;
}

/* As it came, folds with LF. */
static void
put_raw(struct writer *w, struct span s)
{
	size_t i;
	char c;

	for (i = 0; i < s.n; i++) {
		c = s.p[i];
		if (c == '\r' && i + 1 < s.n && s.p[i + 1] == '\n')
			continue;
		if (c == '\n' && i + 1 < s.n &&
		    (s.p[i + 1] == ' ' || s.p[i + 1] == '\t')) {
			new_line(w);
			continue;
		}
		put(w, c == '\r' || c == '\n' ? SPAN(" ") :
		       (struct span){s.p + i, 1});
	}
}

/* RFC 2047 5 (3): these stand for themselves in a phrase, too. */
static bool
is_plain_q(char c)
{
	return g_ascii_isalnum(c) || (c != '\0' && strchr("!*+-/ ", c) != NULL);
}

static size_t
q_length(struct span s)
{
	size_t i, n = 0;

	for (i = 0; i < s.n; i++)
		n += is_plain_q(s.p[i]) ? 1 : 3;
	return n;
}

static size_t
b_length(size_t n)
{
	return (n + 2) / 3 * 4;
}

/* The longest begin, of whole characters, that a word of that room holds. */
static size_t
fitting(struct span s, bool q, size_t room)
{
	size_t i, n, best = 0, used = 0;

	for (i = 0; i < s.n; i += n) {
		for (n = 1; i + n < s.n &&
		     ((unsigned char)s.p[i + n] & 0xc0) == 0x80; n++)
			;
		used += q_length((struct span){s.p + i, n});
		if (WORD_ROUND + (q ? used : b_length(i + n)) > room)
			break;
		best = i + n;
	}
	return best;
}

static void
put_word(struct writer *w, struct span s, bool q)
{
	GString *word = g_string_new(q ? "=?UTF-8?Q?" : "=?UTF-8?B?");
	gchar *payload;
	size_t i;

	for (i = 0; q && i < s.n; i++)
		if (!is_plain_q(s.p[i]))
			g_string_append_printf(word, "=%02X",
			                       (unsigned char)s.p[i]);
		else
			g_string_append_c(word, s.p[i] == ' ' ? '_' : s.p[i]);
	if (!q) {
		payload = g_base64_encode((const guchar *)s.p, s.n);
		g_string_append(word, payload);
		g_free(payload);
	}
	g_string_append(word, "?=");
	put(w, (struct span){word->str, word->len});
	g_string_free(word, TRUE);
	w->words = true;
}

/* separate: a blank or a fold goes before it. */
static void
put_encoded(struct writer *w, struct span s, bool separate)
{
	bool q = q_length(s) <= b_length(s.n);
	size_t n, room;

	for (; s.n > 0; s.p += n, s.n -= n, separate = true) {
		room = w->column + separate + WORD_LEAST > WORDS_LINE ?
			0 : WORDS_LINE - w->column - separate;
		if (room == 0 && separate)
			new_line(w);
		if (separate)
			put(w, SPAN(" "));
		if (room == 0 || room > WORD_LIMIT)
			room = WORD_LIMIT;
		n = fitting(s, q, room);
		put_word(w, (struct span){s.p, n}, q);
	}
}

/* What would stand on the line at least if there is no fold here. */
static size_t
length_up_to_fold(const struct writer *w, size_t i, bool *words)
{
	size_t n = 0, q, b;
	const char *end;

	for (; i < w->n && w->toks[i].kind != STRETCH_BLANKS &&
	     w->toks[i].kind != STRETCH_GAP; i++) {
		const struct tok *t = &w->toks[i];

		*words |= is_wordish(t);
		if (t->encode) {
			q = q_length(t->text);
			b = b_length(t->text.n);
			q = WORD_ROUND + (q < b ? q : b);
			return n + (q > WORD_LIMIT ? WORD_LEAST : q);
		}
		if (t->raw.p == NULL) {
			n += t->text.n;
			continue;
		}
		end = memchr(t->raw.p, '\n', t->raw.n);
		if (end != NULL)
			return n + (size_t)(end - t->raw.p);
		n += t->raw.n;
	}
	return n;
}

static void
put_blanks(struct writer *w, size_t i)
{
	const struct tok *t = &w->toks[i];
	struct span s = t->raw.p == NULL ? t->text : t->raw;
	bool words = w->words;
	size_t next = length_up_to_fold(w, i + 1, &words);

	if (next > 0 && i > 0 && (w->touched || t->raw.p == NULL) &&
	    memchr(s.p, '\n', s.n) == NULL &&
	    w->column + s.n + next > (words ? WORDS_LINE : LINE_GOOD))
		new_line(w);
	put_raw(w, s);
}

static bool
is_separated(const struct tok *a, const struct tok *b)
{
	if (a->kind == STRETCH_BLANKS || b->kind == STRETCH_BLANKS ||
	    a->kind == STRETCH_GAP || b->kind == STRETCH_GAP ||
	    a->kind == STRETCH_COMMENT || b->kind == STRETCH_COMMENT)
		return true;
	return is_joined(a, b) || (!is_wordish(a) && !is_wordish(b));
}

/* A run of what is to be encoded is one text. */
static size_t
put_run(struct writer *w, size_t i, bool separate)
{
	GString *all = g_string_new(NULL);

	for (; i < w->n && w->toks[i].encode; i++)
		g_string_append_len(all, w->toks[i].text.p,
		                    (gssize)w->toks[i].text.n);
	put_encoded(w, (struct span){all->str, all->len}, separate);
	g_string_free(all, TRUE);
	return i;
}

static void
write_toks(struct writer *w, struct span name)
{
	size_t i = 0;

	g_string_truncate(w->out, 0);
	w->column = name.n + 2; /* of ": " */
	w->touched = w->fold_all;
	w->words = false;
	while (i < w->n) {
		const struct tok *t = &w->toks[i];
		bool separate = i > 0 && !is_separated(t - 1, t);

		if (t->encode) {
			i = put_run(w, i, separate);
			w->touched = true;
			continue;
		}
		if (separate)
			put(w, SPAN(" "));
		if (t->kind == STRETCH_BLANKS)
			put_blanks(w, i);
		else
			put_raw(w, t->raw.p == NULL ? t->text : t->raw);
		w->touched |= t->raw.p == NULL;
		w->words |= t->kind == STRETCH_WORD;
		i++;
	}
}

/* ---- is it right? ---- */

static bool
lines_fit(const GString *s, size_t column)
{
	const char *line = s->str;
	size_t n;

	for (; *line != '\0'; line += n + (line[n] == '\n'), column = 0) {
		n = strcspn(line, "\n");
		if (column + n > LINE_LIMIT)
			return false;
	}
	return true;
}

/* A quoted string may have become encoded words: quotes don't count there. */
static struct span
squeezed(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t i, n = 0;

	for (i = 0; p != NULL && i < s.n; i++)
		if (strchr(" \t\"\\", s.p[i]) == NULL || s.p[i] == '\0')
			p[n++] = s.p[i];
	return (struct span){p, n};
}

static bool
says(const struct writer *w, const GString *result, struct span text)
{
	struct span s = header_decode(w->arena,
		(struct span){result->str, result->len});

	if (s.p == NULL || memchr(result->str, '\0', result->len) != NULL)
		return false;
	if (span_is(s, text))
		return true;
	return w->address && span_is(squeezed(w->arena, s),
		squeezed(w->arena, text));
}

/* Is each address in it one, for sure? */
static bool
is_good_list(struct arena *a, struct span value)
{
	struct mailbox *boxes;
	size_t i, n;
	bool full;

	if (!address_field(a, value, &boxes, &n, &full))
		return false;
	for (i = 0; i < n; i++)
		if (boxes[i].address.bad)
			return false;
	return n > 0;
}

/* ---- the whole ---- */

/* What is to be written. */
struct task {
	struct span name, raw;
	struct stretch *list;
	size_t n;
	struct edit *edits;
	size_t n_edits;
};

static bool
attempt(struct writer *w, const struct task *t, bool strict)
{
	size_t column = t->name.n + 2;
	struct span text;

	w->strict = strict;
	w->toks = NULL;
	w->n = 0;
	g_string_truncate(w->text, 0);
	if (!put_all(w, t->list, t->n, t->edits, t->n_edits) || !settle(w))
		return false;
	w->fold_all = false;
	write_toks(w, t->name);
	if (!lines_fit(w->out, column)) {
		w->fold_all = true;
		write_toks(w, t->name);
	}
	text = span_trim((struct span){w->text->str, w->text->len});
	return lines_fit(w->out, column) && says(w, w->out, text);
}

static struct span
written(struct writer *w)
{
	return arena_copy(w->arena, span_trim(
		(struct span){w->out->str, w->out->len}));
}

static bool
write_address(struct writer *w, const struct task *t, struct span *plain)
{
	bool good, was_good = t->raw.n == 0 || is_good_list(w->arena, t->raw);

	*plain = (struct span){NULL, 0};
	if (attempt(w, t, false)) {
		*plain = written(w);
		if (plain->p == NULL || !was_good ||
		    is_good_list(w->arena, *plain))
			return true;
	}
	good = attempt(w, t, true);
	*plain = good && is_good_list(w->arena,
		(struct span){w->out->str, w->out->len}) ?
		written(w) : *plain;
	return plain->p != NULL;
}

/* What no other way carries. */
static struct span
encode_all(struct writer *w, const struct task *t)
{
	struct span text = span_trim((struct span){w->text->str, w->text->len});

	g_string_truncate(w->out, 0);
	w->column = t->name.n + 2;
	put_encoded(w, text, false);
	return written(w);
}

static struct span
do_task(struct arena *a, const struct task *t)
{
	struct writer w = {
		.arena = a, .address = is_address_field(t->name),
		.text = g_string_new(NULL), .out = g_string_new(NULL),
	};
	struct span s = {NULL, 0};

	if (w.address)
		write_address(&w, t, &s);
	else if (attempt(&w, t, false))
		s = written(&w);
	if (s.p == NULL && !arena_full(a))
		s = encode_all(&w, t);
	g_string_free(w.text, TRUE);
	g_string_free(w.out, TRUE);
	return arena_full(a) ? (struct span){NULL, 0} : s;
}

struct span
header_encode(struct arena *a, struct span name, struct span value)
{
	struct edit all = {.text = without_controls(a, value)};
	struct task t = {.name = name, .raw = SPAN(""), .edits = &all,
	                 .n_edits = 1};

	address_init();
	return all.text.p == NULL ? all.text : do_task(a, &t);
}

/* The text of all stretches; p NULL: no memory. */
static struct span
joined(struct arena *a, const struct stretch *list, size_t n)
{
	GString *s = g_string_new(NULL);
	struct span text;
	size_t i;

	for (i = 0; i < n; i++)
		g_string_append_len(s, list[i].text.p, (gssize)list[i].text.n);
	text = arena_copy(a, (struct span){s->str, s->len});
	g_string_free(s, TRUE);
	return text;
}

/* The value as a whole, changed. */
static struct span
changed(struct arena *a, struct span value, const struct subst *substs,
        size_t n)
{
	GString *s = g_string_new(NULL);
	struct span text;
	size_t i, done = 0;

	for (i = 0; i < n; i++) {
		g_string_append_len(s, value.p + done,
		                    (gssize)(substs[i].at - done));
		g_string_append_len(s, substs[i].text.p,
		                    (gssize)substs[i].text.n);
		done = substs[i].at + substs[i].n;
	}
	g_string_append_len(s, value.p + done, (gssize)(value.n - done));
	text = arena_copy(a, (struct span){s->str, s->len});
	g_string_free(s, TRUE);
	return text;
}

static bool
is_character_begin(struct span s, size_t at)
{
	return at >= s.n || ((unsigned char)s.p[at] & 0xc0) != 0x80;
}

/* What is put back as it was is no change: "$1" of a long match. */
static struct edit
edit_of(struct span value, const struct subst *s, struct span text)
{
	struct span old = {value.p + s->at, s->n};
	size_t head = 0, tail = 0;
	size_t least = old.n < text.n ? old.n : text.n;

	while (head < least && old.p[head] == text.p[head])
		head++;
	while (head > 0 && (!is_character_begin(old, head) ||
	                    !is_character_begin(text, head)))
		head--;
	while (tail < least - head &&
	       old.p[old.n - 1 - tail] == text.p[text.n - 1 - tail])
		tail++;
	while (tail > 0 && !is_character_begin(old, old.n - tail))
		tail--;
	return (struct edit){
		s->at, s->at + s->n, s->at + head, s->n - head - tail,
		{text.p + head, text.n - head - tail},
	};
}

struct span
header_rewrite(struct arena *a, struct span name, struct span raw,
               const struct subst *substs, size_t n)
{
	struct task t = {.name = name, .raw = raw, .n_edits = n};
	struct span value = header_decode(a, raw), all, seen, text;
	struct span none = {NULL, 0};
	size_t i, lead;

	address_init();
	t.edits = arena_alloc(a, n * sizeof(*t.edits));
	if (value.p == NULL || t.edits == NULL || !header_stretches(a, raw,
	    is_address_field(name), &t.list, &t.n))
		return none;
	all = joined(a, t.list, t.n);
	if (all.p == NULL)
		return none;
	seen = span_trim(all);
	if (!span_is(seen, value)) {
		/* bytes that are no text, inside a word */
		seen = changed(a, value, substs, n);
		return seen.p == NULL ? seen : header_encode(a, name, seen);
	}
	lead = (size_t)(seen.p - all.p);
	for (i = 0; i < n; i++) {
		text = without_controls(a, substs[i].text);
		if (text.p == NULL)
			return none;
		t.edits[i] = edit_of(value, &substs[i], text);
		t.edits[i].from += lead;
		t.edits[i].to += lead;
		t.edits[i].at += lead;
	}
	return do_task(a, &t);
}
