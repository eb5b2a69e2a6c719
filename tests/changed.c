/*
 * changed.c - a message as a policy lets it in, for peer tests: changed
 * POLICY FILE... writes FILE.out for each, with CRLF, and what was left out
 * to the standard output. Exit status 1 if one was not let in.
 */
#include <stdio.h>
#include <stdlib.h>

#include "edit.h"
#include "policy.h"
#include "trial.h"

static struct span
read_all(struct arena *a, const char *path)
{
	FILE *f = fopen(path, "rb");
	struct span s = {NULL, 0};
	char *p = arena_alloc(a, 4 << 20);

	if (f == NULL || p == NULL) {
		perror(path);
		exit(2);
	}
	s = (struct span){p, fread(p, 1, 4 << 20, f)};
	fclose(f);
	return s;
}

static void
put(struct span s, FILE *out)
{
	size_t i;

	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\n')
			fputc('\r', out);
		fputc(s.p[i], out);
	}
	fputs("\r\n", out);
}

static void
put_message(struct trial *t, const char *path)
{
	struct span name = arena_printf(t->arena, "%s.out", path), body;
	struct message *m = session_message(t->session);
	size_t i, n = message_result_fields(m);
	struct field *fields = arena_alloc(t->arena, n * sizeof(*fields));
	FILE *out = fopen(name.p, "wb");

	if (out == NULL || fields == NULL) {
		perror(name.p);
		exit(2);
	}
	message_result_all(m, fields);
	for (i = 0; i < n; i++) {
		fprintf(out, "%.*s: ", SPAN_ARG(fields[i].name));
		put(fields[i].raw, out);
	}
	fputs("\r\n", out);
	body = trial_body(t);
	fwrite(body.p, 1, body.n, out);
	fclose(out);
}

static bool
change(struct policy *p, const char *path)
{
	struct arena *a = arena_new(0);
	struct scenario s = {.message = read_all(a, path),
	                     .spf = SPAN("none"), .spf_helo = SPAN("none")};
	struct trial t = {.policy = p, .given = &s, .arena = a};
	const struct edit *e;
	const char *why;
	bool let_in;
	size_t i;

	if (!trial_run(&t, NULL, &why)) {
		fprintf(stderr, "%s: %s\n", path, why);
		exit(2);
	}
	let_in = t.verdict.kind == VERDICT_ACCEPT;
	if (let_in)
		put_message(&t, path);
	else
		printf("%s: %s: %.*s\n", path, verdict_name(t.verdict.kind),
		       SPAN_ARG(t.verdict.why));
	e = session_edit(t.session);
	for (i = 0; e != NULL && i < e->n_notes; i++)
		printf("%s: left out: %s\n", path, e->notes[i].why);
	trial_close(&t);
	arena_free(a);
	return let_in;
}

int
main(int argc, char **argv)
{
	struct diags *d = diags_new();
	struct policy *p = argc < 3 ? NULL : policy_load(argv[1], d);
	bool all = true;
	int i;

	if (p == NULL) {
		diags_print(d, stderr);
		return 2;
	}
	for (i = 2; i < argc; i++)
		all = change(p, argv[i]) && all;
	policy_unref(p);
	diags_free(d);
	return !all;
}
