#include <stddef.h>

#include "siphash.h"

static uint64_t
turn(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void
rounds(uint64_t v[4], unsigned n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[1] = turn(v[1], 13) ^ v[0];
		v[0] = turn(v[0], 32);
		v[2] += v[3];
		v[3] = turn(v[3], 16) ^ v[2];
		v[0] += v[3];
		v[3] = turn(v[3], 21) ^ v[0];
		v[2] += v[1];
		v[1] = turn(v[1], 17) ^ v[2];
		v[2] = turn(v[2], 32);
	}
}

/* Up to eight bytes, the first the lowest. */
static uint64_t
word(const char *p, size_t n)
{
	uint64_t w = 0;

	while (n > 0) {
		n--;
		w = w << 8 | (unsigned char)p[n];
	}
	return w;
}

static void
mix(uint64_t v[4], uint64_t w)
{
	v[3] ^= w;
	rounds(v, 2);
	v[0] ^= w;
}

uint64_t
siphash(const uint64_t key[2], struct span s)
{
	uint64_t v[4] = {
		key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d,
		key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573,
	};
	size_t at;

	for (at = 0; s.n - at >= 8; at += 8)
		mix(v, word(s.p + at, 8));
	mix(v, word(s.p + at, s.n - at) | (uint64_t)s.n << 56);
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
