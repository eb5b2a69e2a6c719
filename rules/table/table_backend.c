/*
 * table_backend.c - tables whose data lives elsewhere: from values to keys,
 * and from the text of a key to values.
 *
 * A back end has one text a key. So values are looked up by the same forms
 * as in a file, one key after the other. Of an IP address these are, where a
 * key costs nothing, the address and each network that it can be in, from
 * the longest prefix on; and always, as Postfix writes them, the networks
 * that end at a dot or colon: 192.0.2, 192.0, 192.
 */
#include <stdio.h>
#include <string.h>

#include "backend.h"
#include "caps.h"
#include "table_impl.h"
#include "watch.h"

#define ALL_KEYS (CAPS_SERVER_SECONDS * 1000000000LL) /* ns */

struct source_of {
	const struct backend *row;
	struct watch *watch;  /* of a file */
	const struct backend_options *options;
	void *opened;         /* of others */
};

/* ---- one key ---- */

struct asking {
	const struct backend *row;
	enum value_type type;
	void *opened;
	struct arena *arena;
	int64_t deadline;     /* for all keys of a value */
	struct backend_reply reply;
	enum table_result found;
};

static bool
ask_once(struct asking *q, struct span key)
{
	if (!q->row->near && watch_clock() >= q->deadline) {
		q->found = TABLE_FAILED;
		q->reply.why = SPAN("it takes too long");
		return true;
	}
	q->found = q->row->find(q->opened, key, q->deadline, q->arena,
	                        &q->reply);
	return q->found != TABLE_NO;
}

static bool
ask_key(void *of, struct span key)
{
	struct span others[TABLE_SPELLINGS];
	struct asking *q = of;
	size_t i, n;

	if (ask_once(q, key))
		return true;
	n = table_spell(q->arena, q->type, key, others);
	for (i = 0; i < n; i++)
		if (ask_once(q, others[i]))
			return true;
	return false;
}

/* ---- IP addresses ---- */

/* 192.0.2 of 192.0.2.1, then 192.0, then 192 */
static bool
ask_shorter(struct asking *q, struct span text, char mark)
{
	size_t n = text.n;

	while (n > 0) {
		for (n--; n > 0 && text.p[n] != mark; n--)
			;
		if (n > 0 && text.p[n - 1] != mark &&
		    ask_once(q, (struct span){text.p, n}))
			return true;
	}
	return false;
}

static bool
ask_networks(struct asking *q, const struct ip *ip)
{
	unsigned first = ip_is_v4(ip) ? 96 : 0, length;
	char text[IP_TEXT], key[IP_TEXT + 5];
	struct ip net = *ip;
	int n;

	for (length = 128;; length--) {
		n = snprintf(key, sizeof(key), "%s/%u", ip_print(&net, text),
		             length - first);
		if (ask_once(q, (struct span){key, (size_t)n}))
			return true;
		if (length == first)
			return false;
		net.byte[(length - 1) / 8] &=
			(unsigned char)~(0x80u >> (length - 1) % 8);
	}
}

static bool
ask_ip(struct asking *q, const struct ip *ip)
{
	char text[IP_TEXT];
	struct span whole = span_of(ip_print(ip, text));

	return ask_once(q, whole) || (q->row->near && ask_networks(q, ip)) ||
	       ask_shorter(q, whole, ip_is_v4(ip) ? '.' : ':');
}

/* ---- values ---- */

static bool
parts(char c)
{
	return c == ',' || c == ' ' || c == '\t' || c == '\r' || c == '\n' ||
	       c == '\0';
}

/* The next value of text from *at on. */
static bool
next_value(struct span text, size_t *at, struct span *value)
{
	size_t i = *at, begin;

	while (i < text.n && parts(text.p[i]))
		i++;
	begin = i;
	while (i < text.n && !parts(text.p[i]))
		i++;
	*at = i;
	*value = (struct span){text.p + begin, i - begin};
	return i > begin;
}

/* Split at commas and blanks, as those of a file are. */
static bool
split(struct span text, struct arena *a, struct table_answer *answer)
{
	struct span value, *values;
	size_t at = 0, n = 0;

	while (next_value(text, &at, &value))
		n++;
	values = arena_alloc(a, n * sizeof(*values));
	if (values == NULL)
		return false;
	for (at = 0; answer->n < n && next_value(text, &at, &value);)
		values[answer->n++] = value;
	answer->values = values;
	return true;
}

static bool
take_values(const struct backend_reply *r, struct arena *a,
            struct table_answer *answer)
{
	if (r->values == NULL)
		return split(r->text, a, answer);
	answer->values = r->values;
	answer->n = r->n;
	return true;
}

/* ---- a table ---- */

static enum table_result
find_in(const struct backend *row, void *opened, const struct value *v,
        const struct table_context *c, struct arena *a,
        struct table_answer *answer)
{
	struct asking q = {.row = row, .opened = opened, .arena = a,
	                   .type = v->type};

	int64_t begun = row->near ? 0 : watch_clock();

	/* with less time than others give it a server would seem down */
	if (!row->near && (c->wait == NULL || c->wait->left > 0))
		q.deadline = begun + ALL_KEYS;
	if (v->type == VALUE_IP)
		ask_ip(&q, &v->ip);
	else
		table_walk(v, c, a, ask_key, &q);
	if (!row->near && c->wait != NULL)
		c->wait->left -= watch_clock() - begun;
	if (q.found == TABLE_FAILED)
		answer->why = arena_copy(a, q.reply.why);
	if (!arena_full(a) && (q.found != TABLE_YES ||
	                       take_values(&q.reply, a, answer)))
		return q.found;
	answer->why = SPAN("no memory");
	return TABLE_FAILED;
}

static enum table_result
find(const struct table *t, const struct value *v,
     const struct table_context *c, struct arena *a,
     struct table_answer *answer, bool values)
{
	struct source_of *s = t->backend;
	enum table_result found = TABLE_FAILED;
	struct watched *held;
	struct span why;
	void *opened;

	(void)values; /* they come with the key */
	if (s->watch == NULL)
		return find_in(s->row, s->opened, v, c, a, answer);
	held = watch_get(s->watch, &opened, &why);
	if (opened != NULL)
		found = find_in(s->row, opened, v, c, a, answer);
	else
		answer->why = arena_copy(a, why);
	watch_put(s->watch, held);
	return found;
}

static void
shut(struct table *t)
{
	struct source_of *s = t->backend;

	watch_free(s->watch);
	if (s->opened != NULL)
		s->row->close(s->opened);
}

static const struct elsewhere elsewhere = {
	.find = find, .shut = shut,
};

/* ---- opening ---- */

static void *
load(void *of, const char *path, char why[WATCH_WHY])
{
	const struct source_of *s = of;

	return s->row->open(path, s->options, why);
}

static struct watch_kind
kind_of(const struct backend *row)
{
	return (struct watch_kind){.load = load, .drop = row->close};
}

/* As Postfix does, the name goes without the suffix that the file has. */
static const char *
with_suffix(struct arena *a, const char *path, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);

	if (n > m && strcmp(path + n - m, suffix) == 0)
		return path;
	return arena_printf(a, "%s%s", path, suffix).p;
}

static bool
open_source(struct table *t, struct source_of *s, const char *argument,
            char why[BACKEND_WHY])
{
	struct watch_kind *kind;

	if (!s->row->is_path)
		return (s->opened = s->row->open(argument, s->options,
		                                 why)) != NULL;
	kind = arena_alloc(t->arena, sizeof(*kind));
	if (kind == NULL)
		return false;
	*kind = kind_of(s->row);
	s->watch = watch_new(kind, s, argument, why);
	return s->watch != NULL;
}

struct table *
table_backend(const char *name, const struct backend *row,
              const char *argument, const struct backend_options *o,
              struct place where, struct diags *d)
{
	struct table *t = table_new(name, NULL);
	char why[BACKEND_WHY] = "no memory";
	struct source_of *s = NULL;

	if (t != NULL && row->suffix != NULL)
		argument = with_suffix(t->arena, argument, row->suffix);
	if (t != NULL)
		s = arena_alloc(t->arena, sizeof(*s));
	if (s != NULL && argument != NULL) {
		s->row = row;
		s->options = o;
		t->backend = s;
		t->elsewhere = &elsewhere;
		if (open_source(t, s, argument, why))
			return t;
	}
	diag_error(d, where, "can't open the table %s \"%s\": %s", row->name,
	           argument == NULL ? "" : argument, why);
	table_free(t);
	return NULL;
}
