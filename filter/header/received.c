/*
 * received.c - the shapes that MTAs give to a Received field.
 *
 *   from HELO (NAME [IP])         Postfix, Sendmail, Courier and most others
 *   from HELO ([IP])              the same without a name; Domino, Exchange
 *   from HELO (IP)                Exchange, PowerMTA
 *   from NAME ([IP] helo=HELO)    Exim
 *   from [IP] (helo=HELO)         Exim, for a client without a name
 *   from NAME (HELO HELO) (IP)    qmail; IronPort with brackets, Yahoo
 *   from [IP] (HELO HELO)         CommuniGate
 *
 * HELO is the client's own word and may look like an address. Some of them
 * write it behind the address, and some in a comment of its own.
 */
#include <string.h>

#include "address.h"
#include "ascii.h"
#include "received.h"

static struct span
skip_blanks(struct span s)
{
	while (s.n > 0 && ascii_is_space(s.p[0]))
		s = span_from(s, 1);
	return s;
}

static struct span
trimmed(struct span s)
{
	s = skip_blanks(s);
	while (s.n > 0 && ascii_is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

/* Up to a blank or a parenthesis; *s then begins with what follows. */
static struct span
take_word(struct span *s)
{
	struct span word = {s->p, 0};

	while (word.n < s->n && !ascii_is_space(s->p[word.n]) &&
	       s->p[word.n] != '(')
		word.n++;
	*s = skip_blanks(span_from(*s, word.n));
	return word;
}

/* comment = "(" ... ")", nested; without its outer parentheses. */
static bool
take_comment(struct span *s, struct span *comment)
{
	unsigned depth = 0;
	size_t i;

	if (s->n == 0 || s->p[0] != '(')
		return false;
	for (i = 0; i < s->n; i++) {
		if (s->p[i] == '\\' && i + 1 < s->n)
			i++;
		else if (s->p[i] == '(')
			depth++;
		else if (s->p[i] == ')' && --depth == 0)
			break;
	}
	if (i >= s->n)
		return false;
	*comment = trimmed((struct span){s->p + 1, i - 1});
	*s = skip_blanks(span_from(*s, i + 1));
	return true;
}

/* "[" ip "]" at the beginning of s, which then is what follows. */
static bool
take_bracketed(struct span *s, struct ip *ip)
{
	const char *end = s->n > 0 && s->p[0] == '['
		? memchr(s->p, ']', s->n) : NULL;
	size_t n;

	if (end == NULL)
		return false;
	n = (size_t)(end - s->p);
	if (!address_ip((struct span){s->p + 1, n - 1}, ip))
		return false;
	*s = span_from(*s, n + 1);
	return true;
}

/* "[" ip "]", with a port behind it or not, and nothing else */
static bool
is_bracketed(struct span s, struct ip *ip)
{
	if (!take_bracketed(&s, ip))
		return false;
	return s.n == 0 || s.p[0] == ':';
}

/* [ ident "@" ] ( ip / "[" ip "]" ) */
static bool
is_address(struct span s, struct ip *ip)
{
	size_t at = s.n;

	while (at > 0 && s.p[at - 1] != '@')
		at--;
	s = span_from(s, at);
	return address_ip(s, ip) || is_bracketed(s, ip);
}

/* The word behind key, where that begins a word; p NULL if nowhere. */
static struct span
value_of(struct span s, struct span key)
{
	struct span word = {NULL, 0};
	size_t i;

	for (i = 0; i + key.n <= s.n; i++)
		if ((i == 0 || ascii_is_space(s.p[i - 1])) &&
		    span_begins_nocase(span_from(s, i), key)) {
			s = span_from(s, i + key.n);
			return take_word(&s);
		}
	return word;
}

/* Exim's: nothing but helo=, port= and ident= */
static bool
is_of_exim(struct span s)
{
	struct span word;

	while (s.n > 0) {
		word = take_word(&s);
		if (!span_begins_nocase(word, SPAN("helo=")) &&
		    !span_begins_nocase(word, SPAN("port=")) &&
		    !span_begins_nocase(word, SPAN("ident=")))
			return false;
	}
	return true;
}

/* CommuniGate: "account" login, before all else */
static struct span
without_account(struct span s)
{
	if (span_begins_nocase(s, SPAN("account "))) {
		take_word(&s);
		take_word(&s);
	}
	return s;
}

/* "HELO" or "EHLO" and the name, as a comment of its own */
static bool
is_helo(struct span s, struct span *helo)
{
	if (!span_begins_nocase(s, SPAN("HELO ")) &&
	    !span_begins_nocase(s, SPAN("EHLO ")))
		return false;
	*helo = trimmed(span_from(s, 5));
	return true;
}

/* name "[" ip "]" [ comment / "verified" ], or the ip alone */
static bool
named(struct span s, struct ip *ip)
{
	struct span rest = s, comment;

	take_word(&rest);
	if (rest.n == 0)
		return is_address(s, ip);
	if (!take_bracketed(&rest, ip))
		return false;
	rest = skip_blanks(rest);
	if (take_comment(&rest, &comment))
		return rest.n == 0;
	return rest.n == 0 || span_is(rest, SPAN("verified"));
}

/* The name and the comments behind "from": the first and the last of n. */
static bool
client(struct span from, struct span first, struct span last, size_t n,
       struct ip *ip, struct span *helo)
{
	struct span told;

	*helo = from;
	first = without_account(first);
	if (is_helo(first, helo)) /* what ends it comes last, then */
		return n > 1 ? is_address(last, ip) : is_bracketed(from, ip);
	if (first.n > 0 && is_of_exim(first)) {
		told = value_of(first, SPAN("helo="));
		if (told.p != NULL)
			*helo = told;
		return is_bracketed(from, ip);
	}
	if (!take_bracketed(&first, ip))
		return named(first, ip);
	told = value_of(first, SPAN("helo="));
	if (told.p != NULL)
		*helo = told;
	return true;
}

/* Dovecot, told by a socket: "from" name "by" name "with LMTP" */
static bool
is_lmtp(struct span s)
{
	if (!span_is_nocase(take_word(&s), SPAN("by")))
		return false;
	take_word(&s);
	return span_is_nocase(take_word(&s), SPAN("with")) &&
		span_begins_nocase(take_word(&s), SPAN("LMTP"));
}

static enum received
from(struct span s, struct ip *ip, struct span *helo)
{
	struct span name = take_word(&s), first, last;
	size_t n = 0;

	if (name.n == 0)
		return RECEIVED_UNREADABLE;
	while (take_comment(&s, &last))
		if (n++ == 0)
			first = last;
	if (n == 0)
		return is_lmtp(s) ? RECEIVED_WITHIN : RECEIVED_UNREADABLE;
	return client(name, first, last, n, ip, helo) ? RECEIVED_FROM
		: RECEIVED_UNREADABLE;
}

/*
 * Postfix (aliases, .forward, pickup): "by" name "(Postfix" ... ")";
 * Sendmail's submission: "(from" login ")" "by" name; qmail-queue:
 * "(qmail" number "invoked" ... ")". A "by" alone could be of a host that
 * tells nobody whom it has mail from.
 */
static enum received
within(struct span s)
{
	struct span comment = {NULL, 0};
	bool submitted = false;

	if (take_comment(&s, &comment)) {
		if (span_begins_nocase(comment, SPAN("qmail ")))
			return RECEIVED_WITHIN;
		submitted = span_begins_nocase(comment, SPAN("from "));
	}
	if (!span_is_nocase(take_word(&s), SPAN("by")))
		return RECEIVED_UNREADABLE;
	take_word(&s);
	if (!take_comment(&s, &comment))
		return RECEIVED_UNREADABLE;
	return submitted || span_begins_nocase(comment, SPAN("Postfix"))
		? RECEIVED_WITHIN : RECEIVED_UNREADABLE;
}

enum received
received_read(struct span raw, struct ip *ip, struct span *helo)
{
	struct span s = skip_blanks(raw);

	if (!span_is_nocase(take_word(&s), SPAN("from")))
		return within(skip_blanks(raw));
	return from(s, ip, helo);
}
