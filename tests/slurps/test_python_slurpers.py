"""Slurpers in Python: registered as their packages are imported, and what is wrong is said before anything starts."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from slurps import slurpers
from slurps.checks import every_slurper_is_right
from slurps.slurpers import DefinitionError, Registry, all_slurpers, load, slurper, slurper_of
from tests.in_turn import in_turn

ROOT = Path(__file__).resolve().parents[2]
GOOD = """
from slurps.slurpers import slurper

@slurper(id="cleanProducts", title="Clean products")
def clean(ctx, data_map):
    return data_map["products"]
"""


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """An empty one."""
    empty = Registry()
    monkeypatch.setattr(slurpers, "REGISTRY", empty)
    return empty


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a module of this text that can be imported."""
    monkeypatch.syspath_prepend(tmp_path)

    def made(name: str, text: str) -> str:
        (tmp_path / f"{name}.py").write_text(text)
        monkeypatch.delitem(sys.modules, name, raising=False)
        return name

    return made


def test_a_function_is_registered_as_its_package_is_imported(registry: Registry, package: Any) -> None:
    load([package("shop_slurpers", GOOD)])
    found = slurper_of("cleanProducts")
    assert found
    assert (found.title, found.package) == ("Clean products", "shop_slurpers")
    assert list(found.slurp({}, {"products": [1]})) == [1]
    assert all_slurpers() == [found]
    assert every_slurper_is_right() == []
    assert registry.by_id.keys() == {"cleanProducts"}


@in_turn(
    "text, said",
    [
        ("import nothing_of_this_name", "cannot be imported: ModuleNotFoundError"),
        ("1 / 0", "cannot be imported: ZeroDivisionError"),
        (GOOD.replace("cleanProducts", "clean-products"), "The id 'clean-products' of a slurper must be camelCase"),
        (GOOD.replace("Clean products", " "), "The slurper 'cleanProducts' needs a title."),
        (GOOD.replace("(ctx, data_map)", "(ctx)"), "must be a plain function that takes (ctx, data_map)."),
        (GOOD.replace("def clean", "async def clean"), "must be a plain function"),
        (GOOD + GOOD, "Two slurpers have the id 'cleanProducts'"),
    ],
)
def test_what_is_wrong_with_a_package_is_an_error_that_names_it(
    registry: Registry, package: Any, text: str, said: str
) -> None:
    registry.by_id.clear()
    registry.problems.clear()
    load([package("bad_slurpers", text)])
    [error] = every_slurper_is_right()
    assert (error.id, error.level) == ("collections.E001", 40)
    assert error.msg.startswith("SLURPERS: 'bad_slurpers'")
    assert said in error.msg


@pytest.mark.usefixtures("registry")
def test_a_package_that_defines_none_is_worth_a_warning(package: Any) -> None:
    load([package("empty_slurpers", "")])
    [warning] = every_slurper_is_right()
    assert (warning.id, warning.msg) == ("collections.W001", "SLURPERS: 'empty_slurpers' defines no slurper.")


@pytest.mark.usefixtures("registry")
def test_the_first_of_two_with_one_id_stays() -> None:
    @slurper(id="twice", title="First")
    def first(_ctx: Any, _data_map: Any) -> list[Any]:
        return [1]

    with pytest.raises(DefinitionError, match="Two slurpers have the id 'twice'"):
        slurper(id="twice", title="Second")(lambda _ctx, _data_map: [2])
    found = slurper_of("twice")
    assert found
    assert found.slurp is first


def test_an_installation_does_not_start_with_a_package_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "wrong_slurpers.py").write_text("raise RuntimeError('no')")
    told = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "check"],
        env={**os.environ, "SLURPERS": "wrong_slurpers", "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode != 0
    assert "(collections.E001) SLURPERS: 'wrong_slurpers' cannot be imported: RuntimeError: no" in told.stderr
