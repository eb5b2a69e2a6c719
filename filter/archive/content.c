#include <magic.h>
#include <pthread.h>

#include "caps.h"
#include "content.h"
#include "utf8.h"

static pthread_key_t key;
static bool have_key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
close_cookie(void *cookie)
{
	magic_close(cookie);
}

static void
make_key(void)
{
	have_key = pthread_key_create(&key, close_cookie) == 0;
}

static magic_t
open_cookie(void)
{
	size_t bytes = CAPS_MAGIC_BYTES;
	magic_t cookie = magic_open(MAGIC_MIME_TYPE | MAGIC_ERROR);

	if (cookie == NULL)
		return NULL;
	if (magic_load(cookie, NULL) != 0 ||
	    magic_setparam(cookie, MAGIC_PARAM_BYTES_MAX, &bytes) != 0 ||
	    pthread_setspecific(key, cookie) != 0) {
		magic_close(cookie);
		return NULL;
	}
	return cookie;
}

/* A thread's own: a cookie is not shared, and costs a look at the database. */
static magic_t
own_cookie(void)
{
	magic_t cookie;

	pthread_once(&once, make_key);
	if (!have_key)
		return NULL;
	cookie = pthread_getspecific(key);
	return cookie != NULL ? cookie : open_cookie();
}

bool
content_type(struct arena *a, struct span bytes, struct span *type)
{
	magic_t cookie = own_cookie();
	const char *found;

	if (cookie == NULL)
		return false;
	found = magic_buffer(cookie, bytes.n == 0 ? "" : bytes.p, bytes.n);
	if (found == NULL)
		return false;
	*type = arena_copy(a, utf8_make_valid(a, span_of(found)));
	return type->p != NULL;
}
