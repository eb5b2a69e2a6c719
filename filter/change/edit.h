/*
 * edit.h - the body of a message that is let in, while it is changed.
 *
 * Each change acts on the result of those before: it takes the parts as they
 * are by then, replaces ranges of their bytes and fields of their headers,
 * and names nothing else. What goes out is the body as it came, but for
 * these ranges.
 */
#ifndef EDIT_H
#define EDIT_H

#include "body.h"
#include "message.h"
#include "mime.h"
#include "splice.h"

struct edit {
	struct arena *arena;
	struct message *message; /* with the header's working copy */
	bool utf8;               /* for mime_parse */
	struct span came;        /* the body as it came */
	struct splice splice;    /* on what the changes before made of it */
	struct body whole;       /* that, if there were any */
	struct mime *mime;       /* once asked */
	struct field *fields;    /* the working copy's, then */
	size_t n_fields;
	struct edit_note *notes;
	size_t n_notes;
	struct edit_taken *taken;
	size_t n_taken;
};

struct edit_note {
	const struct effect *effect;
	const char *why;
};

/* An attachment that is gone, or that a text replaced. */
struct edit_taken {
	const struct effect *effect;
	struct span name; /* that chose it; without one, its type */
};

/* body stays the caller's. */
void edit_begin(struct edit *e, struct arena *a, struct message *m,
                struct span body, bool utf8);

/* Gives back what the arena does not have. */
void edit_end(struct edit *e);

/*
 * The parts of the message as it now is, parsed anew after each change. For
 * one change: what it then replaces is of these. NULL: no memory. It may be
 * that mime_ok is not: then not all of the parts are there.
 */
struct mime *edit_parts(struct edit *e);

/* Do these bytes stand in the body? Not those of an encoded multipart. */
bool edit_holds(const struct edit *e, struct span bytes);

/* The body from these bytes on, which may be none, to its end. */
struct span edit_from(const struct edit *e, struct span bytes);

/*
 * Bytes of the body (none: something is inserted there) become text, which
 * lives as long as the edit. false: no memory, or they are replaced already.
 */
bool edit_replace(struct edit *e, struct span bytes, struct span text);

/*
 * The value of a field of a part's header, of the first one with that name:
 * folds and all, without the blank behind the colon. p NULL: there is none.
 * Part 0 is the message itself.
 */
struct span edit_field(const struct edit *e, size_t part, struct span name);

/*
 * The field that a header begins with, folds and line end too; *rest is then
 * what follows.
 */
struct span edit_next_field(struct span *rest);

/* Sets it, or adds the field. false: as edit_replace. */
bool edit_set_field(struct edit *e, size_t part, struct span name,
                    struct span value);

/*
 * An effect, or part of it, is left out. For the log, and explain; in few
 * words of ASCII. false: no memory.
 */
bool edit_leave_out(struct edit *e, const struct effect *effect,
                    const char *why);

/* An attachment was taken out. Likewise. */
bool edit_take(struct edit *e, const struct effect *effect, struct span name);

/* ---- what came out ---- */

/* Why it was, or NULL. */
const char *edit_left_out(const struct edit *e, const struct effect *effect);

/* Is the body, byte for byte, the one that came? */
bool edit_is_same(const struct edit *e);

/* The body as it is now. p NULL: no memory. */
struct span edit_result(const struct edit *e);

/*
 * Adds what there is to tell the MTA to the n changes: REPLACE_BODY, once
 * for each piece of the new body. Nothing if it is the same. false: no memory.
 */
bool edit_changes(const struct edit *e, const struct change **changes,
                  size_t *n);

#endif
