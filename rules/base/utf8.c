#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "ascii.h"
#include "utf8.h"

#define LETTER 6 /* bytes that GLib may write for one */

/* U+FFFD */
static const char replacement[3] = "\xef\xbf\xbd";

/* How many bytes from the begin are ASCII, to a quick look. */
static size_t
ascii_bytes(const char *p, size_t n)
{
	uint64_t eight;
	size_t at;

	for (at = 0; at + sizeof(eight) <= n; at += sizeof(eight)) {
		memcpy(&eight, p + at, sizeof(eight));
		if ((eight & 0x8080808080808080u) != 0)
			break;
	}
	return at;
}

/* How many bytes from the begin are valid; U+0000 is, for us. */
static size_t
valid_bytes(const char *p, size_t n)
{
	size_t at = ascii_bytes(p, n);
	const char *end;

	while (at < n && !g_utf8_validate_len(p + at, n - at, &end)) {
		at = (size_t)(end - p);
		if (p[at] != '\0')
			return at;
		at++;
	}
	return n;
}

bool
utf8_valid(struct span s)
{
	return valid_bytes(s.p, s.n) == s.n;
}

struct span
utf8_make_valid(struct arena *a, struct span s)
{
	size_t at, wrong = 0, good;
	char *p, *out;

	for (at = 0; at < s.n; at++) {
		at += valid_bytes(s.p + at, s.n - at);
		if (at < s.n)
			wrong++;
	}
	if (wrong == 0)
		return s;
	p = out = arena_alloc(a, s.n + 2 * wrong + 1);
	if (p == NULL)
		return (struct span){NULL, 0};
	for (at = 0; at < s.n; at++) {
		good = valid_bytes(s.p + at, s.n - at);
		memcpy(out, s.p + at, good);
		out += good;
		at += good;
		if (at < s.n) {
			memcpy(out, replacement, sizeof(replacement));
			out += sizeof(replacement);
		}
	}
	return (struct span){p, (size_t)(out - p)};
}

/*
 * GLib has full folding (of strings) and simple case mapping; simple folding
 * is lower after upper, but for the Turkish letters that CaseFolding.txt
 * (of the Unicode character database) leaves as they are.
 */
static gunichar
fold(gunichar c)
{
	if (c == 0x130 || c == 0x131)
		return c;
	return g_unichar_tolower(g_unichar_toupper(c));
}

/* How many bytes from the begin folding does not touch, to a quick look. */
static size_t
already_folded(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] >= 0x80 ||
		    (s.p[i] >= 'A' && s.p[i] <= 'Z'))
			break;
	return i;
}

/*
 * Folds characters from *in on, as long as there is room for any other before
 * full. Where the result ends.
 */
static char *
fold_some(const char **in, const char *end, char *out, const char *full)
{
	const char *p;

	for (p = *in; p < end && full - out >= LETTER; ) {
		if ((unsigned char)*p < 0x80) {
			*out++ = ascii_lower(*p++);
			continue;
		}
		out += g_unichar_to_utf8(fold(g_utf8_get_char(p)), out);
		p = g_utf8_next_char(p);
	}
	*in = p;
	return out;
}

struct span
utf8_fold(struct arena *a, struct span s)
{
	size_t same = already_folded(s), room;
	const char *in = s.p + same;
	char *p, *out;

	if (same == s.n)
		return s;
	/* A letter of two bytes may fold to one of three (U+023A). */
	room = same + (s.n - same) / 2 * 3 + 1 + LETTER;
	p = arena_alloc(a, room);
	if (p == NULL)
		return (struct span){NULL, 0};
	memcpy(p, s.p, same);
	out = fold_some(&in, s.p + s.n, p + same, p + room);
	return (struct span){p, (size_t)(out - p)};
}

bool
utf8_fold_contains(struct span s, struct span folded)
{
	const char *in = s.p, *end = s.p + s.n;
	char look[4 * UTF8_SOUGHT], *out;
	size_t n, kept = 0;

	do {
		out = fold_some(&in, end, look + kept, look + sizeof(look));
		n = (size_t)(out - look);
		if (n >= folded.n &&
		    memmem(look, n, folded.p, folded.n) != NULL)
			return true;
		kept = n < folded.n ? n : folded.n - 1;
		memmove(look, out - kept, kept);
	} while (in < end);
	return false;
}
