"""Cases as data: what is said to an MTA, and what must come of it.

A case is a text file. Lines that begin with "#" before the first section
say what it is about. Sections:

-- not sendmail WHY   the case can't be run on Sendmail
-- policy             the policy
-- file NAME          a file beside it
-- postfix            main.cf lines for this case's listener
-- sendmail           sendmail.cf lines for it; "Name=X" is its own name
-- session [ADDRESS [NAME [LOGIN]]]
                      an SMTP session; of that client, if there is one
                      (!NAME: does not lead back to ADDRESS; "?": can't be
                      looked up for now)
-- command ARGS       the local sendmail command, "|" lines its input
-- log                the lines that vaglio logs of messages, all of them
-- arrived            a message at the next hop, envelope and bytes
-- held               one that is held by the MTA, shown by releasing it

A line that begins with "postfix: " or "sendmail: " is there for that MTA
only. The MTA's own words are given as Postfix's; Sendmail's are put into them
where they say the same. NOQUEUE in a log is where Postfix has no queue id
yet: Sendmail has one from MAIL on.

In a session:

> LINE                is sent, with CRLF; consecutive ones in one piece
| LINE                a line of a message: dots are stuffed
< 250                 a reply with this code
< 250 2.1.0 Ok        this very reply; "< 250-" lines before it are of it
! tls [certificate]   STARTTLS and the handshake
! login NAME          AUTH PLAIN
! bdat                the "|" lines that follow, as the last chunk
! close               the connection is dropped
< (gone)              the server has closed the connection

A reply that stands first is the greeting; else that is 220.

\\xNN \\r \\n \\t \\0 \\\\ are what they are in C; "*40 " before a line
repeats it, {n} in it counts from 1. In what is expected, {id}, {id2}...
stand for a queue id (the same everywhere in the case), {received} for
the MTA's own Received field, {*} for anything within the line.
"""

import difflib
import re
import traceback

from private import Failure, Visitor, plain, taken, until

ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|[rnt0\\])")
SIMPLE = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
MARK = re.compile(r"\{(\*|received|id\d*)\}")
RECEIVED = (r"Received: \(?(?:from|by) [^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*?"
            r"[ \t][^\r\n]*\w{3}, +\d+ \w{3} \d{4} [^\r\n]*")
ANY_RECEIVED = re.compile(r"(?m)^" + RECEIVED)
SECTIONS = ("not", "policy", "file", "postfix", "sendmail", "session",
            "command", "log", "arrived", "held")
FOR_ONE = re.compile(r"(postfix|sendmail): ")
# A line of vaglio's log that tells of a message.
OF_A_MESSAGE = re.compile(r"(NOQUEUE|[0-9A-Za-z]+): [a-z]+: rule=")


def unescape(text):
    def one(found):
        word = found[1]
        if word[0] != "x":
            return SIMPLE[word]
        code = int(word[1:], 16)
        return chr(code if code < 0x80 else 0xDC00 + code)
    return ESCAPE.sub(one, text)


def octets(text):
    return text.encode("utf-8", "surrogateescape")


def text_of(data):
    return data.decode("utf-8", "surrogateescape")


def repeated(lines):
    """Takes "*40 " away by doing it."""
    for line in lines:
        found = re.match(r"\*(\d+) (.*)", line)
        if not found:
            yield line
            continue
        for n in range(int(found[1])):
            yield found[2].replace("{n}", str(n + 1))


def envelope(lines):
    """Recipients in an order of their own: the MTA has its own."""
    return (sorted(l for l in lines if not l.startswith("RCPT"))
            + sorted(l for l in lines if l.startswith("RCPT")))


def spelt(mail):
    """A message that arrived, as a case has it."""
    return ("\r\n".join(envelope([text_of(l) for l in mail.envelope]))
            + "\r\n\r\n" + text_of(mail.data))


def bar(line):
    """What stands after the bar of a message's line."""
    return unescape(line[2:] if line[1:2] == " " else line[1:])


class Section:
    def __init__(self, kind, words, line):
        self.kind, self.words, self.line = kind, words, line
        self.lines = []


class Case:
    """One file, as it is for one MTA."""

    def __init__(self, path, mta):
        with open(path, encoding="utf-8", errors="surrogateescape") as f:
            text = f.read()
        self.sections = []
        for number, line in enumerate(text.splitlines(), 1):
            only = FOR_ONE.match(line)
            if only and only[1] != mta:
                continue
            line = line[only.end():] if only else line
            if line.startswith("-- "):
                kind, *words = line[3:].split()
                if kind not in SECTIONS:
                    raise Failure("%s:%d: no section %r"
                                  % (path, number, kind))
                self.sections.append(Section(kind, words, number))
            elif self.sections:
                self.sections[-1].lines.append(line)
            elif line and not line.startswith("#"):
                raise Failure("%s:%d: outside a section" % (path, number))
        for s in self.sections:
            while s.lines and not s.lines[-1].strip():
                s.lines.pop()
            s.lines = list(repeated(s.lines))
        self.bound = {}

    def of(self, *kinds):
        return [s for s in self.sections if s.kind in kinds]

    def why_not(self, mta):
        """The reason why it can't be run there, or None."""
        for s in self.of("not"):
            if s.words[0] == mta:
                return " ".join(s.words[1:] + s.lines)
        return None

    def joined(self, kind):
        return "\n".join(l for s in self.of(kind) for l in s.lines) + "\n"

    def files(self):
        return {s.words[0]: octets(unescape("\n".join(s.lines) + "\n"))
                for s in self.of("file")}

    # ---- what is expected against what came ----

    def pattern(self, template):
        """A regular expression for a text with marks."""
        out, here, seen = "", 0, set()
        for mark in MARK.finditer(template):
            out += re.escape(template[here:mark.start()])
            here = mark.end()
            name = mark[1]
            if name == "*":
                out += "[^\r\n]*"
            elif name == "received":
                out += RECEIVED
            elif name in self.bound:
                out += re.escape(self.bound[name])
            elif name in seen:
                out += "(?P=%s)" % name
            else:
                seen.add(name)
                out += "(?P<%s>[0-9A-Za-z]+)" % name
        return out + re.escape(template[here:])

    def fits(self, template, text):
        found = re.fullmatch(self.pattern(template), text)
        if found:
            self.bound.update(found.groupdict())
        return bool(found)


class Dialogue:
    """An SMTP session, said line by line."""

    def __init__(self, case, section, door, mta):
        self.case, self.section, self.mta = case, section, mta
        self.client, self.greeting = mta.connect(
            door, Visitor(*section.words) if section.words else None)
        self.out = b""
        self.chunk = None  # lines after "! bdat"
        self.ids = []

    def flush(self):
        if self.chunk is not None:
            self.out += b"BDAT %d LAST\r\n" % len(self.chunk) + self.chunk
            self.chunk = None
        if self.out:
            self.client.send(self.out)
        self.out = b""

    def message_line(self, text):
        data = octets(text) + b"\r\n"
        if self.chunk is not None:
            self.chunk += data
        else:
            self.out += b"." + data if data.startswith(b".") else data

    def expect(self, wanted):
        self.flush()
        got, self.greeting = self.greeting or self.client.reply(), None
        self.ids += [i for i in map(taken, got) if i]
        if wanted == ["(gone)"]:
            good = not got
        elif re.fullmatch(r"\d{1,3}", wanted[0]):
            good = bool(got) and got[0].startswith(wanted[0])
        else:
            good = len(got) == len(wanted) and all(
                self.case.fits(w, g) for w, g in zip(wanted, got))
        if not good:
            raise Failure("the reply should be\n  %s\nbut is\n  %s" % (
                "\n  ".join(wanted), "\n  ".join(got) or "(gone)"))

    def order(self, words):
        if words[0] == "bdat":
            self.flush()
            self.chunk = b""
            return
        self.flush()
        if words[0] == "tls":
            if self.client.say("STARTTLS")[:3] != "220":
                raise Failure("no STARTTLS")
            self.client.start_tls(*(self.mta.top + "/cert.pem",
                                    self.mta.top + "/key.pem")
                                  if words[1:] else ())
        elif words[0] == "login":
            said = self.client.say("AUTH PLAIN " + plain(words[1]))
            if said[:3] != "235":
                raise Failure("the login is not taken: " + said)
        elif words[0] == "close":
            self.client.close()
        else:
            raise Failure("no order %r" % words[0])

    def run(self):
        if not (self.section.lines or [""])[0].startswith("<"):
            self.expect(["220"])
        wanted = []
        for line in self.section.lines:
            mark, rest = line[:1], line[2:]
            if mark == "<":
                wanted.append(unescape(rest))
                if rest[3:4] != "-":
                    self.expect(wanted)
                    wanted = []
            elif mark == ">":
                if self.chunk is not None:
                    self.flush()
                self.out += octets(unescape(rest)) + b"\r\n"
            elif mark == "|":
                self.message_line(bar(line))
            elif mark == "!":
                self.order(rest.split())
            elif line.strip() and mark != "#":
                raise Failure("what is %r?" % line)
        self.flush()
        self.client.close()


class Run:
    """A case, its door and its vaglio."""

    def __init__(self, name, case, door, vaglio):
        self.name, self.case, self.door, self.vaglio = name, case, door, vaglio
        self.mta = None
        self.faults = []

    def go(self, mta):
        """All sessions; then nothing of the case is left in the queue."""
        self.mta = mta
        try:
            self.vaglio.start()
            for s in self.case.of("session", "command"):
                try:
                    self.talk(s)
                except Failure as e:
                    raise Failure("line %d: %s" % (s.line, e)) from None
            self.deliver()
        except Failure as e:
            self.faults.append(str(e))
        except Exception:  # the other cases go on
            self.faults.append(traceback.format_exc())

    def talk(self, section):
        if section.kind == "command":
            data = b"".join(octets(bar(l)) + b"\n" for l in section.lines)
            before = len(self.logged())
            status, said = self.mta.command(self.door, section.words, data)
            if status or said:
                raise Failure("sendmail: status %d, %r" % (status, said))
            # The command does not say when cleanup has decided.
            until("a line in the log", lambda: len(self.logged()) > before)
            return
        talk = Dialogue(self.case, section, self.door, self.mta)
        try:
            talk.run()
        finally:
            talk.client.close()
            self.settle(talk.ids)

    def settle(self, ids):
        for i in ids:
            until("message %s to leave the queue" % i,
                  lambda i=i: self.mta.where(i) in (None, "hold"))

    def deliver(self):
        """Holds what is to be held, then lets it go."""
        held = self.case.of("held")
        if self.case.of("command"):
            self.door.sink.wait(len(self.case.of("arrived")))
        in_hold = [i for i in set(self.case.bound.values())
                   if self.mta.where(i) == "hold"]
        if len(in_hold) != len(held):
            raise Failure("%d messages should be held, %d are"
                          % (len(held), len(in_hold)))
        for i in in_hold:
            self.mta.release(self.door, i)
        for i in in_hold:
            until("message %s to be delivered" % i,
                  lambda i=i: self.mta.where(i) is None)

    def logged(self):
        return [l for l in self.vaglio.log().split("\n")
                if OF_A_MESSAGE.match(l)]

    def judge(self):
        """When everything has ended: what arrived, what was logged."""
        mails = [spelt(m) for m in self.door.sink.mails]
        for s in self.case.of("arrived", "held"):
            self.find_mail(s, mails)
        for m in mails:
            self.faults.append("this should not have arrived:\n" + shown(m))
        self.judge_log()

    def find_mail(self, section, mails):
        wanted = "\r\n".join(
            envelope([unescape(l) for l in section.lines
                      if l[:1] not in ("|", "")])
            + [""] + [bar(l) for l in section.lines if l[:1] == "|"]) + "\r\n"
        for m in mails:
            if self.case.fits(wanted, m):
                mails.remove(m)
                return
        fault = "line %d: did not arrive as it should" % section.line
        if mails:
            fault += ":\n" + difference(wanted, mails.pop(0))
        self.faults.append(fault)

    def judge_log(self):
        wanted = [unescape(self.mta.logged(l))
                  for s in self.case.of("log") for l in s.lines]
        got = self.logged()
        good = len(got) == len(wanted) and all(
            self.case.fits(w, g) for w, g in zip(wanted, got))
        if not good:
            self.faults.append("the log is not as it should be:\n"
                               + difference("\n".join(wanted),
                                            "\n".join(got)))


def shown(text):
    """As a case would spell it."""
    text = ANY_RECEIVED.sub("{received}", text)
    return re.sub("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]",
                  lambda c: "\\x%02x" % (ord(c[0]) & 0xff),
                  text.replace("\r\n", "\n"))


def difference(wanted, got):
    return "\n".join(difflib.unified_diff(
        shown(wanted).split("\n"), shown(got).split("\n"),
        "expected", "came", lineterm="", n=1000))
