#include "action.h"

const struct action_row action_rows[] = {
	{"accept", 0, VERDICT_ACCEPT, 0, false, NULL, NULL, NULL},
	{"reject", TAKES_REPLY, VERDICT_REJECT, 0, false,
	 "550", "5.7.1", "refused by policy"},
	{"tempfail", TAKES_REPLY, VERDICT_TEMPFAIL, 0, false,
	 "451", "4.7.1", "try again later"},
	{"discard", 0, VERDICT_DISCARD, 0, false, NULL, NULL, NULL},
	{"quarantine", TAKES_OPTIONAL_TEXT, VERDICT_NONE, EFFECT_QUARANTINE,
	 true, NULL, NULL, "held by policy"},
	{"add header", TAKES_NAME | TAKES_TEXT, VERDICT_NONE,
	 EFFECT_ADD_HEADER, true, NULL, NULL, NULL},
	{"prepend header", TAKES_NAME | TAKES_TEXT, VERDICT_NONE,
	 EFFECT_PREPEND_HEADER, true, NULL, NULL, NULL},
	{"replace header", TAKES_NAME | TAKES_TEXT, VERDICT_NONE,
	 EFFECT_REPLACE_HEADER, true, NULL, NULL, NULL},
	{"remove header", TAKES_NAME | TAKES_MATCHING, VERDICT_NONE,
	 EFFECT_REMOVE_HEADER, true, NULL, NULL, NULL},
	{"rewrite header", TAKES_NAME | TAKES_PATTERN | TAKES_TEXT,
	 VERDICT_NONE, EFFECT_REWRITE_HEADER, true, NULL, NULL, NULL},
	{"add rcpt", TAKES_ADDRESS, VERDICT_NONE, EFFECT_ADD_RCPT, true,
	 NULL, NULL, NULL},
	{"redirect", TAKES_ADDRESS, VERDICT_NONE, EFFECT_REDIRECT, false,
	 NULL, NULL, NULL},
	{"replace sender", TAKES_ADDRESS, VERDICT_NONE,
	 EFFECT_REPLACE_SENDER, true, NULL, NULL, NULL},
	{"log", TAKES_TEXT, VERDICT_NONE, EFFECT_LOG, false, NULL, NULL, NULL},
};

const size_t action_count = sizeof(action_rows) / sizeof(action_rows[0]);
