/*
 * dns_server.h - a name server for tests, on loopback, in a thread of its own.
 *
 * It answers each question as its handler says, and counts them.
 */
#ifndef TESTS_DNS_SERVER_H
#define TESTS_DNS_SERVER_H

#include <stdbool.h>
#include <stddef.h>

struct dns_server;

/* A message that is being made; begin with the question as it came. */
struct dns_reply {
	unsigned char message[65535];
	size_t n;
	bool tcp;        /* the question came that way */
	bool edns;       /* with an OPT record */
	unsigned flood;  /* TCP: messages of 65,535 bytes to send before */
	unsigned number; /* of the question, from 0 */
	const char *name; /* what is asked, as text */
	unsigned type;
};

/*
 * Fills the reply in, which holds header and question with QR set. Returns
 * how many milliseconds to wait before it is sent; DNS_SILENT: never send it
 * (over TCP the server then does nothing else); DNS_CLOSE: neither, and close
 * the connection.
 */
enum { DNS_SILENT = -1, DNS_CLOSE = -2 };
typedef int dns_handler(struct dns_reply *r, void *of);

struct dns_server *dns_server_start(dns_handler *handler, void *of);
void dns_server_stop(struct dns_server *s);

/* "127.0.0.1:40123" */
const char *dns_server_address(const struct dns_server *s);
unsigned dns_server_questions(struct dns_server *s);

/* An answer record of this owner; data as on the wire. */
void dns_reply_add(struct dns_reply *r, const char *owner, unsigned type,
                   unsigned ttl, const void *data, size_t n);
void dns_reply_txt(struct dns_reply *r, const char *owner, unsigned ttl,
                   const char *text, size_t n);
void dns_reply_cname(struct dns_reply *r, const char *owner,
                     const char *target);
/* An SOA in the authority section; to be called last. */
void dns_reply_soa(struct dns_reply *r, unsigned ttl);
void dns_reply_rcode(struct dns_reply *r, unsigned rcode);

#endif
