/*
 * lookup.h - the DNS, for rules that ask it: they know no resolver; whoever
 * has the message knows one. And how long servers are waited for.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <stdint.h>

#include "arena.h"
#include "value.h"

enum lookup_type {
	LOOKUP_A,   /* each record 4 bytes */
	LOOKUP_TXT, /* its strings joined, any bytes */
};

struct lookup_records {
	const struct span *data;
	size_t n;
	struct span why; /* of FACT_FAILED */
};

struct lookup_dns {
	/*
	 * name: labels of 1 to 63 bytes, 253 in all. FACT_HERE with records,
	 * in a; FACT_ABSENT: there are none; FACT_FAILED.
	 */
	enum fact_state (*ask)(void *of, struct span name,
	                       enum lookup_type type, struct arena *a,
	                       struct lookup_records *out);
	void *of;
};

/*
 * How long the servers of tables and limits may still be waited for before
 * the MTA has its answer.
 */
struct lookup_wait {
	int64_t left; /* nanoseconds */
};

#endif
