# SPDX-License-Identifier: GPL-2.0
"""Walk every path through a function of cpaths.py, and say what its values can be.

Values: ('n', number), ('f', VM_FAULT_ bits), ('s', name, taints), ('r', the variable it points to). A name stands for
what is not known; the same expression has the same name, so that a condition that is asked twice has one
answer. Of a name it is known whether it is negative, zero or positive ('-0+'), or its number. A taint says what
a value comes from, and is for the judge that is built on this: it gives checked() and decides() for conditions,
compared(), arithmetic() and difference() for those of an expression, origin() and member() for those of a name,
stored(), call() and guard(). Each method that evaluates returns a list of (value, state), for it may split the path.
"""
import collections
import errno
import operator
import re

import cpaths

ERRORS = {'OOM', 'SIGBUS', 'SIGSEGV', 'HWPOISON', 'HWPOISON_LARGE', 'FALLBACK'}


# They are known by name.
CONTRACT = re.compile(r'(VM|FAULT_FLAG)_')


class TooMany(Exception):
    """paths, for the budget"""


class State:
    """what holds at one point of one path: ('v', variable) values, ('c', name) constraints on what a name stands
    for, ('l', folio) locks, and the rest under its own name; trail is how we came here, not part of the state"""
    __slots__ = ('d', 'trail')

    def __init__(self, d, trail=()):
        self.d, self.trail = d, trail

    def set(self, key, value):
        d = dict(self.d)
        if value is None:
            d.pop(key, None)
        else:
            d[key] = value
        return State(d, self.trail)

    def get(self, key, default=None):
        return self.d.get(key, default)

    def key(self):
        return frozenset(self.d.items())


def sym(name, taints=frozenset()):
    return ('s', name, frozenset(taints))


def bits(*names):
    return ('f', frozenset(names)) if names else ('n', 0)


ZERO, ONE = ('n', 0), ('n', 1)
OPS = {'==': operator.eq, '!=': operator.ne, '<': operator.lt, '>': operator.gt, '<=': operator.le, '>=': operator.ge}
# What a function has answered, be it asked for its sign; it hangs on nothing that is known.
PLAIN = re.compile(r'\w+@\d+$')
CONSTANT = re.compile(r'[A-Z][A-Z0-9_]+$')
# Pointers that are there wherever there is an open file.
THERE = re.compile(r'(F|vmf|.*(->|\.)(i_sb|vma|vm_file|i_mapping|f_mapping|f_inode)|file_inode\(.*\))$')
COUNTED = 3                             # what ++ and -- count exactly


def taints(v):
    return v[2] if v[0] == 's' else frozenset()


def show(v):
    return {'n': lambda: str(v[1]), 'f': lambda: '|'.join(sorted(v[1])), 's': lambda: v[1],
            'r': lambda: '&' + str(v[1])}[v[0]]()


class Walk:
    """the paths of one function, and of those that it calls"""

    def __init__(self, fn, budget):
        self.fn, self.line, self.stack = fn, fn.line, []    # stack: (Function, its graph) of what is being walked
        self.steps, self.limit = 0, budget
        self.asts = collections.defaultdict(set)            # the expressions of a name
        self.answers = set()                                # names that are 0 or 1
        # the condition that is being asked, those whose answer may hang on what is known, the one that is noted
        self.asking, self.asked, self.noting = None, set(), None

    def run(self, fn, st, depth):
        """[(returned value, state)] of all paths through fn"""
        graph = fn.graph()
        self.stack.append((fn, graph))
        line, asking = self.line, self.asking
        ends = self.walk(graph, st, depth, True)
        self.stack.pop()
        self.line, self.asking = line, asking
        return ends

    def e_block(self, e, st):
        """a statement expression"""
        return self.walk(e[1], st, len(self.stack) - 1, False)

    def walk(self, graph, st, depth, whole):
        fn = self.stack[-1][0]
        kept = {k[1] for k in st.d if k[0] == 'c'} if depth else ()
        pre = '%d:' % depth
        todo, seen, ends = [(graph.nodes[0], st)], set(), {}
        while todo:
            node, st = todo.pop()
            if whole:
                st = self.forget(st, graph.alive[node], pre, kept)
            mark = node, st.key()
            if mark in seen:
                continue
            seen.add(mark)
            self.steps += 1
            if self.steps > self.limit:
                raise TooMany()
            self.line = node.line
            if node.kind == 'exit':
                value = st.get(('v', pre + '$ret'), ZERO if fn.returns.endswith('void') else sym('nothing'))
                st = State({k: v for k, v in st.d.items() if not (k[0] == 'v' and k[1].startswith(
                    pre if whole else pre + '$ret'))}, st.trail)
                ends.setdefault((value, st.key()), (value, st if depth or not whole else st.set('line', node.line)))
            elif node.kind == 'cond':
                self.asking = node
                split = self.branch(node.expr, st)
                self.asking = None
                if node is self.noting:
                    before = self.facts(st)
                    # known on this path, and not by a guess of what came from a call: it is so
                    sure = len(split) == 1 and not st.get('guess')
                    split = [(truth, after.set('noted', (truth, before, sure)))
                             for truth, after in split]
                for truth, after in split:
                    if len(split) > 1 or node is self.noting:
                        after = State(after.d, (node.line, truth, after.trail))
                    if truth in node.next:
                        todo.append((node.next[truth], after))
            else:
                outs = [st]
                if node.expr is not None:
                    values = self.eval(node.expr, st)
                    outs = [s for _, s in values]
                    if node.kind == 'return':
                        outs = [self.returned(node.expr, s, depth).set(('v', pre + '$ret'), v) for v, s in values]
                for s in outs:
                    if None in node.next:
                        todo.append((node.next[None], s))
        return list(ends.values())

    @staticmethod
    def returned(e, st, depth):
        """with the fields of a struct that is returned for who called"""
        pre = '%d:%s.' % (depth, {'id': e[1], 'init': '{}', 'call': '{}'}.get(e[0]))
        for k, x in list(st.d.items()):
            if depth and k[0] == 'v' and k[1].startswith(pre):
                st = st.set(('v', '%d:{}.%s' % (depth - 1, k[1][len(pre):])), x)
        return st

    def forget(self, st, alive, pre, kept):
        """without what no later node asks for, so that paths meet again"""
        d, used = {}, set()
        pointed = {x[1] for k, x in st.d.items() if k[0] == 'v' and x[0] == 'r'}
        for k, v in st.d.items():
            if k[0] == 'v' and k[1].startswith(pre) and k[1] != pre + '$ret' and k[1][0] != 'M':
                base = re.split(r'\.(?!\d)|->', k[1][len(pre):])[0]
                if ('id', base) not in alive and pre + base not in pointed:
                    continue
            d[k] = v
            if k[0] == 'v' and v[0] == 's':
                used.add(v[1])
        for k in [k for k in d if k[0] == 'c']:
            if k[1] not in used and k[1] not in kept and not self.asts[k[1]] & alive:
                del d[k]
        return State(d, st.trail)

    def key(self, name):
        return '%d:%s' % (len(self.stack) - 1, name)

    def branch(self, e, st):
        """[(truth, state)] of a condition"""
        out = {}
        for v, s in self.eval(e, st):
            self.decides(v, s)
            for truth, after in self.checked(v, s, e):
                out.setdefault((truth, after.key()), (truth, after))
        return list(out.values())

    @staticmethod
    def signs(v, st):
        """what v can be, of '-0+'"""
        c = v[1] if v[0] == 'n' else '+' if v[0] != 's' or THERE.match(v[1]) else st.get(('c', v[1]), '-0+')
        return c if isinstance(c, str) else '-' if c < 0 else '+' if c else '0'

    @staticmethod
    def narrow(v, signs, st):
        """with v known to be one of signs"""
        exact = v[0] != 's' or THERE.match(v[1]) or isinstance(st.get(('c', v[1])), int)
        return st if exact else st.set(('c', v[1]), signs)

    def split(self, v, st, left):
        """[(whether v is one of left, state)]"""
        have = self.signs(v, st)
        return [(truth, self.narrow(v, some, st)) for truth, some in (
            (True, ''.join(c for c in have if c in left)), (False, ''.join(c for c in have if c not in left))) if some]

    def truth(self, v, st, e=None):
        if e is not None and v[0] == 's':
            self.asts[v[1]].add(e)
        out = self.split(v, st, '-+')
        if len(out) > 1:
            self.note(v)
        return out

    def note(self, v):
        """v, or a comparison with it, is asked for and not known"""
        if self.asking and not PLAIN.match(v[1]) and not any('mapping#' in t for t in taints(v)):
            self.asked.add(self.asking)

    def facts(self, st):
        """what is known of the variables"""
        return frozenset((k[1], show(x) if x[0] == 'f' else self.signs(x, st)) for k, x in st.d.items()
                         if k[0] == 'v' and k[1][0].isdigit() and self.signs(x, st) != '-0+')

    def each_sign(self, v, st, signs='-0+'):
        """[(sign, state)] for those of v that are possible"""
        return [(c, self.narrow(v, c, st)) for c in self.signs(v, st) if c in signs]

    def known(self, v, st):
        """v, or the number that it is known to be"""
        if v[0] == 's':
            c = st.get(('c', v[1]))
            if isinstance(c, int):
                return ('n', c)
            if c == '0':
                return ZERO
        return v

    def compare(self, op, a, b, st):
        """[(value, state)] of a OP b"""
        ka, kb = self.known(a, st), self.known(b, st)
        if ka[0] == 'n' and kb[0] == 'n':
            answer, taint = OPS[op](ka[1], kb[1]), taints(a) | taints(b)
            v = sym('(%s%s%s)' % (show(a), op, show(b)), taint) if taint else ONE if answer else ZERO
            return [(v, st.set(('c', v[1]), 1 if answer else '0') if taint else st)]
        if op in ('==', '!=') and (ka[0] in 'nf' and kb[0] in 'nf' or ZERO in (ka, kb) and 'r' in (ka[0], kb[0])):
            return [(ONE if (ka == kb) == (op == '==') else ZERO, st)]
        if ka[0] == 'n' and kb[0] == 's':
            swap = {'<': '>', '>': '<', '<=': '>=', '>=': '<='}
            return self.compare(swap.get(op, op), b, a, st)
        if ka[0] == 's' and kb[0] == 'n' and a[0] == 's':
            k = kb[1]
            yes, no = ({'-' if x < 0 else '+' if x else '0' for x in (-2 ** 64, -1, 0, 1, 2 ** 64, k - 1, k, k + 1)
                        if OPS[op](x, k) == truth} for truth in (True, False))
            signs = self.signs(a, st)
            if a[1] in self.answers:    # 0 or 1
                signs = ''.join(c for c in signs if c in '0+')
                yes = {c for c, x in (('0', 0), ('+', 1)) if OPS[op](x, k)}
                no = {'0', '+'} - yes
            if signs == '-+' and not kb[1]:
                signs = '-'             # if (err) has been asked: an errno
            taint, st = self.compared(op, a, kb, st)
            out = []
            for answer, allowed in ((1, yes), (0, no)):
                rest = ''.join(c for c in signs if c in allowed)
                if rest:
                    exact = kb[1] and (op == '==') == bool(answer) and op in ('==', '!=')
                    after = st.set(('c', a[1]), kb[1] if exact else rest)
                    if taint:
                        # The answer keeps the taint: a condition on it is one on i_size or ->mapping.
                        name = '(%s%s%s)' % (show(a), op, kb[1])
                        out.append((sym(name, taint), after.set(('c', name), 1 if answer else '0')))
                    else:
                        out.append((('n', answer), after))
            if len(out) > 1:
                self.note(a)
            return out
        if op in ('==', '!=') and a[0] == b[0] == 's' and (a == b or CONSTANT.match(a[1]) and CONSTANT.match(b[1])):
            return [(ONE if (a == b) == (op == '==') else ZERO, st)]
        positive = {'!=': '==', '>=': '<', '<=': '>'}.get(op, op)   # one name for a question and its opposite
        taint, st = self.compared(positive, a, b, st)
        v = sym('(%s%s%s)' % (show(a), positive, show(b)), taint)
        self.answers.add(v[1])
        return self.invert(v, st) if positive != op else [(v, st)]

    def invert(self, v, st):
        turn = {'=': '!', '!': '='}
        taint = {turn[t[0]] + t[1:] if t[0] in turn else t for t in taints(v)}
        out = []
        for truth, after in self.truth(v, st):
            if taint:
                name = '!' + v[1]
                out.append((sym(name, taint), after.set(('c', name), '0' if truth else '+')))
            else:
                out.append((ZERO if truth else ONE, after))
        return out

    def eval(self, e, st):
        """[(value, state)]"""
        kind = e[0]
        if kind == 'num':
            return [(('n', e[1]), st)]
        if kind == 'str':
            return [(sym('text'), st)]
        if kind == 'id':
            return [(self.variable(e[1], st), st)]
        out = {}
        for v, s in getattr(self, 'e_' + {'->': 'arrow', '.': 'dot', '[]': 'index', '?': 'ternary', ',': 'comma',
                                          'as': 'assign'}.get(kind, kind))(e, st):
            out.setdefault((v, s.key()), (v, s))
        if len(out) > 64:
            raise TooMany()
        return list(out.values())

    def variable(self, name, st):
        v = st.get(('v', self.key(name)))
        if ('v', self.key(name) + '.[0]') in st.d:      # an array
            return ('r', self.key(name))
        if v:
            return v
        if name.startswith('VM_FAULT_'):
            return ('f', frozenset(ERRORS if name == 'VM_FAULT_ERROR' else {name[9:]}))
        if name in ('NULL', 'false'):
            return ZERO
        if name == 'true':
            return ONE
        if name == 'MAX_ERRNO':
            return ('n', 4095)
        if hasattr(errno, name):
            return ('n', getattr(errno, name))
        if re.match(r'E[A-Z]{3,}$', name):  # the kernel's own, as ERESTARTSYS
            return ('n', 512 + sum(map(ord, name)))
        taint = self.origin(name)
        n = None if taint or CONTRACT.match(name) else self.constant(name)
        return sym(name, taint) if n is None else ('n', n)

    def constant(self, name):
        """the number of a macro or an enumerator"""
        return cpaths.number(name, self.stack[-1][0].enums)

    def lvalue(self, e, st):
        """(key of the state, name) of what is assigned to; the name is the same for every way to it"""
        if e[0] == 'id':
            return self.key(e[1]), e[1]
        if e[0] in ('.', '->'):
            if e[0] == '.' or e[1][0] == 'un' and e[1][1] == '&':
                base = self.lvalue(e[1] if e[0] == '.' else e[1][2], st)[0]
                return base + '.' + e[2], base + '.' + e[2]
            v = self.eval(e[1], st)[0][0]
            if v[0] == 'r':
                return v[1] + '.' + e[2], v[1] + '.' + e[2]
            return 'M:' + show(v) + '->' + e[2], show(v) + '->' + e[2]
        if e[0] == 'un' and e[1] == '*':
            v = self.eval(e[2], st)[0][0]
            return (v[1], v[1]) if v[0] == 'r' else ('M:*' + show(v), '*' + show(v))
        if e[0] == '[]' and e[2][0] == 'num':
            base = self.lvalue(e[1], st)[0]
            held = st.get(('v', base), ZERO)
            base = held[1] if held[0] == 'r' else base
            if held[0] != 'r' or e[2][1] or ('v', base + '.[0]') in st.d:       # not a pointer to one
                base += '.[%d]' % e[2][1]
            return base, base
        if e[0] == '[]':
            return 'M:' + self.lvalue(e[1], st)[1] + '[]', self.lvalue(e[1], st)[1] + '[]'
        if e[0] == 'as':
            return self.lvalue(e[2], st)
        return 'M:?', '?'

    def e_arrow(self, e, st):
        return [(self.member(e, s), s) for _, s in self.eval(e[1], st)]

    def e_dot(self, e, st):
        return [(self.member(e, st), st)]

    @staticmethod
    def zeroed(key, st):
        """ZERO for a field that the initializer of its struct leaves out"""
        while '.' in key and ('v', key) not in st.d:
            key = key.rpartition('.')[0]
            if ('v', key + '.{}') in st.d:
                return ZERO
        return None

    @staticmethod
    def given(name, line, values, st):
        """with the structs that a function of which nothing is known may have filled; what we know of stays"""
        for v in values:
            if v[0] == 'r':
                st = st.set(('v', v[1] + '.{}'), None)
            pre = v[1] + '.' if v[0] == 'r' else 'M:' + v[1] + '->' if v[0] == 's' and not THERE.match(v[1]) else '-'
            for k, x in list(st.d.items()):
                if k[0] == 'v' and k[1].startswith(pre) and not (x[0] == 's' and THERE.match(x[1])):
                    st = st.set(k, sym('%s@%d:%s' % (name, line, k[1]), taints(x)))
        return st

    def e_index(self, e, st):
        out = []
        for place, s in self.places(e, st):
            v = s.get(('v', self.lvalue(place, s)[0])) if place[2][0] == 'num' else None
            out += [(v, s)] if v else self.element(place, s)
        return out

    def places(self, e, st):
        """[(e, state)]; with the number of an index that is known"""
        if e[0] != '[]' or e[2][0] == 'num':
            return [(e, st)]
        return [(e[:2] + (('num', n[1]),) if n[0] == 'n' and n[1] >= 0 else e, s)
                for n, s in ((self.known(v, s), s) for v, s in self.eval(e[2], st))]

    def element(self, e, st):
        return [(sym(show(v) + '[]', taints(v) - {'exact'}), s)
                for v, s in self.eval(e[1], st)]

    def e_comma(self, e, st):
        return [x for _, s in self.eval(e[1], st) for x in self.eval(e[2], s)]

    def e_init(self, e, st, pre='{}.'):
        sts = [st]
        for i, (field, item) in enumerate(e[1]):
            key = pre + (field or '[%d]' % i)
            sts = [s2 for s in sts for _, s2 in self.e_init(item, s, key + '.')] if item[0] == 'init' else \
                [s2.set(('v', self.key(key)), v) for s in sts for v, s2 in self.eval(item, s)]
        return [(sym('{}'), s) for s in sts]

    def e_uninit(self, e, st):
        return [(ZERO, st.set(('v', self.key(e[1][1])), sym('unset ' + e[1][1])))]

    def e_ternary(self, e, st):
        out = []
        for v, s in self.eval(e[1], st):
            self.decides(v, s)
            for truth, after in self.checked(v, s, e[1]):
                if truth and e[2] is None:
                    out.append((v, after))
                else:
                    out += self.eval(e[2] if truth else e[3], after)
        return out

    def e_un(self, e, st):
        op, out = e[1], []
        if op == '&':
            if e[2][0] == 'id':
                return [(('r', self.key(e[2][1])), st)]
            key, name = self.lvalue(e[2], st)
            if e[2][0] == '->' and name == 'F->page':
                return [(sym('F'), st)]
            if self.zeroed(key, st):    # may be written through this
                st = st.set(('v', key), sym(name))
            return [(('r', key) if key[0].isdigit() else sym('&' + name), st)]
        if op == '*':
            return [(s.get(('v', self.lvalue(e, s)[0])) or sym(self.lvalue(e, s)[1]), s)
                    for _, s in self.eval(e[2], st)]
        if op in ('++', '--'):
            return [x for v, s in self.eval(e[2], st) for x in self.assign(e[2], self.step(op, v, s), s)]
        for v, s in self.eval(e[2], st):
            if op == '!':
                if any(t.startswith('mapping#') for t in taints(v)):    # !folio->mapping
                    v = sym('(%s!=0)' % v[1], {'=' + t if t.startswith('mapping#') else t for t in taints(v)})
                out += self.invert(v, s) if v[0] == 's' else [(ZERO if t else ONE, a) for t, a in self.truth(v, s)]
            elif op == '-' and self.known(v, s)[0] == 'n':
                out.append((('n', -self.known(v, s)[1]), s))
            elif op == '-' and v[0] == 's':
                x = sym('-' + v[1], taints(v) - {'exact', 'pos', 'index'})
                out += [(x if sign != '0' else ZERO, a.set(('c', x[1]), sign.translate({43: 45, 45: 43}))
                         if sign != '0' else a) for sign, a in self.each_sign(v, s)]
            elif op == '~' and self.known(v, s)[0] == 'n':
                out.append((('n', ~self.known(v, s)[1]), s))
            elif op == '+':
                out.append((v, s))
            elif op == '~' and v[0] == 'f':
                out.append((('s', '~' + show(v), frozenset({'~' + b for b in v[1]})), s))
            elif op == '~' and v[0] == 's' and CONSTANT.match(v[1]):
                out.append((('s', '~' + v[1], frozenset({'~' + v[1]})), s))
            else:
                out.append((sym(op + show(v), taints(v) - {'exact', 'pos', 'index'}), s))
        return out

    def e_post(self, e, st):
        return [(v, s2) for v, s in self.eval(e[2], st)
                for _, s2 in self.assign(e[2], self.step(e[1], v, s), s)]

    def step(self, op, v, st):
        """v++ or v--: a small number exactly, as long as that has an end"""
        n = self.known(v, st)
        if n[0] == 'n' and (0 <= n[1] <= COUNTED if op == '--' else 0 <= n[1] < COUNTED):
            return ('n', n[1] + (1 if op == '++' else -1))
        return sym('%s%d' % (op, self.line), taints(v))

    def e_bin(self, e, st):
        op, out = e[1], []
        if op in '|&' and all(x[0] == 'bin' and x[1] in OPS or x[:2] == ('un', '!') for x in e[2:]):
            op *= 2                     # of answers
        if op in ('&&', '||'):
            for v, s in self.eval(e[2], st):
                for truth, after in self.checked(v, s, e[2]):
                    if truth == (op == '||'):
                        out.append((self.answer(v, truth, 0), after))
                    else:
                        for w, s2 in self.eval(e[3], after):
                            for t2, a2 in self.checked(w, s2, e[3]):
                                x = self.answer(w, t2, 1, v)
                                out.append((x, a2))
            # the value of a chain that has a taint is a name with a known truth
            return [(x if x[0] == 'n' else sym(x[1], x[2]), s if x[0] == 'n' else s.set(('c', x[1]), x[3]))
                    for x, s in out]
        for a, s0 in self.eval(e[2], st):
            for b, s in self.eval(e[3], s0):
                if op in ('==', '!=', '<', '>', '<=', '>='):
                    out += self.compare(op, a, b, s)
                else:
                    v = self.arithmetic(op, self.known(a, s), self.known(b, s), e)
                    out.append((v, self.difference(a, b, v, s) if op == '-' else s))
        return out

    @staticmethod
    def answer(v, truth, second, first=None):
        """what && and || give: 0 or 1; with the stale taints of what was asked, as a name that is known"""
        t = {x for x in taints(v) | (taints(first) if first else frozenset()) if x.startswith('size#')}
        if not t:
            return ONE if truth else ZERO
        return ('s', '(%s)%d%d' % (show(v), truth, second), frozenset(t), '+' if truth else '0')

    def grown(self, op, a, b, e):
        """a OP= b, which a loop may do again and again"""
        v = self.arithmetic(op, a, b, e)
        return sym('%s@%d' % (op, self.line), taints(v)) if v[0] != 'f' and op not in '|&' else v

    def named(self, name, t=()):
        """a value by its expression; a long one, or one that grows in a loop, by its place"""
        return sym(name if len(name) < 90 else '@%d' % self.line, t)

    def e_assign(self, e, st):
        _, op, target, value = e
        out = []
        for v, s in self.eval(value, st):
            if op != '=':
                out += [x for old, s2 in self.eval(target, s)
                        for x in self.assign(target, self.grown(op[:-1], self.known(old, s2),
                                                                self.known(v, s2), e), s2)]
            else:
                out += [x for place, s2 in self.places(target, s) for x in self.assign(place, v, s2, value)]
        return out

    def source(self, e, st):
        """the key of the fields, if e is a struct"""
        if e[0] in ('init', 'call', 'guard'):
            return self.key('{}.')
        return self.lvalue(e, st)[0] + '.' if e[0] in ('id', '.', '->', '[]') or e[:2] == ('un', '*') else None

    def assign(self, target, v, st, value=None):
        key, name = self.lvalue(target, st)
        self.stored(name, v, st)
        source = self.source(value, st) if value else None
        if source:                      # a struct
            fields = [(k[1][len(source):], x) for k, x in st.d.items() if k[0] == 'v' and k[1].startswith(source)]
            st = State({k: x for k, x in st.d.items() if not (k[0] == 'v' and k[1].startswith(
                (key + '.', self.key('{}.'))))}, st.trail)
            for field, x in fields:
                self.stored('.' + field, x, st)
                st = st.set(('v', key + '.' + field), x)
            if value[0] == 'init' and (all(f for f, _ in value[1]) or value[1] == (('', ('num', 0)),)):
                st = st.set(('v', key + '.{}'), ZERO)
        if v[0] != 's' or not re.search(r'#\d', v[1]):
            # what was known of this place is old
            if key.startswith('M:'):
                st = State({k: x for k, x in st.d.items() if not (k[0] == 'c' and name in k[1])}, st.trail)
        return [(v, st.set(('v', key), v))]

    def e_guard(self, e, st):
        return [(v, s) for v, s in self.guard(e[1], e[2], st, True)]

    def e_unguard(self, e, st):
        return self.guard(e[1], e[2], st, False)

    def e_free(self, e, st):
        """the end of a variable with __free() or of a CLASS()"""
        v = st.get(('v', self.key(e[2][1])), ZERO)
        found = self.tree.guard(e[1], self.stack[-1][0].file)
        if found:
            pre, own = self.key(e[2][1]) + '.', '%d:_T.' % len(self.stack)
            for k, x in list(st.d.items()):     # a struct
                if k[0] == 'v' and k[1].startswith(pre):
                    st = st.set(('v', own + k[1][len(pre):]), x)
            return self.macro(['_T'], found[2], [v], st)
        out = []
        for truth, s in self.truth(v, st):
            if truth and re.search(r'unlock', e[1]) and v == sym('F'):
                out.append((ZERO, self.unlock(s, v)))
            else:
                out.append((ZERO, s))
        return out

    def macro(self, params, toks, values, st):
        """the statement of a DEFINE_GUARD() and its like, for _T = value; of a class the answer to its parameters"""
        guard = params == ['_T']
        value = values[0] if values else ZERO
        if not toks:
            return [(value, st)]
        line, depth, name = self.line, len(self.stack), self.stack[-1][0]
        head = [('op', '{')] if guard else [('op', '{'), ('id', 'return')]
        body = [(k, t, line) for k, t in head + [t[:2] for t in toks] + [('op', ';'), ('op', '}')]]
        fn = cpaths.Function(name.file, '$guard', 'void', [(p, '') for p in params], line, body)
        for p, v in zip(params, values):
            st = st.set(('v', '%d:%s' % (depth, p)), v)
        outs = self.run(fn, st, depth)
        self.line = line
        return [(value if guard else v, s) for v, s in outs]
