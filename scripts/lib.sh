# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by every script: where things are, how to talk, how to stop.

set -euo pipefail
shopt -s inherit_errexit

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Everything the project writes lies below $BUILD, downloads in $CACHE.
BUILD=$(realpath -ms "${BUILD:-$TOP/build}")
CACHE=${CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mkwrite}
V=${V:-0}
export BUILD CACHE V
# One compiler cache for all that is built. Do not use ccache's depend mode: it misses the .incbin in piggy.S, and may
# return another kernel's object if both images compress to the same size.
export CCACHE_DIR=$BUILD/ccache CCACHE_MAXSIZE=2G
unset CCACHE_DEPEND
JOBS=${JOBS:-$(nproc)}

# The stack to work with: the default one lies at the top, every other base has a folder in ports/.
BASE=${BASE:-6.12}
STACK=$TOP
[ "$BASE" = 6.12 ] || STACK=$TOP/ports/$BASE
if [ ! -f "$STACK/base" ] || [[ $BASE == */* ]]; then
	echo "${0##*/}: BASE=$BASE: no such base; there are 6.12 $(cd "$TOP/ports" 2>/dev/null && echo *)" >&2
	exit 1
fi
# A base without selftests of its own goes with those at the top, their kernel configs and their controls.
SHARED=$STACK
[ -d "$STACK/selftests" ] || SHARED=$TOP
# shellcheck disable=SC2034 # what else every make of this kernel is called with; most scripts call none
BASE_MAKE=()
# shellcheck source=../base
. "$STACK/base"
# One working tree for each source: the base's own, or the user's.
TREE=${TREE:-}
WORK=$BUILD/$BASE
[ -z "$TREE" ] || WORK=$BUILD/$BASE-$(realpath -m "$TREE" | tr -c 'A-Za-z0-9.\n' _)
SRC=$WORK/linux
export BASE TREE SRC

# An interrupted script leaves through its EXIT trap, which removes what is half-done.
trap 'exit 130' INT TERM

# die LINE...: one clear line that names the thing and the way out.
die()
{
	echo "${0##*/}: $*" >&2
	exit 1
}

# The architecture of the kernel and its guest: the compiler's prefix, QEMU, the kernel's file, the lines of
# config/*.config that it has not (for sed). What is made for another one than x86 has its name behind that of the folder.
ARCH=${ARCH:-x86}
# shellcheck disable=SC2034 # most scripts want none of it
case $ARCH in
x86)
	cross='' qemu_system=qemu-system-x86_64 qemu_package=qemu-system-x86 image=bzImage of_arch='' arch_config='' ;;
arm64)
	cross=aarch64-linux-gnu- qemu_system=qemu-system-aarch64 qemu_package=qemu-system-arm image=Image of_arch=-arm64
	arch_config='/^CONFIG_\(64BIT\|ACPI\|FB_N411\|HYPERVISOR_GUEST\|KVM_GUEST\|MEM_SOFT_DIRTY\|X86_MCE\)=/d'
	BASE_MAKE+=(ARCH=arm64 "CROSS_COMPILE=$cross") ;;
*) die "ARCH=$ARCH: x86 or arm64" ;;
esac
[ "$ARCH" = x86 ] || [ -z "${BASE_INITRAMFS:-}" ] || die "ARCH=$ARCH: BASE=$BASE is for x86"

[[ $BUILD != *[[:space:]:,]* ]] ||
	die "BUILD=$BUILD: the kernel's build and QEMU want a path without blanks, colons and commas"

# is_number NAME: the setting of this name, if there is one, is a number from 1 on.
is_number()
{
	[[ ${!1:-1} =~ ^[1-9][0-9]*$ ]] || die "$1=${!1}: a number from 1 on"
}

# writable NAME: the folder that this setting names can be written to, or be made.
writable()
{
	local dir=${!1}
	while [ ! -e "$dir" ]; do
		dir=$(dirname "$dir")
	done
	{ [ -d "$dir" ] && [ -w "$dir" ]; } || die "$1=${!1}: $dir cannot be written to"
}

# check_settings: refuse what a build or a boot would fail of, before there is a package, a tree or a kernel.
check_settings()
{
	local configs host program programs kvm=${KVM_DEVICE:-/dev/kvm}
	configs=$(cd "$SHARED/config" && echo *.config)
	configs=${configs//.config/}
	is_number JOBS
	is_number LIMIT
	is_number SEED
	is_number JOBS_GUESTS
	[[ $V =~ ^[01]$ ]] || die "V=$V: 0 or 1"
	[[ ${CONTROLS:-} =~ ^(all)?$ ]] || die "CONTROLS=$CONTROLS: all, or nothing"
	[[ ${ACCEL:-} =~ ^(kvm|tcg)?$ ]] || die "ACCEL=$ACCEL: kvm or tcg"
	[ "${ACCEL:-}" != kvm ] || [ "$ARCH" = x86 ] || die "ACCEL=kvm: with ARCH=$ARCH there is only tcg"
	[ "${ACCEL:-}" != kvm ] || [ -w "$kvm" ] || die "ACCEL=kvm: $kvm is not there, or you may not write to it"
	[ -z "${CONFIG:-}" ] || [[ " $configs " == *" $CONFIG "* ]] || die "CONFIG=$CONFIG: there are $configs"
	[ -z "${CC:-}" ] || command -v "$CC" >/dev/null || die "CC=$CC: no such command"
	for host in ${HOSTS:-}; do
		[ "$host" = - ] || ssh -o BatchMode=yes "$host" true </dev/null 2>/dev/null ||
			die "HOSTS=$host: ssh without a password does not work there"
	done
	programs=$("$TOP/selftests/run.sh" -l)
	for program in ${SELFTESTS:-}; do
		[[ " $programs " == *" ${program%%:*} "* ]] || die "SELFTESTS=$program: there are $programs"
	done
	writable BUILD
	writable CACHE
	# A part of make test needs no tree.
	if [ -n "$TREE" ] || [ "${0##*/}" != test ]; then
		"$TOP/scripts/tree" -n
	fi
}

# check_fs FS...: each is a filesystem of this base, or NAME.CASE.
check_fs()
{
	local all f of
	if [ -n "${BASE_INITRAMFS:-}" ]; then
		all=$BASE_FS
	else
		all=$("$TOP/scripts/guest/fs" -l | xargs)
	fi
	for f; do
		[[ " $all " == *" ${f%%.*} "* ]] || die "FS=$f: there are $all"
		if [ -z "${BASE_INITRAMFS:-}" ] && [[ $f == *.* ]]; then
			of=$("$TOP/scripts/guest/fs" -c | grep "^${f%%.*}[.]" | xargs)
			[[ " $of " == *" $f "* ]] || die "FS=$f: there are $of"
		fi
	done
}

# check_state STATE: the state of the tree is one that scripts/series knows.
check_state()
{
	local names
	[[ $1 != @(stock|patched|*/*|alone-*) ]] || return 0
	[[ $1 != [0-9][0-9][0-9][0-9] ]] || ! compgen -G "$STACK/patches/$1-*" >/dev/null || return 0
	names="$(topics | xargs) $(controls "$STACK" | sed 's|.*/||; s|[.]patch$||' | xargs)"
	[[ " $names " == *" $1"[\ -]* ]] ||
		die "STATE=$1: stock, patched, the number of a patch, or one of the topics and controls $names"
}

# needs_debian: the guest of this base has Debian's userland.
needs_debian()
{
	[ -z "${BASE_INITRAMFS:-}" ] || die "BASE=$BASE: its guest has no Debian userland; make run FS= and make test go there"
}

# only_x86: this is not done for other architectures.
only_x86()
{
	[ "$ARCH" = x86 ] || die "ARCH=$ARCH: make run, check, shell and bench go there"
}

# again CONFIG: what repeats a test of this base and CONFIG, but for TEST= and SEED=
again()
{
	local command="make check"
	[ -z "${BASE_INITRAMFS:-}" ] || command="make run"
	[ "$BUILD" = "$TOP/build" ] || command+=" BUILD=$BUILD"
	[ "$BASE" = 6.12 ] || command+=" BASE=$BASE"
	[ "$ARCH" = x86 ] || command+=" ARCH=$ARCH"
	[ -z "$TREE" ] || command+=" TREE=${TREE@Q}"
	[ "$1" = base ] || command+=" CONFIG=$1"
	echo "$command"
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

# mark_build: a build folder that is not there, or empty, is ours from now on: make clean looks for the mark.
mark_build()
{
	[ -z "$(ls -A "$BUILD" 2>/dev/null)" ] || return 0
	mkdir -p "$BUILD"
	touch "$BUILD/.mkwrite"
}

# need_space MIB DIR: stop before a step that would run out of disk half-way.
need_space()
{
	local free
	mark_build
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

# lock_holder: the process that holds the lock, or the first of those that such a one left behind
lock_holder()
{
	local pid
	for pid in $(find /proc/[0-9]*/fd -lname "$(realpath "$BUILD")/lock" 2>/dev/null | cut -d/ -f3 | sort -nu || :); do
		if [ "$pid" != $$ ] && [ "$pid" != "$BASHPID" ]; then
			echo " (PID $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline" | cut -c1-80))"
			return
		fi
	done
}

# exclusive: one run at a time in a build folder. What a run calls is part of it; what outlives it keeps the lock.
exclusive()
{
	[ "${MKWRITE_RUN:-}" != "$BUILD" ] || return 0
	mark_build
	exec 9>"$BUILD/lock"
	flock -n 9 || die "another run is using $BUILD$(lock_holder): wait for it, or set BUILD= to another folder"
	export MKWRITE_RUN=$BUILD
}

# need_image CONFIG: the guest's root for this config. Before the kernels: it fails sooner.
need_image()
{
	local extra=
	[ -z "${BASE_INITRAMFS:-}" ] || return 0
	[ ! -f "$TOP/config/$1.packages" ] || extra=$1
	[ -f "$BUILD/guest/root$of_arch${extra:+-$extra}.sqfs" ] || [ "$(id -u)" != 0 ] || unshare --mount true 2>/dev/null ||
		die "root here may not mount, which mmdebstrap needs (a container? docker run --cap-add SYS_ADMIN); or be no root"
	"$TOP/scripts/image" ${extra:+"$extra"} >/dev/null
}

# new_folder PARENT: make a folder there whose name is the second in which it was made, and print it
new_folder()
{
	local dir
	until dir=$1/$(date +%Y%m%d-%H%M%S) && mkdir "$dir" 2>/dev/null; do
		[ -w "$1" ] || die "cannot write to $1"
		sleep 0.2
	done
	echo "$dir"
}

# new_run: print a new folder for everything of one run, its name the second in which it began.
new_run()
{
	local dir
	mkdir -p "$BUILD/runs"
	dir=$(new_folder "$BUILD/runs")
	ln -sfn "${dir##*/}" "$BUILD/runs/latest"
	echo "$dir"
}

# kernel_folder CONFIG STATE: the folder of this kernel. The states of a topic are no folders in one another.
kernel_folder()
{
	echo "$WORK/kernels$of_arch/$1-${2//\//-}"
}

# series_patches SERIES: the patches it lists, one a line
series_patches()
{
	sed 's/[[:space:]]*#.*//; /^[[:space:]]*$/d' "$1"
}

# topics: the topics of the series in its order, one a line. A topic is a folder in patches/.
topics()
{
	series_patches "$STACK/series" | sed -n 's|/.*||p' | awk '!seen[$0]++'
}

# topic_patches TOPIC: its patches in the order of the series, one a line
topic_patches()
{
	series_patches "$STACK/series" | awk -v t="$1/" 'index($0, t) == 1'
}

# topic_line TOPIC NAME: what the lines "NAME: ..." at the end of its cover say, on one line ("none": nothing)
topic_line()
{
	sed -n "s/^$2: *//p" "$STACK/patches/$1/cover" | sed 's/^none$//' | xargs
}

# topic_needs TOPIC: the topics ahead of it that it stands on, and those that these stand on, in the order of the series
topic_needs()
{
	local t want ahead needs=''
	want=$(topic_line "$1" Needs)
	ahead=$(topics | sed "/^$1\$/,\$d" | tac | xargs)
	for t in $ahead; do
		if [[ " $want " == *" $t "* ]]; then
			needs="$t $needs"
			want+=" $(topic_line "$t" Needs)"
		fi
	done
	echo "$needs"
}

# check_topic TOPIC: it is one of this base.
check_topic()
{
	local all
	all=$(topics | xargs)
	[[ " $all " == *" $1 "* ]] || die "TOPIC=$1: there are $all"
}

# sender: die unless git knows whose sign-off the mails get.
sender()
{
	local what
	for what in name email; do
		git config "user.$what" >/dev/null ||
			die "the sign-off is yours: git config --global user.name 'You', user.email you@example.org first"
	done
}

# commit_patch REPO PATCH: apply it there and commit it with the sender's sign-off, and the tag that
# Documentation/process/coding-assistants.rst asks for. No tool signs off: the name is git's.
commit_patch()
{
	git -C "$1" apply --index "$2"
	# The log ends where the diff begins.
	sed '/^---$/,$d; 1s/^Subject: //' "$2" |
		git -C "$1" interpret-trailers --trailer 'Assisted-by: LLM coccinelle sparse' |
		git -C "$1" -c "user.name=$(git config user.name)" -c "user.email=$(git config user.email)" \
			commit -q -s -F -
}

# controls STACK: its controls, one path a line, and those at the top that a base without selftests of its own shares,
# unless it has one of the same name. One that says "Not-here: WHY" instead of a diff is none.
controls()
{
	local f
	declare -A by_name=()
	for f in "$SHARED"/controls/*.patch "$1"/controls/*.patch; do
		[ ! -f "$f" ] || by_name[${f##*/}]=$f
	done
	printf '%s\n' "${!by_name[@]}" | LC_ALL=C sort | while read -r f; do
		[ -z "$f" ] || grep -q '^Not-here: ' "${by_name[$f]}" || echo "${by_name[$f]}"
	done
}

# patch_state PATCH: the state that ends with it (see series)
patch_state()
{
	local name=${1##*/}
	echo "${1%"$name"}${name%%-*}"
}

# series_claims: the windows that the series says it closes, on one line
series_claims()
{
	sed -n 's/^# closes: *//p' "$STACK/series" | xargs
}
