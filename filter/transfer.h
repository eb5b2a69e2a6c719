/* transfer.h - base64 and quoted-printable (RFC 2045 6.7, 6.8). */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include "span.h"

/*
 * What is no base64 is passed over; padding that is missing is no loss; what
 * stands behind padding begins anew. out has room for in.n + 4 bytes.
 */
size_t transfer_base64(struct span in, char *out);

/* How much that will be; *bad is set if it is not quite base64. */
size_t transfer_base64_size(struct span in, bool *bad);

/*
 * A "=" that begins nothing stands for itself, and *bad is set. out has room
 * for in.n bytes, or is NULL: the size only.
 */
size_t transfer_qp(struct span in, char *out, bool *bad);

#endif
