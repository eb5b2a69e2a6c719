/*
 * doctor_visit.h - one look at one MTA: a list of checks, each a row with a
 * function that tells what it finds. For doctor*.c.
 */
#ifndef DOCTOR_VISIT_H
#define DOCTOR_VISIT_H

#include <stdbool.h>
#include <sys/types.h>

#include "arena.h"
#include "policy.h"
#include "socket.h"

enum severity {
	NOTE,  /* may be meant so */
	FAULT, /* mail is not filtered, or does not get through */
};

struct visit;

/* of: what was read of the MTA's configuration. */
struct check {
	const char *name;
	enum severity severity;
	void (*look)(struct visit *v, const void *of);
};

struct finding {
	const struct check *check;
	struct span where; /* "smtp/inet, submission/inet"; may be empty */
	struct span what;
	struct span file, line; /* what mends it: "main.cf", "a = b" */
};

struct visit {
	const struct policy *policy;
	const char *config;      /* the policy's file */
	const char *socket;      /* as the policy or -p has it */
	bool socket_given;       /* by -p */
	struct socket_name name; /* that, read */
	struct arena *arena;
	struct span mta;         /* "Postfix 3.7.11 in /etc/postfix" */
	const struct check *check;
	struct finding *found;
	size_t n_found;
	bool asked;              /* the negotiation was tried: */
	unsigned char answer[4096];
	int n_answer;            /* bytes; 0: no milter; -1: nobody there */
};

void visit_run(struct visit *v, const struct check *checks, size_t n,
               const void *of);

/*
 * Something that the check at hand found. The same with the same mend is one
 * finding at several places.
 */
void visit_find(struct visit *v, struct span where, struct span what,
                const char *file, struct span line);

/* printf into the visit's memory */
#define TEXT(v, ...) arena_printf((v)->arena, __VA_ARGS__)

/* A span as a C string, in the visit's memory; "" without memory. */
const char *visit_text(struct visit *v, struct span s);

/* The next word up to one of the marks, which are skipped; p NULL: none. */
struct span visit_word(struct span *rest, const char *marks);

/*
 * Seconds from a time as an MTA has it, "30s", "5m"; unit: what a bare
 * number is in. Negative: it is none.
 */
long visit_seconds(struct span time, char unit);

/* How long an answer of ours may take, in seconds, with some to spare. */
long visit_patience(const struct visit *v);

/* What that is spent on, as " (the DNS: 20s by spf-timeout)"; may be empty. */
struct span visit_reasons(struct visit *v);

/* Is all let in anyway, by "set shadow yes"? */
bool visit_on_trial(const struct visit *v);

/* Does the policy ask for this? */
bool visit_asks(const struct visit *v, const enum subject_id *ids, size_t n);

/*
 * The macros that the policy asks for by name, that neither is in known
 * (names with a blank between) nor defined; each told by tell.
 */
void visit_unknown_macros(struct visit *v, const char *known,
                          bool (*defined)(const void *of, struct span name),
                          void (*tell)(struct visit *v, struct span name,
                                       struct span rule), const void *of);

/* ---- the socket (doctor_socket.c) ---- */

/* Does the MTA's host and port, or path, lead to the policy's socket? */
bool visit_is_port(const struct visit *v, const char *host, const char *port);
bool visit_is_path(const struct visit *v, const char *path);

/* The program at the other end. */
extern const struct check socket_checks[];
extern const size_t n_socket_checks;

/* Who is to connect; the policy's path is below a chroot's folder. */
struct caller {
	const char *user;
	uid_t uid;
	gid_t gid;
	const char *chroot; /* or NULL */
};

/* Tells if that user may not connect to the policy's path. */
void visit_check_access(struct visit *v, const struct caller *c,
                        struct span where);

/* "0750 vaglio:vaglio" */
struct span visit_owners(struct visit *v, const struct stat *st);

/* ---- the MTAs: 0, or a status of sysexits.h with the reason told ---- */

int visit_postfix(struct visit *v, const char *folder);
int visit_sendmail(struct visit *v, const char *file);

#endif
