/*
 * mime_archive.c - the files in a message's archives. They are found in a
 * process of their own, which is not trusted: what it says is checked, and a
 * name is bytes like any other.
 */
#include <stdlib.h>
#include <string.h>

#include "apart.h"
#include "caps.h"
#include "content.h"
#include "mime.h"
#include "transfer.h"
#include "unpack.h"

/* ---- what may be an archive ---- */

struct candidate {
	size_t part;
	enum mime_encoding encoding;
};

struct job {
	struct mime *m;
	bool begins;              /* of files are wanted */
	struct candidate *all;
	size_t n;
};

/* Transferred bytes that hold UNPACK_BEGIN: of quoted-printable fewer may. */
#define BEGIN_MAX (UNPACK_BEGIN * 3 / 2)

/* out has room for bytes.n + 4; or is not needed. */
static struct span
decode(struct span bytes, enum mime_encoding e, char *out)
{
	bool bad = false; /* mime_scan says so */

	if (bytes.n == 0 || !(e & ENCODINGS_DECODED))
		return bytes.n == 0 ? SPAN("") : bytes;
	return (struct span){out, e == ENCODING_BASE64 ?
		transfer_base64(bytes, out) : transfer_qp(bytes, out, &bad)};
}

static size_t
take_names(const struct mime_part *p, struct span names[CAPS_MIME_PARAMS])
{
	const struct mime_list *l;
	size_t n = 0;

	for (l = p->names; l != NULL && n < CAPS_MIME_PARAMS; l = l->next)
		names[n++] = l->text;
	return n;
}

static void
consider(struct job *j, size_t part, char *out)
{
	const struct mime_part *p = &j->m->parts[part];
	struct span names[CAPS_MIME_PARAMS], bytes = p->bytes;
	size_t n = take_names(p, names);
	struct candidate *c;
	enum mime_encoding e;

	if (bytes.n > BEGIN_MAX)
		bytes.n = BEGIN_MAX;
	for (e = ENCODING_7BIT; e <= ENCODING_UNKNOWN; e <<= 1) {
		if (!(p->encodings & e) ||
		    !unpack_wanted(j->m->arena, names, n,
		                   decode(bytes, e, out)))
			continue;
		c = arena_grow(j->m->arena, &j->all, &j->n, sizeof(*c));
		if (c == NULL)
			j->m->no_memory = true;
		else
			*c = (struct candidate){part, e};
	}
}

static void
find_candidates(struct job *j)
{
	char *out = malloc(BEGIN_MAX + 4);
	size_t i;

	if (out == NULL)
		j->m->no_memory = true;
	for (i = 0; i < j->m->n_parts && mime_ok(j->m); i++)
		if (j->m->parts[i].attachment && !j->m->parts[i].message &&
		    !j->m->parts[i].multipart)
			consider(j, i, out);
	free(out);
}

/* ---- there: in the process of its own ---- */

/* What it says of a file; names and begin follow. The last: end is set. */
struct record {
	bool end, sized, has_begin;
	unsigned faults;
	size_t part, holder, n_names, begin;
	size_t names[UNPACK_NAMES];
	uint64_t size;
};

struct sender {
	const struct job *job;
	size_t part;
	int fd;
};

static bool
send_file(void *of, const struct unpack_file *f)
{
	const struct sender *s = of;
	struct record r;
	size_t i;

	memset(&r, 0, sizeof(r));
	r.sized = f->sized;
	r.size = f->size;
	r.part = s->part;
	r.holder = f->holder;
	r.n_names = f->n_names;
	for (i = 0; i < f->n_names; i++)
		r.names[i] = f->names[i].n;
	r.has_begin = s->job->begins && f->begin.p != NULL;
	r.begin = r.has_begin ? f->begin.n : 0;
	apart_write(s->fd, &r, sizeof(r));
	for (i = 0; i < f->n_names; i++)
		apart_write(s->fd, f->names[i].p, f->names[i].n);
	apart_write(s->fd, f->begin.p, r.begin);
	return true;
}

static void
unpack_part(struct unpack *u, struct mime *m, const struct candidate *c)
{
	const struct mime_part *p = &m->parts[c->part];
	struct span names[CAPS_MIME_PARAMS];
	size_t n = take_names(p, names);
	char *out = malloc(p->bytes.n + 4);

	if (out == NULL)
		u->faults |= UNPACK_TOO_MUCH;
	else
		unpack_read(u, names, n,
		            decode(p->bytes, c->encoding, out));
	free(out);
}

static void
unpack_all(void *of, int fd)
{
	const struct job *j = of;
	struct sender s = {.job = j, .fd = fd};
	struct unpack u = {j->m->arena, send_file, &s, 0, false, 0, 0};
	struct record last;
	size_t i;

	for (i = 0; i < j->n && unpack_ok(&u); i++) {
		s.part = j->all[i].part;
		unpack_part(&u, j->m, &j->all[i]);
	}
	memset(&last, 0, sizeof(last));
	last.end = true;
	last.faults = u.faults;
	apart_write(fd, &last, sizeof(last));
}

/* ---- here ---- */

#define NAME_MAX_BYTES (1 << 20)

static bool
read_name(struct mime *m, struct apart *a, size_t n, struct mime_list **names)
{
	char *p = n > NAME_MAX_BYTES ? NULL : arena_alloc(m->arena, n + 1);

	if (p == NULL || !apart_read(a, p, n))
		return false;
	mime_name_file(m, names, (struct span){p, n});
	return true;
}

static bool
read_begin(struct mime *m, struct apart *a, const struct record *r,
           struct mime_member *member)
{
	char *p = r->begin > UNPACK_BEGIN ? NULL : malloc(r->begin + 1);
	bool read = p != NULL && apart_read(a, p, r->begin);

	if (read && r->has_begin &&
	    !content_type(m->arena, (struct span){p, r->begin},
	                  &member->magic))
		m->archives_full = "libmagic can't say what a file is";
	free(p);
	return read;
}

static bool
read_member(struct mime *m, struct apart *a, const struct record *r)
{
	struct mime_member *member;
	size_t i;

	if (r->part >= m->n_parts || r->n_names > UNPACK_NAMES ||
	    (r->holder != UNPACK_TOP && r->holder >= m->n_members) ||
	    m->n_members >= CAPS_ARCHIVE_MEMBERS)
		return false;
	member = arena_grow(m->arena, &m->members, &m->n_members,
	                    sizeof(*member));
	if (member == NULL)
		return false;
	member->part = r->part;
	member->holder = r->holder == UNPACK_TOP ? MIME_NONE : r->holder;
	member->sized = r->sized;
	member->size = (double)r->size;
	for (i = 0; i < r->n_names; i++)
		if (!read_name(m, a, r->names[i], &member->names))
			return false;
	return read_begin(m, a, r, member);
}

static void
take_faults(struct mime *m, unsigned faults)
{
	if (faults & UNPACK_ENCRYPTED)
		mime_defect(m, DEFECT_ENCRYPTED_ARCHIVE);
	if (faults & UNPACK_BAD)
		mime_defect(m, DEFECT_BAD_ARCHIVE);
	if (faults & UNPACK_TOO_MUCH) {
		mime_defect(m, DEFECT_TOO_MUCH_ARCHIVE);
		m->archives_full = "more in archives than is unpacked";
	}
}

static void
read_members(struct mime *m, struct apart *a)
{
	struct record r;
	bool read;

	do
		read = apart_read(a, &r, sizeof(r)) &&
			(r.end || read_member(m, a, &r));
	while (read && !r.end && mime_ok(m));
	if (read && r.end) {
		apart_end(a);
		take_faults(m, r.faults);
		return;
	}
	switch (apart_end(a)) {
	case APART_LIMIT:
		take_faults(m, UNPACK_TOO_MUCH);
		break;
	default:
		mime_defect(m, DEFECT_BAD_ARCHIVE);
		m->archives_full = "an archive's reader gave up";
		break;
	}
}

void
mime_unpack(struct mime *m, bool magic)
{
	struct job j = {.m = m, .begins = magic};
	struct apart a;

	if (m->unpacked >= (magic ? 2 : 1) || !mime_ok(m))
		return;
	m->unpacked = magic ? 2 : 1;
	m->members = NULL;
	m->n_members = 0;
	find_candidates(&j);
	unpack_prepare();
	if (j.n > 0 && mime_ok(m)) {
		if (apart_start(&a, unpack_all, &j))
			read_members(m, &a);
		else
			m->archives_full = "no process to unpack archives";
	}
	mime_uudecode(m, magic); /* behind: holders are numbers of theirs */
}
