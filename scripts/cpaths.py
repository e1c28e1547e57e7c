# SPDX-License-Identifier: GPL-2.0
"""The functions of a C file as control flow graphs, from the source as it is written.

The kernel's code is read without its headers and without a configuration, so that any tree, any patch and any
fixture can be: types are guessed from the form of a declaration, an unknown macro is a call, and a call in
front of a statement is a loop. A macro of the same file is expanded if it locks, returns or jumps. Of #if and #else
the first branch is read (#if 0: the second).

An expression is a nested tuple that begins with its kind; a Node has an expression and its successors by label:
None (next), True and False (a condition). Cleanup (guard(), scoped_guard(), CLASS(), __free()) is written out
as nodes on every way out of its scope.
"""
import re

TOKEN = re.compile(r'''
    (?P<id>[A-Za-z_$]\w*) | (?P<num>\d[\w.]*) | (?P<str>L?"(?:\\.|[^"\\])*" | '(?:\\.|[^'\\])*')
  | (?P<op>\.\.\.|->|\+\+|--|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\#\#|[^\s\w\\])
  | (?P<nl>\n) | (?:[^\S\n]|\\)+''', re.X)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
# What a macro must have in it to be expanded.
MACRO = re.compile(r'\breturn\b|\bgoto\b|VM_FAULT|(folio|page|inode|invalidate)_(un|try)?lock|(un)?lock_page|'
                   r'_pagefault|mkwrite|\bguard\b|scoped_guard')
# Or be: a short question.
QUESTION = re.compile(r'(?=[^;{}#]{1,80}$).*([^-]>|<|[!=]=|&&|\|\||!|[^&]&[^&])')
ENUM = re.compile(r'\benum\s*\w*\s*\{([^}]*)\}')
DEFINE = re.compile(r'^[ \t]*#[ \t]*define[ \t]+([A-Z_]\w*)[ \t]+([-~\w(][^\n\\]*)$', re.M)
DIRECTIVE = re.compile(r'^[ \t]*#[ \t]*(\w*)((?:\\\n|[^\n])*)', re.M)
TYPE = set('''struct union enum const static unsigned signed int long char void short bool volatile register
    float double auto typeof __typeof__ inline size_t ssize_t'''.split())
BINARY = [{'||'}, {'&&'}, {'|'}, {'^'}, {'&'}, {'==', '!='}, {'<', '>', '<=', '>='}, {'<<', '>>'},
          {'+', '-'}, {'*', '/', '%'}]
ASSIGN = {'=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>='}


class Unreadable(Exception):
    """C that this parser does not understand."""


def blank(text):
    return re.sub(r'[^\n]', ' ', text)


def plain(text):
    """(text without comments, directives and the branches that are not read; its lines stay where they are,
    {name: (parameters or None, body)} of the macros that lock, return or jump)"""
    text = COMMENT.sub(lambda m: blank(m[0]) if m[0][0] == '/' else m[0], text)
    out, at, stack, macros = [], 0, [], {}      # stack: [this branch is read, one was read]
    for m in DIRECTIVE.finditer(text):
        reading = all(s[0] for s in stack)
        out.append(text[at:m.start()] if reading else blank(text[at:m.start()]))
        out.append(blank(m[0]))
        at = m.end()
        word, rest = m[1], m[2].strip()
        if word == 'define' and reading:
            d = re.match(r'(\w+)(?:\(([^)]*)\))?(.*)', rest, re.S)
            if d and (MACRO.search(rest) or d[2] and QUESTION.match(d[3])):
                params = None if d[2] is None else [x.strip() for x in d[2].split(',') if x.strip()]
                macros[d[1]] = params, tokens(d[3])
        if word in ('if', 'ifdef', 'ifndef'):
            stack.append([rest != '0', rest != '0'])
        elif word in ('else', 'elif') and stack:
            stack[-1] = [not stack[-1][1], True]
        elif word == 'endif' and stack:
            stack.pop()
    out.append(text[at:])
    return ''.join(out), macros


def constants(text):
    """{name: number, text of a macro, or None} of what a text defines, for number()"""
    text, found = COMMENT.sub(lambda m: blank(m[0]) if m[0][0] == '/' else m[0], text), {}
    for name, value in DEFINE.findall(text):
        found[name] = value
    for m in ENUM.finditer(text):
        n = 0
        for item in split(tokens(m[1])):
            if item and item[0][0] == 'id':
                n = constant(item[2:], found) if len(item) > 2 else n
                found[item[0][1]], n = n, None if n is None else n + 1
    return found


def number(name, known):
    """that of a macro or an enumerator; None if it is not known"""
    n = known.get(name)
    if isinstance(n, str):
        known[name] = None
        known[name] = n = constant(tokens(n), known)
    return n


def constant(toks, known):
    """the number of an expression"""
    try:
        parser = Parser(toks)
        e = parser.expr()
        return reckon(e, known) if parser.i == len(parser.toks) else None
    except (Unreadable, IndexError):
        return None


def reckon(e, known):
    if e[0] in ('num', 'id'):
        return e[1] if e[0] == 'num' else number(e[1], known)
    items = [reckon(x, known) for x in (e[2:] if e[0] in ('un', 'bin') else e[2] if e[0] == 'call' else ())]
    if not items or None in items or max(items) > 2 ** 64:
        return None
    if e[0] == 'call':
        return 1 << items[0] if e[1] in (('id', 'BIT'), ('id', 'BIT_ULL')) and 0 <= items[0] < 64 else None
    if e[0] == 'un':
        return {'-': -items[0], '~': ~items[0], '+': items[0]}.get(e[1])
    a, b = items
    if e[1] == '<<':
        return a << b if 0 <= b < 64 else None
    return {'|': a | b, '&': a & b, '+': a + b, '-': a - b, '*': a * b}.get(e[1])


def expand(toks, macros, busy=()):
    out, i = [], 0
    while i < len(toks):
        kind, name, line = toks[i]
        i += 1
        params, body = macros.get(name, (None, None)) if kind == 'id' and name not in busy else (None, None)
        if body is None or params is not None and (i == len(toks) or toks[i][1] != '('):
            out.append((kind, name, line))
            continue
        given = {}
        if params is not None:
            end = close(toks, i)
            given = dict(zip(params, split(toks[i + 1:end - 1])))
            i = end
        body = [t for b in body for t in given.get(b[1], [b])]
        out += [(k, t, line) for k, t, _ in expand(body, macros, busy + (name,))]
    return out


def tokens(text):
    found, line = [], 1
    for m in TOKEN.finditer(text):
        if m.lastgroup == 'nl':
            line += 1
        elif m.lastgroup:
            found.append((m.lastgroup, m[0], line))
            line += m[0].count('\n')
    return found


def close(toks, i):
    """the index after the bracket that closes the one at i"""
    depth = 0
    while i < len(toks):
        t = toks[i][1]
        if t in ('(', '[', '{'):
            depth += 1
        elif t in (')', ']', '}'):
            depth -= 1
            if not depth:
                return i + 1
        i += 1
    raise Unreadable('unbalanced brackets')


class Node:
    __slots__ = ('kind', 'expr', 'line', 'next')

    def __init__(self, kind, expr, line):
        self.kind, self.expr, self.line, self.next = kind, expr, line, {}


class Function:
    """name, returns (the type's text), params [(name, type)], line; the graph is made when it is asked for"""

    def __init__(self, file, name, returns, params, line, body):
        self.file, self.name, self.returns, self.params, self.line = file, name, returns, params, line
        self.body, self.made, self.enums = body, None, {}
        self.calls = {t[1] for t, u in zip(body, body[1:]) if t[0] == 'id' and u[1] == '('}

    def graph(self):
        if self.made is None:
            self.made = Builder(self).build()
        return self.made


class File:
    """what a C file defines: functions by name, guards {name: (parameters, lock, unlock)}, constants"""

    def __init__(self, path, text):
        self.path, self.functions, self.guards, self.enums = path, {}, {}, constants(text)
        text, self.macros = plain(text)
        toks = tokens(text)
        try:
            self.read(toks)
        except Unreadable as e:
            raise Unreadable('%s: %s' % (path, e)) from e

    def read(self, toks):
        i = start = 0
        while i < len(toks):
            t = toks[i][1]
            if t in ('(', '['):
                i = close(toks, i)
            elif t == '{':
                end = close(toks, i)
                if self.function(toks[start:i], toks[i:end]):
                    start = end
                i = end                 # struct x { ... } y; ends at its semicolon
            elif t == ';':
                i += 1
                start = i
            else:
                if t.startswith('DEFINE_') and i + 1 < len(toks) and toks[i + 1][1] == '(':
                    end = close(toks, i + 1)
                    self.define(t, toks[i + 2:end - 1])
                    i = start = end
                else:
                    i += 1

    def define(self, what, toks):
        """a guard's: _T is the object, or for a lock guard _T->lock; a class has parameters of its own"""
        args = split(toks)
        begin, end = {'DEFINE_FREE': (0, 2), 'DEFINE_CLASS': (3, 2), 'DEFINE_LOCK_GUARD_0': (1, 2)}.get(what, (2, 3))
        if end < len(args) and re.match('DEFINE_(FREE|CLASS|GUARD$|LOCK_GUARD_[01])', what):
            params = [p[-1][1] for p in args[4:] if p] if what == 'DEFINE_CLASS' else ['_T']
            self.guards[args[0][0][1]] = params, unlocked(args[begin]) if begin else [], unlocked(args[end])

    def function(self, head, body):
        """whether head { body } is one; attributes may stand in front of it and behind"""
        for i, t in enumerate(head):
            if t[1] == '=':
                return False
            if t[1] == '(' and i and head[i - 1][0] == 'id' and not head[i - 1][1].startswith('__a'):
                name, end = head[i - 1], close(head, i)
                params = []
                for p in split(head[i + 1:end - 1]):
                    ids = [x[1] for x in p if x[0] == 'id']
                    at = next((j for j, x in enumerate(p) if x[1] == '(' and p[j + 1][1] == '*'), None)
                    name_ = p[at + 2][1] if at is not None else ids[-1] if ids else ''   # of a pointer to a function
                    params.append((name_, ' '.join(x[1] for x in p)))
                self.functions.setdefault(name[1], Function(
                    self.path, name[1], ' '.join(x[1] for x in head[:i - 1]), params, name[2],
                    expand(body, self.macros) if self.macros else body)).enums = self.enums
                return True
        return False


def unlocked(toks):
    """with _T for _T->lock"""
    out = []
    for t in toks:
        out.append(t)
        if [x[1] for x in out[-3:]] == ['_T', '->', 'lock']:
            del out[-2:]
    return out


def split(toks):
    """a list of tokens at its commas"""
    parts, depth = [[]], 0
    for t in toks:
        depth += t[1] in ('(', '[', '{')
        depth -= t[1] in (')', ']', '}')
        if t[1] == ',' and not depth:
            parts.append([])
        else:
            parts[-1].append(t)
    return parts if parts != [[]] else []


class Parser:
    """expressions"""

    def __init__(self, toks):
        self.toks, self.i = toks, 0

    def peek(self, n=0):
        return self.toks[self.i + n][1] if self.i + n < len(self.toks) else ''

    def kind(self, n=0):
        return self.toks[self.i + n][0] if self.i + n < len(self.toks) else ''

    def line(self):
        return self.toks[min(self.i, len(self.toks) - 1)][2]

    def name(self, name):
        return name

    def block_expr(self, _=None):
        raise Unreadable('line %d: a block' % self.line())

    nested = block_expr

    def take(self, text=None):
        t = self.peek()
        if not t or text and t != text:
            raise Unreadable('line %d: %s instead of %s' % (self.line(), t or 'the end', text))
        self.i += 1
        return t

    def expr(self):
        e = self.assignment()
        while self.peek() == ',':
            self.take()
            e = (',', e, self.assignment())
        return e

    def assignment(self):
        e = self.ternary()
        if self.peek() in ASSIGN:
            op = self.take()
            e = ('as', op, e, self.initializer())
        return e

    def ternary(self):
        e = self.binary(0)
        if self.peek() == '?':
            self.take()
            then = None if self.peek() == ':' else self.expr()
            self.take(':')
            e = ('?', e, then, self.ternary())
        return e

    def binary(self, level):
        if level == len(BINARY):
            return self.unary()
        e = self.binary(level + 1)
        while self.peek() in BINARY[level]:
            op = self.take()
            e = ('bin', op, e, self.binary(level + 1))
        return e

    def is_cast(self):
        """a type in brackets, in front of an operand"""
        end = close(self.toks, self.i)
        inner = self.toks[self.i + 1:end - 1]
        after = self.toks[end] if end < len(self.toks) else ('', '', 0)
        if not inner or inner[0][0] != 'id' or not all(t[0] == 'id' or t[1] == '*' for t in inner):
            return False
        if inner[0][1] in TYPE or inner[-1][1] == '*' or after[1] == '{':
            return True
        return len(inner) == 1 and (after[0] in ('id', 'num') or
                                    re.match(r'([su]\d+|.*_t)$', inner[0][1]) and after[1] in ('(', '-', '~', '&'))

    def unary(self):
        t = self.peek()
        if t in ('!', '~', '-', '+', '*', '&', '++', '--'):
            self.take()
            return ('un', t, self.unary())
        if t in ('sizeof', 'typeof', '__typeof__', '_Alignof'):
            self.take()
            if self.peek() != '(':
                self.unary()
                return ('id', t)
            self.i = close(self.toks, self.i)
            return self.postfix(('id', t))
        if t == '(' and self.is_cast():
            self.i = close(self.toks, self.i)
            return self.initializer() if self.peek() == '{' else self.unary()
        return self.postfix(self.primary())

    def primary(self):
        kind, t = self.kind(), self.take()
        if kind == 'id':
            return ('id', self.name(t))
        if kind == 'num':
            m = re.match(r'(0[xX][0-9a-fA-F]+|\d+)[uUlL]*$', t)
            return ('num', int(m[1], 16 if m[1][1:2] in 'xX' and len(m[1]) > 1 else 10) if m else 1)
        if kind == 'str':
            while self.kind() in ('str', 'id') and self.peek() != ')':
                self.take()
            return ('str',)
        if t == '(':
            if self.peek() == '{':      # a statement expression
                e = self.block_expr()
            else:
                e = self.expr()
            self.take(')')
            return e
        raise Unreadable('line %d: %s' % (self.line(), t))

    def postfix(self, e):
        while True:
            t = self.peek()
            if t == '(':
                line = self.line()
                e = ('call', e, self.arguments(), line)
            elif t == '[':
                self.take()
                e = ('[]', e, self.expr())
                self.take(']')
            elif t in ('.', '->'):
                self.take()
                e = (t, e, self.take())
            elif t in ('++', '--'):
                self.take()
                e = ('post', t, e)
            else:
                return e

    def arguments(self):
        end = close(self.toks, self.i) - 1
        self.take('(')
        args = []
        while self.i < end:
            args.append(self.argument(end))
            if self.i < end:
                self.take(',')
        self.i = end + 1
        return tuple(args)

    def argument(self, end):
        """an expression, or what a macro may be given: a type, an operator, nothing"""
        at = self.i
        try:
            e = self.initializer()
            if self.i == end or self.peek() == ',':
                return e
        except Unreadable:
            pass
        self.i, depth = at, 0
        while self.i < end and (depth or self.peek() != ','):
            depth += self.peek() in ('(', '[', '{')
            depth -= self.peek() in (')', ']', '}')
            self.i += 1
        return ('str',)

    def initializer(self):
        if self.peek() != '{':
            return self.assignment()
        end = close(self.toks, self.i)
        items = []
        for part in split(self.toks[self.i + 1:end - 1]):
            field = ''
            if part and part[0][1] in ('.', '['):
                at = next((i for i, t in enumerate(part) if t[1] == '='), 0)
                field, part = ''.join(t[1] for t in part[1:at]), part[at + 1:]
            if part:
                sub = self.nested(part)
                items.append((field, sub.initializer()))
        self.i = end
        return ('init', tuple(items))


class Builder(Parser):
    """statements, as a graph; an edge is (node, label) that waits for its target"""

    def __init__(self, function, outer=None, toks=None):
        super().__init__(toks or function.body)
        self.function, self.nodes, self.types = function, [], {p[0]: p[1] for p in function.params}
        self.names = [{p[0]: p[0] for p in function.params}]
        self.scope = []                 # cleanups that are due, outermost first
        self.looping = {}               # nodes, and whether they are in a loop
        self.loops = []                 # (kind, edges of break, edges of continue, depth of scope)
        self.labels, self.gotos, self.cases = {}, [], []
        self.count = 0
        if outer:                       # a statement expression
            self.names, self.types, self.count = [dict(n) for n in outer.names], outer.types, outer.count
            self.build()

    def nested(self, toks):
        sub = Parser(toks)
        sub.name, sub.nested, sub.block_expr = self.name, self.nested, lambda: self.block_expr(sub)
        return sub

    def block_expr(self, parser=None):
        """the value of ({ ... }) is that of its last statement"""
        parser = parser or self
        end = close(parser.toks, parser.i)
        sub = Builder(self.function, self, parser.toks[parser.i:end])
        parser.i = end
        self.count = sub.count
        if any(n.kind == 'return' for n in sub.nodes):
            raise Unreadable('line %d: return inside of an expression' % self.line())
        last = [n for n in sub.nodes if n.kind == 'expr' and None in n.next and n.next[None].kind == 'exit']
        for n in last:
            n.kind = 'return'
        return ('block', sub, tuple(n.expr for n in sub.nodes if n.expr))

    def name(self, name):
        for names in reversed(self.names):
            if name in names:
                return names[name]
        return name

    def declare(self, name, kind):
        own = name
        if any(name in n for n in self.names):
            self.count += 1
            own = '%s.%d' % (name, self.count)
        self.names[-1][name] = own
        self.types[own] = kind
        return own

    def build(self):
        out = self.block([(self.new('entry', None, []), None)])
        self.new('exit', None, self.leave(out, 0))
        for edges, scope, label, line in self.gotos:
            if label not in self.labels:
                raise Unreadable('line %d: no label %s' % (line, label))
            target, at = self.labels[label]
            keep = 0
            while keep < min(len(at), len(scope)) and at[keep] is scope[keep]:
                keep += 1
            for e in reversed(scope[keep:]):
                edges = [(self.new('expr', e, edges, line), None)]
            self.join(edges, target)
        self.live()
        return self

    def new(self, kind, expr, edges, line=None):
        node = Node(kind, expr, line or self.line())
        self.nodes.append(node)
        self.join(edges, node)
        return node

    @staticmethod
    def join(edges, target):
        for node, label in edges:
            node.next[label] = target

    def leave(self, edges, depth, line=None):
        for e in reversed(self.scope[depth:]):
            edges = [(self.new('expr', e, edges, line), None)]
        return edges

    def live(self):
        """for each node, the sub-expressions that this node or a later one still evaluates"""
        self.alive, again = {}, True
        own = {n: set(parts(n.expr)) for n in self.nodes}
        for n in self.nodes:
            self.alive[n] = own[n]
        while again:
            again = False
            for n in reversed(self.nodes):
                now = own[n].union(*(self.alive[s] for s in n.next.values()))
                if len(now) > len(self.alive[n]):
                    self.alive[n], again = now, True

    def again(self, node):
        """whether node is in a loop"""
        if node not in self.looping:
            todo, seen = list(node.next.values()), set()
            while todo and node not in seen:
                n = todo.pop()
                if n not in seen:
                    seen.add(n)
                    todo += n.next.values()
            self.looping[node] = node in seen
        return self.looping[node]

    # ---- statements ----

    def block(self, edges):
        self.take('{')
        self.names.append({})
        depth = len(self.scope)
        while self.peek() != '}':
            edges = self.statement(edges)
        line = self.line()
        self.take('}')
        edges = self.leave(edges, depth, line)
        del self.scope[depth:]
        self.names.pop()
        return edges

    def body(self, edges):
        """a statement with a scope of its own"""
        self.names.append({})
        depth = len(self.scope)
        edges = self.leave(self.statement(edges), depth)
        del self.scope[depth:]
        self.names.pop()
        return edges

    def condition(self, edges):
        self.take('(')
        line = self.line()
        e = self.expr()
        self.take(')')
        node = self.new('cond', e, edges, line)
        return [(node, True)], [(node, False)]

    def statement(self, edges):
        t, line = self.peek(), self.line()
        how = getattr(self, 'do_' + t, None) if self.kind() == 'id' else None
        if how:
            return how(edges)
        if t == '{':
            return self.block(edges)
        if t == ';':
            self.take()
            return edges
        if t == '(' and self.is_block():
            return self.inlined(None, edges)
        if self.kind() == 'id' and self.peek(1) == ':':
            node = self.new('nop', None, edges)
            self.labels[self.take()] = node, list(self.scope)
            self.take(':')
            return [(node, None)]
        if t in ('asm', '__asm__', 'static_assert', 'BUILD_BUG_ON', '__label__'):
            while self.peek() != ';':
                self.i = close(self.toks, self.i) if self.peek() == '(' else self.i + 1
            return edges
        if self.is_declaration():
            return self.declaration(edges)
        if self.kind() == 'id' and self.peek(1) == '=' and self.is_block(2):
            target = ('id', self.name(self.take()))
            self.take('=')
            return self.inlined(target, edges)
        e = self.expr()
        if self.peek() != ';' and e[0] == 'call':
            # a macro in front of a statement: it runs that any number of times
            node = self.new('cond', ('call', ('id', '$loop'), (e,), line), edges, line)
            return self.loop(node, [(node, True)], [(node, False)])
        self.take(';')
        return [(self.new('expr', e, edges, line), None)]

    def is_block(self, n=0):
        """a statement expression, and nothing behind it"""
        return self.peek(n) == '(' and self.peek(n + 1) == '{' and \
            self.toks[close(self.toks, self.i + n)][1] == ';'

    def inlined(self, target, edges):
        """a statement expression that is all of a statement, or of what is assigned: it may jump"""
        self.take('(')
        edges = self.block(edges)
        self.take(')')
        for node, _ in edges if target else ():
            if node.kind != 'expr' or node.expr[0] in ('unguard', 'free'):
                raise Unreadable('line %d: which value has this?' % self.line())
            node.expr = ('as', '=', target, node.expr)
        return edges

    def inside(self, kind, edges):
        """(edges at the end of a loop's or switch's body and of continue, those of break)"""
        breaks, continues = [], []
        self.loops.append((kind, breaks, continues, len(self.scope)))
        edges = self.body(edges)
        self.loops.pop()
        return edges + continues, breaks

    def loop(self, again, edges, out, step=None):
        edges, breaks = self.inside('loop', edges)
        if step is not None:
            edges = [(self.new('expr', step, edges), None)]
        self.join(edges, again)
        return out + breaks

    def do_if(self, edges):
        self.take()
        yes, no = self.condition(edges)
        yes = self.body(yes)
        if self.peek() == 'else':
            self.take()
            no = self.body(no)
        return yes + no

    def do_while(self, edges):
        self.take()
        head = self.new('nop', None, edges)
        yes, no = self.condition([(head, None)])
        return self.loop(head, yes, no)

    def do_do(self, edges):
        self.take()
        head = self.new('nop', None, edges)
        edges, breaks = self.inside('loop', [(head, None)])
        self.take('while')
        yes, no = self.condition(edges)
        self.take(';')
        self.join(yes, head)
        return no + breaks

    def do_for(self, edges):
        self.take()
        self.take('(')
        self.names.append({})
        edges = self.statement(edges)
        head = self.new('nop', None, edges)
        test = ('num', 1) if self.peek() == ';' else self.expr()
        self.take(';')
        step = None if self.peek() == ')' else self.expr()
        self.take(')')
        node = self.new('cond', test, [(head, None)])
        out = self.loop(head, [(node, True)], [(node, False)], step)
        self.names.pop()
        return out

    def do_switch(self, edges):
        line = self.line()
        self.take()
        self.take('(')
        e = self.expr()
        self.take(')')
        self.count += 1
        var = ('id', '$switch%d' % self.count)
        edges = [(self.new('expr', ('as', '=', var, e), edges, line), None)]
        self.cases.append([])
        out, breaks = self.inside('switch', [])
        default = None
        for value, target in self.cases.pop():
            if value is None:
                default = target
                continue
            test = ('bin', '==', var, value) if value[0] != '...' else \
                ('bin', '&&', ('bin', '>=', var, value[1]), ('bin', '<=', var, value[2]))
            node = self.new('cond', test, edges, line)
            node.next[True] = target
            edges = [(node, False)]
        if default:
            self.join(edges, default)
            edges = []
        return out + breaks + edges

    def do_case(self, edges):
        self.take()
        value = self.ternary()
        if self.peek() == '...':
            self.take()
            value = ('...', value, self.ternary())
        return self.case(value, edges)

    def do_default(self, edges):
        self.take()
        return self.case(None, edges)

    def case(self, value, edges):
        self.take(':')
        node = self.new('nop', None, edges)
        self.cases[-1].append((value, node))
        return [(node, None)]

    def do_break(self, edges):
        self.take()
        self.take(';')
        _, breaks, _, depth = self.loops[-1]
        breaks += self.leave(edges, depth)
        return []

    def do_continue(self, edges):
        self.take()
        self.take(';')
        _, _, continues, depth = [x for x in self.loops if x[0] == 'loop'][-1]
        continues += self.leave(edges, depth)
        return []

    def do_goto(self, edges):
        line = self.line()
        self.take()
        self.gotos.append((edges, list(self.scope), self.take(), line))
        self.take(';')
        return []

    def do_return(self, edges):
        line = self.line()
        self.take()
        e = None if self.peek() == ';' else self.initializer()
        return self.returning(e, edges, line)

    def do_return_ptr(self, edges):
        line = self.line()
        self.take()
        return self.returning(('call', ('id', 'no_free_ptr'), self.arguments(), line), edges, line)

    def returning(self, e, edges, line):
        self.take(';')
        edges = [(self.new('return', e, edges, line), None)]
        self.new('exit', None, self.leave(edges, 0, line), line)
        return []

    # ---- cleanup.h ----

    def guarded(self, name, args, edges, line):
        self.scope.append(('unguard', name, args))
        return [(self.new('expr', ('guard', name, args), edges, line), None)]

    def do_guard(self, edges):
        line = self.line()
        self.take()
        edges = self.guarded(self.arguments()[0][1], self.arguments(), edges, line)
        self.take(';')
        return edges

    def do_scoped_guard(self, edges):
        line = self.line()
        self.take()
        name, *args = self.arguments()
        edges, breaks = self.inside('loop', self.guarded(name[1], tuple(args), edges, line))
        edges = self.leave(edges + breaks, len(self.scope) - 1)
        self.scope.pop()
        return edges

    def do_scoped_cond_guard(self, edges):
        """scoped_cond_guard(name, statement, args...); the statement may have no semicolon"""
        line = self.line()
        self.take()
        end = close(self.toks, self.i)
        name, failed, *args = split(self.toks[self.i + 1:end - 1])
        name, args = name[0][1], tuple(self.nested(a).assignment() for a in args)
        node = self.new('cond', ('call', ('id', '$guard'), (('id', name), *args), line), edges, line)
        toks, self.toks, self.i = self.toks, failed + [('op', ';', line), ('op', '}', line)], 0
        out = self.body([(node, False)])
        self.toks, self.i = toks, end
        edges = self.leave(self.body(self.guarded(name, args, [(node, True)], line)), len(self.scope) - 1)
        self.scope.pop()
        return edges + out

    def do_CLASS(self, edges):
        line = self.line()
        self.take()
        args = self.arguments()
        var = ('id', self.declare(args[-1][-1], ''))
        init = self.arguments()
        self.take(';')
        edges = [(self.new('expr', ('as', '=', var, ('guard', args[0][1], init)), edges, line), None)]
        self.scope.append(('free', args[0][1], var))
        return edges

    do_ACQUIRE = do_CLASS

    # ---- declarations ----

    def is_declaration(self):
        if self.kind() != 'id':
            return False
        if self.peek() in TYPE:
            return True
        n = 1
        if self.kind(1) == 'id' or self.peek(1) == '(' and self.peek(2) == '*' and self.peek(4) == ')' and \
                self.peek(5) == '(':
            return True
        while self.peek(n) in ('*', 'const', '__iomem', '__user', '__rcu'):
            n += 1
        return n > 1 and self.kind(n) == 'id' and (self.peek(n + 1) in ('=', ';', ',', '[') or
                                                   self.kind(n + 1) == 'id')

    def declaration(self, edges):
        line, kind = self.line(), []
        while self.kind() == 'id' and (self.peek(1) == '(' and not kind or self.kind(1) == 'id' or
                                       self.peek(1) in ('*', '{') or self.peek() in TYPE):
            kind.append(self.take())
            if kind[-1] in ('typeof', '__typeof__', '__attribute__', '__aligned') and self.peek() == '(':
                self.i = close(self.toks, self.i)
            if self.peek() == '{':      # a struct of its own
                self.i = close(self.toks, self.i)
            if self.kind() == 'id' and self.peek(1) in ('=', ';', ',', '[', ':') or \
                    self.peek(1).startswith(('__free', '__maybe', '__attr', '__alig')):
                break
        while self.peek() != ';':
            stars = free = ''
            while self.peek() in ('*', 'const', '__iomem', '__user', '__rcu', '__maybe_unused'):
                stars += self.take()
            if self.peek() == '(' and self.peek(1) == '*' and self.kind(2) == 'id':     # a pointer to a function
                var = ('id', self.declare(self.peek(2), '*'))
                self.i = close(self.toks, self.i)
            elif self.kind() == 'id':
                var = ('id', self.declare(self.take(), ' '.join(kind) + stars))
            else:
                raise Unreadable('line %d: %s in a declaration' % (self.line(), self.peek()))
            while self.peek() in ('[', '(') or self.kind() == 'id':
                if self.peek() == '__free':
                    free = ('free', self.toks[self.i + 2][1], var)
                if self.peek() == '__attribute__' and self.peek(3) in ('cleanup', '__cleanup__'):
                    free = ('call', ('id', self.peek(5)), (('un', '&', var),), line)
                if self.peek(1) == '(' or self.peek() in ('[', '('):
                    self.i += self.peek() not in ('[', '(')
                    self.i = close(self.toks, self.i)
                else:
                    self.take()
            if self.peek() == '=':
                self.take()
                edges = self.inlined(var, edges) if self.is_block() else \
                    [(self.new('expr', ('as', '=', var, self.initializer()), edges, line), None)]
            else:
                edges = [(self.new('expr', ('uninit', var), edges, line), None)]
            if free:
                self.scope.append(free)
            if self.peek() == ',':
                self.take()
        self.take(';')
        return edges


def parts(e):
    """e and all expressions in it"""
    if isinstance(e, tuple):
        if e and isinstance(e[0], str):
            yield e
        for x in e:
            yield from parts(x)
