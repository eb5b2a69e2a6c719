/* check_subject.c - the questions that a policy asks, each numbered once. */
#include <stdint.h>
#include "checker.h"

/* What makes a question the same: its row, its argument, whom it is about. */
static const char *
question_key(struct checker *c, const struct ask *ask,
             const struct ast_value *argument)
{
	struct span none = {"", 0};
	struct span text = argument == NULL ? none
	                   : arena_lower(c->arena, argument->text);
	struct span flags = argument == NULL || argument->flags.p == NULL
	                    ? none : argument->flags;

	if (argument != NULL && argument->kind == AST_PATTERN)
		text = argument->text;
	return arena_printf(c->arena, "%d %d %d %d /%.*s/%.*s",
	                    (int)ask->subject->id, ask->folded, ask->all_rcpts,
	                    argument == NULL ? -1 : (int)argument->kind,
	                    SPAN_ARG(text), SPAN_ARG(flags)).p;
}

static size_t
intern(struct checker *c, const struct ask *ask,
       const struct ast_value *argument, struct place place)
{
	struct program *p = c->program;
	const char *key = question_key(c, ask, argument);
	struct question *q;
	void *there = g_hash_table_lookup(p->question_keys, key);

	if (there != NULL)
		return GPOINTER_TO_SIZE(there) - 1;
	q = arena_grow(c->arena, &p->questions, &p->n_questions, sizeof(*q));
	g_hash_table_insert(p->question_keys, (void *)(uintptr_t)key,
	                    GSIZE_TO_POINTER(p->n_questions));
	q->ask = *ask;
	q->argument = argument;
	q->place = place;
	q->rcpt = (ask->subject->flags & SUBJECT_IS_RCPT) && !ask->all_rcpts;
	q->slot = q->rcpt ? p->rcpt_questions++ : p->shared_questions++;
	if (ask->subject->cost > p->cost)
		p->cost = ask->subject->cost;
	if (ask->subject->flags & SUBJECT_IS_ANY)
		p->any_stage = true;
	return p->n_questions - 1;
}

/* RFC 5322 3.6.8: ftext */
static bool
field_name(struct span name)
{
	size_t i;

	for (i = 0; i < name.n; i++)
		if (name.p[i] <= 32 || name.p[i] >= 127 || name.p[i] == ':')
			return false;
	return name.n > 0;
}

static bool
check_argument(struct checker *c, struct ast_subject *s, struct ask *ask)
{
	const struct subject *row = s->row;
	struct ast_value *v = s->argument;
	enum subject_argument takes = row->argument;

	if (v == NULL) {
		if (takes == ARGUMENT_NONE || takes == ARGUMENT_FIELD_OR_NONE) {
			ask->argument = span_of(row->fixed);
			return true;
		}
		diag_error(c->diags, s->place,
		           "\"%s\" wants a name behind it: %s \"Name\"",
		           row->name, row->name);
		return false;
	}
	ask->argument = v->text;
	if (takes == ARGUMENT_NONE) {
		diag_error(c->diags, v->place, "\"%s\" takes no name",
		           row->name);
		return false;
	}
	if (v->kind == AST_PATTERN) {
		if (takes != ARGUMENT_FIELD && takes != ARGUMENT_FIELD_OR_NONE) {
			diag_error(c->diags, v->place,
			           "\"%s\" wants a name in quotes here, not a "
			           "pattern", row->name);
			return false;
		}
		if (v->pattern == NULL)
			v->pattern = check_pattern(c, v, true);
		ask->pattern = v->pattern;
		return v->pattern != NULL;
	}
	if (takes != ARGUMENT_STRING && v->text.n > 1
	    && v->text.p[v->text.n - 1] == ':') {
		diag_error(c->diags, v->place,
		           "a field's name stands without its colon: \"%.*s\"",
		           (int)v->text.n - 1, v->text.p);
		return false;
	}
	if (takes != ARGUMENT_STRING && !field_name(v->text)) {
		diag_error(c->diags, v->place,
		           "\"%.*s\" is no name of a header field",
		           SPAN_ARG(v->text));
		return false;
	}
	return true;
}

/* A user may write macro "i", macro "{i}" or macro "auth_type": the MTA
 * knows names of one letter bare and longer ones in braces. */
static void
spell_macro(struct checker *c, struct ask *ask)
{
	struct span name = ask->argument;

	if (name.n > 2 && name.p[0] == '{' && name.p[name.n - 1] == '}') {
		name.p++;
		name.n -= 2;
	}
	ask->argument = arena_printf(c->arena, name.n == 1 ? "%.*s" : "{%.*s}",
	                             SPAN_ARG(name));
}

size_t
check_subject(struct checker *c, struct ast_subject *s)
{
	struct ask ask = {0};

	s->row = subject_find(s->name);
	if (s->row == NULL) {
		diag_error(c->diags, s->place, "unknown subject \"%.*s\"",
		           SPAN_ARG(s->name));
		return NO_ASK;
	}
	ask.subject = s->row;
	ask.stage = s->row->stage;
	if (s->quant != QUANT_NONE
	    && !(s->row->flags & (SUBJECT_IS_MANY | SUBJECT_IS_RCPT))) {
		diag_error(c->diags, s->place,
		           "\"%s\" has one value: leave out \"%s\"", s->row->name,
		           s->quant == QUANT_ANY ? "any" : "every");
		return NO_ASK;
	}
	if (s->quant != QUANT_NONE && (s->row->flags & SUBJECT_IS_RCPT)) {
		ask.all_rcpts = true;
		ask.stage = STAGE_DATA;
	}
	if (!check_argument(c, s, &ask) || !check_folded(c, s))
		return NO_ASK;
	ask.folded = s->folded;
	if (s->row->id == SUBJECT_MACRO)
		spell_macro(c, &ask);
	s->ask = intern(c, &ask, s->argument, s->place);
	return s->ask;
}

/* The sender must not choose which value counts. */
bool
check_open(const struct ast_subject *s, bool open)
{
	return open && s->quant == QUANT_NONE
	       && (s->row->flags & SUBJECT_IS_FIELD) == SUBJECT_IS_FIELD;
}

const char *
check_type_name(enum value_type t)
{
	static const char *const names[] = {
		[VALUE_TEXT] = "a text", [VALUE_NAME] = "a host or domain name",
		[VALUE_ADDRESS] = "a mail address",
		[VALUE_IP] = "an IP address", [VALUE_NUMBER] = "a number",
		[VALUE_FOLDED] = "a folded text",
	};

	return names[t];
}

struct pattern *
check_pattern(struct checker *c, struct ast_value *v, bool raw)
{
	struct program *p = c->program;
	struct pattern *made, **slot;
	struct span message;
	size_t offset, at = 0, i;
	struct place place = v->place;

	made = pattern_new(c->arena, v->text, v->flags, raw, &message, &offset);
	if (made != NULL) {
		slot = arena_grow(c->arena, &p->patterns, &p->n_patterns,
		                  sizeof(*slot));
		return *slot = made;
	}
	/* in the source a slash is two characters */
	for (i = 0; i < offset && i < v->text.n; i++)
		at += v->text.p[i] == '/' ? 2 : 1;
	if (place.n > at + 1) {
		place.at += at + 1;
		place.n = 1;
	}
	diag_error(c->diags, place, "%.*s", SPAN_ARG(message));
	return NULL;
}
