/* scenario.h - a session and a message, told in full: for tests and explain. */
#ifndef SCENARIO_H
#define SCENARIO_H

#include "diag.h"
#include "ip.h"
#include "span.h"
#include "stage.h"
#include "verdict.h"

struct scenario_pair {
	struct span name, value;
};

struct scenario_limit {
	struct span name;
	double used;
	bool fails;       /* nobody knows */
};

/* A p of NULL: not said, so a quiet default stands. */
struct scenario {
	struct span client, client_name;
	struct span helo;
	struct span auth, auth_method;
	struct span tls;
	struct span daemon;
	struct span sender;
	const struct scenario_pair *sender_params; /* of MAIL: SIZE and 1000 */
	size_t n_sender_params;
	const struct span *rcpts;
	size_t n_rcpts;
	const struct scenario_pair *rcpt_params; /* of each RCPT */
	size_t n_rcpt_params;
	const struct scenario_pair *macros; /* braces may be left out */
	size_t n_macros;
	struct span spf, spf_helo; /* a result's name */
	const struct scenario_pair *headers;
	size_t n_headers;
	const struct scenario_limit *limits; /* others: nothing is used */
	size_t n_limits;
	struct span body;
	struct span message; /* a whole message: header and body */
};

enum expect_kind {
	EXPECT_VERDICT,   /* accept|reject|tempfail|discard|held [by] [at] [for] [reply] */
	EXPECT_SHADOW,    /* shadow reject by RULE; VERDICT_NONE: noted */
	EXPECT_NO_SHADOW, /* no shadow by RULE */
	EXPECT_HEADER,    /* header "Name" "value" */
	EXPECT_NO_HEADER, /* no header "Name" ["value"] */
	EXPECT_SENDER,    /* sender ADDRESS */
	EXPECT_RCPT,
	EXPECT_NO_RCPT,
	EXPECT_BODY,      /* body contains "text" */
	EXPECT_BODY_NOT,
	EXPECT_ATTACHMENT, /* attachment "name" */
	EXPECT_NO_ATTACHMENT,
	EXPECT_NOTIFY,    /* rcpt: the address */
	EXPECT_NO_NOTIFY,
};

struct expectation {
	enum expect_kind kind;
	struct place place;
	enum verdict_kind verdict;
	bool held;
	size_t rule;      /* NO_RULE: not said */
	bool at_said;
	enum stage at;
	struct span rcpt; /* for RCPT; the address of rcpt, no rcpt, sender */
	struct span reply;
	struct span name, value; /* header; value: body, attachment */
};

struct table;

/* A test of the policy. */
struct test {
	struct span name;
	struct place place;
	struct scenario given;
	const struct expectation *expects;
	size_t n_expects;
	const struct table *const *tables; /* to be read in place of the policy's */
};

#endif
