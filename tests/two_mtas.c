#include <stdlib.h>
#include <string.h>

#include "two_mtas.h"

struct entry {
	struct span name, value;
	bool gone;
};

struct header {
	struct entry *e;
	size_t n;
};

static void
put(struct header *h, size_t at, const struct change *c)
{
	memmove(h->e + at + 1, h->e + at, (h->n - at) * sizeof(*h->e));
	h->e[at] = (struct entry){c->name, c->value, false};
	h->n++;
}

/* The field that an index from 1 means; h->n: none. */
static size_t
find(const struct header *h, const struct change *c, enum mta mta)
{
	unsigned left = c->index;
	size_t i;

	for (i = 0; i < h->n; i++) {
		if (!span_is_nocase(h->e[i].name, c->name) ||
		    (h->e[i].gone && mta == POSTFIX))
			continue;
		if (--left == 0)
			return i;
	}
	return h->n;
}

/* Where an added field goes: with Sendmail above the first of its name. */
static size_t
place(const struct header *h, const struct change *c, enum mta mta)
{
	size_t i;

	if (c->index != 0)
		return c->index < h->n ? c->index : h->n;
	for (i = 0; mta == SENDMAIL && i < h->n; i++)
		if (span_is_nocase(h->e[i].name, c->name))
			return i;
	return h->n;
}

static void
make(struct header *h, const struct change *c, enum mta mta)
{
	size_t at;

	if (c->kind == INSERT_HEADER) {
		put(h, c->index, c);
	} else if (c->kind == ADD_HEADER) {
		put(h, place(h, c, mta), c);
	} else if (c->kind == CHANGE_HEADER) {
		at = find(h, c, mta);
		if (at == h->n && c->value.p != NULL)
			put(h, h->n, c);
		else if (at < h->n && c->value.p == NULL)
			h->e[at].gone = true;
		else if (at < h->n)
			h->e[at] = (struct entry){c->name, c->value, false};
	}
}

static bool
is_result(const struct header *h, const struct message *m)
{
	size_t i, k = 0;

	for (i = 0; i < h->n; i++) {
		if (h->e[i].gone)
			continue;
		if (k == message_result_fields(m) ||
		    !span_is(h->e[i].name, message_result_name(m, k)) ||
		    !span_is(h->e[i].value, message_result_value(m, k)))
			return false;
		k++;
	}
	return k == message_result_fields(m);
}

bool
mta_agrees(const struct message *m, enum mta mta,
           const struct change *changes, size_t n)
{
	struct header h = {calloc(message_fields(m) + n + 1, sizeof(*h.e)), 0};
	bool agrees;
	size_t i;

	if (h.e == NULL)
		abort();
	for (i = 0; i < message_fields(m); i++) {
		h.e[h.n].name = message_field(m, i)->name;
		h.e[h.n++].value = message_field(m, i)->raw;
	}
	for (i = 0; i < n; i++)
		make(&h, &changes[i], mta);
	agrees = is_result(&h, m);
	free(h.e);
	return agrees;
}

static bool
is_fit_value(size_t column, struct span s, bool is_new)
{
	size_t i;

	if (s.p[s.n] != '\0')
		return false;
	for (i = 0; i < s.n; i++, column++) {
		unsigned char c = (unsigned char)s.p[i];

		if (column >= 998)
			return false;
		if (c == '\n') {
			if (s.p[i + 1] != ' ' && s.p[i + 1] != '\t')
				return false;
			column = (size_t)-1;
		} else if (c == '\0' || c == '\r' ||
		           (is_new && (c < ' ' || c >= 0x7f))) {
			return false;
		}
	}
	return true;
}

static bool
is_fit(const struct change *c)
{
	if (c->kind > ADD_HEADER)
		return c->value.p != NULL && c->value.p[c->value.n] == '\0';
	if (c->name.p[c->name.n] != '\0' ||
	    (c->kind == CHANGE_HEADER && c->index == 0))
		return false;
	return c->value.p == NULL ? c->kind == CHANGE_HEADER :
		is_fit_value(c->name.n + 2, c->value,
		             c->kind != CHANGE_HEADER);
}

bool
changes_are_fit(const struct change *changes, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!is_fit(&changes[i]) ||
		    (i > 0 && changes[i].kind < changes[i - 1].kind))
			return false;
	return true;
}
