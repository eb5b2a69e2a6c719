/*
 * doctor_postfix_mend.c - the lines of main.cf and master.cf that mend what
 * is found.
 */
#include <string.h>

#include "doctor_postfix_checks.h"

const char *
mend_file(const struct postfix *pf, const struct door *d, const char *name)
{
	return postfix_overrides(pf, d, name) ? "master.cf" : "main.cf";
}

struct span
mend_override(struct visit *v, const struct door *d, const char *name,
              struct span value)
{
	if (memchr(value.p, ' ', value.n) != NULL)
		return TEXT(v, "%.*s: -o { %s = %.*s }", SPAN_ARG(d->name),
		            name, SPAN_ARG(value));
	return TEXT(v, "%.*s: -o %s=%.*s", SPAN_ARG(d->name), name,
	            SPAN_ARG(value));
}

struct span
mend_line(struct visit *v, const struct postfix *pf, const struct door *d,
          const char *name, struct span value)
{
	if (!postfix_overrides(pf, d, name))
		return TEXT(v, "%s = %.*s", name, SPAN_ARG(value));
	return mend_override(v, d, name, value);
}

void
mend_value(struct visit *v, const struct postfix *pf, const struct door *d,
           struct span what, const char *name, struct span value)
{
	visit_find(v, d->name, what, mend_file(pf, d, name),
	           mend_line(v, pf, d, name, value));
}

struct span
mend_list_with(struct visit *v, struct span list, const struct entry *old,
               struct span spelling)
{
	struct span before = list, after = {"", 0};

	if (list.p == NULL || list.n == 0)
		return spelling;
	if (old == NULL || old->text.p == NULL)
		return TEXT(v, "%.*s, %.*s", SPAN_ARG(list),
		            SPAN_ARG(spelling));
	before.n = (size_t)(old->address.p - list.p);
	after.p = old->address.p + old->address.n;
	after.n = (size_t)(list.p + list.n - after.p);
	return TEXT(v, "%.*s%.*s%.*s", SPAN_ARG(before), SPAN_ARG(spelling),
	            SPAN_ARG(after));
}

void
mend_list(struct visit *v, const struct postfix *pf, const struct door *d,
          const struct entry *old, struct span what)
{
	struct span spelling = postfix_spelling(v, pf, d);
	struct span list = postfix_value(pf, d, d->milters);

	/* Of an entry that leads elsewhere the chroot has been told. */
	if (spelling.p == NULL && old == NULL &&
	    v->name.family == SOCKET_PATH)
		what = TEXT(v, "%.*s; its chroot hides that path, so move "
		            "the socket first", SPAN_ARG(what));
	if (spelling.p == NULL)
		visit_find(v, d->name, what, "policy", TEXT(v,
		           "set socket \"unix:%s/vaglio/milter.sock\"",
		           pf->queue));
	else
		mend_value(v, pf, d, what, d->milters,
		           mend_list_with(v, list, old, spelling));
}
