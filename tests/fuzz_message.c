/*
 * fuzz_message.c - any header, any recipients and any effects: the changes
 * may be handed to libmilter, and Postfix, Sendmail and the working copy
 * agree on what comes of them.
 *
 * A line of the input is one thing told: its first character says which, "|"
 * stands for a LF in what follows. "Name: value" where a field is meant.
 *
 *	:Name: value   a field           @a@x   a recipient    $a@x  the sender
 *	+ ^ =          add, prepend, replace header
 *	-Name: text    remove those that hold the text; all without one
 *	~Name: text    the text becomes what stands behind "/" in it
 *	&a@x  >a@x     add rcpt, redirect the first half     %a@x  replace sender
 *	#  /           the last recipient is refused, the first discarded
 *	!reason        quarantine
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "caps.h"
#include "header_text.h"
#include "two_mtas.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct action {
	struct span find, put;
};

enum truth
effect_matches(const struct effect *e, struct span value)
{
	const struct span find = e->action->find;

	return find.n == 0 || memmem(value.p, value.n, find.p, find.n) != NULL ?
		TRUTH_YES : TRUTH_NO;
}

enum truth
effect_rewrite(const struct effect *e, struct span value, struct arena *a,
               struct subst **edits, size_t *n)
{
	const struct span find = e->action->find, put = e->action->put;
	const char *at = find.n == 0 ? NULL :
		memmem(value.p, value.n, find.p, find.n);

	*edits = arena_alloc(a, sizeof(**edits));
	*n = 1;
	if (at == NULL)
		return TRUTH_NO;
	**edits = (struct subst){(size_t)(at - value.p), find.n, put};
	return TRUTH_YES;
}

static void
hold(bool promise)
{
	if (!promise)
		abort();
}

struct told {
	struct arena *arena;
	struct message *m;
	struct span *given;  /* recipients; p NULL: refused */
	size_t n;
};

/* ---- what is told ---- */

static struct span
with_lines(struct arena *a, struct span s)
{
	char *p;
	size_t i;

	s = arena_copy(a, s);
	p = (char *)(size_t)s.p; /* the copy is ours */
	for (i = 0; i < s.n; i++)
		if (p[i] == '|')
			p[i] = '\n';
	return s;
}

/* Up to the mark, and what is behind it and a blank. */
static struct span
cut(struct span *s, char mark)
{
	const char *at = memchr(s->p, mark, s->n);
	struct span head = *s;

	if (at == NULL) {
		*s = (struct span){s->p + s->n, 0};
		return head;
	}
	head.n = (size_t)(at - s->p);
	s->p += head.n + 1;
	s->n -= head.n + 1;
	if (s->n > 0 && s->p[0] == ' ') {
		s->p++;
		s->n--;
	}
	return head;
}

static struct span
without_controls(struct arena *a, struct span s)
{
	char *p;
	size_t i;

	s = arena_copy(a, s);
	p = (char *)(size_t)s.p; /* the copy is ours */
	for (i = 0; i < s.n; i++)
		if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
			p[i] = ' ';
	return span_trim(s);
}

/* A value rewritten reads as it should. */
static void
check_rewrite(struct told *t, struct span raw, const struct effect *e)
{
	struct span value = header_decode(t->arena, raw), put, got;
	struct subst *s;
	size_t n;

	if (!utf8_valid(e->action->find) || /* cuts no character */
	    effect_rewrite(e, value, t->arena, &s, &n) != TRUTH_YES)
		return;
	put = utf8_make_valid(t->arena, s->text);
	got = header_rewrite(t->arena, SPAN("X"), raw, s, n);
	hold(got.p != NULL && got.p[got.n] == '\0');
	value = without_controls(t->arena, arena_printf(t->arena,
		"%.*s%.*s%.*s", (int)s->at, value.p, SPAN_ARG(put),
		(int)(value.n - s->at - s->n), value.p + s->at + s->n));
	hold(put.n != strnlen(put.p, put.n) || span_is(value,
		without_controls(t->arena, header_decode(t->arena, got))));
}

static void
apply(struct told *t, enum effect_kind kind, struct span s)
{
	struct effect e = {.kind = kind, .value = s};
	struct action action;
	struct span why = {NULL, 0};
	size_t *half = arena_alloc(t->arena, (t->n + 1) * sizeof(*half)), i;

	if (kind <= EFFECT_REWRITE_HEADER) {
		e.name = cut(&s, ':');
		e.value = s;
	}
	action.find = cut(&s, '/');
	action.put = s;
	e.action = &action;
	for (i = 0; i < t->n / 2 + 1; i++)
		half[i] = i;
	e.rcpts = half;
	e.n_rcpts = i;
	for (i = 0; kind == EFFECT_REWRITE_HEADER && i < 20 &&
	     i < message_fields(t->m); i++)
		check_rewrite(t, message_field(t->m, i)->raw, &e);
	if (!message_apply(t->m, &e, &why))
		hold(why.p != NULL && why.p[why.n] == '\0');
}

static void
add_rcpt(struct told *t, struct span s)
{
	struct span *slot = arena_grow(t->arena, &t->given, &t->n, sizeof(s));

	hold(slot != NULL && message_add_rcpt(t->m, s));
	*slot = s;
}

static void
tell(struct told *t, char what, struct span s)
{
	static const char marks[] = "+^=-~&>%!";
	static const enum effect_kind kinds[] = {
		EFFECT_ADD_HEADER, EFFECT_PREPEND_HEADER, EFFECT_REPLACE_HEADER,
		EFFECT_REMOVE_HEADER, EFFECT_REWRITE_HEADER, EFFECT_ADD_RCPT,
		EFFECT_REDIRECT, EFFECT_REPLACE_SENDER, EFFECT_QUARANTINE,
	};
	const char *mark = what == '\0' ? NULL : strchr(marks, what);

	if (mark != NULL)
		apply(t, kinds[mark - marks], s);
	else if (what == '@' && t->n < 200)
		add_rcpt(t, s);
	else if (what == '$')
		hold(message_set_sender(t->m, s));
	else if (what == '/')
		message_remove_rcpt(t->m, 0);
	else if (what == '#' && t->n > 0) {
		message_drop_rcpt(t->m, t->n - 1);
		t->given[t->n - 1] = (struct span){NULL, 0};
	}
}

/* First what SMTP tells, then the effects. */
static void
tell_all(struct told *t, struct span all, bool effects)
{
	struct span line;
	bool is_field;

	while (all.n > 0) {
		line = cut(&all, '\n');
		if (line.n == 0)
			continue;
		is_field = line.p[0] == ':';
		if ((memchr(":@$#/", line.p[0], 5) != NULL) == effects)
			continue;
		line = with_lines(t->arena, line);
		line.p++;
		line.n--;
		if (is_field) {
			struct span name = cut(&line, ':');

			hold(message_add_field(t->m, name, line) ||
			     message_fields(t->m) == CAPS_HEADER_FIELDS);
		} else {
			tell(t, line.p[-1], line);
		}
	}
}

/* ---- what comes of it ---- */

static bool
same_address(struct arena *a, struct span s, struct span t)
{
	struct value v, w;

	hold(address_path(a, s, &v) && address_path(a, t, &w));
	return span_is_nocase(v.text, w.text);
}

static bool
is_result(struct told *t, struct span address)
{
	size_t i;

	for (i = 0; i < message_result_rcpts(t->m); i++)
		if (same_address(t->arena, message_result_rcpt(t->m, i), address))
			return true;
	return false;
}

/* What the MTA has in the end is what the working copy has. */
static void
check_rcpts(struct told *t, const struct change *c, size_t n)
{
	size_t i, k, left = 0;

	for (i = 0; i < n; i++) {
		if (c[i].kind == ADD_RCPT) {
			hold(is_result(t, c[i].value));
			for (k = 0; k < t->n; k++)
				hold(t->given[k].p == NULL || !same_address(
					t->arena, t->given[k], c[i].value));
			left++;
		}
		if (c[i].kind != REMOVE_RCPT)
			continue;
		hold(!is_result(t, c[i].value));
		for (k = 0; k < t->n; k++)
			if (span_is(t->given[k], c[i].value))
				t->given[k] = (struct span){NULL, 0};
	}
	for (k = 0; k < t->n; k++) {
		hold(t->given[k].p == NULL || is_result(t, t->given[k]));
		left += t->given[k].p != NULL;
	}
	hold((left == 0) == (message_result_rcpts(t->m) == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct told t = {.arena = arena_new(0)};
	struct span all = {(const char *)data, size};
	const struct change *c;
	size_t n, i;

	hold(t.arena != NULL);
	t.m = message_new(t.arena);
	tell_all(&t, all, false);
	tell_all(&t, all, true);
	hold(message_changes(t.m, &c, &n));
	hold(changes_are_fit(c, n));
	hold(mta_agrees(t.m, POSTFIX, c, n));
	hold(mta_agrees(t.m, SENDMAIL, c, n));
	for (i = 0; i < n; i++)
		hold(c[i].kind != ADD_RCPT || address_usable((struct span){
			c[i].value.p + 1, c[i].value.n - 2}));
	check_rcpts(&t, c, n);
	arena_free(t.arena);
	return 0;
}
