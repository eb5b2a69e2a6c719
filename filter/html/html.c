/*
 * html.c - a tree from Gumbo, and a walk over it.
 *
 * Hostile HTML makes the tree's making cost the square of its size, in time
 * (nested elements are searched for each tag) and in memory (open formatting
 * is repeated in each paragraph). So Gumbo's memory comes from an arena of
 * its own, from which there is a way out once it or the time is used up; the
 * tree is never freed but with the arena (Gumbo would recurse), and the walk
 * keeps its own stack.
 */
#include <gumbo.h>
#include <setjmp.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "body.h"
#include "caps.h"
#include "character.h"
#include "css.h"
#include "html.h"
#include "seen.h"
#include "utf8.h"

/* ---- the tree ---- */

/* Pieces of memory between two looks at the clock. */
#define LOOK_EVERY 64

/* Bytes that are not yet counted for memory-limit. */
#define COUNT_EVERY (256 << 10)

struct work {
	struct arena *memory;
	size_t held;       /* as counted */
	jmp_buf escape;
	int64_t end;
	unsigned pieces;
};

static int64_t
cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void *
give(void *of, size_t n)
{
	struct work *w = of;
	void *p;

	if (++w->pieces % LOOK_EVERY == 0 && cpu_now() > w->end)
		longjmp(w->escape, 1);
	p = arena_alloc(w->memory, n);
	if (p == NULL)
		longjmp(w->escape, 1);
	if (arena_used(w->memory) - w->held >= COUNT_EVERY)
		memory_account(&w->held, arena_used(w->memory));
	return p;
}

static void
take(void *of, void *p)
{
	(void)of; /* the arena has it */
	(void)p;
}

/* NULL: it would take too much. */
static const GumboNode *
make_tree(struct work *w, struct span html)
{
	GumboOptions options = kGumboDefaultOptions;

	options.allocator = give;
	options.deallocator = take;
	options.userdata = w;
	options.max_errors = 0;
	if (setjmp(w->escape) != 0)
		return NULL;
	return gumbo_parse_with_options(&options, html.p, html.n)->document;
}

/* ---- what is seen ---- */

/* Why an element and what is in it are not seen. */
enum {
	NEVER = 1,       /* it is no text */
	GONE = 2,        /* by no reader, but for a style sheet's sake */
	DIM = 4,         /* by most */
	HIDDEN = 8,
	TINY = 16,
	SHEET = 32,      /* a style sheet says so */
	SHEET_TINY = 64,
};

/* One way to see the text: what hides it. */
struct reading {
	unsigned hides;
	bool begun;      /* it is not like the first any more */
	struct seen seen;
};

struct frame {
	const GumboNode *node;
	unsigned next;     /* child */
	unsigned unseen;
	bool apart;        /* it has lines of its own */
};

struct walk {
	struct arena *arena;
	struct html_page *page;
	struct html_url **last;
	struct reading readings[HTML_TEXTS];
	struct css_sheet *sheet; /* NULL: there is none */
	bool sheets_only;  /* they are read before all else */
	bool too_much;     /* is in them */
	GString *comments;
	GArray *stack;     /* struct frame */
	bool no_memory;
};

static bool
is_in(const unsigned char *tags, GumboTag tag)
{
	for (; *tags != 0; tags++)
		if (*tags == tag)
			return true;
	return false;
}

/* Their text is not shown. */
static bool
is_never_seen(GumboTag tag)
{
	static const unsigned char tags[] = {
		GUMBO_TAG_TITLE, GUMBO_TAG_STYLE, GUMBO_TAG_SCRIPT,
		GUMBO_TAG_DESC, 0,
	};

	return is_in(tags, tag);
}

/* Nor is theirs, by who knows what they are. */
static bool
is_instead(GumboTag tag)
{
	static const unsigned char tags[] = {
		GUMBO_TAG_IFRAME, GUMBO_TAG_NOEMBED, GUMBO_TAG_NOFRAMES,
		GUMBO_TAG_DATALIST, GUMBO_TAG_TEMPLATE, 0,
	};

	return is_in(tags, tag);
}

/* They stand in a line; all others, but what nobody knows, part words. */
static bool
is_inline(GumboTag tag)
{
	static const unsigned char tags[] = {
		GUMBO_TAG_A, GUMBO_TAG_ABBR, GUMBO_TAG_ACRONYM, GUMBO_TAG_B,
		GUMBO_TAG_BASE, GUMBO_TAG_BASEFONT, GUMBO_TAG_BDI,
		GUMBO_TAG_BDO, GUMBO_TAG_BIG, GUMBO_TAG_BLINK, GUMBO_TAG_CITE,
		GUMBO_TAG_CODE, GUMBO_TAG_DATA, GUMBO_TAG_DEL, GUMBO_TAG_DFN,
		GUMBO_TAG_EM, GUMBO_TAG_FONT, GUMBO_TAG_I, GUMBO_TAG_INS,
		GUMBO_TAG_KBD, GUMBO_TAG_LABEL, GUMBO_TAG_LINK, GUMBO_TAG_MAP,
		GUMBO_TAG_MARK, GUMBO_TAG_META, GUMBO_TAG_NOBR,
		GUMBO_TAG_NOSCRIPT, GUMBO_TAG_OUTPUT, GUMBO_TAG_Q,
		GUMBO_TAG_RB, GUMBO_TAG_RUBY, GUMBO_TAG_S, GUMBO_TAG_SAMP,
		GUMBO_TAG_SCRIPT, GUMBO_TAG_SMALL, GUMBO_TAG_SPAN,
		GUMBO_TAG_STRIKE, GUMBO_TAG_STRONG, GUMBO_TAG_STYLE,
		GUMBO_TAG_SUB, GUMBO_TAG_SUP, GUMBO_TAG_TEMPLATE,
		GUMBO_TAG_TIME, GUMBO_TAG_TT, GUMBO_TAG_U, GUMBO_TAG_VAR,
		GUMBO_TAG_WBR, GUMBO_TAG_UNKNOWN, 0,
	};

	return is_in(tags, tag);
}

static struct span
attribute(const GumboElement *e, const char *name)
{
	const GumboAttribute *a = gumbo_get_attribute(&e->attributes, name);

	return span_of(a == NULL ? NULL : a->value);
}

/* What its style sheet says of an element. */
static unsigned
sheet_unseen(const struct walk *w, const GumboElement *e)
{
	unsigned css = css_sheet_style(w->sheet,
		span_of(gumbo_normalized_tagname(e->tag)),
		attribute(e, "class"), attribute(e, "id"));

	return (css & (CSS_GONE | CSS_DIM | CSS_HIDDEN) ? SHEET : 0u) |
		(css & CSS_TINY ? SHEET_TINY : 0u);
}

static unsigned
unseen_of(const struct walk *w, const GumboNode *node, unsigned around,
          unsigned css)
{
	const GumboElement *e = &node->v.element;
	unsigned unseen = around;

	if (w->sheet != NULL)
		unseen |= sheet_unseen(w, e);
	if (css & CSS_VISIBLE)
		unseen &= ~(unsigned)HIDDEN;
	if ((css & CSS_SIZED) || (e->tag == GUMBO_TAG_FONT &&
	                          attribute(e, "size").p != NULL))
		unseen &= ~(unsigned)(TINY | SHEET_TINY);
	if (css & CSS_HIDDEN)
		unseen |= HIDDEN;
	if (css & CSS_TINY)
		unseen |= TINY;
	if (css & CSS_GONE)
		unseen |= GONE;
	if (is_never_seen(e->tag))
		unseen |= NEVER;
	/* a style overrides the attribute */
	if ((css & CSS_DIM) || is_instead(e->tag) ||
	    (!(css & (CSS_BLOCK | CSS_INLINE)) &&
	     attribute(e, "hidden").p != NULL))
		unseen |= DIM;
	return unseen;
}

/* ---- the readings ---- */

/* It is the first one's so far. */
static struct seen *
begin_reading(struct walk *w, struct reading *r)
{
	const struct seen *first = &w->readings[0].seen;

	if (!r->begun) {
		r->seen = *first;
		r->seen.out = g_string_new_len(first->out->str,
		                               (gssize)first->out->len);
		r->begun = true;
	}
	return &r->seen;
}

/* Has the reading a text that is unseen for these reasons? */
static bool
has(const struct reading *r, unsigned unseen)
{
	return (r->hides & unseen) == 0;
}

/* s.p NULL: a break. */
static void
put(struct walk *w, unsigned unseen, struct span s)
{
	struct reading *r = w->readings;
	bool first = has(&r[0], unseen);
	size_t i;

	for (i = HTML_TEXTS; i-- > 0; ) {
		if (has(&r[i], unseen) != first && s.p != NULL)
			begin_reading(w, &r[i]);
		if (!r[i].begun || !has(&r[i], unseen))
			continue;
		if (s.p == NULL)
			seen_break(&r[i].seen);
		else
			seen_text(&r[i].seen, s);
	}
}

/* A text that stands in place of something. */
static void
show_instead(struct walk *w, const GumboElement *e, unsigned unseen)
{
	static const char *const unlettered[] = {
		"hidden", "checkbox", "radio", "password", "image", NULL,
	};
	struct span type = attribute(e, "type"), text;
	size_t i;

	text = attribute(e, "alt");
	if (e->tag == GUMBO_TAG_INPUT) {
		for (i = 0; unlettered[i] != NULL; i++)
			if (span_is_nocase(type, span_of(unlettered[i])))
				break;
		if (unlettered[i] == NULL)
			text = attribute(e, "value");
	} else if (e->tag != GUMBO_TAG_IMG && e->tag != GUMBO_TAG_AREA) {
		return;
	}
	if (text.n == 0)
		return;
	put(w, unseen, (struct span){NULL, 0});
	put(w, unseen, text);
	put(w, unseen, (struct span){NULL, 0});
}

/* ---- where it leads ---- */

static void
add_url(struct walk *w, struct span text)
{
	struct html_url *u;

	text = span_trim(text);
	if (text.n == 0)
		return;
	u = arena_alloc(w->arena, sizeof(*u));
	if (u != NULL)
		u->text = arena_copy(w->arena, utf8_make_valid(w->arena, text));
	if (u == NULL || u->text.p == NULL) {
		w->no_memory = true;
		return;
	}
	*w->last = u;
	w->last = &u->next;
}

/* candidates := URL [ blanks descriptors ] { "," ... } (HTML 4.8.4.2) */
static void
add_srcset(struct walk *w, struct span s)
{
	size_t i = 0, from, end;

	while (i < s.n) {
		while (i < s.n && (character_is_space(s.p[i]) || s.p[i] == ','))
			i++;
		for (from = i; i < s.n && !character_is_space(s.p[i]); i++)
			;
		for (end = i; end > from && s.p[end - 1] == ','; end--)
			;
		add_url(w, (struct span){s.p + from, end - from});
		while (end == i && i < s.n && s.p[i] != ',')
			i++;
	}
}

/* content := seconds [";" | ","] ["url" "="] URL (HTML 4.2.5.3) */
static void
add_refresh(struct walk *w, struct span s)
{
	char quote = 0;
	size_t i = 0;

	if (s.n == 0)
		return;
	while (i < s.n && strchr("0123456789.;, \t\n\r\f", s.p[i]) != NULL)
		i++;
	s = (struct span){s.p + i, s.n - i};
	if (s.n > 3 && strncasecmp(s.p, "url", 3) == 0) {
		for (i = 3; i < s.n && character_is_space(s.p[i]); i++)
			;
		if (i < s.n && s.p[i] == '=')
			s = span_trim((struct span){s.p + i + 1, s.n - i - 1});
	}
	if (s.n > 0 && (*s.p == '"' || *s.p == '\'')) {
		quote = *s.p;
		s = (struct span){s.p + 1, s.n - 1};
		for (i = 0; i < s.n && s.p[i] != quote; i++)
			;
		s.n = i;
	}
	add_url(w, s);
}

static void
add_urls(struct walk *w, const GumboElement *e)
{
	static const char *const names[] = {
		"href", "src", "action", "formaction", "background", "poster",
		"longdesc", "cite", NULL,
	};
	const GumboAttribute *a;
	unsigned i, j;

	for (i = 0; i < e->attributes.length; i++) {
		a = e->attributes.data[i];
		for (j = 0; names[j] != NULL; j++)
			if (strcmp(a->name, names[j]) == 0)
				add_url(w, span_of(a->value));
		if (strcmp(a->name, "srcset") == 0)
			add_srcset(w, span_of(a->value));
		if (strcmp(a->name, "data") == 0 && e->tag == GUMBO_TAG_OBJECT)
			add_url(w, span_of(a->value));
	}
	if (e->tag == GUMBO_TAG_META && span_is_nocase(
	    span_trim(attribute(e, "http-equiv")), SPAN("refresh")))
		add_refresh(w, attribute(e, "content"));
	if (e->tag == GUMBO_TAG_BASE && w->page->base.p == NULL &&
	    attribute(e, "href").p != NULL) {
		w->page->base = arena_copy(w->arena, utf8_make_valid(w->arena,
			span_trim(attribute(e, "href"))));
		w->no_memory = w->no_memory || w->page->base.p == NULL;
	}
}

/* ---- the walk ---- */

static void
enter(struct walk *w, const GumboNode *node, unsigned around)
{
	const GumboElement *e = &node->v.element;
	struct frame f = {.node = node, .unseen = around};
	unsigned css;

	if (node->type != GUMBO_NODE_DOCUMENT) {
		css = css_style(attribute(e, "style"));
		f.unseen = unseen_of(w, node, around, css);
		f.apart = (css & CSS_BLOCK) || (!(css & CSS_INLINE) &&
			!is_inline(e->tag));
		add_urls(w, e);
		if (f.apart)
			put(w, f.unseen, (struct span){NULL, 0});
		show_instead(w, e, f.unseen);
	}
	g_array_append_val(w->stack, f);
}

static void
leave(struct walk *w)
{
	const struct frame *f = &g_array_index(w->stack, struct frame,
		w->stack->len - 1);

	if (f->apart)
		put(w, f->unseen, (struct span){NULL, 0});
	g_array_set_size(w->stack, w->stack->len - 1);
}

/* <!--[if mso]> HTML <![endif]--> */
static void
keep_comment(struct walk *w, struct span text)
{
	const char *end;

	if (text.n < 4 || memcmp(text.p, "[if", 3) != 0)
		return;
	end = memmem(text.p, text.n, "]>", 2);
	if (end == NULL)
		return;
	text.n -= (size_t)(end + 2 - text.p);
	text.p = end + 2;
	end = memmem(text.p, text.n, "<![endif]", 9);
	if (end != NULL)
		text.n = (size_t)(end - text.p);
	g_string_append_len(w->comments, text.p, (gssize)text.n);
}

/* A style may stand behind what it hides. */
static void
visit_for_sheets(struct walk *w, const GumboNode *node)
{
	struct frame f = {.node = node};

	switch (node->type) {
	case GUMBO_NODE_DOCUMENT:
	case GUMBO_NODE_ELEMENT:
	case GUMBO_NODE_TEMPLATE:
		g_array_append_val(w->stack, f);
		break;
	case GUMBO_NODE_TEXT:
	case GUMBO_NODE_CDATA:
		if (node->parent->v.element.tag != GUMBO_TAG_STYLE)
			break;
		if (w->sheet == NULL)
			w->sheet = css_sheet_new();
		if (!css_sheet_add(w->sheet, span_of(node->v.text.text)))
			w->too_much = true;
		break;
	default:
		break;
	}
}

static void
visit(struct walk *w, const GumboNode *node, unsigned unseen)
{
	if (w->sheets_only) {
		visit_for_sheets(w, node);
		return;
	}
	switch (node->type) {
	case GUMBO_NODE_DOCUMENT:
	case GUMBO_NODE_ELEMENT:
	case GUMBO_NODE_TEMPLATE:
		enter(w, node, unseen);
		break;
	case GUMBO_NODE_COMMENT:
		keep_comment(w, span_of(node->v.text.text));
		break;
	case GUMBO_NODE_TEXT:
	case GUMBO_NODE_CDATA:
	case GUMBO_NODE_WHITESPACE:
		put(w, unseen, span_of(node->v.text.text));
		break;
	}
}

static void
walk(struct walk *w, const GumboNode *document)
{
	struct frame *f;
	const GumboVector *children;

	visit(w, document, 0);
	while (w->stack->len > 0) {
		f = &g_array_index(w->stack, struct frame, w->stack->len - 1);
		children = f->node->type == GUMBO_NODE_DOCUMENT ?
			&f->node->v.document.children :
			&f->node->v.element.children;
		if (f->next < children->length)
			visit(w, children->data[f->next++], f->unseen);
		else
			leave(w);
	}
}

/* Its texts: each but once. */
static void
take_texts(struct walk *w)
{
	struct span *texts = w->page->texts, s;
	const struct reading *r = w->readings;
	size_t i, j;

	for (i = 0; i < HTML_TEXTS && !w->no_memory; i++) {
		if (!r[i].begun)
			continue;
		s = (struct span){r[i].seen.out->str, r[i].seen.out->len};
		for (j = 0; j < i && !span_is(texts[j], s); j++)
			;
		if (j < i)
			continue;
		texts[i] = arena_copy(w->arena, utf8_make_valid(w->arena, s));
		w->no_memory = texts[i].p == NULL;
	}
}

static void
free_walk(struct walk *w)
{
	size_t i;

	for (i = 0; i < HTML_TEXTS; i++)
		if (w->readings[i].begun)
			g_string_free(w->readings[i].seen.out, TRUE);
	g_string_free(w->comments, TRUE);
	g_array_free(w->stack, TRUE);
	css_sheet_free(w->sheet);
}

static enum html_end
read_tree(struct arena *a, const GumboNode *document, struct html_page *page)
{
	struct walk w = {
		.arena = a, .page = page, .last = &page->urls,
		.readings = {
			{NEVER | GONE | DIM | HIDDEN | TINY, true,
			 {.out = g_string_new(NULL)}},
			{~0u, false, {.out = NULL}},
			{NEVER | GONE, false, {.out = NULL}},
		},
		.comments = g_string_new(NULL),
		.stack = g_array_new(FALSE, FALSE, sizeof(struct frame)),
		.sheets_only = true,
	};

	walk(&w, document);
	if (w.too_much) {
		free_walk(&w);
		return HTML_TOO_MUCH;
	}
	w.sheets_only = false;
	if (w.sheet != NULL) /* it may show what a style hides */
		w.readings[2].hides = NEVER;
	walk(&w, document);
	take_texts(&w);
	if (w.comments->len > 0) {
		page->comments = arena_copy(a, utf8_make_valid(a,
			(struct span){w.comments->str, w.comments->len}));
		w.no_memory = w.no_memory || page->comments.p == NULL;
	}
	free_walk(&w);
	return w.no_memory ? HTML_NO_MEMORY : HTML_READ;
}

enum html_end
html_read(struct arena *a, struct span html, int64_t *left,
          struct html_page *page)
{
	struct work *w = arena_alloc(a, sizeof(*w));
	const GumboNode *document;
	enum html_end end = HTML_TOO_MUCH;
	int64_t begin = cpu_now();

	*page = (struct html_page){.texts = {SPAN("")}};
	if (w == NULL)
		return HTML_NO_MEMORY;
	w->memory = arena_new(CAPS_HTML_BYTES);
	if (w->memory == NULL)
		return HTML_NO_MEMORY;
	w->end = begin + *left;
	document = *left > 0 ? make_tree(w, html) : NULL;
	if (document != NULL)
		end = read_tree(a, document, page);
	arena_free(w->memory);
	memory_account(&w->held, 0);
	*left -= cpu_now() - begin;
	return end;
}
