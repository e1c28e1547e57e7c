# SPDX-License-Identifier: GPL-2.0
# One command a job; the steps are in scripts/.

export BASE TREE FS CONFIG BUILD CACHE V JOBS ACCEL CONTROLS
export A B BENCH OPTIONS RESULTS TOPIC VERSION REF FORCE
export XFSTESTS TESTS LIMIT

.PHONY: help run test matrix bisectable xfstests bench audit topics mail branch clean distclean

help:
	@echo 'make run           fetch the base, apply the series, build, boot stock and patched, verdict'
	@echo 'make test          every check: the series, the scripts, the selftests, the controls'
	@echo 'make matrix        every filesystem of scripts/guest/fs on the patched kernel (FS= picks), and their controls'
	@echo 'make bisectable    every patch of the series builds, boots, and its kernel log is clean (FS= runs there)'
	@echo 'make xfstests      your own, built xfstests (XFSTESTS=/path) on stock and patched; FS= and TESTS= pick'
	@echo 'make bench         what a shared write fault costs, A= against B= (stock, patched); see scripts/bench'
	@echo 'make audit         judge every ->page_mkwrite handler of TREE= (default: the base, stock and patched)'
	@echo 'make topics        each topic, or TOPIC=, alone: applies, builds for x86 and arm64, its tests red without, green with it'
	@echo 'make mail          the topics, or TOPIC=, as mails with your sign-off and To and Cc, in build/mail; sends nothing'
	@echo 'make branch        one git branch a topic in your own clone TREE=, with your sign-off; pushes nothing'
	@echo 'make clean         remove logs and kernels (build/runs, build/<base>/kernels)'
	@echo 'make distclean     remove the build folder and the downloads'
	@echo
	@echo 'BASE=6.12          the base: 6.12 (LTS), 7.3 (mainline), v2.6.30-rc4 (the 2009 change; needs TREE=)'
	@echo 'TREE=/path         your own tree of that version (git or plain; never written to)'
	@echo 'FS="ext4 ..."      filesystems for make run (default: see the base file) and make matrix (default: all)'
	@echo 'CONFIG=base        kernel config of make run: base, debug, kasan, kcsan'
	@echo 'V=1                show commands and their output'
	@echo 'BUILD=/path        build folder (default: build/)'
	@echo 'JOBS=N             parallel compile jobs (default: all CPUs)'
	@echo 'ACCEL=tcg|kvm      how to run guests (default: KVM if a guest starts under it)'
	@echo 'CONTROLS=all       make test boots each control, also one that names only what stock turns red'

run:
	@scripts/run

test:
	@scripts/test

matrix:
	@scripts/matrix

bisectable:
	@scripts/test bisectable

xfstests:
	@scripts/xfstests

bench:
	@scripts/bench

audit:
	@scripts/audit $(TREE)

topics:
	@scripts/test topics

mail:
	@scripts/mail

branch:
	@scripts/branch

clean:
	@scripts/clean

distclean:
	@scripts/clean all
