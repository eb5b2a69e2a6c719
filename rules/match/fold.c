/*
 * fold.c - the looks of texts.
 *
 * Step by step, for the look as it is written: NFKC (full-width and
 * mathematical letters, ligatures), without what is not shown, UTS 39's
 * skeleton (one of all that look alike), small letters, and once more the
 * skeleton, of the small letters. For the other look all letters are small
 * before the first skeleton.
 *
 * Since I, l, 1 and | look alike and case is folded, i is one with them; 0, O
 * and o are one, m and rn.
 *
 * ASCII, where no character changes another, goes by a table that is made of
 * the same steps; ICU sees only the words that have more.
 */
#include <glib.h>
#include <pthread.h>
#include <string.h>

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>

#include "caps.h"
#include "fold.h"

/* ---- ICU ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const char *missing;          /* why there is no ICU */
static USpoofChecker *spoof;
static const UNormalizer2 *nfkc;
static char ascii[128][8];           /* the look of each, or "" */

/* Text in UTF-16, and room for what becomes of it. */
struct wide {
	UChar *p, *other;
	int32_t n, room;
	bool broken;
};

typedef int32_t step(const UChar *from, int32_t n, UChar *to, int32_t room,
                     UErrorCode *error);

static void
widen(struct wide *w, int32_t room)
{
	w->room = room;
	w->p = g_realloc_n(w->p, (size_t)room, sizeof(*w->p));
	w->other = g_realloc_n(w->other, (size_t)room, sizeof(*w->other));
}

static void
take(struct wide *w, step *make)
{
	UErrorCode error = U_ZERO_ERROR;
	UChar *made = w->other;
	int32_t n;

	if (w->broken)
		return;
	n = make(w->p, w->n, made, w->room, &error);
	if (error == U_BUFFER_OVERFLOW_ERROR) {
		widen(w, n + 16);
		error = U_ZERO_ERROR;
		made = w->other;
		n = make(w->p, w->n, made, w->room, &error);
	}
	w->broken = U_FAILURE(error);
	w->other = w->p;
	w->p = made;
	w->n = w->broken ? 0 : n;
}

/* ---- steps ---- */

static int32_t
normalize(const UChar *from, int32_t n, UChar *to, int32_t room,
          UErrorCode *error)
{
	return unorm2_normalize(nfkc, from, n, to, room, error);
}

static int32_t
skeleton(const UChar *from, int32_t n, UChar *to, int32_t room,
         UErrorCode *error)
{
	return uspoof_getSkeleton(spoof, 0, from, n, to, room, error);
}

static int32_t
small(const UChar *from, int32_t n, UChar *to, int32_t room,
      UErrorCode *error)
{
	return u_strFoldCase(to, room, from, n, U_FOLD_CASE_DEFAULT, error);
}

/*
 * Zero-width characters, marks of direction, variation selectors, fillers and
 * the like (Unicode's Default_Ignorable_Code_Point), and controls.
 */
static bool
is_unseen(UChar32 c)
{
	return u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) ||
		u_charType(c) == U_CONTROL_CHAR;
}

/*
 * Marks upon one letter: normalizing sorts them, in the square of the time.
 * No language has more than some (UAX 15, D3, says 30, too).
 */
#define MARKS_MAX 30

static int32_t
without_unseen(const UChar *from, int32_t n, UChar *to, int32_t room,
               UErrorCode *error)
{
	int32_t i = 0, before, out = 0, marks = 0;
	UChar32 c;

	(void)room; /* no less than n */
	(void)error;
	while (i < n) {
		before = i;
		c = from[i++];
		if (U16_IS_LEAD(from[before]) && i < n &&
		    U16_IS_TRAIL(from[i]))
			c = U16_GET_SUPPLEMENTARY(c, from[i++]);
		if (u_isUWhiteSpace(c)) {
			to[out++] = ' ';
		} else if (!is_unseen(c)) {
			marks = u_getCombiningClass(c) == 0 ? 0 : marks + 1;
			while (before < i && marks <= MARKS_MAX)
				to[out++] = from[before++];
		}
	}
	return out;
}

static int32_t
join_i(const UChar *from, int32_t n, UChar *to, int32_t room,
       UErrorCode *error)
{
	int32_t i;

	(void)room;
	(void)error;
	for (i = 0; i < n; i++)
		to[i] = from[i] == 'i' ? 'l' : from[i];
	return n;
}

/* ---- words ---- */

/* What is appended to begins and ends with no blank and has no two. */
static void
put(GString *out, const char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (p[i] != ' ')
			g_string_append_c(out, p[i]);
		else if (out->len > 0 && out->str[out->len - 1] != ' ')
			g_string_append_c(out, ' ');
}

static bool
put_wide(GString *out, const struct wide *w)
{
	UErrorCode error = U_ZERO_ERROR;
	size_t room = (size_t)w->n * 3 + 1;
	char *text;
	int32_t n = 0;

	if (w->broken)
		return false;
	text = g_malloc(room);
	u_strToUTF8WithSub(text, (int32_t)room, &n, w->p, w->n, 0xfffd, NULL,
	                   &error);
	if (U_SUCCESS(error))
		put(out, text, (size_t)n);
	g_free(text);
	return U_SUCCESS(error);
}

/* The letters of a word as they are shown. */
static struct wide
letters(struct span word)
{
	UErrorCode error = U_ZERO_ERROR;
	struct wide w = {0};

	widen(&w, (int32_t)word.n + 16);
	u_strFromUTF8WithSub(w.p, w.room, &w.n, word.p, (int32_t)word.n,
	                     0xfffd, NULL, &error);
	w.broken = U_FAILURE(error);
	take(&w, without_unseen);
	take(&w, normalize);
	take(&w, without_unseen); /* what it made */
	return w;
}

/* One look of a word, by ICU; *left: so many letters it may have. */
static bool
look(GString *out, struct span word, bool small_first, size_t *left)
{
	struct wide w = letters(word);
	bool good = !w.broken && (size_t)w.n <= *left;

	if (good) {
		*left -= (size_t)w.n;
		if (small_first)
			take(&w, small);
		take(&w, skeleton);
		take(&w, small);
		take(&w, join_i);
		take(&w, skeleton);
		take(&w, small);
		take(&w, join_i);
		good = put_wide(out, &w);
	}
	g_free(w.p);
	g_free(w.other);
	return good;
}

/* ---- opening ---- */

static bool
make_ascii(void)
{
	GString *out = g_string_new(NULL);
	bool good = true;
	size_t left = 128;
	char c;

	for (c = '!'; good && c <= '~'; c++) {
		g_string_truncate(out, 0);
		good = look(out, (struct span){&c, 1}, false, &left) &&
			out->len < sizeof(ascii[0]);
		if (good)
			strcpy(ascii[(unsigned char)c], out->str);
	}
	g_string_free(out, TRUE);
	return good;
}

static void
open_icu(void)
{
	UErrorCode error = U_ZERO_ERROR;

	nfkc = unorm2_getNFKCInstance(&error);
	if (U_SUCCESS(error))
		spoof = uspoof_open(&error);
	if (U_FAILURE(error))
		missing = u_errorName(error);
	else if (!make_ascii())
		missing = "its confusables are of no use";
}

const char *
fold_open(void)
{
	pthread_once(&once, open_icu);
	return missing;
}

const char *
fold_ascii(char c)
{
	return (unsigned char)c < sizeof(ascii) / sizeof(ascii[0]) ?
		ascii[(unsigned char)c] : "";
}

/* ---- texts ---- */

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Up to the next blank. */
static struct span
first_word(struct span text)
{
	size_t i;

	for (i = 0; i < text.n && !is_blank(text.p[i]); i++)
		;
	return (struct span){text.p, i};
}

static void
put_plain(GString *out, struct span text)
{
	const char *p;
	size_t i;

	for (i = 0; i < text.n; i++) {
		p = ascii[(unsigned char)text.p[i]];
		if (is_blank(text.p[i]))
			put(out, " ", 1);
		else
			for (; *p != '\0'; p++)
				g_string_append_c(out, *p);
	}
}

/* false: too many letters. */
static bool
put_words(GString *out, struct span text, bool small_first, size_t *left)
{
	struct span word;

	while (text.n > 0) {
		word = first_word(text);
		if (span_is_ascii(word))
			put_plain(out, word);
		else if (!look(out, word, small_first, left))
			return false;
		text.p += word.n;
		text.n -= word.n;
		if (text.n > 0) {
			put(out, " ", 1);
			text.p++;
			text.n--;
		}
	}
	return true;
}

/* p NULL: no memory. */
static struct span
keep(struct arena *a, const GString *s)
{
	struct span look = {s->str, s->len};

	if (look.n > 0 && look.p[look.n - 1] == ' ')
		look.n--;
	return arena_copy(a, look);
}

size_t
fold_looks(struct arena *a, struct span text, size_t *left,
           struct span looks[FOLD_LOOKS])
{
	GString *out = g_string_sized_new(text.n + 16);
	size_t i, n = span_is_ascii(text) ? 1 : FOLD_LOOKS, made = 0;
	bool good = true;

	for (i = 0; i < n && good; i++) {
		g_string_truncate(out, 0);
		if (n == 1)
			put_plain(out, text);
		else
			good = put_words(out, text, i == 1, left);
		looks[i] = good ? keep(a, out) : (struct span){NULL, 0};
		good = looks[i].p != NULL;
		made += good;
	}
	g_string_free(out, TRUE);
	if (!good)
		return 0;
	return made == FOLD_LOOKS && span_is(looks[0], looks[1]) ? 1 : made;
}
