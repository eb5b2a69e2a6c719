/*
 * milter_impl.h - what the milter*.c share. They alone know libmilter.
 */
#ifndef MILTER_IMPL_H
#define MILTER_IMPL_H

#include <libmilter/mfapi.h>

#include "session.h"

/* The MTA's steps, as libmilter's callbacks have them. */
enum step {
	STEP_CONNECT,
	STEP_HELO,
	STEP_MAIL,
	STEP_RCPT,
	STEP_DATA,
	STEP_HEADER,
	STEP_EOH,
	STEP_BODY,
	STEP_END,
};

/* ---- milter_ask.c ---- */

/* The bits SMFIP_ for a policy, of those that the MTA offers. */
unsigned long milter_steps(const struct policy *p, unsigned long offered);

/*
 * The same for a connection that is to be refused: it wants to say so at
 * once, and asks for no step but that.
 */
unsigned long milter_refusing_steps(unsigned long offered);

/* The bit SMFIP_NR_ of a step; 0: it has none. */
unsigned long milter_quiet(enum step step);

/* The bits SMFIF_ for what a policy may do to a message. */
unsigned long milter_actions(const struct policy *p);

/* Names the macros that the policy and the log need. false: no memory. */
bool milter_ask_macros(SMFICTX *ctx, const struct policy *p);

/* ---- milter_tell.c ---- */

/* The reply for ANSWER_REJECT or ANSWER_TEMPFAIL: n lines. */
void milter_set_reply(SMFICTX *ctx, enum answer_kind kind, const char *code,
                      const char *xcode, const char *const *lines, size_t n);

/* Hands a change to the MTA; as libmilter: MI_SUCCESS or MI_FAILURE. */
int milter_change(SMFICTX *ctx, const struct change *ch);

/* What it does, in words: "add a recipient". */
const char *milter_change_name(enum change_kind kind);

#endif
