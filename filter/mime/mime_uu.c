/*
 * mime_uu.c - files in texts: "begin 644 name", lines of uuencode, "end"
 * (POSIX uuencode). MIME does not know them, but there are readers that show
 * them as attachments.
 */
#include <glib.h>
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

/* Who reads lines, in their order. */
struct reader {
	struct mime *m;
	size_t part;
	bool magic;
	bool open;    /* in a file, which is the last member */
	char *begin;  /* of what it holds */
	size_t n;
	GString *rest; /* of a line whose end is to come */
};

static void
open_file(struct reader *r, struct span name)
{
	struct mime *m = r->m;
	struct mime_member *member;

	if (m->n_members == CAPS_ARCHIVE_MEMBERS) {
		mime_defect(m, DEFECT_TOO_MUCH_ARCHIVE);
		m->archives_full = "more files in texts than are looked at";
		return;
	}
	mime_defect(m, DEFECT_UUENCODED);
	member = arena_grow(m->arena, &m->members, &m->n_members,
		sizeof(*member));
	if (member == NULL) {
		m->no_memory = true;
		return;
	}
	member->part = r->part;
	member->holder = MIME_NONE;
	mime_name_file(m, &member->names, name);
	r->open = true;
	r->n = 0;
}

static void
close_file(struct reader *r)
{
	struct mime_member *member;

	if (!r->open)
		return;
	member = &r->m->members[r->m->n_members - 1];
	r->open = false;
	member->sized = true;
	member->size = (double)r->n;
	if (r->magic && !content_type(r->m->arena, (struct span){r->begin,
	    r->n < CAPS_MAGIC_BYTES ? r->n : CAPS_MAGIC_BYTES},
	    &member->magic))
		r->m->archives_full = "libmagic can't say what a file is";
}

/* A file goes to "end", or to a line that holds nothing. */
static void
read_line(struct reader *r, struct span line)
{
	size_t before = r->n;
	struct span name;

	if (!r->open) {
		if (is_begin(line, &name) && r->m->archives_full == NULL)
			open_file(r, name);
		return;
	}
	if (!span_is(line, SPAN("end")))
		r->n = decode_line(line, r->begin, r->n, CAPS_MAGIC_BYTES);
	if (r->n == before)
		close_file(r);
}

static void
read_text(struct reader *r, struct span text)
{
	while (text.n > 0 && mime_ok(r->m))
		read_line(r, span_line(&text));
	close_file(r);
}

/* ---- of more text than is kept ---- */

#define LINE_MAX_BYTES 4096 /* what is behind is no part of a name */

static void
read_piece(void *of, struct span piece)
{
	struct reader *r = of;
	const char *end;
	struct span line;
	size_t n;

	while (piece.n > 0 && mime_ok(r->m)) {
		end = memchr(piece.p, '\n', piece.n);
		n = end == NULL ? piece.n : (size_t)(end - piece.p);
		if (r->rest->len < LINE_MAX_BYTES)
			g_string_append_len(r->rest, piece.p, (gssize)(n <
				LINE_MAX_BYTES ? n : LINE_MAX_BYTES));
		n += end != NULL;
		piece = (struct span){piece.p + n, piece.n - n};
		if (end == NULL)
			return;
		line = (struct span){r->rest->str, r->rest->len};
		read_line(r, span_line(&line));
		g_string_truncate(r->rest, 0);
	}
}

static void
read_bytes(struct reader *r, enum mime_encoding e, struct span bytes)
{
	r->rest = g_string_new(NULL);
	mime_each_piece(r->m, e, bytes, read_piece, r);
	read_piece(r, SPAN("\n"));
	close_file(r);
	g_string_free(r->rest, TRUE);
}

static void
read_all(struct reader *r)
{
	const struct mime *m = r->m;
	enum mime_encoding e;
	size_t i;

	for (i = 0; i < m->n_parts; i++)
		for (e = ENCODING_7BIT; e <= ENCODING_UNKNOWN; e <<= 1) {
			r->part = i;
			if (m->parts[i].text && (m->parts[i].encodings & e) &&
			    mime_ok(m))
				read_bytes(r, e, m->parts[i].bytes);
		}
	for (i = 0; i < m->n_loose && mime_ok(m); i++) {
		r->part = m->loose[i].part;
		read_bytes(r, ENCODING_8BIT, m->loose[i].bytes);
	}
}

void
mime_uudecode(struct mime *m, bool magic)
{
	struct reader r = {
		.m = m, .magic = magic, .begin = malloc(CAPS_MAGIC_BYTES),
	};
	const char *failed = mime_texts(m);
	size_t i;

	m->no_memory = m->no_memory || r.begin == NULL;
	for (i = 0; i < m->n_texts && failed == NULL && mime_ok(m); i++) {
		r.part = m->texts[i].part;
		read_text(&r, m->texts[i].text);
	}
	if (failed != NULL && mime_ok(m))
		read_all(&r);
	free(r.begin);
}
