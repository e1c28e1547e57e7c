#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Loads mkwritefs, runs the programs one after the other, TAP on stdout.
# Each one's begins with "# program: NAME". Arguments: the programs to run,
# all without. Exit status: 0 only if every test is ok.
set -euo pipefail
cd "$(dirname "$0")"

programs=("$@")
[ $# -gt 0 ] || programs=(oracle windows contract folio folio_batch stress)

[ -d /sys/module/mkwritefs ] || insmod test_modules/mkwritefs.ko
limit=$(sed -n 's/^timeout=//p' settings)
status=0
for program in "${programs[@]}"; do
	echo "# program: $program"
	timeout -k 10 "$limit" "./$program" 2>&1 || status=1
done
# Something is still in use if this fails: a folio, a mount, an adversary.
rmmod mkwritefs || status=1
exit $status
