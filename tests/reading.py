#!/usr/bin/env python3
"""Random policies, read by vaglio and by the book.

The book is the section WHEN A RULE DECIDES of vaglio.conf(5), told here once
more in a few lines that know no cost, no memory and no order but the file's.
Each seed gives a policy and sessions; what the book expects of each stands in
the policy as a test of its own.

reading.py [FIRST [SEEDS]] tries that many seeds. VAGLIO is the program (else
./vaglio). A policy that fails is printed.
"""

import os
import random
import subprocess
import sys
import tempfile

CONNECT, HELO, MAIL, RCPT, DATA, HEADERS, END = range(7)
STAGES = "connect helo mail rcpt data headers end".split()
NO, YES, LATER, FAILED = range(4)
REFUSALS = ("reject", "tempfail")
RCPTS = ["p@r.example", "q@r.example", "p@t.example", "q@t.example"]
TABLES = """table <helos> { p.example }
table <senders> { p@s.example }
table <rcpts> { p@r.example p@t.example }
table <words> { p }
table <keys> {
  p@s.example = { p.example }
  q@s.example = { q.example p.example }
}
"""
SESSIONS = 12


# ---- yes, no, later, failed ----

def first_of(order, a, b):
    return next(t for t in order if t in (a, b))


def both(a, b):
    return first_of((NO, LATER, FAILED, YES), a, b)


def either(a, b):
    return first_of((YES, LATER, FAILED, NO), a, b)


def negated(a):
    return {YES: NO, NO: YES}.get(a, a)


def truth(holds):
    return YES if holds else NO


def some(truths):
    t = NO
    for one in truths:
        t = either(t, one)
    return t


def every(truths):
    t = YES if truths else NO
    for one in truths:
        t = both(t, one)
    return t


# ---- a session ----

class Session:
    def __init__(self, r):
        self.client = r.choice(["203.0.113.5", "198.51.100.7"])
        self.helo = r.choice("pq")
        self.sender = r.choice(["p", "q", ""])
        self.auth = r.choice(["p", "q", ""])
        self.rcpts = r.sample(RCPTS, r.choice([1, 1, 2, 3]))
        self.left = []  # the recipients that are not refused, from DATA on
        self.words = r.choices("pq", k=r.randrange(3))
        self.authors = r.choices("pq", k=r.choice([1, 1, 2]))
        self.body = r.choice("pq")
        self.fails = [t for t in ("helos", "senders", "rcpts", "words", "keys")
                      if r.random() < .3]

    def listed(self, table, holds):
        return FAILED if table in self.fails else truth(holds)

    def text(self):
        lines = ["client %s helo %s.example sender %s" % (
            self.client, self.helo,
            self.sender + "@s.example" if self.sender else "<>")]
        if self.auth:
            lines.append("auth " + self.auth)
        lines.append("rcpt { %s }" % " ".join(self.rcpts))
        lines += ['header "A" "%s"' % w for w in self.words]
        lines += ['header "From" "%s@s.example"' % a for a in self.authors]
        lines.append('body "body-%s"' % self.body)
        lines += ["<%s> fails" % t for t in self.fails]
        return lines


# ---- conditions: text, last stage, whether it mentions rcpt, truth ----

def comparisons(v):
    known_by = {"p": "p", "q": "pq"}
    return [
        ("client in { 203.0.113.0/24 }", CONNECT, False,
         lambda s, r: truth(s.client[0] == "2")),
        ("helo is %s.example" % v, HELO, False,
         lambda s, r: truth(s.helo == v)),
        ("helo in <helos>", HELO, False,
         lambda s, r: s.listed("helos", s.helo == "p")),
        ("sender is %s@s.example" % v, MAIL, False,
         lambda s, r: truth(s.sender == v)),
        ("sender not in <senders>", MAIL, False,
         lambda s, r: negated(s.listed("senders", s.sender == "p"))),
        ("auth", MAIL, False, lambda s, r: truth(s.auth)),
        ("auth is not %s" % v, MAIL, False,
         lambda s, r: truth(s.auth != v)),
        ("rcpt.local is %s" % v, RCPT, True, lambda s, r: truth(r[0] == v)),
        ("rcpt.domain is not r.example", RCPT, True,
         lambda s, r: truth("@r." not in r)),
        ("rcpt in <rcpts>", RCPT, True,
         lambda s, r: s.listed("rcpts", r[0] == "p")),
        ("any rcpt is %s@r.example" % v, DATA, False,
         lambda s, r: truth(v + "@r.example" in s.left)),
        ("every rcpt.local is %s" % v, DATA, False,
         lambda s, r: truth(all(x[0] == v for x in s.left))),
        ("rcpt.count > 1", DATA, False, lambda s, r: truth(len(s.left) > 1)),
        ('header "A" is %s' % v, HEADERS, False,
         lambda s, r: truth(v in s.words)),
        ('header "A" is not %s' % v, HEADERS, False,
         lambda s, r: truth(v not in s.words)),
        ('every header "A" in <words>', HEADERS, False,
         lambda s, r: every([s.listed("words", w == "p") for w in s.words])),
        ("any from in <senders>", HEADERS, False,
         lambda s, r: some([s.listed("senders", a == "p")
                            for a in s.authors])),
        ("helo in <keys>[every from]", HEADERS, False,
         lambda s, r: every([s.listed("keys", s.helo in known_by[a])
                             for a in s.authors])),
        ("raw body contains body-%s" % v, END, False,
         lambda s, r: truth(s.body == v)),
    ]


class Condition:
    def __init__(self, r, depth=0):
        kind = r.random() if depth < 2 else 1
        if kind < .55:
            a, b = Condition(r, depth + 1), Condition(r, depth + 1)
        if kind < .22:
            self.text = "(%s and %s)" % (a.text, b.text)
            self.at = lambda *of: both(a.at(*of), b.at(*of))
        elif kind < .44:
            self.text = "(%s or %s)" % (a.text, b.text)
            self.at = lambda *of: either(a.at(*of), b.at(*of))
        elif kind < .55:
            b = a
            self.text = "not (%s)" % a.text
            self.at = lambda *of: negated(a.at(*of))
        if kind < .55:
            self.last, self.rcpt = max(a.last, b.last), a.rcpt or b.rcpt
            return
        self.text, self.last, self.rcpt, holds = r.choice(
            comparisons(r.choice("pq")))
        self.at = lambda stage, s, rcpt: (
            LATER if stage < self.last or (self.rcpt and rcpt is None)
            else holds(s, rcpt))


# ---- rules ----

class Rule:
    def __init__(self, r, n):
        self.n = n
        self.shadow = r.random() < .1
        self.when = Condition(r)
        self.unless = [Condition(r) for _ in range(r.choice([0, 0, 0, 1, 2]))]
        self.on_error = r.choice([None, None, "skip", "tempfail", "reject"])
        notes = ['add header "N-%d" "1"' % n, "add rcpt add%d@z.example" % n,
                 "redirect red%d@z.example" % n, 'quarantine "q"']
        self.notes = r.sample(notes, r.choice([0, 0, 0, 1, 2]))
        ends = ["accept", "accept", "reject", "reject", "tempfail", "discard"]
        self.end = r.choice(ends + [None] * 4 if self.notes else ends)
        conditions = [self.when] + self.unless
        self.rcpt = any(c.rcpt for c in conditions)
        self.last = max(c.last for c in conditions)

    def may_stand_below(self, rules):
        """Else it is an error of the file."""
        if not self.rcpt:
            return True
        if self.last > RCPT and (self.end in REFUSALS or
                                 'quarantine "q"' in self.notes):
            return False
        return self.end not in REFUSALS or not any(
            u.last > RCPT and u.end not in (None, self.end) and not u.shadow
            for u in rules)

    def at(self, *of):
        t = self.when.at(*of)
        for c in self.unless:
            t = both(t, negated(c.at(*of)))
        return t

    def text(self):
        return "\n  ".join(
            ["%srule rule-%d" % ("shadow " if self.shadow else "", self.n),
             "if " + self.when.text] +
            ["unless " + c.text for c in self.unless] +
            (["on error " + self.on_error] if self.on_error else []) +
            self.notes + ([self.end] if self.end else []))


class Book:
    def __init__(self, r):
        self.first_refusal = r.choice(["connect", "connect", "mail", "rcpt"])
        self.on_error = r.choice(["tempfail", "tempfail", "reject", "skip"])
        self.rules = []
        wanted = r.randint(1, 6)
        while len(self.rules) < wanted:
            rule = Rule(r, len(self.rules))
            if rule.may_stand_below(self.rules):
                self.rules.append(rule)

    def text(self):
        return "set first-refusal %s\nset on-error %s\n%s%s\n" % (
            self.first_refusal, self.on_error, TABLES,
            "\n".join(u.text() for u in self.rules))

    def read(self, *of):
        """(verdict, rule), or None if nothing is certain yet."""
        may, later = set(), False
        for u in self.rules:
            t = u.at(*of)
            if u.shadow or t == NO:
                continue
            end = u.end
            if t == FAILED:
                end = u.on_error or self.on_error
            if t == LATER:
                later = True
                may.add(end)
            elif end not in (None, "skip"):
                return (end, u.n) if may <= {None, end} else None
        return None if later else ("accept", len(self.rules))

    def told_early(self, verdict, *of):
        """Is an accept told, and the rest of the message not seen?"""
        return (verdict is not None and verdict[0] == "accept" and
                verdict[1] < len(self.rules) and
                not self.rules[verdict[1]].notes and
                all(u.at(*of) == NO for u in self.rules[:verdict[1]]))

    def expect(self, s):
        """What vaglio is to do, as the expectations of a test."""
        of_all = None
        for stage in (CONNECT, HELO, MAIL):
            of_all = of_all or self.read(stage, s, None)
            if of_all and of_all[0] in REFUSALS and (
                    stage >= STAGES.index(self.first_refusal)):
                return ["%s by rule-%d at %s" % (*of_all, STAGES[stage])]
            if stage != HELO and self.told_early(of_all, stage, s, None):
                return (["accept by rule-%d" % of_all[1]] +
                        ["rcpt " + r for r in s.rcpts])
        lines, verdicts = [], {}
        for r in s.rcpts:
            v = of_all or self.read(RCPT, s, r)
            if v and v[0] in REFUSALS:
                lines.append("%s by rule-%d at rcpt for %s" % (*v, r))
            else:
                verdicts[r] = v
        s.left = list(verdicts)
        return lines + (self.expect_of_message(s, verdicts) if s.left else [])

    def expect_of_message(self, s, verdicts):
        for stage in (DATA, HEADERS, END):
            for r in s.left:
                # let in, and dropped, is what the whole reading says
                if stage == END and (verdicts[r] or ("",))[0] not in REFUSALS:
                    verdicts[r] = None
                verdicts[r] = verdicts[r] or self.read(stage, s, r)
            refusals = [v for v in verdicts.values() if v and v[0] in REFUSALS]
            if refusals:
                v = min(refusals, key=lambda v: v[1])
                return ["%s by rule-%d at %s" % (*v, STAGES[stage])]
        accepted = {r: v[1] for r, v in verdicts.items() if v[0] == "accept"}
        return self.changes(s, accepted) if accepted else ["discard"]

    def changes(self, s, accepted):
        goes_to, added, held, fields = {r: r for r in accepted}, [], False, []
        for u in self.rules:
            by = [r for r, end in accepted.items()
                  if u.n <= end and u.at(END, s, r) == YES and not u.shadow]
            for note in u.notes if by else []:
                word = note.split()[-1]
                if note.startswith("redirect"):
                    goes_to.update((r, word) for r in by)
                elif note.startswith("add rcpt"):
                    added.append(word)
                elif note.startswith("add header"):
                    fields.append(u.n)
                else:
                    held = True
        to = set(goes_to.values()) | set(added)
        all_rcpts = s.rcpts + ["%s%d@z.example" % (w, u.n)
                               for w in ("add", "red") for u in self.rules]
        return (["held" if held else "accept"] +
                [("rcpt " if r in to else "no rcpt ") + r for r in all_rcpts] +
                ['header "N-%d" "1"' % u.n if u.n in fields else
                 'no header "N-%d"' % u.n for u in self.rules])


def policy(seed):
    r = random.Random(seed)
    book = Book(r)
    text = book.text()
    for n in range(SESSIONS):
        s = Session(r)
        text += "\n  ".join(['test "%d"' % n] + s.text() +
                            ["expect " + e for e in book.expect(s)]) + "\n"
    return text


def main(first=0, seeds=40):
    vaglio, failed = os.environ.get("VAGLIO", "./vaglio"), 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "policy.conf")
        for seed in range(int(first), int(first) + int(seeds)):
            with open(path, "w", encoding="ascii") as f:
                f.write(policy(seed))
            r = subprocess.run([vaglio, "test", "-c", path], text=True,
                               stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
            if r.returncode != 0:
                failed += 1
                print("seed %d:\n%s\n%s" % (seed, policy(seed), r.stdout))
    print("%d policies, %d read otherwise" % (int(seeds), failed))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
