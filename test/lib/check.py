# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the tests against a real smbd share: labs, clients from addresses of
# their own, the records that came of them, and the report, a line a check.
# Invariant: a lab that a test has started is stopped however the test ends,
# and whatever a test plays, its audit file has to be whole and its log
# without a crash: both are checks of every test.
#
#   import check
#   with check.Lab("server signing = mandatory") as lab:
#       def client(address):
#           c = lab.smb1(address, flags2=0x4)
#           c.negotiate()
#           c.setup_extended(lab.user, lab.password)
#       records = lab.play(client)              # all of that connection's
#       check.match("signed", check.one(records, "SMBSession"),
#                   {"outcome": "signed", "client.signing": "enabled"})
#   check.finish()
#
# As a command, for shell scripts (test/lib/check.sh):
#   check.py wait FILE COUNT SECONDS [FIELD=VALUE]...

import atexit
import importlib.machinery
import importlib.util
import itertools
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import traceback

sys.dont_write_bytecode = True

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
# smbd/text, as test/run has it; its labs lie in build/test/smbd/text/
NAME = "/".join(os.path.realpath(sys.argv[0]).split("/")[-2:])
sys.path.insert(0, os.path.join(TOP, "test", "clients"))
# Before anything of Samba's runs: its Python belongs to this python3.
os.environ["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"

import smb1raw  # noqa: E402  (found by the lines above)
import smb2raw  # noqa: E402

LINE_MAX = 4096
TYPES = ("SMBConnection", "SMBSession", "SMBTree", "SMBSignature",
         "SMBQuirk", "SMBAudit")
CRASH = re.compile(r"PANIC|INTERNAL ERROR|Sanitizer|runtime error:|"
                   r"BACKTRACE|smb_panic|bad talloc|talloc: access after")


def client_program(name):
    """A program of test/clients that has no .py, as a module."""
    path = os.path.join(TOP, "test", "clients", name)
    loader = importlib.machinery.SourceFileLoader(name, path)
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


# --- the report --------------------------------------------------------------

class Report:
    """How many checks there were, and how they ended."""
    passed = 0
    failed = 0
    skipped = 0


def ok(name, good, *details):
    """One check; the details, a line each, are shown where it failed."""
    name = " ".join(name.split())
    if good:
        Report.passed += 1
        print("ok %s" % name, flush=True)
        return True
    Report.failed += 1
    print("not ok %s" % name)
    for detail in details:
        for line in str(detail).splitlines():
            print("#   " + line)
    sys.stdout.flush()
    return False


def skip(name, reason):
    """A check that cannot be made here, and why."""
    Report.skipped += 1
    print("skip %s %s" % (name, reason), flush=True)


def equal(name, got, want, *details):
    """One check: GOT is WANT."""
    return ok(name, got == want, "is        %r" % (got,),
              "should be %r" % (want,), *details)


def field(record, name):
    """A field by its dotted name; None where there is none."""
    for part in name.split("."):
        if not isinstance(record, dict) or part not in record:
            return None
        record = record[part]
    return record


def differences(record, want):
    """What in RECORD is not as in WANT, a line each.

    WANT has dotted names; a value may be a function, which is asked; None
    stands for null or absent.
    """
    if record is None:
        return ["there is no such record"]
    lines = []
    for name, value in want.items():
        got = field(record, name)
        good = value(got) if callable(value) else got == value
        if not good:
            lines.append("%s is %r%s" % (
                name, got, "" if callable(value)
                else ", should be %r" % (value,)))
    return lines


def match(name, record, want, *details):
    """One check: every field of WANT is so in RECORD."""
    lines = differences(record, want)
    return ok(name, not lines, *lines, "record: " + json.dumps(record),
              *details)


def finish():
    """Ends the test, with its exit status."""
    if Report.passed + Report.failed + Report.skipped == 0:
        ok("%s has checks" % NAME, False)
    sys.exit(1 if Report.failed else 0)


# --- waiting -----------------------------------------------------------------

def wait_until(condition, seconds=20):
    """Asks until CONDITION() is true; returns it, or what it was last."""
    end = time.monotonic() + seconds
    delay = 0.002
    while True:
        result = condition()
        if result or time.monotonic() > end:
            return result
        # select's way of letting time pass; the condition decides.
        signal.sigtimedwait([], delay)
        delay = min(delay * 1.5, 0.1)


# --- records -----------------------------------------------------------------

def parse(line):
    """One line (bytes, without its end) as a record; ValueError."""
    if len(line) + 1 > LINE_MAX:
        raise ValueError("%d bytes" % (len(line) + 1))
    whole = json.loads(line.decode("utf-8"))
    kind = whole["type"]
    if list(whole) != ["timestamp", "type", kind] or kind not in TYPES:
        raise ValueError("not the envelope of a record")
    record = {"type": kind, "timestamp": whole["timestamp"]}
    record.update(whole[kind])
    if record["version"]["major"] != 1:
        raise ValueError("version %r" % record["version"])
    return record


def read_records(path):
    """(records, complaints) of an audit file; no file is an empty one."""
    try:
        with open(path, "rb") as f:
            lines = f.read().split(b"\n")
    except FileNotFoundError:
        return [], []
    records = []
    complaints = []
    rest = lines.pop()
    if rest:
        complaints.append("unfinished: %r" % rest[:200])
    for line in lines:
        try:
            records.append(parse(line))
        except (ValueError, KeyError, TypeError) as error:
            complaints.append("%s: %r" % (error, line[:200]))
    return records, complaints


def select(records, kind=None, **fields):
    """Those of a type with these fields; __ stands for the dot."""
    want = {name.replace("__", "."): value for name, value in fields.items()}
    return [r for r in records if kind in (None, r["type"]) and
            not differences(r, want)]


def one(records, kind, **fields):
    """The only such record; None where there is none or are several."""
    found = select(records, kind, **fields)
    return found[0] if len(found) == 1 else None


def address_of(record):
    """Its remoteAddress without family and port."""
    found = re.match(r"ipv[46]:(.*):\d+$", record.get("remoteAddress") or "")
    return found.group(1) if found else None


# --- labs --------------------------------------------------------------------

_running = []


class Lab:
    """A private smbd. SETS are lines of [global]; OPTIONS test/lab's own.

    Its attributes are test/lab's variables: dir, port, conf, share, user,
    password, audit, bin, pid, user2, path, log.
    """

    _numbers = itertools.count(1)

    def __init__(self, *sets, options=(), events="all", stock=False):
        number = next(self._numbers)
        self.dir = os.path.join(TOP, "build", "test", NAME, "lab%d" % number)
        self.command = [os.path.join(TOP, "test", "lab"), "start",
                        "--dir", self.dir]
        if stock:
            self.command.append("--stock")
        elif events:
            self.command += ["--set", "ntsign:audit events = " + events]
        for line in sets:
            self.command += ["--set", line]
        self.command += list(options)
        self.name = "lab %d" % number if number > 1 else "lab"
        self._closings = events == "all" and not stock
        self._next = itertools.count()
        self._play = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Starts it; a lab that does not start ends the test."""
        audit = os.path.join(self.dir, "ntsign.jsonl")
        for path in (audit, os.path.join(self.dir, "log.smbd")):
            if os.path.isfile(path):
                os.unlink(path)
        _running.append(self)
        done = subprocess.run(self.command, stdout=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, text=True,
                              check=False)
        if done.returncode != 0:
            _running.remove(self)
            ok("%s starts" % self.name, False, shlex.join(self.command))
            finish()
        for word in shlex.split(done.stdout):
            name, value = word.split("=", 1)
            setattr(self, name[4:].lower(), value)
        self.port = int(self.port)
        self.pid = int(self.pid)
        self._idle = len(self._children())
        return self

    def stop(self, checks=True):
        """Stops it, and makes the checks that every lab is due."""
        if self not in _running:
            return
        _running.remove(self)
        subprocess.run([os.path.join(TOP, "test", "lab"), "stop", "--dir",
                        self.dir], stdin=subprocess.DEVNULL, check=False)
        if not checks:
            return
        complaints = read_records(self.audit)[1]
        ok("%s: every line of the audit file is whole" % self.name,
           not complaints, *complaints[:5])
        crashes = [line for line in self.log_text().splitlines()
                   if CRASH.search(line)]
        ok("%s: no crash in smbd's log" % self.name, not crashes,
           *crashes[:5])

    def log_text(self):
        """smbd's log, and what it and its parts printed."""
        text = ""
        for name in sorted(os.listdir(self.dir)):
            if name.startswith("log.") or name == "lab.out":
                with open(os.path.join(self.dir, name), encoding="utf-8",
                          errors="replace") as f:
                    text += f.read()
        return text

    def exec(self, *command, **kwargs):
        """Runs COMMAND where the lab's smbd runs: (status, output)."""
        return run([os.path.join(TOP, "test", "lab"), "exec", "--dir",
                    self.dir, *command], **kwargs)

    # -- what happened

    def _children(self):
        path = "/proc/%d/task/%d/children" % (self.pid, self.pid)
        with open(path, encoding="ascii") as f:
            return f.read().split()

    def quiet(self, seconds=20):
        """Waits until no connection's process is left."""
        return wait_until(lambda: len(self._children()) <= self._idle,
                          seconds)

    def records(self, kind=None, **fields):
        """The records so far."""
        return select(read_records(self.audit)[0], kind, **fields)

    def wait(self, kind=None, count=1, seconds=20, **fields):
        """Waits for COUNT such records; returns those that are there."""
        wait_until(lambda: len(self.records(kind, **fields)) >= count,
                   seconds)
        return self.records(kind, **fields)

    def of(self, address, kind=None, **fields):
        """The records of one client's address so far."""
        return [r for r in self.records(kind, **fields)
                if address_of(r) == address]

    def track_bad_passwords(self):
        """Has smbd count wrong passwords; without a limit it does not."""
        return self.exec("pdbedit", "-s", self.conf, "-P",
                         "bad lockout attempt", "-C", "1000")

    def bad_passwords(self, user=None):
        """How many it has counted of an account."""
        text = self.exec("pdbedit", "-s", self.conf, "-v",
                         user or self.user)[1]
        found = re.search(r"^Bad password count *: *(\d+)", text, re.M)
        return int(found.group(1)) if found else text

    # -- clients

    def address(self):
        """An address on loopback that no client of this lab has had."""
        n = next(self._next)
        return "127.0.%d.%d" % (1 + n // 250, n % 250 + 1)

    def play(self, client, address=None):
        """Runs CLIENT(address); returns all records of its address.

        What the client returns is kept in self.result. A connection that
        the server closed, or left without an answer, is no error.
        """
        address = address or self.address()
        before = len(self.of(address, "SMBConnection", event="closed"))
        self.result = None
        try:
            self.result = client(address)
        except (smb1raw.Closed, TimeoutError) as error:
            self.result = error
        finally:
            opened = len(_open_clients)
            for c in _open_clients:
                c.close()
            _open_clients.clear()
        if self._closings:
            # smbd may not even have taken the connection yet
            wait_until(lambda: len(self.of(
                address, "SMBConnection", event="closed")) >= before + opened)
        if not self.quiet():
            ok("the connection of %s ends" % address, False)
        return self.of(address)

    def smb1(self, address, **kwargs):
        """An smb1raw client from ADDRESS, of IPv4 or IPv6."""
        host = "::1" if ":" in address else "127.0.0.1"
        return _opened(smb1raw.Client(host, self.port, address, **kwargs))

    def smb2(self, address, **kwargs):
        """An smb2raw client from ADDRESS, of IPv4 or IPv6."""
        host = "::1" if ":" in address else "127.0.0.1"
        return _opened(smb2raw.Client(host, self.port, address, **kwargs))

    def bystander(self):
        """A client that stays and has to be served whatever else happens."""
        return Bystander(self)

    def relay(self, address, **at):
        """A context whose .port leads to the lab from ADDRESS."""
        if self._play is None:
            self._play = client_program("play")
        return self._play.Relay(address, self.port, **at)

    def client_conf(self):
        """An smb.conf for Samba's clients, apart from the system's."""
        directory = os.path.join(self.dir, "client")
        conf = os.path.join(directory, "smb.conf")
        if not os.path.exists(conf):
            os.makedirs(directory, exist_ok=True)
            if self._play is None:
                self._play = client_program("play")
            self._play.write_conf(directory)
        return conf

    def smbclient(self, address, *options, command="ls", share="share",
                  user=None, password=None, anonymous=False):
        """Debian's smbclient from ADDRESS: (status, output)."""
        with self.relay(address) as relay:
            who = "%" if anonymous else "%s%%%s" % (
                user or self.user,
                self.password if password is None else password)
            return run(["smbclient", "--configfile=" + self.client_conf(),
                        "-p", str(relay.port), "//127.0.0.1/" + share,
                        "-U", who, "-c", command, *options])


class Bystander:
    """A client from 127.0.254.254 whose connection no play() waits for."""

    def __init__(self, lab):
        self.lab = lab
        self.seen = []
        self.client = smb1raw.Client("127.0.0.1", lab.port, "127.0.254.254",
                                     timeout=60, flags2=0x4)
        self.client.negotiate()
        self.status = self.client.setup_extended(lab.user, lab.password,
                                                 spnego=True)["status"]
        self.client.tree_connect("share")
        lab._idle += 1

    def served(self):
        """Whether it still is: an echo, a file. self.seen: its answers."""
        self.seen = [self.status]
        try:
            reply, fid = self.client.create("bystander.txt", disposition=5)
            self.seen.append(reply.status)
            if fid is not None:
                self.seen += [self.client.write(fid, b"here").status,
                              self.client.close_file(fid).status,
                              self.client.echo().status]
        except (smb1raw.Closed, smb1raw.Malformed, TimeoutError) as error:
            self.seen.append(error)
        return self.seen == ["NT_STATUS_OK", 0, 0, 0, 0]

    def leave(self, name):
        """One check, that it was served to the end; and its end."""
        ok("%s: a bystander's connection is served" % name, self.served(),
           self.seen)
        self.client.close()
        self.lab._idle -= 1


def _opened(client):
    _open_clients.append(client)
    return client


_open_clients = []


def run(command, seconds=120, **kwargs):
    """Runs a program to its end: (status, output)."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=seconds,
                              check=False, **kwargs)
    except subprocess.TimeoutExpired as error:
        return 124, (error.stdout or b"").decode("utf-8", "replace")
    return done.returncode, done.stdout.decode("utf-8", "replace")


# --- however it ends ---------------------------------------------------------

def _stop_all():
    for lab in list(_running):
        lab.stop(checks=False)


def _ended(number, _):
    sys.exit(128 + number)


def _failed(kind, value, trace):
    if issubclass(kind, KeyboardInterrupt):
        return
    ok("%s runs to its end" % NAME, False,
       "".join(traceback.format_exception(kind, value, trace)))


def main():
    """check.py wait FILE COUNT SECONDS [FIELD=VALUE]..."""
    if len(sys.argv) < 5 or sys.argv[1] != "wait":
        print("usage: check.py wait FILE COUNT SECONDS [FIELD=VALUE]...",
              file=sys.stderr)
        return 2
    path, count, seconds = sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    want = dict(word.split("=", 1) for word in sys.argv[5:])

    def as_text(value):
        return value if isinstance(value, str) else json.dumps(value)

    def found():
        return [r for r in read_records(path)[0]
                if all(as_text(field(r, name)) == value
                       for name, value in want.items())]
    enough = wait_until(lambda: len(found()) >= count, seconds)
    for record in found():
        print(json.dumps(record))
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())

os.umask(0o022)
atexit.register(_stop_all)
for _signal in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
    signal.signal(_signal, _ended)
sys.excepthook = _failed
