#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "action.h"
#include "check.h"
#include "dump.h"
#include "parse.h"

static struct arena *arena;
static struct diags *diags;

/* What is parsed lives until the next call. */
static struct ast *
parse_in(const char *text, const char *name, const char *dir)
{
	static struct source source;

	arena_free(arena);
	diags_free(diags);
	arena = arena_new(0);
	diags = diags_new();
	ck_assert_ptr_nonnull(arena);
	ck_assert_ptr_nonnull(diags);
	source = (struct source){name, span_of(text), 0};
	return parse_policy(arena, &source, dir, diags);
}

static struct ast *
parse(const char *text)
{
	struct ast *ast = parse_in(text, "vaglio.conf", "/nonexistent");

	if (ast->broken)
		diags_print(diags, stderr);
	ck_assert(!ast->broken);
	ck_assert_uint_eq(diags_errors(diags), 0);
	return ast;
}

static struct expr *
parse_condition(const char *text)
{
	static char policy[4096]; /* the tree points into it */

	snprintf(policy, sizeof(policy), "define x %s", text);
	return parse(policy)->statements->define->expr;
}

static char *
captured(void (*print)(const void *, FILE *), const void *of)
{
	static char text[65536];
	FILE *out = fmemopen(text, sizeof(text), "w");

	ck_assert_ptr_nonnull(out);
	print(of, out);
	fclose(out);
	return text;
}

static void
print_tree(const void *ast, FILE *out)
{
	dump_ast(ast, out);
}

static void
print_condition(const void *e, FILE *out)
{
	dump_expr(e, out);
}

/* A condition in is printed as out. */
static void
prints_as(const char *in, const char *out)
{
	ck_assert_str_eq(captured(print_condition, parse_condition(in)), out);
}

static void
is_text(struct span s, const char *text)
{
	ck_assert_msg(span_is(s, span_of(text)), "\"%.*s\" is not \"%s\"",
	              SPAN_ARG(s), text);
}

/* ---- words and marks ---- */

START_TEST(an_empty_text_is_a_policy_without_statements)
{
	ck_assert_ptr_null(parse("")->statements);
	ck_assert_ptr_null(parse(" \t\r\n# a comment")->statements);
	ck_assert_ptr_null(parse("\xef\xbb\xbf# a byte order mark")->statements);
}
END_TEST

START_TEST(a_comment_begins_only_where_a_word_could)
{
	struct expr *e = parse_condition("helo is a#b # c");

	is_text(e->value->text, "a#b");
	e = parse_condition("helo is \"x\"# c");
	is_text(e->value->text, "x");
}
END_TEST

START_TEST(an_equals_sign_is_a_letter_of_a_word)
{
	is_text(parse_condition("helo is a=b")->value->text, "a=b");
	is_text(parse_condition("helo is =")->value->text, "=");
}
END_TEST

START_TEST(a_string_resolves_its_escapes_and_keeps_dollars)
{
	struct expr *e = parse_condition(
		"helo is \"a\\\"b\\\\c\\nd\\te ${sender} $1 $$\"");

	ck_assert_int_eq(e->value->kind, AST_STRING);
	is_text(e->value->text, "a\"b\\c\nd\te ${sender} $1 $$");
}
END_TEST

START_TEST(a_pattern_resolves_only_its_escaped_slashes)
{
	struct expr *e = parse_condition("helo matches /a\\/b\\\\[\\/]\\./ix");

	is_text(e->value->text, "a/b\\\\[/]\\.");
	is_text(e->value->flags, "ix");
	prints_as("helo matches /a\\/b\\\\[\\/]\\./ix",
	          "helo matches /a\\/b\\\\[\\/]\\./ix");
}
END_TEST

START_TEST(a_slash_inside_a_word_begins_no_pattern)
{
	struct expr *e = parse_condition("client in { 10.0.0.0/8 }");

	is_text(e->value->items->text, "10.0.0.0/8");
	ck_assert_int_eq(e->value->items->kind, AST_WORD);
}
END_TEST

START_TEST(angles_are_a_table_the_null_sender_or_a_comparison)
{
	struct expr *e = parse_condition("sender in <a>");

	ck_assert_int_eq(e->value->kind, AST_TABLE);
	is_text(e->value->lookup->name, "a");
	e = parse_condition("sender is <>");
	ck_assert_int_eq(e->value->kind, AST_NULL);
	ck_assert_int_eq(parse_condition("size <10M")->op, OP_LESS);
	ck_assert_int_eq(parse_condition("size <=10M")->op, OP_LESS_OR_IS);
	ck_assert_int_eq(parse_condition("size >10M")->op, OP_MORE);
	ck_assert_int_eq(parse_condition("size >= 10M")->op, OP_MORE_OR_IS);
}
END_TEST

START_TEST(line_ends_mean_nothing_inside_a_statement)
{
	prints_as("auth\n or\n\n client\nin\n {\n a\n }",
	          "auth or client in { a }");
}
END_TEST

START_TEST(commas_may_stand_between_items)
{
	prints_as("helo is { a, b c,d }", "helo is { a b c d }");
}
END_TEST

/* ---- conditions ---- */

START_TEST(and_binds_tighter_than_or_and_not_tightest)
{
	struct expr *e = parse_condition("auth or tls and not helo");

	ck_assert_int_eq(e->kind, EXPR_OR);
	ck_assert_int_eq(e->right->kind, EXPR_AND);
	ck_assert_int_eq(e->right->right->kind, EXPR_NOT);
}
END_TEST

START_TEST(chains_lean_to_the_left)
{
	struct expr *e = parse_condition("auth and tls and helo");

	ck_assert_int_eq(e->kind, EXPR_AND);
	ck_assert_int_eq(e->left->kind, EXPR_AND);
	ck_assert_int_eq(e->right->kind, EXPR_PRESENT);
}
END_TEST

START_TEST(parentheses_are_printed_where_they_are_needed_or_help)
{
	prints_as("(auth)", "auth");
	prints_as("((auth and tls) and helo)", "auth and tls and helo");
	prints_as("auth and (tls and helo)", "auth and (tls and helo)");
	prints_as("(auth or tls) and helo", "(auth or tls) and helo");
	prints_as("auth and tls or helo", "(auth and tls) or helo");
	prints_as("not (auth)", "not auth");
	prints_as("not (auth or tls)", "not (auth or tls)");
	prints_as("not (not auth)", "not (not auth)");
}
END_TEST

START_TEST(a_bare_subject_as_a_value_is_that_subject)
{
	struct expr *e = parse_condition("helo is mta");

	ck_assert_int_eq(e->value->kind, AST_SUBJECT);
	is_text(e->value->subject->name, "mta");
	e = parse_condition("helo is \"mta\"");
	ck_assert_int_eq(e->value->kind, AST_STRING);
	e = parse_condition("from.domain is { sender.domain example.org }");
	ck_assert_int_eq(e->value->items->kind, AST_SUBJECT);
	ck_assert_int_eq(e->value->items->next->kind, AST_WORD);
	e = parse_condition("helo is header \"X\"");
	is_text(e->value->subject->argument->text, "X");
	e = parse_condition("helo is raw header \"X\"");
	is_text(e->value->subject->name, "raw header");
}
END_TEST

START_TEST(a_part_may_follow_the_argument)
{
	struct expr *e = parse_condition(
		"any address \"Sender\".domain is example.org");

	is_text(e->subject->name, "address.domain");
	is_text(e->subject->argument->text, "Sender");
	ck_assert_int_eq(e->subject->quant, QUANT_ANY);
	prints_as("address \"Sender\".domain is a",
	          "address.domain \"Sender\" is a");
	prints_as("address.domain \"Sender\" is a",
	          "address.domain \"Sender\" is a");
}
END_TEST

START_TEST(raw_and_a_word_are_one_subject)
{
	struct expr *e = parse_condition("raw header /^x-/i contains y");

	is_text(e->subject->name, "raw header");
	ck_assert_int_eq(e->subject->argument->kind, AST_PATTERN);
	is_text(parse_condition("raw body matches /x/")->subject->name,
	        "raw body");
}
END_TEST

START_TEST(an_optional_argument_may_be_left_out)
{
	ck_assert_ptr_null(parse_condition("header.count > 5")
	                   ->subject->argument);
	ck_assert_ptr_nonnull(parse_condition("header.count \"X\" > 5")
	                      ->subject->argument);
}
END_TEST

START_TEST(a_word_alone_is_a_defined_name)
{
	struct expr *e = parse_condition("trusted or not odd");

	ck_assert_int_eq(e->left->kind, EXPR_DEFINED);
	is_text(e->left->name, "trusted");
	ck_assert_int_eq(e->right->left->kind, EXPR_DEFINED);
}
END_TEST

START_TEST(negations_stand_with_the_operator)
{
	struct expr *e = parse_condition("helo is not x");

	ck_assert(e->negated);
	ck_assert_int_eq(e->op, OP_IS);
	ck_assert(parse_condition("helo not in <a>")->negated);
	ck_assert(parse_condition("helo not matches /x/")->negated);
	ck_assert(!parse_condition("not helo in <a>")->negated);
}
END_TEST

START_TEST(a_table_may_be_asked_with_a_key)
{
	struct expr *e = parse_condition("any from in <a>[every to]");

	is_text(e->value->lookup->key->name, "to");
	ck_assert_int_eq(e->value->lookup->key->quant, QUANT_EVERY);
	e = parse_condition("sender in <a> [ header \"X\" ]");
	is_text(e->value->lookup->key->argument->text, "X");
}
END_TEST

START_TEST(numbers_may_have_sign_fraction_and_unit)
{
	is_text(parse_condition("header \"X\" > -1.5")->value->text, "-1.5");
	is_text(parse_condition("size >= 64K")->value->text, "64K");
}
END_TEST

START_TEST(places_span_what_they_name)
{
	struct expr *e = parse_condition("auth or helo not in <abc>[auth]");

	ck_assert_uint_eq(e->place.at, 9);
	ck_assert_uint_eq(e->place.n, strlen("auth or helo not in <abc>[auth]"));
	ck_assert_uint_eq(e->right->subject->place.at, 17);
	ck_assert_uint_eq(e->right->op_place.n, strlen("not in"));
	ck_assert_uint_eq(e->right->value->place.n, strlen("<abc>[auth]"));
}
END_TEST

START_TEST(a_long_chain_is_no_deep_nesting)
{
	static char text[200000] = "define x auth";
	size_t i, n = strlen(text);

	for (i = 0; i < 4000; i++)
		n += (size_t)sprintf(text + n, i % 2 ? " or auth" :
		                     " and (helo is a)");
	parse(text);
}
END_TEST

/* ---- statements ---- */

START_TEST(a_setting_takes_any_word)
{
	struct ast_set *set = parse("set on-error reject")->statements->set;

	is_text(set->name, "on-error");
	is_text(set->value->text, "reject");
	ck_assert_int_eq(set->value->kind, AST_WORD);
}
END_TEST

START_TEST(a_table_has_keys_or_keys_with_values)
{
	struct ast_table *t = parse("table <a> { x \"y z\" <> /p/i daemon }")
		->statements->table;

	ck_assert_ptr_null(t->backend.p);
	ck_assert_int_eq(t->entries->next->key->kind, AST_STRING);
	ck_assert_int_eq(t->entries->next->next->key->kind, AST_NULL);
	ck_assert_int_eq(t->entries->next->next->next->key->kind, AST_PATTERN);
	ck_assert_int_eq(t->entries->next->next->next->next->key->kind,
	                 AST_WORD);
	t = parse("table <a> { x = { y, z } w = { } }")->statements->table;
	is_text(t->entries->values->items->next->text, "z");
	ck_assert_ptr_nonnull(t->entries->next->values);
	ck_assert_ptr_null(t->entries->next->values->items);
}
END_TEST

START_TEST(a_table_may_have_a_back_end)
{
	struct ast_table *t = parse("table <a> dns \"x.example\" { 127.0.0.2 }")
		->statements->table;

	is_text(t->backend, "dns");
	is_text(t->path->text, "x.example");
	is_text(t->answers->items->text, "127.0.0.2");
}
END_TEST

START_TEST(a_rule_has_clauses_on_error_and_actions)
{
	struct ast_rule *r = parse(
		"shadow rule a if auth unless tls unless helo is x\n"
		"  on error skip\n"
		"  log \"x\" reject 550 5.7.1 \"y\"")->statements->rule;

	ck_assert(r->shadow);
	is_text(r->name, "a");
	ck_assert(!r->clauses->unless);
	ck_assert(r->clauses->next->unless);
	ck_assert(r->clauses->next->next->unless);
	ck_assert_int_eq(r->on_error, ON_ERROR_SKIP);
	ck_assert_str_eq(r->actions->row->words, "log");
	ck_assert_str_eq(r->actions->next->row->words, "reject");
	is_text(r->actions->next->code->text, "550");
	is_text(r->actions->next->xcode->text, "5.7.1");
	is_text(r->actions->next->text->text, "y");
}
END_TEST

START_TEST(a_reply_may_leave_out_its_parts)
{
	struct ast_action *a = parse("rule a reject")->statements->rule->actions;

	ck_assert_ptr_null(a->code);
	ck_assert_ptr_null(a->text);
	a = parse("rule a reject \"x\"")->statements->rule->actions;
	ck_assert_ptr_null(a->code);
	is_text(a->text->text, "x");
	a = parse("rule a tempfail 451")->statements->rule->actions;
	is_text(a->code->text, "451");
	ck_assert_ptr_null(a->xcode);
}
END_TEST

START_TEST(a_rule_without_on_error_says_none)
{
	ck_assert_int_eq(parse("rule a accept")->statements->rule->on_error,
	                 ON_ERROR_UNSAID);
}
END_TEST

START_TEST(a_test_keeps_facts_and_expectations_in_order)
{
	struct ast_test *t = parse(
		"test \"x\" auth alice expect accept\n"
		"  rcpt { a b } <t> fails expect no header \"X\"")
		->statements->test;

	is_text(t->name, "x");
	is_text(t->givens->word, "auth");
	ck_assert_int_eq(t->givens->next->first->kind, AST_LIST);
	ck_assert(t->givens->next->next->fails);
	is_text(t->expects->verdict, "accept");
	ck_assert_int_eq(t->expects->next->kind, AST_EXPECT_NO_HEADER);
}
END_TEST

START_TEST(an_expected_verdict_has_details_in_any_order)
{
	struct ast_expect *e = parse(
		"test \"x\" expect reject at mail reply \"r\" by a for <>")
		->statements->test->expects;

	is_text(e->by->text, "a");
	is_text(e->at->text, "mail");
	is_text(e->reply->text, "r");
	ck_assert_int_eq(e->rcpt->kind, AST_NULL);
}
END_TEST

/* ---- mistakes ---- */

START_TEST(what_is_broken_is_left_out_and_the_rest_is_there)
{
	struct ast *ast = parse_in("set user a\nruel b\n  accept\n"
	                           "rule c\n  if sendr is <>\n  accept\n"
	                           "rule d\n  accept\n",
	                           "vaglio.conf", "/nonexistent");

	ck_assert(ast->broken);
	ck_assert_uint_eq(diags_errors(diags), 2);
	ck_assert_int_eq(ast->statements->kind, AST_SET);
	is_text(ast->statements->next->rule->name, "d");
	ck_assert_ptr_null(ast->statements->next->next);
}
END_TEST

START_TEST(more_mistakes_than_anybody_reads_are_counted)
{
	static char text[10000];
	size_t i, n = 0;

	for (i = 0; i < 150; i++)
		n += (size_t)sprintf(text + n, "set\nset user a b\n");
	ck_assert(parse_in(text, "vaglio.conf", "/nonexistent")->broken);
	ck_assert_uint_eq(diags_errors(diags), 300);
}
END_TEST

/* ---- include ---- */

static char folder[] = "/tmp/vaglio-test-parse-XXXXXX";

static void
write_file(const char *name, const char *text)
{
	char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static void
make_folder(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void
remove_path(const char *name)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	ck_assert_int_eq(remove(path), 0);
}

START_TEST(includes_are_expanded_in_place_sorted_and_relative)
{
	struct ast *ast;

	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	make_folder("[d]");
	write_file("[d]/b.conf", "rule b accept");
	write_file("[d]/a.conf", "include \"sub\"\nrule a accept\n");
	write_file("[d]/sub", "rule sub accept");
	make_folder("[d]/e");
	write_file("[d]/e/t", "table <t> file \"../names\"\n"
	           "table <d> dns \"x.example\"\ntable <a> file \"/a\"");
	ast = parse_in("rule first accept\ninclude \"[[]d]/*.conf\"\n"
	               "include \"none/*.conf\"\nrule last accept\n"
	               "include \"[[]d]/e/t\"",
	               "vaglio.conf", folder);
	ck_assert(!ast->broken);
	ck_assert_str_eq(captured(print_tree, ast),
	                 "rule first\n  accept\n\nrule sub\n  accept\n\n"
	                 "rule a\n  accept\n\nrule b\n  accept\n\n"
	                 "rule last\n  accept\n\n"
	                 "table <t> file \"[d]/e/../names\"\n\n"
	                 "table <d> dns \"x.example\"\n\n"
	                 "table <a> file \"/a\"\n");
	ck_assert_str_eq(ast->statements->next->place.source->name,
	                 "[d]/sub");
	remove_path("[d]/b.conf");
	remove_path("[d]/a.conf");
	remove_path("[d]/sub");
	remove_path("[d]/e/t");
	remove_path("[d]/e");
	remove_path("[d]");
	remove_path("");
}
END_TEST

START_TEST(includes_deeper_than_the_cap_are_a_mistake)
{
	char name[20], text[60];
	int i;

	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "%d", i);
		snprintf(text, sizeof(text), "include \"%d\"\n", i + 1);
		write_file(name, i == 19 ? "set user a" : text);
	}
	ck_assert(!parse_in("include \"5\"", "x", folder)->broken);
	ck_assert(parse_in("include \"0\"", "x", folder)->broken);
	ck_assert_uint_eq(diags_errors(diags), 1);
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "%d", i);
		remove_path(name);
	}
	remove_path("");
}
END_TEST

START_TEST(running_out_of_memory_leaves_by_the_escape)
{
	static const char text[] =
		"include \"/etc/host*\"\n"
		"table <a> { a = { b c } }\nrule a\n  if helo in { \"x\" y }\n"
		"  and header /x/ matches /a\\/b/\n  reject 550 \"no\"\n"
		"test \"t\" rcpt { a b } expect reject by a reply \"no\"\n";
	struct source source = {"vaglio.conf", span_of(text), 0};
	volatile size_t limit;
	jmp_buf escape;

	for (limit = 16; limit < 20000; limit += 16) {
		struct arena *a = arena_new(limit);
		struct diags *d = diags_new();

		ck_assert_ptr_nonnull(a);
		ck_assert_ptr_nonnull(d);
		if (setjmp(escape) == 0) {
			arena_escape(a, &escape);
			parse_policy(a, &source, "/", d);
			ck_assert(!arena_full(a));
		} else {
			ck_assert(arena_full(a));
		}
		diags_free(d);
		arena_free(a);
	}
}
END_TEST

CHECK_MAIN("parse",
           an_empty_text_is_a_policy_without_statements,
           a_comment_begins_only_where_a_word_could,
           an_equals_sign_is_a_letter_of_a_word,
           a_string_resolves_its_escapes_and_keeps_dollars,
           a_pattern_resolves_only_its_escaped_slashes,
           a_slash_inside_a_word_begins_no_pattern,
           angles_are_a_table_the_null_sender_or_a_comparison,
           line_ends_mean_nothing_inside_a_statement,
           commas_may_stand_between_items,
           and_binds_tighter_than_or_and_not_tightest,
           chains_lean_to_the_left,
           parentheses_are_printed_where_they_are_needed_or_help,
           a_bare_subject_as_a_value_is_that_subject,
           a_part_may_follow_the_argument,
           raw_and_a_word_are_one_subject,
           an_optional_argument_may_be_left_out,
           a_word_alone_is_a_defined_name,
           negations_stand_with_the_operator,
           a_table_may_be_asked_with_a_key,
           numbers_may_have_sign_fraction_and_unit,
           places_span_what_they_name,
           a_long_chain_is_no_deep_nesting,
           a_setting_takes_any_word,
           a_table_has_keys_or_keys_with_values,
           a_table_may_have_a_back_end,
           a_rule_has_clauses_on_error_and_actions,
           a_reply_may_leave_out_its_parts,
           a_rule_without_on_error_says_none,
           a_test_keeps_facts_and_expectations_in_order,
           an_expected_verdict_has_details_in_any_order,
           what_is_broken_is_left_out_and_the_rest_is_there,
           more_mistakes_than_anybody_reads_are_counted,
           includes_are_expanded_in_place_sorted_and_relative,
           includes_deeper_than_the_cap_are_a_mistake,
           running_out_of_memory_leaves_by_the_escape)
