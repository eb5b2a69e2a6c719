#include <glib.h>
#include <string.h>

#include "character.h"
#include "caps.h"
#include "css.h"

/* Smaller is not read, whatever it is called. */
#define LEAST_PIXELS 1.0
#define LEAST_OPACITY 0.1

enum property {
	DISPLAY, VISIBILITY, OPACITY, FONT_SIZE, HEIGHT, MAX_HEIGHT, WIDTH,
	MAX_WIDTH, OVERFLOW, PROPERTIES
};

#define NAME_MAX_BYTES 100 /* of a class: a longer one hides nothing */

/* A value that is one, and hides nothing. */
#define CSS_FINE 0x8000u

struct declared {
	unsigned is; /* of the last five CSS_DIM means "none of it" */
	bool important;
};

/* ---- values ---- */

static bool
is_number(struct span v, double *number, struct span *unit)
{
	double sign = 1, place = 1;
	bool digits = false, point = false;
	size_t i = 0;

	*number = 0;
	if (v.n > 0 && (v.p[0] == '-' || v.p[0] == '+'))
		sign = v.p[i++] == '-' ? -1 : 1;
	for (; i < v.n; i++) {
		if (v.p[i] == '.' && !point) {
			point = true;
			continue;
		}
		if (v.p[i] < '0' || v.p[i] > '9')
			break;
		digits = true;
		place = point ? place / 10 : place;
		*number = point ? *number + place * (v.p[i] - '0') :
			*number * 10 + (v.p[i] - '0');
	}
	*number *= sign;
	*unit = (struct span){v.p + i, v.n - i};
	return digits;
}

static bool
is_one_of(struct span v, const char *const *words)
{
	for (; *words != NULL; words++)
		if (span_is(v, span_of(*words)))
			return true;
	return false;
}

/* What is of the size of what is around it. */
static bool
is_relative(struct span unit)
{
	static const char *const units[] = {"em", "ex", "ch", "%", NULL};

	return is_one_of(unit, units);
}

static unsigned
font_size(struct span v)
{
	static const char *const words[] = {
		"xx-small", "x-small", "small", "medium", "large", "x-large",
		"xx-large", "xxx-large", "initial", NULL,
	};
	double number;
	struct span unit;

	if (is_one_of(v, words))
		return CSS_SIZED;
	if (!is_number(v, &number, &unit) || number < 0)
		return 0;
	if (is_relative(unit) || span_is(unit, SPAN("rem")))
		return number <= 0 ? CSS_TINY :
			is_relative(unit) ? CSS_FINE : CSS_SIZED;
	return number <= LEAST_PIXELS ? CSS_TINY : CSS_SIZED;
}

/* font := ... size ["/" line-height] family (CSS Fonts 3.7) */
static unsigned
font(struct span v)
{
	struct span word, size = {NULL, 0};
	size_t i;

	while (v.n > 0) {
		for (i = 0; i < v.n && v.p[i] != ' ' && v.p[i] != '/'; i++)
			;
		word = (struct span){v.p, i};
		if (i > 0 && strchr("0123456789.", *v.p) != NULL)
			size = word; /* a weight stands before it */
		if (i < v.n && v.p[i] == '/')
			break;
		v.p += i + (i < v.n);
		v.n -= i + (i < v.n);
	}
	return size.p == NULL ? CSS_SIZED : font_size(size);
}

static unsigned
display(struct span v)
{
	static const char *const blocks[] = {
		"block", "table", "table-row", "table-cell", "table-caption",
		"flex", "grid", "list-item", "flow-root", NULL,
	};
	static const char *const others[] = {
		"inline-block", "inline-table", "inline-flex", "inline-grid",
		NULL,
	};

	if (span_is(v, SPAN("none")))
		return CSS_GONE;
	if (span_is(v, SPAN("inline")) || span_is(v, SPAN("contents")))
		return CSS_INLINE;
	if (is_one_of(v, blocks))
		return CSS_BLOCK;
	return is_one_of(v, others) ? CSS_FINE : 0;
}

static unsigned
visibility(struct span v)
{
	if (span_is(v, SPAN("hidden")) || span_is(v, SPAN("collapse")))
		return CSS_HIDDEN;
	return span_is(v, SPAN("visible")) ? CSS_VISIBLE : 0;
}

static unsigned
opacity(struct span v)
{
	double number;
	struct span unit;

	if (!is_number(v, &number, &unit))
		return 0;
	if (span_is(unit, SPAN("%")))
		number /= 100;
	return number <= LEAST_OPACITY ? CSS_DIM : CSS_FINE;
}

static unsigned
length(struct span v)
{
	double number;
	struct span unit;

	if (is_number(v, &number, &unit))
		return number <= 0 && number >= 0 ? CSS_DIM : CSS_FINE;
	return span_is(v, SPAN("auto")) || span_is(v, SPAN("none")) ?
		CSS_FINE : 0;
}

static unsigned
overflow(struct span v)
{
	static const char *const words[] = {
		"visible", "auto", "scroll", "initial", NULL,
	};

	if (span_is(v, SPAN("hidden")) || span_is(v, SPAN("clip")))
		return CSS_DIM;
	return is_one_of(v, words) ? CSS_FINE : 0;
}

/* ---- declarations ---- */

static const struct {
	const char *name;
	enum property property;
	unsigned (*read)(struct span value); /* 0: it is no value */
} properties[] = {
	{"display", DISPLAY, display},
	{"visibility", VISIBILITY, visibility},
	{"opacity", OPACITY, opacity},
	{"font-size", FONT_SIZE, font_size},
	{"font", FONT_SIZE, font},
	{"height", HEIGHT, length},
	{"max-height", MAX_HEIGHT, length},
	{"width", WIDTH, length},
	{"max-width", MAX_WIDTH, length},
	{"overflow", OVERFLOW, overflow},
};

static bool
take_important(struct span *value)
{
	static const struct span word = {"important", 9};
	struct span v = *value;

	if (v.n <= word.n ||
	    memcmp(v.p + v.n - word.n, word.p, word.n) != 0)
		return false;
	v.n -= word.n;
	v = span_trim(v);
	if (v.n == 0 || v.p[v.n - 1] != '!')
		return false;
	v.n--;
	*value = span_trim(v);
	return true;
}

static void
take_declaration(struct declared *d, struct span text)
{
	const char *colon = text.n == 0 ? NULL : memchr(text.p, ':', text.n);
	struct span name, value;
	bool important;
	unsigned is;
	size_t i;

	if (colon == NULL)
		return;
	name = span_trim((struct span){text.p, (size_t)(colon - text.p)});
	value = span_trim((struct span){colon + 1,
		(size_t)(text.p + text.n - colon - 1)});
	important = take_important(&value);
	for (i = 0; i < sizeof(properties) / sizeof(properties[0]); i++) {
		struct declared *p = &d[properties[i].property];

		if (!span_is(name, span_of(properties[i].name)) ||
		    (p->important && !important))
			continue;
		is = properties[i].read(value);
		if (is != 0)
			*p = (struct declared){is, important};
	}
}

/* ---- the text of a style ---- */

/* CSS Syntax 4.3.7: up to six digits and a blank, or the character itself. */
static size_t
escape(struct span s, size_t at, GString *out)
{
	unsigned c = 0;
	size_t i = at;

	while (i < s.n && i < at + 6 && g_ascii_xdigit_value(s.p[i]) >= 0)
		c = c << 4 | (unsigned)g_ascii_xdigit_value(s.p[i++]);
	if (i == at && i < s.n)
		c = (unsigned char)s.p[i++];
	else if (i < s.n && (s.p[i] == ' ' || s.p[i] == '\n'))
		i++;
	/* of the words that count here none has another character */
	g_string_append_c(out, c > 0x20 && c < 0x7f ?
		g_ascii_tolower((char)c) : '?');
	return i;
}

static size_t
comment_end(struct span s, size_t at)
{
	const char *end = memmem(s.p + at, s.n - at, "*/", 2);

	return end == NULL ? s.n : (size_t)(end + 2 - s.p);
}

/* The declarations are parted where no quote and no bracket is open. */
unsigned
css_style(struct span s)
{
	struct declared d[PROPERTIES] = {{0}};
	GString *out = g_string_new(NULL);
	unsigned is = 0;
	size_t i = 0, open = 0, p;
	char quote = 0;

	while (i < s.n) {
		char c = s.p[i++];

		if (c == '\\') {
			i = escape(s, i, out);
			continue;
		}
		if (quote == 0 && c == '/' && i < s.n && s.p[i] == '*') {
			i = comment_end(s, i + 1);
			c = ' '; /* it parts words */
		} else if (c == quote || (quote != 0 && c == '\n')) {
			quote = 0;
		} else if (quote == 0 && (c == '"' || c == '\'')) {
			quote = c;
		} else if (quote == 0 && (c == '(' || c == '[' || c == '{')) {
			open++;
		} else if (quote == 0 && open > 0 &&
		           (c == ')' || c == ']' || c == '}')) {
			open--;
		} else if (quote == 0 && open == 0 && c == ';') {
			take_declaration(d, (struct span){out->str, out->len});
			g_string_truncate(out, 0);
			continue;
		}
		g_string_append_c(out, c == '\t' || c == '\n' || c == '\r' ||
			c == '\f' ? ' ' : g_ascii_tolower(c));
	}
	take_declaration(d, (struct span){out->str, out->len});
	g_string_free(out, TRUE);
	for (p = DISPLAY; p <= FONT_SIZE; p++)
		is |= d[p].is;
	if (d[OVERFLOW].is & (d[HEIGHT].is | d[MAX_HEIGHT].is |
	                      d[WIDTH].is | d[MAX_WIDTH].is) & CSS_DIM)
		is |= CSS_DIM;
	return is & ~CSS_FINE;
}

/* ---- style sheets ---- */

struct css_sheet {
	GHashTable *names; /* ".class", "#id", "tag": bits */
};

#define HIDES (CSS_GONE | CSS_DIM | CSS_HIDDEN | CSS_TINY)

struct css_sheet *
css_sheet_new(void)
{
	struct css_sheet *sheet = g_new(struct css_sheet, 1);

	sheet->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
	                                     NULL);
	return sheet;
}

void
css_sheet_free(struct css_sheet *sheet)
{
	if (sheet == NULL)
		return;
	g_hash_table_unref(sheet->names);
	g_free(sheet);
}

/* name is of a class, an identifier or, mark being 0, of a tag. */
static unsigned
bits_of(const struct css_sheet *sheet, char mark, struct span name)
{
	char key[NAME_MAX_BYTES + 2];
	size_t n = 0;

	if (name.n == 0 || name.n > NAME_MAX_BYTES)
		return 0;
	if (mark != 0)
		key[n++] = mark;
	while (name.n > 0) {
		key[n++] = g_ascii_tolower(*name.p);
		name = (struct span){name.p + 1, name.n - 1};
	}
	key[n] = '\0';
	return GPOINTER_TO_UINT(g_hash_table_lookup(sheet->names, key));
}

unsigned
css_sheet_style(const struct css_sheet *sheet, struct span tag,
                struct span class, struct span id)
{
	unsigned is = bits_of(sheet, 0, tag) | bits_of(sheet, '#', id);
	size_t i;

	while (class.n > 0) {
		for (i = 0; i < class.n && !character_is_space(class.p[i]); i++)
			;
		is |= bits_of(sheet, '.', (struct span){class.p, i});
		i += i < class.n;
		class = (struct span){class.p + i, class.n - i};
	}
	return is;
}

/*
 * The last element of a selector, by its first class or identifier, or else
 * its tag. What hangs on a state or an attribute is left alone.
 */
static void
take_selector(struct css_sheet *sheet, struct span s, unsigned is)
{
	size_t from, n, i;
	gpointer before;
	char *key;

	s = span_trim(s);
	for (from = s.n; from > 0 && strchr(" >+~\t\r\n\f", s.p[from - 1]) ==
	     NULL; from--)
		;
	s = (struct span){s.p + from, s.n - from};
	for (i = 0; i < s.n; i++)
		if (strchr(":[\\*", s.p[i]) != NULL)
			return;
	for (from = 0; from < s.n && s.p[from] != '.' && s.p[from] != '#';
	     from++)
		;
	if (from == s.n)
		from = 0;
	for (n = from + 1; n < s.n && s.p[n] != '.' && s.p[n] != '#'; n++)
		;
	if (s.n == 0 || n - from > NAME_MAX_BYTES ||
	    g_hash_table_size(sheet->names) > CAPS_CSS_NAMES)
		return;
	/* without a <!DOCTYPE> classes are compared without case */
	key = g_ascii_strdown(s.p + from, (gssize)(n - from));
	before = g_hash_table_lookup(sheet->names, key);
	g_hash_table_insert(sheet->names, key,
	                    GUINT_TO_POINTER(GPOINTER_TO_UINT(before) | is));
}

static void
take_rule(struct css_sheet *sheet, struct span selectors, struct span style)
{
	unsigned is = css_style(style) & HIDES;
	const char *comma;
	size_t n;

	while (is != 0 && selectors.n > 0) {
		comma = memchr(selectors.p, ',', selectors.n);
		n = comma == NULL ? selectors.n :
			(size_t)(comma - selectors.p);
		take_selector(sheet, (struct span){selectors.p, n}, is);
		n += n < selectors.n;
		selectors = (struct span){selectors.p + n, selectors.n - n};
	}
}

static GString *
without_comments(struct span s)
{
	GString *out = g_string_sized_new(s.n + 1);
	size_t i = 0;

	while (i < s.n)
		if (s.p[i] == '/' && i + 1 < s.n && s.p[i + 1] == '*')
			i = comment_end(s, i + 2);
		else if (s.n - i >= 4 && memcmp(s.p + i, "<!--", 4) == 0)
			i += 4;
		else if (s.n - i >= 3 && memcmp(s.p + i, "-->", 3) == 0)
			i += 3;
		else
			g_string_append_c(out, s.p[i++]);
	return out;
}

/*
 * sheet := { "@" words ";" | words "{" text "}" }: what is in a rule of
 * rules ("@media") is read as if it stood there alone, whatever it asks for.
 */
bool
css_sheet_add(struct css_sheet *sheet, struct span text)
{
	GString *s = without_comments(text);
	size_t from = 0, i, open;

	for (i = 0; i < s->len && g_hash_table_size(sheet->names) <=
	     CAPS_CSS_NAMES; i++) {
		char c = s->str[i];

		if (c == ';' || c == '}')
			from = i + 1;
		if (c != '{')
			continue;
		open = i + 1;
		i += strcspn(s->str + i + 1, "{}") + 1;
		if (i >= s->len || s->str[i] == '}')
			take_rule(sheet, (struct span){s->str + from,
				open - 1 - from}, (struct span){s->str + open,
				(i < s->len ? i : s->len) - open});
		else
			i = open - 1; /* of rules */
		from = i + 1;
	}
	g_string_free(s, TRUE);
	return g_hash_table_size(sheet->names) <= CAPS_CSS_NAMES;
}
