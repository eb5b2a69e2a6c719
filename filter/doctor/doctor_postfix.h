/*
 * doctor_postfix.h - Postfix's configuration, as postconf(1) tells it, and
 * the milters that its services name.
 */
#ifndef DOCTOR_POSTFIX_H
#define DOCTOR_POSTFIX_H

#include "doctor_visit.h"

/* A service that asks milters, or that clients pass on their way to one. */
struct door {
	struct span name;     /* "smtp/inet" */
	const char *milters;  /* the parameter that names them */
	bool is_local;        /* cleanup, for mail from this machine */
	bool chrooted, privileged;
	bool loopback;        /* only this machine can connect */
	bool submission;      /* by its name or port */
};

struct postfix {
	const char *folder;
	struct span settings;  /* "name = value", a line each, filled in */
	struct span overrides; /* "service/type/name = value" */
	struct door *doors;
	size_t n_doors;
	struct door *screens;  /* postscreen's: they ask none */
	size_t n_screens;
	const char *queue;     /* queue_directory */
};

/* 0, or a status of sysexits.h, told on standard error. */
int postfix_read(struct visit *v, const char *folder, struct postfix *pf);

/*
 * A parameter as the service has it (NULL: main.cf's); p NULL: this Postfix
 * does not know it.
 */
struct span postfix_value(const struct postfix *pf, const struct door *d,
                          const char *name);
bool postfix_overrides(const struct postfix *pf, const struct door *d,
                       const char *name);

/* One milter of a list: "unix:path" or "{ unix:path, name = value }". */
struct entry {
	struct span text, address, settings;
};

/* A setting of the entry's own; p NULL: it has none. */
struct span postfix_entry_setting(const struct entry *e, const char *name);

/* What a door's entry is to us. */
enum relation {
	OTHER,   /* somebody else's */
	BAD,     /* nothing that Postfix can read */
	ASTRAY,  /* our path, but not from where this service sees it */
	FOREIGN, /* ours, as Sendmail writes it */
	OURS,
};

/* The entry of the door that is nearest to being ours. */
enum relation postfix_attachment(struct visit *v, const struct postfix *pf,
                                 const struct door *d, struct entry *e);

/* The file as seen by a door that is given this path. */
const char *postfix_path(struct visit *v, const struct postfix *pf,
                         const struct door *d, struct span path);

/*
 * How the door must name the policy's socket; p NULL: it can't, the socket is
 * outside its chroot.
 */
struct span postfix_spelling(struct visit *v, const struct postfix *pf,
                             const struct door *d);

#endif
