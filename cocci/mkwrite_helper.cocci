// SPDX-License-Identifier: GPL-2.0
/// Use filemap_mkwrite_lock() for the "lock the folio, is it still ours, is it
/// below i_size" at the beginning of a ->page_mkwrite handler.
//
// Confidence: Moderate
// Copyright: (C) 2026 mkwrite project
// Options: --no-includes
// Comments:
// Needs a kernel with filemap_mkwrite_lock(), which checks more than most code
// that it replaces: i_size, the page and not only the folio, uptodate. It waits
// for stable writes as well, so the handler's own wait goes. Review every
// result: a folio that the handler accepts while it is not uptodate is refused.

virtual patch
virtual context
virtual org
virtual report

// ---- the check, by its ways to leave ----

@leave depends on patch@
typedef vm_fault_t;
identifier fn =~ "mkwrite$", vmf;
identifier lock =~ "^(folio_lock|lock_page)$";
identifier unlock =~ "^(folio_unlock|unlock_page)$";
identifier pos =~ "^(folio_pos|page_offset)$";
expression F, E, I;
@@
vm_fault_t fn(struct vm_fault *vmf) {
+	ssize_t bytes;
...
-	lock(F);
-	if (\(F->mapping != E\|(F->mapping != E) || (pos(F) >= i_size_read(I))\|(F->mapping != E) || (pos(F) >= i_size_read(I)) || !folio_test_uptodate(F)\)) {
-		unlock(F);
-		return VM_FAULT_NOPAGE;
-	}
+	bytes = filemap_mkwrite_lock(vmf);
+	if (bytes < 0)
+		return vmf_fs_error(bytes);
...
}

@jump depends on patch@
identifier fn =~ "mkwrite$", vmf, out;
identifier lock =~ "^(folio_lock|lock_page)$";
identifier unlock =~ "^(folio_unlock|unlock_page)$";
identifier pos =~ "^(folio_pos|page_offset)$";
idexpression vm_fault_t ret;
expression F, E, I;
@@
vm_fault_t fn(struct vm_fault *vmf) {
+	ssize_t bytes;
...
-	lock(F);
-	if (\(F->mapping != E\|(F->mapping != E) || (pos(F) >= i_size_read(I))\|(F->mapping != E) || (pos(F) >= i_size_read(I)) || !folio_test_uptodate(F)\)) {
-		unlock(F);
-		ret = VM_FAULT_NOPAGE;
-		goto out;
-	}
+	bytes = filemap_mkwrite_lock(vmf);
+	if (bytes < 0) {
+		ret = vmf_fs_error(bytes);
+		goto out;
+	}
...
}

// The same with i_size in a variable, which stays if anything else reads it.
@sized depends on patch@
identifier fn =~ "mkwrite$", vmf;
identifier lock =~ "^(folio_lock|lock_page)$";
identifier unlock =~ "^(folio_unlock|unlock_page)$";
identifier pos =~ "^(folio_pos|page_offset)$";
idexpression size;
expression F, E, I;
@@
vm_fault_t fn(struct vm_fault *vmf) {
+	ssize_t bytes;
...
-	lock(F);
-	size = i_size_read(I);
-	if ((F->mapping != E) || (\(pos(F) >= size\|pos(F) > size\))) {
-		unlock(F);
-		return VM_FAULT_NOPAGE;
-	}
+	bytes = filemap_mkwrite_lock(vmf);
+	if (bytes < 0)
+		return vmf_fs_error(bytes);
+	size = i_size_read(I);
...
}

@sized_jump depends on patch@
identifier fn =~ "mkwrite$", vmf, out;
identifier lock =~ "^(folio_lock|lock_page)$";
identifier unlock =~ "^(folio_unlock|unlock_page)$";
identifier pos =~ "^(folio_pos|page_offset)$";
idexpression vm_fault_t ret;
idexpression size;
expression F, E, I;
@@
vm_fault_t fn(struct vm_fault *vmf) {
+	ssize_t bytes;
...
-	lock(F);
-	size = i_size_read(I);
-	if ((F->mapping != E) || (\(pos(F) >= size\|pos(F) > size\))) {
-		unlock(F);
-		ret = VM_FAULT_NOPAGE;
-		goto out;
-	}
+	bytes = filemap_mkwrite_lock(vmf);
+	if (bytes < 0) {
+		ret = vmf_fs_error(bytes);
+		goto out;
+	}
+	size = i_size_read(I);
...
}

// folio_mkwrite_check_truncate() gave the length already.
@length depends on patch@
identifier fn =~ "mkwrite$", vmf;
identifier lock =~ "^(folio_lock|lock_page)$";
identifier unlock =~ "^(folio_unlock|unlock_page)$";
identifier check =~ "^(folio|page)_mkwrite_check_truncate$";
idexpression len;
expression F;
@@
vm_fault_t fn(struct vm_fault *vmf) {
...
-	lock(F);
-	len = check(F, ...);
-	if (len < 0) {
-		unlock(F);
-		return VM_FAULT_NOPAGE;
-	}
+	len = filemap_mkwrite_lock(vmf);
+	if (len < 0)
+		return vmf_fs_error(len);
...
}

// ---- the wait that filemap_mkwrite_lock() has done ----

@stable depends on patch@
identifier fn =~ "mkwrite$", vmf;
@@
vm_fault_t fn(struct vm_fault *vmf) {
... when any
filemap_mkwrite_lock(vmf)
<...
-	\(folio_wait_stable\|wait_for_stable_page\)(...);
...>
}

// ---- what only the check has used ----

@unread depends on sized || sized_jump@
identifier fn =~ "mkwrite$", vmf, size;
type T;
@@
vm_fault_t fn(struct vm_fault *vmf) {
... when any
-	T size;
... when != size
-	size = i_size_read(...);
... when != size
}

@unused depends on leave || jump || sized || sized_jump || length@
identifier fn =~ "mkwrite$", vmf, x;
type T;
expression F;
@@
vm_fault_t fn(struct vm_fault *vmf) {
... when any
-	T x = \(file_inode(F)\|page_folio(F)\|vmf->page\);
... when != x
}

@found depends on context || org || report@
identifier fn =~ "mkwrite$";
identifier lock =~ "^(folio_lock|lock_page)$";
expression F, E, X;
idexpression size;
position p;
@@
vm_fault_t fn(...) { <...
* lock@p(F);
(
* if (\(F->mapping != E\|(F->mapping != E) || X\)) { ... }
|
* size = i_size_read(...);
* if ((F->mapping != E) || X) { ... }
)
...> }

@script:python depends on report@
p << found.p;
fn << found.fn;
@@
coccilib.report.print_report(p[0], '%s: opportunity for filemap_mkwrite_lock()' % fn)

@script:python depends on org@
p << found.p;
fn << found.fn;
@@
coccilib.org.print_todo(p[0], '%s: opportunity for filemap_mkwrite_lock()' % fn)
