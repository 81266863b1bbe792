# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# What the tests of the packages share, inside a machine that test/run
# --packages has made; to be sourced after common.sh and check.sh by a script
# that has set `top`.  Invariant: it works nowhere else, as it installs and
# removes packages.

# shellcheck source=test/lib/module.sh
# shellcheck disable=SC2154
. "$top/test/lib/module.sh"
# shellcheck source=packaging/sdk.d/sources.sh
# shellcheck disable=SC2154
. "$top/packaging/sdk.d/sources.sh"

# shellcheck disable=SC2153
if [[ $top != /ntsign || ! -e /etc/ntsign-chroot ]]; then
	skip "$NAME" "only for machines that test/run --packages makes"
	finish
fi
umask 022
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1

# The packages that the test build has left.
# shellcheck disable=SC2034
readonly DEBS=$top/build/debs
# This machine's own package source.
readonly LOCAL=/srv/ntsign
readonly WORK=$top/build/test/$NAME
mkdir -p -- "$WORK"

# figure TEXT: a measured value, for the log's reader.
figure()
{
	printf '# figure %s\n' "$*"
}

# seconds MILLISECONDS: as a number to read.
seconds()
{
	printf '%d.%d s' "$(($1 / 1000))" "$(($1 % 1000 / 100))"
}

# apt_do ARGUMENT...: apt-get as an administrator's script calls it. What it
# printed last is in $WORK/apt.log.
apt_do()
{
	apt-get -q -y -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold \
		-o Acquire::Retries=2 -o APT::Install-Recommends=false "$@" \
		</dev/null >"$WORK/apt.log" 2>&1 || {
		local status=$?
		tail -n 40 -- "$WORK/apt.log"
		return "$status"
	}
}

# version_of PACKAGE: the installed one; nothing where it is not.
version_of()
{
	dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null |
		sed -n 's/^installed //p'
}

# offered PACKAGE: the versions that the sources offer, newest first.
offered()
{
	apt-cache madison "$1" | awk -F'|' '
		{ gsub(/ /, "", $2) } !seen[$2]++ { print $2 }' |
		while read -r v; do
			printf '%s\n' "$v"
		done | sort -rV
}

# is_installed PACKAGE...: whether all are, wholly.
is_installed()
{
	[[ -z $(packages_absent "$@") ]]
}

packages_absent()
{
	local p=''

	for p in "$@"; do
		[[ -n $(version_of "$p") ]] || printf '%s\n' "$p"
	done
}

# --- this machine's own package source ---------------------------------------

# local_add FILE...: offers these packages too.
local_add()
{
	mkdir -p -- "$LOCAL"
	cp -- "$@" "$LOCAL/"
	local_update
}

# local_update: apt's list of what lies in LOCAL. Its own list only: where
# the mirror is not to be had, this goes on working.
local_update()
{
	local deb=''

	: >"$LOCAL/Packages.new"
	for deb in "$LOCAL"/*.deb; do
		dpkg-deb -f "$deb"
		printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' \
			"${deb##*/}" "$(stat -c %s -- "$deb")" \
			"$(sha256sum -- "$deb" | cut -d' ' -f1)"
	done >"$LOCAL/Packages.new"
	mv -f -- "$LOCAL/Packages.new" "$LOCAL/Packages"
	printf 'deb [trusted=yes] file:%s ./\n' "$LOCAL" \
		>/etc/apt/sources.list.d/local.list
	apt-get -q update -o Dir::Etc::SourceList=/dev/null \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::SourceList=/etc/apt/sources.list.d/local.list \
		-o APT::Get::List-Cleanup=no >"$WORK/update.log" 2>&1
}

# --- Samba -------------------------------------------------------------------

# samba_packages: the installed packages that Samba's source makes.
samba_packages()
{
	dpkg-query -W -f '${db:Status-Status} ${source:Package} ${Package}\n' |
		awk '$1 == "installed" && $2 == "samba" { print $3 }'
}

# samba_here VERSION: whether all of them are of that version.
samba_here()
{
	local p=''

	for p in $(samba_packages); do
		[[ $(version_of "$p") == *"${1#*:}" ]] || {
			printf '%s %s\n' "$p" "$(version_of "$p")"
			return 1
		}
	done
	is_installed samba
}

# samba_pin VERSION: what Samba's source makes is wanted in VERSION, even if
# that is older. Some of it has Samba's version at the end of its own.
samba_pin()
{
	printf 'Package: src:samba\nPin: version *%s\nPin-Priority: 1001\n' \
		"${1#*:}" >/etc/apt/preferences.d/samba
}

# samba_to VERSION: as an administrator's upgrade does, or, where VERSION is
# older, as one who goes back does.
samba_to()
{
	samba_pin "$1"
	apt_do --allow-downgrades --with-new-pkgs upgrade
}

# source_apt COMMAND...: apt with the sources of source packages that
# packaging/sdk makes of this machine's.
source_apt()
{
	local command=$1

	shift
	"$command" -q -o Dir::Etc::SourceList=/dev/null \
		-o Dir::Etc::SourceParts="$WORK/source/parts" \
		-o Dir::State::Lists="$WORK/source/lists" \
		-o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		-o APT::Sandbox::User=root -o Acquire::Retries=2 "$@"
}

# source_complete VERSION: Samba's source of that version can be fetched. Where
# a mirror has all of it but the .dsc, whose text its index has too, LOCAL
# offers the whole.
source_complete()
{
	local dir=$WORK/source stanza=''

	rm -rf -- "$dir"
	mkdir -p -- "$dir/lists/partial" "$dir/get"
	private_sources deb-src "$dir/parts"
	source_apt apt-get update >"$dir/log" 2>&1 || :
	cd -- "$dir/get" || return
	source_apt apt-get source --only-source --download-only \
		"samba=$1" >>"$dir/log" 2>&1 && return 0
	stanza=$(source_apt apt-cache showsrc --only-source samba |
		awk -v version="$1" -v RS= '
			index("\n" $0 "\n", "\nVersion: " version "\n") {
				print
				exit
			}')
	if [[ -z $stanza ]] || ! compgen -G '*.orig.tar.*' >/dev/null ||
	    ! compgen -G '*.debian.tar.*' >/dev/null; then
		tail -n 5 -- "$dir/log"
		return 1
	fi
	source_offer "$stanza"
}

# source_offer STANZA: what an index says of a source package, and its files
# in the current directory, offered by LOCAL.
source_offer()
{
	local dsc='' sum='' f=''

	dsc=$(sed -nE 's/^ [0-9a-f]{64} [0-9]+ (.*\.dsc)$/\1/p' <<<"$1")
	sed -E '/^ [0-9a-f]+ [0-9]+ .*\.dsc$/d
		/^(Directory|Priority|Section):/d
		/^Files:/,/^[^ ]/{
			/^Files:/d
			/^ /d
		}
		s/^Package: /Source: /' <<<"$1" >"$dsc"
	{
		printf 'Files:\n'
		for f in *.tar.*; do
			printf ' %s %s %s\n' "$(md5sum <"$f" | cut -d' ' -f1)" \
				"$(stat -c %s -- "$f")" "$f"
		done
	} >>"$dsc"
	sum=$(sha256sum -- "$dsc" | cut -d' ' -f1)
	{
		sed -E '/^(Files|Checksums-[A-Za-z0-9]+):/,/^[^ ]/{
				/^(Files|Checksums-[A-Za-z0-9]+):/d
				/^ /d
			}
			/^Directory:/d' <<<"$1"
		printf 'Directory: .\nChecksums-Sha256:\n'
		printf ' %s %s %s\n' "$sum" "$(stat -c %s -- "$dsc")" "$dsc"
		sed -nE '/^ [0-9a-f]{64} [0-9]+ .*\.tar\..*$/p' <<<"$1"
		printf '\n'
	} >>"$LOCAL/Sources"
	mv -- ./* "$LOCAL/"
}

# --- the module --------------------------------------------------------------

# module_files: the two objects.
module_files()
{
	local dir=''

	dir=$(modules_dir)
	printf '%s\n' "$dir/vfs/ntsign.so" "$dir/ntsign/ntsign-crypto.so"
}

# module_sum: one number for both.
module_sum()
{
	module_files | xargs cat 2>/dev/null | sha256sum | cut -d' ' -f1
}

# note_of FILE FIELD: what the object's note says.
note_of()
{
	/usr/bin/python3 "$top/test/lib/note.py" "$1" | sed -n "s/^$2=//p"
}

# smbd_version: as the module's note has it.
smbd_version()
{
	smbd -V | sed -n 's/^Version //p'
}

# server_start [OPTION...]: the installed smbd with the installed module.
server_start()
{
	local dir=''

	dir=$(modules_dir)
	lab_start --stock --set "preload modules = $dir/vfs/ntsign.so" \
		--set 'vfs objects = ntsign' "$@"
}

# play DIALECT [COMMAND]: Samba's smbclient.
play()
{
	timeout 60 smbclient "$LAB_SHARE" -p "$LAB_PORT" -m "$1" \
		-U "$LAB_USER%$LAB_PASSWORD" \
		--option='client min protocol = NT1' -c "${2-ls}" 2>&1
}

# written DIALECT: a file is written and read back.
written()
{
	local name=file-$1

	rm -f -- "$WORK/$name" "$LAB_PATH/$name"
	head -c 70000 /dev/urandom >"$WORK/$name"
	play "$1" "put $WORK/$name $name; get $name $WORK/$name.back" &&
		cmp -- "$WORK/$name" "$WORK/$name.back"
}

# works WHAT MODE: with the installed module in that mode, smbd serves, and
# what it does is recorded.
works()
{
	local what="$1, $2" mode=$2 dialect=''

	server_start --set "ntsign:mode = $mode" --set 'server signing = auto' \
		--set 'ntsign:audit events = all'
	for dialect in SMB3 NT1; do
		check "$what: $dialect is served" written "$dialect"
		check "$what: the session of $dialect is recorded" \
			wait_records 1 type=SMBSession account="$LAB_USER" \
			dialect="$(dialect_of "$dialect")" status=NT_STATUS_OK
	done
	check "$what: the tree connects are recorded" \
		wait_records 2 type=SMBTree
	check "$what: smbd's log has no complaint" no_complaint
	lab_stop
}

dialect_of()
{
	case $1 in
	NT1) printf 'NT1\n' ;;
	*) printf 'SMB3_11\n' ;;
	esac
}

# no_complaint: whether smbd's log is free of the module's, which it prints.
no_complaint()
{
	! grep -h 'ntsign:' "$LAB_LOG"
}

# other_version FROM: another Samba's version string in the place of the one
# that the installed module was made for.
other_version()
{
	local version='' other=''

	version=$(note_of "$(module_files | head -n 1)" samba)
	# the digit behind the first point
	other=${version%%.*}.99${version#*.??}
	printf '%s\n' "$other"
}

# make_stale: the installed module is one that was made for another Samba.
# shellcheck disable=SC2016
make_stale()
{
	local f='' was='' now=''

	f=$(module_files | head -n 1)
	was=$(note_of "$f" samba)
	now=$(other_version)
	/usr/bin/python3 -c '
import os, sys
path, was, now = sys.argv[1], *(a.encode("ascii") for a in sys.argv[2:])
with open(path, "rb") as f:
    data = f.read()
if len(was) != len(now) or data.count(was) < 1:
    sys.exit("%s: no %r" % (path, was))
with open(path + ".new", "wb") as f:
    f.write(data.replace(was, now))
os.chmod(path + ".new", 0o644)
os.rename(path + ".new", path)' "$f" "$was" "$now"
}

# refuses WHAT: the installed module does not fit: an audit serves everybody
# and says that it observes nothing, enforce serves nobody and says why.
refuses()
{
	local what=$1 dialect='' text=''

	server_start
	for dialect in SMB3 NT1; do
		check "$what, audit: $dialect is served" written "$dialect"
	done
	check "$what, audit: the log says that nothing is recorded" grep -q \
		'ntsign: made for Samba .*: nothing is audited until' "$LAB_LOG"
	equal "$what, audit: nothing is recorded" \
		"$(cat -- "$LAB_AUDIT" 2>/dev/null)" ''
	lab_stop
	server_start --set 'ntsign:mode = enforce'
	for dialect in SMB3 NT1; do
		if text=$(play "$dialect"); then
			not_ok "$what, enforce: $dialect is not served" "$text"
		else
			ok "$what, enforce: $dialect is not served"
		fi
	done
	check "$what, enforce: the log says why" grep -q \
		'ntsign: made for Samba ' "$LAB_LOG"
	equal "$what, enforce: nothing is recorded" \
		"$(cat -- "$LAB_AUDIT" 2>/dev/null)" ''
	lab_stop
}

# --- syslog ------------------------------------------------------------------

# syslog_listen FILE: what programs of this machine say to syslog from now on
# is in FILE, a message a line. Nothing else listens here.
syslog_listen()
{
	: >"$1"
	/usr/bin/python3 -c '
import os, socket, sys
if os.path.lexists("/dev/log"):
    os.unlink("/dev/log")
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
os.chmod("/dev/log", 0o666)
with open(sys.argv[1], "ab", buffering=0) as f:
    while True:
        f.write(s.recv(65536).rstrip(b"\0\n") + b"\n")
' "$1" >/dev/null 2>&1 </dev/null &
	disown
	wait_until 10 test -S /dev/log
}

# --- a revision that no source offers ----------------------------------------

# revision_after VERSION: a later revision of as many characters, so that it
# fits in the place of the other in a program: ...deb12u4 becomes ...deb12u9.
revision_after()
{
	local last=${1: -1}

	if [[ $last == 9 ]]; then
		printf '%sz\n' "${1%?}"
	else
		printf '%s9\n' "${1%?}"
	fi
}

# reword OLD NEW PATH: NEW in place of OLD in every file there.
reword()
{
	local f=''

	grep -rlaF -e "$1" "$3" 2>/dev/null | while read -r f; do
		LC_ALL=C sed -i "s/${1//./\\.}/$2/g" "$f"
	done
}

# samba_debs DIR [VERSION]: the packages of Samba that are installed, as files
# in DIR: of the installed version or of this one.
samba_debs()
{
	local p='' v='' was='' want='' deb='' wanted=()

	was=$(version_of samba)
	want=${2-$was}
	mkdir -p -- "$1"
	for p in $(samba_packages); do
		v=$(version_of "$p")
		v=${v%"${was#*:}"}${want#*:}
		deb=$(find /var/cache/apt/archives "$LOCAL" -maxdepth 1 \
			-name "${p}_${v//:/%3a}_*.deb" 2>/dev/null |
			head -n 1)
		if [[ -n $deb ]]; then
			cp -- "$deb" "$1/"
		else
			wanted+=("$p=$v")
		fi
	done
	((${#wanted[@]} == 0)) || (cd -- "$1" &&
		apt-get -q -o APT::Sandbox::User=root download "${wanted[@]}") \
		>"$WORK/download.log" 2>&1 || {
		tail -n 20 -- "$WORK/download.log"
		return 1
	}
}

# make_revision VERSION: the packages of Samba that are installed, in another
# revision, offered by LOCAL. Whoever looks for their source finds none.
make_revision()
{
	local deb='' was='' tree='' dir=$WORK/revision

	was=$(version_of samba)
	rm -rf -- "$dir"
	samba_debs "$dir/from" || return 1
	for deb in "$dir"/from/*.deb; do
		tree=$dir/$(dpkg-deb -f "$deb" Package)
		dpkg-deb -R "$deb" "$tree"
		# whichever of them it depends on, too
		reword "${was#*:}" "${1#*:}" "$tree/DEBIAN/control"
		reword "${was#*:}" "${1#*:}" "$tree/usr"
		dpkg-deb -Zgzip -z1 --root-owner-group -b "$tree" "$tree.deb" \
			>/dev/null
	done
	local_add "$dir"/*.deb
	rm -rf -- "$dir"
}
