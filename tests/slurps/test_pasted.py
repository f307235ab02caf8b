"""Rows that are pasted: in which forms, typed as a source would type them, and what is said of those that are none."""

from types import SimpleNamespace
from typing import Any

import pytest

from slurps.pasted import NoRowsError, pasted_rows, rows_in

SHOP: Any = SimpleNamespace(tag="shop", name="The shop")
STOCK: Any = SimpleNamespace(tag="stock", name="Stock")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", []),
        (" \n ", []),
        ('[{"id": 1}, {"id": 2}]', [{"id": 1}, {"id": 2}]),
        ('{\n  "id": 1,\n  "size": {"h": [2]}\n}', [{"id": 1, "size": {"h": [2]}}]),
        ('{"id": 1}\r\n\r\n{"id": 2}\r\n', [{"id": 1}, {"id": 2}]),
        ('\ufeff[{"id": null}]', [{"id": None}]),
        (
            "id,name,is\n1,Ann,true\n2,,false",
            [{"id": 1, "name": "Ann", "is": True}, {"id": 2, "name": "", "is": False}],
        ),
        ("id\tprice\r\n01\t1.5\r\n02\t2\r\n", [{"id": "01", "price": 1.5}, {"id": "02", "price": 2}]),
        ("id;note\n1;a, b\n", [{"id": 1, "note": "a, b"}]),
        ("id", []),
        ("[1, 2]", [1, 2]),
    ],
)
def test_json_json_lines_and_csv_are_rows(text: str, rows: list[Any]) -> None:
    assert rows_in(text) == rows


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"id": 1}, {"id": }]', "This is no JSON"),
        ('{"id": 1}\n{"id": 2', "This is no JSON"),
        ("a,b\n1,2\n3", "Line 3 has 1 cells, and there are 2 columns."),
        (str([{}] * 101), "These are 101 rows: paste 100 at most."),
    ],
)
def test_what_are_no_rows_is_said_why(text: str, said: str) -> None:
    with pytest.raises(NoRowsError, match=said):
        rows_in(text)


def test_each_source_has_its_own_and_is_named_where_they_are_none() -> None:
    given = {"rows:shop": "[1]", "rows:stock": " "}
    assert pasted_rows(given, [SHOP, STOCK]) == {"shop": [1], "stock": []}
    with pytest.raises(NoRowsError, match="Paste rows of at least one source"):
        pasted_rows({"rows:other": "[1]"}, [SHOP, STOCK])
    with pytest.raises(NoRowsError, match="The shop: This is no JSON"):
        pasted_rows({"rows:shop": "[1"}, [SHOP, STOCK])
