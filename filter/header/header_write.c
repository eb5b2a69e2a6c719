/*
 * header_write.c - text as a header field's value (RFC 5322 2.2.3 and 3.2,
 * RFC 2047), and changes in one that is there.
 *
 * A value is cut into stretches. What no change touches goes out with the
 * bytes and folds that it came with; the rest is made anew, in encoded words
 * where it has to be. In the end the result is decoded again: if it does not
 * say what it should, all of it is encoded.
 *
 * In an address field a text is first written as it stands, so that a policy
 * can put an address there. If what was a list of addresses is none by that,
 * it was meant for a name: then what has a meaning there is encoded, too.
 */
#include <string.h>

#include "address.h"
#include "header_text.h"
#include "utf8.h"
#include "writer.h"

#define LINE_LIMIT 998

static bool
is_address_field(struct span name)
{
	static const struct span names[] = {
		{"from", 4}, {"sender", 6}, {"reply-to", 8}, {"to", 2},
		{"cc", 2}, {"bcc", 3}, {"resent-from", 11},
		{"resent-sender", 13}, {"resent-to", 9}, {"resent-cc", 9},
		{"resent-bcc", 10}, {"resent-reply-to", 15},
		{"mail-followup-to", 16}, {"mail-reply-to", 13},
		{"disposition-notification-to", 27}, {"errors-to", 9},
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is_nocase(name, names[i]))
			return true;
	return false;
}

/* ---- is it right? ---- */

static bool
lines_fit(const GString *s, size_t column)
{
	const char *line = s->str;
	size_t n;

	for (; *line != '\0'; line += n + (line[n] == '\n'), column = 0) {
		n = strcspn(line, "\n");
		if (column + n > LINE_LIMIT)
			return false;
	}
	return true;
}

/* A quoted string may have become encoded words: quotes don't count there. */
static struct span
squeezed(struct arena *a, struct span s)
{
	char *p = arena_alloc(a, s.n + 1);
	size_t i, n = 0;

	for (i = 0; p != NULL && i < s.n; i++)
		if (strchr(" \t\"\\", s.p[i]) == NULL || s.p[i] == '\0')
			p[n++] = s.p[i];
	return (struct span){p, n};
}

static bool
says(const struct writer *w, const GString *result, struct span text)
{
	struct span s = header_decode(w->arena,
		(struct span){result->str, result->len});

	if (s.p == NULL || memchr(result->str, '\0', result->len) != NULL)
		return false;
	if (span_is(s, text))
		return true;
	return w->address && span_is(squeezed(w->arena, s),
		squeezed(w->arena, text));
}

/* Is each address in it one, for sure? */
static bool
is_good_list(struct arena *a, struct span value)
{
	struct mailbox *boxes;
	size_t i, n;
	bool full;

	if (!address_field(a, value, &boxes, &n, &full))
		return false;
	for (i = 0; i < n; i++)
		if (boxes[i].address.bad)
			return false;
	return n > 0;
}

/* ---- the whole ---- */

/* What is to be written. */
struct task {
	struct span name, raw;
	struct stretch *list;
	size_t n;
	struct patch *patches;
	size_t n_patches;
};

static bool
attempt(struct writer *w, const struct task *t, bool strict)
{
	size_t column = t->name.n + 2;
	struct span text;

	w->strict = strict;
	w->toks = NULL;
	w->n = 0;
	g_string_truncate(w->text, 0);
	if (!writer_apply(w, t->list, t->n, t->patches, t->n_patches) ||
	    !writer_settle(w))
		return false;
	w->fold_all = false;
	writer_write(w, t->name);
	if (!lines_fit(w->out, column)) {
		w->fold_all = true;
		writer_write(w, t->name);
	}
	text = span_trim((struct span){w->text->str, w->text->len});
	return lines_fit(w->out, column) && says(w, w->out, text);
}

static struct span
written(struct writer *w)
{
	return arena_copy(w->arena, span_trim(
		(struct span){w->out->str, w->out->len}));
}

static bool
write_address(struct writer *w, const struct task *t, struct span *plain)
{
	bool good, was_good = t->raw.n == 0 || is_good_list(w->arena, t->raw);

	*plain = (struct span){NULL, 0};
	if (attempt(w, t, false)) {
		*plain = written(w);
		if (plain->p == NULL || !was_good ||
		    is_good_list(w->arena, *plain))
			return true;
	}
	good = attempt(w, t, true);
	*plain = good && is_good_list(w->arena,
		(struct span){w->out->str, w->out->len}) ?
		written(w) : *plain;
	return plain->p != NULL;
}

/* What no other way carries. */
static struct span
encode_all(struct writer *w, const struct task *t)
{
	struct span text = span_trim((struct span){w->text->str, w->text->len});

	g_string_truncate(w->out, 0);
	w->column = t->name.n + 2;
	writer_put_encoded(w, text, false);
	return written(w);
}

static struct span
do_task(struct arena *a, const struct task *t)
{
	struct writer w = {
		.arena = a, .address = is_address_field(t->name),
		.text = g_string_new(NULL), .out = g_string_new(NULL),
	};
	struct span s = {NULL, 0};

	if (w.address)
		write_address(&w, t, &s);
	else if (attempt(&w, t, false))
		s = written(&w);
	if (s.p == NULL && !arena_full(a))
		s = encode_all(&w, t);
	g_string_free(w.text, TRUE);
	g_string_free(w.out, TRUE);
	return arena_full(a) ? (struct span){NULL, 0} : s;
}

struct span
header_clean(struct arena *a, struct span value)
{
	struct span s = utf8_make_valid(a, value);
	size_t i;
	char *p;

	s = arena_copy(a, s);
	p = (char *)(size_t)s.p; /* the copy is ours */
	for (i = 0; p != NULL && i < s.n; i++)
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
			p[i] = ' ';
	return s;
}

struct span
header_encode(struct arena *a, struct span name, struct span value)
{
	struct patch all = {.text = header_clean(a, value)};
	struct task t = {.name = name, .raw = SPAN(""), .patches = &all,
	                 .n_patches = 1};

	encoded_init();
	return all.text.p == NULL ? all.text : do_task(a, &t);
}

/* The text of all stretches; p NULL: no memory. */
static struct span
joined(struct arena *a, const struct stretch *list, size_t n)
{
	GString *s = g_string_new(NULL);
	struct span text;
	size_t i;

	for (i = 0; i < n; i++)
		g_string_append_len(s, list[i].text.p, (gssize)list[i].text.n);
	text = arena_copy(a, (struct span){s->str, s->len});
	g_string_free(s, TRUE);
	return text;
}

/* The value as a whole, changed. */
static struct span
changed(struct arena *a, struct span value, const struct subst *substs,
        size_t n)
{
	GString *s = g_string_new(NULL);
	struct span text;
	size_t i, done = 0;

	for (i = 0; i < n; i++) {
		g_string_append_len(s, value.p + done,
		                    (gssize)(substs[i].at - done));
		g_string_append_len(s, substs[i].text.p,
		                    (gssize)substs[i].text.n);
		done = substs[i].at + substs[i].n;
	}
	g_string_append_len(s, value.p + done, (gssize)(value.n - done));
	text = arena_copy(a, (struct span){s->str, s->len});
	g_string_free(s, TRUE);
	return text;
}

static bool
is_character_begin(struct span s, size_t at)
{
	return at >= s.n || ((unsigned char)s.p[at] & 0xc0) != 0x80;
}

/* What is put back as it was is no change: "$1" of a long match. */
static struct patch
patch_of(struct span value, const struct subst *s, struct span text)
{
	struct span old = {value.p + s->at, s->n};
	size_t head = 0, tail = 0;
	size_t least = old.n < text.n ? old.n : text.n;

	while (head < least && old.p[head] == text.p[head])
		head++;
	while (head > 0 && (!is_character_begin(old, head) ||
	                    !is_character_begin(text, head)))
		head--;
	while (tail < least - head &&
	       old.p[old.n - 1 - tail] == text.p[text.n - 1 - tail])
		tail++;
	while (tail > 0 && !is_character_begin(old, old.n - tail))
		tail--;
	return (struct patch){
		s->at, s->at + s->n, s->at + head, s->n - head - tail,
		{text.p + head, text.n - head - tail},
	};
}

struct span
header_rewrite(struct arena *a, struct span name, struct span raw,
               const struct subst *substs, size_t n)
{
	struct task t = {.name = name, .raw = raw, .n_patches = n};
	struct span value = header_decode(a, raw), all, seen, text;
	struct span none = {NULL, 0};
	size_t i, lead;

	encoded_init();
	t.patches = arena_alloc(a, n * sizeof(*t.patches));
	if (value.p == NULL || t.patches == NULL || !header_stretches(a, raw,
	    is_address_field(name), &t.list, &t.n))
		return none;
	all = joined(a, t.list, t.n);
	if (all.p == NULL)
		return none;
	seen = span_trim(all);
	if (!span_is(seen, value)) {
		/* bytes that are no text, inside a word */
		seen = changed(a, value, substs, n);
		return seen.p == NULL ? seen : header_encode(a, name, seen);
	}
	lead = (size_t)(seen.p - all.p);
	for (i = 0; i < n; i++) {
		text = header_clean(a, substs[i].text);
		if (text.p == NULL)
			return none;
		t.patches[i] = patch_of(value, &substs[i], text);
		t.patches[i].from += lead;
		t.patches[i].to += lead;
		t.patches[i].at += lead;
	}
	return do_task(a, &t);
}
