/*
 * table_net.c - networks to entries: the longest prefix wins.
 *
 * One open hash of networks; a look-up tries each length that is there, the
 * longest first. Tables have few lengths.
 */
#include <stdlib.h>
#include <string.h>

#include "table_impl.h"

#define LENGTHS 129

struct slot {
	struct ip ip;
	uint8_t used, length;
	uint32_t id;
};

struct table_nets {
	struct slot *slots;
	size_t mask;
	uint8_t lengths[LENGTHS]; /* those present, the longest first */
	size_t n_lengths;
};

struct table_nets *
table_nets_new(size_t n)
{
	struct table_nets *x = calloc(1, sizeof(*x));
	size_t size = 8;

	if (x == NULL)
		return NULL;
	while (size < n + n / 2)
		size *= 2;
	x->mask = size - 1;
	x->slots = calloc(size, sizeof(*x->slots));
	if (x->slots == NULL) {
		free(x);
		return NULL;
	}
	return x;
}

void
table_nets_free(struct table_nets *x)
{
	if (x == NULL)
		return;
	free(x->slots);
	free(x);
}

static size_t
hash(const struct ip *ip, unsigned length)
{
	uint64_t high, low, h;

	memcpy(&high, ip->byte, sizeof(high));
	memcpy(&low, ip->byte + sizeof(high), sizeof(low));
	h = (high ^ length) * 0x9e3779b97f4a7c15u;
	h = (h ^ h >> 32 ^ low) * 0xd6e8feb86659fd93u;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93u;
	return (size_t)(h ^ h >> 32);
}

static struct slot *
look(const struct table_nets *x, const struct ip *ip, unsigned length)
{
	size_t i = hash(ip, length) & x->mask;

	for (; x->slots[i].used; i = (i + 1) & x->mask)
		if (x->slots[i].length == length &&
		    memcmp(&x->slots[i].ip, ip, sizeof(*ip)) == 0)
			break;
	return &x->slots[i];
}

static void
add_length(struct table_nets *x, unsigned length)
{
	size_t i = 0;

	while (i < x->n_lengths && x->lengths[i] > length)
		i++;
	if (i < x->n_lengths && x->lengths[i] == length)
		return;
	memmove(x->lengths + i + 1, x->lengths + i, x->n_lengths - i);
	x->lengths[i] = (uint8_t)length;
	x->n_lengths++;
}

enum index_add
table_nets_add(struct table_nets *x, const struct net *net, uint32_t id,
               uint32_t *first)
{
	struct slot *s = look(x, &net->ip, net->length);

	if (s->used) {
		*first = s->id;
		return INDEX_TWICE;
	}
	*s = (struct slot){net->ip, 1, (uint8_t)net->length, id};
	add_length(x, net->length);
	return INDEX_ADDED;
}

bool
table_nets_find(const struct table_nets *x, const struct ip *ip, uint32_t *id)
{
	bool v4 = ip_is_v4(ip);
	size_t i;

	for (i = 0; i < x->n_lengths; i++) {
		unsigned length = x->lengths[i];
		struct ip masked = ip_mask(ip, length);
		const struct slot *s;

		if (v4 && length < 96) /* as net_has has it */
			break;
		s = look(x, &masked, length);
		if (s->used) {
			*id = s->id;
			return true;
		}
	}
	return false;
}
