/*
 * mime_cms.c - what an S/MIME signature has in it (RFC 5652 5.1): BER, whose
 * lengths may be left open and whose strings may come in pieces. Nothing is
 * verified; a mail reader shows what is there whether or not it holds.
 */
#include <string.h>

#include "mime.h"

#define DEPTH_MAX 20 /* strings in strings, and what is passed over */

enum {
	OID = 0x06, OCTETS = 0x04, OCTET_PIECES = 0x24, SEQUENCE = 0x30,
	CONTENT = 0xa0, CONSTRUCTED = 0x20,
};

struct element {
	unsigned tag;
	struct span content; /* of an open one: all that there is */
	bool open;
};

static const char signed_data[] = "\x2a\x86\x48\x86\xf7\x0d\1\7\2";
static const struct span signed_oid = {signed_data, 9};

bool
mime_cms_is_signed(struct span begin)
{
	return begin.n > 0 && memmem(begin.p, begin.n, signed_oid.p,
	                             signed_oid.n) != NULL;
}

static unsigned
byte(struct span s, size_t i)
{
	return (unsigned char)s.p[i];
}

/* Its tag and length; s is then what is behind it, or in it if it is open. */
static bool
take(struct span *s, struct element *e)
{
	size_t n, i, at = 2;

	if (s->n < 2 || (byte(*s, 0) & 0x1f) == 0x1f)
		return false;
	e->tag = byte(*s, 0);
	n = byte(*s, 1);
	e->open = n == 0x80;
	if (e->open && !(e->tag & CONSTRUCTED))
		return false; /* X.690 8.1.3.2 */
	if (n > 0x80) {
		at += n & 0x7f;
		if (at > s->n || at > 2 + sizeof(uint32_t))
			return false;
		for (n = 0, i = 2; i < at; i++)
			n = n << 8 | byte(*s, i);
	}
	if (e->open || n > s->n - at)
		n = s->n - at; /* cut short: what there is */
	e->content = (struct span){s->p + at, n};
	if (e->open)
		n = 0;
	*s = (struct span){s->p + at + n, s->n - at - n};
	return true;
}

static bool
is_end(const struct element *e)
{
	return e->tag == 0 && e->content.n == 0 && !e->open;
}

/* What is behind an element that was taken. */
static bool
pass(struct span *s, const struct element *e)
{
	size_t depth = e->open;
	struct element inner;

	while (depth > 0) {
		if (depth > DEPTH_MAX || !take(s, &inner))
			return false;
		if (inner.open)
			depth++;
		else if (is_end(&inner))
			depth--;
	}
	return true;
}

/* The next one, if it is of that tag: s becomes what is in it. */
static bool
enter(struct span *s, unsigned tag)
{
	struct element e;

	if (!take(s, &e) || e.tag != tag)
		return false;
	*s = e.content;
	return true;
}

static bool
skip(struct span *s)
{
	struct element e;

	return take(s, &e) && pass(s, &e);
}

/* The pieces of a string, put together at out. How much there is. */
static size_t
join(struct span s, char *out)
{
	struct element e;
	size_t n = 0, depth = 1;

	while (depth > 0 && depth <= DEPTH_MAX && take(&s, &e)) {
		if (is_end(&e)) {
			depth--;
		} else if (e.tag & CONSTRUCTED) {
			depth += e.open;
			if (!e.open) /* its pieces are next */
				s = (struct span){e.content.p, e.content.n +
					s.n};
		} else {
			memcpy(out + n, e.content.p, e.content.n);
			n += e.content.n;
		}
	}
	return n;
}

struct span
mime_cms_content(struct mime *m, struct span s)
{
	static const struct span none = {NULL, 0};
	struct element e;
	char *out;

	if (!enter(&s, SEQUENCE) || !take(&s, &e) || e.tag != OID ||
	    !span_is(e.content, signed_oid) || !enter(&s, CONTENT) ||
	    !enter(&s, SEQUENCE) || !skip(&s) || !skip(&s) ||
	    !enter(&s, SEQUENCE) || !skip(&s) || !enter(&s, CONTENT) ||
	    !take(&s, &e))
		return none;
	if (e.tag == OCTETS)
		return e.content;
	if (e.tag != OCTET_PIECES)
		return none;
	out = arena_alloc(m->arena, e.content.n + 1);
	if (out == NULL) {
		m->no_memory = true;
		return none;
	}
	return (struct span){out, join(e.content, out)};
}
