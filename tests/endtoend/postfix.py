"""A private Postfix: own configuration, queue and data folders; the system's
Postfix is not touched."""

import base64
import os
import shutil
import socketserver
import subprocess
import threading

from private import (HOST, Client, Failure, end_processes, free_ports,
                     make_key)

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


def postmap(kind, path):
    """Makes a map of the text at path. Debian's Postfix has no main.cf until
    it is set up, so postmap gets one."""
    folder = os.path.dirname(path)
    with open(os.path.join(folder, "main.cf"), "w", encoding="utf-8") as f:
        f.write("compatibility_level = 3.6\n")
    subprocess.run(["postmap", "-c", folder, "%s:%s" % (kind, path)],
                   check=True)


def why_not():
    """Why no private Postfix can be put up here, or None."""
    if os.geteuid() != 0:
        return "a private Postfix needs root"
    if not os.access(MASTER, os.X_OK):
        return "Postfix is not installed (apt-get install postfix)"
    if shutil.which("openssl") is None:
        return "openssl is not installed (apt-get install openssl)"
    return None


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

def spelt(milter):
    """A socket as Postfix spells it: the host before the port."""
    kind, _, rest = milter.partition(":")
    if kind == "unix":
        return milter
    port, _, host = rest.partition("@")
    return "inet:%s:%s" % ("[%s]" % host if ":" in host else host, port)


def overrides(door):
    """What is different at this door, for master.cf."""
    lines = ["content_filter = smtp:[127.0.0.1]:%d" % door.sink.port]
    if door.milter:
        lines.append("smtpd_milters = " + spelt(door.milter))
    return " ".join("-o {%s}" % o for o in lines + door.options)


def xclient_name(name):
    """What XCLIENT says of a visitor's name."""
    if not name:
        return "NAME=[UNAVAILABLE]"
    if name[0] == "?":
        return "NAME=[TEMPUNAVAIL] REVERSE_NAME=[TEMPUNAVAIL]"
    if name[0] == "!":
        return "NAME=[UNAVAILABLE] REVERSE_NAME=" + name[1:]
    return "NAME=%s REVERSE_NAME=%s" % (name, name)


class Postfix:
    """All doors are those of one Postfix, and open from the start."""

    name = "postfix"
    why_not = staticmethod(why_not)

    def __init__(self, workplace, doors):
        self.workplace, self.doors = workplace, doors
        self.top = os.path.join(workplace.top, "postfix")
        self.make_folders()
        make_key(self.top)
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
                        % (d.port, overrides(d)))
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

    def open(self, door):
        """Nothing is left to be done."""

    def close(self, door):
        """They close together."""

    def connect(self, door, visitor=None):
        """A client and the lines that greet it. Others are played with
        XCLIENT."""
        client = Client(door.port)
        greeting = client.reply()
        if visitor:
            said = "XCLIENT ADDR=%s %s" % (
                ("IPV6:" if ":" in visitor.address else "")
                + visitor.address, xclient_name(visitor.name))
            if visitor.login:
                said += " LOGIN=" + visitor.login
            client.send(said.encode() + b"\r\n")
            greeting = client.reply()
        return client, greeting

    @staticmethod
    def logged(line):
        """A line of the log as a case has it."""
        return line

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

    def release(self, door, queue_id):
        subprocess.run(["postsuper", "-c", self.top + "/etc", "-H", queue_id],
                       check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        subprocess.run(["postqueue", "-c", self.top + "/etc", "-i", queue_id],
                       check=True)

    def command(self, door, words, data):
        """The local sendmail command; its exit status and what it said."""
        r = subprocess.run(["/usr/sbin/sendmail", "-C", self.top + "/etc"]
                           + words, input=data, env=self.environment(),
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return r.returncode, r.stdout


