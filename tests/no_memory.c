#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "no_memory.h"

_Thread_local struct no_memory no_memory;

#if NO_MEMORY_WORKS
/* GLib ends the process rather than go without. Apart from the rest, which a
 * sanitizer calls before it is up. */
__attribute__((noinline)) static bool
is_glib(void *caller)
{
	Dl_info of;

	return dladdr(caller, &of) != 0 && of.dli_fname != NULL &&
	       strstr(of.dli_fname, "/libg") != NULL;
}

static bool
refuse(void *caller)
{
	struct no_memory *m = &no_memory;

	if (!m->counting || is_glib(caller))
		return false;
	m->count++;
	if (m->fail_at == 0)
		return false;
	if (m->count == m->fail_at ||
	    (m->for_good && m->count > m->fail_at)) {
		errno = ENOMEM;
		return true;
	}
	return false;
}

static void *(*real_malloc)(size_t);
static void *(*real_calloc)(size_t, size_t);
static void *(*real_realloc)(void *, size_t);

/* dlsym may want memory before there is any. */
static _Alignas(16) char early[8192];
static size_t early_used;

static void *
early_memory(size_t n)
{
	void *p = early + early_used;

	early_used += (n + 15) & ~(size_t)15;
	if (early_used > sizeof(early))
		abort();
	return p;
}

static void
find_real(void)
{
	static bool finding;

	if (finding)
		return;
	finding = true;
	*(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
	*(void **)&real_calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&real_realloc = dlsym(RTLD_NEXT, "realloc");
}

void *
malloc(size_t n)
{
	if (real_malloc == NULL)
		find_real();
	if (real_malloc == NULL)
		return early_memory(n);
	return refuse(__builtin_return_address(0)) ? NULL : real_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	if (real_calloc == NULL)
		find_real();
	if (real_calloc == NULL)
		return early_memory(n * size); /* it is zero */
	return refuse(__builtin_return_address(0)) ? NULL :
	       real_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	if (real_realloc == NULL)
		find_real();
	return refuse(__builtin_return_address(0)) ? NULL :
	       real_realloc(p, n);
}
#endif
