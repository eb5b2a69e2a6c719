/*
 * fuzz_spf.c - any bytes as sender, HELO, records, explanations and names.
 *
 * The input's lines: the client's address, HELO, the sender, then what the
 * DNS says: each name's TXT, and the names of MX and PTR, are one of these
 * lines; which one, and whether there is an answer at all, hangs on the name.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns_answer.h"
#include "spf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES 64

struct world {
	struct resolver base;
	struct span line[LINES];
	size_t n;
	unsigned asked;
};

static uint32_t
hash(struct span s, unsigned salt)
{
	uint32_t h = 2166136261u ^ salt;
	size_t i;

	for (i = 0; i < s.n; i++)
		h = (h ^ (unsigned char)s.p[i]) * 16777619u;
	return h ^ h >> 15;
}

/* Up to twelve names, among the lines. */
static struct dns_answer *
names(const struct world *w, uint32_t h)
{
	struct dns_record r[12] = {{.preference = 0}};
	size_t i, n = 1 + h % 12;

	for (i = 0; i < n; i++) {
		r[i].data = w->line[3 + (h / 16 + i) % (w->n - 3)];
		if (r[i].data.n > DNS_NAME)
			r[i].data.n = DNS_NAME;
	}
	return dns_answer_new(r, n, 0);
}

static struct dns_answer *
ask(struct resolver *base, void **channel, struct span name,
    enum dns_type type, int64_t deadline, bool *cached)
{
	struct world *w = (struct world *)base;
	uint32_t h = hash(name, type);
	struct dns_record r[2] = {{.preference = 0}};
	unsigned char ip[16] = {0};

	(void)channel;
	(void)deadline;
	(void)cached;
	/* what can be asked has a limit: 11 records, 10 terms of 11, PTR */
	if (++w->asked > 300)
		abort();
	if (name.n > DNS_NAME)
		abort();
	if (h % 16 < 4)
		return dns_answer_none((enum dns_status)(DNS_NODATA + h % 16),
		                       0);
	if (type == DNS_MX || type == DNS_PTR)
		return names(w, h);
	if (type == DNS_TXT) {
		r[0].data = r[1].data = w->line[3 + (h / 16) % (w->n - 3)];
		return dns_answer_new(r, h % 16 == 4 ? 2 : 1, 0);
	}
	memcpy(ip, "\xc0\0\2", 4);
	ip[3] = (unsigned char)(h >> 8 & 3);
	r[0].data = (struct span){(char *)ip, type == DNS_A ? 4 : 16};
	return dns_answer_new(r, 1, 0);
}

static void
printable(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			abort();
}

static void
must_hold(const struct spf_finding *f)
{
	printable(f->domain);
	printable(f->term);
	printable(f->explanation);
	printable(f->reason);
	if (f->explanation.n > 400 || f->term.n > 250 || f->reason.n > 250)
		abort();
	if (f->explanation.n > 0 && f->result != SPF_FAIL)
		abort();
	if (f->reason.n == 0 &&
	    (f->result == SPF_NONE || f->result == SPF_TEMPERROR ||
	     f->result == SPF_PERMERROR))
		abort();
	/* pass, fail and softfail come of a term, which is named */
	if (f->term.n == 0 && (f->result == SPF_PASS ||
	                       f->result == SPF_FAIL ||
	                       f->result == SPF_SOFTFAIL))
		abort();
}

static void
split(struct world *w, const uint8_t *data, size_t size)
{
	const char *p = (const char *)data, *end = p + size, *nl;

	while (w->n < LINES && p <= end) {
		nl = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
		if (nl == NULL)
			nl = end;
		w->line[w->n++] = (struct span){p, (size_t)(nl - p)};
		p = nl + 1;
	}
	while (w->n < 4)
		w->line[w->n++] = SPAN("v=spf1 -all");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct resolver_class class = {.ask = ask};
	struct spf_budget budget = SPF_BUDGET;
	struct world w = {.n = 0};
	struct arena *a = arena_new(0);
	struct spf_finding f;
	struct ip client;
	unsigned i;

	/* none of it is about time */
	budget.milliseconds = 600000;
	resolver_init(&w.base, &class);
	split(&w, data, size);
	if (!ip_parse(w.line[0], &client))
		ip_parse(SPAN("192.0.2.1"), &client);
	for (i = 0; i < 2; i++) {
		w.asked = 0;
		spf_check(&w.base, i == 0 ? SPF_MAILFROM : SPF_HELO, &client,
		          w.line[1], w.line[2], &budget, a, &f);
		must_hold(&f);
	}
	arena_free(a);
	return 0;
}
