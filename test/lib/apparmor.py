# SPDX-License-Identifier: GPL-3.0-or-later
#
# What a compiled AppArmor profile permits, where the kernel has no AppArmor:
# apparmor_parser's binary policy is read, and its automaton for files is run
# over a path as the kernel runs it.  Invariant: a policy that is not
# understood is an error, never a permission.
#
#   profiles = apparmor.load(binary policy)
#   profiles["smbd"].allowed("/etc/passwd") -> a set of letters of "rwaxlkm"

import glob
import os
import shutil
import struct
import subprocess

# Permissions as the automaton has them, for the owner in the low bits.
BITS = {"x": 1, "w": 2, "r": 4, "a": 8, "l": 16, "k": 32, "m": 64}
OTHERS = 14         # how far those of others are shifted
DENY_DIFF = 0x80000000
FILES = 2           # the class of file rules, in one automaton for all


class Bad(Exception):
    """Not a policy that is understood here."""


class Automaton:
    """Compressed tables, as flex makes them, in the network's order."""

    ACCEPT, BASE, CHECK, DEFAULT, CLASSES, NEXT = 1, 2, 3, 4, 5, 8

    def __init__(self, data):
        magic, head, size = struct.unpack_from(">III", data)
        if magic != 0x1B5E783D or size > len(data):
            raise Bad("no automaton")
        self.tables = {}
        at = head
        while at < size:
            number, width, high, low = struct.unpack_from(">HHII", data, at)
            if high or width not in (1, 2, 4):
                raise Bad("a table of another kind")
            self.tables[number] = struct.unpack_from(
                ">%d%s" % (low, {1: "B", 2: "H", 4: "I"}[width]), data,
                at + 12)
            at += (12 + low * width + 7) & ~7

    def step(self, state, byte):
        """The state after one byte."""
        t = self.tables
        if self.CLASSES in t:
            byte = t[self.CLASSES][byte]
        while True:
            base = t[self.BASE][state]
            at = (base & 0xFFFFFF) + byte
            if at < len(t[self.CHECK]) and t[self.CHECK][at] == state:
                return t[self.NEXT][at]
            state = t[self.DEFAULT][state]
            if not base & DENY_DIFF:
                return state

    def accept(self, state, text):
        """What is accepted after a text."""
        for byte in text:
            state = self.step(state, byte)
        return self.tables[self.ACCEPT][state]


class Profile:
    """One profile's rules for files."""

    def __init__(self, name, automaton, start):
        self.name = name
        self.automaton = automaton
        self.start = start

    def allowed(self, path):
        """What a path's owner and everybody else may both do."""
        bits = self.automaton.accept(self.start, path.encode())
        return {letter for letter, bit in BITS.items()
                if bits & bit and bits >> OTHERS & bit}


def _elements(data):
    """(depth, name, kind, value) of a serialised policy."""
    at = depth = 0
    name = None
    sizes = {0: "<B", 1: "<H", 2: "<I", 3: "<Q"}
    while at < len(data):
        kind = data[at]
        at += 1
        if kind in sizes:
            value, = struct.unpack_from(sizes[kind], data, at)
            at += struct.calcsize(sizes[kind])
        elif kind in (4, 5):
            length, = struct.unpack_from("<H", data, at)
            value = data[at + 2:at + 1 + length].decode()
            at += 2 + length
            if kind == 4:
                name = value
                continue
        elif kind == 6:
            length, = struct.unpack_from("<I", data, at)
            at += 4
            # the automaton begins where eight bytes are aligned
            value = data[at + -at % 8:at + length]
            at += length
        elif kind in (7, 9, 11):
            value = None
            at += 2 if kind == 11 else 0
        elif kind in (8, 10, 12):
            depth -= 1
            name = None
            continue
        else:
            raise Bad("element %d at %d" % (kind, at))
        yield depth, name, kind, value
        name = None
        if kind in (7, 9, 11):
            depth += 1


def load(data):
    """{name: Profile} of a binary policy, which may be several in a row."""
    found = {}
    name = files = policy = None
    start = 1
    section = None

    def keep():
        if name is None:
            return
        if files is not None:
            found[name] = Profile(name, Automaton(files), start)
        elif policy is not None:
            whole = Automaton(policy)
            found[name] = Profile(name, whole, whole.step(1, FILES))
        else:
            raise Bad("%s has no rules for files" % name)
    for depth, label, kind, value in _elements(data):
        if depth == 0 and label == "profile":
            keep()
            name = files = policy = section = None
            start = 1
        elif depth == 1 and kind == 5 and name is None:
            name = value
        elif depth == 1 and kind == 7:
            section = label
        elif depth == 1 and label == "aadfa" and section is not None:
            files = value
        elif depth == 1 and label == "dfa_start":
            start = value
        elif depth == 2 and label == "aadfa" and section == "policydb":
            policy = value
        elif label == "perms":
            raise Bad("%s has its permissions in a table" % name)
    keep()
    return found


def fetch(root):
    """The distribution's parser and profiles, unpacked in ROOT and not
    installed: (ROOT, None), or (None, why not)."""
    if glob.glob(root + "/etc/apparmor.d/usr.sbin.smbd"):
        return root, None
    shutil.rmtree(root, ignore_errors=True)
    os.makedirs(root)
    options = ["-q", "-o", "APT::Sandbox::User=root", "-o",
               "Acquire::Retries=2"]
    why = "apt-get is not installed"
    for command in (["download", "apparmor", "apparmor-profiles"], ["update"],
                    ["download", "apparmor", "apparmor-profiles"]):
        try:
            done = subprocess.run(
                ["/usr/bin/apt-get", *options, *command], cwd=root, text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=120, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return None, str(error)
        packages = glob.glob(root + "/*.deb")
        if len(packages) == 2:
            break
        why = (done.stdout.strip().splitlines() or [why])[-1]
    else:
        return None, why
    for package in packages:
        subprocess.run(["/usr/bin/dpkg-deb", "-x", package, root], check=True)
    return root, None
