/* asker.h - the DNS, for the tables that a policy has there. */
#ifndef ASKER_H
#define ASKER_H

#include "lookup.h"
#include "told.h"

/* For struct lookup_dns; of is the struct told. */
enum fact_state asker_dns(void *of, struct span name, enum lookup_type type,
                          struct arena *a, struct lookup_records *out);

#endif
