# SPDX-License-Identifier: GPL-3.0-or-later
#
# What the tests of syslog and of the journal share: a mount namespace whose
# /dev and /run are the test's own, and a syslog daemon.  Invariant: the
# system's own /dev and /run are not touched.
#
#   import logger
#   logger.own_namespace()          # before anything else
#   import check

import os
import socket
import subprocess
import sys
import threading

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
HERE = "NTSIGN_TEST_NAMESPACE"

# Turns the namespace's /dev into a small one, from the system's devices, and
# its /run into an empty one.
OWN_DEV = """
set -eu
new=$1
shift
mount -t tmpfs -o size=64k,mode=0755 tmpfs "$new"
for f in null zero full random urandom tty ptmx; do
	: >"$new/$f"
	mount --bind "/dev/$f" "$new/$f"
done
for d in pts shm; do
	mkdir "$new/$d"
	mount --bind "/dev/$d" "$new/$d"
done
ln -s /proc/self/fd "$new/fd"
mount --move "$new" /dev
mount -t tmpfs -o mode=0755 tmpfs /run
exec "$@"
"""


def own_namespace():
    """Starts the test again where /dev and /run are its own."""
    if HERE in os.environ:
        return
    program = os.path.realpath(sys.argv[0])
    new = os.path.join(TOP, "build", "test",
                       *program.split("/")[-2:], "dev")
    os.makedirs(new, exist_ok=True)
    unshare = ["unshare", "--mount", "--propagation", "private", "--"]
    if subprocess.run(unshare + ["mount", "-t", "tmpfs", "tmpfs", new],
                      check=False).returncode != 0:
        print("skip %s no mount namespace is permitted here" %
              os.path.basename(program))
        sys.exit(0)
    os.environ[HERE] = "1"
    os.execvp(unshare[0], unshare + ["/bin/bash", "-c", OWN_DEV, "own_dev",
                                     new, program])


class Daemon:
    """What a syslog daemon does: reads its socket, all the time."""

    def __init__(self, path="/dev/log"):
        self.path = path
        if os.path.lexists(path):
            os.unlink(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.messages = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while True:
            data = self.socket.recv(65536)
            if data == b"end":
                return
            self.messages.append(data)

    def end(self):
        """Stops reading; what smbd sent: [(priority, JSON text)]."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.sendto(b"end", self.path)
        self.thread.join()
        self.socket.close()
        found = []
        for data in self.messages:
            priority, _, rest = data.rstrip(b"\0\n").partition(b">")
            at = rest.find(b"{")
            if at > 0 and b"smbd" in rest[:at]:
                found.append((int(priority[1:]), rest[at:]))
        return found
