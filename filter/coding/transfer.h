/* transfer.h - base64 and quoted-printable (RFC 2045 6.7, 6.8). */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stdbool.h>
#include <stddef.h>

#include <glib.h>

#include "span.h"

/*
 * What is no base64 is passed over; padding that is missing is no loss; what
 * stands behind padding begins anew. out has room for in.n + 4 bytes.
 */
size_t transfer_base64(struct span in, char *out);

/* How much that will be; *bad is set if it is not quite base64. */
size_t transfer_base64_size(struct span in, bool *bad);

/* The same, piece by piece: begins as zeros. */
struct base64 {
	unsigned bits;         /* of the letters of a group */
	size_t letters, pads;  /* in it */
	bool padded, bad;      /* there was padding; it is not quite base64 */
};

/* What is made, in out; NULL: it is only counted. */
size_t transfer_base64_some(struct base64 *b, struct span in, char *out);

/* Behind the last piece: what is made of what was left, at most 2 bytes. */
size_t transfer_base64_end(struct base64 *b, char *out);

/*
 * A "=" that begins nothing stands for itself, and *bad is set. out has room
 * for in.n bytes, or is NULL: the size only. Lines are decoded each by itself.
 */
size_t transfer_qp(struct span in, char *out, bool *bad);

/* ---- transfer_write.c ---- */

/*
 * Appends text, whose lines end in LF or CRLF, from the begin of a line on:
 * lines of at most 76 characters. No line begins with "--", so none is a
 * boundary.
 */
void transfer_write_qp(GString *out, struct span text);

/* Appends lines of 76 characters, without an end behind the last. */
void transfer_write_base64(GString *out, struct span bytes);

/*
 * Where in quoted-printable the byte stands that is decoded as number `at`:
 * what is put there, in lines of its own, stands before it.
 */
size_t transfer_qp_place(struct span in, size_t at);

#endif
