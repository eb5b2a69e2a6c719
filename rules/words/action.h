/*
 * action.h - the table of actions: one row each.
 *
 *	words    as a policy spells it
 *	takes    what may follow, in this order
 *	ends     the verdict that it gives, or VERDICT_NONE: it is noted
 *	effect   what is then noted
 */
#ifndef ACTION_H
#define ACTION_H

#include "verdict.h"

enum action_takes {
	TAKES_REPLY = 1,           /* [CODE [X.Y.Z]] ["text"] */
	TAKES_NAME = 2,            /* "Name" */
	TAKES_MATCHING = 4,        /* [matching /re/] */
	TAKES_PATTERN = 8,         /* /re/ */
	TAKES_TEXT = 16,           /* "text" */
	TAKES_OPTIONAL_TEXT = 32,
	TAKES_ADDRESS = 64,        /* a string, a word or <> */
	TAKES_BODY = 128,          /* texts for a body, [once] */
	TAKES_PER = 256,           /* [once per TIME] */
	TAKES_WITH = 512,          /* with "text" */
	TAKES_WHERE = 1024,        /* [where EXPR], of one attachment each */
};

struct action_row {
	const char *words;         /* "add header" */
	unsigned takes;
	enum verdict_kind ends;
	enum effect_kind effect;
	bool whole;                /* done to the whole message, not to a recipient */
	const char *code, *xcode, *text; /* a reply's defaults */
};

#define ACTIONS_MAX 32
/* Seconds: where "once per" is not said, and what it may say. */
#define ACTION_ONCE 3600
#define ACTION_ONCE_LEAST 60
#define ACTION_ONCE_MOST (30 * 86400)

/* It tells somebody: done whatever the verdict, and never fails its rule. */
static inline bool
action_tells(const struct action_row *row)
{
	return row->ends == VERDICT_NONE &&
	       (row->effect == EFFECT_LOG || row->effect == EFFECT_NOTIFY);
}

extern const struct action_row action_rows[];
extern const size_t action_count;

#endif
