/*
 * mime_charset.c - the charsets that a text may be in. What is said of it is
 * one thing; readers also go by the mark at its begin and, where nothing is
 * said, by what HTML says of itself.
 */
#include <string.h>

#include "ascii.h"
#include "charset.h"
#include "mime.h"

#define MARK_BYTES 4
#define META_BYTES 4096 /* browsers look at 1024, some at more */

static void
add(struct mime *m, struct mime_list **list, struct span charset)
{
	mime_list_add(m, list, charset, true);
}

/* The charset whose mark stands there, or p NULL. */
static struct span
mark_at(struct span begin)
{
	if (span_begins(begin, SPAN("\xef\xbb\xbf")))
		return SPAN("utf-8");
	if (span_begins(begin, (struct span){"\xff\xfe\0\0", 4}) ||
	    span_begins(begin, (struct span){"\0\0\xfe\xff", 4}))
		return SPAN("utf-32");
	if (span_begins(begin, SPAN("\xff\xfe")) ||
	    span_begins(begin, SPAN("\xfe\xff")))
		return SPAN("utf-16");
	return (struct span){NULL, 0};
}

/*
 * UTF-16 or UTF-32 without a mark that tells the bytes' order: RFC 2781 4.3
 * has big-endian then, and many readers what their machine has.
 */
static void
add_said(struct mime *m, struct mime_list **list, struct span charset,
         struct span mark)
{
	struct span wide = charset_unordered(charset);

	if (wide.p == NULL) {
		add(m, list, charset);
	} else if (mark.p != NULL && !span_is(mark, SPAN("utf-8"))) {
		add(m, list, wide);
	} else {
		add(m, list, arena_printf(m->arena, "%.*sbe", SPAN_ARG(wide)));
		add(m, list, arena_printf(m->arena, "%.*sle", SPAN_ARG(wide)));
	}
}

static bool
is_name(char c)
{
	return ascii_is_alnum(c) ||
		(c != '\0' && strchr("-_.:+", c) != NULL);
}

/* <meta charset="...">, or the same in the content of one. */
static struct span
said_in_html(struct span s)
{
	static const struct span word = {"charset", 7};
	struct span name;
	size_t i;

	for (i = 0; i + word.n < s.n; i++) {
		if (!span_is_nocase((struct span){s.p + i, word.n}, word))
			continue;
		name = span_trim((struct span){s.p + i + word.n,
		                               s.n - i - word.n});
		if (name.n == 0 || *name.p != '=')
			continue;
		do {
			name.p++;
			name.n--;
		} while (name.n > 0 && strchr(" \t\r\n\"'", *name.p) != NULL);
		for (i = 0; i < name.n && is_name(name.p[i]); i++)
			;
		return (struct span){name.p, i};
	}
	return (struct span){NULL, 0};
}

static bool
is_html(const struct mime_part *p)
{
	const struct mime_list *l;

	for (l = p->types; l != NULL; l = l->next)
		if (mime_type_is_html(l->text))
			return true;
	return false;
}

/* A page that can be read to see what it says is in no wide charset. */
static void
add_html(struct mime *m, struct mime_list **list, struct span begin)
{
	struct span charset = said_in_html(begin);

	if (charset.n > 0 && charset_known(charset) != TRUTH_NO &&
	    charset_unordered(charset).p == NULL)
		add(m, list, charset);
}

struct mime_list *
mime_charsets(struct mime *m, size_t part, enum mime_encoding e)
{
	const struct mime_list *none = &(struct mime_list){NULL, SPAN("")}, *l;
	const struct mime_part *p = &m->parts[part];
	bool page = p->charsets == NULL && is_html(p);
	struct span begin = mime_begin(m, part, e, page ? META_BYTES :
		MARK_BYTES);
	struct span mark = mark_at(begin);
	struct mime_list *list = NULL;

	for (l = p->charsets != NULL ? p->charsets : none; l != NULL;
	     l = l->next)
		add_said(m, &list, l->text, mark);
	if (mark.p != NULL)
		add(m, &list, mark);
	else if (page)
		add_html(m, &list, begin);
	return list;
}
