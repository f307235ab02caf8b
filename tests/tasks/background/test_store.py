"""What an iteration keeps while it goes on: input, output, progress, and lines of its log."""

from typing import Any

import pytest

from badgerjobs.lib.json_copies import NotJSONError
from tests.tasks.background.definitions_of import FakeLink, MuteError, some_params


@pytest.mark.parametrize("name", ["input", "output"])
def test_a_change_is_merged_and_a_function_gives_all_of_it(name: str) -> None:
    params = some_params(**{name: {"a": 1, "b": [1]}})  # type: ignore[arg-type]
    read, update = getattr(params.store, f"get_{name}"), getattr(params.store, f"update_{name}")

    update({"b": [2], "c": 3})
    assert read() == {"a": 1, "b": [2], "c": 3}

    update(lambda now: {"rows": now["a"] + now["c"]})
    assert read() == {"rows": 4}
    assert getattr(params.came_of(params.response.done()), name) == {"rows": 4}


@pytest.mark.parametrize("name", ["input", "output"])
@pytest.mark.parametrize(
    "change",
    [None, 3, [1], {"a": {1}}, {"a": float("nan")}, {"a": "\0"}, {1: 2}, lambda _: None, lambda _: {"a": b""}],
)
def test_a_change_that_cannot_be_kept_is_said_and_changes_nothing(name: str, change: Any) -> None:
    params = some_params(**{name: {"a": 1}})  # type: ignore[arg-type]
    with pytest.raises((TypeError, NotJSONError), match=f"^The {name}"):
        getattr(params.store, f"update_{name}")(change)
    assert getattr(params.store, f"get_{name}")() == {"a": 1}


def test_what_a_function_does_to_what_it_is_given_stays_there() -> None:
    store = some_params(output={"rows": [1]}).store

    def change(now: dict[str, Any]) -> dict[str, Any]:
        now["rows"].append(2)
        raise KeyError

    with pytest.raises(KeyError):
        store.update_output(change)
    assert store.get_output() == {"rows": [1]}


@pytest.mark.parametrize(
    ("fraction", "kept"), [(0, 0.0), (0.25, 0.25), (1, 1.0), (1.0000001, 1.0), (-3, 0.0), (None, None)]
)
def test_progress_is_written_at_once(fraction: Any, kept: Any) -> None:
    link = FakeLink()
    some_params(link).store.progress(fraction, "Page 3\0" + "x" * 1000)
    assert link.steps == [(kept, "Page 3\ufffd" + "x" * 493)]


@pytest.mark.parametrize("fraction", ["half", True, float("nan")])
def test_progress_that_is_no_fraction_is_said(fraction: Any) -> None:
    with pytest.raises(TypeError, match=r"progress\(\) takes a fraction"):
        some_params().store.progress(fraction)


def test_lines_are_written_at_once_with_what_goes_with_them() -> None:
    link = FakeLink()
    store = some_params(link).store
    store.info("Reading.")
    store.info("Read.", {"rows": 3})
    store.error("Not read.", {"row": 4}, ValueError("Broken."))
    store.error("Not read.", error="Broken.")
    store.error("Not read.")

    broken = {"message": "Broken.", "code": None, "data": None}
    assert link.lines == [
        ("info", "Reading.", None),
        ("info", "Read.", {"rows": 3}),
        ("error", "Not read.", {"data": {"row": 4}, "error": {**broken, "code": "ValueError"}}),
        ("error", "Not read.", {"data": None, "error": broken}),
        ("error", "Not read.", {"data": None, "error": None}),
    ]


@pytest.mark.parametrize(
    ("message", "data", "kept"),
    [
        ("a\0b", None, ("a\ufffdb", None)),
        ("x" * 2000, None, ("x" * 1000, None)),
        (3, None, ("3", None)),
        (MuteError(), None, ("MuteError, which cannot be shown", None)),
        ("Read.", {1}, ("Read.", {"message": "The data is of the type set, which JSON does not have."})),
        (
            "Read.",
            {"\ud800": {1}},
            ("Read.", {"message": "The data has a null character, or half of a character, in a text."}),
        ),
        (
            "Read.",
            "x" * 70_000,
            ("Read.", {"message": "Data size exceeds the maximum allowed size.", "size": 70_002, "max": 65_536}),
        ),
    ],
    ids=["null character", "long", "number", "one that breaks", "set", "surrogate", "large"],
)
def test_no_line_of_the_log_ends_an_iteration(message: Any, data: Any, kept: tuple[str, Any]) -> None:
    link = FakeLink()
    some_params(link).store.info(message, data)
    assert link.lines == [("info", *kept)]
