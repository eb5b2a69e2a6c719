/*
 * doctor_postfix_around.c - what leads mail around the milters that are
 * named.
 */
#include "doctor_postfix_checks.h"

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
				           "master.cf", mend_override(v, d,
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

static const struct check checks[] = {
	{"screened-service", FAULT, look_behind_screens},
	{"screen-setting", NOTE, look_at_screens},
	{"no-milters", FAULT, look_at_no_milters},
	{"milter-maps", NOTE, look_at_maps},
	{"proxy-filter", FAULT, look_at_proxies},
	{"filtered-twice", NOTE, look_at_ways_back},
};

void
postfix_check_around(struct visit *v, const struct postfix *pf)
{
	visit_run(v, checks, COUNT(checks), pf);
}
