/*
 * fuzz_archive.c - any bytes as an archive, called as each kind is. Here they
 * are read without a process of their own, so that a sanitizer sees it. Names
 * and begins are inside of what was read, holders are told before what they
 * hold, and no limit is passed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "caps.h"
#include "unpack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* The memory that an archive's reader may have. */
const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1:max_allocation_size_mb=400";
}

static void
hold(bool promise)
{
	if (!promise)
		abort();
}

/* At each byte. */
static void
look(struct span s)
{
	const volatile char *p = s.p;
	size_t i;

	for (i = 0; i < s.n; i++)
		(void)p[i];
}

static bool
take(void *of, const struct unpack_file *f)
{
	size_t *n = of, i;

	hold(f->holder == UNPACK_TOP || f->holder < *n);
	hold(f->n_names > 0 && f->n_names <= UNPACK_NAMES);
	hold(f->begin.n <= UNPACK_BEGIN);
	for (i = 0; i < f->n_names; i++)
		look(f->names[i]);
	look(f->begin);
	++*n;
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = {
		"a.zip", "a.gz", "a.exe", "winmail.dat", "a.docx",
	};
	/* a copy, so that not a byte behind it may be read */
	char *bytes = malloc(size == 0 ? 1 : size);
	struct arena *a = arena_new(64 << 20);
	struct span name = span_of(names[size % 5]), s = {bytes, size};
	size_t n = 0;
	struct unpack u = {a, take, &n, 0, false, 0, 0};

	if (a == NULL || bytes == NULL)
		abort();
	if (size > 0)
		memcpy(bytes, data, size);
	if (unpack_wanted(a, &name, 1, s))
		unpack_read(&u, &name, 1, s);
	hold(u.n_files == n && n <= CAPS_ARCHIVE_MEMBERS);
	hold(u.n_bytes <= CAPS_ARCHIVE_BYTES);
	arena_free(a);
	free(bytes);
	return 0;
}
