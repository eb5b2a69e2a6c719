/*
 * notice_mail.c - a notice as a mail (RFC 5322), and its way to the MTA
 * (RFC 5321). Nothing in it but the rule's facts is a stranger's, and these
 * are a line of the log: escaped, and here without any byte but ASCII.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "notice.h"

#define HOST 256
#define LINE 900         /* RFC 5322 2.1.1 allows 998 */
#define REPLY_BYTES 8192 /* of one reply, all its lines */
#define ADDRESS 320      /* a path is no longer (RFC 5321 4.5.3.1) */

bool
notice_address(struct span address)
{
	size_t i;

	for (i = 0; i < address.n; i++)
		if (address.p[i] <= ' ' || address.p[i] >= 0x7f ||
		    strchr("<>\"\\,;", address.p[i]) != NULL)
			return false;
	return address.n > 0 && address.n <= ADDRESS;
}

/* ---- the mail ---- */

/* This host's name, of letters, digits, dots and hyphens. */
static void
host_name(char host[HOST])
{
	char *p;

	if (gethostname(host, HOST) != 0)
		snprintf(host, HOST, "localhost");
	host[HOST - 1] = '\0';
	for (p = host; *p != '\0'; p++)
		if (strchr("0123456789abcdefghijklmnopqrstuvwxyz"
		           "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-", *p) == NULL)
			*p = '-';
}

static void
put_head(FILE *out, const struct notice_mail *m, const char *host)
{
	unsigned char random[12];
	char date[64];
	time_t now = time(NULL);
	struct tm tm;
	size_t i;

	gmtime_r(&now, &tm);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S +0000", &tm);
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		memset(random, 0, sizeof(random));
	fprintf(out, "From: \"vaglio on %s\" <%s>\n", host, m->address);
	fprintf(out, "To: <%s>\n", m->address);
	fprintf(out, "Subject: vaglio: rule %s\n", m->rule);
	fprintf(out, "Date: %s\n", date);
	fprintf(out, "Message-ID: <vaglio.%lld.", (long long)now);
	for (i = 0; i < sizeof(random); i++)
		fprintf(out, "%02x", random[i]);
	fprintf(out, "@%s>\n", host);
	fputs("Auto-Submitted: auto-generated\n" /* RFC 3834 */
	      "MIME-Version: 1.0\n"
	      "Content-Type: text/plain; charset=us-ascii\n\n", out);
}

static void
put_time(FILE *out, unsigned seconds)
{
	if (seconds % 86400 == 0)
		fprintf(out, "%ud", seconds / 86400);
	else if (seconds % 3600 == 0)
		fprintf(out, "%uh", seconds / 3600);
	else if (seconds % 60 == 0)
		fprintf(out, "%um", seconds / 60);
	else
		fprintf(out, "%us", seconds);
}

/*
 * The line of the log, a fact on a line: a blank that stands neither in <>
 * nor in quotes ends one. What is in them is escaped, and can't end them.
 */
static void
put_facts(FILE *out, const char *facts)
{
	bool angle = false, quotes = false;
	size_t n = 0;
	const char *p;

	fputs("    ", out);
	for (p = facts; *p != '\0'; p++) {
		if (n >= LINE || (*p == ' ' && !angle && !quotes)) {
			fputs("\n    ", out);
			n = 0;
			if (*p == ' ')
				continue;
		}
		quotes = quotes != (*p == '"' && !angle);
		angle = !quotes && *p != '>' && (angle || *p == '<');
		if (*p >= ' ' && *p < 0x7f)
			fputc(*p, out);
		else
			fprintf(out, "\\x%02x", (unsigned char)*p);
		n += *p >= ' ' && *p < 0x7f ? 1 : 4;
	}
	fputs("\n", out);
}

char *
notice_text(const struct notice_mail *m, const char *host)
{
	char *text = NULL;
	size_t n;
	FILE *out = open_memstream(&text, &n);

	if (out == NULL)
		return NULL;
	put_head(out, m, host);
	fprintf(out, "The rule %s on %s asked for this notice.\n\n", m->rule,
	        host);
	put_facts(out, m->facts);
	fputs("\nThere is one of this rule, address and login in ", out);
	put_time(out, m->once);
	if (m->held > 0)
		fprintf(out, "; %u more\nmessages since the last one asked "
		        "for it", m->held);
	fputs(".\n", out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* ---- the session ---- */

struct line {
	int fd;
	int64_t deadline;
	char buffer[1024];
	size_t n, at;
};

static int
next_byte(struct line *l)
{
	if (l->at == l->n) {
		l->n = peer_receive_some(l->fd, l->buffer, sizeof(l->buffer),
		                         l->deadline);
		l->at = 0;
		if (l->n == 0)
			return -1;
	}
	return (unsigned char)l->buffer[l->at++];
}

/*
 * Reads a reply: lines "250-text", the last "250 text". Its first digit, or
 * 0 with errno; the last line in text.
 */
static int
read_reply(struct line *l, char text[256])
{
	size_t bytes, n = 0;
	int c;

	for (bytes = 0; bytes < REPLY_BYTES; bytes++) {
		c = next_byte(l);
		if (c < 0)
			return 0;
		if (c != '\n') {
			if (c != '\r' && n < 255)
				text[n++] = (char)c;
			continue;
		}
		text[n] = '\0';
		if (n < 3 || text[0] < '2' || text[0] > '5')
			break;
		if (text[3] != '-')
			return text[0] - '0';
		n = 0;
	}
	errno = EPROTO;
	return 0;
}

/* false, with why or errno: the reply is not of that class. */
static bool
expect(struct notice_session *s, struct line *l, int class)
{
	char text[256], safe[400];
	int got = read_reply(l, text);
	struct span said;

	if (got == class)
		return true;
	if (got == 0)
		return false;
	said = log_escape(safe, sizeof(safe), span_of(text));
	snprintf(s->why, sizeof(s->why), "it was answered \"%.*s\"",
	         SPAN_ARG(said));
	return false;
}

static bool
say(struct notice_session *s, struct line *l, const char *command,
    int class)
{
	return peer_send(l->fd, span_of(command), l->deadline) &&
	       expect(s, l, class);
}

/* The mail with CRLF, and its end. It has no line that begins with a dot. */
static char *
as_data(const char *text)
{
	char *p = malloc(2 * strlen(text) + sizeof(".\r\n")), *to = p;

	if (p == NULL)
		return NULL;
	for (; *text != '\0'; text++) {
		if (*text == '\n')
			*to++ = '\r';
		*to++ = *text;
	}
	strcpy(to, ".\r\n");
	return p;
}

static bool
send_mail(struct notice_session *s, struct line *l, const char *host,
          const char *data)
{
	char hello[HOST + 16], rcpt[ADDRESS + 16];

	snprintf(hello, sizeof(hello), "EHLO %s\r\n", host);
	snprintf(rcpt, sizeof(rcpt), "RCPT TO:<%s>\r\n", s->mail->address);
	return expect(s, l, 2) && say(s, l, hello, 2) &&
	       say(s, l, "MAIL FROM:<>\r\n", 2) && say(s, l, rcpt, 2) &&
	       say(s, l, "DATA\r\n", 3) && say(s, l, data, 2);
}

enum peer_talk
notice_talk(void *of, int fd, bool fresh, int64_t deadline)
{
	struct notice_session *s = of;
	struct line l = {.fd = fd, .deadline = deadline};
	char host[HOST];
	char *text, *data;
	bool sent;
	int error;

	(void)fresh; /* none is kept */
	host_name(host);
	text = notice_text(s->mail, host);
	data = text == NULL ? NULL : as_data(text);
	free(text);
	errno = ENOMEM;
	if (data == NULL)
		return PEER_LOST;
	s->connected(s->of, fd);
	sent = send_mail(s, &l, host, data);
	error = errno;
	free(data);
	if (sent || s->why[0] != '\0')
		peer_send(fd, SPAN("QUIT\r\n"), deadline);
	errno = error;
	return sent || s->why[0] != '\0' ? PEER_SPOILED : PEER_LOST;
}
