/*
 * dns_answer.h - for what makes answers: building them, reading them off the
 * wire, keeping them.
 */
#ifndef DNS_ANSWER_H
#define DNS_ANSWER_H

#include "dns.h"

struct resolver_class {
	struct dns_answer *(*ask)(struct resolver *r, void **channel,
	                          struct span name, enum dns_type type,
	                          int64_t deadline, bool *cached);
	void (*shut)(void *channel); /* may be NULL */
	/* may be NULL */
	void (*stats)(struct resolver *r, struct dns_stats *s);
	void (*free)(struct resolver *r);
};

/* The first member of each kind of resolver. */
struct resolver {
	const struct resolver_class *class;
	atomic_uint refs;
	atomic_uint_fast64_t asked, from_cache, timeouts, failures;
};

/* What all resolvers have: one reference, and nothing asked. */
void resolver_init(struct resolver *r, const struct resolver_class *class);

/* An answer without records; for all but DNS_NO_MEMORY it may be NULL. */
struct dns_answer *dns_answer_none(enum dns_status status, uint32_t ttl);

/* One that can't fail and need not be freed. */
struct dns_answer *dns_answer_no_memory(void);

/* Copies records with their data; NULL without memory. */
struct dns_answer *dns_answer_new(const struct dns_record *record, size_t n,
                                  uint32_t ttl);
struct dns_answer *dns_answer_ref(struct dns_answer *a);

/*
 * A question as a message (RFC 1035 4.1), with EDNS (RFC 6891) or for servers
 * that don't know it: its length, or 0 if the name can't be asked for.
 */
#define DNS_QUESTION 288
size_t dns_wire_question(unsigned char out[DNS_QUESTION], uint16_t id,
                         struct span name, enum dns_type type, bool edns);

/*
 * What a message says to that question, CNAMEs followed within it. Never
 * NULL; DNS_SERVFAIL if it is broken or truncated.
 */
struct dns_answer *dns_wire_answer(const unsigned char *message, size_t n,
                                   struct span name, enum dns_type type);

/* Answers by name and type, forgotten when their TTL ends, the least used
 * first when there are too many. Any thread. */
struct dns_cache;
struct dns_cache *dns_cache_new(size_t bytes);
void dns_cache_free(struct dns_cache *c);
struct dns_answer *dns_cache_get(struct dns_cache *c, struct span name,
                                 enum dns_type type, int64_t now);
void dns_cache_put(struct dns_cache *c, struct span name, enum dns_type type,
                   struct dns_answer *a, int64_t now);
void dns_cache_stats(struct dns_cache *c, struct dns_stats *s);

#endif
