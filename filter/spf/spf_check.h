/*
 * spf_check.h - one SPF check while it runs.
 *
 * libspf2 is given canonical records: the terms that can decide something,
 * every name in them a token ("t7.v").  When it asks for a token, the term
 * behind it is looked up here.
 */
#ifndef SPF_CHECK_H
#define SPF_CHECK_H

#include "spf.h"
#include "spf_macro.h"
#include "spf_record.h"

/* A record on its way to a result. */
struct spf_frame {
	struct span domain;          /* <domain> of RFC 7208 4.1 */
	struct spf_token *tokens;    /* its terms that ask the DNS, in order */
	struct spf_token **end;
	unsigned n;
	struct spf_term decides;     /* all, or the literal that matches */
	bool decided;                /* there is one, behind all tokens */
	struct spf_token *redirect;  /* or NULL */
	struct span exp;             /* domain-spec; p NULL: none */
};

enum spf_token_kind { TOKEN_TERM, TOKEN_HOST };

struct spf_token {
	enum spf_token_kind kind;
	unsigned number;
	struct spf_token *next;      /* of the same frame */
	struct spf_token *earlier;   /* of the whole check */
	struct spf_frame *frame;
	struct spf_term term;
	struct span name;            /* once it is known */
	struct spf_token *mx;        /* TOKEN_HOST: of this term */
	struct spf_frame *sub;       /* include, redirect: the other record */
	bool asked, matched;
};

struct spf_ptr {
	struct span name;
	bool tried, valid;
};

struct spf_check {
	struct dns dns;
	const struct spf_budget *budget;
	int64_t deadline;
	struct arena *arena;
	struct spf_macro macro;
	unsigned char client[16];
	bool v4;

	struct spf_finding *out;
	bool over;           /* out has the result, whatever libspf2 says */

	struct spf_token *last;  /* the newest token */
	unsigned n_tokens;

	bool ptr_asked, ptr_void;
	struct spf_ptr *ptr;
	size_t n_ptr;
};

/* Ends the check; the reason is made printable. */
void spf_end(struct spf_check *c, enum spf_result result, const char *format,
             ...) __attribute__((format(printf, 3, 4)));

/*
 * Asks; ends the check if its time is over or memory is. NULL if the check is
 * over. The answer is to be unref'd.
 */
struct dns_answer *spf_ask(struct spf_check *c, struct span name,
                           enum dns_type type);

/*
 * The record of a domain, or NULL: the check is over, or (*none) the domain
 * has no record.
 */
struct spf_frame *spf_frame_get(struct spf_check *c, struct span domain,
                                bool *none);

/*
 * What a frame's record says, as a record for libspf2. Its length, or 0 if
 * the check is over.
 */
#define SPF_CANONICAL 1024
size_t spf_frame_canonical(struct spf_check *c, struct spf_frame *f,
                           char out[SPF_CANONICAL]);

/* A name that a term is about; *never: it can't match. Else p NULL: over. */
struct span spf_term_name(struct spf_check *c, const struct spf_frame *f,
                          struct span spec, bool *never);

/* The client's names (RFC 7208 5.5), as far as the budget goes. */
struct span spf_client_name(void *check);
bool spf_ptr_under(struct spf_check *c, struct span target);

/* libspf2's part: the frame's result; sets the check over on an error. */
enum spf_result spf_interpret(struct spf_check *c, struct spf_frame *f);

/* Is the client in that network? ip: of the client's family; length in bits. */
bool spf_covers(const struct spf_check *c, const unsigned char *ip,
                unsigned length);

#endif
