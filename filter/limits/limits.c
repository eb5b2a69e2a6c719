#include <stdlib.h>
#include <string.h>

#include "limits_store.h"
#include "siphash.h"
#include "utf8.h"

enum truth
limits_ask(struct limits *l, const struct limit *limit, struct span key,
           uint64_t n, bool take, struct limits_found *found)
{
	*found = (struct limits_found){.used = 0};
	return l->kind->ask(l, limit, key, n, take, found);
}

void
limits_add(struct limits *l, const struct limit *limit, struct span key,
           int64_t n, int64_t when)
{
	if (n != 0)
		l->kind->add(l, limit, key, n, when);
}

void
limits_prepare(struct limits *l, const struct policy *p)
{
	if (l != NULL && l->kind->prepare != NULL)
		l->kind->prepare(l, p);
}

struct limits_row *
limits_top(struct limits *l, const struct limit *limit, size_t most,
           size_t *n, size_t *all, char why[LIMITS_WHY])
{
	return l->kind->top(l, limit, most, n, all, why);
}

bool
limits_row_before(const struct limits_row *a, const struct limits_row *b)
{
	return a->used != b->used ? a->used > b->used :
	       strcmp(a->key, b->key) < 0;
}

static int
compare_rows(const void *left, const void *right)
{
	const struct limits_row *a = left, *b = right;

	return limits_row_before(a, b) ? -1 : limits_row_before(b, a);
}

void
limits_rows_sort(struct limits_row *rows, size_t n)
{
	qsort(rows, n, sizeof(*rows), compare_rows);
}

void
limits_rows_free(struct limits_row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(rows[i].key);
	free(rows);
}

int
limits_clear(struct limits *l, const struct limit *limit, struct span key,
             char why[LIMITS_WHY])
{
	return l->kind->clear(l, limit, key, why);
}

void
limits_save(struct limits *l)
{
	if (l != NULL && l->kind->save != NULL)
		l->kind->save(l);
}

void
limits_free(struct limits *l)
{
	if (l != NULL && l->kind->free != NULL)
		l->kind->free(l);
}

/* ---- keys ---- */

static struct span
address_key(struct arena *a, const struct limit *limit, const struct ip *ip)
{
	bool v4 = ip_is_v4(ip);
	unsigned bits = v4 ? limit->v4 : limit->v6;
	struct ip net = ip_mask(ip, v4 ? 96 + bits : bits);
	char text[IP_TEXT];

	ip_print(&net, text);
	if (bits == (v4 ? 32 : 128))
		return arena_copy(a, span_of(text));
	return arena_printf(a, "%s/%u", text, bits);
}

/* What is too long keeps its begin, and a hash that is alike everywhere. */
static struct span
shorten(struct arena *a, struct span key)
{
	static const uint64_t first[2] = {0, 1}, second[2] = {2, 3};

	if (key.n <= LIMITS_KEY)
		return key;
	return arena_printf(a, "%.*s...%016llx%016llx", LIMITS_KEY - 40, key.p,
	                    (unsigned long long)siphash(first, key),
	                    (unsigned long long)siphash(second, key));
}

struct span
limits_key(struct arena *a, const struct limit *limit, const struct value *v)
{
	struct span key;

	switch (v->type) {
	case VALUE_IP:
		return address_key(a, limit, &v->ip);
	case VALUE_NUMBER:
		return arena_printf(a, "%.0f", v->number);
	default:
		break;
	}
	if (v->text.n == 0)
		return v->type == VALUE_ADDRESS ? SPAN("<>") : SPAN("");
	key = utf8_fold(a, v->text);
	return key.p == NULL ? key : shorten(a, key);
}
