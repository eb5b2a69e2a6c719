/* doctor.c - which MTAs there are to look at, and what is printed of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include <jansson.h>

#include "doctor.h"
#include "doctor_visit.h"
#include "utf8.h"

/* Where they are by themselves. */
#define POSTFIX_FOLDER "/etc/postfix"
#define SENDMAIL_FILE "/etc/mail/sendmail.cf"

/* ---- for people ---- */

static void
print_finding(const struct finding *f, FILE *out)
{
	fprintf(out, "  %s  %s: %.*s%s%.*s\n",
	        f->check->severity == FAULT ? "fault" : "note ",
	        f->check->name, SPAN_ARG(f->where), f->where.n > 0 ? ": " : "",
	        SPAN_ARG(f->what));
	fprintf(out, "         %.*s: %.*s\n", SPAN_ARG(f->file),
	        SPAN_ARG(f->line));
}

static void
print_visit(const struct visit *v, FILE *out)
{
	size_t i;

	fprintf(out, "%.*s%s\n", SPAN_ARG(v->mta),
	        v->n_found > 0 ? ":" : ": nothing to mend");
	for (i = 0; i < v->n_found; i++)
		print_finding(&v->found[i], out);
}

/* ---- for machines ---- */

static json_t *
text(const struct visit *v, struct span s)
{
	s = utf8_make_valid(v->arena, s);
	return s.p != NULL ? json_stringn(s.p, s.n) : NULL;
}

/* NULL without memory, as Jansson has it. */
static json_t *
pack_finding(const struct visit *v, const struct finding *f)
{
	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:o, s:o}",
		"mta", text(v, v->mta), "name", f->check->name,
		"severity", f->check->severity == FAULT ? "fault" : "note",
		"where", text(v, f->where), "what", text(v, f->what),
		"file", text(v, f->file), "line", text(v, f->line));
}

static bool
print_json(const struct visit *visits, size_t n, FILE *out)
{
	json_t *all = json_array();
	bool fine = all != NULL;
	size_t i, j;

	for (i = 0; i < n; i++)
		for (j = 0; fine && j < visits[i].n_found; j++)
			fine = json_array_append_new(all,
				pack_finding(&visits[i],
				             &visits[i].found[j])) == 0;
	fine = fine && json_dumpf(all, out, JSON_INDENT(2)) == 0;
	fputc('\n', out);
	json_decref(all);
	return fine;
}

/* ---- the look ---- */

static bool
begin(struct visit *v, const struct policy *p, const struct options *o,
      struct arena *a)
{
	*v = (struct visit){.policy = p, .arena = a, .config = o->config,
	                    .socket = o->socket,
	                    .socket_given = o->socket != NULL};
	if (v->socket == NULL)
		v->socket = visit_text(v, policy_settings(p)->socket.text);
	if (socket_parse(v->socket, &v->name))
		return true;
	fprintf(stderr, "vaglio: \"%s\" is not a socket: write unix:/path, "
	        "inet:port@host, inet6:port@host or fd:number\n", v->socket);
	return false;
}

static int
visit_both(const struct policy *p, const struct options *o, struct arena *a,
           struct visit *visits, size_t *n)
{
	const char *postfix = o->postfix, *sendmail = o->sendmail;
	int status = 0;

	if (postfix == NULL && sendmail == NULL) {
		if (access(POSTFIX_FOLDER "/main.cf", F_OK) == 0)
			postfix = POSTFIX_FOLDER;
		if (access(SENDMAIL_FILE, F_OK) == 0)
			sendmail = SENDMAIL_FILE;
	}
	if (postfix == NULL && sendmail == NULL) {
		fprintf(stderr, "vaglio: neither " POSTFIX_FOLDER " nor "
		        SENDMAIL_FILE " is there: say where the MTA is with "
		        "--postfix or --sendmail\n");
		return EX_UNAVAILABLE;
	}
	if (postfix != NULL) {
		if (!begin(&visits[*n], p, o, a))
			return EX_CONFIG;
		status = visit_postfix(&visits[(*n)++], postfix);
	}
	if (status == 0 && sendmail != NULL) {
		if (!begin(&visits[*n], p, o, a))
			return EX_CONFIG;
		status = visit_sendmail(&visits[(*n)++], sendmail);
	}
	return status;
}

static int
tell(struct visit *visits, size_t n, bool json, FILE *out)
{
	int status = 0;
	size_t i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < visits[i].n_found; j++)
			if (visits[i].found[j].check->severity == FAULT)
				status = DOCTOR_FOUND;
	if (json)
		return print_json(visits, n, out) ? status : EX_OSERR;
	for (i = 0; i < n; i++)
		print_visit(&visits[i], out);
	return status;
}

int
doctor(const struct policy *p, const struct options *o, FILE *out)
{
	struct visit visits[3];
	struct arena *a = arena_new(0);
	size_t n = 0;
	int status = a == NULL ? EX_OSERR :
	             visit_both(p, o, a, visits, &n);

	if (status == 0) {
		/* The socket is one, whoever asks. */
		begin(&visits[n], p, o, a);
		visits[n].mta = TEXT(&visits[n], "socket %s",
		                     visits[n].socket);
		visit_run(&visits[n++], socket_checks, n_socket_checks, NULL);
		status = tell(visits, n, o->json, out);
	}
	if (a != NULL && arena_full(a)) {
		fprintf(stderr, "vaglio: no memory\n");
		status = EX_OSERR;
	}
	arena_free(a);
	return status;
}
