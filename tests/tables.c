/* tables.c - what the tests of tables share. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "domain.h"
#include "tables.h"

struct diags *diags;
struct arena *arena;
struct table_context context;
const struct place nowhere;

void
tables_begin(void)
{
	diags = diags_new();
	arena = arena_new(0);
	context = (struct table_context){0};
}

void
tables_end(struct table *t)
{
	table_free(t);
	arena_free(arena);
	diags_free(diags);
}

const char *
told(void)
{
	char *p = diags_text(diags);
	struct span all = arena_copy(arena, span_of(p));

	ck_assert_ptr_nonnull(p);
	free(p);
	return all.p;
}

/* ---- values ---- */

struct value
text(const char *s)
{
	return (struct value){.type = VALUE_TEXT, .text = span_of(s)};
}

struct value
name(const char *s)
{
	return (struct value){.type = VALUE_NAME,
	                      .text = domain_canonical(arena, span_of(s))};
}

struct value
ip(const char *s)
{
	struct value v = {.type = VALUE_IP, .text = span_of(s)};

	ck_assert(ip_parse(v.text, &v.ip));
	return v;
}

struct value
number(double d)
{
	return (struct value){.type = VALUE_NUMBER, .number = d,
	                      .text = SPAN("")};
}

struct value
address(const char *s)
{
	const char *at = strrchr(s, '@');
	struct value v = {.type = VALUE_ADDRESS, .text = span_of(s)};

	v.local = v.text;
	if (at != NULL) {
		v.local.n = (size_t)(at - s);
		v.domain = domain_canonical(arena, span_of(at + 1));
	}
	return v;
}

/* ---- what is found ---- */

static int
by_text(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	return strcmp(x->p, y->p);
}

const char *
find_values(const struct table *t, struct value v, bool sorted)
{
	struct table_answer answer;
	struct span all = SPAN(""), values[16];
	size_t i;

	switch (table_find(t, &v, &context, arena, &answer)) {
	case TABLE_NO:
		return "-";
	case TABLE_FAILED:
		ck_assert_uint_gt(answer.why.n, 0);
		return arena_printf(arena, "!%.*s", SPAN_ARG(answer.why)).p;
	case TABLE_YES:
		break;
	}
	if (answer.n > 16)
		return arena_printf(arena, "%zu values", answer.n).p;
	for (i = 0; i < answer.n; i++)
		values[i] = arena_copy(arena, answer.values[i]);
	if (sorted)
		qsort(values, answer.n, sizeof(values[0]), by_text);
	for (i = 0; i < answer.n; i++)
		all = arena_printf(arena, "%.*s%s%.*s", SPAN_ARG(all),
		                   i == 0 ? "" : "|", SPAN_ARG(values[i]));
	return all.p;
}

void
becomes(const struct table *t, struct value v, const char *wanted)
{
	const struct timespec pause = {0, 20000000};
	const char *found = "";
	int i;

	for (i = 0; i < 1500; i++) {
		found = find_values(t, v, true);
		if (strncmp(found, wanted, strlen(wanted)) == 0)
			return;
		nanosleep(&pause, NULL);
	}
	ck_abort_msg("\"%s\" and not \"%s\"", found, wanted);
}
