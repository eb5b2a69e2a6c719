"""A private Sendmail for each door, in a network of its own.

Sendmail has no XCLIENT: here clients really have the address and the name
that a case gives them. The whole test runs in a network where every address
is this machine's, with a DNS of its own, and real logins. What is
tried is the .mc of contrib/sendmail.
"""

import ipaddress
import os
import re
import shutil
import socket
import socketserver
import struct
import subprocess
import sys
import threading

from nameserver import A, AAAA, FAILING, PTR, NameServer
from private import (HOST, Client, Failure, end_processes, free_ports,
                     make_key, plain, until)

ROOT = os.environ.get("SENDMAIL", "no")
PROGRAM = ROOT + "/usr/libexec/sendmail/sendmail"
CF = ROOT + "/usr/share/sendmail/cf/"
CONTRIB = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "../../contrib/sendmail/")
SUBMITTER = "nobody"  # whom the sendmail command becomes
INSIDE = "VAGLIO_TEST_NETWORK"

# What is different for each door stands between exclamation marks: m4 runs
# once.
COMMON = """\
divert(-1)
include(`{cf}m4/cf.m4')
divert(0)
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `{host}')dnl
define(`confLOG_LEVEL', `9')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confDONT_BLAME_SENDMAIL', `TrustStickyBit,AssumeSafeChown,\
GroupReadableKeyFile')dnl
define(`STATUS_FILE', `')dnl
define(`HELP_FILE', `')dnl
define(`confTO_IDENT', `0')dnl
define(`confSERVICE_SWITCH_FILE', `{top}/service.switch')dnl
define(`confREFUSE_LA', `1000')dnl
define(`confQUEUE_LA', `1000')dnl
define(`confDELAY_LA', `1000')dnl
"""

MTA_MC = COMMON + """\
define(`confRUN_AS_USER', `root')dnl
define(`QUEUE_DIR', `{top}/queue')dnl
define(`confPID_FILE', `!folder!/pid')dnl
define(`ALIAS_FILE', `')dnl
define(`confPRIVACY_FLAGS', `noetrn')dnl
define(`confMAX_HOP', `1000')dnl
define(`confMAX_HEADERS_LENGTH', `1000000')dnl
define(`confALLOW_BOGUS_HELO', `True')dnl
define(`confSERVER_CERT', `{top}/cert.pem')dnl
define(`confSERVER_KEY', `{top}/key.pem')dnl
define(`confCACERT', `{top}/cert.pem')dnl
define(`confCACERT_PATH', `{top}')dnl
define(`confAUTH_MECHANISMS', `PLAIN')dnl
TRUST_AUTH_MECH(`PLAIN')dnl
define(`SMART_HOST', `sink:[127.0.0.1]')dnl
FEATURE(`access_db', `text -k0 -v1 -T<TMPF> {top}/access')dnl
FEATURE(`blocklist_recipients')dnl
FEATURE(`promiscuous_relay')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`nocanonify')dnl
FEATURE(`no_default_msa')dnl
{listeners}
LOCAL_CONFIG
# Where libsasl2 finds Sendmail.conf.
ESASL_CONF_PATH={top}
MAILER(`smtp')dnl
MAILER_DEFINITIONS
# As that for relays, but header and addresses leave as they came, and parts:
# with a limit for lines (L=) it would write the marks between them anew.
Msink, P=[IPC], F=muXa8k, S=EnvFromSMTP, R=EnvToSMTP, E=\\r\\n, L=0,
	r=5000, T=DNS/RFC822/SMTP, A=TCP $h !sink!
"""

# What is tried, with a listener for each door ...
ONE_POLICY = """\
DAEMON_OPTIONS(`Name=!name!, Family=inet, Addr=127.0.0.1, Port=!port!')dnl
DAEMON_OPTIONS(`Name=!name!, Family=inet6, Addr=::1, Port=!port!')dnl
define(`confVAGLIO', `!milter!')dnl
include(`{contrib}vaglio.mc')dnl
"""
# ... or, with ports of a network of its own, what several policies take.
POLICIES = """\
define(`confVAGLIO', `!milter!')dnl
define(`confVAGLIO_INBOUND', `!milter!')dnl
define(`confVAGLIO_OUTBOUND', `!milter!')dnl
include(`{contrib}policies.mc')dnl
"""

# The sendmail command, which hands its mail to the MTA.
SUBMIT_MC = COMMON + """\
define(`confRUN_AS_USER', `{user}')dnl
define(`MSP_QUEUE_DIR', `{top}/clientmqueue')dnl
define(`RELAY_MAILER_ARGS', `TCP $h !port!')dnl
FEATURE(`msp', `[127.0.0.1]')dnl
"""

# What Sendmail says, and Postfix in its place. Sendmail puts the address at
# hand before a refusal's text.
WORDS = [(re.compile(theirs), ours) for theirs, ours in (
    (r"250 2\.1\.0 .*\.\.\. Sender ok", "250 2.1.0 Ok"),
    (r"250 2\.1\.5 .*\.\.\. Recipient ok", "250 2.1.5 Ok"),
    (r"250 2\.0\.0 (\S+) Message accepted for delivery",
     r"250 2.0.0 Ok: queued as \1"),
    (r"250 2\.0\.0 Reset state", "250 2.0.0 Ok"),
    (r"221 2\.0\.0 \S+ closing connection", "221 2.0.0 Bye"),
    (r"451 4\.3\.2 Please try again later",
     "451 4.7.1 Service unavailable - try again later"),
    (r"503 5\.0\.0 Need RCPT \(recipient\)",
     "554 5.5.1 Error: no valid recipients"),
    (r"([45]\d\d[ -][45]\.\d+\.\d+ )<.*>\.\.\. (.*)", r"\1\2"))]


def as_postfix_says(line):
    for theirs, ours in WORDS:
        found = theirs.fullmatch(line)
        if found:
            return found.expand(ours)
    return line


def in_a_network_of_its_own(words):
    """Runs this program anew, where addresses can be anybody's."""
    if INSIDE in os.environ:
        return
    os.environ[INSIDE] = "yes"
    os.execvp("unshare", ["unshare", "--net", "--uts", "--mount",
                          sys.executable, *words])


def why_not():
    """Why no private Sendmail can be put up here, or None."""
    if os.geteuid() != 0:
        return "a private Sendmail needs root"
    if ROOT == "no":
        return ("no --with-sendmail=DIR was given "
                "(contrib/sendmail/fetch fetches it)")
    for program, package in (("openssl", "openssl"), ("m4", "m4"),
                             ("ip", "iproute2"), ("unshare", "util-linux")):
        if shutil.which(program) is None:
            return "%s is not installed (apt-get install %s)" % (program,
                                                                 package)
    if subprocess.run(["unshare", "--net", "--uts", "--mount", "true"],
                      stderr=subprocess.DEVNULL).returncode:
        return "no network of its own can be made here"
    return None


def is_listening(kind, port):
    """Told without a connection, which the milter would see."""
    with open("/proc/net/" + kind) as f:
        return re.search(r":%04X [0-9A-F]+:0000 0A " % port, f.read())


# ---- the login service ------------------------------------------------

class LoginSession(socketserver.StreamRequestHandler):
    """saslauthd's protocol: login, password, service and realm, and OK if
    the password is "secret"."""

    def handle(self):
        fields = []
        for _ in range(4):
            size, = struct.unpack(">H", self.rfile.read(2))
            fields.append(self.rfile.read(size))
        said = b"OK" if fields[1] == b"secret" else b"NO"
        self.wfile.write(struct.pack(">H", len(said)) + said)


class Logins(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path):
        super().__init__(path, LoginSession)
        threading.Thread(target=self.serve_forever, args=(0.05,),
                         daemon=True).start()


# ---- names ------------------------------------------------------------

class Names:
    """The DNS of this network, and nothing but it for names."""

    FILES = {"hosts": "", "resolv.conf": "nameserver 127.0.0.1\n",
             "nsswitch.conf": "passwd: files\ngroup: files\nhosts: dns\n"}

    def __init__(self, top):
        for name, text in self.FILES.items():
            with open(os.path.join(top, name), "w") as f:
                f.write(text)
            subprocess.run(["mount", "--bind", os.path.join(top, name),
                            "/etc/" + name], check=True)
        self.names, self.lock = {}, threading.Lock()
        self.server = NameServer({HOST: {A: ["192.0.2.25"]}}, 53)

    def add(self, visitor):
        """From now on the address has this name, or none for ever."""
        address = ipaddress.ip_address(visitor.address)
        with self.lock:
            if self.names.setdefault(address, visitor.name) != visitor.name:
                raise Failure("%s is %s already, not %s" % (
                    address, self.names[address], visitor.name))
            if not visitor.name:
                return
            name, zone = visitor.name.lstrip("!?"), self.server.zone
            zone[address.reverse_pointer] = {PTR: [name]}
            if visitor.name.startswith("?"):
                zone[address.reverse_pointer] = FAILING
            elif visitor.name.startswith("!"):
                zone[name.lower()] = {A: ["203.0.113.99"]}
            else:
                kind = A if address.version == 4 else AAAA
                zone[name.lower()] = {kind: [visitor.address]}


# ---- Sendmail ---------------------------------------------------------

class Sendmail:
    """Each door is one Sendmail; they share a queue that nothing runs."""

    name = "sendmail"
    why_not = staticmethod(why_not)

    def __init__(self, workplace, doors):
        self.workplace, self.doors = workplace, doors
        self.top = os.path.join(workplace.top, "sendmail")
        self.make_network()
        os.mkdir(self.top, 0o755)
        os.mkdir(self.top + "/queue", 0o700)
        os.mkdir(self.top + "/clientmqueue", 0o700)
        shutil.chown(self.top + "/clientmqueue", SUBMITTER)
        make_key(self.top)
        os.chmod(self.top + "/key.pem", 0o600)
        self.write()
        self.names = Names(self.top)
        self.logins = Logins(self.top + "/saslauthd")
        self.cf = self.m4(MTA_MC, ONE_POLICY.format(contrib=CONTRIB))
        self.submit_cf = self.m4(SUBMIT_MC)

    @staticmethod
    def make_network():
        socket.sethostname(HOST)
        for words in ("link set lo up", "route add local default dev lo",
                      "-6 route add local default dev lo"):
            subprocess.run(["ip", *words.split()], check=True)
        with open("/proc/sys/net/ipv6/ip_nonlocal_bind", "w") as f:
            f.write("1")

    def write(self):
        for name, text in (
                ("service.switch", "hosts dns\naliases files\n"),
                ("access", "To:refused.invalid REJECT\n"),
                ("Sendmail.conf", "pwcheck_method: saslauthd\n"
                                  "saslauthd_path: %s/saslauthd\n"
                                  "mech_list: PLAIN\n" % self.top)):
            with open(os.path.join(self.top, name), "w") as f:
                f.write(text)

    def m4(self, text, listeners=""):
        made = subprocess.run(
            ["m4", "-D_CF_DIR_=" + CF], text=True, capture_output=True,
            input=text.format(cf=CF, host=HOST, top=self.top, user=SUBMITTER,
                              listeners=listeners))
        if made.returncode:
            raise Failure("m4: " + made.stderr)
        return made.stdout

    def fill_in(self, text, door, path):
        """A configuration for this door. What is in the case comes last:
        "Name=X" is the listener's, "T=X" are the filter's timeouts, the rest
        goes as it is. ("policies.mc" is for open.)"""
        name = "MTA"
        for line in door.options:
            if line.startswith("Name="):
                name = line[5:]
            elif line.startswith("T="):
                text = re.sub("(?m)^(Xvaglio, .*)T=.*", r"\1" + line, text)
            else:
                text += line + "\n"
        for mark, value in (("folder", door.folder), ("name", name),
                            ("port", door.port), ("milter", door.milter),
                            ("sink", door.sink.port)):
            text = text.replace("!%s!" % mark, str(value))
        with open(path, "w") as f:
            f.write(text)

    def open(self, door):
        door.folder = os.path.join(self.top, door.name)
        os.mkdir(door.folder, 0o700)
        if "policies.mc" in door.options:
            door.options.remove("policies.mc")
            door.port = 25
            cf = self.m4(MTA_MC, POLICIES.format(contrib=CONTRIB))
        else:
            door.port, cf = free_ports(1)[0], self.cf
        self.fill_in(cf, door, door.folder + "/sendmail.cf")
        words = ["-bD", "-C" + door.folder + "/sendmail.cf"]
        if os.environ.get("KEEP"):
            words += ["-X", door.folder + "/trace"]
        door.log = door.folder + "/log"
        with open(door.log, "wb") as log:
            door.process = self.workplace.launch([PROGRAM] + words, stdout=log,
                                                 stderr=log)
        until("Sendmail's listeners", lambda: self.is_open(door))

    @staticmethod
    def is_open(door):
        if door.process.poll() is not None:
            with open(door.log) as f:
                raise Failure("Sendmail does not start: " + f.read())
        return is_listening("tcp", door.port) and (
            door.port == 25 or is_listening("tcp6", door.port))

    def close(self, door):
        end_processes([door.process.pid])
        door.process.wait()
        self.workplace.forget(door.process.pid)

    def connect(self, door, visitor=None, port=None):
        """A client and the lines that greet it."""
        if not visitor:
            client = Client(port or door.port, hear=as_postfix_says)
            return client, client.reply()
        self.names.add(visitor)
        client = Client(port or door.port, visitor.address, as_postfix_says)
        greeting = client.reply()
        if visitor.login:
            client.say("EHLO client")
            said = client.say("AUTH PLAIN " + plain(visitor.login))
            if said[:3] != "235":
                raise Failure("the login is not taken: " + said)
        return client, greeting

    @staticmethod
    def logged(line):
        """A line of the log: from MAIL on there is a queue id."""
        if re.match(r"NOQUEUE: .* stage=(?!connect|helo)", line):
            return "{*}" + line[len("NOQUEUE"):]
        return line

    def stop(self):
        """All doors are closed."""

    def where(self, queue_id):
        """The queue that a message is in, or None."""
        for letter, queue in (("q", "active"), ("h", "hold"),
                              ("Q", "corrupt"), ("q", "active")):
            if os.path.exists("%s/queue/%sf%s" % (self.top, letter,
                                                  queue_id)):
                return queue
        return None

    def release(self, door, queue_id):
        cf = "-C" + door.folder + "/sendmail.cf"
        for words in (["-qQ", "-Q", "-qI" + queue_id], ["-qI" + queue_id]):
            subprocess.run([PROGRAM, cf, *words], check=True,
                           stdout=subprocess.DEVNULL)

    def command(self, door, words, data):
        """The sendmail command; its exit status and what it said."""
        cf = door.folder + "/submit.cf"
        self.fill_in(self.submit_cf, door, cf)
        r = subprocess.run([PROGRAM, "-C" + cf, *words], input=data,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return r.returncode, r.stdout
