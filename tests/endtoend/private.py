"""What stands around a private MTA: its folder, clients, sinks and vaglio.

All is on loopback, with ports found free at run time. A guard process ends
what was started and removes the folder when this process is gone, for
whatever reason.
"""

import base64
import contextlib
import os
import random
import re
import select
import shutil
import signal
import socket
import socketserver
import ssl
import subprocess
import sys
import tempfile
import threading
import time

HOST = "mx.gate.example"
PATIENCE = 30  # seconds for anything that is waited for
# What an MTA, told in Postfix's words, says of a message that it has taken.
QUEUED = re.compile(r"250 2\.0\.0 Ok: (?:\d+ bytes )?queued as (\S+)$")


class Failure(Exception):
    """What a test found wrong, in words."""


def until(what, true, patience=PATIENCE):
    """Asks true() until it is, and returns what it said."""
    end = time.monotonic() + patience
    pause = 0.001
    while True:
        answer = true()
        if answer:
            return answer
        if time.monotonic() > end:
            raise Failure("waited %d s for %s" % (patience, what))
        threading.Event().wait(pause)
        pause = min(pause * 2, 0.05)


def free_ports(n):
    """n ports below the ones that the kernel hands out by itself."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        top = int(f.read().split()[0])
    found = []
    with contextlib.ExitStack() as held:
        while len(found) < n:
            port = random.randrange(10000, max(top, 20000))
            s = held.enter_context(socket.socket())
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            found.append(port)
    return found


# ---- clean-up ---------------------------------------------------------

def is_gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    with contextlib.suppress(OSError), open("/proc/%d/stat" % pid) as f:
        return f.read().rsplit(")", 1)[1].split()[0] == "Z"
    return True


def end_processes(pids, patience=15):
    """TERM, and KILL for those that do not go."""
    for sig, wait in ((signal.SIGTERM, patience), (signal.SIGKILL, 2)):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)
        with contextlib.suppress(Failure):
            until("processes to end", lambda: all(map(is_gone, pids)), wait)
            return


def guard(top, pipe):
    """The guard's whole life: pids to remember ("+7", "-7"), then the end."""
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, signal.SIG_IGN)
    pids = set()
    with os.fdopen(pipe) as lines:
        for line in lines:
            (pids.add if line[0] == "+" else pids.discard)(int(line[1:]))
    end_processes(pids)
    if os.environ.get("KEEP"):
        print("# kept: " + top, file=sys.stderr)
    else:
        shutil.rmtree(top, ignore_errors=True)


class Workplace:
    """A folder that everybody can walk into, and its guard."""

    def __init__(self, name):
        self.top = tempfile.mkdtemp(prefix="vaglio-%s." % name,
                                    dir=self.open_folder())
        os.chmod(self.top, 0o755)
        self.lock, self.closed = threading.Lock(), False
        reader, self.writer = os.pipe()
        self.guard = os.fork()
        if self.guard == 0:
            os.setsid()
            os.close(self.writer)
            try:
                guard(self.top, reader)
            finally:
                os._exit(0)
        os.close(reader)

    @staticmethod
    def open_folder():
        for folder in (tempfile.gettempdir(), "/tmp", "/var/tmp"):
            path, good = os.path.realpath(folder), True
            while True:
                good = good and os.stat(path).st_mode & 0o001
                if path == "/":
                    break
                path = os.path.dirname(path)
            if good:
                return folder
        raise Failure("no temporary folder that everybody can enter")

    def launch(self, words, **how):
        """A process that the guard knows of before anything can happen."""
        with self.lock:
            if self.closed:
                raise Failure("it is over")
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, **how)
            self.tell("+", process.pid)
        return process

    def tell(self, mark, pid):
        os.write(self.writer, b"%s%d\n" % (mark.encode(), pid))

    def forget(self, pid):
        with self.lock:
            if not self.closed:
                self.tell("-", pid)

    def close(self):
        with self.lock:
            if self.closed:
                return
            self.closed = True
        os.close(self.writer)
        os.waitpid(self.guard, 0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# ---- the SMTP server at the far end -----------------------------------

class Mail:
    """A message as it arrived: envelope lines and the exact bytes."""

    def __init__(self, envelope, data):
        self.envelope, self.data = envelope, data


class SinkSession(socketserver.StreamRequestHandler):
    OFFERS = (b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n"
              b"250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8")

    def say(self, line):
        self.wfile.write(line + b"\r\n")

    def take(self, envelope):
        self.say(b"354 go on")
        data = []
        while (line := self.rfile.readline()) != b".\r\n":
            if not line:
                return
            data.append(line[1:] if line.startswith(b".") else line)
        self.server.keep(Mail(envelope, b"".join(data)))
        self.say(b"250 2.0.0 kept")

    def handle(self):
        self.say(b"220 sink")
        envelope = []
        for line in self.rfile:
            line = line.rstrip(b"\r\n")
            verb = line[:4].upper()
            if verb in (b"EHLO", b"HELO"):
                self.say(self.OFFERS if verb == b"EHLO" else b"250 sink")
            elif verb in (b"MAIL", b"RCPT"):
                # Sendmail says "MAIL From:".
                before, colon, after = line.partition(b":")
                envelope.append(before.upper() + colon + after)
                self.say(b"250 2.1.0 fine")
            elif verb == b"DATA":
                self.take(envelope)
                envelope = []
            elif verb == b"RSET":
                envelope = []
                self.say(b"250 2.0.0 fine")
            elif verb == b"QUIT":
                self.say(b"221 2.0.0 bye")
                return
            else:
                self.say(b"502 5.5.2 what?")


class Sink(socketserver.ThreadingTCPServer):
    """Takes every message and keeps it."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        """A delivery that is broken off is none."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), SinkSession)
        self.port = self.server_address[1]
        self.mails, self.news = [], threading.Condition()
        threading.Thread(target=self.serve_forever, args=(0.05,),
                         daemon=True).start()

    def keep(self, mail):
        with self.news:
            self.mails.append(mail)
            self.news.notify_all()

    def wait(self, n, patience=PATIENCE):
        """The messages, when there are n of them, or when patience ends."""
        with self.news:
            self.news.wait_for(lambda: len(self.mails) >= n, patience)
            return list(self.mails)


# ---- where mail comes in ----------------------------------------------

class Visitor:
    """Whom an MTA takes a client for: address, name, login. A name with "!"
    before it does not lead back to the address; "?" is one that can't be
    looked up for now."""

    def __init__(self, address, name=None, login=None):
        self.address, self.name, self.login = address, name, login


class Door:
    """An SMTP listener with its own milter and its own sink. options are
    lines of its MTA's configuration."""

    def __init__(self, name, milter, options=()):
        self.name, self.milter = name, milter
        self.options = list(options)
        self.sink = Sink()
        self.port = None
        self.local = False  # the sendmail command's mail goes this way


def make_key(folder):
    """key.pem and cert.pem."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
         "-subj", "/CN=" + HOST, "-keyout", folder + "/key.pem",
         "-out", folder + "/cert.pem"],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


# ---- a client that sends exactly what it is told ----------------------

class Client:
    """hear makes of a line of a reply what the tests know."""

    def __init__(self, port, source=None, hear=str):
        self.port, self.hear = port, hear
        self.sock = socket.create_connection(
            ("::1" if source and ":" in source else "127.0.0.1", port),
            PATIENCE, (source, 0) if source else None)
        self.file = self.sock.makefile("rb")

    def send(self, data):
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.sock.sendall(data)

    def reply(self):
        """The lines of the next reply; [] if the server has gone."""
        lines = []
        while True:
            try:
                line = self.file.readline()
            except ConnectionResetError:
                line = b""
            except TimeoutError:
                raise Failure("no reply within %d s" % PATIENCE) from None
            if not line:
                return lines
            lines.append(self.hear(line.rstrip(b"\r\n").decode(
                "utf-8", "surrogateescape")))
            if line[3:4] != b"-":
                return lines

    def say(self, line):
        """One command, and the last line of its reply."""
        self.send(line.encode("utf-8", "surrogateescape") + b"\r\n")
        return (self.reply() or [""])[-1]

    def start_tls(self, certificate=None, key=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if certificate:
            context.load_cert_chain(certificate, key)
        self.sock = context.wrap_socket(self.sock)
        self.file = self.sock.makefile("rb")

    def close(self):
        self.file.close()
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def plain(login, password="secret"):
    """The initial response of AUTH PLAIN."""
    return base64.b64encode(("\0%s\0%s" % (login, password)).encode()).decode()


def taken(reply):
    """The queue id in the reply to a message, if it was taken."""
    found = QUEUED.match(reply)
    return found and found[1]


def queued(reply):
    """The queue id in the reply to a message that was taken."""
    queue_id = taken(reply)
    if not queue_id:
        raise Failure("not taken: " + reply)
    return queue_id


# ---- vaglio -----------------------------------------------------------

class Vaglio:
    """vaglio in the foreground on a policy in its own folder."""

    def __init__(self, workplace, binary, folder, policy, files=None):
        self.workplace, self.binary, self.folder = workplace, binary, folder
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o755)
        self.path = os.path.join(folder, "vaglio.conf")
        self.socket = os.path.join(folder, "milter.sock")
        self.milter = "unix:" + self.socket
        self.log_path = os.path.join(folder, "log")
        for name, data in (files or {}).items():
            with open(os.path.join(folder, name), "wb") as f:
                f.write(data)
        self.write(policy)
        self.process = None

    def write(self, policy):
        """The policy, with the settings that a test needs; by a rename, as
        an editor does it."""
        for setting, value in (("log", "stderr"), ("socket-mode", "0666"),
                               ("socket", '"%s"' % self.milter)):
            if not re.search(r"(?m)^set %s\s" % setting, policy):
                policy += "\nset %s %s\n" % (setting, value)
        with open(self.path + ".new", "w", errors="surrogateescape") as f:
            f.write(policy)
        os.rename(self.path + ".new", self.path)

    def start(self, *options):
        """Returns when it says that it is ready, as to systemd."""
        ready_path = os.path.join(self.folder, "ready")
        with contextlib.suppress(FileNotFoundError):
            os.unlink(ready_path)
        self.ready = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ready.bind(ready_path)
        os.chmod(ready_path, 0o666)
        with open(self.log_path, "ab") as log:
            self.process = self.workplace.launch(
                [self.binary, "-f", "-c", self.path, *options],
                env=dict(os.environ, NOTIFY_SOCKET=ready_path),
                stdout=log, stderr=log, start_new_session=True)
        self.wait_ready(self.ready)
        return self

    def wait_ready(self, ready):
        end = os.pidfd_open(self.process.pid)
        try:
            seen, _, _ = select.select([ready, end], [], [], PATIENCE)
        finally:
            os.close(end)
        if ready in seen and ready.recv(100).startswith(b"READY=1"):
            return
        if self.process.poll() is not None:
            raise Failure("vaglio ended with status %d:\n%s"
                          % (self.process.returncode, self.log()))
        raise Failure("vaglio is not ready within %d s:\n%s"
                      % (PATIENCE, self.log()))

    def log(self):
        if not self.process:
            return ""
        with open(self.log_path, encoding="utf-8",
                  errors="surrogateescape", newline="\n") as f:
            return f.read()

    def wait_log(self, text, times=1):
        until("%r in vaglio's log" % text,
              lambda: self.log().count(text) >= times)

    def signal(self, sig):
        self.process.send_signal(sig)

    def freeze(self):
        """Until SIGCONT. Returns when none of its threads runs any more."""
        self.signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.workplace.forget(self.process.pid)

    def stop(self):
        """TERM; the exit status."""
        self.process.terminate()
        return self.wait()

    def wait(self):
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failure("vaglio did not end within %d s of SIGTERM"
                          % PATIENCE) from None
        self.workplace.forget(self.process.pid)
        return status
