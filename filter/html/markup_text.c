/* markup_text.c - text made HTML, and the other way round. */
#include <glib.h>
#include <string.h>

#include "markup.h"

/* ---- text as HTML ---- */

struct span
markup_escape(struct arena *a, struct span text)
{
	GString *out = g_string_sized_new(text.n * 2 + 64);
	struct span s;
	size_t i;

	for (i = 0; i < text.n; i++)
		switch (text.p[i]) {
		case '&':
			g_string_append(out, "&amp;");
			break;
		case '<':
			g_string_append(out, "&lt;");
			break;
		case '>':
			g_string_append(out, "&gt;");
			break;
		case '"':
			g_string_append(out, "&quot;");
			break;
		case '\'':
			g_string_append(out, "&#39;");
			break;
		case '\n':
			g_string_append(out, "<br>\n");
			break;
		default:
			g_string_append_c(out, text.p[i]);
		}
	s = arena_copy(a, (struct span){out->str, out->len});
	g_string_free(out, TRUE);
	return s;
}

/* ---- HTML as text ---- */

/* HTML 4's names of U+00A0 to U+00FF, in their order. */
static const char latin1[] =
	"nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo "
	"not shy reg macr deg plusmn sup2 sup3 acute micro para middot cedil "
	"sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc "
	"Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave "
	"Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times "
	"Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute "
	"acirc atilde auml aring aelig ccedil egrave eacute ecirc euml "
	"igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml "
	"divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

static const struct {
	const char *name;
	gunichar letter;
} others[] = {
	{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''},
	{"euro", 0x20ac}, {"trade", 0x2122}, {"hellip", 0x2026},
	{"ndash", 0x2013}, {"mdash", 0x2014}, {"bull", 0x2022},
	{"lsquo", 0x2018}, {"rsquo", 0x2019}, {"sbquo", 0x201a},
	{"ldquo", 0x201c}, {"rdquo", 0x201d}, {"bdquo", 0x201e},
	{"lsaquo", 0x2039}, {"rsaquo", 0x203a}, {"ensp", ' '}, {"emsp", ' '},
	{"thinsp", ' '}, {"zwnj", 0x200c}, {"zwj", 0x200d},
	{"larr", 0x2190}, {"uarr", 0x2191}, {"rarr", 0x2192},
	{"darr", 0x2193}, {"dagger", 0x2020}, {"permil", 0x2030},
	{"OElig", 0x152}, {"oelig", 0x153}, {"Scaron", 0x160},
	{"scaron", 0x161},
};

static gunichar
letter_of_name(struct span name)
{
	const char *at;
	size_t i, n;

	for (i = 0; i < G_N_ELEMENTS(others); i++)
		if (span_is(name, span_of(others[i].name)))
			return others[i].letter;
	for (at = latin1, i = 0xa0; *at != '\0'; at += n + (at[n] == ' '), i++) {
		n = strcspn(at, " ");
		if (span_is(name, (struct span){at, n}))
			return i == 0xa0 ? ' ' : (gunichar)i;
	}
	return 0;
}

static gunichar
letter_of_number(struct span digits)
{
	bool hex = digits.n > 0 && (digits.p[0] | 0x20) == 'x';
	gunichar c = 0;
	size_t i;

	for (i = hex; i < digits.n && i < 10; i++) {
		if (!(hex ? g_ascii_isxdigit(digits.p[i]) :
		      g_ascii_isdigit(digits.p[i])))
			return 0;
		c = c * (hex ? 16 : 10) +
			(gunichar)g_ascii_xdigit_value(digits.p[i]);
	}
	return i == digits.n && i > hex && g_unichar_validate(c) && c >= ' ' ?
		c : 0;
}

/* "&...;" at s; how many bytes it is, 0: it is none. */
static size_t
reference(struct span s, gunichar *c)
{
	const char *end = memchr(s.p, ';', s.n < 12 ? s.n : 12);
	struct span name;

	if (end == NULL || end < s.p + 2)
		return 0;
	name = (struct span){s.p + 1, (size_t)(end - s.p) - 1};
	*c = name.p[0] == '#' ?
		letter_of_number((struct span){name.p + 1, name.n - 1}) :
		letter_of_name(name);
	return *c == 0 ? 0 : name.n + 2;
}

/* Lines as they are made: blanks between words are one. */
struct lines {
	GString *out;
	bool blank; /* one is due, if a word follows */
	unsigned breaks; /* likewise */
};

static void
put(struct lines *l, const char *p, size_t n)
{
	if (l->out->len > 0)
		for (; l->breaks > 0; l->breaks--, l->blank = false)
			g_string_append_c(l->out, '\n');
	if (l->blank && l->out->len > 0)
		g_string_append_c(l->out, ' ');
	l->breaks = 0;
	l->blank = false;
	g_string_append_len(l->out, p, (gssize)n);
}

static void
put_text(struct lines *l, struct span s)
{
	size_t i, n;
	gunichar c;
	char letter[6];

	for (i = 0; i < s.n; i += n) {
		n = s.p[i] == '&' ?
			reference((struct span){s.p + i, s.n - i}, &c) : 0;
		if (n > 0 && c != ' ') {
			put(l, letter, (size_t)g_unichar_to_utf8(c, letter));
			continue;
		}
		if (n > 0 || g_ascii_isspace(s.p[i]))
			l->blank = true;
		else
			put(l, &s.p[i], 1);
		n += n == 0;
	}
}

static bool
is_block(struct span name)
{
	static const char *const blocks[] = {
		"p", "div", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol",
		"li", "dl", "dt", "dd", "table", "tr", "blockquote", "pre",
		"hr", "address", "section", "article", "header", "footer",
		"center", "form",
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(blocks); i++)
		if (span_is_nocase(name, span_of(blocks[i])))
			return true;
	return false;
}

static void
put_tag(struct lines *l, const struct markup_token *t)
{
	if (span_is_nocase(t->name, SPAN("br")))
		l->breaks++;
	else if (is_block(t->name) && l->breaks == 0)
		l->breaks = 1;
	else if (span_is_nocase(t->name, SPAN("td")) ||
	         span_is_nocase(t->name, SPAN("th")))
		l->blank = true;
}

struct span
markup_plain(struct arena *a, struct span html)
{
	struct lines l = {.out = g_string_sized_new(html.n + 1)};
	struct markup_reader r = {.text = html};
	struct markup_token t;
	struct span s, raw = {NULL, 0};

	while (markup_next(&r, &t)) {
		if (t.kind == MARKUP_TEXT || (t.kind == MARKUP_RAW &&
		    span_is_nocase(raw, SPAN("textarea"))))
			put_text(&l, t.bytes);
		else if (t.kind == MARKUP_OPEN || t.kind == MARKUP_CLOSE)
			put_tag(&l, &t);
		raw = t.name;
	}
	s = arena_copy(a, (struct span){l.out->str, l.out->len});
	g_string_free(l.out, TRUE);
	return s;
}
