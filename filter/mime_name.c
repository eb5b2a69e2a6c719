/* mime_name.c - the names of files, and what a desktop makes of them. */
#include <string.h>

#include "address.h"
#include "charset.h"
#include "mime.h"
#include "utf8.h"

/* ---- characters ---- */

/* Valid UTF-8. The bytes of the character at p, which is *c. */
static size_t
character(const char *p, unsigned *c)
{
	const unsigned char *u = (const unsigned char *)p;

	*c = u[0];
	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xe0) {
		*c = (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu);
		return 2;
	}
	if (u[0] < 0xf0) {
		*c = (u[0] & 0xfu) << 12 | (u[1] & 0x3fu) << 6 |
			(u[2] & 0x3fu);
		return 3;
	}
	*c = (u[0] & 7u) << 18 | (u[1] & 0x3fu) << 12 | (u[2] & 0x3fu) << 6 |
		(u[3] & 0x3fu);
	return 4;
}

/* Bidirectional embeddings, overrides and isolates (Unicode UAX 9). */
static bool
turns(unsigned c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* Nothing is shown for it. */
static bool
is_invisible(unsigned c)
{
	return c == 0xad || c == 0x34f || c == 0x61c || c == 0x180e ||
		(c >= 0x200b && c <= 0x200f) || (c >= 0x2060 && c <= 0x2065) ||
		(c >= 0x206a && c <= 0x206f) || (c >= 0xfe00 && c <= 0xfe0f) ||
		c == 0xfeff || (c >= 0xe0000 && c <= 0xe0fff);
}

/* ---- names ---- */

static void
check_name(struct mime *m, struct span name)
{
	size_t i;
	unsigned c;

	for (i = 0; i < name.n; ) {
		i += character(name.p + i, &c);
		if (turns(c))
			mime_defect(m, DEFECT_RTL_OVERRIDE);
		else if (is_invisible(c))
			mime_defect(m, DEFECT_ZERO_WIDTH);
	}
}

static struct span
in_charset(struct mime *m, struct span charset, struct span bytes)
{
	GString *out = g_string_sized_new(bytes.n + 1);
	struct span s;

	charset_to_utf8(out, charset.n == 0 ? SPAN("utf-8") : charset, bytes);
	s = arena_copy(m->arena, (struct span){out->str, out->len});
	g_string_free(out, TRUE);
	return s;
}

static void
add(struct mime *m, size_t part, const struct mime_param *p, struct span bytes)
{
	struct span text = p->charset.p != NULL ?
		in_charset(m, p->charset, bytes) :
		header_decode(m->arena, bytes);

	if (text.p == NULL) {
		m->no_memory = true;
		return;
	}
	if (text.n == 0)
		return;
	check_name(m, text);
	mime_list_add(m, &m->parts[part].names, text, false);
}

void
mime_name_add(struct mime *m, size_t part, const struct mime_param *p)
{
	const char *nul = p->value.n == 0 ? NULL :
		memchr(p->value.p, '\0', p->value.n);
	struct span s = p->value;

	if (s.n > 0 && (s.p[s.n - 1] == '.' || s.p[s.n - 1] == ' '))
		mime_defect(m, DEFECT_TRAILING_DOT);
	add(m, part, p, s);
	if (nul == NULL)
		return;
	/* a C string ends there */
	mime_defect(m, DEFECT_NUL);
	s.n = (size_t)(nul - s.p);
	add(m, part, p, s);
}

/* ---- extensions ---- */

/* Without what is not shown, controls too; Windows drops dots and blanks at
 * the end. */
static struct span
as_kept(struct arena *a, struct span name)
{
	char *p = arena_alloc(a, name.n + 1);
	size_t i, n = 0, length;
	unsigned c;

	if (p == NULL)
		return (struct span){NULL, 0};
	for (i = 0; i < name.n; i += length) {
		length = character(name.p + i, &c);
		if (c < 0x20 || c == 0x7f || turns(c) || is_invisible(c))
			continue;
		memcpy(p + n, name.p + i, length);
		n += length;
	}
	while (n > 0 && (p[n - 1] == '.' || p[n - 1] == ' '))
		n--;
	return (struct span){p, n};
}

struct span
mime_extension(struct arena *a, struct span name)
{
	struct span s = as_kept(a, name);
	size_t i = s.n;

	if (s.p == NULL)
		return s;
	while (i > 0 && strchr("./\\", s.p[i - 1]) == NULL)
		i--;
	if (i == 0 || s.p[i - 1] != '.')
		return SPAN("");
	return arena_lower(a, span_trim((struct span){s.p + i, s.n - i}));
}
