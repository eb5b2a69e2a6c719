/*
 * table_bench.c - what tables and sets of patterns cost.
 *
 *	make tests/bench/table_bench && tests/bench/table_bench [ENTRIES]
 */
#include <limits.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "diag.h"
#include "pattern.h"
#include "table.h"

static const struct place nowhere;
static struct arena *arena;
static struct diags *diags;
static uint64_t state = 0x9e3779b97f4a7c15u;

static size_t
chance(size_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (size_t)(state >> 11) % below;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static size_t
in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static void
die(const char *what)
{
	diags_print(diags, stderr);
	perror(what);
	exit(EXIT_FAILURE);
}

/* ---- tables ---- */

static int
print_address(char *out, size_t size, size_t i)
{
	return snprintf(out, size, "user%zu@host%zu.example.org", i, i % 5000);
}

static int
print_ip(char *out, size_t size, size_t i)
{
	return snprintf(out, size, "%zu.%zu.%zu.%zu", 1 + (i >> 24) % 200,
	                (i >> 16) % 256, (i >> 8) % 256, i % 256);
}

static struct table *
load(enum value_type type, size_t n, const char *name)
{
	char path[] = "/tmp/table_bench-XXXXXX", line[128];
	int fd = mkstemp(path);
	FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
	double begin;
	struct table *t;
	size_t i, before, after, text;

	if (out == NULL)
		die("mkstemp");
	for (i = 0; i < n; i++) {
		if (type == VALUE_IP)
			print_ip(line, sizeof(line), i);
		else
			print_address(line, sizeof(line), i);
		fprintf(out, "%s  login%zu\n", line, i);
	}
	text = (size_t)ftell(out);
	fclose(out);
	before = in_use();
	begin = now();
	t = table_file("t", path, nowhere, diags);
	unlink(path);
	if (t == NULL)
		die("table_file");
	table_ask_key(t, type, nowhere, diags);
	begin = now() - begin;
	after = in_use();
	if (diags_errors(diags) + diags_warnings(diags) > 0)
		die("entries");
	printf("%zu %s: loaded in %.2f s, %.1f bytes an entry beyond its "
	       "text of %.1f\n", n, name, begin,
	       (double)(after - before - text) / (double)n,
	       (double)text / (double)n);
	return t;
}

#define LOOKUPS 1000000

static void
look_up(const struct table *t, enum value_type type, size_t n, size_t from,
        const char *what)
{
	struct table_context context = {0};
	struct value *values = calloc(LOOKUPS, sizeof(*values));
	struct arena *texts = arena_new(0);
	size_t i, hits = 0;
	double begin;
	char *at, line[128];

	for (i = 0; i < LOOKUPS; i++) {
		struct value *v = &values[i];

		if (type == VALUE_IP)
			print_ip(line, sizeof(line), from + chance(n));
		else
			print_address(line, sizeof(line), from + chance(n));
		v->type = type;
		v->text = arena_copy(texts, span_of(line));
		at = strchr(line, '@');
		if (at != NULL) {
			v->local = (struct span){v->text.p,
			                         (size_t)(at - line)};
			v->domain = span_of(v->text.p + v->local.n + 1);
		} else if (!ip_parse(v->text, &v->ip)) {
			die("ip_parse");
		}
	}
	begin = now();
	for (i = 0; i < LOOKUPS; i++) {
		hits += table_find(t, &values[i], &context, arena, NULL) ==
		        TABLE_YES;
		arena_reset(arena);
	}
	begin = now() - begin;
	printf("  %s: %.0f ns a look-up, %zu of %d found\n", what,
	       begin / LOOKUPS * 1e9, hits, LOOKUPS);
	arena_free(texts);
	free(values);
}

static void
bench_table(enum value_type type, size_t n, const char *name)
{
	struct table *t = load(type, n, name);

	look_up(t, type, n, 0, "there");
	look_up(t, type, n, n, "not there");
	table_free(t);
}

/* ---- patterns ---- */

static struct pattern **
compile(size_t n, bool raw)
{
	struct pattern **p = calloc(n, sizeof(struct pattern *));
	struct span message;
	char text[128];
	size_t i, at;
	double begin = now();

	for (i = 0; i < n; i++) {
		snprintf(text, sizeof(text), i % 2 == 0 ?
		         "cheap +offer%zu[a-z]* (now|today)" :
		         "^.*@bulk%zu\\.(example|invalid)$", i);
		p[i] = pattern_new(arena, span_of(text), SPAN("i"), raw,
		                   &message, &at);
		if (p[i] == NULL)
			die("pattern_new");
	}
	printf("%zu patterns: compiled by PCRE2 in %.2f s\n", n,
	       now() - begin);
	return p;
}

/* Scans and confirms until a second is over; seconds for one. */
static double
scan(const struct pattern_set *set, struct pattern *const *p, size_t n,
     struct span subject, size_t *matched)
{
	unsigned char *may = malloc(pattern_set_bytes(set));
	double begin = now(), took;
	size_t i, times = 0;

	do {
		*matched = 0;
		pattern_set_scan(set, subject, may);
		for (i = 0; i < n; i++)
			if ((may[i / CHAR_BIT] & 1u << i % CHAR_BIT) != 0)
				*matched += pattern_match(p[i], subject, NULL,
				                          NULL) == TRUTH_YES;
		times++;
		took = now() - begin;
	} while (took < 1);
	free(may);
	return took / (double)times;
}

static struct span
make_body(size_t n)
{
	static const char words[][12] = {
		"lorem ", "ipsum ", "dolor ", "sit amet ", "elit\r\n", "sed ",
	};
	char *p = malloc(n + sizeof(words[0]));
	size_t at = 0;

	while (p != NULL && at < n) {
		const char *word = words[chance(sizeof(words) /
		                                sizeof(words[0]))];

		memcpy(p + at, word, strlen(word));
		at += strlen(word);
	}
	return (struct span){p, p == NULL ? 0 : at};
}

static void
bench_patterns(size_t n, struct span subject, bool raw, const char *what)
{
	struct pattern **p = compile(n, raw);
	double begin = now();
	struct pattern_set *set = pattern_set_new(p, n);
	size_t i, matched;

	printf("  set made in %.2f s (prefilter: %s)\n", now() - begin,
	       pattern_prefilter());
	printf("  %s: %.2f us, ", what, scan(set, p, n, subject, &matched) *
	       1e6);
	printf("%zu match\n", matched);
	pattern_set_free(set);
	for (i = 0; i < n; i++)
		pattern_free(p[i]);
	free(p);
}

static void
bench_all_patterns(void)
{
	struct span header = SPAN("Re: the cheap offer of last week, as "
	                          "agreed with sales@example.org");
	struct span body = make_body(10 << 20);

	bench_patterns(1000, header, false, "a header of 66 bytes");
	bench_patterns(10000, header, false, "a header of 66 bytes");
	bench_patterns(10, body, true, "a body of 10 MB");
	free((char *)(size_t)body.p);
}

int
main(int argc, char **argv)
{
	size_t n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;

	arena = arena_new(0);
	diags = diags_new();
	bench_table(VALUE_ADDRESS, n, "addresses");
	bench_table(VALUE_IP, n, "IP addresses");
	bench_all_patterns();
	pattern_prefilter_off();
	bench_all_patterns();
	diags_free(diags);
	arena_free(arena);
	return EXIT_SUCCESS;
}
