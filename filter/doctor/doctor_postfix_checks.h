/*
 * doctor_postfix_checks.h - the checks of Postfix's configuration, and what
 * they share.
 */
#ifndef DOCTOR_POSTFIX_CHECKS_H
#define DOCTOR_POSTFIX_CHECKS_H

#include "doctor_postfix.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define EACH_DOOR(d, pf) \
	(d) = (pf)->doors; (d) < (pf)->doors + (pf)->n_doors; (d)++

/* Each runs the checks of its file, doctor_postfix_NAME.c. */
void postfix_check_named(struct visit *v, const struct postfix *pf);
void postfix_check_around(struct visit *v, const struct postfix *pf);
void postfix_check_asked(struct visit *v, const struct postfix *pf);
void postfix_check_sent(struct visit *v, const struct postfix *pf);

/* ---- doctor_postfix_mend.c ---- */

/* The file from which this service has the parameter. */
const char *mend_file(const struct postfix *pf, const struct door *d,
                      const char *name);

/* The line of master.cf; a value with blanks stands in braces there. */
struct span mend_override(struct visit *v, const struct door *d,
                          const char *name, struct span value);

/* The line that gives the parameter a value where this service has it from. */
struct span mend_line(struct visit *v, const struct postfix *pf,
                      const struct door *d, const char *name,
                      struct span value);

/* Tells what was found at a door, and the value that mends it. */
void mend_value(struct visit *v, const struct postfix *pf,
                const struct door *d, struct span what,
                const char *name, struct span value);

/*
 * The same, mended by our socket in the door's list of milters: in the place
 * of old, or (NULL) behind all.
 */
void mend_list(struct visit *v, const struct postfix *pf,
               const struct door *d, const struct entry *old,
               struct span what);

/* The service's list with one entry in another's place; NULL: behind all. */
struct span mend_list_with(struct visit *v, struct span list,
                           const struct entry *old, struct span spelling);

#endif
