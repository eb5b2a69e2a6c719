/*
 * dns_zone.c - a resolver that answers from the text of a zone file
 * (RFC 1035 5.1): for tests, and for explain --zone.
 *
 * It is not made for hostile memory: a zone is loaded by whoever runs it.
 */
#include <arpa/inet.h>
#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "dns_zone.h"

#define CHAIN 12

struct owner {
	struct span name;
	GArray *records[DNS_AAAA + 1]; /* of struct dns_record, by type */
	struct dns_answer *answer[DNS_AAAA + 1];
	char *cname;                   /* lower case */
	struct dns_answer *otherwise;  /* for what no record answers */
};

struct zone {
	struct resolver base;
	GHashTable *owners; /* struct owner by its name */
};

static guint
hash_name(gconstpointer p)
{
	const struct span *name = p;
	guint h = 5381;
	size_t i;

	for (i = 0; i < name->n; i++)
		h = h * 33 + (guchar)g_ascii_tolower(name->p[i]);
	return h;
}

static gboolean
same_name(gconstpointer a, gconstpointer b)
{
	return span_is_nocase(*(const struct span *)a,
	                      *(const struct span *)b);
}

static void
free_owner(void *p)
{
	struct owner *o = p;
	size_t type, i;

	for (type = 0; type <= DNS_AAAA; type++) {
		for (i = 0; o->records[type] != NULL &&
		            i < o->records[type]->len; i++)
			g_free((char *)g_array_index(o->records[type],
			                             struct dns_record, i)
			               .data.p);
		if (o->records[type] != NULL)
			g_array_unref(o->records[type]);
		dns_answer_unref(o->answer[type]);
	}
	dns_answer_unref(o->otherwise);
	g_free(o->cname);
	g_free((char *)o->name.p);
	g_free(o);
}

static void
free_zone(struct resolver *r)
{
	g_hash_table_unref(((struct zone *)r)->owners);
	g_free(r);
}

static struct owner *
find(struct zone *z, struct span name)
{
	return g_hash_table_lookup(z->owners, &name);
}

static struct dns_answer *
none(enum dns_status status)
{
	return dns_answer_none(status, 0);
}

static struct dns_answer *
ask(struct resolver *r, void **channel, struct span name, enum dns_type type,
    int64_t deadline, bool *cached)
{
	struct owner *o = find((struct zone *)r, name);
	unsigned links = 0;

	(void)channel;
	(void)deadline;
	(void)cached;
	while (o != NULL && o->answer[type] == NULL && o->cname != NULL) {
		if (++links > CHAIN)
			return none(DNS_SERVFAIL);
		o = find((struct zone *)r, span_of(o->cname));
	}
	if (o == NULL)
		return none(DNS_NXDOMAIN);
	if (o->answer[type] != NULL)
		return dns_answer_ref(o->answer[type]);
	return o->otherwise != NULL ? dns_answer_ref(o->otherwise)
	                            : none(DNS_NODATA);
}

struct resolver *
zone_new(void)
{
	static const struct resolver_class class = {
		.ask = ask,
		.free = free_zone,
	};
	struct zone *z = g_new0(struct zone, 1);

	resolver_init(&z->base, &class);
	z->owners = g_hash_table_new_full(hash_name, same_name, NULL,
	                                  free_owner);
	return &z->base;
}

static struct owner *
owner_of(struct resolver *r, struct span name)
{
	struct zone *z = (struct zone *)r;
	struct owner *o = find(z, name);

	if (o == NULL) {
		o = g_new0(struct owner, 1);
		o->name.p = g_strndup(name.n > 0 ? name.p : "", name.n);
		o->name.n = name.n;
		g_hash_table_insert(z->owners, &o->name, o);
	}
	return o;
}

void
zone_add(struct resolver *r, struct span name, enum dns_type type,
         struct dns_record record)
{
	struct owner *o = owner_of(r, name);
	GArray **records = &o->records[type];

	if (*records == NULL)
		*records = g_array_new(FALSE, FALSE, sizeof(record));
	record.data.p = g_memdup2(record.data.n > 0 ? record.data.p : "",
	                          record.data.n > 0 ? record.data.n : 1);
	g_array_append_val(*records, record);
	dns_answer_unref(o->answer[type]);
	o->answer[type] = dns_answer_new((void *)(*records)->data,
	                                 (*records)->len, 3600);
}

void
zone_add_cname(struct resolver *r, struct span name, struct span target)
{
	struct owner *o = owner_of(r, name);

	g_free(o->cname);
	o->cname = g_ascii_strdown(target.n > 0 ? target.p : "",
	                           (gssize)target.n);
}

void
zone_add_failure(struct resolver *r, struct span name, enum dns_status status)
{
	struct owner *o = owner_of(r, name);

	dns_answer_unref(o->otherwise);
	o->otherwise = none(status);
}

/* ---- the text ---- */

#define WORDS 512 /* of one record; a TXT of 64 KB has 258 strings */

struct reader {
	struct resolver *zone;
	const char *p, *end;
	unsigned line;
	GString *origin, *owner;
	bool has_owner;
	GPtrArray *words; /* of GString: the record's */
	const char *why;
};

/* \DDD or \X (RFC 1035 5.1) */
static bool
take_escape(struct reader *r, GString *out)
{
	unsigned v;

	if (r->end - r->p >= 3 && g_ascii_isdigit(r->p[0]) &&
	    g_ascii_isdigit(r->p[1]) && g_ascii_isdigit(r->p[2])) {
		v = (unsigned)(r->p[0] - '0') * 100 +
		    (unsigned)(r->p[1] - '0') * 10 + (unsigned)(r->p[2] - '0');
		r->p += 3;
		if (v > 255) {
			r->why = "\\DDD is 000 to 255";
			return false;
		}
		g_string_append_c(out, (char)v);
		return true;
	}
	if (r->p == r->end || *r->p == '\n') {
		r->why = "nothing follows a backslash";
		return false;
	}
	g_string_append_c(out, *r->p++);
	return true;
}

static bool
take_word(struct reader *r)
{
	GString *word = g_string_new(NULL);
	bool quoted = *r->p == '"';

	g_ptr_array_add(r->words, word);
	if (quoted)
		r->p++;
	while (r->p < r->end) {
		if (quoted ? *r->p == '"'
		           : strchr(" \t\r\n;()\"", *r->p) != NULL)
			break;
		if (quoted && *r->p == '\n')
			break;
		if (*r->p == '\\') {
			r->p++;
			if (!take_escape(r, word))
				return false;
			continue;
		}
		g_string_append_c(word, *r->p++);
	}
	if (!quoted)
		return true;
	if (r->p == r->end || *r->p != '"') {
		r->why = "a string is not closed";
		return false;
	}
	r->p++;
	return true;
}

/* The words of one record, which parentheses carry over lines. */
static bool
take_record(struct reader *r, bool *blank)
{
	unsigned depth = 0;

	*blank = r->p < r->end && (*r->p == ' ' || *r->p == '\t');
	g_ptr_array_set_size(r->words, 0);
	while (r->p < r->end) {
		char c = *r->p;

		if (c == ';') {
			while (r->p < r->end && *r->p != '\n')
				r->p++;
		} else if (c == '\n') {
			r->p++;
			r->line++;
			if (depth == 0)
				return true;
		} else if (c == ' ' || c == '\t' || c == '\r') {
			r->p++;
		} else if (c == '(' || c == ')') {
			r->p++;
			if (c == ')' && depth-- == 0) {
				r->why = "a ) without its (";
				return false;
			}
			depth += c == '(';
		} else if (!take_word(r)) {
			return false;
		} else if (r->words->len > WORDS) {
			r->why = "too many words in a record";
			return false;
		}
	}
	if (depth > 0)
		r->why = "a ( without its )";
	return depth == 0;
}

/* A name as written, made complete with the origin. */
static GString *
full_name(const struct reader *r, const GString *text)
{
	GString *out;

	if (strcmp(text->str, "@") == 0)
		return g_string_new_len(r->origin->str,
		                        (gssize)r->origin->len);
	out = g_string_new_len(text->str, (gssize)text->len);
	if (out->len > 0 && out->str[out->len - 1] == '.')
		g_string_truncate(out, out->len - 1);
	else if (r->origin->len > 0)
		g_string_append_printf(out, ".%s", r->origin->str);
	return out;
}

static struct span
span_of_string(const GString *s)
{
	return (struct span){s->str, s->len};
}

static const char *
word(const struct reader *r, guint i)
{
	return i < r->words->len ? ((GString *)r->words->pdata[i])->str : "";
}

static void
add_target(struct reader *r, guint i, int type, unsigned preference)
{
	GString *target = full_name(r, r->words->pdata[i]);
	struct span owner = span_of_string(r->owner);
	struct dns_record record = {span_of_string(target), preference};

	if (type < 0)
		zone_add_cname(r->zone, owner, record.data);
	else
		zone_add(r->zone, owner, (enum dns_type)type, record);
	g_string_free(target, TRUE);
}

static bool
add_address(struct reader *r, guint i, enum dns_type type)
{
	unsigned char ip[16];

	if (inet_pton(type == DNS_A ? AF_INET : AF_INET6, word(r, i), ip) != 1)
		return false;
	zone_add(r->zone, span_of_string(r->owner), type,
	         (struct dns_record){
			 {(char *)ip, type == DNS_A ? 4 : 16}, 0});
	return true;
}

static void
add_txt(struct reader *r, guint i)
{
	GString *all = g_string_new(NULL);

	for (; i < r->words->len; i++)
		g_string_append_len(all, word(r, i),
		                    (gssize)((GString *)r->words->pdata[i])
		                            ->len);
	zone_add(r->zone, span_of_string(r->owner), DNS_TXT,
	         (struct dns_record){span_of_string(all), 0});
	g_string_free(all, TRUE);
}

/* type data, from word i on */
static bool
add_data(struct reader *r, guint i)
{
	const char *type = word(r, i);
	guint n = r->words->len - i - 1; /* words of data */
	char *end = NULL;
	unsigned long preference;

	r->why = "this is no data for a record of its type";
	i++;
	if (g_ascii_strcasecmp(type, "A") == 0)
		return n == 1 && add_address(r, i, DNS_A);
	if (g_ascii_strcasecmp(type, "AAAA") == 0)
		return n == 1 && add_address(r, i, DNS_AAAA);
	if (g_ascii_strcasecmp(type, "TXT") == 0) {
		add_txt(r, i);
		return n >= 1;
	}
	if (g_ascii_strcasecmp(type, "MX") == 0) {
		preference = strtoul(word(r, i), &end, 10);
		if (n != 2 || *end != '\0' || preference > 65535)
			return false;
		add_target(r, i + 1, DNS_MX, (unsigned)preference);
		return true;
	}
	if (g_ascii_strcasecmp(type, "PTR") == 0 ||
	    g_ascii_strcasecmp(type, "CNAME") == 0) {
		if (n == 1)
			add_target(r, i, type[0] == 'P' || type[0] == 'p'
			                         ? DNS_PTR : -1, 0);
		return n == 1;
	}
	if (g_ascii_strcasecmp(type, "TIMEOUT") == 0) {
		zone_add_failure(r->zone, span_of_string(r->owner),
		                 DNS_TIMEOUT);
		return n == 0;
	}
	if (g_ascii_strcasecmp(type, "SERVFAIL") == 0) {
		zone_add_failure(r->zone, span_of_string(r->owner),
		                 DNS_SERVFAIL);
		return n == 0;
	}
	r->why = "not a record type that is known here: A AAAA CNAME MX NS "
	         "PTR SOA TXT";
	return g_ascii_strcasecmp(type, "SOA") == 0 ||
	       g_ascii_strcasecmp(type, "NS") == 0;
}

static bool
is_ttl(const char *s)
{
	return g_ascii_isdigit(*s);
}

/* [name] [ttl] [IN] type data, or a $ line */
static bool
add_record(struct reader *r, bool blank)
{
	guint i = blank ? 0 : 1;
	GString *name;

	if (strcmp(word(r, 0), "$TTL") == 0) /* answers are not kept */
		return true;
	if (strcmp(word(r, 0), "$ORIGIN") == 0 && r->words->len == 2) {
		name = full_name(r, r->words->pdata[1]);
		g_string_assign(r->origin, name->str);
		g_string_free(name, TRUE);
		return true;
	}
	if (!blank) {
		name = full_name(r, r->words->pdata[0]);
		g_string_truncate(r->owner, 0);
		g_string_append_len(r->owner, name->str, (gssize)name->len);
		g_string_free(name, TRUE);
		r->has_owner = true;
	}
	if (!r->has_owner) {
		r->why = "the first record has no name";
		return false;
	}
	if (is_ttl(word(r, i)))
		i++;
	if (g_ascii_strcasecmp(word(r, i), "IN") == 0)
		i++;
	if (is_ttl(word(r, i)))
		i++;
	r->why = "a record without a type";
	return i < r->words->len && add_data(r, i);
}

static void
free_string(void *p)
{
	g_string_free(p, TRUE);
}

struct resolver *
resolver_zone(struct span text, unsigned *line, const char **why)
{
	struct reader r = {
		.zone = zone_new(),
		.p = text.p,
		.end = text.n > 0 ? text.p + text.n : text.p,
		.line = 1,
		.origin = g_string_new(NULL),
		.owner = g_string_new(NULL),
		.words = g_ptr_array_new_with_free_func(free_string),
	};
	bool ok = true, blank;

	while (ok && r.p < r.end) {
		*line = r.line;
		ok = take_record(&r, &blank) &&
		     (r.words->len == 0 || add_record(&r, blank));
	}
	*why = r.why;
	g_string_free(r.origin, TRUE);
	g_string_free(r.owner, TRUE);
	g_ptr_array_unref(r.words);
	if (ok)
		return r.zone;
	resolver_unref(r.zone);
	return NULL;
}
