#include <errno.h>
#include <glob.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "ascii.h"
#include "backend.h"
#include "caps.h"
#include "parse.h"
#include "parser.h"
#include "source.h"
#include "words.h"

/* ---- tokens ---- */

_Noreturn void
parser_give_up(struct parser *p)
{
	longjmp(p->give_up, 1);
}

void *
parser_alloc(struct parser *p, size_t n)
{
	return arena_alloc(p->all->arena, n);
}

const struct token *
parser_peek(struct parser *p)
{
	if (p->n_ahead == 0)
		p->ahead[p->n_ahead++] = lex_next(&p->lex);
	if (p->ahead[0].kind == TOKEN_BROKEN)
		parser_give_up(p);
	return &p->ahead[0];
}

const struct token *
parser_peek2(struct parser *p)
{
	parser_peek(p);
	if (p->n_ahead == 1)
		p->ahead[p->n_ahead++] = lex_next(&p->lex);
	return &p->ahead[1];
}

const struct token *
parser_peek3(struct parser *p)
{
	parser_peek2(p);
	if (p->n_ahead == 2)
		p->ahead[p->n_ahead++] = lex_next(&p->lex);
	return &p->ahead[2];
}

struct token
parser_take(struct parser *p)
{
	struct token t = *parser_peek(p);

	p->ahead[0] = p->ahead[1];
	p->ahead[1] = p->ahead[2];
	p->n_ahead--;
	p->last = t.place;
	p->spoilt |= t.bad;
	return t;
}

bool
parser_at(struct parser *p, const char *word)
{
	const struct token *t = parser_peek(p);

	return t->kind == TOKEN_WORD && span_is(t->text, span_of(word));
}

bool
parser_accept(struct parser *p, const char *word)
{
	bool here = parser_at(p, word);

	if (here)
		parser_take(p);
	return here;
}

bool
parser_accept_mark(struct parser *p, enum token_kind kind)
{
	bool here = parser_peek(p)->kind == kind;

	if (here)
		parser_take(p);
	return here;
}

bool
parser_ends(struct parser *p)
{
	const struct token *t = parser_peek(p);

	return t->kind == TOKEN_END || (t->kind == TOKEN_WORD && t->first &&
	                                lex_is_statement(t->text));
}

bool
parser_new_line(struct parser *p)
{
	const struct token *t = parser_peek(p);

	return t->kind == TOKEN_END || (t->kind == TOKEN_WORD && t->first);
}

bool
parser_at_statement(struct parser *p)
{
	const struct token *t = parser_peek(p);

	return t->kind == TOKEN_END ||
		(t->kind == TOKEN_WORD && lex_is_statement(t->text));
}

struct place
parser_here(struct parser *p)
{
	return parser_ends(p) ? p->last : parser_peek(p)->place;
}

#define QUOTED 60 /* bytes of a word that a message shows */

const char *
parser_quote(struct parser *p, struct span s)
{
	const char *more = "";

	if (s.n > QUOTED) {
		more = "...";
		for (s.n = QUOTED; ((unsigned char)s.p[s.n] & 0xc0) == 0x80;)
			s.n--;
	}
	return arena_printf(p->all->arena, "\"%.*s%s\"", SPAN_ARG(s), more).p;
}

const char *
parser_found(struct parser *p)
{
	const struct token *t = parser_peek(p);

	switch (t->kind) {
	case TOKEN_STRING:
		return "a string";
	case TOKEN_PATTERN:
		return "a pattern";
	case TOKEN_END:
		return "the end of the file";
	default:
		return parser_quote(p, (struct span){
			p->source->text.p + t->place.at, t->place.n});
	}
}

const char *
parser_meant(struct parser *p, const char *nearest)
{
	if (nearest == NULL)
		return "";
	return arena_printf(p->all->arena, ": did you mean \"%s\"?",
	                    nearest).p;
}

void
parser_refuse_else(struct parser *p)
{
	static const char *const words[] = {
		"else", "elsif", "elseif", "elif", "otherwise",
	};

	if (words_have(words, sizeof(words) / sizeof(words[0]),
	               parser_peek(p)->text))
		FAIL(p, parser_peek(p)->place, "there is no %s: the rules "
		     "below are for what this one does not end",
		     parser_found(p));
}

/* To the next line that begins with a statement's word. */
static void
resync(struct parser *p)
{
	const struct token *t = &p->ahead[0];
	bool here = p->n_ahead > 0 && t->kind == TOKEN_WORD && t->first &&
		lex_is_statement(t->text);

	if (p->n_ahead > 0)
		p->lex.at = t->place.at;
	p->n_ahead = 0;
	p->lex.first = true;
	if (!here || !lex_begins_statement(&p->lex))
		lex_resync(&p->lex);
}

/* ---- names ---- */

static bool
in_name(char c)
{
	return ascii_is_alnum(c) || c == '-';
}

void
parse_name_letters(struct parser *p, const struct token *t, const char *what)
{
	size_t i;

	for (i = 0; i < t->text.n; i++) {
		if (!in_name(t->text.p[i])) {
			MISTAKE(p, t->place, "%s's name is made of letters, "
			        "digits and \"-\"", what);
			return;
		}
	}
}

/* NAME := letter, digit or "-" { letter, digit or "-" } */
struct token
parse_name(struct parser *p, const char *what)
{
	enum word_kind kind;
	struct token t;

	if (parser_ends(p))
		FAIL(p, p->last, "a name is missing after \"%s\"", what);
	p->name = parser_peek(p)->text;
	if (p->name.n > 1 && p->name.p[p->name.n - 1] == ':')
		p->name.n--; /* that is how it will be used */
	if (parser_peek(p)->kind == TOKEN_STRING)
		FAIL(p, parser_peek(p)->place,
		     "a %s's name stands without quotes", what);
	if (parser_peek(p)->kind != TOKEN_WORD)
		FAIL(p, parser_peek(p)->place,
		     "a name stands after \"%s\", not %s", what,
		     parser_found(p));
	t = *parser_peek(p);
	kind = words_kind(t.text);
	if (kind == WORD_ACTION || kind == WORD_JOINER ||
	    kind == WORD_STATEMENT)
		FAIL(p, t.first ? p->last : t.place, "a name is missing after "
		     "\"%s\" (%s is %s)", what, parser_quote(p, t.text),
		     words_kind_name(kind));
	parser_take(p);
	if (kind != WORD_FREE)
		MISTAKE(p, t.place, "a %s can't be called %s: that is %s",
		        what, parser_quote(p, t.text), words_kind_name(kind));
	parse_name_letters(p, &t, arena_printf(p->all->arena, "a %s",
	                                       what).p);
	return t;
}

/* ---- statements ---- */

/* The folder of a path: "" if it names none. */
static struct span
folder(struct span path)
{
	while (path.n > 0 && path.p[path.n - 1] != '/')
		path.n--;
	return path;
}

/* path, relative to a folder that ends with a slash or is "" */
static const char *
join(struct arena *a, struct span dir, struct span path)
{
	if (path.n > 0 && path.p[0] == '/')
		dir.n = 0;
	return arena_printf(a, "%.*s%.*s", SPAN_ARG(dir), SPAN_ARG(path)).p;
}

/*
 * path := string. It is relative to the file in which it stands; the tree has
 * includes expanded.
 */
struct ast_value *
parse_path(struct parser *p, const char *what)
{
	struct ast_value *v = parse_string(p, what);

	if (p->base.n > 0)
		v->text = span_of(join(p->all->arena, p->base, v->text));
	return v;
}

/* : there are { ... }, file "PATH", ... */
static const char *
list_backends(struct parser *p)
{
	struct arena *a = p->all->arena;
	const char *text = ": there are { ... }";
	const struct backend *row;
	size_t i;

	for (i = 0; (row = backend_row(i)) != NULL; i++)
		text = arena_printf(a, "%s%s %s \"%s\"", text,
		                    backend_row(i + 1) == NULL ? " and" : ",",
		                    row->name, row->argument).p;
	return text;
}

/* hash:/etc/postfix/logins: as postmap names its files */
static void
refuse_postmap(struct parser *p, const struct token *t)
{
	static const char *const types[] = {
		"hash", "btree", "texthash", "regexp", "pcre", "cidr", "dbm",
		"inline",
	};
	const char *colon = memchr(t->text.p, ':', t->text.n);
	struct span type = t->text, path = SPAN("PATH");

	if (colon != NULL) {
		type.n = (size_t)(colon - t->text.p);
		path.p = colon + 1;
		path.n = t->text.n - type.n - 1;
	}
	if (path.n > 100)
		return;
	if (words_have(types, sizeof(types) / sizeof(types[0]), type))
		FAIL(p, t->place, "the file that Postfix's %.*s map is made "
		     "from is read itself: file \"%.*s\"", SPAN_ARG(type),
		     SPAN_ARG(path));
	if (colon != NULL && backend_find(type) != NULL)
		FAIL(p, t->place, "a path stands in quotes behind the kind of "
		     "table: %.*s \"%.*s\"", SPAN_ARG(type), SPAN_ARG(path));
}

static _Noreturn void
refuse_backend(struct parser *p, const struct token *t)
{
	const char *names[16], *near;
	const struct backend *row;
	size_t n = 0;

	while (n < 16 && (row = backend_row(n)) != NULL)
		names[n++] = row->name;
	near = diag_nearest(t->text, names, n);
	refuse_postmap(p, t);
	FAIL(p, t->place, "unknown kind of table %s%s",
	     parser_quote(p, t->text),
	     near != NULL ? parser_meant(p, near) : list_backends(p));
}

/* prefix, database, ... */
static const char *
list_options(struct parser *p)
{
	const struct backend_option *row;
	const char *text = "";
	size_t i;

	for (i = 0; (row = backend_option(i)) != NULL; i++)
		text = arena_printf(p->all->arena, "%s%s%s", text, i == 0 ? "" :
		                    backend_option(i + 1) == NULL ? " and " :
		                    ", ", row->words).p;
	return text;
}

/* The row of the option at hand, its words taken; NULL: there is none. */
static const struct backend_option *
take_option(struct parser *p)
{
	const struct backend_option *row;
	struct span first, second;
	size_t i;

	if (parser_ends(p) || parser_peek(p)->kind != TOKEN_WORD)
		return NULL;
	for (i = 0; (row = backend_option(i)) != NULL; i++) {
		first = span_of(row->words);
		first.n = strcspn(row->words, " ");
		if (!span_is(parser_peek(p)->text, first))
			continue;
		parser_take(p);
		if (row->words[first.n] == '\0')
			return row;
		second = span_of(row->words + first.n + 1);
		if (parser_ends(p) || !span_is(parser_peek(p)->text, second))
			FAIL(p, parser_here(p), "after \"%.*s\" stands \"%s\"",
			     SPAN_ARG(first), second.p);
		parser_take(p);
		return row;
	}
	FAIL(p, parser_peek(p)->place, "unknown option %s: there are %s",
	     parser_found(p), list_options(p));
}

/* A number of a database: digits that fit. */
static bool
is_count(struct span s)
{
	size_t i;

	for (i = 0; i < s.n && s.p[i] >= '0' && s.p[i] <= '9'; i++)
		;
	return s.n > 0 && s.n <= 9 && i == s.n;
}

static struct ast_value *
parse_option_value(struct parser *p, const struct backend_option *row)
{
	const char *word = parser_quote(p, span_of(row->words));

	if (row->type == OPTION_PATH)
		return parse_path(p, word);
	if (row->type == OPTION_TEXT)
		return parse_string(p, word);
	if (parser_ends(p) || !is_count(parser_peek(p)->text))
		FAIL(p, parser_here(p), "after %s stands a number", word);
	return parse_constant(p);
}

/* { "prefix" STRING | "database" NUMBER | ... }, each once */
static void
parse_options(struct parser *p, struct ast_option **list)
{
	const struct backend_option *row;
	struct ast_option **next = list, *o;
	struct place place = parser_here(p);

	for (; (row = take_option(p)) != NULL; place = parser_here(p)) {
		for (o = *list; o != NULL; o = o->next)
			if (o->row == row)
				FAIL(p, place, "\"%s\" is given twice",
				     row->words);
		o = parser_alloc(p, sizeof(*o));
		o->row = row;
		o->value = parse_option_value(p, row);
		*next = o;
		next = &o->next;
	}
}

/* server := "redis" STRING { option } */
static void
parse_set_server(struct parser *p, struct ast_set *set)
{
	set->server = parse_string(p, "\"redis\"");
	parse_options(p, &set->options);
}

/* set := "set" NAME ( WORD | server | STRING | table ) */
static struct ast_set *
parse_set(struct parser *p)
{
	static const char *const server[] = {"redis"};
	struct ast_set *set = parser_alloc(p, sizeof(*set));
	struct ast_value *v = parser_alloc(p, sizeof(*v));
	struct token t;

	if (parser_ends(p) || parser_peek(p)->kind != TOKEN_WORD)
		FAIL(p, parser_here(p), "a setting's name is missing after "
		     "\"set\"");
	t = parser_take(p);
	set->name = t.text;
	set->name_place = t.place;
	if (span_is(t.text, SPAN("header")))
		FAIL(p, t.place, "a rule changes a field by replace header "
		     "\"Name\" \"value\"");
	if (parser_ends(p))
		FAIL(p, p->last, "a value is missing after \"set %.*s\"",
		     SPAN_ARG(set->name));
	if (parser_at(p, "=") || parser_at(p, ":"))
		FAIL(p, parser_peek(p)->place, "%s is too much: set %.*s VALUE",
		     parser_found(p), SPAN_ARG(set->name));
	if (parser_peek(p)->kind == TOKEN_TABLE) {
		set->value = parse_table(p);
		return set;
	}
	if (parser_peek(p)->kind != TOKEN_WORD &&
	    parser_peek(p)->kind != TOKEN_STRING)
		FAIL(p, parser_peek(p)->place,
		     "a setting's value is a word or a string, not %s",
		     parser_found(p));
	t = parser_take(p);
	v->kind = t.kind == TOKEN_STRING ? AST_STRING : AST_WORD;
	v->place = t.place;
	v->text = t.text;
	set->value = v;
	if (v->kind != AST_WORD || parser_ends(p) || parser_new_line(p))
		return set;
	if (span_is(v->text, SPAN("redis")))
		parse_set_server(p, set);
	else if (parser_peek(p)->kind == TOKEN_STRING &&
	         diag_nearest(v->text, server, 1) != NULL)
		FAIL(p, v->place, "unknown word %s%s",
		     parser_quote(p, v->text), parser_meant(p, *server));
	return set;
}

/*
 * back end := NAME STRING [ "{" { WORD } "}" ] { option }, by the rows of
 * backend.c
 */
static void
parse_backend(struct parser *p, struct ast_table *table)
{
	struct token t = parser_take(p);
	const struct backend *row = backend_find(t.text);
	const char *word;

	table->backend = t.text;
	table->backend_place = t.place;
	if (row == NULL)
		refuse_backend(p, &t);
	word = parser_quote(p, t.text);
	table->path = row->is_path ? parse_path(p, word) :
	              parse_string(p, word);
	if (row->takes_options)
		parse_options(p, &table->options);
	if (parser_peek(p)->kind != TOKEN_BRACE)
		return;
	if (!row->takes_list)
		FAIL(p, parser_peek(p)->place, "only a \"dns\" table is "
		     "followed by a list: of the answers that count");
	table->answers = parse_list(p, "list", parse_constant);
}

/* table := "table" "<" NAME ">" ( "{" { entry } "}" | back end ) */
static struct ast_table *
parse_table_statement(struct parser *p)
{
	struct ast_table *table = parser_alloc(p, sizeof(*table));
	struct token t;

	if (parser_ends(p))
		FAIL(p, p->last, "a name is missing after \"table\": write "
		     "table <name>");
	p->name = parser_peek(p)->text;
	if (parser_peek(p)->kind == TOKEN_WORD)
		FAIL(p, parser_peek(p)->place,
		     "a table's name stands in < >: write table <%.*s>",
		     SPAN_ARG(parser_peek(p)->text));
	if (parser_peek(p)->kind != TOKEN_TABLE)
		FAIL(p, parser_peek(p)->place,
		     "a table's name stands in < >, begins with a letter and "
		     "has no blanks: <name>");
	t = parser_take(p);
	parse_name_letters(p, &t, "a table");
	table->name = t.text;
	table->name_place = t.place;
	if (parser_peek(p)->kind == TOKEN_BRACE)
		table->entries = parse_entries(p);
	else if (!parser_ends(p) && parser_peek(p)->kind == TOKEN_WORD)
		parse_backend(p, table);
	else
		FAIL(p, parser_here(p), "after table <%.*s> stands { ... } or "
		     "a kind of table: file \"PATH\"", SPAN_ARG(table->name));
	return table;
}

/* define := "define" NAME expr */
static struct ast_define *
parse_define(struct parser *p)
{
	struct ast_define *define = parser_alloc(p, sizeof(*define));
	struct token t = parse_name(p, "define");

	define->name = t.text;
	define->name_place = t.place;
	define->expr = parse_expr(p);
	return define;
}

/* ---- include ---- */

static void parse_file(struct parser *p);

/* dir as a folder for join */
static struct span
as_folder(struct arena *a, const char *dir)
{
	size_t n = strlen(dir);

	if (n == 0 || (n == 1 && dir[0] == '.'))
		return SPAN("");
	return arena_printf(a, dir[n - 1] == '/' ? "%s" : "%s/", dir);
}

/* "a includes b, b includes c", from ancestor down to p, then path */
static const char *
include_chain(struct parser *p, const struct parser *ancestor)
{
	const char *chain = ancestor->source->name;

	for (;; p = p->parent) {
		chain = arena_printf(p->all->arena, "%s > %s",
		                     p->source->name, chain).p;
		if (p == ancestor)
			return chain;
	}
}

/* Tells if the file at path is being read already. */
static bool
is_cycle(struct parser *p, struct place where, const struct stat *st)
{
	const struct parser *up;

	for (up = p; up != NULL; up = up->parent) {
		if (up->known && up->dev == st->st_dev &&
		    up->ino == st->st_ino) {
			MISTAKE(p, where, "%s would include itself: %s",
			        up->source->name, include_chain(p, up));
			return true;
		}
	}
	return false;
}

/* file: as the including file would name it */
static void
include_file(struct parser *p, struct place where, struct span file)
{
	struct parse *all = p->all;
	struct source *source = parser_alloc(p, sizeof(*source));
	struct parser *child = parser_alloc(p, sizeof(*child));
	const char *path = join(all->arena, as_folder(all->arena, p->dir),
	                        file);
	const char *why = NULL;
	struct stat st = {0};

	child->known = stat(path, &st) == 0;
	if (child->known && is_cycle(p, where, &st))
		return;
	source->name = join(all->arena, folder(span_of(p->source->name)),
	                    file);
	source->text = source_read(all->arena, path, &why);
	if (why != NULL) {
		MISTAKE(p, where, "%s can't be read: %s", source->name, why);
		return;
	}
	source->order = ++all->sources;
	child->all = all;
	child->parent = p;
	child->source = source;
	child->dir = arena_copy(all->arena, folder(span_of(path))).p;
	child->base = folder(span_of(join(all->arena, p->base, file)));
	child->dev = st.st_dev;
	child->ino = st.st_ino;
	parse_file(child);
}

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* A folder that is not there has no files; any other failure is one. */
static int
glob_failed(const char *path, int error)
{
	(void)path;
	errno = error;
	return error != ENOENT && error != ENOTDIR;
}

/*
 * Copies what glob found, so that nothing but the arena is held when a file
 * is parsed or memory runs out.
 */
static char **
copy_paths(struct arena *a, const glob_t *found)
{
	jmp_buf *escape = arena_escape(a, NULL);
	char **paths = arena_alloc(a, (found->gl_pathc + 1) * sizeof(*paths));
	size_t i;

	for (i = 0; paths != NULL && i < found->gl_pathc; i++) {
		struct span path = span_of(found->gl_pathv[i]);

		paths[i] = (char *)arena_copy(a, path).p;
		if (paths[i] == NULL)
			paths = NULL;
	}
	arena_escape(a, escape);
	return paths;
}

/* dir, so that glob takes its letters as they are */
static struct span
escape_folder(struct arena *a, struct span dir)
{
	char *out = arena_alloc(a, 2 * dir.n + 1);
	size_t i, n = 0;

	for (i = 0; i < dir.n; i++) {
		if (strchr("*?[\\", dir.p[i]) != NULL)
			out[n++] = '\\';
		out[n++] = dir.p[i];
	}
	return (struct span){out, n};
}

static bool
has_wildcard(struct span path)
{
	size_t i;

	for (i = 0; i < path.n; i++)
		if (path.p[i] == '*' || path.p[i] == '?' || path.p[i] == '[')
			return true;
	return false;
}

static void
include_glob(struct parser *p, struct place where, struct span dir,
             struct span path)
{
	struct arena *a = p->all->arena;
	const char *pattern = join(a, escape_folder(a, dir), path);
	char **paths;
	glob_t found;
	size_t i, n, skip = path.p[0] == '/' ? 0 : dir.n;
	int r = glob(pattern, GLOB_NOSORT, glob_failed, &found), error = errno;

	if (r == GLOB_NOMATCH)
		return;
	if (r != 0) {
		MISTAKE(p, where, "%.*s can't be read: %s", SPAN_ARG(path),
		        strerror(r == GLOB_NOSPACE ? ENOMEM : error));
		globfree(&found);
		return;
	}
	n = found.gl_pathc;
	paths = copy_paths(a, &found);
	globfree(&found);
	if (paths == NULL) {
		arena_alloc(a, SIZE_MAX); /* no memory: escapes */
		return;
	}
	qsort(paths, n, sizeof(*paths), compare_paths);
	for (i = 0; i < n; i++)
		include_file(p, where, span_of(paths[i] + skip));
}

/* include := "include" STRING */
static void
parse_include(struct parser *p)
{
	struct ast_value *path = parse_string(p, "\"include\"");
	struct span dir = as_folder(p->all->arena, p->dir);
	const struct parser *up;
	unsigned depth = 0;

	if (path->text.n == 0)
		FAIL(p, path->place, "a file's name is missing");
	for (up = p; up != NULL; up = up->parent)
		depth++;
	if (depth > CAPS_INCLUDE_DEPTH)
		FAIL(p, path->place, "more than %d files include one another",
		     CAPS_INCLUDE_DEPTH);
	if (has_wildcard(path->text))
		include_glob(p, path->place, dir, path->text);
	else
		include_file(p, path->place, path->text);
}

/* ---- files ---- */

static void
append(struct parser *p, struct statement *s)
{
	if (p->spoilt)
		return;
	*p->all->tail = s;
	p->all->tail = &s->next;
}

/* After a statement whose end its grammar settles. */
static void
expect_end(struct parser *p, const char *word)
{
	const struct token *t = parser_peek(p);

	if (parser_at_statement(p) || t->first)
		return;
	FAIL(p, t->place, "%s is too much: \"%s\" has all it takes",
	     parser_found(p), word);
}

static enum statement_kind
kind_of(struct span word)
{
	if (span_is(word, SPAN("set")))
		return AST_SET;
	if (span_is(word, SPAN("table")))
		return AST_TABLE_STATEMENT;
	if (span_is(word, SPAN("limit")))
		return AST_LIMIT;
	if (span_is(word, SPAN("define")))
		return AST_DEFINE;
	return span_is(word, SPAN("test")) ? AST_TEST : AST_RULE;
}

static void
parse_kind(struct parser *p, struct statement *s, struct token word)
{
	const struct span w = word.text;

	s->kind = p->kind = kind_of(w);
	p->names = s->kind != AST_SET && s->kind != AST_TEST;
	switch (s->kind) {
	case AST_SET:
		s->set = parse_set(p);
		expect_end(p, "set");
		break;
	case AST_TABLE_STATEMENT:
		s->table = parse_table_statement(p);
		expect_end(p, "table");
		break;
	case AST_LIMIT:
		s->limit = parse_limit(p);
		expect_end(p, "limit");
		break;
	case AST_DEFINE:
		s->define = parse_define(p);
		expect_end(p, "define");
		break;
	case AST_TEST:
		s->test = parse_test(p);
		break;
	case AST_RULE:
		if (span_is(w, SPAN("shadow")) && !parser_accept(p, "rule"))
			FAIL(p, parser_here(p),
			     "after \"shadow\" stands \"rule\"");
		s->rule = parse_rule(p, span_is(w, SPAN("shadow")));
	}
}

/* The first word, which may be none of a statement. */
static struct token
parse_first_word(struct parser *p)
{
	const struct token *t = parser_peek(p);

	if (t->kind != TOKEN_WORD)
		FAIL(p, t->place, "a statement is expected here, not %s",
		     parser_found(p));
	if (!lex_is_statement(t->text)) {
		if (words_kind(t->text) == WORD_RESERVED)
			FAIL(p, t->place, "%s is reserved for later",
			     parser_quote(p, t->text));
		if (t->text.p[0] == ';')
			FAIL(p, t->place, "a comment begins with #");
		if (span_is(t->text, SPAN("if")) ||
		    span_is(t->text, SPAN("unless")))
			FAIL(p, t->place, "a condition stands in a rule: rule "
			     "NAME %.*s ...", SPAN_ARG(t->text));
		FAIL(p, t->place, "unknown statement %s%s",
		     parser_quote(p, t->text), parser_meant(p, diag_nearest(
			     t->text, words_statements,
			     words_statements_count)));
	}
	if (!t->first)
		MISTAKE(p, t->place,
		        "a statement begins on a line of its own");
	return parser_take(p);
}

/* statement := set | include | table | limit | define | ["shadow"] rule
 *            | test */
static void
parse_statement(struct parser *p)
{
	struct token word = parse_first_word(p);
	struct statement *s;

	if (span_is(word.text, SPAN("include"))) {
		parse_include(p);
		expect_end(p, "include");
		return;
	}
	s = parser_alloc(p, sizeof(*s));
	s->place = word.place;
	parse_kind(p, s, word);
	append(p, s);
}

/* The statement is left out: what might it have named? */
static void
lose(struct parser *p)
{
	struct ast *ast = p->all->ast;
	struct ast_lost *lost;

	ast->broken = true;
	if (!p->names)
		return;
	if (p->name.p == NULL) {
		ast->lost_any = true;
		return;
	}
	lost = parser_alloc(p, sizeof(*lost));
	lost->kind = p->kind;
	lost->name = p->name;
	lost->next = ast->lost;
	ast->lost = lost;
}

bool
ast_lost(const struct ast *ast, enum statement_kind kind, struct span name)
{
	const struct ast_lost *l;

	for (l = ast->lost; l != NULL; l = l->next)
		if (l->kind == kind && span_is(l->name, name))
			return true;
	return ast->lost_any;
}

/* One statement, or the end: false. What can't be read is passed over. */
static bool
next_statement(struct parser *p)
{
	p->spoilt = false;
	p->names = true; /* as long as it is not known to be none that does */
	p->name = (struct span){NULL, 0};
	if (setjmp(p->give_up) == 0) {
		if (parser_peek(p)->kind == TOKEN_END)
			return false;
		parse_statement(p);
	} else {
		p->spoilt = true;
		resync(p);
	}
	if (p->spoilt)
		lose(p);
	return true;
}

/* file := { statement } */
static void
parse_file(struct parser *p)
{
	if (!lex_open(&p->lex, p->all->arena, p->source, p->all->diags)) {
		p->all->ast->broken = p->all->ast->lost_any = true;
		return;
	}
	while (next_statement(p))
		;
}

/* So that a file that includes the first one is found out. */
static void
identify(struct parser *p)
{
	struct arena *a = p->all->arena;
	struct span name = span_of(p->source->name);
	size_t n = folder(name).n;
	struct stat st;

	name = (struct span){name.p + n, name.n - n};
	if (stat(join(a, as_folder(a, p->dir), name), &st) == -1)
		return;
	p->known = true;
	p->dev = st.st_dev;
	p->ino = st.st_ino;
}

struct ast *
parse_policy(struct arena *a, struct source *source, const char *dir,
             struct diags *d)
{
	struct parse *all = arena_alloc(a, sizeof(*all));
	struct parser *p = arena_alloc(a, sizeof(*p));

	all->arena = a;
	all->diags = d;
	all->ast = arena_alloc(a, sizeof(*all->ast));
	all->ast->arena = a;
	all->ast->source = source;
	all->tail = &all->ast->statements;
	all->sources = source->order;
	p->all = all;
	p->source = source;
	p->dir = dir;
	identify(p);
	parse_file(p);
	return all->ast;
}
