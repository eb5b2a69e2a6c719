/*
 * url.h - URLs as browsers read them (WHATWG URL Standard): what is sloppy,
 * or written to be read otherwise by a filter, leads where it leads them.
 */
#ifndef URL_H
#define URL_H

#include "arena.h"

struct url {
	struct span scheme;    /* in lower case */
	struct span authority; /* user information, host and port, as written */
	struct span host;      /* in its normal form; p NULL: it has none */
	bool bad;              /* host is none that a browser would ask */
	bool special;          /* a scheme of which browsers know the form */
	struct span text;      /* all of it, scheme and host in normal form */
};

/* ICU's data is there: NULL, or why not. Before all others. */
const char *url_open(void);

enum url_end {
	URL_READ,
	URL_NONE, /* it is empty, a place in the page, or relative to nothing */
	URL_NO_MEMORY,
};

/*
 * Reads text, which is valid UTF-8; base is a URL that was read, or NULL.
 * What is found is in a, or in text.
 */
enum url_end url_read(struct arena *a, struct span text,
                      const struct url *base, struct url *u);

#endif
