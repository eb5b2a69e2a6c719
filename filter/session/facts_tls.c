/*
 * facts_tls.c - the certificate that a client showed.
 */
#include <string.h>

#include "facts_answer.h"

/*
 * Was the client's certificate verified? Sendmail says {verify}; Postfix
 * names only a subject that it verified.
 */
static bool
is_verified(struct told *t)
{
	struct span verify = told_macro(t, SPAN("{verify}"));

	if (verify.p != NULL)
		return span_is(verify, SPAN("OK"));
	return told_macro(t, SPAN("{cert_subject}")).n > 0;
}

const struct fact *
get_tls_verified(struct told *t, const struct ask *ask, size_t rcpt)
{
	(void)ask;
	(void)rcpt;
	if (!is_verified(t))
		return &facts_absent;
	return facts_one(t, facts_text(t, SPAN("OK")));
}

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

/* xtext (RFC 3461 section 4), which Sendmail makes of names in certificates. */
static struct span
from_xtext(struct told *t, struct span s)
{
	char *text = arena_alloc(t->arena, s.n + 1), *to = text;
	size_t i;

	for (i = 0; text != NULL && i < s.n; i++) {
		if (s.p[i] == '+' && i + 2 < s.n &&
		    hex_digit(s.p[i + 1]) >= 0 && hex_digit(s.p[i + 2]) >= 0) {
			*to++ = (char)(hex_digit(s.p[i + 1]) * 16 +
			               hex_digit(s.p[i + 2]));
			i += 2;
		} else {
			*to++ = s.p[i];
		}
	}
	return (struct span){text, text == NULL ? 0 : (size_t)(to - text)};
}

/*
 * What Postfix calls the subject and issuer are their common names, which
 * Sendmail has as {cn_...}. Sendmail also names those of a certificate that
 * anybody could have made: they count for nothing.
 */
const struct fact *
get_tls_name(struct told *t, const struct ask *ask, size_t rcpt)
{
	bool subject = ask->subject->id == SUBJECT_TLS_SUBJECT;
	struct span cn = told_macro(t, subject ? SPAN("{cn_subject}") :
	                            SPAN("{cn_issuer}"));
	struct span name = told_macro(t, subject ? SPAN("{cert_subject}") :
	                              SPAN("{cert_issuer}"));
	struct span verify = told_macro(t, SPAN("{verify}"));

	(void)rcpt;
	if (verify.p != NULL && !span_is(verify, SPAN("OK")))
		return &facts_absent;
	if (cn.n > 0)
		name = cn;
	if (name.n == 0)
		return &facts_absent;
	if (verify.p != NULL) {
		name = from_xtext(t, name);
		if (name.p == NULL)
			return facts_no_memory(t);
	}
	return facts_one(t, facts_text(t, name));
}
