#include <string.h>

#include "window.h"

int64_t
window_width(double seconds)
{
	return (int64_t)(seconds * 1000 / (WINDOW_PARTS - 1) + 0.999);
}

static uint64_t *
part(struct window *w, int64_t number)
{
	return &w->part[number % WINDOW_PARTS];
}

bool
window_idle(const struct window *w, int64_t width, int64_t now)
{
	int64_t number = now / width;

	return number - w->at >= WINDOW_PARTS || w->at - number >= WINDOW_PARTS;
}

void
window_move(struct window *w, int64_t width, int64_t now)
{
	int64_t number = now / width;

	if (window_idle(w, width, now)) {
		memset(w->part, 0, sizeof(w->part));
		w->at = number;
	}
	while (w->at < number)
		*part(w, ++w->at) = 0;
}

uint64_t
window_used(const struct window *w)
{
	uint64_t used = 0;
	int i;

	for (i = 0; i < WINDOW_PARTS; i++)
		used += w->part[i];
	return used;
}

void
window_add(struct window *w, uint64_t n)
{
	*part(w, w->at) += n;
}

void
window_take_back(struct window *w, int64_t width, uint64_t n, int64_t when)
{
	int64_t number = when / width;
	uint64_t *p;

	if (number > w->at)
		number = w->at;
	if (number <= w->at - WINDOW_PARTS)
		return;
	p = part(w, number);
	*p -= *p < n ? *p : n;
}

int64_t
window_when(const struct window *w, int64_t width)
{
	return (w->at + 1) * width - 1;
}

int64_t
window_free(const struct window *w, int64_t width, uint64_t most)
{
	int64_t number = w->at - WINDOW_PARTS + 1;
	uint64_t used = window_used(w);

	for (; number < w->at && used >= most; number++)
		used -= w->part[(number + WINDOW_PARTS) % WINDOW_PARTS];
	return (number + (used >= most) - 1 + WINDOW_PARTS) * width;
}

void
window_refit(struct window *w, int64_t from, int64_t to)
{
	struct window old = *w;
	int64_t number, into;

	memset(w, 0, sizeof(*w));
	w->at = ((old.at + 1) * from - 1) / to;
	for (number = old.at - WINDOW_PARTS + 1; number <= old.at; number++) {
		into = ((number + 1) * from - 1) / to;
		if (number >= 0 && w->at - into < WINDOW_PARTS)
			*part(w, into) += *part(&old, number);
	}
}
