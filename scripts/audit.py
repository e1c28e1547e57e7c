#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""usage: audit.py [--json] [--strict] [--patch FILE] TREE...

Handlers are judged by mkwrite.py, which follows every path; callers by cocci/mkwrite_callers.cocci. A table for
each tree, handler by rule, then every place that broke a rule or could not be decided:

  .        no finding
  F:LINE   finding; F> if it is in a helper that other handlers share
  ?:LINE   undecidable, ?> likewise

  FILE:LINE: FUNCTION: RULE: finding|accepted|undecidable: TEXT [path: LINE+ LINE- ...]

The path is the conditions on the way there, + true and - false. With --json: one list of objects with these
fields, and tree. With --patch: the places that are new by it. Exit status: see scripts/audit.
"""
import collections
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import cpaths
import mkwrite

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DIRS = 'arch block drivers fs io_uring ipc kernel lib mm net security sound virt'.split()
HANDLER = r'mkwrite'
CALLER = r'->(page_mkwrite|fault) ?\(|do_page_mkwrite|vmf->flags = |wp_page_reuse|ptep_set_access_flags'
DIRTY = r'\b(set_page_dirty|folio_mark_dirty|SetPageDirty) ?\('    # outside of fs/ and mm/
CLEAN = (r'\b(folio_clear_dirty_for_io|clear_page_dirty_for_io|_*folio_cancel_dirty|cancel_dirty_page|ClearPageDirty|'
         r'_*folio_clear_dirty) ?\(')                               # in fs/ and mm/
SAID = re.compile(r'([^:]+):(\d+):\d+-\d+: (\w+): \[(\w+)\] (undecidable: )?(.*)')


class Failed(Exception):
    """the one line to say"""


def grep(pattern, files, recursive=False):
    """the C files that have it"""
    if not files:
        return []
    r = subprocess.run(['grep', '-rlE' if recursive else '-lE', '--include=*.c', '-e', pattern, '--', *files],
                       capture_output=True, text=True, env=dict(os.environ, LC_ALL='C'), check=False)
    if r.returncode > 1:
        raise Failed(r.stderr.strip().split('\n')[0].removeprefix('grep: '))
    return sorted(f for f in r.stdout.split('\n') if f)


def callers_of(files):
    """those that the rules of mkwrite_callers can match"""
    inside = [f for f in files if re.match(r'(fs|mm)/', f)]
    outside = [f for f in files if f not in set(inside)]
    return sorted(set(f for f in grep(CALLER, files) + grep(CLEAN, inside) + grep(DIRTY, outside)
                      if '/tests/' not in f))


class Callers:
    """cocci/mkwrite_callers.cocci on files, one spatch on each CPU; begins at once, found() waits"""

    def __init__(self, files, tmp):
        self.jobs, n = [], min(os.cpu_count() or 1, len(files))
        files = sorted(files, key=os.path.getsize)
        for i in range(n):
            groups = os.path.join(tmp, 'group%d' % i)
            with open(groups, 'w', encoding='utf-8') as f:
                f.write(''.join(name + '\n\n' for name in files[i::n]))
            with open(groups + '.out', 'wb') as out, open(groups + '.err', 'wb') as err:
                self.jobs.append((groups, subprocess.Popen(
                    ['spatch', '-D', 'report', '--very-quiet', '--no-show-diff', '--no-includes', '--timeout', '100',
                     '--cocci-file', TOP + '/cocci/mkwrite_callers.cocci', '--file-groups', groups],
                    stdout=out, stderr=err)))

    def found(self):
        result = []
        for groups, job in self.jobs:
            with open(groups + '.err', encoding='utf-8', errors='replace') as f:
                rc, err = job.wait(), f.read().strip().split('\n')
            if rc or re.search(r'Python failure|timeout', ' '.join(err)):
                raise Failed('spatch failed (status %d): %s' % (rc, err[-1]))
            with open(groups + '.out', encoding='utf-8', errors='replace') as f:
                for line in f:
                    m = SAID.match(line)
                    if m:
                        result.append(mkwrite.Finding(m[1], int(m[2]), m[3], m[4],
                                                      'undecidable' if m[5] else 'finding', m[6], ''))
        return result


def accept(findings):
    """with those that cocci/accepted has a reason for"""
    reasons = {}
    with open(TOP + '/cocci/accepted', encoding='utf-8') as f:
        for line in f:
            words = line.split(None, 3)
            if len(words) == 4 and line[0] != '#' and (not words[3].startswith('stack:') or has_contract()):
                reasons[tuple(words[:3])] = words[3].strip()
    return sorted(f._replace(kind='accepted', text='%s (%s)' % (f.text, reasons[f.file, f.function, f.rule]))
                  if (f.file, f.function, f.rule) in reasons else f for f in findings)


def once(findings):
    """of the same place, for the handlers that share it, the first; a finding hides the undecidable"""
    seen, out = {}, []
    for f in sorted(findings, key=lambda f: (f.kind != 'finding', f)):
        key = f.file, f.line, f.rule
        if seen.setdefault(key, f.text) == f.text and f not in out and \
                not any(key == (o.file, o.line, o.rule) for o in out):
            out.append(f)
    return sorted(out)


def said(handlers):
    return [f for h in handlers for f in h.findings.values()] + mkwrite.forwards(handlers)


def table(assigned, handlers):
    """the rows, handler by rule: what a handler does, and what it forwards to"""
    own = {h.fn.name: h for h in handlers}

    def worst(h, rule, depth, busy):
        mark, cell = ('>' if depth else ':'), '.'
        for f in h.findings.values():
            if f.rule == rule and cell[0] != 'F':
                if f.kind == 'finding' or cell == '.':
                    cell = ('F' if f.kind == 'finding' else '?') + mark + ('' if depth else str(f.line))
        for name, line in h.forwards.items():
            if cell[0] == 'F' or name in busy or name in mkwrite.KNOWN and name not in own:
                continue
            g = own.get(name)
            v = worst(g, rule, depth + 1, busy | {name}) if g else '?' + mark + ('' if depth else str(line))
            if v[0] == 'F' or cell == '.':
                cell = v
        return cell

    rows = [['handler', 'file'] + mkwrite.RULES]
    names = {a[2] for a in assigned} | set(mkwrite.SHARED)
    for h in sorted(handlers, key=lambda h: (h.fn.file, h.fn.name)):
        if h.fn.name in names:
            rows.append([h.fn.name, h.fn.file] + [worst(h, r, 0, {h.fn.name}) for r in mkwrite.RULES])
    for name in sorted(names - set(own) - set(mkwrite.SHARED)):
        rows.append([name, next(a[0] for a in assigned if a[2] == name)] + ['?'] * len(mkwrite.RULES))
    width = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return '\n'.join('  '.join(c.ljust(w) for c, w in zip(r, width)).rstrip() for r in rows)


def says(file, text):
    """whether the file is there and has the text"""
    try:
        with open(file, encoding='utf-8', errors='replace') as f:
            return text in f.read()
    except FileNotFoundError:
        return False


def has_contract():
    return says('Documentation/filesystems/locking.rst', 'must not return VM_FAULT_RETRY')


def whole_tree(tree, tmp, text):
    """(findings, fails on them)"""
    files = grep('|'.join((HANDLER, CALLER, DIRTY, CLEAN)), [d for d in DIRS if os.path.isdir(d)], True)
    callers = Callers(callers_of(files), tmp)
    judged = mkwrite.Tree('.')
    assigned, handlers = mkwrite.judge(judged, grep(HANDLER, files))
    findings = accept(once(said(handlers) + callers.found()))
    if text:
        print('%s: %d assignments of .page_mkwrite\n' % (tree, len(assigned)))
        print(table(assigned, handlers))
    return findings, has_contract()


def one_patch(patch, tmp):
    """the findings that are new"""
    try:
        with open(patch, encoding='utf-8', errors='replace') as f:
            text = f.read()
    except OSError as e:
        raise Failed('%s: %s' % (patch, e.strerror)) from e
    touched = sorted({n for n in re.findall(r'^(?:---|\+\+\+) [ab]/(\S+)', text, re.M) if n.endswith(('.c', '.h'))})
    if not re.search(r'^\+\+\+ ', text, re.M):
        raise Failed('%s: no patch' % patch)
    after = os.path.join(tmp, 'after')
    os.mkdir(after)
    for name in {n for n in re.findall(r'^(?:---|\+\+\+) [ab]/(\S+)', text, re.M)}:
        if os.path.exists(name):
            os.makedirs(os.path.dirname(os.path.join(after, name)), exist_ok=True)
            shutil.copy(name, os.path.join(after, name))
    r = subprocess.run(['patch', '-p1', '-s', '-f', '-d', after, '-i', patch],
                       capture_output=True, text=True, check=False)
    if r.returncode:
        raise Failed('%s does not apply: %s' % (patch, (r.stdout + r.stderr).strip().split('\n')[0]))

    folders = sorted({os.path.dirname(n) for n in touched if os.path.isdir(os.path.dirname(n) or '.')})
    beside = grep(HANDLER, [os.path.join(d, n) for d in folders for n in os.listdir(d) if n.endswith('.c')])
    here = os.getcwd()

    def judged(root, over):
        os.chdir(root)                  # names as in the tree, for spatch, too
        files = [n for n in touched if n.endswith('.c') and os.path.exists(n)]
        callers = Callers(callers_of(files), tempfile.mkdtemp(dir=tmp))
        os.chdir(here)
        gone = {n for n in touched if over and not os.path.exists(os.path.join(over, n))}
        _, handlers = mkwrite.judge(mkwrite.Tree('.', over, gone), sorted(set(files) | set(beside) - gone))
        return once(said(handlers) + callers.found())

    now = judged(after, after)
    before = judged(here, None) if now else []      # who has nothing to say now has nothing new

    def key(f):                         # lines move
        return f.file, f.function, f.rule, f.kind, re.sub(r'line \d+', 'line', f.text)

    had, new = collections.Counter(key(f) for f in before), []
    for f in now:
        had[key(f)] -= 1
        if had[key(f)] < 0:
            new.append(f)
    return accept(new)


def audit(tree, options):
    """(findings, status)"""
    if not os.path.isdir(tree):
        raise Failed('%s: no such directory' % tree)
    os.chdir(tree)
    if not says('include/linux/mm.h', 'page_mkwrite'):
        raise Failed('%s: not a kernel tree (no page_mkwrite in include/linux/mm.h)' % tree)
    text = not options['--json']
    with tempfile.TemporaryDirectory() as tmp:
        if options['--patch']:
            findings, fails = one_patch(options['--patch'], tmp), True
        else:
            findings, fails = whole_tree(tree, tmp, text)
    n = collections.Counter(f.kind for f in findings)
    if text:
        if not options['--patch']:
            print()
        for f in findings:
            print('%s:%d: %s: %s: %s: %s%s' % (f[:6] + (' [path: %s]' % f.path if f.path else '',)))
        print('\n%d findings, %d accepted, %d undecidable%s\n' % (
            n['finding'], n['accepted'], n['undecidable'], ' by the patch' if options['--patch'] else ''))
    bad = n['finding'] + (n['undecidable'] if options['--strict'] else 0)
    return [dict(f._asdict(), tree=tree) for f in findings], int(fails and bad > 0)


def main(args):
    options, status, objects = {'--json': False, '--strict': False, '--patch': None}, 0, []
    while args and args[0].startswith('--'):
        name = args.pop(0)
        if name not in options or name == '--patch' and not args:
            raise Failed('%s: --json, --strict, --patch FILE, then trees' % name)
        options[name] = args.pop(0) if name == '--patch' else True
    if not shutil.which('spatch'):
        raise Failed('no spatch; Debian: apt install coccinelle')
    here = os.getcwd()
    for tree in args:
        os.chdir(here)
        found, rc = audit(os.path.normpath(tree), options)
        objects, status = objects + found, max(status, rc)
    if options['--json']:
        print(json.dumps(objects, indent=1))
    return status


if __name__ == '__main__':
    try:
        sys.exit(main(sys.argv[1:]))
    except (Failed, cpaths.Unreadable) as error:
        line = str(error)
    except OSError as error:
        line = '%s: %s' % (error.filename, error.strerror)
    except Exception as error:          # the status of a traceback is that of a finding
        line = 'cannot judge this: %r' % error
    print('audit: %s' % line, file=sys.stderr)
    sys.exit(2)
