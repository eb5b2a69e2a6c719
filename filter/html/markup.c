#include <string.h>
#include <strings.h>

#include "ascii.h"
#include "character.h"
#include "markup.h"

/* ---- tokens ---- */

static char
peek(const struct markup_reader *r, size_t at)
{
	return at < r->text.n ? r->text.p[at] : '\0';
}

/* Behind what is looked for, some characters, or SIZE_MAX. */
static size_t
behind(const struct markup_reader *r, size_t from, struct span what)
{
	const char *at = r->text.p + from, *end = r->text.p + r->text.n;

	if (from > r->text.n)
		return (size_t)-1;
	while ((size_t)(end - at) >= what.n &&
	       (at = memchr(at, what.p[0], (size_t)(end - at))) != NULL) {
		if ((size_t)(end - at) >= what.n &&
		    memcmp(at, what.p, what.n) == 0)
			return (size_t)(at - r->text.p) + what.n;
		at++;
	}
	return (size_t)-1;
}

/* WHATWG 13.2.5.43 to 51; "<!--" stands at `at`. */
static size_t
comment_end(const struct markup_reader *r, size_t at)
{
	size_t end, odd;

	if (peek(r, at + 4) == '>')
		return at + 5;
	if (peek(r, at + 4) == '-' && peek(r, at + 5) == '>')
		return at + 6;
	end = behind(r, at + 4, SPAN("-->"));
	/* only as far as the end that is there */
	odd = behind(&(struct markup_reader){.text = {r->text.p,
		end == (size_t)-1 ? r->text.n : end}}, at + 4, SPAN("--!>"));
	return odd < end ? odd : end;
}

/* An attribute's value begins behind "=" (13.2.5.35). */
static size_t
value_end(const struct markup_reader *r, size_t at)
{
	char quote;

	while (character_is_space(peek(r, at)))
		at++;
	quote = peek(r, at);
	if (at < r->text.n && (quote == '"' || quote == '\''))
		return behind(r, at + 1, (struct span){&quote, 1});
	while (at < r->text.n && !character_is_space(peek(r, at)) && peek(r, at) != '>')
		at++;
	return at;
}

/* A tag, whose name begins at `at`: behind its ">", or SIZE_MAX. */
static size_t
tag_end(const struct markup_reader *r, size_t at)
{
	bool name = false; /* "=" begins a name, too (13.2.5.32) */

	while (at < r->text.n) {
		char c = peek(r, at++);

		if (c == '>')
			return at;
		if (c == '=' && name) {
			at = value_end(r, at);
			if (at == (size_t)-1)
				return at;
			name = false;
		} else if (c == '/') {
			name = false;
		} else if (!character_is_space(c)) {
			name = true;
		}
	}
	return (size_t)-1;
}

static struct span
name_at(const struct markup_reader *r, size_t at)
{
	size_t end = at;

	while (end < r->text.n && !character_is_space(r->text.p[end]) &&
	       r->text.p[end] != '/' && r->text.p[end] != '>')
		end++;
	return (struct span){r->text.p + at, end - at};
}

static bool
is_one_of(struct span name, const char *names)
{
	size_t n;

	for (; *names != '\0'; names += n + (names[n] == ' ')) {
		n = strcspn(names, " ");
		if (span_is_nocase(name, (struct span){names, n}))
			return true;
	}
	return false;
}

static bool
is_raw(struct span name)
{
	return is_one_of(name, "script style title textarea xmp iframe "
	                 "noembed noframes plaintext");
}

/* Where "</name" stands behind `at`, or SIZE_MAX. */
static size_t
raw_end(const struct markup_reader *r, size_t at, struct span name)
{
	struct span found;

	while ((at = behind(r, at, SPAN("</"))) != (size_t)-1) {
		found = name_at(r, at);
		if (span_is_nocase(found, name)) /* which may have no end */
			return tag_end(r, at + found.n) == (size_t)-1 ?
				(size_t)-1 : at - 2;
	}
	return at;
}

/* What begins with "<" at r->at, or text. */
static enum markup_kind
mark(const struct markup_reader *r, size_t *end, struct span *name)
{
	size_t at = r->at + 1, next;
	bool close = peek(r, at) == '/';

	*name = (struct span){NULL, 0};
	at += close;
	if (ascii_is_letter(peek(r, at))) {
		*name = name_at(r, at);
		*end = tag_end(r, at + name->n);
		return close ? MARKUP_CLOSE : MARKUP_OPEN;
	}
	next = r->at + 1;
	if (!close && peek(r, next) != '!' && peek(r, next) != '?') {
		*end = next;
		return MARKUP_TEXT;
	}
	if (close && at == r->text.n) {
		*end = at;
		return MARKUP_TEXT;
	}
	*end = peek(r, next) == '!' && peek(r, next + 1) == '-' &&
		peek(r, next + 2) == '-' ? comment_end(r, r->at) :
		behind(r, next, SPAN(">"));
	return MARKUP_OTHER;
}

static bool
give(struct markup_reader *r, struct markup_token *t, enum markup_kind kind,
     size_t end)
{
	if (end == (size_t)-1) {
		kind = MARKUP_UNCLOSED;
		end = r->text.n;
	}
	t->kind = kind;
	t->bytes = (struct span){r->text.p + r->at, end - r->at};
	r->at = end;
	return true;
}

bool
markup_next(struct markup_reader *r, struct markup_token *t)
{
	enum markup_kind kind;
	const char *next;
	size_t end;

	t->name = (struct span){NULL, 0};
	if (r->at >= r->text.n)
		return false;
	if (r->raw.n > 0) { /* its end is there */
		end = raw_end(r, r->at, r->raw);
		r->raw.n = 0;
		if (end > r->at)
			return give(r, t, MARKUP_RAW, end);
	}
	if (r->text.p[r->at] != '<') {
		next = memchr(r->text.p + r->at, '<', r->text.n - r->at);
		end = next == NULL ? r->text.n : (size_t)(next - r->text.p);
		return give(r, t, MARKUP_TEXT, end);
	}
	kind = mark(r, &end, &t->name);
	if (kind == MARKUP_OPEN && end != (size_t)-1 && is_raw(t->name)) {
		if (raw_end(r, end, t->name) == (size_t)-1)
			end = (size_t)-1;
		r->raw = t->name;
	}
	return give(r, t, kind, end);
}

/* ---- places ---- */

/* Nothing is shown of it: what stands before a body (13.2.6.4.4). */
static bool
is_of_head(const struct markup_token *t)
{
	switch (t->kind) {
	case MARKUP_TEXT:
		return span_trim(t->bytes).n == 0;
	case MARKUP_OPEN:
	case MARKUP_CLOSE:
		return is_one_of(t->name, "html head title style script meta "
		                 "link base basefont bgsound noframes");
	case MARKUP_RAW:
	case MARKUP_OTHER:
		return true;
	default:
		return false;
	}
}

size_t
markup_begin(struct span text)
{
	struct markup_reader r = {.text = text};
	struct markup_token t;
	size_t before;

	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		r.at = 3;
	for (before = r.at; markup_next(&r, &t); before = r.at) {
		if (t.kind == MARKUP_OPEN && is_one_of(t.name, "body"))
			return r.at;
		if (!is_of_head(&t))
			break;
	}
	return before;
}

size_t
markup_end(struct span text)
{
	struct markup_reader r = {.text = text};
	struct markup_token t;
	size_t body = (size_t)-1, html = body, end = text.n, at;

	while (markup_next(&r, &t)) {
		at = (size_t)(t.bytes.p - text.p);
		if (t.kind == MARKUP_UNCLOSED)
			end = at;
		if (t.kind == MARKUP_CLOSE && is_one_of(t.name, "body"))
			body = at;
		if (t.kind == MARKUP_CLOSE && is_one_of(t.name, "html"))
			html = at;
	}
	return body != (size_t)-1 ? body : html != (size_t)-1 ? html : end;
}
