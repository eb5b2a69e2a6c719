/* transfer_write.c - base64 and quoted-printable, made (RFC 2045 6.7, 6.8). */
#include <string.h>

#include "transfer.h"

#define LINE 76

/* ---- quoted-printable ---- */

static bool
is_line_end(struct span s, size_t i)
{
	return i == s.n || s.p[i] == '\n' ||
		(s.p[i] == '\r' && i + 1 < s.n && s.p[i + 1] == '\n');
}

/* At a line's begin: a boundary, SMTP's end, an mbox's next message. */
static bool
begins_badly(struct span s, size_t i)
{
	return span_begins(span_from(s, i), SPAN("--")) ||
		span_begins(span_from(s, i), SPAN("From ")) ||
		(s.p[i] == '.' && is_line_end(s, i + 1));
}

/* May it stand as it is? column: from 0. */
static bool
is_plain(struct span s, size_t i, size_t column)
{
	char c = s.p[i];

	if (c == ' ' || c == '\t')
		return !is_line_end(s, i + 1);
	if (column == 0 && begins_badly(s, i))
		return false;
	return c > ' ' && c < 0x7f && c != '=';
}

static void
put_hex(GString *out, char c)
{
	static const char digits[] = "0123456789ABCDEF";

	g_string_append_c(out, '=');
	g_string_append_c(out, digits[(unsigned char)c >> 4]);
	g_string_append_c(out, digits[c & 15]);
}

void
transfer_write_qp(GString *out, struct span text)
{
	size_t i, n, column = 0;

	for (i = 0; i < text.n; i++) {
		if (is_line_end(text, i)) {
			i += text.p[i] == '\r';
			g_string_append(out, "\r\n");
			column = 0;
			continue;
		}
		n = is_plain(text, i, column) ? 1 : 3;
		/* room for a "=", unless the line ends here */
		if (column + n + !is_line_end(text, i + 1) > LINE) {
			g_string_append(out, "=\r\n");
			column = 0;
			n = is_plain(text, i, 0) ? 1 : 3;
		}
		if (n == 1)
			g_string_append_c(out, text.p[i]);
		else
			put_hex(out, text.p[i]);
		column += n;
	}
}

/* ---- base64 ---- */

void
transfer_write_base64(GString *out, struct span bytes)
{
	const size_t most = LINE / 4 * 3;
	size_t at, n;
	gchar *line;

	for (at = 0; at < bytes.n; at += n) {
		n = bytes.n - at < most ? bytes.n - at : most;
		line = g_base64_encode((const guchar *)bytes.p + at, n);
		if (at > 0)
			g_string_append(out, "\r\n");
		g_string_append(out, line);
		g_free(line);
	}
}

/* ---- places ---- */

static size_t
hex_at(struct span line, size_t i)
{
	return i + 2 < line.n && line.p[i] == '=' &&
		g_ascii_isxdigit(line.p[i + 1]) &&
		g_ascii_isxdigit(line.p[i + 2]) ? 3 : 1;
}

size_t
transfer_qp_place(struct span in, size_t at)
{
	size_t begin = 0, next, i, n = 0;
	const char *end;
	struct span line;
	bool soft;

	for (; begin < in.n; begin = next) {
		end = memchr(in.p + begin, '\n', in.n - begin);
		next = end == NULL ? in.n : (size_t)(end + 1 - in.p);
		line = (struct span){in.p + begin, next - begin};
		while (line.n > 0 && g_ascii_isspace(line.p[line.n - 1]))
			line.n--;
		soft = line.n > 0 && line.p[line.n - 1] == '=';
		line.n -= soft;
		for (i = 0; i < line.n; i += hex_at(line, i), n++)
			if (n == at)
				return begin + i;
		if (n == at && (!soft || next == in.n))
			return begin + line.n;
		if (end != NULL && !soft)
			n += next - begin >= 2 && in.p[next - 2] == '\r' ?
				2 : 1;
	}
	return in.n;
}
