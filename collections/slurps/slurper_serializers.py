"""Slurpers as REST shows and takes them."""

import re
from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from badgerjobs.lib import javascript
from badgerjobs.web.definitions.fields import check_tag
from badgerjobs.web.definitions.serializers import DefinitionSerializer
from badgerjobs.web.serializers import BoundedListField, OneOfField
from slurps.fitting import SEEN, emptied
from slurps.models import Language, Slurper
from slurps.slurper_services import MOST_SOURCES, tags_of_sources
from slurps.slurpers import all_slurpers, slurper_of

LONGEST_CODE = 200_000

# What the code of each is, for who pastes something else.
SIGNATURES: Mapping[str, str] = {
    Language.JAVASCRIPT: '(ctx, dataMap) => rows, like: return dataMap["products"].map((row) => ({...row}));',
    Language.JAVASCRIPT_BATCHES: "(ctx, rows, source) => rows, like: return rows.map((row) => ({...row}));",
}

NO_CODE = "Give the body of a function that returns rows."
IN_PYTHON = "This is Python, and the Python of tenants is not run here. Write the body of a function in JavaScript: {}"
NO_USE_OF_CODE = "Rows as they come, and those of Python, take no code: leave it out, or choose javascript."
NO_FUNCTION = "Give the id of a slurper that this installation has: {}."
NONE_HERE = "This installation has no slurper in Python: choose javascript, and write the body of a function."
NOR_ANY = f"There is no slurper “{{}}” in Python here. {NONE_HERE}"
UNKNOWN = "There is no slurper “{}” in Python here: there is {}."
NO_USE_OF_FUNCTION = "Only the language python has a function: leave it out, or choose python."
NO_SOURCES = "Name at least one source: nothing else brings rows."
TWICE = "The source “{}” is named twice: each is pulled once."

_PYTHON = re.compile(r"^\s*(?:async\s+)?def\s+\w+\s*\(|^\s*(?:import|from)\s+\w+\s*$", re.MULTILINE)


class SourceTagsField(BoundedListField):
    """Tags of sources, in their order."""

    def get_attribute(self, instance: Slurper) -> Any:
        """Those that were read with the slurper, or else those of now."""
        found = getattr(instance, "source_tags", None)
        return tags_of_sources(instance) if found is None else found


class SlurperSerializer(DefinitionSerializer):
    """A slurper: which sources are pulled in, and what is made of their rows."""

    # Addresses below slurpers/ that are of all of them.
    reserved = frozenset({"try"})
    example = "clean-products"

    language = OneOfField(
        Language.choices,
        required=False,
        help_text="What makes rows of what came: none (they stay as they come), javascript (over all rows), "
        "javascript_batches (batch by batch, for streams of any length) or python (code of this installation).",
    )
    code = serializers.CharField(
        max_length=LONGEST_CODE,
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        help_text="A function's body in JavaScript that returns a list of rows. It sees `ctx` and `dataMap` (the tag of"
        " a source → its rows); batch by batch `ctx`, `rows` and `source`. Lists leave it out.",
    )
    function = serializers.CharField(
        max_length=100,
        required=False,
        allow_blank=True,
        help_text="Of the language python: the id of a slurper that a package of this installation registers.",
    )
    sources = SourceTagsField(
        child=serializers.CharField(max_length=200, trim_whitespace=False, validators=[check_tag]),
        max_length=MOST_SOURCES,
        required=False,
        help_text="The tags of its sources, in the order in which they are pulled: at most 20, given whole.",
    )
    job_count = serializers.IntegerField(read_only=True, default=0, help_text="How many async jobs run it.")

    def validate_sources(self, tags: list[str]) -> list[str]:
        """Each once. Whether they are there, the services know."""
        if twice := [tag for place, tag in enumerate(tags) if tag in tags[:place]]:
            raise serializers.ValidationError(TWICE.format(twice[0]))
        return tags

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Look at what is given, over what was there before; what its language has no use for is empty."""
        attrs = super().validate(attrs)
        language = attrs.get("language", self._stored("language", Language.NONE.value))
        wrong = self._unfit(language, attrs)
        if language in SEEN:
            wrong |= self._wrong_code(language, attrs)
        if language == Language.PYTHON:
            wrong |= wrong or self._wrong_function(attrs)
        elif not self._sources(attrs) and (attrs.keys() & {"language", "sources"} or not self.partial):
            wrong["sources"] = [NO_SOURCES]
        if wrong:
            raise serializers.ValidationError(wrong)
        return {**attrs, "language": language, **emptied(language)}

    def to_representation(self, instance: Slurper) -> dict[str, Any]:
        """A list leaves out what is long."""
        if "code" in instance.get_deferred_fields():
            instance.code = ""
        return super().to_representation(instance)

    def _unfit(self, language: str, attrs: dict[str, Any]) -> dict[str, Any]:
        wrong: dict[str, Any] = {}
        if language not in SEEN and attrs.get("code"):
            is_python = _PYTHON.search(attrs["code"])
            wrong["code"] = [IN_PYTHON.format(SIGNATURES[Language.JAVASCRIPT]) if is_python else NO_USE_OF_CODE]
        if language != Language.PYTHON and attrs.get("function"):
            wrong["function"] = [NO_USE_OF_FUNCTION]
        return wrong

    def _wrong_code(self, language: str, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nothing, or a new body that cannot be compiled; what was stored before may stay."""
        code = attrs.get("code", self._stored("code", ""))
        if not code.strip():
            return {"code": [NO_CODE]}
        before: Any = self.instance
        if before is not None and (code, language) == (before.code, before.language):
            return {}
        application = self.context["application"]
        fault = javascript.fault(code, SEEN[language], tenant=application.workspace_id, part=application.pk)
        if fault and _PYTHON.search(code):
            return {"code": [IN_PYTHON.format(SIGNATURES[language])]}
        return {"code": [str(fault)]} if fault else {}

    def _wrong_function(self, attrs: dict[str, Any]) -> dict[str, Any]:
        name = attrs.get("function", self._stored("function", ""))
        if name and (slurper_of(name) or name == getattr(self.instance, "function", "")):
            return {}
        there_is = ", ".join(one.id for one in all_slurpers()[:20])
        if not there_is:
            return {"function": [NOR_ANY.format(name) if name else NONE_HERE]}
        return {"function": [UNKNOWN.format(name, there_is) if name else NO_FUNCTION.format(there_is)]}

    def _sources(self, attrs: dict[str, Any]) -> list[str]:
        if "sources" in attrs:
            return list(attrs["sources"])
        before: Any = self.instance
        return tags_of_sources(before) if before is not None and self.partial else []

    def _stored(self, name: str, otherwise: Any) -> Any:
        return getattr(self.instance, name) if self.instance is not None and self.partial else otherwise
