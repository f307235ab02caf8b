"""A slurper as a form. Every rule is the serializer's; the form only speaks to people."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from badgerjobs.runs.policy_form import described
from badgerjobs.sources.models import DataSource
from badgerjobs.sources.types import SOURCE_TYPES, type_of
from badgerjobs.web.definitions.inputs import flat, plain
from badgerjobs.web.definitions.named_form import NamedForm
from badgerjobs.web.serializer_forms import LENIENT
from badgerjobs.workspaces.models import Application
from slurps.fitting import SEEN
from slurps.models import Language, Slurper
from slurps.offering import offered
from slurps.slurper_serializers import SlurperSerializer
from slurps.slurper_services import MOST_SOURCES, tags_of_sources
from slurps.slurpers import all_slurpers, slurper_of

# What each language is, in a sentence.
MEANS: Mapping[str, str] = {
    Language.NONE: "No code: the rows of its sources are stored as they come.",
    Language.JAVASCRIPT: "A function's body over ctx and dataMap, which has all rows of each source by its tag.",
    Language.JAVASCRIPT_BATCHES: "A function's body over ctx, rows and source, called for each batch as it comes: for "
    "sources of any length.",
    Language.PYTHON: "A function that whoever runs this installation has registered. Nobody can write one here.",
}


class SourcesWidget(forms.Widget):
    """Reads the choices that were made, in their order; the empty ones too."""

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:  # noqa: ARG002
        """Give the tags."""
        return list(data.getlist("source")) if isinstance(data, QueryDict) else list(data.get(name, []))


class SlurperForm(NamedForm):
    """A slurper. `slurper` is the one being changed; `so_far` is what was typed, to be shown again and not judged."""

    no_name = "Give the slurper a name, like clean-products."

    sources = forms.Field(label="Sources", widget=SourcesWidget, **LENIENT)
    language = forms.ChoiceField(label="Makes of them", choices=Language.choices, widget=forms.RadioSelect, **LENIENT)
    code = forms.CharField(
        label="Code",
        strip=False,
        widget=forms.Textarea({"rows": "12", "spellcheck": "false", "autocapitalize": "off",
                               "data-editor": "javascript"}),
        **LENIENT,
    )  # fmt: skip
    function = forms.CharField(label="Function", widget=forms.Select, **LENIENT)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        application: Application,
        slurper: Slurper | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(data, auto_id="%s")
        self.application, self.slurper = application, slurper
        self.initial = {**initial_of(slurper), **(initial or {})}
        with_rows = DataSource.objects.for_application(application).filter(type__in=_with_rows())
        self.offered = offered(with_rows, self["sources"].value() or [])
        known = [(one.id, one.title) for one in all_slurpers()]
        if slurper and slurper.function and slurper_of(slurper.function) is None:
            known.append((slurper.function, f"{slurper.function}, which is not here"))
        has_python = bool(known or (slurper and slurper.language == Language.PYTHON))
        if not has_python:
            self.fields["language"].choices = [one for one in Language.choices if one[0] != Language.PYTHON]  # type: ignore[attr-defined]
        self.fields["function"].widget.choices = [("", "Choose one"), *known]

    def languages(self) -> list[tuple[Any, str]]:
        """Each choice, and what it means."""
        return [(described(radio), MEANS[radio.data["value"]]) for radio in self["language"]]

    def source_rows(self) -> list[tuple[int, str]]:
        """Number and tag of each source that is chosen, and one more to choose."""
        chosen = [tag for tag in self["sources"].value() or [] if tag]
        return list(enumerate([*chosen, ""][:MOST_SOURCES], start=1))

    def clean(self) -> dict[str, Any]:
        """Tell everything to the serializer: people want to know all at once."""
        self.told = self._told()
        context = {"application": self.application}
        judged = SlurperSerializer(self.slurper, data=self.told, partial=self.slurper is not None, context=context)
        for name, said in flat({} if judged.is_valid() else judged.errors).items():
            self.refuse(name.partition(".")[0], said)
        self.given = dict(judged.validated_data) if not self.errors else {}
        return self.cleaned_data

    def _told(self) -> dict[str, Any]:
        """What its language has a use for."""
        language = self.cleaned_data.get("language", "")
        told = {**self.named_told(self.slurper), "language": language}
        told["sources"] = [tag for tag in self.cleaned_data.get("sources") or [] if tag]
        if language in SEEN:
            told["code"] = plain(self.cleaned_data.get("code", ""))
        if language == Language.PYTHON:
            told["function"] = self.cleaned_data.get("function", "")
        return told

    def refuse(self, field: str, said: Any) -> None:
        """The tag's sentence where the name stands for it."""
        if field == "tag":
            field, said = self.of_tag(said)
        super().refuse(field, said)

    def in_order(self) -> Iterable[str]:
        """The fields in their order on the page."""
        return ("name", "tag", "sources", "language", "function", "code")


def add_or_remove(data: QueryDict, do: str) -> bool:
    """Add a source or take one away, as a button says: `add-source`, `remove-source:2`; whether it said so."""
    verb, _, number = do.partition(":")
    tags = [tag for tag in data.getlist("source") if tag]
    if verb == "remove-source" and number.isdecimal() and 0 < int(number[:3]) <= len(tags):
        del tags[int(number[:3]) - 1]
    data.setlist("source", tags)
    return verb in {"add-source", "remove-source"}


def initial_of(slurper: Slurper | None) -> dict[str, Any]:
    """A stored one as the form shows it; or what a new one begins with."""
    if slurper is None:
        return {"language": Language.NONE}
    names = ("name", "tag", "language", "code", "function")
    return {**{name: getattr(slurper, name) for name in names}, "sources": tags_of_sources(slurper)}


def _with_rows() -> list[str]:
    """The types of sources that give rows."""
    return [name for name in SOURCE_TYPES if type_of(name).pull is not None]
