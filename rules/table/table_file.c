/*
 * table_file.c - a table from a text file, in the form of postmap's input.
 *
 *	file    := { line }
 *	line    := blank line | comment | entry
 *	comment := [ blanks ] "#" ...
 *	entry   := key [ blanks values ] { continuation }
 *	key     := "<>" | "/" pattern "/" flags | a run of characters without
 *	           blanks but in "..."
 *	continuation := blanks values
 *	values  := value { blanks or "," value }
 *
 * Blank lines and comments may stand between an entry and its continuation.
 * Where a key is there twice, the first stands, as with postmap.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "table_impl.h"
#include "utf8.h"

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The text ends with a NUL; a line's end is "\n" or that. */
static size_t
line_end(struct span text, size_t at)
{
	const char *end = memchr(text.p + at, '\n', text.n - at);

	return end == NULL ? text.n : (size_t)(end - text.p);
}

static size_t
skip_blanks(struct span text, size_t at)
{
	while (at < text.n && blank(text.p[at]))
		at++;
	return at;
}

/* A comment, or nothing but blanks. */
static bool
says_nothing(struct span text, size_t at)
{
	at = skip_blanks(text, at);
	return at == text.n || text.p[at] == '\n' || text.p[at] == '#';
}

/* Where the line behind the one of at begins. */
static size_t
next_line(struct span text, size_t at)
{
	size_t end = line_end(text, at);

	return end == text.n ? end : end + 1;
}

/* The first line from at on that begins an entry, or text.n. */
static size_t
find_entry(struct span text, size_t at)
{
	while (at < text.n && (blank(text.p[at]) || says_nothing(text, at)))
		at = next_line(text, at);
	return at;
}

/* ---- keys ---- */

/* What can be wrong with a key as it is written. */
static const char open_quote[] = "this quote is not closed";
static const char open_pattern[] =
	"this pattern is not closed: a key that begins with a slash is one, "
	"unless it stands in quotes";

/* Behind the key of ordinary characters that begins at at. */
static size_t
key_end(struct span text, size_t at, const char **problem)
{
	bool quoted = false;

	for (; at < text.n && text.p[at] != '\n'; at++) {
		if (quoted && text.p[at] == '\\' && at + 1 < text.n &&
		    text.p[at + 1] != '\n')
			at++;
		else if (text.p[at] == '"')
			quoted = !quoted;
		else if (!quoted && blank(text.p[at]))
			break;
	}
	if (quoted)
		*problem = open_quote;
	return at;
}

/* "/" ... "/" flags */
static size_t
pattern_end(struct span text, size_t at, struct entry *e, const char **problem)
{
	size_t begin = ++at;

	while (at < text.n && text.p[at] != '\n' && text.p[at] != '/')
		at += text.p[at] == '\\' && at + 1 < text.n &&
		      text.p[at + 1] != '\n' ? 2 : 1;
	e->is_pattern = true;
	e->key = (struct span){text.p + begin, at - begin};
	if (at == text.n || text.p[at] == '\n') {
		*problem = open_pattern;
		return at;
	}
	begin = ++at;
	while (at < text.n && !blank(text.p[at]) && text.p[at] != '\n')
		at++;
	e->flags = (struct span){text.p + begin, at - begin};
	return at;
}

/* Is all of it between one pair of quotes? */
static bool
in_quotes(struct span key)
{
	size_t i;

	if (key.n < 2 || key.p[0] != '"')
		return false;
	for (i = 1; i < key.n && key.p[i] != '"'; i++)
		if (key.p[i] == '\\')
			i++;
	return i == key.n - 1;
}

/* The entry at at, which begins one; returns where its values may begin. */
static size_t
read_key(struct span text, size_t at, struct entry *e, const char **problem)
{
	size_t end;

	*e = (struct entry){.id = (uint32_t)at};
	if (text.p[at] == '/') {
		end = pattern_end(text, at, e, problem);
	} else {
		end = key_end(text, at, problem);
		e->key = (struct span){text.p + at, end - at};
		e->null = span_is(e->key, SPAN("<>"));
		if (in_quotes(e->key)) {
			e->key = (struct span){e->key.p + 1, e->key.n - 2};
			e->escaped = e->key.n > 0 &&
			             memchr(e->key.p, '\\', e->key.n) != NULL;
		}
	}
	e->place.at = at;
	e->place.n = end - at;
	return end;
}

/* Behind the values: at the next line that begins an entry. */
static size_t
entry_end(struct span text, size_t at)
{
	return find_entry(text, next_line(text, at));
}

static bool
next(const struct table *t, uint32_t id, struct entry *e)
{
	struct span text = t->source.text;
	const char *problem = NULL;
	size_t at = find_entry(text, id), end;

	while (at < text.n) {
		end = read_key(text, at, e, &problem);
		if (problem == NULL) {
			e->place.source = &t->source;
			e->rest = (struct span){text.p + end, text.n - end};
			return true;
		}
		problem = NULL; /* told when the file was read */
		at = entry_end(text, at);
	}
	return false;
}

static uint32_t
after(const struct table *t, const struct entry *e)
{
	return (uint32_t)entry_end(t->source.text, e->id);
}

/*
 * In rest, from *at on, at a line's end: goes to the continuation, if there
 * is one.
 */
static bool
continues(struct span rest, size_t *at)
{
	size_t line = next_line(rest, *at);

	while (line < rest.n && says_nothing(rest, line))
		line = next_line(rest, line);
	*at = line;
	return line < rest.n && blank(rest.p[line]);
}

static bool
value(const struct table *t, const struct entry *e, size_t *at,
      struct span *v, struct place *place)
{
	struct span rest = e->rest;
	size_t begin, i = *at;

	for (;; i++) {
		if (i >= rest.n)
			return false;
		if (rest.p[i] == '\n' && !continues(rest, &i))
			return false;
		if (!blank(rest.p[i]) && rest.p[i] != ',')
			break;
	}
	begin = i;
	while (i < rest.n && !blank(rest.p[i]) && rest.p[i] != ',' &&
	       rest.p[i] != '\n')
		i++;
	*at = i;
	*v = (struct span){rest.p + begin, i - begin};
	*place = (struct place){&t->source,
	                        (size_t)(v->p - t->source.text.p), v->n};
	return true;
}

const struct store table_file_store = {next, after, value};

/* ---- reading the file ---- */

/* All of it, with a NUL behind; NULL with errno. */
static char *
read_all(int fd, size_t size, size_t *n)
{
	char *text = malloc(size + 2), *more;
	ssize_t got;

	*n = 0;
	while (text != NULL) {
		got = read(fd, text + *n, size + 1 - *n);
		if (got == 0) {
			text[*n] = '\0';
			return text;
		}
		if (got < 0 && errno == EINTR)
			continue;
		*n += got < 0 ? 0 : (size_t)got;
		if (got < 0 || *n > ENTRY_ID_MAX) {
			errno = got < 0 ? errno : EFBIG;
			break;
		}
		if (*n <= size) /* else it grows while it is read */
			continue;
		size *= 2;
		more = realloc(text, size + 2);
		if (more == NULL)
			break;
		text = more;
	}
	free(text);
	return NULL;
}

/* NULL, and what is wrong in *why. */
static char *
read_file(const char *path, size_t *n, const char **why)
{
	/* Not to hang on a FIFO. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = NULL;
	struct stat st;

	*why = NULL;
	if (fd < 0 || fstat(fd, &st) < 0)
		*why = strerror(errno);
	else if (S_ISDIR(st.st_mode))
		*why = "it is a directory";
	else if (!S_ISREG(st.st_mode))
		*why = "it is no file";
	else if (st.st_size > (off_t)ENTRY_ID_MAX)
		*why = "it has more than 2 GiB";
	else if ((text = read_all(fd, (size_t)st.st_size, n)) == NULL)
		*why = strerror(errno);
	if (fd >= 0)
		close(fd);
	return text;
}

/* Valid UTF-8 without NUL? If not, the first byte that is wrong is told. */
static bool
check_text(const struct source *s, struct diags *d)
{
	struct span text = s->text;
	struct place place = {s, 0, 1};
	const char *nul = memchr(text.p, '\0', text.n);
	size_t end;

	if (nul != NULL) {
		place.at = (size_t)(nul - text.p);
		diag_error(d, place, "a NUL byte: a table's file is text");
		return false;
	}
	if (utf8_valid(text))
		return true;
	for (; place.at < text.n; place.at = end) {
		end = next_line(text, place.at);
		if (!utf8_valid((struct span){text.p + place.at,
		                              end - place.at}))
			break;
	}
	place.n = line_end(text, place.at) - place.at;
	diag_error(d, place, "this line is not valid UTF-8");
	return false;
}

/* A first line that begins with a blank continues nothing. */
static void
check_begin(const struct source *s, struct diags *d)
{
	size_t at = 0, end;

	while (at < s->text.n && says_nothing(s->text, at))
		at = next_line(s->text, at);
	if (at == s->text.n || !blank(s->text.p[at]))
		return;
	end = line_end(s->text, at);
	diag_error(d, (struct place){s, at, end - at},
	           "a line that begins with a blank continues an entry, and "
	           "there is none above");
}

/* Counts the entries, compiles the patterns; false without memory. */
static bool
check_entries(struct table *t, struct diags *d)
{
	struct span text = t->source.text;
	const char *problem = NULL;
	struct entry e;
	size_t at;

	for (at = find_entry(text, 0); at < text.n; at = entry_end(text, at)) {
		(void)read_key(text, at, &e, &problem);
		e.place.source = &t->source;
		t->n++;
		if (problem != NULL)
			diag_error(d, e.place, "%s", problem);
		else if (e.is_pattern && !table_add_pattern(t, &e, d))
			return false;
		problem = NULL;
	}
	table_seal_patterns(t);
	return true;
}

static const char bom[] = "\xef\xbb\xbf";

static void
take_text(struct table *t, const char *path, char *text, size_t n)
{
	size_t skip = sizeof(bom) - 1;

	t->text = text;
	t->source.text = (struct span){text, n};
	if (n >= skip && memcmp(text, bom, skip) == 0)
		t->source.text = (struct span){text + skip, n - skip};
	t->source.name = arena_copy(t->arena, span_of(path)).p;
	/* Mistakes of the policy come first, then each table's. */
	t->source.order = UINT_MAX;
}

struct table *
table_file(const char *name, const char *path, struct place where,
           struct diags *d)
{
	const char *why;
	struct table *t;
	size_t n;
	char *text = read_file(path, &n, &why);

	if (text == NULL) {
		diag_error(d, where, "can't read the table's file %s: %s",
		           path, why);
		return NULL;
	}
	t = table_new(name, &table_file_store);
	if (t == NULL) {
		free(text);
		goto no_memory;
	}
	take_text(t, path, text, n);
	if (t->source.name == NULL)
		goto no_memory;
	if (!check_text(&t->source, d)) {
		t->source.text.n = 0;
		return t;
	}
	check_begin(&t->source, d);
	if (check_entries(t, d))
		return t;
no_memory:
	diag_error(d, where, "no memory for table <%s>", name);
	table_free(t);
	return NULL;
}
