#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "checker.h"
#include "number.h"
#include "peer.h"

struct setting_row {
	const char *name;
	enum setting_type type;
	const char *standard;
	double least, most;
	size_t offset;
};

static const struct setting_row rows[] = {
#define ROW(member, name, type, standard, least, most)                       \
	{name, SETTING_##type, standard, least, most,                        \
	 offsetof(struct settings, member)},
	SETTING_TABLE(ROW)
#undef ROW
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static union setting_value *
slot(struct settings *s, const struct setting_row *row)
{
	return (union setting_value *)(void *)((char *)s + row->offset);
}

/* The number of word among the blank-separated words of choices, or -1. */
static int
choice(const char *choices, struct span word)
{
	const char *p = choices;
	int i;

	for (i = 0; *p != '\0'; i++) {
		size_t n = strcspn(p, " ");

		if (span_is(word, (struct span){p, n}))
			return i;
		p += n + (p[n] == ' ');
	}
	return -1;
}

/* Is it where a server may be? */
static bool
is_server(struct span text)
{
	char *where = span_copy(text);
	char why[PEER_WHY];
	struct peer *p = where == NULL ? NULL : peer_new(where, why);

	peer_free(p);
	free(where);
	return p != NULL;
}

static bool
begins(struct span *text, const char *with)
{
	if (!span_begins(*text, span_of(with)))
		return false;
	*text = span_from(*text, strlen(with));
	return true;
}

/* unix:/path, inet:port@host, ...: whether it can be had shows at a start */
static bool
is_socket(struct span text)
{
	const char *at;
	size_t i;

	if (begins(&text, "unix:") || begins(&text, "local:"))
		return text.n > 0;
	if (begins(&text, "fd:")) {
		for (i = 0; i < text.n; i++)
			if (text.p[i] < '0' || text.p[i] > '9')
				return false;
		return text.n > 0;
	}
	if (!begins(&text, "inet:") && !begins(&text, "inet6:"))
		return text.n > 0 && text.p[0] == '/';
	at = text.n == 0 ? NULL : memchr(text.p, '@', text.n);
	if (at != NULL) {
		if (at + 1 == text.p + text.n)
			return false;
		text.n = (size_t)(at - text.p);
	}
	return text.n > 0 && memchr(text.p, ':', text.n) == NULL
	       && memchr(text.p, '.', text.n) == NULL;
}

/* What may stand in a header field as it is; "" is the MTA's own. */
static bool
is_host(struct span text)
{
	size_t i;

	for (i = 0; i < text.n; i++)
		if (strchr(" \t\r\n\v\f\"\\()<>[]{},;:@/=?", text.p[i]) != NULL)
			return false;
	return true;
}

static bool
parse_value(const struct setting_row *row, struct span text,
            union setting_value *out)
{
	switch (row->type) {
	case SETTING_TEXT:
		out->text = text;
		return true;
	case SETTING_SOCKET:
		out->text = text;
		return is_socket(text);
	case SETTING_HOST:
		out->text = text;
		return is_host(text);
	case SETTING_SIGN:
		out->text = text;
		return text.n == 0 || (text.n == 1 && text.p[0] > ' ' &&
		                       text.p[0] != '@');
	case SETTING_SERVER:
		out->text = text;
		return is_server(text);
	case SETTING_NUMBER:
		return number_parse(text, &out->number);
	case SETTING_SIZE:
		return number_parse_size(text, &out->number);
	case SETTING_TIME:
		return number_parse_time(text, &out->number);
	case SETTING_MODE:
		return number_parse_octal(text, &out->number);
	case SETTING_STORE:
		out->text = text;
		return text.n > 0 && text.p[0] == '/';
	case SETTING_CLIENTS:
		return false; /* a text is none; see setting_tables */
	case SETTING_CHOICE:
		out->number = choice(row->standard, text);
		return out->number >= 0;
	}
	return false;
}

void
setting_defaults(struct settings *s)
{
	size_t i;

	for (i = 0; i < ROWS; i++) {
		const struct setting_row *row = &rows[i];

		if (row->type == SETTING_CHOICE
		    || row->type == SETTING_CLIENTS)
			slot(s, row)->number = 0;
		else
			parse_value(row, span_of(row->standard), slot(s, row));
	}
}

static const struct setting_row *
find(struct span name)
{
	size_t i;

	for (i = 0; i < ROWS; i++)
		if (span_is(name, span_of(rows[i].name)))
			return &rows[i];
	return NULL;
}

static void
tell_unknown(struct checker *c, const struct ast_set *set)
{
	const char *names[ROWS];
	const char *near;
	size_t i;

	for (i = 0; i < ROWS; i++)
		names[i] = rows[i].name;
	near = diag_nearest(set->name, names, ROWS);
	if (near == NULL)
		diag_error(c->diags, set->name_place,
		           "unknown setting \"%.*s\"", SPAN_ARG(set->name));
	else
		diag_error(c->diags, set->name_place,
		           "unknown setting \"%.*s\": did you mean \"%s\"?",
		           SPAN_ARG(set->name), near);
}

/* What a value of this setting looks like, for an error. */
static const char *
wanted(struct checker *c, const struct setting_row *row)
{
	static const char *const names[] = {
		[SETTING_TEXT] = "a text",
		[SETTING_SOCKET] = "unix:/path, inet:port@host, "
		                   "inet6:port@host or fd:number",
		[SETTING_HOST] = "a host's name",
		[SETTING_SIGN] = "one character, such as +",
		[SETTING_SERVER] = "a server that can be found: host:port or "
		                   "unix:/path",
		[SETTING_NUMBER] = "a number",
		[SETTING_SIZE] = "a size such as 64K or 10M",
		[SETTING_TIME] = "a time such as 30s or 2h",
		[SETTING_MODE] = "an octal mode such as 0660",
		[SETTING_STORE] = "a file's path (\"/...\"), memory, or redis "
		                  "\"host:port\" or \"unix:/path\"",
		[SETTING_CLIENTS] = "a table of addresses: <name>",
	};

	if (row->type != SETTING_CHOICE)
		return names[row->type];
	return arena_printf(c->arena, "one of: %s", row->standard).p;
}

static const char *
option(const char *text)
{
	return text != NULL ? text : "";
}

/* Its text is all that is said of it: a reload compares texts. */
static bool
parse_limit_server(struct checker *c, const struct ast_set *set,
                   struct span *text)
{
	struct limit_server *s = arena_alloc(c->arena, sizeof(*s));
	const struct backend_options *o = check_options(c, set->options);

	s->where = arena_copy(c->arena, set->server->text).p;
	s->prefix = o->prefix;
	s->database = o->database;
	s->user = o->user;
	s->password_file = o->password_file;
	c->program->limit_server = s;
	*text = arena_printf(c->arena, "redis:%s\n%s\n%s\n%s\n%s", s->where,
	                     option(s->prefix), option(s->database),
	                     option(s->user), option(s->password_file));
	return is_server(set->server->text);
}

/* "/PATH", memory, redis "SERVER": as its one text. */
static bool
parse_store(struct checker *c, const struct ast_set *set,
            union setting_value *out)
{
	const struct ast_value *v = set->value;

	if (set->server != NULL)
		return parse_limit_server(c, set, &out->text);
	out->text = v->text;
	if (v->kind == AST_STRING)
		return v->text.n > 0 && v->text.p[0] == '/';
	out->text = SPAN("");
	return span_is(v->text, SPAN("memory"));
}

static bool
parse_set_value(struct checker *c, const struct setting_row *row,
                const struct ast_set *set, union setting_value *out)
{
	const struct ast_value *v = set->value;

	if (v->kind != AST_WORD && v->kind != AST_STRING)
		return false;
	if (row->type == SETTING_STORE)
		return parse_store(c, set, out);
	return set->server == NULL && parse_value(row, v->text, out);
}

void
setting_set(struct checker *c, const struct ast_set *set)
{
	const struct setting_row *row = find(set->name);
	struct settings *s = &c->program->settings;
	union setting_value value;
	size_t i;

	if (row == NULL) {
		tell_unknown(c, set);
		return;
	}
	i = (size_t)(row - rows);
	if (c->set_at[i].source != NULL) {
		diag_error(c->diags, set->name_place,
		           "setting \"%s\" is given twice: first in line %u",
		           row->name, place_line(c->set_at[i]));
		return;
	}
	c->set_at[i] = set->name_place;
	if (row->type == SETTING_CLIENTS && set->value->kind == AST_TABLE)
		return; /* once the tables are known */
	if (!parse_set_value(c, row, set, &value)) {
		diag_error(c->diags, set->value->place,
		           "setting \"%s\" wants %s", row->name, wanted(c, row));
		return;
	}
	if (row->most > 0
	    && (value.number < row->least || value.number > row->most)) {
		diag_error(c->diags, set->value->place,
		           "setting \"%s\" is out of range: %.0f to %.0f%s",
		           row->name, row->least, row->most,
		           row->type == SETTING_SIZE ? " bytes"
		           : row->type == SETTING_TIME ? " seconds" : "");
		return;
	}
	*slot(s, row) = value;
}

/* set NAME <table> */
void
setting_tables(struct checker *c, const struct ast_set *set)
{
	const struct setting_row *row = find(set->name);
	struct lookup lookup;

	if (row == NULL || row->type != SETTING_CLIENTS
	    || set->value->kind != AST_TABLE)
		return;
	if (set->value->lookup->key != NULL) {
		diag_error(c->diags, set->value->place,
		           "setting \"%s\" wants %s", row->name, wanted(c, row));
		return;
	}
	if (!check_lookup(c, set->value->lookup, VALUE_IP, &lookup))
		return;
	if (program_asks_net(c->program, lookup.table))
		diag_error(c->diags, set->value->place,
		           "setting \"%s\" wants a table that nobody is asked "
		           "for: { ... } or one in a file", row->name);
	else
		slot(&c->program->settings, row)->number =
			(double)lookup.table + 1;
}
