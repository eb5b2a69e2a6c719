/* names.c - what the small enums of include/ are called, and their logic. */
#include "limit.h"
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
effect_name(enum effect_kind k)
{
	static const char *const names[] = {
		[EFFECT_ADD_HEADER] = "add header",
		[EFFECT_PREPEND_HEADER] = "prepend header",
		[EFFECT_REPLACE_HEADER] = "replace header",
		[EFFECT_REMOVE_HEADER] = "remove header",
		[EFFECT_REWRITE_HEADER] = "rewrite header",
		[EFFECT_ADD_RCPT] = "add rcpt",
		[EFFECT_REDIRECT] = "redirect",
		[EFFECT_REPLACE_SENDER] = "replace sender",
		[EFFECT_QUARANTINE] = "quarantine",
		[EFFECT_STAMP_RECEIVED_SPF] = "stamp received-spf",
		[EFFECT_STAMP_RESULTS] = "stamp authentication-results",
		[EFFECT_APPEND] = "append",
		[EFFECT_PREPEND_BODY] = "prepend body",
		[EFFECT_REPLACE_BODY] = "replace body",
		[EFFECT_REMOVE_ATTACHMENT] = "remove attachment",
		[EFFECT_REPLACE_ATTACHMENT] = "replace attachment",
		[EFFECT_NOTIFY] = "notify",
		[EFFECT_LOG] = "log",
	};

	return names[k];
}

bool
effect_is_of_body(enum effect_kind k)
{
	return k >= EFFECT_APPEND && k <= EFFECT_REPLACE_ATTACHMENT;
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

const char *
limit_unit_name(enum limit_unit u)
{
	static const char *const names[LIMIT_UNITS] = {
		[LIMIT_MESSAGES] = "messages",
		[LIMIT_RECIPIENTS] = "recipients",
		[LIMIT_BYTES] = "bytes",
		[LIMIT_REJECTS] = "rejects",
	};

	return names[u];
}
