// SPDX-License-Identifier: GPL-2.0
/// Turn a ->page_mkwrite of the kind before 2.6.30, which unlocks the folio and
/// returns 0, into one that returns it locked (VM_FAULT_LOCKED).
//
// Confidence: Moderate
// Copyright: (C) 2026 mkwrite project
// Options: --no-includes
// Comments:
// Only where the folio is locked until right before the return. A handler that
// never locks is not converted: what it prepares without the lock, writeback
// can undo, so the work itself has to move (make audit reports it). An
// unlock and 0 after a look at ->mapping meant "come again": VM_FAULT_NOPAGE.

virtual patch
virtual context
virtual org
virtual report

@again depends on patch@
typedef vm_fault_t;
type T = {vm_fault_t, int};
identifier fn =~ "mkwrite$";
identifier unlock =~ "^(folio_unlock|unlock_page)$";
expression F, G, E;
@@
T fn(...) { <...
if (\(F->mapping != E\|!F->mapping\|F->mapping != E || ...\|!F->mapping || ...\)) {
	unlock(G);
-	return 0;
+	return VM_FAULT_NOPAGE;
}
...> }

@done depends on patch@
type T = {vm_fault_t, int};
identifier fn =~ "mkwrite$";
identifier unlock =~ "^(folio_unlock|unlock_page)$";
expression F;
@@
T fn(...) { <...
-	unlock(F);
-	return 0;
+	return VM_FAULT_LOCKED;
...> }

@tail depends on patch@
type T = {vm_fault_t, int};
identifier fn =~ "mkwrite$";
identifier unlock =~ "^(folio_unlock|unlock_page)$";
idexpression T ret;
identifier out;
expression F, E;
@@
T fn(...) {
<...
+	if (!ret)
+		return VM_FAULT_LOCKED;
	unlock(F);
(
	return ret;
|
	out: return ret;
|
	if (ret) ret = E;
	return ret;
)
...>
}

@found depends on context || org || report exists@
type T = {vm_fault_t, int};
identifier fn =~ "mkwrite$";
identifier unlock =~ "^(folio_unlock|unlock_page)$";
idexpression T ret;
expression F;
position p;
@@
T fn(...) {
... when any
* unlock@p(F);
* return \(0\|ret\);
}

@script:python depends on report@
p << found.p;
fn << found.fn;
@@
coccilib.report.print_report(p[0], '%s: unlocks before it returns success' % fn)

@script:python depends on org@
p << found.p;
fn << found.fn;
@@
coccilib.org.print_todo(p[0], '%s: unlocks before it returns success' % fn)
