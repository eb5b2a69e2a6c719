/*
 * fuzz_address.c - any bytes as a path, an address field, a value to decode
 * and one to encode, a Received, and what stamps are to tell. What comes out keeps its promises: valid UTF-8, one
 * spelling, lines that may be sent, and the text again when they are read.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "header_text.h"
#include "received.h"
#include "stamp.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
hold(bool promise)
{
	if (!promise)
		abort();
}

/* A good address is spelt so that it is read again as it is. */
static void
check_address(struct arena *a, const struct value *v)
{
	struct value again;

	hold(v->type == VALUE_ADDRESS && v->text.p != NULL);
	hold(utf8_valid(v->text));
	if (v->bad) {
		hold(v->local.p == NULL && v->domain.p == NULL);
		return;
	}
	hold(address_path(a, v->text, &again) && !again.bad);
	hold(span_is(v->text, again.text) && span_is(v->local, again.local));
	hold(span_is(v->domain, again.domain));
	hold(address_usable(v->text) || v->text.n > 1024);
}

static void
try_path(struct arena *a, struct span s)
{
	struct value v;

	hold(address_path(a, s, &v));
	check_address(a, &v);
	if (address_usable(s))
		hold(!v.bad || memchr(s.p, '@', s.n) != NULL);
}

static void
try_field(struct arena *a, struct span s)
{
	struct mailbox *boxes;
	size_t i, n;
	bool full;

	hold(address_field(a, s, &boxes, &n, &full) || full);
	for (i = 0; i < n; i++) {
		check_address(a, &boxes[i].address);
		hold(boxes[i].address.bad || boxes[i].address.domain.n > 0);
		hold(boxes[i].name.p == NULL || utf8_valid(boxes[i].name));
	}
}

/* RFC 5322 2.1.1 and 2.2.3 */
static void
check_lines(size_t column, struct span s)
{
	size_t i;

	hold(s.p[s.n] == '\0');
	for (i = 0; i < s.n; i++, column++) {
		hold(column < 998);
		hold(s.p[i] == '\n' || (s.p[i] >= 0x20 && s.p[i] < 0x7f));
		if (s.p[i] != '\n')
			continue;
		hold(i > 0 && i + 2 < s.n && s.p[i + 1] == ' ');
		column = (size_t)-1;
	}
}

static void
try_value(struct arena *a, struct span s)
{
	struct span name = SPAN("X-Name"), text, sent, again;

	text = header_decode(a, s);
	hold(text.p != NULL && utf8_valid(text));
	sent = header_encode(a, name, text);
	hold(sent.p != NULL);
	check_lines(name.n + 2, sent);
	again = header_encode(a, name, header_decode(a, sent));
	hold(span_is(sent, again));
	sent = header_encode(a, name, s);
	hold(sent.p != NULL);
	check_lines(name.n + 2, sent);
}

static void
try_received(struct span s)
{
	struct span helo;
	struct ip ip;

	if (received_read(s, &ip, &helo) == RECEIVED_FROM)
		hold(helo.p >= s.p && helo.p + helo.n <= s.p + s.n);
}

/* What we say is ours, and says no more than we. */
static void
try_stamp(struct arena *a, struct span s)
{
	static const struct span id = {"mx.example.org", 14};
	struct spf_finding mail = {.result = SPF_FAIL};
	struct spf_finding helo = {.identity = SPF_HELO, .result = SPF_NONE};
	struct stamp stamp = {
		.mailfrom = &mail, .helo_found = &helo, .sender = s, .helo = s,
		.mta = id, .authserv_id = id,
	};
	struct span said = stamp_authentication_results(a, &stamp);

	hold(said.p != NULL);
	check_lines(24, said);
	hold(stamp_claims(said, id));
	hold(strstr(said.p, "spf=pass") == NULL);
	hold(strstr(said.p, "=?") == NULL);
	said = stamp_received_spf(a, &stamp, &mail);
	hold(said.p != NULL);
	check_lines(14, said);
	stamp_claims(s, id);
	said = arena_printf(a, "mx.example.org; %.*s", SPAN_ARG(s));
	hold(said.p != NULL && stamp_claims(said, id));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = {(const char *)data, size};
	struct arena *a = arena_new(0);

	if (a == NULL)
		abort();
	try_path(a, s);
	try_field(a, s);
	try_value(a, s);
	try_received(s);
	try_stamp(a, s);
	arena_free(a);
	return 0;
}
