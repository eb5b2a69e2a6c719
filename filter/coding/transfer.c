#include <glib.h>
#include <string.h>

#include "ascii.h"
#include "transfer.h"

/* ---- base64 ---- */

/* Padding, blank, junk; below them is what a letter means. */
enum { LETTERS = 64, P = LETTERS, B, J };

static const unsigned char meaning[256] = {
	J, J, J, J, J, J, J, J, J, B, B, J, J, B, J, J,
	J, J, J, J, J, J, J, J, J, J, J, J, J, J, J, J,
	B, J, J, J, J, J, J, J, J, J, J, 62, J, J, J, 63,
	52, 53, 54, 55, 56, 57, 58, 59, 60, 61, J, J, J, P, J, J,
	J, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
	15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, J, J, J, J, J,
	J, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
	41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, J, J, J, J, J,
	J, J, J, J, J, J, J, J, J, J, J, J, J, J, J, J,
	J, J, J, J, J, J, J, J, J, J, J, J, J, J, J, J,
	J, J, J, J, J, J, J, J, J, J, J, J, J, J, J, J,
	J, J, J, J, J, J, J, J, J, J, J, J, J, J, J, J,
	J, J, J, J, J, J, J, J, J, J, J, J, J, J, J, J,
	J, J, J, J, J, J, J, J, J, J, J, J, J, J, J, J,
	J, J, J, J, J, J, J, J, J, J, J, J, J, J, J, J,
	J, J, J, J, J, J, J, J, J, J, J, J, J, J, J, J,
};

static unsigned
letter(char c)
{
	return meaning[(unsigned char)c];
}

/* The first n bytes of a group's 24 bits. */
static size_t
put_group(unsigned bits, size_t n, char *out)
{
	const char bytes[3] = {
		(char)(bits >> 16), (char)(bits >> 8), (char)bits,
	};

	if (out != NULL)
		memcpy(out, bytes, n);
	return n;
}

/* Groups of four letters, as long as nothing is between: most of a line.
 * How many letters they have. */
static size_t
read_groups(struct span in, char *out)
{
	size_t i;
	unsigned a, b, c, d;

	for (i = 0; i + 4 <= in.n; i += 4) {
		a = letter(in.p[i]);
		b = letter(in.p[i + 1]);
		c = letter(in.p[i + 2]);
		d = letter(in.p[i + 3]);
		if ((a | b | c | d) >= LETTERS)
			break;
		if (out != NULL)
			out += put_group(a << 18 | b << 12 | c << 6 | d, 3,
			                 out);
	}
	return i;
}

/* What a group holds that is not whole: one letter is too few for a byte. */
static size_t
put_rest(const struct base64 *b, char *out)
{
	return b->letters < 2 ? 0 : put_group(
		b->bits << 6 * (4 - b->letters), b->letters - 1, out);
}

static void
begin_group(struct base64 *b)
{
	b->bad = b->bad || (b->letters + b->pads) % 4 != 0;
	b->padded = b->padded || b->pads > 0;
	b->bits = 0;
	b->letters = b->pads = 0;
}

/* One that does not stand in a whole group, or before it is known to. */
static size_t
read_one(struct base64 *b, char c, char *out)
{
	unsigned is = letter(c);

	if (is == P)
		return b->pads++ == 0 ? put_rest(b, out) : 0;
	if (b->pads > 0)
		begin_group(b);
	if (is == J)
		b->bad = true;
	if (is >= LETTERS)
		return 0;
	b->bad = b->bad || b->padded;
	b->bits = b->bits << 6 | is;
	if (++b->letters < 4)
		return 0;
	b->letters = 0;
	return put_group(b->bits & 0xffffff, 3, out);
}

static char *
behind(char *out, size_t n)
{
	return out == NULL ? NULL : out + n;
}

size_t
transfer_base64_some(struct base64 *b, struct span in, char *out)
{
	size_t i = 0, n, made = 0;

	while (i < in.n) {
		if (b->letters == 0 && !b->padded && b->pads == 0) {
			n = read_groups((struct span){in.p + i, in.n - i},
			                behind(out, made));
			i += n;
			made += n / 4 * 3;
		}
		if (i < in.n)
			made += read_one(b, in.p[i++], behind(out, made));
	}
	return made;
}

size_t
transfer_base64_end(struct base64 *b, char *out)
{
	size_t n = b->pads > 0 ? 0 : put_rest(b, out);

	begin_group(b);
	return n;
}

static size_t
read_all(struct base64 *b, struct span in, char *out)
{
	size_t n = transfer_base64_some(b, in, out);

	return n + transfer_base64_end(b, behind(out, n));
}

size_t
transfer_base64(struct span in, char *out)
{
	struct base64 b = {0};

	return read_all(&b, in, out);
}

size_t
transfer_base64_size(struct span in, bool *bad)
{
	struct base64 b = {0};
	size_t n = read_all(&b, in, NULL);

	*bad = *bad || b.bad;
	return n;
}

/* ---- quoted-printable ---- */

static size_t
put(char *out, size_t n, struct span s)
{
	if (out != NULL && s.n > 0)
		memmove(out + n, s.p, s.n);
	return n + s.n;
}

/* What begins with "=": a byte in *c, or the "=" itself. Its length. */
static size_t
decode_escape(struct span s, char *c, bool *bad)
{
	if (s.n < 3 || !g_ascii_isxdigit(s.p[1]) ||
	    !g_ascii_isxdigit(s.p[2])) {
		*c = '=';
		*bad = true;
		return 1;
	}
	*c = (char)(g_ascii_xdigit_value(s.p[1]) * 16 +
	            g_ascii_xdigit_value(s.p[2]));
	return 3;
}

/* One line without its end. *soft: its end is none. */
static size_t
decode_line(struct span line, char *out, size_t n, bool *soft, bool *bad)
{
	const char *escape;
	size_t plain;
	char c;

	*soft = line.n > 0 && line.p[line.n - 1] == '=';
	if (*soft)
		line.n--;
	while (line.n > 0) {
		escape = memchr(line.p, '=', line.n);
		plain = escape == NULL ? line.n : (size_t)(escape - line.p);
		n = put(out, n, (struct span){line.p, plain});
		line = (struct span){line.p + plain, line.n - plain};
		if (escape == NULL)
			break;
		plain = decode_escape(line, &c, bad);
		n = put(out, n, (struct span){&c, 1});
		line = (struct span){line.p + plain, line.n - plain};
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
		while (line.n > 0 && ascii_is_space(line.p[line.n - 1]))
			line.n--;
		n = decode_line(line, out, n, &soft, bad);
		eol = next - at >= 2 && in.p[next - 2] == '\r' ?
			(struct span){"\r\n", 2} : (struct span){"\n", 1};
		if (end != NULL && !soft)
			n = put(out, n, eol);
	}
	return n;
}
