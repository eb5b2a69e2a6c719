#include <string.h>

#include "action.h"
#include "diag.h"
#include "subject.h"
#include "words.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

const char *const words_statements[] = {
	"set", "include", "table", "limit", "define", "rule", "shadow",
	"test",
};
const size_t words_statements_count = COUNT(words_statements);

static const char *const joiners[] = {
	"if", "unless", "and", "or", "not", "on",
};

static const char *const reserved[] = {
	"time", "score",
};

static const char *const operators[] = {
	"is", "in", "matches", "contains", "begins", "ends",
};

static const char *const modifiers[] = {
	"any", "every", "folded", "raw", "over",
};

static const char *const subjects[] = {
#define ROW(id, name, ...) name,
	SUBJECT_TABLE(ROW)
#undef ROW
};

bool
words_have(const char *const *names, size_t n, struct span word)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (span_is(word, span_of(names[i])))
			return true;
	return false;
}

static struct span
first_word(const char *words)
{
	return (struct span){words, strcspn(words, " ")};
}

static bool
is_action(struct span word)
{
	size_t i;

	for (i = 0; i < action_count; i++)
		if (span_is(word, first_word(action_rows[i].words)))
			return true;
	return false;
}

enum word_kind
words_value_kind(struct span word)
{
	if (words_have(words_statements, COUNT(words_statements), word))
		return WORD_STATEMENT;
	if (is_action(word))
		return WORD_ACTION;
	if (words_have(joiners, COUNT(joiners), word))
		return WORD_JOINER;
	if (words_have(reserved, COUNT(reserved), word))
		return WORD_RESERVED;
	return WORD_FREE;
}

enum word_kind
words_kind(struct span word)
{
	enum word_kind kind = words_value_kind(word);

	if (kind != WORD_FREE)
		return kind;
	if (subject_find(word) != NULL)
		return WORD_SUBJECT;
	if (words_have(operators, COUNT(operators), word) ||
	    words_have(modifiers, COUNT(modifiers), word))
		return WORD_OPERATOR;
	return WORD_FREE;
}

const char *
words_kind_name(enum word_kind kind)
{
	static const char *const names[] = {
		[WORD_FREE] = "a word",
		[WORD_STATEMENT] = "a statement",
		[WORD_ACTION] = "an action",
		[WORD_JOINER] = "a word of the language",
		[WORD_RESERVED] = "reserved for later",
		[WORD_SUBJECT] = "a subject",
		[WORD_OPERATOR] = "a word of the language",
	};

	return names[kind];
}

/* What is written elsewhere for a word, or NULL. */
static const char *
foreign(const char *const (*list)[2], size_t n, struct span word)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (span_is_nocase(word, span_of(list[i][0])))
			return list[i][1];
	return NULL;
}

const char *
words_nearest_subject(struct span word)
{
	static const char *const others[][2] = {
		{"ip", "client"}, {"addr", "client"}, {"remote", "client"},
		{"client_address", "client"}, {"client_addr", "client"},
		{"host", "client.name"}, {"hostname", "client.name"},
		{"client_name", "client.name"}, {"ptr", "client.ptr"},
		{"rdns", "client.ptr"}, {"reverse_client_name", "client.ptr"},
		{"ehlo", "helo"}, {"helo_name", "helo"},
		{"mail", "sender"}, {"mailfrom", "sender"},
		{"mail_from", "sender"}, {"envelope", "sender"},
		{"envelope-from", "sender"}, {"envfrom", "sender"},
		{"recipient", "rcpt"}, {"recipients", "rcpt"},
		{"rcpt_to", "rcpt"}, {"envelope-to", "rcpt"},
		{"login", "auth"}, {"user", "auth"}, {"username", "auth"},
		{"sasl_username", "auth"}, {"authenticated", "auth"},
		{"ssl", "tls"}, {"encrypted", "tls"},
		{"filename", "attachment"}, {"attachment.name", "attachment"},
		{"attachment.filename", "attachment"},
		{"client.ip", "client"}, {"client.address", "client"},
		{"client.addr", "client"}, {"client.hostname", "client.name"},
		{"client.host", "client.name"}, {"client.rdns", "client.ptr"},
		{"sender.address", "sender"}, {"rcpt.address", "rcpt"},
		{"from.address", "from"}, {"spf.result", "spf"},
		{"spf.status", "spf"},
		{"extension", "attachment.extension"}, {"url", "link"},
		{"text", "body"}, {"listener", "daemon"},
	};
	const char *meant = foreign(others, COUNT(others), word);

	return meant != NULL ? meant :
	       diag_nearest(word, subjects, COUNT(subjects));
}

bool
words_says_there(struct span word)
{
	static const char *const words[] = {
		"exists", "exist", "present", "missing", "absent", "defined",
		"empty", "set",
	};

	return words_have(words, COUNT(words), word);
}

/* Fields that messages often have and no subject bears the name of. */
bool
words_name_field(struct span word)
{
	static const char *const fields[] = {
		"message-id", "date", "received", "list-id",
		"list-unsubscribe", "return-path", "user-agent", "precedence",
		"content-type", "mime-version", "in-reply-to", "references",
		"auto-submitted", "authentication-results", "dkim-signature",
	};
	size_t i;

	if (word.n > 2 && (word.p[0] == 'x' || word.p[0] == 'X') &&
	    word.p[1] == '-')
		return true;
	for (i = 0; i < COUNT(fields); i++)
		if (span_is_nocase(word, span_of(fields[i])))
			return true;
	return false;
}

const char *
words_nearest_operator(struct span word)
{
	return diag_nearest(word, operators, COUNT(operators));
}

const char *
words_nearest_modifier(struct span word)
{
	return diag_nearest(word, modifiers, COUNT(modifiers));
}

const char *
words_nearest_action(struct span word)
{
	static const char *const others[] = {"if", "unless", "on error"};
	static const char *const foreigners[][2] = {
		{"hold", "quarantine"}, {"drop", "discard"},
		{"permit", "accept"}, {"allow", "accept"},
		{"keep", "accept"}, {"stop", "accept"}, {"return", "accept"},
		{"dunno", "accept"}, {"whitelist", "accept"},
		{"defer", "tempfail"}, {"deny", "reject"},
		{"block", "reject"}, {"refuse", "reject"},
		{"bounce", "reject"}, {"delete", "remove header"},
		{"strip", "remove header"}, {"insert", "add header"},
		{"change", "replace header"}, {"modify", "replace header"},
		{"forward", "redirect"}, {"bcc", "add rcpt"},
		{"warn", "log"}, {"footer", "append"},
		{"disclaimer", "append"}, {"banner", "prepend body"},
	};
	const char *names[ACTIONS_MAX + COUNT(others)], *near;
	size_t i, n = 0;

	for (i = 0; i < action_count && i < ACTIONS_MAX; i++)
		names[n++] = action_rows[i].words;
	for (i = 0; i < COUNT(others); i++)
		names[n++] = others[i];
	near = diag_nearest(word, names, n);
	return near != NULL ? near :
	       foreign(foreigners, COUNT(foreigners), word);
}

const char *
words_nearest_second(struct span first, struct span word)
{
	const char *names[ACTIONS_MAX];
	size_t i, n = 0;

	for (i = 0; i < action_count && i < ACTIONS_MAX; i++) {
		const char *words = action_rows[i].words;

		if (span_is(first, first_word(words)) && words[first.n] == ' ')
			names[n++] = words + first.n + 1;
	}
	return diag_nearest(word, names, n);
}

static struct span
head(struct span name)
{
	const char *dot = memchr(name.p, '.', name.n);

	if (dot != NULL)
		name.n = (size_t)(dot - name.p);
	return name;
}

struct span
words_unknown_part(struct span subject)
{
	struct span h = head(subject);
	size_t i;

	if (h.n == 0)
		return subject;
	for (i = 0; i < COUNT(subjects); i++)
		if (span_is(h, head(span_of(subjects[i]))))
			return subject;
	return h;
}

const char *
words_foreign_operator(struct span word)
{
	static const char *const others[][2] = {
		{"=", "is"}, {"==", "is"}, {"eq", "is"}, {"equals", "is"},
		{"are", "is"}, {"!=", "is not"}, {"ne", "is not"},
		{"isnt", "is not"}, {"=~", "matches"}, {"~", "matches"},
		{"~~", "matches"}, {"match", "matches"}, {"matching", "matches"},
		{"like", "matches"},
		{"!~", "not matches"}, {"has", "contains"},
		{"includes", "contains"}, {"starts", "begins"},
		{"startswith", "begins"}, {"endswith", "ends"},
		{"&&", "and"}, {"&", "and"}, {"||", "or"}, {"|", "or"},
		{"lt", "<"}, {"le", "<="}, {"gt", ">"}, {"ge", ">="},
	};

	return foreign(others, COUNT(others), word);
}
