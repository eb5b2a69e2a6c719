/*
 * detach.c - parts of a message taken out, or a text put in their place.
 *
 * A part is chosen by any name that it bears, or that a file in it bears if
 * it is an archive, or by a condition on either. Of parts in parts the outermost goes. What is taken out
 * are the bytes from the boundary before the part to the one behind it; a
 * part that is a whole message's body, or the last one of a multipart, is
 * replaced by an empty text, so that what is left is well-formed.
 */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "attached.h"
#include "change.h"
#include "cut.h"
#include "detach.h"
#include "file_name.h"
#include "own.h"
#include "transfer.h"

/* Readers see different parts where a message is broken: what comes to light
 * when some are gone is looked at again. */
#define ROUNDS 3

struct detacher {
	struct edit *edit;
	const struct effect *effect;
	struct mime *m;
	struct span *chosen; /* of each part: the name that chose it; p NULL:
	                        it stays */
	bool *goes;          /* does it not? */
	size_t n;            /* how many do not stay */
	size_t part;         /* at hand */
	const bool *meant;   /* by where, each item; NULL: all are */
	struct span *why;
};

static bool
fail(struct detacher *d, const char *why)
{
	*d->why = span_of(why);
	return false;
}

/* ---- which ---- */

/* The part that stands in the body and has this one in it. */
static size_t
carrier(const struct detacher *d, size_t part)
{
	while (part != 0 && !edit_holds(d->edit, d->m->parts[part].header))
		part = d->m->parts[part].parent;
	return part;
}

static bool
choose(struct detacher *d, size_t part, struct span name)
{
	enum truth t = effect_matches(d->effect, name);

	if (t == TRUTH_FAILED)
		return fail(d, "remove attachment: a pattern hit its limit");
	if (t == TRUTH_YES && d->chosen[part].p == NULL)
		d->chosen[part] = name.p == NULL ? SPAN("") : name;
	return true;
}

/* As it was spelt, and as a desktop keeps it. */
static bool
consider_name(struct detacher *d, size_t part, struct span name)
{
	struct span kept = file_name_kept(d->edit->arena, name);

	return kept.p != NULL && choose(d, part, name) &&
		choose(d, part, kept);
}

/* item: of the part, or of the file in it, for where. */
static bool
consider_names(struct detacher *d, size_t part, size_t item,
               const struct mime_list *l)
{
	if (d->meant != NULL && !d->meant[item])
		return true;
	part = carrier(d, part);
	if (l == NULL)
		return choose(d, part, SPAN(""));
	for (; l != NULL; l = l->next)
		if (!consider_name(d, part, l->text))
			return false;
	return true;
}

static bool
has_chosen_parent(const struct detacher *d, size_t part)
{
	while ((part = d->m->parts[part].parent) != MIME_NONE)
		if (d->chosen[part].p != NULL)
			return true;
	return false;
}

/* Parents stand before their children. */
static void
keep_outermost(struct detacher *d)
{
	size_t i;

	for (i = 0, d->n = 0; i < d->m->n_parts; i++) {
		if (d->chosen[i].p != NULL && has_chosen_parent(d, i))
			d->chosen[i].p = NULL;
		d->goes[i] = d->chosen[i].p != NULL;
		d->n += d->goes[i];
	}
}

/*
 * The files in archives are looked at if there is something to choose by, and
 * which attachments and files it means.
 */
static bool
ask_where(struct detacher *d)
{
	bool magic, where = effect_has_where(d->effect, &magic);

	if (where || effect_chooses(d->effect)) {
		mime_unpack(d->m, magic);
		if (d->m->archives_full != NULL)
			return fail(d, d->m->archives_full);
	} else if (d->m->unpacked == 0) {
		mime_uudecode(d->m, false);
	}
	d->meant = where ? attached_meant(d->m, d->effect, d->why) : NULL;
	return !where || d->meant != NULL;
}

static bool
find(struct detacher *d)
{
	size_t i;

	d->m = edit_parts(d->edit);
	if (d->m == NULL)
		return fail(d, "no memory for the message's parts");
	if (d->m->full != NULL)
		return fail(d, d->m->full);
	d->chosen = arena_alloc(d->edit->arena,
	                        d->m->n_parts * sizeof(*d->chosen));
	d->goes = arena_alloc(d->edit->arena, d->m->n_parts);
	if (d->chosen == NULL || d->goes == NULL)
		return fail(d, "no memory for the message's parts");
	if (!ask_where(d))
		return false;
	for (i = 0; i < d->m->n_parts; i++)
		if (d->m->parts[i].attachment &&
		    !consider_names(d, i, i, d->m->parts[i].names))
			return false;
	for (i = 0; i < d->m->n_members; i++)
		if (!consider_names(d, d->m->members[i].part,
		                    d->m->n_parts + i, d->m->members[i].names))
			return false;
	keep_outermost(d);
	return !arena_full(d->edit->arena) ||
		fail(d, "no memory for the message's parts");
}

/* ---- the text in its place ---- */

/* ${attachment} and its like, of the part at hand. */
static struct span
give(void *of, enum subject_id id)
{
	struct detacher *d = of;
	const struct mime_part *p = &d->m->parts[d->part];
	struct span name = d->chosen[d->part];

	switch (id) {
	case SUBJECT_ATTACHMENT:
		return name;
	case SUBJECT_ATTACHMENT_EXTENSION:
		return file_name_extension(d->edit->arena, name);
	case SUBJECT_ATTACHMENT_TYPE:
		return p->types->text;
	default:
		mime_scan(d->m);
		return arena_printf(d->edit->arena, "%zu", p->size);
	}
}

struct made {
	struct span text;  /* as transferred */
	const char *fields;
};

/* An mbox's mark. */
static bool
begins_from(struct span s, size_t at)
{
	return s.n - at >= 5 && memcmp(s.p + at, "From ", 5) == 0;
}

static bool
is_safe_7bit(struct span s)
{
	size_t i, column = 0;

	for (i = 0; i < s.n; i++, column++) {
		if ((unsigned char)s.p[i] >= 0x80 || column > 76 ||
		    (column == 0 && (s.p[i] == '-' || s.p[i] == '.' ||
		                     begins_from(s, i))))
			return false;
		if (s.p[i] == '\n')
			column = (size_t)-1;
	}
	return true;
}

/* No line of it is a boundary, whatever was filled in. */
static bool
make_text(struct detacher *d, struct made *made)
{
	struct arena *a = d->edit->arena;
	struct span s = SPAN("");
	bool safe;
	GString *out;
	size_t i;

	if (d->effect->kind == EFFECT_REPLACE_ATTACHMENT)
		s = change_clean(a, effect_text(d->effect,
			d->chosen[d->part], a, give, d));
	if (s.p == NULL)
		return false;
	safe = is_safe_7bit(s);
	made->fields = safe ? "Content-Type: text/plain; charset=us-ascii\r\n"
		"Content-Transfer-Encoding: 7bit\r\n" :
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n";
	out = g_string_new(NULL);
	if (!safe)
		transfer_write_qp(out, s);
	for (i = 0; safe && i < s.n; i++)
		g_string_append(out, s.p[i] == '\n' ? "\r\n" :
			(char[]){s.p[i], '\0'});
	made->text = arena_copy(a, (struct span){out->str, out->len});
	g_string_free(out, TRUE);
	return made->text.p != NULL;
}

/* ---- headers ---- */

static bool
is_content(struct span name)
{
	name = span_trim(name);
	return name.n >= 8 && strncasecmp(name.p, "content-", 8) == 0;
}

/* The header of a part without what says what it was. */
static struct span
new_header(struct detacher *d, const struct mime_part *p, const char *fields)
{
	GString *out = g_string_new(NULL);
	struct span rest = p->header, field, s;
	const char *colon;

	while (rest.n > 0) {
		field = edit_next_field(&rest);
		colon = memchr(field.p, ':', field.n);
		if (colon == NULL || !is_content((struct span){field.p,
		                         (size_t)(colon - field.p)}))
			g_string_append_len(out, field.p, (gssize)field.n);
	}
	if (out->len > 0 && out->str[out->len - 1] != '\n')
		g_string_append(out, "\r\n");
	g_string_append(out, fields);
	if (cut_transferred(p).p <= p->header.p + p->header.n) /* no empty line */
		g_string_append(out, "\r\n");
	s = arena_copy(d->edit->arena, (struct span){out->str, out->len});
	g_string_free(out, TRUE);
	return s;
}

/* Those that are set anew stay where they are. */
static bool
is_old_content(struct span name)
{
	return is_content(name) && !span_is_nocase(name, SPAN("content-type"))
		&& !span_is_nocase(name, SPAN("content-transfer-encoding"));
}

/* The same for the message's own. */
static bool
set_header(struct detacher *d, const char *fields)
{
	struct message *m = d->edit->message;
	struct span rest = span_of(fields), field, name;

	if (!message_remove_named(m, is_old_content))
		return false;
	while (rest.n > 0) {
		field = edit_next_field(&rest);
		name = (struct span){field.p, strcspn(field.p, ":")};
		if (!message_set_field(m, name, span_trim((struct span){
		    field.p + name.n + 1, field.n - name.n - 1})))
			return false;
	}
	return true;
}

/* ---- parts ---- */

static bool
replace(struct detacher *d, size_t part)
{
	const struct mime_part *p = &d->m->parts[part];
	struct span body = edit_from(d->edit, d->edit->splice.base), header;
	struct made made;

	d->part = part;
	if (!make_text(d, &made))
		return false;
	if (part == 0)
		return set_header(d, made.fields) &&
			edit_replace(d->edit, body, made.text);
	header = new_header(d, p, made.fields);
	return header.p != NULL && edit_replace(d->edit, p->header, header) &&
		edit_replace(d->edit, cut_transferred(p), made.text);
}

/* In a message that came along, what is signed there stays as well. */
static const char *
seal_above(const struct detacher *d, size_t part)
{
	const char *seal = NULL;

	for (; part != MIME_NONE && seal == NULL;
	     part = d->m->parts[part].parent)
		seal = own_seal(&d->m->parts[part]);
	return seal;
}

static bool
leave_out(struct detacher *d, const char *why)
{
	const char *said = edit_left_out(d->edit, d->effect);

	if (said != NULL && strstr(said, why) != NULL)
		return true;
	return edit_leave_out(d->edit, d->effect, why) ||
		fail(d, "no memory for the changed body");
}

static bool
take_out(struct detacher *d, size_t part, bool *changed)
{
	bool cuts = d->effect->kind == EFFECT_REMOVE_ATTACHMENT &&
		cut_may(d->edit, d->goes, part);

	if (seal_above(d, part) != NULL)
		return leave_out(d, "a part that is signed or encrypted");
	if (cuts ? cut_part(d->edit, part) : replace(d, part)) {
		*changed = true;
		return edit_take(d->edit, d->effect,
			d->chosen[part].n > 0 ? d->chosen[part] :
			d->m->parts[part].types->text) ||
			fail(d, "no memory for the changed body");
	}
	if (arena_full(d->edit->arena))
		return fail(d, "no memory for the changed body");
	return leave_out(d, "a part that others overlap");
}

bool
detach(struct edit *e, const struct effect *effect, struct span *why)
{
	struct detacher d = {.edit = e, .effect = effect, .why = why};
	bool changed = true;
	const char *sealed;
	size_t i, round;

	for (round = 0; round < ROUNDS && changed; round++) {
		if (!find(&d))
			return false;
		if (d.n == 0)
			return true;
		sealed = own_sealed(d.edit);
		if (sealed != NULL)
			return leave_out(&d, sealed);
		changed = false;
		for (i = 0; i < d.m->n_parts; i++)
			if (d.chosen[i].p != NULL &&
			    !take_out(&d, i, &changed))
				return false;
	}
	return !changed || leave_out(&d, "readers disagree about the parts");
}
