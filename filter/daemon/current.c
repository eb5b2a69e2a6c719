#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "caps.h"
#include "current.h"
#include "try.h"

struct current {
	pthread_mutex_t lock;   /* of policy, and of nothing slow */
	pthread_mutex_t loading; /* one reload at a time */
	struct policy *policy;
	struct resolver *resolver;
	struct limits *limits;
	char *path;
	void (*tell)(void *of, bool bad, const char *text);
	void *of;
};

struct resolver *
current_make_resolver(const struct policy *p, struct diags *d)
{
	struct span servers = policy_settings(p)->dns.text;
	const char *why;
	struct resolver *r = resolver_new(servers, CAPS_DNS_CACHE, &why);

	if (r == NULL)
		diag_error(d, (struct place){NULL, 0, 0}, "set dns \"%.*s\": %s",
			SPAN_ARG(servers), why);
	return r;
}

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
	struct resolver *r = p == NULL ? NULL : current_make_resolver(p, d);

	if (r == NULL) {
		policy_unref(p);
		return NULL;
	}
	c = calloc(1, sizeof(*c));
	if (c != NULL)
		c->path = strdup(path);
	if (c == NULL || c->path == NULL) {
		diag_error(d, (struct place){NULL, 0, 0}, "no memory");
		policy_unref(p);
		resolver_unref(r);
		free(c);
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	pthread_mutex_init(&c->loading, NULL);
	c->policy = p;
	c->resolver = r;
	return c;
}

void
current_free(struct current *c)
{
	if (c == NULL)
		return;
	policy_unref(c->policy);
	resolver_unref(c->resolver);
	pthread_mutex_destroy(&c->lock);
	pthread_mutex_destroy(&c->loading);
	free(c->path);
	free(c);
}

void
current_tell(struct current *c,
             void (*tell)(void *of, bool bad, const char *text), void *of)
{
	c->tell = tell;
	c->of = of;
	policy_tell(c->policy, tell, of);
}

void
current_count(struct current *c, struct limits *limits)
{
	c->limits = limits;
	limits_prepare(limits, c->policy);
}

struct limits *
current_limits(const struct current *c)
{
	return c->limits;
}

struct policy *
current_get_both(struct current *c, struct resolver **r)
{
	struct policy *p;

	pthread_mutex_lock(&c->lock);
	p = policy_ref(c->policy);
	*r = resolver_ref(c->resolver);
	pthread_mutex_unlock(&c->lock);
	return p;
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

/*
 * The one in use, if the new policy names the same servers. The system's may
 * be others by now.
 */
static struct resolver *
new_resolver(struct current *c, const struct policy *p, struct diags *d)
{
	struct span dns = policy_settings(p)->dns.text;

	if (dns.n > 0 && span_is(dns, policy_settings(c->policy)->dns.text))
		return resolver_ref(c->resolver);
	return current_make_resolver(p, d);
}

static void
swap(struct current *c, struct policy *p, struct resolver *r)
{
	struct policy *old = c->policy;
	struct resolver *old_resolver = c->resolver;

	policy_tell(p, c->tell, c->of);
	limits_prepare(c->limits, p);
	pthread_mutex_lock(&c->lock);
	c->policy = p;
	c->resolver = r;
	pthread_mutex_unlock(&c->lock);
	policy_unref(old);
	resolver_unref(old_resolver);
}

bool
current_reload(struct current *c, struct diags *d)
{
	struct resolver *r = NULL;
	struct policy *p;

	pthread_mutex_lock(&c->loading);
	p = load(c->path, d);
	if (p != NULL)
		r = new_resolver(c, p, d);
	if (r != NULL)
		swap(c, p, r);
	else
		policy_unref(p);
	pthread_mutex_unlock(&c->loading);
	return r != NULL;
}
