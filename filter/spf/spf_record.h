/*
 * spf_record.h - SPF records, read strictly by the grammar of RFC 7208 12.
 *
 * What is here is a view into the record's text, which a stranger wrote.
 */
#ifndef SPF_RECORD_H
#define SPF_RECORD_H

#include <stdbool.h>

#include "span.h"

enum spf_kind {
	SPF_ALL,
	SPF_INCLUDE,
	SPF_A,
	SPF_MX,
	SPF_PTR,
	SPF_IP4,
	SPF_IP6,
	SPF_EXISTS,
	SPF_REDIRECT,
	SPF_EXP,
	SPF_UNKNOWN_MODIFIER,
};

struct spf_term {
	enum spf_kind kind;
	char qualifier;          /* + - ~ ?; 0: a modifier */
	struct span text;        /* as written */
	struct span domain;      /* the domain-spec; p NULL: none */
	unsigned char ip[16];    /* SPF_IP4: the first four */
	unsigned cidr4, cidr6;   /* 32 and 128 unless given */
};

/* Is this text an SPF record (RFC 7208 4.5)? */
bool spf_record_is(struct span text);

/* What follows the version, for spf_record_next. */
struct span spf_record_terms(struct span text);

/*
 * The next term: 1, or 0 when there is none, or -1 when it breaks the
 * grammar; *why then says how, t->text where.
 */
int spf_record_next(struct span *rest, struct spf_term *t, const char **why);

/* "include", "a", ...; "a modifier" */
const char *spf_kind_name(enum spf_kind kind);

#endif
