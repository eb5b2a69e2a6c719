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
extern const struct action_row action_rows[];
extern const size_t action_count;

#endif
