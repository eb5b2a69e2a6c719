/*
 * stamp.h - the fields that say what was checked: Received-SPF (RFC 7208
 * 9.1) and Authentication-Results (RFC 8601).
 *
 * What a stranger chose (HELO, sender, a record's terms) stands in them as a
 * token, or quoted, so that it can't begin a result of its own. A value is
 * printable ASCII, folded by LF and a blank.
 */
#ifndef STAMP_H
#define STAMP_H

#include "spf.h"

/* What is known of the session. */
struct stamp {
	const struct spf_finding *mailfrom, *helo_found; /* NULL: not checked */
	struct span client;      /* as text; p NULL: none */
	struct span sender;      /* canonical; empty: the null sender */
	struct span helo;
	struct span mta;         /* our name */
	struct span authserv_id;
	struct span auth;        /* the login; p NULL: none */
};

/* The value of a Received-SPF. p NULL: no memory. */
struct span stamp_received_spf(struct arena *a, const struct stamp *s,
                               const struct spf_finding *f);

/* The value of an Authentication-Results. p NULL: no memory. */
struct span stamp_authentication_results(struct arena *a,
                                         const struct stamp *s);

/*
 * Could a reader take this value of an Authentication-Results for one of
 * ours, comments, quotes, folds and letters' case seen through?
 */
bool stamp_claims(struct span value, struct span authserv_id);

#endif
