/*
 * tables.h - what the tests of tables share: a place for what they make and
 * are told, values to look up, and what is found as one text.
 */
#ifndef TABLES_H
#define TABLES_H

#include "check.h"
#include "table.h"

extern struct diags *diags;
extern struct arena *arena;
extern struct table_context context;
extern const struct place nowhere;

/* Anew; tables_end frees t, too. */
void tables_begin(void);
void tables_end(struct table *t);

/* All that was told, in the arena. */
const char *told(void);

struct value text(const char *s);
struct value name(const char *s);
struct value ip(const char *s);
struct value number(double d);

/* local "@" domain, no quotes; "" is the null sender. */
struct value address(const char *s);

/*
 * The values, joined with bars; "-": not there; "!" and why: failed. sorted:
 * where the back end has no order.
 */
const char *find_values(const struct table *t, struct value v, bool sorted);

/* Asks until the answer begins as wanted; half a minute at the most. */
void becomes(const struct table *t, struct value v, const char *wanted);

#endif
