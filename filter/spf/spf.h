/*
 * spf.h - may this client use that name (RFC 7208)?
 *
 * The checker is libspf2; a front end of ours keeps every byte that a
 * stranger wrote away from it, and counts what RFC 7208 limits.
 */
#ifndef SPF_H
#define SPF_H

#include "arena.h"
#include "dns.h"
#include "ip.h"

enum spf_result {
	SPF_NONE,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR,
};

/* The two identities are two checks, and never mixed. */
enum spf_identity {
	SPF_MAILFROM,
	SPF_HELO,
};

/* A look-up, for explain. */
struct spf_lookup {
	struct span name; /* any bytes */
	enum dns_type type;
	const struct dns_answer *answer;
	bool cached;
	int64_t took;     /* nanoseconds */
};

/* What one check may cost, and who wants to know. */
struct spf_budget {
	unsigned milliseconds; /* over everything */
	unsigned terms, voids, mx, ptr; /* RFC 7208 4.6.4 */
	struct span receiver;  /* %{r}: the MTA's name */
	void (*trace)(void *of, const struct spf_lookup *l); /* or NULL */
	void *of;
};

#define SPF_BUDGET { .milliseconds = 20000, .terms = 10, .voids = 2, \
	.mx = 10, .ptr = 10, .receiver = {"unknown", 7} }

/* All text is printable ASCII, in the arena that spf_check was given. */
struct spf_finding {
	enum spf_result result;
	enum spf_identity identity;
	struct span domain;      /* that was judged; may be empty */
	struct span term;        /* that matched: "mx:a.example/24", "-all" */
	struct span explanation; /* of a fail, if its domain gives one */
	struct span reason;      /* for none, temperror, permerror: in words */
	unsigned terms, voids, lookups;
};

/*
 * helo: as the client gave it. sender: an address without brackets, empty
 * for the null sender. Everything kept is copied to a.
 */
void spf_check(struct resolver *r, enum spf_identity identity,
               const struct ip *client, struct span helo, struct span sender,
               const struct spf_budget *budget, struct arena *a,
               struct spf_finding *out);

/* s as printable ASCII, cut to max bytes; p NULL without memory. */
struct span spf_printable(struct arena *a, struct span s, size_t max);

/* "none", "neutral", ... */
const char *spf_result_name(enum spf_result r);

#endif
