# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Installs the Debian packages that are missing, for packaging/quickstart and
# test/run; to be sourced after common.sh.  Invariant: no service is started
# by it, none is enabled that was not before, and /usr/sbin/policy-rc.d is
# afterwards what it was.

# What the module and the tool are built with, what packaging/sdk needs to
# fetch and prepare Samba's headers included.
# shellcheck disable=SC2034
readonly PACKAGES_BUILD=(
	gcc g++ libc6-dev binutils perl libparse-yapp-perl python3 dpkg-dev
	xz-utils libtalloc-dev libtdb-dev libjansson-dev libssl-dev
	libsimdjson-dev zlib1g-dev liblzma-dev libzstd-dev libelf-dev
)

# The server, and the clients that are played against it.
# shellcheck disable=SC2034
readonly PACKAGES_PLAY=(samba smbclient python3-impacket)

# What the tests need beyond these.
# shellcheck disable=SC2034
readonly PACKAGES_TEST=(
	samba-testsuite samba-vfs-modules python3-samba libcmocka-dev
	valgrind clang llvm ctdb bash-completion jq zstd

	# A browser for the page of ntsign report, and what drives it; Debian
	# has no other checker that knows HTML 5 than html5lib.
	chromium chromium-driver python3-selenium python3-html5lib
	poppler-utils

	# What reads records, or carries them on; test/interop runs each by
	# itself.  Of prometheus only promtool is.
	systemd rsyslog rsyslog-gnutls openssl logrotate fail2ban prometheus
	prometheus-node-exporter

	# What smbd needs with the module, and what it needs without.
	strace

	# What a release is made and signed with, and another time to build at.
	git gpg gpg-agent faketime
)

# What test/run --samba makes another release of Debian with.
# shellcheck disable=SC2034
readonly PACKAGES_CHROOT=(debootstrap debian-archive-keyring gpg)

readonly POLICY=/usr/sbin/policy-rc.d
readonly POLICY_SAVED=/usr/sbin/policy-rc.d.before-ntsign
readonly POLICY_MARK='# Put here by ntsign for the time of an installation.'

# What comes with these packages and would run from then on.
readonly UNITS=(
	smbd.service nmbd.service samba-ad-dc.service winbind.service
	rsyslog.service fail2ban.service prometheus.service
	prometheus-node-exporter.service logrotate.timer ctdb.service
)

# packages_missing PACKAGE...: those that are not installed, one a line.
packages_missing()
{
	local p=''

	for p in "$@"; do
		if [[ $(dpkg-query -W -f '${db:Status-Status}' "$p" \
		    2>/dev/null) != installed ]]; then
			printf '%s\n' "$p"
		fi
	done
}

# units_state: a line "UNIT enabled active" for every one of them.
units_state()
{
	local u='' enabled='' active=''

	for u in "${UNITS[@]}"; do
		enabled=no
		active=no
		if compgen -G "/etc/systemd/system/*.wants/$u" \
		    >/dev/null || compgen -G "/etc/rc[2-5].d/S??${u%.*}" \
		    >/dev/null; then
			enabled=yes
		fi
		if [[ -d /run/systemd/system ]] &&
		    systemctl --quiet is-active "$u"; then
			active=yes
		fi
		printf '%s %s %s\n' "$u" "$enabled" "$active"
	done
}

# units_restore STATE: what was not enabled or not active is so again.
units_restore()
{
	local u='' enabled='' active='' before=''

	while read -r u enabled active; do
		before=$(awk -v u="$u" '$1 == u' <<<"$1")
		if [[ $active == yes && $before == *' no' ]]; then
			systemctl stop "$u"
		fi
		if [[ $enabled == yes && $before == "$u no "* ]]; then
			if command -v systemctl >/dev/null; then
				systemctl --quiet disable "$u"
			else
				update-rc.d "${u%.*}" disable
			fi
		fi
	done < <(units_state)
}

# policy_forbid: from here on invoke-rc.d and deb-systemd-invoke start
# nothing.  What a killed run has left is set right first.
policy_forbid()
{
	policy_restore
	if [[ -e $POLICY || -L $POLICY ]]; then
		mv -T -- "$POLICY" "$POLICY_SAVED"
	fi
	printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" >"$POLICY"
	chmod 0755 "$POLICY"
}

# policy_restore: what was there before policy_forbid is there again.
policy_restore()
{
	if grep -qxF "$POLICY_MARK" "$POLICY" 2>/dev/null; then
		rm -f -- "$POLICY"
	fi
	if [[ ! -e $POLICY && ! -L $POLICY ]] &&
	    [[ -e $POLICY_SAVED || -L $POLICY_SAVED ]]; then
		mv -T -- "$POLICY_SAVED" "$POLICY"
	fi
}

# apt_install PACKAGE...: one attempt.
apt_install()
{
	DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -y -q \
		-o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
		-o Dpkg::Options::=--force-confold \
		-o Acquire::Retries=2 \
		install --no-install-recommends --no-upgrade "$@" </dev/null
}

# install_packages PACKAGE...: installs those that are missing.  What apt
# says goes to stdout and stderr.  It runs in a shell of its own, whose end,
# however it comes about, puts everything back.
install_packages()
(
	missing=()
	mapfile -t missing < <(packages_missing "$@")
	if ((EUID == 0 && ${#missing[@]} == 0)); then
		exec {lock}>/run/ntsign-packages.lock
		flock "$lock"
		policy_restore
	fi
	if ((${#missing[@]} == 0)); then
		exit 0
	fi
	if ! command -v apt-get >/dev/null; then
		say "not installed: ${missing[*]}; and this is no Debian"
		exit "$EXIT_COULD_NOT"
	fi
	need_root

	exec {lock}>/run/ntsign-packages.lock
	flock "$lock"
	before=$(units_state)
	# shellcheck disable=SC2317
	put_back()
	{
		policy_restore
		units_restore "$before"
	}
	trap put_back EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	policy_forbid

	# The lists of a fresh machine are empty, those of an old one stale.
	if ! { apt_install "${missing[@]}" {lock}>&- ||
	    { apt-get -q update {lock}>&- &&
	      apt_install "${missing[@]}" {lock}>&-; }; }; then
		say "apt-get could not install ${missing[*]}"
		exit "$EXIT_COULD_NOT"
	fi
)
