/*
 * doctor_postfix_named.c - does each service name vaglio, so that it is found?
 */
#include "doctor_postfix_checks.h"

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
			           d->milters, mend_list_with(v,
			           postfix_value(pf, d, d->milters), &e,
			           SPAN("inet:host:port")));
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

static const struct check checks[] = {
	{"socket-syntax", FAULT, look_at_syntax},
	{"chroot", FAULT, look_at_chroot},
	{"other-milters", NOTE, look_elsewhere},
	{"not-attached", FAULT, look_at_milters},
	{"service-override", FAULT, look_at_open_overrides},
	{"loopback-service", NOTE, look_at_loopback_overrides},
	{"local-mail", FAULT, look_at_local_mail},
};

void
postfix_check_named(struct visit *v, const struct postfix *pf)
{
	visit_run(v, checks, COUNT(checks), pf);
}
