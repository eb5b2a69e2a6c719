#include "cut.h"

struct span
cut_transferred(const struct mime_part *p)
{
	return p->encoded.p != NULL ? p->encoded : p->bytes;
}

bool
cut_may(const struct edit *e, const bool *goes, size_t part)
{
	const struct mime *m = e->mime;
	struct span bytes = cut_transferred(&m->parts[part]);
	struct span base = e->splice.base;
	size_t parent = m->parts[part].parent, i;
	bool alone = true;

	if (parent == MIME_NONE || !m->parts[parent].multipart ||
	    bytes.p + bytes.n == base.p + base.n)
		return false;
	for (i = parent + 1; i < m->n_parts && alone; i++)
		alone = m->parts[i].parent != parent || goes[i];
	for (i = parent + 1; alone && i < part; i++)
		if (m->parts[i].parent == parent)
			return true; /* the first of them stays, empty */
	return !alone;
}

bool
cut_part(struct edit *e, size_t part)
{
	const struct mime_part *p = &e->mime->parts[part];
	struct span bytes = cut_transferred(p);
	const char *begin = p->header.p, *end = bytes.p + bytes.n;
	const char *first = e->splice.base.p;
	const char *last = first + e->splice.base.n;

	if (begin > first)
		begin--;
	while (begin > first && begin[-1] != '\n')
		begin--;
	if (end < last && *end == '\r')
		end++;
	if (end < last && *end == '\n')
		end++;
	return edit_replace(e, (struct span){begin, (size_t)(end - begin)},
	                    SPAN(""));
}
