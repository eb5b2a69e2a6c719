/*
 * subject.h - the table of subjects: one row each.
 *
 * ROW(ID, name, getter, part, type, stage, argument, flags, cost, fixed, macros)
 *
 *	name      as a policy spells it
 *	getter    filter/session/facts_*.c answer with get_GETTER
 *	part      which part of what the getter finds
 *	type      decides how a table is looked up
 *	stage     when it is known
 *	argument  what follows the name in a policy
 *	flags     MANY  several values
 *	          FIELD an address field: the sender chooses how many, so a
 *	                policy says any or every where that matters
 *	          RCPT  of the recipient at hand
 *	          RAW   bytes, not UTF-8
 *	          ANY   at any stage, as soon as the MTA gives it
 *	          WORD  one of the words of fixed, which blanks part
 *	cost      what asking costs; cheap ones are asked first
 *	fixed     the getter's argument when a policy gives none
 *	macros    what the MTA must send for it, at the stage of the row
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "defect.h"
#include "span.h"
#include "stage.h"
#include "value.h"

/* RFC 7208 2.6 */
#define SUBJECT_SPF_WORDS \
	"none neutral pass fail softfail temperror permerror"

#define SUBJECT_TABLE(ROW) \
ROW(CLIENT, "client", client, WHOLE, IP, CONNECT, NONE, 0, CHEAP, NULL, "{client_addr}") \
ROW(CLIENT_NAME, "client.name", client_name, WHOLE, NAME, CONNECT, NONE, 0, CHEAP, NULL, "{client_name} {client_resolve}") \
ROW(CLIENT_PTR, "client.ptr", client_ptr, WHOLE, NAME, CONNECT, NONE, 0, CHEAP, NULL, "{client_ptr}") \
ROW(CLIENT_PORT, "client.port", client_port, WHOLE, NUMBER, CONNECT, NONE, 0, CHEAP, NULL, "{client_port}") \
ROW(DAEMON, "daemon", macro, WHOLE, TEXT, CONNECT, NONE, 0, CHEAP, "{daemon_name}", "{daemon_name}") \
ROW(DAEMON_ADDRESS, "daemon.address", macro, WHOLE, IP, CONNECT, NONE, 0, CHEAP, "{daemon_addr}", "{daemon_addr}") \
ROW(DAEMON_PORT, "daemon.port", macro, WHOLE, NUMBER, CONNECT, NONE, 0, CHEAP, "{daemon_port}", "{daemon_port}") \
ROW(MTA, "mta", macro, WHOLE, NAME, CONNECT, NONE, 0, CHEAP, "j", "j") \
ROW(HELO, "helo", helo, WHOLE, NAME, HELO, NONE, 0, CHEAP, NULL, "") \
ROW(SENDER, "sender", sender, WHOLE, ADDRESS, MAIL, NONE, 0, CHEAP, NULL, "") \
ROW(SENDER_LOCAL, "sender.local", sender, LOCAL, TEXT, MAIL, NONE, 0, CHEAP, NULL, "") \
ROW(SENDER_DOMAIN, "sender.domain", sender, DOMAIN, NAME, MAIL, NONE, 0, CHEAP, NULL, "") \
ROW(SENDER_PARAM, "sender.param", sender_param, WHOLE, TEXT, MAIL, STRING, 0, CHEAP, NULL, "") \
ROW(AUTH, "auth", macro, WHOLE, TEXT, MAIL, NONE, 0, CHEAP, "{auth_authen}", "{auth_authen}") \
ROW(AUTH_METHOD, "auth.method", macro, WHOLE, TEXT, MAIL, NONE, 0, CHEAP, "{auth_type}", "{auth_type}") \
ROW(AUTH_AUTHOR, "auth.author", macro, WHOLE, TEXT, MAIL, NONE, 0, CHEAP, "{auth_author}", "{auth_author}") \
ROW(TLS, "tls", macro, WHOLE, TEXT, MAIL, NONE, 0, CHEAP, "{tls_version}", "{tls_version}") \
ROW(TLS_VERSION, "tls.version", macro, WHOLE, TEXT, MAIL, NONE, 0, CHEAP, "{tls_version}", "{tls_version}") \
ROW(TLS_CIPHER, "tls.cipher", macro, WHOLE, TEXT, MAIL, NONE, 0, CHEAP, "{cipher}", "{cipher}") \
ROW(TLS_BITS, "tls.bits", macro, WHOLE, NUMBER, MAIL, NONE, 0, CHEAP, "{cipher_bits}", "{cipher_bits}") \
ROW(TLS_SUBJECT, "tls.subject", tls_name, WHOLE, TEXT, MAIL, NONE, 0, CHEAP, NULL, "{verify} {cn_subject} {cert_subject}") \
ROW(TLS_ISSUER, "tls.issuer", tls_name, WHOLE, TEXT, MAIL, NONE, 0, CHEAP, NULL, "{verify} {cn_issuer} {cert_issuer}") \
ROW(TLS_VERIFIED, "tls.verified", tls_verified, WHOLE, TEXT, MAIL, NONE, 0, CHEAP, NULL, "{verify} {cert_subject}") \
ROW(SPF, "spf", spf, WHOLE, TEXT, MAIL, NONE, SUBJECT_IS_WORD, NET, SUBJECT_SPF_WORDS, "j") \
ROW(SPF_HELO, "spf.helo", spf, WHOLE, TEXT, MAIL, NONE, SUBJECT_IS_WORD, NET, SUBJECT_SPF_WORDS, "j") \
ROW(SPF_EXPLANATION, "spf.explanation", spf, WHOLE, TEXT, MAIL, NONE, 0, NET, NULL, "j") \
ROW(SPF_MECHANISM, "spf.mechanism", spf, WHOLE, TEXT, MAIL, NONE, 0, NET, NULL, "j") \
ROW(RCPT, "rcpt", rcpt, WHOLE, ADDRESS, RCPT, NONE, SUBJECT_IS_RCPT, CHEAP, NULL, "") \
ROW(RCPT_LOCAL, "rcpt.local", rcpt, LOCAL, TEXT, RCPT, NONE, SUBJECT_IS_RCPT, CHEAP, NULL, "") \
ROW(RCPT_DOMAIN, "rcpt.domain", rcpt, DOMAIN, NAME, RCPT, NONE, SUBJECT_IS_RCPT, CHEAP, NULL, "") \
ROW(RCPT_PARAM, "rcpt.param", rcpt_param, WHOLE, TEXT, RCPT, STRING, SUBJECT_IS_RCPT, CHEAP, NULL, "") \
ROW(RCPT_COUNT, "rcpt.count", rcpt_count, WHOLE, NUMBER, DATA, NONE, 0, CHEAP, NULL, "") \
ROW(HEADER, "header", header, WHOLE, TEXT, HEADERS, FIELD, SUBJECT_IS_MANY, TEXT, NULL, "") \
ROW(RAW_HEADER, "raw header", header, WHOLE, TEXT, HEADERS, FIELD, SUBJECT_IS_MANY | SUBJECT_IS_RAW, TEXT, NULL, "") \
ROW(HEADER_COUNT, "header.count", header_count, WHOLE, NUMBER, HEADERS, FIELD_OR_NONE, 0, CHEAP, NULL, "") \
ROW(SUBJECT, "subject", header, WHOLE, TEXT, HEADERS, NONE, SUBJECT_IS_MANY, TEXT, "Subject", "") \
ROW(FROM, "from", address, WHOLE, ADDRESS, HEADERS, NONE, SUBJECT_IS_FIELD, TEXT, "From", "") \
ROW(FROM_DOMAIN, "from.domain", address, DOMAIN, NAME, HEADERS, NONE, SUBJECT_IS_FIELD, TEXT, "From", "") \
ROW(FROM_NAME, "from.name", address, NAME, TEXT, HEADERS, NONE, SUBJECT_IS_FIELD, TEXT, "From", "") \
ROW(FROM_COUNT, "from.count", address_count, WHOLE, NUMBER, HEADERS, NONE, 0, TEXT, "From", "") \
ROW(TO, "to", address, WHOLE, ADDRESS, HEADERS, NONE, SUBJECT_IS_FIELD, TEXT, "To", "") \
ROW(TO_DOMAIN, "to.domain", address, DOMAIN, NAME, HEADERS, NONE, SUBJECT_IS_FIELD, TEXT, "To", "") \
ROW(TO_NAME, "to.name", address, NAME, TEXT, HEADERS, NONE, SUBJECT_IS_FIELD, TEXT, "To", "") \
ROW(TO_COUNT, "to.count", address_count, WHOLE, NUMBER, HEADERS, NONE, 0, TEXT, "To", "") \
ROW(CC, "cc", address, WHOLE, ADDRESS, HEADERS, NONE, SUBJECT_IS_FIELD, TEXT, "Cc", "") \
ROW(CC_DOMAIN, "cc.domain", address, DOMAIN, NAME, HEADERS, NONE, SUBJECT_IS_FIELD, TEXT, "Cc", "") \
ROW(CC_NAME, "cc.name", address, NAME, TEXT, HEADERS, NONE, SUBJECT_IS_FIELD, TEXT, "Cc", "") \
ROW(CC_COUNT, "cc.count", address_count, WHOLE, NUMBER, HEADERS, NONE, 0, TEXT, "Cc", "") \
ROW(REPLY_TO, "reply-to", address, WHOLE, ADDRESS, HEADERS, NONE, SUBJECT_IS_FIELD, TEXT, "Reply-To", "") \
ROW(REPLY_TO_DOMAIN, "reply-to.domain", address, DOMAIN, NAME, HEADERS, NONE, SUBJECT_IS_FIELD, TEXT, "Reply-To", "") \
ROW(REPLY_TO_NAME, "reply-to.name", address, NAME, TEXT, HEADERS, NONE, SUBJECT_IS_FIELD, TEXT, "Reply-To", "") \
ROW(REPLY_TO_COUNT, "reply-to.count", address_count, WHOLE, NUMBER, HEADERS, NONE, 0, TEXT, "Reply-To", "") \
ROW(ADDRESS, "address", address, WHOLE, ADDRESS, HEADERS, NAME, SUBJECT_IS_FIELD, TEXT, NULL, "") \
ROW(ADDRESS_DOMAIN, "address.domain", address, DOMAIN, NAME, HEADERS, NAME, SUBJECT_IS_FIELD, TEXT, NULL, "") \
ROW(ADDRESS_NAME, "address.name", address, NAME, TEXT, HEADERS, NAME, SUBJECT_IS_FIELD, TEXT, NULL, "") \
ROW(ADDRESS_COUNT, "address.count", address_count, WHOLE, NUMBER, HEADERS, NAME, 0, TEXT, NULL, "") \
ROW(RAW_BODY, "raw body", raw_body, WHOLE, TEXT, END, NONE, SUBJECT_IS_RAW, BODY, NULL, "") \
ROW(BODY, "body", mime, WHOLE, TEXT, END, NONE, SUBJECT_IS_MANY, BODY, NULL, "") \
ROW(BODY_TEXT, "body.text", mime, WHOLE, TEXT, END, NONE, SUBJECT_IS_MANY, BODY, NULL, "") \
ROW(LINK, "link", mime, WHOLE, TEXT, END, NONE, SUBJECT_IS_MANY, BODY, NULL, "") \
ROW(LINK_HOST, "link.host", mime, WHOLE, NAME, END, NONE, SUBJECT_IS_MANY, BODY, NULL, "") \
ROW(PART_TYPE, "part.type", mime, WHOLE, TEXT, END, NONE, SUBJECT_IS_MANY, BODY, NULL, "") \
ROW(PART_COUNT, "part.count", mime, WHOLE, NUMBER, END, NONE, 0, BODY, NULL, "") \
ROW(ATTACHMENT, "attachment", mime, WHOLE, TEXT, END, NONE, SUBJECT_IS_MANY, BODY, NULL, "") \
ROW(ATTACHMENT_EXTENSION, "attachment.extension", mime, WHOLE, TEXT, END, NONE, SUBJECT_IS_MANY, BODY, NULL, "") \
ROW(ATTACHMENT_TYPE, "attachment.type", mime, WHOLE, TEXT, END, NONE, SUBJECT_IS_MANY, BODY, NULL, "") \
ROW(ATTACHMENT_MAGIC, "attachment.magic", mime, WHOLE, TEXT, END, NONE, SUBJECT_IS_MANY, BODY, NULL, "") \
ROW(ATTACHMENT_SIZE, "attachment.size", mime, WHOLE, NUMBER, END, NONE, SUBJECT_IS_MANY, BODY, NULL, "") \
ROW(ATTACHMENT_ARCHIVED, "attachment.archived", mime, WHOLE, TEXT, END, NONE, SUBJECT_IS_MANY, BODY, NULL, "") \
ROW(ATTACHMENT_COUNT, "attachment.count", mime, WHOLE, NUMBER, END, NONE, 0, BODY, NULL, "") \
ROW(MIME_DEFECT, "mime.defect", mime, WHOLE, TEXT, END, NONE, SUBJECT_IS_MANY | SUBJECT_IS_WORD, BODY, DEFECT_WORDS, "") \
ROW(SIZE, "size", size, WHOLE, NUMBER, END, NONE, 0, CHEAP, NULL, "") \
ROW(QUEUE_ID, "queue-id", macro, WHOLE, TEXT, MAIL, NONE, SUBJECT_IS_ANY, CHEAP, "i", "i") \
ROW(MACRO, "macro", macro, WHOLE, TEXT, CONNECT, STRING, SUBJECT_IS_ANY, CHEAP, NULL, "")

enum subject_id {
#define ROW(id, ...) SUBJECT_##id,
	SUBJECT_TABLE(ROW)
#undef ROW
	SUBJECTS
};

enum subject_part {
	PART_WHOLE,
	PART_LOCAL,
	PART_DOMAIN,
	PART_NAME,
};

enum subject_argument {
	ARGUMENT_NONE,
	ARGUMENT_STRING,        /* "SIZE" */
	ARGUMENT_NAME,          /* a header field's name */
	ARGUMENT_FIELD,         /* a header field's name or a pattern for it */
	ARGUMENT_FIELD_OR_NONE,
};

enum subject_flags {
	SUBJECT_IS_MANY = 1,
	SUBJECT_IS_FIELD = 2 | SUBJECT_IS_MANY,
	SUBJECT_IS_RCPT = 4,
	SUBJECT_IS_RAW = 8,
	SUBJECT_IS_ANY = 16,
	SUBJECT_IS_WORD = 32,
};

enum cost {
	COST_CHEAP, /* a look at what is in hand */
	COST_TEXT,  /* text is decoded or matched */
	COST_BODY,  /* the body is read */
	COST_NET,   /* somebody else is asked: DNS, a server */
	COSTS
};

struct subject {
	const char *name;
	enum subject_id id;
	enum subject_part part;
	enum value_type type;
	enum stage stage;
	enum subject_argument argument;
	unsigned flags;
	enum cost cost;
	const char *fixed;
	const char *macros;
};

struct pattern;

/*
 * A question that a policy asks: a subject with its argument. A policy
 * numbers its questions from 0, equal ones with one number.
 */
struct ask {
	const struct subject *subject;
	struct span argument;          /* as the policy or the table has it */
	const struct pattern *pattern; /* header /name/ */
	bool folded;                   /* eval folds what the session gives */
	bool all_rcpts;                /* any rcpt, every rcpt: of those still in */
	enum stage stage;              /* when it is known */
};

/* The row of that name, or NULL. "raw header" is one name. */
const struct subject *subject_find(struct span name);

/* Row 0 to SUBJECTS - 1. */
const struct subject *subject_row(enum subject_id id);

#endif
