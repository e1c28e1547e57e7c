#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Unloads the module that the programs before have loaded. Something is still in
# use if this fails: a folio, a mount, an adversary.
echo "TAP version 13"
if [ ! -d /sys/module/mkwritefs ]; then
	echo "1..0 # SKIP the module is not loaded"
	exit 4
fi
if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP needs root"
	exit 4
fi
echo "1..1"
if rmmod mkwritefs 2>&1; then
	echo "ok 1 unload.mkwritefs"
else
	echo "not ok 1 unload.mkwritefs"
	exit 1
fi
