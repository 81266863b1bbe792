# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# The same as check.py for tests in bash; to be sourced after common.sh by a
# script that has set `top`.  Invariant: a lab started by lab_start is
# stopped however the script ends.
#
#   lab_start --set 'server signing = mandatory'
#   check 'a record is written' wait_records 1 type=SMBSession account="$LAB_USER"
#   lab_stop
#   finish

passed=0
failed=0
skipped=0
labs=()
# smbd/text, as test/run has it; its labs lie in build/test/smbd/text/
NAME=$(readlink -f -- "$0")
NAME=$(basename -- "${NAME%/*}")/${NAME##*/}

ok()
{
	passed=$((passed + 1))
	printf 'ok %s\n' "$*"
}

# not_ok NAME [DETAIL...]: a failed check, with details a line each.
not_ok()
{
	failed=$((failed + 1))
	printf 'not ok %s\n' "$1"
	shift
	(($# == 0)) || printf '%s\n' "$@" | sed 's/^/#   /'
}

# skip NAME REASON
skip()
{
	skipped=$((skipped + 1))
	printf 'skip %s %s\n' "$1" "$2"
}

# check NAME COMMAND...: ok where COMMAND succeeds; its output else.
check()
{
	local name=$1 output='' status=0

	shift
	output=$("$@" 2>&1) || status=$?
	if ((status == 0)); then
		ok "$name"
	else
		not_ok "$name" "status $status of: $*" "$output"
	fi
}

# equal NAME GOT WANT
equal()
{
	if [[ $2 == "$3" ]]; then
		ok "$1"
	else
		not_ok "$1" "is        $2" "should be $3"
	fi
}

# lab_start OPTION...: test/lab start with a directory of the script's own;
# sets the LAB_ variables.
lab_start()
{
	# shellcheck disable=SC2154
	local dir=$top/build/test/$NAME/lab$((${#labs[@]} + 1)) text=''

	mkdir -p -- "$dir"
	rm -f -- "$dir/ntsign.jsonl" "$dir/log.smbd"
	labs+=("$dir")
	if ! text=$("$top/test/lab" start --dir "$dir" "$@"); then
		not_ok "a lab starts" "test/lab start --dir $dir $*"
		finish
	fi
	eval "$text"
}

# lab_stop: ends the lab that was started last.
lab_stop()
{
	"$top/test/lab" stop --dir "$LAB_DIR" || :
}

# wait_records COUNT FIELD=VALUE...: waits for that many such records in
# $LAB_AUDIT and prints them, a line each; FIELD may be dotted.
wait_records()
{
	local count=$1

	shift
	/usr/bin/python3 "$top/test/lib/check.py" wait "$LAB_AUDIT" "$count" \
		20 "$@"
}

# finish: ends the script with its exit status.
finish()
{
	((passed + failed + skipped > 0)) || not_ok "$NAME has checks"
	exit $((failed > 0))
}

check_ended()
{
	local status=$? dir=''

	trap - EXIT
	for dir in "${labs[@]}"; do
		if [[ -e $dir/lab.id ]]; then
			"$top/test/lab" stop --dir "$dir" || :
		fi
	done
	if ((status > 1)); then
		not_ok "$NAME runs to its end" "status $status"
	fi
	exit "$status"
}
trap check_ended EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
