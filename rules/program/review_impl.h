/*
 * review_impl.h - a review inside, for the review*.c alone.
 */
#ifndef REVIEW_IMPL_H
#define REVIEW_IMPL_H

#include "eval.h"

struct recipient {
	struct known known;
	struct verdict verdict;
	bool out;             /* refused: takes no part */
};

struct review {
	const struct program *program;
	struct evaluation eval;
	struct arena *arena;
	struct known shared;
	size_t *open;         /* rules that may yet be yes for somebody */
	size_t n_open;
	struct verdict all;   /* the reading that is alike for all */
	bool read;            /* it has been read, at stage read_at */
	enum stage read_at;
	struct recipient **rcpts;
	size_t n_rcpts;
	struct verdict message; /* given last for the whole message */
};

/* ---- review.c ---- */

/* Did the reading that gave v come as far as that rule? */
bool review_reached(const struct verdict *v, size_t rule);

/* ---- review_pass.c ---- */

/* From now on conditions are about that recipient (NO_RCPT: about none). */
void review_turn(struct review *r, size_t rcpt);

/* Is the rule's condition true? As eval_node with that cost and eager. */
enum truth review_truth(struct review *r, size_t rule, enum cost cost,
                        bool eager);

/* The verdict of a rule that failed. */
enum verdict_kind review_on_error(const struct rule *rule);

/* The verdict of a rule whose turn it is; its truth is yes or failed. */
struct verdict review_settle(struct review *r, size_t number, enum truth t);

/*
 * What a glance tells of a rule: that it is later or, from what is settled,
 * no. EVAL_UNASKED: it wants a closer look.
 */
enum truth review_glance(const struct review *r, const struct brief *b);

/*
 * Reads as far as is known: cheap questions first, dear ones only if the
 * answer still depends on them. Nothing is done if out has a verdict.
 */
void review_read_for(struct review *r, size_t rcpt, struct verdict *out);

#endif
