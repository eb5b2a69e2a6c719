/* dns_zone.h - filling the zone of resolver_zone record by record. */
#ifndef DNS_ZONE_H
#define DNS_ZONE_H

#include "dns_answer.h"

/* Empty; records may be added until it is asked. Names have no dot at
 * their end. */
struct resolver *zone_new(void);
void zone_add(struct resolver *zone, struct span name, enum dns_type type,
              struct dns_record record);
void zone_add_cname(struct resolver *zone, struct span name,
                    struct span target);
void zone_add_failure(struct resolver *zone, struct span name,
                      enum dns_status status);

#endif
