/* address.h - RFC 5321 paths and RFC 5322 address fields. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "arena.h"
#include "value.h"

/*
 * GMime made ready; any thread, any number of times. The functions below do
 * it themselves.
 */
void address_init(void);

/*
 * An envelope address as MAIL or RCPT gave it (RFC 5321 4.1.2): with or
 * without brackets, with a source route, quotes, a literal, "<>", a local
 * part alone. Fills v (VALUE_ADDRESS); what can't be parsed is v->bad with
 * its text made valid UTF-8. false: no memory.
 */
bool address_path(struct arena *a, struct span given, struct value *v);

/*
 * May this be handed to an MTA as an envelope address? Either empty (null,
 * if it is allowed) or local@domain or local that parse and hold no
 * control bytes, no blank outside quotes, no angle bracket.
 */
bool address_usable(struct span address);

/*
 * An IP address as MTAs write it in macros and Received fields, blanks round
 * it: with the tag "IPv6:" of RFC 5321 4.1.3 or without.
 */
bool address_ip(struct span s, struct ip *ip);

struct mailbox {
	struct value address;   /* bad if it can't be parsed */
	struct span name;       /* decoded display name, or p NULL */
};

/*
 * The mailboxes of one address field's value (RFC 5322 3.4), unfolded or
 * not: groups opened, names RFC 2047-decoded after the structure is known;
 * a comment behind an address alone is its name, others are left out. What
 * can't be parsed is a mailbox with a bad address: an address without a
 * domain and "<>" too. Where readers could differ about the address, each
 * that it may be is a mailbox ("a@x <b@y>"), or a bad one is among them. An
 * empty field, or an empty group, has none. false: no memory, or more than
 * CAPS_FIELD_WORDS (full is set then).
 */
bool address_field(struct arena *a, struct span value,
                   struct mailbox **boxes, size_t *n, bool *full);

/*
 * Behind the quoted string or the comment that begins at at; comments nest
 * (RFC 5322 3.2.2, 3.2.4). 0: it has no end.
 */
size_t address_quoted_end(struct span s, size_t at);
size_t address_comment_end(struct span s, size_t at);

/*
 * A header field's value on one line: a line end before a blank is left out,
 * any other CR or LF is a blank, none stands at the ends. Valid UTF-8, with
 * U+FFFD for what is not (also for 8-bit bytes in another charset: nobody
 * knows which) and for NUL. p NULL: no memory.
 */
struct span header_unfold(struct arena *a, struct span raw);

/*
 * The same, RFC 2047-decoded, once, by GMime; U+FFFD for what can't be.
 */
struct span header_decode(struct arena *a, struct span raw);

/*
 * value made fit for a header field: one line, CR LF NUL and other controls
 * a blank, what is not ASCII RFC 2047-encoded, folded at 78 with LF and a
 * blank, never a line above 998. header_decode gives the value back (without
 * blanks at its ends): a text that looks like an encoded word is encoded. In
 * an address field phrases and comments are encoded, addresses stay; a quoted
 * string may become encoded words. name: the field's. NUL-terminated. p NULL:
 * no memory.
 */
struct span header_encode(struct arena *a, struct span name, struct span value);

/*
 * The same for a value that is there: substs, in their order, are of what
 * header_decode makes of raw. Stretches that none of them touches keep their
 * bytes and folds; a fold is added only to a line that is touched.
 */
struct span header_rewrite(struct arena *a, struct span name, struct span raw,
                           const struct subst *substs, size_t n);

#endif
