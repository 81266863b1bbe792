# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# The module's place: how a lab's smbd finds ntsign.so in Samba's own module
# directory although it is not installed.  To be sourced by test/lab.
# Invariant: what lies in the system's module directory before a lab starts
# lies there unchanged after the last lab has stopped.
#
# The way of choice is a mount namespace of the lab's own, in which an
# overlay adds the files.  Where the machine permits none, the files are
# copied, with a list of the labs that use them.

# What a lab adds, below the module directory.
readonly MODULE_FILES=(vfs/ntsign.so ntsign/ntsign-crypto.so)

# modules_dir: where the installed smbd looks for modules.
modules_dir()
{
	smbd -b | sed -n 's/^ *MODULESDIR: *//p'
}

# stage_modules DIR MODULE [FILE=NAME]...: lays MODULE, the part of it that
# needs OpenSSL, and each FILE out in DIR/modules as they are to be seen by
# smbd.
stage_modules()
{
	local dir=$1 module=$2 crypto="${2%/*}/ntsign-crypto.so" f=''

	shift 2
	mkdir -p -- "$dir/modules/vfs" "$dir/modules/ntsign"
	cp -- "$module" "$dir/modules/vfs/ntsign.so"
	if [[ -e $crypto ]]; then
		cp -- "$crypto" "$dir/modules/ntsign/ntsign-crypto.so"
	fi
	for f in "$@"; do
		mkdir -p -- "$(dirname -- "$dir/modules/${f##*=}")"
		cp -- "${f%=*}" "$dir/modules/${f##*=}"
	done
}

# What runs first inside the namespace: notes it in DIR/lab.id, puts a mount
# on that file as its mark, lays the overlay where there is something to lay,
# and turns into the command.  The overlay is given by relative names, which
# keeps DIR's blanks, colons and commas out of mount's options.
# shellcheck disable=SC2016
readonly INSIDE_NAMESPACE='
	set -eu
	dir=$1 modules=$2
	shift 2
	readlink /proc/self/ns/mnt >"$dir/lab.id"
	mount --bind -- "$dir/lab.id" "$dir/lab.id"
	if [[ -d $dir/modules ]]; then
		cd -- "$dir/modules"
		mount -t overlay -o "ro,lowerdir=.:$modules" overlay "$modules"
	fi
	cd /
	exec "$@"'

# in_namespace DIR MODULES COMMAND...: turns into COMMAND, in a namespace.
in_namespace()
{
	exec unshare --mount --propagation slave -- \
		/bin/bash -c "$INSIDE_NAMESPACE" namespace "$@"
}

# can_namespace DIR MODULES: whether the machine permits that.
can_namespace()
{
	(in_namespace "$@" true) 2>>"$1/lab.out"
}

# Without namespaces: who uses the copies is written down in a list, a line
# "lab DIR" for each lab and "made DIRECTORY" for each directory that the
# first of them made.
users_list()
{
	printf '%s\n' "$1/.ntsign-labs"
}

# copy_modules DIR MODULES: an installed module that differs from the lab's
# is left alone, and the lab is not to be had.
copy_modules()
{
	local dir=$1 modules=$2 users='' f='' fd=''

	users=$(users_list "$modules")
	exec {fd}>>"$users"
	flock "$fd"
	for f in "${MODULE_FILES[@]}"; do
		if [[ -e $dir/modules/$f && -e $modules/$f ]] &&
		    ! cmp -s -- "$dir/modules/$f" "$modules/$f"; then
			[[ -s $users ]] || rm -f -- "$users"
			could_not "another $modules/$f is there, and this" \
				"machine permits no mount namespace to hide it"
		fi
	done
	if [[ ! -s $users && -e $modules/vfs/ntsign.so ]]; then
		# This very module has been installed for good.
		rm -f -- "$users"
	else
		printf 'lab %s\n' "$dir" >&"$fd"
		for f in "${MODULE_FILES[@]}"; do
			[[ -e $dir/modules/$f ]] || continue
			if [[ ! -d $modules/${f%/*} ]]; then
				printf 'made %s\n' "$modules/${f%/*}" >&"$fd"
				mkdir -- "$modules/${f%/*}"
			fi
			# not over a file that another lab's smbd has loaded
			[[ -e $modules/$f ]] ||
				cp -- "$dir/modules/$f" "$modules/$f"
		done
	fi
	exec {fd}>&-
}

# uncopy_modules DIR: takes back what copy_modules did for DIR.
uncopy_modules()
{
	local dir=$1 modules='' users='' f='' fd='' rest=''

	modules=$(modules_dir)
	users=$(users_list "$modules")
	if ! grep -qxF -- "lab $dir" "$users" 2>/dev/null; then
		return 0
	fi
	exec {fd}>>"$users"
	flock "$fd"
	rest=$(grep -vxF -- "lab $dir" "$users" || :)
	if grep -q '^lab ' <<<"$rest"; then
		printf '%s\n' "$rest" >"$users"
	else
		for f in "${MODULE_FILES[@]}"; do
			rm -f -- "$modules/$f"
		done
		sed -n 's/^made //p' <<<"$rest" | while read -r f; do
			rmdir -- "$f" 2>/dev/null || :
		done
		rm -f -- "$users"
	fi
	exec {fd}>&-
}
