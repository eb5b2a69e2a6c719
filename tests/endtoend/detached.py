"""Attachments taken out and replaced beside a real MTA: every other byte
arrives as it was sent, and another parser finds the same in it."""

import email
import email.policy

from changes import STRANGER, check_bytes, raw, send
from private import Failure
from scenes import scene

POLICY = """
rule taken-out
  if sender.param "BODY" is 8BITMIME
  remove attachment matching /\\.exe$/i
rule chosen
  if header "X-Chosen"
  remove attachment where attachment.extension in { bat } and
    attachment.size < 1K
rule replaced
  replace attachment matching /\\.(js)$/
    with "${attachment} ($1, ${attachment.size} bytes) was taken out of \\"${subject}\\".\\n"
"""

SAID = (b"Content-Type: text/plain; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"gr=C3=BC=C3=9Fe.js (js, 4 bytes) was taken out of \"hello\".\r\n")

# Each: its header as it is sent, and as it arrives; its body as pieces; a
# pair is what was sent and what is to arrive. Then the files left.
LEFT_OUT = " (left out: it is signed or encrypted: multipart/signed)"
TYPE = b"Content-Type: multipart/mixed; boundary=\"=m\""

MIXED = (
    [TYPE, b"MIME-Version: 1.0"], None,
    [b"For old  readers.\r\n--=m\r\nContent-Type: text/plain;\r\n"
     b"\tcharset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
     b"J\xe4nner \r\n\r\n",
     (b"--=m  \r\nX-Own: 1\r\nContent-Type: application/octet-stream;\r\n"
      b" name=\"tool.EXE.\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
      b"QUJD\r\n", b""),
     b"--=m\r\nContent-type: application/pdf; name=a.pdf\r\n"
     b"Content-Transfer-Encoding: base64\r\n\r\nQU\r\nJD\r\n--=m\r\n",
     (b"Content-Disposition: attachment;\r\n"
      b" filename*=utf-8''gr%C3%BC%C3%9Fe.js\r\n\r\nABCD", SAID),
     b"\r\n--=m--\r\nAn end\r\n"], ["a.pdf"])

# A part goes with the line of the boundary before it.
FIRST = (
    [TYPE, b"MIME-Version: 1.0"], None,
    [(b"--=m\r\nContent-Type: application/x; name=tool.exe\r\n\r\nx\r\n",
      b""),
     b"--=m\r\n\r\nhello\r\n--=m--\r\n"], [])

LAST = (
    [TYPE, b"MIME-Version: 1.0"], None,
    [b"--=m\r\n",
     (b"Content-Type: application/x; name=tool.exe\r\n\r\nx",
      b"Content-Type: text/plain; charset=us-ascii\r\n"
      b"Content-Transfer-Encoding: 7bit\r\n\r\n"),
     b"\r\n--=m--\r\n"], [])

WHOLE = (
    [b"Content-Type: application/x; name=\"gr\xc3\xbc\xc3\x9fe.js\"",
     b"X-Kept: 1\r\n\tfolded", b"MIME-Version: 1.0",
     b"Content-Disposition: attachment"],
    [b"Content-Type: text/plain; charset=utf-8",
     b"X-Kept: 1\r\n\tfolded", b"MIME-Version: 1.0",
     b"Content-Transfer-Encoding: quoted-printable"],
    [(b"ABCD\r\n",
      SAID.split(b"\r\n\r\n", 1)[1].replace(b"4 bytes", b"6 bytes"))], [])

SIGNED = (
    [b"MIME-Version: 1.0", b"Content-Type: multipart/signed; boundary=s;"
     b" protocol=\"application/pgp-signature\"; micalg=pgp-sha256"], None,
    [b"--s\r\nContent-Type: application/x; name=tool.exe\r\n\r\nx\r\n--s\r\n"
     b"Content-Type: application/pgp-signature\r\n\r\n"
     b"-----BEGIN PGP SIGNATURE-----\r\n--s--\r\n"], ["tool.exe"])

CHOSEN = (
    [TYPE, b"MIME-Version: 1.0", b"X-Chosen: 1"], None,
    [b"--=m\r\n\r\nhello\r\n",
     (b"--=m\r\nContent-Type: application/x; name=a.bat\r\n\r\nx\r\n", b""),
     b"--=m\r\nContent-Type: application/x; name=b.bat\r\n\r\n" +
     64 * b"0123456789abcde\r\n" + b"--=m--\r\n"], ["b.bat"])

# What the log says was done.
DONE = {"mixed": "remove attachment tool.EXE; replace attachment grüße.js",
        "first": "remove attachment tool.exe",
        "last": "remove attachment tool.exe",
        "whole": "replace attachment grüße.js",
        "signed": "remove attachment" + LEFT_OUT,
        "chosen": "remove attachment a.bat"}

MESSAGES = {"mixed": MIXED, "first": FIRST, "last": LAST, "whole": WHOLE,
            "signed": SIGNED, "chosen": CHOSEN}


def files(data):
    message = email.message_from_bytes(data, policy=email.policy.default)
    if message.defects:
        raise Failure("%r" % message.defects)
    return [p.get_filename() for p in message.walk() if p.get_filename()]


@scene(POLICY)
def attachments_taken_out(stage):
    stage.vaglio.start()
    for name, (sent, arrived, pieces, left) in MESSAGES.items():
        before = raw(sent, pieces, False)
        _, after, queue_id = send(stage, STRANGER, before)
        wanted = raw(arrived or sent, pieces, True)
        if stage.mta.name == "sendmail":  # which writes the last mark anew
            wanted = wanted.replace(b"--=m-- \r\n", b"--=m--\r\n")
        check_bytes(name, wanted, after)
        if files(after) != left:
            raise Failure("%s: these are left: %r" % (name, files(after)))
        log = [line for line in stage.vaglio.log().split("\n")
               if line.startswith(queue_id + ": accept:")]
        done = 'done="%s"' % DONE[name]
        if len(log) != 1 or done not in log[0]:
            raise Failure("%s: logged is %r" % (name, log))
