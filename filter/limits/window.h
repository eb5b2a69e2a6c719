/*
 * window.h - a count that forgets, in sixteen parts.
 *
 * A part is a fifteenth of the limit's time. The parts that a window holds
 * go back that time at least, and a part longer at most: so never more than
 * the limit fits into any such time, and what was counted is forgotten
 * between one time and sixteen fifteenths of it later.
 *
 * Times are milliseconds since 1970; width is that of a part.
 */
#ifndef WINDOW_H
#define WINDOW_H

#include <stdbool.h>
#include <stdint.h>

#define WINDOW_PARTS 16

struct window {
	int64_t at;                    /* the number of the newest part */
	uint64_t part[WINDOW_PARTS];   /* by number, modulo */
};

/* The width of a part for a limit's time in seconds. */
int64_t window_width(double seconds);

/*
 * Forgets what is past. A clock that was set back a little is waited for;
 * if it was set back by more than the window, all is forgotten.
 */
void window_move(struct window *w, int64_t width, int64_t now);

/* Would all be forgotten? */
bool window_idle(const struct window *w, int64_t width, int64_t now);

/* Of a window that was moved to now. */
uint64_t window_used(const struct window *w);
void window_add(struct window *w, uint64_t n);

/*
 * The last time of the newest part, which stays that of what is added to it
 * now, whatever a clock that was set back says, and in another width.
 */
int64_t window_when(const struct window *w, int64_t width);

/* Takes back what was added at a time, as far as it is still counted. */
void window_take_back(struct window *w, int64_t width, uint64_t n,
                      int64_t when);

/* When less than most will be used. */
int64_t window_free(const struct window *w, int64_t width, uint64_t most);

/* The same counts in parts of another width, none forgotten too early. */
void window_refit(struct window *w, int64_t from, int64_t to);

#endif
