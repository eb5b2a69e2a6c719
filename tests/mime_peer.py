#!/usr/bin/env python3
"""Well-formed messages, made and read by Python's email package: the same
texts, types, names and sizes as the filter finds, and no defect."""

import email
import email.policy
import os
import random
import subprocess
import sys
import tempfile
from email.message import EmailMessage

TOOL = os.path.abspath("tests/mime_tool")
MESSAGES = 100
SUBJECTS = ("body", "part.type", "part.count", "attachment",
            "attachment.size", "mime.defect")
WORDS = ["casino", "über", "straße", "日本", "hello", "=", "==", "--b",
         "--===", "a.b", ".", "From", "x"]
NAMES = ["a.exe", "üb.js", "lönger " * 12 + ".pdf", 'q"uo\\te.pdf', "日本.doc"]


def text(chance):
    lines = [" ".join(chance.choice(WORDS)
                      for _ in range(chance.randint(0, 12)))
             for _ in range(chance.randint(1, 6))]
    return "\n".join(lines) + "\n"


def leaf(chance):
    part = EmailMessage()
    if chance.random() < .5:
        part.set_content(
            text(chance), subtype=chance.choice(["plain", "html"]),
            charset=chance.choice(["utf-8", "utf-16", "utf-7"]),
            cte=chance.choice(["base64", "quoted-printable"]))
    else:
        part.set_content(bytes(chance.randrange(256) for _ in
                               range(chance.randrange(300))),
                         maintype="application", subtype="x-y", cte="base64",
                         filename=chance.choice(NAMES))
    return part


def tree(chance, depth):
    if depth == 0 or chance.random() < .4:
        return leaf(chance)
    part = EmailMessage()
    part["Content-Type"] = "multipart/" + chance.choice(
        ["mixed", "alternative", "related"])
    part.set_payload([])
    for _ in range(chance.randint(1, 3)):
        part.attach(tree(chance, depth - 1))
    return part


def escape(value):
    return value.replace("\\", "\\\\").replace("\n", "\\n")


def wanted(raw):
    parts = list(email.message_from_bytes(
        raw, policy=email.policy.default).walk())
    texts = [p for p in parts if p.get_content_maintype() == "text"]
    files = [p for p in parts
             if p.get_content_maintype() not in ("text", "multipart")]
    for part in texts:
        body = part.get_payload(decode=True).decode(
            part.get_content_charset("utf-8"), "replace")
        yield "body: " + escape(body.replace("\r\n", "\n"))
    for part in parts:
        yield "part.type: " + part.get_content_type()
    yield "part.count: %d" % len(parts)
    for part in files:
        yield "attachment: " + escape(part.get_filename())
    for part in files:
        yield "attachment.size: %d" % len(part.get_payload(decode=True))


def found(path):
    told = subprocess.run([TOOL, path], capture_output=True, check=True)
    return [line for line in told.stdout.decode("utf-8").split("\n")
            if line.split(":")[0] in SUBJECTS]


def main():
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "message")
        for seed in range(MESSAGES):
            policy = email.policy.SMTP if seed % 2 else email.policy.default
            raw = tree(random.Random(seed), 4).as_bytes(policy=policy)
            with open(path, "wb") as file:
                file.write(raw)
            mine, theirs = found(path), list(wanted(raw))
            if mine != theirs:
                failed += 1
                print("FAIL: seed %d: %s" % (seed, sorted(
                    set(mine) ^ set(theirs))))
    print("%d passed, %d failed" % (MESSAGES - failed, failed))
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
