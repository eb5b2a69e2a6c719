#include <string.h>

#include "address.h"
#include "received.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct span
skip_blanks(struct span s)
{
	while (s.n > 0 && is_blank(s.p[0]))
		s = (struct span){s.p + 1, s.n - 1};
	return s;
}

/* Up to a blank or a parenthesis; *s then is what follows. */
static struct span
take_word(struct span *s)
{
	struct span word = {s->p, 0};

	while (word.n < s->n && !is_blank(s->p[word.n]) &&
	       s->p[word.n] != '(')
		word.n++;
	*s = (struct span){s->p + word.n, s->n - word.n};
	return word;
}

/* comment = "(" ... ")", nested; without its outer parentheses. */
static bool
take_comment(struct span s, struct span *comment)
{
	unsigned depth = 0;
	size_t i;

	if (s.n == 0 || s.p[0] != '(')
		return false;
	for (i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		else if (s.p[i] == '(')
			depth++;
		else if (s.p[i] == ')' && --depth == 0)
			break;
	}
	*comment = (struct span){s.p + 1, i - 1};
	return i < s.n;
}

/* What stands in the last brackets: a name before it may be anything. */
static bool
bracketed(struct span s, struct ip *ip)
{
	size_t end = s.n, begin;

	while (end > 0 && s.p[end - 1] != ']')
		end--;
	for (begin = end; begin > 0 && s.p[begin - 1] != '['; begin--)
		;
	return begin > 0 && end > begin &&
		address_ip((struct span){s.p + begin, end - 1 - begin}, ip);
}

/* Exim: the word behind "helo=", p NULL if there is none. */
static struct span
exim_helo(struct span comment)
{
	static const struct span key = {"helo=", 5};
	struct span word = {NULL, 0};
	size_t i;

	for (i = 0; i + key.n <= comment.n; i++)
		if (span_is((struct span){comment.p + i, key.n}, key) &&
		    (i == 0 || is_blank(comment.p[i - 1]))) {
			comment = (struct span){comment.p + i + key.n,
			                        comment.n - i - key.n};
			return take_word(&comment);
		}
	return word;
}

bool
received_from(struct span raw, struct ip *ip, struct span *helo)
{
	struct span s = skip_blanks(raw), from = take_word(&s), comment, told;

	if (!span_is_nocase(from, SPAN("from")))
		return false;
	s = skip_blanks(s);
	from = take_word(&s);
	*helo = from;
	if (from.n == 0 || !take_comment(skip_blanks(s), &comment))
		return false;
	told = exim_helo(comment);
	if (told.p != NULL)
		*helo = told;
	if (bracketed(comment, ip) || address_ip(comment, ip))
		return true;
	return told.p != NULL && bracketed(from, ip);
}
