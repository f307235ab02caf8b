"""Which keys a pattern means: as plain Python would say, whatever is in it; and that the indexes are asked."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from badgerjobs.workspaces.models import Application
from tasks.models import CacheKey, Selection
from tasks.selection import literal, matching, names
from tests.factories import make_application, make_key, make_source

# Few letters, so that patterns are found in names; and those that some language of patterns takes for something else.
LETTERS = "ab1-_%\\*?[]'\"é🦡 .A:{"
TEXTS = st.text(LETTERS, max_size=6)
NAMES = st.text(LETTERS, min_size=1, max_size=8)


def keys_of(application: Application, *names: str, **fields: Any) -> None:
    """Keys of these names, all of one source."""
    source = application.sources.first() or make_source(application)
    given = {"source": source, "application": application, "variables": {}, "created_at": source.created_at}
    CacheKey.objects.bulk_create(
        CacheKey(name=name, updated_at=source.created_at, **{**given, **fields}) for name in names
    )


def by_hand(selection: str, pattern: str, name: str) -> bool:
    """Whether a name is meant, without a database."""
    if selection == Selection.CONTAINS:
        return pattern in name
    if selection == Selection.PREFIX:
        return name.startswith(pattern)
    return re.fullmatch(_regex(pattern), name, re.DOTALL) is not None


def _regex(glob: str) -> str:
    made, place = "", 0
    while place < len(glob):
        letter, place = glob[place], place + 1
        if letter == "\\" and place < len(glob):
            letter, place = glob[place], place + 1
            made += re.escape(letter)
        else:
            made += {"*": ".*", "?": "."}.get(letter, re.escape(letter))
    return made


@pytest.mark.parametrize("selection", [Selection.CONTAINS, Selection.PREFIX, Selection.GLOB])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_names=st.sets(NAMES, min_size=1, max_size=12), pattern=TEXTS)
def test_the_database_says_what_plain_python_says(
    shop: Application, selection: str, given_names: set[str], pattern: str
) -> None:
    CacheKey.objects.all().delete()
    keys_of(shop, *given_names)
    meant = sorted(name for name in given_names if by_hand(selection, pattern, name))
    assert names(shop, selection, pattern) == (meant, len(meant))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_names=st.sets(NAMES, min_size=1, max_size=12), text=NAMES)
def test_a_text_made_literal_is_a_glob_of_nothing_else(shop: Application, given_names: set[str], text: str) -> None:
    CacheKey.objects.all().delete()
    keys_of(shop, *given_names | {text})
    assert names(shop, Selection.GLOB, literal(Selection.GLOB, text)) == ([text], 1)


SOME = ("product-category-1", "product-category-11", "Product-category-1", "50%_off", "50x off", "a\\b", "it's", '"q"',
        "badger 🦡", "naïve", "zz")  # fmt: skip


@pytest.mark.parametrize(
    ("selection", "pattern", "meant"),
    [
        ("contains", "product-category-1", ["product-category-1", "product-category-11"]),
        ("contains", "product-category-1-", []),
        ("contains", "%", ["50%_off"]),
        ("contains", "_", ["50%_off"]),
        ("contains", "\\", ["a\\b"]),
        ("contains", "'", ["it's"]),
        ("contains", '"', ['"q"']),
        ("contains", "🦡", ["badger 🦡"]),
        ("contains", "*", []),
        ("contains", "z", ["zz"]),
        ("contains", "zz", ["zz"]),
        ("contains", "", sorted(SOME)),
        ("contains", "x" * 401, []),
        ("prefix", "", sorted(SOME)),
        ("prefix", "product", ["product-category-1", "product-category-11"]),
        ("prefix", "category", []),
        ("prefix", "50%", ["50%_off"]),
        ("prefix", "50_", []),
        ("glob", "*", sorted(SOME)),
        ("glob", "", []),
        ("glob", "product-category-?", ["product-category-1"]),
        ("glob", "?roduct-category-1", ["Product-category-1", "product-category-1"]),
        ("glob", "*category*1", ["Product-category-1", "product-category-1", "product-category-11"]),
        ("glob", "50%*", ["50%_off"]),
        ("glob", "50_*", []),
        ("glob", "a\\\\b", ["a\\b"]),
        ("glob", "z\\z", ["zz"]),
        ("glob", "badger ?", ["badger 🦡"]),
        ("glob", "na?ve", ["naïve"]),
    ],
)  # fmt: skip
def test_what_a_pattern_means(shop: Application, selection: str, pattern: str, meant: list[str]) -> None:
    keys_of(shop, *SOME)
    assert names(shop, selection, pattern) == (meant, len(meant))


def test_a_tag_is_meant_as_a_whole(shop: Application) -> None:
    keys_of(shop, "a", "b", tags=["catalogue", "50%"])
    keys_of(shop, "c", tags=["catalogue-old"])
    found = [names(shop, "tag", tag)[0] for tag in ("catalogue", "50%", "cata", "Catalogue", "")]
    assert found == [["a", "b"], ["a", "b"], [], [], []]


def test_another_tenants_keys_are_never_meant(shop: Application) -> None:
    keys_of(make_application("Charlie's"), "product-1", tags=["t"])
    assert [names(shop, selection, "product")[1] for selection in ("contains", "prefix")] == [0, 0]
    assert [names(shop, "glob", "*")[1], names(shop, "tag", "t")[1]] == [0, 0]


def test_only_the_first_names_are_given_and_all_are_counted(shop: Application) -> None:
    keys_of(shop, *(f"key-{n}" for n in range(10)))
    assert names(shop, "contains", "key", most=3) == (["key-0", "key-1", "key-2"], 10)
    assert names(shop, "contains", "key-9", most=1) == (["key-9"], 1)
    assert names(shop, "contains", "key", most=10)[1] == 10


def test_names_are_in_the_order_of_their_bytes_whatever_the_database_sorts_by(shop: Application) -> None:
    keys_of(shop, "b", "B", "a", "é", "_")
    assert names(shop, "contains", "") == (["B", "_", "a", "b", "é"], 5)


@pytest.fixture
def plan_of(shop: Application) -> Callable[[str, str], str]:
    """How keys would be found among many: among few, no index is worth a look."""
    keys_of(shop, *(f"{n % 7}-key-{n}" for n in range(5000)), tags=["many"])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tasks_cachekey")
        cursor.execute("SET LOCAL enable_seqscan = off")

    def plan(selection: str, pattern: str) -> str:
        return matching(shop, selection, pattern).order_by().values_list("name").explain()

    return plan


# From one end to the other, without trigrams. Which of the two depends on when vacuum was there last.
IN_ORDER = r"^Index (Only )?Scan using (one_key_for_a_name|key_of_application)"


def test_an_index_finds_them(plan_of: Callable[[str, str], str]) -> None:
    for selection, pattern, found_by in (
        ("prefix", "3-key-4", r"Index Cond.*name >= '3-key-4'::text"),
        ("glob", "3-key-4*1", r"Index Cond.*name >= '3-key-4'::text"),
        ("glob", "3-key-4", r"Index Cond.*name = '3-key-4'::text"),
        ("contains", "4999", r"Bitmap Index Scan on key_by_trigrams"),
        ("contains", "z", IN_ORDER),
        ("contains", "zz", IN_ORDER),
        ("contains", "🦡", IN_ORDER),
        ("tag", "few", r"Bitmap Index Scan on key_by_tags"),
    ):
        plan = plan_of(selection, pattern)
        assert re.search(found_by, plan), (selection, pattern, plan)


def test_what_no_trigram_helps_with_is_not_looked_up_by_them(shop: Application) -> None:
    for selection, pattern in (("contains", "ke"), ("contains", "y-9"), ("glob", "*key*99*"), ("glob", "?key")):
        assert "|| ''" in str(matching(shop, selection, pattern).query), pattern


def test_a_key_made_later_is_meant_at_once(shop: Application) -> None:
    source = make_source(shop)
    before = names(shop, "contains", "late")
    make_key(source, "made-late")
    assert (before, names(shop, "contains", "late")) == (([], 0), (["made-late"], 1))
