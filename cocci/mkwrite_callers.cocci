// SPDX-License-Identifier: GPL-2.0
/// Code that calls a ->page_mkwrite handler, stands in front of one, or dirties
/// mapped folios beside it. Each message names the function and, in brackets,
/// the rule it breaks:
///
/// result: judges the result of ->page_mkwrite and forgets VM_FAULT_RETRY,
/// which then passes for success;
/// flags: returns with vmf->flags overwritten;
/// wrapper: forwards ->fault of another vm_ops, but not its ->page_mkwrite;
/// order: makes a PTE writable first and locks the folio after;
/// dirty: marks a folio of user memory dirty without its lock.
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
mode, facts, said = {}, {}, set()

def note(fact, x):
    facts.setdefault(fact, set()).add(x)

def lacks(fact, x):
    return x not in facts.get(fact, ())

def forgets_retry(fn):
    return lacks('retry', fn)

def no_mkwrite(ops):
    return lacks('full', ops)

def lockless(fn):
    return lacks('lock', fn)

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

@flags exists@
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

@order exists@
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
