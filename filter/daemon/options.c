#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "diag.h"
#include "ip.h"
#include "limit.h"
#include "options.h"

#define ON(verb) (1U << VERB_##verb)
#define ALL (ON(RUN) | ON(CHECK) | ON(TEST) | ON(EXPLAIN) | ON(DUMP) | \
             ON(RELOAD) | ON(DOCTOR) | ON(LIMITS))

struct reading;

static const struct verb_row {
	const char *name, *synopsis, *help;
} verbs[] = {
	[VERB_RUN] = {NULL, "[-c FILE] [-p SOCKET] [-u USER[:GROUP]] [-f]",
		"run the filter"},
	[VERB_CHECK] = {"check", "[-c FILE] [-v]",
		"load the policy, look for mistakes, run its tests"},
	[VERB_TEST] = {"test", "[-c FILE] [-v] [NAME...]",
		"run the policy's tests, or those named"},
	[VERB_EXPLAIN] = {"explain", "[-c FILE] [FACTS] [MESSAGE.eml | -]",
		"say what would become of a message, rule by rule"},
	[VERB_DUMP] = {"dump", "[-c FILE]",
		"print the policy as it was understood"},
	[VERB_RELOAD] = {"reload", "[-c FILE] [-p SOCKET]",
		"have the running filter load its policy anew"},
	[VERB_DOCTOR] = {"doctor", "[-c FILE] [-p SOCKET] [--postfix DIR] "
		"[--sendmail FILE] [--json]",
		"look at the MTA and the socket: what keeps mail from the filter"},
	[VERB_LIMITS] = {"limits",
		"[-c FILE] [-p SOCKET] [--json] [clear LIMIT KEY]",
		"show what the running filter has counted, or forget a key"},
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

/* How an option's argument is taken; false: why it can't be. */
typedef bool take_fn(struct reading *r, const char *value);

static take_fn take_config, take_socket, take_user, take_foreground,
	take_verbose, take_json, take_zone, take_offline, take_client, take_helo,
	take_auth, take_tls, take_sender, take_rcpt, take_daemon, take_macro,
	take_postfix, take_sendmail, take_spf, take_spf_helo, take_limit,
	take_help, take_version;

static const struct option_row {
	const char *name, *argument; /* "-c", "--client"; "IP[,NAME]" or NULL */
	unsigned verbs;
	take_fn *take;
	const char *help;
} rows[] = {
	{"-c", "FILE", ALL, take_config,
		"the policy (" DEFAULT_CONFIG ")"},
	{"-p", "SOCKET", ON(RUN) | ON(RELOAD) | ON(DOCTOR) | ON(LIMITS),
		take_socket,
		"the socket, in place of the policy's"},
	{"-u", "USER[:GROUP]", ON(RUN), take_user,
		"whom to run as, in place of the policy's"},
	{"-f", NULL, ON(RUN), take_foreground, "stay in the foreground"},
	{"-v", NULL, ON(CHECK) | ON(TEST), take_verbose,
		"check: when each rule is settled; test: a line each"},
	{"--client", "IP[,NAME]", ON(EXPLAIN), take_client, "the client"},
	{"--helo", "NAME", ON(EXPLAIN), take_helo, "its HELO"},
	{"--auth", "LOGIN[,METHOD]", ON(EXPLAIN), take_auth, "its login"},
	{"--tls", "VERSION", ON(EXPLAIN), take_tls, "as \"TLSv1.3\""},
	{"--sender", "ADDRESS", ON(EXPLAIN), take_sender,
		"the envelope's sender"},
	{"--rcpt", "ADDRESS", ON(EXPLAIN), take_rcpt,
		"a recipient; as often as there are"},
	{"--daemon", "NAME", ON(EXPLAIN), take_daemon,
		"the MTA's name of the listener"},
	{"--macro", "NAME=VALUE", ON(EXPLAIN), take_macro,
		"a macro of the MTA; as often as there are"},
	{"--spf", "RESULT", ON(EXPLAIN), take_spf,
		"SPF's result, so that no DNS is asked"},
	{"--spf-helo", "RESULT", ON(EXPLAIN), take_spf_helo,
		"SPF's result for HELO"},
	{"--limit", "NAME=NUMBER", ON(EXPLAIN), take_limit,
		"how much of a limit is used; as often as there are"},
	{"--postfix", "DIR", ON(DOCTOR), take_postfix,
		"look at the Postfix whose main.cf is there"},
	{"--sendmail", "FILE", ON(DOCTOR), take_sendmail,
		"look at the Sendmail with this .cf"},
	{"--json", NULL, ON(EXPLAIN) | ON(DOCTOR) | ON(LIMITS), take_json,
		"for machines"},
	{"--zone", "FILE", ON(EXPLAIN), take_zone,
		"a zone file that answers in place of the DNS"},
	{"--offline", NULL, ON(EXPLAIN), take_offline, "ask no DNS"},
	{"--help", NULL, ALL, take_help, "print this"},
	{"--version", NULL, ALL, take_version, "print the version"},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* One reading of a command line. */
struct reading {
	struct options *o;
	FILE *err;
	const char *why; /* what is wrong with an argument */
	struct span *rcpts;
	struct scenario_pair *macros;
	struct scenario_limit *limits;
};

static bool
wrong(struct reading *r, const char *why)
{
	r->why = why;
	return false;
}

/* ---- the arguments ---- */

static bool
take_config(struct reading *r, const char *value)
{
	r->o->config = value;
	return *value != '\0' || wrong(r, "a file's name is wanted");
}

static bool
take_socket(struct reading *r, const char *value)
{
	r->o->socket = value;
	return *value != '\0' || wrong(r, "a socket's name is wanted");
}

static bool
take_user(struct reading *r, const char *value)
{
	r->o->user = value;
	return *value != '\0' || wrong(r, "a user's name is wanted");
}

static bool
take_foreground(struct reading *r, const char *value)
{
	(void)value;
	return r->o->foreground = true;
}

static bool
take_verbose(struct reading *r, const char *value)
{
	(void)value;
	return r->o->verbose = true;
}

static bool
take_json(struct reading *r, const char *value)
{
	(void)value;
	return r->o->json = true;
}

static bool
take_offline(struct reading *r, const char *value)
{
	(void)value;
	return r->o->offline = true;
}

static bool
take_zone(struct reading *r, const char *value)
{
	r->o->zone = value;
	return *value != '\0' || wrong(r, "a file's name is wanted");
}

static bool
take_postfix(struct reading *r, const char *value)
{
	r->o->postfix = value;
	return *value != '\0' || wrong(r, "a folder's name is wanted");
}

static bool
take_sendmail(struct reading *r, const char *value)
{
	r->o->sendmail = value;
	return *value != '\0' || wrong(r, "a file's name is wanted");
}

static bool
take_help(struct reading *r, const char *value)
{
	(void)value;
	r->o->verb = VERB_HELP;
	return true;
}

static bool
take_version(struct reading *r, const char *value)
{
	(void)value;
	if (r->o->verb != VERB_HELP)
		r->o->verb = VERB_VERSION;
	return true;
}

/* value = first [ "," second ] */
static void
split(const char *value, struct span *first, struct span *second)
{
	const char *comma = strchr(value, ',');

	*first = span_of(value);
	if (comma == NULL)
		return;
	first->n = (size_t)(comma - value);
	*second = span_of(comma + 1);
}

static bool
take_client(struct reading *r, const char *value)
{
	struct scenario *s = &r->o->facts;
	struct ip ip;

	split(value, &s->client, &s->client_name);
	return ip_parse(s->client, &ip) || wrong(r, "is no IP address");
}

static bool
take_helo(struct reading *r, const char *value)
{
	r->o->facts.helo = span_of(value);
	return true;
}

static bool
take_auth(struct reading *r, const char *value)
{
	split(value, &r->o->facts.auth, &r->o->facts.auth_method);
	return r->o->facts.auth.n > 0 || wrong(r, "a login is wanted");
}

static bool
take_tls(struct reading *r, const char *value)
{
	r->o->facts.tls = span_of(value);
	return true;
}

static bool
take_sender(struct reading *r, const char *value)
{
	r->o->facts.sender = span_of(value);
	return true;
}

static bool
take_rcpt(struct reading *r, const char *value)
{
	r->rcpts[r->o->facts.n_rcpts++] = span_of(value);
	return *value != '\0' || wrong(r, "an address is wanted");
}

static bool
take_daemon(struct reading *r, const char *value)
{
	r->o->facts.daemon = span_of(value);
	return true;
}

/* NAME=VALUE; the MTA has one letter bare, and longer names in braces. */
static bool
take_macro(struct reading *r, const char *value)
{
	const char *equals = strchr(value, '=');
	struct scenario_pair *pair = &r->macros[r->o->facts.n_macros];
	size_t n = equals != NULL ? (size_t)(equals - value) : 0;

	if (n > 2 && *value == '{' && equals[-1] == '}') {
		value++;
		n -= 2;
	}
	if (n == 0)
		return wrong(r, "is not NAME=VALUE");
	pair->value = span_of(equals + 1);
	pair->name = arena_printf(r->o->arena, n == 1 ? "%.*s" : "{%.*s}",
	                          (int)n, value);
	r->o->facts.n_macros++;
	return pair->name.p != NULL || wrong(r, "no memory");
}

static bool
take_result(struct reading *r, const char *value, struct span *out)
{
	static const char *const results[] = {"none", "neutral", "pass",
		"fail", "softfail", "temperror", "permerror"};
	size_t i;

	*out = span_of(value);
	for (i = 0; i < sizeof(results) / sizeof(results[0]); i++)
		if (strcmp(value, results[i]) == 0)
			return true;
	return wrong(r, "is no result of SPF: none, neutral, pass, fail, "
	                "softfail, temperror, permerror");
}

static bool
take_spf(struct reading *r, const char *value)
{
	return take_result(r, value, &r->o->facts.spf);
}

static bool
take_spf_helo(struct reading *r, const char *value)
{
	return take_result(r, value, &r->o->facts.spf_helo);
}

/* NAME=NUMBER */
static bool
take_limit(struct reading *r, const char *value)
{
	struct scenario_limit *l = &r->limits[r->o->facts.n_limits];
	const char *equals = strchr(value, '=');
	char *end;

	if (equals == NULL || equals == value)
		return wrong(r, "is not NAME=NUMBER");
	l->name = (struct span){value, (size_t)(equals - value)};
	l->used = strtod(equals + 1, &end);
	if (equals[1] < '0' || equals[1] > '9' || *end != '\0' ||
	    l->used > LIMIT_MOST)
		return wrong(r, "is not NAME=NUMBER");
	r->o->facts.n_limits++;
	return true;
}

/* ---- the words ---- */

static int
unknown_option(struct reading *r, const char *word)
{
	const char *names[ROWS], *near;
	size_t i;

	for (i = 0; i < ROWS; i++)
		names[i] = rows[i].name;
	near = diag_nearest(span_of(word), names, ROWS);
	fprintf(r->err, "vaglio: unknown option %s", word);
	if (near != NULL)
		fprintf(r->err, ": did you mean %s?", near);
	fprintf(r->err, "\n");
	return EX_USAGE;
}

static int
unknown_verb(struct reading *r, const char *word)
{
	const char *names[VERBS], *near;
	size_t i, n = 0;

	for (i = 0; i < VERBS; i++)
		if (verbs[i].name != NULL)
			names[n++] = verbs[i].name;
	near = diag_nearest(span_of(word), names, n);
	if (near != NULL && strcmp(near, word) == 0) {
		fprintf(r->err, "vaglio: \"%s\" comes first: vaglio %s ...\n",
		        word, word);
		return EX_USAGE;
	}
	fprintf(r->err, "vaglio: unknown command \"%s\"", word);
	if (near != NULL)
		fprintf(r->err, ": did you mean \"%s\"?", near);
	fprintf(r->err, "\n");
	return EX_USAGE;
}

/*
 * The row of an option's word: "--name", "--name=value", "-x", "-xvalue";
 * *value is what is joined to it, or NULL.
 */
static const struct option_row *
find_row(const char *word, const char **value)
{
	size_t i, n;

	*value = NULL;
	for (i = 0; i < ROWS; i++) {
		n = strlen(rows[i].name);
		if (strncmp(word, rows[i].name, n) != 0)
			continue;
		if (word[n] == '\0')
			return &rows[i];
		if (rows[i].argument == NULL ||
		    (n > 2 && word[n] != '='))
			continue;
		*value = word + n + (n > 2);
		return &rows[i];
	}
	if (strcmp(word, "-h") == 0)
		return find_row("--help", value);
	return NULL;
}

/* One option at argv[*at]; *at is left at its last word. */
static int
read_option(struct reading *r, int argc, char *const *argv, int *at)
{
	const char *value, *word = argv[*at];
	const struct option_row *row = find_row(word, &value);
	enum verb verb = r->o->verb;

	if (row == NULL)
		return unknown_option(r, word);
	if (verb < VERBS && (row->verbs & 1U << verb) == 0) {
		fprintf(r->err, "vaglio: %s is not for %s%s\n", row->name,
		        verb == VERB_RUN ? "running the filter" : "vaglio ",
		        verb == VERB_RUN ? "" : verbs[verb].name);
		return EX_USAGE;
	}
	if (row->argument != NULL && value == NULL) {
		if (*at + 1 >= argc) {
			fprintf(r->err, "vaglio: %s wants %s\n", row->name,
			        row->argument);
			return EX_USAGE;
		}
		value = argv[++*at];
	}
	if (row->take(r, value))
		return 0;
	fprintf(r->err, "vaglio: %s %s: %s\n", row->name, value, r->why);
	return EX_USAGE;
}

/* argv = [ verb ] { option } { operand }, options among the operands too */
static int
read_words(struct reading *r, int argc, char *const *argv, char **operands)
{
	bool only_operands = false;
	int i = 1, status;
	size_t v;

	if (argc > 1 && argv[1][0] != '-') {
		for (v = 1; v < VERBS; v++)
			if (strcmp(argv[1], verbs[v].name) == 0)
				break;
		if (v == VERBS)
			return unknown_verb(r, argv[1]);
		r->o->verb = (enum verb)v;
		i++;
	}
	for (; i < argc; i++) {
		if (only_operands || argv[i][0] != '-' || argv[i][1] == '\0') {
			operands[r->o->n_operands++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			only_operands = true;
			continue;
		}
		status = read_option(r, argc, argv, &i);
		if (status != 0)
			return status;
	}
	return 0;
}

static int
check_operands(struct reading *r)
{
	const struct options *o = r->o;
	size_t most = o->verb == VERB_TEST ? o->n_operands :
	              o->verb == VERB_EXPLAIN ? 1 : 0;

	if (o->verb == VERB_LIMITS && o->n_operands > 0 &&
	    (o->n_operands != 3 || strcmp(o->operands[0], "clear") != 0)) {
		fprintf(r->err, "vaglio: limits: only \"clear LIMIT KEY\" may "
		        "follow\n");
		return EX_USAGE;
	}
	if (o->verb == VERB_LIMITS)
		return 0;
	if (o->verb >= VERBS || o->n_operands <= most)
		return 0;
	if (o->verb == VERB_RUN)
		return unknown_verb(r, o->operands[0]);
	fprintf(r->err, "vaglio: %s: unexpected \"%s\"%s\n",
	        verbs[o->verb].name, o->operands[most],
	        o->verb == VERB_EXPLAIN ? "" : ": the policy stands after -c");
	return EX_USAGE;
}

int
options_parse(int argc, char *const *argv, struct options *o, FILE *err)
{
	struct reading r = {.o = o, .err = err};
	size_t n = (size_t)argc + 1;
	char **operands;
	int status;

	*o = (struct options){.config = DEFAULT_CONFIG};
	o->arena = arena_new(0);
	operands = o->arena == NULL ? NULL :
	           arena_alloc(o->arena, n * sizeof(*operands));
	r.rcpts = operands == NULL ? NULL :
	          arena_alloc(o->arena, n * sizeof(*r.rcpts));
	r.macros = r.rcpts == NULL ? NULL :
	           arena_alloc(o->arena, n * sizeof(*r.macros));
	r.limits = r.macros == NULL ? NULL :
	           arena_alloc(o->arena, n * sizeof(*r.limits));
	if (r.limits == NULL) {
		fprintf(err, "vaglio: no memory\n");
		return EX_OSERR;
	}
	o->operands = operands;
	o->facts.rcpts = r.rcpts;
	o->facts.macros = r.macros;
	o->facts.limits = r.limits;
	status = read_words(&r, argc, argv, operands);
	if (status == 0)
		status = check_operands(&r);
	if (status == EX_USAGE)
		fprintf(err, "vaglio --help says how it is used.\n");
	return status;
}

void
options_free(struct options *o)
{
	arena_free(o->arena);
	o->arena = NULL;
}

void
options_help(FILE *out)
{
	char left[64];
	size_t i;

	fprintf(out, "vaglio, a mail filter for Postfix and Sendmail\n\n");
	for (i = 0; i < VERBS; i++)
		fprintf(out, "%s vaglio %s%s%s\n             %s\n",
		        i == 0 ? "usage:" : "      ",
		        verbs[i].name != NULL ? verbs[i].name : "",
		        verbs[i].name != NULL ? " " : "", verbs[i].synopsis,
		        verbs[i].help);
	fprintf(out, "\noptions:\n");
	for (i = 0; i < ROWS; i++) {
		if (strcmp(rows[i].name, "--client") == 0)
			fprintf(out, "\nfacts, for explain:\n");
		if (strcmp(rows[i].name, "--postfix") == 0)
			fprintf(out, "\nand:\n");
		snprintf(left, sizeof(left), "%s%s%s", rows[i].name,
		         rows[i].argument != NULL ? " " : "",
		         rows[i].argument != NULL ? rows[i].argument : "");
		fprintf(out, "  %-24s %s\n", left, rows[i].help);
	}
	fprintf(out, "\nvaglio(8) and vaglio.conf(5) tell the rest.\n");
}
