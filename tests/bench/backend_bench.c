/*
 * backend_bench.c - look-ups of one table:
 *
 *	backend_bench KIND ARGUMENT KEYS THREADS
 *
 * asks it for each line of the file KEYS, as a text, in so many threads that
 * share them. tests/bench/backends calls it. Prints the seconds that opening
 * took, those of the look-ups, how many were found, and the kilobytes of the
 * process that the table made more.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "backend.h"

#define THREADS 64

struct share {
	const struct table *table;
	const struct span *keys;
	size_t n, found, failed;
	pthread_t thread;
};

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
die(const char *what)
{
	fprintf(stderr, "backend_bench: %s\n", what);
	exit(EXIT_FAILURE);
}

/* Resident, shared memory (of a copied file) among it. */
static long
kilobytes(void)
{
	char line[256];
	long kb = 0;
	FILE *f = fopen("/proc/self/status", "r");

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, "VmRSS:", 6) == 0)
			kb = strtol(line + 6, NULL, 10);
	if (f != NULL)
		fclose(f);
	return kb;
}

static struct span *
read_keys(struct arena *a, const char *path, size_t *n)
{
	FILE *f = fopen(path, "r");
	struct span *keys = NULL, *slot;
	char line[1024];

	if (f == NULL)
		die(path);
	while (fgets(line, sizeof(line), f) != NULL) {
		slot = arena_grow(a, &keys, n, sizeof(*keys));
		if (slot == NULL)
			die("no memory");
		*slot = arena_copy(a, span_trim(span_of(line)));
	}
	fclose(f);
	return keys;
}

static struct table *
open_table(const char *kind, const char *argument, struct diags *d)
{
	static const struct backend_options none;
	const struct place nowhere = {NULL, 0, 0};
	struct table *t;

	if (strcmp(kind, "file") != 0)
		return table_backend("t", backend_find(span_of(kind)),
		                     argument, &none, nowhere, d);
	t = table_file_watched("t", argument, nowhere, d);
	if (t != NULL)
		table_ask_key(t, VALUE_TEXT, nowhere, d);
	return t;
}

static void *
look_up(void *of)
{
	struct share *s = of;
	struct arena *a = arena_new(0);
	struct table_context context = {0};
	struct table_answer answer;
	struct value v = {.type = VALUE_TEXT};
	enum table_result r;
	size_t i;

	for (i = 0; i < s->n; i++) {
		v.text = s->keys[i];
		r = table_find(s->table, &v, &context, a, &answer);
		s->found += r == TABLE_YES && answer.n == 1;
		s->failed += r == TABLE_FAILED;
		arena_reset(a);
	}
	arena_free(a);
	return NULL;
}

int
main(int argc, char **argv)
{
	struct arena *a = arena_new(0);
	struct diags *d = diags_new();
	struct share shares[THREADS];
	size_t threads, n = 0, i, found = 0, failed = 0;
	struct span *keys;
	double begun, opened, asked;
	long before;
	struct table *t;

	if (argc != 5 || (threads = strtoul(argv[4], NULL, 10)) == 0 ||
	    threads > THREADS)
		die("KIND ARGUMENT KEYS THREADS");
	keys = read_keys(a, argv[3], &n);
	before = kilobytes();
	begun = now();
	t = open_table(argv[1], argv[2], d);
	diags_print(d, stderr);
	if (t == NULL || diags_errors(d) > 0)
		die("no table");
	opened = now() - begun;
	begun = now();
	for (i = 0; i < threads; i++) {
		shares[i] = (struct share){.table = t, .n = n / threads,
		                           .keys = keys + i * (n / threads)};
		if (pthread_create(&shares[i].thread, NULL, look_up,
		                   &shares[i]) != 0)
			die("no thread");
	}
	for (i = 0; i < threads; i++) {
		pthread_join(shares[i].thread, NULL);
		found += shares[i].found;
		failed += shares[i].failed;
	}
	asked = now() - begun;
	printf("%.3f %.3f %zu %zu %ld\n", opened, asked, found, failed,
	       kilobytes() - before);
	table_free(t);
	diags_free(d);
	arena_free(a);
	return EXIT_SUCCESS;
}
