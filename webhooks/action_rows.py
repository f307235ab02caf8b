"""The actions of a hook as rows of its form: of each its type, the fields of that, and a name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from badgerjobs.web.definitions.inputs import told
from badgerjobs.web.definitions.rows import RowKind, Rows, number_of
from badgerjobs.workspaces.models import Application
from webhooks.actions import ACTIONS, action_of
from webhooks.gone_targets import gone_targets
from webhooks.looks import INPUTS, action_fields

NO_TYPE = "Choose what is done, or remove the row."
GONE = "There is no {} “{}” any more, so that this action fails: choose another, or remove the row."
NEEDED = "Give the {}, or remove the row."
# Every row has the fields of all types: those of its own are seen, and told.
_PLACES = {f"{kind}_{field}": (kind, field) for kind in ACTIONS for field in action_fields(kind)}
COLUMNS = ("name", "type", *_PLACES)
ACTION = RowKind("action", COLUMNS)


@dataclass(frozen=True, slots=True)
class Input:
    """A field of an action in its row. With `choices` one of those; with `offered` a text, of which those are known."""

    name: str
    kind: str
    label: str
    value: str
    placeholder: str = ""
    choices: Sequence[tuple[str, str]] = ()
    offered: str = ""


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One row as it is shown. `number` counts from 1; `inputs` are those of all types."""

    number: int
    name: str
    type: str
    inputs: Sequence[Input]
    error: str = ""

    @property
    def id(self) -> str:
        return f"action_name_{self.number}"


def as_rows(actions: Iterable[Mapping[str, Any]]) -> Rows:
    """Stored actions as the form has them."""
    return [tuple(_typed(action, column) for column in COLUMNS) for action in actions]


def _typed(action: Mapping[str, Any], column: str) -> str:
    kind, field = _PLACES.get(column, (action.get("type"), column))
    value = action.get(field) if action.get("type") == kind else None
    return "" if value is None else str(value)


def actions_told(rows: Rows) -> Iterable[tuple[int, dict[str, Any]]]:
    """Number and action, as REST takes it, of the rows in which something is typed. Without a type: nothing else."""
    names: set[str] = set()
    for number, values in enumerate(rows, start=1):
        typed = dict(zip(COLUMNS, values, strict=True))
        kind = typed["type"]
        if kind not in ACTIONS:
            if any(value.strip() for column, value in typed.items() if column != "type"):
                yield number, {}
            continue
        fields = {field: told(one, typed[f"{kind}_{field}"]) for field, (one, _) in action_fields(kind).items()}
        fields = {field: value for field, value in fields.items() if value is not serializers.empty}
        name = typed["name"].strip() or _name(kind, fields, names)
        names.add(name)
        yield number, {"name": name, "type": kind, **fields}


def _name(kind: str, fields: Mapping[str, Any], taken: set[str]) -> str:
    """What one is called that nobody gave a name: as its target, with a number where another is called so."""
    begun = str(fields.get(action_of(kind).field) or kind)[:90]
    names = [begun, *(f"{begun} {number}" for number in range(2, len(taken) + 2))]
    return next(name for name in names if name not in taken)


def shown(rows: Rows, errors: Mapping[int, str]) -> list[ActionRow]:
    """The rows to show; none where there is none."""
    return [_row(number, values, errors.get(number, "")) for number, values in enumerate(rows, start=1)]


def gone(rows: Rows, application: Application) -> dict[int, str]:
    """Number → a sentence, of the rows that act upon what was deleted."""
    actions = {
        number: action
        for number, action in actions_told(rows)
        if action and action.get(action_of(action["type"]).field)
    }
    lost = gone_targets(application, actions.values())
    targets = {number: (action["type"], action_of(action["type"]).target(action)) for number, action in actions.items()}
    return {
        number: GONE.format(action_fields(kind)[action_of(kind).field][1].label.lower(), name)
        for number, (kind, name) in targets.items()
        if (kind, name) in lost
    }


def needed(values: Sequence[str], field: str) -> str:
    """What is said where a field of this row is empty that its type needs."""
    kind = values[COLUMNS.index("type")]
    _, look = action_fields(kind)[field]
    return NEEDED.format(look.label.lower())


def kinds() -> list[tuple[str, str]]:
    """Name and words of each type there is."""
    return [(kind, action_of(kind).word) for kind in ACTIONS]


def blank() -> ActionRow:
    """A row that scripts copy: they number it."""
    return _row(0, ("",) * len(COLUMNS), "")


def _row(number: int, values: Sequence[str], error: str) -> ActionRow:
    typed = dict(zip(COLUMNS, values, strict=True))
    inputs = [_input(kind, field, typed[column]) for column, (kind, field) in _PLACES.items()]
    return ActionRow(number, typed["name"], typed["type"], inputs, error)


def _input(kind: str, field: str, value: str) -> Input:
    one, look = action_fields(kind)[field]
    choices = [
        (str(choice), INPUTS.get(str(choice), str(said))) for choice, said in getattr(one, "choices", {}).items()
    ]
    action = action_of(kind)
    offered = f"offered-{kind}" if action.offered and field == action.field else ""
    value = value or (str(one.default) if choices and one.default is not serializers.empty else "")
    return Input(f"action_{kind}_{field}", kind, look.label, value, look.placeholder, choices, offered)


def offered(application: Application) -> list[tuple[str, Sequence[tuple[str, str]]]]:
    """Id of a list, and the targets that it offers: tag and name of each."""
    of_types = [(f"offered-{kind}", action_of(kind).offered) for kind in ACTIONS]
    return [(name, of(application)) for name, of in of_types if of]


def add_or_remove(data: QueryDict, do: str) -> bool:
    """Add a row or take one away, as a button of the form says; whether it said so. Without scripts the server does it.

    `add-action`, `remove-action:NUMBER`.
    """
    verb, _, which = do.partition(":")
    if verb not in {"add-action", "remove-action"}:
        return False
    columns = [data.getlist(field) for field in ACTION.fields]
    if verb == "add-action":
        columns = [[*values, ""] for values in columns]
    elif 0 < (number := number_of(which)) <= min(map(len, columns)):
        for values in columns:
            del values[number - 1]
    for field, values in zip(ACTION.fields, columns, strict=True):
        data.setlist(field, values)
    return True
