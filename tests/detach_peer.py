#!/usr/bin/env python3
"""Attachments taken out and replaced, read back by Python's email package:
what else was in the message is there as it was, byte for byte. Then the
hostile messages of tests/mime: none keeps an attachment that could go."""

import email
import email.policy
import glob
import os
import random
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from mime_peer import TOOL, tree  # noqa: E402

CHANGED = os.path.abspath("tests/changed")
SOURCE = os.path.join(os.environ.get("srcdir", "."), "tests", "mime")
MESSAGES = 60
FIELDS = 4900
SECONDS = 10  # of CPU; half of one under the sanitizers
ENDINGS = (".exe", ".js")
TEXT = "%s was here, grüße\n-- and\nFrom --b\n"
EMPTY = [b"Content-Type: text/plain; charset=us-ascii",
         b"Content-Transfer-Encoding: 7bit", b""]

POLICIES = {
    "remove": 'rule r\n  remove attachment matching /\\.(exe|js)$/i\n',
    "replace": 'rule r\n  replace attachment matching /\\.(exe|js)$/i with '
               '"${attachment} was here, grüße\\n-- and\\nFrom --b\\n"\n',
    "all": 'rule r\n  remove attachment\n',
}


class Peer:
    def __init__(self, folder):
        self.folder = folder
        self.passed = self.failed = 0
        for name, text in POLICIES.items():
            with open(os.path.join(folder, name + ".conf"), "w",
                      encoding="utf-8") as file:
                file.write(text)

    def say(self, good, what):
        self.passed += good
        self.failed += not good
        if not good:
            print("FAIL: " + what)

    def change(self, policy, paths):
        """What was said of each."""
        told = subprocess.run(
            [CHANGED, os.path.join(self.folder, policy + ".conf")] + paths,
            capture_output=True, check=False)
        self.say(told.returncode < 2 and not told.stderr,
                 "%s: %s" % (policy, told.stderr.decode("utf-8", "replace")))
        said = {}
        for line in told.stdout.decode("utf-8", "replace").split("\n"):
            path, _, words = line.partition(": ")
            said[path] = words
        return said


def read(path):
    with open(path, "rb") as file:
        return file.read()


def leaves(raw):
    for part in email.message_from_bytes(
            raw, policy=email.policy.default).walk():
        if part.is_multipart() or part.get_content_maintype() == "multipart":
            continue
        data = part.get_payload(decode=True)
        if data is None:
            data = str(part.get_payload()).encode("utf-8", "replace")
        yield part.get_content_type(), part.get_filename(), data


def is_meant(leaf, policy):
    kind, name, _ = leaf
    if policy == "all":
        return not kind.startswith("text/")
    return name is not None and name.endswith(ENDINGS)


def wanted(raw, policy):
    for leaf in leaves(raw):
        if not is_meant(leaf, policy):
            yield leaf
        elif policy == "replace":
            yield ("text/plain", None,
                   (TEXT % leaf[1]).replace("\n", "\r\n").encode())


def without_empty(them):
    return [leaf for leaf in them
            if leaf != ("text/plain", None, b"")]


def is_rest(after, before):
    """Lines left, and those of empty texts."""
    left = iter(before)
    return all(line in EMPTY or line in left for line in after)


def made(peer):
    paths = []
    for seed in range(MESSAGES):
        raw = tree(random.Random(1000 + seed), 4).as_bytes(
            policy=email.policy.SMTP)
        paths.append(os.path.join(peer.folder, "made-%d" % seed))
        with open(paths[-1], "wb") as file:
            file.write(raw)
    for policy in POLICIES:
        said = peer.change(policy, paths)
        for path in paths:
            before, after = read(path), read(path + ".out")
            what = "%s of %s" % (policy, os.path.basename(path))
            peer.say(path not in said, what + ": " + said.get(path, ""))
            gone = [leaf for leaf in leaves(before) if is_meant(leaf, policy)]
            peer.say(without_empty(leaves(after)) ==
                     without_empty(wanted(before, policy)), what)
            if not gone:
                peer.say(before == after, what + ": untouched")
            elif policy != "replace":
                peer.say(is_rest(after.split(b"\r\n\r\n", 1)[1].split(b"\r\n"),
                                 before.split(b"\r\n")), what + ": bytes")


def wide(peer):
    """A header of thousands of fields that all go."""
    other = b"".join(b"X-%d: x\r\n" % i for i in range(FIELDS))
    content = b"".join(b"Content-%d: x\r\n" % i for i in range(FIELDS))
    kept = b"Subject: s\r\n" + other
    path = os.path.join(peer.folder, "wide")
    with open(path, "wb") as file:
        file.write(kept + b"Content-Type: application/x; name=a.exe\r\n" +
                   content + b"\r\nx\r\n")
    begin = os.times().children_user
    peer.change("replace", [path])
    peer.say(os.times().children_user - begin < SECONDS,
             "a wide header takes long")
    peer.say(read(path + ".out").startswith(
        kept + b"Content-Type: text/plain"), "the header's other fields")
    peer.say(b"Content-1:" not in read(path + ".out"), "a field of content")


def hostile(peer):
    paths = []
    for path in sorted(glob.glob(os.path.join(SOURCE, "*.eml"))):
        paths.append(os.path.join(peer.folder, os.path.basename(path)))
        shutil.copyfile(path, paths[-1])
    peer.say(len(paths) > 80, "only %d messages" % len(paths))
    for policy in POLICIES:
        said = peer.change(policy, paths)
        for path in paths:
            what = "%s of %s" % (policy, os.path.basename(path))
            if not os.path.exists(path + ".out"):
                peer.say(path in said, what + ": nothing came out")
                continue
            list(leaves(read(path + ".out")))
            if policy == "all" and path not in said:
                told = subprocess.run([TOOL, path + ".out"], check=True,
                                      capture_output=True).stdout
                peer.say(b"\nattachment: " not in told, what + ":\n" +
                         told.decode("utf-8", "replace"))
            os.unlink(path + ".out")


def main():
    with tempfile.TemporaryDirectory() as folder:
        peer = Peer(folder)
        made(peer)
        wide(peer)
        hostile(peer)
    print("%d passed, %d failed" % (peer.passed, peer.failed))
    return peer.failed > 0


sys.exit(main())
