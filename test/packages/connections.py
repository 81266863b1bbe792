#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The module's files are exchanged, by an upgrade of samba-vfs-ntsign and by
# ntsign-build, while there are connections at every stage: each goes on as if
# nothing had been, also where it needs something of the module's for the
# first time.  Invariant: which file a process has is read from the kernel.
# test/packages/connections has installed what is needed.

import glob
import os
import shutil
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))), "lib"))
HERE = os.path.dirname(os.path.realpath(__file__))
DEBS = "/ntsign/build/debs"
WORK = "/ntsign/build/test/packages/connections"

if HERE != "/ntsign/test/packages" or not os.path.exists(
        "/etc/ntsign-chroot"):
    print("skip packages/connections only for machines that "
          "test/run --packages makes")
    sys.exit(0)


def apt(*arguments):
    """apt-get: (status, output)."""
    done = subprocess.run(
        ["apt-get", "-q", "-y", "-o", "Dpkg::Use-Pty=0",
         "-o", "APT::Install-Recommends=false", "-o", "Acquire::Retries=2",
         "--allow-downgrades", *arguments], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        check=False, env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"))
    return done.returncode, done.stdout


def deb(package):
    """The file of a package of ours."""
    return glob.glob("%s/%s_*.deb" % (DEBS, package))[0]


import check  # noqa: E402  (found by the line above)
from smb1raw import Closed  # noqa: E402  (check has set the path)

MODULES = [line.split(":", 1)[1].strip() for line in
           check.run(["smbd", "-b"])[1].splitlines()
           if line.strip().startswith("MODULESDIR:")][0]
MODULE = MODULES + "/vfs/ntsign.so"
CRYPTO = MODULES + "/ntsign/ntsign-crypto.so"
STAGES = ("connected", "negotiated", "logged on", "in a share",
          "with a file open")
OK = "NT_STATUS_OK"


def done(name, result):
    """One check: (status, output) of a program that succeeded."""
    return check.ok(name, result[0] == 0, *result[1].splitlines()[-30:])


def identity(path):
    """Which file that is now."""
    return os.stat(path).st_ino


def mapped(pid, path):
    """The inodes of the files that PID has of that name."""
    found = set()
    if not os.path.exists("/proc/%d" % pid):
        return found
    with open("/proc/%d/maps" % pid, encoding="utf-8") as f:
        for line in f:
            word = line.split(None, 5)
            if len(word) == 6 and word[5].strip() in (
                    path, path + " (deleted)", path + ".dpkg-new"):
                found.add(int(word[4]))
    return found


class Visitor:
    """A client that has come as far as a stage, and goes on from there."""

    def __init__(self, lab, kind, stage):
        self.lab = lab
        self.kind = kind
        self.name = "%s, %s" % (kind, stage)
        self.left = list(STAGES)
        self.fid = None
        self.seen = []
        self.address = lab.address()
        if kind == "SMB1":
            self.client = lab.smb1(self.address, flags2=0x14, timeout=30)
        else:
            self.client = lab.smb2(self.address, timeout=30)
        self.advance(stage)
        # before the first message nothing is recorded of it
        self.pid = None
        if stage != "connected":
            found = lab.wait("SMBConnection", event="negotiated",
                             seconds=20)
            for record in found:
                if check.address_of(record) == self.address:
                    self.pid = record["pid"]

    def advance(self, stage):
        """Comes as far as STAGE."""
        while self.left:
            step = self.left.pop(0)
            if step == "negotiated":
                self.client.negotiate()
            elif step == "logged on":
                answer = self.client.setup_extended(
                    self.lab.user, self.lab.password, spnego=True) \
                    if self.kind == "SMB1" else \
                    self.client.setup(self.lab.user, self.lab.password)
                self.seen.append(answer["status"])
            elif step == "in a share":
                self.add(self.client.tree_connect("share"))
            elif step == "with a file open":
                reply, self.fid = self.client.create(
                    self.name.replace(" ", "") + ".txt", disposition=5)
                self.add(reply)
            if step == stage:
                break

    def add(self, reply):
        """Keeps what became of a request."""
        self.seen.append(check.smb1raw.status_name(reply.status))

    def goes_on(self):
        """Does all that is left, writes and reads."""
        self.seen = []
        try:
            self.advance(None)
            text = b"after the exchange"
            if self.fid is None:
                raise ValueError("no file: %s" % self.seen)
            self.add(self.client.write(self.fid, text))
            reply, data = self.client.read(self.fid)
            self.add(reply)
            self.seen.append(OK if data == text else data)
            self.add(self.client.echo())
        except (Closed, TimeoutError, ValueError, OSError) as error:
            self.seen.append(error)
        return set(self.seen) == {OK}


class Smbclient:
    """Samba's own client, which stays in a share."""

    def __init__(self, lab):
        self.process = subprocess.Popen(
            ["smbclient", lab.share, "-p", str(lab.port), "-m", "SMB3", "-U",
             "%s%%%s" % (lab.user, lab.password)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.say("put /etc/hostname before.txt")
        check.wait_until(lambda: os.path.exists(
            os.path.join(lab.path, "before.txt")))

    def say(self, line):
        """Types a line."""
        self.process.stdin.write(line.encode("ascii") + b"\n")
        self.process.stdin.flush()

    def end(self):
        """What it has printed."""
        self.say("put /etc/hostname after.txt")
        self.say("ls")
        self.say("quit")
        return self.process.communicate(timeout=60)[0].decode("utf-8",
                                                              "replace")


def first_need(visitor, name):
    """A bad signature: what looks at it is loaded only now."""
    lab = visitor.lab
    expected = visitor.client.sequence
    try:
        visitor.client.echo(sign="skew=2")
    except (Closed, TimeoutError):
        pass
    check.wait_until(lambda: lab.of(visitor.address, "SMBSignature",
                                    event="bad"))
    found = lab.of(visitor.address, "SMBSignature", event="bad")
    check.equal(name + ": a bad signature's number is found",
                [(r["expected"], r["matched"]) for r in found],
                [(expected, expected + 2)])


def lab_of(mode):
    """smbd with the installed module."""
    return check.Lab("ntsign:mode = " + mode, "server signing = auto", options=(
        "--stock", "--set", "preload modules = " + MODULE,
        "--set", "vfs objects = ntsign"))


def exchanged(name, mode, exchange, stages=STAGES):
    """The files are exchanged while clients are there."""
    name = "%s, %s" % (name, mode)
    with lab_of(mode) as lab:
        visitors = [Visitor(lab, kind, stage) for kind in ("SMB1", "SMB3")
                    for stage in stages]
        smbclient = Smbclient(lab)
        known = [v for v in visitors if v.pid is not None]
        before = identity(MODULE)
        crypto = identity(CRYPTO)
        check.equal(name + ": every client has the module",
                    [mapped(v.pid, MODULE) for v in known],
                    [{before}] * len(known))
        check.equal(name + ": none has needed OpenSSL so far",
                    [mapped(v.pid, CRYPTO) for v in known],
                    [set()] * len(known))

        done(name + ": the exchange", exchange())
        after = identity(MODULE)
        check.ok(name + ": both files are other ones",
                 before != after and crypto != identity(CRYPTO))
        for v in visitors:
            check.ok("%s: %s goes on" % (name, v.name), v.goes_on(), v.seen,
                     *lab.log_text().splitlines()[-5:])
            if v.pid is not None:
                check.ok("%s: %s has the old module still" % (name, v.name),
                         before in mapped(v.pid, MODULE))
        first_need([v for v in visitors if v.name.startswith("SMB1, with")][0],
                   name)
        text = smbclient.end()
        check.ok(name + ": smbclient goes on", smbclient.process.returncode
                 == 0 and os.path.exists(os.path.join(lab.path, "after.txt")),
                 text)

        late = Visitor(lab, "SMB3", "in a share")
        check.equal(name + ": a new client has the new module",
                    mapped(late.pid, MODULE), {after})
        check.ok(name + ": and is served", late.goes_on(), late.seen)
        late = Visitor(lab, "SMB1", "in a share")
        check.ok(name + ": so is one of SMB1", late.goes_on(), late.seen)
        first_need(late, name + ", a new client")
        sessions = lab.wait("SMBSession", count=len(visitors) + 3,
                            status=OK)
        check.equal(name + ": every session is recorded", len(sessions),
                    len(visitors) + 3)
        trees = lab.wait("SMBTree", count=len(visitors) + 3)
        check.equal(name + ": every tree connect is recorded once",
                    len([r for r in trees if r.get("share") != "IPC$"]),
                    len(visitors) + 3)
        for c in list(check._open_clients):
            c.close()
        check._open_clients.clear()
        lab.quiet()


def repacked(version):
    """samba-vfs-ntsign as another version, whose files are other ones."""
    tree = os.path.join(WORK, "tree")
    shutil.rmtree(tree, ignore_errors=True)
    made = os.path.join(WORK, "samba-vfs-ntsign_%s.deb" % version)
    subprocess.run(["dpkg-deb", "-R", deb("samba-vfs-ntsign"), tree],
                   check=True)
    control = os.path.join(tree, "DEBIAN", "control")
    with open(control, encoding="utf-8") as f:
        lines = f.readlines()
    with open(control, "w", encoding="utf-8") as f:
        f.writelines("Version: %s\n" % version if t.startswith("Version:")
                     else t for t in lines)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-b", tree,
                    made], check=True, stdout=subprocess.DEVNULL)
    return made


def forced():
    """The module is made anew, from newly fetched headers."""
    since = time.monotonic()
    result = check.run(["ntsign-build", "--force"], 300)
    print("# figure ntsign-build --force: %.1f s" %
          (time.monotonic() - since))
    return result


def main():
    os.makedirs(WORK, exist_ok=True)
    version = check.run(["dpkg-query", "-W", "-f", "${Version}",
                         "samba-vfs-ntsign"])[1]
    number = 0
    for mode in ("audit", "enforce"):
        number += 1
        newer = repacked("%s+x%d" % (version, number))
        exchanged("samba-vfs-ntsign is upgraded", mode,
                  lambda: apt("install", newer))
    done("samba-vfs-ntsign-source takes its place", apt(
        "install", deb("samba-vfs-ntsign-source")))
    # smbd gives a client a minute to log on
    exchanged("ntsign-build --force", "enforce", forced, STAGES[2:])
    check.finish()


main()
