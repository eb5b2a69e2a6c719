/* spf_macro.h - macro strings (RFC 7208 7). */
#ifndef SPF_MACRO_H
#define SPF_MACRO_H

#include "arena.h"

enum spf_macro_kind {
	SPF_DOMAIN_SPEC,
	SPF_MACRO_STRING,
	SPF_EXPLAIN_STRING, /* blanks too */
};

/* Does the text follow the grammar? *why says what is wrong, if not NULL. */
bool spf_macro_ok(struct span text, enum spf_macro_kind kind,
                  const char **why);

/* What macros stand for. */
struct spf_macro {
	struct span sender, local, domain; /* %{s} %{l} %{o} */
	struct span current;               /* %{d} */
	struct span helo;
	struct span receiver;
	unsigned char client[16];          /* IPv4-mapped for IPv4 */
	bool v4;
	/* %{p}, which takes look-ups; asked when it is needed */
	struct span (*client_name)(void *of);
	void *of;
};

/*
 * The text, spf_macro_ok, with its macros expanded, cut at SPF_EXPANDED
 * bytes. p NULL without memory. *never (may be NULL) is
 * set where %{s} or %{l} stands for a local part that is not ASCII: such a
 * term never matches (RFC 8616 4).
 */
#define SPF_EXPANDED 65536
struct span spf_macro_expand(struct arena *a, struct span text,
                             const struct spf_macro *m, bool *never);

/*
 * The same as a name to look up: without the dot at its end, labels cut from
 * the left to 253 bytes (RFC 7208 7.3). What is too long to be expanded in
 * full never matches.
 */
struct span spf_macro_name(struct arena *a, struct span text,
                           const struct spf_macro *m, bool *never);

#endif
