"""Rows out of JSON answers, page by page: what REST says of its pages, and what all of them do alike."""

from abc import abstractmethod
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from rest_framework import serializers

from badgerjobs.lib import handlebars
from badgerjobs.lib.json_paths import parse
from badgerjobs.outbound.calls import Call
from badgerjobs.sources.authentication import API_KEY, QUERY, with_query
from badgerjobs.sources.rows.json_pages import JSONPage
from badgerjobs.sources.rows.pages import CURSOR, LINK, NEXT, NONE, OFFSET, PAGE, Pages
from badgerjobs.sources.rows.paths import PathField
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.pulls import Chunk, Pull
from badgerjobs.sources.rows.remembering import own_placeholders, start_of
from badgerjobs.sources.types.requests import request_of, templates
from badgerjobs.web.serializers import OneOfField

MOST_PAGES, MOST_USUALLY = 100_000, 1000
NAMES = {PAGE: "page", OFFSET: "offset", CURSOR: "cursor"}
NEEDS_PATH = {
    CURSOR: "Say where the cursor of the next page is in the answer, like $.next_cursor.",
    NEXT: "Say where the link to the next page is in the answer, like $.next.",
}


def most_pages_field() -> serializers.IntegerField:
    """How far pages are read."""
    words = f"With more pages than these the pull fails, and says so: 1 to {MOST_PAGES:,}."
    return serializers.IntegerField(default=MOST_USUALLY, min_value=1, max_value=MOST_PAGES, help_text=words)


class PagedConfiguration(serializers.Serializer[Any]):
    """Where the rows are in an answer, and how to ask for the next page."""

    rows = PathField(
        default="",
        help_text="Where the rows are in an answer, like $.data.items[*]; empty: the answer is a list of them.",
    )
    pages = OneOfField(
        [
            (NONE, "One answer has all rows"),
            (PAGE, "By number"),
            (OFFSET, "By offset"),
            (CURSOR, "By a cursor in the answer"),
            (NEXT, "By a link in the answer"),
            (LINK, "By the Link header"),
        ],
        default=NONE,
        help_text="How the next page is asked for: none, page, offset, cursor, next or link.",
    )
    page_path = PathField(
        default="",
        help_text="Where the cursor or the link is in an answer, like $.next; with page and offset, what says whether "
        "there are more.",
    )
    page_parameter = serializers.CharField(
        default="",
        allow_blank=True,
        max_length=200,
        help_text="The parameter with the number, offset or cursor; page, offset or cursor unless given. None is added "
        "where {{page}} stands in the request.",
    )
    page_start = serializers.IntegerField(
        default=1, min_value=0, max_value=1_000_000, help_text="Number of the first page, where they have numbers."
    )
    page_size_parameter = serializers.CharField(
        default="", allow_blank=True, max_length=200, help_text="The parameter that says how long a page is; or none."
    )
    page_size = serializers.IntegerField(
        default=100, min_value=1, max_value=1_000_000, help_text="What it says. What comes may be fewer rows."
    )
    most_pages = most_pages_field()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What leads to the next page must be somewhere."""
        attrs = super().validate(attrs)
        if (needed := NEEDS_PATH.get(attrs["pages"])) and not attrs["page_path"]:
            raise serializers.ValidationError({"page_path": [needed]})
        return attrs


def reserved(configuration: Mapping[str, Any]) -> set[str]:
    """The placeholders that pulls fill themselves."""
    return own_placeholders(configuration) | ({"page"} if configuration.get("pages") in NAMES else set())


def pages_of(configuration: Mapping[str, Any]) -> Pages:
    """Where a pull begins."""
    return Pages(
        configuration.get("pages", NONE),
        parse(configuration.get("page_path", "")),
        start=configuration.get("page_start", 1),
        most=configuration.get("most_pages", MOST_USUALLY),
    )


def first_of(configuration: Mapping[str, Any], values: Mapping[str, Any], now: datetime) -> Call:
    """The call for the first page. Raises TemplateError and UnsendableError."""
    return call_of(configuration, {**start_of(configuration, None), **values}, now, pages_of(configuration))


def call_of(configuration: Mapping[str, Any], values: Mapping[str, Any], now: datetime, pages: Pages) -> Call:
    """The call for the page that comes next. Raises TemplateError and UnsendableError."""
    if pages.kind not in NAMES:
        call = request_of(configuration, values, now)
        if pages.at is None:
            return replace(call, url=with_query(call.url, _size(configuration)))
        return replace(call, url=without_key(pages.at, configuration))
    asked: dict[str, str] = {}
    if pages.at is not None and not _has_place(configuration):
        asked[configuration.get("page_parameter") or NAMES[pages.kind]] = str(pages.at)
    call = request_of(configuration, {**values, "page": pages.at}, now)
    return replace(call, url=with_query(call.url, {**asked, **_size(configuration)}))


def _size(configuration: Mapping[str, Any]) -> dict[str, str]:
    name = configuration.get("page_size_parameter")
    return {name: str(configuration["page_size"])} if name and configuration["pages"] != NONE else {}


def _has_place(configuration: Mapping[str, Any]) -> bool:
    return any("page" in handlebars.names(text) for text in templates(configuration))


def without_key(url: str, configuration: Mapping[str, Any]) -> str:
    """A link as it is called: a key that it repeats is put behind it again."""
    if configuration["authentication"] != API_KEY or configuration["api_key_in"] != QUERY:
        return url
    parts = urlsplit(url)
    if configuration["api_key_name"] not in dict(parse_qsl(parts.query, keep_blank_values=True)):
        return url
    kept = [one for one in parts.query.split("&") if dict(parse_qsl(one, keep_blank_values=True)).keys()
            != {configuration["api_key_name"]}]  # fmt: skip
    return parts._replace(query="&".join(kept)).geturl()


class PagedPull(Pull):
    """All pages of a source whose answers are JSON."""

    @abstractmethod
    def pages(self) -> Pages:
        """Where it begins."""

    @abstractmethod
    def call(self, values: Mapping[str, Any], pages: Pages) -> Call:
        """What asks for the next page. Raises ValueError for what cannot be filled."""

    def look(self, rest: Any) -> None:
        """Judge what an answer is besides its rows. Raises PullError."""

    async def chunks(self) -> AsyncGenerator[Chunk, None]:
        """See `Pull`."""
        values, pages = self.values(), self.pages()
        steps = parse(self.configuration.get("rows", ""))
        while True:
            try:
                call = self.call(values, pages)
            except ValueError as error:
                raise PullError("variables", str(error), retry=False) from None
            page = JSONPage(self, call, steps, pages, self.look)
            try:
                async with aclosing(page.chunks()) as chunks:
                    async for chunk in chunks:
                        yield chunk
            except PullError as error:
                if not pages.ends_with(error.status):
                    raise
                return
            if not pages.turn(page.read):
                return


class RESTPull(PagedPull):
    """All pages of a REST source."""

    def pages(self) -> Pages:
        """See `pages_of`."""
        return pages_of(self.configuration)

    def call(self, values: Mapping[str, Any], pages: Pages) -> Call:
        """See `call_of`."""
        return call_of(self.configuration, values, self.given.now, pages)
