/* mime_link.c - where the texts of a message lead. */
#include "caps.h"
#include "link.h"
#include "mime.h"

static void
keep(struct mime *m, size_t part, const struct url *u)
{
	struct mime_link *l;

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
add(struct mime *m, size_t part, struct span text, const struct url *base)
{
	struct url u;

	switch (url_read(m->arena, text, base, &u)) {
	case URL_READ:
		keep(m, part, &u);
		break;
	case URL_NONE:
		break;
	case URL_NO_MEMORY:
		m->no_memory = true;
		break;
	}
}

static void
add_bare(struct mime *m, const struct mime_view *v)
{
	struct span found;
	bool bare;
	size_t at = 0;

	while (mime_ok(m)) {
		found = link_next(v->text, &at, &bare);
		if (found.p == NULL)
			return;
		if (bare)
			found = arena_printf(m->arena, "http://%.*s",
				SPAN_ARG(found));
		if (found.p == NULL)
			m->no_memory = true;
		else
			add(m, v->part, found, NULL);
	}
}

static void
add_attributes(struct mime *m, const struct mime_view *v)
{
	const struct html_url *h;
	struct url base;
	bool has_base = v->base.p != NULL &&
		url_read(m->arena, v->base, NULL, &base) == URL_READ;

	for (h = v->urls; h != NULL && mime_ok(m); h = h->next)
		add(m, v->part, h->text, has_base ? &base : NULL);
}

static void
link_all(struct mime *m)
{
	size_t i;

	if (url_open() != NULL)
		m->full = "the data of ICU can't be had";
	for (i = 0; i < m->n_views && mime_ok(m); i++) {
		add_attributes(m, &m->views[i]);
		add_bare(m, &m->views[i]);
	}
}

const char *
mime_links(struct mime *m)
{
	const char *failed = mime_views(m);

	return failed != NULL ? failed :
		mime_once(m, &m->made_links, link_all);
}
