/* asker.c - the DNS, for the tables that a policy has there. */
#include <string.h>

#include "asker.h"
#include "dns.h"
#include "session.h"
#include "spf.h"

/* A message's look-ups share one time with SPF: the MTA waits for them. */
static int64_t
deadline(const struct told *t)
{
	double all = policy_settings(t->policy)->spf_timeout.number * 1e9;
	int64_t left = (int64_t)all - t->spf_took;

	return dns_now() + (left < 0 ? 0 : left);
}

static struct dns_answer *
look_up(struct told *t, struct span name, enum dns_type type)
{
	struct spf_lookup l = {.name = name, .type = type};
	struct dns_answer *answer;
	int64_t begin = dns_now();
	struct dns dns = {0};

	dns_open(&dns, t->host->resolver);
	answer = dns_ask(&dns, name, type, deadline(t), &l.cached);
	dns_shut(&dns);
	l.took = dns_now() - begin;
	t->spf_took += l.took;
	l.answer = answer;
	if (t->host->looked_up != NULL)
		t->host->looked_up(t->host->of, &l);
	return answer;
}

static enum fact_state
take(const struct dns_answer *answer, struct arena *a,
     struct lookup_records *out)
{
	struct span *data = arena_alloc(a, answer->n * sizeof(*data));
	size_t i;

	out->why = SPAN("no memory");
	if (data == NULL)
		return FACT_FAILED;
	for (i = 0; i < answer->n; i++)
		data[i] = arena_copy(a, answer->record[i].data);
	out->data = data;
	out->n = answer->n;
	return arena_full(a) ? FACT_FAILED : FACT_HERE;
}

enum fact_state
asker_dns(void *of, struct span name, enum lookup_type type, struct arena *a,
          struct lookup_records *out)
{
	struct told *t = of;
	struct dns_answer *answer;
	enum fact_state state;

	*out = (struct lookup_records){.why = SPAN("the DNS was not asked")};
	if (t->host->resolver == NULL)
		return FACT_FAILED;
	answer = look_up(t, name, type == LOOKUP_A ? DNS_A : DNS_TXT);
	switch (answer->status) {
	case DNS_OK:
		state = take(answer, a, out);
		break;
	case DNS_NODATA:
	case DNS_NXDOMAIN:
		state = FACT_ABSENT;
		break;
	default:
		state = FACT_FAILED;
		out->why = arena_printf(a, "%.*s: %s", SPAN_ARG(name),
		                        dns_status_words(answer->status));
		break;
	}
	dns_answer_unref(answer);
	return state;
}
