/*
 * mime_uu.c - files in texts: "begin 644 name", lines of uuencode, "end"
 * (POSIX uuencode). MIME does not know them, but there are readers that show
 * them as attachments.
 */
#include <stdlib.h>
#include <string.h>

#include "caps.h"
#include "content.h"
#include "mime.h"

/* begin := "begin" blank 3*4OCTAL blank name */
static bool
is_begin(struct span line, struct span *name)
{
	static const struct span word = {"begin ", 6};
	size_t i = word.n;

	if (line.n < word.n || memcmp(line.p, word.p, word.n) != 0)
		return false;
	while (i < line.n && line.p[i] >= '0' && line.p[i] <= '7')
		i++;
	if (i - word.n < 3 || i - word.n > 4 || i == line.n ||
	    line.p[i] != ' ')
		return false;
	*name = span_trim((struct span){line.p + i, line.n - i});
	return name->n > 0;
}

static unsigned
six_bits(struct span line, size_t i)
{
	/* blanks at the end may be lost on the way */
	return i < line.n ? ((unsigned)(unsigned char)line.p[i] - 32) & 63 : 0;
}

/* A line's bytes behind the n of the lines above; out has room for max. */
static size_t
decode_line(struct span line, char *out, size_t n, size_t max)
{
	size_t k, i, many = six_bits(line, 0);
	unsigned shift;

	for (k = 0; k < many; k++, n++) {
		i = 1 + k / 3 * 4 + k % 3;
		shift = 2 + 2 * (unsigned)(k % 3);
		if (n < max)
			out[n] = (char)(six_bits(line, i) << shift |
			                six_bits(line, i + 1) >> (6 - shift));
	}
	return n;
}

/* What is behind "begin", to "end" or to a line that holds nothing. */
static size_t
decode(struct span *rest, char *out, size_t max)
{
	struct span line;
	size_t n = 0, before;

	do {
		line = span_line(rest);
		before = n;
		if (!span_is(line, SPAN("end")))
			n = decode_line(line, out, n, max);
	} while (n > before);
	return n;
}

static void
keep_file(struct mime *m, size_t part, struct span name, struct span *rest,
          bool magic)
{
	struct mime_member *member;
	char *begin = malloc(CAPS_MAGIC_BYTES);
	size_t n;

	mime_defect(m, DEFECT_UUENCODED);
	member = begin == NULL ? NULL : arena_grow(m->arena, &m->members,
		&m->n_members, sizeof(*member));
	if (member == NULL) {
		m->no_memory = true;
		free(begin);
		return;
	}
	member->part = part;
	member->holder = MIME_NONE;
	mime_name_file(m, &member->names, name);
	n = decode(rest, begin, CAPS_MAGIC_BYTES);
	member->sized = true;
	member->size = (double)n;
	if (magic && !content_type(m->arena, (struct span){begin,
	    n < CAPS_MAGIC_BYTES ? n : CAPS_MAGIC_BYTES}, &member->magic))
		m->archives_full = "libmagic can't say what a file is";
	free(begin);
}

static void
look(struct mime *m, const struct mime_text *t, bool magic)
{
	struct span rest = t->text, name;

	while (rest.n > 0 && mime_ok(m)) {
		if (!is_begin(span_line(&rest), &name))
			continue;
		if (m->n_members < CAPS_ARCHIVE_MEMBERS) {
			keep_file(m, t->part, name, &rest, magic);
			continue;
		}
		mime_defect(m, DEFECT_TOO_MUCH_ARCHIVE);
		m->archives_full = "more files in texts than are looked at";
		return;
	}
}

void
mime_uudecode(struct mime *m, bool magic)
{
	size_t i;

	/* too much text is a defect by that name, and hides no other name */
	mime_texts(m);
	for (i = 0; i < m->n_texts && mime_ok(m); i++)
		look(m, &m->texts[i], magic);
}
