/* unpack.c - what is an archive, and the limits to what is read of one. */
#include <string.h>

#include "caps.h"
#include "file_name.h"
#include "unpack.h"
#include "utf8.h"

/* ---- limits ---- */

bool
unpack_ok(const struct unpack *u)
{
	return !u->stopped && !(u->faults & UNPACK_TOO_MUCH);
}

bool
unpack_room(struct unpack *u, size_t n)
{
	if (n > CAPS_ARCHIVE_BYTES || u->n_bytes + n > CAPS_ARCHIVE_BYTES) {
		u->faults |= UNPACK_TOO_MUCH;
		return false;
	}
	u->n_bytes += n;
	return true;
}

/* ---- what is an archive ---- */

/* Names by which desktops open archives. */
static const char *const archives[] = {
	"zip", "zipx", "jar", "rar", "7z", "tar", "gz", "tgz", "bz2", "tbz",
	"tbz2", "xz", "txz", "lzma", "tlz", "zst", "tzst", "cab", "iso", "img",
	/* which can't be read, and so are no good */
	"ace", "alz", "arj", "cpio", "daa", "dmg", "egg", "lha", "lzh", "udf",
	"vhd", "vhdx", "wim", "xar", "z",
};

/*
 * Zips that no desktop opens as archives: an office reads them whole, and
 * the XML and pictures in them are no files to those who get the document.
 */
static const char *const documents[] = {
	"docx", "docm", "dotx", "dotm", "xlsx", "xlsm", "xlsb", "xltx", "xltm",
	"xlam", "pptx", "pptm", "potx", "potm", "ppsx", "ppsm", "ppam", "sldx",
	"vsdx", "vsdm", "odt", "ott", "ods", "ots", "odp", "otp", "odg", "odf",
	"epub", "pages", "numbers", "key",
};

static bool
is_one_of(struct span word, const char *const *words, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (span_is(word, span_of(words[i])))
			return true;
	return false;
}

static struct span
extension(struct arena *a, struct span name)
{
	struct span s = utf8_make_valid(a, name);

	return s.p == NULL ? s : file_name_extension(a, s);
}

/* Does one of the names say so? */
static bool
is_called_archive(struct arena *a, const struct span *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (is_one_of(extension(a, names[i]), archives,
		              sizeof(archives) / sizeof(archives[0])))
			return true;
	return false;
}

/* Do all of them? */
static bool
is_called_document(struct arena *a, const struct span *names, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!is_one_of(extension(a, names[i]), documents,
		               sizeof(documents) / sizeof(documents[0])))
			return false;
	return n > 0;
}

static bool
has_at(struct span s, size_t at, struct span what)
{
	return s.n >= at + what.n && memcmp(s.p + at, what.p, what.n) == 0;
}

static bool
is_zip(struct span s)
{
	return has_at(s, 0, SPAN("PK\3\4")) || has_at(s, 0, SPAN("PK\5\6"));
}

static bool
looks_like_archive(struct span s)
{
	static const struct {
		size_t at;
		struct span what;
	} magic[] = {
		{0, {"Rar!\x1a\7", 6}},
		{0, {"7z\xbc\xaf\x27\x1c", 6}},
		{0, {"\x1f\x8b\x08", 3}},
		{0, {"BZh", 3}},
		{0, {"\xfd" "7zXZ", 6}},
		{0, {"\x28\xb5\x2f\xfd", 4}},
		{0, {"MSCF\0\0\0\0", 8}},
		{257, {"ustar", 5}},
		{7, {"**ACE**", 7}},
		{0, {"\x1f\x9d", 2}}, /* compress */
		{0, {"MSWIM\0\0\0", 8}},
		{0, {"conectix", 8}}, /* vhd */
		{0, {"vhdxfile", 8}},
		/* ISO 9660: the descriptors begin at sector 16 */
		{0x8001, {"CD001", 5}},
	};
	size_t i;

	for (i = 0; i < sizeof(magic) / sizeof(magic[0]); i++)
		if (has_at(s, magic[i].at, magic[i].what))
			return true;
	return is_zip(s);
}

/* A program, which may unpack what is appended to it. */
static bool
is_program(struct span s)
{
	return has_at(s, 0, SPAN("MZ"));
}

bool
unpack_wanted(struct arena *a, const struct span *names, size_t n_names,
              struct span begin)
{
	if (is_zip(begin) && is_called_document(a, names, n_names))
		return false;
	return looks_like_archive(begin) || is_program(begin) ||
		unpack_is_tnef(begin) || is_called_archive(a, names, n_names);
}

/* ---- files ---- */

static void
open_archive(const struct unpack_in *in, struct span bytes)
{
	if (in->depth > CAPS_ARCHIVE_DEPTH)
		in->u->faults |= UNPACK_TOO_MUCH;
	else if (unpack_is_tnef(bytes))
		unpack_tnef(in, bytes);
	else
		unpack_archive(in, bytes, looks_like_archive(bytes) ||
			is_called_archive(in->u->arena, in->names,
			                  in->n_names));
}

void
unpack_tell(const struct unpack_in *in, const struct unpack_file *f,
            struct span content)
{
	struct unpack *u = in->u;
	struct unpack_in inner = {
		.u = u, .names = f->names, .n_names = f->n_names,
		.holder = u->n_files, .depth = in->depth + 1,
	};
	size_t i;

	if (u->n_files == CAPS_ARCHIVE_MEMBERS) {
		u->faults |= UNPACK_TOO_MUCH;
		return;
	}
	for (i = 0; i < f->n_names; i++)
		if (!unpack_room(u, f->names[i].n))
			return;
	u->n_files++;
	if (!u->take(u->of, f))
		u->stopped = true;
	if (content.p != NULL && unpack_ok(u))
		open_archive(&inner, content);
}

void
unpack_read(struct unpack *u, const struct span *names, size_t n_names,
            struct span bytes)
{
	const struct unpack_in top = {
		.u = u, .names = names, .n_names = n_names,
		.holder = UNPACK_TOP, .depth = 1,
	};

	open_archive(&top, bytes);
}
