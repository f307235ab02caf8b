"""Trying a slurper out from its form: rows before and after, or why there was nothing to try."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import transaction
from rest_framework import serializers

from badgerjobs.runs.fleet import database_now
from badgerjobs.sources.models import DataSource
from badgerjobs.web.pages import PageRequest, actor_of
from badgerjobs.web.serializer_forms import first_sentence
from badgerjobs.web.trials import TooManyTrialsError
from slurps.collecting.grid import Cell, cell_of, cells
from slurps.models import Slurper
from slurps.pasted import PASTED, NoRowsError, pasted_rows
from slurps.run_form import VALUE
from slurps.slurper_forms import SlurperForm
from slurps.slurper_services import sources_named
from slurps.trials import told, try_slurper

# So many rows and columns are shown side by side.
ROWS, COLUMNS = 20, 30


class Rows(NamedTuple):
    """Rows as a table. `total`: how many there are; `numbers`: the columns that have nothing but numbers."""

    title: str
    columns: list[str]
    rows: list[list[Cell]]
    total: int
    numbers: frozenset[str] = frozenset()


class Tried:
    """What came of it, for people. `told` is as REST tells it."""

    def __init__(self, given: dict[str, Any], names: dict[str, str]) -> None:
        self.ok, self.duration = given["ok"], given["duration"]
        self.error = given["error"]["message"] if given["error"] else ""
        self.is_of_code = bool(given["error"] and given["error"]["class"] == "code")
        self.console = given["console"]
        self.failed_source = names.get(given["failed_source"] or "", "")
        self.before = [_table(names.get(tag, tag), rows, len(rows)) for tag, rows in given["before"].items()]
        self.after = _table("After", given["after"], given["made"])


def tried(request: PageRequest, form: SlurperForm) -> dict[str, Any]:
    """What the part `#tried` shows: `tried`, or `refused`, sentences with the fields that they are of."""
    wrong = [(name, str(errors[0])) for name, errors in form.errors.items() if name not in {"name", "tag"}]
    if wrong:
        return {"refused": wrong}
    slurper = Slurper(application=form.application, tag=form.slurper.tag if form.slurper else "")
    slurper.language, slurper.code = form.told["language"], form.told.get("code", "")
    slurper.function = form.told.get("function", "")
    try:
        with transaction.atomic():  # held no longer than they are read
            sources = sources_named(form.application, form.told["sources"])
        rows = pasted_rows(request.POST, sources) if request.POST.get("over") == PASTED else None
        values = {name: request.POST.get(VALUE + name, "").replace("\0", "") for name in variables_of(sources)}
        by, now = actor_of(request), database_now()
        trial = try_slurper(slurper=slurper, sources=sources, by=by, now=now, rows=rows, values=values)
    except serializers.ValidationError as error:
        return {"refused": [("sources", first_sentence(error.detail))]}
    except (NoRowsError, TooManyTrialsError) as error:
        return {"refused": [("", str(error))]}
    return {"tried": Tried(told(trial), {source.tag: source.name for source in sources})}


def variables_of(sources: Sequence[DataSource]) -> list[str]:
    """What these sources ask for, each once."""
    return list(dict.fromkeys(name for source in sources for name in source.variables))


def _table(title: str, rows: Sequence[Any], total: int) -> Rows:
    """Rows that are no objects stand in one column."""
    shown = list(rows[:ROWS])
    if not all(isinstance(row, dict) for row in shown):
        return Rows(title, ["row"], [[cell_of(row)] for row in shown], total)
    columns = list(dict.fromkeys(name for row in shown for name in row))[:COLUMNS]
    table = [cells(row, columns) for row in shown]
    kinds = {name: {row[place].kind for row in table} - {"null", "nothing"} for place, name in enumerate(columns)}
    return Rows(title, columns, table, total, frozenset(name for name in columns if kinds[name] == {"number"}))
