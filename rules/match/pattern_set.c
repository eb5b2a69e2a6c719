/*
 * pattern_set.c - which patterns of a set may match, at one look.
 *
 * Each pattern is made a simpler one (prefilter.c); Hyperscan looks for all of
 * these at once. A pattern that can't be made simpler, or that Hyperscan
 * refuses, is always a candidate.
 */
#include <config.h>

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#ifdef HAVE_HS
#include <hs.h>
#endif

#include "pattern_impl.h"
#include "prefilter.h"

struct pattern_set {
	size_t n, bytes;
	unsigned char *always;   /* candidates whatever the text */
	unsigned char *caseless; /* candidates if it has odd letters */
	bool any_caseless;
#ifdef HAVE_HS
	hs_database_t **databases; /* one, but for sets beyond its limits */
	size_t n_databases;
	unsigned scratch; /* the generation of scratch space that fits */
#endif
};

#ifdef HAVE_HS
static void
set_bit(unsigned char *bits, size_t i)
{
	bits[i / CHAR_BIT] |= (unsigned char)(1u << i % CHAR_BIT);
}

static bool
has_bit(const unsigned char *bits, size_t i)
{
	return (bits[i / CHAR_BIT] & 1u << i % CHAR_BIT) != 0;
}
#endif

/* Before any set is made: by a test, or by the environment. */
static atomic_bool off;

void
pattern_prefilter_off(void)
{
	atomic_store(&off, true);
}

#ifdef HAVE_HS

/* ---- the cases of a letter, as PCRE2 has them ---- */

/* Letters of two cases are all below; they are some 11,000 in some 40 KB. */
#define CASED_END 0x20000
static const char cased[] = "[\\p{L&}\\p{Mn}\\p{Nl}\\p{So}]+";

static pthread_mutex_t cases_lock = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *known_cases;
static GString *cased_letters;

static pcre2_code *
compile(const char *pattern, uint32_t options)
{
	PCRE2_SIZE at;
	int error;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern,
		PCRE2_ZERO_TERMINATED, PCRE2_UTF | PCRE2_UCP | options, &error,
		&at, NULL);

	if (code != NULL)
		(void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	return code;
}

/* Calls take with each match of code in text; false: it could not be done. */
static bool
each_match(const pcre2_code *code, const GString *text,
           void (*take)(void *of, const char *p, size_t n), void *of)
{
	pcre2_match_data *data = code == NULL ? NULL :
	                         pcre2_match_data_create(1, NULL);
	PCRE2_SIZE at = 0, *v;
	int rc = data == NULL ? PCRE2_ERROR_NOMEMORY : 1;

	while (rc > 0) {
		rc = pcre2_match(code, (PCRE2_SPTR)text->str, text->len, at,
		                 PCRE2_NO_UTF_CHECK, data, NULL);
		if (rc <= 0)
			break;
		v = pcre2_get_ovector_pointer(data);
		take(of, text->str + v[0], v[1] - v[0]);
		at = v[1];
	}
	pcre2_match_data_free(data);
	return rc == PCRE2_ERROR_NOMATCH;
}

static void
append(void *of, const char *p, size_t n)
{
	g_string_append_len(of, p, (gssize)n);
}

static bool
find_cased_letters(void)
{
	GString *all = g_string_new(NULL);
	pcre2_code *code = compile(cased, 0);
	gunichar c;
	bool found;

	for (c = 1; c < CASED_END; c++)
		if (c < 0xd800 || c > 0xdfff)
			g_string_append_unichar(all, c);
	cased_letters = g_string_new(NULL);
	found = each_match(code, all, append, cased_letters);
	pcre2_code_free(code);
	g_string_free(all, TRUE);
	if (!found) {
		g_string_free(cased_letters, TRUE);
		cased_letters = NULL;
	}
	return found;
}

static void
add_case(void *of, const char *p, size_t n)
{
	struct cases *all = of;

	(void)n;
	if (all->n < CASES_MAX)
		all->c[all->n++] = g_utf8_get_char(p);
}

/* No table of our own or of another library: PCRE2 decides what matches. */
static struct cases
find_cases(gunichar c)
{
	struct cases all = {.n = 0};
	char pattern[16];
	pcre2_code *code;
	size_t i;
	bool itself = false;

	g_snprintf(pattern, sizeof(pattern), "\\x{%x}", (unsigned)c);
	code = compile(pattern, PCRE2_CASELESS);
	if (!each_match(code, cased_letters, add_case, &all) ||
	    all.n == CASES_MAX)
		all.n = 0;
	else {
		for (i = 0; i < all.n; i++)
			itself = itself || all.c[i] == c;
		if (!itself)
			all.c[all.n++] = c;
	}
	pcre2_code_free(code);
	return all;
}

static struct cases
cases_of(gunichar c)
{
	struct cases *known, found = {.n = 0};

	pthread_mutex_lock(&cases_lock);
	if (known_cases == NULL)
		known_cases = g_hash_table_new(NULL, NULL);
	known = g_hash_table_lookup(known_cases, GUINT_TO_POINTER(c));
	if (known != NULL) {
		found = *known;
	} else if (cased_letters != NULL || find_cased_letters()) {
		found = find_cases(c);
		g_hash_table_insert(known_cases, GUINT_TO_POINTER(c),
		                    g_memdup2(&found, sizeof(found)));
	}
	pthread_mutex_unlock(&cases_lock);
	return found;
}

/* ---- scratch space: one a thread, for the largest set there was ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static hs_scratch_t *prototype; /* under lock, as the next */
static unsigned generation;     /* it grew so often */
static bool usable;
static char name[80];

/* Vectorscan is its fork for other machines. */
#if defined(__x86_64__) || defined(__i386__)
#define KIND "Hyperscan"
#else
#define KIND "Vectorscan"
#endif

struct worker {
	hs_scratch_t *scratch;
	unsigned generation;
};

static void
worker_free(void *of)
{
	struct worker *w = of;

	hs_free_scratch(w->scratch);
	free(w);
}

static void
begin(void)
{
	const char *wish = getenv("VAGLIO_PREFILTER"), *version = hs_version();

	g_snprintf(name, sizeof(name), KIND " %.*s",
	           (int)strcspn(version, " "), version);
	/* Hyperscan needs SSSE3. */
	usable = !atomic_load(&off) && hs_valid_platform() == HS_SUCCESS &&
	         (wish == NULL || strcmp(wish, "no") != 0) &&
	         pthread_key_create(&key, worker_free) == 0;
}

static bool
prefilter_usable(void)
{
	(void)pthread_once(&once, begin);
	return usable && !atomic_load(&off);
}

/* This thread's, fit for the set; NULL without memory. */
static hs_scratch_t *
scratch_for(const struct pattern_set *s)
{
	struct worker *w = pthread_getspecific(key);
	hs_scratch_t *larger = NULL;

	if (w != NULL && w->generation >= s->scratch)
		return w->scratch;
	if (w == NULL) {
		w = calloc(1, sizeof(*w));
		if (w == NULL || pthread_setspecific(key, w) != 0) {
			free(w);
			return NULL;
		}
	}
	pthread_mutex_lock(&lock);
	if (hs_clone_scratch(prototype, &larger) == HS_SUCCESS) {
		hs_free_scratch(w->scratch);
		w->scratch = larger;
		w->generation = generation;
	}
	pthread_mutex_unlock(&lock);
	return w->generation >= s->scratch ? w->scratch : NULL;
}

/* Lets the prototype fit a database too. */
static bool
grow_scratch(struct pattern_set *s, const hs_database_t *db)
{
	size_t before = 0, now = 0;
	bool grown;

	pthread_mutex_lock(&lock);
	if (prototype != NULL)
		(void)hs_scratch_size(prototype, &before);
	grown = hs_alloc_scratch(db, &prototype) == HS_SUCCESS;
	if (grown)
		(void)hs_scratch_size(prototype, &now);
	if (now != before)
		generation++;
	s->scratch = generation;
	pthread_mutex_unlock(&lock);
	return grown;
}

/* ---- making a set ---- */

/*
 * Whole expressions keep back more, but Hyperscan takes half a second for a
 * thousand that are simple, and longer for others. Of sets of more than WHOLE
 * patterns letters of each are enough where it has some, and of those that
 * have none no more than WHOLE_MOST are looked for.
 */
#define WHOLE 200
#define WHOLE_MOST 1000

struct build {
	struct pattern_set *set;
	const char **expressions;
	unsigned *flags, *ids;
};

static bool
add_database(struct pattern_set *s, hs_database_t *db)
{
	if (!grow_scratch(s, db)) {
		hs_free_database(db);
		return false;
	}
	s->databases = g_renew(hs_database_t *, s->databases,
	                       s->n_databases + 1);
	s->databases[s->n_databases++] = db;
	return true;
}

static void
leave_out(struct build *b, size_t i, size_t end)
{
	for (; i < end; i++)
		set_bit(b->set->always, b->ids[i]);
}

static void
forget(struct build *b, size_t at, size_t end)
{
	leave_out(b, at, at + 1);
	memmove(b->expressions + at, b->expressions + at + 1,
	        (end - at - 1) * sizeof(*b->expressions));
	memmove(b->ids + at, b->ids + at + 1,
	        (end - at - 1) * sizeof(*b->ids));
}

/*
 * Expressions from to end, in one database; without the one that is refused,
 * if it is named, else in halves. Each try costs: after a few, all the rest
 * is looked at in halves as well.
 */
static void
compile_some(struct build *b, size_t from, size_t end)
{
	hs_compile_error_t *error = NULL;
	hs_database_t *db = NULL;
	unsigned tries = 8;
	hs_error_t rc;
	int wrong;

	while (from < end) {
		rc = hs_compile_multi(b->expressions + from, b->flags,
		                      b->ids + from, (unsigned)(end - from),
		                      HS_MODE_BLOCK, NULL, &db, &error);
		if (rc == HS_SUCCESS) {
			if (!add_database(b->set, db))
				leave_out(b, from, end);
			return;
		}
		wrong = error == NULL ? -1 : error->expression;
		hs_free_compile_error(error);
		error = NULL;
		if (end - from == 1) {
			leave_out(b, from, end);
			return;
		}
		if (wrong < 0 || tries-- == 0) {
			size_t half = from + (end - from) / 2;

			compile_some(b, from, half);
			compile_some(b, half, end);
			return;
		}
		forget(b, from + (size_t)wrong, end--);
	}
}

/* Pattern i, simpler, in out; false: there is no such expression. */
static bool
express(struct pattern_set *s, const struct pattern *pattern, size_t i,
        bool brief, GString *out)
{
	struct prefilter_pattern p = {
		.text = pattern->text,
		.raw = (pattern->asked & PCRE2_UTF) == 0,
		.caseless = (pattern->asked & PCRE2_CASELESS) != 0,
		.extended = (pattern->asked & PCRE2_EXTENDED) != 0,
		.multiline = (pattern->asked & PCRE2_MULTILINE) != 0,
		.brief = brief,
	};
	bool caseless;

	g_string_truncate(out, 0);
	if (!prefilter_expression(&p, cases_of, out, &caseless))
		return false;
	if (caseless)
		set_bit(s->caseless, i);
	s->any_caseless = s->any_caseless || caseless;
	return true;
}

/*
 * One database of those of the patterns not yet done that have an
 * expression, brief or whole, at most most of them.
 */
static void
make_database(struct pattern_set *s, struct pattern *const *patterns,
              unsigned char *done, bool brief, size_t most)
{
	GPtrArray *expressions = g_ptr_array_new_with_free_func(g_free);
	GArray *ids = g_array_new(FALSE, FALSE, sizeof(unsigned));
	GString *out = g_string_new(NULL);
	struct build b = {.set = s};
	unsigned i;

	for (i = 0; i < s->n && ids->len < most; i++) {
		if (has_bit(done, i) ||
		    !express(s, patterns[i], i, brief, out))
			continue;
		set_bit(done, i);
		g_ptr_array_add(expressions, g_strdup(out->str));
		g_array_append_val(ids, i);
	}
	b.expressions = g_new(const char *, ids->len + 1);
	b.flags = g_new(unsigned, ids->len + 1);
	b.ids = (unsigned *)(void *)ids->data;
	for (i = 0; i < ids->len; i++) {
		b.expressions[i] = g_ptr_array_index(expressions, i);
		b.flags[i] = HS_FLAG_DOTALL | HS_FLAG_SINGLEMATCH |
		             HS_FLAG_PREFILTER;
	}
	compile_some(&b, 0, ids->len);
	g_free((void *)(size_t)b.expressions);
	g_free(b.flags);
	g_string_free(out, TRUE);
	g_array_free(ids, TRUE);
	g_ptr_array_free(expressions, TRUE);
}

static void
make_databases(struct pattern_set *s, struct pattern *const *patterns)
{
	unsigned char *done = g_malloc0(s->bytes);
	size_t i;

	if (s->n > WHOLE)
		make_database(s, patterns, done, true, s->n);
	make_database(s, patterns, done, false, WHOLE_MOST);
	for (i = 0; i < s->n; i++)
		if (!has_bit(done, i))
			set_bit(s->always, i);
	g_free(done);
}

static void
free_databases(struct pattern_set *s)
{
	size_t i;

	for (i = 0; i < s->n_databases; i++)
		hs_free_database(s->databases[i]);
	g_free(s->databases);
}

/* ---- scanning ---- */

static int
found(unsigned id, unsigned long long from, unsigned long long to,
      unsigned flags, void *of)
{
	(void)from;
	(void)to;
	(void)flags;
	set_bit(of, id);
	return 0;
}

/* false: it could not be done. */
static bool
scan(const struct pattern_set *s, struct span subject,
     unsigned char *candidates)
{
	hs_scratch_t *scratch = scratch_for(s);
	size_t i;

	if (scratch == NULL || subject.n > UINT_MAX)
		return false;
	for (i = 0; i < s->n_databases; i++)
		if (hs_scan(s->databases[i], subject.p, (unsigned)subject.n, 0,
		            scratch, found, candidates) != HS_SUCCESS)
			return false;
	return true;
}

#else /* HAVE_HS */

static const char name[] = "none";

static bool
prefilter_usable(void)
{
	return false;
}

static void
make_databases(struct pattern_set *s, struct pattern *const *patterns)
{
	(void)s;
	(void)patterns;
}

static void
free_databases(struct pattern_set *s)
{
	(void)s;
}

static bool
scan(const struct pattern_set *s, struct span subject,
     unsigned char *candidates)
{
	(void)s;
	(void)subject;
	(void)candidates;
	return false;
}

#endif /* HAVE_HS */

/* ---- sets ---- */

struct pattern_set *
pattern_set_new(struct pattern *const *patterns, size_t n)
{
	struct pattern_set *s = g_new0(struct pattern_set, 1);

	s->n = n;
	s->bytes = (n + CHAR_BIT - 1) / CHAR_BIT;
	s->always = g_malloc0(s->bytes + 1);
	s->caseless = g_malloc0(s->bytes + 1);
	if (n > 0 && n <= UINT_MAX && prefilter_usable())
		make_databases(s, patterns);
	else
		memset(s->always, 0xff, s->bytes);
	return s;
}

void
pattern_set_free(struct pattern_set *s)
{
	if (s == NULL)
		return;
	free_databases(s);
	g_free(s->always);
	g_free(s->caseless);
	g_free(s);
}

size_t
pattern_set_bytes(const struct pattern_set *s)
{
	return s->bytes;
}

static bool
holds(struct span s, const char *bytes)
{
	return s.n > 0 && memmem(s.p, s.n, bytes, strlen(bytes)) != NULL;
}

static bool
has_databases(const struct pattern_set *s)
{
#ifdef HAVE_HS
	return s->n_databases > 0;
#else
	(void)s;
	return false;
#endif
}

void
pattern_set_scan(const struct pattern_set *s, struct span subject,
                 unsigned char *candidates)
{
	size_t i;

	memcpy(candidates, s->always, s->bytes);
	if (subject.n == 0 || !has_databases(s))
		return; /* no expression of the prefilter matches nothing */
	if (!scan(s, subject, candidates)) {
		memset(candidates, 0xff, s->bytes);
		return;
	}
	/* U+017F equals s, U+212A equals k when case is ignored. */
	if (s->any_caseless && (holds(subject, "\xc5\xbf") ||
	                        holds(subject, "\xe2\x84\xaa")))
		for (i = 0; i < s->bytes; i++)
			candidates[i] |= s->caseless[i];
}

const char *
pattern_prefilter(void)
{
	return prefilter_usable() ? name : "none";
}
