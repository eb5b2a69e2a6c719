/*
 * facts_origin.c - whom SPF judges: the client, or who gave the mail to a relay
 * that the policy trusts.
 */
#include <string.h>
#include <syslog.h>

#include "facts_answer.h"
#include "received.h"
#include "report.h"

static enum truth
trusts(const struct told *t, const struct ip *client)
{
	return policy_trusts_relay(t->policy, t->tables, client, t->arena);
}

bool
facts_origin_waits(const struct told *t)
{
	return t->origin == NULL && t->stage < STAGE_HEADERS &&
		t->client_told && trusts(t, &t->client) == TRUTH_YES;
}

static struct span
words_of(struct told *t, const char *words, const struct ip *ip)
{
	char text[IP_TEXT];

	return arena_printf(t->arena, "%s %s", words, ip_print(ip, text));
}

static bool
is_loopback(const struct ip *ip)
{
	static const struct ip six = {{[15] = 1}};

	return memcmp(ip, &six, sizeof(six)) == 0 ||
		(ip_is_v4(ip) && ip->byte[12] == 127);
}

/* Why nobody was found; ip: where the walk ended, which relay told. */
static struct span
why_no_origin(struct told *t, const struct ip *relay, const struct ip *ip,
              enum truth trust)
{
	char by[IP_TEXT], from[IP_TEXT];

	if (trust == TRUTH_FAILED)
		return SPAN("trusted-relays can't be asked");
	if (trust == TRUTH_YES)
		return words_of(t, "there is no Received of the trusted relay",
			ip);
	return arena_printf(t->arena, "the trusted relay %s had the mail from "
		"itself; with %s in trusted-relays, too, it would be seen "
		"from whom before", ip_print(relay, by), ip_print(ip, from));
}

/*
 * From the top of the header down: each trusted relay's own Received names
 * whom it had the mail from, until that is no trusted relay. What stands
 * below was written by strangers. A relay that names itself by a loopback
 * address is no client that anybody's record could allow.
 */
static void
walk_relays(struct told *t, struct told_origin *o, enum truth trust)
{
	struct told_fields *f = facts_fields(t, SPAN("Received"));
	enum received read;
	struct ip relay = o->ip;
	size_t i;

	for (i = 0; f != NULL && i < f->n && trust == TRUTH_YES; i++) {
		read = received_read(message_field(t->message,
			f->numbers[i])->raw, &o->ip, &o->helo);
		if (read == RECEIVED_UNREADABLE) {
			o->why = words_of(t, "no client can be read in the "
				"Received of the trusted relay", &relay);
			return;
		}
		if (read == RECEIVED_WITHIN)
			continue;
		trust = trusts(t, &o->ip);
		if (trust == TRUTH_YES)
			relay = o->ip;
	}
	o->known = trust == TRUTH_NO && !is_loopback(&o->ip);
	o->failed = trust == TRUTH_FAILED;
	if (!o->known)
		o->why = why_no_origin(t, &relay, &o->ip, trust);
}

static void
log_unknown_origin(struct told *t, struct span why)
{
	struct report r = {
		.verb = "spf", .stage = t->stage, .rcpt = NO_RCPT, .why = why,
	};

	report(t, LOG_WARNING, &r);
}

const struct told_origin *
facts_origin(struct told *t)
{
	enum truth trust = TRUTH_NO;
	struct told_origin *o;

	if (t->origin != NULL)
		return t->origin;
	o = arena_alloc(t->arena, sizeof(*o));
	if (o == NULL)
		return NULL;
	t->origin = o;
	o->known = t->client_told;
	o->ip = t->client;
	o->helo = t->helo != NULL ? span_of(t->helo) : SPAN("");
	o->why = SPAN("the client has no address");
	if (o->known)
		trust = trusts(t, &o->ip);
	if (trust != TRUTH_NO) {
		o->known = false;
		walk_relays(t, o, trust);
		if (!o->known)
			log_unknown_origin(t, o->why);
	}
	return o;
}
