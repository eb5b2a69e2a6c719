#include <string.h>

#include "charset.h"
#include "markup.h"
#include "transfer.h"
#include "write.h"

#define LINE_MAX_BYTES 998 /* RFC 5322 2.1.1 */
#define QUOTED_PRINTABLE "quoted-printable"

struct writer {
	struct edit *e;
	const struct own_part *own;
	const struct mime_part *part;
	enum write_where where;
	struct span charset;
	enum mime_encoding encoding;
	bool flowed;          /* RFC 3676 */
	struct span decoded;  /* what the part holds, in its charset */
	const char *newline;  /* as its lines end */
	GString *text;        /* what is written, in its charset */
	const char *why;
};

static struct span
span_of_string(const GString *s)
{
	return (struct span){s->str, s->len};
}

/* ---- what the part is ---- */

static bool
is_flowed(const struct writer *w)
{
	struct span head, value = edit_field(w->e, w->own->part,
	                                     SPAN("content-type"));
	const struct mime_param *q;

	if (value.p == NULL || w->own->html)
		return false;
	for (q = mime_params(w->e->mime, value, &head); q != NULL;
	     q = q->next)
		if (span_is(q->name, SPAN("format")))
			return span_is_nocase(q->value, SPAN("flowed"));
	return false;
}

/* NULL, or why nothing can be written into this part. */
static const char *
obstacle(struct writer *w)
{
	const struct mime_part *p = w->part;
	struct span head = p->header;
	bool bad = false;

	if (head.p != NULL && head.p + head.n == p->bytes.p)
		return "it is a header without a body";
	if (w->where == WRITE_REPLACE)
		return NULL; /* whatever it was, it is told anew */
	if (p->encodings & ENCODING_UNKNOWN)
		return "nobody knows its transfer encoding";
	if (w->encoding == ENCODING_BASE64)
		transfer_base64_size(p->bytes, &bad);
	return bad ? "its base64 is broken" : NULL;
}

static bool
read_part(struct writer *w)
{
	struct mime_part *p = &w->e->mime->parts[w->own->part];

	w->part = p;
	w->charset = p->charsets == NULL ? SPAN("") : p->charsets->text;
	w->encoding = p->encodings & ENCODING_UNKNOWN ? ENCODING_UNKNOWN :
		ENCODING_7BIT; /* what it may mean is no matter here */
	while (!(p->encodings & w->encoding))
		w->encoding <<= 1;
	w->why = obstacle(w);
	if (w->why != NULL)
		return true;
	if (w->charset.n > 0 && charset_known(w->charset) == TRUTH_FAILED)
		return false;
	w->flowed = is_flowed(w);
	w->e->mime->decoded = 0; /* own_find had its share */
	w->decoded = mime_decode(w->e->mime, w->encoding, p->bytes);
	if (w->decoded.p == NULL) {
		w->why = w->e->mime->full;
		return w->why != NULL;
	}
	w->newline = w->encoding == ENCODING_BASE64 && w->decoded.n > 0 &&
		memchr(w->decoded.p, '\n', w->decoded.n) != NULL &&
		memmem(w->decoded.p, w->decoded.n, "\r\n", 2) == NULL ?
		"\n" : "\r\n";
	return true;
}

/* ---- where it goes ---- */

/* A copy of ISO-2022 text, in which what is no ASCII can't be taken for it. */
static struct span
without_shifts(struct arena *a, struct span text)
{
	struct span copy = arena_copy(a, text);
	char *p = (char *)(size_t)copy.p; /* the copy is ours */
	bool shifted = false;
	size_t i;

	for (i = 0; p != NULL && i < text.n; i++) {
		if (text.p[i] == '\033' && i + 1 < text.n)
			shifted = text.p[i + 1] != '(';
		else if (text.p[i] == '\016')
			shifted = true;
		else if (text.p[i] == '\017' || text.p[i] == '\n')
			shifted = false;
		if (shifted)
			p[i] = 'x';
	}
	return copy;
}

/* Does it depend on what is before a byte whether it is ASCII? */
static bool
is_shifting(const struct writer *w)
{
	return w->charset.n > 8 && span_is_nocase(
		(struct span){w->charset.p, 8}, SPAN("iso-2022"));
}

static size_t
place(const struct writer *w, struct span old)
{
	bool utf8 = span_is_nocase(w->charset, SPAN("utf-8"));

	if (w->own->html && is_shifting(w)) {
		old = without_shifts(w->e->arena, old);
		if (old.p == NULL)
			return 0;
	}
	if (w->where == WRITE_PREPEND && w->own->html)
		return markup_begin(old);
	if (w->where == WRITE_PREPEND)
		return utf8 && old.n >= 3 &&
			memcmp(old.p, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	return w->own->html ? markup_end(old) : old.n;
}

/* ---- what is written ---- */

/* RFC 3676 4.1, 4.2 and 4.4: our lines are fixed, and no quotes. */
static void
add_flowed(GString *out, struct span line)
{
	bool stuffed = line.n > 0 && (line.p[0] == ' ' || line.p[0] == '>');

	if (line.n >= 5 && memcmp(line.p, "From ", 5) == 0)
		stuffed = true;
	if (stuffed)
		g_string_append_c(out, ' ');
	if (!span_is(line, SPAN("-- ")))
		while (line.n > 0 && line.p[line.n - 1] == ' ')
			line.n--;
	g_string_append_len(out, line.p, (gssize)line.n);
}

/* The line at *rest, without its end, and what follows; *ended: it has one. */
static struct span
take_line(struct span *rest, bool *ended)
{
	struct span line = span_line(rest);

	*ended = rest->p > line.p + line.n;
	line.n -= line.n > 0 && line.p[line.n - 1] == '\r';
	return line;
}

/* With the line ends that the part has. */
static void
add_lines(const struct writer *w, GString *out, struct span text,
          const char *newline)
{
	struct span line;
	bool ended;

	while (text.n > 0) {
		line = take_line(&text, &ended);
		if (w->flowed)
			add_flowed(out, line);
		else
			g_string_append_len(out, line.p, (gssize)line.n);
		if (ended)
			g_string_append(out, newline);
	}
}

static bool
ends_line(struct span s)
{
	return s.n > 0 && s.p[s.n - 1] == '\n';
}

/* A line that goes on in the next, which must not be ours. */
static bool
flows_on(const struct writer *w, struct span old)
{
	size_t n = old.n;

	if (!w->flowed)
		return false;
	n -= n > 0 && old.p[n - 1] == '\n';
	n -= n > 0 && old.p[n - 1] == '\r';
	if (n == 0 || old.p[n - 1] != ' ')
		return false;
	return n < 3 || memcmp(old.p + n - 3, "-- ", 3) != 0 ||
		(n > 3 && old.p[n - 4] != '\n');
}

/* What goes in at `at`: the text, in lines of its own. */
static void
add_insertion(const struct writer *w, GString *out, struct span old,
              size_t at, struct span text, const char *newline)
{
	struct span before = {old.p, at};
	bool last = at == old.n, root = w->own->part == 0;
	bool more = !last && old.p[at] != '\r' && old.p[at] != '\n';

	if (at > 0 && !ends_line(before) &&
	    (w->own->html || w->where == WRITE_APPEND))
		g_string_append(out, newline);
	if (w->where == WRITE_APPEND && flows_on(w, before))
		g_string_append(out, newline);
	add_lines(w, out, text, newline);
	if (text.n > 0 && !ends_line(text) &&
	    (more || (!last && !w->own->html) ||
	     (last && (old.n == 0 ? root : ends_line(old)))))
		g_string_append(out, newline);
}

/* ---- charsets ---- */

/* HTML in any charset: a reference for what it lacks. */
static void
add_referenced(const struct writer *w, GString *out, struct span text)
{
	size_t i, n;
	gunichar c;

	for (i = 0; i < text.n; i += n) {
		n = 1;
		if (text.p[i] > 0) {
			g_string_append_c(out, text.p[i]);
			continue;
		}
		c = g_utf8_get_char(text.p + i);
		n = (size_t)(g_utf8_next_char(text.p + i) - (text.p + i));
		if (!charset_from_utf8(out, w->charset,
		    (struct span){text.p + i, n}))
			g_string_append_printf(out, "&#%u;", (unsigned)c);
	}
}

/* What nobody knows the charset of may still have characters of two bytes. */
static bool
is_wide(const struct writer *w)
{
	return w->charset.n > 0 && charset_known(w->charset) == TRUTH_NO &&
		w->decoded.n > 0 &&
		memchr(w->decoded.p, '\0', w->decoded.n) != NULL;
}

/* Can the part's charset carry it? Then it is appended to out. */
static bool
in_charset(const struct writer *w, GString *out, struct span text)
{
	if (is_wide(w) || !charset_has_ascii(w->charset))
		return false;
	if (charset_from_utf8(out, w->charset, text))
		return true;
	if (w->own->html)
		add_referenced(w, out, text);
	return w->own->html;
}

/* Is it read behind what stands there as it is alone? That may be shifted. */
static bool
is_read_so(const struct writer *w, struct span before)
{
	GString *both, *read, *alone;
	bool same;

	if (!is_shifting(w))
		return true;
	both = g_string_new_len(before.p, (gssize)before.n);
	g_string_append_len(both, w->text->str, (gssize)w->text->len);
	read = g_string_new(NULL);
	alone = g_string_new(NULL);
	same = charset_to_utf8(read, w->charset, span_of_string(both)) &&
		charset_to_utf8(alone, w->charset, span_of_string(w->text)) &&
		read->len >= alone->len && memcmp(read->str + read->len -
		alone->len, alone->str, alone->len) == 0;
	g_string_free(both, TRUE);
	g_string_free(read, TRUE);
	g_string_free(alone, TRUE);
	return same;
}

/* ---- as it is transferred ---- */

static bool
is_boundary(const struct mime *m, struct span line)
{
	const struct mime_list *b;
	size_t i;

	if (line.n < 2 || line.p[0] != '-' || line.p[1] != '-')
		return false;
	for (i = 0; i < m->n_parts; i++)
		for (b = m->parts[i].boundaries; b != NULL; b = b->next)
			if (line.n >= b->text.n + 2 &&
			    (b->text.n == 0 || memcmp(line.p + 2, b->text.p,
			                              b->text.n) == 0))
				return true;
	return false;
}

/* May it stand in a part of that encoding as it is? */
static bool
is_fit(const struct writer *w, struct span text)
{
	struct span line;
	bool ended;
	size_t i;

	for (i = 0; i < text.n; i++)
		if ((text.p[i] < 0 && w->encoding != ENCODING_8BIT) ||
		    text.p[i] == '\0')
			return false;
	while (text.n > 0) {
		line = take_line(&text, &ended);
		if (line.n > LINE_MAX_BYTES || is_boundary(w->e->mime, line))
			return false;
	}
	return true;
}

/*
 * Puts bytes into the body, in place of some of the part's. The end of the
 * last line is the boundary's; without one there is none yet.
 */
static bool
put(const struct writer *w, struct span old, GString *bytes)
{
	struct span end = w->part->bytes, behind;

	end = (struct span){end.p + end.n, 0};
	behind = edit_from(w->e, end);
	if (old.p + old.n == end.p && bytes->len > 0 && behind.n > 0 &&
	    behind.p[0] == '-' && !ends_line(span_of_string(bytes)))
		g_string_append(bytes, "\r\n");
	return edit_replace(w->e, old,
		arena_copy(w->e->arena, span_of_string(bytes)));
}

/* Is no soft line end needed behind this, before that? */
static bool
is_end_of(char before, struct span text)
{
	if (before == '\n')
		return true;
	return before != ' ' && before != '\t' && text.n > 0 &&
		(text.p[0] == '\n' || text.p[0] == '\r');
}

/* Between lines of quoted-printable. */
static bool
put_quoted(const struct writer *w, size_t at, struct span text)
{
	struct span raw = w->part->bytes;
	size_t place_at = transfer_qp_place(raw, at);
	struct span rest = {raw.p + place_at, raw.n - place_at};
	GString *out = g_string_new(NULL);
	bool done;

	if (place_at > 0 && !is_end_of(raw.p[place_at - 1], text))
		g_string_append(out, "=\r\n");
	transfer_write_qp(out, text);
	if (!ends_line(text) && rest.n > 0 && rest.p[0] != '\r' &&
	    rest.p[0] != '\n')
		g_string_append(out, "=\r\n");
	done = put(w, (struct span){rest.p, 0}, out);
	g_string_free(out, TRUE);
	return done;
}

/* All that the part holds by now, in a transfer encoding. */
static bool
put_encoded(const struct writer *w, struct span bytes, bool base64)
{
	GString *out = g_string_new(NULL);
	bool done;

	if (base64)
		transfer_write_base64(out, bytes);
	else
		transfer_write_qp(out, bytes);
	if (out->len > 0 && !ends_line(span_of_string(out)) &&
	    (w->own->part == 0 || (base64 && ends_line(w->part->bytes))))
		g_string_append(out, "\r\n");
	done = put(w, w->part->bytes, out);
	g_string_free(out, TRUE);
	return done;
}

/* ---- fields ---- */

/* The value of the parameter in a Content-Type, quotes and all. */
static bool
find_param(struct span value, struct span name, struct span *found)
{
	size_t i = 0, from, depth = 0;
	bool in_name = false, quoted = false;

	for (from = 0; i < value.n; i++) {
		char c = value.p[i];

		if (quoted) {
			i += c == '\\';
			quoted = c != '"';
		} else if (c == '"') {
			quoted = true;
		} else if (c == '(' || (c == ')' && depth > 0)) {
			depth = c == '(' ? depth + 1 : depth - 1;
		} else if (depth == 0 && c == ';') {
			from = i + 1;
			in_name = true;
		} else if (depth == 0 && c == '=' && in_name) {
			in_name = false;
			if (span_is_nocase(span_trim((struct span){
			    value.p + from, i - from}), name)) {
				found->p = value.p + i + 1;
				found->n = value.n - i - 1;
				return true;
			}
		}
	}
	return false;
}

/* A token or a quoted string, of which s begins; comments end it. */
static struct span
first_word(struct span s)
{
	size_t i;

	for (i = 0; i < s.n && (s.p[i] == ' ' || s.p[i] == '\t' ||
	                        s.p[i] == '\r' || s.p[i] == '\n'); i++)
		;
	s = (struct span){s.p + i, s.n - i};
	if (s.n > 0 && s.p[0] == '"') {
		for (i = 1; i < s.n && s.p[i] != '"'; i++)
			i += s.p[i] == '\\';
		return (struct span){s.p, i < s.n ? i + 1 : s.n};
	}
	for (i = 0; i < s.n && strchr(" \t\r\n;(", s.p[i]) == NULL; i++)
		;
	return (struct span){s.p, i};
}

/* Whatever a reader takes for its charset. */
static bool
is_in_utf8(const struct writer *w, struct span type)
{
	struct span head;
	const struct mime_param *q;
	bool is = false;

	for (q = mime_params(w->e->mime, type, &head); q != NULL; q = q->next)
		if (span_is(q->name, SPAN("charset"))) {
			is = span_is(q->value, SPAN("utf-8"));
			if (!is)
				break;
		}
	return is;
}

/* Does it say text, and no byte in it end it for some reader? */
static bool
says_text(const struct writer *w, struct span type)
{
	struct span head;

	if (type.p == NULL || memchr(type.p, '\0', type.n) != NULL)
		return false;
	mime_params(w->e->mime, type, &head);
	return head.n > 5 && span_is_nocase((struct span){head.p, 5},
	                                    SPAN("text/"));
}

/* The type with charset UTF-8, all else as it was. */
static struct span
with_utf8(const struct writer *w, struct span type)
{
	struct span old;
	size_t n;

	if (find_param(type, SPAN("charset"), &old)) {
		old = first_word(old);
		n = (size_t)(old.p - type.p);
		return arena_printf(w->e->arena, "%.*sutf-8%.*s", (int)n,
			type.p, (int)(type.n - n - old.n), old.p + old.n);
	}
	while (type.n > 0 && strchr(" \t\r\n;", type.p[type.n - 1]))
		type.n--;
	return arena_printf(w->e->arena, "%.*s;%s charset=utf-8",
		SPAN_ARG(type), w->own->part == 0 ? "\n" : "\r\n");
}

/*
 * The Content-Type of the part in UTF-8; one of our own if the old one can't
 * be made to say so. p NULL: no memory.
 */
static struct span
type_in_utf8(const struct writer *w)
{
	struct span type = edit_field(w->e, w->own->part,
	                              SPAN("content-type"));

	if (says_text(w, type)) {
		type = with_utf8(w, type);
		if (type.p == NULL || is_in_utf8(w, type))
			return type;
	}
	return arena_printf(w->e->arena, "text/%s; charset=utf-8%s%s",
		w->own->html ? "html" : "plain",
		w->flowed ? "; format=flowed" : "",
		w->flowed && w->part->delsp ? "; delsp=yes" : "");
}

static bool
set_field(const struct writer *w, const char *name, struct span value)
{
	return edit_set_field(w->e, w->own->part, span_of(name), value);
}

static bool
set_quoted(const struct writer *w)
{
	if (w->own->part == 0 &&
	    edit_field(w->e, 0, SPAN("mime-version")).p == NULL &&
	    !set_field(w, "MIME-Version", SPAN("1.0")))
		return false;
	if (w->encoding == ENCODING_QP)
		return true;
	return set_field(w, "Content-Transfer-Encoding",
	                 SPAN(QUOTED_PRINTABLE));
}

/* ---- one way or the other ---- */

/* What the part held, or nothing, with the text in its place. */
static void
compose(GString *out, struct span old, size_t at, const GString *text)
{
	g_string_append_len(out, old.p, (gssize)at);
	g_string_append_len(out, text->str, (gssize)text->len);
	g_string_append_len(out, old.p + at, (gssize)(old.n - at));
}

/* In the part's own charset; and encoding, if it can carry it. */
static bool
write_in_charset(const struct writer *w, struct span old, size_t at)
{
	struct span text = span_of_string(w->text), raw = w->part->bytes;
	GString *all;
	bool done;

	if (w->where != WRITE_REPLACE && w->encoding == ENCODING_QP)
		return put_quoted(w, at, text);
	if (!(w->encoding & ENCODINGS_DECODED) && is_fit(w, text))
		return put(w, w->where == WRITE_REPLACE ? raw :
			(struct span){raw.p + at, 0}, w->text);
	all = g_string_new(NULL);
	compose(all, old, at, w->text);
	done = put_encoded(w, span_of_string(all),
	                   w->encoding == ENCODING_BASE64) &&
		(w->encoding & ENCODINGS_DECODED || set_quoted(w));
	g_string_free(all, TRUE);
	return done;
}

/* All of the part becomes quoted-printable in UTF-8. */
static bool
write_in_utf8(struct writer *w, struct span text)
{
	static const char lost[] = "\xef\xbf\xbd"; /* U+FFFD */
	struct span old = w->where == WRITE_REPLACE ? SPAN("") :
		w->own->text, type = type_in_utf8(w);
	GString *all, *in;
	size_t at;
	bool done;

	if (type.p == NULL)
		return false;
	if (old.n > 0 && memmem(old.p, old.n, lost, 3) != NULL)
		w->why = "not all of it is text in its charset";
	if (w->why != NULL)
		return true;
	w->charset = SPAN("utf-8");
	all = g_string_new(NULL);
	in = g_string_new(NULL);
	at = place(w, old);
	add_insertion(w, in, old, at, text, "\n");
	compose(all, old, at, in);
	done = put_encoded(w, span_of_string(all), false) && set_quoted(w) &&
		set_field(w, "Content-Type", type);
	g_string_free(all, TRUE);
	g_string_free(in, TRUE);
	return done;
}

static bool
write_out(struct writer *w, struct span text)
{
	struct span old = w->where == WRITE_REPLACE ? SPAN("") : w->decoded;
	GString *in = g_string_new(NULL);
	size_t at = place(w, old);
	bool done;

	add_insertion(w, in, old, at, text, w->newline);
	if (!(w->part->encodings & ENCODING_UNKNOWN) &&
	    in_charset(w, w->text, span_of_string(in)) &&
	    is_read_so(w, (struct span){old.p, at}))
		done = write_in_charset(w, old, at);
	else
		done = write_in_utf8(w, text);
	g_string_free(in, TRUE);
	return done;
}

bool
write_text(struct edit *e, const struct own_part *p, enum write_where where,
           struct span text, const char **why)
{
	struct writer w = {.e = e, .own = p, .where = where};
	bool done;

	w.text = g_string_new(NULL);
	done = read_part(&w) && (w.why != NULL || write_out(&w, text));
	g_string_free(w.text, TRUE);
	*why = w.why;
	return done && !arena_full(e->arena);
}
