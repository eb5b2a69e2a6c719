/*
 * message_header.c - the working copy of the header.
 */
#include "header_text.h"
#include "message_impl.h"

#define NAME_LIMIT 255 /* a name that we send: leaves its line room */

static bool
copy_fields(struct message *m)
{
	size_t i;

	for (i = 0; !m->copied && i < m->n_fields; i++) {
		struct line *l = arena_grow(m->arena, &m->lines, &m->n_lines,
		                            sizeof(*l));

		if (l == NULL)
			return false;
		l->field = m->fields[i];
		l->index = i + 1;
	}
	m->copied = true;
	return true;
}

static bool
add_line(struct message *m, bool top, const struct effect *e)
{
	struct line *l = top
		? arena_grow(m->arena, &m->tops, &m->n_tops, sizeof(*l))
		: arena_grow(m->arena, &m->lines, &m->n_lines, sizeof(*l));

	if (l == NULL)
		return false;
	l->field.name = arena_copy(m->arena, e->name);
	l->field.raw = header_encode(m->arena, e->name, e->value);
	return l->field.name.p != NULL && l->field.raw.p != NULL;
}

/* A value that reads the same is left as it is. */
static bool
set_line(struct message *m, struct line *l, struct span value)
{
	struct span old = message_read(m, &l->field);

	if (old.p == NULL)
		return false;
	if (span_is(old, value))
		return true;
	l->field.raw = header_encode(m->arena, l->field.name, value);
	l->field.decoded = (struct span){NULL, 0};
	l->changed = true;
	return l->field.raw.p != NULL;
}

static bool
edit_line(struct message *m, struct line *l, const struct subst *edits,
          size_t n)
{
	struct span value = message_read(m, &l->field), raw;
	size_t i;

	for (i = 0; i < n; i++)
		if (!span_is(edits[i].text, (struct span){
		    value.p + edits[i].at, edits[i].n}))
			break;
	if (i == n)
		return true;
	raw = header_rewrite(m->arena, l->field.name, l->field.raw, edits, n);
	l->field.raw = raw;
	l->field.decoded = (struct span){NULL, 0};
	l->changed = true;
	return raw.p != NULL;
}

/* One step of a header effect, on one field of its name each. *went: it has
 * been done to one before. */

static bool
step_replace(struct message *m, struct line *l, const struct effect *e,
             bool *went, struct span *why)
{
	(void)why;
	if (!*went) {
		*went = true;
		return set_line(m, l, e->value);
	}
	l->removed = true;
	return true;
}

static bool
step_remove(struct message *m, struct line *l, const struct effect *e,
            bool *went, struct span *why)
{
	struct span value = message_read(m, &l->field);
	enum truth t;

	if (value.p == NULL)
		return false;
	t = effect_matches(e, value);
	if (t == TRUTH_FAILED) {
		*why = SPAN("remove header: a pattern hit its limit");
		return false;
	}
	l->removed = t == TRUTH_YES;
	*went |= l->removed;
	return true;
}

static bool
step_rewrite(struct message *m, struct line *l, const struct effect *e,
             bool *went, struct span *why)
{
	struct span value = message_read(m, &l->field);
	const char *raw = l->field.raw.p;
	struct subst *edits;
	size_t n;

	if (value.p == NULL)
		return false;
	switch (effect_rewrite(e, value, m->arena, &edits, &n)) {
	case TRUTH_YES:
		if (!edit_line(m, l, edits, n))
			return false;
		*went |= l->field.raw.p != raw;
		return true;
	case TRUTH_FAILED:
		*why = SPAN("rewrite header: a pattern hit its limit");
		return false;
	default:
		return true;
	}
}

/* From the top of the header on; i is less than n_tops + n_lines. */
static struct line *
line_at(struct message *m, size_t i)
{
	return i < m->n_tops ? &m->tops[m->n_tops - 1 - i]
	                     : &m->lines[i - m->n_tops];
}

/* All or none: an action that fails may be left out. */
static bool
step_all(struct message *m, const struct effect *e,
         bool (*step)(struct message *, struct line *, const struct effect *,
                      bool *, struct span *),
         bool *went, struct span *why)
{
	struct undo {
		struct line *line, was;
	} *undo = NULL, *one;
	size_t i, n = 0;

	for (i = 0; i < m->n_tops + m->n_lines; i++) {
		struct line *l = line_at(m, i);

		if (l->removed || !span_is_nocase(l->field.name, e->name))
			continue;
		one = arena_grow(m->arena, &undo, &n, sizeof(*one));
		if (one != NULL)
			*one = (struct undo){l, *l};
		if (one != NULL && step(m, l, e, went, why))
			continue;
		while (n-- > 0)
			*undo[n].line = undo[n].was;
		return false;
	}
	return true;
}

bool
message_insert(struct message *m, struct span name, struct span raw)
{
	struct line *l;

	if (!copy_fields(m))
		return false;
	l = arena_grow(m->arena, &m->tops, &m->n_tops, sizeof(*l));
	if (l == NULL)
		return false;
	l->field.name = arena_copy(m->arena, name);
	l->field.raw = arena_copy(m->arena, raw);
	return l->field.name.p != NULL && l->field.raw.p != NULL;
}

static bool
step_set(struct message *m, struct line *l, const struct effect *e,
         bool *went, struct span *why)
{
	(void)m;
	(void)why;
	l->removed = *went;
	if (!*went) {
		l->field.raw = e->value;
		l->field.decoded = (struct span){NULL, 0};
		l->changed = true;
	}
	*went = true;
	return true;
}

bool
message_set_field(struct message *m, struct span name, struct span raw)
{
	struct effect e = {.name = arena_copy(m->arena, name),
	                   .value = arena_copy(m->arena, raw)};
	struct span why;
	bool went = false;
	struct line *l;

	if (e.name.p == NULL || e.value.p == NULL || !copy_fields(m) ||
	    !step_all(m, &e, step_set, &went, &why))
		return false;
	if (went)
		return true;
	l = arena_grow(m->arena, &m->lines, &m->n_lines, sizeof(*l));
	if (l == NULL)
		return false;
	l->field = (struct field){.name = e.name, .raw = e.value};
	return true;
}

bool
message_remove_fields(struct message *m, struct span name,
                      bool (*is_meant)(struct span value, void *of), void *of)
{
	struct span value;
	size_t i;

	if (!copy_fields(m))
		return false;
	for (i = 0; i < m->n_tops + m->n_lines; i++) {
		struct line *l = line_at(m, i);

		if (l->removed || !span_is_nocase(l->field.name, name))
			continue;
		value = message_read(m, &l->field);
		if (value.p == NULL)
			return false;
		l->removed = is_meant(l->field.raw, of) || is_meant(value, of);
	}
	return true;
}

bool
message_remove_named(struct message *m, bool (*is_meant)(struct span name))
{
	size_t i;

	if (!copy_fields(m))
		return false;
	for (i = 0; i < m->n_tops + m->n_lines; i++) {
		struct line *l = line_at(m, i);

		l->removed = l->removed || is_meant(l->field.name);
	}
	return true;
}

/* ---- effects ---- */

/* RFC 5322 2.2: printable ASCII but the colon. */
static bool
is_name(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == ':')
			return false;
	return s.n > 0 && s.n <= NAME_LIMIT;
}

bool
message_apply_header(struct message *m, const struct effect *e,
                     struct span *why)
{
	bool went = false;

	if (!copy_fields(m))
		return false;
	if (!is_name(e->name)) {
		*why = SPAN("a header field's name is not fit to be sent");
		return false;
	}
	switch (e->kind) {
	case EFFECT_ADD_HEADER:
		return add_line(m, false, e);
	case EFFECT_PREPEND_HEADER:
		return add_line(m, true, e);
	case EFFECT_REPLACE_HEADER:
		return step_all(m, e, step_replace, &went, why)
		       && (went || add_line(m, false, e));
	default:
		m->found = false;
		return step_all(m, e, e->kind == EFFECT_REMOVE_HEADER ?
		                step_remove : step_rewrite, &m->found, why);
	}
}
