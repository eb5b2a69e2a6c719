/*
 * doctor_postfix_asked.c - how Postfix asks vaglio: may it connect, what does
 * it do if nobody answers, and when does it give up?
 */
#include <pwd.h>
#include <string.h>

#include "doctor_postfix_checks.h"

#define LEAST_CONNECT 5 /* seconds; a busy machine takes some to accept */

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
		*file = mend_file(pf, d, d->milters);
		*line = TEXT(v, "%s: { %.*s, %s = %.*s }", d->milters,
		             SPAN_ARG(e->address), name, SPAN_ARG(value));
		return own;
	}
	*file = mend_file(pf, d, full);
	*line = mend_line(v, pf, d, full, value);
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
		if (span_is(action, SPAN("accept")) && !visit_on_trial(v))
			visit_find(v, d->name, SPAN("while vaglio is not "
			           "there, mail comes in unfiltered"), file,
			           line);
		if (span_is(action, SPAN("reject")))
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

static const struct check checks[] = {
	{"socket-access", FAULT, look_at_access},
	{"default-action", FAULT, look_at_default_action},
	{"protocol", FAULT, look_at_protocol},
	{"connect-timeout", FAULT, look_at_connect_timeout},
	{"command-timeout", FAULT, look_at_command_timeout},
	{"content-timeout", FAULT, look_at_content_timeout},
};

void
postfix_check_asked(struct visit *v, const struct postfix *pf)
{
	visit_run(v, checks, COUNT(checks), pf);
}
