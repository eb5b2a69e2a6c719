/*
 * message.h - the header as it came, and what is to become of it.
 *
 * Effects are applied to a working copy, each on the result of the one
 * before; message_changes then gives the difference in the order and with
 * the indices that Postfix and Sendmail both take.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "policy.h"

/* What to change in a message that was let in; in this order. */
enum change_kind {
	CHANGE_HEADER,   /* name, index (from 1, of that name as received),
	                    value; value.p NULL: remove */
	INSERT_HEADER,   /* at index 0 or 1 */
	ADD_HEADER,      /* at the end: index CHANGE_AT_END, or 0 for one
	                    that may take the place of the MTA's own */
	CHANGE_SENDER,   /* value */
	ADD_RCPT,        /* value */
	REMOVE_RCPT,     /* value: as the client spelt it */
	HOLD,            /* value: the reason */
	REPLACE_BODY,    /* value: a piece of the new body, one after the
	                    other; no NUL behind it */
};

/* Where to insert what goes behind the last field. */
#define CHANGE_AT_END 0x7fffffffu

struct change {
	enum change_kind kind;
	unsigned index;
	struct span name, value; /* NUL-terminated, but for a body's piece */
};

struct message;

struct field {
	struct span name;
	struct span raw;      /* as it came, folds and all, without the blank
	                         behind the colon */
	struct span decoded;  /* by header_decode, when first asked; p NULL */
};

/* NULL without memory. */
struct message *message_new(struct arena *a);

/* false: a limit of caps.h is reached, or no memory. */
bool message_add_field(struct message *m, struct span name, struct span raw);

/* The fields as they came, numbered from 0 from the top. */
size_t message_fields(const struct message *m);
const struct field *message_field(const struct message *m, size_t i);

/* Decoded once. p NULL: no memory. */
struct span message_decoded(struct message *m, size_t i);

/*
 * Carries out one effect on the working copy. Of several fields prepended,
 * the last stands on top. false: why says what is wrong (an address that is
 * none, a pattern's limit, no memory), NUL-terminated.
 */
bool message_apply(struct message *m, const struct effect *e, struct span *why);

/*
 * Did the effect applied last find what it is for: a field that it matches, a
 * recipient to be added?
 */
bool message_found(const struct message *m);

/* A new field at the top of the working copy, its value as it goes out. */
bool message_insert(struct message *m, struct span name, struct span raw);

/*
 * The first field of that name in the working copy gets this value, as it
 * goes out, and others of the name are removed; added if there is none.
 */
bool message_set_field(struct message *m, struct span name, struct span raw);

/*
 * Removes from the working copy each field of the name that is_meant is true
 * for: it is asked of the value as it came, and of the decoded one.
 */
bool message_remove_fields(struct message *m, struct span name,
                           bool (*is_meant)(struct span value, void *of),
                           void *of);

/* Likewise each field whose name is_meant is true for. false: no memory. */
bool message_remove_named(struct message *m,
                          bool (*is_meant)(struct span name));

/*
 * The envelope's side of the working copy. given: as the client spelt it.
 * The number of a recipient is its number in the review. Who is dropped or
 * removed is so before the first effect.
 */
bool message_set_sender(struct message *m, struct span given);
bool message_add_rcpt(struct message *m, struct span given);
/* refused: it never was one */
void message_drop_rcpt(struct message *m, size_t rcpt);
/* discarded */
void message_remove_rcpt(struct message *m, size_t rcpt);

/*
 * The difference: nothing for a value or an address that is again what it
 * was. Addresses of ours are in brackets. false: no memory.
 */
bool message_changes(struct message *m, const struct change **changes,
                     size_t *n);

/*
 * The working copy, for explain's diff and the tests' expectations: values
 * as they are sent, encoded and folded; addresses canonical, no brackets.
 */
size_t message_result_fields(const struct message *m);
struct span message_result_name(const struct message *m, size_t i);
struct span message_result_value(const struct message *m, size_t i);
/* name and raw of all of them: message_result_fields. */
void message_result_all(const struct message *m, struct field *fields);
size_t message_result_rcpts(const struct message *m);
struct span message_result_rcpt(const struct message *m, size_t i);
struct span message_result_sender(const struct message *m);
bool message_held(const struct message *m);

#endif
