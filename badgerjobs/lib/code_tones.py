"""JavaScript and SQL for people who read them: comments, texts and words told apart. For the eye: nothing is judged."""

import re
from collections.abc import Callable, Iterator, Mapping

# What a piece is (`c` a comment, `s` a text, `n` a number or a word of the language, `` the rest), and its text.
Piece = tuple[str, str]

# What is longer is shown as it came.
LONGEST = 64 * 1024

# The words of each language, and what may stand before a pattern.
JAVASCRIPT_WORDS = """
async await break case catch class const continue debugger default delete do else export extends false finally for
function if import in instanceof let new null of return static super switch this throw true try typeof undefined var
void while with yield
"""
SQL_WORDS = """
all and any as asc begin between by case cast coalesce commit conflict cross current_date current_timestamp default
delete desc distinct do else end except exists false fetch filter first following for from full group having ilike in
inner insert intersect interval into is join last lateral left like limit not nothing null nulls offset on or order
outer over partition preceding range returning right rollback row rows select set similar then true unbounded union
update using values when where window with within
"""
BEFORE_PATTERN = "( , = : [ ! & | ? { } ; + - * % < > ~ ^ return typeof case in of do else"
_JAVASCRIPT_WORDS, _SQL_WORDS, _BEFORE_PATTERN = (
    frozenset(words.split()) for words in (JAVASCRIPT_WORDS, SQL_WORDS, BEFORE_PATTERN)
)
# What stays open goes on to the end: so nothing is read twice.
_JAVASCRIPT = re.compile(
    r"(?P<c>//[^\n]*|/\*[\s\S]*?(?:\*/|\Z))"
    r"|(?P<s>\"(?:[^\"\\\n]|\\[\s\S])*\"?|'(?:[^'\\\n]|\\[\s\S])*'?|`(?:[^`\\]|\\[\s\S])*`?)"
    r"|(?P<slash>/)|(?P<n>\d[\w.]*)|(?P<word>[^\W\d][\w$]*|\$[\w$]*)|(?P<sign>[^\s\w])"
)
_SQL = re.compile(
    r"(?P<c>--[^\n]*|/\*[\s\S]*?(?:\*/|\Z))"
    r"|(?P<s>\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'?|'(?:[^']|'')*'?|(?P<mark>\$(?:[A-Za-z_]\w*)?\$)[\s\S]*?(?:(?P=mark)|\Z))"
    r"|\"(?:[^\"]|\"\")*\"?"
    r"|(?P<n>\{\{[^{}\n]*\}\}|%\(\w+\)s|\$?\b\d[\d.]*)|(?P<word>[^\W\d][\w$]*)"
)
# A pattern, where a slash is no division: behind nothing, a sign that closes nothing, or a word like `return`. Bounded,
# since the next slash may begin another.
_PATTERN = re.compile(r"/(?![*/])(?:[^\\/\[\n]|\\.|\[(?:[^\]\\\n]|\\.){0,100}+\]){1,200}+/[a-z]*")


def toned(text: str, language: str) -> list[Piece]:
    """The pieces of a text in a language, `javascript` or `sql`; of any other, and of a long one, the text as it is."""
    read = LANGUAGES.get(language)
    return list(read(text)) if read and len(text) <= LONGEST else [("", text)]


def lines_of(pieces: list[Piece]) -> Iterator[list[Piece]]:
    """The same, line by line; a piece over several lines has a part in each."""
    line: list[Piece] = []
    for sort, text in pieces:
        first, *others = text.split("\n")
        line.append((sort, first))
        for other in others:
            yield line
            line = [(sort, other)]
    yield line


def _javascript(text: str) -> Iterator[Piece]:
    done, at, before = 0, 0, ""
    while found := _JAVASCRIPT.search(text, at):
        sort = found.lastgroup or ""
        at = found.end()
        if sort == "slash":
            pattern = _PATTERN.match(text, found.start()) if not before or before in _BEFORE_PATTERN else None
            sort, at = ("s", pattern.end()) if pattern else ("", at)
        elif sort in {"word", "sign"}:
            sort = "n" if found[0] in _JAVASCRIPT_WORDS else ""
        if sort != "c":
            before = text[found.start() : at]
        if sort:
            yield "", text[done : found.start()]
            yield sort, text[found.start() : at]
            done = at
    yield "", text[done:]


def _sql(text: str) -> Iterator[Piece]:
    done = 0
    for found in _SQL.finditer(text):
        sort = next((sort for sort in ("c", "s", "n") if found[sort]), "")
        if sort or (found["word"] or "").lower() in _SQL_WORDS:
            yield "", text[done : found.start()]
            yield sort or "n", found[0]
            done = found.end()
    yield "", text[done:]


LANGUAGES: Mapping[str, Callable[[str], Iterator[Piece]]] = {"javascript": _javascript, "sql": _sql}
