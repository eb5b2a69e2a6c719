/* The process of its own, and archives that want more than they may. */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "apart.h"
#include "caps.h"
#include "check.h"
#include "mime_facts.h"

/* ---- apart ---- */

static void
write_number(void *of, int fd)
{
	apart_write(fd, of, sizeof(int));
}

START_TEST(what_it_writes_is_read)
{
	struct apart a;
	int n = 42, got = 0;

	ck_assert(apart_start(&a, write_number, &n));
	ck_assert(apart_read(&a, &got, sizeof(got)));
	ck_assert_int_eq(got, 42);
	ck_assert(!apart_read(&a, &got, 1));
	ck_assert_int_eq(apart_end(&a), APART_DONE);
}
END_TEST

static void
crash(void *of, int fd)
{
	(void)of;
	(void)fd;
	_exit(13); /* as a sanitizer ends what goes astray */
}

START_TEST(its_crash_is_told)
{
	struct apart a;
	char c;

	ck_assert(apart_start(&a, crash, NULL));
	ck_assert(!apart_read(&a, &c, 1));
	ck_assert_int_eq(apart_end(&a), APART_CRASHED);
}
END_TEST

/* What is refused, as letters. */
static void
try_things(void *of, int fd)
{
	char got[4] = "----";
	void *p;

	(void)of;
	if (open("/etc/passwd", O_RDONLY) < 0)
		got[0] = 'o';
	if (fork() < 0)
		got[1] = 'f';
	p = mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		got[2] = 'x';
	if (malloc((size_t)2 << 30) == NULL)
		got[3] = 'm';
	apart_write(fd, got, sizeof(got));
}

START_TEST(it_can_open_nothing)
{
	struct apart a;
	char got[4];

	if (APART_SANITIZED)
		return;
	ck_assert(apart_start(&a, try_things, NULL));
	ck_assert(apart_read(&a, got, sizeof(got)));
	ck_assert_mem_eq(got, "ofxm", 4);
	ck_assert_int_eq(apart_end(&a), APART_DONE);
}
END_TEST

static void
write_on(void *of, int fd)
{
	char zeros[4096] = {0};

	(void)of;
	for (;;)
		apart_write(fd, zeros, sizeof(zeros));
}

START_TEST(it_ends_when_nobody_reads)
{
	struct apart a;
	char c;

	ck_assert(apart_start(&a, write_on, NULL));
	ck_assert(apart_read(&a, &c, 1));
	apart_end(&a);
}
END_TEST

/* ---- archives as attachments ---- */

struct bytes {
	char *p;
	size_t n, size;
};

static la_ssize_t
keep(struct archive *a, void *of, const void *p, size_t n)
{
	struct bytes *b = of;

	(void)a;
	if (b->n + n > b->size) {
		b->size = b->size * 2 + n;
		b->p = realloc(b->p, b->size);
		ck_assert_ptr_nonnull(b->p);
	}
	memcpy(b->p + b->n, p, n);
	b->n += n;
	return (la_ssize_t)n;
}

static struct archive *
writer(struct bytes *b, int (*format)(struct archive *),
       int (*filter)(struct archive *))
{
	struct archive *a = archive_write_new();

	ck_assert_ptr_nonnull(a);
	ck_assert_int_eq(format(a), ARCHIVE_OK);
	ck_assert_int_eq(filter(a), ARCHIVE_OK);
	archive_write_set_bytes_per_block(a, 0);
	ck_assert_int_eq(archive_write_open(a, b, NULL, keep, NULL),
	                 ARCHIVE_OK);
	return a;
}

static void
add(struct archive *a, const char *name, struct span content)
{
	struct archive_entry *e = archive_entry_new();

	archive_entry_set_pathname(e, name);
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_size(e, (la_int64_t)content.n);
	ck_assert_int_eq(archive_write_header(a, e), ARCHIVE_OK);
	ck_assert_int_eq(archive_write_data(a, content.p, content.n),
	                 (la_ssize_t)content.n);
	archive_entry_free(e);
}

static struct bytes
end(struct archive *a, struct bytes *b)
{
	ck_assert_int_eq(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	return *b;
}

/* It alone is the message. */
static struct mime *
parse(struct arena *arena, const char *name, const struct bytes *b)
{
	char type[100];
	struct mime_field f[2] = {
		{SPAN("Content-Type"), {type, 0}},
		{SPAN("Content-Transfer-Encoding"), SPAN("binary")},
	};
	struct mime *m;

	f[0].value.n = (size_t)snprintf(type, sizeof(type),
		"application/octet-stream; name=%s", name);
	m = mime_parse(arena, f, 2, (struct span){b->p, b->n}, false);
	ck_assert_ptr_nonnull(m);
	return m;
}

static struct mime_answer
ask(struct mime *m, enum subject_id id)
{
	struct mime_answer a;

	ck_assert(mime_answer(m, id, &a));
	return a;
}

static bool
says(struct mime *m, enum subject_id id, const char *text)
{
	struct mime_answer a = ask(m, id);
	size_t i;

	for (i = 0; i < a.n; i++)
		if (span_is(a.values[i].text, span_of(text)))
			return true;
	return false;
}

static void
expect_too_much(const char *name, struct bytes b)
{
	struct arena *arena = arena_new(CAPS_MESSAGE_BYTES);
	struct mime *m = parse(arena, name, &b);

	ck_assert_ptr_nonnull(ask(m, SUBJECT_ATTACHMENT_EXTENSION).failed);
	ck_assert(says(m, SUBJECT_MIME_DEFECT, "too-much-archive"));
	ck_assert_ptr_null(ask(m, SUBJECT_PART_TYPE).failed);
	ck_assert_ptr_null(ask(m, SUBJECT_ATTACHMENT_TYPE).failed);
	ck_assert_uint_lt(arena_used(arena), 32 << 20);
	arena_free(arena);
	free(b.p);
}

static const char zeros[16 << 20];

/* As many bytes as one gzip gives, again and again: RFC 1952 2.2. */
START_TEST(ten_gigabytes_of_zeros_are_too_much)
{
	struct bytes one = {NULL, 0, 0}, all = {NULL, 0, 0};
	struct archive *a = writer(&one, archive_write_set_format_raw,
	                           archive_write_add_filter_gzip);
	int i;

	add(a, "zeros", (struct span){zeros, sizeof(zeros)});
	end(a, &one);
	for (i = 0; i < 640; i++)
		keep(NULL, &all, one.p, one.n);
	free(one.p);
	expect_too_much("zeros.gz", all);
}
END_TEST

/* 42.zip: sixteen in each of sixteen in each ... */
START_TEST(a_tree_of_zips_is_too_much)
{
	struct bytes inner = {NULL, 0, 0}, outer;
	struct archive *a = writer(&inner, archive_write_set_format_zip,
	                           archive_write_add_filter_none);
	char name[16];
	int depth, i;

	add(a, "0.dll", (struct span){zeros, 1 << 20});
	end(a, &inner);
	for (depth = 1; depth < 5; depth++) {
		outer = (struct bytes){NULL, 0, 0};
		a = writer(&outer, archive_write_set_format_zip,
		           archive_write_add_filter_none);
		for (i = 0; i < 16; i++) {
			snprintf(name, sizeof(name), "%d.zip", i);
			add(a, name, (struct span){inner.p, inner.n});
		}
		end(a, &outer);
		free(inner.p);
		inner = outer;
	}
	expect_too_much("42.zip", inner);
}
END_TEST

START_TEST(so_many_files_are_too_many)
{
	struct bytes b = {NULL, 0, 0};
	struct archive *a = writer(&b, archive_write_set_format_ustar,
	                           archive_write_add_filter_gzip);
	char name[16];
	int i;

	for (i = 0; i <= CAPS_ARCHIVE_MEMBERS; i++) {
		snprintf(name, sizeof(name), "%d.txt", i);
		add(a, name, SPAN("x"));
	}
	end(a, &b);
	expect_too_much("many.tgz", b);
}
END_TEST

/*
 * libarchive makes room for as many files as a 7z's header says, and begins
 * each: some GB for these bytes.
 */
START_TEST(room_that_a_header_asks_for_is_not_had)
{
	static const char header[] =
		"\x01\x05" /* files */
		"\xf0\xff\xe0\xf5\x05" /* 99999999 of them */
		"\0\0";
	struct bytes b = {NULL, 0, 0};
	static const char begin[] =
		"7z\xbc\xaf\x27\x1c\0\4"
		"\x0d\x92\x78\x4e" /* CRC-32 of the next three */
		"\0\0\0\0\0\0\0\0" "\x09\0\0\0\0\0\0\0"
		"\x3d\x7c\x8f\xa6"; /* CRC-32 of the header */
	struct arena *arena;
	struct mime *m;

	if (APART_SANITIZED)
		return;
	arena = arena_new(CAPS_MESSAGE_BYTES);
	keep(NULL, &b, begin, sizeof(begin) - 1);
	keep(NULL, &b, header, sizeof(header) - 1);
	ck_assert_uint_eq(b.n, 32 + 9);
	m = parse(arena, "a.7z", &b);
	ck_assert_uint_eq(ask(m, SUBJECT_ATTACHMENT_COUNT).n, 1);
	ck_assert(says(m, SUBJECT_MIME_DEFECT, "bad-archive"));
	arena_free(arena);
	free(b.p);
}
END_TEST

/* ---- what is not too much ---- */

START_TEST(an_image_has_its_long_names)
{
	struct bytes b = {NULL, 0, 0};
	struct archive *a = writer(&b, archive_write_set_format_iso9660,
	                           archive_write_add_filter_none);
	struct arena *arena = arena_new(CAPS_MESSAGE_BYTES);
	struct mime *m;

	add(a, "an invoice of last month.exe", SPAN("MZ"));
	end(a, &b);
	m = parse(arena, "cat.png", &b);
	ck_assert(says(m, SUBJECT_ATTACHMENT,
	               "an invoice of last month.exe"));
	ck_assert(says(m, SUBJECT_ATTACHMENT_ARCHIVED, "cat.png"));
	arena_free(arena);
	free(b.p);
}
END_TEST

START_TEST(what_a_file_in_an_archive_is_is_seen)
{
	struct bytes b = {NULL, 0, 0};
	struct archive *a = writer(&b, archive_write_set_format_7zip,
	                           archive_write_add_filter_none);
	struct arena *arena = arena_new(CAPS_MESSAGE_BYTES);
	struct mime *m;

	add(a, "cat.png", SPAN("%PDF-1.7\n"));
	end(a, &b);
	m = parse(arena, "a.7z", &b);
	ck_assert(says(m, SUBJECT_ATTACHMENT, "cat.png"));
	ck_assert(says(m, SUBJECT_ATTACHMENT_MAGIC, "application/pdf"));
	ck_assert(says(m, SUBJECT_ATTACHMENT_SIZE, "9"));
	ck_assert(!says(m, SUBJECT_MIME_DEFECT, "bad-archive"));
	arena_free(arena);
	free(b.p);
}
END_TEST

CHECK_MAIN("archive",
	what_it_writes_is_read,
	its_crash_is_told,
	it_can_open_nothing,
	it_ends_when_nobody_reads,
	ten_gigabytes_of_zeros_are_too_much,
	a_tree_of_zips_is_too_much,
	so_many_files_are_too_many,
	room_that_a_header_asks_for_is_not_had,
	an_image_has_its_long_names,
	what_a_file_in_an_archive_is_is_seen)
