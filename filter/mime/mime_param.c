/*
 * mime_param.c - the parameters of a field (RFC 2045 5.1, RFC 2231), read as
 * leniently as anybody reads them: where two readings are possible both are
 * given.
 */
#include <stdlib.h>
#include <string.h>

#include "ascii.h"
#include "caps.h"
#include "mime.h"

#define READING_MAX 4096 /* a second reading that is longer is no name */

/* name*N*=value, as it stands there */
struct raw {
	struct span name, value, other; /* other: a second reading */
	long number; /* of a piece, or -1 */
	bool extended;
	size_t order;
};

struct reader {
	struct mime *m;
	struct span s;
	size_t at;
	size_t semicolon; /* the next one from some place before at */
	struct raw *raws;
	size_t n_raws;
};

static bool
more(const struct reader *r)
{
	return r->at < r->s.n;
}

static struct span
part_of(const struct reader *r, size_t begin, size_t end)
{
	return (struct span){r->s.p + begin, end - begin};
}

static size_t
next_semicolon(struct reader *r)
{
	const char *p;

	if (r->semicolon >= r->at && r->semicolon != MIME_NONE)
		return r->semicolon;
	p = more(r) ? memchr(r->s.p + r->at, ';', r->s.n - r->at) : NULL;
	r->semicolon = p == NULL ? r->s.n : (size_t)(p - r->s.p);
	return r->semicolon;
}

/* A field's value without its line ends, bytes as they came. */
static struct span
unfold(struct mime *m, struct span value)
{
	char *p = arena_alloc(m->arena, value.n + 1);
	size_t i, n = 0;

	if (p == NULL) {
		m->no_memory = true;
		return SPAN("");
	}
	for (i = 0; i < value.n; i++)
		if (value.p[i] != '\r' && value.p[i] != '\n')
			p[n++] = value.p[i];
	return span_trim((struct span){p, n});
}

/* "(" *(comment / "\" any / other) ")"; nested, so they are counted. */
static void
skip_comment(struct reader *r)
{
	size_t depth = 0;

	for (; more(r); r->at++) {
		char c = r->s.p[r->at];

		if (c == '\\')
			r->at++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			break;
	}
	r->at = r->at < r->s.n ? r->at + 1 : r->s.n;
}

static void
skip(struct reader *r, const char *marks)
{
	while (more(r)) {
		char c = r->s.p[r->at];

		if (c == '(')
			skip_comment(r);
		else if (c != '\0' && strchr(marks, c) != NULL)
			r->at++;
		else
			break;
	}
}

/* head := word *("/" word), blanks round the slash */
static struct span
read_head(struct reader *r)
{
	char *p = arena_alloc(r->m->arena, r->s.n + 1);
	size_t n = 0;

	if (p == NULL) {
		r->m->no_memory = true;
		return SPAN("");
	}
	for (;;) {
		skip(r, " \t");
		while (more(r) && !ascii_is_blank(r->s.p[r->at]) &&
		       r->s.p[r->at] != ';' && r->s.p[r->at] != '(')
			p[n++] = r->s.p[r->at++];
		skip(r, " \t");
		if (!more(r) || n == 0 ||
		    (r->s.p[r->at] != '/' && p[n - 1] != '/') ||
		    r->s.p[r->at] == ';')
			break;
	}
	return arena_lower(r->m->arena, (struct span){p, n});
}

/* ---- values ---- */

/* Where the quoted string ends whose text begins at `at`: at a quote or the
 * end of all. */
static size_t
find_quote(const struct reader *r, size_t at)
{
	for (; at < r->s.n && r->s.p[at] != '"'; at++)
		if (r->s.p[at] == '\\' && at + 1 < r->s.n)
			at++;
	return at;
}

static struct span
without_backslashes(struct reader *r, struct span s)
{
	char *p = arena_alloc(r->m->arena, s.n + 1);
	size_t i, n = 0;

	if (p == NULL) {
		r->m->no_memory = true;
		return SPAN("");
	}
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		p[n++] = s.p[i];
	}
	return (struct span){p, n};
}

/* A quoted string whose end is missing: all the rest, or up to a ";". */
static struct span
read_unclosed(struct reader *r, struct span *other)
{
	struct span rest = part_of(r, r->at, r->s.n);
	size_t end = next_semicolon(r);

	*other = part_of(r, r->at, end);
	r->at = end;
	return rest.n > READING_MAX ? *other : rest;
}

/* At its quote. */
static struct span
read_quoted(struct reader *r, struct span *other)
{
	size_t begin = ++r->at, end = find_quote(r, begin);
	struct span value;

	if (end == r->s.n)
		return read_unclosed(r, other);
	value = without_backslashes(r, part_of(r, begin, end));
	r->at = end + 1;
	if (!more(r) || ascii_is_blank(r->s.p[r->at]) || r->s.p[r->at] == ';' ||
	    r->s.p[r->at] == '(')
		return value;
	end = next_semicolon(r); /* "a.txt".exe */
	if (end - r->at <= READING_MAX)
		*other = arena_printf(r->m->arena, "%.*s%.*s",
			SPAN_ARG(value), (int)(end - r->at), r->s.p + r->at);
	return value;
}

/* Up to a blank or a comment, and up to the ";". */
static struct span
read_token(struct reader *r, struct span *other)
{
	size_t begin = r->at, end = next_semicolon(r);

	*other = span_trim(part_of(r, begin, end));
	while (r->at < end && !ascii_is_blank(r->s.p[r->at]) &&
	       r->s.p[r->at] != '(')
		r->at++;
	return part_of(r, begin, r->at);
}

/* attribute ["*" number] ["*"] */
static void
read_name(struct reader *r, struct span s, struct raw *raw)
{
	const char *star, *p, *end = s.p + s.n;

	raw->name = arena_lower(r->m->arena, s);
	raw->number = -1;
	if (raw->name.p == NULL)
		r->m->no_memory = true;
	star = s.n == 0 ? NULL : memchr(s.p, '*', s.n);
	if (star == NULL)
		return;
	raw->name = span_trim((struct span){raw->name.p,
		raw->name.p == NULL ? 0 : (size_t)(star - s.p)});
	raw->extended = end[-1] == '*';
	for (p = star + 1; p < end && *p >= '0' && *p <= '9'; p++)
		if (raw->number < CAPS_MIME_FIELD)
			raw->number = (raw->number < 0 ? 0 : raw->number) *
				10 + *p - '0';
}

/* parameter := attribute "=" value; false: there is no "=" before a ";" */
static bool
read_param(struct reader *r, struct raw *raw)
{
	size_t begin, end = next_semicolon(r);
	struct span name;
	const char *equal;

	equal = memchr(r->s.p + r->at, '=', end - r->at);
	if (equal == NULL) {
		r->at = end;
		return false;
	}
	begin = r->at;
	r->at = (size_t)(equal + 1 - r->s.p);
	name = span_trim(part_of(r, begin, r->at - 1));
	begin = name.n;
	do { /* a "*0" belongs to the word before it */
		while (begin > 0 && ascii_is_blank(name.p[begin - 1]))
			begin--;
		while (begin > 0 && !ascii_is_blank(name.p[begin - 1]))
			begin--;
	} while (begin > 0 && name.p[begin] == '*');
	read_name(r, (struct span){name.p + begin, name.n - begin}, raw);
	skip(r, " \t");
	if (more(r) && r->s.p[r->at] == '"')
		raw->value = read_quoted(r, &raw->other);
	else
		raw->value = read_token(r, &raw->other);
	return true;
}

static void
read_params(struct reader *r)
{
	struct raw raw, *kept;

	for (skip(r, " \t;"); more(r) && mime_ok(r->m); skip(r, " \t;")) {
		raw = (struct raw){.order = r->n_raws};
		if (!read_param(r, &raw))
			continue;
		if (r->n_raws == CAPS_MIME_PARAMS) {
			mime_stop(r->m, DEFECT_TOO_MANY_PARAMETERS,
			          "a field with too many parameters");
			return;
		}
		kept = arena_grow(r->m->arena, &r->raws, &r->n_raws,
		                  sizeof(raw));
		if (kept == NULL)
			r->m->no_memory = true;
		else
			*kept = raw;
	}
}

/* ---- RFC 2231 ---- */

static int
compare_raws(const void *left, const void *right)
{
	const struct raw *a = left, *b = right;

	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return (a->order > b->order) - (a->order < b->order);
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Appends to p, undoing %XX. */
static size_t
undo_percent(struct span s, char *p)
{
	size_t i, n = 0;

	for (i = 0; i < s.n; i++)
		if (s.p[i] == '%' && i + 2 < s.n && hex(s.p[i + 1]) >= 0 &&
		    hex(s.p[i + 2]) >= 0) {
			p[n++] = (char)(hex(s.p[i + 1]) * 16 +
			                hex(s.p[i + 2]));
			i += 2;
		} else {
			p[n++] = s.p[i];
		}
	return n;
}

/* charset "'" [language] "'" value; without the quotes all is value */
static struct span
take_charset(struct span *value)
{
	const char *a = value->n == 0 ? NULL : memchr(value->p, '\'', value->n);
	const char *end = value->p + value->n, *b;
	struct span charset = {"", 0};

	b = a == NULL ? NULL : memchr(a + 1, '\'', (size_t)(end - a - 1));
	if (b == NULL)
		return charset;
	charset = (struct span){value->p, (size_t)(a - value->p)};
	*value = (struct span){b + 1, (size_t)(end - b - 1)};
	return charset;
}

struct params {
	struct mime *m;
	struct mime_param *first, **last;
};

static void
give(struct params *out, struct span name, struct span value,
     struct span charset)
{
	struct mime_param *p = arena_alloc(out->m->arena, sizeof(*p));

	if (p == NULL || value.p == NULL) {
		out->m->no_memory = true;
		return;
	}
	*p = (struct mime_param){NULL, name, value, charset};
	*out->last = p;
	out->last = &p->next;
}

/*
 * The pieces of one name, in their order: joined as far as their numbers go
 * on (strict), or all of them.
 */
static void
give_joined(struct params *out, const struct raw *raws, size_t n, bool strict)
{
	struct span charset = {NULL, 0}, value;
	size_t i, room = 1, made = 0;
	long next = 0;
	char *p;

	for (i = 0; i < n; i++)
		room += raws[i].value.n;
	p = arena_alloc(out->m->arena, room);
	if (p == NULL) {
		out->m->no_memory = true;
		return;
	}
	for (i = 0; i < n; i++) {
		if (strict && raws[i].number != next) {
			if (raws[i].number < next)
				continue;
			break;
		}
		next++;
		value = raws[i].value;
		if (raws[i].extended && charset.p == NULL)
			charset = take_charset(&value);
		if (raws[i].extended) {
			made += undo_percent(value, p + made);
		} else if (value.n > 0) {
			memcpy(p + made, value.p, value.n);
			made += value.n;
		}
	}
	if (made > 0)
		give(out, raws[0].name, (struct span){p, made}, charset);
}

static void
give_plain(struct params *out, const struct raw *raw)
{
	struct raw one = *raw;

	if (raw->extended) {
		give_joined(out, &one, 1, false);
		return;
	}
	give(out, raw->name, raw->value, (struct span){NULL, 0});
	if (raw->other.p != NULL && raw->other.n <= READING_MAX &&
	    !span_is(raw->other, raw->value))
		give(out, raw->name, raw->other, (struct span){NULL, 0});
}

/* All that one attribute may be: plain, name*, and name*0 to name*N. */
static void
give_all(struct params *out, const struct reader *r, struct span name)
{
	struct raw *pieces = arena_alloc(r->m->arena,
		r->n_raws * sizeof(*pieces));
	size_t i, n = 0;

	if (pieces == NULL) {
		r->m->no_memory = true;
		return;
	}
	for (i = 0; i < r->n_raws; i++) {
		if (!span_is(r->raws[i].name, name))
			continue;
		if (r->raws[i].number >= 0)
			pieces[n++] = r->raws[i];
		else
			give_plain(out, &r->raws[i]);
	}
	if (n == 0)
		return;
	qsort(pieces, n, sizeof(*pieces), compare_raws);
	give_joined(out, pieces, n, true);
	give_joined(out, pieces, n, false);
}

struct mime_param *
mime_params(struct mime *m, struct span value, struct span *head)
{
	static const struct span known[] = {
		{"boundary", 8}, {"charset", 7}, {"name", 4}, {"filename", 8},
		{"format", 6}, {"delsp", 5}, {"start", 5},
	};
	struct reader r = {.m = m, .semicolon = MIME_NONE};
	struct params out = {.m = m, .last = &out.first};
	size_t i;

	r.s = unfold(m, value);
	*head = read_head(&r);
	if (head->p == NULL) {
		m->no_memory = true;
		*head = SPAN("");
	}
	read_params(&r);
	for (i = 0; i < sizeof(known) / sizeof(known[0]) && mime_ok(m); i++)
		give_all(&out, &r, known[i]);
	return out.first;
}
