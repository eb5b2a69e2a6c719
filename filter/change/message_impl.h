/*
 * message_impl.h - a message inside, for the message*.c alone.
 */
#ifndef MESSAGE_IMPL_H
#define MESSAGE_IMPL_H

#include "message.h"

#define NOBODY ((size_t)-1)

/* A field of the working copy. */
struct line {
	struct field field;
	size_t index;      /* of the field as received, from 1; 0: new */
	bool removed;
	bool changed;
};

/* A recipient of the working copy. */
struct rcpt {
	struct span given;     /* as the client spelt it */
	struct span address;   /* canonical */
	bool added;            /* by us: the MTA does not have it */
	bool refused;          /* by the MTA or us: it never was one */
	size_t owners;         /* who get the mail by it; 0: nobody */
};

struct message {
	struct arena *arena;
	struct field *fields;
	size_t n_fields, bytes;
	struct line *lines;    /* those received, then those added */
	size_t n_lines;
	bool copied;           /* lines has the fields received */
	struct line *tops;     /* prepended; the last stands on top */
	size_t n_tops;
	struct rcpt *rcpts;    /* those of the client, then those added */
	size_t n_rcpts;
	size_t *now;           /* each client's recipient: its entry by now,
	                          or NOBODY */
	size_t n_now;
	size_t *slots;         /* entries by address: number + 1, or 0; made
	                          for the first effect on recipients */
	size_t n_slots;        /* a power of two, or 0 */
	struct span sender, new_sender;
	bool held;
	struct span reason;
	bool found;            /* message_found */
};

/* ---- message.c ---- */

/* The field's value, decoded once. p NULL: no memory. */
struct span message_read(struct message *m, struct field *f);

/* ---- message_header.c, message_envelope.c ---- */

/* One effect of theirs on the working copy; as message_apply. */
bool message_apply_header(struct message *m, const struct effect *e,
                          struct span *why);
bool message_apply_envelope(struct message *m, const struct effect *e,
                            struct span *why);

#endif
