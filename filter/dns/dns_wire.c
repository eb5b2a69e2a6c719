/* dns_wire.c - DNS messages (RFC 1035 4.1), written by strangers. */
#include <stdlib.h>
#include <string.h>

#include "dns_answer.h"

#define HEADER 12
#define CLASS_IN 1
#define TYPE_CNAME 5
#define TYPE_SOA 6
#define TYPE_OPT 41
#define EDNS_SIZE 1232    /* what passes without fragments everywhere */
#define CHAIN 12          /* CNAMEs in a row; resolvers stop about there */
#define KEEP 86400        /* a day: the longest that anything is kept */
#define KEEP_NEGATIVE 10800 /* RFC 2308 5: one to three hours */

struct message {
	const unsigned char *p;
	size_t n;
};

struct name {
	char text[DNS_NAME + 1];
	size_t n;
	bool odd; /* a label holds a dot: no text says that name */
};

struct rr {
	struct name owner;
	unsigned type, class;
	uint32_t ttl;
	size_t at, n; /* the data */
};

static unsigned
get16(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t
get32(const unsigned char *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void
put16(unsigned char *p, unsigned v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

static size_t
put_name(unsigned char *out, struct span name)
{
	size_t i, label = 0, n = 1; /* out[label] takes the length */

	for (i = 0; i <= name.n; i++) {
		if (i < name.n && name.p[i] != '.') {
			out[n++] = (unsigned char)name.p[i];
			continue;
		}
		out[label] = (unsigned char)(n - label - 1);
		label = n++;
	}
	out[label] = 0;
	return n;
}

size_t
dns_wire_question(unsigned char out[DNS_QUESTION], uint16_t id,
                  struct span name, enum dns_type type, bool edns)
{
	static const unsigned char opt[] = {
		0, 0, TYPE_OPT, EDNS_SIZE >> 8, EDNS_SIZE & 255,
		0, 0, 0, 0, 0, 0,
	};
	size_t n;

	if (!dns_name_ok(name))
		return 0;
	memset(out, 0, HEADER);
	put16(out, id);
	out[2] = 1; /* recursion desired */
	out[5] = 1; /* a question */
	n = HEADER + put_name(out + HEADER, name);
	put16(out + n, type);
	put16(out + n + 2, CLASS_IN);
	n += 4;
	if (!edns)
		return n;
	out[11] = 1; /* OPT */
	memcpy(out + n, opt, sizeof(opt));
	return n + sizeof(opt);
}

static bool
add_label(struct name *name, const unsigned char *p, size_t n)
{
	if (name->n + n + (name->n > 0) > DNS_NAME)
		return false;
	if (name->n > 0)
		name->text[name->n++] = '.';
	memcpy(name->text + name->n, p, n);
	name->n += n;
	if (memchr(p, '.', n) != NULL)
		name->odd = true;
	return true;
}

/*
 * The name at *at, which moves behind it. A pointer must point before the
 * part that it ends (RFC 1035 4.1.4, "prior"), so that there is no loop.
 */
static bool
get_name(const struct message *m, size_t *at, struct name *name)
{
	size_t i = *at, limit = *at, to;
	bool jumped = false;

	name->n = 0;
	name->odd = false;
	for (;;) {
		if (i >= m->n)
			return false;
		if (m->p[i] >= 0xc0) {
			if (i + 2 > m->n)
				return false;
			to = get16(m->p + i) & 0x3fff;
			if (to >= limit)
				return false;
			if (!jumped)
				*at = i + 2;
			jumped = true;
			i = limit = to;
			continue;
		}
		if (m->p[i] > DNS_LABEL || i + 1 + m->p[i] > m->n)
			return false;
		if (m->p[i] == 0)
			break;
		if (!add_label(name, m->p + i + 1, m->p[i]))
			return false;
		i += 1 + (size_t)m->p[i];
	}
	if (!jumped)
		*at = i + 1;
	return true;
}

static bool
get_rr(const struct message *m, size_t *at, struct rr *rr)
{
	if (!get_name(m, at, &rr->owner) || m->n - *at < 10)
		return false;
	rr->type = get16(m->p + *at);
	rr->class = get16(m->p + *at + 2);
	rr->ttl = get32(m->p + *at + 4);
	if (rr->ttl > 0x7fffffff) /* RFC 2181 8 */
		rr->ttl = 0;
	rr->n = get16(m->p + *at + 8);
	rr->at = *at + 10;
	if (m->n - rr->at < rr->n)
		return false;
	*at = rr->at + rr->n;
	return true;
}

static bool
is_name(const struct name *name, struct span s)
{
	return !name->odd &&
	       span_is_nocase((struct span){name->text, name->n}, s);
}

/* What is wanted, while the answer section is read. */
struct search {
	const struct message *m;
	enum dns_type type;
	size_t from;         /* where the answer section begins */
	unsigned records;
	struct name target;  /* the end of the chain of CNAMEs so far */
	uint32_t ttl;
	struct dns_record *found;
	size_t n;
	char *data;          /* the room for names and joined strings */
	size_t used;
};

/* TXT strings, joined in s->data, which has room for the whole message. */
static bool
get_txt(struct search *s, const struct rr *rr, struct dns_record *out)
{
	const unsigned char *p = s->m->p + rr->at, *end = p + rr->n;
	char *to = s->data + s->used;
	size_t n = 0;

	while (p < end) {
		if ((size_t)(end - p) < 1u + *p)
			return false;
		memcpy(to + n, p + 1, *p);
		n += *p;
		p += 1 + *p;
	}
	out->data = (struct span){to, n};
	s->used += n;
	return true;
}

static bool
get_target(struct search *s, const struct rr *rr, size_t at,
           struct dns_record *out)
{
	struct name name;

	if (!get_name(s->m, &at, &name) || at != rr->at + rr->n)
		return false;
	if (name.odd)
		name.n = 0;
	memcpy(s->data + s->used, name.text, name.n);
	out->data = (struct span){s->data + s->used, name.n};
	s->used += name.n;
	return true;
}

static bool
get_data(struct search *s, const struct rr *rr, struct dns_record *out)
{
	size_t want = s->type == DNS_A ? 4 : 16;

	memset(out, 0, sizeof(*out));
	switch (s->type) {
	case DNS_A:
	case DNS_AAAA:
		out->data = (struct span){(const char *)s->m->p + rr->at, want};
		return rr->n == want;
	case DNS_TXT:
		return get_txt(s, rr, out);
	case DNS_MX:
		if (rr->n < 3)
			return false;
		out->preference = get16(s->m->p + rr->at);
		return get_target(s, rr, rr->at + 2, out);
	case DNS_PTR:
		return get_target(s, rr, rr->at, out);
	}
	return false;
}

enum { PASS_BROKEN, PASS_DONE, PASS_AGAIN };

/*
 * Goes through the answers once: collects what the target has, and follows
 * CNAMEs that stand in order. PASS_AGAIN: the chain went on, and nothing was
 * found behind it yet.
 */
static int
pass(struct search *s, size_t *end, unsigned *links)
{
	struct span target;
	struct rr rr;
	size_t at = s->from, behind;
	unsigned i, before = *links;

	for (i = 0; i < s->records; i++) {
		if (!get_rr(s->m, &at, &rr))
			return PASS_BROKEN;
		target = (struct span){s->target.text, s->target.n};
		if (rr.class != CLASS_IN || !is_name(&rr.owner, target))
			continue;
		if (rr.type == TYPE_CNAME && s->n == 0) {
			behind = rr.at;
			if (++*links > CHAIN ||
			    !get_name(s->m, &behind, &s->target))
				return PASS_BROKEN;
		} else if (rr.type == (unsigned)s->type) {
			if (!get_data(s, &rr, &s->found[s->n]))
				return PASS_BROKEN;
			s->n++;
		} else {
			continue;
		}
		if (rr.ttl < s->ttl)
			s->ttl = rr.ttl;
	}
	*end = at;
	return s->n == 0 && *links > before ? PASS_AGAIN : PASS_DONE;
}

/*
 * RFC 2308 5: the lesser of the SOA's TTL and its last field; 0 and *soa false
 * without one.
 */
static uint32_t
negative_ttl(const struct message *m, size_t at, unsigned records, bool *soa)
{
	struct name name;
	struct rr rr;
	uint32_t ttl;
	size_t i;

	*soa = false;
	for (; records > 0; records--) {
		if (!get_rr(m, &at, &rr))
			return 0;
		if (rr.type != TYPE_SOA)
			continue;
		*soa = true;
		i = rr.at;
		if (!get_name(m, &i, &name) || !get_name(m, &i, &name) ||
		    i + 20 != rr.at + rr.n)
			return 0;
		ttl = get32(m->p + i + 16);
		if (ttl > rr.ttl)
			ttl = rr.ttl;
		return ttl > KEEP_NEGATIVE ? KEEP_NEGATIVE : ttl;
	}
	return 0;
}

static bool
is_question(const struct message *m, size_t *at, struct span name,
            enum dns_type type)
{
	struct name asked;

	/* a response to one question, and all of it: TCP has room for that */
	if (m->n < HEADER || (m->p[2] & 0x82) != 0x80 || get16(m->p + 4) != 1)
		return false;
	if (!get_name(m, at, &asked) || m->n - *at < 4)
		return false;
	*at += 4;
	return is_name(&asked, name) &&
	       get16(m->p + *at - 4) == (unsigned)type &&
	       get16(m->p + *at - 2) == CLASS_IN;
}

static struct dns_answer *
conclude(struct search *s, unsigned rcode, size_t end)
{
	struct dns_answer *a;
	uint32_t ttl = s->ttl;
	bool soa;

	if (s->n > 0) {
		a = dns_answer_new(s->found, s->n, ttl > KEEP ? KEEP : ttl);
		return a != NULL ? a : dns_answer_no_memory();
	}
	ttl = negative_ttl(s->m, end, get16(s->m->p + 8), &soa);
	if (ttl > s->ttl)
		ttl = s->ttl;
	/* neither its own nor looked up: it refers to others (lame) */
	if (rcode == 0 && !soa && (s->m->p[2] & 4) == 0 &&
	    (s->m->p[3] & 0x80) == 0)
		return dns_answer_none(DNS_SERVFAIL, 0);
	return dns_answer_none(rcode == 3 ? DNS_NXDOMAIN : DNS_NODATA, ttl);
}

static struct dns_answer *
answer(struct search *s, unsigned rcode)
{
	unsigned links = 0;
	size_t end = s->from;
	int state;

	do
		state = pass(s, &end, &links);
	while (state == PASS_AGAIN);
	if (state == PASS_BROKEN)
		return dns_answer_none(DNS_SERVFAIL, 0);
	return conclude(s, rcode, end);
}

struct dns_answer *
dns_wire_answer(const unsigned char *message, size_t n, struct span name,
                enum dns_type type)
{
	struct message m = {message, n};
	struct search s = {.m = &m, .type = type, .from = HEADER,
	                   .ttl = UINT32_MAX};
	struct dns_answer *a;
	unsigned rcode;

	if (!is_question(&m, &s.from, name, type))
		return dns_answer_none(DNS_SERVFAIL, 0);
	rcode = message[3] & 15;
	if (rcode != 0 && rcode != 3)
		return dns_answer_none(DNS_SERVFAIL, 0);
	s.records = get16(message + 6);
	if (s.records > n / 11) /* the least that a record takes */
		return dns_answer_none(DNS_SERVFAIL, 0);
	memcpy(s.target.text, name.p, name.n);
	s.target.n = name.n;
	/* a name of three bytes on the wire may be 255 when written out */
	s.found = calloc(s.records + 1u, sizeof(*s.found));
	s.data = malloc(n + s.records * (size_t)DNS_NAME + 1);
	a = s.found == NULL || s.data == NULL ? dns_answer_no_memory()
	                                      : answer(&s, rcode);
	free(s.found);
	free(s.data);
	return a;
}
