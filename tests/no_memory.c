#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>

#include "no_memory.h"

_Thread_local struct no_memory no_memory;

#if NO_MEMORY_WORKS
static bool
refuse(void)
{
	struct no_memory *m = &no_memory;

	if (!m->counting)
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
	return refuse() ? NULL : real_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	if (real_calloc == NULL)
		find_real();
	if (real_calloc == NULL)
		return early_memory(n * size); /* it is zero */
	return refuse() ? NULL : real_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	if (real_realloc == NULL)
		find_real();
	return refuse() ? NULL : real_realloc(p, n);
}
#endif
