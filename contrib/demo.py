"""The mail of contrib/demo: real SMTP sessions and what became of them."""

import difflib
import os
import re
import shutil
import subprocess
import sys
import textwrap

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "tests", "endtoend"))

from nameserver import TXT, NameServer  # noqa: E402
from postfix import Postfix, postmap, why_not  # noqa: E402
from private import (Client, Door, Failure, Sink, Vaglio,  # noqa: E402
                     Workplace, plain, until)

POLICY = os.path.join(HERE, "policies", "example.conf")

OUTSIDE = "XCLIENT ADDR=198.51.100.7 NAME=mail.example.net"
ZONE = {
    "example.net": {TXT: ["v=spf1 ip4:198.51.100.0/24 -all"]},
    "bank.example": {TXT: ["v=spf1 ip4:203.0.113.0/24 -all"]},
    "example.com": {},
}
BLOCKED = "XCLIENT ADDR=192.0.2.66 NAME=spam.example.com"


def mail(sender, rcpts, header, body="Hello."):
    return (["MAIL FROM:<%s>" % sender]
            + ["RCPT TO:<%s>" % r for r in rcpts]
            + ["DATA", header + "\n\n" + body])


SCRIPT = """--b
Content-Type: text/plain

The invoice is attached.
--b
Content-Type: application/javascript; name="invoice.js"

alert("pay")
--b--"""

# What it is, and what is said. A line after DATA is the message.
SESSIONS = [
    ("ordinary mail from outside",
     [OUTSIDE, "EHLO mail.example.net"]
     + mail("pat@example.net", ["alice@example.org"],
            "From: Pat <pat@example.net>\nSubject: lunch?")),
    ("SPF allows the sender",
     [OUTSIDE, "EHLO mail.example.net"]
     + mail("pat@example.net", ["bob@example.org"],
            "Authentication-Results: mx.gate.example; dkim=pass\n"
            "From: Pat <pat@example.net>\nSubject: stamped")),
    ("SPF does not allow the sender",
     [OUTSIDE, "EHLO mail.example.net", "MAIL FROM:<pay@bank.example>",
      "RCPT TO:<alice@example.org>"]),
    ("a stranger tries to relay",
     [OUTSIDE, "EHLO mail.example.net", "MAIL FROM:<pat@example.net>",
      "RCPT TO:<someone@example.com>"]),
    ("a bad HELO",
     [OUTSIDE, "EHLO localhost", "MAIL FROM:<pat@example.net>",
      "RCPT TO:<alice@example.org>"]),
    ("login alice forges her boss",
     ["EHLO laptop", "AUTH alice", "MAIL FROM:<boss@example.org>"]),
    ("login alice, a second From",
     ["EHLO laptop", "AUTH alice"]
     + mail("alice@example.org", ["someone@example.com"],
            "From: Alice <alice@example.org>, Boss <boss@example.org>")),
    ("login alice as her alias",
     ["EHLO laptop", "AUTH alice"]
     + mail("sales@example.org", ["someone@example.com"],
            "From: Sales <sales@example.org>\n"
            "X-Originating-IP: 10.1.2.3\n"
            "Organization: my kitchen\n"
            "Subject: our offer",
            "Dear customer,\n\nthis is our offer.")),
    ("login bob to five, though three are the limit",
     ["EHLO laptop", "AUTH bob"]
     + mail("bob@example.org",
            ["%s@example.com" % name for name in ("a", "b", "c", "d", "e")],
            "From: Bob <bob@example.org>\nSubject: buy now")),
    ("our address written from outside",
     [OUTSIDE, "EHLO mail.example.net"]
     + mail("pat@example.net", ["alice@example.org"],
            "From: Boss <boss@example.org>\nSubject: urgent")),
    ("an encoded subject",
     [OUTSIDE, "EHLO mail.example.net"]
     + mail("pat@example.net", ["alice@example.org"],
            "From: pat@example.net\n"
            "Subject: =?utf-8?b?WW91IGhhdmUgd29u?= 1,000,000")),
    ("two recipients, one not ours",
     [OUTSIDE, "EHLO mail.example.net"]
     + mail("pat@example.net", ["x@example.com", "bob@example.org"],
            "From: pat@example.net\nSubject: for bob")),
    ("a blocked client, to two",
     [BLOCKED, "EHLO spam.example.com"]
     + mail("s@example.com", ["bob@example.org", "abuse@example.org"],
            "From: s@example.com\nSubject: why are we blocked?")),
    ("a doubtful invoice",
     [OUTSIDE, "EHLO mail.example.net"]
     + mail("pat@example.net", ["alice@example.org"],
            "From: Bank <billing@example.com>\nSubject: Invoice 4711")),
    ("a script comes along",
     [OUTSIDE, "EHLO mail.example.net"]
     + mail("pat@example.net", ["alice@example.org"],
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n"
            "From: pat@example.net\nSubject: what you owe", SCRIPT)),
    ("to somebody who has moved",
     [OUTSIDE, "EHLO mail.example.net"]
     + mail("pat@example.net", ["carol@example.org"],
            "From: pat@example.net\nSubject: still there?")),
    ("to noreply",
     [OUTSIDE, "EHLO mail.example.net"]
     + mail("pat@example.net", ["noreply@example.org"],
            "From: pat@example.net\nSubject: hello?")),
]

SHOWN = ("login alice as her alias", "SPF allows the sender",
         "a script comes along")


class Session:
    """One session: what was said last, and each reply worth telling."""

    def __init__(self, what, lines):
        self.what, self.lines = what, lines
        self.told = []  # (sent, reply)
        self.ids = []

    def run(self, port):
        with Client(port) as client:
            client.reply()
            for n, line in enumerate(self.lines):
                if n and self.lines[n - 1] == "DATA":
                    if self.told[-1][1][:1] == "3":
                        self.send_message(client, line)
                elif not self.say(client, line):
                    break
            client.say("QUIT")

    def say(self, client, line):
        sent = line
        if line.startswith("AUTH "):
            sent = "AUTH PLAIN " + plain(line[5:])
        reply = client.say(sent)
        if line[:4] in ("MAIL", "RCPT", "DATA"):
            self.told.append((line, reply))
        # A recipient refused is not the end of the session.
        return reply[:1] in "23" or line.startswith("RCPT")

    def send_message(self, client, text):
        client.send(text.replace("\n", "\r\n").encode() + b"\r\n")
        reply = client.say(".")
        shown = [l for l in text.split("\n\n")[0].split("\n")
                 if l.startswith(("From: ", "Subject: "))]
        self.told.append(("; ".join(shown), reply))
        if reply[:1] == "2":
            self.ids.append(reply.split()[-1])

    def worth_telling(self):
        """What was refused, and the last thing said."""
        bad = [t for t in self.told if t[1][:1] in "45"
               and not t[1].startswith("554 5.5.1")]
        last = self.told[-1]
        return bad + ([last] if last[1][:1] == "2" else [])


class Line:
    """One line of vaglio's log."""

    def __init__(self, line):
        m = re.match(r"(\S+): ([a-z]+): (.*)", line)
        self.id, self.verdict, rest = m.groups() if m else ("", "", "")
        self.text = line

        def field(pattern):
            found = re.search(r"\b" + pattern, rest)
            return found[1] if found else ""
        self.rule, self.shadow = field(r"rule=(\S+)"), field(r"shadow=(\S+)")
        self.reply, self.done = field('reply="([^"]*)"'), field('done="([^"]*)')


def decided(log, reply):
    """What vaglio's log says of a reply, in words."""
    taken = re.search(r"queued as (\S+)", reply)
    for line in map(Line, log.split("\n")):
        if line.shadow or line.verdict not in (
                ("accept", "held", "discard") if taken
                else ("reject", "tempfail")):
            continue
        if (line.id == taken[1]) if taken else (line.reply == reply):
            words = line.verdict if line.rule else "let in"
            if line.rule:
                words += " by " + line.rule
            return words + (": " + line.done if line.done else "")
    return "?"


def fold(text, indent, more):
    print(textwrap.fill(text, 79, initial_indent=indent,
                        subsequent_indent=more, break_on_hyphens=False,
                        break_long_words=False))


def show_log(log):
    """A line of each kind."""
    seen = set()
    lines = [Line(l) for l in log.split("\n")]
    for line in lines:
        if line.verdict and line.verdict not in seen:
            seen.add(line.verdict)
            fold(line.text, "", "    ")
    print("\n(%d lines in all, which are not folded there)" % len(lines))


EXPLAIN = ("--auth", "alice", "--sender", "boss@example.org",
           "--rcpt", "someone@example.com")

NEXT = """
To go on: the policy is contrib/policies/example.conf. Change it, and ask
    build-demo/vaglio check -c contrib/policies/example.conf
    build-demo/vaglio explain -c contrib/policies/example.conf --help
README.md says how to put vaglio beside your own Postfix or Sendmail."""


def settle(session, postfix):
    for i in session.ids:
        until("message %s to leave the queue" % i,
              lambda i=i: postfix.where(i) in (None, "hold"))


def show_change(session, door):
    """What was sent and what arrived of it."""
    sent = [l + "\n" for l in session.lines if l[:4] in ("MAIL", "RCPT")]
    sent += ["\n"] + [l + "\n" for l in session.lines[-1].split("\n")]
    mark = session.lines[-1].split("Subject: ")[1].split("\n")[0]
    for m in door.sink.mails:
        if mark.encode() in m.data:
            got = b"\n".join(m.envelope + [b"", m.data])
            got = got.decode("utf-8", "replace").replace("\r\n", "\n")
            print("".join(difflib.unified_diff(
                sent, got.splitlines(True), "sent", "arrived", n=20)))


def play(work, binary):
    with open(POLICY) as f:
        policy = f.read()
    names = NameServer(ZONE)
    post = Sink()  # where postmaster's mail goes
    policy += ('set dns "%s"\nset limits memory\n'
               'set notify-server "127.0.0.1:%d"\n'
               % (names.address, post.port))
    policy = policy.replace("200 recipients", "3 recipients")
    # Postfix's own way to keep a map.
    policy = policy.replace('file "moved"', 'lmdb "moved"')
    vaglio = Vaglio(work, binary, os.path.join(work.top, "vaglio"), policy)
    for name in ("domains", "logins", "moved", "blocked", "footer"):
        shutil.copy(os.path.join(HERE, "policies", name), vaglio.folder)
    postmap("lmdb", os.path.join(vaglio.folder, "moved"))
    door = Door("demo", vaglio.milter,
                ["mynetworks = 0.0.0.0/0"])
    postfix = Postfix(work, [door])
    vaglio.start("-p", vaglio.milter, "-u", "nobody:postfix")
    print("Postfix on 127.0.0.1:%d, vaglio on %s,\npolicy %s,\n"
          "who has moved is in a map that postmap made,\n"
          "a login may send to three recipients an hour.\n\n"
          "What the client says (C), what it hears (S), and what decided it:"
          "\n" % (door.port, vaglio.milter, "contrib/policies/example.conf"))
    sessions = [Session(*s) for s in SESSIONS]
    for s in sessions:
        s.run(door.port)
        settle(s, postfix)
        log = vaglio.log()
        for n, (said, reply) in enumerate(s.worth_telling()):
            if n == 0:
                print(s.what)
            fold(said, "    C: ", "       ")
            fold(reply, "    S: ", "       ")
            fold(decided(log, reply), "       = ", "         ")
    post.wait(1)
    vaglio.stop()
    postfix.stop()
    print("\nWhy may alice not send as her boss? vaglio explain says:\n")
    said = subprocess.run([binary, "explain", "-c", vaglio.path, *EXPLAIN],
                          check=False, capture_output=True, text=True).stdout
    # What is not known yet at a stage is told at a later one.
    for line in said.splitlines():
        if "  later  " not in line:
            fold(line, "", " " * 35)
    for what in SHOWN:
        print("\n%s, as it was sent and as it arrived:\n" % what)
        show_change([s for s in sessions if s.what == what][0], door)
    print("what postmaster is told of login bob:\n")
    for m in post.wait(1):
        print(m.data.decode().replace("\r\n", "\n"))
    print("vaglio's log, a line of each kind:\n")
    show_log(vaglio.log())
    print(NEXT)


def main():
    reason = why_not()
    if reason:
        print("demo: " + reason)
        return 1
    try:
        with Workplace("demo") as work:
            play(work, os.environ["VAGLIO"])
    except Failure as e:
        print("demo: %s" % e)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
