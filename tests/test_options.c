/* test_options.c - the command line. */
#include <string.h>
#include <sysexits.h>

#include "check.h"
#include "options.h"

static char *said;
static size_t said_n;

/* Parses words (NULL at the end, without the program's name). */
static int
parse(struct options *o, const char *const *words)
{
	char *argv[32] = {(char *)(size_t)"vaglio"};
	FILE *err;
	int argc = 1, status;

	free(said);
	err = open_memstream(&said, &said_n);
	for (; *words != NULL; words++)
		argv[argc++] = (char *)(size_t)*words;
	status = options_parse(argc, argv, o, err);
	fclose(err);
	return status;
}

#define PARSE(o, ...) parse(o, (const char *const[]){__VA_ARGS__, NULL})

static bool
is(struct span s, const char *text)
{
	return span_is(s, span_of(text));
}

START_TEST(no_words_run_the_filter)
{
	struct options o;

	ck_assert_int_eq(parse(&o, (const char *const[]){NULL}), 0);
	ck_assert_int_eq(o.verb, VERB_RUN);
	ck_assert_str_eq(o.config, DEFAULT_CONFIG);
	ck_assert(!o.foreground && o.socket == NULL && o.user == NULL);
	options_free(&o);
	ck_assert_int_eq(PARSE(&o, "-f", "-c", "a", "-pinet:1", "-u", "b:c"),
	                 0);
	ck_assert(o.foreground);
	ck_assert_str_eq(o.config, "a");
	ck_assert_str_eq(o.socket, "inet:1");
	ck_assert_str_eq(o.user, "b:c");
	options_free(&o);
}
END_TEST

START_TEST(facts_are_taken_in_any_place)
{
	struct options o;

	ck_assert_int_eq(PARSE(&o, "explain", "--client",
		"192.0.2.1,a.example.net", "--rcpt=x@example.com", "-",
		"--rcpt", "y@example.com", "--macro", "auth_type=PLAIN",
		"--macro={i}=4X", "--auth", "alice,LOGIN", "--spf", "fail",
		"--spf-helo", "none", "--json", "--offline", "--tls",
		"TLSv1.3", "--sender", "", "--helo", "h", "--daemon", "d"), 0);
	ck_assert_int_eq(o.verb, VERB_EXPLAIN);
	ck_assert(is(o.facts.client, "192.0.2.1"));
	ck_assert(is(o.facts.client_name, "a.example.net"));
	ck_assert_uint_eq(o.facts.n_rcpts, 2);
	ck_assert(is(o.facts.rcpts[1], "y@example.com"));
	ck_assert_uint_eq(o.facts.n_macros, 2);
	ck_assert(is(o.facts.macros[0].name, "{auth_type}"));
	ck_assert(is(o.facts.macros[1].name, "i"));
	ck_assert(is(o.facts.macros[1].value, "4X"));
	ck_assert(is(o.facts.auth, "alice"));
	ck_assert(is(o.facts.auth_method, "LOGIN"));
	ck_assert(is(o.facts.spf, "fail") && is(o.facts.spf_helo, "none"));
	ck_assert(o.facts.sender.p != NULL && o.facts.sender.n == 0);
	ck_assert(o.json && o.offline);
	ck_assert_uint_eq(o.n_operands, 1);
	ck_assert_str_eq(o.operands[0], "-");
	options_free(&o);
}
END_TEST

START_TEST(names_of_tests_may_look_like_options)
{
	struct options o;

	ck_assert_int_eq(PARSE(&o, "test", "-v", "a test", "--", "-c"), 0);
	ck_assert(o.verbose);
	ck_assert_uint_eq(o.n_operands, 2);
	ck_assert_str_eq(o.operands[1], "-c");
	options_free(&o);
}
END_TEST

static void
is_wrong(const char *why, const char *const *words)
{
	struct options o;

	ck_assert_int_eq(parse(&o, words), EX_USAGE);
	ck_assert_msg(strstr(said, why) != NULL, "\"%s\" is not in: %s", why,
	              said);
	options_free(&o);
}

#define WRONG(why, ...) is_wrong(why, (const char *const[]){__VA_ARGS__, NULL})

START_TEST(mistakes_are_told)
{
	WRONG("unknown command \"chekc\": did you mean \"check\"?", "chekc");
	WRONG("unknown option --sendr: did you mean --sender?", "explain",
	      "--sendr");
	WRONG("-u is not for vaglio check", "check", "-u", "a");
	WRONG("--rcpt is not for running the filter", "--rcpt", "a");
	WRONG("-c wants FILE", "dump", "-c");
	WRONG("is no IP address", "explain", "--client", "example.org");
	WRONG("is not NAME=VALUE", "explain", "--macro", "i");
	WRONG("is not NAME=VALUE", "explain", "--macro", "=x");
	WRONG("is no result of SPF: none, ", "explain", "--spf", "perhaps");
	WRONG("unexpected \"b\"", "explain", "a", "b");
	WRONG("unexpected \"a\": the policy stands after -c", "reload", "a");
	WRONG("unexpected \"x.conf\": the policy stands after -c", "check",
	      "x.conf");
	WRONG("\"check\" comes first: vaglio check", "-f", "check");
}
END_TEST

START_TEST(help_has_every_verb)
{
	static const char *const verbs[] = {"check", "test", "explain",
		"dump", "reload"};
	struct options o;
	char *text = NULL;
	size_t n = 0, i;
	FILE *out = open_memstream(&text, &n);

	options_help(out);
	fclose(out);
	for (i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		ck_assert_ptr_nonnull(strstr(text, verbs[i]));
		ck_assert_int_eq(PARSE(&o, verbs[i], "-c", "x"), 0);
		options_free(&o);
	}
	free(text);
	ck_assert_int_eq(PARSE(&o, "check", "--help"), 0);
	ck_assert_int_eq(o.verb, VERB_HELP);
	options_free(&o);
	ck_assert_int_eq(PARSE(&o, "--version"), 0);
	ck_assert_int_eq(o.verb, VERB_VERSION);
	options_free(&o);
}
END_TEST

CHECK_MAIN("options",
	no_words_run_the_filter,
	facts_are_taken_in_any_place,
	names_of_tests_may_look_like_options,
	mistakes_are_told,
	help_has_every_verb)
