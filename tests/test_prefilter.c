/* The prefilter may let by what does not match, never keep back what does. */
#include <limits.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "pattern.h"
#include "utf8.h"

static struct arena *arena;

static struct pattern *
try_compile(struct span text, struct span flags, bool raw)
{
	struct span message;
	size_t at;

	return pattern_new(arena, text, flags, raw, &message, &at);
}

static bool
has_prefilter(void)
{
	return strcmp(pattern_prefilter(), "none") != 0;
}

static bool
bit(const unsigned char *bits, size_t i)
{
	return (bits[i / CHAR_BIT] & 1u << i % CHAR_BIT) != 0;
}

/* ---- chance, the same each time ---- */

static uint64_t state;

static unsigned
chance(unsigned below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 11) % below);
}

struct text {
	char bytes[4096];
	size_t n;
};

static void
add(struct text *t, struct span s)
{
	if (t->n + s.n <= sizeof(t->bytes)) {
		memcpy(t->bytes + t->n, s.p, s.n);
		t->n += s.n;
	}
}

#define ADD(t, literal) add(t, SPAN(literal))
#define ANY(t, pieces)                                                      \
	add(t, pieces[chance(sizeof(pieces) / sizeof(pieces[0]))])

/* Letters whose cases are a trap: Kelvin sign, long s, Turkish i, sharp s,
 * the three sigmas, the micro sign, Cyrillic en with its twin U+1C80. */
static const struct span letters[] = {
	{"a", 1}, {"b", 1}, {"k", 1}, {"K", 1}, {"s", 1}, {"S", 1}, {"i", 1},
	{"I", 1}, {"1", 1}, {"_", 1}, {" ", 1}, {"-", 1}, {"\n", 1},
	{"\xe2\x84\xaa", 3}, {"\xc5\xbf", 2}, {"\xc4\xb0", 2},
	{"\xc4\xb1", 2}, {"\xc3\xa9", 2}, {"\xc3\x89", 2}, {"\xc3\x9f", 2},
	{"\xe1\xba\x9e", 3}, {"\xcf\x83", 2}, {"\xcf\x82", 2},
	{"\xce\xa3", 2}, {"\xc2\xb5", 2}, {"\xce\xbc", 2},
	{"\xd0\xb2", 2}, {"\xd0\x92", 2}, {"\xe1\xb2\x80", 3},
	{"\xe6\x97\xa5", 3}, {"\xf0\x9f\x98\x80", 4},
};

static const struct span others[] = {
	{"\0", 1}, {"\r\n", 2}, {"\r", 1}, {"\t", 1}, {"\xc2\xa0", 2},
	{"\xc2\x85", 2}, {"\xe2\x80\xa8", 3}, {"ab", 2}, {"ks", 2},
	{"\xcc\x81", 2}, {"\xef\xbf\xbd", 3}, {"\x0b", 1}, {"\x7f", 1},
};

static const struct span escapes[] = {
	{"\\d", 2}, {"\\D", 2}, {"\\w", 2}, {"\\W", 2}, {"\\s", 2},
	{"\\S", 2}, {"\\h", 2}, {"\\H", 2}, {"\\v", 2}, {"\\V", 2},
	{"\\R", 2}, {"\\X", 2}, {"\\N", 2}, {"\\pL", 3}, {"\\p{Lu}", 6},
	{"\\PL", 3}, {"\\x{212a}", 8}, {"\\x6b", 4}, {"\\xe9", 4},
	{"\\012", 4}, {"\\n", 2}, {"\\x{e9}", 6}, {"\\o{153}", 7},
	{"\\cJ", 3}, {"\\.", 2}, {"\\Qk.\\E", 6}, {"\\Q\xc3\xa9\\E", 6},
	{"\\0", 2}, {"\\x", 2},
};

static const struct span assertions[] = {
	{"^", 1}, {"$", 1}, {"\\b", 2}, {"\\B", 2}, {"\\A", 2}, {"\\z", 2},
	{"\\Z", 2}, {"\\G", 2}, {"\\K", 2}, {"(?#c)", 5},
};

static const struct span class_items[] = {
	{"a-k", 3}, {"k", 1}, {"s", 1}, {"\\d", 2}, {"\\W", 2}, {"\\s", 2},
	{"[:alpha:]", 9}, {"[:^space:]", 10}, {"[:upper:]", 9}, {"-", 1},
	{"[:digit:]", 9}, {"\\pL", 3}, {"\xc3\xa9", 2}, {"\\x{212a}", 8},
	{"\\x00-\\x40", 9}, {"^", 1}, {"\\b", 2}, {"\\]", 2}, {"A-Z", 3},
	{"\xc3\xa0-\xc4\xb1", 5}, {"\\x{100}-\\x{10ffff}", 17}, {"\\n", 2},
	{"\\h", 2}, {"\\V", 2}, {"[", 1}, {"\\12", 3}, {"[:ascii:]", 9},
};

static const struct span openings[] = {
	{"(", 1}, {"(?:", 3}, {"(?i:", 4}, {"(?-i:", 5}, {"(?>", 3},
	{"(?=", 3}, {"(?!", 3}, {"(?<=", 4}, {"(?<!", 4}, {"(?|", 3},
	{"(?<n>", 5}, {"(?s-m:", 6}, {"(?x: ", 5}, {"(?i)(", 5},
	{"(?^:", 4}, {"(?m)(", 5},
};

static const struct span repeats[] = {
	{"*", 1}, {"+", 1}, {"?", 1}, {"{2}", 3}, {"{0,2}", 5}, {"{1,}", 4},
	{"*?", 2}, {"++", 2}, {"?+", 2}, {"{0}", 3}, {"{40}", 4},
	{"{2,3}+", 6},
};

static const struct span rare[] = {
	{"\\1", 2}, {"\\g{1}", 5}, {"(?1)", 4}, {"\\k<n>", 5}, {"(?R)?", 5},
	{"(*FAIL)", 7}, {"(*ACCEPT)", 9}, {"(*SKIP)", 7}, {"(?(1)a|k)", 9},
	{"{", 1}, {"}", 1}, {"]", 1}, {"a{,2}", 5}, {"(?i)", 4}, {"\\E", 2},
	{"(?x)", 4}, {"#", 1}, {"\\Q\\E", 4}, {"(*napla:k)", 10}, {"\\18", 3},
};

static void
add_class(struct text *t)
{
	unsigned i, n = 1 + chance(3);

	ADD(t, "[");
	if (chance(3) == 0)
		ADD(t, "^");
	if (chance(12) == 0)
		ADD(t, "]");
	for (i = 0; i < n; i++)
		ANY(t, class_items);
	ADD(t, "]");
}

static void
add_pattern(struct text *t, unsigned depth)
{
	unsigned i, n = 1 + chance(4);

	for (i = 0; i < n; i++) {
		unsigned what = chance(100);

		if (what < 45)
			ANY(t, letters);
		else if (what < 55)
			ANY(t, escapes);
		else if (what < 62)
			ANY(t, assertions);
		else if (what < 70)
			add_class(t);
		else if (what < 74)
			ADD(t, ".");
		else if (what < 78)
			ANY(t, rare);
		else if (what < 80)
			ANY(t, others);
		else if (depth > 0) {
			ANY(t, openings);
			add_pattern(t, depth - 1);
			if (chance(2) == 0) {
				ADD(t, "|");
				add_pattern(t, depth - 1);
			}
			ADD(t, ")");
		}
		if (chance(4) == 0)
			ANY(t, repeats);
	}
	if (depth == 3 && chance(6) == 0) {
		ADD(t, "|");
		add_pattern(t, 1);
	}
}

static struct span
random_flags(void)
{
	static const struct span all[] = {
		{"", 0}, {"i", 1}, {"i", 1}, {"m", 1}, {"im", 2}, {"s", 1},
		{"x", 1}, {"ix", 2}, {"ims", 3},
	};

	return all[chance(sizeof(all) / sizeof(all[0]))];
}

static struct pattern *
random_pattern(struct text *t, bool raw)
{
	struct pattern *p = NULL;

	while (p == NULL) {
		t->n = 0;
		add_pattern(t, 3);
		if (raw || utf8_valid((struct span){t->bytes, t->n}))
			p = try_compile((struct span){t->bytes, t->n},
			                random_flags(), raw);
		arena_reset(arena);
	}
	return p;
}

static struct span
random_subject(struct text *t, bool raw)
{
	unsigned i, n = chance(12);

	t->n = 0;
	for (i = 0; i < n; i++) {
		if (chance(5) == 0)
			ANY(t, others);
		else
			ANY(t, letters);
		if (raw && chance(10) == 0)
			ADD(t, "\xe9");
	}
	return (struct span){t->bytes, t->n};
}

/* ---- the tests ---- */

#define BATCH 40
#define LARGE 300 /* so many are looked for in another way */

/* How many of the set's patterns were kept back for the subject. */
static size_t
compare(const struct pattern_set *set, struct pattern *const *patterns,
        const struct text *texts, size_t n, struct span subject)
{
	static const struct pattern_limits limits = {.match = 20000,
	                                             .depth = 1000};
	unsigned char may[LARGE / CHAR_BIT + 1];
	size_t i, kept = 0;

	pattern_set_scan(set, subject, may);
	for (i = 0; i < n; i++) {
		if (bit(may, i))
			continue;
		kept++;
		ck_assert_msg(pattern_match(patterns[i], subject, &limits,
		                            NULL) != TRUTH_YES,
		              "/%.*s/ matches \"%.*s\" and was kept back",
		              (int)texts[i].n, texts[i].bytes,
		              SPAN_ARG(subject));
	}
	return kept;
}

static void
differ(bool raw, unsigned size, unsigned batches, unsigned subjects)
{
	static struct text texts[LARGE], subject;
	struct pattern *patterns[LARGE];
	struct pattern_set *set;
	size_t kept = 0;
	unsigned batch, i;

	arena = arena_new(0);
	for (batch = 0; batch < batches; batch++) {
		for (i = 0; i < size; i++)
			patterns[i] = random_pattern(&texts[i], raw);
		set = pattern_set_new(patterns, size);
		for (i = 0; i < subjects; i++)
			kept += compare(set, patterns, texts, size,
			                random_subject(&subject, raw));
		pattern_set_free(set);
		for (i = 0; i < size; i++)
			pattern_free(patterns[i]);
	}
	arena_free(arena);
	if (has_prefilter())
		ck_assert_msg(kept > (size_t)batches * subjects * size / 5,
		              "only %zu were kept back", kept);
	else
		ck_assert_uint_eq(kept, 0);
}

static unsigned
times(unsigned n)
{
	const char *more = getenv("VAGLIO_TEST_TIMES");

	return more == NULL ? n : n * (unsigned)strtoul(more, NULL, 10);
}

START_TEST(no_text_that_matches_is_kept_back)
{
	const char *seed = getenv("VAGLIO_TEST_SEED");

	state = 0x243f6a8885a308d3u ^
	        (seed == NULL ? 0 : strtoull(seed, NULL, 10) * 2654435761u);
	differ(false, BATCH, times(15), 200);
}
END_TEST

START_TEST(no_bytes_that_match_are_kept_back)
{
	const char *seed = getenv("VAGLIO_TEST_SEED");

	state = 0x13198a2e03707344u ^
	        (seed == NULL ? 0 : strtoull(seed, NULL, 10) * 2654435761u);
	differ(true, BATCH, times(8), 200);
}
END_TEST

START_TEST(a_large_set_keeps_back_no_match)
{
	const char *seed = getenv("VAGLIO_TEST_SEED");

	state = 0xa4093822299f31d0u ^
	        (seed == NULL ? 0 : strtoull(seed, NULL, 10) * 2654435761u);
	differ(false, LARGE, times(1), 100);
}
END_TEST

START_TEST(known_traps_are_no_traps)
{
	static const struct {
		struct span pattern, flags, subject;
	} traps[] = {
#define BYTES(literal) {literal, sizeof(literal) - 1}
#define TRAP(pattern, flags, subject)                                       \
	{BYTES(pattern), BYTES(flags), BYTES(subject)}
		TRAP("k", "i", "\xe2\x84\xaa"),
		TRAP("\xe2\x84\xaa", "i", "K"),
		TRAP("[\xe2\x84\xaa]", "i", "k"),
		TRAP("[\xc5\xbf]x", "i", "Sx"),
		TRAP("mess", "i", "me\xc5\xbf\xc5\xbf"),
		TRAP("(?i)k(?-i)x", "", "\xe2\x84\xaax"),
		TRAP("\xc3\x9f", "i", "\xe1\xba\x9e"),
		TRAP("\xcf\x83", "i", "\xcf\x82"),
		TRAP("\xd0\xb2", "i", "\xe1\xb2\x80"),
		TRAP("^b$", "m", "a\r\nb\r\n"),
		TRAP("b$", "", "b\r\n"),
		TRAP("a.b", "s", "a\nb"),
		TRAP("a\\Rb", "", "a\r\nb"),
		TRAP("a\\Rb", "", "a\xe2\x80\xa8" "b"),
		TRAP("^a\\Xb", "", "ae\xcc\x81" "b"),
		TRAP("a\0b", "", "xa\0b"),
		TRAP("^.{3}$", "", "\xf0\x9f\x98\x80\xe6\x97\xa5z"),
		TRAP("^\\w{2}$", "", "\xc3\xa9\xe6\x97\xa5"),
		TRAP("(.)\\1", "i", "x\xc3\xa9\xc3\x89"),
		TRAP("(a|(?1)b)c", "", "abc"),
		TRAP("(*UCP)\\bx", "", "x"),
		TRAP("(*UTF)x", "", "x"),
		TRAP("(*CRLF)^x", "m", "y\r\nx"),
		TRAP("a{,2}", "", "a{,2}"),
		TRAP("a # x\n b", "x", "ab"),
		TRAP("a \\# [ ]b", "x", "a# b"),
		TRAP("a\\Kb", "", "ab"),
		TRAP("(?<=a)b", "", "ab"),
		TRAP("x(?!y)", "", "xz"),
		TRAP("", "", ""),
		TRAP("$", "", ""),
		TRAP("\\z", "", "abc"),
		TRAP("\\18", "", "\0018"),
		TRAP("\\Qa.b*\\E*", "", "a.b***"),
		TRAP("[]a]b", "", "]b"),
		TRAP("[^]a]b", "", "cb"),
		TRAP("[a\\]-]c", "", "-c"),
		TRAP("[[:alpha:]]z", "", "\xc3\xa9z"),
		TRAP("[^[:alpha:]]z", "", "\xc2\xa0z"),
		TRAP("(?s).(?-s)x", "", "\nx"),
		TRAP("a(?i)b|c", "", "C"),
		TRAP("a++b", "", "aab"),
		TRAP("(?>a|ab)b", "", "ab"),
		TRAP("(?|(a)|(b))\\1", "", "bb"),
		TRAP("(?P<n>a)(?P=n)", "", "aa"),
		TRAP("x{100}", "", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		     "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"),
	};
	struct text text;
	struct pattern_set *set;
	struct pattern *p;
	unsigned char may[1];
	size_t i;

	arena = arena_new(0);
	for (i = 0; i < sizeof(traps) / sizeof(traps[0]); i++) {
		p = try_compile(traps[i].pattern, traps[i].flags, false);
		ck_assert_msg(p != NULL, "/%s/", traps[i].pattern.p);
		ck_assert_msg(pattern_match(p, traps[i].subject, NULL, NULL) ==
		              TRUTH_YES, "/%s/", traps[i].pattern.p);
		set = pattern_set_new(&p, 1);
		text.n = 0;
		add(&text, traps[i].pattern);
		memset(may, 0, sizeof(may));
		ck_assert_uint_eq(compare(set, &p, &text, 1,
		                          traps[i].subject), 0);
		pattern_set_free(set);
		pattern_free(p);
	}
	arena_free(arena);
}
END_TEST

/* ---- many, by many threads ---- */

#define MANY 200
static struct pattern *many[MANY];
static struct pattern_set *many_set;

static void
make_many(void)
{
	char text[80];
	int i, n;

	for (i = 0; i < MANY; i++) {
		n = snprintf(text, sizeof(text), "offer *%d[a-z]+ (now|today)$",
		             i);
		many[i] = try_compile((struct span){text, (size_t)n},
		                      SPAN("i"), false);
		ck_assert_ptr_nonnull(many[i]);
	}
	many_set = pattern_set_new(many, MANY);
}

static void
free_many(void)
{
	int i;

	pattern_set_free(many_set);
	for (i = 0; i < MANY; i++)
		pattern_free(many[i]);
}

static void *
scan_often(void *of)
{
	unsigned char *may = malloc(pattern_set_bytes(many_set));
	char text[80];
	size_t i, candidates, *wrong = of;
	int k, n;

	for (k = 0; k < MANY; k++) {
		n = snprintf(text, sizeof(text), "Big OFFER %dxyz Today", k);
		pattern_set_scan(many_set, (struct span){text, (size_t)n}, may);
		for (candidates = 0, i = 0; i < MANY; i++)
			candidates += bit(may, i);
		if (!bit(may, (size_t)k) ||
		    pattern_match(many[k], (struct span){text, (size_t)n},
		                  NULL, NULL) != TRUTH_YES)
			++*wrong;
		if (has_prefilter() && candidates != 1)
			++*wrong;
	}
	free(may);
	return NULL;
}

START_TEST(threads_scan_at_once)
{
	pthread_t threads[4];
	size_t wrong[4] = {0};
	int i;

	arena = arena_new(0);
	make_many();
	for (i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, scan_often,
		                                &wrong[i]), 0);
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_uint_eq(wrong[i], 0);
	}
	free_many();
	arena_free(arena);
}
END_TEST

START_TEST(a_larger_set_may_come_while_a_thread_has_scanned)
{
	struct pattern *p;
	struct pattern_set *small;
	unsigned char may[1];
	size_t wrong = 0;

	arena = arena_new(0);
	p = try_compile(SPAN("abc"), SPAN(""), false);
	small = pattern_set_new(&p, 1);
	pattern_set_scan(small, SPAN("xabc"), may);
	ck_assert(bit(may, 0));
	make_many();
	scan_often(&wrong);
	ck_assert_uint_eq(wrong, 0);
	pattern_set_scan(small, SPAN("xabd"), may);
	ck_assert(bit(may, 0) == !has_prefilter());
	pattern_set_free(small);
	pattern_free(p);
	free_many();
	arena_free(arena);
}
END_TEST

START_TEST(an_empty_set_has_no_candidates)
{
	struct pattern_set *set = pattern_set_new(NULL, 0);
	unsigned char may[1] = {0};

	ck_assert_uint_eq(pattern_set_bytes(set), 0);
	pattern_set_scan(set, SPAN("x"), may);
	ck_assert_uint_eq(may[0], 0);
	pattern_set_free(set);
}
END_TEST

START_TEST(without_the_prefilter_all_are_candidates)
{
	struct pattern *p;
	struct pattern_set *set;
	unsigned char may[1] = {0};

	pattern_prefilter_off();
	ck_assert_str_eq(pattern_prefilter(), "none");
	arena = arena_new(0);
	p = try_compile(SPAN("abc"), SPAN(""), false);
	set = pattern_set_new(&p, 1);
	pattern_set_scan(set, SPAN("x"), may);
	ck_assert(bit(may, 0));
	pattern_set_free(set);
	pattern_free(p);
	arena_free(arena);
}
END_TEST

CHECK_MAIN("prefilter", no_text_that_matches_is_kept_back,
           no_bytes_that_match_are_kept_back,
           a_large_set_keeps_back_no_match, known_traps_are_no_traps,
           threads_scan_at_once,
           a_larger_set_may_come_while_a_thread_has_scanned,
           an_empty_set_has_no_candidates,
           without_the_prefilter_all_are_candidates)
