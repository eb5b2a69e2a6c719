/*
 * fuzz_change.c - any bytes as a message, into which texts are put. What the
 * effect did not name has the bytes that it had: the message parses to the
 * same parts, and those that are not its own text are the same; where it is
 * replaced, those that are not shown are the same, in their order. A message
 * that is left alone is the same altogether, and with `once` the text is not
 * put in twice.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "fuzz_header.h"
#include "markup.h"
#include "own.h"
#include "transfer.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
hold(bool promise)
{
	if (!promise)
		abort();
}

/* ---- what stays ---- */

struct before {
	size_t n_parts;
	struct span *bytes; /* copies */
	bool *own, *shown;
};

static bool
is_leaf(const struct mime_part *p)
{
	return !p->multipart && !p->message && !p->container;
}

static struct before
look(struct edit *e)
{
	struct before b;
	struct own o;
	size_t i;

	hold(own_find(e, &o));
	b.n_parts = e->mime->n_parts;
	b.bytes = arena_alloc(e->arena, b.n_parts * sizeof(*b.bytes));
	b.own = arena_alloc(e->arena, b.n_parts * sizeof(*b.own));
	b.shown = arena_alloc(e->arena, b.n_parts * sizeof(*b.shown));
	for (i = 0; i < b.n_parts; i++)
		b.shown[i] = !is_leaf(&e->mime->parts[i]) ||
			own_is_shown(e, i);
	for (i = 0; i < b.n_parts; i++)
		b.bytes[i] = arena_copy(e->arena, e->mime->parts[i].bytes);
	for (i = 0; i < o.n && o.why == NULL; i++)
		b.own[o.parts[i].part] = true;
	return b;
}

static void
compare(struct edit *e, const struct before *b)
{
	const struct mime_part *p;
	size_t i;

	hold(edit_parts(e) != NULL);
	hold(e->mime->n_parts == b->n_parts || e->mime->full != NULL);
	for (i = 0; i < b->n_parts && e->mime->full == NULL; i++) {
		p = &e->mime->parts[i];
		hold(b->own[i] || !is_leaf(p) ||
		     span_is(p->bytes, b->bytes[i]));
	}
}

static void
compare_hidden(struct edit *e, const struct before *b)
{
	const struct mime_part *p;
	size_t i, j = 0;

	hold(edit_parts(e) != NULL);
	for (i = 0; i < e->mime->n_parts && e->mime->full == NULL; i++) {
		p = &e->mime->parts[i];
		if (!is_leaf(p) || own_is_shown(e, i))
			continue;
		while (j < b->n_parts && b->shown[j])
			j++;
		hold(j < b->n_parts && span_is(p->bytes, b->bytes[j]));
		j++;
	}
	while (j < b->n_parts && b->shown[j])
		j++;
	hold(j == b->n_parts || e->mime->full != NULL);
}

/* ---- changes ---- */

static void
change_once(struct edit *e, struct effect effect)
{
	struct before b = look(e);
	struct span was = arena_copy(e->arena, edit_result(e));
	const char *why;

	hold(change_body(e, &effect));
	why = edit_left_out(e, &effect);
	e->n_notes = 0;
	if (why != NULL && strncmp(why, "of ", 3) != 0)
		hold(span_is(edit_result(e), was));
	if (effect.kind == EFFECT_REPLACE_BODY)
		compare_hidden(e, &b);
	else
		compare(e, &b);
	if (why != NULL || effect.kind == EFFECT_REPLACE_BODY)
		return;
	effect.once = true;
	was = arena_copy(e->arena, edit_result(e));
	hold(change_body(e, &effect));
	hold(edit_left_out(e, &effect) != NULL || b.n_parts == 0);
	hold(span_is(edit_result(e), was));
	e->n_notes = 0;
}

/* ---- the pieces ---- */

static void
try_markup(struct arena *a, struct span s)
{
	struct span text = utf8_make_valid(a, s), plain, again;

	hold(markup_begin(s) <= s.n && markup_end(s) <= s.n);
	plain = markup_plain(a, text);
	hold(utf8_valid(plain));
	/* what is escaped shows as it was, but for blanks */
	again = markup_plain(a, markup_escape(a, plain));
	hold(utf8_valid(again));
}

static void
try_transfer(struct arena *a, struct span s)
{
	GString *out = g_string_new(NULL);
	char *back = arena_alloc(a, 4 * s.n + 16);
	bool bad = false;
	size_t i, column = 0;

	transfer_write_base64(out, s);
	hold(transfer_base64((struct span){out->str, out->len}, back) == s.n);
	hold(s.n == 0 || memcmp(back, s.p, s.n) == 0);
	g_string_truncate(out, 0);
	transfer_write_qp(out, s);
	transfer_qp((struct span){out->str, out->len}, back, &bad);
	hold(!bad);
	for (i = 0; i < out->len; i++) {
		column = out->str[i] == '\n' ? 0 : column + 1;
		hold(column <= 77); /* with its CR */
	}
	for (i = 0; i < 20; i++)
		hold(transfer_qp_place(s, i) <= s.n);
	g_string_free(out, TRUE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum effect_kind kinds[] = {
		EFFECT_APPEND, EFFECT_PREPEND_BODY, EFFECT_REPLACE_BODY,
	};
	static const char *const texts[] = {
		"plain words", "--b\nGr\xc3\xbc\xc3\x9f" "e <&> \xe2\x82\xac",
	};
	/* a copy, so that not a byte behind it may be read */
	char *bytes = malloc(size == 0 ? 1 : size);
	struct span s = {bytes, size};
	struct arena *a = arena_new(0);
	struct message *m = a == NULL ? NULL : message_new(a);
	struct effect effect = {.kind = kinds[size % 3],
	                        .value = span_of(texts[size / 3 % 2])};
	struct edit e;

	if (m == NULL || bytes == NULL)
		abort();
	if (size > 0)
		memcpy(bytes, data, size);
	try_transfer(a, s);
	try_markup(a, s);
	take_fields(m, &s);
	edit_begin(&e, a, m, s, true);
	change_once(&e, effect);
	effect.kind = kinds[size / 7 % 3];
	change_once(&e, effect);
	edit_end(&e);
	arena_free(a);
	free(bytes);
	return 0;
}
