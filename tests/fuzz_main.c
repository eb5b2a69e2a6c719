/*
 * fuzz_main.c - drives a fuzz target without libFuzzer:
 *
 *	fuzz_X [-seconds N] [-seed S] [-runs N] [-only RUN] FILE...
 *
 * Each file is tried as it is, then mutations of all of them, until the
 * seconds (3) or the runs are over. A run depends on the seed, its number
 * and the files alone: what fails is said with the -seed and -only that
 * repeat it.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INPUT_MAX 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of the sanitizers, where they are built in. */
void __sanitizer_set_death_callback(void (*callback)(void))
	__attribute__((weak));
const char *__ubsan_default_options(void);

const char *
__ubsan_default_options(void)
{
	return "halt_on_error=1:print_stacktrace=1";
}

struct seed {
	uint8_t *p;
	size_t n;
};

static struct seed *seeds;
static size_t n_seeds;
static unsigned long long seed = 1, run;
static const char *program;

/* ---- chance: splitmix64 ---- */

static uint64_t state;

static uint64_t
next(void)
{
	uint64_t z = (state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static size_t
below(size_t n)
{
	return n == 0 ? 0 : (size_t)(next() % n);
}

/* ---- mutations ---- */

struct input {
	uint8_t p[INPUT_MAX];
	size_t n;
};

static void
cut(struct input *in, size_t at, size_t n)
{
	memmove(in->p + at, in->p + at + n, in->n - at - n);
	in->n -= n;
}

static void
insert(struct input *in, size_t at, const uint8_t *p, size_t n)
{
	if (n > INPUT_MAX - in->n)
		n = INPUT_MAX - in->n;
	memmove(in->p + at + n, in->p + at, in->n - at);
	memcpy(in->p + at, p, n);
	in->n += n;
}

static bool
blank(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* A piece of a file: from one blank to another, or anything. */
static struct seed
piece(void)
{
	struct seed s = seeds[below(n_seeds)];
	size_t at = below(s.n), end;

	if (s.n == 0)
		return s;
	while (at > 0 && !blank(s.p[at - 1]))
		at--;
	end = at + 1;
	do {
		while (end < s.n && !blank(s.p[end]))
			end++;
	} while (end < s.n && below(2) == 0 && ++end);
	if (below(4) == 0)
		end = at + 1 + below(s.n - at);
	return (struct seed){s.p + at, end - at};
}

static void
insert_piece(struct input *in, size_t at)
{
	struct seed s = piece();

	insert(in, at, s.p, s.n);
}

static void
insert_byte(struct input *in, size_t at)
{
	static const char marks[] = "\"\"{}()<>[],=/\\#$@.:; \t\r\n\0\x80\xff";
	uint8_t c = below(3) == 0 ? (uint8_t)next() :
		(uint8_t)marks[below(sizeof(marks) - 1)];

	insert(in, at, &c, 1);
}

/* Deep nesting and long runs are made of repeated pieces. */
static void
repeat(struct input *in, size_t at)
{
	struct seed s = piece();
	size_t times = below(300);

	while (times-- > 0)
		insert(in, at, s.p, s.n < 16 ? s.n : 16);
}

static void
mutate(struct input *in)
{
	size_t at = below(in->n + 1), left = in->n - at;

	switch (below(8)) {
	case 0:
		if (left > 0)
			in->p[at] ^= (uint8_t)(1u << below(8));
		break;
	case 1:
		insert_byte(in, at);
		break;
	case 2:
		cut(in, at, below(left < 32 ? left + 1 : 32));
		break;
	case 3:
		if (below(20) == 0)
			cut(in, at, left);
		break;
	case 4:
		if (below(10) == 0)
			repeat(in, at);
		break;
	case 5:
		cut(in, at, below(left < 8 ? left + 1 : 8));
		/* fall through */
	default:
		insert_piece(in, at);
	}
}

/* Input number run. */
static void
make(struct input *in)
{
	struct seed s;
	size_t times;

	if (run < n_seeds) {
		s = seeds[run];
		times = 0;
	} else {
		state = seed * 0x2545f4914f6cdd1du + run;
		s = seeds[below(n_seeds)];
		times = 1 + below(6);
	}
	in->n = 0;
	insert(in, 0, s.p, s.n);
	while (times-- > 0)
		mutate(in);
}

/* ---- running ---- */

static void
say_run(void)
{
	char text[200];
	int n = snprintf(text, sizeof(text),
	                 "\n%s: failed: -seed %llu -only %llu\n", program,
	                 seed, run);

	if (write(STDERR_FILENO, text, (size_t)n) == -1)
		_exit(1);
}

static void
on_signal(int number)
{
	say_run();
	signal(number, SIG_DFL);
	raise(number);
}

static void
watch(void)
{
	if (__sanitizer_set_death_callback != NULL)
		__sanitizer_set_death_callback(say_run);
	else
		signal(SIGSEGV, on_signal);
	signal(SIGABRT, on_signal);
}

static void
load(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct seed s = {malloc(INPUT_MAX), 0};

	if (f == NULL)
		return; /* a pattern of the shell's that matched nothing */
	seeds = realloc(seeds, (n_seeds + 1) * sizeof(*seeds));
	if (seeds == NULL || s.p == NULL)
		exit(99);
	s.n = fread(s.p, 1, INPUT_MAX, f);
	fclose(f);
	seeds[n_seeds++] = s;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A copy of its own size, so that a read past the end is noticed. */
static void
try(const struct input *in)
{
	uint8_t *copy = malloc(in->n == 0 ? 1 : in->n);

	if (copy == NULL)
		exit(99);
	memcpy(copy, in->p, in->n);
	LLVMFuzzerTestOneInput(copy, in->n);
	free(copy);
}

static int
usage(void)
{
	fprintf(stderr, "usage: %s [-seconds N] [-seed S] [-runs N] "
	        "[-only RUN] FILE...\n", program);
	return 64;
}

int
main(int argc, char **argv)
{
	static struct input in;
	unsigned long long runs = 0, only = 0;
	bool one = false;
	double end, seconds = 3;
	int i;

	program = argv[0];
	for (i = 1; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (strcmp(argv[i], "-seconds") == 0)
			seconds = atof(argv[i + 1]);
		else if (strcmp(argv[i], "-seed") == 0)
			seed = strtoull(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "-runs") == 0)
			runs = strtoull(argv[i + 1], NULL, 10);
		else if ((one = strcmp(argv[i], "-only") == 0))
			only = strtoull(argv[i + 1], NULL, 10);
		else
			return usage();
	}
	for (; i < argc; i++)
		load(argv[i]);
	if (n_seeds == 0)
		return usage();
	watch();
	end = now() + seconds;
	for (run = only; runs == 0 || run < runs; run++) {
		make(&in);
		try(&in);
		if (one || (run > n_seeds && run % 16 == 0 && now() >= end))
			break;
	}
	printf("%s: %llu runs, seed %llu\n", program, run, seed);
	while (n_seeds > 0)
		free(seeds[--n_seeds].p);
	free(seeds);
	return 0;
}
