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

# need_tree NAME: the base's tree is there, or NAME is skipped: there is no source to be had, or not without TREE=
need_tree()
{
	local status=0
	[ -n "$TREE${BASE_PACKAGE:-}${BASE_URL:-}" ] || { skip "$1" "needs TREE=, see $STACK/base"; return 1; }
	"$TOP/scripts/tree" 2>"$OUT/tree" || status=$?
	cat "$OUT/tree" >&2
	[ "$status" != 3 ] || { skip "$1" "$(tail -1 "$OUT/tree")"; return 1; }
	[ "$status" = 0 ] || { fail "$1: $(tail -1 "$OUT/tree")"; return 1; }
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

# What maintainers' tools say of a patch

# What checkpatch would say of a mail without sign-off; that is the sender's.
log_style()
{
	local p=$1
	head -1 "$p" | grep -qE '^Subject: [a-z0-9_/,+ -]+: [^.]*$' || { echo "first line is not 'Subject: subsystem: summary'"; return 1; }
	# There is no git to look commits up in.
	(cd "$SRC" && scripts/checkpatch.pl --strict --no-signoff --quiet --show-types --ignore UNKNOWN_COMMIT_ID "$p")
}

# Objects are built in an allmodconfig tree, where every filesystem is on.
check_obj=$WORK/obj-check
check_log=$OUT/check-build.log
check_cc=(CC="ccache ${CC:-gcc}")
check_make()
{
	# Debian 12's sparse does not know this keyword of 7.3's.
	make -C "$SRC" O="$check_obj" "${check_cc[@]}" CHECK='sparse -D__typeof_unqual__=__typeof__' -j"$JOBS" "$@"
}

# check_for ARCH: from here on objects are built for it (x86, arm64).
check_for()
{
	check_obj=$WORK/obj-check check_cc=(CC="ccache ${CC:-gcc}")
	[ "$1" != arm64 ] || {
		check_obj=$WORK/obj-check-arm64
		check_cc=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu- CC="ccache aarch64-linux-gnu-gcc")
	}
}

touched()
{
	sed -n 's|^+++ b/\(.*\.c\)$|\1|p' "$@" | sort -u
	# A header is seen through the two files all of this is about.
	! grep -q '^+++ b/include/' "$@" || printf '%s\n' mm/memory.c mm/filemap.c
}

# quiet_build OUT FILE.c...: what gcc, sparse and kernel-doc say of the files
quiet_build()
{
	local f out=$1
	shift
	for f; do
		rm -f "$check_obj/${f%.c}.o"
	done
	check_make -k --output-sync=target W=1 C=2 "${@/%.c/.o}" >"$out.make" 2>&1 || :
	cat "$out.make" >>"$check_log"
	grep -E '(warning|error|Warning|Error):' "$out.make" >"$out" || :
	for f; do
		[ -f "$check_obj/${f%.c}.o" ] || echo "$f: does not build" >>"$out"
		(cd "$SRC" && scripts/kernel-doc -none "$f") >>"$out" 2>&1
	done
	# Line numbers move with every patch.
	sed -i "s|^$SRC/||; s|^\.\./*||; s/:[0-9]\+\(:[0-9]\+\)\?:/:/g" "$out"
	sort -o "$out" "$out"
}

# pte_offset_map_lock() takes RCU out of sparse's sight: each function that maps a page table has this message, on
# stock as well (finish_fault, do_anonymous_page ...). The one that the series adds has it, too.
# shellcheck disable=SC2034 # tests/series and tests/topics ask
accepted="(include/linux/rcupdate.h|mm/memory.c): warning: context imbalance in 'map_prepared' - unexpected unlock"

# prepare_check: the tree without patches, configured so that its objects can be built
prepare_check()
{
	need_space 2000 "$WORK"
	if [ ! -f "$check_obj/.config" ]; then
		say "${0##*/}: configuring allmodconfig (log $check_log)"
		mkdir -p "$check_obj"
		run "$check_log" check_make allmodconfig
	fi
	"$TOP/scripts/series" stock
	say "${0##*/}: preparing allmodconfig objects"
	run "$check_log" check_make prepare modules_prepare || die "preparing allmodconfig fails, see $check_log"
}
