"""Texts put into mail by a filter beside a real MTA: what arrives has the
bytes that it should have, and another parser reads the same in it."""

import email
import email.policy
import html

from private import Failure, Visitor, queued
from scenes import fields, scene

POLICY = """
rule footer
  if auth
  append "-- \\nGr\u00fc\u00dfe von ${auth}" once
rule banner
  unless auth
  prepend body "From outside."
    in html "<p>From outside, by ${sender}.</p>"
rule tag
  unless auth
  rewrite header "Subject" /^(?!\\[ext\\])/ "[ext] "
"""

FOOTER = "-- \nGr\u00fc\u00dfe von alice"
ALICE = Visitor("198.51.100.20", None, "alice")
STRANGER = Visitor("198.51.100.7", "mail.example.net")

# Each: its header, its body as pieces; a pair is what was sent and what is to
# arrive. The fields that are to arrive in place of the header's own, or None.

PLAIN = ([b"Content-Type: text/plain; charset=iso-8859-1; format=flowed",
          b"Content-Transfer-Encoding: 8bit", b"MIME-Version: 1.0"],
         [b"J\xe4nner \r\n", (b"", b"\r\n-- \r\nGr\xfc\xdfe von alice\r\n")])

BARE = ([], [(b"hello = you\r\n",
              b"hello =3D you\r\n"
              b"=2D-=20\r\nGr=C3=BC=C3=9Fe von alice\r\n")])

LATIN = ([b"MIME-Version: 1.0",
          b"Content-Type: text/plain; charset=\"ISO-8859-1\"",
          b"Content-Transfer-Encoding: base64"],
         [(b"SuRubmVyDQo=\r\n",
           b"SuRubmVyDQotLSANCkdy/N9lIHZvbiBhbGljZQ0K\r\n")])

HTML = ([b"MIME-Version: 1.0", b"Content-Type: text/html; charset=us-ascii"],
        [b"<html><!-- </body> --><body><p>hello",
         (b"", b"\r\n<div>-- <br>\r\nGr&#252;&#223;e von alice</div>\r\n"),
         b"</body></html>\r\n"])

ALTERNATIVE = (
    [b"MIME-Version: 1.0",
     b"Content-Type: multipart/alternative; boundary=\"=_a\""],
    [b"For old readers.\r\n--=_a\r\n"
     b"Content-Type: text/plain; charset=utf-8\r\n"
     b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
     b"J=C3=A4nner=20",
     (b"", b"\r\n=2D-=20\r\nGr=C3=BC=C3=9Fe von alice"),
     b"\r\n--=_a\r\n"
     b"Content-Type: text/html; charset=utf-8\r\n"
     b"Content-Transfer-Encoding: 8bit\r\n\r\n"
     b"<body>J\xc3\xa4nner",
     (b"", b"\r\n<div>-- <br>\r\nGr\xc3\xbc\xc3\x9fe von alice</div>\r\n"),
     b"</body>\r\n--=_a--\r\nAnd an end.\r\n"])

MIXED = (
    [b"MIME-Version: 1.0", b"Content-Type: multipart/mixed;\r\n boundary=m"],
    [b"--m\r\n",
     (b"Content-Type: text/plain;\r\n\tcharset=US-ASCII; x=y\r\n"
      b"Content-Transfer-Encoding:  7bit\r\n\r\nhello",
      b"Content-Type: text/plain;\r\n\tcharset=utf-8; x=y\r\n"
      b"Content-Transfer-Encoding: quoted-printable\r\n\r\nhello\r\n"
      b"=2D-=20\r\nGr=C3=BC=C3=9Fe von alice"),
     b"\r\n--m\r\nContent-Type: text/plain; name=\"notes.txt\"\r\n\r\n"
     b"notes\r\n"
     b"--m\r\nContent-Type: application/octet-stream; name=a.bin\r\n"
     b"Content-Transfer-Encoding: base64\r\n\r\nAAEC\r\nAw==\r\n"
     b"--m\r\nContent-Type: message/rfc822\r\n\r\n"
     b"Subject: inner\r\n\r\ninner\r\n--m--\r\n"])

SIGNED = (
    [b"MIME-Version: 1.0", b"Content-Type: multipart/signed; boundary=s;"
     b" protocol=\"application/pgp-signature\"; micalg=pgp-sha256"],
    [b"--s\r\n\r\nsigned\r\n--s\r\n"
     b"Content-Type: application/pgp-signature\r\n\r\n"
     b"-----BEGIN PGP SIGNATURE-----\r\n--s--\r\n"])

REPLY = (
    [b"MIME-Version: 1.0", b"Content-Type: text/plain; charset=utf-8",
     b"Content-Transfer-Encoding: 8bit"],
    [b"No.\r\n> hello\r\n> -- \r\n> Gr\xc3\xbc\xc3\x9fe von\r\n> alice\r\n"])

OUTBOUND = {
    "plain": (PLAIN, None), "bare": (BARE, [
        b"MIME-Version: 1.0", b"Content-Transfer-Encoding: quoted-printable",
        b"Content-Type: text/plain; charset=utf-8"]),
    "latin": (LATIN, None),
    "html": (HTML, None), "alternative": (ALTERNATIVE, None),
    "mixed": (MIXED, None), "signed": (SIGNED, None), "reply": (REPLY, None),
}
LEFT_OUT = {"signed": "it is signed or encrypted: multipart/signed",
            "reply": "the text stands in it already"}


def piece(one, arrived):
    return one[arrived] if isinstance(one, tuple) else one


def raw(fields_, pieces, arrived):
    return b"\r\n".join([b"Subject: hello"] + fields_) + b"\r\n\r\n" + \
        b"".join(piece(one, arrived) for one in pieces)


def send(stage, visitor, data):
    """What arrives of it, without the MTA's own field; and its id."""
    before = len(stage.door.sink.mails)
    with stage.client(visitor) as client:
        stage.reply_is(client.say("MAIL FROM:<a@example.org> BODY=8BITMIME"),
                       "250 .*")
        stage.reply_is(client.say("RCPT TO:<u@example.com>"), "250 .*")
        stage.reply_is(client.say("DATA"), "354 .*")
        client.send(data)
        name = queued(client.say("."))
        stage.delivered([name])
    mail = stage.door.sink.wait(before + 1)[-1]
    received = mail.data.index(b"\r\nSubject: ") + 2
    return mail, mail.data[received:], name


def same_attachments(name, before, after):
    """By another parser."""
    old, new = [email.message_from_bytes(data, policy=email.policy.default)
                for data in (before, after)]
    for x, y in zip(old.walk(), new.walk()):
        if x.get_content_type() != y.get_content_type() or \
                x.get_filename() != y.get_filename():
            raise Failure("%s: %r became %r" % (name, x, y))
        if x.get_filename() is not None and \
                x.get_payload(decode=True) != y.get_payload(decode=True):
            raise Failure("%s: %r is another" % (name, x.get_filename()))
    if new.defects:
        raise Failure("%s: %r" % (name, new.defects))
    return new


def check_bytes(name, wanted, got):
    if got != wanted:
        raise Failure("%s: arrived as\n%r\nand should be\n%r"
                      % (name, got, wanted))


@scene(POLICY)
def footers(stage):
    """Below what goes out, in each form, but not below what is signed."""
    stage.vaglio.start()
    for name, ((header, pieces), new_header) in OUTBOUND.items():
        before = raw(header, pieces, 0)
        _, got, queue_id = send(stage, ALICE, before)
        check_bytes(name, raw(new_header or header, pieces, 1), got)
        message = same_attachments(name, before, got)
        log = [line for line in stage.vaglio.log().split("\n")
               if line.startswith(queue_id + ": accept:")]
        done = 'done="append%s"' % (
            " (left out: %s)" % LEFT_OUT[name] if name in LEFT_OUT else "")
        if len(log) != 1 or done not in log[0]:
            raise Failure("%s: logged is %r" % (name, log))
        if name in LEFT_OUT:
            continue
        for kind in ("plain", "html"):
            part = message.get_body((kind,))
            if part is None:
                continue
            text = part.get_content().replace("\r\n", "\n")
            if kind == "html":
                text = html.unescape(text.replace("<br>", ""))
            if text.count(FOOTER) != 1:
                raise Failure("%s: the %s text is %r" % (name, kind, text))


@scene(POLICY)
def banners(stage):
    """On top of what comes in; the subject is marked once."""
    stage.vaglio.start()
    before = raw(ALTERNATIVE[0], ALTERNATIVE[1], 0)
    _, got, _ = send(stage, STRANGER, before)
    wanted = before.replace(b"Subject: hello", b"Subject: [ext] hello")
    wanted = wanted.replace(b"\r\n\r\nJ=C3", b"\r\n\r\n=46rom outside.\r\nJ=C3")
    wanted = wanted.replace(b"<body>", b"<body>\r\n<p>From outside, by "
                            b"a@example.org.</p>\r\n")
    check_bytes("alternative", wanted, got)
    same_attachments("alternative", before, got)
    mail, _, _ = send(stage, STRANGER, got)
    if fields(mail, "Subject") != ["[ext] hello"]:
        raise Failure("the subject is %r" % fields(mail, "Subject"))
    _, got, _ = send(stage, STRANGER, raw(*SIGNED, 0))
    check_bytes("signed", raw(*SIGNED, 1).replace(b"hello", b"[ext] hello", 1),
                got)
