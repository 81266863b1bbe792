# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# The tests of the Debian packages, for test/run --packages: machines to build
# and to install them on, one release of Debian or several, and the order in
# which the tests run; to be sourced after chroot.sh.
#
# Invariant: a machine is a copy of a release that nothing but debootstrap and
# that release's updates have been in; nothing of ntsign's packages gets out
# of it but the packages themselves.
#
#   build/packages-SUITE/root         the release; kept
#   build/packages-SUITE/cache        what has been fetched; kept
#   build/packages-SUITE/build        what is build/ in every machine: the
#                                     staged source, the packages in debs/
#   build/packages-SUITE/MACHINE/root a machine

# test/packages/NAME and the machine that it runs on. Those of one machine run
# in this order; the machine is new for the first of them. What takes longest
# begins early.
readonly PACKAGE_TESTS=(
	build:builder
	rpm:rpm
	update:source service:source failure:source
	install:binary connections:binary revision:binary switch:binary
	again:builder
)

# Takes the longest, and is about rpm rather than about the release.
readonly PACKAGE_ONCE=rpm

readonly PACKAGE_SECONDS=900	# a test that takes longer has failed

# package_tests: their names.
package_tests()
{
	printf '%s\n' "${PACKAGE_TESTS[@]%:*}"
}

# machine_of TEST: prints the name of its machine.
machine_of()
{
	local t=''

	for t in "${PACKAGE_TESTS[@]}"; do
		[[ ${t%:*} != "$1" ]] || printf '%s\n' "${t#*:}"
	done
}

# packages_dir SUITE
packages_dir()
{
	# shellcheck disable=SC2154
	printf '%s\n' "$top/build/packages-$1"
}

# stage_source DIR: what the project is made of, in DIR: what git tracks, as
# it lies here, or where there is no git all but build/.
stage_source()
{
	rm -rf -- "$1"
	mkdir -p -- "$1"
	cd -- "$top" || return
	if git -c safe.directory="$top" rev-parse --git-dir >/dev/null 2>&1; then
		git -c safe.directory="$top" ls-files -z |
			tar -c --null --no-recursion --ignore-failed-read \
			-T - -f -
	else
		tar -c --exclude=./build --exclude=./.git -f - .
	fi | tar -x -C "$1" -f -
}

# packages_base SUITE: the release as it is today, and the source to build.
packages_base()
{
	local dir=''

	dir=$(packages_dir "$1")
	if ! chroot_is_made "$dir"; then
		chroot_fill "$dir" "$1"
		rm -rf -- "$dir/apt"
	fi
	! chroot_is_old "$dir" || chroot_renew "$dir"
	stage_source "$dir/build/source"
}

# machine_new SUITE NAME: a fresh one. What has been fetched is there, in a
# directory of its own, as apt locks it.
machine_new()
{
	local dir='' machine=''

	dir=$(packages_dir "$1")
	machine=$dir/$2
	rm -rf -- "$machine"
	mkdir -p -- "$machine/cache"
	ln -s -- ../build "$machine/build"
	find "$dir/cache" -maxdepth 1 -name '*.deb' \
		-exec cp -l -t "$machine/cache" {} +
	cp -a --reflink=auto -- "$dir/root" "$machine/root"
	# it need not outlive a power cut
	printf 'force-unsafe-io\n' >"$machine/root/etc/dpkg/dpkg.cfg.d/quick"
}

# machine_keep SUITE NAME: what it has fetched is not fetched again.
machine_keep()
{
	local dir=''

	dir=$(packages_dir "$1")
	find "$dir/$2/cache" -maxdepth 1 -name '*.deb' \
		-exec cp -l -n -t "$dir/cache" {} +
}

# package_test SUITE TEST FRESH: runs it on its machine.
package_test()
{
	local machine='' status=0

	machine=$(machine_of "$2")
	if [[ $3 == yes ]]; then
		machine_new "$1" "$machine"
	fi
	(chroot_run "$(packages_dir "$1")/$machine" timeout -k 30 \
		"$PACKAGE_SECONDS" "$CHROOT_TOP/test/packages/$2") </dev/null ||
		status=$?
	machine_keep "$1" "$machine"
	return "$status"
}

# packages_tidy SUITE: the machines have served their turn.
packages_tidy()
{
	local dir='' t=''

	dir=$(packages_dir "$1")
	for t in "${PACKAGE_TESTS[@]}"; do
		rm -rf -- "${dir:?}/${t#*:}"
	done
	rm -rf -- "$dir/build/one" "$dir/build/somewhere"
}
