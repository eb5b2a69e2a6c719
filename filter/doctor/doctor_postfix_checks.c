/*
 * doctor_postfix_checks.c - what in Postfix's configuration keeps mail from
 * the filter: a row and a function each.
 */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "doctor_postfix.h"

#define LEAST_CONNECT 5 /* seconds; a busy machine takes some to accept */

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define EACH_DOOR(d, pf) \
	(d) = (pf)->doors; (d) < (pf)->doors + (pf)->n_doors; (d)++

/* ---- what mends ---- */

static const char *
file_of(const struct postfix *pf, const struct door *d, const char *name)
{
	return postfix_overrides(pf, d, name) ? "master.cf" : "main.cf";
}

/* A value with blanks stands in braces there. */
static struct span
override_line(struct visit *v, const struct door *d, const char *name,
              struct span value)
{
	if (memchr(value.p, ' ', value.n) != NULL)
		return TEXT(v, "%.*s: -o { %s = %.*s }", SPAN_ARG(d->name),
		            name, SPAN_ARG(value));
	return TEXT(v, "%.*s: -o %s=%.*s", SPAN_ARG(d->name), name,
	            SPAN_ARG(value));
}

/* The line that gives the parameter a value where this service has it from. */
static struct span
line_of(struct visit *v, const struct postfix *pf, const struct door *d,
        const char *name, struct span value)
{
	if (!postfix_overrides(pf, d, name))
		return TEXT(v, "%s = %.*s", name, SPAN_ARG(value));
	return override_line(v, d, name, value);
}

static void
mend_value(struct visit *v, const struct postfix *pf, const struct door *d,
           struct span what, const char *name, struct span value)
{
	visit_find(v, d->name, what, file_of(pf, d, name),
	           line_of(v, pf, d, name, value));
}

/* The service's list with one entry in another's place; NULL: behind all. */
static struct span
list_with(struct visit *v, struct span list, const struct entry *old,
          struct span spelling)
{
	struct span before = list, after = {"", 0};

	if (list.p == NULL || list.n == 0)
		return spelling;
	if (old == NULL || old->text.p == NULL)
		return TEXT(v, "%.*s, %.*s", SPAN_ARG(list),
		            SPAN_ARG(spelling));
	before.n = (size_t)(old->address.p - list.p);
	after.p = old->address.p + old->address.n;
	after.n = (size_t)(list.p + list.n - after.p);
	return TEXT(v, "%.*s%.*s%.*s", SPAN_ARG(before), SPAN_ARG(spelling),
	            SPAN_ARG(after));
}

static void
mend_list(struct visit *v, const struct postfix *pf, const struct door *d,
          const struct entry *old, struct span what)
{
	struct span spelling = postfix_spelling(v, pf, d);
	struct span list = postfix_value(pf, d, d->milters);

	/* Of an entry that leads elsewhere the chroot has been told. */
	if (spelling.p == NULL && old == NULL &&
	    v->name.family == SOCKET_PATH)
		what = TEXT(v, "%.*s; its chroot hides that path, so move "
		            "the socket first", SPAN_ARG(what));
	if (spelling.p == NULL)
		visit_find(v, d->name, what, "policy", TEXT(v,
		           "set socket \"unix:%s/vaglio/milter.sock\"",
		           pf->queue));
	else
		mend_value(v, pf, d, what, d->milters,
		           list_with(v, list, old, spelling));
}

/* ---- is vaglio asked at all? ---- */

static void
look_at_syntax(struct visit *v, const void *of)
{
	const struct postfix *pf = of;
	const struct door *d;
	struct entry e;
	enum relation r;

	for (EACH_DOOR(d, pf)) {
		r = postfix_attachment(v, pf, d, &e);
		if (r == FOREIGN)
			mend_list(v, pf, d, &e, TEXT(v, "%s: %.*s is how "
			          "Sendmail writes it", d->milters,
			          SPAN_ARG(e.address)));
		else if (r == BAD)
			mend_value(v, pf, d, TEXT(v, "%s: %.*s is no socket "
			           "for Postfix: unix:path or inet:host:port",
			           d->milters, SPAN_ARG(e.address)),
			           d->milters, list_with(v, postfix_value(pf,
			           d, d->milters), &e, SPAN("inet:host:port")));
	}
}

static void
look_at_chroot(struct visit *v, const void *of)
{
	const struct postfix *pf = of;
	const struct door *d;
	struct span path;
	struct entry e;

	for (EACH_DOOR(d, pf)) {
		if (postfix_attachment(v, pf, d, &e) != ASTRAY)
			continue;
		path = (struct span){e.address.p + 5, e.address.n - 5};
		mend_list(v, pf, d, &e, TEXT(v, "%s is %schrooted: with %.*s "
		          "it looks for %s", d->is_local ? "cleanup" : "smtpd",
		          d->chrooted ? "" : "not ", SPAN_ARG(e.address),
		          postfix_path(v, pf, d, path)));
	}
}

/*
 * Does a door leave us out though another asks us, and names other milters
 * in our place? One filter may stand before submission, one before port 25.
 */
static bool
is_elsewhere(struct visit *v, const struct postfix *pf, const struct door *door)
{
	struct span list = postfix_value(pf, door, door->milters);
	const struct door *d;
	struct entry e;

	if (list.p == NULL || list.n == 0 ||
	    postfix_attachment(v, pf, door, &e) != OTHER)
		return false;
	for (EACH_DOOR(d, pf))
		if (!d->is_local &&
		    postfix_attachment(v, pf, d, &e) != OTHER)
			return true;
	return false;
}

static bool
is_left_out(struct visit *v, const struct postfix *pf, const struct door *d)
{
	struct entry e;

	return postfix_attachment(v, pf, d, &e) == OTHER &&
	       !is_elsewhere(v, pf, d);
}

static void
look_elsewhere(struct visit *v, const void *of)
{
	const struct postfix *pf = of;
	const struct door *d;

	for (EACH_DOOR(d, pf))
		if (is_elsewhere(v, pf, d))
			mend_list(v, pf, d, NULL, TEXT(v, "has other milters "
			          "than %s: mail that comes this way is "
			          "theirs", v->socket));
}

static void
look_at_milters(struct visit *v, const void *of)
{
	const struct postfix *pf = of;
	const struct door *d;

	for (EACH_DOOR(d, pf))
		if (!d->is_local && !postfix_overrides(pf, d, d->milters) &&
		    is_left_out(v, pf, d))
			mend_list(v, pf, d, NULL, TEXT(v, "smtpd_milters does "
			          "not name %s: no mail is filtered",
			          v->socket));
}

/* The doors whose own smtpd_milters leaves us out. */
static void
look_at_overrides(struct visit *v, const struct postfix *pf, bool loopback)
{
	const struct door *d;

	for (EACH_DOOR(d, pf))
		if (!d->is_local && d->loopback == loopback &&
		    postfix_overrides(pf, d, d->milters) &&
		    is_left_out(v, pf, d))
			mend_list(v, pf, d, NULL, TEXT(v, "its own "
			          "smtpd_milters leaves out %s: mail that comes "
			          "this way is not filtered", v->socket));
}

static void
look_at_open_overrides(struct visit *v, const void *of)
{
	look_at_overrides(v, of, false);
}

static void
look_at_loopback_overrides(struct visit *v, const void *of)
{
	look_at_overrides(v, of, true);
}

static void
look_at_local_mail(struct visit *v, const void *of)
{
	const struct postfix *pf = of;
	const struct door *d;

	for (EACH_DOOR(d, pf))
		if (d->is_local && is_left_out(v, pf, d))
			mend_list(v, pf, d, NULL, TEXT(v, "non_smtpd_milters "
			          "does not name %s: mail from the sendmail "
			          "command is not filtered", v->socket));
}

/* The words of a list but one. */
static struct span
without(struct visit *v, struct span list, struct span word)
{
	struct span w, rest = SPAN("");

	while ((w = visit_word(&list, ", \t")).p != NULL)
		if (!span_is(w, word))
			rest = TEXT(v, "%.*s%s%.*s", SPAN_ARG(rest),
			            rest.n > 0 ? ", " : "", SPAN_ARG(w));
	return rest;
}

static void
look_at_no_milters(struct visit *v, const void *of)
{
	static const char name[] = "receive_override_options";
	const struct postfix *pf = of;
	const struct door *d;
	struct span list, rest, word;

	for (EACH_DOOR(d, pf)) {
		rest = list = postfix_value(pf, d, name);
		while (!d->is_local && rest.p != NULL &&
		       (word = visit_word(&rest, ", \t")).p != NULL)
			if (span_is(word, SPAN("no_milters")))
				mend_value(v, pf, d, TEXT(v, "no_milters: "
				           "mail that comes this way is not "
				           "filtered"), name,
				           without(v, list, word));
	}
}

/* The service to which postscreen hands a client; NULL: it is not there. */
static const struct door *
behind_screen(struct visit *v, const struct postfix *pf,
              const struct door *screen, struct span *name)
{
	struct span service = postfix_value(pf, screen, "smtpd_service_name");
	const struct door *d;

	*name = TEXT(v, "%.*s/pass", SPAN_ARG(service));
	for (EACH_DOOR(d, pf))
		if (span_is(d->name, *name))
			return d;
	return NULL;
}

static void
look_behind_screens(struct visit *v, const void *of)
{
	const struct postfix *pf = of;
	size_t i;

	for (i = 0; i < pf->n_screens; i++) {
		const struct door *screen = &pf->screens[i];
		struct span name;

		if (behind_screen(v, pf, screen, &name) == NULL)
			visit_find(v, screen->name, TEXT(v, "postscreen hands "
			           "its clients to %.*s, which is not there",
			           SPAN_ARG(name)), "master.cf",
			           TEXT(v, "%.*s pass - - y - - smtpd",
			                SPAN_ARG(postfix_value(pf, screen,
			                         "smtpd_service_name"))));
	}
}

/* What is set for postscreen, which asks no milters, and not behind it. */
static void
look_at_screens(struct visit *v, const void *of)
{
	static const char *const names[] = {"smtpd_milters",
		"smtpd_milter_maps", "receive_override_options",
		"milter_macro_daemon_name", "milter_default_action",
		"milter_protocol", "milter_connect_timeout",
		"milter_command_timeout", "milter_content_timeout"};
	const struct postfix *pf = of;
	struct span value, name;
	size_t i, j;

	for (i = 0; i < pf->n_screens; i++) {
		const struct door *screen = &pf->screens[i];
		const struct door *d = behind_screen(v, pf, screen, &name);

		for (j = 0; d != NULL && j < COUNT(names); j++) {
			if (!postfix_overrides(pf, screen, names[j]))
				continue;
			value = postfix_value(pf, screen, names[j]);
			if (!span_is(value, postfix_value(pf, d, names[j])))
				visit_find(v, screen->name, TEXT(v,
				           "postscreen asks no milters: its "
				           "%s means nothing", names[j]),
				           "master.cf", override_line(v, d,
				           names[j], value));
		}
	}
}

static void
look_at_maps(struct visit *v, const void *of)
{
	static const char name[] = "smtpd_milter_maps";
	const struct postfix *pf = of;
	const struct door *d;
	struct span maps;

	for (EACH_DOOR(d, pf)) {
		maps = postfix_value(pf, d, name);
		if (!d->is_local && maps.p != NULL && maps.n > 0)
			mend_value(v, pf, d, TEXT(v, "clients that %.*s names "
			           "have other milters, or none",
			           SPAN_ARG(maps)), name, SPAN(""));
	}
}

/* MILTER_README, "Limitations". */
static void
look_at_proxies(struct visit *v, const void *of)
{
	static const char name[] = "smtpd_proxy_filter";
	const struct postfix *pf = of;
	const struct door *d;
	struct span proxy;
	struct entry e;

	for (EACH_DOOR(d, pf)) {
		proxy = postfix_value(pf, d, name);
		if (!d->is_local && proxy.p != NULL && proxy.n > 0 &&
		    postfix_attachment(v, pf, d, &e) == OURS)
			mend_value(v, pf, d, TEXT(v, "behind the proxy filter "
			           "%.*s milters see no header and no body",
			           SPAN_ARG(proxy)), name, SPAN(""));
	}
}

/* The service to which a content filter hands mail back. */
static void
look_at_ways_back(struct visit *v, const void *of)
{
	const struct postfix *pf = of;
	const struct door *d, *other;
	struct span filter = {NULL, 0};
	struct entry e;

	for (EACH_DOOR(other, pf))
		if (filter.n == 0)
			filter = postfix_value(pf, other, "content_filter");
	for (EACH_DOOR(d, pf))
		if (d->loopback && filter.n > 0 &&
		    postfix_attachment(v, pf, d, &e) == OURS)
			visit_find(v, d->name, TEXT(v, "what %.*s hands back "
			           "here is filtered a second time",
			           SPAN_ARG(filter)), "master.cf",
			           TEXT(v, "%.*s: -o smtpd_milters=",
			                SPAN_ARG(d->name)));
}

static void
look_at_access(struct visit *v, const void *of)
{
	const struct postfix *pf = of;
	const struct door *d;
	const char *owner = visit_text(v, postfix_value(pf, NULL,
	                                                "mail_owner"));
	const struct passwd *user = getpwnam(owner);
	struct caller c = {.user = owner};
	size_t n = strlen(pf->queue);
	struct entry e;

	if (user == NULL || v->name.family != SOCKET_PATH)
		return;
	c.uid = user->pw_uid;
	c.gid = user->pw_gid;
	for (EACH_DOOR(d, pf)) {
		if (d->privileged ||
		    postfix_attachment(v, pf, d, &e) != OURS)
			continue;
		c.chroot = d->chrooted &&
		           strncmp(v->name.path, pf->queue, n) == 0 &&
		           v->name.path[n] == '/' ? pf->queue : NULL;
		visit_check_access(v, &c, d->name);
	}
}

/* ---- how vaglio is asked ---- */

/*
 * What the milter_ parameter of that name is for us: our entry's own setting
 * or the service's. In *line, *file what sets it to value.
 */
static struct span
setting_of(struct visit *v, const struct postfix *pf, const struct door *d,
           const struct entry *e, const char *name, struct span value,
           const char **file, struct span *line)
{
	const char *full = visit_text(v, TEXT(v, "milter_%s", name));
	struct span own = postfix_entry_setting(e, name);

	if (own.p != NULL) {
		*file = file_of(pf, d, d->milters);
		*line = TEXT(v, "%s: { %.*s, %s = %.*s }", d->milters,
		             SPAN_ARG(e->address), name, SPAN_ARG(value));
		return own;
	}
	*file = file_of(pf, d, full);
	*line = line_of(v, pf, d, full, value);
	return postfix_value(pf, d, full);
}

static void
look_at_default_action(struct visit *v, const void *of)
{
	const struct postfix *pf = of;
	const struct door *d;
	const char *file;
	struct span action, line;
	struct entry e;

	for (EACH_DOOR(d, pf)) {
		if (postfix_attachment(v, pf, d, &e) != OURS)
			continue;
		action = setting_of(v, pf, d, &e, "default_action",
		                    SPAN("tempfail"), &file, &line);
		if (span_is(action, SPAN("accept")))
			visit_find(v, d->name, SPAN("while vaglio is not "
			           "there, mail comes in unfiltered"), file,
			           line);
		else if (span_is(action, SPAN("reject")))
			visit_find(v, d->name, SPAN("while vaglio is not "
			           "there, mail is refused for good"), file,
			           line);
	}
}

static void
look_at_protocol(struct visit *v, const void *of)
{
	const struct postfix *pf = of;
	const struct door *d;
	const char *file;
	struct span version, line;
	struct entry e;

	for (EACH_DOOR(d, pf)) {
		if (postfix_attachment(v, pf, d, &e) != OURS)
			continue;
		version = setting_of(v, pf, d, &e, "protocol", SPAN("6"),
		                     &file, &line);
		if (version.n > 0 && !span_is(version, SPAN("6")))
			visit_find(v, d->name, TEXT(v, "protocol %.*s lacks "
			           "what vaglio needs", SPAN_ARG(version)),
			           file, line);
	}
}

static void
look_at_timeout(struct visit *v, const struct postfix *pf, const char *name,
                long least, struct span reasons)
{
	struct span want = TEXT(v, "%lds", least < 30 ? 30 : least);
	const struct door *d;
	const char *file;
	struct span time, line;
	struct entry e;
	long seconds;

	for (EACH_DOOR(d, pf)) {
		if (postfix_attachment(v, pf, d, &e) != OURS)
			continue;
		time = setting_of(v, pf, d, &e, name, want, &file, &line);
		seconds = visit_seconds(time, 's');
		if (seconds >= 0 && seconds < least)
			visit_find(v, d->name, TEXT(v, "Postfix waits %lds "
			           "and gives up; vaglio may need %lds%.*s",
			           seconds, least, SPAN_ARG(reasons)),
			           file, line);
	}
}

static void
look_at_connect_timeout(struct visit *v, const void *of)
{
	look_at_timeout(v, of, "connect_timeout", LEAST_CONNECT, SPAN(""));
}

static void
look_at_command_timeout(struct visit *v, const void *of)
{
	look_at_timeout(v, of, "command_timeout", visit_patience(v),
	                visit_reasons(v));
}

static void
look_at_content_timeout(struct visit *v, const void *of)
{
	look_at_timeout(v, of, "content_timeout", visit_patience(v),
	                visit_reasons(v));
}

/* ---- does Postfix send what the policy asks for? ---- */

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

static void
look_at_login(struct visit *v, const void *of)
{
	static const enum subject_id ids[] = {SUBJECT_AUTH,
		SUBJECT_AUTH_METHOD};

	if (visit_asks(v, ids, COUNT(ids)) &&
	    !is_on(of, "smtpd_sasl_auth_enable", "no"))
		visit_find(v, SPAN(""), SPAN("the policy asks for auth, and "
		           "no service lets clients log in"), "master.cf",
		           SPAN("submission/inet: "
		                "-o smtpd_sasl_auth_enable=yes"));
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

/* ---- what no filter can see ---- */

static void
look_at_bare_newline(struct visit *v, const void *of)
{
	static const char name[] = "smtpd_forbid_bare_newline";
	const struct postfix *pf = of;
	const struct door *d;
	struct span value;

	for (EACH_DOOR(d, pf)) {
		if (d->is_local || d->loopback)
			continue;
		value = postfix_value(pf, d, name);
		if (value.p == NULL)
			visit_find(v, d->name, SPAN("a bare line feed can "
			           "smuggle in a second message, and this "
			           "Postfix has no setting against it"),
			           "shell", SPAN("upgrade to Postfix 3.5.23, "
			           "3.6.13, 3.7.9, 3.8.4 or later"));
		else if (span_is(value, SPAN("no")) ||
		         span_is(value, SPAN("note")))
			mend_value(v, pf, d, SPAN("a bare line feed can "
			           "smuggle in a second message"), name,
			           SPAN("yes"));
	}
}

static const struct check checks[] = {
	{"socket-syntax", FAULT, look_at_syntax},
	{"chroot", FAULT, look_at_chroot},
	{"other-milters", NOTE, look_elsewhere},
	{"not-attached", FAULT, look_at_milters},
	{"service-override", FAULT, look_at_open_overrides},
	{"loopback-service", NOTE, look_at_loopback_overrides},
	{"local-mail", FAULT, look_at_local_mail},
	{"screened-service", FAULT, look_behind_screens},
	{"screen-setting", FAULT, look_at_screens},
	{"no-milters", FAULT, look_at_no_milters},
	{"milter-maps", NOTE, look_at_maps},
	{"proxy-filter", FAULT, look_at_proxies},
	{"filtered-twice", NOTE, look_at_ways_back},
	{"socket-access", FAULT, look_at_access},
	{"default-action", FAULT, look_at_default_action},
	{"protocol", FAULT, look_at_protocol},
	{"connect-timeout", FAULT, look_at_connect_timeout},
	{"command-timeout", FAULT, look_at_command_timeout},
	{"content-timeout", FAULT, look_at_content_timeout},
	{"no-login", FAULT, look_at_login},
	{"no-tls", FAULT, look_at_tls},
	{"no-certificates", FAULT, look_at_certificates},
	{"macro", FAULT, look_at_macros},
	{"submission-name", FAULT, look_at_originating},
	{"false-name", FAULT, look_at_false_name},
	{"bare-newline", FAULT, look_at_bare_newline},
};

int
visit_postfix(struct visit *v, const char *folder)
{
	struct postfix pf;
	int status = postfix_read(v, folder, &pf);
	struct span version;

	if (status != 0)
		return status;
	version = postfix_value(&pf, NULL, "mail_version");
	v->mta = TEXT(v, "Postfix %.*s in %s", SPAN_ARG(version), folder);
	visit_run(v, checks, COUNT(checks), &pf);
	return 0;
}
