#include "character.h"

size_t
character_next(const char *p, unsigned *c)
{
	const unsigned char *u = (const unsigned char *)p;

	*c = u[0];
	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xe0) {
		*c = (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu);
		return 2;
	}
	if (u[0] < 0xf0) {
		*c = (u[0] & 0xfu) << 12 | (u[1] & 0x3fu) << 6 |
			(u[2] & 0x3fu);
		return 3;
	}
	*c = (u[0] & 7u) << 18 | (u[1] & 0x3fu) << 12 | (u[2] & 0x3fu) << 6 |
		(u[3] & 0x3fu);
	return 4;
}

bool
character_turns(unsigned c)
{
	return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

bool
character_is_invisible(unsigned c)
{
	return c == 0xad || c == 0x34f || c == 0x61c || c == 0x115f ||
		c == 0x1160 || c == 0x17b4 || c == 0x17b5 ||
		(c >= 0x180b && c <= 0x180f) || (c >= 0x200b && c <= 0x200f) ||
		(c >= 0x2060 && c <= 0x2065) || (c >= 0x206a && c <= 0x206f) ||
		c == 0x3164 || (c >= 0xfe00 && c <= 0xfe0f) || c == 0xfeff ||
		c == 0xffa0 || (c >= 0xfff0 && c <= 0xfffb) ||
		(c >= 0x1bca0 && c <= 0x1bca3) ||
		(c >= 0x1d173 && c <= 0x1d17a) ||
		(c >= 0xe0000 && c <= 0xe0fff);
}

bool
character_is_blank(unsigned c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 ||
		c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
		c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
		c == 0x3000;
}
