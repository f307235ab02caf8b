"""Requests with placeholders: what may stand where, how values are escaped there, and whom such a request goes to."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from rest_framework import serializers

from badgerjobs.lib import handlebars
from badgerjobs.lib.handlebars import Filling, Place, TemplateError
from badgerjobs.outbound.headers import check_headers
from badgerjobs.outbound.targets import UnsendableError, check_url, target_of

# Up to where a URL says whom it calls.
ORIGIN = re.compile(r"[^/]*//[^/?#]*")
FIXED = "Scheme, host and port are fixed: placeholders may stand in the path and the query only."

Check = Callable[[str], None]


def check_url_template(url: str) -> None:
    """Refuse what cannot be called, whoever it is for: a host that a value chose could be anybody's."""
    origin = ORIGIN.match(url)
    if origin and "{{" in origin[0]:
        raise serializers.ValidationError(FIXED)
    try:
        check_url("".join(f"{plain}x" if path else plain for plain, path in handlebars.split(url)))
    except UnsendableError as error:
        raise serializers.ValidationError(str(error)) from None


def check_header_templates(headers: Mapping[str, str], check: Check = handlebars.check) -> None:
    """Refuse values that are no templates. `check` raises TemplateError for one."""
    for name, value in headers.items():
        try:
            check(value)
        except TemplateError as error:
            raise serializers.ValidationError(f"{name}: {error}") from None


def filled_headers(headers: Mapping[str, str], filling: Filling) -> dict[str, str]:
    """With the values in them. Raises TemplateError, and UnsendableError for what cannot be sent."""
    filled = {name: filling.render(value, Place.HEADER) for name, value in headers.items()}
    check_headers(filled.items())
    return filled


def place_of_body(headers: Mapping[str, str], body: str) -> Place:
    """How values are escaped in a body: as its Content-Type says, and without one as JSON where it begins like it."""
    types = (value for name, value in headers.items() if name.lower() == "content-type")
    kind = next(types, "").partition(";")[0].strip().lower()
    if kind == "application/json" or kind.endswith("+json"):
        return Place.JSON
    if kind == "application/x-www-form-urlencoded":
        return Place.FORM
    begins = body.lstrip()[:2]
    return Place.JSON if not kind and begins[:1] in {"{", "["} and begins != "{{" else Place.TEXT


def origin_of(url: Any) -> tuple[str, str, int] | None:
    """Whom a URL is called at, as scheme, host and port; placeholders may follow. None for what is no URL."""
    found = ORIGIN.match(url) if isinstance(url, str) else None
    try:
        return target_of(found[0]).origin if found else None
    except UnsendableError:
        return None
