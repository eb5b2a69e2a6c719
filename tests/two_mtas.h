/*
 * two_mtas.h - a header changed as Postfix and as Sendmail do it: they differ
 * in what an index means once a field of the name is gone, and in where one
 * is added whose name is there already.
 */
#ifndef TWO_MTAS_H
#define TWO_MTAS_H

#include "message.h"

enum mta { POSTFIX, SENDMAIL };

/*
 * Makes the changes as mta would, on the header that m was told; true if the
 * outcome is m's working copy.
 */
bool mta_agrees(const struct message *m, enum mta mta,
                const struct change *changes, size_t n);

/*
 * May each be handed to libmilter? NUL-terminated, no CR, no LF without a
 * blank behind it, no line too long; no other control and no 8-bit byte but in
 * a value that came with it and was changed elsewhere; additions of recipients
 * before removals, in the order of session.h.
 */
bool changes_are_fit(const struct change *changes, size_t n);

#endif
