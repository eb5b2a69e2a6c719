#include <string.h>

#include "character.h"
#include "seen.h"

/*
 * U+200C and U+200D shape the letters of scripts behind U+0590 (Arabic,
 * Devanagari, ...) and join pictures; between others they only part words
 * for who searches.
 */
static bool
is_shown(const struct seen *s, unsigned c)
{
	if (c == 0x200c || c == 0x200d)
		return s->last >= 0x590;
	return c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0) &&
		!character_turns(c) && !character_is_invisible(c);
}

void
seen_break(struct seen *s)
{
	s->blank = true;
	s->last = ' ';
}

static void
append(struct seen *s, const char *p, size_t n)
{
	if (s->to != NULL)
		memcpy(s->to + s->n, p, n);
	else
		g_string_append_len(s->out, p, (gssize)n);
	s->n += n;
}

static void
put(struct seen *s, const char *p, size_t n, unsigned c)
{
	if (s->blank && s->n > 0)
		append(s, " ", 1);
	s->blank = false;
	s->last = c;
	append(s, p, n);
}

void
seen_text(struct seen *s, struct span text)
{
	size_t i, n;
	unsigned c;

	for (i = 0; i < text.n; i += n) {
		n = character_next(text.p + i, &c);
		if (character_is_blank(c))
			seen_break(s);
		else if (is_shown(s, c))
			put(s, text.p + i, n, c);
	}
}

/* ---- text/plain ---- */

/* RFC 3676 4.5: marks of quoting, then a blank that was stuffed. */
static size_t
take_quotes(struct span *line)
{
	size_t depth = 0;

	while (depth < line->n && line->p[depth] == '>')
		depth++;
	line->p += depth;
	line->n -= depth;
	if (line->n > 0 && *line->p == ' ') {
		line->p++;
		line->n--;
	}
	return depth;
}

static void
put_quotes(struct seen *s, size_t depth)
{
	while (depth-- > 0)
		seen_text(s, SPAN(">"));
	seen_break(s);
}

void
seen_plain(struct seen *s, struct span text, bool flowed, bool delsp)
{
	size_t depth, before = 0;
	struct span line;
	bool soft = false; /* the line before goes on in this one */

	if (!flowed) {
		seen_text(s, text);
		return;
	}
	while (text.n > 0) {
		line = span_line(&text);
		depth = take_quotes(&line);
		if (!soft || depth != before) {
			seen_break(s);
			put_quotes(s, depth);
		}
		before = depth;
		/* RFC 3676 4.3: a signature's mark is a whole line */
		soft = line.n > 0 && line.p[line.n - 1] == ' ' &&
			!span_is(line, SPAN("-- "));
		if (soft && delsp)
			line.n--;
		seen_text(s, line);
		if (!soft)
			seen_break(s);
	}
}
