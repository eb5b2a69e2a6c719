/*
 * doctor_postfix_sent.c - does Postfix send what the policy asks for?
 */
#include "doctor_postfix_checks.h"

/* Has one service or more this parameter, and not as the word says? */
static bool
is_on(const struct postfix *pf, const char *name, const char *off)
{
	const struct door *d;
	struct span value;

	for (EACH_DOOR(d, pf)) {
		value = postfix_value(pf, d, name);
		if (!d->is_local && value.p != NULL && value.n > 0 &&
		    !span_is(value, span_of(off)))
			return true;
	}
	return false;
}

/* Debian's master.cf has none; or one with a name of its own. */
static struct span
login_line(struct visit *v, const struct postfix *pf)
{
	const struct door *d;

	for (EACH_DOOR(d, pf))
		if (d->submission)
			return TEXT(v, "%.*s: -o smtpd_sasl_auth_enable=yes",
			            SPAN_ARG(d->name));
	return SPAN("submission inet n - y - - smtpd "
	            "-o smtpd_tls_security_level=encrypt "
	            "-o smtpd_sasl_auth_enable=yes "
	            "-o milter_macro_daemon_name=ORIGINATING");
}

static void
look_at_login(struct visit *v, const void *of)
{
	static const enum subject_id ids[] = {SUBJECT_AUTH,
		SUBJECT_AUTH_METHOD};

	if (visit_asks(v, ids, COUNT(ids)) &&
	    !is_on(of, "smtpd_sasl_auth_enable", "no"))
		visit_find(v, SPAN(""), SPAN("the policy asks for auth, and "
		           "no service lets clients log in"), "master.cf",
		           login_line(v, of));
}

static void
look_at_tls(struct visit *v, const void *of)
{
	static const enum subject_id ids[] = {SUBJECT_TLS,
		SUBJECT_TLS_VERSION, SUBJECT_TLS_CIPHER, SUBJECT_TLS_BITS};

	if (visit_asks(v, ids, COUNT(ids)) &&
	    !is_on(of, "smtpd_tls_security_level", "none") &&
	    !is_on(of, "smtpd_tls_wrappermode", "no") &&
	    !is_on(of, "smtpd_use_tls", "no"))
		visit_find(v, SPAN(""), SPAN("the policy asks for tls, and no "
		           "service offers it"), "main.cf",
		           SPAN("smtpd_tls_security_level = may"));
}

static void
look_at_certificates(struct visit *v, const void *of)
{
	static const enum subject_id ids[] = {SUBJECT_TLS_SUBJECT,
		SUBJECT_TLS_ISSUER, SUBJECT_TLS_VERIFIED};

	if (visit_asks(v, ids, COUNT(ids)) &&
	    !is_on(of, "smtpd_tls_ask_ccert", "no") &&
	    !is_on(of, "smtpd_tls_req_ccert", "no"))
		visit_find(v, SPAN(""), SPAN("the policy asks for clients' "
		           "certificates, and Postfix asks for none"),
		           "main.cf", SPAN("smtpd_tls_ask_ccert = yes"));
}

/* Those of MILTER_README, "Macros". */
#define POSTFIX_MACROS "_ i j v {auth_authen} {auth_author} {auth_type} " \
	"{client_addr} {client_connections} {client_name} {client_port} " \
	"{client_ptr} {client_resolve} {cert_issuer} {cert_subject} " \
	"{cipher_bits} {cipher} {daemon_addr} {daemon_name} {daemon_port} " \
	"{mail_addr} {mail_host} {mail_mailer} {rcpt_addr} {rcpt_host} " \
	"{rcpt_mailer} {tls_version}"

/* milter_macro_defaults = name=value, {name}=value, { {name} = value } */
static bool
has_default(const void *of, struct span name)
{
	struct span all = postfix_value(of, NULL, "milter_macro_defaults");
	struct span word, bare = name;

	if (bare.n > 2 && *bare.p == '{')
		bare = (struct span){bare.p + 1, bare.n - 2};
	while (all.p != NULL && (word = visit_word(&all, "{}, \t=")).p != NULL)
		if (span_is(word, bare))
			return true;
	return false;
}

static void
tell_macro(struct visit *v, struct span name, struct span rule)
{
	visit_find(v, SPAN(""), TEXT(v, "rule %.*s asks for the macro %.*s, "
	           "which Postfix does not know", SPAN_ARG(rule),
	           SPAN_ARG(name)), "main.cf",
	           TEXT(v, "milter_macro_defaults = %.*s=value",
	                SPAN_ARG(name)));
}

static void
look_at_macros(struct visit *v, const void *of)
{
	visit_unknown_macros(v, POSTFIX_MACROS, has_default, tell_macro, of);
}

static bool
asks_listener(const struct visit *v)
{
	static const enum subject_id ids[] = {SUBJECT_DAEMON};

	return visit_asks(v, ids, COUNT(ids));
}

static const char daemon_name[] = "milter_macro_daemon_name";

/* A submission service whose name is that of all others. */
static void
look_at_originating(struct visit *v, const void *of)
{
	const struct postfix *pf = of;
	const struct door *d;

	for (EACH_DOOR(d, pf))
		if (asks_listener(v) && d->submission &&
		    !postfix_overrides(pf, d, daemon_name))
			visit_find(v, d->name, SPAN("the policy asks for "
			           "daemon, and this service has the name of "
			           "all others"), "master.cf",
			           TEXT(v, "%.*s: -o %s=ORIGINATING",
			                SPAN_ARG(d->name), daemon_name));
}

/* A service for strangers that says that mail goes out. */
static void
look_at_false_name(struct visit *v, const void *of)
{
	const struct postfix *pf = of;
	const struct door *d;

	for (EACH_DOOR(d, pf))
		if (asks_listener(v) && !d->submission && !d->is_local &&
		    !d->loopback && span_is(postfix_value(pf, d, daemon_name),
		                            SPAN("ORIGINATING")))
			mend_value(v, pf, d, SPAN("strangers' mail has the "
			           "name of what goes out"), daemon_name,
			           SPAN("$myhostname"));
}

static const struct check checks[] = {
	{"no-login", FAULT, look_at_login},
	{"no-tls", FAULT, look_at_tls},
	{"no-certificates", FAULT, look_at_certificates},
	{"macro", FAULT, look_at_macros},
	{"submission-name", FAULT, look_at_originating},
	{"false-name", FAULT, look_at_false_name},
};

void
postfix_check_sent(struct visit *v, const struct postfix *pf)
{
	visit_run(v, checks, COUNT(checks), pf);
}
