"""Trying a source out from its form: what stands there afterwards, or why there was nothing to try."""

from typing import Any

from rest_framework import serializers

from badgerjobs.runs.fleet import database_now
from badgerjobs.sources.forms import VALUE, SourceForm
from badgerjobs.sources.looks import TRANSFORM
from badgerjobs.sources.row_trials import gives_rows
from badgerjobs.sources.trials import try_source, try_transform
from badgerjobs.sources.trials_shown import TransformedShown, TrialShown
from badgerjobs.web.definitions import json_text
from badgerjobs.web.definitions.form import PREFIX
from badgerjobs.web.definitions.inputs import flat, plain
from badgerjobs.web.pages import PageRequest, actor_of
from badgerjobs.web.serializer_forms import first_sentence
from badgerjobs.web.trials import TooManyTrialsError

NO_CODE = "There is no code yet: without a transform the answer is kept as it is."
NO_EXAMPLE = "Paste an example of an answer first."


def tried(request: PageRequest, form: SourceForm) -> dict[str, Any]:
    """What the part `#tried` shows: `tried`, what came of the call; `in_the_way` or `refused`, why there was none."""
    if in_the_way := form.in_the_way():
        return {"in_the_way": in_the_way}
    configuration = form.told["configuration"]
    try:
        trial = try_source(
            source=form.source(),
            configuration=configuration,
            values=_values(request, form),
            by=actor_of(request),
            now=database_now(),
        )
    except serializers.ValidationError as error:
        return {"refused": [first_sentence(said) for said in flat(error.detail).values()]}
    except TooManyTrialsError as error:
        return {"refused": [str(error)]}
    is_of_rows = gives_rows(form.source(), configuration)
    transforms = bool(configuration.get(TRANSFORM, "").strip())
    return {"tried": TrialShown(trial, has_transform=transforms, is_of_rows=is_of_rows)}


def transformed(request: PageRequest, form: SourceForm) -> dict[str, Any]:
    """What the part `#transformed` shows: `transformed`; or `transform_refused`, field and sentence that say why not.

    Only the code is judged: the rest may be half typed.
    """
    field = PREFIX + TRANSFORM
    code, example = plain(form.data.get(field, "")), request.POST.get("example", "")
    if not code.strip():
        return {"transform_refused": [(field, NO_CODE)]}
    if wrong := [(field, str(said)) for said in form.errors.get(field, [])]:
        return {"transform_refused": wrong}
    if not example.strip():
        return {"transform_refused": [("example", NO_EXAMPLE)]}
    try:
        done = try_transform(
            application=form.application, code=code, response=_response(example), variables=_values(request, form)
        )
    except json_text.BadJSONError as error:
        return {"transform_refused": [("example", f"Example response: {error}")]}
    except TooManyTrialsError as error:
        return {"transform_refused": [("", str(error))]}
    return {"transformed": TransformedShown(done)}


def _values(request: PageRequest, form: SourceForm) -> dict[str, str]:
    """Variable → what was typed for it; an empty text where nothing was."""
    return {name: request.POST.get(VALUE + name, "").replace("\0", "") for name in form.declared}


def _response(example: str) -> Any:
    """What a transform is given of such an answer: JSON, or a text. Raises BadJSONError for what was to be JSON."""
    try:
        return json_text.read(example)
    except json_text.BadJSONError:
        if example.lstrip().startswith(("{", "[")):
            raise
        return example
