/*
 * milter_ask.c - what to ask an MTA for: no more steps, replies and macros
 * than the policy needs.
 */
#include <stdlib.h>
#include <string.h>

#include "milter_impl.h"

/* One row a step: its bits, and what a policy must want to have it. */
static const struct {
	unsigned long off, quiet; /* SMFIP_NO..., SMFIP_NR_... */
	enum stage stage;
} steps[] = {
	[STEP_CONNECT] = {SMFIP_NOCONNECT, SMFIP_NR_CONN, STAGE_CONNECT},
	[STEP_HELO] = {SMFIP_NOHELO, SMFIP_NR_HELO, STAGE_HELO},
	[STEP_MAIL] = {SMFIP_NOMAIL, SMFIP_NR_MAIL, STAGE_MAIL},
	[STEP_RCPT] = {SMFIP_NORCPT, SMFIP_NR_RCPT, STAGE_RCPT},
	[STEP_DATA] = {SMFIP_NODATA, SMFIP_NR_DATA, STAGE_DATA},
	[STEP_HEADER] = {SMFIP_NOHDRS, SMFIP_NR_HDR, STAGE_HEADERS},
	[STEP_EOH] = {SMFIP_NOEOH, SMFIP_NR_EOH, STAGE_HEADERS},
	[STEP_BODY] = {SMFIP_NOBODY, SMFIP_NR_BODY, STAGE_END},
	[STEP_END] = {0, 0, STAGE_END},
};

/* ---- steps and actions ---- */

static bool
changes_header(const struct policy *p)
{
	return policy_may_do(p, EFFECT_REPLACE_HEADER) ||
	       policy_may_do(p, EFFECT_REMOVE_HEADER) ||
	       policy_may_do(p, EFFECT_REWRITE_HEADER) ||
	       policy_may_do(p, EFFECT_STAMP_RESULTS) ||
	       policy_changes_body(p); /* and what says how it is encoded */
}

/*
 * Is a step of use? The envelope always is: the log names the client, HELO,
 * sender and recipients. The header is read for rules, to number the fields
 * that change, and as part of the message's size.
 */
static bool
is_wanted(const struct policy *p, enum step step)
{
	switch (step) {
	case STEP_CONNECT:
	case STEP_HELO:
	case STEP_MAIL:
	case STEP_RCPT:
	case STEP_END:
		return true;
	case STEP_DATA:
	case STEP_EOH:
		return policy_may_answer(p, steps[step].stage);
	case STEP_HEADER:
		return policy_needs(p, STAGE_HEADERS) ||
		       policy_needs(p, STAGE_END) || changes_header(p);
	case STEP_BODY:
		return policy_needs(p, STAGE_END) || policy_changes_body(p);
	}
	return true;
}

/*
 * May a step go without a reply? A verdict falls at the end of the header,
 * not at a field. The body's pieces are always answered: "skip" spares the
 * rest of a body that nobody asks for; and to the piece that comes with the
 * end (see answer_piece) libmilter would take "no reply" for the answer to
 * the end, and the MTA would wait for one in vain.
 */
static bool
is_quiet(const struct policy *p, enum step step)
{
	if (step == STEP_HEADER)
		return true;
	return step < STEP_BODY && !policy_may_answer(p, steps[step].stage);
}

unsigned long
milter_steps(const struct policy *p, unsigned long offered)
{
	unsigned long flags = SMFIP_NOUNKNOWN | SMFIP_SKIP;
	enum step s;

	for (s = STEP_CONNECT; s < STEP_END; s++) {
		if (!is_wanted(p, s))
			flags |= steps[s].off;
		else if (is_quiet(p, s))
			flags |= steps[s].quiet;
	}
	if (!is_wanted(p, STEP_BODY))
		flags &= ~(unsigned long)SMFIP_SKIP;
	/* Bits that an MTA does not know would end the negotiation, but for
	 * those that libmilter plays for it. */
	return flags & (offered | SMFIP_NODATA | SMFIP_NOUNKNOWN);
}

unsigned long
milter_actions(const struct policy *p)
{
	static const struct {
		enum effect_kind kind;
		unsigned long flags;
	} of[] = {
		{EFFECT_ADD_HEADER, SMFIF_ADDHDRS},
		{EFFECT_PREPEND_HEADER, SMFIF_ADDHDRS},
		{EFFECT_REPLACE_HEADER, SMFIF_ADDHDRS | SMFIF_CHGHDRS},
		{EFFECT_REMOVE_HEADER, SMFIF_CHGHDRS},
		{EFFECT_REWRITE_HEADER, SMFIF_CHGHDRS},
		{EFFECT_ADD_RCPT, SMFIF_ADDRCPT},
		{EFFECT_REDIRECT, SMFIF_ADDRCPT},
		{EFFECT_REPLACE_SENDER, SMFIF_CHGFROM},
		{EFFECT_QUARANTINE, SMFIF_QUARANTINE},
		{EFFECT_STAMP_RECEIVED_SPF, SMFIF_ADDHDRS},
		{EFFECT_STAMP_RESULTS, SMFIF_ADDHDRS | SMFIF_CHGHDRS},
	};
	unsigned long flags = SMFIF_DELRCPT; /* a discarded recipient's */
	size_t i;

	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		if (policy_may_do(p, of[i].kind))
			flags |= of[i].flags;
	if (policy_changes_body(p))
		flags |= SMFIF_CHGBODY | SMFIF_ADDHDRS | SMFIF_CHGHDRS;
	return flags;
}

unsigned long
milter_quiet(enum step step)
{
	return steps[step].quiet;
}

unsigned long
milter_refusing_steps(unsigned long offered)
{
	unsigned long flags = SMFIP_NOUNKNOWN | SMFIP_NODATA;

	flags |= (SMFIP_NOHDRS | SMFIP_NOEOH | SMFIP_NOBODY) & offered;
	return flags;
}

/* ---- macros ---- */

struct names {
	char *text; /* names with a blank between */
	size_t n;
	bool failed;
};

static bool
has_name(const struct names *list, struct span name)
{
	const char *at = list->text, *end;

	for (; at != NULL && *at != '\0'; at = *end == ' ' ? end + 1 : end) {
		end = strchrnul(at, ' ');
		if (span_is(name, (struct span){at, (size_t)(end - at)}))
			return true;
	}
	return false;
}

static void
add_name(struct names *list, struct span name)
{
	char *more;

	if (name.n == 0 || has_name(list, name))
		return;
	more = realloc(list->text, list->n + name.n + 2);
	if (more == NULL) {
		list->failed = true;
		return;
	}
	if (list->n > 0)
		more[list->n++] = ' ';
	memcpy(more + list->n, name.p, name.n);
	list->n += name.n;
	more[list->n] = '\0';
	list->text = more;
}

static void
add_names(struct names *list, const char *names)
{
	size_t n;

	for (; *names != '\0'; names += n + (names[n] == ' ')) {
		n = strcspn(names, " ");
		add_name(list, (struct span){names, n});
	}
}

/* Those that the policy's questions take at a stage, and the log's. */
static void
collect_names(const struct policy *p, enum stage stage, struct names *list)
{
	size_t n, i;
	const struct ask *ask = policy_asks(p, &n);

	if (stage == STAGE_CONNECT)
		add_names(list, SESSION_MACROS_CONNECT);
	if (stage == STAGE_MAIL)
		add_names(list, SESSION_MACROS_MAIL);
	if (stage > STAGE_MAIL)
		add_names(list, SESSION_MACROS_LATER);
	for (i = 0; i < n; i++) {
		bool any = (ask[i].subject->flags & SUBJECT_IS_ANY) != 0;

		if (ask[i].subject->stage != stage &&
		    !(any && ask[i].subject->stage < stage))
			continue;
		add_names(list, ask[i].subject->macros);
		if (ask[i].subject->id == SUBJECT_MACRO)
			add_name(list, ask[i].argument);
	}
}

/*
 * The lists replace the MTA's own, so every stage is given one; an empty one
 * spares a packet. Postfix sends most of these only when they are asked for.
 */
bool
milter_ask_macros(SMFICTX *ctx, const struct policy *p)
{
	static const struct {
		enum stage stage;
		int where;
	} at[] = {
		{STAGE_CONNECT, SMFIM_CONNECT}, {STAGE_HELO, SMFIM_HELO},
		{STAGE_MAIL, SMFIM_ENVFROM},    {STAGE_RCPT, SMFIM_ENVRCPT},
		{STAGE_DATA, SMFIM_DATA},       {STAGE_HEADERS, SMFIM_EOH},
		{STAGE_END, SMFIM_EOM},
	};
	size_t i;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		struct names list = {0};
		char none[] = "";
		bool fine;

		collect_names(p, at[i].stage, &list);
		fine = !list.failed &&
		       smfi_setsymlist(ctx, at[i].where, list.text != NULL ?
		                       list.text : none) == MI_SUCCESS;
		free(list.text);
		if (!fine)
			return false;
	}
	return true;
}
