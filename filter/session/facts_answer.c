/*
 * facts_answer.c - an answer to what a policy asks, and the values in
 * it, in the memory of the message.
 */
#include "domain.h"
#include "facts_answer.h"
#include "utf8.h"

const struct fact facts_later = {FACT_LATER, NULL, 0, {NULL, 0}};
const struct fact facts_absent = {FACT_ABSENT, NULL, 0, {NULL, 0}};
static const struct fact no_memory = {
	FACT_FAILED, NULL, 0, {"no memory", sizeof("no memory") - 1},
};

const struct fact *
facts_no_memory(struct told *t)
{
	t->no_memory = true;
	return &no_memory;
}

const struct fact *
facts_failed(struct told *t, struct span why)
{
	struct fact *f = arena_alloc(t->arena, sizeof(*f));

	if (f == NULL || why.p == NULL)
		return facts_no_memory(t);
	f->state = FACT_FAILED;
	f->why = why;
	return f;
}

const struct fact *
facts_of(struct told *t, const struct value *values, size_t n)
{
	struct fact *f;

	if (n == 0)
		return &facts_absent;
	f = arena_alloc(t->arena, sizeof(*f));
	if (f == NULL)
		return facts_no_memory(t);
	f->state = FACT_HERE;
	f->values = values;
	f->n = n;
	return f;
}

const struct fact *
facts_one(struct told *t, struct value v)
{
	struct value *kept = arena_alloc(t->arena, sizeof(*kept));

	if (kept == NULL || v.text.p == NULL)
		return facts_no_memory(t);
	*kept = v;
	return facts_of(t, kept, 1);
}

struct value
facts_text(struct told *t, struct span text)
{
	return (struct value){
		.type = VALUE_TEXT,
		.text = utf8_make_valid(t->arena, text),
	};
}

struct value
facts_name(struct told *t, struct span name)
{
	struct span text = utf8_make_valid(t->arena, name);

	if (text.p != NULL)
		text = domain_canonical(t->arena, text);
	return (struct value){.type = VALUE_NAME, .text = text};
}

struct value
facts_ip(struct told *t, const struct ip *ip)
{
	char text[IP_TEXT];

	return (struct value){
		.type = VALUE_IP,
		.ip = *ip,
		.text = arena_copy(t->arena, span_of(ip_print(ip, text))),
	};
}

static struct value
number_value(struct told *t, size_t number)
{
	return (struct value){
		.type = VALUE_NUMBER,
		.number = (double)number,
		.text = arena_printf(t->arena, "%zu", number),
	};
}

const struct fact *
facts_number(struct told *t, size_t number)
{
	return facts_one(t, number_value(t, number));
}
