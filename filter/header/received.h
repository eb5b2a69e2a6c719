/* received.h - from whom a Received field says that it had the mail. */
#ifndef RECEIVED_H
#define RECEIVED_H

#include "ip.h"

/*
 * The client's address, as the host that wrote the field saw it, and the
 * name that the client gave. The name is the client's own word and the
 * address is looked for behind it only: in brackets in the comment (Postfix,
 * Sendmail: "from HELO (name [192.0.2.1])"), alone in it (Exchange), or, if
 * the comment tells the HELO, before it (Exim: "from [192.0.2.1]
 * (helo=NAME)"). false: the field says no such thing.
 */
bool received_from(struct span raw, struct ip *ip, struct span *helo);

#endif
