// SPDX-License-Identifier: GPL-2.0
/// Code that calls a ->page_mkwrite handler, stands in front of one, or dirties
/// mapped folios beside it. Each message names the function and, in brackets,
/// the rule it breaks:
///
/// result: judges the result of ->page_mkwrite and forgets VM_FAULT_RETRY,
/// which then passes for success; not in a handler, which may rely on the
/// rule that none returns it (retry, in scripts/mkwrite.py);
/// flags: returns with vmf->flags overwritten;
/// wrapper: forwards ->fault of another vm_ops, but not its ->page_mkwrite;
/// order: makes a PTE writable first and locks the folio after;
/// dirty: marks a folio of user memory dirty without its lock;
/// resize: reads i_size again to decide what becomes writable;
/// absent: takes the absence of VM_FAULT_LOCKED for "not locked" after a
/// function that locks and does not say so;
/// clean: drops the dirty state of a folio, neither writes it nor sets an error.
//
// Confidence: Moderate
// Copyright: (C) 2026 mkwrite project
// Options: --no-includes
// Comments:
// dirty: "undecidable" if nothing in the file takes pages from user memory; the
// folio may be the driver's own, or the lock may be the caller's. Filesystems
// and mm/ are not judged by it: there the lock is the rule, not the exception.
// Over a whole tree spatch parses every file: give coccicheck M=, or use make audit.

virtual context
virtual org
virtual report

@initialize:python@
@@
import re
mode, facts, said = {}, {}, set()

def note(fact, x):
    facts.setdefault(fact, set()).add(x)

def lacks(fact, x):
    return x not in facts.get(fact, ())

def forgets_retry(fn):
    return lacks('retry', fn) and lacks('handler', fn) and not re.match('(?!.*do_page_).*page_mkwrite$', fn)

def no_mkwrite(ops):
    return lacks('full', ops)

def lockless(fn):
    return lacks('lock', fn)

def comes_after(fn):
    return not lacks('after', fn)

def silent(fn):
    return not lacks('silent', fn) and lacks('tells', fn)

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

def say_clean(p, fn):
    if lacks('given', fn):
        say(p, fn, 'clean', 'drops the dirty state, neither writes the folio nor sets an error')
    else:
        say(p, fn, 'clean', 'undecidable: drops the dirty state; does what is called here write it?')

// Names are known by file: with more than one, start anew for each.
@script:python@
@@
facts.clear()

@initialize:python depends on org@
@@
mode['org'] = 1

@initialize:python depends on report@
@@
mode['report'] = 1

// ---- result ----

@knows@
identifier fn;
@@
fn(...) { <+... VM_FAULT_RETRY ...+> }

@script:python@
fn << knows.fn;
@@
note('retry', fn)

@asks_another@
expression ops, vmf;
@@
ops->page_mkwrite(vmf)

@handler depends on asks_another@
identifier ops, fn;
expression E;
@@
(
struct vm_operations_struct ops = { .page_mkwrite = fn, };
|
E.page_mkwrite = fn
|
E->page_mkwrite = fn
)

@script:python@
fn << handler.fn;
@@
note('handler', fn)

@part@
identifier handler.fn, g;
@@
fn(...) { <+... g(...) ...+> }

@script:python@
g << part.g;
@@
note('handler', g)

@result@
typedef vm_fault_t;
identifier fn : script:python() { forgets_retry(fn) };
expression vmf, ops, mask;
idexpression ret;
position p;
@@
fn(...) {
... when any
* ret = ops->page_mkwrite@p(vmf)
... when any
ret & mask
... when any
}

@script:python@
p << result.p;
fn << result.fn;
@@
say(p, fn, 'result', 'VM_FAULT_RETRY from ->page_mkwrite passes for success')

// ---- flags ----

@overwrites@
expression E, vmf;
@@
vmf->flags = E

@flags depends on overwrites exists@
identifier fn, vmf, old;
type T;
expression E;
position p;
@@
fn(..., struct vm_fault *vmf, ...) {
... when any
T old = vmf->flags;
... when any
* vmf->flags =@p E
... when != vmf->flags = old
return ...;
}

@script:python@
p << flags.p;
fn << flags.fn;
old << flags.old;
E << flags.E;
@@
if E != old:
    say(p, fn, 'flags', 'vmf->flags is not restored on every path')

// ---- wrapper ----

@full@
identifier ops, fn, mk;
@@
struct vm_operations_struct ops = { .fault = fn, .page_mkwrite = mk, };

@script:python@
ops << full.ops;
@@
note('full', ops)

@fault@
identifier fn;
expression E, vmf;
@@
vm_fault_t fn(...) { <+... E->fault(vmf) ...+> }

@wrapper@
identifier fault.fn;
identifier ops : script:python() { no_mkwrite(ops) };
position p;
@@
struct vm_operations_struct ops = {
* .fault = fn@p,
};

@script:python@
p << wrapper.p;
fn << fault.fn;
@@
say(p, fn, 'wrapper', 'forwards ->fault, but its vm_ops has no ->page_mkwrite')

// ---- order ----

@maps_pte@
identifier mk = {wp_page_reuse, ptep_set_access_flags, set_pte_at, set_ptes};
@@
mk(...)

@order depends on maps_pte exists@
identifier fn;
identifier mk = {wp_page_reuse, ptep_set_access_flags, set_pte_at, set_ptes};
expression F;
position p;
@@
fn(...) {
... when any
* mk@p(...);
... when != folio_unlock(F)
    when != unlock_page(F)
\(folio_lock\|lock_page\)(F);
... when any
}

@script:python@
p << order.p;
fn << order.fn;
@@
say(p, fn, 'order', 'the PTE is writable before the folio is locked')

// ---- dirty ----

@dirties@
@@
\(set_page_dirty\|folio_mark_dirty\|SetPageDirty\)(...)

@gup depends on dirties@
identifier get =~ "^((get|pin)_user_pages.*|iov_iter_(get|extract)_pages.*|hmm_range_fault|(__)?gfn_to_pfn.*|mm_iommu_.*|import_(single_range|ubuf))$";
position p;
@@
get@p(...)

@script:python@
p << gup.p;
@@
note('gup', p[0].file)

@lk depends on dirties@
identifier fn;
identifier lock =~ "^(folio_lock|lock_page|folio_trylock|trylock_page)";
@@
fn(...) { <+... lock(...) ...+> }

@script:python@
fn << lk.fn;
@@
note('lock', fn)

@dirty depends on dirties@
identifier fn : script:python() { lockless(fn) };
expression P;
position p;
@@
fn(...) { <+...
* \(set_page_dirty@p\|folio_mark_dirty@p\|SetPageDirty@p\)(P)
...+> }

@script:python@
p << dirty.p;
fn << dirty.fn;
@@
f = '/' + p[0].file
if '/fs/' not in f and '/mm/' not in f.replace('/arch/powerpc/mm/', '/'):
    if not lacks("gup", p[0].file):
        say(p, fn, 'dirty', 'a folio of user memory is marked dirty without its lock')
    else:
        say(p, fn, 'dirty', 'undecidable: marked dirty without its lock, whose folio is it?')

// ---- resize ----
// The handler prepared what was below i_size then. The file may have grown.

@asked@
identifier mk =~ "^(do_)?page_mkwrite$";
expression E;
@@
\(E->page_mkwrite(...)\|mk(...)\)

@asks depends on asked exists@
identifier fn;
identifier mk =~ "^(do_)?page_mkwrite$";
expression E;
position p;
@@
fn(...) {
... when any
\(E->page_mkwrite(...)\|mk(...)\)
... when any
* \(i_size_read@p(...)\|E->i_size@p\)
... when any
}

@script:python@
p << asks.p;
fn << asks.fn;
@@
say(p, fn, 'resize', 'i_size is read again after ->page_mkwrite')

@later depends on asked exists@
identifier fn, g;
identifier mk =~ "^(do_)?page_mkwrite$";
expression E;
@@
fn(...) {
... when any
\(E->page_mkwrite(...)\|mk(...)\)
... when any
g(...)
... when any
}

@script:python@
g << later.g;
@@
note('after', g)

@maps depends on asked exists@
identifier g : script:python() { comes_after(g) };
identifier set =~ "^(set_pte(s|_at|_range)?|do_set_pmd|ptep_set_access_flags|wp_page_reuse|map_.*)$";
expression E;
position p;
@@
g(...) {
... when any
* \(i_size_read@p(...)\|E->i_size@p\)
... when any
set(...)
... when any
}

@script:python@
p << maps.p;
g << maps.g;
@@
say(p, g, 'resize', 'i_size is read again after ->page_mkwrite, by its caller')

// ---- absent ----

@locked@
@@
VM_FAULT_LOCKED

@locks depends on locked@
identifier fn;
idexpression ret;
identifier lock =~ "^(folio_lock|lock_page)$";
statement S;
@@
fn(...) { <+...
(
if (!(ret & VM_FAULT_LOCKED)) lock(...);
|
if (!(ret & VM_FAULT_LOCKED)) lock(...); else S
|
if (!(ret & VM_FAULT_LOCKED)) { ... lock(...); ... }
)
...+> }

@script:python@
fn << locks.fn;
@@
note('silent', fn)

@tells depends on locked@
identifier fn;
idexpression ret;
expression E;
@@
fn(...) { <+... \(ret |= VM_FAULT_LOCKED\|ret = VM_FAULT_LOCKED\|ret = E | VM_FAULT_LOCKED\|ret = VM_FAULT_LOCKED | E\) ...+> }

@script:python@
fn << tells.fn;
@@
note('tells', fn)

@absent depends on locked exists@
identifier fn;
identifier g : script:python() { silent(g) };
idexpression ret;
expression E;
position p;
@@
fn(...) {
... when any
ret = g(...)
... when != ret = E
* ret &@p VM_FAULT_LOCKED
... when any
}

@script:python@
p << absent.p;
fn << absent.fn;
g << absent.g;
@@
say(p, fn, 'absent', '%s() locks where VM_FAULT_LOCKED is absent, and does not say so' % g)

// ---- clean ----
// Not in what throws the folio away.

@drops@
identifier drop =~ "^(folio_clear_dirty_for_io|clear_page_dirty_for_io|(__)?folio_cancel_dirty|cancel_dirty_page|ClearPageDirty|(__)?folio_clear_dirty)$";
@@
drop(...)

@clean depends on drops exists@
identifier fn !~ "clear|cancel|trunc|inval|discard|evict|release|kill|destroy|launder|free|delete|remove|drop|migrat|collapse|reclaim|purge|punch";
identifier drop =~ "^(folio_clear_dirty_for_io|clear_page_dirty_for_io|(__)?folio_cancel_dirty|cancel_dirty_page|ClearPageDirty|(__)?folio_clear_dirty)$";
identifier use !~ "^lock_page$|^(folio|page|put|unlock)_?(unlock|put|page|pos|size|test.*|offset|get|index|lock)$|^(WARN|VM_|trace_|Page[A-Z]|offset_in_)";
expression F;
position p;
@@
fn(...) {
... when any
* drop@p(F);
... when != use(..., F, ...)
    when != mapping_set_error(...)
return ...;
}

@cleaned depends on drops exists@
identifier fn !~ "clear|cancel|trunc|inval|discard|evict|release|kill|destroy|launder|free|delete|remove|drop|migrat|collapse|reclaim|purge|punch";
identifier drop =~ "^(folio_clear_dirty_for_io|clear_page_dirty_for_io|(__)?folio_cancel_dirty|cancel_dirty_page)$";
identifier use !~ "^lock_page$|^(folio|page|put|unlock)_?(unlock|put|page|pos|size|test.*|offset|get|index|lock)$|^(WARN|VM_|trace_|Page[A-Z]|offset_in_)";
expression F;
position p;
@@
fn(...) {
... when any
* if (drop@p(F)) {
... when != use(..., F, ...)
    when != mapping_set_error(...)
return ...;
}
... when any
}

// Where the folio is given to something else in the function, that may write it.
@given@
expression clean.F;
identifier use !~ "^lock_page$|^(folio|page|put|unlock)_?(unlock|put|page|pos|size|test.*|offset|get|index|lock|clear_dirty.*|cancel_dirty)$|^(WARN|VM_|trace_|Page[A-Z]|offset_in_|ClearPageDirty|cancel_dirty)";
position q;
@@
use@q(..., F, ...)

@script:python@
q << given.q;
@@
note('given', q[0].current_element)

@given_too@
expression cleaned.F;
identifier use !~ "^lock_page$|^(folio|page|put|unlock)_?(unlock|put|page|pos|size|test.*|offset|get|index|lock|clear_dirty.*|cancel_dirty)$|^(WARN|VM_|trace_|Page[A-Z]|offset_in_|ClearPageDirty|cancel_dirty)";
position q;
@@
use@q(..., F, ...)

@script:python@
q << given_too.q;
@@
note('given', q[0].current_element)

@script:python@
p << clean.p;
fn << clean.fn;
@@
say_clean(p, fn)

@script:python@
p << cleaned.p;
fn << cleaned.fn;
@@
say_clean(p, fn)
