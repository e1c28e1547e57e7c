# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by the tests of the project itself: results as TAP lines.

# shellcheck source=../scripts/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

OUT=${OUT:-$BUILD/runs/test}
mkdir -p "$OUT"

# What the command that repeats a script has to know.
BASE_SET=
[ "$BASE" = 6.12 ] || BASE_SET="BASE=$BASE "
[ -z "$TREE" ] || BASE_SET+="TREE=${TREE@Q} "

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
	local name=$1 log status
	shift
	log=$OUT/${name//[ \/]/-}.log
	# Not as a condition: set -e has to hold in there. Not by &: a background job of a script ignores Ctrl-C.
	set +e
	(set -e; "$@") >"$log" 2>&1
	status=$?
	set -e
	if [ "$status" = 0 ]; then
		pass "$name"
	else
		fail "$name (log $log)"
		tail -20 "$log" | sed 's/^/# /'
		echo "# repeat: ${BASE_SET}scripts/test ${0##*/}"
	fi
}

# refused PATTERN COMMAND...: the command fails and says PATTERN in its last line
refused()
{
	local pattern=$1 status=0 said=$OUT/said
	shift
	"$@" >"$said" 2>&1 || status=$?
	cat "$said"
	if [ "$status" = 0 ]; then
		echo "ended with 0"
		return 1
	fi
	tail -1 "$said" | grep -q -- "$pattern" || { echo "does not say: $pattern"; return 1; }
}

# digest DIR: the contents of all files but quilt's own
digest()
{
	(cd "$1" && find . -path ./.pc -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
}

# applies_and_pops: the series, without fuzz, and on the base's own tree without offset
applies_and_pops()
{
	local before after
	"$TOP/scripts/series" stock
	before=$(digest "$SRC")
	"$TOP/scripts/series" patched 2>&1 | tee "$OUT/push"
	"$TOP/scripts/series" stock
	after=$(digest "$SRC")
	[ "$before" = "$after" ] || { echo "the tree differs after pop"; return 1; }
	! grep -q 'offset' "$OUT/push" || [ "$(sed -n 's/^base //p' "$SRC.key")" != "$BASE_TESTED" ]
}
