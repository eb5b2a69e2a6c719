#include <gmime/gmime.h>
#include <string.h>

#include "transfer.h"

/* ---- base64 ---- */

static bool
is_base64(char c)
{
	return g_ascii_isalnum(c) || c == '+' || c == '/';
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* How many bytes of base64 letters mean. */
static size_t
group_size(size_t letters)
{
	size_t rest = letters % 4;

	return letters / 4 * 3 + (rest < 2 ? 0 : rest - 1);
}

/* A group, of which in holds `letters`. */
static size_t
decode_group(struct span in, size_t letters, char *out)
{
	int state = 0;
	guint32 save = 0;
	size_t n, missing = (4 - letters % 4) % 4;
	unsigned char *to = (unsigned char *)out;

	n = g_mime_encoding_base64_decode_step((const unsigned char *)in.p,
		in.n, to, &state, &save);
	if (missing == 1 || missing == 2)
		n += g_mime_encoding_base64_decode_step(
			(const unsigned char *)"==", missing, to + n, &state,
			&save);
	return n;
}

/* Up to padding; *n bytes that hold *letters. The padding is passed over. */
static size_t
next_group(struct span in, size_t at, size_t *n, size_t *letters)
{
	size_t i = at;

	*letters = 0;
	for (; i < in.n && in.p[i] != '='; i++)
		*letters += is_base64(in.p[i]);
	*n = i - at;
	while (i < in.n && in.p[i] == '=')
		i++;
	return i;
}

size_t
transfer_base64(struct span in, char *out)
{
	size_t at = 0, next, n, letters, made = 0;

	for (; at < in.n; at = next) {
		next = next_group(in, at, &n, &letters);
		made += decode_group((struct span){in.p + at, n}, letters,
		                     out + made);
	}
	return made;
}

static bool
all_base64(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (!is_base64(s.p[i]) && !is_space(s.p[i]))
			return false;
	return true;
}

size_t
transfer_base64_size(struct span in, bool *bad)
{
	size_t at = 0, next, n, letters, made = 0;
	bool padded = false;

	for (; at < in.n; at = next) {
		next = next_group(in, at, &n, &letters);
		made += group_size(letters);
		if (!all_base64((struct span){in.p + at, n}) ||
		    (padded && letters > 0) ||
		    (letters > 0 || next > at + n ?
		     (letters + next - at - n) % 4 != 0 : false))
			*bad = true;
		padded = padded || next > at + n;
	}
	return made;
}

/* ---- quoted-printable ---- */

static size_t
put(char *out, size_t n, struct span s)
{
	if (out != NULL && s.n > 0)
		memmove(out + n, s.p, s.n);
	return n + s.n;
}

/* One line without its end. *soft: its end is none. */
static size_t
decode_line(struct span line, char *out, size_t n, bool *soft, bool *bad)
{
	size_t i, hex;
	char c;

	*soft = line.n > 0 && line.p[line.n - 1] == '=';
	if (*soft)
		line.n--;
	for (i = 0; i < line.n; i++) {
		hex = i + 2 < line.n && line.p[i] == '=' &&
			g_ascii_isxdigit(line.p[i + 1]) &&
			g_ascii_isxdigit(line.p[i + 2]) ? 2 : 0;
		c = hex == 0 ? line.p[i] :
			(char)(g_ascii_xdigit_value(line.p[i + 1]) * 16 +
			       g_ascii_xdigit_value(line.p[i + 2]));
		*bad = *bad || (line.p[i] == '=' && hex == 0);
		n = put(out, n, (struct span){&c, 1});
		i += hex;
	}
	return n;
}

/*
 * Written here, for GMime's decoder swallows what is behind a "=" that it
 * does not understand, and blanks at a line's end (RFC 2045 6.7 (3)) stay.
 */
size_t
transfer_qp(struct span in, char *out, bool *bad)
{
	size_t at = 0, next, n = 0;
	const char *end;
	struct span line, eol;
	bool soft;

	for (; at < in.n; at = next) {
		end = memchr(in.p + at, '\n', in.n - at);
		next = end == NULL ? in.n : (size_t)(end + 1 - in.p);
		line = (struct span){in.p + at, next - at};
		while (line.n > 0 && is_space(line.p[line.n - 1]))
			line.n--;
		n = decode_line(line, out, n, &soft, bad);
		eol = next - at >= 2 && in.p[next - 2] == '\r' ?
			(struct span){"\r\n", 2} : (struct span){"\n", 1};
		if (end != NULL && !soft)
			n = put(out, n, eol);
	}
	return n;
}
