# SPDX-License-Identifier: GPL-3.0-or-later
#
# Clients that together make the module use every file and socket it knows,
# against the smbd of a machine (machine.py).  Invariant: what a client is
# answered is returned, or is a check; nothing is asked of smbd itself.

import hashlib
import os
import ssl

import check

try:
    import remotereg  # noqa: F401  (the quirks are played with it)
    POSSIBLE = True
except ImportError:
    POSSIBLE = False

if POSSIBLE:
    quirks = check.client_program("quirks")
    CERTIFICATE = quirks.CERTIFICATE
    FINGERPRINT = hashlib.sha256(ssl.PEM_cert_to_DER_cert(
        CERTIFICATE)).hexdigest()

AUDIT = "/var/log/samba/ntsign.jsonl"
LOGS = "/var/log/samba"


class Page:
    """What test/clients/quirks sees, as checks."""

    def __init__(self, name):
        self.name = name

    def saw(self, what, got, want):
        check.equal("%s: %s" % (self.name, what), got, want)

    def note(self, text):
        """Neither right nor wrong."""


class Server:
    """A machine's smbd, as test/clients/quirks has it."""

    def __init__(self, machine):
        self.machine = machine
        self.name = "smbd"
        self.audit_file = AUDIT
        self.port = machine.port
        self.user = machine.user
        self.user2 = machine.user2
        self.password = machine.password
        self.directory = os.path.join(machine.dir, "client")
        os.makedirs(os.path.join(self.directory, "client"), exist_ok=True)
        self.conf = quirks.play.write_conf(self.directory)

    # -- what came of it

    def records(self, kind=None, address=None, **fields):
        """Its records; of one client's address only, where one is given."""
        found = check.read_records(self.machine.path(self.audit_file))[0]
        return [r for r in check.select(found, kind, **fields)
                if address in (None, check.address_of(r))]

    def wait(self, count, kind, **fields):
        """The same, once there are so many."""
        check.wait_until(lambda: len(self.records(kind, **fields)) >= count)
        return self.records(kind, **fields)

    def events(self, article, address, count):
        """A quirk's events."""
        def found():
            return [r["event"] for r in self.records(
                "SMBQuirk", address, article=article)]
        check.wait_until(lambda: len(found()) >= count, 10)
        return found()

    def log_text(self):
        """All that smbd and its workers have logged."""
        text = ""
        path = self.machine.path(LOGS)
        for name in sorted(os.listdir(path)):
            if name.startswith("log."):
                text += self.machine.read(LOGS + "/" + name)
        return text

    def forget(self):
        """Its records and logs so far."""
        path = self.machine.path(LOGS)
        for name in os.listdir(path):
            if name.startswith("log.") or name == os.path.basename(AUDIT):
                os.unlink(os.path.join(path, name))

    # -- who does it

    def ntsign(self, *words):
        """The command, where the machine's administrator is."""
        return self.machine.run(
            os.path.join(check.TOP, "build", "out", "ntsign"), *words)

    def reset(self):
        """ntsign reset: what it says."""
        return self.ntsign("reset")[1].strip()

    def quirk(self, name, value):
        """One of test/clients/quirks."""
        try:
            getattr(quirks, name)(Page("%s, %s" % (self.name, name)), self,
                                  value)
        except Exception as error:  # which one is what is shown
            check.ok("%s, %s: to its end" % (self.name, name), False,
                     repr(error))

    def ordinary(self, trees=True):
        """A session of each kind, with a file: [(kind, status)]."""
        return [(kind, self._session(kind, "127.1.0.%d" % n, trees))
                for n, kind in enumerate(("NT4-style", "NTLMSSP", "SMB2_10",
                                          "SMB3_11"), 1)]

    def _session(self, kind, address, trees):
        args = (self.machine.host, self.port, address)
        if kind.startswith("NT"):
            c = check.smb1raw.Client(*args, flags2=0x4)
        else:
            c = check.smb2raw.Client(*args)
        try:
            if kind.startswith("NT"):
                c.negotiate(extended=kind == "NTLMSSP")
            else:
                c.negotiate([kind])
            setup = c.setup_nt4 if kind == "NT4-style" else \
                c.setup_extended if kind == "NTLMSSP" else c.setup
            status = setup(self.user, self.password)["status"]
            if not trees or status != "NT_STATUS_OK":
                return status
            reply = c.tree_connect("share")
            if reply.status == 0:
                reply, fid = c.create("file.txt", disposition=5)
                if fid is not None:
                    reply = c.write(fid, b"there")
            return check.smb1raw.status_name(reply.status)
        except check.smb1raw.Closed:
            return "the connection is ended"
        finally:
            c.close()

    def out_of_step(self):
        """A signed SMB1 session, whose next number is out by 2."""
        c = check.smb1raw.Client(self.machine.host, self.port, "127.1.0.9",
                                 flags2=0x4)
        try:
            c.negotiate()
            c.setup_extended(self.user, self.password)
            c.tree_connect("share")
            c.sequence += 2
            return "answered: %r" % (c.echo().status,)
        except (check.smb1raw.Closed, TimeoutError, OSError) as error:
            return repr(error)
        finally:
            c.close()

    def rpcclient(self, commands):
        """Samba's own client: (status, output)."""
        return check.run(["rpcclient", "--configfile=" + self.conf, "-m",
                          "SMB3", "-U", "%s%%%s" % (self.user, self.password),
                          self.machine.host, "-c", commands])
