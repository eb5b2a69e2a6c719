/* truth.h - the four answers of a condition (vaglio.conf(5), WHEN A RULE DECIDES). */
#ifndef TRUTH_H
#define TRUTH_H

enum truth {
	TRUTH_NO,
	TRUTH_YES,
	TRUTH_LATER,  /* it needs what has not come yet */
	TRUTH_FAILED, /* it can't be had */
};

/* no wins, then later, then failed, then yes */
enum truth truth_and(enum truth a, enum truth b);

/* yes wins, then later, then failed, then no */
enum truth truth_or(enum truth a, enum truth b);

/* swaps yes and no */
enum truth truth_not(enum truth a);

/* "no", "yes", "later", "failed" */
const char *truth_name(enum truth t);

#endif
