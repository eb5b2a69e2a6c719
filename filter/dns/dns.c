#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dns_answer.h"

/* Shared by all that have no memory: its references are not counted. */
static struct dns_answer no_memory = {.status = DNS_NO_MEMORY};

struct dns_answer *
dns_answer_no_memory(void)
{
	return &no_memory;
}

struct dns_answer *
dns_answer_none(enum dns_status status, uint32_t ttl)
{
	struct dns_answer *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return &no_memory;
	atomic_init(&a->refs, 1);
	a->status = status;
	a->ttl = ttl;
	a->size = sizeof(*a);
	return a;
}

struct dns_answer *
dns_answer_new(const struct dns_record *record, size_t n, uint32_t ttl)
{
	size_t i, size = sizeof(struct dns_answer) + n * sizeof(*record);
	struct dns_answer *a;
	char *p;

	for (i = 0; i < n; i++)
		size += record[i].data.n;
	a = malloc(size);
	if (a == NULL)
		return NULL;
	atomic_init(&a->refs, 1);
	a->status = DNS_OK;
	a->ttl = ttl;
	a->size = size;
	a->n = n;
	p = (char *)&a->record[n];
	for (i = 0; i < n; i++) {
		a->record[i] = record[i];
		a->record[i].data.p = p;
		if (record[i].data.n > 0)
			memcpy(p, record[i].data.p, record[i].data.n);
		p += record[i].data.n;
	}
	return a;
}

struct dns_answer *
dns_answer_ref(struct dns_answer *a)
{
	if (a != &no_memory)
		atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
	return a;
}

void
dns_answer_unref(struct dns_answer *a)
{
	if (a == NULL || a == &no_memory)
		return;
	if (atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) == 1)
		free(a);
}

void
resolver_init(struct resolver *r, const struct resolver_class *class)
{
	r->class = class;
	atomic_init(&r->refs, 1);
	atomic_init(&r->asked, 0);
	atomic_init(&r->from_cache, 0);
	atomic_init(&r->timeouts, 0);
	atomic_init(&r->failures, 0);
}

struct resolver *
resolver_ref(struct resolver *r)
{
	atomic_fetch_add(&r->refs, 1);
	return r;
}

void
resolver_unref(struct resolver *r)
{
	if (r != NULL && atomic_fetch_sub(&r->refs, 1) == 1)
		r->class->free(r);
}

void
dns_open(struct dns *d, struct resolver *r)
{
	d->resolver = r;
	d->channel = NULL;
}

void
dns_shut(struct dns *d)
{
	if (d->channel != NULL)
		d->resolver->class->shut(d->channel);
	d->channel = NULL;
}

struct dns_answer *
dns_ask(struct dns *d, struct span name, enum dns_type type, int64_t deadline,
        bool *cached)
{
	struct resolver *r = d->resolver;
	struct dns_answer *a;
	bool kept = false;

	a = r->class->ask(r, &d->channel, name, type, deadline, &kept);
	atomic_fetch_add_explicit(&r->asked, 1, memory_order_relaxed);
	if (kept)
		atomic_fetch_add_explicit(&r->from_cache, 1,
		                          memory_order_relaxed);
	if (a->status == DNS_TIMEOUT)
		atomic_fetch_add_explicit(&r->timeouts, 1,
		                          memory_order_relaxed);
	if (a->status == DNS_SERVFAIL)
		atomic_fetch_add_explicit(&r->failures, 1,
		                          memory_order_relaxed);
	if (cached != NULL)
		*cached = kept;
	return a;
}

struct dns_stats
resolver_stats(struct resolver *r)
{
	struct dns_stats s = {
		.asked = atomic_load(&r->asked),
		.from_cache = atomic_load(&r->from_cache),
		.timeouts = atomic_load(&r->timeouts),
		.failures = atomic_load(&r->failures),
	};

	if (r->class->stats != NULL)
		r->class->stats(r, &s);
	return s;
}

int64_t
dns_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool
dns_name_ok(struct span name)
{
	size_t i, label = 0;

	if (name.n == 0 || name.n > DNS_NAME)
		return false;
	for (i = 0; i < name.n; i++) {
		if (name.p[i] != '.') {
			if (++label > DNS_LABEL)
				return false;
		} else if (label == 0) {
			return false;
		} else {
			label = 0;
		}
	}
	return label > 0;
}

struct span
dns_reverse(const unsigned char ip[16], char out[DNS_REVERSE])
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
	int i, n = 0;

	if (memcmp(ip, mapped, sizeof(mapped)) == 0) {
		n = snprintf(out, DNS_REVERSE, "%u.%u.%u.%u.in-addr.arpa",
		             ip[15], ip[14], ip[13], ip[12]);
		return (struct span){out, (size_t)n};
	}
	for (i = 15; i >= 0; i--) {
		out[n++] = "0123456789abcdef"[ip[i] & 15];
		out[n++] = '.';
		out[n++] = "0123456789abcdef"[ip[i] >> 4];
		out[n++] = '.';
	}
	memcpy(out + n, "ip6.arpa", sizeof("ip6.arpa"));
	return (struct span){out, (size_t)n + sizeof("ip6.arpa") - 1};
}

const char *
dns_type_name(enum dns_type type)
{
	switch (type) {
	case DNS_A:
		return "A";
	case DNS_PTR:
		return "PTR";
	case DNS_MX:
		return "MX";
	case DNS_TXT:
		return "TXT";
	case DNS_AAAA:
		return "AAAA";
	}
	return "?";
}

const char *
dns_status_words(enum dns_status s)
{
	switch (s) {
	case DNS_OK:
		return "found";
	case DNS_NODATA:
		return "no record";
	case DNS_NXDOMAIN:
		return "no such name";
	case DNS_SERVFAIL:
		return "server failure";
	case DNS_TIMEOUT:
		return "timed out";
	case DNS_NO_MEMORY:
		return "out of memory";
	}
	return "?";
}
