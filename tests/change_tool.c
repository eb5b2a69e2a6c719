/*
 * change_tool.c - messages as an action leaves them, for tests/change_peer.py:
 * change_tool append|prepend|replace [once] TEXT HTML FILE... TEXT or HTML may
 * be "-": not given. Each goes to FILE.out, with CRLF; why it was left out,
 * if it was, to FILE.why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"

#define ROOM (4 << 20)

static void
fail(const char *what)
{
	fprintf(stderr, "change_tool: %s\n", what);
	exit(1);
}

/* With CRLF, as an MTA has it. */
static struct span
read_all(const char *path)
{
	FILE *f = fopen(path, "rb");
	char *p = malloc(ROOM);
	size_t n = 0;
	int c, last = 0;

	if (f == NULL || p == NULL)
		fail(path);
	for (; (c = getc(f)) != EOF && n + 2 < ROOM; last = c) {
		if (c == '\n' && last != '\r')
			p[n++] = '\r';
		p[n++] = (char)c;
	}
	fclose(f);
	return (struct span){p, n};
}

/* What the MTA hands over: without the blank, folds as LF. */
static bool
add_field(struct arena *a, struct message *m, struct span field)
{
	const char *colon = memchr(field.p, ':', field.n);
	struct span name, value;
	char *p;
	size_t i, n = 0;

	if (colon == NULL)
		return false;
	name = (struct span){field.p, (size_t)(colon - field.p)};
	for (i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f)
			return false;
	value = (struct span){colon + 1, field.n - name.n - 1};
	if (value.n > 0 && value.p[0] == ' ')
		value = (struct span){value.p + 1, value.n - 1};
	while (value.n > 0 && strchr("\r\n", value.p[value.n - 1]) != NULL)
		value.n--;
	p = arena_alloc(a, value.n);
	for (i = 0; i < value.n; i++)
		if (value.p[i] != '\r' || i + 1 == value.n ||
		    value.p[i + 1] != '\n')
			p[n++] = value.p[i];
	if (!message_add_field(m, name, (struct span){p, n}))
		fail("the header");
	return true;
}

static size_t
field_end(struct span s)
{
	const char *end;
	size_t n = 0;

	do {
		end = memchr(s.p + n, '\n', s.n - n);
		n = end == NULL ? s.n : (size_t)(end + 1 - s.p);
	} while (n < s.n && (s.p[n] == ' ' || s.p[n] == '\t'));
	return n;
}

/* The rest is the body. */
static struct span
take_header(struct arena *a, struct message *m, struct span s)
{
	size_t n;

	while (s.n > 0 && *s.p != '\r') {
		n = field_end(s);
		if (!add_field(a, m, (struct span){s.p, n}))
			return s;
		s = (struct span){s.p + n, s.n - n};
	}
	return s.n >= 2 ? (struct span){s.p + 2, s.n - 2} : s;
}

static void
print_crlf(FILE *out, struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\n' && (i == 0 || s.p[i - 1] != '\r'))
			putc('\r', out);
		putc(s.p[i], out);
	}
}

static void
print_message(FILE *out, const struct message *m, struct span body)
{
	size_t i;

	for (i = 0; i < message_result_fields(m); i++) {
		print_crlf(out, message_result_name(m, i));
		fputs(": ", out);
		print_crlf(out, message_result_value(m, i));
		fputs("\r\n", out);
	}
	fputs("\r\n", out);
	fwrite(body.p, 1, body.n, out);
}

static struct span
given(const char *text)
{
	return strcmp(text, "-") == 0 ? (struct span){NULL, 0} : span_of(text);
}

static FILE *
beside(const char *path, const char *suffix)
{
	char name[4096];
	FILE *f;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	f = fopen(name, "wb");
	if (f == NULL)
		fail(name);
	return f;
}

static void
change(const struct effect *effect, const char *path)
{
	struct span all = read_all(path), body;
	struct arena *a = arena_new(0);
	struct message *m = a == NULL ? NULL : message_new(a);
	FILE *out = beside(path, ".out"), *left_out = beside(path, ".why");
	const char *why;
	struct edit e;

	if (m == NULL)
		fail("no memory");
	body = take_header(a, m, all);
	edit_begin(&e, a, m, body, true);
	if (!change_body(&e, effect))
		fail("no memory");
	print_message(out, m, edit_result(&e));
	why = edit_left_out(&e, effect);
	fputs(why == NULL ? "" : why, left_out);
	fclose(out);
	fclose(left_out);
	edit_end(&e);
	arena_free(a);
	free((char *)(size_t)all.p);
}

int
main(int argc, char **argv)
{
	struct effect effect = {.kind = EFFECT_APPEND};
	int i = 2;

	if (argc < 5)
		fail("append|prepend|replace [once] TEXT HTML FILE...");
	if (argv[1][0] == 'p')
		effect.kind = EFFECT_PREPEND_BODY;
	if (argv[1][0] == 'r')
		effect.kind = EFFECT_REPLACE_BODY;
	effect.once = strcmp(argv[2], "once") == 0;
	i += effect.once;
	effect.value = given(argv[i++]);
	effect.html = given(argv[i++]);
	for (; i < argc; i++)
		change(&effect, argv[i]);
	return 0;
}
