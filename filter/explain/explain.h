/* explain.h - what explain's two forms, text and JSON, share. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "trial.h"

/* A rule as it stood after a stage; told once for each change. */
struct explain_step {
	enum stage stage;
	size_t rcpt;          /* NO_RCPT: for all alike */
	size_t rule;
	enum truth truth;
	struct span why;
};

/* A look-up that SPF made. */
struct explain_lookup {
	enum stage stage;
	struct span name, answer;   /* printable */
	enum dns_type type;
	enum dns_status status;
	bool cached;
	double ms;
};

/* What decided SPF's result, or why there is none: for a reader. */
struct span explain_spf(const struct spf_finding *f);

/* A recipient that was refused at RCPT, or the verdict of the message. */
struct explain_end {
	const char *kind;     /* "accept", "held", "reject", ... */
	enum stage stage;
	size_t rule;
	struct span reply;    /* p NULL: none */
};

struct explain_lines {
	struct span *lines;
	size_t n;
};

struct explained {
	struct trial *trial;
	struct explain_step *steps;
	size_t n_steps;
	struct explain_lookup *lookups;
	size_t n_lookups;
	struct explain_end end;
	const struct shadow *shadows;
	size_t n_shadows;
	const struct effect *notices; /* what tells somebody: logs, too */
	size_t n_notices;
	bool let_in;
	struct explain_lines before, after;
};

/* "vaglio.conf:17"; in the trial's arena. */
struct span explain_place(const struct trial *t, size_t rule);

/* "reject", or "note" for one that would only note. */
const char *explain_shadow(const struct shadow *s);

/* false: no memory. */
bool explain_json(const struct explained *e, FILE *out);

#endif
