/*
 * setting.h - the settings: one row each.
 *
 * ROW(member, name, type, default, least, most)
 *
 * Numbers are in bytes, seconds or as they are; of a table of clients, its
 * number from 1. A choice is one of the words of its default column, the
 * first being the default.
 */
#ifndef SETTING_H
#define SETTING_H

#include "span.h"

#define SETTING_TABLE(ROW) \
ROW(socket, "socket", SOCKET, "unix:/run/vaglio/milter.sock", 0, 0) \
ROW(user, "user", TEXT, "", 0, 0) \
ROW(group, "group", TEXT, "", 0, 0) \
ROW(socket_mode, "socket-mode", MODE, "0660", 0, 0777) \
ROW(on_error, "on-error", CHOICE, "tempfail reject skip", 0, 0) \
ROW(shadow, "shadow", CHOICE, "no yes", 0, 0) \
ROW(authserv_id, "authserv-id", HOST, "", 0, 0) \
ROW(log, "log", CHOICE, "syslog stderr", 0, 0) \
ROW(dns, "dns", TEXT, "", 0, 0) \
ROW(spf_timeout, "spf-timeout", TIME, "20s", 1, 25) \
ROW(trusted_relays, "trusted-relays", CLIENTS, "", 0, 0) \
ROW(first_refusal, "first-refusal", CHOICE, "connect mail rcpt", 0, 0) \
ROW(recipient_delimiter, "recipient-delimiter", SIGN, "", 0, 0) \
ROW(message_limit, "message-limit", SIZE, "64M", 1024, 1099511627776) \
ROW(memory_limit, "memory-limit", SIZE, "1G", 1048576, 1099511627776) \
ROW(notify_server, "notify-server", SERVER, "127.0.0.1:25", 0, 0) \
ROW(limits, "limits", STORE, "/var/lib/vaglio/limits.lmdb", 0, 0) \
ROW(limit_keys, "limit-keys", NUMBER, "100000", 100, 10000000) \
ROW(match_limit, "match-limit", NUMBER, "1000000", 100, 1000000000)

enum setting_type {
	SETTING_TEXT,   /* struct span */
	SETTING_SOCKET, /* the same: where the MTA connects to */
	SETTING_HOST,   /* the same: a name, without blanks and signs */
	SETTING_SIGN,   /* the same: one character, or none */
	SETTING_SERVER, /* the same: host:port or unix:path */
	SETTING_NUMBER, /* double, as SIZE, TIME (seconds) and MODE */
	SETTING_SIZE,
	SETTING_TIME,
	SETTING_MODE,   /* octal */
	SETTING_CHOICE, /* double: the word's number from 0 */
	SETTING_STORE,  /* struct span: a path, "": memory, "redis:SERVER" */
	SETTING_CLIENTS, /* double: <table>, of IP addresses; 0: none */
};

union setting_value {
	struct span text;
	double number;
};

struct settings {
#define ROW(member, ...) union setting_value member;
	SETTING_TABLE(ROW)
#undef ROW
};

enum { ON_ERROR_TEMPFAIL, ON_ERROR_REJECT, ON_ERROR_SKIP };
enum { FIRST_REFUSAL_CONNECT, FIRST_REFUSAL_MAIL, FIRST_REFUSAL_RCPT };
enum { LOG_TO_SYSLOG, LOG_TO_STDERR };

#endif
