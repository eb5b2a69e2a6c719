/* cut.h - parts taken out of a multipart. */
#ifndef CUT_H
#define CUT_H

#include "edit.h"

/*
 * May it be cut out if these of the parts go? Something stays in a multipart:
 * of parts that go together the first, which is then to be replaced. So does
 * a part with no boundary behind it: the one before it is the end of another.
 */
bool cut_may(const struct edit *e, const bool *goes, size_t part);

/*
 * Takes it out, from the line of the boundary before it to the one behind
 * it. false: as edit_replace.
 */
bool cut_part(struct edit *e, size_t part);

/* The bytes of a part as they stand in the body. */
struct span cut_transferred(const struct mime_part *p);

#endif
