/* mime_facts.h - the parts of a message as the values of a policy's questions. */
#ifndef MIME_FACTS_H
#define MIME_FACTS_H

#include "mime.h"
#include "subject.h"

struct mime_answer {
	struct value *values;
	size_t n;
	const char *failed; /* why it can't be had; NULL */
};

/* false: no memory. */
bool mime_answer(struct mime *m, enum subject_id id, struct mime_answer *a);

#endif
