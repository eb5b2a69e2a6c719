/* mime_link.c - where the texts of a message lead. */
#include "caps.h"
#include "link.h"
#include "mime.h"
#include "unpack.h"

/* Of a page that is read in two ways each link is kept once. */
static bool
is_known(struct mime *m, struct unpack_names *known, struct span text)
{
	if (unpack_names_has(known, text))
		return true;
	m->no_memory = m->no_memory || !unpack_names_add(known, text);
	return false;
}

static void
keep(struct mime *m, size_t part, const struct url *u,
     struct unpack_names *known)
{
	struct mime_link *l;

	if (known != NULL && is_known(m, known, u->text))
		return;
	if (m->n_links == CAPS_MIME_LINKS) {
		m->full = "more links than are looked at";
		return;
	}
	l = arena_grow(m->arena, &m->links, &m->n_links, sizeof(*l));
	if (l == NULL) {
		m->no_memory = true;
		return;
	}
	*l = (struct mime_link){part, u->text, u->host, u->bad};
}

static void
add(struct mime *m, size_t part, struct span text, const struct url *base,
    struct unpack_names *known)
{
	struct url u;

	switch (url_read(m->arena, text, base, &u)) {
	case URL_READ:
		keep(m, part, &u, known);
		break;
	case URL_NONE:
		break;
	case URL_NO_MEMORY:
		m->no_memory = true;
		break;
	}
}

static void
add_bare(struct mime *m, const struct mime_view *v, struct unpack_names *known)
{
	struct span found;
	const char *before;
	size_t at = 0;

	while (mime_ok(m)) {
		found = link_next(v->text, &at, &before);
		if (found.p == NULL)
			return;
		if (*before != '\0')
			found = arena_printf(m->arena, "%s%.*s", before,
				SPAN_ARG(found));
		if (found.p == NULL)
			m->no_memory = true;
		else
			add(m, v->part, found, NULL, known);
	}
}

static void
add_attributes(struct mime *m, const struct mime_view *v,
               struct unpack_names *known)
{
	const struct html_url *h;
	struct url base;
	bool has_base = v->base.p != NULL &&
		url_read(m->arena, v->base, NULL, &base) == URL_READ;

	for (h = v->urls; h != NULL && mime_ok(m); h = h->next)
		add(m, v->part, h->text, has_base ? &base : NULL, known);
}

static void
link_all(struct mime *m)
{
	struct unpack_names *known = NULL;
	const struct mime_view *v;
	size_t i;

	if (url_open() != NULL)
		m->full = "the data of ICU can't be had";
	for (i = 0; i < m->n_views && mime_ok(m); i++) {
		v = &m->views[i];
		if (!v->again)
			known = i + 1 < m->n_views && v[1].again ?
				unpack_names_new(m->arena) : NULL;
		add_attributes(m, v, known);
		add_bare(m, v, known);
	}
}

const char *
mime_links(struct mime *m)
{
	const char *failed = mime_views(m);

	return failed != NULL ? failed :
		mime_once(m, &m->made_links, link_all);
}
