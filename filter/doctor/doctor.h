/*
 * doctor.h - what keeps mail from the filter: the MTA's configuration and the
 * socket, looked at.
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <stdio.h>

#include "options.h"
#include "policy.h"

#define DOCTOR_FOUND 1

/*
 * Prints what would not work and the line that mends it. Returns 0 if nothing
 * is at fault, DOCTOR_FOUND, or one of sysexits.h once it has said on standard
 * error why it could not look.
 */
int doctor(const struct policy *p, const struct options *o, FILE *out);

#endif
