/*
 * fuzz_html.c - any bytes as HTML, as CSS, as a URL and as a text with URLs.
 * What is found is valid UTF-8 and on one line; a URL that was read is read
 * the same again, and a host's normal form is its own. Folded, letters of
 * either case are the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "css.h"
#include "fold.h"
#include "html.h"
#include "link.h"
#include "seen.h"
#include "url.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
hold(bool promise)
{
	if (!promise)
		abort();
}

static void
try_seen(struct span s)
{
	size_t i;

	hold(utf8_valid(s));
	for (i = 0; i < s.n; i++)
		hold((unsigned char)s.p[i] >= ' ' &&
			(s.p[i] != ' ' || i == 0 || s.p[i - 1] != ' '));
}

static void
try_url(struct arena *a, struct span s, const struct url *base)
{
	struct url u, again;

	if (url_read(a, s, base, &u) != URL_READ)
		return;
	hold(u.text.p != NULL && utf8_valid(u.text) && utf8_valid(u.host));
	hold(u.host.p == NULL || u.bad || u.host.n > 0);
	if (u.bad || u.host.p == NULL)
		return;
	hold(url_read(a, u.text, NULL, &again) == URL_READ);
	hold(!again.bad && span_is(u.host, again.host) &&
		span_is(u.scheme, again.scheme));
}

static void
try_links(struct arena *a, struct span s)
{
	struct span found;
	const char *lacks;
	size_t at = 0, before = 0;

	while ((found = link_next(s, &at, &lacks)).p != NULL) {
		hold(found.p >= s.p + before && found.n > 4 &&
			found.p + found.n <= s.p + at);
		before = at;
		if (*lacks == '\0')
			try_url(a, found, NULL);
	}
	hold(at == s.n);
}

static void
try_html(struct arena *a, struct span s)
{
	int64_t left = INT64_C(2000000000);
	struct html_page page;
	const struct html_url *u;
	enum html_end end;
	size_t i;
	struct url base;
	bool has_base;

	end = html_read(a, s, &left, &page);
	hold(end != HTML_NO_MEMORY);
	if (end != HTML_READ)
		return;
	for (i = 0; i < HTML_TEXTS; i++)
		if (page.texts[i].p != NULL)
			try_seen(page.texts[i]);
	hold(page.comments.p == NULL || utf8_valid(page.comments));
	has_base = page.base.p != NULL &&
		url_read(a, page.base, NULL, &base) == URL_READ;
	for (u = page.urls; u != NULL; u = u->next)
		try_url(a, u->text, has_base ? &base : NULL);
	try_links(a, page.texts[0]);
}

static void
try_plain(struct span s, bool delsp)
{
	struct seen seen = {.out = g_string_new(NULL)};

	seen_plain(&seen, s, true, delsp);
	try_seen((struct span){seen.out->str, seen.out->len});
	g_string_free(seen.out, TRUE);
}

/* Letters of ASCII may be of either case. */
static void
try_fold(struct arena *a, struct span s)
{
	struct span looks[FOLD_LOOKS], others[FOLD_LOOKS], capitals;
	size_t left = SIZE_MAX, n = fold_looks(a, s, &left, looks), m, i;
	char *p;

	hold(n > 0);
	for (i = 0; i < n; i++)
		try_seen(looks[i]);
	capitals = arena_copy(a, s);
	p = (char *)(uintptr_t)capitals.p;
	for (i = 0; i < s.n; i++)
		p[i] = g_ascii_toupper(p[i]);
	m = fold_looks(a, capitals, &left, others);
	hold(m > 0);
	hold(span_is(looks[n - 1], others[m - 1]));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a copy, so that not a byte behind it may be read */
	char *bytes = malloc(size == 0 ? 1 : size);
	struct arena *a = arena_new(0);
	struct span s = {bytes, size};

	if (a == NULL || bytes == NULL || url_open() != NULL ||
	    fold_open() != NULL)
		abort();
	if (size > 0)
		memcpy(bytes, data, size);
	s = utf8_make_valid(a, s);
	try_html(a, s);
	try_plain(s, size % 2 == 0);
	css_style(s);
	try_fold(a, s);
	try_url(a, s, NULL);
	try_links(a, s);
	arena_free(a);
	free(bytes);
	return 0;
}
