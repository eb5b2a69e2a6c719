/*
 * fuzz_parse.c - any bytes as a policy: the parser tells a mistake or makes a
 * tree, and a tree's dump parses to a tree with the same dump.
 */
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dump.h"
#include "parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct text {
	char *p;
	size_t n;
};

static void
print_mistakes(struct diags *d)
{
	struct text told = {NULL, 0};
	FILE *out = open_memstream(&told.p, &told.n);

	if (out == NULL)
		abort();
	diags_print(d, out);
	fclose(out);
	if ((told.n > 0) != (diags_errors(d) + diags_warnings(d) > 0))
		abort();
	free(told.p);
}

/* The text's dump; p NULL if it has mistakes. */
static struct text
parse_and_dump(struct span text)
{
	struct arena *a = arena_new(0);
	struct diags *d = diags_new();
	struct source source = {"fuzz", text, 0};
	struct text dump = {NULL, 0};
	struct ast *ast;
	jmp_buf no_memory;
	FILE *out;

	if (a == NULL || d == NULL || setjmp(no_memory) != 0)
		abort();
	arena_escape(a, &no_memory);
	ast = parse_policy(a, &source, "/nonexistent", d);
	if (ast->broken != (diags_errors(d) > 0))
		abort();
	print_mistakes(d);
	if (!ast->broken) {
		out = open_memstream(&dump.p, &dump.n);
		if (out == NULL)
			abort();
		dump_ast(ast, out);
		fclose(out);
	}
	diags_free(d);
	arena_free(a);
	return dump;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = {(const char *)data, size};
	struct text once, twice;

	once = parse_and_dump(text);
	if (once.p == NULL)
		return 0;
	twice = parse_and_dump((struct span){once.p, once.n});
	if (twice.p == NULL || once.n != twice.n ||
	    memcmp(once.p, twice.p, once.n) != 0) {
		fprintf(stderr, "dumped:\n%s\nthen:\n%s\n", once.p,
		        twice.p == NULL ? "mistakes" : twice.p);
		abort();
	}
	free(once.p);
	free(twice.p);
	return 0;
}
