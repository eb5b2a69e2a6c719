#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "caps.h"
#include "edit.h"
#include "tally.h"
#include "told.h"

/* ---- the macros that are kept ---- */

static struct told_macro *
find_macro(const struct told *t, struct span name)
{
	size_t i;

	for (i = 0; i < t->n_macros; i++)
		if (span_is(span_of(t->macros[i].name), name))
			return &t->macros[i];
	return NULL;
}

struct span
told_macro(const struct told *t, struct span name)
{
	const struct told_macro *m = find_macro(t, name);

	return m == NULL ? (struct span){NULL, 0} : m->value;
}

/* A macro of that stage, or of a later one, too, for question ask. */
static bool
keep_macro(struct told *t, struct span name, enum stage stage, bool any,
           size_t ask)
{
	struct told_macro *m = find_macro(t, name);

	if (m == NULL) {
		m = realloc(t->macros, (t->n_macros + 1) * sizeof(*m));
		if (m == NULL)
			return false;
		t->macros = m;
		m += t->n_macros;
		*m = (struct told_macro){.stage = stage, .any = any};
		m->ask = NO_ASK;
		m->name = span_copy(name);
		if (m->name == NULL)
			return false;
		t->n_macros++;
	}
	if (stage < m->stage)
		m->stage = stage;
	m->any = m->any || any;
	if (m->ask == NO_ASK)
		m->ask = ask;
	return true;
}

/* Names with blanks between them. */
static bool
keep_macros(struct told *t, const char *names, enum stage stage, size_t ask)
{
	size_t n;

	for (; *names != '\0'; names += n + (names[n] == ' ')) {
		n = strcspn(names, " ");
		if (!keep_macro(t, (struct span){names, n}, stage,
		                n == 1 && *names == 'i', ask))
			return false;
	}
	return true;
}

static bool
keep_for_ask(struct told *t, const struct ask *ask, size_t n)
{
	const struct subject *s = ask->subject;

	t->needs_body = t->needs_body || s->cost == COST_BODY;
	t->needs_size = t->needs_size || s->id == SUBJECT_SIZE;
	if (s->id == SUBJECT_MACRO)
		return keep_macro(t, ask->argument, s->stage, true, n);
	return keep_macros(t, s->macros, s->stage, n);
}

static bool
keep_all(struct told *t)
{
	size_t i, n;
	const struct ask *asks = policy_asks(t->policy, &n);

	t->needs_body = policy_changes_body(t->policy);
	for (i = 0; i < n; i++)
		if (!keep_for_ask(t, &asks[i], i))
			return false;
	return keep_macros(t, SESSION_MACROS_CONNECT, STAGE_CONNECT, NO_ASK) &&
		keep_macros(t, SESSION_MACROS_MAIL, STAGE_MAIL, NO_ASK);
}

/* Does it stay from message to message? */
static bool
of_connection(const struct told_macro *m)
{
	return m->stage == STAGE_CONNECT && !m->any;
}

static bool
take_macro(struct told *t, struct told_macro *m)
{
	const char *value = NULL;

	m->asked = true;
	if (t->host->macro != NULL)
		value = t->host->macro(t->host->of, m->name);
	if (value == NULL)
		return true;
	m->value = arena_copy(of_connection(m) ? t->connection : t->arena,
		span_of(value));
	return m->value.p != NULL;
}

static void
forget_macros(struct told *t, bool connection)
{
	size_t i;

	for (i = 0; i < t->n_macros; i++) {
		if (of_connection(&t->macros[i]) && !connection)
			continue;
		t->macros[i].asked = false;
		t->macros[i].value = (struct span){NULL, 0};
	}
}

/* ---- begin and end ---- */

bool
told_open(struct told *t, struct policy *p, const struct session_host *host)
{
	*t = (struct told){.policy = p, .host = host};
	t->connection = arena_new(CAPS_CONNECTION_BYTES);
	t->arena = arena_new(CAPS_MESSAGE_BYTES);
	return t->connection != NULL && t->arena != NULL && keep_all(t);
}

static void
drop_body(struct told *t)
{
	body_free(&t->body);
	if (t->edit != NULL)
		edit_end(t->edit);
	t->edit = NULL;
}

void
told_close(struct told *t)
{
	size_t i;

	drop_body(t);
	for (i = 0; i < t->n_macros; i++)
		free(t->macros[i].name);
	free(t->macros);
	free(t->helo);
	arena_free(t->connection);
	arena_free(t->arena);
}

void
told_forget(struct told *t)
{
	drop_body(t);
	arena_reset(t->arena);
	forget_macros(t, false);
	t->stage = STAGE_CONNECT;
	t->sender_told = t->utf8 = t->too_large = t->no_memory = false;
	t->sender_given = (struct span){NULL, 0};
	t->sender = (struct value){0};
	t->sender_params = NULL;
	t->rcpts = NULL;
	t->message = NULL;
	t->fields = NULL;
	t->mime = NULL;
	t->facts = NULL;
	t->tally = NULL;
	t->spf_found[SPF_MAILFROM] = t->spf_found[SPF_HELO] = NULL;
	t->spf_took = 0;
	t->origin = NULL;
	t->n_sender_params = t->n_rcpts = t->rcpts_size = t->n_fields = 0;
	t->header_bytes = t->body_bytes = 0;
}

bool
told_begin(struct told *t)
{
	size_t n;

	told_forget(t);
	t->work.left = CAPS_MATCH_WORK * INT64_C(1000000000);
	policy_limits(t->policy, &n);
	if (n > 0 && (t->tally = tally_new(t)) == NULL)
		return false;
	policy_asks(t->policy, &n);
	t->facts = arena_alloc(t->arena, n * sizeof(*t->facts));
	t->message = message_new(t->arena);
	return t->facts != NULL && t->message != NULL;
}

struct edit *
told_edit(struct told *t)
{
	struct span body;

	if (t->edit != NULL)
		return t->edit;
	body = body_bytes(&t->body);
	if (body.p == NULL)
		return NULL;
	t->edit = arena_alloc(t->arena, sizeof(*t->edit));
	if (t->edit != NULL)
		edit_begin(t->edit, t->arena, t->message, body, t->utf8);
	return t->edit;
}

size_t
told_account(struct told *t)
{
	size_t now = arena_used(t->arena) + body_memory(&t->body);

	if (t->edit != NULL)
		now += body_memory(&t->edit->whole);
	return memory_account(&t->held, now);
}

bool
told_reach(struct told *t, enum stage stage)
{
	struct told_macro *m;
	size_t i;

	if (stage > t->stage)
		t->stage = stage;
	for (i = 0; i < t->n_macros; i++) {
		m = &t->macros[i];
		if (m->stage > stage || (m->asked && !m->any) ||
		    m->value.p != NULL)
			continue;
		if (!take_macro(t, m))
			return false;
	}
	return true;
}

/* ---- connection ---- */

/* Has the client an address of its own, or is it the sendmail command? */
static bool
address_of(const struct sockaddr *a, struct ip *ip, unsigned *port)
{
	static const unsigned char mapped[12] = {
		[10] = 0xff, [11] = 0xff,
	};
	const struct sockaddr_in *in = (const void *)a;
	const struct sockaddr_in6 *in6 = (const void *)a;

	*port = 0;
	if (a != NULL && a->sa_family == AF_INET) {
		memcpy(ip->byte, mapped, sizeof(mapped));
		memcpy(ip->byte + 12, &in->sin_addr, 4);
		*port = ntohs(in->sin_port);
		return true;
	}
	if (a != NULL && a->sa_family == AF_INET6) {
		memcpy(ip->byte, &in6->sin6_addr, 16);
		*port = ntohs(in6->sin6_port);
		return true;
	}
	return false;
}

/*
 * A client without an address is the local sendmail command, which both MTAs
 * call "localhost". Postfix says "unknown" for a peer that was gone before
 * it could be asked: that one has no address at all.
 */
static bool
is_local_command(const char *name)
{
	return name == NULL || span_is_nocase(span_of(name), SPAN("localhost"));
}

static void
tell_client(struct told *t, const char *name, const struct sockaddr *address)
{
	struct span macro = told_macro(t, SPAN("{client_addr}"));
	bool given = address_of(address, &t->client, &t->client_port);
	struct ip local;

	t->client_told = given || address_ip(macro, &t->client);
	if (!t->client_told && t->connected && is_local_command(name))
		t->client_told = ip_parse(SPAN("127.0.0.1"), &t->client);
	/* Postfix's cleanup(8) has 127.0.0.1 for it, and no port; sendmail -bs
	 * has no address, and takes an answer for each recipient */
	t->no_smtp = t->connected && given && t->client_port == 0 &&
		is_local_command(name) && ip_parse(SPAN("127.0.0.1"), &local) &&
		memcmp(&t->client, &local, sizeof(local)) == 0;
}

/* The name, if the MTA found that it belongs to the address. */
static bool
tell_name(struct told *t, struct span name)
{
	struct span resolve = told_macro(t, SPAN("{client_resolve}"));
	struct span macro = told_macro(t, SPAN("{client_name}"));

	t->client_name_is = NAME_NONE;
	if (name.p == NULL)
		name = macro;
	if (span_is_nocase(resolve, SPAN("TEMP"))) {
		t->client_name_is = NAME_LATER;
		return true;
	}
	if (name.n == 0 || name.p[0] == '[' ||
	    span_is_nocase(name, SPAN("unknown")) ||
	    span_is_nocase(macro, SPAN("unknown")) ||
	    span_is_nocase(resolve, SPAN("FAIL")) ||
	    span_is_nocase(resolve, SPAN("FORGED")))
		return true;
	t->client_name_is = NAME_VERIFIED;
	t->client_name = arena_copy(t->connection, name);
	return t->client_name.p != NULL;
}

bool
told_connect(struct told *t, const char *name, const struct sockaddr *address)
{
	forget_macros(t, true);
	arena_reset(t->connection);
	free(t->helo);
	t->helo = NULL;
	t->client_name = (struct span){NULL, 0};
	t->connected = true;
	if (!told_reach(t, STAGE_CONNECT))
		return false;
	tell_client(t, name, address);
	return tell_name(t, span_of(name));
}

bool
told_helo(struct told *t, const char *helo)
{
	free(t->helo);
	t->helo = NULL;
	if (helo == NULL)
		return true;
	if (strlen(helo) >= CAPS_CONNECTION_BYTES)
		return false;
	t->helo = strdup(helo);
	return t->helo != NULL;
}

/* ---- the envelope ---- */

static bool
copy_params(struct told *t, char *const *argv, const struct span **params,
            size_t *n)
{
	struct span *copy;
	size_t i;

	for (*n = 0; argv[*n] != NULL; ++*n)
		;
	copy = arena_alloc(t->arena, *n * sizeof(*copy));
	*params = copy;
	for (i = 0; copy != NULL && i < *n; i++) {
		copy[i] = arena_copy(t->arena, span_of(argv[i]));
		if (copy[i].p == NULL)
			return false;
	}
	return copy != NULL;
}

static bool
has_param(const struct span *params, size_t n, struct span name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (span_is_nocase(params[i], name))
			return true;
	return false;
}

bool
told_mail(struct told *t, char *const *argv)
{
	if (!t->connected && !t->client_told) {
		tell_client(t, "", NULL);
		if (!tell_name(t, (struct span){NULL, 0}))
			return false;
	}
	if (argv == NULL || argv[0] == NULL)
		return true;
	t->sender_given = arena_copy(t->arena, span_of(argv[0]));
	if (t->sender_given.p == NULL ||
	    !copy_params(t, argv + 1, &t->sender_params, &t->n_sender_params) ||
	    !address_path(t->arena, t->sender_given, &t->sender) ||
	    !message_set_sender(t->message, t->sender_given))
		return false;
	t->utf8 = has_param(t->sender_params, t->n_sender_params,
		SPAN("SMTPUTF8"));
	t->sender_told = true;
	return true;
}

static bool
more_rcpts(struct told *t)
{
	size_t size = t->rcpts_size == 0 ? 4 : t->rcpts_size * 2;
	struct told_rcpt *rcpts = arena_alloc(t->arena, size * sizeof(*rcpts));

	if (rcpts == NULL)
		return false;
	if (t->n_rcpts > 0)
		memcpy(rcpts, t->rcpts, t->n_rcpts * sizeof(*rcpts));
	t->rcpts = rcpts;
	t->rcpts_size = size;
	return true;
}

bool
told_rcpt(struct told *t, char *const *argv)
{
	struct told_rcpt *r;

	if (t->n_rcpts == t->rcpts_size && !more_rcpts(t))
		return false;
	r = &t->rcpts[t->n_rcpts];
	*r = (struct told_rcpt){.in = true};
	r->given = arena_copy(t->arena, span_of(argv[0]));
	if (r->given.p == NULL ||
	    !copy_params(t, argv + 1, &r->params, &r->n_params) ||
	    !address_path(t->arena, r->given, &r->address) ||
	    !message_add_rcpt(t->message, r->given))
		return false;
	t->n_rcpts++;
	return true;
}

/* ---- the header ---- */

bool
told_header(struct told *t, const char *name, const char *value)
{
	struct span n = span_of(name), v = span_of(value);
	size_t i;

	/* "Name: value" CR LF, and a CR for each LF of a fold without one */
	t->header_bytes += n.n + 2 + v.n + 2;
	for (i = 0; i < v.n; i++)
		t->header_bytes += v.p[i] == '\n' &&
			(i == 0 || v.p[i - 1] != '\r');
	t->fields = NULL;
	return message_add_field(t->message, n, v);
}
