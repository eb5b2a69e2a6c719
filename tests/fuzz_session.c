/*
 * fuzz_session.c - any calls in any order, with any bytes: what is answered
 * has a meaning there, and a line of the log is a line.
 *
 * Each line of the input is a call: its first letter says which, the rest is
 * what is told.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A bit of everything, so that nothing is settled too soon. */
static const char policy_text[] =
	"set message-limit 8K\n"
	"set recipient-delimiter \"+\"\n"
	"table <t> { @example.org x@example.com user@ }\n"
	"rule c if client in { 203.0.113.0/24 } reject \"c ${client.name}\"\n"
	"rule h if helo matches /^bad(.*)/ tempfail \"h $1\"\n"
	"rule m if sender.local contains bad reject \"m ${sender}\"\n"
	"rule p if sender.param \"SIZE\" > 1000 reject \"p\"\n"
	"rule i if queue-id is bad or macro \"{x}\" is bad reject\n"
	"rule r if rcpt.local is bad or rcpt.param \"NOTIFY\" is bad\n"
	"  reject \"${rcpt}\\n${client}\"\n"
	"rule d if rcpt.local is trap discard\n"
	"rule e if rcpt.local is moved redirect \"new@${rcpt.domain}\"\n"
	"rule n if rcpt.count > 3 tempfail\n"
	"rule f if from in <t> quarantine \"${from.name}\"\n"
	"rule a if to.domain is example.net\n"
	"  add header \"X-A\" \"${subject} ${from}\"\n"
	"  prepend header \"X-P\" \"${header \\\"X-In\\\"}\"\n"
	"  remove header \"X-In\" matching /bad/\n"
	"  rewrite header \"Subject\" /(.)x/ \"$1y\"\n"
	"  replace header \"To\" \"${rcpt}\"\n"
	"  replace sender \"${sender.local}@example.org\"\n"
	"  add rcpt \"${header \\\"X-Rcpt\\\"}\"\n"
	"rule s if header /^x-(.)$/ contains bad or from.count > 2 reject\n"
	"rule w if raw header \"Subject\" matches /\\?=$/ log \"${subject}\"\n"
	"rule g if cc and auth accept\n"
	"rule b if raw body contains virus reject \"b\"\n"
	"rule z if size > 6K tempfail \"${size}\"\n"
	"shadow rule sh if client.name and subject reject \"${subject}\"\n"
	"shadow rule st if any rcpt in <t> add header \"X\" \"y\"\n";

static struct policy *policy;
static char macro_value[64];

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static const char *
macro(void *of, const char *name)
{
	(void)of;
	return macro_value[0] != '\0' &&
		(macro_value[0] & 15) == (name[name[0] == '{'] & 15) ?
		macro_value + 1 : NULL;
}

static void
check_line(void *of, int priority, struct span line)
{
	size_t i;

	(void)of;
	must(priority >= 0 && priority < 8 && line.n > 0);
	must(utf8_valid(line));
	for (i = 0; i < line.n; i++)
		must((unsigned char)line.p[i] >= 0x20 && line.p[i] != 0x7f);
}

/* Answers and their replies hold what session.h and reply.h promise. */
static struct answer
checked(struct answer a)
{
	size_t i, k;

	if (a.kind != ANSWER_REJECT && a.kind != ANSWER_TEMPFAIL)
		return a;
	must(a.reply.code[0] == (a.kind == ANSWER_REJECT ? '5' : '4'));
	must(a.reply.n > 0);
	for (i = 0; i < a.reply.n; i++)
		for (k = 0; a.reply.lines[i][k] != '\0'; k++)
			must((unsigned char)a.reply.lines[i][k] >= 0x20);
	return a;
}

static void
only_refuses(struct answer a)
{
	must(a.kind == ANSWER_GO_ON || a.kind == ANSWER_REJECT ||
		a.kind == ANSWER_TEMPFAIL);
}

static void
check_changes(const struct change *c, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; c[i].value.p != NULL && k < c[i].value.n; k++) {
			must(c[i].value.p[k] != '\0');
			must(c[i].value.p[k] != '\r');
			must(c[i].value.p[k] != '\n' ||
				c[i].value.p[k + 1] == ' ' ||
				c[i].value.p[k + 1] == '\t');
		}
		must(c[i].value.p == NULL || c[i].value.p[k] == '\0');
	}
}

static void
finish(struct session *s, const char *text)
{
	const struct change *changes;
	size_t n;
	struct answer a = checked(session_end_of_message(s, &changes, &n));

	must(n == 0 || a.kind == ANSWER_ACCEPT);
	must(a.kind != ANSWER_GO_ON && a.kind != ANSWER_SKIP);
	check_changes(changes, n);
	if (text[0] != '-')
		session_done(s, text[0] != '!');
}

static void
tell_client(struct session *s, char *text)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	bool known = text[0] != '-';

	in.sin_addr.s_addr = htonl(text[0] == 'b' ? 0xcb007107 : 0xc6336407);
	checked(session_connect(s, text[0] == '?' ? NULL : text,
		known ? (void *)&in : NULL));
}

/* Words of the text as arguments. */
static void
tell_path(struct session *s, char letter, char *text)
{
	char *argv[5] = {NULL}, *rest = NULL;
	size_t n = 0;

	for (argv[0] = strtok_r(text, "\t", &rest);
	     argv[n] != NULL && n < 3; argv[n] = strtok_r(NULL, "\t", &rest))
		n++;
	argv[n] = NULL;
	if (letter == 'm')
		checked(session_mail(s, argv));
	else
		only_refuses(checked(session_rcpt(s, argv)));
}

static void
tell_field(struct session *s, char *text)
{
	char *colon = strchr(text, ':'), *p;

	if (colon != NULL)
		*colon = '\0';
	for (p = colon == NULL ? NULL : colon + 1; p != NULL && *p; p++)
		if (*p == '|')
			*p = '\n';
	checked(session_header(s, text, colon == NULL ? "" : colon + 1));
}

static void
call(struct session *s, char *line, size_t n)
{
	char *text = line + 1;

	switch (line[0]) {
	case 'c':
		tell_client(s, text);
		break;
	case 'h':
		only_refuses(checked(session_helo(s, text)));
		break;
	case 'm':
	case 'r':
		tell_path(s, line[0], text);
		break;
	case 'd':
		checked(session_data(s));
		break;
	case 'f':
		tell_field(s, text);
		break;
	case 'e':
		checked(session_end_of_headers(s));
		break;
	case 'b':
		checked(session_body(s, text, n - 1));
		break;
	case '.':
		finish(s, text);
		break;
	case 'x':
		session_abort(s);
		break;
	case 'k':
		strncpy(macro_value, text, sizeof(macro_value) - 1);
		break;
	default:
		session_done(s, line[0] == '+');
	}
}

static void
load(void)
{
	struct diags *d = diags_new();

	policy = policy_load_text(span_of(policy_text), "fuzz", ".", d);
	if (policy == NULL)
		diags_print(d, stderr);
	must(policy != NULL);
	diags_free(d);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct session_host host = {.macro = macro, .log = check_line};
	struct session *s;
	const uint8_t *end;
	char *line;
	size_t n;

	if (policy == NULL)
		load();
	macro_value[0] = '\0';
	s = session_new(policy, NULL, &host);
	must(s != NULL);
	for (; size > 0; data += n + (end != NULL), size -= n + (end != NULL)) {
		end = memchr(data, '\n', size);
		n = end == NULL ? size : (size_t)(end - data);
		line = malloc(n + 2);
		must(line != NULL);
		memcpy(line, data, n);
		line[n] = line[n + 1] = '\0';
		call(s, line, n == 0 ? 1 : n);
		free(line);
	}
	session_free(s);
	return 0;
}
