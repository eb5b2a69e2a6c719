/*
 * backend_dns.c - dns "zone" [{ 127.0.0.2/31 ... }]: a list in the DNS
 * (RFC 5782).
 *
 * An IP address is asked for backwards, octet by octet or nibble by nibble; a
 * name and an address's domain as they are. What is listed has an A record;
 * which ones count the policy may say. The TXT record is the value.
 */
#include <string.h>

#include "backend.h"
#include "domain.h"
#include "lookup.h"
#include "table_impl.h"

#define NAME_MAX_BYTES 253 /* RFC 1035 2.3.4, as text */
#define LABEL_MAX_BYTES 63
#define REVERSED 64        /* of an IPv6 address, with its last dot */

struct list {
	struct span zone;
	const struct net *answers; /* that count; none: all of 127/8 */
	size_t n;
};

/* ---- what is asked ---- */

/* 1.2.0.192. */
static struct span
reverse_v4(struct arena *a, const struct ip *ip)
{
	const unsigned char *b = ip->byte + 12;

	return arena_printf(a, "%u.%u.%u.%u.", b[3], b[2], b[1], b[0]);
}

/* RFC 5782 2.4 */
static struct span
reverse_v6(struct arena *a, const struct ip *ip)
{
	static const char digits[] = "0123456789abcdef";
	char text[REVERSED];
	size_t i;

	for (i = 0; i < 16; i++) {
		unsigned char byte = ip->byte[15 - i];

		text[4 * i] = digits[byte & 15];
		text[4 * i + 1] = '.';
		text[4 * i + 2] = digits[byte >> 4];
		text[4 * i + 3] = '.';
	}
	return arena_copy(a, (struct span){text, sizeof(text)});
}

static bool
is_domain(struct span name)
{
	size_t i, label = 0;
	bool letters = false;

	for (i = 0; i < name.n; i++) {
		if (name.p[i] == '\0' || name.p[i] == '[')
			return false;
		if (name.p[i] == '.' && label == 0)
			return false;
		label = name.p[i] == '.' ? 0 : label + 1;
		if (label > LABEL_MAX_BYTES)
			return false;
		letters = letters || (name.p[i] != '.' &&
		          (name.p[i] < '0' || name.p[i] > '9'));
	}
	return label > 0 && letters; /* of digits alone: an IP address */
}

/* The name to ask for; n 0: v can be in no list. */
static struct span
question(const struct list *l, const struct value *v, struct arena *a)
{
	struct span none = {"", 0}, name;

	if (v->type == VALUE_IP) {
		name = ip_is_v4(&v->ip) ? reverse_v4(a, &v->ip) :
		       reverse_v6(a, &v->ip);
		return arena_printf(a, "%.*s%.*s", SPAN_ARG(name),
		                    SPAN_ARG(l->zone));
	}
	name = v->type == VALUE_ADDRESS ? v->domain : v->text;
	if (name.p == NULL || !is_domain(name) ||
	    name.n + 1 + l->zone.n > NAME_MAX_BYTES)
		return none;
	return arena_printf(a, "%.*s.%.*s", SPAN_ARG(name), SPAN_ARG(l->zone));
}

/* ---- what is answered ---- */

enum meaning { NOTHING, LISTED, LISTS_ERROR };

static enum meaning
meaning_of(const struct list *l, struct span record)
{
	struct ip ip = {.byte = {[10] = 0xff, [11] = 0xff}};
	const unsigned char *b = ip.byte + 12;
	size_t i;

	if (record.n != 4)
		return NOTHING;
	memcpy(ip.byte + 12, record.p, 4);
	for (i = 0; i < l->n; i++)
		if (net_has(&l->answers[i], &ip))
			return LISTED;
	if (b[0] != 127)
		return NOTHING;
	/* such as a client that asks too much, or not as it should */
	if ((b[1] == 0 && b[2] == 0 && b[3] == 1) ||
	    (b[1] == 255 && b[2] == 255))
		return LISTS_ERROR;
	return l->n == 0 ? LISTED : NOTHING;
}

static enum table_result
judge(const struct list *l, const struct lookup_records *records,
      struct arena *a, struct span *why)
{
	enum table_result result = TABLE_NO;
	size_t i;

	for (i = 0; i < records->n; i++) {
		struct span r = records->data[i];
		enum meaning m = meaning_of(l, r);

		if (m == LISTED)
			return TABLE_YES;
		if (m == NOTHING)
			continue;
		result = TABLE_FAILED;
		*why = arena_printf(a, "%.*s answers with an error of its own: "
		                    "%u.%u.%u.%u", SPAN_ARG(l->zone),
		                    (unsigned char)r.p[0], (unsigned char)r.p[1],
		                    (unsigned char)r.p[2], (unsigned char)r.p[3]);
	}
	return result;
}

static enum table_result
find(const struct table *t, const struct value *v,
     const struct table_context *c, struct arena *a,
     struct table_answer *answer, bool values)
{
	const struct list *l = t->backend;
	struct span name = question(l, v, a);
	struct lookup_records records = {0};
	enum table_result result;

	answer->why = SPAN("the DNS was not asked");
	if (name.p != NULL && name.n == 0)
		return TABLE_NO;
	if (name.p == NULL || c->dns == NULL)
		return TABLE_FAILED;
	switch (c->dns->ask(c->dns->of, name, LOOKUP_A, a, &records)) {
	case FACT_HERE:
		break;
	case FACT_ABSENT:
		return TABLE_NO;
	default:
		answer->why = records.why;
		return TABLE_FAILED;
	}
	result = judge(l, &records, a, &answer->why);
	/* without its text it is listed all the same */
	if (result == TABLE_YES && values &&
	    c->dns->ask(c->dns->of, name, LOOKUP_TXT, a, &records)
	    == FACT_HERE) {
		answer->values = records.data;
		answer->n = records.n;
	}
	return result;
}

/* ---- a table ---- */

static void
ask(struct table *t, bool values, enum value_type type, struct place where,
    struct diags *d)
{
	if (values || type == VALUE_IP || type == VALUE_NAME ||
	    type == VALUE_ADDRESS)
		return;
	diag_error(d, where, "<%.*s> is a dns table: it is asked for an IP "
	           "address, a name or a mail address, not for a text",
	           SPAN_ARG(t->name));
}

static void
shut(struct table *t)
{
	(void)t; /* all is in its arena */
}

static const struct elsewhere elsewhere = {
	.find = find, .shut = shut, .ask = ask,
};

static bool
take_zone(struct table *t, struct list *l, struct span zone,
          struct place where, struct diags *d)
{
	if (zone.n > 0 && zone.p[zone.n - 1] == '.')
		zone.n--;
	l->zone = arena_lower(t->arena, zone);
	if (is_domain(zone) && zone.n + REVERSED <= NAME_MAX_BYTES)
		return true;
	diag_error(d, where, "\"%.*s\" is no name of a zone", SPAN_ARG(zone));
	return false;
}

static bool
take_answer(struct net *net, const struct backend_answer *b, struct diags *d)
{
	switch (net_parse(b->text, net)) {
	case NET_OK:
		if (ip_is_v4(&net->ip))
			return true;
		break;
	case NET_HOST_BITS:
		diag_error(d, b->place, "\"%.*s\" has host bits set",
		           SPAN_ARG(b->text));
		return false;
	case NET_BAD:
		break;
	}
	diag_error(d, b->place, "\"%.*s\" is no IPv4 address or network: a "
	           "list answers with A records", SPAN_ARG(b->text));
	return false;
}

struct table *
table_dns(const char *name, struct span zone, struct place where,
          const struct backend_answer *answers, size_t n, struct diags *d)
{
	struct table *t = table_new(name, NULL);
	struct list *l = NULL;
	struct net *nets = NULL;
	bool good = true;

	if (t != NULL) {
		l = arena_alloc(t->arena, sizeof(*l));
		nets = arena_alloc(t->arena, n * sizeof(*nets));
	}
	if (l == NULL || nets == NULL) {
		diag_error(d, where, "no memory for table <%s>", name);
		table_free(t);
		return NULL;
	}
	t->backend = l;
	t->elsewhere = &elsewhere;
	good = take_zone(t, l, zone, where, d);
	l->answers = nets;
	for (l->n = 0; l->n < n; l->n++)
		good = take_answer(&nets[l->n], &answers[l->n], d) && good;
	if (good && !arena_full(t->arena))
		return t;
	table_free(t);
	return NULL;
}

const struct backend backend_dns = {
	.name = "dns", .argument = "ZONE", .takes_list = true,
	.may_fail = true, .cost = COST_NET,
};
