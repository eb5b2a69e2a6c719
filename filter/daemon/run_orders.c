/*
 * run_orders.c - what a running filter is told to do: to load its policy
 * anew, to show its limits, to clear one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <syslog.h>

#include "control.h"
#include "limits_show.h"
#include "run_impl.h"

/* What only a new start changes. */
static void
warn_of_settings(const struct settings *old, const struct settings *new,
                 struct diags *d)
{
	const struct place nowhere = {NULL, 0, 0};
	const struct {
		const char *name;
		bool same;
	} of[] = {
		{"socket", span_is(old->socket.text, new->socket.text)},
		{"user", span_is(old->user.text, new->user.text)},
		{"group", span_is(old->group.text, new->group.text)},
		{"socket-mode", (int)old->socket_mode.number ==
		                (int)new->socket_mode.number},
		{"log", (int)old->log.number == (int)new->log.number},
		{"limits", span_is(old->limits.text, new->limits.text)},
		{"limit-keys", (int)old->limit_keys.number ==
		               (int)new->limit_keys.number},
	};
	size_t i;

	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		if (!of[i].same)
			diag_warning(d, nowhere, "the new value of \"%s\" "
			             "takes effect when vaglio is restarted",
			             of[i].name);
}

static void
log_lines(struct filter *f, int priority, const char *text)
{
	size_t n;

	for (; *text != '\0'; text += n + (text[n] == '\n')) {
		n = strcspn(text, "\n");
		if (n > 0)
			sink_write(f->log, priority, (struct span){text, n});
	}
}

/* To the log, and to out if there is one. */
static void
tell(struct filter *f, struct diags *d, bool loaded, FILE *out)
{
	char *text = diags_text(d);

	if (text == NULL)
		return;
	log_lines(f, loaded ? LOG_WARNING : LOG_ERR, text);
	if (out != NULL)
		fputs(text, out);
	free(text);
	if (loaded) {
		sink_printf(f->log, LOG_NOTICE, "%s: the policy was reloaded",
		            f->config);
		if (out != NULL)
			fprintf(out, "vaglio: %s: the new policy is in "
			        "force\n", f->config);
		return;
	}
	sink_printf(f->log, LOG_ERR, "%s: the new policy is refused, the old "
	            "one stays in force", f->config);
	if (out != NULL)
		fprintf(out, "vaglio: %s: the new policy is refused, the old "
		        "one stays in force\n", f->config);
}

int
run_reload(void *of, FILE *out)
{
	struct filter *f = of;
	struct policy *old = current_get(f->policies), *new;
	struct diags *d = diags_new();
	bool loaded = false;

	if (d != NULL)
		loaded = current_reload(f->policies, d);
	if (loaded) {
		new = current_get(f->policies);
		warn_of_settings(policy_settings(old), policy_settings(new), d);
		policy_unref(new);
	}
	if (d != NULL)
		tell(f, d, loaded, out);
	else
		sink_printf(f->log, LOG_ERR, "no memory to reload the policy");
	diags_free(d);
	policy_unref(old);
	return loaded ? 0 : d == NULL ? EX_OSERR : EX_CONFIG;
}

/* The field of a request at *at, which then is that of the next. */
static struct span
field(struct span request, size_t *at)
{
	size_t from = *at;

	while (*at < request.n && request.p[*at] != '\0')
		++*at;
	return (struct span){request.p + from, (*at)++ - from};
}

static int
answer(void *of, struct span request, FILE *out)
{
	struct filter *f = of;
	struct policy *p;
	size_t at = 0;
	struct span verb = field(request, &at), first = SPAN("");
	int status;

	if (span_is(verb, SPAN("reload")))
		return run_reload(f, out);
	if (at < request.n)
		first = field(request, &at);
	p = current_get(f->policies);
	if (span_is(verb, SPAN("limits"))) {
		status = limits_show(f->limits, p, span_is(first, SPAN("json")),
		                     out);
	} else if (span_is(verb, SPAN("clear")) && at <= request.n) {
		status = limits_forget(f->limits, p, first, (struct span){
			request.p + at, request.n - at}, out);
	} else {
		fputs("vaglio: the running filter is of another version\n",
		      out);
		status = EX_UNAVAILABLE;
	}
	policy_unref(p);
	return status;
}

void *
run_control(void *of)
{
	struct filter *f = of;

	while (control_answer(f->control, answer, f))
		;
	if (!atomic_load(&f->ending))
		sink_printf(f->log, LOG_ERR,
		            "the control socket is broken: reload by SIGUSR1");
	return NULL;
}
