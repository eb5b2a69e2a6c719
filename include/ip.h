/* ip.h - IP addresses and networks. */
#ifndef IP_H
#define IP_H

#include <stdbool.h>

#include "span.h"

/* IPv4 is kept as its IPv4-mapped IPv6 address (RFC 4291 2.5.5.2). */
struct ip {
	unsigned char byte[16];
};

struct net {
	struct ip ip;      /* bits past length are zero */
	unsigned length;   /* of the 128 bits; an IPv4 /24 has 120 */
};

#define IP_TEXT 46 /* bytes that ip_print needs, the NUL among them */

/* An address without brackets; ::ffff:192.0.2.1 is 192.0.2.1. false: it is
 * none. */
bool ip_parse(struct span text, struct ip *ip);
bool ip_is_v4(const struct ip *ip);
/* As inet_ntop(3) has it, IPv4 in dots; gives out. */
const char *ip_print(const struct ip *ip, char out[IP_TEXT]);

/*
 * "192.0.2.0/24", "2001:db8::/32", or an address alone. NET_HOST_BITS: bits
 * are set past the length; net then is the network with them cleared.
 */
enum net_parse { NET_OK, NET_BAD, NET_HOST_BITS };
enum net_parse net_parse(struct span text, struct net *net);
bool net_has(const struct net *net, const struct ip *ip);

/* The address with all bits past the first length cleared. */
struct ip ip_mask(const struct ip *ip, unsigned length);

#endif
