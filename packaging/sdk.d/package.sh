# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Which package an smbd belongs to, and the source of an RPM package; to be
# sourced by bash, with set -eu, by a program that has die(), say() and $log.
# Invariant: only the directories that are named in a call are written, and
# no package is installed.
#
#   packager          dpkg or rpm
#   package           dpkg's source package, or an RPM's: samba-4.22.4-1.fc42
#   package_version   dpkg's, of the source package
#   name              what the directory with its headers is called
#   origin            one word that changes with the source

packager=dpkg
if ! command -v apt-get >/dev/null && command -v rpm >/dev/null; then
	packager=rpm
fi
package=
package_version=
package_signed=no

# find_package FILE: the package that FILE belongs to; fails where neither
# dpkg nor rpm knows it. Whoever owns the file counts: on a Fedora dpkg can be
# installed too, and rpm on a Debian.
find_package() {
	find_dpkg_package "$1" || find_rpm_package "$1"
}

# Packages of dpkg's may own a file under the path before /usr was merged.
find_dpkg_package() {
	local owner
	command -v dpkg-query >/dev/null || return 1
	owner=$(dpkg-query -S "$1" "${1#/usr}" 2>/dev/null |
		sed -n '1s/:.*//p') || true
	[ -n "$owner" ] || return 1
	packager=dpkg
	package_version=$(dpkg-query -W -f '${source:Version}' "$owner")
	package=$(dpkg-query -W -f '${source:Package}' "$owner")
	name=samba-${package_version#*:}
	origin="$package=$package_version"
}

find_rpm_package() {
	local source
	command -v rpm >/dev/null || return 1
	# What rpm has to say of a file that nobody owns goes to stdout, too.
	source=$(rpm -qf --qf '%{SOURCERPM}\n' "$1" 2>/dev/null) || return 1
	source=${source%%$'\n'*}
	case $source in
	?*.src.rpm) ;;
	*) return 1 ;;
	esac
	packager=rpm
	package=${source%.src.rpm}
	name=$package
	origin=$source
	if rpm -qf --info "$1" 2>/dev/null |
		grep -q '^Signature *: [^(]'; then
		package_signed=yes
	fi
}

# rpm_names PACKAGE...: what Debian's packages are called elsewhere.
rpm_names() {
	local p out=
	for p in "$@"; do
		case $p in
		libc6-dev) p=glibc-devel ;;
		libgnutls28-dev) p=gnutls-devel ;;
		libparse-yapp-perl) p="'perl(Parse::Yapp)'" ;;
		perl) p=perl-interpreter ;;
		xz-utils) p=xz ;;
		esac
		out="$out $p"
	done
	printf '%s\n' "${out# }"
}

# rpm_fetch DIR: $package's source package as DIR/$package.src.rpm.
rpm_fetch() {
	local dir=$1 file=$1/$package.src.rpm tool option=--source found
	mkdir -p "$dir"
	if tool=$(command -v dnf || command -v dnf5); then
		# dnf 5 has renamed the option.
		! "$tool" --version 2>/dev/null | grep -q dnf5 || option=--srpm
		"$tool" -q -y download "$option" --destdir "$dir" "$package" \
			>"$log" 2>&1 </dev/null 9>&- || rpm_no_source
	elif tool=$(command -v yumdownloader); then
		"$tool" -q --source --destdir "$dir" "$package" \
			>"$log" 2>&1 </dev/null 9>&- || rpm_no_source
	else
		die "nothing here fetches the source of $package: install" \
			"dnf and its download command (dnf install" \
			"'dnf-command(download)'), or name a source tree with" \
			"--source DIR"
	fi
	[ -f "$file" ] || rpm_no_source
	# dnf download does not look at signatures, and what is in the package
	# will be run.
	found=$(rpmkeys --checksig "$file" 2>&1) || die "$found" \
		"the source of $package that $tool delivered is not intact" \
		"or signed by none of the keys that rpm knows"
	if [ "$package_signed" = yes ]; then
		case ${found##*: } in
		*signatures*OK) ;;
		*) die "the installed package is signed, and the source of" \
			"$package that $tool delivered is not: ${found##*: }" ;;
		esac
	fi
	found=$(rpm -qp --nosignature --qf '%{NAME}-%{VERSION}-%{RELEASE}' \
		"$file" 2>"$log")
	[ "$found" = "$package" ] || die "the source that $tool delivered is" \
		"$found, installed is $package"
}

rpm_no_source() {
	grep -v '^$' "$log" | tail -n 8 >&2 || true
	die "no source of $package, which is installed: this machine's" \
		"repositories have none, or do not answer; see the messages" \
		"above, bring samba up to date (dnf upgrade samba), or give" \
		"its source tree with --source DIR"
}

# rpm_unpack DIR TREE: the source of DIR/$package.src.rpm in TREE, with the
# distribution's patches: they may touch headers. rpmbuild is what applies
# them as the distribution does.
rpm_unpack() {
	local dir=$1 tree=$2 spec found
	mkdir "$dir/files" "$dir/build"
	(cd "$dir/files" && rpm2cpio "$dir/$package.src.rpm" |
		cpio -i -d -m --quiet --no-absolute-filenames) \
		>"$log" 2>&1 9>&- || die "$(tail -n 3 "$log")" \
		"could not unpack $package.src.rpm"
	for spec in "$dir/files"/*.spec; do
		[ -f "$spec" ] || die "$package.src.rpm has no spec"
		break
	done
	rpmbuild -bp --nodeps --define "_topdir $dir" \
		--define "_sourcedir $dir/files" \
		--define "_specdir $dir/files" \
		--define "_builddir $dir/build" --define "_tmppath $dir" \
		"$spec" >"$log" 2>&1 </dev/null 9>&- ||
		die "$(tail -n 8 "$log")" \
		"the %prep of $package failed: is something missing that it" \
		"needs (gnupg2, patch, git-core)? See above"
	# From rpm 4.20 on there is one more directory in between.
	found=$(find "$dir/build" -maxdepth 4 -path '*/source3/include' |
		head -n 1)
	[ -n "$found" ] ||
		die "the %prep of $package leaves no Samba source tree"
	mv -T "${found%/source3/include}" "$tree"
}
