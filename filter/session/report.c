#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "caps.h"
#include "edit.h"
#include "log.h"
#include "notice.h"
#include "report.h"

/* Recipients and authors, enough for log_line to mark that it cut the list. */
#define NAMED (2 * CAPS_LOG_FIELD)

/* The addresses of the From fields; parsed here if no rule asked. */
static size_t
header_from(struct told *t, struct span *out)
{
	struct told_fields *f;
	size_t i;

	if (t->message == NULL || message_fields(t->message) == 0)
		return 0;
	f = facts_fields(t, SPAN("from"));
	if (f == NULL)
		return 0;
	facts_boxes(t, f);
	for (i = 0; i < f->n_boxes && i < NAMED; i++)
		out[i] = f->boxes[i].address.text;
	return i;
}

static size_t
recipients(const struct told *t, size_t rcpt, struct span *out)
{
	size_t i, n = 0;

	if (rcpt < t->n_rcpts) {
		out[0] = t->rcpts[rcpt].address.text;
		return 1;
	}
	for (i = 0; i < t->n_rcpts && n < NAMED; i++)
		if (t->rcpts[i].in)
			out[n++] = t->rcpts[i].address.text;
	return n;
}

static struct span
rule_name(const struct told *t, const struct verdict *v)
{
	if (v == NULL || v->rule == NO_RULE)
		return SPAN("");
	return policy_rule_name(t->policy, v->rule);
}

static struct span
make_line(struct told *t, const struct report *r, char line[LOG_LINE])
{
	struct span to[NAMED], from[NAMED];
	char ip[IP_TEXT], origin[IP_TEXT];
	struct log_entry e = {
		.id = told_macro(t, SPAN("i")),
		.verb = r->verb,
		.rule = rule_name(t, r->verdict),
		.stage = stage_name(r->stage),
		.helo = span_of(t->helo),
		.from = t->sender.text,
		.to = to,
		.auth = told_macro(t, SPAN("{auth_authen}")),
		.header_from = from,
		.spf = facts_spf(t, SPF_MAILFROM),
		.spf_why = facts_spf_why(t, SPF_MAILFROM),
		.shadow = r->shadow,
		.done = r->done,
		.why = r->why,
		.text = r->text,
		.reply = r->reply,
	};

	if (t->client_told)
		e.client = span_of(ip_print(&t->client, ip));
	if (facts_spf_relayed(t))
		e.spf_client = span_of(ip_print(&t->origin->ip, origin));
	if (t->client_name_is == NAME_VERIFIED)
		e.client_name = t->client_name;
	e.n_to = recipients(t, r->rcpt, to);
	e.n_header_from = header_from(t, from);
	return log_line(line, &e);
}

void
report(struct told *t, int priority, const struct report *r)
{
	char line[LOG_LINE];

	if (t->host->log != NULL)
		t->host->log(t->host->of, priority, make_line(t, r, line));
}

/* ---- notices ---- */

/* A note is logged if it will be sent. */
static void
send_notice(struct told *t, const struct effect *e, struct report *r)
{
	char line[LOG_LINE];
	struct notice n = {
		.server = policy_settings(t->policy)->notify_server.text,
		.rule = rule_name(t, r->verdict),
		.address = e->value,
		.login = told_macro(t, SPAN("{auth_authen}")),
		.once = e->per,
		.client = t->client,
		.port = t->client_port,
	};

	r->verb = "notify";
	if (!notice_address(e->value)) {
		r->why = SPAN("no notice can go to this address");
		report(t, LOG_WARNING, r);
		return;
	}
	if (policy_settings(t->policy)->shadow.number != 0) {
		r->shadow = "noted";
		report(t, LOG_INFO, r);
		return;
	}
	n.facts = make_line(t, r, line);
	if (t->host->notify != NULL && t->host->notify(t->host->of, &n))
		report(t, LOG_INFO, r);
}

/* ---- the end of a message ---- */

static void
report_logs(struct told *t, struct review *review, enum stage stage)
{
	const struct effect *e;
	struct report r;
	struct verdict v = {.kind = VERDICT_NONE};
	size_t i, n;

	if (!review_logs(review, &e, &n))
		return;
	for (i = 0; i < n; i++) {
		v.rule = e[i].rule;
		r = (struct report){
			.verb = "log", .verdict = &v, .stage = stage,
			.rcpt = e[i].n_rcpts == 1 ? e[i].rcpts[0] : NO_RCPT,
			.text = e[i].value,
		};
		if (e[i].kind == EFFECT_NOTIFY)
			send_notice(t, &e[i], &r);
		else
			report(t, LOG_INFO, &r);
	}
}

static void
report_shadow(struct told *t, const struct shadow *s, enum stage stage)
{
	struct verdict v = s->verdict;
	struct reply reply;
	struct report r = {
		.verb = "shadow", .verdict = &v, .rcpt = s->rcpt,
		.stage = v.kind == VERDICT_NONE ? stage : v.stage,
		.shadow = v.kind == VERDICT_NONE ? "noted" :
			verdict_name(v.kind),
		.why = v.failed ? v.why : (struct span){NULL, 0},
	};

	v.rule = s->rule;
	if ((v.kind == VERDICT_REJECT || v.kind == VERDICT_TEMPFAIL) &&
	    reply_make(t->arena, v.code, v.xcode, v.text, t->utf8, &reply))
		r.reply = &reply;
	report(t, LOG_INFO, &r);
}

void
report_review(struct told *t, struct review *review, enum stage stage)
{
	const struct shadow *s;
	size_t i, n;

	if (t->host->log == NULL)
		return;
	report_logs(t, review, stage);
	if (!review_shadows(review, &s, &n))
		return;
	for (i = 0; i < n; i++)
		report_shadow(t, &s[i], stage);
}

/* ---- effects ---- */

/* Neither ends a name: the marks between names, and between effects. */
static char
in_name(char c)
{
	return c == ',' || c == ';' ? '_' : c;
}

/* What a change took out, cut as other texts of a line are; may be empty. */
static struct span
taken_words(struct told *t, const struct effect *e)
{
	const struct edit *edit = t->edit;
	char *out = arena_alloc(t->arena, CAPS_LOG_FIELD + sizeof("..."));
	size_t i, j, n = 0;
	struct span name;

	for (i = 0; out != NULL && edit != NULL && i < edit->n_taken; i++) {
		name = edit->taken[i].name;
		if (edit->taken[i].effect != e)
			continue;
		if (n > 0) {
			out[n++] = ',';
			out[n++] = ' ';
		}
		for (j = 0; j < name.n && n < CAPS_LOG_FIELD - 2; j++)
			out[n++] = in_name(name.p[j]);
		if (j == name.n)
			continue;
		for (; j > 0 && ((unsigned char)name.p[j] & 0xc0) == 0x80; j--)
			n--;
		memcpy(out + n, "...", 3);
		return (struct span){out, n + 3};
	}
	return (struct span){out, n};
}

static struct span
effect_words(struct told *t, const struct effect *e)
{
	struct span what = e->name.p != NULL ? e->name : e->value;
	const char *why = t->edit == NULL ? NULL : edit_left_out(t->edit, e);

	if (effect_is_of_body(e->kind))
		what = taken_words(t, e);
	if (what.p == NULL)
		what = SPAN("");
	if (what.n > CAPS_LOG_FIELD + 3)
		what.n = CAPS_LOG_FIELD; /* the whole line is cut below that */
	/* a stranger's words come last: they say nothing of ours */
	return arena_printf(t->arena, "%s%s%s%s%s%.*s", effect_name(e->kind),
		why == NULL ? "" : " (left out: ", why == NULL ? "" : why,
		why == NULL ? "" : ")", what.n > 0 ? " " : "", SPAN_ARG(what));
}

/* Longer than a line has room for: log_line then says that it was cut. */
#define DONE_BYTES (2 * CAPS_LOG_REPLY)

struct span
report_done(struct told *t, const struct effect *effects, const bool *found,
            size_t n)
{
	char *done = arena_alloc(t->arena, DONE_BYTES);
	size_t i, at = 0;
	struct span words;

	if (done == NULL || n == 0)
		return (struct span){NULL, 0};
	for (i = 0; i < n && at < DONE_BYTES - 1; i++) {
		if (!found[i])
			continue;
		words = effect_words(t, &effects[i]);
		if (words.p == NULL)
			return words;
		at += (size_t)snprintf(done + at, DONE_BYTES - at, "%s%s",
			at == 0 ? "" : "; ", words.p);
	}
	return (struct span){at == 0 ? NULL : done, strlen(done)};
}

/* ---- macros that never come ---- */

/*
 * An MTA has these of every client from the network, so that one that is
 * not there was not asked for. Those of a login or TLS may well be absent.
 */
static bool
is_always_there(const struct ask *ask)
{
	switch (ask->subject->id) {
	case SUBJECT_CLIENT_PTR:
	case SUBJECT_CLIENT_PORT:
	case SUBJECT_DAEMON:
	case SUBJECT_DAEMON_ADDRESS:
	case SUBJECT_DAEMON_PORT:
	case SUBJECT_MTA:
	case SUBJECT_QUEUE_ID:
	case SUBJECT_MACRO:
		return true;
	default:
		return false;
	}
}

/* true the first time that it is asked about a name. */
static bool
is_news(const char *name)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static char *told[64]; /* more macros than an MTA has */
	size_t i;
	bool news = false;

	pthread_mutex_lock(&lock);
	for (i = 0; i < 64 && told[i] != NULL; i++)
		if (strcmp(told[i], name) == 0)
			break;
	if (i < 64 && told[i] == NULL) {
		told[i] = strdup(name);
		news = told[i] != NULL;
	}
	pthread_mutex_unlock(&lock);
	return news;
}

static void
report_macro(struct told *t, const struct told_macro *m)
{
	char line[1024], name[256];
	size_t rule = policy_ask_rule(t->policy, m->ask);
	struct span words = rule == NO_RULE ? SPAN("") :
		policy_rule_name(t->policy, rule), escaped;
	const char *stage = m->any ? "end_of_data" : "connect";
	int n;

	escaped = log_escape(name, sizeof(name), span_of(m->name));
	n = snprintf(line, sizeof(line), "the MTA does not send the macro "
		"%.*s, which rule %.*s needs: add it to Postfix' "
		"milter_%s_macros or Sendmail's confMILTER_MACROS_%s",
		SPAN_ARG(escaped), SPAN_ARG(words), stage,
		m->any ? "EOM" : "CONNECT");
	if (n > 0 && (size_t)n < sizeof(line))
		t->host->log(t->host->of, LOG_WARNING,
			(struct span){line, (size_t)n});
}

static bool
from_network(const struct told *t)
{
	static const unsigned char loopback[16] = {[15] = 1};

	if (!t->client_told)
		return false;
	if (ip_is_v4(&t->client))
		return t->client.byte[12] != 127;
	return memcmp(t->client.byte, loopback, 16) != 0;
}

void
report_missing(struct told *t)
{
	const struct ask *asks;
	const struct told_macro *m;
	size_t i, n;

	if (t->host->log == NULL || t->host->trial || !from_network(t))
		return;
	asks = policy_asks(t->policy, &n);
	for (i = 0; i < t->n_macros; i++) {
		m = &t->macros[i];
		if (m->value.p != NULL || m->ask == NO_ASK ||
		    !is_always_there(&asks[m->ask]))
			continue;
		if (asks[m->ask].subject->id == SUBJECT_CLIENT_PORT &&
		    t->client_port != 0)
			continue;
		if (is_news(m->name))
			report_macro(t, m);
	}
}
