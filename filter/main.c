/* main.c - the command: its verbs. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "control.h"
#include "current.h"
#include "doctor.h"
#include "limit.h"
#include "options.h"
#include "policy.h"
#include "run.h"
#include "socket.h"
#include "try.h"

#define TESTS_FAILED 1

static int
finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "vaglio: standard output: %s\n", strerror(errno));
	return EX_IOERR;
}

/* The policy, or NULL with its mistakes on standard error. */
static struct policy *
load(const struct options *o)
{
	struct diags *d = diags_new();
	struct policy *p = d != NULL ? policy_load(o->config, d) : NULL;

	if (d == NULL)
		fprintf(stderr, "vaglio: no memory\n");
	else
		diags_print(d, stderr);
	diags_free(d);
	return p;
}

/* Is what "set dns" says a list of servers? */
static bool
names_servers(const struct policy *p, struct diags *d)
{
	struct resolver *r = current_make_resolver(p, d);

	resolver_unref(r);
	return r != NULL;
}

/* Loads it and runs its tests: mistakes and failures in one report. */
static struct policy *
load_and_try(const struct options *o)
{
	struct diags *d = diags_new();
	struct policy *p = d != NULL ? policy_load(o->config, d) : NULL;

	if (p != NULL && !(try_policy(p, d) && names_servers(p, d))) {
		policy_unref(p);
		p = NULL;
	}
	if (d == NULL)
		fprintf(stderr, "vaglio: no memory\n");
	else
		diags_print(d, stderr);
	diags_free(d);
	return p;
}

static int
check(const struct options *o)
{
	struct policy *p = load_and_try(o);
	size_t rules, tests;

	if (p == NULL)
		return EX_CONFIG;
	if (o->verbose)
		policy_dump_stages(p, stdout);
	policy_tests(p, &tests);
	rules = policy_rules(p);
	printf("%s: %zu rule%s, %zu test%s passed\n", o->config, rules,
	       rules == 1 ? "" : "s", tests, tests == 1 ? "" : "s");
	policy_unref(p);
	return 0;
}

static bool
is_test(const struct policy *p, const char *name)
{
	size_t n, i;
	const struct test *tests = policy_tests(p, &n);

	for (i = 0; i < n; i++)
		if (span_is(tests[i].name, span_of(name)))
			return true;
	fprintf(stderr, "vaglio: there is no test \"%s\"\n", name);
	return false;
}

static int
test(const struct options *o)
{
	struct policy *p = load(o);
	size_t ran = 0, failed, i;

	if (p == NULL)
		return EX_CONFIG;
	for (i = 0; i < o->n_operands; i++)
		if (!is_test(p, o->operands[i])) {
			policy_unref(p);
			return EX_USAGE;
		}
	failed = try_tests(p, o->operands, o->n_operands, o->verbose, stdout,
	                   &ran);
	printf("%zu passed, %zu failed\n", ran - failed, failed);
	policy_unref(p);
	return failed == 0 ? 0 : TESTS_FAILED;
}

/* The whole of a file ("-": standard input), malloced; p NULL with errno. */
static struct span
read_all(const char *path)
{
	struct span s = {NULL, 0};
	FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
	char *text = NULL, piece[65536];
	size_t n = 0, got;
	FILE *out = in != NULL ? open_memstream(&text, &n) : NULL;
	bool fine = out != NULL;

	while (fine && (got = fread(piece, 1, sizeof(piece), in)) > 0)
		fine = fwrite(piece, 1, got, out) == got;
	fine = fine && !ferror(in);
	if (out != NULL && fclose(out) != 0)
		fine = false;
	if (in != NULL && in != stdin)
		fclose(in);
	if (fine)
		s = (struct span){text, n};
	else
		free(text);
	return s;
}

/* A zone file's answers; NULL, and said why. */
static struct resolver *
load_zone(const char *path)
{
	struct span text = read_all(path);
	struct resolver *r;
	unsigned line;
	const char *why;

	if (text.p == NULL) {
		fprintf(stderr, "vaglio: %s: %s\n", path, strerror(errno));
		return NULL;
	}
	r = resolver_zone(text, &line, &why);
	if (r == NULL)
		fprintf(stderr, "%s:%u: %s\n", path, line, why);
	free((char *)(size_t)text.p);
	return r;
}

static struct resolver *
make_resolver(const struct policy *p)
{
	struct diags *d = diags_new();
	struct resolver *r = d != NULL ? current_make_resolver(p, d) : NULL;

	if (d != NULL)
		diags_print(d, stderr);
	diags_free(d);
	return r;
}

/* Does every --limit name a limit of the policy? */
static bool
names_limits(const struct options *o, const struct policy *p)
{
	size_t i, j, n;
	const struct limit *all = policy_limits(p, &n);

	for (i = 0; i < o->facts.n_limits; i++) {
		for (j = 0; j < n; j++)
			if (span_is(all[j].name, o->facts.limits[i].name))
				break;
		if (j < n)
			continue;
		fprintf(stderr, "vaglio: there is no limit \"%.*s\"\n",
		        SPAN_ARG(o->facts.limits[i].name));
		return false;
	}
	return true;
}

/*
 * Who answers for SPF, where it is not said, and for tables in the DNS: a
 * zone file, the DNS, or nobody.
 */
static int
explain_with(const struct options *o, struct policy *p)
{
	struct resolver *r = NULL;
	int status;
	bool asks = !o->offline;

	if (o->zone != NULL)
		r = load_zone(o->zone);
	else if (asks)
		r = make_resolver(p);
	if (r == NULL && (o->zone != NULL || asks))
		return o->zone != NULL ? EX_DATAERR : EX_CONFIG;
	status = try_explain(p, &o->facts, o->json, r, stdout);
	resolver_unref(r);
	return status;
}

static int
explain(struct options *o)
{
	struct span message = {NULL, 0};
	struct policy *p;
	int status;

	if (o->n_operands == 1) {
		message = read_all(o->operands[0]);
		if (message.p == NULL) {
			fprintf(stderr, "vaglio: %s: %s\n", o->operands[0],
			        strerror(errno));
			return EX_NOINPUT;
		}
		o->facts.message = message;
	}
	p = load(o);
	status = p == NULL ? EX_CONFIG : !names_limits(o, p) ? EX_USAGE :
	         explain_with(o, p);
	policy_unref(p);
	free((char *)(size_t)message.p);
	return status;
}

static int
dump(const struct options *o)
{
	struct policy *p = load(o);

	if (p == NULL)
		return EX_CONFIG;
	policy_dump_stages(p, stdout);
	policy_dump(p, stdout);
	policy_unref(p);
	return 0;
}

/* Asks the filter that runs on the socket of -p, or else on this policy's. */
static int
ask_filter(const struct options *o, const struct policy *p,
           struct span request, FILE *good)
{
	char *name = o->socket != NULL ? strdup(o->socket) :
	             span_copy(policy_settings(p)->socket.text);
	char *base = name != NULL ? socket_base(name) : NULL;
	int status = EX_CONFIG;

	if (base != NULL)
		status = control_ask(base, request, good, stderr);
	else
		fprintf(stderr, "vaglio: \"%s\" is not a socket\n",
		        name != NULL ? name : "");
	free(name);
	free(base);
	return status;
}

/*
 * Looks at the policy itself first: what is wrong is said here, and the
 * running filter is not bothered. Then the filter says what came of it.
 */
static int
reload(const struct options *o)
{
	struct policy *p = load_and_try(o);
	int status;

	if (p == NULL) {
		fprintf(stderr, "vaglio: the policy in force was not "
		        "touched\n");
		return EX_CONFIG;
	}
	status = ask_filter(o, p, SPAN("reload\n"), stderr);
	policy_unref(p);
	return status;
}

/*
 * "limits" [NUL "json"], or "clear" NUL limit NUL key. With -p no policy is
 * needed: a stolen password does not wait until its file is mended.
 */
static int
limits(const struct options *o)
{
	struct arena *a = o->arena;
	struct span request = o->json ? SPAN("limits\0json") : SPAN("limits");
	struct policy *p = o->socket == NULL ? load(o) : NULL;
	int status;

	if (p == NULL && o->socket == NULL) {
		fprintf(stderr, "vaglio: with -p SOCKET the running filter is "
		        "asked all the same\n");
		return EX_CONFIG;
	}
	if (o->n_operands > 0)
		request = arena_printf(a, "clear%c%s%c%s", 0, o->operands[1],
		                       0, o->operands[2]);
	status = request.p == NULL ? EX_OSERR : ask_filter(o, p, request,
	                                                   stdout);
	policy_unref(p);
	return status;
}

static int
see_doctor(const struct options *o)
{
	struct policy *p = load(o);
	int status = p != NULL ? doctor(p, o, stdout) : EX_CONFIG;

	policy_unref(p);
	return status;
}

int
main(int argc, char **argv)
{
	struct options o;
	int status = options_parse(argc, argv, &o, stderr);

	if (status == 0) {
		switch (o.verb) {
		case VERB_RUN:
			status = run(&o);
			break;
		case VERB_CHECK:
			status = check(&o);
			break;
		case VERB_TEST:
			status = test(&o);
			break;
		case VERB_EXPLAIN:
			status = explain(&o);
			break;
		case VERB_DUMP:
			status = dump(&o);
			break;
		case VERB_RELOAD:
			status = reload(&o);
			break;
		case VERB_DOCTOR:
			status = see_doctor(&o);
			break;
		case VERB_LIMITS:
			status = limits(&o);
			break;
		case VERB_HELP:
			options_help(stdout);
			break;
		case VERB_VERSION:
			puts("vaglio " PACKAGE_VERSION);
			break;
		}
	}
	options_free(&o);
	return finish(status);
}
