/*
 * writer_lines.c - stretches as lines: folds, and encoded words (RFC 2047).
 */
#include <string.h>

#include "writer.h"

#define WORD_LIMIT 75   /* RFC 2047 2 */
#define WORDS_LINE 76   /* the same, of a line with encoded words */
#define LINE_GOOD 78    /* RFC 5322 2.1.1 */

#define WORD_ROUND (sizeof("=?UTF-8?B?" "?=") - 1)
#define WORD_LEAST (WORD_ROUND + 12) /* room for any one character */

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
append_q(GString *word, char c)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char byte = (unsigned char)c;

	if (is_plain_q(c)) {
		g_string_append_c(word, c == ' ' ? '_' : c);
		return;
	}
	g_string_append_c(word, '=');
	g_string_append_c(word, digits[byte >> 4]);
	g_string_append_c(word, digits[byte & 15]);
}

static void
put_word(struct writer *w, struct span s, bool q)
{
	GString *word = g_string_new(q ? "=?UTF-8?Q?" : "=?UTF-8?B?");
	gchar *payload;
	size_t i;

	for (i = 0; q && i < s.n; i++)
		append_q(word, s.p[i]);
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

void
writer_put_encoded(struct writer *w, struct span s, bool separate)
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

		*words |= tok_is_wordish(t);
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
	return tok_is_joined(a, b) ||
		(!tok_is_wordish(a) && !tok_is_wordish(b));
}

/* A run of what is to be encoded is one text. */
static size_t
put_run(struct writer *w, size_t i, bool separate)
{
	GString *all = g_string_new(NULL);

	for (; i < w->n && w->toks[i].encode; i++)
		g_string_append_len(all, w->toks[i].text.p,
		                    (gssize)w->toks[i].text.n);
	writer_put_encoded(w, (struct span){all->str, all->len}, separate);
	g_string_free(all, TRUE);
	return i;
}

void
writer_write(struct writer *w, struct span name)
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
