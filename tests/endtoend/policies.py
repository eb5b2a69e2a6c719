"""The policies that come with vaglio, as they are, beside a real MTA."""

import os
import re
import shutil

from nameserver import A, TXT, NameServer
from postfix import postmap
from private import Failure, Sink, Visitor
from scenes import fields, scene, unfolded

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "..", "..", "contrib", "policies")

STRANGER = Visitor("198.51.100.7", "mail.example.net")
ANYBODY = ("mynetworks = 0.0.0.0/0, [::]/0",)
OUTBOUND = ANYBODY + ("milter_macro_daemon_name = ORIGINATING",)
SUBMISSION = ("Name=ORIGINATING",)


def login(name):
    return Visitor("198.51.100.20", None, name)


def text(name):
    with open(os.path.join(FOLDER, name), encoding="utf-8") as f:
        return f.read()


def start(stage):
    """With the tables beside it, on the test's socket."""
    for name in os.listdir(FOLDER):
        if not name.endswith(".conf"):
            shutil.copy(os.path.join(FOLDER, name), stage.vaglio.folder)
    stage.vaglio.start("-p", stage.vaglio.milter, "-u", "nobody:postfix")


def say(stage, visitor, *lines, helo="mail.example.net"):
    """The reply to each line of a session; a list is a message."""
    with stage.client(visitor, helo) as client:
        said = []
        for line in lines:
            if isinstance(line, str):
                said.append(client.say(line))
                continue
            said.append(client.say("DATA"))
            if said[-1][:1] == "3":
                client.send("\r\n".join(line).encode() + b"\r\n")
                said[-1] = client.say(".")
        return said


def expect(stage, visitor, wanted, helo="mail.example.net"):
    """wanted: (line, the begin of its reply)."""
    said = say(stage, visitor, *[line for line, _ in wanted], helo=helo)
    for (line, begin), reply in zip(wanted, said):
        if not reply.startswith(begin):
            raise Failure("to %r it should say %r, and says %r"
                          % (line, begin, reply))


def message(sender, *header):
    return ["From: " + sender, "Subject: hello", *header, "", "hello"]


def arrived(stage, n):
    mails = stage.door.sink.wait(n)
    if len(mails) != n:
        raise Failure("%d messages arrived, not %d" % (len(mails), n))
    return mails


def relay_of(stage):
    """Strangers, logins, delegates, closed addresses."""
    expect(stage, STRANGER, [
        ("MAIL FROM:<a@example.net>", "250 "),
        ("RCPT TO:<b@example.com>", "550 5.7.1 "),
        ("RCPT TO:<scanner@example.org>", "550 5.7.1 "),
        ("RCPT TO:<board@example.org>", "550 5.7.1 "),
        ("RCPT TO:<b%example.com@example.org>", "550 5.1.3 "),
        ("RCPT TO:<alice@example.org>", "250 "),
        (message("a@example.net"), "250 ")])
    expect(stage, login("alice"), [
        ("MAIL FROM:<boss@example.org>", "553 5.7.1 "),
        ("MAIL FROM:<bob@example.org>", "553 5.7.1 "),
        ("MAIL FROM:<ALICE+news@Example.ORG>", "250 "),
        ("RCPT TO:<b@example.com>", "250 "),
        (message("bob@example.org"), "553 5.7.1 alice may not write as bob@"),
        ("MAIL FROM:<alice@example.org>", "250 "),
        ("RCPT TO:<b@example.com>", "250 "),
        (message("boss@example.org"), "553 5.7.1 who writes for boss@"),
        ("MAIL FROM:<alice@example.org>", "250 "),
        ("RCPT TO:<b@example.com>", "250 "),
        (message("boss@example.org", "Sender: alice@example.org"), "250 "),
        ("MAIL FROM:<>", "250 "),
        ("RCPT TO:<b@example.com>", "250 "),
        (message("alice@example.org"), "553 5.7.1 alice may send reports "),
    ])
    expect(stage, login("listmaster"), [
        ("MAIL FROM:<any@lists.example.org>", "250 "),
        ("RSET", "250 "),
        ("MAIL FROM:<any@example.org>", "553 5.7.1 ")])
    arrived(stage, 2)


@scene(text("relay.conf"), postfix=ANYBODY)
def policy_relay(stage):
    start(stage)
    relay_of(stage)
    expect(stage, login("shop"), [
        ("MAIL FROM:<app-17@example.org>", "250 "),
        ("RSET", "250 "),
        ("MAIL FROM:<app-x@example.org>", "553 5.7.1 ")])


def sender_map(stage, kind, name):
    """The same with what postmap makes, where Postfix would have it."""
    path = os.path.join(stage.vaglio.folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(l for l in text("senders").splitlines(True)
                     if not l.startswith("/"))
    postmap(kind, path)
    os.unlink(path)
    stage.vaglio.write(text("relay.conf").replace(
        'table <senders>   file "senders"',
        'table <senders>   %s "%s"' % (kind, path)))
    start(stage)
    relay_of(stage)


@scene(text("relay.conf"), postfix=ANYBODY)
def policy_relay_with_lmdb(stage):
    sender_map(stage, "lmdb", "sender_logins")


@scene(text("relay.conf"), postfix=ANYBODY)
def policy_relay_with_cdb(stage):
    sender_map(stage, "cdb", "sender_logins")


@scene(text("outbound.conf"), postfix=OUTBOUND, sendmail=SUBMISSION)
def policy_outbound(stage):
    """What goes out is cleaned, and says who sent it; not too much does."""
    post = Sink()
    stage.vaglio.write(
        re.sub("(?m)^set limits .*", "set limits memory",
               text("outbound.conf").replace("200 recipients", "3 recipients"))
        + 'set notify-server "127.0.0.1:%d"\n' % post.port)
    start(stage)
    enough = "451 4.7.1 too many recipients for bob, try later"
    expect(stage, login("bob"), [
        ("MAIL FROM:<bob@example.org>", "250 ")] + [
        ("RCPT TO:<%s@example.com>" % name, reply) for name, reply in (
            ("a", "250 "), ("b", "250 "), ("c", "250 "), ("d", enough))] + [
        (message("bob@example.org"), "250 "),
        ("MAIL FROM:<bob@example.org>", "250 "),
        ("RCPT TO:<e@example.com>", enough)])
    note = post.wait(1)[0]
    if b"RCPT TO:<postmaster@example.org>" not in note.envelope or \
            b"stolen-password" not in note.data or b"bob" not in note.data:
        raise Failure("postmaster was told %r" % note.data)
    expect(stage, STRANGER, [("MAIL FROM:<alice@example.org>", "530 5.7.0 ")])
    expect(stage, login("alice"), [
        ("MAIL FROM:<root@db1.intern.example.org>", "250 "),
        ("RCPT TO:<b@example.com>", "250 "),
        (message("Database <root@db1.intern.example.org>",
                 "Received: from laptop ([10.1.2.3]) by mx.lan.example.org;"
                 " Mon, 23 Nov 2026 12:00:00 +0000",
                 "X-Originating-IP: [10.1.2.3]", "User-Agent: pen",
                 "X-Authenticated-As: boss"), "250 "),
        ("MAIL FROM:<alice@example.org>", "250 "),
        ("RCPT TO:<b@example.com>", "250 "),
        (message("alice@example.org, bob@example.org"), "550 5.6.0 one "),
        ("MAIL FROM:<alice@example.org>", "250 "),
        ("RCPT TO:<b@example.com>", "250 "),
        (message("alice@example.net"), "550 5.6.0 From: has no ")])
    mail = [m for m in arrived(stage, 2) if b"Database" in m.data][0]
    for name, values in (("From", ["Database <root@example.org>"]),
                         ("X-Authenticated-As", ["alice"]),
                         ("Organization", ["Example, Inc."]),
                         ("User-Agent", []), ("X-Originating-IP", [])):
        if fields(mail, name) != values:
            raise Failure("%s is %r" % (name, fields(mail, name)))
    if not mail.envelope[0].startswith(b"MAIL FROM:<root@example.org>"):
        raise Failure("the sender is %r" % mail.envelope[0])
    if b"\r\nhello\r\n-- \r\nExample, Inc. - " not in mail.data:
        raise Failure("there is no footer: %r" % mail.data)
    if b"10.1.2.3" in mail.data:
        raise Failure("the way is shown: %r" % mail.data)
    expect(stage, login("alice"), [
        ("MAIL FROM:<alice@example.org>", "250 "),
        ("RCPT TO:<bob@example.org>", "250 "),
        (["From: alice@example.org", "Subject: Re: [external] inside", "",
          "hello"], "250 ")])
    mail = [m for m in arrived(stage, 3) if b"inside" in m.data][0]
    if b"Example, Inc. - " in mail.data:
        raise Failure("inside there is a footer: %r" % mail.data)
    if fields(mail, "Subject") != ["Re: inside"]:
        raise Failure("the mark is still there: %r" % mail.data)


ZONE = {
    "mail.example.net": {A: ["198.51.100.7"]},
    "example.net": {TXT: ["v=spf1 ip4:198.51.100.0/24 -all"]},
    "example.com": {TXT: ["v=spf1 ip4:203.0.113.0/24 -all"]},
    "example.org": {TXT: ["v=spf1 ip4:198.51.100.8 -all"]},
    "9.100.51.198.zen.spamhaus.org": {A: ["127.0.0.2"], TXT: ["seen here"]},
}
TO_ALICE = ("RCPT TO:<alice@example.org>", "250 ")


@scene(text("inbound.conf"), postfix=ANYBODY)
def policy_inbound(stage):
    """Clients, senders, authors and attachments; what comes in is marked."""
    server = NameServer(ZONE)
    stage.vaglio.write(text("inbound.conf")
                       + 'set dns "%s"\n' % server.address)
    start(stage)
    expect(stage, Visitor("192.0.2.66", "a.example.com"), [
        ("MAIL FROM:<a@example.net>", "250 "),
        ("RCPT TO:<alice@example.org>", "554 5.7.1 192.0.2.66 is blocked"),
        ("RCPT TO:<abuse@example.org>", "250 ")])
    expect(stage, Visitor("198.51.100.9", "b.example.com"), [
        ("MAIL FROM:<a@example.net>", "250 "),
        ("RCPT TO:<alice@example.org>",
         "554 5.7.1 198.51.100.9 is listed: seen here")])
    for helo in ("localhost", "laptop", "example.org"):
        expect(stage, STRANGER, [
            ("MAIL FROM:<a@example.net>", "250 "),
            ("RCPT TO:<alice@example.org>",
             "550 5.7.1 %s is not your name" % helo)], helo=helo)
    expect(stage, STRANGER, [
        ("MAIL FROM:<bob@example.org>", "250 "),
        ("RCPT TO:<alice@example.org>",
         "550 5.7.1 mail of example.org does not come from"),
        ("RSET", "250 "),
        ("MAIL FROM:<pay@example.com>", "250 "),
        ("RCPT TO:<alice@example.org>", "550 5.7.23 "),
        ("RSET", "250 "),
        ("MAIL FROM:<a@example.net>", "250 "), TO_ALICE,
        (message("Boss <boss@example.org>"), "550 5.7.1 mail from boss@"),
        ("MAIL FROM:<a@example.net>", "250 "), TO_ALICE,
        (message("=?utf-8?q?Anna=20Rossi?= <anna@example.net>"),
         "550 5.7.1 Anna Rossi does not write from anna@example.net"),
        ("MAIL FROM:<a@example.net>", "250 "), TO_ALICE,
        (message("=?utf-8?q?=D0=90nna_Rossi?= <a@example.net>"),
         "550 5.7.1 ?nna Rossi does not write from a@example.net"),
        ("MAIL FROM:<a@example.net>", "250 "), TO_ALICE,
        (message("Boss <boss@examp1e.org>"),
         "550 5.7.1 examp1e.org is not ours"),
        ("MAIL FROM:<a@example.net>", "250 "), TO_ALICE,
        (message("a@example.net", "Content-Type: application/zip;"
                 " name*=utf-8''invoice%2Eexe"),
         "550 5.7.1 attachment invoice.exe "),
        ("MAIL FROM:<a@example.net>", "250 "), TO_ALICE,
        (text("program.eml").rstrip("\n").split("\n"),
         "550 5.7.1 attachment report.pdf is a program"),
        ("MAIL FROM:<a@example.net>", "250 "), TO_ALICE,
        (text("archive.eml").rstrip("\n").split("\n"),
         "550 5.7.1 attachment papers/invoice.pdf.exe "),
        ("MAIL FROM:<a@example.net>", "250 "), TO_ALICE,
        (message("a@example.net", "Authentication-Results: mx.gate.example;"
                 " spf=pass", "X-External: no"), "250 ")])
    header = unfolded(arrived(stage, 1)[0])
    results = [h for h in header if h.startswith("Authentication-")]
    if results != ["Authentication-Results: mx.gate.example; spf=pass"
                   " smtp.mailfrom=a@example.net"] or \
            "Subject: [external] hello" not in header or \
            "X-External: yes" not in header or "X-External: no" in header:
        raise Failure("what arrived is %r" % header)
