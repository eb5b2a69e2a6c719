/*
 * tally.c - what a message adds to the policy's limits.
 *
 * When a rule asks whether a limit is over, what the message adds to it is
 * taken at once, so that the next one finds it gone. The end of the message
 * settles what was taken against what it came to.
 */
#include <stdio.h>
#include <string.h>

#include "caps.h"
#include "peer.h"
#include "siphash.h"
#include "tally.h"

/* What was taken at a time. */
struct tally_take {
	uint64_t n;
	int64_t when;
	struct tally_take *before;
};

/* A key of a limit that the message has to do with. */
struct tally_key {
	size_t limit;
	struct span key;
	uint64_t taken, due;
	struct tally_take *takes; /* which are taken in all; the last first */
};

struct tally_answer {
	size_t limit;
	bool known;
	enum truth truth;
	struct span why;
	struct tally_answer *next;
};

struct tally {
	struct tally_answer *all; /* of each limit that is asked of nobody */
	struct tally_key *keys;
	size_t n_keys;
	size_t *slots;            /* number of a key + 1, or 0 */
	size_t n_slots;           /* a power of two, or 0 */
	size_t counted, upto;     /* recipients among the first upto */
	bool lacking;             /* memory: what is due is not all known */
	bool closed;
};

struct tally *
tally_new(struct told *t)
{
	struct tally *y = arena_alloc(t->arena, sizeof(*y));
	size_t n;

	if (y == NULL)
		return NULL;
	policy_limits(t->policy, &n);
	y->all = arena_alloc(t->arena, n * sizeof(*y->all));
	return y->all == NULL ? NULL : y;
}

bool
tally_counts(const struct policy *p)
{
	size_t i, n;
	const struct limit *limits = policy_limits(p, &n);

	for (i = 0; i < n; i++)
		if (limits[i].unit != LIMIT_REJECTS)
			return true;
	return false;
}

/* ---- keys ---- */

static size_t *
slot_of(struct tally *y, size_t limit, struct span key)
{
	const uint64_t seed[2] = {(uint64_t)limit, (uint64_t)(uintptr_t)y};
	uint64_t i = siphash(seed, key);
	const struct tally_key *k;

	for (;; i++) {
		size_t *slot = &y->slots[i & (y->n_slots - 1)];

		if (*slot == 0)
			return slot;
		k = &y->keys[*slot - 1];
		if (k->limit == limit && span_is(k->key, key))
			return slot;
	}
}

static bool
more_slots(struct told *t, struct tally *y)
{
	size_t i;

	if (y->n_slots > 2 * y->n_keys)
		return true;
	y->n_slots = y->n_slots == 0 ? 8 : y->n_slots * 2;
	y->slots = arena_alloc(t->arena, y->n_slots * sizeof(*y->slots));
	if (y->slots == NULL) {
		y->n_slots = 0;
		return false;
	}
	for (i = 0; i < y->n_keys; i++)
		*slot_of(y, y->keys[i].limit, y->keys[i].key) = i + 1;
	return true;
}

/* The entry of a key, made if there is none. NULL: no memory. */
static struct tally_key *
key_of(struct told *t, size_t limit, const struct value *v)
{
	size_t n;
	const struct limit *l = &policy_limits(t->policy, &n)[limit];
	struct span key = limits_key(t->arena, l, v);
	struct tally *y = t->tally;
	struct tally_key *k;
	size_t *slot;

	if (key.p == NULL || !more_slots(t, y))
		return NULL;
	slot = slot_of(y, limit, key);
	if (*slot != 0)
		return &y->keys[*slot - 1];
	k = arena_grow(t->arena, &y->keys, &y->n_keys, sizeof(*k));
	if (k == NULL)
		return NULL;
	*slot = y->n_keys;
	k->limit = limit;
	k->key = key;
	return k;
}

static const struct fact *
ask_key(struct told *t, const struct limit *l, size_t rcpt)
{
	size_t n;
	const struct ask *asks = policy_asks(t->policy, &n);

	return facts_ask(t, l->ask, &asks[l->ask], rcpt);
}

/* The same, or NULL before its stage. */
static const struct fact *
known_key(struct told *t, const struct limit *l, size_t rcpt)
{
	size_t n;
	const struct ask *ask = &policy_asks(t->policy, &n)[l->ask];

	if (ask->stage > t->stage && !(ask->subject->flags & SUBJECT_IS_ANY))
		return NULL;
	return ask_key(t, l, rcpt);
}

/* ---- what the message adds ---- */

/* Nobody but the one at hand can still be refused at RCPT. */
static size_t
recipients_upto(struct told *t, size_t rcpt)
{
	struct tally *y = t->tally;
	size_t last = rcpt == NO_RCPT ? t->n_rcpts : rcpt, i;

	if (y->upto > last)
		y->upto = y->counted = 0;
	for (; y->upto < last; y->upto++)
		y->counted += t->rcpts[y->upto].in &&
			!t->rcpts[y->upto].shadowed;
	i = y->counted;
	return rcpt == NO_RCPT ? i : i + 1;
}

static uint64_t
size_of(const struct told *t)
{
	return t->header_bytes + 2 + t->body_bytes;
}

/* SIZE= of MAIL (RFC 1870), or a byte. */
static uint64_t
declared_size(const struct told *t)
{
	struct span value;
	uint64_t size = 0;
	size_t i;

	if (!facts_param(t->sender_params, t->n_sender_params, SPAN("SIZE"),
	                 &value))
		return 1;
	for (i = 0; i < value.n && i < 15; i++) {
		if (value.p[i] < '0' || value.p[i] > '9')
			return 1;
		size = size * 10 + (uint64_t)(value.p[i] - '0');
	}
	return size > 0 ? size : 1;
}

/* How much is wanted of a limit in all, this recipient and those before. */
static uint64_t
wanted(struct told *t, const struct limit *l, const struct tally_key *k,
       size_t rcpt)
{
	size_t n;
	const struct ask *ask = &policy_asks(t->policy, &n)[l->ask];
	bool own = (ask->subject->flags & SUBJECT_IS_RCPT) && !ask->all_rcpts;

	switch (l->unit) {
	case LIMIT_RECIPIENTS:
		return own ? k->taken + 1 : recipients_upto(t, rcpt);
	case LIMIT_BYTES:
		return t->stage < STAGE_END ? declared_size(t) : size_of(t);
	case LIMIT_MESSAGES:
	case LIMIT_REJECTS:
		break;
	}
	return 1;
}

/* ---- asking ---- */

static struct span
words(struct told *t, const struct limit *l, struct span key, uint64_t used)
{
	return arena_printf(t->arena, "%llu of %.0f %s used by \"%.*s\"",
		(unsigned long long)used, l->most, limit_unit_name(l->unit),
		SPAN_ARG(key));
}

/*
 * A client may take its time over a message, and what it took first be
 * forgotten before it goes: so each is given back to its own time.
 */
static bool
note_take(struct told *t, struct tally_key *k, uint64_t n, int64_t when)
{
	struct tally_take *take = k->takes;

	if (take == NULL || take->when != when) {
		take = arena_alloc(t->arena, sizeof(*take));
		if (take == NULL)
			return false;
		take->when = when;
		take->before = k->takes;
		k->takes = take;
	}
	take->n += n;
	k->taken += n;
	return true;
}

/* Limits may live on a server that is slow. */
static enum truth
ask_store(struct told *t, const struct limit *l, struct span key, uint64_t n,
          bool take, struct limits_found *found)
{
	int64_t begun = peer_deadline(0);
	enum truth truth;

	if (t->wait.left <= 0) {
		snprintf(found->why, sizeof(found->why), "it takes too long");
		return TRUTH_FAILED;
	}
	truth = limits_ask(t->host->limits, l, key, n, take, found);
	t->wait.left -= peer_deadline(0) - begun;
	return truth;
}

/* Is the limit over for one of its keys? */
static enum truth
ask_one(struct told *t, size_t limit, const struct value *v, size_t rcpt,
        struct span *why)
{
	size_t n;
	const struct limit *l = &policy_limits(t->policy, &n)[limit];
	struct tally_key *k = key_of(t, limit, v);
	bool early = l->unit == LIMIT_BYTES && t->stage < STAGE_END;
	bool take = l->unit != LIMIT_REJECTS && !early && !t->tally->closed;
	struct limits_found found;
	uint64_t more;
	enum truth truth;

	*why = SPAN("no memory");
	if (k == NULL)
		return TRUTH_FAILED;
	more = wanted(t, l, k, rcpt);
	if (l->unit != LIMIT_REJECTS)
		more = more > k->taken && !t->tally->closed ?
			more - k->taken : 0;
	if (more == 0 && take)
		return TRUTH_NO; /* it has its place */
	truth = ask_store(t, l, k->key, more, take, &found);
	if (truth == TRUTH_FAILED) {
		*why = arena_copy(t->arena, span_of(found.why));
		return truth;
	}
	if (truth == TRUTH_NO && take &&
	    !note_take(t, k, more, found.when)) {
		limits_add(t->host->limits, l, k->key, -(int64_t)more,
			found.when);
		return TRUTH_FAILED;
	}
	*why = words(t, l, k->key, found.used);
	return truth == TRUTH_NO && early ? TRUTH_LATER : truth;
}

static enum truth
ask_all(struct told *t, size_t limit, size_t rcpt, struct span *why)
{
	size_t n, i;
	const struct limit *l = &policy_limits(t->policy, &n)[limit];
	const struct fact *f = ask_key(t, l, rcpt);
	enum truth truth = TRUTH_NO, one;
	struct span words_of_one;

	*why = arena_printf(t->arena, "no %.*s", SPAN_ARG(l->by));
	if (f->state == FACT_LATER)
		return TRUTH_LATER;
	if (f->state == FACT_FAILED) {
		*why = f->why;
		return TRUTH_FAILED;
	}
	if (f->state == FACT_HERE && f->n > CAPS_LIMIT_VALUES) {
		*why = SPAN("too many values to count by");
		return TRUTH_FAILED;
	}
	for (i = 0; f->state == FACT_HERE && i < f->n; i++) {
		one = ask_one(t, limit, &f->values[i], rcpt, &words_of_one);
		truth = truth_or(truth, one);
		if (i == 0 || one == truth)
			*why = words_of_one;
		if (truth == TRUTH_YES)
			break;
	}
	return truth;
}

/* Where the answer is kept. NULL: no memory. */
static struct tally_answer *
answer_of(struct told *t, size_t limit, size_t rcpt)
{
	struct tally_answer *a;

	if (rcpt >= t->n_rcpts)
		return &t->tally->all[limit];
	for (a = t->rcpts[rcpt].over; a != NULL; a = a->next)
		if (a->limit == limit)
			return a;
	a = arena_alloc(t->arena, sizeof(*a));
	if (a == NULL)
		return NULL;
	a->limit = limit;
	a->next = t->rcpts[rcpt].over;
	return t->rcpts[rcpt].over = a;
}

enum truth
tally_over(void *of, size_t limit, size_t rcpt, struct span *why)
{
	struct told *t = of;
	struct tally_answer *a;

	*why = SPAN("nobody counts");
	if (t->host->limits == NULL)
		return TRUTH_NO;
	*why = SPAN("no memory");
	a = answer_of(t, limit, rcpt);
	if (a == NULL)
		return TRUTH_FAILED;
	if (!a->known)
		a->truth = ask_all(t, limit, rcpt, &a->why);
	a->known = a->truth != TRUTH_LATER;
	*why = a->why;
	return a->truth;
}

/* ---- the end ---- */

static void
add_due(struct told *t, size_t limit, size_t rcpt, uint64_t n)
{
	size_t i, n_limits;
	const struct limit *l = &policy_limits(t->policy, &n_limits)[limit];
	const struct fact *f = ask_key(t, l, rcpt);
	struct tally_key *k;

	if (f->state != FACT_HERE || f->n > CAPS_LIMIT_VALUES)
		return;
	for (i = 0; i < f->n; i++) {
		k = key_of(t, limit, &f->values[i]);
		if (k == NULL) {
			t->tally->lacking = true;
			continue;
		}
		if (l->unit == LIMIT_RECIPIENTS && rcpt != NO_RCPT)
			k->due += n;
		else
			k->due = n;
	}
}

/* Those who get the message. */
static bool
gets_it(const struct told *t, const struct review *r, size_t rcpt)
{
	enum verdict_kind kind = review_of(r, rcpt).kind;

	return t->rcpts[rcpt].in && !t->rcpts[rcpt].shadowed &&
		kind != VERDICT_DISCARD;
}

static void
find_due(struct told *t, const struct review *r, size_t limit)
{
	size_t i, n, gets = 0;
	const struct limit *l = &policy_limits(t->policy, &n)[limit];
	const struct ask *ask = &policy_asks(t->policy, &n)[l->ask];
	bool own = (ask->subject->flags & SUBJECT_IS_RCPT) && !ask->all_rcpts;
	uint64_t each = l->unit == LIMIT_BYTES ? size_of(t) : 1;

	for (i = 0; i < t->n_rcpts; i++) {
		if (!gets_it(t, r, i))
			continue;
		gets++;
		if (own)
			add_due(t, limit, i, each);
	}
	if (!own)
		add_due(t, limit, NO_RCPT, l->unit == LIMIT_RECIPIENTS ? gets :
			each);
}

/* What was taken last is what was not needed. */
static void
settle(struct told *t, const struct tally_key *k)
{
	size_t n;
	const struct limit *l = &policy_limits(t->policy, &n)[k->limit];
	uint64_t back = k->taken > k->due ? k->taken - k->due : 0, some;
	const struct tally_take *take;

	if (t->tally->lacking)
		back = 0; /* better too much is counted than too little */
	for (take = k->takes; back > 0; take = take->before) {
		some = take->n < back ? take->n : back;
		limits_add(t->host->limits, l, k->key, -(int64_t)some,
			take->when);
		back -= some;
	}
	if (k->due > k->taken)
		limits_add(t->host->limits, l, k->key,
			(int64_t)(k->due - k->taken), 0);
}

void
tally_close(struct told *t, const struct review *let_in)
{
	size_t i, n;
	const struct limit *limits = policy_limits(t->policy, &n);
	struct tally *y = t->tally;

	if (y == NULL || y->closed || t->host->limits == NULL ||
	    t->host->trial) /* explain asks on */
		return;
	y->closed = true;
	for (i = 0; let_in != NULL && i < n; i++)
		if (limits[i].unit != LIMIT_REJECTS)
			find_due(t, let_in, i);
	for (i = 0; i < y->n_keys; i++)
		settle(t, &y->keys[i]);
}

void
tally_reject(struct told *t, size_t rule, size_t rcpt)
{
	size_t i, j, n;
	const struct limit *limits = policy_limits(t->policy, &n), *l;
	const struct fact *f;
	struct tally_key *k;

	if (t->tally == NULL || t->host->limits == NULL)
		return;
	for (i = 0; i < n; i++) {
		l = &limits[i];
		if (l->unit != LIMIT_REJECTS ||
		    policy_rule_asks_limit(t->policy, rule, i) ||
		    (l->rcpt && rcpt == NO_RCPT))
			continue;
		f = known_key(t, l, rcpt);
		if (f == NULL || f->state != FACT_HERE ||
		    f->n > CAPS_LIMIT_VALUES)
			continue;
		for (j = 0; j < f->n; j++) {
			k = key_of(t, i, &f->values[j]);
			if (k != NULL)
				limits_add(t->host->limits, l, k->key, 1, 0);
		}
	}
}
