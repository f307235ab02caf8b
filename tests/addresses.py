"""Every address that there is, as the resolver has them and not a list: what tests of all of them walk."""

import re
from collections.abc import Iterator, Mapping

from django.urls import URLPattern, URLResolver

# What programs ask. Everything else is a page.
FOR_PROGRAMS = ("/api/", "/echo/", "/graphql", "/healthz", "/hooks/", "/metrics")


def addresses(resolver: URLResolver, before: str = "/") -> Iterator[tuple[str, URLPattern]]:
    """Every address with its pattern; parameters as {name}, however the pattern spells them."""
    for pattern in resolver.url_patterns:
        route = before + re.sub(r"^\^|\\Z$|\$$", "", str(pattern.pattern))
        route = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^)]*\))*\)|<(?:\w+:)?(\w+)>", r"{\1\2}", route)
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern, route.removesuffix("^"))
        else:
            yield route.replace("/^", "/"), pattern


def filled(address: str, rows: Mapping[str, str]) -> str:
    """An address with what stands for its parameters: `rows` by their name, or by the folder before it and the name.

    Raises KeyError for a parameter that `rows` does not know.
    """
    for folder, name in re.findall(r"(?:([\w-]+)/)?{(\w+)}", address):
        value = rows.get(f"{folder}/{name}") or rows[name]
        address = address.replace(f"{{{name}}}", value, 1)
    return address
