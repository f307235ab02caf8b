"""The same rows by dlt, into the same PostgreSQL, where it is installed: `pip install "dlt[postgres]"`."""

import json
import os
import tempfile
import time
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote
from urllib.request import urlopen

from django.db import connection

# Rows are given to it in lists of so many, as it wants them.
BATCH = 5000


def is_there() -> bool:
    """Whether it can be imported."""
    return find_spec("dlt") is not None and find_spec("psycopg2") is not None


def rates(address: str, count: int) -> dict[str, float]:
    """Rows a second by replace, append and merge; merged ones meet as many that are there."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DLT_DATA_DIR"] = folder
        os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
        found = {}
        for write in ("replace", "append", "merge"):
            if write == "merge":
                _load(folder, write, f"{address}/{count}/0")
            began = time.perf_counter()
            _load(folder, write, f"{address}/{count}/{count if write == 'merge' else 0}")
            found[write] = count / (time.perf_counter() - began)
    return found


def _load(folder: str, write: str, url: str) -> None:
    dlt: Any = import_module("dlt")

    pipeline = dlt.pipeline(
        f"rows_{write}", pipelines_dir=folder, dataset_name=f"dlt_{write}",
        destination=dlt.destinations.postgres(_address()),
    )  # fmt: skip
    pipeline.run(_rows(url), table_name="rows", write_disposition=write, primary_key="id")


def _rows(url: str) -> Iterator[list[Any]]:
    batch = []
    with urlopen(url) as answer:  # noqa: S310  ours
        for line in answer:
            batch.append(json.loads(line))
            if len(batch) == BATCH:
                yield batch
                batch = []
    yield batch


def _address() -> str:
    settings = connection.settings_dict
    password = quote(str(settings["PASSWORD"]), safe="")
    folder = quote(str(settings["HOST"]), safe="")
    # dlt wants a host, and libpq goes by the last that it is told.
    user, name = settings["USER"], settings["NAME"]
    return f"postgresql://{user}:{password}@localhost:{settings['PORT']}/{name}?host={folder}"
