/* doctor_visit.c - what all looks at MTAs share. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "caps.h"
#include "doctor_visit.h"

/* For what is no look-up: reading, matching, writing. */
#define PATIENCE 5

void
visit_run(struct visit *v, const struct check *checks, size_t n,
          const void *of)
{
	size_t i;

	for (i = 0; i < n; i++) {
		v->check = &checks[i];
		checks[i].look(v, of);
	}
}

/* Is it told of this place already? */
static bool
has_place(struct span where, struct span place)
{
	struct span word;

	while ((word = visit_word(&where, ",")).p != NULL)
		if (span_is(span_trim(word), place))
			return true;
	return false;
}

void
visit_find(struct visit *v, struct span where, struct span what,
           const char *file, struct span line)
{
	struct finding *f;
	size_t i;

	for (i = 0; i < v->n_found; i++) {
		f = &v->found[i];
		if (f->check != v->check || !span_is(f->line, line) ||
		    !span_is(f->file, span_of(file)))
			continue;
		if (where.n > 0 && !has_place(f->where, where))
			f->where = TEXT(v, "%.*s, %.*s", SPAN_ARG(f->where),
			                SPAN_ARG(where));
		return;
	}
	f = arena_grow(v->arena, &v->found, &v->n_found, sizeof(*f));
	if (f != NULL)
		*f = (struct finding){v->check, where, what, span_of(file),
		                      line};
}

const char *
visit_text(struct visit *v, struct span s)
{
	struct span copy = arena_copy(v->arena, s);

	return copy.p != NULL ? copy.p : "";
}

struct span
visit_word(struct span *rest, const char *marks)
{
	struct span word = {NULL, 0};

	while (rest->n > 0 && strchr(marks, *rest->p) != NULL) {
		rest->p++;
		rest->n--;
	}
	if (rest->n == 0)
		return word;
	word.p = rest->p;
	while (word.n < rest->n && strchr(marks, word.p[word.n]) == NULL)
		word.n++;
	rest->p += word.n;
	rest->n -= word.n;
	return word;
}

long
visit_seconds(struct span time, char unit)
{
	static const struct {
		char letter;
		long seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400},
	             {'w', 604800}};
	long n = 0;
	size_t i;

	time = span_trim(time);
	if (time.n > 0 && isalpha((unsigned char)time.p[time.n - 1]))
		unit = (char)tolower((unsigned char)time.p[--time.n]);
	if (time.n == 0 || time.n > 9)
		return -1;
	for (i = 0; i < time.n; i++) {
		if (!isdigit((unsigned char)time.p[i]))
			return -1;
		n = 10 * n + time.p[i] - '0';
	}
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].letter == unit)
			return n * units[i].seconds;
	return -1;
}

static long
dns_seconds(const struct visit *v)
{
	return (long)policy_settings(v->policy)->spf_timeout.number;
}

/* The last one may be asked when the time of all is nearly over. */
static long
server_seconds(size_t servers)
{
	const long most = CAPS_SERVERS_SECONDS + CAPS_SERVER_SECONDS;

	return servers < (size_t)most / CAPS_SERVER_SECONDS ?
	       (long)servers * CAPS_SERVER_SECONDS : most;
}

long
visit_patience(const struct visit *v)
{
	struct waits w = policy_waits(v->policy);

	return PATIENCE + (w.dns ? dns_seconds(v) : 0) +
	       server_seconds(w.servers);
}

struct span
visit_reasons(struct visit *v)
{
	struct waits w = policy_waits(v->policy);
	struct span dns = SPAN(""), servers = SPAN("");

	if (w.dns)
		dns = TEXT(v, "%lds for the DNS by spf-timeout",
		           dns_seconds(v));
	if (w.servers > 0)
		servers = TEXT(v, "%lds for %zu server%s of tables and limits",
		               server_seconds(w.servers), w.servers,
		               w.servers == 1 ? "" : "s");
	if (dns.n == 0 && servers.n == 0)
		return dns;
	return TEXT(v, " (%.*s%s%.*s)", SPAN_ARG(dns),
	            dns.n > 0 && servers.n > 0 ? ", " : "",
	            SPAN_ARG(servers));
}

bool
visit_on_trial(const struct visit *v)
{
	return policy_settings(v->policy)->shadow.number != 0;
}

bool
visit_asks(const struct visit *v, const enum subject_id *ids, size_t n)
{
	size_t n_asks, i, j;
	const struct ask *asks = policy_asks(v->policy, &n_asks);

	for (i = 0; i < n_asks; i++)
		for (j = 0; j < n; j++)
			if (asks[i].subject->id == ids[j])
				return true;
	return false;
}

static bool
is_among(const char *names, struct span name)
{
	struct span rest = span_of(names), word;

	while ((word = visit_word(&rest, " ")).p != NULL)
		if (span_is(word, name))
			return true;
	return false;
}

void
visit_unknown_macros(struct visit *v, const char *known,
                     bool (*defined)(const void *of, struct span name),
                     void (*tell)(struct visit *v, struct span name,
                                  struct span rule), const void *of)
{
	size_t n, i, rule;
	const struct ask *asks = policy_asks(v->policy, &n);

	for (i = 0; i < n; i++) {
		if (asks[i].subject->id != SUBJECT_MACRO ||
		    is_among(known, asks[i].argument) ||
		    defined(of, asks[i].argument))
			continue;
		rule = policy_ask_rule(v->policy, i);
		tell(v, asks[i].argument, rule == NO_RULE ? SPAN("") :
		     policy_rule_name(v->policy, rule));
	}
}
