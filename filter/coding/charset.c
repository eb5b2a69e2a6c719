#include <errno.h>
#include <fcntl.h>
#include <iconv.h>
#include <string.h>
#include <unistd.h>

#include "charset.h"
#include "utf8.h"

#define NAME_MAX_BYTES 40 /* the longest of IANA's is 45, in use are 20 */

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/*
 * Names that iconv does not know, and charsets of which senders use more
 * than their names promise; the right side is what mail readers take.
 */
static const char *const aliases[][2] = {
	{"gb2312", "gb18030"},
	{"gb_2312-80", "gb18030"},
	{"gbk", "gb18030"},
	{"x-gbk", "gb18030"},
	{"euc-kr", "cp949"},
	{"ks_c_5601-1987", "cp949"},
	{"shift_jis", "cp932"},
	{"x-sjis", "cp932"},
	{"iso-8859-1", "cp1252"},
	{"latin1", "cp1252"},
	{"iso-8859-8-i", "iso-8859-8"},
	{"unicode-1-1-utf-7", "utf-7"},
	{"x-unicode-2-0-utf-7", "utf-7"},
	{"x-mac-roman", "macintosh"},
	{"iso-10646-ucs-2", "utf-16"},
	{"ucs-2", "utf-16"},
	{"unicode", "utf-16"},
	{"csunicode", "utf-16"},
};

/* The name for iconv in name; false: such a name is nobody's. */
static bool
iconv_name(struct span charset, char name[NAME_MAX_BYTES + 1])
{
	size_t i;

	if (charset.n == 0 || charset.n > NAME_MAX_BYTES)
		return false;
	for (i = 0; i < charset.n; i++) {
		/* no "/" above all: it has a meaning to iconv_open */
		if (!g_ascii_isalnum(charset.p[i]) &&
		    strchr("-_.:+", charset.p[i]) == NULL)
			return false;
		name[i] = charset.p[i];
	}
	name[i] = '\0';
	for (i = 0; i < G_N_ELEMENTS(aliases); i++)
		if (g_ascii_strcasecmp(name, aliases[i][0]) == 0)
			strcpy(name, aliases[i][1]);
	return true;
}

/*
 * The C library has a file for each charset; when it can't open it, it says
 * that there is no such charset. What then went undecoded would be seen by
 * no rule.
 */
static bool
are_descriptors_short(void)
{
	int fd = open("/", O_PATH | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd < 0;
}

/* (iconv_t)-1: there is no such charset; or, with *failed, not now. */
static iconv_t
open_converter(const char *to, const char *from, bool *failed)
{
	iconv_t cd = iconv_open(to, from);

	*failed = cd == (iconv_t)-1 &&
		(errno != EINVAL || are_descriptors_short());
	return cd;
}

static const char *const common[] = {
	"utf-7", "utf-16", "utf-16le", "utf-16be", "utf-32",
	"us-ascii", "iso-8859-1", "iso-8859-2", "iso-8859-3",
	"iso-8859-4", "iso-8859-5", "iso-8859-6", "iso-8859-7",
	"iso-8859-8", "iso-8859-9", "iso-8859-10", "iso-8859-11",
	"iso-8859-13", "iso-8859-14", "iso-8859-15", "iso-8859-16",
	"cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255",
	"cp1256", "cp1257", "cp1258", "cp437", "cp850", "cp852",
	"cp855", "cp858", "cp862", "cp866", "cp874", "koi8-r",
	"koi8-u", "koi8-t", "macintosh", "mac-cyrillic", "tis-620",
	"tcvn", "viscii", "armscii-8", "georgian-ps", "gb18030",
	"gbk", "euc-cn", "big5", "big5-hkscs", "euc-tw", "cp932",
	"shift_jis", "euc-jp", "iso-2022-jp", "iso-2022-jp-2",
	"iso-2022-jp-3", "cp949", "euc-kr", "iso-2022-kr",
	"iso-2022-cn", "iso-2022-cn-ext", "johab",
};
static iconv_t loaded[G_N_ELEMENTS(common)]; /* open, so that they stay */

void
charset_load(void)
{
	size_t i;

	/* one step, as glibc has it: no buffer of 32 KB */
	for (i = 0; i < G_N_ELEMENTS(common) && loaded[i] == NULL; i++)
		loaded[i] = iconv_open("WCHAR_T", common[i]);
}

/* Of UTF-8 that may be wrong, or of ASCII with other bytes in it. */
static void
append_valid(GString *out, struct span s, bool ascii)
{
	size_t i, n;
	const char *end;

	for (i = 0; i < s.n; i += n) {
		if (ascii) {
			for (n = 0; i + n < s.n && s.p[i + n] > 0; n++)
				;
		} else {
			g_utf8_validate_len(s.p + i, s.n - i, &end);
			n = (size_t)(end - (s.p + i));
		}
		g_string_append_len(out, s.p + i, (gssize)n);
		if (i + n == s.n)
			return;
		g_string_append(out, replacement);
		n++;
	}
}

/* How many bytes to leave out when one can't be converted. */
static size_t
unit(const char *name)
{
	if (g_ascii_strncasecmp(name, "utf-16", 6) == 0 ||
	    g_ascii_strncasecmp(name, "ucs-2", 5) == 0)
		return 2;
	if (g_ascii_strncasecmp(name, "utf-32", 6) == 0 ||
	    g_ascii_strncasecmp(name, "ucs-4", 5) == 0)
		return 4;
	return 1;
}

static void
convert(GString *out, iconv_t cd, size_t skip, struct span s)
{
	char buffer[1024], *to;
	char *from = (char *)(size_t)s.p; /* iconv takes no const */
	size_t left = s.n, room, done;

	while (left > 0) {
		to = buffer;
		room = sizeof(buffer);
		done = iconv(cd, &from, &left, &to, &room);
		append_valid(out, (struct span){buffer, (size_t)(to - buffer)},
		             false);
		if (done != (size_t)-1 || errno == E2BIG)
			continue;
		/* EILSEQ, or EINVAL: the end is missing */
		g_string_append(out, replacement);
		if (errno != EILSEQ || left < skip)
			break;
		from += skip;
		left -= skip;
	}
	/* some hold a letter back until they are asked (TCVN, UTF-7) */
	to = buffer;
	room = sizeof(buffer);
	iconv(cd, NULL, NULL, &to, &room);
	append_valid(out, (struct span){buffer, (size_t)(to - buffer)}, false);
}

bool
charset_to_utf8(GString *out, struct span charset, struct span bytes)
{
	char name[NAME_MAX_BYTES + 1];
	bool known = iconv_name(charset, name), failed = false;
	iconv_t cd = (iconv_t)-1;

	if (known && (g_ascii_strcasecmp(name, "utf-8") == 0 ||
	              g_ascii_strcasecmp(name, "utf8") == 0)) {
		append_valid(out, bytes, false);
		return true;
	}
	if (known)
		cd = open_converter("UTF-8", name, &failed);
	if (failed)
		return false;
	if (cd == (iconv_t)-1) {
		append_valid(out, bytes, !utf8_valid(bytes));
		return true;
	}
	convert(out, cd, unit(name), bytes);
	iconv_close(cd);
	return true;
}

/*
 * What the names promise, where they are read as more. What no charset of
 * iconv's is called by an alias' right side.
 */
static const char *
strict_name(const char *given, const char *known)
{
	static const char *const names[][2] = {
		{"gb2312", "euc-cn"}, {"gb_2312-80", "euc-cn"},
		{"gbk", "gbk"}, {"x-gbk", "gbk"},
		{"euc-kr", "euc-kr"}, {"ks_c_5601-1987", "euc-kr"},
		{"iso-8859-1", "iso-8859-1"}, {"latin1", "iso-8859-1"},
	};
	size_t i;

	for (i = 0; i < G_N_ELEMENTS(names); i++)
		if (g_ascii_strcasecmp(given, names[i][0]) == 0)
			return names[i][1];
	return known;
}

/* All of it, or nothing. */
static bool
encode(GString *out, const char *name, struct span text)
{
	iconv_t cd = iconv_open(name, "UTF-8");
	char buffer[1024], *to, *from = (char *)(size_t)text.p;
	size_t left = text.n, room, done = 0;
	bool end = false;

	if (cd == (iconv_t)-1)
		return false;
	while (!end) {
		end = left == 0; /* then what it held back, and its reset */
		to = buffer;
		room = sizeof(buffer);
		done = iconv(cd, end ? NULL : &from, &left, &to, &room);
		if (done != 0 && (done != (size_t)-1 || errno != E2BIG))
			break;
		end = end && done == 0;
		g_string_append_len(out, buffer, to - buffer);
	}
	iconv_close(cd);
	return end;
}

enum truth
charset_known(struct span charset)
{
	char name[NAME_MAX_BYTES + 1];
	bool failed;
	iconv_t cd;

	if (!iconv_name(charset, name))
		return TRUTH_NO;
	cd = open_converter("UTF-8", name, &failed);
	if (cd == (iconv_t)-1)
		return failed ? TRUTH_FAILED : TRUTH_NO;
	iconv_close(cd);
	return TRUTH_YES;
}

struct span
charset_unordered(struct span charset)
{
	char name[NAME_MAX_BYTES + 1];

	if (iconv_name(charset, name) &&
	    g_ascii_strcasecmp(name, "utf-16") == 0)
		return SPAN("utf-16");
	if (iconv_name(charset, name) &&
	    g_ascii_strcasecmp(name, "utf-32") == 0)
		return SPAN("utf-32");
	return (struct span){NULL, 0};
}

static bool
is_ascii(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= 0)
			return false;
	return true;
}

bool
charset_from_utf8(GString *out, struct span charset, struct span text)
{
	char name[NAME_MAX_BYTES + 1], given[NAME_MAX_BYTES + 1];
	gsize before = out->len;
	GString *back;
	bool named, same;

	if (charset.n == 0)
		charset = SPAN("us-ascii");
	named = iconv_name(charset, name);
	if (named) {
		memcpy(given, charset.p, charset.n);
		given[charset.n] = '\0';
	}
	if (!named || !encode(out, strict_name(given, name), text)) {
		g_string_truncate(out, before);
		if (!is_ascii(text) || charset_known(charset) != TRUTH_NO)
			return false;
		g_string_append_len(out, text.p, (gssize)text.n);
		return true;
	}
	back = g_string_sized_new(text.n + 1);
	same = charset_to_utf8(back, charset, (struct span){
			out->str + before, out->len - before}) &&
		span_is((struct span){back->str, back->len}, text);
	g_string_free(back, TRUE);
	if (!same)
		g_string_truncate(out, before);
	return same;
}

bool
charset_has_ascii(struct span charset)
{
	static const char ascii[] =
		"\t\r\n !\"#$%&'()*+,-./0123456789:;<=>?@[]^_`{|}"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	GString *s = g_string_new(NULL);
	bool same = charset_from_utf8(s, charset, SPAN(ascii)) &&
		span_is((struct span){s->str, s->len}, SPAN(ascii));

	g_string_free(s, TRUE);
	return same;
}
