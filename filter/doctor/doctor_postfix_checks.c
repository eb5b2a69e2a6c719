/*
 * doctor_postfix_checks.c - what in Postfix's configuration keeps mail from
 * the filter: the checks, and what no filter can see.
 */
#include "doctor_postfix_checks.h"

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
	postfix_check_named(v, &pf);
	postfix_check_around(v, &pf);
	postfix_check_asked(v, &pf);
	postfix_check_sent(v, &pf);
	visit_run(v, checks, COUNT(checks), &pf);
	return 0;
}
