// SPDX-License-Identifier: GPL-2.0
/// A ->page_mkwrite handler must return with the folio locked and prepared
/// (VM_FAULT_LOCKED), or unlocked with VM_FAULT_NOPAGE or an error. The VM
/// keeps that lock until the PTE and the folio are dirty, so that writeback
/// cannot clean the folio in between. Each message names the handler and, in
/// brackets, the rule it breaks:
///
/// unlocked: success without VM_FAULT_LOCKED;
/// balance: VM_FAULT_LOCKED with the folio unlocked, an error with it locked;
/// retry: VM_FAULT_RETRY (mmap_lock was not dropped) or a bare errno;
/// early: freeze protection ends before the folio is dirty;
/// freeze: no freeze protection at all;
/// mapping, isize: the folio is used without that check under its lock;
/// eof: a folio that begins at i_size is taken for a folio inside the file;
/// sleep: waits for space or a transaction while it holds the folio lock.
//
// Confidence: Moderate
// Copyright: (C) 2026 mkwrite project
// Options: --no-includes
// Comments:
// A function is judged if it is assigned to .page_mkwrite in the same file, if
// its name ends in "page_mkwrite", if MKWRITE_HANDLERS (environment, names separated
// by blanks) has it, or if a judged function of the same file returns its value.
// Paths are followed, values are not: where the answer hangs on a value or on a
// function of another file the message says "undecidable". With -D audit the
// forwards are printed as well, for scripts/audit to follow across files.
// Over a whole tree spatch parses every file, because no word is common to all
// that the rules match: give coccicheck M=fs, or use make audit.
// The names that prepare, dirty or sleep are in the rules below; a filesystem
// with names of its own adds them there.

virtual context
virtual org
virtual report
virtual audit

@initialize:python@
@@
import os, re

named = re.compile(r'^(?!do_page_mkwrite$).*page_mkwrite$')
# What these return is known, or no result of a ->page_mkwrite.
known = re.compile(r'^(filemap_fault|dax_iomap_fault|dax_finish_sync_fault|'
                   r'vmf_(fs_)?error|block_page_mkwrite_return|trace_.*)$')
# Helpers that leave freeze protection to the caller and say so.
bare = ('block_page_mkwrite', 'iomap_page_mkwrite')
handlers = set(os.environ.get('MKWRITE_HANDLERS', '').split())
mode, calls, facts, said = {}, {}, {}, set()
verdicts = {}

def closure():
    "handlers, and what they forward to"
    seen = set()
    todo = list(handlers) + [c for c in calls if named.match(c)]
    while todo:
        c = todo.pop()
        if c not in seen:
            seen.add(c)
            todo += calls.get(c, ())
    return seen

# Asked for every function by every rule: the first answer after the last
# assignment and forward were seen is kept.
def judged(fn):
    if 'all' not in verdicts:
        verdicts['all'] = closure()
    return fn in verdicts['all'] or bool(named.match(fn))

def handler(fn):
    handlers.add(fn)
    verdicts.clear()

def call(fn, g):
    if not known.match(g):
        calls.setdefault(fn, set()).add(g)
        verdicts.clear()

def note(fact, fn):
    facts.setdefault(fact, set()).add(fn)

def has(fact, fn):
    return fn in facts.get(fact, ())

def lockless(fn):
    return judged(fn) and not has('locks', fn)

def frozen_out(fn):
    "fn, or a function that calls it, takes freeze protection"
    seen, todo = set(), [fn]
    while todo:
        c = todo.pop()
        if has('protects', c):
            return True
        if c not in seen:
            seen.add(c)
            todo += [k for k in calls if c in calls[k]]
    return fn in bare

def not_frozen_out(fn):
    return judged(fn) and not frozen_out(fn)

def has_cache(fn):
    return judged(fn) and (has('cache', fn) or has('helper', fn))

def cache_not_frozen_out(fn):
    return has_cache(fn) and not frozen_out(fn)

def say(p, fn, rule, text):
    msg = '%s: [%s] %s' % (fn, rule, text)
    for q in p:
        if (q.file, q.line, msg) in said:
            continue
        said.add((q.file, q.line, msg))
        if 'org' in mode:
            coccilib.org.print_todo(q, msg)
        elif 'report' in mode:
            coccilib.report.print_report(q, msg)

@initialize:python depends on org@
@@
mode['org'] = 1

@initialize:python depends on report@
@@
mode['report'] = 1

// Nothing to do in a file without such a function.
@vm@
identifier fn, vmf;
@@
fn(..., struct vm_fault *vmf, ...) { ... }

// Names are known by file: with more than one, start anew for each.
@script:python@
fn << vm.fn;
@@
handlers = set(os.environ.get('MKWRITE_HANDLERS', '').split())
for d in (calls, facts, verdicts):
    d.clear()

// ---- who is judged, and what each function does at all ----

@assigned depends on vm@
identifier ops, fn;
@@
struct vm_operations_struct ops = { .page_mkwrite = fn, };

@script:python@
fn << assigned.fn;
@@
handler(fn)

@late depends on vm@
expression E;
identifier fn;
@@
(
E.page_mkwrite = fn
|
E->page_mkwrite = fn
)

@script:python@
fn << late.fn;
@@
handler(fn)

@forward depends on vm@
typedef vm_fault_t;
identifier fn, g;
idexpression vm_fault_t ret;
position p;
@@
vm_fault_t fn(...) { <...
(
return g@p(...);
|
ret = g@p(...)
)
...> }

@script:python@
p << forward.p;
fn << forward.fn;
g << forward.g;
@@
call(fn, g)

@prepares depends on vm@
identifier fn;
identifier g =~ "^(block|iomap|netfs|filemap)_page_mkwrite$";
position p;
@@
fn(...) { <+... g@p(...) ...+> }

@script:python@
fn << prepares.fn;
g << prepares.g;
@@
call(fn, g)

@script:python depends on audit@
p << forward.p;
fn << forward.fn;
g << forward.g;
@@
if not known.match(g) and judged(fn):
    say(p, fn, 'forward', g)

@script:python depends on audit@
p << prepares.p;
fn << prepares.fn;
g << prepares.g;
@@
if judged(fn):
    say(p, fn, 'forward', g)

@defined depends on vm@
identifier fn : script:python() { judged(fn) };
position p;
@@
fn@p(...) { ... }

@script:python depends on audit@
p << defined.p;
fn << defined.fn;
@@
say(p, fn, 'function', '')

@pointer depends on vm@
identifier fn : script:python() { judged(fn) };
expression E;
position p;
@@
fn(...) { <+... E->page_mkwrite@p(...) ...+> }

@script:python depends on audit@
p << pointer.p;
fn << pointer.fn;
@@
say(p, fn, 'forward', '*')

@protects depends on vm@
identifier fn : script:python() { judged(fn) };
@@
fn(...) { <+... sb_start_pagefault(...) ...+> }

@script:python@
fn << protects.fn;
@@
note('protects', fn)

@reads depends on vm@
identifier fn : script:python() { judged(fn) };
expression E;
@@
fn(...) { <+...
(
i_size_read(...)
|
E->i_size
)
...+> }

@script:python@
fn << reads.fn;
@@
note('size', fn)

// Only a folio of the page cache has an i_size to be checked against.
@cache depends on vm@
identifier fn : script:python() { judged(fn) };
identifier check =~ "check_truncate$";
expression E, F;
@@
fn(...) { <+...
\(E->mapping == F\|E->mapping != F\|!E->mapping\|F = E->mapping\|check(...)\)
...+> }

@script:python@
fn << cache.fn;
@@
note('cache', fn)

@helper depends on vm@
identifier fn : script:python() { judged(fn) };
@@
fn(...) { <+... filemap_mkwrite_lock(...) ...+> }

@script:python@
fn << helper.fn;
@@
note('helper', fn)

@locks depends on vm@
identifier fn : script:python() { judged(fn) };
identifier lk =~ "^(__)?(folio_(try)?lock|(try)?lock_page|filemap_mkwrite_lock)";
@@
fn(...) { <+... lk(...) ...+> }

@script:python@
fn << locks.fn;
@@
note('locks', fn)

// ---- unlocked ----
// The VM always sets FAULT_FLAG_MKWRITE for this call: a handler shared with
// ->fault is judged by the branch that tests it.

@u1 depends on vm exists@
identifier fn : script:python() { judged(fn) };
position p;
@@
vm_fault_t fn(...) {
... when != FAULT_FLAG_MKWRITE
* return@p 0;
}

@u2 depends on vm exists@
identifier fn : script:python() { judged(fn) };
idexpression ret;
expression E;
position p;
@@
vm_fault_t fn(...) {
... when != FAULT_FLAG_MKWRITE
    when any
* ret =@p 0
... when != ret = E
    when != ret |= E
    when != !ret
    when != ret == 0
return ret;
}

@u3 depends on vm exists@
identifier fn : script:python() { judged(fn) };
identifier ret;
type T;
expression E;
position p;
@@
vm_fault_t fn(...) {
... when != FAULT_FLAG_MKWRITE
    when any
* T ret@p = 0;
... when != ret = E
    when != ret |= E
    when != !ret
    when != ret == 0
    when != FAULT_FLAG_MKWRITE
return ret;
}

@u4 depends on vm exists@
identifier fn : script:python() { judged(fn) };
idexpression ret;
expression E;
position p;
@@
vm_fault_t fn(...) {
... when any
if (ret) return ret;
... when != ret = E
    when != ret |= E
* return@p ret;
}

@u5 depends on vm exists@
identifier fn : script:python() { judged(fn) };
idexpression ret;
expression E, F;
position p;
@@
vm_fault_t fn(...) {
... when any
if (F & FAULT_FLAG_MKWRITE) {
... when any
(
* return@p 0;
|
* ret =@p 0
... when != ret = E
return ret;
)
}
... when any
}

@script:python@
p << u1.p;
fn << u1.fn;
@@
say(p, fn, 'unlocked', 'returns 0, not VM_FAULT_LOCKED')

@script:python@
p << u2.p;
fn << u2.fn;
@@
say(p, fn, 'unlocked', 'returns 0, not VM_FAULT_LOCKED')

@script:python@
p << u3.p;
fn << u3.fn;
@@
say(p, fn, 'unlocked', 'returns 0, not VM_FAULT_LOCKED')

@script:python@
p << u4.p;
fn << u4.fn;
@@
say(p, fn, 'unlocked', 'returns 0, not VM_FAULT_LOCKED')

@script:python@
p << u5.p;
fn << u5.fn;
@@
say(p, fn, 'unlocked', 'returns 0, not VM_FAULT_LOCKED')

// ---- balance ----
// if (ret != VM_FAULT_LOCKED) unlock: the test follows the value, paths do not.

@b1 depends on vm exists@
identifier fn : script:python() { judged(fn) };
identifier lk =~ "^(__)?(folio_lock|lock_page)$";
identifier lkk =~ "^(__)?(folio_lock|lock_page)_killable$";
identifier un =~ "^(folio_unlock|unlock_page|f2fs_folio_put|f2fs_put_page)$";
idexpression ret;
expression E, F, G;
constant C;
statement S;
position p;
@@
fn(...) {
... when any
(
lk(F);
|
if (lkk(F) < 0) S
|
if (lkk(F)) S
|
G = filemap_mkwrite_lock(...);
if (G < 0) S
)
... when != un(...)
    when != ret = VM_FAULT_LOCKED
    when != ret = VM_FAULT_LOCKED | E
(
* return@p \(VM_FAULT_SIGBUS\|VM_FAULT_NOPAGE\|VM_FAULT_OOM\|vmf_error(...)\|vmf_fs_error(-C)\);
|
* ret =@p \(VM_FAULT_SIGBUS\|VM_FAULT_NOPAGE\|VM_FAULT_OOM\|vmf_error(...)\|vmf_fs_error(-C)\)
... when != un(...)
    when != ret = E
    when != ret == VM_FAULT_LOCKED
    when != ret != VM_FAULT_LOCKED
    when != ret & VM_FAULT_LOCKED
return ret;
)
}

@b5 depends on vm exists@
identifier fn : script:python() { judged(fn) };
identifier lk =~ "^(__)?(folio_lock|lock_page)$";
identifier lkk =~ "^(__)?(folio_lock|lock_page)_killable$";
identifier un =~ "^(folio_unlock|unlock_page|f2fs_folio_put|f2fs_put_page)$";
identifier ret;
expression E, F, G;
statement S;
type T;
position p;
@@
fn(...) {
... when any
(
T ret = \(VM_FAULT_SIGBUS\|VM_FAULT_NOPAGE\|VM_FAULT_OOM\);
|
ret = \(VM_FAULT_SIGBUS\|VM_FAULT_NOPAGE\|VM_FAULT_OOM\);
)
... when != ret = E
(
lk(F);
|
if (lkk(F) < 0) S
|
if (lkk(F)) S
|
G = filemap_mkwrite_lock(...);
if (G < 0) S
)
... when != un(...)
    when != ret = E
    when != ret |= E
    when != ret & VM_FAULT_LOCKED
    when != ret == VM_FAULT_LOCKED
    when != ret != VM_FAULT_LOCKED
* return@p ret;
}

@script:python@
p << b5.p;
fn << b5.fn;
@@
say(p, fn, 'balance', 'returns an error with the folio locked')

@b1u depends on vm exists@
identifier fn : script:python() { judged(fn) };
identifier lk =~ "^(__)?(folio_lock|lock_page)$";
identifier un =~ "^(folio_unlock|unlock_page|f2fs_folio_put|f2fs_put_page)$";
idexpression ret;
expression E;
identifier G != { VM_FAULT_RETRY, VM_FAULT_NOPAGE, VM_FAULT_SIGBUS };
position p;
@@
fn(...) {
... when any
lk(...)
... when != un(...)
ret = \(VM_FAULT_LOCKED\|VM_FAULT_LOCKED | G\)
... when != un(...)
ret =@p \(VM_FAULT_SIGBUS\|VM_FAULT_NOPAGE\|VM_FAULT_OOM\|vmf_error(...)\|vmf_fs_error(...)\)
... when != un(...)
    when != ret = E
return ret;
}

@script:python@
p << b1u.p;
fn << b1u.fn;
@@
say(p, fn, 'balance', 'undecidable: an error may replace VM_FAULT_LOCKED')

@script:python@
p << b1.p;
fn << b1.fn;
@@
say(p, fn, 'balance', 'returns an error with the folio locked')

@b2 depends on vm exists@
identifier fn : script:python() { judged(fn) };
identifier lk =~ "lock|mkwrite";
identifier un =~ "^(folio_unlock|unlock_page|f2fs_folio_put|f2fs_put_page)$";
idexpression ret;
expression E, F, G;
position p;
@@
fn(...) {
... when any
un(F);
... when != lk(...)
(
* return@p \(VM_FAULT_LOCKED\|VM_FAULT_LOCKED | G\|G | VM_FAULT_LOCKED\|vmf_fs_error(0)\);
|
* ret =@p \(VM_FAULT_LOCKED\|VM_FAULT_LOCKED | G\|G | VM_FAULT_LOCKED\|vmf_fs_error(0)\)
... when != lk(...)
    when != ret = E
return ret;
)
}

@script:python@
p << b2.p;
fn << b2.fn;
@@
say(p, fn, 'balance', 'returns VM_FAULT_LOCKED with the folio unlocked')

@b3 depends on vm exists@
identifier fn : script:python() { judged(fn) };
identifier lk =~ "lock|mkwrite";
identifier un =~ "^(folio_unlock|unlock_page|f2fs_folio_put|f2fs_put_page)$";
identifier ret;
type T;
expression E, F;
identifier G != { VM_FAULT_RETRY, VM_FAULT_NOPAGE, VM_FAULT_SIGBUS };
position p;
@@
fn(...) {
... when any
T ret = \(VM_FAULT_LOCKED\|VM_FAULT_LOCKED | G\);
... when != ret = E
    when != ret != VM_FAULT_LOCKED
    when != ret & VM_FAULT_LOCKED
un(F);
... when != lk(...)
    when != ret = E
* return@p ret;
}

@script:python@
p << b3.p;
fn << b3.fn;
@@
say(p, fn, 'balance', 'returns VM_FAULT_LOCKED with the folio unlocked')

@b4 depends on vm@
identifier fn : script:python() { lockless(fn) };
idexpression ret;
identifier G != { VM_FAULT_RETRY, VM_FAULT_NOPAGE, VM_FAULT_SIGBUS };
position p;
@@
fn(...) { <+...
(
return@p \(VM_FAULT_LOCKED\|VM_FAULT_LOCKED | G\);
|
ret =@p \(VM_FAULT_LOCKED\|VM_FAULT_LOCKED | G\)
)
...+> }

@script:python@
p << b4.p;
fn << b4.fn;
@@
for rule in ('balance', 'mapping', 'isize'):
    say(p, fn, rule, 'undecidable: the folio is locked by a function called here')

// ---- retry ----

@t1 depends on vm@
identifier fn : script:python() { judged(fn) };
idexpression ret;
expression E;
position p;
@@
vm_fault_t fn(...) { <...
(
* return@p \(VM_FAULT_RETRY\|VM_FAULT_RETRY | E\|E | VM_FAULT_RETRY\);
|
* ret =@p \(VM_FAULT_RETRY\|VM_FAULT_RETRY | E\|E | VM_FAULT_RETRY\)
|
* ret |=@p \(VM_FAULT_RETRY\|VM_FAULT_RETRY | E\|E | VM_FAULT_RETRY\)
)
...> }

@script:python@
p << t1.p;
fn << t1.fn;
@@
say(p, fn, 'retry', 'returns VM_FAULT_RETRY, but mmap_lock is still held')

@t2 depends on vm@
identifier fn : script:python() { judged(fn) };
constant C =~ "^E[A-Z]+$";
idexpression vm_fault_t ret;
position p;
@@
vm_fault_t fn(...) { <...
(
* return@p -C;
|
* ret =@p -C
)
...> }

@script:python@
p << t2.p;
fn << t2.fn;
@@
say(p, fn, 'retry', 'returns a bare errno')

@t3 depends on vm@
identifier fn : script:python() { judged(fn) };
idexpression int err;
position p;
@@
vm_fault_t fn(...) { <...
* return@p err;
...> }

@script:python@
p << t3.p;
fn << t3.fn;
@@
say(p, fn, 'retry', 'returns a bare errno')

// ---- early, freeze ----
// Freezing waits for the faults that hold freeze protection, then writes back.
// A folio dirtied by the VM after that stays dirty on a frozen filesystem.

@f1 depends on vm exists@
identifier fn : script:python() { judged(fn) };
identifier dirty =~ "^(?!.*inode)(.*(mark|set)_(folio|page)?_?.*dirty.*|.*dirty_folio|.*commit_write|(block|iomap|netfs|filemap)_page_mkwrite|nfs_update(_folio|page)|.*write_end(_nolock)?|ext4_journal_folio_buffers|.*mkwrite.*dirty.*)$";
idexpression ret;
expression E;
identifier G != { VM_FAULT_RETRY, VM_FAULT_NOPAGE, VM_FAULT_SIGBUS };
position p;
@@
fn(...) {
... when != dirty(...)
    when any
(
ret = \(VM_FAULT_LOCKED\|VM_FAULT_LOCKED | G\)
|
ret = 0
)
... when != dirty(...)
    when != ret = E
    when != ret == VM_FAULT_LOCKED
    when != ret & VM_FAULT_LOCKED
    when != ret == 0
    when != !ret
* sb_end_pagefault@p(...)
... when any
    when != ret = E
\(return ret;\|return vmf_fs_error(ret);\)
}

@script:python@
p << f1.p;
fn << f1.fn;
@@
say(p, fn, 'early', 'freeze protection ends before the folio is dirty')

@n1 depends on vm@
identifier fn : script:python() { not_frozen_out(fn) };
position p;
@@
fn(...) { <+...
* file_update_time@p(...)
...+> }

@n2 depends on vm@
identifier fn : script:python() { cache_not_frozen_out(fn) };
position p;
@@
fn(...) { <+...
* \(folio_lock@p\|lock_page@p\|folio_lock_killable@p\|lock_page_killable@p\|filemap_mkwrite_lock@p\)(...)
...+> }

@script:python@
p << n1.p;
fn << n1.fn;
@@
say(p, fn, 'freeze', 'takes no freeze protection (sb_start_pagefault)')

@script:python@
p << n2.p;
fn << n2.fn;
@@
say(p, fn, 'freeze', 'takes no freeze protection (sb_start_pagefault)')

// ---- mapping, isize ----

@m1 depends on vm exists@
identifier fn : script:python() { judged(fn) };
identifier lk =~ "^(__)?(folio_lock|lock_page)(_killable)?$";
identifier un =~ "^(folio_unlock|unlock_page|f2fs_folio_put|f2fs_put_page)$";
identifier check =~ "check_truncate$|^(folio|page)_(file_)?mapping$";
identifier use =~ "attach.*private$|(mark|set)_(folio|page)?_?dirty|dirty_folio$|write_begin";
idexpression ret;
expression E;
identifier G != { VM_FAULT_RETRY, VM_FAULT_NOPAGE, VM_FAULT_SIGBUS };
position p;
@@
fn(...) {
... when any
lk@p(...)
... when != un(...)
    when != E->mapping
    when != check(...)
(
* return \(VM_FAULT_LOCKED\|VM_FAULT_LOCKED | G\);
|
* use(...)
... when any
|
* ret = \(VM_FAULT_LOCKED\|VM_FAULT_LOCKED | G\)
... when any
)
}

@script:python@
p << m1.p;
fn << m1.fn;
@@
say(p, fn, 'mapping', 'the folio is used before ->mapping is checked under its lock')

@i1 depends on vm exists@
identifier fn : script:python() { has_cache(fn) };
identifier lk =~ "^(__)?(folio_lock|lock_page)(_killable)?$";
identifier un =~ "^(folio_unlock|unlock_page|f2fs_folio_put|f2fs_put_page)$";
identifier check =~ "check_truncate$|^nfs_(folio|page)_length$";
identifier use =~ "(mark|set)_(folio|page)?_?dirty|dirty_folio$|write_begin";
idexpression ret;
expression E;
identifier G != { VM_FAULT_RETRY, VM_FAULT_NOPAGE, VM_FAULT_SIGBUS };
position p;
@@
fn(...) {
... when any
lk@p(...)
... when != un(...)
    when != i_size_read(...)
    when != E->i_size
    when != check(...)
(
* return \(VM_FAULT_LOCKED\|VM_FAULT_LOCKED | G\);
|
* use(...)
... when any
|
* ret = \(VM_FAULT_LOCKED\|VM_FAULT_LOCKED | G\)
... when any
)
}

@script:python@
p << i1.p;
fn << i1.fn;
@@
if has('size', fn):
    say(p, fn, 'isize', 'undecidable: i_size is read, but not under the folio lock')
else:
    say(p, fn, 'isize', 'i_size is not checked under the folio lock')

// ---- sleep ----
// A test for -ENOSPC follows a failed attempt, which has unlocked the folio:
// the path from the lock over it to the next attempt does not exist.

@s1 depends on vm exists@
identifier fn : script:python() { judged(fn) };
identifier lk =~ "^(__)?(folio_lock|lock_page)(_killable)?$|^filemap_mkwrite_lock$";
identifier un =~ "^(folio_unlock|unlock_page|f2fs_folio_put|f2fs_put_page)$";
identifier wait =~ "(journal_start(_sb)?|_trans(action)?_(begin|start|alloc).*|start_trans(action)?|(budget|reserve)_space|inplace_reserve|quota_lock(_check)?|get_caps|balance_fs|start_ordered_extent|filemap_fdatawrite.*|filemap_write_and_wait.*|balance_dirty_pages.*|inode_lock(_nested)?)$";
expression E;
position p;
@@
fn(...) {
... when any
lk(...)
... when != un(...)
    when != E == -ENOSPC
* wait@p(...)
... when any
}

@script:python@
p << s1.p;
fn << s1.fn;
@@
say(p, fn, 'sleep', 'waits for space or a transaction under the folio lock')

@s2 depends on vm exists@
identifier fn : script:python() { judged(fn) };
identifier lk =~ "^(__)?(folio_lock|lock_page)(_killable)?$|^filemap_mkwrite_lock$";
identifier un =~ "^(folio_unlock|unlock_page)$";
position p;
@@
fn(...) {
... when any
lk(...)
... when != un(...)
iomap_iter@p(...)
... when any
}

@script:python@
p << s2.p;
fn << s2.fn;
@@
say(p, fn, 'sleep', 'undecidable: iomap_begin is called with the folio locked')

// ---- eof ----
// Last, because include_match(False) takes a match of vm with it, and what
// depends on vm would not run any more.

@sized depends on vm@
identifier fn : script:python() { judged(fn) };
identifier v;
expression I;
@@
fn(...) { <...
v = \(i_size_read(...)\|I->i_size\)
...> }

@script:python@
fn << sized.fn;
v << sized.v;
@@
note('size of ' + fn, v)

@placed depends on vm@
identifier fn : script:python() { judged(fn) };
identifier v;
identifier at =~ "^(folio_pos|page_offset)$";
@@
fn(...) { <...
v = at(...)
...> }

@script:python@
fn << placed.fn;
v << placed.v;
@@
note('pos of ' + fn, v)

@e1 depends on vm@
identifier fn : script:python() { judged(fn) };
expression A, B;
position p;
@@
fn(...) { <...
\(A >@p B\|B <@p A\)
...> }

@script:python@
p << e1.p;
fn << e1.fn;
A << e1.A;
B << e1.B;
@@
a, b = A.replace(' ', ''), B.replace(' ', '')
shift = b.endswith('>>PAGE_SHIFT')
b = b.replace('>>PAGE_SHIFT', '').strip('()')
sized = (b.startswith('i_size_read') or b.endswith('->i_size') or
         has('size of ' + fn, b))
at = (re.match(r'(folio_pos|page_offset)\(([^()]|\([^()]*\))*\)$', a) or
      has('pos of ' + fn, a))
if sized and (a.endswith('->index') if shift else at):
    say(p, fn, 'eof', 'a folio that begins at i_size is taken for one inside the file')
else:
    cocci.include_match(False)

@e2 depends on context@
expression A, B;
position e1.p;
@@
* \(A >@p B\|B <@p A\)
