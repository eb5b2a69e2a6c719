/*
 * doctor_sendmail.c - what in a sendmail.cf keeps mail from the filter: a row
 * and a function each.
 */
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "doctor_visit.h"

#define MC "sendmail.mc"

struct sendmail {
	struct span text;    /* the file, lines that go on joined */
	struct span filter;  /* our X line's name; p NULL: there is none */
	struct span equates; /* what stands behind it: "S=..., F=T" */
	struct span socket;  /* its S= */
};

/* ---- reading ---- */

/* The file with lines that begin with a blank joined to the one above. */
static struct span
read_text(struct visit *v, FILE *f)
{
	struct span s = {NULL, 0};
	struct stat st;
	size_t i, n = 0, size;
	char *p;

	if (fstat(fileno(f), &st) != 0)
		return s;
	size = (size_t)st.st_size;
	p = arena_alloc(v->arena, size + 1);
	if (p == NULL || (size = fread(p, 1, size, f), ferror(f)))
		return s;
	for (i = 0; i < size; i++) {
		bool goes_on = p[i] == '\n' && i + 1 < size &&
		               (p[i + 1] == ' ' || p[i + 1] == '\t');

		p[n++] = goes_on ? ' ' : p[i];
	}
	return (struct span){p, n};
}

/* The next line that begins so, without that; p NULL: none. */
static struct span
next_line(struct span *rest, const char *begin)
{
	size_t n = strlen(begin);
	struct span line;

	while ((line = visit_word(rest, "\n")).p != NULL)
		if (line.n >= n && strncasecmp(line.p, begin, n) == 0)
			return (struct span){line.p + n, line.n - n};
	return (struct span){NULL, 0};
}

/* The value of "O Name=value"; the last one counts. */
static struct span
option(const struct sendmail *sm, const char *name)
{
	struct span rest = sm->text, line, value = {NULL, 0};
	size_t n = strlen(name);

	while ((line = next_line(&rest, "O ")).p != NULL) {
		line = span_trim(line);
		if (line.n <= n || strncasecmp(line.p, name, n) != 0)
			continue;
		line = span_trim((struct span){line.p + n, line.n - n});
		if (line.n > 0 && *line.p == '=')
			value = span_trim((struct span){line.p + 1,
			                                line.n - 1});
	}
	return value;
}

/* Of "Name=value, N=value", that of a name; a letter stands for it. */
static struct span
equate(struct span list, const char *name)
{
	struct span word, key;
	const char *equals;

	while (list.p != NULL && (word = visit_word(&list, ",")).p != NULL) {
		word = span_trim(word);
		equals = memchr(word.p, '=', word.n);
		if (equals == NULL)
			continue;
		key = span_trim((struct span){word.p,
		                              (size_t)(equals - word.p)});
		if (!span_is_nocase(key, span_of(name)) &&
		    !(key.n == 1 && toupper((unsigned char)*key.p) == *name))
			continue;
		word.n -= (size_t)(equals + 1 - word.p);
		word.p = equals + 1;
		return span_trim(word);
	}
	return (struct span){NULL, 0};
}

static bool
names(struct span list, struct span name)
{
	struct span word;

	while (list.p != NULL && (word = visit_word(&list, ", ;")).p != NULL)
		if (span_is(word, name))
			return true;
	return false;
}

/* ---- our filter ---- */

static bool
is_number(const char *s)
{
	return *s != '\0' && strspn(s, "0123456789") == strlen(s);
}

/* As Sendmail reads it. */
static bool
is_ours(struct visit *v, struct span socket)
{
	struct socket_name name;

	if (!socket_parse(visit_text(v, socket), &name) ||
	    name.family == SOCKET_FD)
		return false;
	return name.family == SOCKET_PATH ? visit_is_path(v, name.path) :
	       visit_is_port(v, name.host, name.port);
}

/* As Postfix writes it: "inet:host:port". */
static bool
is_foreign(struct visit *v, struct span socket)
{
	const char *text = visit_text(v, socket), *colon = strrchr(text, ':');
	struct span host;

	if (strncmp(text, "inet:", 5) != 0 || colon < text + 6 ||
	    memchr(text, '@', strlen(text)) != NULL || !is_number(colon + 1))
		return false;
	host = (struct span){text + 5, (size_t)(colon - text) - 5};
	return visit_is_port(v, visit_text(v, host), colon + 1);
}

/* Xname, equates: the first one whose socket is ours, however it is written. */
static void
find_filter(struct visit *v, struct sendmail *sm)
{
	struct span rest = sm->text, line, name, socket;

	while ((line = next_line(&rest, "X")).p != NULL) {
		name = span_trim(visit_word(&line, ","));
		socket = equate(line, "Socket");
		if (socket.p == NULL ||
		    (!is_ours(v, socket) && !is_foreign(v, socket)))
			continue;
		sm->filter = name;
		sm->equates = line;
		sm->socket = socket;
		return;
	}
}

static struct span
spelling(struct visit *v)
{
	const struct socket_name *s = &v->name;

	if (s->family == SOCKET_PATH)
		return TEXT(v, "unix:%s", s->path);
	if (s->family == SOCKET_FD)
		return SPAN("unix:/run/vaglio/milter.sock");
	return TEXT(v, "inet%s:%s@%s", s->family == SOCKET_INET6 ? "6" : "",
	            s->port, s->host);
}

/* The whole line of the .mc that is right. */
static struct span
whole(struct visit *v, const struct sendmail *sm)
{
	struct span name = sm->filter.p != NULL ? sm->filter : SPAN("vaglio");
	struct span socket = spelling(v);
	long r = visit_patience(v);

	return TEXT(v, "INPUT_MAIL_FILTER(`%.*s', "
	            "`S=%.*s, F=T, T=S:30s;R:%lds;E:5m')", SPAN_ARG(name),
	            SPAN_ARG(socket), r < 30 ? 30 : r);
}

/* ---- the checks ---- */

static void
look_at_filter(struct visit *v, const void *of)
{
	const struct sendmail *sm = of;

	if (sm->filter.p == NULL)
		visit_find(v, SPAN(""), TEXT(v, "no mail filter has the "
		           "socket %s: no mail is filtered", v->socket), MC,
		           whole(v, sm));
}

static void
look_at_syntax(struct visit *v, const void *of)
{
	const struct sendmail *sm = of;

	if (sm->filter.p != NULL && !is_ours(v, sm->socket))
		visit_find(v, sm->filter, TEXT(v, "S=%.*s is how Postfix "
		           "writes it", SPAN_ARG(sm->socket)), MC,
		           whole(v, sm));
}

/* One of Sendmail's listeners, and the filters that it asks. */
struct daemon {
	struct span name, list;
};

/* Without a list of its own, or with an empty one, it is that of all. */
static bool
next_daemon(const struct sendmail *sm, struct span *rest, struct daemon *d)
{
	struct span line = next_line(rest, "O DaemonPortOptions=");

	if (line.p == NULL)
		return false;
	d->name = equate(line, "Name");
	d->list = equate(line, "InputMailFilters");
	if (d->list.n == 0)
		d->list = option(sm, "InputMailFilters");
	return true;
}

static bool
is_asked(const struct sendmail *sm)
{
	struct span rest = sm->text;
	struct daemon d;
	bool any = false;

	while (next_daemon(sm, &rest, &d)) {
		if (names(d.list, sm->filter))
			return true;
		any = true;
	}
	return !any && names(option(sm, "InputMailFilters"), sm->filter);
}

static void
look_at_input(struct visit *v, const void *of)
{
	const struct sendmail *sm = of;
	struct span list = option(sm, "InputMailFilters");

	if (sm->filter.p != NULL && !is_asked(sm))
		visit_find(v, sm->filter, TEXT(v, "InputMailFilters does not "
		           "name %.*s: it is not asked",
		           SPAN_ARG(sm->filter)), MC,
		           TEXT(v, "define(`confINPUT_MAIL_FILTERS', "
		                "`%.*s%s%.*s')", SPAN_ARG(list),
		                list.n > 0 ? ", " : "",
		                SPAN_ARG(sm->filter)));
}

/* The listeners that leave us out though another asks us. */
static void
look_at_daemons(struct visit *v, const struct sendmail *sm, bool others)
{
	struct span rest = sm->text;
	struct daemon d;

	if (sm->filter.p == NULL || !is_asked(sm))
		return;
	while (next_daemon(sm, &rest, &d))
		if (!names(d.list, sm->filter) && (d.list.n > 0) == others)
			visit_find(v, d.name, TEXT(v, "%s: mail that comes "
			           "this way is %s", others ? "has other "
			           "filters" : "has no filter", others ?
			           "theirs" : "not filtered"), MC,
			           TEXT(v, "DAEMON_OPTIONS(`Name=%.*s, ..., "
			                "InputMailFilters=%.*s%s%.*s')",
			                SPAN_ARG(d.name), SPAN_ARG(d.list),
			                others ? ";" : "",
			                SPAN_ARG(sm->filter)));
}

static void
look_at_open_daemons(struct visit *v, const void *of)
{
	look_at_daemons(v, of, false);
}

static void
look_at_other_filters(struct visit *v, const void *of)
{
	look_at_daemons(v, of, true);
}

static void
look_at_flag(struct visit *v, const void *of)
{
	const struct sendmail *sm = of;
	struct span flag = equate(sm->equates, "Flags");

	if (sm->filter.p == NULL || (flag.n > 0 && strchr("T4", *flag.p)) ||
	    (flag.n == 0 && visit_on_trial(v)))
		return;
	visit_find(v, sm->filter, flag.n > 0 && *flag.p == 'R' ?
	           SPAN("F=R: while vaglio is not there, mail is refused for "
	                "good") :
	           SPAN("without F=T, mail comes in unfiltered while vaglio "
	                "is not there"), MC, whole(v, sm));
}

/* Of T=C:5m;S:10s;R:10s;E:5m, or what Sendmail takes without it. */
static long
timeout(const struct sendmail *sm, char letter)
{
	struct span list = equate(sm->equates, "Timeouts"), word;
	long seconds = letter == 'C' || letter == 'E' ? 300 : 10;

	while (list.p != NULL && (word = visit_word(&list, "; ")).p != NULL)
		if (word.n > 2 && *word.p == letter && word.p[1] == ':')
			seconds = visit_seconds((struct span){word.p + 2,
			                                      word.n - 2},
			                        's');
	return seconds;
}

static void
look_at_timeouts(struct visit *v, const void *of)
{
	static const struct {
		char letter;
		const char *what;
	} times[] = {{'R', "a reply"}, {'E', "the verdict"}};
	const struct sendmail *sm = of;
	long least = visit_patience(v), seconds;
	size_t i;

	for (i = 0; sm->filter.p != NULL && i < 2; i++) {
		seconds = timeout(sm, times[i].letter);
		if (seconds >= 0 && seconds < least)
			visit_find(v, sm->filter, TEXT(v, "%c: Sendmail waits "
			           "%lds for %s and gives up; vaglio may need "
			           "%lds%.*s", times[i].letter, seconds,
			           times[i].what, least,
			           SPAN_ARG(visit_reasons(v))), MC,
			           whole(v, sm));
	}
}

/* Those that Sendmail 8.17 defines. */
#define SENDMAIL_MACROS "{addr_type} {alg_bits} {auth_authen} {auth_author} " \
	"{auth_ssf} {auth_type} {bodytype} {cert_altnames} {cert_fp} " \
	"{cert_issuer} {cert_subject} {cipher_bits} {cipher} {client_addr} " \
	"{client_connections} {client_flags} {client_name} {client_port} " \
	"{client_ptr} {client_rate} {client_resolve} {cn_issuer} " \
	"{cn_subject} {currHeader} {daemon_addr} {daemon_family} " \
	"{daemon_flags} {daemon_info} {daemon_name} {daemon_port} " \
	"{deliveryMode} {dsn_envid} {dsn_notify} {dsn_ret} {envid} " \
	"{hdr_name} {hdrlen} {if_addr_out} {if_addr} {if_family_out} " \
	"{if_family} {if_name_out} {if_name} {load_avg} {mail_addr} " \
	"{mail_from} {mail_host} {mail_mailer} {msg_id} {msg_size} " \
	"{nbadrcpts} {nrcpts} {ntries} {quarantine} {queue_interval} " \
	"{rcpt_addr} {rcpt_host} {rcpt_mailer} {server_addr} {server_name} " \
	"{sts_sni} {time} {tls_version} {total_rate} {verify}"

/* One letter may be anything; "D{name}value" and "Dxvalue" define one. */
static bool
is_defined(const void *of, struct span name)
{
	const struct sendmail *sm = of;
	struct span rest = sm->text, line;

	if (name.n == 1)
		return true;
	while ((line = next_line(&rest, "D")).p != NULL)
		if (line.n >= name.n &&
		    memcmp(line.p, name.p, name.n) == 0)
			return true;
	return false;
}

static void
tell_macro(struct visit *v, struct span name, struct span rule)
{
	visit_find(v, SPAN(""), TEXT(v, "rule %.*s asks for the macro %.*s, "
	           "which Sendmail does not know", SPAN_ARG(rule),
	           SPAN_ARG(name)), MC, TEXT(v, "LOCAL_CONFIG\\nD%.*svalue",
	                                     SPAN_ARG(name)));
}

static void
look_at_macros(struct visit *v, const void *of)
{
	visit_unknown_macros(v, SENDMAIL_MACROS, is_defined, tell_macro, of);
}

/* RunAsUser = user [ ":" group ]; without it Sendmail connects as root. */
static bool
read_user(struct visit *v, struct span name, struct caller *c)
{
	struct span user = visit_word(&name, ":");
	const char *group = visit_text(v, visit_word(&name, ":"));
	const struct passwd *pw;
	const struct group *gr;

	c->user = visit_text(v, user);
	pw = getpwnam(c->user);
	if (pw == NULL)
		return false;
	c->uid = pw->pw_uid;
	c->gid = pw->pw_gid;
	gr = *group != '\0' ? getgrnam(group) : NULL;
	if (gr != NULL)
		c->gid = gr->gr_gid;
	return c->uid != 0;
}

static void
look_at_access(struct visit *v, const void *of)
{
	const struct sendmail *sm = of;
	struct caller c = {0};

	if (sm->filter.p != NULL && read_user(v, option(sm, "RunAsUser"), &c))
		visit_check_access(v, &c, sm->filter);
}

/*
 * Sendmail takes no socket that others than its owner could have put there:
 * no folder above it may be theirs to write to, a sticky one neither.
 */
static void
look_at_folders(struct visit *v, const void *of)
{
	const struct sendmail *sm = of;
	struct span blame = option(sm, "DontBlameSendmail");
	mode_t bad = names(blame, SPAN("GroupWritableDirPathSafe")) ?
	             S_IWOTH : S_IWGRP | S_IWOTH;
	bool sticky = names(blame, SPAN("TrustStickyBit"));
	const char *path = v->name.path, *folder;
	struct stat st;
	size_t n;

	if (sm->filter.p == NULL || v->name.family != SOCKET_PATH)
		return;
	for (n = strlen(path); n > 1; n--) {
		if (path[n - 1] != '/')
			continue;
		folder = visit_text(v, (struct span){path, n - 1});
		if (stat(folder, &st) != 0 || (st.st_mode & bad) == 0 ||
		    (sticky && (st.st_mode & S_ISVTX) != 0))
			continue;
		visit_find(v, sm->filter, TEXT(v, "others may write to %s "
		           "(%.*s): Sendmail takes no socket there and does "
		           "not start", folder, SPAN_ARG(visit_owners(v,
		           &st))), "shell", TEXT(v, "chmod go-w %s", folder));
	}
}

static const struct check checks[] = {
	{"not-attached", FAULT, look_at_filter},
	{"socket-syntax", FAULT, look_at_syntax},
	{"not-asked", FAULT, look_at_input},
	{"service-override", FAULT, look_at_open_daemons},
	{"other-milters", NOTE, look_at_other_filters},
	{"socket-access", FAULT, look_at_access},
	{"unsafe-folder", FAULT, look_at_folders},
	{"default-action", FAULT, look_at_flag},
	{"command-timeout", FAULT, look_at_timeouts},
	{"macro", FAULT, look_at_macros},
};

int
visit_sendmail(struct visit *v, const char *file)
{
	struct sendmail sm = {.text = {NULL, 0}};
	FILE *f = fopen(file, "r");
	struct span rest, version;

	if (f != NULL)
		sm.text = read_text(v, f);
	if (sm.text.p == NULL) {
		fprintf(stderr, "vaglio: %s: %s\n", file, strerror(errno));
		if (f != NULL)
			fclose(f);
		return EX_NOINPUT;
	}
	fclose(f);
	rest = sm.text;
	version = next_line(&rest, "DZ");
	v->mta = TEXT(v, "Sendmail%s%.*s in %s", version.n > 0 ? " " : "",
	              SPAN_ARG(version), file);
	find_filter(v, &sm);
	visit_run(v, checks, sizeof(checks) / sizeof(checks[0]), &sm);
	return 0;
}
