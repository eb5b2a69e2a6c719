/*
 * mime_tool.c - what each subject says of a message's parts, for
 * tests/mime.sh: mime_tool FILE... Texts are escaped as in C.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mime_facts.h"

#define FIELDS_MAX 1000

static char *
read_all(const char *path, size_t *n)
{
	FILE *f = fopen(path, "rb");
	char *p = malloc(1 << 20);

	if (f == NULL || p == NULL) {
		perror(path);
		exit(1);
	}
	*n = fread(p, 1, 1 << 20, f);
	fclose(f);
	return p;
}

/* A header as an MTA hands it over. */
static size_t
split(struct span *s, struct mime_field *fields)
{
	size_t n = 0, length;
	const char *end, *colon;
	struct span line;

	while (s->n > 0) {
		end = memchr(s->p, '\n', s->n);
		length = end == NULL ? s->n : (size_t)(end + 1 - s->p);
		line = (struct span){s->p, length};
		s->p += length;
		s->n -= length;
		if (span_trim(line).n == 0)
			break;
		while (line.n > 0 && strchr("\r\n", line.p[line.n - 1]))
			line.n--;
		colon = memchr(line.p, ':', line.n);
		if ((*line.p == ' ' || *line.p == '\t') && n > 0) {
			fields[n - 1].value.n = (size_t)(line.p + line.n -
				fields[n - 1].value.p);
		} else if (colon != NULL && n < FIELDS_MAX) {
			fields[n].name = (struct span){line.p,
				(size_t)(colon - line.p)};
			fields[n++].value = (struct span){colon + 1,
				(size_t)(line.p + line.n - colon - 1)};
		}
	}
	return n;
}

static void
print_text(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] == '\n')
			printf("\\n");
		else if (s.p[i] == '\\')
			printf("\\\\");
		else if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			printf("\\x%02x", (unsigned)s.p[i]);
		else
			putchar(s.p[i]);
	putchar('\n');
}

static void
print_subject(struct mime *m, enum subject_id id)
{
	struct mime_answer a;
	size_t i;

	if (!mime_answer(m, id, &a)) {
		printf("%s: no memory\n", subject_row(id)->name);
		exit(1);
	}
	if (a.failed != NULL) {
		printf("%s failed: %s\n", subject_row(id)->name, a.failed);
		return;
	}
	for (i = 0; i < a.n; i++) {
		printf("%s: ", subject_row(id)->name);
		print_text(a.values[i].text);
	}
}

int
main(int argc, char **argv)
{
	static struct mime_field fields[FIELDS_MAX];
	struct arena *arena;
	struct mime *m;
	struct span s;
	char *bytes;
	size_t n;
	int i, id;

	for (i = 1; i < argc; i++) {
		bytes = read_all(argv[i], &s.n);
		s.p = bytes;
		n = split(&s, fields);
		arena = arena_new(0);
		m = arena == NULL ? NULL :
			mime_parse(arena, fields, n, s, false);
		if (m == NULL)
			return 1;
		for (id = SUBJECT_BODY; id <= SUBJECT_MIME_DEFECT; id++)
			/* libmagic has other words in each version */
			if (id != SUBJECT_ATTACHMENT_MAGIC)
				print_subject(m, (enum subject_id)id);
		arena_free(arena);
		free(bytes);
	}
	return 0;
}
