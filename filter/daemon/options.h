/*
 * options.h - the command line: one table of verbs, one of options. --help is
 * printed from them, and the manual is checked against them.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "scenario.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/etc"
#endif
#define DEFAULT_CONFIG SYSCONFDIR "/vaglio/vaglio.conf"

enum verb {
	VERB_RUN,
	VERB_CHECK,
	VERB_TEST,
	VERB_EXPLAIN,
	VERB_DUMP,
	VERB_RELOAD,
	VERB_DOCTOR,
	VERB_LIMITS,
	VERB_HELP,
	VERB_VERSION,
};

struct options {
	enum verb verb;
	const char *config;
	const char *socket;     /* NULL: as the policy says */
	const char *user;       /* "USER", "USER:GROUP", or NULL */
	bool foreground, verbose, json, offline;
	const char *postfix;    /* doctor: Postfix's folder, or NULL */
	const char *sendmail;   /* doctor: Sendmail's .cf, or NULL */
	const char *zone;       /* a zone file in place of the DNS, or NULL */
	char *const *operands;  /* tests' names; a message's file; "clear",
	                           a limit and a key */
	size_t n_operands;
	struct scenario facts;  /* explain */
	struct arena *arena;    /* what facts are made of */
};

/*
 * Reads argv. Returns 0, or EX_USAGE (EX_OSERR) once it has said on err what
 * is wrong.
 */
int options_parse(int argc, char *const *argv, struct options *o, FILE *err);
void options_free(struct options *o);

/* The text of --help. */
void options_help(FILE *out);

#endif
