/*
 * policy.h - a policy, and a message read against it.
 *
 * A policy is immutable and shared; a review belongs to one message and one
 * thread at a time. The session (filter/) tells a review what stage is
 * reached and which recipients there are; the review asks it for facts and
 * says what is to be done (vaglio.conf(5), WHEN A RULE DECIDES).
 */
#ifndef POLICY_H
#define POLICY_H

#include <stdio.h>

#include "diag.h"
#include "facts.h"
#include "scenario.h"
#include "setting.h"
#include "truth.h"
#include "verdict.h"

struct policy;

/*
 * Loads the policy of a file. NULL if there is any error, which d then
 * names; warnings may be there in either case. Files are read now, the
 * policy's tests are not run. The policy has one reference.
 */
struct policy *policy_load(const char *path, struct diags *d);

/* The same for a text in memory; files it names are relative to dir. */
struct policy *policy_load_text(struct span text, const char *name,
                                const char *dir, struct diags *d);

/*
 * Whom to tell, in one line and from any thread, that a table was read again
 * or (bad) could not be. To be called before the policy is shared.
 */
void policy_tell(struct policy *p,
                 void (*tell)(void *of, bool bad, const char *text), void *of);

/* Any thread. */
struct policy *policy_ref(struct policy *p);
void policy_unref(struct policy *p);

/* What follows gives parts of the policy, good as long as the policy is. */

const struct settings *policy_settings(const struct policy *p);

/* How many rules there are; they are numbered from 0, in their order. */
size_t policy_rules(const struct policy *p);
struct span policy_rule_name(const struct policy *p, size_t rule);
struct place policy_rule_place(const struct policy *p, size_t rule);

/* The n questions that it asks, by their numbers. */
const struct ask *policy_asks(const struct policy *p, size_t *n);

/* The first rule that asks question n, for the log; NO_RULE: none. */
size_t policy_ask_rule(const struct policy *p, size_t n);

/* Its n tests, in their order; whoever has a session runs them. */
const struct test *policy_tests(const struct policy *p, size_t *n);

/*
 * Is the client in the table of "set trusted-relays"? tables: in place of the
 * policy's own, or NULL. No: there is no such setting, too.
 */
enum truth policy_trusts_relay(const struct policy *p,
                               const struct table *const *tables,
                               const struct ip *client, struct arena *a);

/* May anything but "go on" be answered at this stage? */
bool policy_may_answer(const struct policy *p, enum stage s);

/*
 * Is anything asked that becomes known at this stage? Not of macros: the MTA
 * gives them beside whatever it tells.
 */
bool policy_needs(const struct policy *p, enum stage s);

/* The policy's limits, in its order. */
const struct limit *policy_limits(const struct policy *p, size_t *n);

/* Of "set limits redis", or NULL. */
const struct limit_server *policy_limit_server(const struct policy *p);

/* Does the rule's condition ask whether that limit is over? */
bool policy_rule_asks_limit(const struct policy *p, size_t rule, size_t limit);

/* Does the rule's condition speak of the recipient at hand? */
bool policy_rule_asks_rcpt(const struct policy *p, size_t rule);

/* Is somebody else asked for anything: DNS, a server? */
bool policy_asks_net(const struct policy *p);

/* Whom an answer may have to wait for, at worst. */
struct waits {
	bool dns;       /* spf-timeout bounds it, whatever is asked */
	size_t servers; /* of tables and limits; each CAPS_SERVER_SECONDS */
};

struct waits policy_waits(const struct policy *p);

/* May an action change the message so, or hold it? */
bool policy_may_do(const struct policy *p, enum effect_kind k);

/* May some action change the body? */
bool policy_changes_body(const struct policy *p);

/* The policy as text that loads to the same policy. */
void policy_dump(const struct policy *p, FILE *out);

/*
 * For each rule a line of comment: the stage at which it is settled and what
 * it waits for.
 */
void policy_dump_stages(const struct policy *p, FILE *out);

/* ---- a message ---- */

struct review;

/*
 * A review of one message, allocated in a, which also takes what it keeps.
 * tables: in place of the policy's own, or NULL. NULL without memory.
 */
struct review *review_new(const struct policy *p, const struct facts *facts,
                          const struct table *const *tables, struct arena *a);

/*
 * The next recipient, whose number (from 0) is returned; (size_t)-1 without
 * memory. It takes part from now on.
 */
size_t review_add_rcpt(struct review *r);

/* The MTA or we refused it: it takes no part any more. */
void review_drop_rcpt(struct review *r, size_t rcpt);

/*
 * From now on nobody else is asked, neither DNS nor a server: what is not
 * known by now stays unknown. For a message that ends without a verdict.
 */
void review_close(struct review *r);

/*
 * Reads as far as what is known at stage s allows, and says what to answer
 * now. At connect, HELO and MAIL: what no recipient could change. At RCPT:
 * the verdict for recipient rcpt. From DATA on: the verdict for the message
 * (VERDICT_DISCARD: no recipient is left). VERDICT_ACCEPT means that the MTA
 * may be told now: every reading ends in it and nothing else can happen.
 * At STAGE_END a message that is let in gives VERDICT_ACCEPT always.
 */
struct verdict review_read(struct review *r, enum stage s, size_t rcpt);

/* What has been settled for one recipient (NO_RCPT: for all alike). */
struct verdict review_of(const struct review *r, size_t rcpt);

/*
 * After review_read at STAGE_END (or an early accept) let the message in:
 * what to do, in order. Returns false without memory.
 */
bool review_effects(struct review *r, const struct effect **effects, size_t *n);

/*
 * One of them can't be carried out, which is a failure of its rule: what its
 * on error says. VERDICT_NONE: it is passed over.
 */
struct verdict review_failed(struct review *r, size_t rule, struct span why);

/* log actions that were reached, whatever the verdict; in order. false: no
 * memory. */
bool review_logs(struct review *r, const struct effect **effects, size_t *n);

/* What the shadow rules would have done, as far as is known. false: no
 * memory. */
struct shadow {
	size_t rule;
	struct verdict verdict; /* VERDICT_NONE: only noted actions */
	size_t rcpt;            /* NO_RCPT: the message */
};
bool review_shadows(struct review *r, const struct shadow **shadows, size_t *n);

/* Is the rule's condition, for this recipient, settled yet, and how? */
enum truth review_rule(struct review *r, size_t rule, size_t rcpt);

/*
 * In words, the condition and the value that decided it, for explain:
 * `sender "boss@example.org" not in <logins>["alice"]`. p NULL: no memory.
 */
struct span review_why(struct review *r, size_t rule, size_t rcpt);

/* Is there a pattern that chooses? */
bool effect_chooses(const struct effect *e);

/* matching /re/: is this decoded value, or name, meant? */
enum truth effect_matches(const struct effect *e, struct span value);

/* Is there a where? magic: that asks for attachment.magic. */
bool effect_has_where(const struct effect *e, bool *magic);

/*
 * where EXPR: which of n attachments, or files in them, are meant. ask says
 * what one is; its answer lives as long as a. false: why says what failed.
 */
bool effect_where(const struct effect *e, size_t n,
                  const struct fact *(*ask)(void *of, size_t item,
                                            enum subject_id id), void *of,
                  struct arena *a, bool *meant, struct span *why);

/*
 * replace attachment: the text for one. name: what effect_matches said yes
 * of; give: what ${attachment}, .extension, .type and .size are of this one.
 * p NULL: no memory.
 */
struct span effect_text(const struct effect *e, struct span name,
                        struct arena *a,
                        struct span (*give)(void *of, enum subject_id id),
                        void *of);

/*
 * rewrite header: what is to be put where in the value, in its order.
 * TRUTH_NO: nothing matched; TRUTH_FAILED: a limit.
 */
enum truth effect_rewrite(const struct effect *e, struct span value,
                          struct arena *a, struct subst **substs, size_t *n);

#endif
