"""A private Postfix on loopback, and what stands around it.

Own configuration, queue and data folders and ports found free at run time;
the system's Postfix is not touched. A guard process ends what was started
and removes the folder when this process is gone, for whatever reason.
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
QUEUED = re.compile(r"250 2\.0\.0 Ok: (?:\d+ bytes )?queued as (\S+)$")
MASTER = "/usr/lib/postfix/sbin/master"

QUEUES = ("active bounce corrupt defer deferred flush hold incoming private "
          "saved trace").split()

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {top}/spool
data_directory = {top}/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
meta_directory = /etc/postfix
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
maillog_file = {top}/maillog
maillog_file_prefixes = {top}
hash_queue_names = saved
myhostname = {host}
mydomain = gate.example
inet_interfaces = 127.0.0.1
inet_protocols = all
mynetworks = 127.0.0.2/32
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
relay_domains = example.com, example.net
notify_classes =
disable_dns_lookups = yes
smtp_host_lookup = native
smtp_tls_security_level = none
smtp_destination_recipient_limit = 5000
default_destination_concurrency_limit = 20
# What goes to no sink of a test, bounces, goes nowhere.
relay_transport = discard
default_transport = discard
in_flow_delay = 0
message_size_limit = 52428800
hopcount_limit = 1000
enable_long_queue_ids = no
smtputf8_enable = yes
strict_smtputf8 = no
# Messages are to arrive as they were sent.
local_header_rewrite_clients =
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated,
    reject_unauth_destination
smtpd_recipient_restrictions =
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_recipient_limit = 5000
smtpd_recipient_overshoot_limit = 5000
smtpd_error_sleep_time = 0
smtpd_soft_error_limit = 1000
smtpd_hard_error_limit = 1000
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {top}/auth.sock
smtpd_sasl_security_options = noanonymous
smtpd_tls_security_level = may
smtpd_tls_cert_file = {top}/cert.pem
smtpd_tls_key_file = {top}/key.pem
smtpd_tls_CAfile = {top}/cert.pem
smtpd_tls_ask_ccert = yes
smtpd_tls_received_header = no
milter_default_action = tempfail
milter_connect_timeout = 10s
milter_command_timeout = 30s
milter_content_timeout = 60s
"""

MASTER_CF = """\
pickup    unix n - n 60 1 pickup {pickup}
cleanup   unix n - n - 0 cleanup
cleanloc  unix n - n - 0 cleanup {cleanloc}
qmgr      unix n - n 300 1 qmgr
tlsmgr    unix - - n 1000? 1 tlsmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


class Failure(Exception):
    """What a test found wrong, in words."""


def why_not():
    """Why no private Postfix can be put up here, or None."""
    if os.geteuid() != 0:
        return "a private Postfix needs root"
    if not os.access(MASTER, os.X_OK):
        return "Postfix is not installed (apt-get install postfix)"
    if shutil.which("openssl") is None:
        return "openssl is not installed (apt-get install openssl)"
    return None


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
        raise Failure("no temporary folder that user postfix can enter")

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
                envelope.append(line)
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


# ---- the login service ------------------------------------------------

class LoginSession(socketserver.StreamRequestHandler):
    """The server's side of Dovecot's auth-client protocol: PLAIN, in one
    step, for anybody whose password is "secret"."""

    def say(self, *fields):
        self.wfile.write("\t".join(fields).encode() + b"\n")

    def handle(self):
        for hello in (("VERSION", "1", "1"), ("MECH", "PLAIN", "plaintext"),
                      ("SPID", str(os.getpid())), ("CUID", "1"),
                      ("COOKIE", "0" * 32), ("DONE",)):
            self.say(*hello)
        for line in self.rfile:
            word, *rest = line.decode("utf-8", "replace").strip().split("\t")
            if word != "AUTH":
                continue
            blob = [f[5:] for f in rest if f.startswith("resp=")]
            parts = base64.b64decode(blob[0]).decode().split("\0")
            if parts[2] == "secret":
                self.say("OK", rest[0], "user=" + parts[1])
            else:
                self.say("FAIL", rest[0], "user=" + parts[1])


class Logins(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Postfix ends its sessions as it likes."""

    def __init__(self, path):
        super().__init__(path, LoginSession)
        os.chmod(path, 0o666)
        threading.Thread(target=self.serve_forever, args=(0.05,),
                         daemon=True).start()


# ---- Postfix ----------------------------------------------------------

class Door:
    """An SMTP listener with its own milter and its own sink."""

    def __init__(self, name, milter, options=()):
        self.name, self.milter = name, milter
        self.options = list(options)
        self.sink = Sink()
        self.port = None
        self.local = False  # the sendmail command's mail goes this way

    def overrides(self):
        lines = ["content_filter = smtp:[127.0.0.1]:%d" % self.sink.port]
        if self.milter:
            lines.append("smtpd_milters = " + self.milter)
        return " ".join("-o {%s}" % o for o in lines + self.options)


class Postfix:
    def __init__(self, workplace, doors):
        self.workplace, self.doors = workplace, doors
        self.top = os.path.join(workplace.top, "postfix")
        self.make_folders()
        self.make_key()
        self.logins = Logins(os.path.join(self.top, "auth.sock"))
        self.start()

    def make_folders(self):
        for folder in ("", "etc", "spool", "spool/pid"):
            os.mkdir(os.path.join(self.top, folder), 0o755)
        for folder in ["data"] + ["spool/" + q for q in QUEUES]:
            self.give(folder, None, 0o700)
        self.give("spool/maildrop", "postdrop", 0o730)
        self.give("spool/public", "postdrop", 0o710)

    def give(self, folder, group, mode):
        path = os.path.join(self.top, folder)
        os.mkdir(path)
        shutil.chown(path, "postfix", group)
        os.chmod(path, mode)

    def make_key(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
             "-subj", "/CN=" + HOST, "-keyout", self.top + "/key.pem",
             "-out", self.top + "/cert.pem"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def write(self):
        local = [d for d in self.doors if d.local]
        door = local[0] if local else None
        pickup = cleanloc = ""
        if door:
            pickup = ("-o cleanup_service_name=cleanloc "
                      "-o content_filter=smtp:[127.0.0.1]:%d"
                      % door.sink.port)
            cleanloc = "-o non_smtpd_milters=" + door.milter
        with open(self.top + "/etc/main.cf", "w") as f:
            f.write(MAIN_CF.format(top=self.top, host=HOST))
        with open(self.top + "/etc/master.cf", "w") as f:
            for d in self.doors:
                f.write("127.0.0.1:%d inet n - n - - smtpd %s\n"
                        % (d.port, d.overrides()))
            f.write(MASTER_CF.format(pickup=pickup, cleanloc=cleanloc))

    def start(self):
        """A port that was free may be taken a moment later: try anew."""
        for _ in range(5):
            ports = free_ports(len(self.doors))
            for door, door.port in zip(self.doors, ports):
                pass
            self.write()
            r = subprocess.run([MASTER, "-c", self.top + "/etc", "-w"],
                               env=self.environment(),
                               stdin=subprocess.DEVNULL,
                               capture_output=True, text=True)
            if r.returncode == 0:
                with open(self.top + "/spool/pid/master.pid") as f:
                    self.pid = int(f.read())
                self.workplace.tell("+", self.pid)
                return
        raise Failure("Postfix does not start:\n" + r.stderr + self.log())

    def environment(self):
        return dict(os.environ, MAIL_CONFIG=self.top + "/etc")

    def stop(self):
        end_processes([self.pid])
        self.workplace.forget(self.pid)

    def log(self):
        try:
            with open(self.top + "/maillog", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def where(self, queue_id):
        """The queue that a message is in, or None."""
        for _ in range(2):  # it may move on while we look
            for queue in ("maildrop", "incoming", "active", "deferred",
                          "hold", "corrupt"):
                path = "%s/spool/%s/%s" % (self.top, queue, queue_id)
                if os.path.exists(path):
                    return queue
        return None

    def release(self, queue_id):
        subprocess.run(["postsuper", "-c", self.top + "/etc", "-H", queue_id],
                       check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        subprocess.run(["postqueue", "-c", self.top + "/etc", "-i", queue_id],
                       check=True)

    def sendmail(self, words, data):
        """The local sendmail command; its exit status and what it said."""
        r = subprocess.run(["/usr/sbin/sendmail", "-C", self.top + "/etc"]
                           + words, input=data, env=self.environment(),
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return r.returncode, r.stdout


# ---- a client that sends exactly what it is told ----------------------

class Client:
    def __init__(self, port, source=None):
        self.port = port
        self.sock = socket.create_connection(
            ("127.0.0.1", port), PATIENCE, (source, 0) if source else None)
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
            lines.append(line.rstrip(b"\r\n").decode("utf-8",
                                                     "surrogateescape"))
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


def queued(reply):
    """The queue id in the reply to a message that was taken."""
    found = QUEUED.match(reply)
    if not found:
        raise Failure("not taken: " + reply)
    return found[1]


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
        with open(self.log_path, encoding="utf-8",
                  errors="surrogateescape", newline="\n") as f:
            return f.read()

    def wait_log(self, text, times=1):
        until("%r in vaglio's log" % text,
              lambda: self.log().count(text) >= times)

    def signal(self, sig):
        self.process.send_signal(sig)

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
