#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>
#include <unistd.h>

#include "fail.h"
#include "identity.h"

static bool
number(const char *s, unsigned long *n)
{
	char *end;

	if (*s < '0' || *s > '9')
		return false;
	errno = 0;
	*n = strtoul(s, &end, 10);
	return *end == '\0' && errno == 0 && *n < 0xffffffffUL;
}

static int
find_user(const char *user, struct identity *out, char why[512])
{
	const struct passwd *pw = getpwnam(user);
	unsigned long n;

	if (pw == NULL && number(user, &n))
		pw = getpwuid((uid_t)n);
	if (pw == NULL)
		return fail(why, EX_NOUSER, "there is no user \"%s\"", user);
	if (strlen(pw->pw_name) >= sizeof(out->name))
		return fail(why, EX_NOUSER, "user \"%s\": too long", user);
	strcpy(out->name, pw->pw_name);
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	return 0;
}

int
identity_find(const char *user, const char *group, struct identity *out,
              char why[512])
{
	const struct group *gr;
	unsigned long n;
	int status = 0;

	*out = (struct identity){.uid = (uid_t)-1, .gid = (gid_t)-1};
	if (*user != '\0')
		status = find_user(user, out, why);
	if (status != 0 || *group == '\0')
		return status;
	gr = getgrnam(group);
	if (gr != NULL)
		out->gid = gr->gr_gid;
	else if (number(group, &n))
		out->gid = (gid_t)n;
	else
		return fail(why, EX_NOUSER, "there is no group \"%s\"", group);
	return 0;
}

/* Is there no way back? */
static bool
settled(const struct identity *who)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;

	if (getresuid(&r, &e, &s) != 0 || getresgid(&gr, &ge, &gs) != 0)
		return false;
	if (who->gid != (gid_t)-1 &&
	    (gr != who->gid || ge != who->gid || gs != who->gid))
		return false;
	if (who->uid == (uid_t)-1)
		return true;
	return r == who->uid && e == who->uid && s == who->uid &&
	       (who->uid == 0 || setuid(0) != 0);
}

int
identity_become(const struct identity *who, char why[512])
{
	bool root = geteuid() == 0;

	/* Started as that user already is fine; the group then was a matter
	 * of the socket alone. */
	if (!root && who->uid != (uid_t)-1 && who->uid != geteuid())
		return fail(why, EX_NOPERM,
		            "only root can change to user \"%s\"", who->name);
	if (!root)
		goto bind;
	if (who->uid != (uid_t)-1 && who->uid != 0 &&
	    initgroups(who->name, who->gid) != 0)
		return fail(why, EX_OSERR, "groups of %s: %s", who->name,
		            strerror(errno));
	if (who->gid != (gid_t)-1 &&
	    setresgid(who->gid, who->gid, who->gid) != 0)
		return fail(why, EX_OSERR, "group %ld: %s", (long)who->gid,
		            strerror(errno));
	if (who->uid != (uid_t)-1 &&
	    setresuid(who->uid, who->uid, who->uid) != 0)
		return fail(why, EX_OSERR, "user %s: %s", who->name,
		            strerror(errno));
	if (!settled(who))
		return fail(why, EX_OSERR,
		            "privileges could not be given up for good");
bind:
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return fail(why, EX_OSERR, "no_new_privs: %s", strerror(errno));
	return 0;
}
