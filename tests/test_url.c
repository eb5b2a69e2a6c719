/*
 * test_url.c - URLs as browsers read them; most lines are of the WHATWG's own
 * tests, or of what is seen in mail that hides where it leads.
 */
#include <string.h>
#include <time.h>

#include "check.h"
#include "link.h"
#include "url.h"

struct line {
	const char *input, *text, *host; /* text NULL: no link; host NULL: none */
	bool bad;
};

static const struct line absolute[] = {
	{"https://example.org/a?b=c#d", "https://example.org/a?b=c#d",
		"example.org", false},
	{"HTTPS://EXAMPLE.org", "https://example.org", "example.org", false},
	{"  http://example.org/ \n", "http://example.org/", "example.org",
		false},
	{"ht\ntps://exa\tmple.org/a\nb", "https://example.org/ab",
		"example.org", false},
	{"https:example.org", "https://example.org", "example.org", false},
	{"https:/example.org/a", "https://example.org/a", "example.org",
		false},
	{"https:////example.org/a", "https://example.org/a", "example.org",
		false},
	{"https:\\\\example.org\\a\\b?c\\d", "https://example.org/a/b?c\\d",
		"example.org", false},
	{"http:/\\example.org", "http://example.org", "example.org", false},
	{"//example.org/a", "https://example.org/a", "example.org", false},
	{"\\\\server\\share", "https://server/share", "server", false},
	{"file://server/share", "file://server/share", "server", false},
	{"file:///etc/passwd", "file:///etc/passwd", NULL, false},
	/* what stands before the host */
	{"https://bank.example@evil.example/",
		"https://bank.example@evil.example/", "evil.example", false},
	{"https://a:b@c@evil.example:8080/", "https://a:b@c@evil.example:8080/",
		"evil.example", false},
	{"https://evil.example\\@bank.example/",
		"https://evil.example/@bank.example/", "evil.example", false},
	{"https://evil.example#@bank.example/",
		"https://evil.example#@bank.example/", "evil.example", false},
	{"https://evil.example?@bank.example/",
		"https://evil.example?@bank.example/", "evil.example", false},
	{"foo://a\\b@example.org", "foo://a\\b@example.org", "example.org",
		false},
	/* names */
	{"http://ex%61mple.%6frg/", "http://example.org/", "example.org",
		false},
	{"http://example%2eorg", "http://example.org", "example.org", false},
	{"http://b\xc3\xbc""cher.example/", "http://xn--bcher-kva.example/",
		"xn--bcher-kva.example", false},
	{"http://B%C3%9Ccher.example/", "http://xn--bcher-kva.example/",
		"xn--bcher-kva.example", false},
	{"http://fa\xc3\x9f.example", "http://xn--fa-hia.example",
		"xn--fa-hia.example", false},
	{"http://\xef\xbd\x85\xef\xbd\x98.example\xe3\x80\x82org",
		"http://ex.example.org", "ex.example.org", false},
	{"http://exa\xc2\xadmple.o\xe2\x80\x8brg", "http://example.org",
		"example.org", false},
	{"http://\xf0\x9f\x92\xa9.la", "http://xn--ls8h.la", "xn--ls8h.la",
		false},
	{"http://\xd0\xb0pple.example", "http://xn--pple-43d.example",
		"xn--pple-43d.example", false},
	{"http://example.org./", "http://example.org/", "example.org", false},
	{"http://a_b-.example/", "http://a_b-.example/", "a_b-.example",
		false},
	/* addresses */
	{"http://192.0.2.1/", "http://192.0.2.1/", "192.0.2.1", false},
	{"http://0xC0.0.0x201", "http://192.0.2.1", "192.0.2.1", false},
	{"http://3221225985/", "http://192.0.2.1/", "192.0.2.1", false},
	{"http://0300.0.2.01./", "http://192.0.2.1/", "192.0.2.1", false},
	{"http://\xef\xbc\x91""92.0.2.1", "http://192.0.2.1", "192.0.2.1",
		false},
	{"http://[2001:DB8:0::1]:80/", "http://[2001:db8::1]:80/",
		"[2001:db8::1]", false},
	/* no hosts */
	{"http://", "http://", "", true},
	{"http://?a", "http://?a", "", true},
	{"http://256.0.2.1/", "http://256.0.2.1/", "256.0.2.1", true},
	{"http://1.2.3.4.5/", "http://1.2.3.4.5/", "1.2.3.4.5", true},
	{"http://a.0x1g/", "http://a.0x1g/", "a.0x1g", false},
	{"http://a.09", "http://a.09", "a.09", true},
	{"http://ex ample.org/", "http://ex ample.org/", "ex ample.org", true},
	{"http://ex%20ample.org/", "http://ex%20ample.org/", "ex%20ample.org",
		true},
	{"http://a%00b/", "http://a%00b/", "a%00b", true},
	{"http://a%zz/", "http://a%zz/", "a%zz", true},
	{"http://a<b/", "http://a<b/", "a<b", true},
	{"http://[::1/", "http://[::1/", "[::1", true},
	{"http://[::g]/", "http://[::g]/", "[::g]", true},
	{"http://example.org:x/", "http://example.org:x/", "example.org",
		true},
	{"http://xn--a/", "http://xn--a/", "xn--a", true},
	/* others */
	{"mailto:a@example.org", "mailto:a@example.org", NULL, false},
	{"JavaScript:alert(1)", "javascript:alert(1)", NULL, false},
	{"java\nscript:x", "javascript:x", NULL, false},
	{"foo:///a", "foo:///a", NULL, false},
	{"data:text/html,<p>", "data:text/html,<p>", NULL, false},
	{"cid:1@x", "cid:1@x", NULL, false},
	{"", NULL, NULL, false},
	{" \n ", NULL, NULL, false},
	{"#top", NULL, NULL, false},
	{"path/only", NULL, NULL, false},
	{"/path", NULL, NULL, false},
	{"?query", NULL, NULL, false},
	{"1:2", NULL, NULL, false},
};

static const struct line relative[] = {
	{"b", "https://example.org/x/b", "example.org", false},
	{"/b", "https://example.org/b", "example.org", false},
	{"\\b", "https://example.org\\b", "example.org", false},
	{"?b", "https://example.org/x/y?b", "example.org", false},
	{"//evil.example/b", "https://evil.example/b", "evil.example", false},
	{"/\\evil.example/b", "https://evil.example/b", "evil.example", false},
	{"https:b", "https://example.org/x/b", "example.org", false},
	{"https:/b", "https://example.org/b", "example.org", false},
	{"https://evil.example", "https://evil.example", "evil.example", false},
	{"http:evil.example", "http://evil.example", "evil.example", false},
	{"mailto:b", "mailto:b", NULL, false},
	{"#b", NULL, NULL, false},
};

static void
try(const struct line *l, const struct url *base)
{
	struct arena *a = arena_new(0);
	struct url u;
	enum url_end end = url_read(a, span_of(l->input), base, &u);

	ck_assert_ptr_null(url_open());
	if (l->text == NULL) {
		ck_assert_msg(end == URL_NONE, "%s", l->input);
	} else {
		ck_assert_msg(end == URL_READ, "%s", l->input);
		ck_assert_msg(span_is(u.text, span_of(l->text)), "%s: %.*s",
			l->input, SPAN_ARG(u.text));
		ck_assert_msg(l->host == NULL ? u.host.p == NULL :
			u.host.p != NULL && span_is(u.host, span_of(l->host)),
			"%s: host %.*s", l->input, SPAN_ARG(u.host));
		ck_assert_msg(u.bad == l->bad, "%s: %d", l->input, u.bad);
	}
	arena_free(a);
}

START_TEST(urls_lead_where_browsers_go)
{
	size_t i;

	url_open();
	for (i = 0; i < sizeof(absolute) / sizeof(absolute[0]); i++)
		try(&absolute[i], NULL);
}
END_TEST

START_TEST(relative_urls_are_of_their_base)
{
	struct arena *a = arena_new(0);
	struct url base;
	size_t i;

	url_open();
	ck_assert_int_eq(url_read(a, SPAN("https://example.org/x/y?z/z#w"),
		NULL, &base), URL_READ);
	for (i = 0; i < sizeof(relative) / sizeof(relative[0]); i++)
		try(&relative[i], &base);
	ck_assert_int_eq(url_read(a, SPAN("https://example.org"), NULL, &base),
		URL_READ);
	try(&(struct line){"b", "https://example.org/b", "example.org", false},
		&base);
	ck_assert_int_eq(url_read(a, SPAN("mailto:a"), NULL, &base), URL_READ);
	try(&(struct line){"b", NULL, NULL, false}, &base);
	arena_free(a);
}
END_TEST

START_TEST(nothing_is_lost_at_a_nul)
{
	struct arena *a = arena_new(0);
	struct url u, base;

	ck_assert_ptr_null(url_open());
	ck_assert_int_eq(url_read(a, SPAN("foo://a\0@b.example/c\0d"), NULL,
		&u), URL_READ);
	ck_assert(span_is(u.text, SPAN("foo://a\0@b.example/c\0d")));
	ck_assert(span_is(u.host, SPAN("b.example")));
	ck_assert_int_eq(url_read(a, SPAN("https://b.example/c\0d/e"), NULL,
		&base), URL_READ);
	ck_assert_int_eq(url_read(a, SPAN("f\0g"), &base, &u), URL_READ);
	ck_assert(span_is(u.text, SPAN("https://b.example/c\0d/f\0g")));
	arena_free(a);
}
END_TEST

/* ---- in texts ---- */

static const char *
all(const char *text)
{
	static char out[1000];
	struct span s = span_of(text), found;
	const char *before;
	size_t at = 0;

	*out = '\0';
	while ((found = link_next(s, &at, &before)).p != NULL) {
		strcat(strcat(out, "|"), before);
		strncat(out, found.p, found.n);
	}
	return out;
}

START_TEST(links_stand_in_texts)
{
	ck_assert_str_eq(all("See https://example.org/a, or www.example.org."),
		"|https://example.org/a|http://www.example.org");
	ck_assert_str_eq(all("(https://example.org/a_(b))"),
		"|https://example.org/a_(b)");
	ck_assert_str_eq(all("https://example.org/[a](b)]), {https://b.c/{d}"),
		"|https://example.org/[a](b)|https://b.c/{d}");
	ck_assert_str_eq(all("(https://example.org/a)"),
		"|https://example.org/a");
	ck_assert_str_eq(all("<HTTP://a.example>\"hTTps://b.example\""),
		"|HTTP://a.example|hTTps://b.example");
	ck_assert_str_eq(all("xhttps://a.example mailto:a@b.example!"),
		"|https://a.example|mailto:a@b.example");
	ck_assert_str_eq(all("awww.example.org http: www. https:/ http://"),
		"");
	ck_assert_str_eq(all("http:\\\\a.example/"), "|http:\\\\a.example/");
	ck_assert_str_eq(all("\xe2\x80\x9chttps://a.example\xe2\x80\x9d and "
		"https://b\xc3\xbc.example\xe3\x80\x80x"),
		"|https://a.example|https://b\xc3\xbc.example");
	ck_assert_str_eq(all("ftp://a.example/x'"), "|ftp://a.example/x");
	ck_assert_str_eq(all(""), "");
}
END_TEST

START_TEST(what_lacks_its_scheme_is_a_link_as_well)
{
	ck_assert_str_eq(all("Go to Bad.example/login, (b.xn--p1ai/x)"),
		"|http://Bad.example/login|http://b.xn--p1ai/x");
	ck_assert_str_eq(all("a.example and/or 1.2/3 x.js5/a .com/ /a.bc/d "
		"a@b.example/ e.g./i.e. c.d/e"), "");
	ck_assert_str_eq(all("\\\\files.example\\a C:\\\\dir\\b "
		"\\\\a,\\\\"), "|file:\\\\files.example\\a");
	ck_assert_str_eq(all("file://a.example/b file:c"),
		"|file://a.example/b");
}
END_TEST

/* ---- costs ---- */

static double
seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

START_TEST(no_url_takes_long)
{
	static const char *const pieces[] = {
		")", "@", ":", "[", "%41", "/", "\\", "\xc3\xbc", "a.", "0x",
		"1", "\t", "www.", "http://", " \\\\a", " a.b/", "(]})",
	};
	struct arena *a = arena_new(0);
	size_t times = 1000000, i, j, n, at;
	struct span s;
	struct url u;
	const char *before;
	double from;
	char *p;

	url_open();
	for (i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		n = strlen(pieces[i]);
		p = arena_alloc(a, 7 + n * times);
		memcpy(p, "http://", 7);
		for (j = 0; j < times; j++)
			memcpy(p + 7 + j * n, pieces[i], n);
		s = (struct span){p, 7 + n * times};
		from = seconds();
		ck_assert_int_eq(url_read(a, s, NULL, &u), URL_READ);
		for (at = 0; link_next(s, &at, &before).p != NULL; )
			;
		ck_assert_msg(seconds() - from < 5, "%s: %f", pieces[i],
			seconds() - from);
	}
	arena_free(a);
}
END_TEST

CHECK_MAIN("url", urls_lead_where_browsers_go, relative_urls_are_of_their_base,
	nothing_is_lost_at_a_nul, links_stand_in_texts,
	what_lacks_its_scheme_is_a_link_as_well, no_url_takes_long)
