/* number.h - numbers as a policy or a header field spells them. */
#ifndef NUMBER_H
#define NUMBER_H

#include <stdbool.h>

#include "span.h"

/* A decimal with sign and fraction, blanks around it: "-1.5". */
bool number_parse(struct span s, double *out);

/* "64K" "10M" "1G", or bytes */
bool number_parse_size(struct span s, double *out);

/* "30s" "10m" "2h" "7d", or seconds: gives seconds */
bool number_parse_time(struct span s, double *out);

/* "0660" */
bool number_parse_octal(struct span s, double *out);

#endif
