"""JavaScript that means harm, and how each must end: tests try it once, `bench javascript` a thousand times."""

# ruff: noqa: E501  a body is one line, as hostile as it is

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Body:
    """`ends` are the words of which one must come, or what is returned; `says` is part of the sentence."""

    name: str
    text: str
    ends: tuple[str, ...] | dict[str, Any]
    says: str = ""
    place: tuple[int | None, int | None] | None = None


BOMBS = [
    Body("an endless loop", "while (true) {}", ("timeout",), "The code was stopped after"),
    Body(
        "an endless loop that catches",
        "for (;;) { try { for (;;) {} } catch {} finally { for (;;) {} } }",
        ("timeout",),
    ),
    Body("an endless loop of promises", "for (;;) await null", ("timeout",)),
    Body("an endless loop after the answer", "(async () => { for (;;) await null })(); return 1", ("timeout",)),
    Body("arrays without end", "const all = []; for (;;) all.push([1, 2, 3, all.length])", ("memory", "timeout")),
    Body(
        "arrays of a great length", "const all = []; for (;;) all.push(new Array(1e6).fill(7))", ("memory", "timeout")
    ),
    Body("texts by repeat", "const all = []; for (;;) all.push('é€'.repeat(1e6) + all.length)", ("memory", "timeout")),
    Body(
        "flat texts",
        "const all = []; for (;;) all.push(('x' + all.length).repeat(1e6).toUpperCase())",
        ("memory", "timeout"),
    ),
    Body("texts by joining", "let t = 'xy'; for (;;) { t += t; t.charCodeAt(5) }", ("thrown", "memory", "timeout")),
    Body(
        "texts by padding",
        "return 'x'.padStart(5e8, 'abc').length + 'y'.padEnd(5e8, 'abc').split('').length",
        ("thrown", "memory", "timeout"),
    ),
    Body("a map without end", "const m = new Map(); for (let i = 0; ; i++) m.set(i, {i})", ("memory", "timeout")),
    Body(
        "a set without end",
        "const s = new Set(); for (let i = 0; ; i++) s.add('k' + i)",
        ("memory", "timeout", "thrown"),
    ),
    Body("sparse objects", "const o = {}; for (let i = 0; ; i += 97) o['p' + i] = [i]", ("memory", "timeout")),
    Body("a great number", "let n = 3n; for (;;) n *= n", ("timeout", "memory", "thrown")),
    Body("closures without end", "let f = () => 0; for (;;) { const g = f; f = () => g }", ("memory", "timeout")),
    Body("a regular expression", "return /^(a+)+$/.test('a'.repeat(40) + '!')", ("timeout",)),
    Body("a regular expression that replaces", "return 'a'.repeat(5e4).replace(/(a*)*b/g, '')", ("timeout",)),
    Body("a sort that never ends", "return [3, 1, 2].sort(() => { for (;;) {} })", ("timeout",)),
    Body("a getter in the result", "return { get a() { for (;;) {} } }", ("timeout",)),
    Body("toJSON without end", "return { toJSON() { for (;;) {} } }", ("timeout",)),
    Body("a proxy without end", "return new Proxy({}, { ownKeys() { for (;;) {} } })", ("timeout",)),
    Body(
        "a proxy of ever more",
        "const p = () => new Proxy({}, { ownKeys: () => ['a'], getOwnPropertyDescriptor: () => ({value: 1, enumerable: true, configurable: true}), get: p }); return p()",
        ("unserialisable", "timeout"),
    ),
    Body("a thrown getter", "throw { get message() { for (;;) {} } }", ("timeout",)),
    Body(
        "a thrown stack",
        "const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { for (;;) {} } }); throw e",
        ("timeout",),
    ),
    Body(
        "toPrimitive on the console",
        "console.log({ [Symbol.toPrimitive]() { for (;;) {} }, toJSON() { return undefined } })",
        ("timeout",),
    ),
    Body("eval without end", "return eval('for (;;) {}')", ("timeout",)),
    Body("Function without end", "return new Function('for (;;) {}')()", ("timeout",)),
    Body(
        "a generator without end", "return [...(function* () { for (;;) yield 1 })()]", ("memory", "timeout", "thrown")
    ),
    Body(
        "an iterator without end",
        "return Array.from({ [Symbol.iterator]: () => ({ next: () => ({ value: 'x'.repeat(1e5), done: false }) }) })",
        ("memory", "timeout", "thrown"),
    ),
    Body("an endless console", "for (;;) console.log('x'.repeat(1e5))", ("timeout",)),
]

_OUTPUT = ("output",)
TRICKS = [
    Body("a text of 50 MB", "return 'x'.repeat(50e6)", _OUTPUT, "1,000,000 bytes"),
    Body("a text just too long", "return 'x'.repeat(999_999)", _OUTPUT),
    Body("a text too long in UTF-8", "return '€'.repeat(400_000)", _OUTPUT),
    Body("a list too long", "return Array(600_000).fill(1)", _OUTPUT),
    Body("deep recursion", "function f() { return f() + 1 } return f()", ("thrown",), "call stack"),
    Body(
        "a deeply nested result",
        "let a = []; for (let i = 0; i < 3000; i++) a = [a]; return a",
        ("unserialisable",),
        "nested too deeply",
    ),
    Body(
        "a result nested beyond the stack",
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; return a",
        ("unserialisable",),
    ),
    Body("much console", "for (let i = 0; i < 5000; i++) console.log('line', i); return 1", {"value": 1}),
    Body("one long line of console", "console.log('x'.repeat(1e6)); return 1", {"value": 1}),
    Body("a polluted toJSON", "Object.prototype.toJSON = () => 'mine'; return {a: 1}", {"value": "mine"}),
    Body("a polluted JSON", "JSON.stringify = () => '{'; JSON.parse = null; return {a: 1}", {"value": {"a": 1}}),
    Body(
        "polluted prototypes",
        "for (const p of [Array, String, Object, Function, Promise, RegExp]) for (const n of Object.getOwnPropertyNames(p.prototype)) try { p.prototype[n] = () => { throw 1 } } catch {} return 5",
        ("thrown",),
        "1",
    ),
    Body(
        "setters on arrays",
        "for (let i = 0; i < 5; i++) Object.defineProperty(Array.prototype, i, { set() { throw 1 }, get() { return 'mine' } }); console.log('a', 'b'); return [1, 2]",
        {"value": [1, 2]},
    ),
    Body(
        "a polluted call",
        "Function.prototype.call = Function.prototype.apply = Reflect.apply = () => 'mine'; console.log('a'); return 7",
        {"value": 7},
    ),
    Body("a then of one's own", "return { then(done) { done(4) } }", {"value": 4}),
    Body("a then that never comes", "return { then() {} }", ("pending",), "never comes"),
    Body("a polluted then", "Promise.prototype.then = () => {}; return 6", {"value": 6}),
    Body("no console", "console = null; return 1", {"value": 1}),
    Body(
        "a console that throws", "console.log = () => { throw new Error('mine') }; console.log(1)", ("thrown",), "mine"
    ),
    Body(
        "what cannot be shown",
        "console.log({ toJSON() { throw 1 } }, Object.create(null), Symbol('s'), 1n, undefined, () => 1); return 1",
        {"value": 1},
    ),
    Body(
        "a message that throws",
        "throw { get message() { throw 1 }, get stack() { throw 2 }, get name() { throw 3 } }",
        ("thrown",),
    ),
    Body("a message of 10 MB", "throw new Error('x'.repeat(1e7))", ("thrown",), "xxx"),
    Body(
        "a stack that lies",
        "const e = new Error('x'); e.stack = 'at body.js:999999:1'; throw e",
        ("thrown",),
        "x",
        (None, None),
    ),
    Body(
        "a stack of numbers",
        "const e = new Error('x'); e.stack = 'body.js:' + '9'.repeat(5000) + ':1'; throw e",
        ("thrown",),
        "x",
        (None, None),
    ),
    Body(
        "a stack prepared",
        "Error.prepareStackTrace = (e, sites) => sites.map(s => typeof s.getFunction() + typeof s.getThis()).join(); null.x",
        ("thrown",),
    ),
    Body(
        "callers of strict code",
        "Error.prepareStackTrace = (e, s) => s; const s = new Error().stack; return s.slice(1).map(x => typeof x.getFunction()).every(t => t === 'undefined')",
        {"value": True},
    ),
    Body("a thrown null", "throw null", ("thrown",), "null"),
    Body("a thrown nothing", "throw undefined", ("thrown",), "undefined"),
    Body("a thrown function", "throw () => 1", ("thrown",), "=>"),
    Body("a function", "return () => 1", ("unserialisable",), "function"),
    Body("a symbol", "return Symbol('x')", ("unserialisable",), "symbol"),
    Body("a BigInt", "return 1n", ("unserialisable",), "BigInt"),
    Body("a cycle", "const a = {}; a.b = a; return a", ("unserialisable",), "circular"),
    Body("nothing", "", ("nothing",), "return"),
    Body("undefined", "return undefined", ("nothing",)),
    Body("an empty throw from toJSON", "return { toJSON() { throw '' } }", ("unserialisable",), "as JSON"),
    Body("a raw number beyond all", "return [JSON.rawJSON('1e999')]", ("unserialisable",), "too large"),
    Body("450 lists", "let a = []; for (let i = 0; i < 450; i++) a = [a]; return a", ("unserialisable",), "deeply"),
    Body("a raw number of many digits", "return JSON.rawJSON('9'.repeat(5000))", ("unserialisable",), "digits"),
    Body(
        "a lone surrogate",
        "console.log('\\ud800'); return {a: '\\ud800', b: JSON.rawJSON('\"\\udfff\"')}",
        {"value": {"a": "\ud800", "b": "\ufffd"}},
    ),
    Body("a script's end", "return '</script><!-- ' + '-->'", {"value": "</script><!-- -->"}),
    Body("a closing brace", "} ; while (1) {} {", ("syntax",), "Unexpected token", (1, 3)),
    Body("a closing bracket", "}); while (1) {} (function () {", ("syntax",), "the inside of one function"),
    Body("an open brace", "return {", ("syntax",), "too early"),
    Body("an open comment", "return 1 /*", ("syntax",)),
    Body("an open template", "return `", ("syntax",)),
    Body("a comment at the end", "return 1 // ", {"value": 1}),
    Body("an HTML comment at the end", "return 1 <!-- x", {"value": 1}),
    Body("a source of its own", "//# sourceURL=mine.js\nnull.x", ("thrown",), "null"),
    Body("strictness", "'use strict'; return this === undefined", {"value": True}),
    Body("line separators", "return 1\u2028+ 1; /* \u2029 */", {"value": 2}),
    Body("a line separator counts", "const a = 1;\u2028null.x", ("thrown",), "null", (2, 6)),
    Body("this", "return Object.keys(globalThis).sort().join()", {"value": "__timer_manager,clearTimeout,setTimeout"}),
    Body("a module", "import x from 'y'", ("syntax",)),
    Body("an import", "return await import('fs')", ("thrown", "pending")),
    Body("require", "return require('fs')", ("thrown",), "require is not defined"),
    Body("process", "return process.env", ("thrown",), "process is not defined"),
    Body("a timer", "setTimeout(() => 1, 5); return 1", ("thrown",), "not a function"),
    Body(
        "mini-racer's timers",
        "new __TimerManager().setTimeout(() => 1, 5); return 1",
        ("thrown",),
        "SharedArrayBuffer is not defined",
    ),
    Body(
        "buffers",
        "const names = ['ArrayBuffer', 'SharedArrayBuffer', 'WebAssembly', 'Atomics', 'Uint8Array', 'Float64Array', 'DataView'];"
        "const get = [n => globalThis[n], n => eval('typeof ' + n) === 'undefined' ? undefined : 1,"
        " n => new Function('return globalThis.' + n)(), n => (function () { return this })()[n],"
        " n => Object.getPrototypeOf(globalThis)?.[n], n => (0, eval)('this')[n],"
        " n => (async () => {}).constructor('return this')[n], n => Reflect.get(globalThis, n)];"
        "return names.flatMap(n => get.map(g => g(n))).filter(x => x !== undefined).length",
        {"value": 0},
    ),
]


def verdict(body: Body, result: Any) -> str:
    """What is wrong about a result of this body; empty when nothing is."""
    error = result.error
    if isinstance(body.ends, dict):
        return "" if error is None and result.value == body.ends["value"] else f"{body.name}: {result}"
    if error is None or error.word not in body.ends or body.says not in error.message or len(error.message) > 2100:
        return f"{body.name}: {result}"
    if body.place and (error.line, error.column) != body.place:
        return f"{body.name}: {error.line}, {error.column}"
    return ""
