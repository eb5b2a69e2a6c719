/* fake_facts.h - a table of truths for the engine, in place of a session. */
#ifndef FAKE_FACTS_H
#define FAKE_FACTS_H

#include "policy.h"

struct fake_facts {
	struct facts facts;
	struct arena *arena;
	struct fake_fact {
		const char *subject;  /* "auth", "header X", "rcpt" */
		size_t rcpt;          /* NO_RCPT, or of that recipient */
		const char *values;   /* split at "|"; NULL: it fails */
		unsigned asked;
	} list[64];
	size_t n;
};

void fake_facts_init(struct fake_facts *f, struct arena *a);

/* What is not said is absent. */
void fake_facts_say(struct fake_facts *f, const char *subject,
                    const char *values);
void fake_facts_say_rcpt(struct fake_facts *f, size_t rcpt,
                         const char *subject, const char *values);

/* How often it was asked for. */
unsigned fake_facts_asked(const struct fake_facts *f, const char *subject);

#endif
