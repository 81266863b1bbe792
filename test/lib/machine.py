# SPDX-License-Identifier: GPL-3.0-or-later
#
# A machine of a test's own, which runs systemd: a copy of this one's files in
# memory, with the module installed where a package would put it, and this
# machine's own smbd.service. Invariant: what is written there is gone with it,
# but for the checkout's build/; it has a network, processes and control groups
# of its own; and however the test ends, nothing of it is left running.
#
#   import machine
#   machine.own_network()           # before anything else
#   import check
#   with machine.Machine() as m:
#       m.configure("ntsign:mode = enforce")
#       m.drop_in("test", "[Service]\nProtectSystem=strict\n")
#       m.restart()

import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.realpath(__file__))))
HERE = "NTSIGN_TEST_NETWORK"
PROGRAMS = ("/usr/lib/systemd/systemd", "/lib/systemd/systemd")
UNSHARE = ("unshare", "--mount", "--propagation", "private")

# Starts the machine in a control group of its own, and ends it when nobody
# holds the other end of standard input any more.
KEEPER = """
set -eu
groups=$1 group=$1/$2
shift 2
mount -t cgroup2 cgroup2 "$groups"
mkdir -- "$group"
/bin/bash -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' join \\
	"$group" "$@" </dev/null &
while kill -s 0 $! 2>/dev/null; do
	read -r -t 0.5 || (($? > 128)) || break
done
kill -s KILL $! 2>/dev/null || :
wait $! || :
for ((i = 0; i < 200; i++)); do
	find "$group" -depth -type d -exec rmdir {} \\; 2>/dev/null || :
	[[ -d $group ]] || exit 0
	read -r -t 0.05 <> <(:) || :
done
exit 1
"""

# The machine: this one's files below an empty layer in memory; devices that
# programs need, and none else; no unit but what the test asks for. What
# could reach this machine's kernel can be read only.
INSIDE = """
set -eu
top=$1 dir=$2 systemd=$3
shift 3
root=$dir/root
mount -t tmpfs -o mode=0755 tmpfs "$dir/layer"
mkdir -- "$dir/layer/upper" "$dir/layer/work"
mount -t overlay -o \\
	"lowerdir=/,upperdir=$dir/layer/upper,workdir=$dir/layer/work" \\
	overlay "$root"
mount -t proc proc "$root/proc"
mount --bind -- "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro -- "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for d in run tmp var/tmp; do
	mkdir -p -- "$root/$d"
	mount -t tmpfs -o mode=0755 tmpfs "$root/$d"
done
chmod 1777 "$root/tmp" "$root/var/tmp"
mkdir -p -- "$root$top/build"
[[ -e $root$top/wscript ]] || mount --bind -- "$top" "$root$top"
mount --bind -- "$top/build" "$root$top/build"
mount -t tmpfs -o mode=0755 tmpfs "$root/dev"
mkdir -- "$root/dev/pts" "$root/dev/shm"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
for f in null zero full random urandom tty; do
	: >"$root/dev/$f"
	mount --bind -- "/dev/$f" "$root/dev/$f"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"

for d in "$root"/{usr/lib,etc}/systemd/system; do
	rm -rf -- "$d"/*.wants "$d"/*.requires "$d"/default.target
done
rm -f -- "$root/etc/machine-id" "$root/etc/fstab"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
cat >"$root/etc/systemd/system/machine.target" <<'END'
[Unit]
Requires=systemd-journald.service
After=systemd-journald.service
END
mkdir -p -- "$root/etc/systemd/journald.conf.d"
cat >"$root/etc/systemd/journald.conf.d/test.conf" <<'END'
[Journal]
Storage=volatile
ReadKMsg=no
Audit=no
RateLimitIntervalSec=0
END

# Samba as it is when it has just been installed.
for d in lib/samba cache/samba log/samba; do
	rm -rf -- "$root/var/$d"
	mkdir -- "$root/var/$d"
done
mkdir -m 0700 -- "$root/var/lib/samba/private"
chmod 0750 -- "$root/var/log/samba"
chgrp adm "$root/var/log/samba"
mkdir -m 0755 -- "$root/run/samba"
rm -f -- "$root/etc/default/samba"

cd -- "$root"
pivot_root . .
umount -l .
exec setpriv --bounding-set=-sys_module,-sys_rawio,-sys_time,-sys_boot -- \\
	env -i container=ntsign PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
	"$systemd" --system --unit=machine.target --show-status=no \\
	--log-target=console --log-level=notice
"""

CONF = """[global]
	workgroup = NTSIGN
	netbios name = MACHINE
	server role = standalone server
	interfaces = lo
	disable netbios = yes
	log file = /var/log/samba/log.%%m
	log level = 1
	server min protocol = NT1
	ntlm auth = ntlmv1-permitted
	raw NTLMv2 auth = yes
	load printers = no
	printing = bsd
	printcap name = /dev/null
	disable spoolss = yes
%s
[share]
	path = /srv/share
	read only = no

[dfs]
	path = /srv/share
	msdfs root = yes
"""


def own_network():
    """Starts the test again where the network, lo only, is its own."""
    if os.environ.get(HERE) == "2":
        return
    program = os.path.realpath(sys.argv[0])
    if HERE not in os.environ:
        os.environ[HERE] = "1"
        unshare = ["unshare", "--net", "--"]
        if subprocess.run(unshare + ["true"], stderr=subprocess.DEVNULL,
                          check=False).returncode != 0:
            print("skip %s no network namespace is permitted here" %
                  os.path.basename(program))
            sys.exit(0)
        os.execvp(unshare[0], unshare + [program] + sys.argv[1:])
    os.environ[HERE] = "2"
    _loopback_up()


def _loopback_up():
    import fcntl
    import socket
    import struct
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        # SIOCSIFFLAGS: IFF_UP | IFF_RUNNING
        fcntl.ioctl(s, 0x8914, struct.pack("16sh14x", b"lo", 0x41))


class CouldNot(Exception):
    """No such machine can be had here, and why."""


class Machine:
    """systemd and this machine's Samba, with the module."""

    user = "games"
    user2 = "news"
    password = "Sandbox2much"
    host = "127.0.0.1"
    port = 445

    def __init__(self, directory, out=None, stock=False):
        self.dir = directory
        self.out = out or os.path.join(TOP, "build", "out")
        self.stock = stock
        self.process = None
        self.pid = None
        with open("/proc/self/status", encoding="ascii") as f:
            self._depth = len(re.search(r"^NSpid:(.*)$", f.read(),
                                        re.M).group(1).split())
        self.group = "ntsign-machine-" + os.urandom(8).hex()
        self._modules = None
        self.preload = None

    # -- its life

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Returns when systemd takes orders; CouldNot."""
        systemd = next((p for p in PROGRAMS if os.path.exists(p)), None)
        if systemd is None or not shutil.which("systemctl"):
            raise CouldNot("systemd is not installed")
        for name in ("groups", "layer", "root"):
            os.makedirs(os.path.join(self.dir, name), exist_ok=True)
        with open(os.path.join(self.dir, "console"), "wb") as console:
            self.process = subprocess.Popen(
                [*UNSHARE, "--", "/bin/bash", "-c", KEEPER, "keeper",
                 os.path.join(self.dir, "groups"), self.group,
                 *UNSHARE, "--pid", "--fork", "--kill-child", "--uts",
                 "--ipc", "--cgroup", "--", "/bin/bash", "-c", INSIDE,
                 "inside", TOP, self.dir, systemd],
                stdin=subprocess.PIPE, stdout=console, stderr=console)
        if not self._wait(lambda: self.process.poll() is not None or
                          self._is_up(), 30) or self.process.poll() is not \
                None:
            raise CouldNot("systemd does not run here: " + self.said())
        self._install()

    def said(self):
        """What systemd printed last."""
        with open(os.path.join(self.dir, "console"), encoding="utf-8",
                  errors="replace") as f:
            return " | ".join(f.read().splitlines()[-5:])

    @staticmethod
    def _wait(condition, seconds):
        import check
        return check.wait_until(condition, seconds)

    def _is_up(self):
        if self.pid is None:
            self.pid = self._first()
        if self.pid is None:
            return False
        return os.path.exists(self.path("/run/systemd/private")) and \
            self.run("systemctl", "is-active", "machine.target")[0] == 0

    def _first(self):
        """Its first process, as it is numbered here."""
        parents = [self.process.pid]
        while parents:
            parent = parents.pop()
            try:
                with open("/proc/%d/task/%d/children" % (parent, parent),
                          encoding="ascii") as f:
                    parents += [int(child) for child in f.read().split()]
                with open("/proc/%d/status" % parent, encoding="ascii") as f:
                    numbers = re.search(r"^NSpid:(.*)$", f.read(), re.M)
            except OSError:
                continue
            numbers = numbers.group(1).split()
            if len(numbers) > self._depth and numbers[-1] == "1":
                return parent
        return None

    def stop(self):
        """Ends all of it."""
        if self.process is None:
            return
        self.process.stdin.close()
        self.process.wait()
        self.process = self.pid = None

    # -- what is in it

    def path(self, name):
        """A file of the machine's, as it is seen from here."""
        return "/proc/%d/root%s" % (self.pid, name)

    def read(self, name):
        """A file's text; none where there is no file."""
        try:
            with open(self.path(name), encoding="utf-8",
                      errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def write(self, name, text):
        """Makes a file, with its directory."""
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)

    def run(self, *command, text=None, namespace=None, seconds=60):
        """Runs a program in it, or where its process NAMESPACE runs."""
        target = "/proc/%d/ns/" % self.pid
        mount = target + "mnt"
        if namespace is not None:
            mount = self.path("/proc/%d/ns/mnt" % namespace)
        try:
            done = subprocess.run(
                ["nsenter", "--mount=" + mount, "--pid=" + target + "pid",
                 "--ipc=" + target + "ipc", "--uts=" + target + "uts",
                 "--", "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
                 "LC_ALL=C.UTF-8", *command],
                input=text, stdin=None if text else subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=seconds, check=False)
        except subprocess.TimeoutExpired as error:
            return 124, str(error.stdout)
        return done.returncode, done.stdout

    def must(self, *command, **kwargs):
        """The same; a program that fails ends the test."""
        status, output = self.run(*command, **kwargs)
        if status != 0:
            raise RuntimeError("%s: status %d: %s" % (
                " ".join(command), status, output))
        return output

    def _install(self):
        modules = re.search(r"^ *MODULESDIR: *(.*)$", self.must("smbd", "-b"),
                            re.M).group(1)
        self.preload = modules + "/vfs/ntsign.so"
        if not self.stock:
            for name in ("vfs/ntsign.so", "ntsign/ntsign-crypto.so"):
                target = self.path(os.path.join(modules, name))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copy(os.path.join(self.out, os.path.basename(name)),
                            target)
        os.makedirs(self.path("/srv/share"))
        os.chmod(self.path("/srv/share"), 0o777)
        self.configure()
        for user in (self.user, self.user2):
            self.must("pdbedit", "-a", "-t", "-u", user,
                      text="%s\n%s\n" % ((self.password,) * 2))

    def configure(self, *lines):
        """smb.conf, with these lines in [global]."""
        if not self.stock:
            lines = ("preload modules = " + self.preload,
                     "vfs objects = ntsign") + lines
        self.write("/etc/samba/smb.conf", CONF % "".join(
            "\t%s\n" % line for line in lines))

    # -- smbd.service

    def drop_in(self, name, text):
        """smbd.service.d/NAME.conf, or none where the text is empty."""
        path = "/etc/systemd/system/smbd.service.d/%s.conf" % name
        if text:
            self.write(path, text)
        elif os.path.exists(self.path(path)):
            os.unlink(self.path(path))
        self.must("systemctl", "daemon-reload")

    def restart(self):
        """smbd.service anew: (status, what systemctl said)."""
        self.run("systemctl", "reset-failed", "smbd.service")
        status, said = self.run("systemctl", "restart", "smbd.service")
        if self.run("systemctl", "is-active", "smbd.service")[0] != 0:
            # one whose ExecCondition is not met is no failure to systemctl
            return 1, said + self.run("systemctl", "status", "--no-pager",
                                      "smbd.service")[1]
        # smbd says that it is ready a moment before it listens
        if not self._wait(self._listens, 10):
            return 1, said + "smbd does not listen"
        return status, said

    def _listens(self):
        """Looked up, as a connection would leave a record."""
        with open("/proc/net/tcp", encoding="ascii") as f:
            return re.search(r":%04X 0+:0+ 0A " % self.port, f.read())

    def stop_smbd(self):
        """Ends it, and forgets what it has left."""
        self.must("systemctl", "stop", "smbd.service")

    def main_pid(self):
        """smbd's process, as it is numbered inside."""
        return int(self.must("systemctl", "show", "-p", "MainPID", "--value",
                             "smbd.service"))

    def journal(self, unit):
        """What the journal has of a unit, a line each."""
        return self.run("journalctl", "--quiet", "--no-pager", "-o", "cat",
                        "-u", unit)[1].splitlines()
