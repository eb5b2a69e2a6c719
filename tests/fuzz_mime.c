/*
 * fuzz_mime.c - any bytes as a message. Its parts are inside of it, each
 * text is valid UTF-8, sizes are what decoding gives, and each answer is the
 * same when it is asked again. Archives are left to fuzz_archive: here each
 * would be a process.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mime_facts.h"
#include "transfer.h"
#include "utf8.h"

#define FIELDS_MAX 50

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
hold(bool promise)
{
	if (!promise)
		abort();
}

static size_t
split(struct span *s, struct mime_field *fields)
{
	size_t n = 0, i;
	const char *colon, *end;

	while (s->n > 0 && n < FIELDS_MAX && *s->p != '\n' && *s->p != '\r') {
		colon = memchr(s->p, ':', s->n);
		if (colon == NULL)
			break;
		i = (size_t)(colon + 1 - s->p);
		do {
			end = memchr(s->p + i, '\n', s->n - i);
			i = end == NULL ? s->n : (size_t)(end + 1 - s->p);
		} while (i < s->n && (s->p[i] == ' ' || s->p[i] == '\t'));
		fields[n].name = (struct span){s->p, (size_t)(colon - s->p)};
		fields[n].value = (struct span){colon + 1,
			i - fields[n].name.n - 1};
		n++;
		s->p += i;
		s->n -= i;
	}
	return n;
}

static void
try_answers(struct mime *m)
{
	struct mime_answer a, again;
	int id;
	size_t i;

	for (id = SUBJECT_BODY; id <= SUBJECT_MIME_DEFECT; id++) {
		hold(mime_answer(m, (enum subject_id)id, &a));
		for (i = 0; i < a.n; i++)
			hold(utf8_valid(a.values[i].text));
		hold(a.n > 0 || id != SUBJECT_PART_TYPE || a.failed != NULL);
		hold(mime_answer(m, (enum subject_id)id, &again));
		hold(again.failed != NULL || (a.failed == NULL &&
		     again.n == a.n));
	}
}

static void
try_parts(const struct mime *m)
{
	size_t i;
	const struct mime_part *p;

	for (i = 0; i < m->n_parts; i++) {
		p = &m->parts[i];
		hold(m->full != NULL || p->types != NULL);
		hold(i == 0 ? p->parent == MIME_NONE : p->parent < i);
		hold(p->bytes.n == 0 || p->bytes.p != NULL);
	}
}

static void
try_transfer(struct arena *a, struct span s)
{
	char *out = arena_alloc(a, s.n + 4);
	bool bad = false;

	hold(out != NULL);
	hold(transfer_base64(s, out) == transfer_base64_size(s, &bad));
	hold(transfer_qp(s, NULL, &bad) == transfer_qp(s, out, &bad));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* a copy, so that not a byte behind it may be read */
	char *bytes = malloc(size == 0 ? 1 : size);
	struct span s = {bytes, size};
	struct mime_field fields[FIELDS_MAX];
	struct arena *a = arena_new(0);
	struct mime *m;
	size_t n;

	if (a == NULL || bytes == NULL)
		abort();
	if (size > 0)
		memcpy(bytes, data, size);
	try_transfer(a, s);
	n = split(&s, fields);
	m = mime_parse(a, fields, n, s, size % 2 == 0);
	hold(m != NULL && !m->no_memory);
	m->unpacked = 2;
	mime_uudecode(m, false);
	try_parts(m);
	try_answers(m);
	arena_free(a);
	free(bytes);
	return 0;
}
