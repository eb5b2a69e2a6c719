#!/usr/bin/env python3
"""Texts put into messages, read back by Python's email package: the text
stands in each part that is the message's own text and in no other; every
other part, preamble and epilogue has the bytes that it had. Only where the
text is replaced does other text that is shown go with it."""

import email
import email.policy
import os
import random
import subprocess
import sys
import tempfile
from email.message import EmailMessage

SRC = os.environ.get("srcdir", os.path.join(os.path.dirname(__file__), ".."))
TOOL = os.path.abspath("tests/change_tool")
TEXT = "-- \nGrüße & <mehr>\n--b\nEnd of the footer."
HTML = "-- <br>\nGrüße &amp; &lt;mehr&gt;<br>\n--b<br>\nEnd of the footer."
MESSAGES = 300
ACTIONS = ("append", "prepend", "replace")
HTML_TYPES = ("text/html", "text/x-amp-html")


# Python reads a comment in these fields as part of the word, and does not pass
# over the blanks behind a soft line end; nor does it know each charset.
READ_OTHERWISE = ("encoding-comment.eml", "type-blanks.eml",
                  "qp-soft-break-blanks.eml", "charset-ucs2.eml")

failed = passed = 0


def say(ok, what):
    global passed, failed
    passed += bool(ok)
    if not ok:
        failed += 1
        print("FAIL: " + what)


def change(folder, messages, *arguments):
    """What each of the messages, by name, becomes: (bytes, why left out)."""
    paths = [os.path.join(folder, name) for name in messages]
    for name, path in zip(messages, paths):
        with open(path, "wb") as file:
            file.write(messages[name])
    told = subprocess.run([TOOL, *arguments, *paths], capture_output=True,
                          check=False)
    say(told.returncode == 0, told.stderr.decode("utf-8", "replace"))
    result = {}
    for name, path in zip(messages, paths):
        with open(path + ".out", "rb") as out, \
                open(path + ".why", encoding="ascii") as why:
            result[name] = out.read(), why.read()
    return result


def with_crlf(raw):
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def read(raw):
    return email.message_from_bytes(raw, policy=email.policy.compat32)


def shape(message):
    """What must stay: of each part all but its text and how it is told."""
    parts = []
    for part in message.walk():
        fields = [(name, value) for name, value in part.items()
                  if name.lower() not in ("content-type", "mime-version",
                                          "content-transfer-encoding")]
        parts.append((part.get_content_type(), part.get_filename(), fields,
                      part.preamble, part.epilogue))
    return parts


def leaves(message):
    """Those of the message itself: not what is in an attached one."""
    if message.get_content_maintype() == "message":
        return
    if message.is_multipart():
        for part in message.get_payload():
            yield from leaves(part)
    else:
        yield message


def is_own(part):
    return part.get_content_type() in ("text/plain", *HTML_TYPES) and \
        part.get_filename() is None and \
        part.get_content_disposition() != "attachment"


def is_shown(part):
    return part.get_content_maintype() == "text" and \
        part.get_filename() is None and \
        part.get_content_disposition() != "attachment"


def own(message):
    """The parts that are the message's own text."""
    if message.get_content_maintype() == "message":
        return []
    if not message.is_multipart():
        return [message] if is_own(message) else []
    children = [own(part) for part in message.get_payload()]
    kind = message.get_content_subtype()
    if kind == "alternative":
        return [part for child in children for part in child]
    if kind == "related":
        return children[0]
    return next((child for child in children if child), [])


def unlabelled(raw):
    """Text in a charset that Python does not know."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def text_of(part):
    charset = part.get_content_charset() or "us-ascii"
    raw = part.get_payload(decode=True)
    try:
        text = raw.decode(charset, "replace")
    except LookupError:
        text = unlabelled(raw)
    return text.replace("\r\n", "\n")


def unescape(text):
    return text.replace("&#252;", "ü").replace("&#223;", "ß")


def check_part(what, action, before, after):
    """One of the message's own texts."""
    html = before.get_content_type() in HTML_TYPES
    old, new = text_of(before), text_of(after)
    wanted = HTML if html else TEXT
    if html:
        old, new = unescape(old), unescape(new)
    say(new.count(wanted) == old.count(wanted) * (action != "replace") + 1,
        "%s: it is not there once: %r" % (what, new))
    if "\ufffd" in old:
        return  # each guesses what it is
    if action == "append" and not html:
        say(new.startswith(old.rstrip("\n")) and
            new.rstrip("\n").endswith(wanted), what + ": not at the end")
    elif action == "prepend" and not html:
        say(new.lstrip("\ufeff").startswith(wanted) and
            new.rstrip("\n").endswith(old.lstrip("\ufeff").rstrip("\n")),
            what + ": not at the begin")
    elif action != "replace":
        kept = new.replace("<div>" + wanted + "</div>", "")
        say("".join(kept.split()) == "".join(old.split()),
            "%s: %r is not %r" % (what, kept, old))
    for line in after.get_payload().split("\n"):
        say(len(line) <= 998 or line in before.get_payload(),
            what + ": a line is too long")


def check_replaced(what, before, after):
    """Nothing is shown but the new text; what is attached is as it was."""
    mine = [id(part) for part in own(before)]
    old = [part for part in leaves(before)
           if id(part) in mine or not is_shown(part)]
    new = [part for part in leaves(after)
           if not is_shown(part) or part.get_payload().strip()]
    say(len(old) == len(new), what + ": other parts stay")
    for x, y in zip(old, new):
        if id(x) in mine:
            check_part(what, "replace", x, y)
        else:
            say(x.as_bytes() == y.as_bytes(), "%s: %s was changed" % (
                what, x.get_content_type()))
    return len(mine) > 0


def check(what, action, raw, changed, why):
    """One message, and whether it was changed."""
    before, after = read(with_crlf(raw)), read(changed)
    if why and not why.startswith("of text/"):
        say(with_crlf(raw).split(b"\r\n\r\n", 1)[1:] ==
            changed.split(b"\r\n\r\n", 1)[1:],
            what + ": left out, yet changed")
    if action != "replace" or why:
        say(shape(before) == shape(after), "%s: another shape" % what)
    if what.split(",")[0] in READ_OTHERWISE:
        return False
    if action == "replace" and not why:
        return check_replaced(what, before, after)
    old, new = list(leaves(before)), list(leaves(after))
    mine = [id(part) for part in own(before)]
    count = 0
    for x, y in zip(old, new):
        if x.as_bytes() == y.as_bytes():
            continue
        count += 1
        say(id(x) in mine, "%s: %s was changed" % (what,
                                                   x.get_content_type()))
        check_part(what, action, x, y)
    say(bool(why) or count == len(mine),
        "%s: %d of %d parts were changed" % (what, count, len(mine)))
    return count > 0


def check_all(folder, messages, action):
    changed = 0
    for name, result in change(folder, messages, action, TEXT, "-").items():
        changed += check("%s, %s" % (name, action), action, messages[name],
                         *result)
    return changed


# ---- messages that are made ----

WORDS = ["casino", "hello", "=", "==", "--b", "--===", "a.b", ".", "From",
         "<p>", "x" * 70, "&amp;", " ", "\t"]
LETTERS = {"us-ascii": [], "iso-8859-1": ["über", "straße"],
           "utf-8": ["über", "日本"], "iso-2022-jp": ["日本", "本<"],
           "shift_jis": ["表示", "ソ"], "koi8-r": ["привет"],
           "utf-16": ["über"], "utf-7": ["über+"], "windows-1252": ["€"]}


def words(chance, charset):
    lines = [" ".join(chance.choice(WORDS + LETTERS[charset] * 3)
                      for _ in range(chance.randint(0, 9)))
             for _ in range(chance.randint(0, 6))]
    return "\n".join(lines)


def html(chance, charset):
    inside = words(chance, charset).replace("<", "&lt;")
    return chance.choice([
        "<html><head><title>t</title></head><body class='a>b'>%s</body>"
        "</html>", "<!-- <body> --><p>%s</p>", "<BODY>%s</BODY ><!--</body>",
        "<!doctype html>\n<script>'</body>'</script>%s", "%s"]) % inside


def text_part(chance):
    charset = chance.choice(list(LETTERS))
    kind = chance.choice(["plain", "html"])
    text = (html if kind == "html" else words)(chance, charset)
    raw = text.replace("\n", "\r\n").encode(charset, "replace")
    part = EmailMessage()
    cte = chance.choice(["base64", "quoted-printable", "8bit", None])
    if charset == "utf-16":
        cte = "base64"
    elif cte is None and any(byte > 126 for byte in raw):
        cte = "8bit"
    part["Content-Type"] = "text/%s; charset=%s%s" % (
        kind, charset, chance.choice(["", '; x="a;charset=b"']))
    if cte:
        part["Content-Transfer-Encoding"] = cte
    payload = {"base64": email.base64mime.body_encode,
               "quoted-printable": lambda r: email.quoprimime.body_encode(
                   r.decode("latin-1").replace("\r\n", "\n"))}.get(
        cte, lambda r: r.decode("ascii", "surrogateescape"))(raw)
    part.set_payload(payload)
    return part


def leaf(chance):
    if chance.random() < .7:
        part = text_part(chance)
        if chance.random() < .2:
            part.add_header("Content-Disposition", "attachment")
        return part
    part = EmailMessage()
    part.set_content(bytes(chance.randrange(256) for _ in range(200)),
                     maintype="application", subtype="x-y", cte="base64",
                     filename="a.bin")
    return part


def tree(chance, depth):
    if depth == 0 or chance.random() < .3:
        return leaf(chance)
    part = EmailMessage()
    if chance.random() < .1:
        part["Content-Type"] = "message/rfc822"
        part.set_payload([tree(chance, depth - 1)])
        return part
    part["Content-Type"] = "multipart/" + chance.choice(
        ["mixed", "alternative", "related"])
    part.set_payload([])
    for _ in range(chance.randint(1, 3)):
        part.attach(tree(chance, depth - 1))
    return part


def main():
    folder = os.path.join(SRC, "tests", "mime")
    made, corpus, changed = {}, {}, 0
    for seed in range(MESSAGES):
        message = tree(random.Random(seed), 3)
        made["seed-%d" % seed] = message.as_bytes(policy=email.policy.compat32)
    for name in sorted(os.listdir(folder)):
        if name.endswith(".eml"):
            with open(os.path.join(folder, name), "rb") as file:
                corpus[name] = file.read()
    with tempfile.TemporaryDirectory() as work:
        for action in ACTIONS:
            changed += check_all(work, made, action)
            check_all(work, corpus, action)
    say(changed > MESSAGES, "only %d times was one changed" % changed)
    say(len(corpus) > 80, "the corpus is not there")
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


sys.exit(main())
