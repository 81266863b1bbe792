# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Another release of Debian in a folder of the checkout, so that the tests can
# run against its Samba: for test/run --samba SUITE, to be sourced after
# common.sh and packages.sh.
#
# Invariant: all that is mounted is mounted in a mount namespace of its own
# and all that is started is started in a process namespace of its own; both
# end with the command that they were made for, however that ends. In the
# checkout nothing but build/SUITE is written.
#
#   build/SUITE/root     the release; the checkout is seen in it as /ntsign
#   build/SUITE/build    what is build/ there
#   build/SUITE/cache    packages that have been fetched

# shellcheck source=packaging/sdk.d/sources.sh
# shellcheck disable=SC2154
. "$top/packaging/sdk.d/sources.sh"

readonly CHROOT_TOP=/ntsign	# where the checkout is, inside
readonly DEBIAN_KEYS=/usr/share/keyrings/debian-archive-keyring.gpg

# A directory that debootstrap has filled, and chroot_configure has not seen,
# is not used.
chroot_is_made()
{
	[[ -e $1/root/etc/ntsign-chroot ]]
}

# chroot_sources SUITE DIR: this machine's package sources, for SUITE in place
# of the machine's own, as one-line sources in DIR/sources.list, and the
# mirror of SUITE itself in DIR/mirror. Only what the mirror offers and
# Debian's keys, or those that the machine names for it, vouch for.
chroot_sources()
{
	local suite=$1 dir=$2 own='' f='' uri='' release='' component=''

	# shellcheck disable=SC1091
	own=$(. /etc/os-release && printf '%s\n' "${VERSION_CODENAME-}")
	if [[ -z $own ]] || ! command -v apt-get >/dev/null; then
		say "this machine is no release of Debian"
		return 1
	fi
	rm -rf -- "$dir"
	mkdir -p -- "$dir/parts" "$dir/lists/partial"
	private_sources deb "$dir/parts"
	for f in "$dir"/parts/*; do
		[[ -e $f ]] || continue
		chroot_rename "$own" "$suite" "$f"
	done
	chroot_key "$dir"
	chroot_apt "$dir" apt-get update >"$dir/update.log" 2>&1 || :
	chroot_apt "$dir" apt-get indextargets --format \
		'$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' >"$dir/found" 2>>"$dir/update.log" || :
	while read -r f uri release component; do
		[[ $f == Debian && $component == main ]] || continue
		printf 'deb [signed-by=%s] %s %s %s\n' \
			/etc/apt/keyrings/machine.gpg "$uri" "$release" \
			"$component" >>"$dir/sources.list"
		if [[ $release == "$suite" && ! -e $dir/mirror ]]; then
			printf '%s\n' "$uri" >"$dir/mirror"
		fi
	done <"$dir/found"
	if [[ ! -e $dir/mirror ]]; then
		say "this machine's package sources have no $suite:" \
			"$(grep -hm 1 '^[EW]:' "$dir/update.log" ||
				echo none is named for "$own")"
		return 1
	fi
}

# chroot_rename OWN SUITE FILE: in sources of apt's, SUITE takes the place of
# OWN, with its updates; whatever is not for OWN is left out.
chroot_rename()
{
	awk -v own="$1" -v suite="$2" '
		# renamed TEXT: the suites among its words, renamed.
		function renamed(text,    n, i, w, s) {
			n = split(text, w, /[ \t\r]+/)
			s = ""
			for (i = 1; i <= n; i++) {
				if (w[i] == own || w[i] == own "-updates" ||
				    w[i] == own "-security") {
					sub("^" own, suite, w[i])
					s = s " " w[i]
				}
			}
			return s
		}
		function flush() {
			if (good) {
				printf "%s\n", stanza
			}
			stanza = ""
			good = 0
		}
		FILENAME ~ /\.list$/ {
			options = ""
			line = $0
			sub(/^deb[ \t]+/, "", line)
			if (match(line, /^\[[^]]*\]/)) {
				options = substr(line, 1, RLENGTH)
				line = substr(line, RLENGTH + 1)
			}
			sub(/^[ \t]+/, "", line)
			n = split(line, w, /[ \t]+/)
			s = renamed(w[2])
			if (s != "" && n > 2) {
				printf "deb %s %s%s", options, w[1], s
				for (i = 3; i <= n; i++) {
					printf " %s", w[i]
				}
				printf "\n"
			}
			next
		}
		/^[ \t\r]*$/ { flush(); next }
		tolower($0) ~ /^suites[ \t]*:/ {
			sub(/^[^:]*:/, "")
			s = renamed($0)
			if (s != "") {
				good = 1
				stanza = stanza "Suites:" s "\n"
			}
			next
		}
		{ stanza = stanza $0 "\n" }
		END { flush() }' "$3" >"$3.new"
	mv -f -- "$3.new" "$3"
	[[ -s $3 ]] || rm -f -- "$3"
}

# chroot_key DIR: the keys that the machine names for its sources, or else
# Debian's, in DIR/keys.gpg; what debootstrap and the chroot's apt check by.
chroot_key()
{
	local key=''

	key=$(sed -nE 's/^[Ss]igned-[Bb]y:[ \t]*(\/[^ \t\r]+)[ \t\r]*$/\1/p
		s/^deb .*\[.*signed-by=(\/[^] ,]+).*\].*/\1/p' \
		"$1"/parts/* 2>/dev/null | head -n 1)
	[[ -n $key && -r $key ]] || key=$DEBIAN_KEYS
	if [[ $key == *.asc ]]; then
		gpg --dearmor <"$key" >"$1/keys.gpg"
	else
		cp -- "$key" "$1/keys.gpg"
	fi
}

# chroot_apt DIR COMMAND...: apt with the sources and lists in DIR only.
chroot_apt()
{
	local dir=$1 command=$2

	shift 2
	"$command" -q -o Dir::Etc::SourceList=/dev/null \
		-o Dir::Etc::SourceParts="$dir/parts" \
		-o Dir::State::Lists="$dir/lists" \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		-o APT::Sandbox::User="$(id -un)" \
		-o Acquire::Languages=none -o Acquire::Retries=2 \
		-o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 \
		"$@" </dev/null
}

# chroot_fill DIR SUITE: makes DIR/root.new from the sources in DIR/apt.
chroot_fill()
{
	local dir=$1 suite=$2 include=()
	local -x DEBIAN_FRONTEND=noninteractive

	[[ $(<"$dir/apt/mirror") != https:* ]] ||
		include=(--include=ca-certificates)
	rm -rf -- "$dir/root.new"
	mkdir -p -- "$dir/root.new" "$dir/cache"
	# debootstrap mounts /proc and /sys in it.
	setpriv --pdeathsig KILL -- unshare --mount \
		--propagation private --pid --fork --kill-child -- debootstrap \
		--variant=minbase --cache-dir="$dir/cache" \
		--keyring="$dir/apt/keys.gpg" "${include[@]}" "$suite" \
		"$dir/root.new" "$(<"$dir/apt/mirror")"
	chroot_configure "$dir/root.new" "$dir/apt"
	rm -rf -- "$dir/root"
	mv -T -- "$dir/root.new" "$dir/root"
}

# chroot_configure ROOT APT: its apt asks where this machine's does, keeps
# what it has fetched, and starts no service.
chroot_configure()
{
	local root=$1 apt=$2

	rm -f -- "$root"/etc/apt/sources.list
	mkdir -p -- "$root/etc/apt/keyrings"
	cp -- "$apt/keys.gpg" "$root/etc/apt/keyrings/machine.gpg"
	chmod 0644 -- "$root/etc/apt/keyrings/machine.gpg"
	cp -- "$apt/sources.list" "$root/etc/apt/sources.list.d/machine.list"
	apt-config dump | grep '^Acquire::' | grep -vE \
		'^Acquire::(IndexTargets|Changelogs|CompressionTypes|cdrom)' \
		>"$root/etc/apt/apt.conf.d/90machine" || :
	printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
	chmod 0755 -- "$root/usr/sbin/policy-rc.d"
	# not brought up to date in our time
	touch -d @0 -- "$root/etc/ntsign-chroot"
}

# chroot_is_old DIR: whether it has not been brought up to date for a day.
chroot_is_old()
{
	[[ -n $(find "$1/root/etc/ntsign-chroot" -mtime +0) ]]
}

# chroot_renew DIR: brings it up to date, as packaging/sdk finds the source of
# the newest package only. Where the mirror does not answer it stays as it is.
# shellcheck disable=SC2016
chroot_renew()
{
	(chroot_run "$1" /bin/sh -c '
		export DEBIAN_FRONTEND=noninteractive
		apt-get -q -o Acquire::Retries=2 update &&
		apt-get -q -y -o Dpkg::Use-Pty=0 \
			-o Dpkg::Options::=--force-confold upgrade &&
		touch /etc/ntsign-chroot') </dev/null ||
		printf '# not brought up to date\n'
}

# What runs in the namespaces first: lays out a machine for the command. /dev
# has what programs need and no device of this machine's besides; /sys can
# only be read; so can the checkout, but for its build/.
# shellcheck disable=SC2016
readonly INSIDE_CHROOT='
	set -eu
	top=$1 dir=$2 inside=$3
	shift 3
	root=$dir/root
	mkdir -p -- "$root$inside" "$dir/build" "$dir/cache/partial" \
		"$top/build"
	for f in hosts resolv.conf; do
		rm -f -- "$root/etc/$f"
		! [ -e "/etc/$f" ] || cat "/etc/$f" >"$root/etc/$f"
	done
	rm -rf -- "$root/tmp" "$root/var/tmp"
	mkdir -m 1777 -- "$root/tmp" "$root/var/tmp"
	mount --bind -- "$root" "$root"
	mount --bind -- "$top" "$root$inside"
	mount -o remount,bind,ro -- "$root$inside"
	mount --bind -- "$dir/build" "$root$inside/build"
	mount --bind -- "$dir/cache" "$root/var/cache/apt/archives"
	mount -t proc proc "$root/proc"
	mount -t sysfs -o ro sysfs "$root/sys"
	if mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup" 2>/dev/null; then
		mount -o remount,bind,ro -- "$root/sys/fs/cgroup"
	fi
	mount -t tmpfs -o mode=0755 tmpfs "$root/run"
	mkdir -m 1777 -- "$root/run/lock"
	dev=$root/dev
	mount -t tmpfs -o mode=0755 tmpfs "$dev"
	mkdir -- "$dev/pts" "$dev/shm"
	for f in null zero full random urandom tty; do
		: >"$dev/$f"
		mount --bind -- "/dev/$f" "$dev/$f"
	done
	mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts \
		"$dev/pts"
	mount -t tmpfs -o mode=1777 tmpfs "$dev/shm"
	ln -s -- pts/ptmx "$dev/ptmx"
	ln -s -- /proc/self/fd "$dev/fd"
	ln -s -- fd/0 "$dev/stdin"
	ln -s -- fd/1 "$dev/stdout"
	ln -s -- fd/2 "$dev/stderr"
	cd -- "$root"
	pivot_root . .
	umount -l .
	cd -- "$inside/build"	# smbtorture writes where it is started
	# No exec: this shell is the first process of its namespace, and waits
	# for those whose parents have ended.
	status=0
	env -i HOME=/root LC_ALL=C.UTF-8 TERM="${TERM-dumb}" \
		PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" || status=$?
	exit "$status"'

# chroot_run DIR COMMAND...: turns into COMMAND, inside. When this process, or
# the one that started it, is killed, all that runs inside ends.
chroot_run()
{
	local dir=$1

	shift
	# shellcheck disable=SC2154
	exec setpriv --pdeathsig KILL -- unshare --mount --propagation private \
		--pid --fork --kill-child -- /bin/bash -c "$INSIDE_CHROOT" \
		chroot "$top" "$dir" "$CHROOT_TOP" "$@"
}

# chroot_possible: whether this machine permits what chroot_run does.
chroot_possible()
{
	unshare --mount --propagation private --pid --fork -- true \
		2>/dev/null
}
