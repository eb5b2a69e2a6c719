/* received.h - from whom a Received field says that it had the mail. */
#ifndef RECEIVED_H
#define RECEIVED_H

#include "ip.h"

enum received {
	RECEIVED_UNREADABLE,
	RECEIVED_FROM,
	RECEIVED_WITHIN, /* the host had it from itself: forwarded, filtered */
};

/*
 * The client's address, as the host that wrote the field saw it, and the
 * name that the client gave. That name is the client's own word, whatever it
 * looks like: only where a known MTA writes the address is one looked for.
 * RECEIVED_FROM alone sets *ip and *helo.
 */
enum received received_read(struct span raw, struct ip *ip,
                            struct span *helo);

#endif
