/*
 * prefilter.c - a pattern as a simpler one that matches at least as much.
 *
 * Whatever only takes matches away (assertions, possessive repeats, atomic
 * groups) is left out; whatever another library might see otherwise (classes
 * by Unicode property, back references, recursion) becomes something wider;
 * what is not understood here, or not worth it, is refused. A character is
 * one to four bytes, so a class that has others than ASCII takes bytes without
 * a bound: that is also what Hyperscan compiles soonest.
 */
#include <string.h>

#include "prefilter.h"

#define EXPRESSION_MOST (16 << 10) /* bytes; longer is not worth it */
#define REPEAT_MOST 8              /* a repeat beyond has no upper bound */
#define DEPTH_MOST 250             /* of groups; PCRE2's own limit */
#define WIDTH_MOST 1000
#define NO_END G_MAXUINT
#define RUN_LEAST 4                /* letters; shorter ones are in any text */

struct flags {
	bool caseless, extended, multiline;
};

/* Characters in a row that every match has. */
struct run {
	size_t begin, end; /* in the expression */
	size_t width;
};

struct reader {
	struct span s;
	size_t at;
	bool raw, refused, caseless, ascii;
	bool branched; /* outside groups */
	size_t branch; /* where the alternative outside groups begins */
	unsigned depth;
	struct run run, best; /* outside groups */
	struct cases (*cases)(gunichar c);
	GString *out;
};

/* What an element is for its repeat. */
struct element {
	size_t width;  /* bytes at least */
	bool wide;     /* a class with bytes beyond ASCII, in UTF-8 */
	bool group_it; /* more than one item: needs a group to be repeated */
	bool nothing;  /* left out, with its repeat */
	bool letter;   /* one character */
};

static bool
refuse(struct reader *r)
{
	r->refused = true;
	return false;
}

static bool
more(const struct reader *r)
{
	return r->at < r->s.n && !r->refused;
}

static unsigned char
peek(const struct reader *r, size_t ahead)
{
	return r->at + ahead < r->s.n ? (unsigned char)r->s.p[r->at + ahead] : 0;
}

static bool
take(struct reader *r, const char *word)
{
	size_t n = strlen(word);

	if (r->s.n - r->at < n || memcmp(r->s.p + r->at, word, n) != 0)
		return false;
	r->at += n;
	return true;
}

/* Goes behind the next end; refuses if there is none. */
static void
skip_to(struct reader *r, char end)
{
	const char *p = memchr(r->s.p + r->at, end, r->s.n - r->at);

	if (p == NULL)
		refuse(r);
	else
		r->at = (size_t)(p - r->s.p) + 1;
}

static void
put_byte(struct reader *r, unsigned char c)
{
	if (g_ascii_isalnum(c))
		g_string_append_c(r->out, (char)c);
	else
		g_string_append_printf(r->out, "\\x%02x", c);
}

/* ---- what stands between items ---- */

static bool
skip_blank(struct reader *r)
{
	const char *end;

	if (strchr(" \t\n\v\f\r", r->s.p[r->at]) != NULL &&
	    r->s.p[r->at] != '\0') {
		r->at++;
		return true;
	}
	if (r->s.p[r->at] != '#')
		return false;
	/* Where a comment ends depends on what ends a line. */
	end = memchr(r->s.p + r->at, '\n', r->s.n - r->at);
	if (memchr(r->s.p, '\r', r->s.n) != NULL)
		return refuse(r);
	r->at = end == NULL ? r->s.n : (size_t)(end - r->s.p) + 1;
	return true;
}

/* Comments, \E, under x blanks too. */
static void
skip_ignored(struct reader *r, const struct flags *f)
{
	while (more(r)) {
		if (take(r, "\\Q\\E") || take(r, "\\E"))
			continue;
		if (take(r, "(?#"))
			skip_to(r, ')');
		else if (!f->extended || !skip_blank(r))
			break;
	}
}

/* ---- sets of characters ---- */

struct set {
	bool byte[256]; /* in UTF-8: up to 0x7f */
	bool high;      /* in UTF-8: others than ASCII, all of them */
	bool inexact;   /* may have ASCII that the pattern's has not */
};

static void
add_range(struct set *s, const struct reader *r, const struct flags *f,
          gunichar from, gunichar to)
{
	gunichar c, most = r->raw ? 0xff : 0x7f;

	for (c = from; c <= to && c <= most; c++) {
		s->byte[c] = true;
		if (f->caseless && c < 0x80 && g_ascii_isalpha((char)c))
			s->byte[c ^ 0x20] = true;
	}
	if (r->raw || to < 0x80)
		return;
	s->high = true;
	if (f->caseless) { /* U+017F and U+212A are among them, perhaps */
		s->byte['k'] = s->byte['K'] = true;
		s->byte['s'] = s->byte['S'] = true;
		s->inexact = true;
	}
}

static void
add_all(struct set *s)
{
	memset(s->byte, true, sizeof(s->byte));
	s->high = s->inexact = true;
}

static bool
in_ascii_class(char letter, unsigned char c)
{
	switch (letter) {
	case 'd': return g_ascii_isdigit(c);
	case 'w': return g_ascii_isalnum(c) || c == '_';
	case 's': return c == ' ' || (c >= '\t' && c <= '\r');
	case 'h': return c == ' ' || c == '\t';
	default: return c >= '\n' && c <= '\r'; /* v */
	}
}

/* \d and its like: by ASCII, and all that is not ASCII. */
static void
add_class(struct set *s, char letter)
{
	char lower = g_ascii_tolower(letter);
	unsigned c;

	for (c = 0; c < 256; c++)
		if (c >= 0x80 || in_ascii_class(lower, (unsigned char)c) !=
		                 (letter != lower))
			s->byte[c] = true;
	s->high = true;
}

static void
negate(struct set *s, const struct reader *r)
{
	unsigned c;

	if (s->inexact || (r->raw && s->high)) {
		add_all(s);
		return;
	}
	for (c = 0; c < 256; c++)
		s->byte[c] = !s->byte[c];
	s->high = true;
}

static void
put_set(struct reader *r, const struct set *s, struct element *e)
{
	unsigned most = r->raw ? 256 : 128, from, to, n = 0;
	size_t begin = r->out->len;

	g_string_append_c(r->out, '[');
	for (from = 0; from < most; from = to + 1) {
		to = from;
		if (!s->byte[from])
			continue;
		while (to + 1 < most && s->byte[to + 1])
			to++;
		g_string_append_printf(r->out, "\\x%02x-\\x%02x", from, to);
		n += to - from + 1;
	}
	if (!r->raw && s->high) {
		g_string_append(r->out, "\\x80-\\xff");
		e->wide = true;
		n += 128;
	}
	g_string_append_c(r->out, ']');
	if (n == 0)
		refuse(r);
	if (n == 256) {
		g_string_truncate(r->out, begin);
		g_string_append_c(r->out, '.');
	}
	e->width = 1;
}

static void
put_class(struct reader *r, char letter, struct element *e)
{
	struct set s = {0};

	add_class(&s, letter);
	put_set(r, &s, e);
}

static void
put_any(struct reader *r, struct element *e)
{
	g_string_append_c(r->out, '.');
	e->width = 1;
	e->wide = !r->raw;
}

/* The text's begin. Hyperscan takes it only at an expression's begin. */
static void
put_begin(struct reader *r, struct element *e)
{
	e->nothing = r->depth > 0 || r->out->len != r->branch;
	if (!e->nothing)
		g_string_append(r->out, "\\A");
}

/* Back references and recursion: any text, none too. */
static void
put_anything(struct reader *r, struct element *e)
{
	g_string_append(r->out, "(?:.*)");
	e->width = 0;
}

/* ---- characters ---- */

static void
put_utf8(struct reader *r, gunichar c)
{
	char bytes[6];
	int i, n = g_unichar_to_utf8(c, bytes);

	for (i = 0; i < n; i++)
		put_byte(r, (unsigned char)bytes[i]);
}

/* Not ASCII, in UTF-8, in all its cases. */
static void
put_cases(struct reader *r, gunichar c, struct element *e)
{
	struct cases all = r->cases(c);
	size_t i;

	for (i = 0; i < all.n; i++)
		if (all.c[i] < 0x80)
			all.n = 0;
	if (all.n == 0) {
		refuse(r);
		return;
	}
	g_string_append(r->out, "(?:");
	for (i = 0; i < all.n; i++) {
		if (i > 0)
			g_string_append_c(r->out, '|');
		put_utf8(r, all.c[i]);
	}
	g_string_append_c(r->out, ')');
	e->width = 2;
}

static void
put_char(struct reader *r, const struct flags *f, gunichar c,
         struct element *e)
{
	if (c > (r->raw ? 0xff : 0x10ffff) ||
	    (!r->raw && c >= 0xd800 && c <= 0xdfff)) {
		refuse(r);
		return;
	}
	e->width = 1;
	e->letter = true;
	if (f->caseless && c < 0x80 && g_ascii_isalpha((char)c)) {
		g_string_append_printf(r->out, "[%c%c]",
		                       g_ascii_toupper((char)c),
		                       g_ascii_tolower((char)c));
	} else if (r->raw || c < 0x80) {
		put_byte(r, (unsigned char)c);
	} else if (f->caseless) {
		put_cases(r, c, e);
	} else {
		put_utf8(r, c);
		e->width = 2;
		e->group_it = true;
	}
}

static gunichar
take_char(struct reader *r)
{
	gunichar c = (unsigned char)r->s.p[r->at];

	if (r->raw || c < 0x80) {
		r->at++;
		return c;
	}
	c = g_utf8_get_char_validated(r->s.p + r->at,
	                              (gssize)(r->s.n - r->at));
	if (c > 0x10ffff) {
		refuse(r);
		return 0;
	}
	r->at += (size_t)g_unichar_to_utf8(c, NULL);
	return c;
}

/* Digits of a base, at most most of them. */
static gunichar
take_digits(struct reader *r, int base, size_t most)
{
	gunichar c = 0;
	size_t i;
	int digit;

	for (i = 0; i < most && more(r); i++) {
		digit = g_ascii_xdigit_value((char)peek(r, 0));
		if (digit < 0 || digit >= base)
			break;
		c = c * (gunichar)base + (gunichar)digit;
		r->at++;
		if (c > 0x10ffff)
			refuse(r);
	}
	return c;
}

static gunichar
take_braced(struct reader *r, int base)
{
	gunichar c;

	if (!take(r, "{"))
		refuse(r);
	c = take_digits(r, base, 10);
	if (!take(r, "}"))
		refuse(r);
	return c;
}

/*
 * Behind a backslash, an escape that is one character, in a class or not;
 * false: it is none of these.
 */
static bool
take_escape(struct reader *r, gunichar *c)
{
	static const char letters[] = "aefnrt", means[] = "\a\033\f\n\r\t";
	unsigned char letter = peek(r, 0);
	const char *p;

	if (letter != 0 && (p = strchr(letters, letter)) != NULL) {
		*c = (unsigned char)means[p - letters];
		r->at++;
	} else if (letter == '0') {
		*c = take_digits(r, 8, 3);
	} else if (take(r, "o")) {
		*c = take_braced(r, 8);
	} else if (take(r, "x")) {
		*c = peek(r, 0) == '{' ? take_braced(r, 16) :
		     take_digits(r, 16, 2);
	} else if (take(r, "c")) {
		*c = (gunichar)(g_ascii_toupper((char)peek(r, 0)) ^ 0x40);
		r->at++;
	} else if (more(r) && !g_ascii_isalnum(letter)) {
		*c = take_char(r);
	} else {
		return false;
	}
	return true;
}

/* ---- [...] ---- */

/* "[:" ["^"] name ":]" */
static void
add_posix(struct reader *r, struct set *s)
{
	static const struct {
		const char *name;
		char class;
	} known[] = {
		{"digit:]", 'd'}, {"word:]", 'w'}, {"space:]", 's'},
		{"blank:]", 'h'}, {"^digit:]", 'D'}, {"^word:]", 'W'},
		{"^space:]", 'S'},
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(known); i++)
		if (take(r, known[i].name)) {
			add_class(s, known[i].class);
			return;
		}
	(void)take(r, "^");
	while (g_ascii_isalpha((char)peek(r, 0)))
		r->at++;
	if (!take(r, ":]"))
		refuse(r);
	add_all(s);
}

/* A character of a class in *c (true), or a set, added. */
static bool
take_class_item(struct reader *r, struct set *s, gunichar *c)
{
	unsigned char letter;

	if (take(r, "[:"))
		return add_posix(r, s), false;
	if (peek(r, 0) == '[' && (peek(r, 1) == '.' || peek(r, 1) == '='))
		return refuse(r);
	if (peek(r, 0) != '\\') {
		*c = take_char(r);
		return true;
	}
	r->at++;
	letter = peek(r, 0);
	if (letter != 0 && strchr("dDwWsShHvV", letter) != NULL) {
		add_class(s, (char)letter);
		r->at++;
		return false;
	}
	if (take(r, "b")) {
		*c = '\b';
		return true;
	}
	if (letter >= '1' && letter <= '7') {
		*c = take_digits(r, 8, 3);
		return true;
	}
	if (letter == 'p' || letter == 'P') {
		r->at++;
		if (take(r, "{"))
			skip_to(r, '}');
		else
			r->at++;
		return add_all(s), false;
	}
	return take_escape(r, c) || refuse(r);
}

static void
read_class(struct reader *r, const struct flags *f, struct element *e)
{
	bool negated = take(r, "^"), first = true;
	struct set s = {0};
	gunichar from = 0, to;

	for (; more(r) && (first || peek(r, 0) != ']'); first = false) {
		if (!take_class_item(r, &s, &from)) {
			if (take(r, "-"))
				add_range(&s, r, f, '-', '-');
			continue;
		}
		to = from;
		if (peek(r, 0) == '-' && peek(r, 1) != ']') {
			r->at++;
			if (!take_class_item(r, &s, &to) || to < from)
				refuse(r);
		}
		add_range(&s, r, f, from, to);
	}
	if (!take(r, "]"))
		refuse(r);
	if (negated)
		negate(&s, r);
	if (!r->refused)
		put_set(r, &s, e);
}

/* ---- groups ---- */

static size_t read_branches(struct reader *r, struct flags f);

/* Up to its ")"; emits a group. */
static void
read_group(struct reader *r, const struct flags *f, struct element *e)
{
	size_t begin = r->out->len, inner;

	g_string_append(r->out, "(?:");
	inner = r->out->len;
	if (r->depth++ >= DEPTH_MOST)
		refuse(r);
	else
		e->width = read_branches(r, *f);
	r->depth--;
	if (!take(r, ")"))
		refuse(r);
	e->nothing = r->out->len == inner;
	if (e->nothing)
		g_string_truncate(r->out, begin);
	else
		g_string_append_c(r->out, ')');
}

/* An assertion: read, and left out. */
static void
drop_group(struct reader *r, const struct flags *f, struct element *e)
{
	size_t begin = r->out->len;

	read_group(r, f, e);
	g_string_truncate(r->out, begin);
	*e = (struct element){.nothing = true};
}

/* "(?" letters ["-" letters] (")" | ":") */
static void
read_options(struct reader *r, struct flags *f, struct element *e)
{
	struct flags inner = *f;
	bool on = true, extended = false;

	for (; more(r) && peek(r, 0) != ')' && peek(r, 0) != ':'; r->at++) {
		switch (peek(r, 0)) {
		case '-': on = false; break;
		case '^': inner = (struct flags){0}; break;
		case 'i': inner.caseless = on; break;
		case 'm': inner.multiline = on; break;
		case 'x':
			inner.extended = on;
			/* xx: blanks in classes too; and see below */
			if (extended || (on && !r->ascii))
				refuse(r);
			extended = true;
			break;
		case 's': case 'n': case 'J': case 'U': break;
		default: refuse(r);
		}
	}
	r->caseless = r->caseless || (inner.caseless && !r->raw);
	if (take(r, ":")) {
		read_group(r, &inner, e);
		return;
	}
	if (!take(r, ")"))
		refuse(r);
	*f = inner;
	e->nothing = true;
}

/* Behind "(". */
static void
read_parenthesis(struct reader *r, struct flags *f, struct element *e)
{
	unsigned char c;

	if (!take(r, "?")) {
		if (peek(r, 0) == '*')
			refuse(r); /* verbs */
		read_group(r, f, e);
		return;
	}
	c = peek(r, 0);
	if (take(r, "=") || take(r, "!") || take(r, "*") || take(r, "<=") ||
	    take(r, "<!") || take(r, "<*")) {
		drop_group(r, f, e);
	} else if (take(r, ":") || take(r, ">") || take(r, "|")) {
		read_group(r, f, e);
	} else if (take(r, "P=") || take(r, "P>") || take(r, "&") ||
	           c == 'R' || c == '+' || g_ascii_isdigit(c) ||
	           (c == '-' && g_ascii_isdigit(peek(r, 1)))) {
		skip_to(r, ')');
		put_anything(r, e);
	} else if (take(r, "P<") || take(r, "<")) {
		skip_to(r, '>');
		read_group(r, f, e);
	} else if (take(r, "'")) {
		skip_to(r, '\'');
		read_group(r, f, e);
	} else {
		read_options(r, f, e);
	}
}

/* ---- escapes ---- */

/* \1 \g{1} \g<name> \k'name': behind the letter or at the digit. */
static void
skip_reference(struct reader *r)
{
	if (take(r, "{"))
		skip_to(r, '}');
	else if (take(r, "<"))
		skip_to(r, '>');
	else if (take(r, "'"))
		skip_to(r, '\'');
	else
		for (r->at += peek(r, 0) == '+' || peek(r, 0) == '-';
		     g_ascii_isdigit(peek(r, 0)); r->at++)
			;
}

static void
read_quote(struct reader *r, const struct flags *f, struct element *e)
{
	/* One character at a time: a repeat is of the last one. */
	put_char(r, f, take_char(r), e);
}

/* Behind "\". */
static void
read_escape(struct reader *r, const struct flags *f, struct element *e)
{
	unsigned char letter = peek(r, 0);
	gunichar c = 0;

	if (letter != 0 && strchr("dDwWsShHvV", letter) != NULL) {
		r->at++;
		put_class(r, (char)letter, e);
	} else if (letter != 0 && strchr("bBzZGK", letter) != NULL) {
		r->at++;
		e->nothing = true;
	} else if (take(r, "A")) {
		put_begin(r, e);
	} else if (take(r, "R")) { /* CR LF are two, like a wide one */
		put_class(r, 'v', e);
		e->wide = true;
	} else if (take(r, "X")) {
		g_string_append(r->out, "(?:.+)");
		e->width = 1;
	} else if (letter == 'N' && peek(r, 1) != '{') {
		r->at++;
		put_any(r, e);
	} else if (letter == 'p' || letter == 'P') {
		r->at++;
		if (take(r, "{"))
			skip_to(r, '}');
		else
			r->at++;
		put_any(r, e);
	} else if ((letter >= '1' && letter <= '9') || letter == 'g' ||
	           letter == 'k') {
		r->at += g_ascii_isalpha((char)letter);
		skip_reference(r);
		put_anything(r, e);
	} else if (take_escape(r, &c)) {
		put_char(r, f, c, e);
	} else {
		refuse(r);
	}
}

/* ---- repeats ---- */

/* "{" n ["," [m]] "}"; what looks almost so depends on the version. */
static bool
take_braces(struct reader *r, unsigned *least, unsigned *most)
{
	size_t begin = r->at;

	r->at++;
	*least = take_digits(r, 10, 5);
	*most = *least;
	if (r->at > begin + 1 && take(r, ","))
		*most = g_ascii_isdigit(peek(r, 0)) ? take_digits(r, 10, 5) :
		        NO_END;
	if (r->at > begin + 1 && take(r, "}"))
		return true;
	r->at = begin;
	return strchr(", \t0123456789", peek(r, 1)) != NULL &&
	       peek(r, 1) != 0 && refuse(r);
}

static bool
take_repeat(struct reader *r, const struct flags *f, unsigned *least,
            unsigned *most)
{
	skip_ignored(r, f);
	*least = *most = 1;
	if (take(r, "*"))
		*least = 0, *most = NO_END;
	else if (take(r, "+"))
		*most = NO_END;
	else if (take(r, "?"))
		*least = 0;
	else if (peek(r, 0) != '{' || !take_braces(r, least, most))
		return *least = *most = 1, false;
	skip_ignored(r, f);
	if (!take(r, "?"))
		(void)take(r, "+");
	return true;
}

static void
put_repeat(struct reader *r, unsigned least, unsigned most)
{
	if (most == 1 && least == 1)
		return;
	if (most > REPEAT_MOST)
		most = NO_END;
	if (least > REPEAT_MOST)
		least = REPEAT_MOST;
	if (most == NO_END)
		g_string_append_printf(r->out, "{%u,}", least);
	else
		g_string_append_printf(r->out, "{%u,%u}", least, most);
}

/* An element from begin on goes on with the run, or ends it. */
static void
note_run(struct reader *r, size_t begin, const struct element *e,
         unsigned least, unsigned most)
{
	if (r->depth > 0 || e->nothing)
		return;
	if (!e->letter || least != 1 || most != 1 || r->run.end != begin)
		r->run = (struct run){begin, begin, 0};
	if (!e->letter || least != 1 || most != 1)
		return;
	r->run.end = r->out->len;
	r->run.width += e->width;
	if (r->run.width > r->best.width)
		r->best = r->run;
}

/* The repeat, if there is one, of the element from begin on. */
static size_t
repeat(struct reader *r, const struct flags *f, size_t begin,
       const struct element *e)
{
	unsigned least, most;
	bool repeated = take_repeat(r, f, &least, &most);
	size_t width = e->width * MIN(least, WIDTH_MOST);

	if (r->refused || e->nothing)
		return 0;
	note_run(r, begin, e, least, most);
	if (repeated && (most == 0 || (e->width == 0 &&
	    g_str_has_prefix(r->out->str + begin, "\\A")))) {
		g_string_truncate(r->out, begin);
		return 0;
	}
	if (repeated && e->group_it) {
		g_string_insert(r->out, (gssize)begin, "(?:");
		g_string_append_c(r->out, ')');
	}
	if (e->wide)
		most = NO_END;
	put_repeat(r, least, most);
	return MIN(width, WIDTH_MOST);
}

/* ---- the whole ---- */

static void
read_element(struct reader *r, struct flags *f, struct element *e)
{
	if (take(r, "(")) {
		read_parenthesis(r, f, e);
	} else if (take(r, "[")) {
		read_class(r, f, e);
	} else if (take(r, ".")) {
		put_any(r, e);
	} else if (take(r, "$")) {
		e->nothing = true;
	} else if (take(r, "^")) {
		if (f->multiline)
			e->nothing = true;
		else
			put_begin(r, e);
	} else if (take(r, "\\")) {
		read_escape(r, f, e);
	} else if (strchr("*+?", peek(r, 0)) != NULL && peek(r, 0) != 0) {
		refuse(r);
	} else {
		put_char(r, f, take_char(r), e);
	}
}

/* Behind \Q, up to \E or the end. */
static size_t
read_quoted(struct reader *r, const struct flags *f)
{
	size_t width = 0;

	while (more(r) && !take(r, "\\E")) {
		struct element e = {0};
		size_t begin = r->out->len;

		read_quote(r, f, &e);
		if (!take(r, "\\E")) {
			note_run(r, begin, &e, 1, 1);
			width += e.width;
			continue;
		}
		width += repeat(r, f, begin, &e);
		break;
	}
	return width;
}

/* One of the alternatives. */
static size_t
read_branch(struct reader *r, struct flags *f)
{
	size_t width = 0;

	for (;;) {
		struct element e = {0};
		size_t begin = r->out->len;

		skip_ignored(r, f);
		if (!more(r) || peek(r, 0) == '|' || peek(r, 0) == ')')
			return MIN(width, WIDTH_MOST);
		if (take(r, "\\Q")) {
			width += read_quoted(r, f);
			continue;
		}
		read_element(r, f, &e);
		if (!r->refused)
			width += repeat(r, f, begin, &e);
		if (r->out->len > EXPRESSION_MOST)
			refuse(r);
	}
}

/* Up to ")" or the end; bytes at least. */
static size_t
read_branches(struct reader *r, struct flags f)
{
	size_t width = read_branch(r, &f), other;

	while (more(r) && take(r, "|")) {
		r->branched = r->branched || r->depth == 0;
		g_string_append_c(r->out, '|');
		if (r->depth == 0)
			r->branch = r->out->len;
		other = read_branch(r, &f);
		width = MIN(width, other);
	}
	return width;
}

bool
prefilter_expression(const struct prefilter_pattern *p,
                     struct cases (*cases)(gunichar c), GString *out,
                     bool *caseless)
{
	struct reader r = {.s = p->text, .raw = p->raw, .cases = cases,
	                   .caseless = p->caseless && !p->raw, .out = out};
	struct flags f = {p->caseless, p->extended, p->multiline};
	size_t begin = out->len, width, i;

	r.run.begin = r.run.end = r.best.begin = r.best.end = begin;
	for (r.ascii = true, i = 0; i < p->text.n; i++)
		r.ascii = r.ascii && (unsigned char)p->text.p[i] < 0x80;
	/* What is blank under x beyond ASCII depends on the version. */
	if (p->extended && !r.ascii)
		return false;
	r.branch = begin;
	width = read_branches(&r, f);
	if (p->brief) {
		if (r.branched || r.best.width < RUN_LEAST)
			refuse(&r);
		g_string_truncate(out, r.best.end);
		g_string_erase(out, (gssize)begin,
		               (gssize)(r.best.begin - begin));
	}
	*caseless = r.caseless;
	if (!r.refused && r.at == p->text.n && width > 0)
		return true;
	g_string_truncate(out, begin);
	return false;
}
