"""What takes more than a dialogue: reloads, kills, many sessions at once.

A scene is a function of a Stage; its name, with "-" for "_", is the test's.
"""

import contextlib
import grp
import os
import pwd
import re
import signal
import subprocess
import threading
import traceback

from nameserver import A, MX, SILENT, TXT, NameServer
from private import HOST, Failure, Visitor, queued, until

SCENES = []


class Stage:
    """A scene, its door and its vaglio."""

    def __init__(self, name, scene, door, vaglio):
        self.name, self.scene, self.door, self.vaglio = (name, scene, door,
                                                         vaglio)
        self.faults = []
        self.mta = None

    def go(self, mta):
        self.mta = mta
        try:
            self.scene(self)
        except Failure as e:
            self.faults.append(str(e))
        except Exception:  # the other tests go on
            self.faults.append(traceback.format_exc())

    def judge(self):
        pass

    def connect(self, visitor=None):
        """A session that has been greeted."""
        client, greeting = self.mta.connect(self.door, visitor)
        self.reply_is(greeting[-1], "220 .*")
        return client

    def client(self, visitor=None, name="client.example.org"):
        """A session that has said EHLO."""
        client = self.connect(visitor)
        self.reply_is(client.say("EHLO " + name), "250 .*")
        return client

    @staticmethod
    def reply_is(got, wanted):
        if not re.fullmatch(wanted, got):
            raise Failure("the reply should be %r but is %r" % (wanted, got))

    def send(self, client, mark):
        """One message; its queue id."""
        self.reply_is(client.say("MAIL FROM:<a@example.org>"), "250 .*")
        self.reply_is(client.say("RCPT TO:<u@example.com>"), "250 .*")
        return self.send_text(client, mark)

    def send_text(self, client, mark):
        self.reply_is(client.say("DATA"), "354 .*")
        client.send(b"Subject: %s\r\n\r\nhello\r\n" % mark.encode())
        return queued(client.say("."))

    def delivered(self, ids):
        for i in ids:
            until("message %s to be delivered" % i,
                  lambda i=i: self.mta.where(i) is None)

    def command(self, *words):
        """A vaglio command; its exit status and output."""
        r = subprocess.run([self.vaglio.binary, *words], text=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.STDOUT)
        return r.returncode, r.stdout


def scene(policy, postfix=(), sendmail=(), why_not=None, socket=None):
    """postfix and sendmail are lines of the MTA's configuration; why_not
    says of an MTA why the scene can't be played there. socket is vaglio's,
    with %d for a port, if it is not to be one in its folder."""
    def keep(function):
        function.socket = socket
        function.policy, function.why_not = policy, why_not or {}
        function.options = {"postfix": postfix, "sendmail": sendmail}
        SCENES.append(function)
        return function
    return keep


def fields(mail, name):
    """The values of a field of a message that arrived."""
    header = mail.data.split(b"\r\n\r\n", 1)[0].decode()
    return re.findall(r"(?mi)^%s: (.*?)\r?$" % re.escape(name), header)


SIMPLE = """
rule nobody
  if rcpt.local is nobody
  reject 550 5.1.1 "nobody lives here"
rule mark
  add header "X-Seen" "yes"
"""


@scene(SIMPLE)
def killed_in_a_session(stage):
    """Postfix defers, and a new vaglio takes the dead one's socket."""
    stage.vaglio.start()
    with stage.client() as client:
        stage.reply_is(client.say("MAIL FROM:<a@example.org>"), "250 .*")
        stage.vaglio.kill()
        stage.reply_is(client.say("RCPT TO:<u@example.com>"),
                       "451 4[.]7[.]1 .*")
    stage.vaglio.start()
    with stage.client() as client:
        stage.delivered([stage.send(client, "after")])
    mails = stage.door.sink.wait(1)
    if [fields(m, "X-Seen") for m in mails] != [["yes"]]:
        raise Failure("after the restart came %r" % [m.data for m in mails])


@scene(SIMPLE)
def killed_before_the_message_ends(stage):
    """What vaglio has not decided is not let in."""
    stage.vaglio.start()
    with stage.client() as client:
        for line in ("MAIL FROM:<a@example.org>", "RCPT TO:<u@example.com>"):
            stage.reply_is(client.say(line), "250 .*")
        stage.reply_is(client.say("DATA"), "354 .*")
        client.send(b"Subject: lost\r\n\r\nhello\r\n")
        stage.vaglio.kill()
        stage.reply_is(client.say("."), "4[0-9][0-9] 4[.].*")
    if stage.door.sink.mails:
        raise Failure("an undecided message was delivered")


@scene(SIMPLE, why_not={"sendmail": "it refuses a bare newline with 421"})
def smuggled_behind_a_bare_newline(stage):
    """Where the MTA sees two messages vaglio does, too, and reads both."""
    stage.vaglio.start()
    ends = (b"\n.\n", b"\n.\r\n")
    for end in ends:
        with stage.client() as client:
            for line in ("MAIL FROM:<a@example.org>",
                         "RCPT TO:<u@example.com>"):
                stage.reply_is(client.say(line), "250 .*")
            stage.reply_is(client.say("DATA"), "354 .*")
            client.send(b"Subject: one\r\n\r\nhello" + end +
                        b"MAIL FROM:<b@example.org>\r\n"
                        b"RCPT TO:<nobody@example.com>\r\n"
                        b"RCPT TO:<v@example.com>\r\nDATA\r\n"
                        b"Subject: two\r\n\r\nsmuggled\r\n")
            ids = [queued(client.reply()[-1])]
            for wanted in ("250 .*", "550 5[.]1[.]1 nobody lives here",
                           "250 .*", "354 .*"):
                stage.reply_is(client.reply()[-1], wanted)
            ids.append(queued(client.say(".")))
            stage.delivered(ids)
    mails = stage.door.sink.wait(2 * len(ends))
    seen = sorted((fields(m, "Subject"), fields(m, "X-Seen")) for m in mails)
    if seen != sorted([(["one"], ["yes"]), (["two"], ["yes"])] * len(ends)):
        raise Failure("there came %r" % seen)


@scene(SIMPLE)
def not_running(stage):
    """No vaglio at all: mail is deferred at the first command."""
    with stage.client() as client:
        stage.reply_is(client.say("MAIL FROM:<a@example.org>"),
                       "451 4[.]7[.]1 .*")


@scene(SIMPLE)
def a_second_one_leaves_the_first_alone(stage):
    """A live instance keeps its socket."""
    stage.vaglio.start()
    status, said = stage.command("-f", "-c", stage.vaglio.path)
    if status == 0 or stage.vaglio.socket not in said:
        raise Failure("the second ended with %d and said %r" % (status, said))
    with stage.client() as client:
        stage.delivered([stage.send(client, "still here")])


VERSION = """
rule refuse-{n}
  if rcpt.local is probe
  reject 550 5.7.1 "policy {n}"
rule mark-{n}
  add header "X-Policy" "{n}"
"""


class Traffic(threading.Thread):
    """Sessions without a pause. In each, a refusal's text and the marks of
    two messages must be of one policy."""

    def __init__(self, stage, number, stop):
        super().__init__(daemon=True)
        self.stage, self.number, self.stop = stage, number, stop
        self.ids, self.marks = [], {}
        self.failure = None

    def run(self):
        try:
            while not self.stop.is_set():
                self.session()
        except (Failure, OSError) as e:
            self.failure = e

    def session(self):
        stage = self.stage
        with stage.client() as client:
            for part in range(2):
                stage.reply_is(client.say("MAIL FROM:<a@example.org>"),
                               "250 .*")
                said = client.say("RCPT TO:<probe@example.com>")
                stage.reply_is(said, "550 5[.]7[.]1 policy [0-9]+")
                mark = "%d.%d" % (self.number, len(self.marks))
                self.marks[mark] = said.split()[-1]
                stage.reply_is(client.say("RCPT TO:<u@example.com>"),
                               "250 .*")
                self.ids.append(stage.send_text(client, mark))
                if part == 1 and len(set(list(self.marks.values())[-2:])) > 1:
                    raise Failure("the policy changed within a session")
            stage.reply_is(client.say("QUIT"), "221 .*")


def reload(stage, n, by_command):
    """Puts version n into force, and waits until it is."""
    stage.vaglio.write(VERSION.replace("{n}", str(n)))
    if by_command:
        status, said = stage.command("reload", "-c", stage.vaglio.path)
        if status or said != "vaglio: %s: the new policy is in force\n" \
                % stage.vaglio.path:
            raise Failure("reload: status %d, %r" % (status, said))
    else:
        stage.vaglio.signal(signal.SIGUSR1)
    until("policy %d in force" % n, lambda: policy_now(stage) == n)


def policy_now(stage):
    with stage.client() as client:
        client.say("MAIL FROM:<a@example.org>")
        said = client.say("RCPT TO:<probe@example.com>")
        stage.reply_is(said, "550 5[.]7[.]1 policy [0-9]+")
        return int(said.split()[-1])


@contextlib.contextmanager
def traffic(stage, n):
    """n clients at work; after it their sessions have been checked."""
    stop = threading.Event()
    threads = [Traffic(stage, i, stop) for i in range(n)]
    for t in threads:
        t.start()
    try:
        yield threads
    finally:
        stop.set()
        for t in threads:
            t.join()
    for t in threads:
        if t.failure:
            raise Failure("client %d: %s" % (t.number, t.failure))


def check_marks(stage, threads):
    """Each message arrived once, marked by the policy of its session."""
    wanted = {}
    for t in threads:
        stage.delivered(t.ids)
        wanted.update(t.marks)
    mails = stage.door.sink.wait(len(wanted))
    got = {fields(m, "Subject")[0]: fields(m, "X-Policy") for m in mails}
    if len(mails) != len(wanted):
        raise Failure("%d messages sent, %d arrived"
                      % (len(wanted), len(mails)))
    for mark, version in wanted.items():
        if got.get(mark) != [version]:
            raise Failure("message %s of policy %s came with %r"
                          % (mark, version, got.get(mark)))


@scene(VERSION.replace("{n}", "0"))
def reload_under_traffic(stage):
    """No session is lost or sees two policies; every reload takes hold."""
    stage.vaglio.start()
    with traffic(stage, 3) as threads:
        for n in range(1, 13):
            reload(stage, n, by_command=n % 2 == 0)
    check_marks(stage, threads)


@scene(VERSION.replace("{n}", "0"))
def reload_of_a_broken_policy(stage):
    """The old one stays, and the log and the command say why."""
    stage.vaglio.start()
    stage.vaglio.write("rule x if sendr is a@example.org reject\n")
    stage.vaglio.signal(signal.SIGUSR1)
    stage.vaglio.wait_log('unknown subject "sendr"')
    status, said = stage.command("reload", "-c", stage.vaglio.path)
    if status == 0 or 'unknown subject "sendr"' not in said:
        raise Failure("reload: status %d, %r" % (status, said))
    if policy_now(stage) != 0:
        raise Failure("the old policy is gone")


@scene(VERSION.replace("{n}", "0"))
def reload_of_a_policy_that_fails_its_tests(stage):
    stage.vaglio.start()
    stage.vaglio.write(VERSION.replace("{n}", "1") + """
test "everybody is let in"
  rcpt probe@example.com
  expect accept
""")
    stage.vaglio.signal(signal.SIGUSR1)
    stage.vaglio.wait_log("everybody is let in")
    if policy_now(stage) != 0:
        raise Failure("a policy that fails its own tests came into force")


@scene(VERSION.replace("{n}", "0"))
def ended_under_traffic(stage):
    """After SIGTERM a message has its verdict whole, or a 4xx."""
    stage.vaglio.start()
    stop, threads = threading.Event(), []
    for i in range(3):
        threads.append(Traffic(stage, i, stop))
        threads[-1].start()
    stage.door.sink.wait(5)
    status = stage.vaglio.stop()
    if status:
        raise Failure("ended with status %d:\n%s"
                      % (status, stage.vaglio.log()))
    for t in threads:
        t.join()
        if not re.search(r"reply should be .* but is '(4\d\d 4[.]|')",
                         str(t.failure)) and "not taken: 4" not in str(
                             t.failure):
            raise Failure("client %d: %s" % (t.number, t.failure))
        stage.delivered(t.ids)
    taken = sum(len(t.ids) for t in threads)
    mails = stage.door.sink.wait(taken)
    if len(mails) != taken or any(fields(m, "X-Policy") != ["0"]
                                  for m in mails):
        raise Failure("%d messages taken, %d arrived" % (taken, len(mails)))


@scene("set user nobody\nset group postfix\nset socket-mode 0660\n" + SIMPLE)
def without_privileges(stage):
    """The socket is opened as root and for Postfix alone; the rest runs as
    another user, who loads a new policy too."""
    stage.vaglio.start()
    with open("/proc/%d/status" % stage.vaglio.process.pid) as f:
        status = f.read()
    users = re.findall(r"(?m)^Uid:\s+(.*)$", status)[0].split()
    groups = re.findall(r"(?m)^(?:Gid|Groups):\s(.*)$", status)
    if set(users) != {str(pwd.getpwnam("nobody").pw_uid)}:
        raise Failure("the user is %r" % users)
    if "0" in " ".join(groups).split():
        raise Failure("the groups are %r" % groups)
    socket = os.stat(stage.vaglio.socket)
    if (socket.st_mode & 0o777, socket.st_gid) != (
            0o660, grp.getgrnam("postfix").gr_gid):
        raise Failure("the socket is %o, of group %d"
                      % (socket.st_mode, socket.st_gid))
    stage.vaglio.write(stage.scene.policy + "rule again\n"
                       "  add header \"X-Again\" \"yes\"\n")
    stage.vaglio.signal(signal.SIGUSR1)
    stage.vaglio.wait_log("the policy was reloaded")
    with stage.client() as client:
        stage.delivered([stage.send(client, "as nobody")])
    mail = stage.door.sink.wait(1)[0]
    if fields(mail, "X-Again") != ["yes"]:
        raise Failure("not the new policy: %r" % mail.data)


@scene("""
rule by-name
  if rcpt.local matches /^refused([0-9]+)$/
  reject 550 5.7.1 "no $1"
rule mark
  add header "X-Sender" "${sender}"
  add header "X-Helo" "${helo}"
""")
def many_sessions_at_once(stage):
    """Forty sessions, interleaved step by step: each gets its own answers."""
    stage.vaglio.start()
    clients = [stage.connect() for _ in range(40)]
    def each(line):
        for n, c in enumerate(clients):
            c.send(line.format(n=n).encode() + b"\r\n")
        return [c.reply()[-1] for c in clients]
    with contextlib.ExitStack() as stack:
        for c in clients:
            stack.enter_context(c)
        each("EHLO host{n}.example.org")
        each("MAIL FROM:<s{n}@example.org>")
        for n, said in enumerate(each("RCPT TO:<refused{n}@example.com>")):
            stage.reply_is(said, "550 5[.]7[.]1 no %d" % n)
        each("RCPT TO:<u{n}@example.com>")
        each("DATA")
        ids = [queued(s) for s in each("Subject: {n}\r\n\r\nhello {n}\r\n.")]
    stage.delivered(ids)
    for m in stage.door.sink.wait(40):
        n = fields(m, "Subject")[0]
        if (fields(m, "X-Sender") != ["s%s@example.org" % n]
                or fields(m, "X-Helo") != ["host%s.example.org" % n]):
            raise Failure("mixed up: %r" % m.data)


@scene(SIMPLE)
def idle_and_broken_clients(stage):
    """Sessions that end in the middle leave nothing behind."""
    stage.vaglio.start()
    steps = ["EHLO c.example.org", "MAIL FROM:<a@example.org>",
             "RCPT TO:<u@example.com>", "DATA", "Subject: half"]
    for n in range(len(steps) + 1):
        with stage.connect() as client:
            for line in steps[:n]:
                if line.startswith("Subject"):
                    client.send(line.encode() + b"\r\n")
                else:
                    client.say(line)
    with stage.client() as client:
        stage.delivered([stage.send(client, "whole")])
    if len(stage.door.sink.mails) != 1:
        raise Failure("half a message was delivered")


SPF_ZONE = {
    "pass.example": {TXT: ["v=spf1 mx -all"], MX: ["mx.pass.example"]},
    "mx.pass.example": {A: ["192.0.2.1"]},
    "fail.example": {TXT: ["v=spf1 -all exp=why.fail.example"]},
    "why.fail.example": {TXT: ["%{i} is not ours"]},
    "evil.example": {TXT: ["v=spf1 -all exp=why.evil.example"]},
    "why.evil.example": {TXT: ["%{l} 100%% %%s%%n %{S}" + " more" * 150]},
    "wrong.example": {TXT: ["v=spf1 include:gone.example -all"]},
    "soft.example": {TXT: ["v=spf1 ~all"]},
    "slow.example": SILENT,
}

SPF = """
set spf-timeout 1s
set trusted-relays <relays>
table <relays> { 203.0.113.5 }
rule spf-fail
  if spf is fail
  unless auth
  reject 550 5.7.23 "SPF: ${spf.explanation}"
rule spf-later
  if spf is temperror
  unless auth
  tempfail 451 4.4.3 "SPF: try again"
rule spf-wrong
  if spf is permerror
  unless auth
  reject 550 5.7.24 "SPF: a wrong record"
rule spf-soft
  if spf is softfail
  unless auth
  add header "X-SPF" "${spf} ${spf.mechanism}"
rule stamps
  stamp received-spf
  stamp authentication-results
"""

FORGED = (b"Authentication-Results: %s; spf=pass\r\n"
          b"authentication-results: (c) \"%s\" 1;\r\n dkim=pass\r\n"
          b"Authentication-Results: mail.example.net; dkim=pass\r\n"
          % (HOST.encode(), HOST.upper().encode()))


def spf_session(stage, sender, login=None):
    """A session of 192.0.2.1's, the reply to MAIL."""
    client = stage.client(Visitor("192.0.2.1", login=login),
                          "mail.pass.example")
    return client, client.say("MAIL FROM:<%s>" % sender)


def spf_relayed(stage, received):
    """The reply to a message from a@pass.example that a relay hands on."""
    with stage.client(Visitor("203.0.113.5"), "relay.example") as client:
        for line in ("MAIL FROM:<a@pass.example>", "RCPT TO:<u@example.com>",
                     "DATA"):
            stage.reply_is(client.say(line), "[23]5. .*")
        client.send(received.encode() + b"Subject: x\r\n\r\nhello\r\n")
        return client.say(".")


RELAYED = ("Received: by relay.example (Postfix)\r\n\tid 4X; a date\r\n"
           "Received: from unknown (HELO [%s]) ([%s])\r\n"
           "  by relay.example with ESMTP; a date\r\n")


def spf_message(stage, sender, login=None):
    """What arrives of a message of that sender's."""
    before = len(stage.door.sink.mails)
    client, said = spf_session(stage, sender, login)
    with client:
        stage.reply_is(said, "250 .*")
        stage.reply_is(client.say("RCPT TO:<u@example.com>"), "250 .*")
        stage.reply_is(client.say("DATA"), "354 .*")
        client.send(FORGED + b"Subject: x\r\n\r\nhello\r\n")
        stage.delivered([queued(client.say("."))])
    return stage.door.sink.wait(before + 1)[-1]


def unfolded(mail):
    header = mail.data.split(b"\r\n\r\n", 1)[0].decode()
    return re.sub(r"\r\n[ \t]+", " ", header).split("\r\n")


@scene(SPF)
def spf(stage):
    """Results, stamps and forgeries, with a name server of its own."""
    server = NameServer(SPF_ZONE)
    stage.vaglio.write(SPF + 'set dns "%s"\n' % server.address)
    stage.vaglio.start()
    header = unfolded(spf_message(stage, "a@pass.example"))
    if header[0] != ("Authentication-Results: %s; spf=pass "
                     "smtp.mailfrom=a@pass.example" % HOST):
        raise Failure("on top stands %r" % header[0])
    if not re.fullmatch(r"Received-SPF: pass .* client-ip=192[.]0[.]2[.]1; "
                        r".* mechanism=\"mx:pass[.]example\";", header[1]):
        raise Failure("below it stands %r" % header[1])
    if not header[2].startswith("Received: "):
        raise Failure("the stamps do not stand on top: %r" % header)
    results = [h for h in header if h.lower().startswith("authentication-")]
    if results[1:] != ["Authentication-Results: mail.example.net; dkim=pass"]:
        raise Failure("of the others is left %r" % results[1:])
    client, said = spf_session(stage, "a@fail.example")
    with client:
        stage.reply_is(said, "550 5[.]7[.]23 .*SPF: 192[.]0[.]2[.]1 is not "
                       "ours")
    client, said = spf_session(stage, "a%dx=@evil.example")
    with client:
        stage.reply_is(said, "550 5[.]7[.]23 .*SPF: a%dx= 100% %s%n "
                       "a%25dx%3D%40evil[.]example( more)+ m?o?r?[.][.][.]")
        if len(said) > 512 or "\n" in said.strip():
            raise Failure("the reply is %r" % said)
    client, said = spf_session(stage, "a@wrong.example")
    with client:
        stage.reply_is(said, "550 5[.]7[.]24 .*SPF: a wrong record")
    if not re.search('rule=spf-wrong .* spf=permerror spf-why="include:gone'
                     '[.]example has no SPF record" ', stage.vaglio.log()):
        raise Failure("the log does not say what is wrong")
    client, said = spf_session(stage, "a@slow.example")
    with client:
        stage.reply_is(said, "451 4[.]4[.]3 .*SPF: try again")
    header = unfolded(spf_message(stage, "a@soft.example"))
    if "X-SPF: softfail ~all" not in header:
        raise Failure("no mark of softfail: %r" % header)
    said = spf_relayed(stage, RELAYED % ("192.0.2.1", "198.51.100.9"))
    stage.reply_is(said, "550 5[.]7[.]23 .*")
    before = len(stage.door.sink.mails)
    said = spf_relayed(stage, RELAYED % ("198.51.100.9", "192.0.2.1"))
    stage.delivered([queued(said)])
    header = unfolded(stage.door.sink.wait(before + 1)[-1])
    if not header[1].startswith("Received-SPF: pass ") or (
            " client-ip=192.0.2.1;" not in header[1]):
        raise Failure("of the relay's client is said %r" % header[1])
    asked = len(server.asked)
    header = unfolded(spf_message(stage, "a@fail.example", "alice"))
    if header[0] != ("Authentication-Results: %s; auth=pass smtp.auth=alice"
                     % HOST):
        raise Failure("for a login stands on top %r" % header[0])
    if len(server.asked) != asked:
        raise Failure("for a login was asked %r" % server.asked[asked:])
    server.shutdown()
    server.server_close()
