#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "current.h"
#include "try.h"

struct current {
	pthread_mutex_t lock;   /* of policy, and of nothing slow */
	pthread_mutex_t loading; /* one reload at a time */
	struct policy *policy;
	char *path;
};

/* A policy that passes its own tests, or NULL. */
static struct policy *
load(const char *path, struct diags *d)
{
	struct policy *p = policy_load(path, d);

	if (p == NULL || try_policy(p, d))
		return p;
	policy_unref(p);
	return NULL;
}

struct current *
current_load(const char *path, struct diags *d)
{
	struct current *c;
	struct policy *p = load(path, d);

	if (p == NULL)
		return NULL;
	c = calloc(1, sizeof(*c));
	if (c != NULL)
		c->path = strdup(path);
	if (c == NULL || c->path == NULL) {
		diag_error(d, (struct place){NULL, 0, 0}, "no memory");
		policy_unref(p);
		free(c);
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	pthread_mutex_init(&c->loading, NULL);
	c->policy = p;
	return c;
}

void
current_free(struct current *c)
{
	if (c == NULL)
		return;
	policy_unref(c->policy);
	pthread_mutex_destroy(&c->lock);
	pthread_mutex_destroy(&c->loading);
	free(c->path);
	free(c);
}

struct policy *
current_get(struct current *c)
{
	struct policy *p;

	pthread_mutex_lock(&c->lock);
	p = policy_ref(c->policy);
	pthread_mutex_unlock(&c->lock);
	return p;
}

bool
current_reload(struct current *c, struct diags *d)
{
	struct policy *new, *old = NULL;

	pthread_mutex_lock(&c->loading);
	new = load(c->path, d);
	if (new != NULL) {
		pthread_mutex_lock(&c->lock);
		old = c->policy;
		c->policy = new;
		pthread_mutex_unlock(&c->lock);
		policy_unref(old);
	}
	pthread_mutex_unlock(&c->loading);
	return new != NULL;
}
