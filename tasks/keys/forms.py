"""A cache key as a form. Every rule is the serializer's and the service's; the form only speaks to people."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from badgerjobs.sources.models import DataSource
from badgerjobs.web.definitions import json_text
from badgerjobs.web.definitions.inputs import flat, plain
from badgerjobs.web.definitions.named_form import NamedForm
from badgerjobs.web.serializer_forms import LENIENT
from badgerjobs.workspaces.models import Application
from tasks.keys.serializers import KeySerializer, Sources
from tasks.models import CacheKey

NO_NAME = "Give it a name, like product-1."
ASKED_FOR = "The source asks for this."


def _seconds(label: str, hint: str) -> forms.CharField:
    numbers = forms.NumberInput({"min": "0", "autocomplete": "off"})
    return forms.CharField(label=label, help_text=hint, widget=numbers, **LENIENT)


class KeyForm(NamedForm):
    """A key of `source`. `key` is the one being changed, None for a new one."""

    no_name = NO_NAME

    tags = forms.CharField(
        label="Tags",
        help_text="Words to choose it by: one on each line, up to 20.",
        widget=forms.Textarea({"rows": "2", "class": "mono short", "spellcheck": "false", "autocomplete": "off"}),
        **LENIENT,
    )
    ttl = _seconds("Fresh for", "After it was fetched. Empty: until a task brings another.")
    stale_while_revalidate = _seconds(
        "Then stale for",
        "Who reads gets the old value while it is fetched anew. Empty: as long as that takes; 0: never.",
    )
    stale_if_error = _seconds(
        "On errors for", "The last good value is served while its source fails. Empty: as long as it fails; 0: never."
    )

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        application: Application,
        source: DataSource,
        key: CacheKey | None = None,
    ) -> None:
        super().__init__(data, auto_id="%s")
        self.application, self.source, self.key = application, source, key
        del self.fields["tag"]
        if key:
            del self.fields["name"]
        else:
            self.fields["name"].widget.attrs |= {"class": "mono short", "placeholder": "product-1"}
            self.fields["name"].help_text = "What it is read by: unique, never changed, without “/”."
        self.variables = {f"variable_{place}": name for place, name in enumerate(source.variables, start=1)}
        for field, name in self.variables.items():
            self.fields[field] = self._variable_field(name)
        self.initial = self._begins()

    def _variable_field(self, name: str) -> forms.CharField:
        is_json = self._is_json(name)
        attributes = {"class": "mono short", "autocomplete": "off"}
        return forms.CharField(
            label=name,
            strip=False,
            help_text="It is no text: write it as JSON." if is_json else "",
            widget=forms.TextInput(attributes),
            **LENIENT,
        )

    def _is_json(self, name: str) -> bool:
        """Whether what is stored is no text. What is typed in its place is read as JSON, then."""
        return name in self._stored and not isinstance(self._stored[name], str)

    @property
    def _stored(self) -> Mapping[str, Any]:
        return self.key.variables if self.key else {}

    def _begins(self) -> dict[str, Any]:
        if self.key is None:
            return {}
        shown = {field: self._shown(name) for field, name in self.variables.items()}
        lives = {name: getattr(self.key, f"{name}_s") for name in ("ttl", "stale_while_revalidate", "stale_if_error")}
        return {**shown, **lives, "tags": "\n".join(self.key.tags)}

    def _shown(self, name: str) -> str:
        value = self._stored.get(name, "")
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)

    def clean(self) -> dict[str, Any]:
        """Tell everything to the serializer: people want to know all at once."""
        context = {"sources": Sources(self.application, [self.source.tag])}
        judged = KeySerializer(self.key, data=self._told(), partial=self.key is not None, context=context)
        for name, said in flat({} if judged.is_valid() else judged.errors).items():
            self._say(name, said)
        self.given = dict(judged.validated_data) if not self.errors else {}
        return self.cleaned_data

    def _told(self) -> dict[str, Any]:
        tags = [line.strip() for line in plain(self._typed("tags")).split("\n") if line.strip()]
        name = {} if self.key else {"name": self._typed("name").strip()}
        lives = {
            field: self._typed(field).strip() or None for field in ("ttl", "stale_while_revalidate", "stale_if_error")
        }
        return {**name, "source": self.source.tag, "variables": self._values(), "tags": tags, **lives}

    def _values(self) -> dict[str, Any]:
        """What was typed, where something was; a value that nobody touched stays what it is."""
        values: dict[str, Any] = {}
        for field, name in self.variables.items():
            typed = self._typed(field)
            if name in self._stored and typed == self._shown(name):
                values[name] = self._stored[name]
            elif not typed:
                self.refuse(field, ASKED_FOR)
            elif self._is_json(name):
                values |= self._read(field, name, typed)
            else:
                values[name] = typed
        return values

    def _typed(self, field: str) -> str:
        """Empty where Django refused it already, for a null character in it."""
        return str(self.cleaned_data.get(field, ""))

    def _read(self, field: str, name: str, typed: str) -> dict[str, Any]:
        try:
            return {name: json_text.read(typed)}
        except json_text.BadJSONError as error:
            self.refuse(field, str(error))
            return {}

    def _say(self, name: str, said: Any) -> None:
        """Beside the field that it is about. Values that lack are named beside each already."""
        first = name.partition(".")[0]
        if first == "name" and not self.cleaned_data.get("name"):
            said = self.no_name
        if first == "variables" and any(field in self.errors for field in self.variables):
            return
        self.refuse(first, said)

    def in_order(self) -> Iterable[str]:
        """The fields in their order on the page."""
        lives = ("ttl", "stale_while_revalidate", "stale_if_error")
        return [name for name in ("name", *self.variables, "tags", *lives) if name in self.fields]

    def variable_fields(self) -> list[forms.BoundField]:
        """A field for each variable of the source."""
        return [self[field] for field in self.variables]

    def lives_fields(self) -> list[forms.BoundField]:
        """How long its value lives, in seconds."""
        return [self[name] for name in ("ttl", "stale_while_revalidate", "stale_if_error")]
