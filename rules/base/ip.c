#include <arpa/inet.h>
#include <string.h>

#include "ip.h"

static const unsigned char v4_prefix[12] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff,
};

bool
ip_is_v4(const struct ip *ip)
{
	return memcmp(ip->byte, v4_prefix, sizeof(v4_prefix)) == 0;
}

/* by_dots: written as IPv4 alone, so that a length counts from 32. */
static bool
parse(struct span text, struct ip *ip, bool *by_dots)
{
	char s[IP_TEXT];

	if (text.n == 0 || text.n >= sizeof(s) ||
	    memchr(text.p, '\0', text.n) != NULL)
		return false;
	memcpy(s, text.p, text.n);
	s[text.n] = '\0';
	*by_dots = inet_pton(AF_INET, s, ip->byte + sizeof(v4_prefix)) == 1;
	if (*by_dots)
		memcpy(ip->byte, v4_prefix, sizeof(v4_prefix));
	return *by_dots || inet_pton(AF_INET6, s, ip->byte) == 1;
}

bool
ip_parse(struct span text, struct ip *ip)
{
	bool by_dots;

	return parse(text, ip, &by_dots);
}

const char *
ip_print(const struct ip *ip, char out[IP_TEXT])
{
	if (ip_is_v4(ip))
		return inet_ntop(AF_INET, ip->byte + sizeof(v4_prefix), out,
		                 IP_TEXT);
	return inet_ntop(AF_INET6, ip->byte, out, IP_TEXT);
}

struct ip
ip_mask(const struct ip *ip, unsigned length)
{
	struct ip masked = {{0}};
	unsigned whole = length / 8, rest = length % 8;

	if (length >= 128)
		return *ip;
	memcpy(masked.byte, ip->byte, whole);
	if (rest != 0)
		masked.byte[whole] =
			(unsigned char)(ip->byte[whole] & (0xff00 >> rest));
	return masked;
}

/* length := "0" | digit without zero { digit }, at most most */
static bool
parse_length(struct span text, unsigned most, unsigned *length)
{
	unsigned n = 0;
	size_t i;

	if (text.n == 0 || text.n > 3 || (text.n > 1 && text.p[0] == '0'))
		return false;
	for (i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		n = n * 10 + (unsigned)(text.p[i] - '0');
	}
	*length = n;
	return n <= most;
}

enum net_parse
net_parse(struct span text, struct net *net)
{
	const char *slash =
		text.n == 0 ? NULL : memchr(text.p, '/', text.n);
	struct span address = text;
	struct ip ip;
	bool by_dots;

	if (slash != NULL)
		address.n = (size_t)(slash - text.p);
	if (!parse(address, &ip, &by_dots))
		return NET_BAD;
	net->length = 128;
	if (slash != NULL) {
		struct span length = {slash + 1, text.n - address.n - 1};

		if (!parse_length(length, by_dots ? 32 : 128, &net->length))
			return NET_BAD;
		net->length += by_dots ? 96 : 0;
	}
	net->ip = ip_mask(&ip, net->length);
	return memcmp(&ip, &net->ip, sizeof(ip)) == 0 ? NET_OK : NET_HOST_BITS;
}

bool
net_has(const struct net *net, const struct ip *ip)
{
	struct ip masked;

	/* ::/0 is all of IPv6: no IPv4 address though kept as a mapped one. */
	if (net->length < 96 && ip_is_v4(ip))
		return false;
	masked = ip_mask(ip, net->length);
	return memcmp(&masked, &net->ip, sizeof(masked)) == 0;
}
