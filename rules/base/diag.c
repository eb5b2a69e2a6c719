#include <glib.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "caps.h"
#include "diag.h"

#define SHOWN 100  /* characters of a line, for terminals */
#define BEFORE 50  /* of them before the mark, when a line is shortened */

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
#define BOM "\xef\xbb\xbf"

/*
 * What a mistake will look like is settled when it is told: the source may
 * be gone when it is printed.
 */
struct diag {
	enum diag_level level;
	bool placed;
	unsigned order;
	char *name;  /* the source's */
	size_t at;
	size_t told; /* how many were told before it */
	char *text;  /* all lines */
};

struct diags {
	struct diag *list;
	size_t n;
	size_t kept[2], told[2]; /* by level */
};

struct diags *
diags_new(void)
{
	return calloc(1, sizeof(struct diags));
}

void
diags_free(struct diags *d)
{
	size_t i;

	if (d == NULL)
		return;
	for (i = 0; i < d->n; i++) {
		free(d->list[i].name);
		free(d->list[i].text);
	}
	free(d->list);
	free(d);
}

size_t
diags_errors(const struct diags *d)
{
	return d->told[DIAG_ERROR];
}

size_t
diags_warnings(const struct diags *d)
{
	return d->told[DIAG_WARNING];
}

/* ---- places ---- */

struct place
place_join(struct place a, struct place b)
{
	size_t end = b.at + b.n;

	if (a.source == b.source && end > a.at)
		a.n = end - a.at;
	return a;
}

unsigned
place_line(struct place where)
{
	unsigned line = 1;
	size_t i;

	if (where.source == NULL)
		return 0;
	for (i = 0; i < where.at && i < where.source->text.n; i++)
		line += where.source->text.p[i] == '\n';
	return line;
}

/* Bytes of the first character; a byte that begins none is one, not *valid. */
static size_t
step(struct span s, bool *valid)
{
	gunichar c = g_utf8_get_char_validated(s.p, (gssize)s.n);

	*valid = c != (gunichar)-1 && c != (gunichar)-2;
	return *valid ? (size_t)g_unichar_to_utf8(c, NULL) : 1;
}

static size_t
characters(struct span s)
{
	size_t n = 0;
	bool valid;

	for (; s.n > 0; n++)
		s = span_from(s, step(s, &valid));
	return n;
}

/* Controls and what is not UTF-8 must not reach a terminal. */
static void
put_text(struct span s, bool tabs, FILE *out)
{
	size_t n;
	bool valid;

	for (; s.n > 0; s = span_from(s, n)) {
		n = step(s, &valid);
		if (!valid)
			fputs(REPLACEMENT, out);
		else if (n == 1 && ((unsigned char)*s.p < ' ' || *s.p == 0x7f))
			fputc(*s.p == '\t' && tabs ? '\t' : '?', out);
		else
			fwrite(s.p, 1, n, out);
	}
}

/* ---- the line with its mark ---- */

struct line {
	struct span text;
	unsigned number;
	size_t column;      /* of the place, from 0, in characters */
	size_t width;       /* of the place on this line, in characters */
};

static struct line
find_line(struct place where)
{
	struct span text = where.source->text;
	size_t at = where.at < text.n ? where.at : text.n;
	size_t begin = at, end = at, n = where.n;
	struct line line;

	while (begin > 0 && text.p[begin - 1] != '\n')
		begin--;
	while (end < text.n && text.p[end] != '\n')
		end++;
	if (end > at && text.p[end - 1] == '\r')
		end--;
	if (begin == 0 && at >= 3 && memcmp(text.p, BOM, 3) == 0)
		begin = 3;
	line.text = (struct span){text.p + begin, end - begin};
	line.number = place_line(where);
	line.column = characters((struct span){text.p + begin, at - begin});
	if (n > end - at)
		n = end - at;
	line.width = characters((struct span){text.p + at, n});
	if (line.width == 0)
		line.width = 1;
	return line;
}

static struct span
skip_characters(struct span s, size_t n)
{
	bool valid;

	for (; n > 0 && s.n > 0; n--)
		s = span_from(s, step(s, &valid));
	return s;
}

static void
put_mark(struct span before, size_t width, FILE *out)
{
	size_t n;
	bool valid;

	for (; before.n > 0; before = span_from(before, n)) {
		n = step(before, &valid);
		fputc(*before.p == '\t' ? '\t' : ' ', out);
	}
	fputc('^', out);
	while (--width > 0)
		fputc('~', out);
	fputc('\n', out);
}

/* The line, shortened round the place if it is long, and its mark. */
static void
put_line(const struct line *line, FILE *out)
{
	size_t length = characters(line->text), from = 0, shown = length;
	size_t width = line->width;
	struct span text, before, rest;

	if (length > SHOWN) {
		if (line->column > BEFORE)
			from = line->column - BEFORE;
		shown = length - from < SHOWN ? length - from : SHOWN;
	}
	if (width > from + shown - line->column)
		width = from + shown - line->column;
	if (width == 0)
		width = 1;
	text = skip_characters(line->text, from);
	rest = skip_characters(text, shown);
	text.n -= rest.n;
	before = text;
	before.n -= skip_characters(text, line->column - from).n;
	fputs(from > 0 ? "..." : "", out);
	put_text(text, true, out);
	fputs(rest.n > 0 ? "...\n" : "\n", out);
	fputs(from > 0 ? "   " : "", out);
	put_mark(before, width, out);
}

/* ---- telling ---- */

static void
put_diag(enum diag_level level, struct place where, struct span message,
         FILE *out)
{
	const char *kind = level == DIAG_WARNING ? "warning: " : "";
	struct line line;

	if (where.source == NULL) {
		fprintf(out, "vaglio: %s", kind);
		put_text(message, false, out);
		fputc('\n', out);
		return;
	}
	line = find_line(where);
	put_text(span_of(where.source->name), false, out);
	fprintf(out, ":%u:%zu: %s", line.number, line.column + 1, kind);
	put_text(message, false, out);
	fputc('\n', out);
	put_line(&line, out);
}

static char *
render(enum diag_level level, struct place where, const char *format,
       va_list args)
{
	char *message = g_strdup_vprintf(format, args), *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (out != NULL) {
		put_diag(level, where, span_of(message), out);
		if (fclose(out) != 0) {
			free(text);
			text = NULL;
		}
	}
	g_free(message);
	return text;
}

static bool
same(const struct diag *a, const struct diag *b)
{
	return a->placed == b->placed && a->order == b->order &&
		a->at == b->at && strcmp(a->text, b->text) == 0;
}

/* Takes the name and text of new. */
static void
keep(struct diags *d, struct diag new)
{
	struct diag *list;
	size_t i;

	for (i = 0; i < d->n; i++)
		if (same(&d->list[i], &new))
			goto drop;
	new.told = d->told[DIAG_ERROR] + d->told[DIAG_WARNING];
	d->told[new.level]++;
	list = realloc(d->list, (d->n + 1) * sizeof(*list));
	if (list == NULL)
		goto drop;
	d->list = list;
	d->list[d->n++] = new;
	d->kept[new.level]++;
	return;
drop:
	free(new.name);
	free(new.text);
}

static void
tell(struct diags *d, enum diag_level level, struct place where,
     const char *format, va_list args)
{
	struct diag new = {.level = level, .placed = where.source != NULL};

	if (d->kept[level] == CAPS_DIAGS) {
		d->told[level]++;
		return;
	}
	new.text = render(level, where, format, args);
	new.name = strdup(new.placed ? where.source->name : "");
	if (new.text == NULL || new.name == NULL) {
		d->told[level]++; /* counts, though there's no memory for it */
		free(new.text);
		free(new.name);
		return;
	}
	if (new.placed) {
		new.order = where.source->order;
		new.at = where.at;
	}
	keep(d, new);
}

void
diag_error(struct diags *d, struct place where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(d, DIAG_ERROR, where, format, args);
	va_end(args);
}

void
diag_warning(struct diags *d, struct place where, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tell(d, DIAG_WARNING, where, format, args);
	va_end(args);
}

/* ---- printing ---- */

static int
compare_sizes(size_t a, size_t b)
{
	return a < b ? -1 : a > b;
}

static int
by_place(const void *left, const void *right)
{
	const struct diag *a = left, *b = right;
	int c;

	if ((c = compare_sizes(a->placed, b->placed)) != 0)
		return c;
	if ((c = compare_sizes(a->order, b->order)) != 0)
		return c;
	if ((c = strcmp(a->name, b->name)) != 0)
		return c;
	if ((c = compare_sizes(a->at, b->at)) != 0)
		return c;
	return compare_sizes(a->told, b->told);
}

static void
print_more(const struct diags *d, enum diag_level level, const char *what,
           FILE *out)
{
	size_t more = d->told[level] - d->kept[level];

	if (more > 0)
		fprintf(out, "vaglio: %zu more %s%s not shown\n", more, what,
		        more == 1 ? " is" : "s are");
}

void
diags_print(struct diags *d, FILE *out)
{
	size_t i;

	if (d->n > 0)
		qsort(d->list, d->n, sizeof(*d->list), by_place);
	for (i = 0; i < d->n; i++)
		fputs(d->list[i].text, out);
	print_more(d, DIAG_ERROR, "error", out);
	print_more(d, DIAG_WARNING, "warning", out);
}

char *
diags_text(struct diags *d)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);

	if (out == NULL)
		return NULL;
	diags_print(d, out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* ---- did you mean ---- */

#define NEAREST_MAX 40 /* no word of the language is as long */

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/*
 * How many letters to change, add, leave out, or swap with a neighbour
 * (Damerau-Levenshtein, optimal string alignment), case aside.
 */
static size_t
distance(struct span a, struct span b)
{
	size_t d[NEAREST_MAX + 1][NEAREST_MAX + 1];
	size_t i, j;

	for (i = 0; i <= a.n; i++)
		d[i][0] = i;
	for (j = 0; j <= b.n; j++)
		d[0][j] = j;
	for (i = 1; i <= a.n; i++) {
		for (j = 1; j <= b.n; j++) {
			char x = ascii_lower(a.p[i - 1]), y = ascii_lower(b.p[j - 1]);

			d[i][j] = least(d[i - 1][j - 1] + (x != y),
			                1 + least(d[i - 1][j], d[i][j - 1]));
			if (i > 1 && j > 1 && x == ascii_lower(b.p[j - 2]) &&
			    ascii_lower(a.p[i - 2]) == y)
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[a.n][b.n];
}

/* Half a short word may not be guessed. */
static size_t
near_enough(size_t length)
{
	if (length <= 2)
		return 0;
	if (length <= 4)
		return 1;
	return length <= 9 ? 2 : 3;
}

const char *
diag_nearest(struct span word, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t i, found, limit = near_enough(word.n) + 1;

	if (word.n > NEAREST_MAX)
		return NULL;
	for (i = 0; i < n && limit > 0; i++) {
		struct span name = span_of(names[i]);

		if (name.n > NEAREST_MAX)
			continue;
		found = distance(word, name);
		if (found < limit) {
			limit = found;
			best = names[i];
		}
	}
	return best;
}
