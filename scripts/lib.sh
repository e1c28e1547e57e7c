# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by every script: where things are, how to talk, how to stop.

set -euo pipefail
shopt -s inherit_errexit

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Everything the project writes lies below $BUILD, downloads in $CACHE.
BUILD=${BUILD:-$TOP/build}
CACHE=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mkwrite}
V=${V:-0}
JOBS=${JOBS:-$(nproc)}

# An interrupted script leaves through its EXIT trap, which removes what is half-done.
trap 'exit 130' INT TERM

# die LINE...: one clear line that names the thing and the way out.
die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

say()
{
	printf '%s  %s\n' "$(date +%H:%M:%S)" "$*" >&2
}

# run LOG COMMAND...: V=1 shows the command and its output, else both go to LOG only.
run()
{
	local log=$1
	shift
	mkdir -p "$(dirname "$log")"
	printf '+ %s\n' "$*" >>"$log"
	if [ "$V" = 1 ]; then
		printf '+ %s\n' "$*" >&2
		"$@" 2>&1 | tee -a "$log" >&2
	else
		"$@" >>"$log" 2>&1
	fi
}

# need_space MIB DIR: stop before a step that would run out of disk half-way.
need_space()
{
	local free
	mkdir -p "$2"
	free=$(df -Pm "$2" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$1" ] ||
		die "$2 has $free MiB free, this step needs $1: make room, or set BUILD= to a folder on another disk"
}

# stamp FILE...: one hash over the contents of files and folders (a missing one is an error).
stamp()
{
	find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-16
}
