#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "edit.h"
#include "limits_store.h"
#include "trial.h"

#define CLIENT "198.51.100.1"
#define HELO "mail.example.net"
#define SENDER "sender@example.net"
#define RCPT "rcpt@example.com"
#define MTA "mx.example.org"
#define DATE "Thu, 01 Jan 2026 12:00:00 +0000"
#define MESSAGE_ID "<message@example.net>"

static struct span
or_default(struct span s, const char *otherwise)
{
	return s.p == NULL ? span_of(otherwise) : s;
}

/* NUL-terminated; NULL: no memory. */
static const char *
string(struct trial *t, struct span s)
{
	return arena_copy(t->arena, s).p;
}

/* ---- macros ---- */

/* A scenario may leave out the braces, or put some round one letter. */
static struct span
bare(struct span name)
{
	if (name.n > 2 && name.p[0] == '{' && name.p[name.n - 1] == '}')
		return (struct span){name.p + 1, name.n - 2};
	return name;
}

static struct span
known_macro(const struct trial *t, struct span name)
{
	const struct scenario *g = t->given;
	const struct scenario_pair macros[] = {
		{SPAN("j"), SPAN(MTA)},
		{SPAN("{daemon_name}"), or_default(g->daemon, MTA)},
		{SPAN("{daemon_port}"), SPAN("25")},
		{SPAN("{daemon_addr}"), SPAN("192.0.2.25")},
		{SPAN("{client_addr}"), or_default(g->client, CLIENT)},
		{SPAN("{client_name}"), or_default(g->client_name, "unknown")},
		{SPAN("{client_ptr}"), or_default(g->client_name, "unknown")},
		{SPAN("{auth_authen}"), g->auth},
		{SPAN("{auth_type}"), g->auth.p == NULL ? g->auth :
			or_default(g->auth_method, "PLAIN")},
		{SPAN("{tls_version}"), g->tls},
	};
	size_t i;

	for (i = 0; i < g->n_macros; i++)
		if (span_is(bare(g->macros[i].name), bare(name)))
			return g->macros[i].value;
	for (i = 0; i < sizeof(macros) / sizeof(macros[0]); i++)
		if (span_is(macros[i].name, name))
			return macros[i].value;
	/* Postfix has a queue id from here on. */
	if (span_is(name, SPAN("i")) && t->stage >= STAGE_DATA)
		return SPAN("4TRIAL");
	return (struct span){NULL, 0};
}

static const char *
macro(void *of, const char *name)
{
	struct trial *t = of;
	struct span value = known_macro(t, span_of(name));

	return value.p == NULL ? NULL : string(t, value);
}

static void
looked_up(void *of, const struct spf_lookup *l)
{
	struct trial *t = of;

	if (t->looked_up != NULL)
		t->looked_up(t->of, t, l);
}

/* ---- the message ---- */

static bool
is_field_name(struct span name)
{
	size_t i;

	for (i = 0; i < name.n; i++)
		if (name.p[i] <= ' ' || name.p[i] >= 0x7f)
			return false; /* RFC 5322 2.2 */
	return name.n > 0;
}

/* The line at *rest, its end taken off it, which then is what follows. */
static struct span
next_line(struct span *rest)
{
	struct span line = span_line(rest);
	bool ended = rest->p > line.p + line.n;

	if (ended && line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* The text without the CR of its CRLFs, and without its last line's end. */
static struct span
with_lf(struct trial *t, struct span text)
{
	char *p = arena_alloc(t->arena, text.n + 1);
	size_t i, n = 0;

	for (i = 0; p != NULL && i < text.n; i++)
		if (text.p[i] != '\r' || i + 1 == text.n ||
		    text.p[i + 1] != '\n')
			p[n++] = text.p[i];
	if (n > 0 && p[n - 1] == '\n')
		p[--n] = '\0';
	return (struct span){p, n};
}

/*
 * A field with its folds at *rest, as a milter is told it: lines end in LF,
 * the blank behind the colon is gone. false: none begins here.
 */
static bool
next_field(struct trial *t, struct span *rest, struct scenario_pair *f)
{
	struct span after = *rest, line = next_line(&after);
	const char *colon = line.n == 0 ? NULL : memchr(line.p, ':', line.n);

	if (colon == NULL)
		return false;
	f->name = (struct span){line.p, (size_t)(colon - line.p)};
	if (!is_field_name(f->name))
		return false;
	while (after.n > 0 && (after.p[0] == ' ' || after.p[0] == '\t'))
		next_line(&after);
	colon += 1 + (line.n > f->name.n + 1 && colon[1] == ' ');
	f->value = with_lf(t,
		(struct span){colon, (size_t)(after.p - colon)});
	*rest = after;
	return true;
}

static bool
add_field(struct trial *t, struct scenario_pair f)
{
	struct scenario_pair *slot = arena_grow(t->arena, &t->fields,
		&t->n_fields, sizeof(*slot));

	if (slot == NULL)
		return false;
	*slot = f;
	return f.name.p != NULL && f.value.p != NULL;
}

/* Every line of a body ends in CRLF (RFC 5321 2.3.8). */
static bool
set_body(struct trial *t, struct span text)
{
	char *p = arena_alloc(t->arena, 2 * text.n + 2);
	size_t n = 0;
	struct span line;

	if (p == NULL)
		return false;
	while (text.n > 0) {
		line = next_line(&text);
		if (line.n > 0)
			memcpy(p + n, line.p, line.n);
		n += line.n;
		p[n++] = '\r';
		p[n++] = '\n';
	}
	t->body = (struct span){p, n};
	return true;
}

/* RFC 5322: fields, an empty line, the body; a line "From " of a mailbox
 * file goes before. What is no field ends the header, as it does for MTAs. */
static bool
take_message(struct trial *t)
{
	struct span rest = t->given->message, after;
	struct scenario_pair f;

	if (rest.n > 5 && memcmp(rest.p, "From ", 5) == 0)
		next_line(&rest);
	while (rest.n > 0 && next_field(t, &rest, &f))
		if (!add_field(t, f))
			return false;
	after = rest;
	if (rest.n > 0 && next_line(&after).n == 0)
		rest = after;
	return set_body(t, rest);
}

static bool
gives(const struct scenario *g, struct span name)
{
	size_t i;

	for (i = 0; i < g->n_headers; i++)
		if (span_is_nocase(g->headers[i].name, name))
			return true;
	return false;
}

/* "a@example.org, b@example.org" */
static struct span
all_rcpts(struct trial *t)
{
	struct span given;
	size_t i, n = 0;
	char *all;

	for (i = 0; i < t->n_rcpts; i++)
		n += t->rcpts[i].given.n + 2;
	all = arena_alloc(t->arena, n);
	for (i = n = 0; all != NULL && i < t->n_rcpts; i++) {
		given = t->rcpts[i].given;
		if (i > 0) {
			all[n++] = ',';
			all[n++] = ' ';
		}
		if (given.n > 0)
			memcpy(all + n, given.p, given.n);
		n += given.n;
	}
	return (struct span){all, n};
}

static bool
default_fields(struct trial *t)
{
	struct span sender = or_default(t->given->sender, SENDER);
	const struct scenario_pair fields[] = {
		{SPAN("From"), sender.n == 0 ?
			SPAN("MAILER-DAEMON@example.net") : sender},
		{SPAN("To"), all_rcpts(t)},
		{SPAN("Subject"), SPAN("test")},
		{SPAN("Date"), SPAN(DATE)},
		{SPAN("Message-ID"), SPAN(MESSAGE_ID)},
	};
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (!gives(t->given, fields[i].name) &&
		    !add_field(t, fields[i]))
			return false;
	return true;
}

static bool
make_message(struct trial *t)
{
	const struct scenario *g = t->given;
	size_t i;

	if (g->message.p != NULL ? !take_message(t) : !default_fields(t))
		return false;
	for (i = 0; i < g->n_headers; i++)
		if (!add_field(t, g->headers[i]))
			return false;
	return g->body.p == NULL || set_body(t, g->body);
}

/* ---- the envelope ---- */

static struct span
in_brackets(struct trial *t, struct span address)
{
	if (address.n > 0 && address.p[0] == '<')
		return arena_copy(t->arena, address);
	return arena_printf(t->arena, "<%.*s>", SPAN_ARG(address));
}

static bool
make_rcpts(struct trial *t)
{
	static const struct span one = {RCPT, sizeof(RCPT) - 1};
	const struct scenario *g = t->given;
	const struct span *given = g->n_rcpts == 0 ? &one : g->rcpts;
	struct value v;
	size_t i;

	t->n_rcpts = g->n_rcpts == 0 ? 1 : g->n_rcpts;
	t->rcpts = arena_alloc(t->arena, t->n_rcpts * sizeof(*t->rcpts));
	if (t->rcpts == NULL)
		return false;
	for (i = 0; i < t->n_rcpts; i++) {
		v = (struct value){.type = VALUE_ADDRESS};
		if (!address_path(t->arena, given[i], &v))
			return false;
		t->rcpts[i].given = given[i];
		t->rcpts[i].address = v.text;
		t->rcpts[i].verdict.rule = NO_RULE;
	}
	return true;
}

/* ---- running ---- */

static struct span
reply_text(struct trial *t, const struct answer *a)
{
	struct span s;
	size_t i;

	if (a->kind != ANSWER_REJECT && a->kind != ANSWER_TEMPFAIL)
		return (struct span){NULL, 0};
	s = arena_printf(t->arena, "%s%s%s", a->reply.code,
		a->reply.xcode[0] == '\0' ? "" : " ", a->reply.xcode);
	for (i = 0; i < a->reply.n && s.p != NULL; i++)
		s = arena_printf(t->arena, "%s%c%s", s.p, i == 0 ? ' ' : '\n',
			a->reply.lines[i]);
	return s;
}

/* After each call. Does the session's answer end the message? */
static bool
ended(struct trial *t, struct answer a, enum stage stage)
{
	t->stage = stage;
	if (a.kind == ANSWER_GO_ON || a.kind == ANSWER_SKIP)
		return false;
	t->answer = a;
	t->verdict = *session_verdict(t->session);
	t->reply = reply_text(t, &a);
	return true;
}

static bool
told(struct trial *t, struct answer a, enum stage stage)
{
	bool end = ended(t, a, stage);

	if (t->watch != NULL)
		t->watch(t->of, t, stage, NO_RCPT);
	return end;
}

static struct answer
tell_connect(struct trial *t)
{
	struct span client = or_default(t->given->client, CLIENT), name;
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct ip ip = {{0}};

	ip_parse(client, &ip); /* it was looked at before */
	memcpy(&in.sin_addr, ip.byte + 12, 4);
	memcpy(&in6.sin6_addr, ip.byte, 16);
	in.sin_port = in6.sin6_port = htons(50000);
	name = t->given->client_name;
	if (name.p == NULL)
		name = arena_printf(t->arena, "[%.*s]", SPAN_ARG(client));
	return session_connect(t->session, string(t, name),
		ip_is_v4(&ip) ? (const void *)&in : (const void *)&in6);
}

/* The arguments of MAIL or RCPT; NULL: no memory. */
static char **
arguments(struct trial *t, struct span path, const struct scenario_pair *params,
          size_t n)
{
	char **argv = arena_alloc(t->arena, (n + 2) * sizeof(*argv));
	struct span one;
	size_t i;

	if (argv == NULL || path.p == NULL)
		return NULL;
	argv[0] = (char *)(size_t)path.p;
	for (i = 0; i < n; i++) {
		one = arena_printf(t->arena, "%.*s%s%.*s",
			SPAN_ARG(params[i].name),
			params[i].value.n > 0 ? "=" : "",
			SPAN_ARG(params[i].value));
		if (one.p == NULL)
			return NULL;
		argv[i + 1] = (char *)(size_t)one.p;
	}
	return argv;
}

static struct answer
tell_mail(struct trial *t)
{
	t->sender = in_brackets(t, or_default(t->given->sender, SENDER));
	return session_mail(t->session, arguments(t, t->sender,
		t->given->sender_params, t->given->n_sender_params));
}

/* false: all were refused, and the first one's verdict is the message's. */
static bool
tell_rcpts(struct trial *t)
{
	struct trial_rcpt *r;
	struct answer a;
	size_t i, left = 0;

	t->stage = STAGE_RCPT;
	for (i = 0; i < t->n_rcpts; i++) {
		r = &t->rcpts[i];
		a = session_rcpt(t->session, arguments(t,
			in_brackets(t, r->given), t->given->rcpt_params,
			t->given->n_rcpt_params));
		r->refused = a.kind != ANSWER_GO_ON;
		if (r->refused) {
			r->verdict = *session_verdict(t->session);
			r->reply = reply_text(t, &a);
		}
		left += !r->refused;
		if (i == 0)
			ended(t, a, STAGE_RCPT);
		if (t->watch != NULL)
			t->watch(t->of, t, STAGE_RCPT, i);
	}
	if (left > 0)
		t->answer.kind = ANSWER_GO_ON;
	return left > 0;
}

static bool
tell_header(struct trial *t)
{
	struct answer a;
	size_t i;

	for (i = 0; i < t->n_fields; i++) {
		a = session_header(t->session, string(t, t->fields[i].name),
			string(t, t->fields[i].value));
		if (ended(t, a, STAGE_HEADERS))
			return false;
	}
	return !told(t, session_end_of_headers(t->session), STAGE_HEADERS);
}

#define CHUNK 65535 /* libmilter's */

static bool
tell_body(struct trial *t)
{
	struct answer a = {.kind = ANSWER_GO_ON};
	size_t at, n;

	for (at = 0; at < t->body.n && a.kind == ANSWER_GO_ON; at += n) {
		n = t->body.n - at < CHUNK ? t->body.n - at : CHUNK;
		a = session_body(t->session, t->body.p + at, n);
	}
	return !ended(t, a, STAGE_END);
}

/* What an early accept kept from being told is let in as it is. */
static bool
let_in_rest(struct trial *t)
{
	struct message *m = session_message(t->session);
	bool good = true;
	size_t i;

	if (t->answer.kind != ANSWER_ACCEPT)
		return true;
	if (t->stage < STAGE_MAIL) {
		t->sender = in_brackets(t, or_default(t->given->sender,
			SENDER));
		good = message_set_sender(m, t->sender);
	}
	for (i = 0; good && t->stage < STAGE_RCPT && i < t->n_rcpts; i++)
		good = message_add_rcpt(m, t->rcpts[i].given);
	for (i = 0; good && t->stage < STAGE_HEADERS && i < t->n_fields; i++)
		good = message_add_field(m, t->fields[i].name,
			t->fields[i].value);
	return good;
}

static void
find_hold(struct trial *t)
{
	const struct effect *e;
	size_t i, n;

	t->held_by = NO_RULE;
	t->held = t->answer.kind == ANSWER_ACCEPT &&
		message_held(session_message(t->session));
	if (!t->held ||
	    !review_effects(session_review(t->session), &e, &n))
		return;
	for (i = 0; i < n && t->held_by == NO_RULE; i++)
		if (e[i].kind == EFFECT_QUARANTINE)
			t->held_by = e[i].rule;
}

static void
run(struct trial *t)
{
	const char *helo = string(t, or_default(t->given->helo, HELO));
	struct answer a;

	if (told(t, tell_connect(t), STAGE_CONNECT))
		return;
	t->stage = STAGE_HELO;
	if (told(t, session_helo(t->session, helo), STAGE_HELO))
		return;
	t->stage = STAGE_MAIL;
	if (told(t, tell_mail(t), STAGE_MAIL) || !tell_rcpts(t))
		return;
	t->stage = STAGE_DATA;
	if (told(t, session_data(t->session), STAGE_DATA))
		return;
	if (!tell_header(t) || !tell_body(t))
		return;
	a = session_end_of_message(t->session, &t->changes, &t->n_changes);
	told(t, a, STAGE_END);
}

bool
trial_run(struct trial *t, const struct table *const *tables,
          const char **why)
{
	struct session_host host = {
		.macro = macro, .of = t, .trial = true,
		.resolver = t->resolver, .looked_up = looked_up,
	};
	struct ip ip;

	*why = "no memory";
	t->verdict.rule = NO_RULE;
	t->arena = arena_new(0);
	if (t->arena == NULL || !make_rcpts(t) || !make_message(t))
		return false;
	if (!ip_parse(or_default(t->given->client, CLIENT), &ip)) {
		*why = "the client is no IP address";
		return false;
	}
	host.limits = limits_said(t->arena, t->policy, t->given);
	if (host.limits == NULL)
		return false;
	t->session = session_new(t->policy, tables, &host);
	if (t->session == NULL)
		return false;
	session_say_spf(t->session, t->given->spf, t->given->spf_helo);
	run(t);
	if (session_review(t->session) == NULL || !let_in_rest(t) ||
	    arena_full(t->arena))
		return false;
	find_hold(t);
	return true;
}

struct span
trial_body(const struct trial *t)
{
	const struct edit *e = session_edit(t->session);

	return e == NULL ? t->body : edit_result(e);
}

bool
trial_parts(const struct trial *t, enum subject_id id, struct mime_answer *a)
{
	struct message *m = session_message(t->session);
	struct edit e;

	edit_begin(&e, t->arena, m, trial_body(t), true);
	return edit_parts(&e) != NULL && mime_answer(e.mime, id, a);
}

void
trial_close(struct trial *t)
{
	session_free(t->session);
	arena_free(t->arena);
}
