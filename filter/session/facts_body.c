/*
 * facts_body.c - the body, its parts, and how large the message is.
 */
#include "facts_answer.h"
#include "mime_facts.h"

static const struct fact *
larger_than_limit(struct told *t)
{
	return facts_failed(t, SPAN("the message is larger than "
	                            "message-limit"));
}

const struct fact *
get_raw_body(struct told *t, const struct ask *ask, size_t rcpt)
{
	struct value v = {.type = VALUE_TEXT};

	(void)ask;
	(void)rcpt;
	if (t->too_large)
		return larger_than_limit(t);
	v.text = body_bytes(&t->body);
	return facts_one(t, v);
}

/* Parsed once. NULL: no memory. */
static struct mime *
parts(struct told *t)
{
	size_t i, n = message_fields(t->message);
	struct mime_field *fields;
	struct span body;

	if (t->mime != NULL)
		return t->mime;
	body = body_bytes(&t->body);
	fields = arena_alloc(t->arena, n * sizeof(*fields));
	if (fields == NULL || body.p == NULL)
		return NULL;
	for (i = 0; i < n; i++) {
		fields[i].name = message_field(t->message, i)->name;
		fields[i].value = message_field(t->message, i)->raw;
	}
	t->mime = mime_parse(t->arena, fields, n, body, t->utf8);
	if (t->mime != NULL && t->body.in_file)
		t->mime->file = body;
	return t->mime;
}

const struct fact *
get_mime(struct told *t, const struct ask *ask, size_t rcpt)
{
	struct mime_answer a;
	bool answered;

	(void)rcpt;
	if (t->too_large)
		return larger_than_limit(t);
	answered = parts(t) != NULL &&
		mime_answer(t->mime, ask->subject->id, &a);
	body_rest(&t->body); /* what was decoded is matched now */
	told_account(t);
	if (!answered)
		return facts_no_memory(t);
	if (a.failed != NULL)
		return facts_failed(t, span_of(a.failed));
	return facts_of(t, a.values, a.n);
}

const struct fact *
get_size(struct told *t, const struct ask *ask, size_t rcpt)
{
	(void)ask;
	(void)rcpt;
	return facts_number(t, t->header_bytes + 2 + t->body_bytes);
}
