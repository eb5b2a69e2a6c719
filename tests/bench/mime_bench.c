/*
 * mime_bench.c - a text of 10 MB in base64: decoded here and by GMime alone;
 * then ten patterns over it, here and by PCRE2 alone. CPU time, best of five.
 */
#include <gmime/gmime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "mime.h"
#include "pattern.h"

#define BYTES (10 << 20)
#define TURNS 5
#define PATTERNS 10

static const char *const words[PATTERNS] = {
	"casino", "lottery", "refinance", "pharmacy", "inheritance",
	"jackpot", "replica", "crypto", "unclaimed", "investment",
};

static char *encoded, *decoded;
static size_t n_encoded, n_decoded;
static struct pattern *patterns[PATTERNS];
static pcre2_code *codes[PATTERNS];
static pcre2_match_data *data;

static void
make_text(void)
{
	static const char line[] = "The figures are as we said they would be.\n";
	gint state = 0;
	guint32 save = 0;
	char *text = malloc(BYTES);
	size_t i;

	encoded = malloc(BYTES * 2);
	decoded = malloc(BYTES + 4);
	if (text == NULL || encoded == NULL || decoded == NULL)
		exit(1);
	for (i = 0; i < BYTES; i++)
		text[i] = line[i % (sizeof(line) - 1)];
	n_encoded = g_mime_encoding_base64_encode_close(
		(const unsigned char *)text, BYTES, (unsigned char *)encoded,
		&state, &save);
	free(text);
}

static void
decode_here(void)
{
	const struct mime_field f[] = {
		{SPAN("Content-Type"), SPAN("text/plain; charset=utf-8")},
		{SPAN("Content-Transfer-Encoding"), SPAN("base64")},
	};
	struct arena *a = arena_new(0);
	struct mime *m = mime_parse(a, f, 2, (struct span){encoded, n_encoded},
	                            false);

	if (mime_texts(m) != NULL || m->n_texts != 1 ||
	    m->texts[0].text.n != BYTES)
		exit(1);
	arena_free(a);
}

static void
decode_there(void)
{
	gint state = 0;
	guint32 save = 0;

	n_decoded = g_mime_encoding_base64_decode_step(
		(const unsigned char *)encoded, n_encoded,
		(unsigned char *)decoded, &state, &save);
}

/* As a rule does: what the set passes over is not matched. */
static void
match_here(void)
{
	static struct pattern_set *set;
	unsigned char may[8] = {0};
	struct span s = {decoded, n_decoded};
	size_t i;

	if (set == NULL)
		set = pattern_set_new(patterns, PATTERNS);
	pattern_set_scan(set, s, may);
	for (i = 0; i < PATTERNS; i++)
		if ((may[i / 8] & 1u << i % 8) != 0 &&
		    pattern_match(patterns[i], s, NULL, NULL) != TRUTH_NO)
			exit(1);
}

static void
match_there(void)
{
	size_t i;

	for (i = 0; i < PATTERNS; i++)
		if (pcre2_match(codes[i], (PCRE2_SPTR)decoded, n_decoded, 0,
		                PCRE2_NO_UTF_CHECK, data, NULL) !=
		    PCRE2_ERROR_NOMATCH)
			exit(1);
}

static void
make_patterns(void)
{
	struct arena *a = arena_new(0);
	char text[100];
	struct span why;
	size_t i, at;
	int error;

	data = pcre2_match_data_create(10, NULL);
	for (i = 0; i < PATTERNS; i++) {
		snprintf(text, sizeof(text), "\\b%s (offer|bonus|prize)s?\\b",
		         words[i]);
		patterns[i] = pattern_new(a, span_of(text), SPAN("i"), false,
		                          &why, &at);
		codes[i] = pcre2_compile((PCRE2_SPTR)text,
			PCRE2_ZERO_TERMINATED, PCRE2_CASELESS | PCRE2_UTF |
			PCRE2_UCP, &error, &at, NULL);
		pcre2_jit_compile(codes[i], PCRE2_JIT_COMPLETE);
	}
}

static double
measure(void (*work)(void))
{
	double best = 1e9, took;
	clock_t began;
	int i;

	for (i = 0; i < TURNS; i++) {
		began = clock();
		work();
		took = (double)(clock() - began) / CLOCKS_PER_SEC;
		best = took < best ? took : best;
	}
	return best * 1000;
}

int
main(void)
{
	double here, there;

	g_mime_init();
	make_text();
	make_patterns();
	there = measure(decode_there);
	here = measure(decode_here);
	printf("decoding 10 MB: %.1f ms, GMime alone %.1f ms: %.2f\n", here,
	       there, here / there);
	there = measure(match_there);
	here = measure(match_here);
	printf("ten patterns: %.1f ms, PCRE2 alone %.1f ms: %.2f (%s)\n", here,
	       there, here / there, pattern_prefilter());
	return 0;
}
