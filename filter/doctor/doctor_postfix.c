/* doctor_postfix.c - Postfix's configuration, as postconf(1) tells it. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "doctor_postfix.h"

extern char **environ;

#define POSTCONF "/usr/sbin/postconf" /* where it is not in a user's PATH */

/* ---- asking postconf ---- */

static int
run(const char *const *words, int out, int err)
{
	posix_spawn_file_actions_t to;
	char *const *argv = (char *const *)(size_t)words;
	int status, got;
	pid_t child;

	if (posix_spawn_file_actions_init(&to) != 0)
		return -1;
	posix_spawn_file_actions_adddup2(&to, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&to, err, STDERR_FILENO);
	got = posix_spawnp(&child, words[0], &to, NULL, argv, environ);
	if (got == ENOENT)
		got = posix_spawn(&child, POSTCONF, &to, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&to);
	errno = got;
	if (got != 0)
		return -1;
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return status;
}

static struct span
read_back(struct visit *v, FILE *f)
{
	struct span s = {NULL, 0};
	long n;
	char *p;

	if (fseek(f, 0, SEEK_END) != 0 || (n = ftell(f)) < 0)
		return s;
	p = arena_alloc(v->arena, (size_t)n + 1);
	rewind(f);
	if (p != NULL)
		s = (struct span){p, fread(p, 1, (size_t)n, f)};
	return s;
}

/*
 * What postconf says, in *out. What it complains of is shown if it fails; for
 * a parameter that this Postfix does not know it only warns.
 */
static int
ask(struct visit *v, const char *const *words, struct span *out)
{
	FILE *said = tmpfile(), *complaint = tmpfile();
	int status = -1;
	struct span why = SPAN("");

	if (said != NULL && complaint != NULL) {
		status = run(words, fileno(said), fileno(complaint));
		if (status == -1)
			fprintf(stderr, "vaglio: postconf: %s\n",
			        strerror(errno));
		*out = read_back(v, said);
		why = read_back(v, complaint);
	} else {
		fprintf(stderr, "vaglio: a temporary file: %s\n",
		        strerror(errno));
	}
	if (status != 0)
		fprintf(stderr, "%.*s", SPAN_ARG(why));
	if (said != NULL)
		fclose(said);
	if (complaint != NULL)
		fclose(complaint);
	if (status == 0 && out->p == NULL)
		status = -1;
	return status == 0 ? 0 : EX_UNAVAILABLE;
}

/* ---- values ---- */

/* The value of "key = value" in lines. */
static struct span
find(struct span lines, struct span key)
{
	struct span line;

	while ((line = visit_word(&lines, "\n")).p != NULL) {
		if (line.n < key.n + 2 || memcmp(line.p, key.p, key.n) != 0 ||
		    memcmp(line.p + key.n, " =", 2) != 0)
			continue;
		line.p += key.n + 2;
		line.n -= key.n + 2;
		return span_trim(line);
	}
	return (struct span){NULL, 0};
}

static struct span
find_override(const struct postfix *pf, const struct door *d, const char *name)
{
	char key[512];
	int n = snprintf(key, sizeof(key), "%.*s/%s", SPAN_ARG(d->name), name);

	if (n < 0 || (size_t)n >= sizeof(key))
		return (struct span){NULL, 0};
	return find(pf->overrides, (struct span){key, (size_t)n});
}

bool
postfix_overrides(const struct postfix *pf, const struct door *d,
                  const char *name)
{
	return d != NULL && find_override(pf, d, name).p != NULL;
}

struct span
postfix_value(const struct postfix *pf, const struct door *d, const char *name)
{
	struct span value = {NULL, 0};

	if (d != NULL)
		value = find_override(pf, d, name);
	return value.p != NULL ? value : find(pf->settings, span_of(name));
}

/* ---- services ---- */

/* The eight columns of master.cf(5). */
enum { NAME, TYPE, PRIVATE, UNPRIVILEGED, CHROOT, WAKEUP, LIMIT, COMMAND,
	COLUMNS };

/* "-": n since Postfix 3.0, with a level of 1 or more. */
static bool
default_chroot(const struct postfix *pf)
{
	struct span level = postfix_value(pf, NULL, "compatibility_level");

	return level.p == NULL || (level.n > 0 && *level.p == '0');
}

/* "name" or "host:name" */
static bool
has_port(struct span name, const char *const *ports)
{
	size_t i, n = name.n;

	while (n > 0 && name.p[n - 1] != ':')
		n--;
	name.p += n;
	name.n -= n;
	for (i = 0; ports[i] != NULL; i++)
		if (span_is(name, span_of(ports[i])))
			return true;
	return false;
}

static void
read_door(struct visit *v, struct postfix *pf, const struct span *column,
          struct span cleanup)
{
	static const char *const submission[] = {"submission", "submissions",
		"smtps", "587", "465", NULL};
	bool is_local = span_is(column[COMMAND], SPAN("cleanup")) &&
	                span_is(column[NAME], cleanup);
	bool is_screen = span_is(column[COMMAND], SPAN("postscreen"));
	struct door *d;

	if (is_screen)
		d = arena_grow(v->arena, &pf->screens, &pf->n_screens,
		               sizeof(*d));
	else if (is_local || span_is(column[COMMAND], SPAN("smtpd")))
		d = arena_grow(v->arena, &pf->doors, &pf->n_doors,
		               sizeof(*d));
	else
		return;
	if (d == NULL)
		return;
	d->name = TEXT(v, "%.*s/%.*s", SPAN_ARG(column[NAME]),
	               SPAN_ARG(column[TYPE]));
	d->milters = is_local ? "non_smtpd_milters" : "smtpd_milters";
	d->is_local = is_local;
	d->chrooted = span_is(column[CHROOT], SPAN("y")) ||
	              (span_is(column[CHROOT], SPAN("-")) &&
	               default_chroot(pf));
	d->privileged = span_is(column[UNPRIVILEGED], SPAN("n"));
	d->loopback = span_begins(column[NAME], SPAN("127.")) ||
	              span_begins(column[NAME], SPAN("[::1]:")) ||
	              span_begins(column[NAME], SPAN("localhost:"));
	d->submission = has_port(column[NAME], submission);
}

/* The services that ask milters: smtpd's, and cleanup for pickup's mail. */
static void
read_doors(struct visit *v, struct postfix *pf, struct span services)
{
	static const struct door pickup = {.name = {"pickup/unix", 11}};
	struct span cleanup = postfix_value(pf, &pickup,
	                                    "cleanup_service_name");
	struct span line, column[COLUMNS];
	size_t i;

	while ((line = visit_word(&services, "\n")).p != NULL) {
		for (i = 0; i < COLUMNS; i++)
			column[i] = visit_word(&line, " \t");
		if (column[COMMAND].p != NULL)
			read_door(v, pf, column, cleanup);
	}
}

int
postfix_read(struct visit *v, const char *folder, struct postfix *pf)
{
	const char *const settings[] = {"postconf", "-c", folder, "-x", NULL};
	const char *const services[] = {"postconf", "-c", folder, "-M", NULL};
	const char *const overrides[] = {"postconf", "-c", folder, "-x", "-P",
	                                 NULL};
	struct span master;
	int status;

	*pf = (struct postfix){.folder = folder};
	status = ask(v, settings, &pf->settings);
	if (status == 0)
		status = ask(v, services, &master);
	if (status == 0)
		status = ask(v, overrides, &pf->overrides);
	if (status != 0)
		return status;
	pf->queue = visit_text(v, postfix_value(pf, NULL, "queue_directory"));
	read_doors(v, pf, master);
	return 0;
}

/* ---- a list of milters ---- */

/*
 * The next entry, between commas and blanks or between braces; text.p NULL:
 * none.
 */
static struct entry
next_entry(struct span *rest)
{
	struct entry e = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
	size_t n = 0, depth = 0;

	while (rest->n > 0 && strchr(", \t", *rest->p) != NULL) {
		rest->p++;
		rest->n--;
	}
	if (rest->n == 0)
		return e;
	e.text.p = rest->p;
	for (; n < rest->n; n++) {
		if (rest->p[n] == '{')
			depth++;
		else if (rest->p[n] == '}' && depth > 0)
			depth--;
		else if (depth == 0 && strchr(", \t", rest->p[n]) != NULL)
			break;
	}
	e.text.n = n;
	rest->p += n;
	rest->n -= n;
	e.address = e.text;
	if (*e.text.p == '{') {
		e.settings = (struct span){e.text.p + 1,
		                           e.text.n > 1 ? e.text.n - 2 : 0};
		e.address = visit_word(&e.settings, ", \t");
	}
	return e;
}

/* "name = value" between commas, braces round it or not. */
struct span
postfix_entry_setting(const struct entry *e, const char *name)
{
	struct span rest = e->settings, word, key;
	const char *equals;

	while (rest.p != NULL && (word = visit_word(&rest, ",{}")).p != NULL) {
		equals = memchr(word.p, '=', word.n);
		if (equals == NULL)
			continue;
		key = (struct span){word.p, (size_t)(equals - word.p)};
		if (!span_is(span_trim(key), span_of(name)))
			continue;
		word.n -= key.n + 1;
		word.p = equals + 1;
		return span_trim(word);
	}
	return (struct span){NULL, 0};
}

/* ---- is it ours? ---- */

const char *
postfix_path(struct visit *v, const struct postfix *pf, const struct door *d,
             struct span path)
{
	bool whole = path.n > 0 && *path.p == '/';

	if (!d->chrooted && whole)
		return visit_text(v, path);
	return visit_text(v, TEXT(v, "%s%s%.*s", pf->queue, whole ? "" : "/",
	                          SPAN_ARG(path)));
}

static enum relation
relation_of_path(struct visit *v, const struct postfix *pf,
                 const struct door *d, struct span path)
{
	const char *below = visit_text(v, TEXT(v, "%s/%.*s", pf->queue,
	                                       SPAN_ARG(path)));

	if (visit_is_path(v, postfix_path(v, pf, d, path)))
		return OURS;
	return visit_is_path(v, visit_text(v, path)) ||
	       visit_is_path(v, below) ? ASTRAY : OTHER;
}

/* inet = host ":" port, the host in brackets if it has colons */
static enum relation
relation_of_port(struct visit *v, struct span rest)
{
	size_t n = rest.n;
	const char *host, *port;

	while (n > 0 && rest.p[n - 1] != ':')
		n--;
	if (n < 2 || n == rest.n || memchr(rest.p, '@', rest.n) != NULL)
		return BAD;
	port = visit_text(v, (struct span){rest.p + n, rest.n - n});
	rest.n = n - 1;
	if (rest.n > 1 && *rest.p == '[' && rest.p[rest.n - 1] == ']') {
		rest.p++;
		rest.n -= 2;
	}
	host = visit_text(v, rest);
	return visit_is_port(v, host, port) ? OURS : OTHER;
}

/* As Sendmail writes it. */
static enum relation
relation_of_foreign(struct visit *v, const struct postfix *pf,
                    struct span address)
{
	const char *text = visit_text(v, address);
	struct socket_name name;

	if (!socket_parse(text, &name) || name.family == SOCKET_FD)
		return BAD;
	if (name.family == SOCKET_PATH)
		return visit_is_path(v, name.path) ||
		       visit_is_path(v, visit_text(v, TEXT(v, "%s/%s",
		               pf->queue, name.path))) ? FOREIGN : BAD;
	return visit_is_port(v, name.host, name.port) ? FOREIGN : BAD;
}

static enum relation
relation_of(struct visit *v, const struct postfix *pf,
                 const struct door *d, const struct entry *e)
{
	struct span rest = e->address;
	enum relation r = BAD;

	if (span_begins(rest, SPAN("unix:")) && rest.n > 5)
		return relation_of_path(v, pf, d, (struct span){rest.p + 5,
		                                                rest.n - 5});
	if (span_begins(rest, SPAN("inet:")))
		r = relation_of_port(v, (struct span){rest.p + 5,
		                                      rest.n - 5});
	return r == BAD ? relation_of_foreign(v, pf, rest) : r;
}

enum relation
postfix_attachment(struct visit *v, const struct postfix *pf,
                   const struct door *d, struct entry *best)
{
	struct span list = postfix_value(pf, d, d->milters);
	enum relation most = OTHER, r;
	struct entry e;

	*best = (struct entry){{NULL, 0}, {NULL, 0}, {NULL, 0}};
	while (list.p != NULL && (e = next_entry(&list)).text.p != NULL) {
		r = relation_of(v, pf, d, &e);
		if (r <= most)
			continue;
		most = r;
		*best = e;
	}
	return most;
}

struct span
postfix_spelling(struct visit *v, const struct postfix *pf,
                 const struct door *d)
{
	const struct socket_name *s = &v->name;
	size_t n = strlen(pf->queue);

	if (s->family == SOCKET_INET6)
		return TEXT(v, "inet:[%s]:%s", s->host, s->port);
	if (s->family == SOCKET_INET4)
		return TEXT(v, "inet:%s:%s", s->host, s->port);
	if (s->family != SOCKET_PATH)
		return (struct span){NULL, 0};
	if (strncmp(s->path, pf->queue, n) == 0 && s->path[n] == '/')
		return TEXT(v, "unix:%s", s->path + n + 1);
	return d->chrooted ? (struct span){NULL, 0} :
	       TEXT(v, "unix:%s", s->path);
}
