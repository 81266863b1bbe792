# SPDX-License-Identifier: GPL-3.0-or-later
#
# smbd under valgrind, with the module in it, and what valgrind found.
# Invariant: no error and no definite leak has a frame of the module's in
# its stack, nor has the place where its memory came from or went; what smbd
# does by itself is told apart by that alone, and nothing is suppressed.
#
# The module's handler of an SMB1 socket calls smbd's own and so is in the
# stack of all that smbd does with an SMB1 frame.  Frames outside of a call of
# smbd's handler are therefore no more the module's than smbd's main() is;
# what smbd calls of the module's from inside of it is.

import os
import shlex
import shutil
import xml.etree.ElementTree as ElementTree

import check

HERE = os.path.join(check.TOP, "build", "test", check.NAME)
OUT = os.path.join(HERE, "xml")
VALGRIND = ["valgrind", "--leak-check=full", "--show-leak-kinds=definite",
            "--keep-debuginfo=yes", "--num-callers=40", "--error-limit=no",
            "--xml=yes", "--child-silent-after-fork=no",
            "--xml-file=%s/%%p.xml" % OUT]
OURS = ("ntsign.so", "ntsign-crypto.so")

SMBD_HANDLER = "smbd_smb1_server_connection_read_handler"


def is_ours(stack):
    """Whether a stack, innermost frame first, has a frame of the module's
    inside of smbd's handler."""
    for frame in stack.iter("frame"):
        if frame.findtext("fn") == SMBD_HANDLER:
            return False
        if os.path.basename(frame.findtext("obj") or "") in OURS:
            return True
    return False


def findings():
    """What valgrind has found: (all, ours as text)."""
    total = 0
    ours = {}
    for name in sorted(os.listdir(OUT)):
        with open(os.path.join(OUT, name), encoding="utf-8",
                  errors="replace") as f:
            text = f.read()
        # A process that was forked off begins in the middle of a document.
        for part in text.split("<error>")[1:]:
            error = ElementTree.fromstring(
                "<error>" + part.partition("</error>")[0] + "</error>")
            total += 1
            if any(is_ours(stack) for stack in error.iter("stack")):
                lines = [error.findtext("kind") + ": " + (
                    error.findtext("what") or error.findtext("xwhat/text"))]
                for frame in error.iter("frame"):
                    lines.append("  %s %s:%s (%s)" % (
                        frame.findtext("fn"), frame.findtext("file"),
                        frame.findtext("line"),
                        os.path.basename(frame.findtext("obj") or "?")))
                ours.setdefault("\n".join(lines), name)
    return total, ["%s\n%s" % (name, text) for text, name in ours.items()]


def fresh():
    """No findings."""
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)


def ours(lab, name, least):
    """The one check of a lab, once it has stopped."""
    lab.quiet(60)
    lab.stop()
    processes = len(os.listdir(OUT))
    total, found = findings()
    print("# %s: %d processes, %d findings in all" % (name, processes, total))
    check.ok(name + ": valgrind watched every process", processes >= least,
             processes)
    check.ok(name + ": it has no finding of ours", not found, *found)


def lab_with(*sets, events="all"):
    """A lab under valgrind."""
    fresh()
    lab = check.Lab(*sets, events=events,
                    options=("--wrap", shlex.join(VALGRIND)))
    lab.start()
    lab._closings = False
    return lab
