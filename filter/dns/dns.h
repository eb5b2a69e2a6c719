/*
 * dns.h - questions to the DNS.
 *
 * A resolver is shared by all sessions.  One check opens it, asks, and shuts
 * it; what is opened belongs to one thread.  There are two makers: one that
 * asks name servers (c-ares) and keeps what they say for its TTL, and one
 * that answers from the text of a zone file.
 *
 * A name is text with dots between its labels and none at its end.  A label
 * may hold any byte but a dot: names come from strangers.
 */
#ifndef DNS_H
#define DNS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "arena.h"
#include "span.h"

#define DNS_NAME 253  /* bytes of a name as text (RFC 1035 2.3.4) */
#define DNS_LABEL 63

enum dns_type {
	DNS_A = 1,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
};

enum dns_status {
	DNS_OK,        /* one record at least */
	DNS_NODATA,    /* the name has none of this type */
	DNS_NXDOMAIN,  /* there is no such name */
	DNS_SERVFAIL,  /* the servers can't say, or say nonsense */
	DNS_TIMEOUT,   /* no answer in time */
	DNS_NO_MEMORY,
};

struct dns_record {
	/*
	 * A: 4 bytes, AAAA: 16; PTR, MX: a name, empty if it can't be one;
	 * TXT: the strings, joined, any bytes.
	 */
	struct span data;
	unsigned preference; /* MX */
};

/* Immutable, shared by reference. */
struct dns_answer {
	atomic_uint refs;
	enum dns_status status;
	uint32_t ttl;  /* seconds that it may be kept; 0: not at all */
	size_t size;   /* bytes, all in all */
	size_t n;
	struct dns_record record[];
};

struct resolver;

/*
 * servers: "192.0.2.1 [2001:db8::1]:5353 ...", separated by blanks or
 * commas; empty: as the system has them. cache: bytes that answers may take.
 * NULL if it can't be made; why then says why (a constant).
 */
struct resolver *resolver_new(struct span servers, size_t cache,
                              const char **why);

/*
 * From a zone file (RFC 1035 5.1): A, AAAA, CNAME, MX, PTR, TXT, $ORIGIN and
 * $TTL; a line "name TIMEOUT" or "name SERVFAIL" makes every question for
 * the name that no record answers end so. On an error NULL, and *line and
 * *why say where and what.
 */
struct resolver *resolver_zone(struct span text, unsigned *line,
                               const char **why);

/* Any thread; NULL is fine for unref. */
struct resolver *resolver_ref(struct resolver *r);
void resolver_unref(struct resolver *r);

/* What one check holds open of a resolver. Zeroed, and set by dns_open. */
struct dns {
	struct resolver *resolver;
	void *channel;
};

/*
 * No reference is taken: the resolver stays until dns_shut. Nothing is
 * connected before the first question.
 */
void dns_open(struct dns *d, struct resolver *r);
void dns_shut(struct dns *d);

/*
 * Asks until deadline (dns_now). The answer is the caller's to unref, and
 * never NULL. cached, if not NULL, says whether it was kept from before.
 */
struct dns_answer *dns_ask(struct dns *d, struct span name, enum dns_type type,
                           int64_t deadline, bool *cached);
/* Any thread. NULL is fine. */
void dns_answer_unref(struct dns_answer *a);

/* Nanoseconds of CLOCK_MONOTONIC. */
int64_t dns_now(void);

/* Labels of 1 to 63 bytes, 253 in all. */
bool dns_name_ok(struct span name);

/* "1.2.0.192.in-addr.arpa": at least 74 bytes, NUL-terminated. */
#define DNS_REVERSE 74
struct span dns_reverse(const unsigned char ip[16], char out[DNS_REVERSE]);

/* "A", "TXT"; "no such name", "timed out" */
const char *dns_type_name(enum dns_type type);
const char *dns_status_words(enum dns_status s);

/* Since the resolver was made. */
struct dns_stats {
	uint64_t asked, from_cache, timeouts, failures, evicted;
	size_t cache_entries, cache_bytes;
};
struct dns_stats resolver_stats(struct resolver *r);

#endif
