/* address.h - RFC 5321 paths and RFC 5322 address fields. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "arena.h"
#include "value.h"

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

#endif
