/* fill.h - the texts of actions, filled in. */
#ifndef FILL_H
#define FILL_H

#include "eval.h"

/* Is all there that the rule's texts fill in? Asks for it. */
bool fill_ready(struct evaluation *e, const struct rule *r);

/* What a text of what the rule notes fills in, and that fails; or NULL. A line
 * of the log may have a gap. */
const struct piece *fill_failed(struct evaluation *e, const struct rule *r);

/*
 * The text with ${...} and $1 filled in: valid UTF-8, each filling cut at
 * CAPS_FILL with "..." behind. p NULL: no memory.
 */
struct span fill_text(struct evaluation *e, const struct rule *r,
                      const struct text *t);

/*
 * The same for what replaces a match, or an attachment: what differs from
 * one to the next is left, the rest filled in. false: no memory.
 */
bool fill_replacement(struct evaluation *e, const struct rule *r,
                      const struct action *a, struct text *out);

/*
 * The text for one attachment, of a replacement: what is left comes from
 * give and from the groups of the pattern that chose it. p NULL: no memory.
 */
struct span fill_attachment(struct arena *a, const struct action *action,
                            const struct span *groups,
                            struct span (*give)(void *of, enum subject_id id),
                            void *of);

/* A text for a body, in the forms that it has. false: no memory. */
bool fill_body(struct evaluation *e, const struct rule *r,
               const struct action *a, struct effect *out);

/* What pieces without subjects make of a match's groups. p NULL: no memory. */
struct span fill_groups(struct arena *a, const struct text *t,
                        const struct span *groups);

/* The value that a question fills in: the one that decided, else the first;
 * NULL if there is none. */
const struct value *fill_value(struct evaluation *e, const struct rule *r,
                               size_t ask);

#endif
