/*
 * fuzz_dns.c - any bytes as an answer from a name server, and as a zone file.
 *
 * The first byte says for which type; the rest follows the question, the
 * counts first.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dns_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
as_message(const uint8_t *data, size_t size, enum dns_type type)
{
	static const unsigned char question[] = {
		0, 1, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0,
		1, 'a', 7, 'e', 'x', 'a', 'm', 'p', 'l', 'e', 0, 0, 0, 0, 1,
	};
	size_t n = sizeof(question) + size - 4, i;
	unsigned char *m = malloc(n);
	struct dns_answer *a;

	memcpy(m, question, sizeof(question));
	m[3] = data[0] & 0x8f;
	m[7] = data[1];
	m[9] = data[2];
	m[24] = (unsigned char)type;
	memcpy(m + sizeof(question), data + 4, size - 4);
	a = dns_wire_answer(m, n, SPAN("A.example"), type);
	for (i = 0; i < a->n; i++) {
		if ((type == DNS_A && a->record[i].data.n != 4) ||
		    (type == DNS_AAAA && a->record[i].data.n != 16) ||
		    ((type == DNS_MX || type == DNS_PTR) &&
		     a->record[i].data.n > DNS_NAME))
			abort();
		/* every byte is there to be read */
		if (memchr(a->record[i].data.p, 1, a->record[i].data.n) ==
		    m)
			abort();
	}
	if ((a->status == DNS_OK) != (a->n > 0))
		abort();
	dns_answer_unref(a);
	free(m);
}

static void
as_zone(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct resolver *r;
	struct dns d;
	const char *why;
	unsigned line;

	memcpy(text, data, size); /* so that a byte too far is seen */
	r = resolver_zone((struct span){text, size}, &line, &why);
	if (r != NULL) {
		dns_open(&d, r);
		dns_answer_unref(dns_ask(&d, SPAN("a.example"), DNS_TXT, 0,
		                         NULL));
		dns_answer_unref(dns_ask(&d, SPAN("b.example"), DNS_MX, 0,
		                         NULL));
		dns_shut(&d);
		resolver_unref(r);
	} else if (line == 0 || why == NULL) {
		abort();
	}
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum dns_type type[] = {DNS_A, DNS_PTR, DNS_MX, DNS_TXT,
	                                     DNS_AAAA};

	if (size > 5)
		as_message(data + 1, size - 1, type[data[0] % 5]);
	as_zone(data, size);
	return 0;
}
