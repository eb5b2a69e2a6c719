/*
 * mailboxes.c - RFC 5322 3.4: the addresses of From, To and the like.
 *
 * Readers of a broken field differ about whom it names, and its sender
 * writes it broken for that reason. So the field is cut here, in one pass,
 * into what should be a mailbox each, and each is read twice: here, by the
 * grammar without its obsolete forms, and by GMime, which is lenient. Where
 * both find the same address, that is it. Else all that may be one is given,
 * and a bad address with it, so that no "every" holds.
 *
 * GMime gets one mailbox at a time: of a list it takes quadratic time, and
 * of nested groups all the stack.
 */
#include <gmime/gmime.h>
#include <string.h>

#include "address.h"
#include "caps.h"
#include "encoded.h"
#include "header_text.h"

/* More commas, colons or "@" than that in one mailbox GMime does not see. */
#define MARKS_MAX 50

struct mailboxes {
	struct arena *arena;
	struct span s;         /* the field: one line, valid UTF-8 */
	struct mailbox *boxes;
	size_t n, room;
	bool full, no_memory;
	/* once one was not closed, the next ones are marks like others */
	bool open_quote, open_comment, open_angle;
	bool in_group, groups;
};

/* What stands between two commas. */
struct piece {
	size_t start;
	size_t at_signs;       /* outside of quotes, comments and brackets */
	size_t angle, angle_end; /* the places of "<" and behind ">" */
	size_t angles;
	bool junk;             /* a mark where none may be */
};

/* ---- the list of mailboxes ---- */

static bool
grow(struct mailboxes *m)
{
	size_t room = m->room == 0 ? 4 : 2 * m->room;
	struct mailbox *boxes = arena_alloc(m->arena, room * sizeof(*boxes));

	if (boxes == NULL)
		return false;
	if (m->n > 0)
		memcpy(boxes, m->boxes, m->n * sizeof(*boxes));
	m->boxes = boxes;
	m->room = room;
	return true;
}

static void
add(struct mailboxes *m, const struct value *address, struct span name)
{
	if (m->n == CAPS_FIELD_WORDS) {
		m->full = true;
	} else if (m->n < m->room || grow(m)) {
		m->boxes[m->n].address = *address;
		m->boxes[m->n++].name = name;
	} else {
		m->no_memory = true;
	}
}

static void
add_bad(struct mailboxes *m, struct span text)
{
	struct value v = {.type = VALUE_ADDRESS, .bad = true};

	v.text = arena_copy(m->arena, text);
	if (v.text.p == NULL)
		m->no_memory = true;
	else
		add(m, &v, (struct span){NULL, 0});
}

/*
 * An address for sure: local@domain and no more. Encoded words have no place
 * in one (RFC 2047 5); a reader that decodes them would see another.
 */
static bool
read_address(struct mailboxes *m, struct span text, struct value *v)
{
	size_t i;

	v->bad = true;
	if (text.n == 0 || text.n > CAPS_ADDRESS || text.p[0] == '<' ||
	    text.p[0] == '@')
		return false;
	for (i = 0; i + 1 < text.n; i++)
		if (text.p[i] == '=' && text.p[i + 1] == '?')
			return false;
	if (!address_path(m->arena, text, v)) {
		m->no_memory = true;
		return false;
	}
	return !v->bad && v->domain.p != NULL;
}

static bool
has(const struct mailboxes *m, size_t from, struct span address)
{
	for (; from < m->n; from++)
		if (!m->boxes[from].address.bad &&
		    span_is(m->boxes[from].address.text, address))
			return true;
	return false;
}

/* ---- the marks ---- */

static bool
blank(char c)
{
	return c == ' ' || c == '\t';
}

size_t
address_quoted_end(struct span s, size_t at)
{
	for (at++; at < s.n; at++) {
		if (s.p[at] == '"')
			return at + 1;
		if (s.p[at] == '\\')
			at++;
	}
	return 0;
}

size_t
address_comment_end(struct span s, size_t at)
{
	size_t depth = 1;

	for (at++; at < s.n; at++) {
		if (s.p[at] == '(')
			depth++;
		else if (s.p[at] == ')' && --depth == 0)
			return at + 1;
		else if (s.p[at] == '\\')
			at++;
	}
	return 0;
}

/* "[IPv6:2001:db8::1]" holds colons that begin no group. */
static size_t
literal_end(struct span s, size_t at)
{
	for (at++; at < s.n; at++) {
		char c = s.p[at];

		if (c == ']')
			return at + 1;
		if (c != ':' && c != '.' && !g_ascii_isalnum(c))
			return 0;
	}
	return 0;
}

/* Blanks and comments at the begin left out, in a text where all closes. */
static struct span
skip_cfws(struct span s)
{
	size_t i = 0;

	while (i < s.n && (blank(s.p[i]) || s.p[i] == '('))
		i = s.p[i] == '(' ? address_comment_end(s, i) : i + 1;
	return (struct span){s.p + i, s.n - i};
}

/*
 * The same for the field: where one is not closed, the time to see that is
 * spent once.
 */
static size_t
end_of_quoted(struct mailboxes *m, size_t at)
{
	size_t end = m->open_quote ? 0 : address_quoted_end(m->s, at);

	m->open_quote |= end == 0;
	return end;
}

static size_t
end_of_comment(struct mailboxes *m, size_t at)
{
	size_t end = m->open_comment ? 0 : address_comment_end(m->s, at);

	m->open_comment |= end == 0;
	return end;
}

/* "<" up to ">", no other "<" between. */
static size_t
end_of_angle(struct mailboxes *m, size_t at)
{
	size_t end;

	if (m->open_angle)
		return 0;
	for (at++; at < m->s.n; at = end) {
		if (m->s.p[at] == '<')
			return 0;
		if (m->s.p[at] == '>')
			return at + 1;
		end = m->s.p[at] == '"' ? end_of_quoted(m, at) : 0;
		if (end == 0)
			end = at + 1;
	}
	m->open_angle = true;
	return 0;
}

/* ---- what a broken piece may mean ---- */

static bool
ends_candidate(char c)
{
	return blank(c) || strchr(",;:<>()\"", c) != NULL;
}

/*
 * Each run of characters that reads as an address. false: there is an "@"
 * that belongs to none.
 */
static bool
add_candidates(struct mailboxes *m, size_t from, struct span s)
{
	size_t i = 0, n;
	bool all = true;
	struct value v;

	for (; i < s.n && !m->full && !m->no_memory; i += n + 1) {
		struct span run = {s.p + i, 0};

		for (n = 0; i + n < s.n && !ends_candidate(s.p[i + n]); n++)
			;
		run.n = n;
		if (memchr(run.p, '@', n) == NULL)
			continue;
		if (!read_address(m, run, &v))
			all = false;
		else if (m->n - from > MARKS_MAX || !has(m, from, v.text))
			add(m, &v, (struct span){NULL, 0});
	}
	return all;
}

/*
 * The text without its comments and the blanks at them, as a reader sees
 * "boss(hello) @example.org". p NULL: no memory.
 */
static struct span
without_comments(struct mailboxes *m, struct span s)
{
	char *out = arena_alloc(m->arena, s.n + 1);
	size_t i = 0, n = 0, end = 1;

	m->no_memory |= out == NULL;
	while (out != NULL && i < s.n) {
		if (s.p[i] == '(' && end != 0) { /* one that is open is the last */
			end = address_comment_end(s, i);
			while (end != 0 && n > 0 && blank(out[n - 1]))
				n--;
			i = end != 0 ? end : i;
			while (end != 0 && i < s.n && blank(s.p[i]))
				i++;
			continue;
		}
		out[n++] = s.p[i++];
	}
	return (struct span){out, n};
}

static void
add_broken(struct mailboxes *m, size_t from, struct span text)
{
	struct span seen;

	add_candidates(m, from, text);
	if (text.n > 0 && memchr(text.p, '(', text.n) != NULL) {
		seen = without_comments(m, text);
		if (seen.p != NULL)
			add_candidates(m, from, seen);
	}
	add_bad(m, text);
}

/* ---- what GMime sees ---- */

/* Is each address of list among the boxes, and is there one? */
static bool
all_among(struct mailboxes *m, size_t from, InternetAddressList *list)
{
	int i, n = internet_address_list_length(list);
	struct value v;

	for (i = 0; i < n; i++) {
		InternetAddress *one = internet_address_list_get_address(list, i);

		if (!INTERNET_ADDRESS_IS_MAILBOX(one) ||
		    !read_address(m, span_of(internet_address_mailbox_get_addr(
		                      INTERNET_ADDRESS_MAILBOX(one))), &v) ||
		    !has(m, from, v.text))
			return false;
	}
	return n > 0;
}

/*
 * Encoded words are hidden from it: names are decoded by header_decode, and
 * GMime keeps each charset's name.
 */
static bool
gmime_agrees(struct mailboxes *m, size_t from, struct span text)
{
	struct span copy = arena_copy(m->arena, text);
	char *p = (char *)(size_t)copy.p; /* the copy is ours */
	InternetAddressList *list;
	size_t i, marks = 0;
	bool agrees;

	if (p == NULL) {
		m->no_memory = true;
		return true;
	}
	for (i = 0; i < text.n; i++) {
		marks += p[i] == ',' || p[i] == ':';
		if (p[i] == '=' && p[i + 1] == '?')
			p[i + 1] = '_';
	}
	if (marks > MARKS_MAX)
		return false;
	list = internet_address_list_parse(NULL, p);
	if (list == NULL)
		return false;
	agrees = all_among(m, from, list);
	g_object_unref(list);
	return agrees;
}

/* ---- names ---- */

/*
 * A phrase without its quotes and comments, then decoded: what is in an
 * encoded word has no say in the structure. p NULL: empty.
 */
static struct span
read_name(struct mailboxes *m, struct span s)
{
	char *out = arena_alloc(m->arena, s.n + 1);
	bool quoted = false;
	size_t i, n = 0;
	struct span name;

	if (out == NULL) {
		m->no_memory = true;
		return (struct span){NULL, 0};
	}
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '"') {
			quoted = !quoted;
		} else if (s.p[i] == '(' && !quoted) {
			i = address_comment_end(s, i) - 1;
		} else {
			if (quoted && s.p[i] == '\\')
				i++;
			out[n++] = s.p[i];
		}
	}
	name = header_decode(m->arena, (struct span){out, n});
	m->no_memory |= name.p == NULL;
	return name.n == 0 ? (struct span){NULL, 0} : name;
}

/* ---- pieces ---- */

/* [ phrase ] "<" address ">" */
static bool
read_angle(struct mailboxes *m, size_t from, const struct piece *p, size_t end)
{
	struct span phrase = {m->s.p + p->start, p->angle - p->start};
	struct span rest = {m->s.p + p->angle_end, end - p->angle_end};
	struct span path = {m->s.p + p->angle + 1, p->angle_end - p->angle - 2};
	struct value v;

	if (skip_cfws(rest).n > 0 || p->at_signs > MARKS_MAX ||
	    !read_address(m, span_trim(path), &v))
		return false;
	add(m, &v, read_name(m, phrase));
	/* "a@x <b@y>": some show the one, some the other */
	return p->at_signs == 0 || add_candidates(m, from, phrase);
}

/* address [ "(" name ")" ], as it was written before RFC 822 */
static bool
read_plain(struct mailboxes *m, struct span text)
{
	struct span s = skip_cfws(text), comment, rest;
	struct value v;
	size_t n = 0;

	while (n < s.n && !blank(s.p[n]) && s.p[n] != '(')
		n = s.p[n] == '"' ? address_quoted_end(s, n) : n + 1;
	rest = skip_cfws((struct span){s.p + n, s.n - n});
	if (rest.n > 0 || !read_address(m, (struct span){s.p, n}, &v))
		return false;
	comment = span_trim((struct span){s.p + n, s.n - n});
	if (comment.n > 0 && address_comment_end(comment, 0) == comment.n) {
		comment.p++;
		comment.n -= 2;
		comment = header_decode(m->arena, comment);
		m->no_memory |= comment.p == NULL;
	} else {
		comment = (struct span){NULL, 0};
	}
	add(m, &v, comment.n == 0 ? (struct span){NULL, 0} : comment);
	return true;
}

static void
end_piece(struct mailboxes *m, const struct piece *p, size_t end)
{
	struct span text = {m->s.p + p->start, end - p->start};
	size_t from = m->n;
	bool good;

	if (!p->junk && skip_cfws(text).n == 0)
		return; /* nothing between two commas (RFC 5322 4.4) */
	text = span_trim(text);
	if (p->junk || p->angles > 1)
		good = false;
	else if (p->angles == 1)
		good = read_angle(m, from, p, end);
	else
		good = read_plain(m, text);
	if (!good || !gmime_agrees(m, from, text))
		add_broken(m, from, text);
}

/* phrase ":" */
static void
end_group_name(struct mailboxes *m, const struct piece *p, size_t end)
{
	struct span text = {m->s.p + p->start, end - p->start};

	if (m->in_group || p->junk || p->at_signs > 0 || p->angles > 0 ||
	    skip_cfws(text).n == 0)
		add_broken(m, m->n, span_trim((struct span){text.p, text.n + 1}));
	m->in_group = m->groups = true;
}

/* Behind what stands at at. */
static size_t
read_mark(struct mailboxes *m, struct piece *p, size_t at)
{
	size_t end = 0;

	switch (m->s.p[at]) {
	case '"':
		end = end_of_quoted(m, at);
		break;
	case '(':
		end = end_of_comment(m, at);
		break;
	case '<':
		end = end_of_angle(m, at);
		if (end == 0)
			break;
		p->angle = at;
		p->angle_end = end;
		p->angles++;
		break;
	case '[':
		if (at > p->start && m->s.p[at - 1] == '@')
			end = literal_end(m->s, at);
		break;
	case '@':
		p->at_signs++;
		return at + 1;
	case '>': case ')': case ']': case '\\':
		break;
	default:
		return at + 1;
	}
	p->junk |= end == 0;
	return end == 0 ? at + 1 : end;
}

static void
read_pieces(struct mailboxes *m)
{
	struct piece p = {.start = 0};
	size_t at = 0;

	while (at < m->s.n && !m->full && !m->no_memory) {
		char c = m->s.p[at];

		if (c != ',' && c != ';' && c != ':') {
			at = read_mark(m, &p, at);
			continue;
		}
		if (c == ':')
			end_group_name(m, &p, at);
		else
			end_piece(m, &p, at);
		if (c == ';')
			m->in_group = false;
		p = (struct piece){.start = ++at};
	}
	if (!m->full && !m->no_memory)
		end_piece(m, &p, m->s.n);
}

bool
address_field(struct arena *a, struct span value, struct mailbox **boxes,
              size_t *n, bool *full)
{
	struct mailboxes m = {.arena = a, .s = header_unfold(a, value)};

	*boxes = NULL;
	*n = 0;
	*full = false;
	if (m.s.p == NULL)
		return false;
	encoded_init();
	read_pieces(&m);
	if (m.n == 0 && !m.groups && m.s.n > 0 && !m.full && !m.no_memory)
		add_bad(&m, m.s);
	*full = m.full;
	*boxes = m.boxes;
	*n = m.n;
	return !m.full && !m.no_memory;
}
