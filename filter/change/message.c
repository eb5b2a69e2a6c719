/*
 * message.c - the header as it came, the envelope, and a working copy of
 * both to which the effects are applied.
 *
 * What the MTA is told is the difference, in a form that Postfix and
 * Sendmail take alike: changes and removals of one name together, from the
 * highest index down (Postfix renumbers after a removal, Sendmail does not);
 * then inserts at the top, then additions at the end. Recipients are added
 * before others are removed, since a message without one is dropped.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "address.h"
#include "caps.h"
#include "message.h"
#include "utf8.h"

#define NAME_LIMIT 255 /* a name that we send: leaves its line room */
#define NOBODY ((size_t)-1)

/* A field of the working copy. */
struct line {
	struct field field;
	size_t index;      /* of the field as received, from 1; 0: new */
	bool removed;
	bool changed;
};

/* A recipient of the working copy. */
struct rcpt {
	struct span given;     /* as the client spelt it */
	struct span address;   /* canonical */
	bool added;            /* by us: the MTA does not have it */
	bool refused;          /* by the MTA or us: it never was one */
	size_t owners;         /* who get the mail by it; 0: nobody */
};

struct message {
	struct arena *arena;
	struct field *fields;
	size_t n_fields, bytes;
	struct line *lines;    /* those received, then those added */
	size_t n_lines;
	bool copied;           /* lines has the fields received */
	struct line *tops;     /* prepended; the last stands on top */
	size_t n_tops;
	struct rcpt *rcpts;    /* those of the client, then those added */
	size_t n_rcpts;
	size_t *now;           /* each client's recipient: its entry by now,
	                          or NOBODY */
	size_t n_now;
	size_t *slots;         /* entries by address: number + 1, or 0; made
	                          for the first effect on recipients */
	size_t n_slots;        /* a power of two, or 0 */
	struct span sender, new_sender;
	bool held;
	struct span reason;
};

struct message *
message_new(struct arena *a)
{
	struct message *m = arena_alloc(a, sizeof(*m));

	if (m != NULL)
		m->arena = a;
	return m;
}

/* ---- the header as it came ---- */

bool
message_add_field(struct message *m, struct span name, struct span raw)
{
	struct field f = {.name = arena_copy(m->arena, name),
	                  .raw = arena_copy(m->arena, raw)}, *slot;

	m->bytes += name.n + raw.n + 4; /* ": " and CRLF */
	if (m->n_fields >= CAPS_HEADER_FIELDS || m->bytes > CAPS_HEADER_BYTES
	    || f.name.p == NULL || f.raw.p == NULL)
		return false;
	slot = arena_grow(m->arena, &m->fields, &m->n_fields, sizeof(*slot));
	if (slot == NULL)
		return false;
	*slot = f;
	return true;
}

size_t
message_fields(const struct message *m)
{
	return m->n_fields;
}

const struct field *
message_field(const struct message *m, size_t i)
{
	return &m->fields[i];
}

static struct span
decoded(struct message *m, struct field *f)
{
	if (f->decoded.p == NULL)
		f->decoded = header_decode(m->arena, f->raw);
	return f->decoded;
}

struct span
message_decoded(struct message *m, size_t i)
{
	return decoded(m, &m->fields[i]);
}

/* ---- the working copy of the header ---- */

static bool
copy_fields(struct message *m)
{
	size_t i;

	for (i = 0; !m->copied && i < m->n_fields; i++) {
		struct line *l = arena_grow(m->arena, &m->lines, &m->n_lines,
		                            sizeof(*l));

		if (l == NULL)
			return false;
		l->field = m->fields[i];
		l->index = i + 1;
	}
	m->copied = true;
	return true;
}

static bool
add_line(struct message *m, bool top, const struct effect *e)
{
	struct line *l = top
		? arena_grow(m->arena, &m->tops, &m->n_tops, sizeof(*l))
		: arena_grow(m->arena, &m->lines, &m->n_lines, sizeof(*l));

	if (l == NULL)
		return false;
	l->field.name = arena_copy(m->arena, e->name);
	l->field.raw = header_encode(m->arena, e->name, e->value);
	return l->field.name.p != NULL && l->field.raw.p != NULL;
}

/* A value that reads the same is left as it is. */
static bool
set_line(struct message *m, struct line *l, struct span value)
{
	struct span old = decoded(m, &l->field);

	if (old.p == NULL)
		return false;
	if (span_is(old, value))
		return true;
	l->field.raw = header_encode(m->arena, l->field.name, value);
	l->field.decoded = (struct span){NULL, 0};
	l->changed = true;
	return l->field.raw.p != NULL;
}

static bool
edit_line(struct message *m, struct line *l, const struct subst *edits,
          size_t n)
{
	struct span value = decoded(m, &l->field), raw;
	size_t i;

	for (i = 0; i < n; i++)
		if (!span_is(edits[i].text, (struct span){
		    value.p + edits[i].at, edits[i].n}))
			break;
	if (i == n)
		return true;
	raw = header_rewrite(m->arena, l->field.name, l->field.raw, edits, n);
	l->field.raw = raw;
	l->field.decoded = (struct span){NULL, 0};
	l->changed = true;
	return raw.p != NULL;
}

/* One step of a header effect, on one field of its name each. *went: it has
 * been done to one before. */

static bool
step_replace(struct message *m, struct line *l, const struct effect *e,
             bool *went, struct span *why)
{
	(void)why;
	if (!*went) {
		*went = true;
		return set_line(m, l, e->value);
	}
	l->removed = true;
	return true;
}

static bool
step_remove(struct message *m, struct line *l, const struct effect *e,
            bool *went, struct span *why)
{
	struct span value = decoded(m, &l->field);
	enum truth t;

	(void)went;
	if (value.p == NULL)
		return false;
	t = effect_matches(e, value);
	if (t == TRUTH_FAILED) {
		*why = SPAN("remove header: a pattern hit its limit");
		return false;
	}
	l->removed = t == TRUTH_YES;
	return true;
}

static bool
step_rewrite(struct message *m, struct line *l, const struct effect *e,
             bool *went, struct span *why)
{
	struct span value = decoded(m, &l->field);
	struct subst *edits;
	size_t n;

	(void)went;
	if (value.p == NULL)
		return false;
	switch (effect_rewrite(e, value, m->arena, &edits, &n)) {
	case TRUTH_YES:
		return edit_line(m, l, edits, n);
	case TRUTH_FAILED:
		*why = SPAN("rewrite header: a pattern hit its limit");
		return false;
	default:
		return true;
	}
}

/* From the top of the header on; i is less than n_tops + n_lines. */
static struct line *
line_at(struct message *m, size_t i)
{
	return i < m->n_tops ? &m->tops[m->n_tops - 1 - i]
	                     : &m->lines[i - m->n_tops];
}

static bool
step_all(struct message *m, const struct effect *e,
         bool (*step)(struct message *, struct line *, const struct effect *,
                      bool *, struct span *),
         bool *went, struct span *why)
{
	size_t i;

	for (i = 0; i < m->n_tops + m->n_lines; i++) {
		struct line *l = line_at(m, i);

		if (!l->removed && span_is_nocase(l->field.name, e->name)
		    && !step(m, l, e, went, why))
			return false;
	}
	return true;
}

bool
message_insert(struct message *m, struct span name, struct span raw)
{
	struct line *l;

	if (!copy_fields(m))
		return false;
	l = arena_grow(m->arena, &m->tops, &m->n_tops, sizeof(*l));
	if (l == NULL)
		return false;
	l->field.name = arena_copy(m->arena, name);
	l->field.raw = arena_copy(m->arena, raw);
	return l->field.name.p != NULL && l->field.raw.p != NULL;
}

static bool
step_set(struct message *m, struct line *l, const struct effect *e,
         bool *went, struct span *why)
{
	(void)m;
	(void)why;
	l->removed = *went;
	if (!*went) {
		l->field.raw = e->value;
		l->field.decoded = (struct span){NULL, 0};
		l->changed = true;
	}
	*went = true;
	return true;
}

bool
message_set_field(struct message *m, struct span name, struct span raw)
{
	struct effect e = {.name = arena_copy(m->arena, name),
	                   .value = arena_copy(m->arena, raw)};
	struct span why;
	bool went = false;
	struct line *l;

	if (e.name.p == NULL || e.value.p == NULL || !copy_fields(m) ||
	    !step_all(m, &e, step_set, &went, &why))
		return false;
	if (went)
		return true;
	l = arena_grow(m->arena, &m->lines, &m->n_lines, sizeof(*l));
	if (l == NULL)
		return false;
	l->field = (struct field){.name = e.name, .raw = e.value};
	return true;
}

bool
message_remove_fields(struct message *m, struct span name,
                      bool (*is_meant)(struct span value, void *of), void *of)
{
	struct span value;
	size_t i;

	if (!copy_fields(m))
		return false;
	for (i = 0; i < m->n_tops + m->n_lines; i++) {
		struct line *l = line_at(m, i);

		if (l->removed || !span_is_nocase(l->field.name, name))
			continue;
		value = decoded(m, &l->field);
		if (value.p == NULL)
			return false;
		l->removed = is_meant(l->field.raw, of) || is_meant(value, of);
	}
	return true;
}

bool
message_remove_named(struct message *m, bool (*is_meant)(struct span name))
{
	size_t i;

	if (!copy_fields(m))
		return false;
	for (i = 0; i < m->n_tops + m->n_lines; i++) {
		struct line *l = line_at(m, i);

		l->removed = l->removed || is_meant(l->field.name);
	}
	return true;
}

/* ---- the envelope ---- */

bool
message_set_sender(struct message *m, struct span given)
{
	struct value v;

	if (!address_path(m->arena, given, &v))
		return false;
	m->sender = v.text;
	return true;
}

static struct rcpt *
add_entry(struct message *m, struct span given)
{
	struct rcpt *r;
	struct value v;

	if (!address_path(m->arena, given, &v))
		return NULL;
	r = arena_grow(m->arena, &m->rcpts, &m->n_rcpts, sizeof(*r));
	if (r == NULL)
		return NULL;
	r->given = arena_copy(m->arena, given);
	r->address = v.text;
	return r->given.p == NULL ? NULL : r;
}

bool
message_add_rcpt(struct message *m, struct span given)
{
	struct rcpt *r = add_entry(m, given);
	size_t *now;

	if (r == NULL)
		return false;
	r->owners = 1;
	now = arena_grow(m->arena, &m->now, &m->n_now, sizeof(*now));
	if (now == NULL)
		return false;
	*now = m->n_rcpts - 1;
	return true;
}

void
message_drop_rcpt(struct message *m, size_t rcpt)
{
	if (rcpt >= m->n_now)
		return;
	message_remove_rcpt(m, rcpt);
	m->rcpts[rcpt].refused = true;
}

void
message_remove_rcpt(struct message *m, size_t rcpt)
{
	if (rcpt >= m->n_now || m->now[rcpt] == NOBODY)
		return;
	m->rcpts[m->now[rcpt]].owners--;
	m->now[rcpt] = NOBODY;
}

/* The slot of the first entry with that address, or an empty one (FNV-1a). */
static size_t *
slot_of(struct message *m, struct span address)
{
	uint32_t hash = 2166136261;
	size_t i, number;

	for (i = 0; i < address.n; i++)
		hash = (hash ^ (uint32_t)tolower((unsigned char)address.p[i]))
			* 16777619;
	for (i = hash; ; i++) {
		number = m->slots[i & (m->n_slots - 1)];
		if (number == 0 || span_is_nocase(
		    m->rcpts[number - 1].address, address))
			return &m->slots[i & (m->n_slots - 1)];
	}
}

static bool
index_entries(struct message *m)
{
	size_t i, *slot;

	for (m->n_slots = 16; m->n_slots < 4 * m->n_rcpts; )
		m->n_slots *= 2;
	m->slots = arena_alloc(m->arena, m->n_slots * sizeof(*m->slots));
	for (i = 0; m->slots != NULL && i < m->n_rcpts; i++) {
		slot = slot_of(m, m->rcpts[i].address);
		if (*slot == 0 && !m->rcpts[i].refused)
			*slot = i + 1;
	}
	return m->slots != NULL;
}

/*
 * The entry of an address, made if there is none. NULL: no memory. A policy
 * may redirect each of many recipients to an address of his own.
 */
static struct rcpt *
entry_of(struct message *m, struct span address)
{
	struct rcpt *r;
	struct value v;
	size_t *slot;

	if (!address_path(m->arena, address, &v)
	    || ((m->slots == NULL || m->n_slots < 2 * (m->n_rcpts + 1))
	        && !index_entries(m)))
		return NULL;
	slot = slot_of(m, v.text);
	if (*slot != 0)
		return &m->rcpts[*slot - 1];
	r = add_entry(m, address);
	if (r == NULL)
		return NULL;
	r->added = true;
	*slot = m->n_rcpts;
	return r;
}

static bool
usable(struct message *m, const struct effect *e, const char *what,
       bool null_allowed, struct span *why)
{
	struct value v;

	if (e->value.n == 0 && null_allowed)
		return true;
	if (!address_path(m->arena, e->value, &v))
		return false;
	if (e->value.n > 0 && address_usable(e->value) && !v.bad)
		return true;
	*why = arena_printf(m->arena, "%s: <%.*s> is no mail address", what,
	                    SPAN_ARG(e->value));
	return false;
}

static bool
apply_add_rcpt(struct message *m, const struct effect *e, struct span *why)
{
	struct rcpt *r;

	if (!usable(m, e, "add rcpt", false, why))
		return false;
	r = entry_of(m, e->value);
	if (r == NULL)
		return false;
	r->owners++;
	return true;
}

static bool
apply_redirect(struct message *m, const struct effect *e, struct span *why)
{
	struct rcpt *r;
	size_t i, entry;

	if (!usable(m, e, "redirect", false, why))
		return false;
	r = entry_of(m, e->value);
	if (r == NULL)
		return false;
	entry = (size_t)(r - m->rcpts);
	for (i = 0; i < e->n_rcpts; i++) {
		size_t rcpt = e->rcpts[i];

		if (rcpt >= m->n_now || m->now[rcpt] == NOBODY)
			continue;
		m->rcpts[entry].owners++;
		m->rcpts[m->now[rcpt]].owners--;
		m->now[rcpt] = entry;
	}
	return true;
}

static bool
apply_sender(struct message *m, const struct effect *e, struct span *why)
{
	struct value v;

	if (!usable(m, e, "replace sender", true, why)
	    || !address_path(m->arena, e->value, &v))
		return false;
	m->new_sender = e->value.n == 0 ? SPAN("") : v.text;
	return true;
}

/* ---- effects ---- */

/* RFC 5322 2.2: printable ASCII but the colon. */
static bool
is_name(struct span s)
{
	size_t i;

	for (i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == ':')
			return false;
	return s.n > 0 && s.n <= NAME_LIMIT;
}

static bool
is_of_header(enum effect_kind kind)
{
	return kind <= EFFECT_REWRITE_HEADER;
}

/* The first reason stands: a message is held once. */
static bool
hold(struct message *m, struct span reason)
{
	char *p;
	size_t i;

	if (m->held)
		return true;
	reason = utf8_make_valid(m->arena, reason);
	reason = arena_copy(m->arena, reason);
	if (reason.p == NULL || arena_full(m->arena))
		return false;
	p = (char *)(size_t)reason.p; /* the copy is ours */
	for (i = 0; i < reason.n; i++)
		if ((unsigned char)p[i] < 0x20 || p[i] == 0x7f)
			p[i] = ' ';
	m->reason = span_trim(reason);
	m->held = true;
	return true;
}

bool
message_apply(struct message *m, const struct effect *e, struct span *why)
{
	bool went = false;

	*why = SPAN("no memory for the changes");
	if (!copy_fields(m))
		return false;
	if (is_of_header(e->kind) && !is_name(e->name)) {
		*why = SPAN("a header field's name is not fit to be sent");
		return false;
	}
	switch (e->kind) {
	case EFFECT_ADD_HEADER:
		return add_line(m, false, e);
	case EFFECT_PREPEND_HEADER:
		return add_line(m, true, e);
	case EFFECT_REPLACE_HEADER:
		return step_all(m, e, step_replace, &went, why)
		       && (went || add_line(m, false, e));
	case EFFECT_REMOVE_HEADER:
		return step_all(m, e, step_remove, &went, why);
	case EFFECT_REWRITE_HEADER:
		return step_all(m, e, step_rewrite, &went, why);
	case EFFECT_ADD_RCPT:
		return apply_add_rcpt(m, e, why);
	case EFFECT_REDIRECT:
		return apply_redirect(m, e, why);
	case EFFECT_REPLACE_SENDER:
		return apply_sender(m, e, why);
	case EFFECT_QUARANTINE:
		return hold(m, e->value);
	case EFFECT_STAMP_RECEIVED_SPF:
	case EFFECT_STAMP_RESULTS:
	case EFFECT_APPEND:
	case EFFECT_PREPEND_BODY:
	case EFFECT_REPLACE_BODY:
	case EFFECT_REMOVE_ATTACHMENT:
	case EFFECT_REPLACE_ATTACHMENT:
	case EFFECT_NOTIFY:
	case EFFECT_LOG:
		break; /* are not done here */
	}
	return true;
}

/* ---- the difference ---- */

struct change_list {
	struct message *m;
	struct change *list;
	size_t n;
	bool full;
};

static struct change *
add_change(struct change_list *c, enum change_kind kind, struct span value)
{
	struct change *one = arena_grow(c->m->arena, &c->list, &c->n,
	                                sizeof(*one));

	if (one == NULL) {
		c->full = true;
		return NULL;
	}
	one->kind = kind;
	if (value.p != NULL)
		one->value = arena_copy(c->m->arena, value);
	return one;
}

static void
add_field_change(struct change_list *c, enum change_kind kind,
                 const struct line *l, size_t index)
{
	struct span none = {NULL, 0};
	struct change *one = add_change(c, kind,
	                                l->removed ? none : l->field.raw);

	if (one == NULL)
		return;
	one->name = l->field.name;
	one->index = (unsigned)index;
}

static bool
differs(const struct message *m, const struct line *l)
{
	if (l->index == 0)
		return false;
	return l->removed
	       || (l->changed
	           && !span_is(l->field.raw, m->fields[l->index - 1].raw));
}

/* Fields received, those of one name side by side in their order. */
static int
by_name(const void *a, const void *b)
{
	const struct line *l = *(const struct line *const *)a;
	const struct line *k = *(const struct line *const *)b;
	struct span s = l->field.name, t = k->field.name;
	int order;

	if (s.n != t.n)
		return s.n < t.n ? -1 : 1;
	order = s.n == 0 ? 0 : strncasecmp(s.p, t.p, s.n);
	return order != 0 ? order : l->index < k->index ? -1 : 1;
}

/* All differences of one name, of which there are n, the highest index first. */
static void
differences_of(struct change_list *c, struct line **lines, size_t n)
{
	for (; n > 0; n--)
		if (differs(c->m, lines[n - 1]))
			add_field_change(c, CHANGE_HEADER, lines[n - 1], n);
}

static bool
differences(struct change_list *c)
{
	struct message *m = c->m;
	struct line **lines;
	size_t i, end;

	for (i = 0; i < m->n_fields && !differs(m, &m->lines[i]); i++)
		;
	if (i == m->n_fields)
		return true;
	lines = arena_alloc(m->arena, m->n_fields * sizeof(*lines));
	if (lines == NULL)
		return false;
	for (i = 0; i < m->n_fields; i++)
		lines[i] = &m->lines[i];
	qsort(lines, m->n_fields, sizeof(*lines), by_name);
	for (i = 0; i < m->n_fields; i = end) {
		for (end = i + 1; end < m->n_fields && span_is_nocase(
		     lines[end]->field.name, lines[i]->field.name); end++)
			;
		differences_of(c, lines + i, end - i);
	}
	return true;
}

/*
 * Fields that Sendmail makes itself where they are missing: one that is added
 * takes the place of its own, one that is inserted stands beside it.
 */
static bool
is_made_by_mta(struct span name)
{
	static const char *const names[] = {
		"Date", "From", "Message-Id", "Full-Name", "Return-Path",
		"Resent-Date", "Resent-From", "Resent-Message-Id",
	};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (span_is_nocase(name, span_of(names[i])))
			return true;
	return false;
}

/*
 * Where an added field goes: Sendmail adds one above the first field of its
 * name, so it is inserted behind the last field there is.
 */
static unsigned
place_of(const struct message *m, size_t added)
{
	struct span name = m->lines[added].field.name;
	size_t i;

	if (!is_made_by_mta(name))
		return CHANGE_AT_END;
	for (i = 0; i < added; i++)
		if (span_is_nocase(m->lines[i].field.name, name))
			return CHANGE_AT_END;
	return 0;
}

static bool
header_changes(struct change_list *c)
{
	struct message *m = c->m;
	size_t i;

	if (!m->copied)
		return true;
	if (!differences(c))
		return false;
	for (i = 0; i < m->n_tops; i++)
		if (!m->tops[i].removed)
			add_field_change(c, INSERT_HEADER, &m->tops[i], 0);
	for (i = m->n_fields; i < m->n_lines; i++)
		if (!m->lines[i].removed)
			add_field_change(c, ADD_HEADER, &m->lines[i],
			                 place_of(m, i));
	return true;
}

/* An address as the MTA takes it. */
static struct span
bracketed(struct message *m, struct span address)
{
	return arena_printf(m->arena, "<%.*s>", SPAN_ARG(address));
}

static int
by_address(const void *a, const void *b)
{
	struct span s = ((const struct rcpt *)a)->address;
	struct span t = ((const struct rcpt *)b)->address;

	if (s.n != t.n)
		return s.n < t.n ? -1 : 1;
	return s.n == 0 ? 0 : strncasecmp(s.p, t.p, s.n);
}

/*
 * Those whom the MTA has and who get it no more. An address that the client
 * gave twice goes when neither gets it: the MTA would take both away.
 */
static bool
removals(struct change_list *c)
{
	struct message *m = c->m;
	struct rcpt *kept = arena_alloc(m->arena, m->n_rcpts * sizeof(*kept));
	size_t i, n = 0;

	if (kept == NULL)
		return false;
	for (i = 0; i < m->n_rcpts; i++)
		if (m->rcpts[i].owners > 0)
			kept[n++] = m->rcpts[i];
	qsort(kept, n, sizeof(*kept), by_address);
	for (i = 0; i < m->n_rcpts; i++)
		if (!m->rcpts[i].added && !m->rcpts[i].refused
		    && m->rcpts[i].owners == 0
		    && bsearch(&m->rcpts[i], kept, n, sizeof(*kept),
		               by_address) == NULL)
			add_change(c, REMOVE_RCPT, m->rcpts[i].given);
	return true;
}

static void
envelope_changes(struct change_list *c)
{
	struct message *m = c->m;
	size_t i;

	if (m->new_sender.p != NULL && !span_is(m->new_sender, m->sender))
		add_change(c, CHANGE_SENDER, bracketed(m, m->new_sender));
	for (i = 0; i < m->n_rcpts; i++)
		if (m->rcpts[i].added && m->rcpts[i].owners > 0)
			add_change(c, ADD_RCPT,
			           bracketed(m, m->rcpts[i].address));
	if (!removals(c))
		c->full = true;
	if (m->held)
		add_change(c, HOLD, m->reason);
}

bool
message_changes(struct message *m, const struct change **changes, size_t *n)
{
	struct change_list c = {.m = m};

	if (!header_changes(&c))
		return false;
	envelope_changes(&c);
	*changes = c.list;
	*n = c.n;
	return !c.full && !arena_full(m->arena);
}

/* ---- the result ---- */

/* The i-th field that is left, or NULL. */
static const struct line *
result_line(const struct message *m, size_t i)
{
	size_t j;

	for (j = m->n_tops; j > 0; j--)
		if (!m->tops[j - 1].removed && i-- == 0)
			return &m->tops[j - 1];
	for (j = 0; j < m->n_lines; j++)
		if (!m->lines[j].removed && i-- == 0)
			return &m->lines[j];
	return NULL;
}

size_t
message_result_fields(const struct message *m)
{
	size_t i, n = 0;

	if (!m->copied)
		return m->n_fields;
	for (i = 0; i < m->n_tops; i++)
		n += !m->tops[i].removed;
	for (i = 0; i < m->n_lines; i++)
		n += !m->lines[i].removed;
	return n;
}

struct span
message_result_name(const struct message *m, size_t i)
{
	return m->copied ? result_line(m, i)->field.name : m->fields[i].name;
}

struct span
message_result_value(const struct message *m, size_t i)
{
	return m->copied ? result_line(m, i)->field.raw : m->fields[i].raw;
}

void
message_result_all(const struct message *m, struct field *fields)
{
	size_t i, n = 0;

	if (!m->copied && m->n_fields > 0)
		memcpy(fields, m->fields, m->n_fields * sizeof(*fields));
	for (i = m->copied ? m->n_tops : 0; i > 0; i--)
		if (!m->tops[i - 1].removed)
			fields[n++] = m->tops[i - 1].field;
	for (i = 0; m->copied && i < m->n_lines; i++)
		if (!m->lines[i].removed)
			fields[n++] = m->lines[i].field;
}

size_t
message_result_rcpts(const struct message *m)
{
	size_t i, n = 0;

	for (i = 0; i < m->n_rcpts; i++)
		n += m->rcpts[i].owners > 0;
	return n;
}

struct span
message_result_rcpt(const struct message *m, size_t i)
{
	size_t j;

	for (j = 0; j < m->n_rcpts; j++)
		if (m->rcpts[j].owners > 0 && i-- == 0)
			return m->rcpts[j].address;
	return (struct span){NULL, 0};
}

struct span
message_result_sender(const struct message *m)
{
	return m->new_sender.p != NULL ? m->new_sender : m->sender;
}

bool
message_held(const struct message *m)
{
	return m->held;
}
