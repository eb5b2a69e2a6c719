/*
 * fuzz_detach.c - any bytes as a message, out of which attachments are taken.
 * None of those that were meant is left, unless it is said; each text that
 * stands in none of them is still there with the bytes that it had.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "detach.h"
#include "fuzz_header.h"
#include "policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every name, or those of an even length. */
struct action {
	bool even;
};

bool
effect_chooses(const struct effect *e)
{
	(void)e; /* no files in archives: fuzz_archive */
	return false;
}

bool
effect_has_where(const struct effect *e, bool *magic)
{
	(void)e;
	*magic = false;
	return false;
}

bool
effect_where(const struct effect *e, size_t n,
             const struct fact *(*ask)(void *of, size_t item,
                                       enum subject_id id), void *of,
             struct arena *a, bool *meant, struct span *why)
{
	(void)e;
	(void)n;
	(void)ask;
	(void)of;
	(void)a;
	(void)meant;
	(void)why;
	return false;
}

enum truth
effect_matches(const struct effect *e, struct span value)
{
	return !e->action->even || value.n % 2 == 0 ? TRUTH_YES : TRUTH_NO;
}

/* No header field is rewritten here. */
enum truth
effect_rewrite(const struct effect *e, struct span value, struct arena *a,
               struct subst **substs, size_t *n)
{
	(void)e;
	(void)value;
	(void)a;
	*substs = NULL;
	*n = 0;
	return TRUTH_NO;
}

struct span
effect_text(const struct effect *e, struct span name, struct arena *a,
            struct span (*give)(void *of, enum subject_id id), void *of)
{
	(void)e;
	return arena_printf(a, "--b\n%.*s %.*s %.*s\n", SPAN_ARG(name),
		SPAN_ARG(give(of, SUBJECT_ATTACHMENT_SIZE)),
		SPAN_ARG(give(of, SUBJECT_ATTACHMENT_TYPE)));
}

static void
hold(bool promise)
{
	if (!promise)
		abort();
}

static bool
is_meant(const struct effect *e, const struct mime_part *p)
{
	const struct mime_list *l;

	if (p->attachment && p->names == NULL)
		return true; /* "" is even */
	for (l = p->attachment ? p->names : NULL; l != NULL; l = l->next)
		if (effect_matches(e, l->text) == TRUTH_YES)
			return true;
	return false;
}

static bool
is_in_one(const struct effect *e, const struct mime *m, size_t part)
{
	for (; part != MIME_NONE; part = m->parts[part].parent)
		if (m->parts[part].attachment || is_meant(e, &m->parts[part]))
			return true;
	return false;
}

/* Where no part overlaps another, and no text holds a file, texts stay. */
static bool
is_plain(const struct mime *m)
{
	return !mime_has(m, DEFECT_FALSE_BOUNDARY) &&
		!mime_has(m, DEFECT_REPEATED_BOUNDARY) &&
		!mime_has(m, DEFECT_PREFIX_BOUNDARY) &&
		!mime_has(m, DEFECT_EMPTY_BOUNDARY) &&
		!mime_has(m, DEFECT_PART_AFTER_END) &&
		!mime_has(m, DEFECT_ENCODED_MULTIPART) &&
		!mime_has(m, DEFECT_UUENCODED);
}

static void
check_texts(struct edit *e, const struct effect *effect,
            const struct mime *before)
{
	struct span now = edit_result(e);
	const struct mime_part *p;
	size_t i;

	for (i = 0; i < before->n_parts && i < 50; i++) {
		p = &before->parts[i];
		if (!p->multipart && p->bytes.n > 0 &&
		    !is_in_one(effect, before, i))
			hold(memmem(now.p, now.n, p->bytes.p, p->bytes.n)
			     != NULL);
	}
}

static void
try_detach(struct arena *a, struct message *m, struct span body,
           const struct effect *effect)
{
	struct span why = {NULL, 0};
	struct mime *before, *after;
	struct edit e;
	size_t i;

	edit_begin(&e, a, m, body, true);
	before = edit_parts(&e);
	hold(before != NULL);
	mime_uudecode(before, false);
	if (!detach(&e, effect, &why)) {
		hold(why.p != NULL && why.p[why.n] == '\0');
		hold(before->full != NULL);
	} else if (edit_left_out(&e, effect) == NULL) {
		after = edit_parts(&e);
		hold(after != NULL);
		for (i = 0; after->full == NULL && i < after->n_parts; i++)
			hold(!is_meant(effect, &after->parts[i]));
		if (is_plain(before))
			check_texts(&e, effect, before);
	}
	edit_end(&e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a copy, so that not a byte behind it may be read */
	char *bytes = malloc(size == 0 ? 1 : size);
	struct span s = {bytes, size};
	struct arena *a = arena_new(0);
	struct message *m = a == NULL ? NULL : message_new(a);
	struct action action = {.even = size % 3 == 0};
	struct effect effect = {
		.kind = size % 2 == 0 ? EFFECT_REMOVE_ATTACHMENT :
			EFFECT_REPLACE_ATTACHMENT, .action = &action,
	};

	if (m == NULL || bytes == NULL)
		abort();
	if (size > 0)
		memcpy(bytes, data, size);
	take_fields(m, &s);
	try_detach(a, m, s, &effect);
	arena_free(a);
	free(bytes);
	return 0;
}
