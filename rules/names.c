/* names.c - what the small enums of include/ are called, and their logic. */
#include "stage.h"
#include "truth.h"
#include "verdict.h"

const char *
stage_name(enum stage s)
{
	static const char *const names[STAGES] = {
		"connect", "helo", "mail", "rcpt", "data", "headers", "end",
	};

	return names[s];
}

const char *
verdict_name(enum verdict_kind k)
{
	static const char *const names[] = {
		"none", "accept", "reject", "tempfail", "discard",
	};

	return names[k];
}

const char *
truth_name(enum truth t)
{
	static const char *const names[] = {"no", "yes", "later", "failed"};

	return names[t];
}

/* Each truth's rank in `and`; the lowest wins. */
static const int and_rank[] = {
	[TRUTH_NO] = 0, [TRUTH_LATER] = 1, [TRUTH_FAILED] = 2, [TRUTH_YES] = 3,
};

enum truth
truth_and(enum truth a, enum truth b)
{
	return and_rank[a] <= and_rank[b] ? a : b;
}

enum truth
truth_not(enum truth a)
{
	if (a == TRUTH_YES)
		return TRUTH_NO;
	return a == TRUTH_NO ? TRUTH_YES : a;
}

enum truth
truth_or(enum truth a, enum truth b)
{
	return truth_not(truth_and(truth_not(a), truth_not(b)));
}
