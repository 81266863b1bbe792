# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Small helpers that the shell scripts of this tree share; to be sourced by
# bash.  Invariant: sourcing this file starts nothing and changes nothing but
# PATH, in which the distribution's own programs come first.

# Samba's Python scripts and bindings belong to the distribution's python3.
PATH="/usr/sbin:/usr/bin:/sbin:/bin${PATH:+:$PATH}"
export PATH

# Exit statuses, as CONTRACT.md has them for every command of the project.
# shellcheck disable=SC2034
readonly EXIT_NO=1 EXIT_USAGE=2 EXIT_COULD_NOT=3

# say TEXT...: a line for the reader on stderr, named after the program.
say()
{
	printf '%s: %s\n' "${PROGRAM:-${0##*/}}" "$*" >&2
}

# could_not TEXT...: says why and ends with status 3.
could_not()
{
	say "$*"
	exit "$EXIT_COULD_NOT"
}

# bad_usage TEXT...: says what is wrong with the call and ends with status 2.
bad_usage()
{
	say "$*"
	say "try '${PROGRAM:-$0} --help'"
	exit "$EXIT_USAGE"
}

# now_ms: milliseconds that only ever grow, for deadlines.
now_ms()
{
	local up=''

	read -r up _ </proc/uptime
	up=${up/./}
	printf '%s\n' "$((10#$up * 10))"
}

# pause: lets a twentieth of a second pass, without starting a process.
pause()
{
	local fd=''

	exec {fd}<> <(:)
	read -r -t 0.05 -u "$fd" || :
	exec {fd}>&-
}

# wait_until SECONDS COMMAND...: runs COMMAND until it succeeds; fails when
# it has not done so after SECONDS.
wait_until()
{
	local deadline=''

	deadline=$(($(now_ms) + $1 * 1000))
	shift
	until "$@"; do
		if (($(now_ms) > deadline)); then
			return 1
		fi
		pause
	done
}

# alive PID: whether the process exists and is not a zombie.
alive()
{
	local stat=''

	{ read -r stat </proc/"$1"/stat; } 2>/dev/null || return 1
	stat=${stat##*) }
	[[ ${stat%% *} != [ZX] ]]
}

# shell_assign NAME VALUE: prints NAME='VALUE' so that eval gives VALUE back.
shell_assign()
{
	printf "%s='%s'\n" "$1" "${2//\'/\'\\\'\'}"
}

# need_root: everything here runs smbd, and smbd needs root.
need_root()
{
	if ((EUID != 0)); then
		could_not "must be run as root, since smbd has to be"
	fi
}
