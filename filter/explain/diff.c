#include <stdint.h>
#include <stdlib.h>

#include "diff.h"

#define CONTEXT 3
#define TABLE_MAX (16u << 20) /* cells; above, what differs is shown whole */

/* ' ' both, '-' a line of a, '+' a line of b; in the order of a diff. */
struct script {
	char *steps;
	size_t n;
};

static void
step(struct script *s, char what, size_t times)
{
	while (times-- > 0)
		s->steps[s->n++] = what;
}

/*
 * The longest common subsequence of the middles, by the table of its
 * lengths from each pair of places to the end.
 */
static bool
common(struct script *s, const struct span *a, size_t n, const struct span *b,
       size_t m)
{
	uint32_t *length, *cell;
	size_t i, j, width = m + 1;

	if (n == 0 || m == 0 || width > TABLE_MAX / (n + 1)) {
		step(s, '-', n);
		step(s, '+', m);
		return true;
	}
	length = calloc((n + 1) * width, sizeof(*length));
	if (length == NULL)
		return false;
	for (i = n; i-- > 0; )
		for (j = m; j-- > 0; ) {
			cell = &length[i * width + j];
			if (span_is(a[i], b[j]))
				*cell = cell[width + 1] + 1;
			else
				*cell = cell[1] > cell[width] ? cell[1] :
					cell[width];
		}
	for (i = j = 0; i < n || j < m; ) {
		cell = &length[i * width + j];
		if (i < n && j < m && span_is(a[i], b[j])) {
			step(s, ' ', 1);
			i++;
			j++;
		} else if (i < n && (j == m || cell[width] >= cell[1])) {
			step(s, '-', 1);
			i++;
		} else {
			step(s, '+', 1);
			j++;
		}
	}
	free(length);
	return true;
}

static bool
compare(struct script *s, const struct span *a, size_t n, const struct span *b,
        size_t m)
{
	size_t head = 0, tail = 0;

	while (head < n && head < m && span_is(a[head], b[head]))
		head++;
	while (tail < n - head && tail < m - head &&
	       span_is(a[n - 1 - tail], b[m - 1 - tail]))
		tail++;
	step(s, ' ', head);
	if (!common(s, a + head, n - head - tail, b + head, m - head - tail))
		return false;
	step(s, ' ', tail);
	return true;
}

/* A control character would move what stands round it on a terminal. */
static void
print_line(FILE *out, char mark, struct span line)
{
	size_t i;

	fputc(mark, out);
	for (i = 0; i < line.n; i++)
		fputc(((unsigned char)line.p[i] < 0x20 && line.p[i] != '\t') ||
		      line.p[i] == 0x7f ? '?' : line.p[i], out);
	fputc('\n', out);
}

/* The first step at or after i that is part of a hunk's change; or s->n. */
static size_t
next_change(const struct script *s, size_t i)
{
	while (i < s->n && s->steps[i] == ' ')
		i++;
	return i;
}

/* Where the hunk ends whose first change is at i. */
static size_t
hunk_end(const struct script *s, size_t i)
{
	size_t next;

	for (;;) {
		while (i < s->n && s->steps[i] != ' ')
			i++;
		next = next_change(s, i);
		if (next == s->n || next - i > 2 * CONTEXT)
			return i + CONTEXT < s->n ? i + CONTEXT : s->n;
		i = next;
	}
}

/* Steps from..to; x and y are the lines of a and b at from. */
static void
print_hunk(FILE *out, const struct script *s, size_t from, size_t to,
           const struct span *a, size_t x, const struct span *b, size_t y)
{
	size_t i, n = 0, m = 0;

	for (i = from; i < to; i++) {
		n += s->steps[i] != '+';
		m += s->steps[i] != '-';
	}
	fprintf(out, "@@ -%zu,%zu +%zu,%zu @@\n", x + (n > 0), n,
		y + (m > 0), m);
	for (i = from; i < to; i++) {
		print_line(out, s->steps[i],
			s->steps[i] == '+' ? b[y] : a[x]);
		x += s->steps[i] != '+';
		y += s->steps[i] != '-';
	}
}

static void
print_hunks(FILE *out, const struct script *s, const struct span *a,
            const struct span *b)
{
	size_t at = 0, x = 0, y = 0, change, from, to;

	while ((change = next_change(s, at)) < s->n) {
		from = change - at > CONTEXT ? change - CONTEXT : at;
		to = hunk_end(s, change);
		for (; at < from; at++, x++, y++)
			; /* what is left out is alike in both */
		print_hunk(out, s, from, to, a, x, b, y);
		for (; at < to; at++) {
			x += s->steps[at] != '+';
			y += s->steps[at] != '-';
		}
	}
}

bool
diff_print(FILE *out, const struct diff_text *a, const struct diff_text *b)
{
	struct script s = {malloc(a->n + b->n + 1), 0};
	bool done = s.steps != NULL &&
		compare(&s, a->lines, a->n, b->lines, b->n);

	if (done && next_change(&s, 0) < s.n) {
		fprintf(out, "--- %s\n+++ %s\n", a->name, b->name);
		print_hunks(out, &s, a->lines, b->lines);
	}
	free(s.steps);
	return done;
}
