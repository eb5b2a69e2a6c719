/*
 * parse_tool.c - the language alone, without the command, for tests:
 *
 *	parse_tool check|parse|dump -c FILE
 *
 * check prints the mistakes as `vaglio check` does, parse those of syntax
 * alone, dump the tree as text. Status 0, or 78 (EX_CONFIG) if there are
 * mistakes.
 */
#include <libgen.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "dump.h"
#include "parse.h"
#include "policy.h"
#include "source.h"

static void
parse_file(struct arena *a, struct diags *d, const char *path, bool dump)
{
	struct source source = {path, {NULL, 0}, 0};
	struct place nowhere = {NULL, 0, 0};
	const char *why;
	struct ast *ast;

	source.text = source_read(a, path, &why);
	if (why != NULL) {
		diag_error(d, nowhere, "%s can't be read: %s", path, why);
		return;
	}
	ast = parse_policy(a, &source,
	                   dirname((char *)arena_copy(a, span_of(path)).p), d);
	if (ast->broken != (diags_errors(d) > 0))
		abort(); /* a mistake and a broken tree go together */
	if (dump && !ast->broken)
		dump_ast(ast, stdout);
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new(0);
	struct diags *d = diags_new();
	jmp_buf no_memory;
	int status;

	if (argc != 4 || strcmp(argv[2], "-c") != 0 || a == NULL || d == NULL)
		return EX_USAGE;
	if (setjmp(no_memory) != 0)
		return EX_OSERR;
	arena_escape(a, &no_memory);
	if (strcmp(argv[1], "check") == 0)
		policy_unref(policy_load(argv[3], d));
	else
		parse_file(a, d, argv[3], strcmp(argv[1], "dump") == 0);
	diags_print(d, stderr);
	status = diags_errors(d) > 0 ? EX_CONFIG : EX_OK;
	diags_free(d);
	arena_free(a);
	return status;
}
