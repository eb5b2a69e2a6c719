/*
 * message_result.c - the working copy as it is by now.
 */
#include <string.h>

#include "message_impl.h"

/* The i-th field that is left, or NULL. */
static const struct line *
result_line(const struct message *m, size_t i)
{
	size_t j;

	for (j = m->n_tops; j > 0; j--)
		if (!m->tops[j - 1].removed && i-- == 0)
			return &m->tops[j - 1];
	for (j = 0; j < m->n_lines; j++)
		if (!m->lines[j].removed && i-- == 0)
			return &m->lines[j];
	return NULL;
}

size_t
message_result_fields(const struct message *m)
{
	size_t i, n = 0;

	if (!m->copied)
		return m->n_fields;
	for (i = 0; i < m->n_tops; i++)
		n += !m->tops[i].removed;
	for (i = 0; i < m->n_lines; i++)
		n += !m->lines[i].removed;
	return n;
}

struct span
message_result_name(const struct message *m, size_t i)
{
	return m->copied ? result_line(m, i)->field.name : m->fields[i].name;
}

struct span
message_result_value(const struct message *m, size_t i)
{
	return m->copied ? result_line(m, i)->field.raw : m->fields[i].raw;
}

void
message_result_all(const struct message *m, struct field *fields)
{
	size_t i, n = 0;

	if (!m->copied && m->n_fields > 0)
		memcpy(fields, m->fields, m->n_fields * sizeof(*fields));
	for (i = m->copied ? m->n_tops : 0; i > 0; i--)
		if (!m->tops[i - 1].removed)
			fields[n++] = m->tops[i - 1].field;
	for (i = 0; m->copied && i < m->n_lines; i++)
		if (!m->lines[i].removed)
			fields[n++] = m->lines[i].field;
}

size_t
message_result_rcpts(const struct message *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->n_rcpts; i++)
		n += m->rcpts[i].owners > 0;
	return n;
}

struct span
message_result_rcpt(const struct message *m, size_t i)
{
	size_t j;

	for (j = 0; j < m->n_rcpts; j++)
		if (m->rcpts[j].owners > 0 && i-- == 0)
			return m->rcpts[j].address;
	return (struct span){NULL, 0};
}

struct span
message_result_sender(const struct message *m)
{
	return m->new_sender.p != NULL ? m->new_sender : m->sender;
}

bool
message_held(const struct message *m)
{
	return m->held;
}
