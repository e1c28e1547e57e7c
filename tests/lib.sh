# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by the tests of the project itself: results as TAP lines.

# shellcheck source=../scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

OUT=${OUT:-$BUILD/runs/test}
mkdir -p "$OUT"

pass()
{
	echo "ok $*"
}

fail()
{
	echo "not ok $*"
}

skip()
{
	echo "ok $1 # SKIP ${*:2}"
}

# check NAME COMMAND...: one result; the output of a command that fails is shown behind it.
check()
{
	local name=$1 log status=0
	shift
	log=$OUT/${name//[ \/]/-}.log
	# Not as a condition: set -e has to hold in there.
	"$@" >"$log" 2>&1 &
	wait $! || status=$?
	if [ "$status" = 0 ]; then
		pass "$name"
	else
		fail "$name (log $log)"
		tail -20 "$log" | sed 's/^/# /'
	fi
}
