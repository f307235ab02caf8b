"""In which order REST lists background tasks, and the pages of such a list."""

from typing import Any, cast

from django.db.models.functions import Lower
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from badgerjobs.web.cursors import BadCursorError, Page, page_of
from badgerjobs.web.pagination import NewestFirst
from badgerjobs.web.problems import Invalid
from tasks.background.reading import STATUS
from tasks.background.refusing import BAD_CURSOR
from tasks.models import BackgroundRun
from tasks.querysets import BackgroundRunQuerySet

# What the address calls it → what is sorted by.
SORTS = {
    "created_at": "pk",
    "saved_at": "saved_at",
    "started_at": "run__started_at",
    "finished_at": "run__finished_at",
    "name": "title",
    "definition": "definition",
    "status": "standing",
}
FIRST_SORT = "-created_at"
SAID = f"{', '.join(SORTS)}, each also with - in front"


def in_order(tasks: BackgroundRunQuerySet, value: str) -> BackgroundRunQuerySet:
    """These in the order that is asked for: `name`, or `-name` from the end. Raises ValueError."""
    name = value.removeprefix("-")
    if name not in SORTS:
        raise ValueError(f"“{value[:100]}” is none of {SAID}.")
    # Names as people sort them, in any case.
    sortable = tasks.annotate(title=Lower("name"), standing=STATUS)
    return sortable.order_by(f"-{SORTS[name]}" if value.startswith("-") else SORTS[name])


class InTheirOrder(NewestFirst):
    """Pages of rows in the order that they have been given: a cursor holds for that one alone."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:  # noqa: ARG002
        """The rows of one page. Raises Invalid for a `limit` or a `cursor` that is none."""
        order = str((queryset.query.order_by or [self.ordering])[0])
        given = request.query_params.get(self.cursor_query_param, "")
        size = self.get_page_size(request)
        try:
            found = page_of(queryset, order=order, cursor=given, size=size, strict=True)
        except BadCursorError:
            raise Invalid(cursor=BAD_CURSOR) from None
        self._found = cast("Page[BackgroundRun]", found)
        self._address = request.build_absolute_uri()
        return self._found.rows

    def get_next_link(self) -> str | None:
        """The address of the page after this one."""
        return self._link(self._found.later)

    def get_previous_link(self) -> str | None:
        """The address of the page before this one."""
        return self._link(self._found.earlier)

    def _link(self, cursor: str) -> str | None:
        return replace_query_param(self._address, self.cursor_query_param, cursor) if cursor else None
