/* identity.h - whom the filter runs as, and becoming that for good. */
#ifndef IDENTITY_H
#define IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

struct identity {
	uid_t uid;       /* -1: stays */
	gid_t gid;       /* -1: stays */
	char name[256];  /* the user's, for the supplementary groups */
};

/*
 * Looks up a user and a group ("" for neither), by name or number. Returns 0
 * or a status of sysexits.h, and then why says it.
 */
int identity_find(const char *user, const char *group, struct identity *out,
                  char why[512]);

/*
 * Becomes it and gives up the way back: groups, set ids, no_new_privs. May
 * be called when that is what the process is already.
 */
int identity_become(const struct identity *who, char why[512]);

#endif
