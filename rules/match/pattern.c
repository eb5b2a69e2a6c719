/* pattern.c - PCRE2 decides. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "caps.h"
#include "pattern_impl.h"

/* JIT's own stack, a thread: it begins with the first and never exceeds the
 * second; past it a match fails (-46). */
#define JIT_STACK_FIRST (32 << 10)
#define JIT_STACK_MOST (1 << 20)

/* What a thread keeps between matches: only memory, no state. */
struct matcher {
	pcre2_match_context *context;
	pcre2_match_data *data;
	pcre2_jit_stack *stack;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t matcher_key;
static bool have_key;
static pcre2_compile_context *compile_context;
static struct pattern_limits library_limits;

static void
matcher_free(void *of)
{
	struct matcher *m = of;

	if (m == NULL)
		return;
	pcre2_match_data_free(m->data);
	pcre2_match_context_free(m->context);
	pcre2_jit_stack_free(m->stack);
	free(m);
}

/*
 * Mail's lines end with CRLF as it comes and with LF once decoded: ^ and $
 * take both, and a CR alone, whatever the library was built for.
 */
static void
begin(void)
{
	uint32_t v;

	have_key = pthread_key_create(&matcher_key, matcher_free) == 0;
	compile_context = pcre2_compile_context_create(NULL);
	if (compile_context != NULL)
		pcre2_set_newline(compile_context, PCRE2_NEWLINE_ANYCRLF);
	if (pcre2_config(PCRE2_CONFIG_MATCHLIMIT, &v) == 0)
		library_limits.match = v;
	if (pcre2_config(PCRE2_CONFIG_DEPTHLIMIT, &v) == 0)
		library_limits.depth = v;
	if (pcre2_config(PCRE2_CONFIG_HEAPLIMIT, &v) == 0)
		library_limits.heap_kib = v;
}

static struct matcher *
matcher_new(void)
{
	struct matcher *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->context = pcre2_match_context_create(NULL);
	m->data = pcre2_match_data_create(PATTERN_GROUPS, NULL);
	m->stack = pcre2_jit_stack_create(JIT_STACK_FIRST, JIT_STACK_MOST,
	                                  NULL);
	if (m->context == NULL || m->data == NULL ||
	    pthread_setspecific(matcher_key, m) != 0) {
		matcher_free(m);
		return NULL;
	}
	/* Without a stack of ours JIT takes 32 KiB of the thread's. */
	pcre2_jit_stack_assign(m->context, NULL, m->stack);
	return m;
}

/* This thread's, with the limits set; NULL without memory. */
static struct matcher *
matcher(const struct pattern_limits *limits)
{
	struct pattern_limits l = {0};
	struct matcher *m;

	if (!have_key)
		return NULL;
	m = pthread_getspecific(matcher_key);
	if (m == NULL)
		m = matcher_new();
	if (m == NULL)
		return NULL;
	if (limits != NULL)
		l = *limits;
	pcre2_set_match_limit(m->context,
		l.match != 0 ? l.match : library_limits.match);
	pcre2_set_depth_limit(m->context,
		l.depth != 0 ? l.depth : library_limits.depth);
	pcre2_set_heap_limit(m->context,
		l.heap_kib != 0 ? l.heap_kib : library_limits.heap_kib);
	return m;
}

/* ---- compiling ---- */

/* The options that flags ask for; false, with *wrong, at an unknown one. */
static bool
read_flags(struct span flags, uint32_t *options, size_t *wrong)
{
	size_t i;

	for (i = 0; i < flags.n; i++) {
		switch (flags.p[i]) {
		case 'i': *options |= PCRE2_CASELESS; break;
		case 'm': *options |= PCRE2_MULTILINE; break;
		case 's': *options |= PCRE2_DOTALL; break;
		case 'x': *options |= PCRE2_EXTENDED; break;
		default:
			*wrong = i;
			return false;
		}
	}
	return true;
}

/*
 * \C would leave a match in the middle of a character, and (*UTF) on bytes
 * would read past their end: neither is to be had.
 */
static uint32_t
base_options(bool raw)
{
	return raw ? PCRE2_NEVER_UTF :
	       PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
}

static struct span
explain(struct arena *a, int error)
{
	char text[256];

	if (pcre2_get_error_message(error, (PCRE2_UCHAR *)text,
	                            sizeof(text)) < 0)
		return arena_printf(a, "PCRE2 error %d", error);
	return arena_copy(a, span_of(text));
}

static struct pattern *
adopt(pcre2_code *code, struct span text, uint32_t options)
{
	struct pattern *p = calloc(1, sizeof(*p));
	char *copy = malloc(text.n + 1);

	if (p != NULL)
		p->watched = calloc(1, sizeof(*p->watched));
	if (p == NULL || copy == NULL || p->watched == NULL) {
		if (p != NULL)
			free(p->watched);
		free(p);
		free(copy);
		return NULL;
	}
	if (text.n > 0)
		memcpy(copy, text.p, text.n);
	copy[text.n] = '\0';
	p->text = (struct span){copy, text.n};
	p->asked = options;
	p->code = code;
	pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &p->options);
	pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &p->groups);
	pcre2_pattern_info(code, PCRE2_INFO_NEWLINE, &p->newline);
	/* Refused (-48: no writable and executable memory; or a pattern that
	 * JIT can't do): the interpreter matches, only slower. */
	(void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	return p;
}

struct pattern *
pattern_new(struct arena *a, struct span text, struct span flags, bool raw,
            struct span *message, size_t *offset)
{
	uint32_t options = base_options(raw);
	PCRE2_SIZE at = 0;
	pcre2_code *code;
	struct pattern *p;
	int error;

	(void)pthread_once(&once, begin);
	if (!read_flags(flags, &options, offset)) {
		*message = arena_printf(a, "unknown flag \"%c\": the flags are "
		                        "i, m, s and x", flags.p[*offset]);
		*offset = text.n;
		return NULL;
	}
	code = pcre2_compile((PCRE2_SPTR)(text.p == NULL ? "" : text.p), text.n,
	                     options, &error, &at, compile_context);
	if (code == NULL) {
		*message = explain(a, error);
		*offset = at;
		return NULL;
	}
	p = adopt(code, text, options);
	if (p == NULL) {
		pcre2_code_free(code);
		*message = arena_copy(a, SPAN("no memory"));
		*offset = 0;
	}
	return p;
}

void
pattern_free(struct pattern *p)
{
	if (p == NULL)
		return;
	pcre2_code_free(p->code);
	if (p->watched != NULL)
		pcre2_code_free(atomic_load(p->watched));
	free(p->watched);
	free((char *)(size_t)p->text.p);
	free(p);
}

unsigned
pattern_groups(const struct pattern *p)
{
	return p->groups;
}

/* ---- matching ---- */

/*
 * PCRE2 does not count the steps inside a repeated single character, so that
 * "a*a*b" can cost the square of a text's length whatever the limits. Up to
 * CAPS_SHORT_TEXT that is half a second; for a longer text the pattern is
 * compiled again, once, with a call-out before each item, which watches the
 * clock.
 */
static pcre2_code *
watched(const struct pattern *p)
{
	pcre2_code *there = atomic_load(p->watched), *made;
	PCRE2_SIZE at;
	int error;

	if (there != NULL)
		return there;
	made = pcre2_compile((PCRE2_SPTR)(p->text.p == NULL ? "" : p->text.p),
	                     p->text.n, p->asked | PCRE2_AUTO_CALLOUT, &error,
	                     &at, compile_context);
	if (made == NULL)
		return NULL;
	pcre2_jit_compile(made, PCRE2_JIT_COMPLETE);
	if (atomic_compare_exchange_strong(p->watched, &there, made))
		return made;
	pcre2_code_free(made); /* another thread was first */
	return there;
}

#define SECOND INT64_C(1000000000)

static int64_t
nanoseconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (int64_t)t.tv_sec * SECOND + t.tv_nsec;
}

/* A watch over one match of a long text. */
struct watch {
	int64_t end; /* CPU time of this thread */
	unsigned calls;
};

static int
look_at_clock(pcre2_callout_block *block, void *of)
{
	struct watch *w = of;

	(void)block;
	if (++w->calls % 64 != 0 ||
	    nanoseconds(CLOCK_THREAD_CPUTIME_ID) < w->end)
		return 0;
	return PCRE2_ERROR_MATCHLIMIT;
}

/*
 * The clock for a text: CPU time, or for one so short that a match of it is
 * over before the system is asked for that, the time of the day.
 */
#define ASK_NO_SYSTEM 1024

static clockid_t
clock_for(struct span s)
{
	return s.n > ASK_NO_SYSTEM ? CLOCK_THREAD_CPUTIME_ID :
	       CLOCK_MONOTONIC;
}

/*
 * From byte at. Whatever PCRE2 says but "no" and "yes" is a limit (MATCHLIMIT
 * -47, DEPTHLIMIT -53, HEAPLIMIT -63, JIT_STACKLIMIT -46) or no memory.
 */
static enum truth
run(const struct pattern *p, struct span s, size_t at, uint32_t options,
    struct matcher *m, int64_t most)
{
	struct watch w = {0};
	pcre2_code *code = p->code;
	int rc;

	if (s.n > CAPS_SHORT_TEXT) {
		code = watched(p);
		if (code == NULL)
			return TRUTH_FAILED;
		w.end = nanoseconds(CLOCK_THREAD_CPUTIME_ID) + most;
		pcre2_set_callout(m->context, look_at_clock, &w);
	}
	rc = pcre2_match(code, (PCRE2_SPTR)(s.p == NULL ? "" : s.p), s.n, at,
	                 options | PCRE2_NO_UTF_CHECK, m->data, m->context);
	pcre2_set_callout(m->context, NULL, NULL);
	if (rc == PCRE2_ERROR_NOMATCH)
		return TRUTH_NO;
	return rc < 0 ? TRUTH_FAILED : TRUTH_YES;
}

/* The same, within what the message has left. */
static enum truth
match_at(const struct pattern *p, struct span s, size_t at, uint32_t options,
         struct matcher *m, struct pattern_work *work)
{
	int64_t most = CAPS_MATCH_SECONDS * SECOND, began;
	enum truth t;

	if (work == NULL)
		return run(p, s, at, options, m, most);
	if (work->left <= 0)
		return TRUTH_FAILED;
	began = nanoseconds(clock_for(s));
	t = run(p, s, at, options, m, work->left < most ? work->left : most);
	work->left -= nanoseconds(clock_for(s)) - began;
	return t;
}

static void
take_groups(const struct pattern *p, const struct matcher *m, struct span s,
            struct span *groups)
{
	const PCRE2_SIZE *v = pcre2_get_ovector_pointer(m->data);
	const char *text = s.p == NULL ? "" : s.p;
	unsigned i;

	for (i = 0; i < PATTERN_GROUPS; i++) {
		groups[i] = (struct span){NULL, 0};
		if (i > p->groups || v[2 * i] == PCRE2_UNSET)
			continue;
		groups[i] = (struct span){text + v[2 * i], 0};
		/* \K in a lookahead can put the begin behind the end. */
		if (v[2 * i + 1] > v[2 * i])
			groups[i].n = v[2 * i + 1] - v[2 * i];
	}
}

enum truth
pattern_match(const struct pattern *p, struct span subject,
              const struct pattern_limits *limits,
              struct span groups[PATTERN_GROUPS])
{
	struct matcher *m = matcher(limits);
	enum truth t;

	if (m == NULL)
		return TRUTH_FAILED;
	t = match_at(p, subject, 0, 0, m,
	             limits == NULL ? NULL : limits->work);
	if (groups != NULL && t == TRUTH_YES)
		take_groups(p, m, subject, groups);
	return t;
}

/* ---- replacing ---- */

/* The bytes to pass over after an empty match at at: a character or CRLF. */
static size_t
step(const struct pattern *p, struct span s, size_t at)
{
	size_t n = 1;

	if (p->newline != PCRE2_NEWLINE_LF && p->newline != PCRE2_NEWLINE_CR &&
	    p->newline != PCRE2_NEWLINE_NUL && s.n - at > 1 &&
	    s.p[at] == '\r' && s.p[at + 1] == '\n')
		return 2;
	if ((p->options & PCRE2_UTF) != 0)
		while (at + n < s.n && (s.p[at + n] & 0xc0) == 0x80)
			n++;
	return n;
}

/* A piece of what replacing makes. */
struct piece {
	struct span text;
	struct piece *next;
};

static bool
add_piece(struct arena *a, struct piece ***tail, struct span text)
{
	struct piece *piece;

	if (text.n == 0)
		return true;
	piece = arena_alloc(a, sizeof(*piece));
	if (piece == NULL)
		return false;
	piece->text = text;
	**tail = piece;
	*tail = &piece->next;
	return true;
}

static bool
join_pieces(struct arena *a, const struct piece *pieces, struct span *out)
{
	const struct piece *i;
	size_t n = 0;
	char *p;

	for (i = pieces; i != NULL; i = i->next)
		n += i->text.n;
	p = arena_alloc(a, n + 1);
	if (p == NULL)
		return false;
	*out = (struct span){p, n};
	for (i = pieces; i != NULL; i = i->next) {
		memcpy(p, i->text.p, i->text.n);
		p += i->text.n;
	}
	return true;
}

enum truth
pattern_replace(const struct pattern *p, struct span subject,
                const struct pattern_limits *limits,
                struct span (*fill)(void *of, const struct span *groups),
                void *of, struct arena *a, struct span *out)
{
	struct span groups[PATTERN_GROUPS];
	struct piece *pieces = NULL, **tail = &pieces;
	size_t at = 0, done = 0;
	uint32_t options = 0;
	bool any = false;

	*out = subject;
	if (subject.p == NULL)
		subject.p = "";
	for (;;) {
		/* Anew each time: fill may match something itself. */
		struct matcher *m = matcher(limits);
		enum truth t = m == NULL ? TRUTH_FAILED :
		               match_at(p, subject, at, options, m,
		                        limits == NULL ? NULL : limits->work);
		size_t from, to;

		if (t == TRUTH_FAILED)
			return t;
		if (t == TRUTH_NO && (options == 0 || at >= subject.n))
			break;
		if (t == TRUTH_NO) {
			at += step(p, subject, at);
			options = 0;
			continue;
		}
		any = true;
		take_groups(p, m, subject, groups);
		from = (size_t)(groups[0].p - subject.p);
		to = from + groups[0].n;
		if (!add_piece(a, &tail, (struct span){subject.p + done,
		                                       from - done}) ||
		    !add_piece(a, &tail, fill(of, groups)))
			return TRUTH_FAILED;
		done = at = to;
		/* After an empty match: one here that is not, or go on. */
		options = groups[0].n > 0 ? 0 :
		          PCRE2_NOTEMPTY_ATSTART | PCRE2_ANCHORED;
	}
	if (!any)
		return TRUTH_NO;
	if (!add_piece(a, &tail, (struct span){subject.p + done,
	                                       subject.n - done}) ||
	    !join_pieces(a, pieces, out))
		return TRUTH_FAILED;
	return TRUTH_YES;
}
