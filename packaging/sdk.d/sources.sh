# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# This machine's package sources, to be used apart from the machine's apt; to
# be sourced by bash, with set -eu. Invariant: only DIR is written.

# private_sources TYPES DIR: this machine's enabled package sources, with
# their keys and options, as sources of TYPES in DIR. CD-ROMs have no source.
private_sources() {
	local LIST='' PARTS='' f n=0
	eval "$(apt-config shell LIST Dir::Etc::sourcelist/f \
		PARTS Dir::Etc::sourceparts/d)"
	mkdir -p "$2"
	for f in "$LIST" "$PARTS"/*.list; do
		[ -f "$f" ] || continue
		n=$((n + 1))
		awk -v types="$1" '
			{ sub(/#.*/, "") }
			/^[ \t]*deb(-src)?[ \t]/ && !/[ \t]cdrom:/ {
				sub(/^[ \t]*deb(-src)?[ \t]+/, "")
				if (seen[$0]++) {
					next
				}
				m = split(types, t, " ")
				for (i = 1; i <= m; i++) {
					print t[i], $0
				}
			}' "$f" >"$2/$n.list"
	done
	for f in "$PARTS"/*.sources; do
		[ -f "$f" ] || continue
		n=$((n + 1))
		awk -v types="$1" '
			function flush() {
				if (deb && enabled) {
					printf "%s\n", text
				}
				text = ""
				deb = 0
				enabled = 1
			}
			BEGIN { flush() }
			/^#/ { next }
			/^[ \t\r]*$/ { flush(); next }
			/^[^ \t]/ { field = tolower($0); sub(/:.*/, "", field) }
			field == "types" {
				deb = deb || /(^|[ \t:])deb(-src)?([ \t\r]|$)/
				if (/^[^ \t]/) {
					text = text "Types: " types "\n"
				}
				next
			}
			field == "enabled" {
				v = tolower($0)
				if (v ~ /:[ \t]*(no|false|without|off|disable|0)[ \t\r]*$/) {
					enabled = 0
				}
			}
			{ text = text $0 "\n" }
			END { flush() }' "$f" >"$2/$n.sources"
	done
	find "$2" -type f -empty -delete
}
