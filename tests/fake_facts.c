#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "fake_facts.h"

static void
address(struct value *v)
{
	size_t at = v->text.n;

	while (at > 0 && v->text.p[at - 1] != '@')
		at--;
	v->local = v->text;
	if (at == 0)
		return;
	v->local.n = at - 1;
	v->domain = (struct span){v->text.p + at, v->text.n - at};
}

static struct value
value_of(const struct ask *ask, const char *text, size_t n, unsigned item)
{
	struct value v = {.type = ask->subject->type, .item = item,
	                  .text = {text, n}};

	v.bad = n > 0 && text[0] == '!';
	if (v.type == VALUE_ADDRESS && n > 0 && !v.bad)
		address(&v);
	if (v.type == VALUE_IP && !ip_parse(v.text, &v.ip))
		abort();
	if (v.type == VALUE_NUMBER)
		v.number = atof(text);
	return v;
}

static struct fact *
answer(struct fake_facts *f, const struct ask *ask, const char *values)
{
	struct fact *fact = arena_alloc(f->arena, sizeof(*fact));
	struct value *list = arena_alloc(f->arena, 16 * sizeof(*list));
	const char *p = values;

	if (values == NULL) {
		fact->state = FACT_FAILED;
		fact->why = SPAN("the test says so");
		return fact;
	}
	fact->state = FACT_HERE;
	fact->values = list;
	do {
		size_t n = strcspn(p, "|");

		list[fact->n] = value_of(ask, p, n, (unsigned)fact->n);
		fact->n++;
		p += n;
	} while (*p++ == '|');
	return fact;
}

static const struct fact *
ask_fake(void *of, size_t n, const struct ask *ask, size_t rcpt)
{
	static const struct fact absent = {.state = FACT_ABSENT};
	struct fake_facts *f = of;
	char name[256];
	size_t i;

	(void)n;
	snprintf(name, sizeof(name), "%s%s%s%.*s",
	         ask->all_rcpts ? "all " : "", ask->subject->name,
	         ask->subject->fixed == NULL && ask->argument.n > 0 ? " " : "",
	         ask->subject->fixed == NULL ? (int)ask->argument.n : 0,
	         ask->argument.p);
	for (i = 0; i < f->n; i++) {
		struct fake_fact *one = &f->list[i];

		if (strcmp(one->subject, name) != 0 || one->rcpt != rcpt)
			continue;
		one->asked++;
		return answer(f, ask, one->values);
	}
	return &absent;
}

void
fake_facts_init(struct fake_facts *f, struct arena *a)
{
	memset(f, 0, sizeof(*f));
	f->arena = a;
	f->facts.ask = ask_fake;
	f->facts.of = f;
}

void
fake_facts_say_rcpt(struct fake_facts *f, size_t rcpt, const char *subject,
                    const char *values)
{
	f->list[f->n++] = (struct fake_fact){
		.subject = subject, .rcpt = rcpt, .values = values,
	};
}

void
fake_facts_say(struct fake_facts *f, const char *subject, const char *values)
{
	fake_facts_say_rcpt(f, NO_RCPT, subject, values);
}

unsigned
fake_facts_asked(const struct fake_facts *f, const char *subject)
{
	unsigned asked = 0;
	size_t i;

	for (i = 0; i < f->n; i++)
		if (strcmp(f->list[i].subject, subject) == 0)
			asked += f->list[i].asked;
	return asked;
}
