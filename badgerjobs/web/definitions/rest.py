"""Definitions by REST."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, TypeVar, cast

from django.db.models import Model
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter
from rest_framework import viewsets
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.filters import Filter, narrow
from badgerjobs.web.pagination import HeavyRows
from badgerjobs.web.problems import Invalid

SEARCH = OpenApiParameter("search", str, description="Part of the tag or the name.")

D = TypeVar("D", bound=Model)


@dataclass(frozen=True, slots=True)
class Verbs:
    """The services of one sort of definition.

    All but the first and the third take the row by the name `takes`; `clock` says what is now for them. `blank` has
    what a PUT that leaves it out sets, beside what the serializer says.
    """

    takes: str
    create: Callable[..., Any]
    update: Callable[..., Any]
    create_or_update: Callable[..., tuple[Any, bool]]
    delete: Callable[..., object]
    clock: Callable[[], datetime]
    blank: Mapping[str, Any] = field(default_factory=dict)


class DefinitionViewSet(viewsets.GenericViewSet[D]):
    """What definitions share: how each, `what` it is, is found by its tag, checked, shown, and done with by `verbs`."""

    what: ClassVar[str]
    verbs: ClassVar[Verbs]

    pagination_class = HeavyRows
    lookup_field = lookup_url_kwarg = "tag"
    path_words = {"tag": "Its tag, percent-encoded."}
    lookup_value_regex = r"[^/\x00]+"
    filters: Mapping[str, Filter] = {}

    def get_object(self) -> D:
        """The one of the address. Raises NotFound, alike where there is none and where it is another's."""
        try:
            found = super().get_object()
        except Http404:
            tag = self.kwargs["tag"]
            raise NotFound(f"There is no {self.what} with the tag “{tag}” in this application.") from None
        found.application = application_of(self.request)  # type: ignore[attr-defined]  # each has one
        return found

    def list(self, request: Request) -> Response:
        page = self.paginate_queryset(narrow(self.get_queryset(), request, self.filters))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def retrieve(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        return self._shown(self.get_object())

    def _create(self, request: Request) -> Response:
        """For POST."""
        fields, place = self._checked(request.data), application_of(request)
        row = self.verbs.create(application=place, by=holder_of(request), now=self.verbs.clock(), **fields)
        return self._shown(row, status=201)

    def _change(self, request: Request) -> Response:
        """For PATCH."""
        row, verbs = self.get_object(), self.verbs
        changes = self._changes(request, row)
        by, now = holder_of(request), verbs.clock()
        return self._shown(verbs.update(**{verbs.takes: row}, by=by, now=now, **changes))

    def _put(self, request: Request, tag: str) -> Response:
        """For PUT."""
        fields = {**self.verbs.blank, **self._whole(request, tag)}
        place, by, now = application_of(request), holder_of(request), self.verbs.clock()
        row, made = self.verbs.create_or_update(application=place, by=by, now=now, **fields)
        return self._shown(row, status=201 if made else 200)

    def _delete(self, request: Request) -> Response:
        """For DELETE."""
        verbs = self.verbs
        verbs.delete(**{verbs.takes: self.get_object()}, by=holder_of(request), now=verbs.clock())
        return Response(status=204)

    def _shown(self, row: D, status: int = 200) -> Response:
        return Response(self.get_serializer(row).data, status=status)

    def _checked(self, data: Any, row: D | None = None, *, partial: bool = False) -> dict[str, Any]:
        context = {"application": application_of(self.request)}
        serializer = self.get_serializer_class()(row, data=data, partial=partial, context=context)
        serializer.is_valid(raise_exception=True)
        return cast("dict[str, Any]", serializer.validated_data)

    def _changes(self, request: Request, row: D) -> dict[str, Any]:
        """What a PATCH gives. A tag may be repeated, and is never changed."""
        fields = self._checked(request.data, row, partial=True)
        return {name: value for name, value in fields.items() if name != "tag"}

    def _whole(self, request: Request, tag: str) -> dict[str, Any]:
        """What a PUT gives, for the tag of the address. Raises Invalid for another one."""
        data: dict[str, Any] = request.data  # type: ignore[assignment]  # the parser takes nothing but objects
        if data.get("tag", tag) != tag:
            raise Invalid(tag=f"The address says “{tag}”: leave the tag out, or give the same.")
        found = self.get_queryset().filter(tag=tag).first()
        return {"name": tag, **self._checked({**data, "tag": tag}, found), "tag": tag}
