#!/usr/bin/env python3
"""What `stamp authentication-results` and `stamp received-spf` write of hostile
senders and HELOs, read back by another's parser (python3-authres) and by the
grammar of RFC 7208 9.1: each field says what vaglio found, and no more."""

import json
import re
import subprocess
import sys
import tempfile

try:
    import authres
except ImportError:
    print("python3-authres is not installed")
    sys.exit(77)

POLICY = """
set authserv-id "mx.example.org"
rule both
  if spf.helo
  stamp received-spf
  stamp authentication-results
"""

ZONE = """
pass.example 60 TXT "v=spf1 ip4:192.0.2.1 -all"
fail.example 60 TXT "v=spf1 -all"
soft.example 60 TXT "v=spf1 ~all"
open.example 60 TXT "v=spf1 ip4:192.0.2.9"
odd_.example 60 TXT "v=spf1 +all"
bad.example 60 TXT "v=spf1 \\";spf=pass(:x -all"
"""

SENDERS = {
    "": None,
    "a@pass.example": ("pass", "a@pass.example"),
    "a@fail.example": ("fail", "a@fail.example"),
    "a@soft.example": ("softfail", "a@soft.example"),
    "a@open.example": ("neutral", "a@open.example"),
    "a@none.example": ("none", "a@none.example"),
    "a@odd_.example": ("pass", "a@odd_.example"),
    "a@bad.example": ("permerror", "a@bad.example"),
    "a+b=c@fail.example": ("fail", "a+b=c@fail.example"),
    "spf=pass@fail.example": ("fail", "fail.example"),
    '"; spf=pass"@fail.example': ("fail", "fail.example"),
    '"a b"@fail.example': ("fail", '"a b"@fail.example'),
    '"a\\"b"@fail.example': ("fail", '"a\\"b"@fail.example'),
    '"(a"@fail.example': ("fail", '"(a"@fail.example'),
    "ü@fail.example": ("fail", "fail.example"),
    "a@[192.0.2.1]": ("none", "a@[192.0.2.1]"),
}

HELOS = {
    "pass.example": ("pass", "pass.example"),
    "FAIL.example.": ("fail", "FAIL.example."),
    "[192.0.2.1]": ("none", "[192.0.2.1]"),
    "a; spf=pass smtp.mailfrom=b": ("none", "a; spf?pass smtp.mailfrom?b"),
    'a"; spf=fail': ("none", 'a"; spf=fail'),
    "a\\": ("none", "a\\"),
    "(": ("none", "("),
    "a)(b": ("none", "a)(b"),
    "=?utf-8?q?x?=": ("none", "??utf-8?q?x??"),
    "x" * 600 + ".example": ("none", "x" * 252 + "..."),
}

ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]"
QUOTED = r'"(?:[ !#-\[\]-~]|\\[ -~])*"'
PAIR = r"([a-z-]+)=(%s+(?:\.%s+)*|%s)" % (ATEXT, ATEXT, QUOTED)
RECEIVED_SPF = re.compile(
    r"(pass|fail|softfail|neutral|none|temperror|permerror) "
    r"\((?:[ !-'*-\[\]-~]|\\[ -~])*\)((?: %s;)*)" % PAIR)

failed = passed = 0


def say(ok, what):
    global passed, failed
    passed += bool(ok)
    if not ok:
        failed += 1
        print("FAIL: " + what)


def explain(folder, sender, helo):
    done = subprocess.run(
        ["./vaglio", "explain", "--json", "-c", folder + "/p.conf", "--zone",
         folder + "/zone", "--client", "192.0.2.1", "--helo=" + helo,
         "--sender=" + sender, "--rcpt", "b@example.com", "-"],
        input=b"Subject: x\n\nhello\n", stdout=subprocess.PIPE, check=False)
    return [(c["name"], c["value"]) for c in json.loads(done.stdout)["changes"]]


def plain(value):
    """Without the backslashes, which this parser leaves in."""
    return re.sub(r"\\(.)", r"\1", value)


def read_results(value):
    field = authres.AuthenticationResultsHeader.parse(
        "Authentication-Results: " + value)
    return field.authserv_id, [
        (r.method, r.result, [(p.type, p.name, plain(p.value))
                              for p in r.properties]) for r in field.results]


def try_one(folder, sender, helo):
    what = "<%s> %s: " % (sender, helo[:40])
    fields = explain(folder, sender, helo)
    values = [v for name, v in fields if name == "Authentication-Results"]
    mail = SENDERS[sender]
    said, shown = HELOS[helo]
    want = [("spf", said, [("smtp", "helo", shown)])]
    if mail:
        want.insert(0, ("spf", mail[0], [("smtp", "mailfrom", mail[1])]))
    say(len(values) == 1, what + repr(fields))
    for value in values:
        say(value.isascii() and value.lower().count("spf=pass") ==
            [w[1] for w in want].count("pass"), what + value)
        say(all(len(line) <= 998 for line in value.split("\n")), what + value)
        value = re.sub(r"\r?\n[ \t]+", " ", value)
        got = read_results(value)
        say(got == ("mx.example.org", want), "%s%s is read as %r" %
            (what, value, got))
    values = [v for name, v in fields if name == "Received-SPF"]
    say(len(values) == 2, what + repr(fields))
    for value, result in zip(values, [w[1] for w in (want * 2)[-2:]]):
        value = re.sub(r"\r?\n[ \t]+", " ", value)
        match = RECEIVED_SPF.fullmatch(value)
        say(match, what + value)
        keys = dict(re.findall(PAIR, match.group(2))) if match else {}
        say(match and match.group(1) in (said, mail and mail[0]) and
            keys.get("client-ip") == "192.0.2.1" and "helo" in keys and
            keys.get("identity") in ("helo", "mailfrom"), what + value)


def main():
    with tempfile.TemporaryDirectory() as folder:
        with open(folder + "/p.conf", "w", encoding="utf-8") as out:
            out.write(POLICY)
        with open(folder + "/zone", "w", encoding="utf-8") as out:
            out.write(ZONE)
        for sender in SENDERS:
            try_one(folder, sender, "pass.example")
        for helo in HELOS:
            try_one(folder, "a@fail.example", helo)
            try_one(folder, "", helo)
    print("%d passed, %d failed" % (passed, failed))
    return failed > 0


sys.exit(main())
