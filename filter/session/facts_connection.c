/*
 * facts_connection.c - what the MTA told of the connection, and of all
 * else in its macros.
 */
#include "address.h"
#include "facts_answer.h"

/* Digits alone; a macro's number is never anything else. */
static bool
read_number(struct span s, size_t *n)
{
	size_t i;

	*n = 0;
	if (s.n == 0 || s.n > 15)
		return false;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		*n = *n * 10 + (size_t)(s.p[i] - '0');
	}
	return true;
}

/* A macro's text as the type that its subject has. */
static const struct fact *
typed(struct told *t, enum value_type type, struct span s)
{
	struct ip ip;
	size_t n;

	switch (type) {
	case VALUE_NAME:
		return facts_one(t, facts_name(t, s));
	case VALUE_IP:
		if (!address_ip(s, &ip))
			return &facts_absent;
		return facts_one(t, facts_ip(t, &ip));
	case VALUE_NUMBER:
		return read_number(s, &n) ? facts_number(t, n) : &facts_absent;
	default:
		return facts_one(t, facts_text(t, s));
	}
}

const struct fact *
get_macro(struct told *t, const struct ask *ask, size_t rcpt)
{
	const char *fixed = ask->subject->fixed;
	struct span value = told_macro(t, fixed != NULL ? span_of(fixed) :
		ask->argument);
	bool any = (ask->subject->flags & SUBJECT_IS_ANY) != 0;

	(void)rcpt;
	if (value.p == NULL)
		return any && t->stage != STAGE_END ? &facts_later :
			&facts_absent;
	/* An MTA may send "" for what there is not: no login, no TLS. */
	if (value.n == 0 && fixed != NULL)
		return &facts_absent;
	return typed(t, ask->subject->type, value);
}

const struct fact *
get_client(struct told *t, const struct ask *ask, size_t rcpt)
{
	(void)ask;
	(void)rcpt;
	if (!t->client_told)
		return &facts_absent;
	return facts_one(t, facts_ip(t, &t->client));
}

const struct fact *
get_client_name(struct told *t, const struct ask *ask, size_t rcpt)
{
	(void)ask;
	(void)rcpt;
	if (t->client_name_is == NAME_LATER)
		return facts_failed(t, SPAN("the client's name could not be "
		                      "looked up for now"));
	if (t->client_name_is == NAME_NONE)
		return &facts_absent;
	return facts_one(t, facts_name(t, t->client_name));
}

const struct fact *
get_client_ptr(struct told *t, const struct ask *ask, size_t rcpt)
{
	struct span name = told_macro(t, SPAN("{client_ptr}"));

	(void)ask;
	(void)rcpt;
	/* Without one Postfix has "unknown", Sendmail "[192.0.2.1]". */
	if (name.n == 0 || name.p[0] == '[' ||
	    span_is_nocase(name, SPAN("unknown")))
		return &facts_absent;
	return facts_one(t, facts_name(t, name));
}

const struct fact *
get_client_port(struct told *t, const struct ask *ask, size_t rcpt)
{
	size_t port = t->client_port;

	(void)ask;
	(void)rcpt;
	if (port == 0)
		read_number(told_macro(t, SPAN("{client_port}")), &port);
	return port == 0 ? &facts_absent : facts_number(t, port);
}

const struct fact *
get_helo(struct told *t, const struct ask *ask, size_t rcpt)
{
	(void)ask;
	(void)rcpt;
	if (t->helo == NULL)
		return &facts_absent;
	return facts_one(t, facts_name(t, span_of(t->helo)));
}
