/*
 * unpack_libarchive.c - archives as libarchive reads them; only here.
 *
 * Formats and filters are those that people are sent, and none that would
 * run a program.
 */
#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "caps.h"
#include "unpack.h"

/* ---- a reader ---- */

/* Does it begin with what only packs one file? */
static bool
is_packed(struct span s)
{
	return s.n >= 6 && (memcmp(s.p, "\x1f\x8b", 2) == 0 ||
		memcmp(s.p, "BZh", 3) == 0 ||
		memcmp(s.p, "\xfd" "7zXZ", 6) == 0 ||
		memcmp(s.p, "\x28\xb5\x2f\xfd", 4) == 0 ||
		memcmp(s.p, "\x5d\0\0", 3) == 0);
}

/* What is looked for. */
enum look {
	LOOK_FILES, /* an archive that is not packed as a whole */
	LOOK_TAR,   /* a packed one */
	LOOK_PACKED, /* one file of any kind, packed */
	LOOK_JOLIET, /* an image's other folders, which Windows goes by */
};

static bool
can_read_files(struct archive *a)
{
	return archive_read_support_format_zip(a) == ARCHIVE_OK &&
		archive_read_support_format_tar(a) == ARCHIVE_OK &&
		archive_read_support_format_7zip(a) == ARCHIVE_OK &&
		archive_read_support_format_rar(a) == ARCHIVE_OK &&
		archive_read_support_format_rar5(a) == ARCHIVE_OK &&
		archive_read_support_format_cab(a) == ARCHIVE_OK &&
		archive_read_support_format_iso9660(a) == ARCHIVE_OK;
}

/*
 * A filter that is not built in would be a program that is run: it says so
 * by ARCHIVE_WARN.
 */
static bool
can_unpack(struct archive *a)
{
	return archive_read_support_filter_gzip(a) == ARCHIVE_OK &&
		archive_read_support_filter_bzip2(a) == ARCHIVE_OK &&
		archive_read_support_filter_xz(a) == ARCHIVE_OK &&
		archive_read_support_filter_lzma(a) == ARCHIVE_OK &&
		archive_read_support_filter_zstd(a) == ARCHIVE_OK;
}

static bool
can_read(struct archive *a, enum look look)
{
	switch (look) {
	case LOOK_TAR:
		return archive_read_support_format_tar(a) == ARCHIVE_OK &&
			can_unpack(a);
	case LOOK_JOLIET:
		return archive_read_support_format_iso9660(a) == ARCHIVE_OK &&
			archive_read_set_options(a, "iso9660:!rockridge") ==
			ARCHIVE_OK;
	case LOOK_PACKED:
		return archive_read_support_format_raw(a) == ARCHIVE_OK &&
			can_unpack(a);
	default:
		return can_read_files(a);
	}
}

/* libarchive takes no image of less, and then what begins with zeros for an
 * empty tar. */
#define IMAGE_MIN (64 << 10)

static struct span
fill_image(struct arena *arena, struct span bytes)
{
	char *p;

	if (bytes.n < 0x8006 || bytes.n >= IMAGE_MIN ||
	    memcmp(bytes.p + 0x8001, "CD001", 5) != 0)
		return bytes;
	p = arena_alloc(arena, IMAGE_MIN);
	if (p == NULL)
		return bytes;
	memcpy(p, bytes.p, bytes.n);
	return (struct span){p, IMAGE_MIN};
}

static struct archive *
open_reader(struct arena *arena, struct span bytes, enum look look)
{
	struct archive *a = archive_read_new();

	if (a == NULL)
		return NULL;
	bytes = fill_image(arena, bytes);
	if (!can_read(a, look) ||
	    archive_read_open_memory(a, bytes.p, bytes.n) != ARCHIVE_OK) {
		archive_read_free(a);
		return NULL;
	}
	return a;
}

/* ---- one file ---- */

/* What is being read. */
struct reading {
	const struct unpack_in *in;
	struct span bytes;      /* of the archive */
	struct archive *a;
	struct unpack_names *told;
	size_t n_entries;
	size_t known;           /* entries that were told before */
	bool again;             /* only what was not told counts */
	bool bad;
};

/* What one file holds, as far as it was read. */
struct content {
	char *p;
	size_t n, size;
	bool whole;
};

#define PIECE 16384

/* A piece of it. false: there is no more, or it can't be read. */
static bool
read_piece(struct reading *r, struct content *c, char *to)
{
	la_ssize_t n = archive_read_data(r->a, to, PIECE);

	r->bad = r->bad || n < 0;
	c->whole = n == 0;
	if (n <= 0 || !unpack_room(r->in->u, (size_t)n))
		return false;
	c->n += (size_t)n;
	return true;
}

static bool
make_room(struct content *c)
{
	char *p;

	if (c->size - c->n >= PIECE)
		return true;
	p = realloc(c->p, c->size * 2 + PIECE);
	if (p == NULL)
		return false;
	c->p = p;
	c->size = c->size * 2 + PIECE;
	return true;
}

/* Until there are `enough` bytes, or all. */
static void
read_to(struct reading *r, struct content *c, size_t enough)
{
	while (c->n < enough && !c->whole) {
		if (!make_room(c)) {
			r->in->u->faults |= UNPACK_TOO_MUCH;
			return;
		}
		if (!read_piece(r, c, c->p + c->n))
			return;
	}
}

/* To know how many there are. */
static void
count(struct reading *r, struct content *c)
{
	char passed[PIECE];

	while (!c->whole && read_piece(r, c, passed))
		;
}

/* RFC 1952 2.3.1: the name in a gzip header. */
static struct span
gzip_name(struct span s)
{
	const unsigned char *u = (const unsigned char *)s.p;
	size_t at = 10;
	const char *end;

	if (s.n < at || u[0] != 0x1f || u[1] != 0x8b || !(u[3] & 8))
		return (struct span){NULL, 0};
	if (u[3] & 4)
		at += s.n < 12 ? s.n : 2u + u[10] + 256u * u[11];
	end = at < s.n ? memchr(s.p + at, '\0', s.n - at) : NULL;
	if (end == NULL)
		return (struct span){NULL, 0};
	return (struct span){s.p + at, (size_t)(end - (s.p + at))};
}

/* "setup.exe.gz" packs "setup.exe". */
static struct span
without_extension(struct span name)
{
	size_t n = name.n;

	while (n > 0 && (name.p[n - 1] == '.' || name.p[n - 1] == ' '))
		n--;
	while (n > 0 && name.p[n - 1] != '.')
		n--;
	return (struct span){name.p, n > 0 ? n - 1 : name.n};
}

static void
add_name(struct unpack_file *f, struct span name)
{
	if (name.p != NULL && f->n_names < UNPACK_NAMES)
		f->names[f->n_names++] = name;
}

static void
find_names(struct reading *r, struct archive_entry *entry,
           struct unpack_file *f)
{
	struct span name = span_of(archive_entry_pathname(entry));
	size_t i;

	if (name.p == NULL)
		name = span_of(archive_entry_pathname_utf8(entry));
	if (archive_format(r->a) != ARCHIVE_FORMAT_RAW) {
		add_name(f, name.p == NULL ? SPAN("") : name);
		return;
	}
	add_name(f, gzip_name(r->bytes));
	for (i = 0; i < r->in->n_names; i++)
		add_name(f, without_extension(r->in->names[i]));
	if (f->n_names == 0)
		add_name(f, SPAN(""));
}

/* All that is known by its header. */
static void
begin_file(struct reading *r, struct archive_entry *entry,
           struct unpack_file *f)
{
	*f = (struct unpack_file){
		.holder = r->in->holder,
		.sized = archive_entry_size_is_set(entry) != 0,
	};
	if (f->sized)
		f->size = (uint64_t)archive_entry_size(entry);
	find_names(r, entry, f);
}

/* Reads as much of it as must be known. true: that is all of an archive. */
static bool
read_file(struct reading *r, struct unpack_file *f, struct content *c)
{
	struct unpack *u = r->in->u;
	struct span begin;
	bool wanted;

	read_to(r, c, UNPACK_BEGIN);
	if (c->n == 0 && r->bad)
		return false;
	begin = (struct span){c->n == 0 ? "" : c->p, c->n};
	if (begin.n > UNPACK_BEGIN)
		begin.n = UNPACK_BEGIN;
	wanted = unpack_wanted(u->arena, f->names, f->n_names, begin);
	if (wanted && unpack_ok(u))
		read_to(r, c, SIZE_MAX);
	else if (!f->sized && unpack_ok(u))
		count(r, c);
	if (!f->sized && c->whole) {
		f->sized = true;
		f->size = c->n;
	}
	f->begin = (struct span){c->p == NULL ? "" : c->p, begin.n};
	return wanted;
}

/* The names of a zip are compared with what other readers may find. */
static void
keep_names(struct reading *r, const struct unpack_file *f)
{
	size_t i;

	for (i = 0; i < f->n_names; i++)
		if (!unpack_names_add(r->told, f->names[i]))
			r->in->u->faults |= UNPACK_TOO_MUCH;
}

static bool
are_told(const struct reading *r, const struct unpack_file *f)
{
	size_t i;

	for (i = 0; i < f->n_names; i++)
		if (!unpack_names_has(r->told, f->names[i]))
			return false;
	return true;
}

/* In a zip some programs see a file where others see a folder. */
static bool
is_folder(const struct reading *r, struct archive_entry *entry,
          const struct unpack_file *f)
{
	int format = archive_format(r->a) & ARCHIVE_FORMAT_BASE_MASK;

	return archive_entry_filetype(entry) == AE_IFDIR &&
		(f->size == 0 || format != ARCHIVE_FORMAT_ZIP);
}

static void
take_entry(struct reading *r, struct archive_entry *entry)
{
	struct unpack *u = r->in->u;
	struct unpack_file f;
	struct content c = {NULL, 0, 0, false};
	struct span all = {NULL, 0};

	if (r->n_entries++ < r->known)
		return;
	begin_file(r, entry, &f);
	if (r->again && are_told(r, &f))
		return;
	keep_names(r, &f);
	if (is_folder(r, entry, &f))
		return;
	if (archive_entry_is_encrypted(entry))
		u->faults |= UNPACK_ENCRYPTED;
	else if (r->known == 0 && read_file(r, &f, &c))
		all = (struct span){f.begin.p, c.n};
	if (unpack_ok(u))
		unpack_tell(r->in, &f, all);
	free(c.p);
}

/* ---- all of them ---- */

static bool
next_file(struct reading *r)
{
	struct archive_entry *entry;

	switch (archive_read_next_header(r->a, &entry)) {
	case ARCHIVE_OK:
	case ARCHIVE_WARN:
		take_entry(r, entry);
		return unpack_ok(r->in->u);
	case ARCHIVE_EOF:
		return false;
	default:
		r->bad = true;
		return false;
	}
}

/*
 * Past a file whose content can't be read libarchive has no firm ground (7z:
 * it follows a null pointer): the names behind it are read anew.
 */
static bool
open_again(struct reading *r, enum look look)
{
	archive_read_free(r->a);
	r->known = r->n_entries;
	r->n_entries = 0;
	r->a = open_reader(r->in->u->arena, r->bytes, look);
	return r->a != NULL;
}

static void
read_files(struct reading *r, enum look look)
{
	while (next_file(r) && !r->bad)
		;
	if (r->bad && r->n_entries > 0 && unpack_ok(r->in->u) &&
	    open_again(r, look))
		while (next_file(r))
			;
}

/* (Zeros are an empty tar: that is nothing to go by.) */
static bool
is_empty_zip(struct span s)
{
	return s.n >= 22 && memcmp(s.p, "PK\5\6", 4) == 0;
}

/* Is it, or might it be, one at all? */
static bool
look_at(const struct unpack_in *in, struct span bytes, enum look look,
        struct unpack_names *told)
{
	struct reading r = {.in = in, .bytes = bytes, .told = told,
	                    .again = look == LOOK_JOLIET};
	struct unpack *u = in->u;
	size_t before = u->n_files;
	bool known, locked;

	r.a = open_reader(u->arena, bytes, look);
	if (r.a == NULL)
		return false;
	read_files(&r, look);
	locked = r.a != NULL && archive_read_has_encrypted_entries(r.a) > 0;
	known = u->n_files > before || locked || r.n_entries > 0 ||
		is_empty_zip(bytes);
	if (locked)
		u->faults |= UNPACK_ENCRYPTED;
	else if (r.bad && known)
		u->faults |= UNPACK_BAD;
	archive_read_free(r.a);
	return known;
}

/* ECMA-167 2/8.3.1: the descriptors of an image; NSR is UDF's. */
static bool
has_descriptor(struct span s, const char *id)
{
	size_t at;

	for (at = 0x8000; at + 6 <= s.n && at < 0x8000 + 32 * 2048; at += 2048)
		if (memcmp(s.p + at + 1, id, strlen(id)) == 0)
			return true;
	return false;
}

/* One name may lead to other files in each of its lists of them; UDF, which
 * can't be read, is the one that Windows and macOS go by. */
static bool
read_image(const struct unpack_in *in, struct span bytes,
           struct unpack_names *told)
{
	bool known = look_at(in, bytes, LOOK_FILES, told);

	if (has_descriptor(bytes, "NSR0"))
		in->u->faults |= UNPACK_BAD;
	if (known && has_descriptor(bytes, "CD001") && unpack_ok(in->u))
		look_at(in, bytes, LOOK_JOLIET, told);
	return known;
}

static bool
read_at(const struct unpack_in *in, struct span bytes,
        struct unpack_names *told)
{
	if (!is_packed(bytes))
		return read_image(in, bytes, told);
	return look_at(in, bytes, LOOK_TAR, told) ||
		look_at(in, bytes, LOOK_PACKED, told);
}

/*
 * One that something stands before: a program that unpacks it, or junk,
 * which WinRAR passes over. The program may have such bytes, too.
 */
#define HITS_MAX 8

static bool
search(const struct unpack_in *in, struct span bytes, struct span magic,
       struct unpack_names *told)
{
	size_t at = 1, hits;
	const char *found;

	for (hits = 0; hits < HITS_MAX && at < bytes.n; hits++) {
		found = memmem(bytes.p + at, bytes.n - at, magic.p, magic.n);
		if (found == NULL)
			return false;
		at = (size_t)(found - bytes.p);
		if (read_at(in, (struct span){found, bytes.n - at}, told))
			return true;
		at++;
	}
	return false;
}

static bool
read_somewhere(const struct unpack_in *in, struct span bytes,
               struct unpack_names *told)
{
	return read_at(in, bytes, told) ||
		search(in, bytes, SPAN("Rar!\x1a\7"), told) ||
		search(in, bytes, SPAN("7z\xbc\xaf\x27\x1c"), told) ||
		search(in, bytes, SPAN("MSCF\0\0\0\0"), told);
}

/* libarchive makes names of the locale's characters. It is a file's, so it
 * is there before the process is that can open none. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static locale_t utf8;

static void
open_utf8(void)
{
	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

void
unpack_prepare(void)
{
	pthread_once(&once, open_utf8);
}

void
unpack_archive(const struct unpack_in *in, struct span bytes, bool sure)
{
	struct unpack_names *told = unpack_names_new(in->u->arena);
	locale_t before = uselocale((locale_t)0);
	size_t n = in->u->n_files;
	bool read;

	unpack_prepare();
	if (utf8 != (locale_t)0)
		uselocale(utf8);
	read = told != NULL && read_somewhere(in, bytes, told);
	if (told == NULL)
		in->u->faults |= UNPACK_TOO_MUCH;
	if (unpack_ok(in->u))
		unpack_zip(in, bytes, told);
	if (!read && sure && in->u->n_files == n &&
	    !(in->u->faults & UNPACK_ENCRYPTED))
		in->u->faults |= UNPACK_BAD;
	uselocale(before);
}
