#include <glib.h>
#include <string.h>

#include "ascii.h"
#include "lex.h"
#include "words.h"

bool
lex_is_statement(struct span word)
{
	size_t i;

	for (i = 0; i < words_statements_count; i++)
		if (span_is(word, span_of(words_statements[i])))
			return true;
	return false;
}

static bool
blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* May c stand in a word? A # may not begin one. */
static bool
in_word(char c)
{
	return c != '\0' && !blank(c) && strchr("\"{}()<>[],", c) == NULL;
}

/* The byte that is n further on; NUL past the end. */
static char
look(const struct lex *l, size_t n)
{
	struct span text = l->source->text;

	return n < text.n - l->at ? text.p[l->at + n] : '\0';
}

static struct place
place_at(const struct lex *l, size_t at, size_t n)
{
	return (struct place){l->source, at, n};
}

static struct span
bytes(const struct lex *l, size_t from, size_t to)
{
	return (struct span){l->source->text.p + from, to - from};
}

bool
lex_is_word(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!in_word(s.p[i]))
			return false;
	return s.n > 0 && s.p[0] != '#' && s.p[0] != '/';
}

/* By its byte order mark, or a first letter of two bytes. */
static bool
is_utf16(struct span text)
{
	return text.n >= 2 && (memcmp(text.p, "\xff\xfe", 2) == 0 ||
	                       memcmp(text.p, "\xfe\xff", 2) == 0 ||
	                       (text.p[0] != '\0') != (text.p[1] != '\0'));
}

bool
lex_open(struct lex *l, struct arena *a, const struct source *source,
         struct diags *d)
{
	struct span text = source->text;
	const char *end = text.p;
	size_t at;

	*l = (struct lex){a, d, source, 0, true};
	if (text.n == 0)
		return true;
	if (!g_utf8_validate_len(text.p, text.n, &end)) {
		at = (size_t)(end - text.p);
		diag_error(d, place_at(l, at, 1), is_utf16(text) ?
		           "this file is UTF-16: save it as UTF-8" :
		           *end == '\0' ? "a NUL byte: this is not a text" :
		           "not valid UTF-8: save the file as UTF-8");
		return false;
	}
	end = memchr(text.p, '\r', text.n);
	if (end != NULL && memchr(text.p, '\n', text.n) == NULL) {
		diag_error(d, place_at(l, (size_t)(end - text.p), 1),
		           "the lines end in a carriage return alone: save "
		           "the file with line feeds");
		return false;
	}
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		l->at = 3; /* a byte order mark */
	return true;
}

/* blanks := { " " | TAB | CR | LF | "#" ... LF } */
static bool
skip_blanks(struct lex *l)
{
	size_t from = l->at;
	char c;

	for (;;) {
		c = look(l, 0);
		if (c == '#') {
			while (l->at < l->source->text.n && look(l, 0) != '\n')
				l->at++;
		} else if (blank(c)) {
			l->first |= c == '\n';
			l->at++;
		} else {
			return l->at > from;
		}
	}
}

/* Where the quote or slash opened here ends, or 0 if not on its line. */
static size_t
find_end(const struct lex *l, char end)
{
	size_t n;
	char c;

	for (n = 1; (c = look(l, n)) != end; n++) {
		if (c == '\\' && look(l, n + 1) != '\n')
			c = look(l, ++n);
		if (c == '\n' || c == '\0')
			return 0;
	}
	return l->at + n;
}

/* The place from here to the end of the line. */
static struct place
rest_of_line(const struct lex *l)
{
	size_t n = 0;

	while (look(l, n) != '\0' && look(l, n) != '\n')
		n++;
	while (n > 1 && blank(look(l, n - 1)))
		n--;
	return place_at(l, l->at, n);
}

static size_t
character(const char *p)
{
	return (size_t)(g_utf8_next_char(p) - p);
}

static char
unescape(char c)
{
	switch (c) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case '"':
	case '\\':
		return c;
	default:
		return '\0';
	}
}

/* What stands between the quotes, which are at from - 1 and to. */
static struct span
decode_string(struct lex *l, size_t from, size_t to, bool *bad)
{
	struct span s = bytes(l, from, to);
	char *out = arena_alloc(l->arena, s.n + 1);
	size_t i, n = 0;
	char c;

	for (i = 0; i < s.n; i++) {
		c = s.p[i];
		if (c == '\\') {
			c = unescape(s.p[++i]);
			if (c == '\0') {
				size_t width = character(s.p + i);

				diag_error(l->diags,
				           place_at(l, from + i - 1, 1 + width),
				           "unknown escape \"\\%.*s\": there are "
				           "\\\" \\\\ \\n and \\t",
				           (int)width, s.p + i);
				*bad = true;
				continue;
			}
		}
		out[n++] = c;
	}
	return (struct span){out, n};
}

/* string := '"' { character | '\"' | '\\' | '\n' | '\t' } '"' */
static void
read_string(struct lex *l, struct token *t)
{
	size_t end = find_end(l, '"');

	if (end == 0) {
		diag_error(l->diags, rest_of_line(l),
		           "this string is not closed on its line");
		t->kind = TOKEN_BROKEN;
		return;
	}
	t->kind = TOKEN_STRING;
	t->text = decode_string(l, l->at + 1, end, &t->bad);
	l->at = end + 1;
	/* what may follow: address "Sender".domain, a comment */
	if (in_word(look(l, 0)) ? strchr(".#", look(l, 0)) == NULL :
	    look(l, 0) == '"') {
		diag_error(l->diags, place_at(l, end, 1),
		           "a blank is missing after this quote (a quote in "
		           "a string is \\\")");
		t->kind = TOKEN_BROKEN;
	}
}

/* Between the slashes; the only escape that is ours is that of a slash. */
static struct span
decode_pattern(struct lex *l, size_t from, size_t to)
{
	struct span s = bytes(l, from, to);
	char *out = arena_alloc(l->arena, s.n + 1);
	size_t i, n = 0;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && s.p[i + 1] != '/')
			out[n++] = s.p[i++];
		else if (s.p[i] == '\\')
			i++;
		out[n++] = s.p[i];
	}
	return (struct span){out, n};
}

static void
check_flags(struct lex *l, struct token *t, size_t at)
{
	size_t i;

	for (i = 0; i < t->flags.n; i++) {
		char c = t->flags.p[i];

		if (strchr("imsx", c) == NULL) {
			diag_error(l->diags, place_at(l, at, t->flags.n),
			           "unknown pattern flag \"%.*s\": there are i, "
			           "m, s and x; a slash in a pattern is \\/, a "
			           "path stands in quotes",
			           (int)character(t->flags.p + i),
			           t->flags.p + i);
			t->kind = TOKEN_BROKEN;
			return;
		}
		if (memchr(t->flags.p, c, i) != NULL) {
			diag_error(l->diags, place_at(l, at + i, 1),
			           "the pattern flag %c stands twice", c);
			t->bad = true;
		}
	}
}

/* pattern := "/" { character | "\/" } "/" { "i" | "m" | "s" | "x" } */
static void
read_pattern(struct lex *l, struct token *t)
{
	size_t end = find_end(l, '/'), flags;

	if (end == l->at + 1) {
		diag_error(l->diags, rest_of_line(l),
		           "an empty pattern (a comment begins with #)");
		t->kind = TOKEN_BROKEN;
		return;
	}
	if (end == 0) {
		diag_error(l->diags, rest_of_line(l),
		           "this pattern is not closed on its line: a token "
		           "that begins with / is a pattern, a path stands in "
		           "quotes");
		t->kind = TOKEN_BROKEN;
		return;
	}
	t->kind = TOKEN_PATTERN;
	t->text = decode_pattern(l, l->at + 1, end);
	for (flags = l->at = end + 1; in_word(look(l, 0)); l->at++)
		;
	t->flags = bytes(l, flags, l->at);
	check_flags(l, t, flags);
}

/* "<>" | "<" letter ... ">" | "<=" | "<" */
static void
read_angle(struct lex *l, struct token *t)
{
	size_t n = 1;

	if (look(l, 1) == '>' || look(l, 1) == '=') {
		t->kind = look(l, 1) == '>' ? TOKEN_NULL : TOKEN_LESS_OR_IS;
		l->at += 2;
		return;
	}
	t->kind = TOKEN_LESS;
	if (ascii_is_letter(look(l, 1)))
		while (in_word(look(l, n)))
			n++;
	if (n == 1 || look(l, n) != '>') {
		l->at++;
		return;
	}
	t->kind = TOKEN_TABLE;
	t->text = bytes(l, l->at + 1, l->at + n);
	l->at += n + 1;
}

static void
read_mark(struct lex *l, struct token *t)
{
	static const char marks[] = "{}()[],";
	static const enum token_kind kinds[] = {
		TOKEN_BRACE, TOKEN_BRACE_END, TOKEN_PAREN, TOKEN_PAREN_END,
		TOKEN_BRACKET, TOKEN_BRACKET_END, TOKEN_COMMA,
	};

	t->kind = kinds[strchr(marks, look(l, 0)) - marks];
	l->at++;
}

#define HIDDEN "a character that shows nothing: take it out"

/* What a web page or a word processor makes of blanks and quotes. */
static const struct {
	struct span letter;
	const char *told;
} lookalikes[] = {
	{{"\xc2\xa0", 2}, "a no-break space is no blank: write a blank"},
	{{"\xe2\x80\x9c", 3}, "this quote is none: write \""},
	{{"\xe2\x80\x9d", 3}, "this quote is none: write \""},
	{{"\xe2\x80\x9e", 3}, "this quote is none: write \""},
	{{"\xe2\x80\x98", 3}, "this quote is none: write \""},
	{{"\xe2\x80\x99", 3}, "this quote is none: write \""},
	{{"\xe2\x80\x9a", 3}, "this quote is none: write \""},
	{{"\xc2\xab", 2}, "this quote is none: write \""},
	{{"\xc2\xbb", 2}, "this quote is none: write \""},
	{{"\xe2\x80\x8b", 3}, HIDDEN}, {{"\xe2\x80\x8c", 3}, HIDDEN},
	{{"\xe2\x80\x8d", 3}, HIDDEN}, {{"\xe2\x80\x8e", 3}, HIDDEN},
	{{"\xe2\x80\x8f", 3}, HIDDEN}, {{"\xe2\x80\xaa", 3}, HIDDEN},
	{{"\xe2\x80\xab", 3}, HIDDEN}, {{"\xe2\x80\xac", 3}, HIDDEN},
	{{"\xe2\x80\xad", 3}, HIDDEN}, {{"\xe2\x80\xae", 3}, HIDDEN},
	{{"\xe2\x81\xa0", 3}, HIDDEN}, {{"\xef\xbb\xbf", 3}, HIDDEN},
	{{"\xc2\xad", 2}, HIDDEN},
};

/* word := { a letter of a word } */
static void
read_word(struct lex *l, struct token *t)
{
	size_t i, from = l->at;
	const char *found;

	t->kind = TOKEN_WORD;
	while (in_word(look(l, 0)))
		l->at++;
	t->text = bytes(l, from, l->at);
	if (t->text.p[0] == '\'' || t->text.p[0] == '`') {
		diag_error(l->diags, place_at(l, from, 1),
		           "this quote is none: write \"");
		t->kind = TOKEN_BROKEN;
		return;
	}
	for (i = 0; i < sizeof(lookalikes) / sizeof(lookalikes[0]); i++) {
		found = memmem(t->text.p, t->text.n, lookalikes[i].letter.p,
		               lookalikes[i].letter.n);
		if (found == NULL)
			continue;
		diag_error(l->diags, place_at(
			l, from + (size_t)(found - t->text.p),
			lookalikes[i].letter.n), "%s", lookalikes[i].told);
		t->kind = TOKEN_BROKEN;
		return;
	}
}

static void
read_token(struct lex *l, struct token *t)
{

	switch (look(l, 0)) {
	case '\0':
		t->kind = TOKEN_END;
		break;
	case '"':
		read_string(l, t);
		break;
	case '/':
		read_pattern(l, t);
		break;
	case '<':
		read_angle(l, t);
		break;
	case '>':
		t->kind = look(l, 1) == '=' ? TOKEN_MORE_OR_IS : TOKEN_MORE;
		l->at += t->kind == TOKEN_MORE ? 1 : 2;
		break;
	case '{': case '}': case '(': case ')': case '[': case ']': case ',':
		read_mark(l, t);
		break;
	default:
		read_word(l, t);
	}
}

struct token
lex_next(struct lex *l)
{
	struct token t = {TOKEN_END, {0}, {0}, {0}, false, false, false};
	bool begins = l->at == 0;

	t.glued = !skip_blanks(l) && !begins;
	t.first = l->first;
	l->first = false;
	t.place = place_at(l, l->at, 0);
	read_token(l, &t);
	t.place.n = l->at - t.place.at;
	return t;
}

/* The word at *at, past blanks; *at is then behind it. */
static struct span
word_at(const struct lex *l, size_t *at)
{
	struct span text = l->source->text;
	size_t from;

	while (*at < text.n && blank(text.p[*at]))
		++*at;
	for (from = *at; *at < text.n && in_word(text.p[*at]); ++*at)
		;
	return bytes(l, from, *at);
}

bool
lex_begins_statement(const struct lex *l)
{
	size_t at = l->at;
	struct span word = word_at(l, &at);

	if (!span_is(word, SPAN("limit")))
		return lex_is_statement(word);
	word_at(l, &at);
	word = word_at(l, &at);
	return !span_is(word, SPAN("used")) && !span_is(word, SPAN("fails"));
}

void
lex_resync(struct lex *l)
{
	struct span text = l->source->text;

	for (;;) {
		while (l->at < text.n && look(l, 0) != '\n')
			l->at++;
		while (blank(look(l, 0)))
			l->at++;
		if (l->at >= text.n || lex_begins_statement(l))
			break;
	}
	l->first = true;
}
