/*
 * mime.c - the structure of a message: one walk over its lines, with the
 * boundaries that are open on a stack. No recursion, each line seen once.
 *
 * What readers disagree about is taken both ways: a line that only begins
 * like a boundary begins a part and does not end the one before it; a part
 * after the last boundary is a part; what stands before, between and behind
 * parts is loose text.
 */
#include <string.h>

#include "caps.h"
#include "mime.h"

#define STRING_OF(number) #number
#define STRING(number) STRING_OF(number)

/* ---- faults and limits ---- */

const char *
mime_defect_name(enum defect d)
{
	static const char *const names[DEFECTS] = {
#define ROW(id, name) name,
		DEFECT_TABLE(ROW)
#undef ROW
	};

	return names[d];
}

void
mime_defect(struct mime *m, enum defect d)
{
	m->defects |= (uint64_t)1 << d;
}

bool
mime_has(const struct mime *m, enum defect d)
{
	return m->defects >> d & 1;
}

void
mime_stop(struct mime *m, enum defect d, const char *why)
{
	mime_defect(m, d);
	if (m->full == NULL)
		m->full = why;
}

bool
mime_ok(const struct mime *m)
{
	return !m->no_memory && m->full == NULL;
}

void
mime_list_add(struct mime *m, struct mime_list **list, struct span text,
              bool nocase)
{
	size_t n = 0;

	if (text.p == NULL) {
		m->no_memory = true;
		return;
	}
	for (; *list != NULL; list = &(*list)->next, n++)
		if (nocase ? span_is_nocase((*list)->text, text) :
		    span_is((*list)->text, text))
			return;
	if (n == CAPS_MIME_PARAMS) {
		mime_stop(m, DEFECT_TOO_MANY_PARAMETERS, "a part with more "
			"than " STRING(CAPS_MIME_PARAMS) " names or types");
		return;
	}
	*list = arena_alloc(m->arena, sizeof(**list));
	if (*list == NULL)
		m->no_memory = true;
	else
		(*list)->text = text;
}

/* ---- the walk ---- */

/* A multipart that is open. */
struct level {
	size_t part;
	bool closed; /* its last boundary was seen */
	bool any;    /* one of it was */
	size_t begin; /* of the loose text at hand */
};

struct walk {
	struct mime *m;
	struct span doc;
	size_t root;      /* the part whose bytes doc is */
	bool decoded;     /* they were */
	size_t part;      /* at hand */
	bool header;      /* in its header, which begins here: */
	size_t header_at;
	size_t field;     /* its field at hand begins here, or MIME_NONE */
	size_t bad;       /* its first line that is no field, or MIME_NONE */
	struct level levels[CAPS_MIME_DEPTH + 1];
	size_t n_levels;
	size_t spanning;  /* a part that a false boundary may not end */
	size_t span_level;
};

static struct span
slice(const struct walk *w, size_t begin, size_t end)
{
	return (struct span){w->doc.p + begin, end > begin ? end - begin : 0};
}

static size_t
new_part(struct mime *m, size_t parent)
{
	struct mime_part *p;

	if (m->n_parts == CAPS_MIME_PARTS) {
		mime_stop(m, DEFECT_TOO_MANY_PARTS, "more than "
			STRING(CAPS_MIME_PARTS) " MIME parts");
		return MIME_NONE;
	}
	p = arena_grow(m->arena, &m->parts, &m->n_parts, sizeof(*p));
	if (p == NULL) {
		m->no_memory = true;
		return MIME_NONE;
	}
	p->parent = parent;
	p->depth = parent == MIME_NONE ? 0 : m->parts[parent].depth + 1;
	if (p->depth > CAPS_MIME_DEPTH)
		mime_stop(m, DEFECT_TOO_DEEP, "MIME parts nested deeper than "
			STRING(CAPS_MIME_DEPTH));
	return m->n_parts - 1;
}

/* d: what is wrong with it, or DEFECTS. */
static void
keep_loose(struct walk *w, size_t part, size_t begin, size_t end,
           enum defect d, bool body)
{
	struct span bytes = slice(w, begin, end);
	struct mime_loose *l;

	if (span_trim(bytes).n == 0)
		return;
	if (d != DEFECTS)
		mime_defect(w->m, d);
	l = arena_grow(w->m->arena, &w->m->loose, &w->m->n_loose, sizeof(*l));
	if (l == NULL)
		w->m->no_memory = true;
	else
		*l = (struct mime_loose){part, bytes, body};
}

/* A notice for old readers, which many mailers write, is no defect. */
#define NOTICE_MAX 300

/* The text before the first part, or behind the last. */
static void
end_loose(struct walk *w, const struct level *l, size_t end)
{
	enum defect d = DEFECT_EPILOGUE_TEXT;

	if (l->begin == MIME_NONE)
		return;
	if (!l->closed)
		d = slice(w, l->begin, end).n <= NOTICE_MAX ? DEFECTS :
			DEFECT_PREAMBLE_TEXT;
	keep_loose(w, l->part, l->begin, end, d, false);
}

/* ---- boundaries ---- */

/* RFC 2046 5.1.1: no boundary may be found in what another one divides. */
static void
compare_boundaries(struct mime *m, const struct mime_list *a,
                   const struct mime_list *with)
{
	const struct mime_list *b;

	for (; a != NULL; a = a->next)
		for (b = with; b != NULL; b = b->next)
			if (span_is(a->text, b->text))
				mime_defect(m, DEFECT_REPEATED_BOUNDARY);
			else if (span_begins(a->text, b->text) ||
			         span_begins(b->text, a->text))
				mime_defect(m, DEFECT_PREFIX_BOUNDARY);
}

static void
push(struct walk *w, size_t part, size_t at)
{
	struct mime *m = w->m;
	size_t i;

	for (i = 0; i < w->n_levels; i++)
		compare_boundaries(m, m->parts[part].boundaries,
			m->parts[w->levels[i].part].boundaries);
	w->levels[w->n_levels++] = (struct level){.part = part, .begin = at};
}

enum mark { MARK_NONE, MARK_OPEN, MARK_CLOSE };

struct match {
	enum mark mark;
	size_t level;
	bool exact;
};

/* What is behind "--boundary" in a line. */
static enum mark
behind(struct span rest, bool *exact)
{
	bool close = rest.n >= 2 && rest.p[0] == '-' && rest.p[1] == '-';
	size_t i;

	*exact = true;
	for (i = close ? 2 : 0; i < rest.n; i++)
		if (rest.p[i] != ' ' && rest.p[i] != '\t')
			*exact = false;
	return close ? MARK_CLOSE : MARK_OPEN;
}

/* Which of two is rather meant? */
static bool
is_better(const struct walk *w, const struct match *a, const struct match *b)
{
	if (b->mark == MARK_NONE || a->exact != b->exact)
		return b->mark == MARK_NONE || a->exact;
	return w->levels[b->level].closed && !w->levels[a->level].closed;
}

/* The boundary that a line is, the innermost one that is still open first. */
static struct match
find_boundary(const struct walk *w, struct span line)
{
	struct match best = {MARK_NONE, 0, false}, at;
	const struct mime_list *b;
	struct span s, rest;
	size_t i;

	if (line.n < 2 || line.p[0] != '-' || line.p[1] != '-')
		return best;
	s = (struct span){line.p + 2, line.n - 2};
	for (i = w->n_levels; i > 0; i--) {
		b = w->m->parts[w->levels[i - 1].part].boundaries;
		for (; b != NULL; b = b->next) {
			if (!span_begins(s, b->text))
				continue;
			rest = (struct span){s.p + b->text.n,
				s.n - b->text.n};
			at.level = i - 1;
			at.mark = behind(rest, &at.exact);
			if ((at.exact || b->text.n > 0) &&
			    is_better(w, &at, &best))
				best = at;
		}
	}
	return best;
}

/* ---- headers ---- */

static bool
is_field(struct span line)
{
	const char *colon = line.n == 0 ? NULL : memchr(line.p, ':', line.n);
	struct span name = {line.p, 0};
	size_t i;

	if (colon == NULL)
		return false;
	name.n = (size_t)(colon - line.p);
	name = span_trim(name);
	for (i = 0; i < name.n; i++)
		if (name.p[i] == ' ' || name.p[i] == '\t')
			return false;
	return name.n > 0;
}

/* What is behind a bare CR is a field of its own to some. */
static void
take_behind_cr(struct walk *w, struct span s)
{
	struct span line, name;
	const char *cr, *colon;

	while ((cr = memchr(s.p, '\r', s.n)) != NULL && mime_ok(w->m)) {
		s = (struct span){cr + 1, s.n - (size_t)(cr + 1 - s.p)};
		if (s.n == 0 || *s.p == '\n' || *s.p == '\r')
			continue;
		cr = memchr(s.p, '\r', s.n);
		line = (struct span){s.p, cr == NULL ? s.n :
			(size_t)(cr - s.p)};
		if (*s.p == ' ' || *s.p == '\t' || !is_field(line))
			continue;
		colon = memchr(line.p, ':', line.n);
		name = (struct span){line.p, (size_t)(colon - line.p)};
		mime_head_field(w->m, w->part, name, (struct span){colon + 1,
			line.n - name.n - 1});
	}
}

/* The field that began at w->field ends before end. */
static void
end_field(struct walk *w, size_t end)
{
	struct span s, name;
	const char *colon;

	if (w->field == MIME_NONE)
		return;
	s = slice(w, w->field, end);
	w->field = MIME_NONE;
	colon = memchr(s.p, ':', s.n);
	if (colon == NULL)
		return;
	name = (struct span){s.p, (size_t)(colon - s.p)};
	mime_head_field(w->m, w->part, name,
		(struct span){colon + 1, s.n - name.n - 1});
	take_behind_cr(w, s);
}

/*
 * A line that is no field ends the header for some readers and is passed
 * over by others: fields go on, and what is from there on is text as well.
 */
static void
header_line(struct walk *w, struct span line, size_t at)
{
	bool folded = line.p[0] == ' ' || line.p[0] == '\t';

	if (folded && w->field != MIME_NONE && span_trim(line).n > 0)
		return;
	end_field(w, at);
	if (is_field(line))
		w->field = at;
	if (!folded && w->field != MIME_NONE)
		return;
	/* what goes on, and nothing did begin, is a field to some */
	mime_defect(w->m, DEFECT_HEADER_WITHOUT_COLON);
	if (w->bad == MIME_NONE)
		w->bad = at;
}

static void
begin_header(struct walk *w, size_t parent, size_t at)
{
	w->part = new_part(w->m, parent);
	w->header = true;
	w->header_at = at;
	w->field = w->bad = MIME_NONE;
}

static void
end_header(struct walk *w, size_t end)
{
	end_field(w, end);
	if (w->bad != MIME_NONE)
		keep_loose(w, w->part, w->bad, end,
		           DEFECT_HEADER_WITHOUT_COLON, true);
	w->header = false;
	if (!mime_ok(w->m))
		return;
	w->m->parts[w->part].header = slice(w, w->header_at, end);
	mime_head_end(w->m, w->part);
}

/* Is it said to be encoded, and not known to be? */
static bool
is_in_doubt(const struct walk *w, size_t part)
{
	return w->m->parts[part].container &&
		!(w->decoded && part == w->root);
}

/*
 * What follows the header, from at on, is parts or bytes. What should be
 * encoded parts may be parts all the same, which many readers show.
 */
static void
begin_body(struct walk *w, size_t at)
{
	struct mime_part *p = &w->m->parts[w->part];
	bool doubt = is_in_doubt(w, w->part);
	struct span rest = slice(w, at, w->doc.n);

	p->bytes = slice(w, at, at);
	if (p->boundaries != NULL && p->multipart) {
		push(w, w->part, at);
	} else if (p->message && (!doubt || is_field(span_line(&rest)))) {
		p->plain = p->plain || doubt;
		begin_header(w, w->part, at);
	}
}

/* ---- ends ---- */

static void
end_part(struct walk *w, size_t part, size_t end)
{
	struct mime_part *p = &w->m->parts[part];
	size_t begin;

	if (p->bytes.p == NULL) {
		p->bytes = slice(w, end, end);
		return;
	}
	begin = (size_t)(p->bytes.p - w->doc.p);
	p->bytes = slice(w, begin, end);
}

/* The levels above n are over. */
static void
pop(struct walk *w, size_t n, size_t end)
{
	struct level *l;

	while (w->n_levels > n) {
		l = &w->levels[--w->n_levels];
		if (l->any || !is_in_doubt(w, l->part)) {
			if (!l->closed)
				mime_defect(w->m, DEFECT_UNTERMINATED);
			end_loose(w, l, end);
		}
		end_part(w, l->part, end);
		w->part = l->part;
	}
}

/* All that is open below `last` ends. */
static void
end_parts(struct walk *w, size_t last, size_t n_levels, size_t end)
{
	if (w->header)
		end_header(w, end);
	if (!mime_ok(w->m))
		return;
	while (w->part != last) {
		size_t part = w->part;

		if (w->n_levels > n_levels &&
		    w->levels[w->n_levels - 1].part == part) {
			pop(w, w->n_levels - 1, end);
		} else if (part != w->spanning) {
			end_part(w, part, end);
		}
		w->part = w->m->parts[part].parent;
	}
}

/* A boundary that nobody doubts ends what a false one left open, too. */
static void
end_spanning(struct walk *w, size_t level, size_t end)
{
	if (w->spanning == MIME_NONE || level > w->span_level)
		return;
	end_part(w, w->spanning, end);
	w->spanning = MIME_NONE;
}

/* Without the line end, which is the boundary's (RFC 2046 5.1.1). */
static size_t
before_line(const struct walk *w, size_t at)
{
	if (at > 0 && w->doc.p[at - 1] == '\n')
		at--;
	if (at > 0 && w->doc.p[at - 1] == '\r')
		at--;
	return at;
}

static void
at_boundary(struct walk *w, const struct match *found, size_t at, size_t next)
{
	struct level *l = &w->levels[found->level];
	size_t end = before_line(w, at);
	bool leaf = !w->header && w->part != l->part &&
		w->m->parts[w->part].parent == l->part;

	if (!found->exact) {
		mime_defect(w->m, DEFECT_FALSE_BOUNDARY);
		if (leaf && w->spanning == MIME_NONE) {
			w->spanning = w->part;
			w->span_level = found->level;
		}
	} else {
		end_spanning(w, found->level, end);
	}
	if (w->header) /* what is behind the last field is nothing */
		end = at;
	end_parts(w, l->part, found->level + 1, end);
	if (!mime_ok(w->m))
		return;
	if (w->n_levels > found->level + 1)
		pop(w, found->level + 1, end);
	w->part = l->part;
	l->any = true;
	if (is_in_doubt(w, l->part))
		w->m->parts[l->part].plain = true;
	if (found->mark == MARK_CLOSE && l->closed && l->begin != MIME_NONE)
		return; /* said before */
	end_loose(w, l, end);
	if (found->mark == MARK_CLOSE) {
		l->closed = true;
		l->begin = next;
		return;
	}
	if (l->closed)
		mime_defect(w->m, DEFECT_PART_AFTER_END);
	l->begin = MIME_NONE;
	begin_header(w, l->part, next);
}

/* ---- lines ---- */

static size_t
next_line(const struct walk *w, size_t at)
{
	const char *end = memchr(w->doc.p + at, '\n', w->doc.n - at);

	return end == NULL ? w->doc.n : (size_t)(end + 1 - w->doc.p);
}

static void
at_line(struct walk *w, size_t at, size_t next)
{
	size_t end = next;
	struct match found;
	struct span line;

	if (end > at && w->doc.p[end - 1] == '\n')
		end--;
	if (end > at && w->doc.p[end - 1] == '\r')
		end--;
	line = slice(w, at, end);
	found = find_boundary(w, line);
	if (found.mark != MARK_NONE) {
		at_boundary(w, &found, at, next);
	} else if (w->header && line.n > 0) {
		header_line(w, line, at);
	} else if (w->header) {
		end_header(w, at);
		if (mime_ok(w->m))
			begin_body(w, next);
	}
}

/* The parts in doc, which is what the part root holds. */
static void
walk(struct mime *m, size_t root, struct span doc, bool decoded)
{
	struct walk w = {
		.m = m, .doc = doc, .root = root, .part = root,
		.decoded = decoded,
		.spanning = MIME_NONE, .field = MIME_NONE, .bad = MIME_NONE,
	};
	size_t at, next;

	begin_body(&w, 0);
	for (at = 0; at < doc.n && mime_ok(m); at = next) {
		next = next_line(&w, at);
		if (w.header || w.n_levels > 0)
			at_line(&w, at, next);
		else
			break; /* nothing can end this part but the end */
	}
	if (!mime_ok(m))
		return;
	end_spanning(&w, 0, doc.n);
	end_parts(&w, root, 0, doc.n);
	if (!mime_ok(m))
		return;
	pop(&w, 0, doc.n);
	end_part(&w, root, doc.n);
}

/* ---- encoded containers ---- */

/* So much tells what is in it. */
#define CONTENT_BEGIN 256

static enum mime_encoding
encoding_of(const struct mime_part *p)
{
	enum mime_encoding e = ENCODING_BASE64;

	if (p->encodings & ENCODINGS_DECODED)
		return p->encodings & e ? e : ENCODING_QP;
	return ENCODING_8BIT;
}

/* Does it begin with a field? */
static bool
is_message(struct span s)
{
	return is_field(span_line(&s));
}

/*
 * The message that one in an S/MIME signature is, which readers show like
 * any other, or a file *.eml; if it is one.
 */
static void
open_message(struct mime *m, size_t i)
{
	enum mime_encoding e = encoding_of(&m->parts[i]);
	struct span begin = mime_begin(m, i, e, CONTENT_BEGIN), bytes, s;

	m->parts[i].container = false;
	if (m->parts[i].signature ? !mime_cms_is_signed(begin) :
	    !is_message(begin))
		return;
	s = bytes = mime_decode(m, e, m->parts[i].bytes);
	if (m->parts[i].signature && mime_ok(m))
		s = mime_cms_content(m, bytes);
	if (!mime_ok(m) || s.p == NULL || !is_message(s))
		return;
	m->parts[i].container = m->parts[i].message = true;
	m->parts[i].encoded = m->parts[i].bytes;
	m->parts[i].encodings = ENCODING_8BIT;
	walk(m, i, s, true);
	m->parts[i].bytes = bytes;
}

/* Does it hold what it should? */
static bool
has_parts(struct mime *m, const struct mime_part *p, struct span bytes)
{
	const struct mime_list *b = p->boundaries;
	struct span line;

	for (; p->multipart && b != NULL; b = b->next) {
		line = arena_printf(m->arena, "--%.*s", SPAN_ARG(b->text));
		m->no_memory = m->no_memory || line.p == NULL;
		if (line.p != NULL && bytes.n > 0 && memmem(bytes.p, bytes.n,
		    line.p, line.n) != NULL)
			return true;
	}
	return !p->multipart && is_message(bytes);
}

static void
open_container(struct mime *m, size_t i)
{
	struct span bytes = mime_decode(m, encoding_of(&m->parts[i]),
		m->parts[i].bytes);
	struct mime_part *p = &m->parts[i];

	if (!mime_ok(m))
		return;
	if (p->plain && !has_parts(m, p, bytes)) {
		p->container = false;
		return;
	}
	p->encoded = p->bytes;
	p->encodings = ENCODING_8BIT;
	walk(m, i, bytes, true);
}

/*
 * A multipart or message in base64 or quoted-printable is forbidden (RFC
 * 2045 6.4), and some readers open it.
 */
static void
open_containers(struct mime *m)
{
	size_t i;

	for (i = 0; i < m->n_parts && mime_ok(m); i++)
		if (m->parts[i].signature || m->parts[i].file)
			open_message(m, i);
		else if (m->parts[i].container)
			open_container(m, i);
}

struct mime *
mime_parse(struct arena *a, const struct mime_field *fields, size_t n,
           struct span body, bool utf8)
{
	struct mime *m = arena_alloc(a, sizeof(*m));
	size_t i;

	if (m == NULL)
		return NULL;
	m->arena = a;
	m->utf8 = utf8;
	new_part(m, MIME_NONE);
	for (i = 0; i < n && mime_ok(m); i++)
		mime_head_field(m, 0, fields[i].name, fields[i].value);
	if (mime_ok(m))
		mime_head_end(m, 0);
	if (!mime_ok(m))
		return m;
	walk(m, 0, body.p == NULL ? SPAN("") : body, false);
	open_containers(m);
	return m;
}
