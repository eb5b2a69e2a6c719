/* stamp_message.c - the stamps, from what was told and found. */
#include "domain.h"
#include "stamp.h"
#include "told.h"

/* U-labels as A-labels: a field is ASCII. */
static struct span
ascii_name(const struct told *t, struct span name)
{
	size_t i;

	for (i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] > 0x7f)
			return domain_canonical(t->arena, name);
	return name;
}

static struct span
authserv_id(const struct told *t)
{
	struct span id = policy_settings(t->policy)->authserv_id.text;

	if (id.n == 0)
		id = told_macro(t, SPAN("j"));
	return id.n == 0 ? SPAN("localhost") : ascii_name(t, id);
}

/*
 * SPF of the sender is asked for here if no rule did, but not for a login:
 * that is why its mail is let in, from wherever it comes.
 */
static bool
gather(struct told *t, struct stamp *s, char ip[IP_TEXT])
{
	*s = (struct stamp){
		.auth = told_macro(t, SPAN("{auth_authen}")),
		.authserv_id = authserv_id(t),
		.mta = told_macro(t, SPAN("j")),
		.sender = t->sender.text,
		.helo = t->helo == NULL ? SPAN("") : span_of(t->helo),
	};
	if (s->mta.n == 0)
		s->mta = s->authserv_id;
	if (s->auth.n == 0 && facts_check_spf(t, SPF_MAILFROM) == NULL)
		return false;
	if (t->origin != NULL && t->origin->known) {
		s->client = span_of(ip_print(&t->origin->ip, ip));
		s->helo = t->origin->helo;
	} else if (t->client_told) {
		s->client = span_of(ip_print(&t->client, ip));
	}
	s->helo = ascii_name(t, s->helo);
	if (s->helo.p == NULL || s->authserv_id.p == NULL)
		return false;
	s->mailfrom = t->spf_found[SPF_MAILFROM];
	s->helo_found = t->spf_found[SPF_HELO];
	return true;
}

static bool
insert_received(struct told *t, const struct stamp *s,
                const struct spf_finding *f)
{
	struct span value;

	if (f == NULL)
		return true;
	value = stamp_received_spf(t->arena, s, f);
	return value.p != NULL &&
		message_insert(t->message, SPAN("Received-SPF"), value);
}

static bool
is_ours(struct span value, void *of)
{
	return stamp_claims(value, *(const struct span *)of);
}

/* RFC 8601 5: what claims our name and is not of us goes first. */
static bool
insert_results(struct told *t, struct stamp *s)
{
	static const struct span name = {"Authentication-Results", 22};
	struct span value = stamp_authentication_results(t->arena, s);

	return value.p != NULL &&
		message_remove_fields(t->message, name, is_ours,
		                      &s->authserv_id) &&
		message_insert(t->message, name, value);
}

bool
stamp_message(struct told *t, enum effect_kind kind)
{
	char ip[IP_TEXT];
	struct stamp s;

	if (!gather(t, &s, ip))
		return false;
	if (kind == EFFECT_STAMP_RESULTS)
		return insert_results(t, &s);
	return insert_received(t, &s, s.helo_found) &&
		insert_received(t, &s, s.mailfrom);
}
