#include "caps.h"
#include "content.h"
#include "file_name.h"
#include "mime_facts.h"
#include "utf8.h"

/* Who collects values. */
struct collector {
	struct mime *m;
	struct mime_answer *a;
};

static void
give(struct collector *c, size_t item, struct value v)
{
	struct value *kept = NULL;

	if (v.text.p != NULL)
		kept = arena_grow(c->m->arena, &c->a->values, &c->a->n,
		                  sizeof(*kept));
	if (kept == NULL) {
		c->m->no_memory = c->m->no_memory || c->m->full == NULL;
		return;
	}
	*kept = v;
	kept->item = (unsigned)item;
}

static void
give_text(struct collector *c, size_t item, struct span text)
{
	give(c, item, (struct value){.type = VALUE_TEXT, .text = text});
}

static void
give_double(struct collector *c, size_t item, double n)
{
	give(c, item, (struct value){
		.type = VALUE_NUMBER, .number = n,
		.text = arena_printf(c->m->arena, "%.0f", n),
	});
}

static void
give_number(struct collector *c, size_t item, size_t n)
{
	give_double(c, item, (double)n);
}

/* Types are bytes of a stranger, but tokens: printable unless 8-bit. */
static void
give_list(struct collector *c, size_t item, const struct mime_list *l)
{
	for (; l != NULL; l = l->next)
		give_text(c, item, utf8_make_valid(c->m->arena, l->text));
}

/* Who has none is there, and its name is empty. */
static void
give_names(struct collector *c, size_t item, const struct mime_list *names)
{
	if (names == NULL)
		give_text(c, item, SPAN(""));
	give_list(c, item, names);
}

/* What has none has an empty one: it must not pass an "every". */
static void
give_extensions(struct collector *c, size_t item,
                const struct mime_list *names)
{
	struct mime_list *seen = NULL;
	struct span s, begin;

	if (names == NULL)
		give_text(c, item, SPAN(""));
	for (; names != NULL; names = names->next) {
		s = file_name_extension(c->m->arena, names->text);
		mime_list_add(c->m, &seen, s, false);
		begin = file_name_extension_begin(s);
		if (begin.n > 0)
			mime_list_add(c->m, &seen, begin, false);
	}
	give_list(c, item, seen);
}

/* ---- one function a subject, called for each part ---- */

static void
part_type(struct collector *c, size_t i)
{
	give_list(c, i, c->m->parts[i].types);
}

static void
attachment_name(struct collector *c, size_t i)
{
	const struct mime_part *p = &c->m->parts[i];

	if (!p->attachment)
		return;
	give_names(c, i, p->names);
}

static void
attachment_extension(struct collector *c, size_t i)
{
	if (c->m->parts[i].attachment)
		give_extensions(c, i, c->m->parts[i].names);
}

static void
attachment_type(struct collector *c, size_t i)
{
	if (c->m->parts[i].attachment)
		give_list(c, i, c->m->parts[i].types);
}

static void
give_magic(struct collector *c, struct span bytes, struct mime_list **seen)
{
	struct span type;

	if (bytes.p == NULL)
		return;
	if (content_type(c->m->arena, bytes, &type))
		mime_list_add(c->m, seen, type, false);
	else if (c->m->full == NULL)
		c->m->full = "libmagic can't say what an attachment is";
}

static void
attachment_magic(struct collector *c, size_t i)
{
	const struct mime_part *p = &c->m->parts[i];
	struct mime_list *seen = NULL;
	enum mime_encoding e;

	if (!p->attachment)
		return;
	for (e = ENCODING_7BIT; e <= ENCODING_UNKNOWN; e <<= 1)
		if ((p->encodings & e) && mime_ok(c->m))
			give_magic(c, mime_begin(c->m, i, e, CAPS_MAGIC_BYTES),
			           &seen);
	give_list(c, i, seen);
}

static void
attachment_size(struct collector *c, size_t i)
{
	if (c->m->parts[i].attachment)
		give_number(c, i, c->m->parts[i].size);
}

static void
each_part(struct collector *c, void (*give_part)(struct collector *, size_t))
{
	size_t i;

	for (i = 0; i < c->m->n_parts && mime_ok(c->m); i++)
		give_part(c, i);
}

/* ---- for each file in an archive ---- */

/* Their values are of items of their own, behind the parts'. */
static size_t
member_item(const struct collector *c, size_t i)
{
	return c->m->n_parts + i;
}

static void
member_name(struct collector *c, size_t i)
{
	give_names(c, member_item(c, i), c->m->members[i].names);
}

static void
member_extension(struct collector *c, size_t i)
{
	give_extensions(c, member_item(c, i), c->m->members[i].names);
}

/* One whose content can't be had has an empty one. */
static void
member_magic(struct collector *c, size_t i)
{
	struct span magic = c->m->members[i].magic;

	give_text(c, member_item(c, i), magic.p == NULL ? SPAN("") : magic);
}

static void
member_size(struct collector *c, size_t i)
{
	const struct mime_member *member = &c->m->members[i];

	if (member->sized)
		give_double(c, member_item(c, i), member->size);
}

/* The archives that it is in, from the attachment on. */
static void
member_archives(struct collector *c, size_t i)
{
	const struct mime *m = c->m;
	size_t at[CAPS_ARCHIVE_DEPTH + 1], n = 0, holder = i;

	while ((holder = m->members[holder].holder) != MIME_NONE &&
	       n < CAPS_ARCHIVE_DEPTH)
		at[n++] = holder;
	give_names(c, member_item(c, i),
	           m->parts[m->members[i].part].names);
	while (n > 0)
		give_names(c, member_item(c, i), m->members[at[--n]].names);
}

static void
each_member(struct collector *c, void (*give_member)(struct collector *,
                                                     size_t))
{
	size_t i;

	for (i = 0; i < c->m->n_members && mime_ok(c->m); i++)
		give_member(c, i);
}

/* ---- the others ---- */

static void
give_texts(struct collector *c)
{
	const struct mime *m = c->m;
	size_t i;

	c->a->failed = mime_texts(c->m);
	for (i = 0; i < m->n_texts && c->a->failed == NULL; i++)
		give_text(c, m->texts[i].part, m->texts[i].text);
}

static void
give_views(struct collector *c)
{
	const struct mime *m = c->m;
	size_t i;

	c->a->failed = mime_views(c->m);
	for (i = 0; i < m->n_views && c->a->failed == NULL; i++)
		give_text(c, m->views[i].part, m->views[i].text);
}

static void
give_links(struct collector *c)
{
	size_t i;

	c->a->failed = mime_links(c->m);
	for (i = 0; i < c->m->n_links && c->a->failed == NULL; i++)
		give_text(c, i, c->m->links[i].text);
}

/* A host that can't be is a value: it must not pass an "every". */
static void
give_hosts(struct collector *c)
{
	const struct mime_link *l;
	size_t i;

	c->a->failed = mime_links(c->m);
	for (i = 0; i < c->m->n_links && c->a->failed == NULL; i++) {
		l = &c->m->links[i];
		if (l->host.p != NULL)
			give(c, i, (struct value){.type = VALUE_NAME,
				.text = l->host, .bad = l->bad});
	}
}

static void
count_attachments(struct collector *c)
{
	size_t i, n = 0;

	for (i = 0; i < c->m->n_parts; i++)
		n += c->m->parts[i].attachment;
	give_number(c, 0, n + c->m->n_members);
}

static void
give_defects(struct collector *c)
{
	enum defect d;

	for (d = 0; d < DEFECTS; d++)
		if (mime_has(c->m, d))
			give_text(c, d, span_of(mime_defect_name(d)));
}

static void
answer(struct collector *c, enum subject_id id)
{
	switch (id) {
	case SUBJECT_BODY:
		give_texts(c);
		break;
	case SUBJECT_BODY_TEXT:
		give_views(c);
		break;
	case SUBJECT_LINK:
		give_links(c);
		break;
	case SUBJECT_LINK_HOST:
		give_hosts(c);
		break;
	case SUBJECT_PART_TYPE:
		each_part(c, part_type);
		break;
	case SUBJECT_PART_COUNT:
		give_number(c, 0, c->m->n_parts);
		break;
	case SUBJECT_ATTACHMENT:
		each_part(c, attachment_name);
		each_member(c, member_name);
		break;
	case SUBJECT_ATTACHMENT_EXTENSION:
		each_part(c, attachment_extension);
		each_member(c, member_extension);
		break;
	case SUBJECT_ATTACHMENT_TYPE:
		each_part(c, attachment_type);
		break;
	case SUBJECT_ATTACHMENT_ARCHIVED:
		each_member(c, member_archives);
		break;
	case SUBJECT_ATTACHMENT_MAGIC:
		each_part(c, attachment_magic);
		each_member(c, member_magic);
		break;
	case SUBJECT_ATTACHMENT_SIZE:
		mime_scan(c->m);
		each_part(c, attachment_size);
		each_member(c, member_size);
		break;
	default:
		count_attachments(c);
		break;
	}
}

/* Is it asked of the files in archives, too? */
static bool
asks_archives(enum subject_id id)
{
	return id == SUBJECT_ATTACHMENT ||
		id == SUBJECT_ATTACHMENT_EXTENSION ||
		id == SUBJECT_ATTACHMENT_MAGIC ||
		id == SUBJECT_ATTACHMENT_SIZE ||
		id == SUBJECT_ATTACHMENT_COUNT ||
		id == SUBJECT_ATTACHMENT_ARCHIVED;
}

bool
mime_answer(struct mime *m, enum subject_id id, struct mime_answer *a)
{
	struct collector c = {m, a};
	const char *before = m->full;
	bool archives = asks_archives(id);

	*a = (struct mime_answer){NULL, 0, NULL};
	if (archives || id == SUBJECT_MIME_DEFECT)
		mime_unpack(m, id == SUBJECT_ATTACHMENT_MAGIC);
	if (id == SUBJECT_MIME_DEFECT) {
		mime_scan(m);
		give_defects(&c);
		return !m->no_memory;
	}
	if (mime_ok(m))
		answer(&c, id);
	a->failed = a->failed != NULL ? a->failed : m->full;
	if (a->failed == NULL && archives)
		a->failed = m->archives_full;
	/* too much text is no reason to say nothing of names */
	m->full = before;
	return !m->no_memory;
}
