# SPDX-License-Identifier: GPL-2.0
# One command a job; the steps are in scripts/.

export ARCH BASE TREE FS CONFIG BUILD CACHE V JOBS ACCEL CONTROLS
export A B BENCH OPTIONS RESULTS TOPIC VERSION REF FORCE
export XFSTESTS LTP TESTS LIMIT MUTANTS
export TEST STATE SEED SHARE GDB SELFTESTS JOBS_GUESTS HOSTS

.PHONY: help run check shell test matrix mutants bisectable xfstests mmtests ltp lava bench audit topics mail branch clean distclean

help:
	@echo 'make run           fetch the base, apply the series, build, boot stock and patched, verdict'
	@echo 'make check TEST=   one test (W7.whole_folio_unmapped, xfs.cut) or a glob, on stock and patched (SEED=, STATE=)'
	@echo 'make shell         a terminal in the guest (STATE=stock|patched|a control; FS=xfs mounted; SHARE=/path)'
	@echo 'make test          every check: the series, the scripts, the selftests, the controls'
	@echo 'make matrix        every filesystem of scripts/guest/fs on the patched kernel (FS= picks), and their controls'
	@echo 'make mutants       does any test notice each of mutants/ (MUTANTS="mm-* ext4-*" picks), and the score; hours'
	@echo 'make bisectable    every patch of the series builds, boots, and its kernel log is clean (FS= runs there)'
	@echo 'make xfstests      your own, built xfstests (XFSTESTS=/path) on stock and patched; FS= and TESTS= pick'
	@echo 'make mmtests       the tree'\''s own tools/testing/selftests/mm on stock and patched; FS= and TESTS= pick'
	@echo 'make ltp           your own, installed LTP (LTP=/path) on stock and patched; FS= and TESTS= pick'
	@echo 'make lava          a job for a LAVA lab (FS=, STATE=), and runs it if lava-run is here'
	@echo 'make bench         what a shared write fault costs, A= against B= (stock, patched); see scripts/bench'
	@echo 'make audit         judge every ->page_mkwrite handler of TREE= (default: the base, stock and patched),'
	@echo '                   or what PATCH= changes in it; JSON=1 for tools, STRICT=1 fails on the undecidable, too'
	@echo 'make topics        each topic, or TOPIC=, alone: applies, builds for x86 and arm64, its tests red without, green with it'
	@echo 'make mail          the topics, or TOPIC=, as mails with your sign-off and To and Cc, in build/mail; sends nothing'
	@echo 'make branch        one git branch a topic in your own clone TREE=, with your sign-off; pushes nothing'
	@echo 'make clean         remove logs and kernels (build/runs, build/<base>/kernels)'
	@echo 'make distclean     remove the build folder and the downloads'
	@echo
	@echo 'BASE=6.12          the base: 6.12 (LTS), 7.3 (mainline), v2.6.30-rc4 (the 2009 change; needs TREE=)'
	@echo 'ARCH=arm64         of make run, check, shell and bench: kernel and guest for arm64 (default: x86), under TCG'
	@echo 'TREE=/path         your own tree of that version (git or plain; never written to)'
	@echo 'FS="ext4 ..."      filesystems for make run (default: see the base file) and make matrix (default: all)'
	@echo 'CONFIG=base        kernel config of make run, check, shell, and of make test (debug; 7.3: base):'
	@echo '                   base, debug, kasan, kcsan, matrix'
	@echo 'GDB=1              make shell waits for gdb, and says its command line'
	@echo 'V=1                show commands and their output'
	@echo 'BUILD=/path        build folder (default: build/); CACHE=/path: downloads (default: ~/.cache/mkwrite)'
	@echo 'JOBS=N             parallel compile jobs (default: all CPUs); CC=: the compiler'
	@echo 'SELFTESTS="folio"  programs of the selftests for make run (default: all)'
	@echo 'JOBS_GUESTS=N      guests at a time, of make matrix first of all (default: 1), HOSTS="a b -": on these machines, by ssh'
	@echo 'ACCEL=tcg|kvm      how to run guests (default: KVM if a guest starts under it)'
	@echo 'A= B= BENCH= OPTIONS= RESULTS=    of make bench: see the head of scripts/bench'
	@echo 'XFSTESTS= LTP= TESTS= LIMIT=      of make xfstests, mmtests, ltp: see the heads of scripts/xfstests, scripts/suite'
	@echo 'CONTROLS=all       make test boots each control, also one that names only what stock turns red'

run:
	@scripts/run

check:
	@scripts/check

shell:
	@scripts/shell

test:
	@scripts/test

matrix:
	@scripts/matrix

mutants:
	@scripts/mutants

bisectable:
	@scripts/test bisectable

xfstests:
	@scripts/xfstests

mmtests ltp:
	@scripts/suite $@

lava:
	@scripts/lava

bench:
	@scripts/bench

audit:
	@scripts/audit $(if $(JSON),--json) $(if $(STRICT),--strict) $(if $(PATCH),--patch '$(PATCH)') $(TREE)

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
