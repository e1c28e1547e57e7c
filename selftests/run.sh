#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Loads mkwritefs, runs the programs one after the other, unloads it, TAP on
# stdout. Each one's begins with "# program: NAME". Arguments: the programs to
# run, all without; PROGRAM:TEST... runs only these of it; -l lists them. Exit
# status: 0 only if every test is ok.
set -euo pipefail
cd "$(dirname "$0")"

programs=(oracle windows contract folio folio_batch prepared drivers stress)
if [ "${1:-}" = -l ]; then
	echo "${programs[@]}"
	exit
fi
[ $# = 0 ] || programs=("$@")

[ -d /sys/module/mkwritefs ] || insmod test_modules/mkwritefs.ko
limit=$(sed -n 's/^timeout=//p' settings)
status=0
for program in "${programs[@]}"; do
	IFS=: read -ra tests <<<"$program"
	program=${tests[0]}
	tests=("${tests[@]:1}")
	echo "# program: $program"
	timeout -k 10 "$limit" "./$program" "${tests[@]/#/-r}" 2>&1 || {
		echo "# program ended with status $?"
		status=1
	}
done
echo "# program: unload"
./unload.sh || status=1
exit $status
