# SPDX-License-Identifier: GPL-2.0
"""Judge ->page_mkwrite handlers, along every path through them, by the rules of Documentation/audit.md.

judge() finds the handlers of a tree; Handler, a walk of cvalues.py, judges one. call() knows the functions of the
contract by name, follows those of the file and the folder that matter, and has effects() guess about the others. A rule
is judged where it can be broken: at a lock, at a use, at the return. Beside the values a State has, along the path:
('l', folio) L locked, U unlocked, ? who knows; under this hold of the lock mapping, isize (they were checked), dirty,
small, whole, index (what was prepared); frozen, started, thawed (freeze protection), tried (a trylock that failed), outer
(some lock is held), own, maylock, mayfreeze (a function may have done it). The folio of vmf->page is F.

Taints: 'size#N' i_size, read in the Nth hold of the folio lock ('/early' outside of one, '/outer' below another lock);
'exact' just that, 'again' after it was checked, 'pages' in pages; 'mapping#N' ->mapping; 'pos', 'index' where the folio
is, 'at' derived from that; 'inner' where the page is in the folio; 'bytes' what filemap_mkwrite_lock() returned;
'small' a page or block, 'fsize' a folio's; 'inside' in a comparison: the folio ends at i_size or before.
"""
import collections
import errno
import os
import re
import sys

import cpaths
import cvalues
from cvalues import ERRORS, ONE, ZERO, State, TooMany, bits, show, sym, taints

RULES = 'unlocked balance retry early freeze mapping isize eof rank try claim'.split()
BUDGET, SHARE = 40000, 8000             # nodes walked for one handler, and for one call of a helper

SMALL_BODY = 60                         # tokens

NOT_LOCKED = ERRORS | {'NOPAGE', 'RETRY'}
SHARED = ('block_page_mkwrite', 'iomap_page_mkwrite', 'netfs_page_mkwrite')     # judged in their own files
KNOWN = SHARED + ('filemap_page_mkwrite',)
# Helpers that leave freeze protection to the caller and say so.
BARE = ('block_page_mkwrite', 'iomap_page_mkwrite')
MKWRITE = re.compile(r'^(?!trace_|do_page_mkwrite$|filemap_mkwrite_lock$).*page_mkwrite$')


def names(*patterns):
    return re.compile('^(?:%s)$' % '|'.join(patterns))


# ---- what is known of a function by its name ----

# It stands for its argument.
SAME = names(r'(un)?likely', r'READ_ONCE', r'(VM_)?(WARN|BUG)_ON\w*', r'(__)?force', r'PTR_ERR',
             r'ERR_(PTR|CAST)', r'data_race', r'le\d+_to_cpu', r'no_free_ptr', r'smp_load_acquire')
# Its answer hangs on the arguments alone: asked again, it is the same.
PURE = names(r'IS_\w+', r'S_IS\w+', r'[A-Z0-9_]+_(I|SB|SBI)', r'F2FS_\w+', r'\w+_(is|test|has|can|should|needs?)_\w+',
             r'is_\w+', r'to_\w+', r'test_(bit|opt\w*)', r'\w+_cp_error', r'sb_rdonly', r'file_\w*inode',
             r'(netfs|ceph)_inode', r'folio_(pos|size|order|index|nr_pages|inode|mapping|file_mapping|test_\w+)',
             r'page_(mapping|offset)', r'mapping_\w+', r'\w*i_blocksize', r'offset_in_\w+',
             r'(u?min|u?max|clamp)(_t|3|_val|_not_zero)?',
             r'round_(up|down)', r'(PAGE_)?ALIGN\w*', r'DIV_ROUND_UP', r'sizeof')
# It only talks, whatever it is given.
TALK = names(r'trace_\w+', r'pr_\w+', r'd?printk\w*', r'_(enter|leave|debug)', r'dout\w*', r'mlog\w*',
             r'\w*_(debug|err|msg)', r'\w*_warn\w*', r'netfs_stat\w*', r'might_\w+', r'lockdep_\w+',
             r'ASSERT', r'\w+_bug_on', r'kv?free')
# It marks the folio dirty.
DIRTY = names(r'(?!.*inode)(?!.*(test|clear|balance|wait|is|has|needs?|nr|count|cancel|can)_)'
              r'(.*(mark|set)_(folio|page)?_?.*dirty.*|.*dirty_folio|SetPageDirty|'
              r'\w*_?dirty(_(it|pages?|range|folios?))?|.*commit_write|nfs_update_(folio|page)|'
              r'.*write_end(_nolock)?|ext4_journal_folio_buffers|.*mkwrite.*dirty.*)')
# It uses the folio as one of this mapping.
USE = re.compile(r'attach.*private$|(mark|set)_(folio|page)?_?dirty|dirty_folio$|write_begin')
# It waits for space or a transaction, and so ranks outside of the folio lock.
WAIT = re.compile(r'(journal_start(_\w+)?|_trans(action)?_(begin|start|alloc|join).*|start_trans(action)?|'
                  r'(budget|reserve)_space|inplace_reserve|quota_lock(_check)?|get_caps|balance_fs|'
                  r'start_ordered_extent|filemap_fdatawrite.*|filemap_write_and_wait.*|balance_dirty_pages.*)$')
TIME = names(r'(file|inode)_update_time(_flags)?')
# It takes a lock that may keep i_size.
OUTER = re.compile(r'(?<!cond_)(?<!try)lock(_|$)(?!.*(folio|page))|_nq$|^down_|get_caps')
# It is given the folio, and leaves its lock alone; else the name says what is possible.
NEUTRAL = re.compile(r'^(folio|page|get|put)_(get|put|page|folio|ref\w*|wait\w*|test\w*|set\w*|clear\w*|zero\w*|add\w*|'
                     r'mark\w*|attach\w*|detach\w*|change\w*|mkclean|end_writeback|start\w*|end_private\w*)$|'
                     r'_wait_|wait_on|wait_for|_dirty|(un)?lock_extent|_update_|_put$|_release$')
MAY_LOCK = re.compile(r'lock|grab|begin|mkwrite|prepare|get_(page|folio)|fault')
MAY_UNLOCK = re.compile(r'unlock|release|abort|cleanup|finish|done|drop|_end($|_)|fail|err')

# It may begin freeze protection.
MAY_FREEZE = re.compile(r'enter|freeze|frozen|write_(begin|start|access)|want_write|pagefault|(start|begin)_fault')

# A pointer to a function with such a name may do anything.
VAGUE = names(r'', r'go|run|fn|func|do|cb|call(back)?|act(or|ion)?|step|op|handler?|begin|end|start|stop|finish|enter',
              r'exit|leave|done|undo|init|fini|open|close|abort|commit|.*(un)?lock.*')
# It gives a folio of the page cache, perhaps that of the fault and locked.
LOOKUP = re.compile(r'(filemap|find|grab|pagecache|page_cache|read|get|lock)_.*(folio|page)')
# It may look at ->mapping and i_size.
MAY_CHECK = re.compile(r'valid|check|current|stale|trunc|inside|within|beyond|belong|our|mine|same|own|still|gone')

# ---- what else is known by its name ----

# A page, or a block.
SMALL = re.compile(r'\b(PAGE_S(IZE|HIFT)|page_size|i_?blocksize|block_size|sectorsize|s_blocksize|blkbits|b_size)\b|'
                   r'\w+_(blocksize|blksize)\b')
# It prepares something; one page or block of it.
PREPARES = re.compile(r'prepare|reserve|fill|map|alloc|get|add|insert|charge|cow|unshare|convert|zero')
ONE_PAGE = re.compile(r'(prepare|reserve|fill|map|alloc\w*|get|add|insert|charge|zero)_(one_|a_|single_|this_)?'
                      r'(page|block|sector|cluster)$')
# A guard that is a lock, and no freeze protection.
PLAIN = re.compile(r'(class_)?(mutex|(raw_)?spinlock|(per_cpu_)?rwsem|(read|write)_lock|rcu|srcu|preempt|irq|seq)')
# What calls nothing but these, and has a loop, looks something up.
BARE_LOOP = {'ARRAY_SIZE', 'sizeof', 'if', 'for', 'while', 'return'}
# Locks that truncate and the like take for the whole mapping.
OUTSIDE = re.compile(r'invalidate_lock|i_mmap_lock|i_mmap_sem|mmap_sem')
# A handler with any of this works on the page cache, not on memory of its own.
CACHE = re.compile(r'-> mapping [!=]=|[!=]= \w+ -> mapping|[^!=]= \w+ -> mapping|! \w+ -> mapping|'
                   r'check_truncate|filemap_mkwrite_lock|i_size|(block|iomap|netfs|filemap)_page_mkwrite')
# A function is followed if it, or what it calls, has any of this.
MATTERS = re.compile(r'^(__)?(folio|page)_(try)?(un)?lock|^(un|try)?lock_page|^__folio_lock|_pagefault$|update_time$|'
                     r'inode_(un|try)?lock|invalidate_(un)?lock|check_truncate$|^i_size(_read)?$|^(?!trace).*mkwrite|'
                     r'^VM_FAULT_|^i_rwsem$|^vmf_|^prepared$|' + WAIT.pattern)
MAPPING = re.compile(r'-> mapping ([!=]=|\))')
FREEZE = re.compile(r'_pagefault$')
LOCKS = re.compile(r'^(__)?(folio_(un)?lock|(un)?lock_page)(_killable)?$')

# A filesystem with any of this in its folder can be frozen.
FREEZABLE = re.compile(r'\.freeze_(fs|super)\s*=(?!\s*NULL)|\bsb_start_(write|pagefault|intwrite)\w*\s*\(|'
                       r'\b(get_tree_bdev\w*|mount_bdev|submit_bio\w*|sb_bread\w*|(__)?block_\w*write\w*|iomap_\w+|'
                       r'jbd2_\w+)\s*\(|\bFS_REQUIRES_DEV\b|\bstruct buffer_head\b')
# What there is no trace of where the pages are a device's own: nobody truncates those.
PAGE_CACHE = re.compile(r'\b(inode|file_inode|[if]_mapping|i_size\w*|filemap_\w+|generic_file_\w+|(__)?set_page_dirty\w*|'
                        r'folio_mark_dirty|address_space\w*)\b')
# The head of a function: at the beginning of a line, and not ended by a semicolon there.
DEFINED = re.compile(r'^[a-z_][\w \t*]*?\b(\w+)\((?![^\n]*;[ \t]*$)', re.M)

Finding = collections.namedtuple('Finding', 'file line function rule kind text path')


class Tree:
    """the C files of a kernel tree; those below over stand in front of those of root, and some may be gone"""

    def __init__(self, root, over=None, gone=()):
        self.roots, self.gone = [r for r in (over, root) if r], gone
        self.files, self.folders, self.defined, self.relevance = {}, {}, {}, {}
        self.numbers, self.said = {}, {}

    def path(self, name):
        paths = [] if name in self.gone else [os.path.join(r, name) for r in self.roots]
        return next((p for p in paths if os.path.exists(p)), None)

    def text(self, name):
        path = self.path(name)
        if not path:
            return ''
        with open(path, encoding='utf-8', errors='replace') as f:
            return f.read()

    def file(self, name):
        if name not in self.files:
            self.files[name] = cpaths.File(name, self.text(name))
        return self.files[name]

    def folder(self, name):
        """the names of the C files and headers beside name"""
        d = os.path.dirname(name)
        if d not in self.folders:
            self.folders[d] = sorted({os.path.join(d, n) for r in self.roots if d and os.path.isdir(os.path.join(r, d))
                                      for n in os.listdir(os.path.join(r, d)) if n.endswith(('.c', '.h'))})
        return self.folders[d]

    def function(self, name, near, beside=False):
        """the definition that name has in the file near, or (beside) in its folder"""
        f = self.file(near).functions.get(name)
        if f or not beside:
            return f
        d = os.path.dirname(near)
        if d not in self.defined:
            self.defined[d] = {}
            for file in self.folder(near):
                for m in DEFINED.finditer(self.text(file)):
                    self.defined[d].setdefault(m[1], file)
        file = self.defined[d].get(name)
        return self.file(file).functions.get(name) if file else None

    def matters(self, fn, what=None, busy=()):
        """whether fn, or what it calls in its file, has a name that what matches; DIRTY ones by their locks only"""
        what = what or (LOCKS if DIRTY.match(fn.name) else MATTERS)
        key = fn.file, fn.name, what
        if key not in self.relevance:
            self.relevance[key] = what is MATTERS and bool(MAPPING.search(' '.join(t[1] for t in fn.body))) or any(
                what.search(t[1]) for t in fn.body if t[0] == 'id') or any(
                self.matters(g, what, busy + (fn.name,)) for g in
                (self.function(c, fn.file) for c in fn.calls if c not in busy) if g and g is not fn)
        return self.relevance[key]

    def says(self, near, what):
        """whether the code in the folder of near has what (FREEZABLE: can be frozen, PAGE_CACHE: is a filesystem's)"""
        key = what, os.path.dirname(near)
        if key not in self.said:
            texts = (self.text(file) for file in self.folder(near) or [near])
            self.said[key] = any(what.search(t) and what.search(cpaths.plain(t)[0]) for t in texts)
        return self.said[key]

    def constant(self, name, near):
        """the number of a macro or enumerator of the headers beside near"""
        d = os.path.dirname(near)
        if d not in self.numbers:
            self.numbers[d] = {}
            for file in self.folder(near):
                if file.endswith('.h'):
                    self.numbers[d].update(cpaths.constants(self.text(file)))
        return cpaths.number(name, self.numbers[d])

    def guard(self, name, near):
        for file in [near] + [n for n in self.folder(near) if n.endswith('.h')]:
            found = name in self.text(file) and self.file(file).guards.get(name)
            if found:
                return found
        return None


class Handler(cvalues.Walk):
    """the judge of one handler"""

    def __init__(self, tree, fn, handlers):
        super().__init__(fn, BUDGET)
        self.tree, self.handlers = tree, handlers
        self.findings, self.forwards = {}, {}
        self.said = collections.defaultdict(list)       # where each finding is: (the answer that is noted, the trail)
        self.lost, self.skip = None, set()      # what was too much to follow
        self.counts, self.parts = set(), set()  # names that may say how much was prepared; that are a part of it
        self.is_int = fn.returns.split()[-1:] != ['vm_fault_t']
        text = ' '.join(self.words(fn, set()))
        self.cache, self.claims = bool(CACHE.search(text)), 'prepared' in text

    def words(self, fn, seen):
        seen.add(fn.name)
        yield from (t[1] for t in fn.body)
        for c in fn.calls:
            g = self.tree.function(c, fn.file)
            if g and c not in seen:
                yield from self.words(g, seen)

    # ---- what is said ----

    def say(self, st, rule, text, undecidable=False, line=None):
        lost = self.lost or st.get('doubt')
        if lost and not undecidable:
            undecidable, text = True, '%s (not followed: %s)' % (text, lost)
        where = next((f for f, _ in reversed(self.stack) if f.name != '$guard'), self.fn)
        line = line or self.line
        if where is not self.fn:
            text += ' (in %s)' % where.name
        key = where.file, line, rule, text
        self.said[key].append((st.get('noted'), st.trail))
        if key in self.findings:
            return
        trail, path = st.trail, []
        while trail:
            path.append('%d%s' % (trail[0], '+' if trail[1] else '-'))
            trail = trail[2]
        self.findings[key] = Finding(where.file, line, self.fn.name, rule,
                                     'undecidable' if undecidable else 'finding', text, ' '.join(reversed(path[:8])))

    def judge(self):
        try:
            self.paths()
        except (cpaths.Unreadable, TooMany) as e:
            self.stack = []
            why = str(e) or 'too many paths'
            self.say(State({}), 'balance', 'not judged to the end: ' + why, True, self.fn.line)
            return self
        self.steps = 0
        for node in sorted(self.asked, key=lambda n: n.line):
            if any(f.kind == 'finding' for f in self.findings.values()):
                self.doubt(node)
        return self

    def paths(self):
        """[(value, state)] of the ends"""
        st = State({})
        for name, kind in self.fn.params:
            v = sym('vmf') if 'vm_fault' in kind else sym('F') if re.match(r'struct (page|folio) \*', kind) \
                else sym(name)
            st = st.set(('v', '0:' + name), v)
        self.line = self.fn.line
        ends = self.run(self.fn, st, 0)
        for value, end in ends:
            self.at_return(value, end)
        return ends

    def doubt(self, node):
        """A finding on one answer to node only, and only with some of what is known before: the two may exclude each
        other, which the judge does not understand. It is undecidable, if that answer ends well with other such
        knowledge, and with this never in success; not if what is known gives the answer."""
        found, self.findings, self.said = self.findings, {}, collections.defaultdict(list)
        self.noting, good = node, set()
        try:
            ends = self.paths()
        except (cpaths.Unreadable, TooMany):
            self.stack, self.findings = [], found
            return
        self.findings = found
        for v, end in ends:
            v = self.known(v, end)
            # success without a dirty folio is not what the answer is for
            if end.get('noted') and (v[0] != 'f' or 'LOCKED' not in v[1] or end.get('dirty')):
                good.add((end.get('noted'), end.trail, v[0] == 'f' and 'LOCKED' in v[1]))
        for key, f in found.items():
            places = self.said[key]
            answers = {n and n[0] for n, _ in places}
            if f.kind != 'finding' or f.rule == 'claim' or len(answers) != 1 or None in answers or \
                    any(sure for (_, _, sure), _ in places):
                continue
            wrong = {n[1] for n, _ in places}
            well = {(n[1], locked) for n, t, locked in good
                    if n[0] in answers and not any(self.after(t, x) for _, x in places)}
            if {x for x, _ in well} - wrong and wrong - {x for x, locked in well if locked}:
                found[key] = f._replace(kind='undecidable', text='%s (can line %d be %s there?)' % (
                    f.text, node.line, 'true' if answers == {True} else 'false'))

    @staticmethod
    def after(trail, first):
        """whether trail begins with first"""
        while trail and trail is not first:
            trail = trail[2]
        return trail is first

    def compared(self, op, a, b, st):
        """(the taints of a OP b, the state); of ->mapping: '=' in front if true means that it is ours, '!' if false"""
        taint = taints(a) | taints(b)
        pos, size = (taints(a), taints(b)) if op in ('>', '<=') else (taints(b), taints(a))
        st = self.counted(op, a, b, st)
        if op not in ('==', '!=') and ('pos' in pos and 'exact' in size or 'index' in pos and 'pages' in size):
            self.say(st, 'eof', 'a folio that begins at i_size is taken for one inside the file')
        if b[0] == 'n':
            taint -= {'bytes'}
        elif 'bytes' in taint and self.claims and self.locked(st):
            st = st.set('asked', 1)
        mark = {'==': '=', '!=': '!'}.get(op, '')
        ends = {'fsize' if 'fsize' in t else 'size' if any(x.startswith('size#') for x in t) else ''
                for t in (taints(a), taints(b))}
        if ends == {'fsize', 'size'} and op in '<>':    # does the folio end behind i_size?
            taint = taint | {('!' if ('fsize' in taints(a)) == (op == '>') else '=') + 'inside'}
        return {(mark + t if t.startswith('mapping#') else t) for t in taint}, st

    def counted(self, op, a, b, st):
        """is what a call answered how much it prepared, and was that compared with what was asked for?"""
        for v, other, more in ((a, b, '> <='), (b, a, '< >=')):
            if v[0] == 's' and v[1] in self.counts and self.claims and self.locked(st):
                t = taints(other)
                if 'bytes' in t and 'part' not in t and other[1] not in self.counts:
                    st = st.set('met', 1)
                elif other == ZERO and op in more.split() or 'part' in t or t & {'at', 'inner', 'small'}:
                    st = st.set('measured', st.get('measured') or self.line)
        return st

    def grown(self, op, a, b, e):
        return self.derived(super().grown(op, a, b, e), (a, b))

    def derived(self, v, values):
        if v[0] == 's' and any(x[0] == 's' and x[1] in self.counts for x in values):
            self.counts.add(v[1])
        return v

    @staticmethod
    def origin(name):
        return {'small'} if SMALL.search(name) else set()

    def constant(self, name):
        here = super().constant(name)
        return here if here is not None or not cvalues.CONSTANT.match(name) else \
            self.tree.constant(name, self.stack[-1][0].file)

    def stored(self, name, v, st):
        if re.search(r'(->|\.)prepared$', name):
            self.claim(v, st)

    def member(self, e, st):
        key, name = self.lvalue(e, st)
        v = st.get(('v', key)) or self.zeroed(key, st)
        if v:
            return v
        field, epoch = e[2], st.get('epoch', 0)
        if name == 'vmf->page':
            return sym('F')
        if field == 'mapping' and name in ('F->mapping', 'F.mapping'):
            return sym('F->mapping#%d' % epoch, {'mapping#%d' % epoch})
        if field == 'i_size':
            return self.size(st)
        if field == 'index' and name == 'F->index' or name == 'vmf->pgoff':
            return sym(name, {'index', 'at'})
        return self.named(name, self.origin(field))

    def size(self, st):
        t = 'size#%d' % st.get('epoch', 0) + ('/outer' if st.get('outer') else '') + \
            ('' if self.locked(st) else '/early')
        return sym('i_size#%d' % st.get('epoch', 0), {t, 'exact'} | ({'again'} if st.get('isize') else set()))

    def arithmetic(self, op, a, b, e):
        if op in '|&':                  # flags whose numbers are not known
            x, y = (bits(v[1]) if v[0] == 's' and cvalues.CONSTANT.match(v[1]) else v for v in (a, b))
            if x[0] in 'nf' and y[0] in 'nf' and (op == '|' or ZERO in (x, y) or x[0] == y[0] == 'f' and y[1] <= x[1]):
                a, b = x, y
        if a[0] in 'nf' and b[0] in 'nf':
            x, y = (v[1] if v[0] == 'f' else frozenset() if v == ZERO else None for v in (a, b))
            if op == '|' and x is not None and y is not None:
                return bits(*(x | y))
            if op == '&' and x is not None and y is not None:
                return bits(*(x & y))
            if a[0] == b[0] == 'n':
                n = {'|': a[1] | b[1], '&': a[1] & b[1], '+': a[1] + b[1], '-': a[1] - b[1], '^': a[1] ^ b[1],
                     '*': a[1] * b[1]}.get(op)
                if n is not None:
                    return ('n', n)
        if op == '&' and a[0] == 'f' and taints(b) and all(t[0] == '~' for t in taints(b)):
            return bits(*(a[1] - {t[1:] for t in b[2]}))
        if op == '|' and {'f', 's'} == {a[0], b[0]}:    # an unknown answer, and a bit
            f, s = (a, b) if a[0] == 'f' else (b, a)
            return ('s', '%s|%s' % (show(s), show(f)), taints(s) | {'|' + x for x in f[1]})
        if op == '&' and re.match(r'.*->(vm_)?flags$', show(a)) and \
                re.search(r'\b(FAULT_FLAG_(MK)?WRITE|VM_SHARED)\b', show(b)):
            return ONE                  # the VM sets them for every ->page_mkwrite
        if op == '&' and ZERO in (a, b):
            return ZERO
        t = (taints(a) | taints(b)) - {'exact', 'pos', 'index', 'pages'}
        if op == '>>' and 'exact' in taints(a):
            t |= {'pages'}
        if op == '<<' and 'index' in taints(a):
            t |= {'pos'}
        if op == '<<' and a == ONE:
            t |= {'small'}
        if op == '-' and (show(a), show(b)) == ('vmf->pgoff', 'F->index'):
            t |= {'inner'}
        elif op == '-' or op == '+' and any('inner' not in taints(v) and (v[0] == 'n' or 'small' in taints(v))
                                            for v in (a, b)):
            t -= {'inner'}              # the end of that page, or a length
        if op in '<<>>' and 'small' in taints(b):
            t -= {'small'} if a != ONE else set()
        return self.derived(self.named('(%s%s%s)' % (show(a), op, show(b)), t), (a, b))

    def difference(self, a, b, v, st):
        """what lies between a place in the file that was checked and i_size"""
        below = v[0] == 's' and st.get('isize') and 'exact' in taints(a) and 'pos' in taints(b)
        return st.set(('c', v[1]), '+') if below else st

    def positive(self, v, st):
        return self.signs(v, st) == '+' or bool(taints(v) & {'small', 'fsize'})

    # ---- what a condition says ----

    def decides(self, v, st):
        """v decides where to go, or is handed to a function"""
        if self.locked(st) and self.stale(v, st):
            self.old_size(st, v)

    def checked(self, v, st, e):
        """truth(), and what was checked by asking"""
        out = []
        for truth, after in self.truth(v, st, e):
            now = after.get('epoch', 0)
            if ('=mapping#%d' if truth else '!mapping#%d') % now in taints(v):
                after = after.set('mapping', 1)
            if any(t.split('/')[0] == 'size#%d' % now for t in taints(v)) and self.locked(after):
                after = after.set('isize', 1)
            if ('=inside' if truth else '!inside') in taints(v) and self.locked(after):
                after = after.set('inside', 1)
            out.append((truth, after))
        return out

    # ---- locks, freeze protection, checks ----

    @staticmethod
    def locked(st):
        return any(k[0] == 'l' and v == 'L' for k, v in st.d.items())

    def lock(self, st, folio):
        if folio[0] != 's':
            return st
        if st.get(('l', folio[1])) == 'L' and not re.search(r'@|\[\]', folio[1]):
            # the same line again is a loop over other folios, perhaps
            self.say(st, 'balance', 'locks the folio twice', st.get('lockline') == self.line)
        if folio[1] != 'F':
            return st.set(('l', folio[1]), 'L')
        d = {k: v for k, v in st.d.items() if not (k[0] == 'c' and re.search(r'\bF\b.*#', k[1]))}
        for k in ('mapping', 'isize', 'dirty', 'tried', 'small', 'whole', 'index', 'unsure', 'asked', 'said', 'inside',
                  'maycheck', 'part', 'measured', 'met'):
            d.pop(k, None)
        d['epoch'] = min(d.get('epoch', 0) + 1, 3)
        d[('l', 'F')], d['lockline'] = 'L', self.line
        if d.get('frozen', 0) == 0 and d.get('started'):
            d['thawed'] = self.line     # locked after freeze protection has ended
        return State(d, st.trail)

    def unlock(self, st, folio):
        if folio[0] != 's':
            return st
        was = st.get(('l', folio[1]))
        if was == 'U':
            self.say(st, 'balance', 'unlocks the folio twice')
        elif was is None and folio[1] == 'F':
            if not st.get('maylock'):
                self.say(st, 'balance', 'unlocks a folio that it has not locked')
        elif was is None:
            # from a struct, an array or through a pointer that is not known: may be F
            if st.get(('l', 'F')) == 'L' and re.match(r'unset|.*(->|[.\]])|\*', folio[1]):
                return st.set(('l', 'F'), '?')
            return st
        st = st.set(('l', folio[1]), 'U')
        return st.set('dirty', None) if folio[1] == 'F' else st

    def checked_lock(self, st):
        """as filemap_mkwrite_lock() and the helpers behind it leave the folio"""
        return self.lock(st, sym('F')).set('mapping', 1).set('isize', 1)

    def freeze(self, st, start):
        n = st.get('frozen', 0)
        if start:
            self.rank(st, 'freeze protection')
            return st.set('frozen', min(n + 1, 2)).set('started', 1).set('thawed', None)
        if not n:
            self.say(st, 'freeze', 'ends freeze protection twice' if st.get('started') else
                     'ends freeze protection that it has not taken')
            return st
        if n == 1 and not st.get('dirty'):
            st = st.set('thawed', self.line)
        return st.set('frozen', n - 1)

    def no_freeze(self, st):
        if not st.get('own') and self.fn.name not in BARE:
            guard, can = st.get('mayfreeze'), self.tree.says(self.fn.file, FREEZABLE)
            self.say(st, 'freeze', 'is %s() freeze protection?' % guard if guard else
                     'takes no freeze protection (sb_start_pagefault)' + ('' if can else ': can this be frozen?'),
                     bool(guard) or not can)
        return st.set('own', 1)

    def dirty(self, st):
        return st.set('dirty', 1) if st.get(('l', 'F')) != 'U' and (st.get('frozen') or not st.get('started')) else st

    def rank(self, st, what):
        if self.locked(st):
            self.say(st, 'rank', '%s below the folio lock' % what)

    def use(self, st):
        if st.get(('l', 'F')) == 'L' and not st.get('mapping') and not st.get('said'):
            self.unchecked(st, 'mapping', 'the folio is used before ->mapping is checked under its lock')
            return st.set('said', 1)
        return st

    def unchecked(self, st, rule, text):
        name, own = st.get('maycheck'), not self.tree.says(self.fn.file, PAGE_CACHE)
        self.say(st, rule, text + (' unless %s() does' % name if name else
                                   ': can these pages be truncated?' if own else ''), bool(name) or own)

    # ---- i_size ----

    def stale(self, v, st):
        """the i_size that v hangs on was read before this hold of the lock"""
        now = 'size#%d' % st.get('epoch', 0)
        return any(t.startswith('size#') and (not t.startswith(now) or '/early' in t) for t in taints(v))

    def old_size(self, st, v):
        outer = any('/outer' in t for t in taints(v))
        self.say(st, 'isize', 'decides by an i_size that was read before the folio lock' +
                 (': under which other lock?' if outer else ''), outer)

    # ---- what is claimed ----

    def claim(self, v, st):
        t = taints(v)
        if 'bytes' in t:
            if st.get('part') and v[1] in self.parts:
                return
            if st.get('measured') and not st.get('met') and 'part' not in t and v[1] not in self.counts:
                self.say(st, 'claim', 'claims what was asked for: is that what was prepared, by line %d?' %
                         st.get('measured'), True)
            small = st.get('small') or st.get('index')
            if small and not st.get('whole'):
                unsure = bool(not st.get('small') or st.get('unsure') or st.get('asked'))
                what = 'a part' if st.get('part') else 'one page or block'
                self.say(st, 'claim', '%s was prepared (line %d), more is claimed' % (what, small) +
                         (' unless the rest is, too' if unsure else ''), unsure)
        elif any(x.startswith('size#') for x in t):
            if 'again' in t or self.stale(v, st):
                self.say(st, 'claim', 'claims what i_size says, not what was prepared')
        elif 'fsize' in t and not st.get('inside'):
            self.say(st, 'claim', 'claims the whole folio, beyond i_size', bool(st.get('asked')))

    @staticmethod
    def fields(v, st):
        """of the struct that v points to"""
        return [x for k, x in st.d.items() if k[0] == 'v' and k[1].startswith(v[1] + '.')]

    def one_page(self, name, values, st):
        """a call that is followed: its name says that it prepares, and it gets the one index"""
        if self.claims and st.get(('l', 'F')) == 'L' and PREPARES.search(name) and sym('F') not in values and \
                'vmf->pgoff' in map(show, values) and not any('bytes' in taints(v) for v in values):
            st = st.set('index', self.line)
        return st

    def prepare(self, name, values, st):
        """an unknown call below the lock: does it get one page, or all?"""
        st = self.one_page(name, values, st)
        if not self.claims or st.get(('l', 'F')) != 'L' or DIRTY.match(name) or NEUTRAL.search(name) or \
                TALK.match(name):
            return st
        values = list(values)
        fields = [x for v in values if v[0] == 'r' for x in self.fields(v, st)]
        t = frozenset().union(*map(taints, values + fields))
        part = [v for v in values + fields if 'part' in taints(v)]
        if 'bytes' in t and 'inner' not in t and (
                not part or any('bytes' in taints(v) and 'part' not in taints(v) for v in values + fields)):
            return st.set('whole', 1)
        whole = sym('F') in values
        if part and 'inner' not in t:
            self.parts.update(v[1] for v in part)
            st = st.set('small', self.line).set('part', 1)
            return st.set('unsure', 1) if whole else st
        if 'inner' in t or 'small' in t and 'size' not in name or ONE_PAGE.search(name) and (whole or 'at' in t):
            st = st.set('small', self.line)
        elif 'at' in t and not whole and PREPARES.search(name):
            st = st.set('small', self.line).set('unsure', 1)
        return st.set('unsure', 1) if whole else st

    # ---- calls ----

    def e_call(self, e, st):
        _, fn, args, line = e
        while fn[:2] == ('un', '*'):
            fn = fn[2]
        if fn[0] == 'id':               # a pointer to a function that is known
            v = st.get(('v', self.key(fn[1])), ZERO)
            fn = ('id', v[1]) if v[0] == 's' and self.tree.function(v[1], self.stack[-1][0].file) else fn
        name = fn[1] if fn[0] == 'id' else fn[2] if fn[0] in ('->', '.') else ''
        if name == '$guard':            # scoped_cond_guard(): taken or not
            text = ' '.join([args[0][1]] + [show(v) for a in args[1:] for v, _ in self.eval(a, st)[:1]])
            held = 'i_rwsem' in text or re.search(r'inode.*lock', text)
            return [(ONE, st), (ZERO, st.set('tried', 'inode' if held else args[0][1]) if '_try' in text else st)]
        if name == '$loop':
            return [(sym('$loop%d' % line), s) for _, s in self.eval(args[0], st)]
        if name in ('WRITE_ONCE', 'xchg', 'smp_store_release', 'rcu_assign_pointer') and len(args) == 2:
            place = args[0] if name in ('WRITE_ONCE', 'rcu_assign_pointer') else ('un', '*', args[0])
            return [(old, s3) for old, s in self.eval(place, st) for v, s2 in self.eval(args[1], s)
                    for _, s3 in self.assign(place, v, s2, args[1])]
        if name == 'swap' and len(args) == 2:
            return [x for a, s in self.eval(args[0], st) for b, s2 in self.eval(args[1], s)
                    for _, s3 in self.assign(args[0], b, s2) for x in self.assign(args[1], a, s3)]
        if SAME.match(name):
            return self.same(name, args, st, e)
        if name == 'PTR_ERR_OR_ZERO':
            return [(v if sign == '-' else ZERO, s2) for v, s in self.eval(args[0], st)
                    for sign, s2 in self.each_sign(v, s)]
        if name in ('IS_ERR', 'IS_ERR_OR_NULL', 'IS_ERR_VALUE'):
            return [x for v, s in self.eval(args[0], st) for x in self.is_err(name, v, s)]
        if name in ('BUG', 'panic', 'unreachable'):
            return []
        outs = [((), st)]
        for a in args:
            outs = [(vs + (v,), s2) for vs, s in outs for v, s2 in self.eval(a, s)]
        result = []
        for values, s in outs:
            if fn[0] != 'id':
                for table, s2 in self.eval(fn[1], s) if fn[0] in ('->', '.') else [(None, s)]:
                    result += self.by_pointer(name, args, values, s2, table)
            else:
                result += self.call(name, args, values, s, line)
        return result

    def same(self, name, args, st, e):
        outs = self.eval(args[0], st) if args else [(ZERO, st)]
        if name == 'no_free_ptr' and args:
            outs = [(v, s.set(('v', self.lvalue(args[0], s)[0]), ZERO)) for v, s in outs]
        if name in ('ERR_PTR', 'ERR_CAST'):     # of an errno, if it is one
            outs = [(v, self.narrow(v, '-', s) if self.signs(v, s) == '-+' else s) for v, s in outs]
        if name.startswith('BUG_ON'):
            outs = [(ZERO, a) for v, s in outs for t, a in self.truth(v, s) if not t]
        return outs

    def is_err(self, name, v, st):
        return [(ONE if bad else ZERO, s) for bad, s in self.split(v, st, '-0' if 'NULL' in name else '-')]

    def by_pointer(self, name, args, values, st, table):
        file = self.stack[-1][0].file
        if name == 'page_mkwrite':
            tables = {t for t in re.findall(r'\b%s\s*=\s*([^,;]*)' % re.escape(show(table)), self.tree.text(file))} \
                if table else set()
            generic = tables == {'&generic_file_vm_ops'} or \
                table and re.match(r'(&\d+:)?generic_file_vm_ops$', show(table))
            return self.contract('filemap_page_mkwrite' if generic else '*', st)
        found = {m for m in re.findall(r'[.>]\s*%s\s*=\s*&?(\w+)\s*[,;}]' % name, self.tree.text(file))
                 if self.tree.function(m, file)} if name else ()
        if found:
            return [x for m in sorted(found) for x in self.call(m, args, values, st, self.line)]
        v = sym('%s@%d' % (name, self.line))
        if VAGUE.match(name) and sym('F') in values or sym('vmf') in values:
            st = st.set('doubt', name + '()')
        return self.unknown(name, args, values, st.set(('c', v[1]), None), v, self.line)

    def contract(self, name, st):
        """the answers of a handler that is judged by itself"""
        if name not in self.forwards:
            self.forwards[name] = self.line
        ok = self.checked_lock(st).set('own', 1).set('dirty', 1).set('thawed', None)
        return [(bits('LOCKED'), ok), (bits('NOPAGE'), st.set('own', 1)), (bits('SIGBUS'), st.set('own', 1))]

    def call(self, name, args, values, st, line):
        first = values[0] if values else ZERO
        site = sym(('(%s)@%d' if any(v[0] == 'r' for v in values) else '%s@%d') % (name, line))
        fresh = st.set(('c', site[1]), None)
        minus, zero, plus = (fresh.set(('c', site[1]), c) for c in '-0+')

        if ZERO in values and re.match(r'(min|max)(_t)?$', name):
            v = next((v for v in values[-2:] if v != ZERO), ZERO)
            return [(v if (sign == '-') == name.startswith('min') else ZERO, s) for sign, s in self.each_sign(v, st)]

        if re.match(r'(min|max)(_t)?$', name) and all(self.positive(v, st) for v in values[-2:]):
            v = self.unknown(name, args, values, st, site, line)[0][0]
            return [(v, st.set(('c', v[1]), '+'))]

        # the folio lock
        if re.match(r'(__)?(folio_lock|lock_page)$', name):
            return [(ZERO, self.lock(st, first))]
        if re.match(r'(__)?(folio_lock|lock_page)_killable$', name):
            return [(ZERO, self.lock(st, first)), (site, minus)]
        if name in ('folio_test_locked', 'PageLocked') and st.get(('l', 'F')) in ('L', 'U') and first == sym('F'):
            return [(ONE if st.get(('l', 'F')) == 'L' else ZERO, st)]
        if name in ('folio_trylock', 'trylock_page'):
            return [(ONE, self.lock(st, first)), (ZERO, st)]
        if name in ('folio_unlock', 'unlock_page', '__folio_unlock'):
            return [(ZERO, self.unlock(st, first))]
        if name == 'filemap_mkwrite_lock':
            v = sym(site[1], {'bytes'})
            return [(v, self.checked_lock(plus))] + [(('n', -e), fresh.set('tried', None))
                                                    for e in (errno.EAGAIN, errno.EINTR)]
        if name in ('folio_mkwrite_check_truncate', 'page_mkwrite_check_truncate'):
            ok = plus.set('mapping', 1).set('isize', 1) if self.locked(st) else plus
            return [(sym(site[1], {'bytes'}), ok), (site, minus)]

        # the page and its folio
        if name in ('page_folio', 'compound_head', 'folio_page', 'folio_file_page') and first[0] == 's':
            return [(sym('F') if first[1] == 'F' else sym('%s(%s)' % (name, show(first))), st)]
        if name in ('folio_pos', 'page_offset') and first[0] == 's':
            return [(sym('pos(%s)' % first[1], {'pos', 'at'}), st)]
        if name in ('folio_size', 'page_size', 'thp_size'):
            return [(sym('size(%s)' % show(first), {'fsize'}), st)]
        if name == 'i_size_read':
            return [(self.size(st), st)]
        if name in ('folio_page_idx', 'offset_in_folio'):
            return [(self.named('%s(%s)' % (name, ','.join(map(show, values))), {'inner'}), st)]

        if name in ('PageDirty', 'folio_test_dirty') and first == sym('F') and st.get(('l', 'F')) == 'L':
            v = sym('dirty(F)#%d' % st.get('epoch', 0))
            if st.get('dirty') and st.get(('c', v[1])) != '+':
                return [(site, plus), (site, zero)]
            return [(v, self.dirty(s) if sign == '+' else s) for sign, s in self.each_sign(v, st, '0+')]

        # freeze protection, and what ranks outside
        if name == 'sb_start_pagefault':
            return [(ZERO, self.narrow(first, '+', self.freeze(st, True)))]
        if name == 'sb_end_pagefault':
            return [(ZERO, self.freeze(st, False))]
        if TIME.match(name):
            self.rank(st, name + '()')
            return [(site, fresh if st.get('frozen') else self.no_freeze(fresh))]
        text = ' '.join(show(v) for v in values)
        if re.match(r'inode_lock(_nested|_shared|_killable|_shared_nested)?$', name) or \
                re.match(r'down_(read|write)', name) and 'trylock' not in name and 'i_rwsem' in text:
            self.say(st, 'rank', 'takes inode_lock(), which ranks outside of mmap_lock')
            return [(site, fresh.set('outer', 1))]
        if 'trylock' in name:
            held = name in ('inode_trylock', 'inode_trylock_shared') or 'i_rwsem' in text
            return [(ONE, st.set('outer', 1)), (ZERO, st.set('tried', 'inode' if held else name))]
        if name.startswith('filemap_invalidate_lock') or re.match(r'down_(read|write)', name) and OUTSIDE.search(text):
            self.rank(st, 'invalidate_lock')
            return [(site, fresh.set('outer', 1))]

        # flags
        m = re.match(r'_*(test_and_)?(set|clear|test)_bit(_lock|_unlock)?$', name)
        if m and len(values) == 2:
            return self.bit(m, args, values, st, site)

        # answers
        if name == 'vmf_fs_error':
            return self.fs_error(first, st)
        if name == 'vmf_error':
            return [(bits('OOM' if first == ('n', -errno.ENOMEM) else 'SIGBUS'), st)]
        if name == 'block_page_mkwrite_return':
            return [(bits('LOCKED') if sign == '0' else bits('NOPAGE') if self.known(first, s) in (
                ('n', -errno.EFAULT), ('n', -errno.EAGAIN)) else bits('SIGBUS'), s)
                for sign, s in self.each_sign(first, st, '-0')]
        if name in ('dax_iomap_fault', 'dax_finish_sync_fault'):
            return [(bits('NOPAGE'), st), (bits('SIGBUS'), st)]
        if name == 'retain_and_null_ptr':
            return [(ZERO, st.set(('v', self.lvalue(args[0], st)[0]), ZERO))]

        # other handlers
        if name == 'block_page_mkwrite':
            self.forwards.setdefault(name, self.line)
            return [(site, self.checked_lock(zero).set('dirty', 1)), (site, minus)]
        if name in SHARED or MKWRITE.match(name) and name in self.handlers:
            out = self.contract(name, st)
            return [(v, s.set('own', st.get('own'))) for v, s in out] if name in BARE else out
        here = self.stack[-1][0].file
        near = self.tree.function(name, here, beside=not DIRTY.match(name))
        if near and name not in self.skip and name not in [f.name for f, _ in self.stack] and \
                len(self.stack) < 8 and self.worth(near, here, sym('F') in values or sym('vmf') in values):
            if not near.calls - BARE_LOOP and any(t[1] in ('for', 'while') for t in near.body):
                return [(site, self.given(name, line, values, fresh))]  # it looks the answer up
            return self.follow(near, args, values,
                               self.one_page(name, values, self.effects(name, values, st, line, True)))
        if MKWRITE.match(name):
            return self.contract(name, st)
        return self.unknown(name, args, values, fresh, site, line)

    def worth(self, fn, here, ours):
        """to be followed: what matters, and in this file what is small, or given the folio and about one page of it; of
        other files what is given the folio, begins or ends freeze protection, or is a small wrapper"""
        small = len(fn.body) < SMALL_BODY
        if fn.file == here:
            return small or self.tree.matters(fn) or self.claims and ours and any(t[1] == 'pgoff' for t in fn.body)
        return self.tree.matters(fn) if ours else self.tree.matters(fn, FREEZE) or \
            small and any(MATTERS.search(t[1]) for t in fn.body)

    def follow(self, fn, args, values, st):
        depth = len(self.stack)
        pre = '%d:' % depth
        inner = st
        for (param, _), v, a in zip(fn.params, values, args):
            inner = inner.set(('v', pre + param), v)
            own = self.source(a, st)
            if own:                     # a struct
                for k, x in list(st.d.items()):
                    if k[0] == 'v' and k[1].startswith(own):
                        inner = inner.set(('v', '%s%s.%s' % (pre, param, k[1][len(own):])), x)
        stack, line, limit = list(self.stack), self.line, self.limit
        self.limit = min(limit, self.steps + SHARE // depth)
        try:
            outs = self.run(fn, inner, depth)
            # a pointer that a helper hands on after a look for NULL is no error
            return [(v, s.set(('c', v[1]), '+') if fn.returns.endswith('*') and s.get(('c', v[1])) == '-+' else s)
                    for v, s in outs]
        except (cpaths.Unreadable, TooMany):
            if self.steps >= limit:
                raise
            # this one is too much: go on as if it were unknown
            self.stack, self.line = stack, line
            self.skip.add(fn.name)
            st = self.given(fn.name, line, values, st)
            if self.tree.matters(fn, LOCKS):
                self.lost = fn.name
                if sym('F') in values:
                    st = st.set(('l', 'F'), '?').set('maylock', fn.name)
            return [(sym('%s@%d' % (fn.name, line)), st)]
        finally:
            self.limit = limit

    def bit(self, how, args, values, st, site):
        """set_bit() and its like"""
        n, place = values
        key, name = self.lvalue(('un', '*', args[1]), st)
        old = self.known(st.get(('v', key)) or sym(name), st)
        mask = ('n', 1 << n[1]) if n[0] == 'n' and 0 <= n[1] < 64 else sym('BIT_' + n[1]) if \
            n[0] == 's' and cvalues.CONSTANT.match(n[1]) else sym(show(n))
        is_set = self.arithmetic('&', old, mask, None)
        if how[2] == 'set':
            st = st.set(('v', key), self.arithmetic('|', old, mask, None))
        elif how[2] == 'clear':
            flip = ('n', ~mask[1]) if mask[0] == 'n' else sym('~' + mask[1], {'~' + mask[1]})
            st = st.set(('v', key), self.arithmetic('&', old, flip, None))
        return [(is_set if how[1] or how[2] == 'test' else site, st)]

    def fs_error(self, v, st):
        if v[0] == 'n' and v[1]:
            name = errno.errorcode.get(-v[1], '')
            return [(bits({'EAGAIN': 'NOPAGE', 'ENOMEM': 'OOM'}.get(name, 'SIGBUS')), st)]
        out = []
        for sign, s in self.each_sign(v, st, '-0+'):
            c = s.get(('c', v[1])) if v[0] == 's' else None
            if isinstance(c, int):
                out += self.fs_error(('n', c), s)
            else:
                out.append((bits('LOCKED' if sign == '0' else 'SIGBUS'), s))
        return out

    def effects(self, name, values, st, line, followed=False):
        """what a name says about a function; one that is followed shows the rest by itself"""
        if DIRTY.match(name):
            st = self.dirty(self.use(st))
        elif USE.search(name):
            st = self.use(st)
        if WAIT.search(name):
            self.rank(st, name + '()')
        if name == 'iomap_iter' and self.locked(st):
            self.say(st, 'rank', 'iomap_begin is called with the folio locked', True)
        if followed:
            return st
        if self.locked(st) and not TALK.match(name):
            for v in values:
                self.decides(v, st)
        if OUTER.search(name) and not self.locked(st):
            st = st.set('outer', 1)
        ours = any(v[0] == 's' and v[1] in ('F', 'vmf') or v[0] == 'r' and any(
            k[0] == 'v' and x[:2] in (('s', 'F'), ('s', 'vmf')) and (k[1] + '.').startswith(v[1] + '.')
            for k, x in st.d.items()) for v in values)
        if LOOKUP.search(name) and not self.locked(st):
            st = st.set('maylock', name)
        if ours and MAY_CHECK.search(name) and self.locked(st):
            st = st.set('maycheck', name)
        if MAY_FREEZE.search(name) and not ours and not self.locked(st) and not WAIT.search(name) and values:
            st = st.set('mayfreeze', name)
        if ours and not NEUTRAL.search(name) and not TALK.match(name):
            if st.get(('l', 'F')) == 'L':
                if MAY_UNLOCK.search(name):
                    st = st.set(('l', 'F'), '?').set('maylock', None)
            elif MAY_LOCK.search(name):
                st = st.set('maylock', name)
        return self.prepare(name, values, st)

    def tells(self, names, values, st):
        """one of names may be how much of a length that is in values was prepared"""
        if self.claims and st.get(('l', 'F')) == 'L' and any('bytes' in taints(v) for v in values):
            self.counts.update(names)

    def unknown(self, name, args, values, st, site, line):
        if PURE.match(name):
            t = frozenset().union(*map(taints, values))
            t -= {'exact', 'pos', 'index', 'pages', 'bytes'} if 'test' in name else {'exact', 'pos', 'index', 'pages'}
            if SMALL.search(name):
                t |= {'small'}
            if 'bytes' in t and re.match(r'round_up|(PAGE_)?ALIGN', name):
                t = t - {'bytes'} | {'fsize'}
            if re.match(r'(folio_(order|nr_pages)|compound_(order|nr)|thp_nr_pages)$', name):
                t |= {'fsize'}
            if re.match(r'u?min(_t)?$', name) and any('bytes' in taints(v) for v in values) and any(
                    taints(v) & {'at', 'inner', 'small'} and not taints(v) & {'bytes', 'fsize'} and
                    not any(x.startswith('size#') for x in taints(v)) for v in values):
                t |= {'part'}           # to the end of a page, say
            text = '%s(%s)' % (name, ','.join(show(v) for v in values))
            if re.search(r'\bF\b', text):
                text += '#%d' % st.get('epoch', 0)
            if name in ('folio_mapping', 'page_mapping', 'folio_file_mapping') and values and values[0][1] == 'F':
                t |= {'mapping#%d' % st.get('epoch', 0)}
            return [(self.derived(self.named(text, t), values), st)]
        if re.match(r'nfs_(folio|page)_length$', name) and self.locked(st):
            return [(sym(site[1], {'bytes'}), st.set('isize', 1))]
        st = self.effects(name, values, st, line)
        if not (NEUTRAL.search(name) or TALK.match(name) or DIRTY.match(name)):
            self.tells([site[1]] + ['%s@%d:%s' % (name, line, v[1]) for v in values if v[0] == 'r'], values, st)
        for g in [self.tree.function(v[1], self.stack[-1][0].file) for v in values if v[0] == 's']:
            if g and (self.tree.matters(g, LOCKS) or self.tree.matters(g, FREEZE)):
                st = st.set('doubt', name + '()')   # may call that one
        st = st if TALK.match(name) or NEUTRAL.search(name) else self.given(name, line, values, st)
        for a, v in zip(args, values):
            # written through its address; a folio that we know stays
            if v[0] == 'r' and st.get(('v', v[1]), ZERO)[:2] != ('s', 'F'):
                st = st.set(('v', v[1]), sym('%s@%d:%s' % (name, line, v[1])))
        if not self.noting or not any(v[0] == 'r' for v in values):
            return [(site, st)]
        sts = [st]                      # what comes from one call may hang together
        for v in [site] + [st.get(('v', v[1]), ZERO) for v in values if v[0] == 'r']:
            sts = [s2 for s in sts for _, s2 in self.each_sign(v, s)]
        return [(site, s.set('guess', 1)) for s in sts]

    # ---- cleanup.h ----

    def guard(self, name, args, st, begin):
        values = []
        for a in args:
            v, st = self.eval(a, st)[0]
            values.append(v)
        found = self.tree.guard(name, self.stack[-1][0].file)
        if found:
            return self.macro(found[0], found[1 if begin else 2], values or [ZERO], st)
        first = values[0] if values else ZERO
        text = name + ' ' + ' '.join(show(v) for v in values)
        if re.search(r'pagefault|frozen|freeze', name):
            return [(first, self.freeze(st, begin))]
        if re.search(r'invalidate|^i_mmap', name) or OUTSIDE.search(text):
            if begin:
                self.rank(st, 'invalidate_lock')
            return [(first, st.set('outer', 1))]
        if re.search(r'inode.*lock|lock.*inode|^inode', name) or 'i_rwsem' in text:
            if begin and not name.endswith('_try'):
                known = re.match(r'inode(_lock\w*)?$', name) or 'i_rwsem' in text
                self.say(st, 'rank', 'takes inode_lock(), which ranks outside of mmap_lock' if known else
                         'is %s inode_lock()?' % name, not known)
            return [(first, st.set('outer', 1))]
        if first == sym('F') and re.match(r'(folio|page)(_?lock)?$|lock_?(folio|page)$', name):
            return [(first, self.lock(st, first) if begin else self.unlock(st, first))]
        # a name that says nothing may be anything
        if begin and st.get(('l', 'F')) != 'L' and (sym('F') in values or sym('vmf') in values):
            return [(first, st.set(('l', 'F'), '?').set('maylock', name))]
        if begin and not PLAIN.match(name):
            st = st.set('mayfreeze', name)
        return [(first, st.set('outer', 1) if begin and not self.locked(st) else st)]

    # ---- the return ----

    def at_return(self, v, st):
        self.line = st.get('line', self.line)
        v = self.known(v, st)
        mine = st.get(('l', 'F'))
        held = [k[1] for k, x in st.d.items() if k[0] == 'l' and x == 'L']
        unsure = [k[1] for k, x in st.d.items() if k[0] == 'l' and x == '?']
        if st.get('frozen'):
            self.say(st, 'freeze', 'returns with freeze protection held')
        if self.is_int and self.fn.name in SHARED:
            v = bits('LOCKED') if v == ZERO else bits('SIGBUS') if v[0] == 'n' else v
            if v[0] == 's':
                for sign, s in self.each_sign(v, st, '-0'):
                    self.at_return(bits('LOCKED') if sign == '0' else bits('SIGBUS'), s)
                return
        if v[0] == 'n' and v[1] == 0 or v[0] == 'f' and not v[1] & (NOT_LOCKED | {'LOCKED'}):
            self.say(st, 'unlocked', 'returns success without VM_FAULT_LOCKED')
            return
        if v[0] == 'n':
            self.say(st, 'retry', 'returns a bare errno')
            return
        if v[0] != 'f':
            self.unknown_return(v, st, held, unsure)
            return
        f = v[1]
        if 'RETRY' in f:
            self.say(st, 'retry', 'returns VM_FAULT_RETRY, but mmap_lock is still held')
        if st.get('tried') and f & {'NOPAGE', 'RETRY'}:
            self.say(st, 'try', 'comes again after a trylock failed, for ever if the fault is below that lock' if
                     st.get('tried') == 'inode' else
                     '%s() failed: comes again for ever if that is held over a copy to or from user memory'
                     % st.get('tried'), st.get('tried') != 'inode')
        if 'LOCKED' in f:
            if f & NOT_LOCKED:
                self.say(st, 'balance', 'returns VM_FAULT_LOCKED beside VM_FAULT_%s' % '|'.join(sorted(f & NOT_LOCKED)))
            else:
                self.locked_return(st, mine, held)
        elif held:
            other = 'F' not in held
            self.say(st, 'balance', 'returns an error with %s locked' % ('another folio' if other else 'the folio'),
                     other)
        elif unsure:
            self.say(st, 'balance', 'an error, and the folio may be locked', True)

    def unknown_return(self, v, st, held, unsure):
        t = taints(v)
        if '|LOCKED' in t and not held and not unsure and (st.get(('l', 'F')) or not st.get('maylock')):
            self.say(st, 'balance', 'returns VM_FAULT_LOCKED with the folio unlocked')
        elif v[1].startswith('unset '):
            self.say(st, 'unlocked', 'returns a variable that no path has set')
        elif held or unsure:
            self.say(st, 'balance', 'returns what %s says, with the folio %slocked' %
                     (v[1], '' if held else 'maybe '), True)
        elif self.errno_type():
            self.say(st, 'retry', 'returns a bare errno')
        elif re.match(r'\w+@\d+$', v[1]):
            name, line = v[1].split('@')
            self.forwards.setdefault(name, int(line))

    def errno_type(self):
        """the variable that is returned is no vm_fault_t"""
        graph = self.fn.graph()
        return any(n.kind == 'return' and n.expr and n.expr[0] == 'id' and
                   re.match(r'(int|long|ssize_t)$', graph.types.get(n.expr[1], '')) for n in graph.nodes)

    def locked_return(self, st, mine, held):
        if mine != 'L':
            if mine == '?' and not st.get('maylock'):
                self.say(st, 'balance', 'VM_FAULT_LOCKED, and the folio may be unlocked', True)
            elif held:
                self.say(st, 'balance', 'is the folio that is locked that of vmf->page?', True)
                self.use(st.set(('l', 'F'), 'L'))
            elif st.get('maylock') and mine in (None, '?'):
                for rule in ('balance', 'mapping', 'isize'):
                    self.say(st, rule, 'the folio is locked by a function called here: %s()?' % st.get('maylock'), True)
            else:
                self.say(st, 'balance', 'returns VM_FAULT_LOCKED with the folio unlocked')
            return
        self.use(st)
        if self.cache and not st.get('isize'):
            if st.get('outer') and re.search(r'\bi_size', ' '.join(self.words(self.fn, set()))):
                self.say(st, 'isize', 'i_size is read, but not under the folio lock', True)
            else:
                self.unchecked(st, 'isize', 'i_size is not checked under the folio lock')
        if st.get('started'):
            if st.get('thawed'):
                self.say(st, 'early', 'freeze protection ends before the folio is dirty', line=st.get('thawed'))
        elif self.cache:
            self.no_freeze(st)


ASSIGNED = re.compile(r'[.>]page_mkwrite[ \t]*=[ \t]*(\w+)')


def forwards(handlers):
    """[Finding] for what a handler returns of a function that is not judged"""
    judged = {h.fn.name for h in handlers}
    return [Finding(h.fn.file, line, h.fn.name, 'forward', 'undecidable', 'what %s returns is not judged' % (
        name + '()' if name != '*' else 'a ->page_mkwrite of another table'), '')
            for h in handlers for name, line in h.forwards.items() if name not in judged and name not in KNOWN]


def judge(tree, files):
    """(assigned [(file, line, handler)], [Handler] of the handlers in the files and of what they share)"""
    assigned, defined, todo = [], {}, []
    texts = {f: tree.text(f) for f in files}
    for f, text in sorted(texts.items()):
        for m in ASSIGNED.finditer(text):
            if m[1] not in ('NULL', '0'):
                assigned.append((f, text.count('\n', 0, m.start()) + 1, m[1]))
    names = {a[2] for a in assigned}
    for f, text in sorted(texts.items()):
        if not re.search(r'mkwrite|\b(%s)\s*\(' % '|'.join(sorted(names) or ['mkwrite']), text):
            continue
        own = {a[2] for a in assigned if a[0] == f}
        for name, fn in tree.file(f).functions.items():
            if name in own or name in names and 'static' not in fn.returns and name not in defined or \
                    name in SHARED or MKWRITE.match(name):
                defined[f, name] = fn
    called = {c for (f, n), fn in defined.items() for c in fn.calls}
    for (f, name), fn in sorted(defined.items()):
        if name in names or name in SHARED or name not in called:
            if 'vm_fault' in ' '.join(p[1] for p in fn.params) or name in names:
                todo.append(fn)
    return assigned, [Handler(tree, fn, names).judge() for fn in todo]


if __name__ == '__main__':              # for the fixtures: DIR FILE...
    for h in judge(Tree(sys.argv[1]), sys.argv[2:])[1]:
        for f in h.findings.values():
            print('%s:%d: %s: [%s] %s%s' % (f.file, f.line, f.function, f.rule,
                                            'undecidable: ' if f.kind != 'finding' else '', f.text))
