/* value.h - what a subject is, once it is known. */
#ifndef VALUE_H
#define VALUE_H

#include "ip.h"
#include "span.h"

enum value_type {
	VALUE_TEXT,
	VALUE_NAME,    /* a host or domain name */
	VALUE_ADDRESS, /* a mail address (RFC 5321 4.1.2) */
	VALUE_IP,
	VALUE_FOLDED,  /* as it looks: folded SUBJECT */
	VALUE_NUMBER,
};

/*
 * One value. text is what patterns, contains, begins, ends and ${...} see:
 * valid UTF-8 (a raw subject's: bytes as they came). Of an address it is the
 * canonical spelling: no route, quotes only where they are needed, the
 * domain as domain_canonical makes it; of a name, domain_canonical's; the
 * null sender's is empty.
 */
struct value {
	enum value_type type;
	unsigned item;    /* values of from, from.domain, from.name with one
	                     item are of one address; likewise attachments */
	bool again;       /* another look of the value before it */
	bool bad;         /* could not be parsed: text as it came; in no table */
	struct span text;
	struct ip ip;              /* VALUE_IP */
	double number;             /* VALUE_NUMBER */
	struct span local, domain; /* VALUE_ADDRESS; local without quotes;
	                              domain.p NULL: has none (postmaster) */
};

enum fact_state {
	FACT_HERE,   /* n values, one at least */
	FACT_ABSENT, /* not there, and will not come */
	FACT_LATER,
	FACT_FAILED, /* can't be had; why says why */
};

struct fact {
	enum fact_state state;
	const struct value *values;
	size_t n;
	struct span why; /* a few words for the log */
};

#endif
