/* fuzz_header.h - the header that any bytes begin with. */
#ifndef TESTS_FUZZ_HEADER_H
#define TESTS_FUZZ_HEADER_H

#include <stdlib.h>
#include <string.h>

#include "edit.h"

#define FIELDS_MAX 50

/* Adds its fields to the message; *s is then what follows. */
static void
take_fields(struct message *m, struct span *s)
{
	struct span field, value;
	const char *colon;
	size_t n;

	for (n = 0; s->n > 0 && n < FIELDS_MAX && *s->p != '\n' &&
	     *s->p != '\r'; n++) {
		field = edit_next_field(s);
		colon = memchr(field.p, ':', field.n);
		if (colon == NULL)
			continue;
		value = (struct span){colon + 1,
			field.n - (size_t)(colon + 1 - field.p)};
		field.n = (size_t)(colon - field.p);
		if (!message_add_field(m, field, span_trim(value)))
			abort();
	}
}

#endif
