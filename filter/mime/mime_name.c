/* mime_name.c - the names of files. */
#include <string.h>

#include "character.h"
#include "charset.h"
#include "header_text.h"
#include "mime.h"
#include "utf8.h"

static void
check_name(struct mime *m, struct span name)
{
	size_t i;
	unsigned c;

	for (i = 0; i < name.n; ) {
		i += character_next(name.p + i, &c);
		if (character_turns(c))
			mime_defect(m, DEFECT_RTL_OVERRIDE);
		else if (character_is_invisible(c))
			mime_defect(m, DEFECT_ZERO_WIDTH);
	}
}

static struct span
in_charset(struct mime *m, struct span charset, struct span bytes)
{
	GString *out = g_string_sized_new(bytes.n + 1);
	struct span s = {NULL, 0};

	if (charset_to_utf8(out, charset.n == 0 ? SPAN("utf-8") : charset,
	                    bytes))
		s = arena_copy(m->arena, (struct span){out->str, out->len});
	g_string_free(out, TRUE);
	return s;
}

static void
add(struct mime *m, struct mime_list **names, struct span text)
{
	if (text.p == NULL) {
		m->no_memory = true;
		return;
	}
	if (text.n == 0)
		return;
	check_name(m, text);
	mime_list_add(m, names, text, false);
}

/* A C string ends at a NUL. false: there is none. */
static bool
cut_at_nul(struct mime *m, struct span *s)
{
	const char *nul = s->n == 0 ? NULL : memchr(s->p, '\0', s->n);

	if (nul == NULL)
		return false;
	mime_defect(m, DEFECT_NUL);
	s->n = (size_t)(nul - s->p);
	return true;
}

static void
check_end(struct mime *m, struct span s)
{
	if (s.n > 0 && (s.p[s.n - 1] == '.' || s.p[s.n - 1] == ' '))
		mime_defect(m, DEFECT_TRAILING_DOT);
}

static struct span
param_text(struct mime *m, const struct mime_param *p, struct span bytes)
{
	return p->charset.p != NULL ? in_charset(m, p->charset, bytes) :
		header_decode(m->arena, bytes);
}

void
mime_name_add(struct mime *m, size_t part, const struct mime_param *p)
{
	struct mime_list **names = &m->parts[part].names;
	struct span s = p->value;

	check_end(m, s);
	add(m, names, param_text(m, p, s));
	if (cut_at_nul(m, &s))
		add(m, names, param_text(m, p, s));
}

/* What is no UTF-8 is in the character set that APPNOTE.TXT (D.1) has for
 * zips, and programs for all. */
void
mime_name_file(struct mime *m, struct mime_list **names, struct span name)
{
	struct span charset = utf8_valid(name) ? SPAN("utf-8") :
		SPAN("cp437");

	check_end(m, name);
	add(m, names, in_charset(m, charset, name));
	if (cut_at_nul(m, &name))
		add(m, names, in_charset(m, charset, name));
}
