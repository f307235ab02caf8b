r"""Which keys a pattern means: by a part of their names, by how they begin, by a glob, or by a tag; case counts.

In all but a glob every character stands for itself. In a glob `*` is any number of characters, `?` is one, and `\`
takes the meaning from the next one.
"""

import re
from collections.abc import Iterator

from django.db.models import CharField, F, Func, Lookup, Value

from badgerjobs.workspaces.models import Application
from tasks.models import CacheKey, Selection
from tasks.models.key import LONGEST_NAME
from tasks.querysets import CacheKeyQuerySet

# Those that use a pattern: what can be looked up without a task.
PATTERNS = tuple(selection for selection in Selection if selection is not Selection.EXACT)
PATTERN_CHOICES = [(selection.value, selection.label) for selection in PATTERNS]
# So many names stand in an answer.
MOST_NAMES = 1000

# What LIKE takes for something else than itself.
_SPECIAL = re.compile(r"[\\%_]")
# What a trigram is made of, as pg_trgm has it: three letters or digits in a row.
_TRIGRAM = re.compile(r"[^\W_]{3}")
_GLOB = re.compile(r"\\(?P<literal>.)|(?P<any>\*+)|(?P<one>\?)|(?P<plain>[^\\*?]+|\\)", re.DOTALL)
_SPECIAL_IN_GLOBS = re.compile(r"[\\*?]")


def matching(application: Application, selection: str, pattern: str) -> CacheKeyQuerySet:
    """The application's keys that a pattern means, by name. It is filled already. Raises KeyError for EXACT."""
    return _matching(application, selection, pattern, by_trigrams=True)


def names(application: Application, selection: str, pattern: str, most: int = MOST_NAMES) -> tuple[list[str], int]:
    """The first `most` names of those keys, in order, and how many there are in all: that is counted, never guessed.

    Those that come after the first ones are counted from there on: so the names are read once, and not twice.
    """
    found = list(matching(application, selection, pattern).values_list("name", flat=True)[: most + 1])
    if len(found) <= most:
        return found, len(found)
    after = _matching(application, selection, pattern, by_trigrams=False).filter(name__gte=found[most])
    return found[:most], most + after.order_by().count()


def _matching(application: Application, selection: str, pattern: str, *, by_trigrams: bool) -> CacheKeyQuerySet:
    """The same. Where there are many, to read all names in their order is quicker than to look up trigrams."""
    keys = CacheKey.objects.for_application(application).order_by("name")
    if selection == Selection.TAG:
        return keys.filter(tags__contains=[pattern])
    begins, _ = _ANCHORS[Selection(selection)]
    pieces = list(_pieces(selection, pattern))
    if sum(len(text) for text, _ in pieces) > LONGEST_NAME:  # no name is so long
        return keys.none()
    whole = like(selection, pattern)
    first = pieces[0][0] if begins and pieces else ""
    beginning = f"{_escaped(first)}%" if first else ""
    is_all_of_it = bool(first) and (len(pieces) == 1 or whole == beginning)
    if first and not is_all_of_it:
        keys = keys.filter(_Like(F("name"), Value(beginning)))
    indexed = is_all_of_it or (by_trigrams and _has_trigrams(pieces))
    return keys.filter(_Like(F("name") if indexed else _Unindexed(F("name")), Value(whole)))


def like(selection: str, pattern: str) -> str:
    """The pattern as LIKE takes it. Raises KeyError for one that takes no names."""
    begins, ends = _ANCHORS[Selection(selection)]
    inner = "".join(sign or _escaped(text) for text, sign in _pieces(selection, pattern))
    return f"{'' if begins else '%'}{inner}{'' if ends else '%'}"


def literal(selection: str, text: str) -> str:
    """The text as a pattern of this sort that means nothing but itself."""
    return _SPECIAL_IN_GLOBS.sub(r"\\\g<0>", text) if selection == Selection.GLOB else text


# Whether a pattern says how a name begins, and how it ends.
_ANCHORS = {
    Selection.CONTAINS: (False, False),
    Selection.PREFIX: (True, False),
    Selection.GLOB: (True, True),
}


def _pieces(selection: str, pattern: str) -> Iterator[tuple[str, str]]:
    """What the pattern is made of: plain texts, and signs of LIKE, one of each pair empty."""
    if selection != Selection.GLOB:
        yield pattern, ""
        return
    for piece in _GLOB.finditer(pattern):
        if piece["any"] or piece["one"]:
            yield "", "%" if piece["any"] else "_"
        else:
            yield piece["literal"] or piece["plain"], ""


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text)


def _has_trigrams(pieces: list[tuple[str, str]]) -> bool:
    """Whether to look names up by their trigrams: by those of one text, which may stand anywhere.

    By none, PostgreSQL would read the index from end to end and then every row, which takes ten times as long as to
    read all the names in their order. By those of several, it expects far fewer rows than have them all somewhere.
    """
    texts = [text for text, sign in pieces if not sign]
    return len(texts) == 1 and bool(_TRIGRAM.search(texts[0])) and not any(sign == "_" for _, sign in pieces)


class _Like(Lookup):
    """`name LIKE pattern`, as it is written."""

    lookup_name = "like"
    prepare_rhs = False

    def as_sql(self, compiler, connection):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        """Both sides with LIKE between them."""
        left, values = self.process_lhs(compiler, connection)
        right, more = self.process_rhs(compiler, connection)
        return f"{left} LIKE {right}", (*values, *more)


class _Unindexed(Func):
    """The same text, of which no index knows: so that none is asked that cannot help."""

    template = "(%(expressions)s || '')"
    output_field = CharField()
