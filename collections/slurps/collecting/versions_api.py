"""The versions of a collection by REST."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.authentication import holder_of
from badgerjobs.web.filters import narrow, one_of
from badgerjobs.web.idempotency import idempotent
from badgerjobs.web.pagination import HeavyRows
from badgerjobs.web.problems import Conflict, Invalid
from slurps.collecting import version_services
from slurps.collecting.api import TAG_WORDS, collection_of
from slurps.collecting.differences import difference
from slurps.collecting.reading.rights import ensure_may_read
from slurps.collecting.serializers import CollectionSerializer
from slurps.collecting.version_serializers import CollectionVersionSerializer, DifferenceSerializer
from slurps.models import Collection, Stage, Version

# Stands in the address for the result that waits, which has no number yet.
HELD = "held"

NO_VERSION = "The collection “{}” has no version {}, or does not keep it any more."
NONE_HELD = "No result waits for approval in “{}”."
NOT_HELD = "Version {} is ready: only the result that waits is approved or dropped, at versions/held/."
NO_NUMBER = "The result that waits has no number yet: approve it first."
NOT_A_VERSION = "Give the number of a version, or “held” for the result that waits."

STAGES = [stage for stage in Stage.values if stage != Stage.RETIRED]
VERSION_FILTERS: dict[str, Any] = {
    "stage": lambda versions, value: versions.filter(stage__in=one_of(STAGES, value.lower())),
}


class VersionViewSet(viewsets.GenericViewSet[Version]):
    """The versions of a collection that are kept, newest first, and what is loaded or waits just now."""

    serializer_class = CollectionVersionSerializer
    queryset = Version.objects.none()
    pagination_class = HeavyRows  # each with its columns, of which there may be a thousand
    lookup_field = lookup_url_kwarg = "number"
    lookup_value_regex = r"[^/.]+"
    path_words = {
        "tag": TAG_WORDS,
        "name": "The collection's name.",
        "number": "The version's number; `held` for the result that waits for approval.",
    }

    @extend_schema(
        summary="List the versions of a collection",
        responses=CollectionVersionSerializer(many=True),
        parameters=[OpenApiParameter("stage", str, description=f"One or more of {', '.join(STAGES)}, with commas.")],
    )
    def list(self, request: Request, tag: str, name: str) -> Response:
        collection = collection_of(request, tag, name)
        versions = Version.objects.for_application(collection.application).filter(collection=collection)
        told = versions.filter(stage__in=STAGES).defer("known", "remembered")
        page: Any = self.paginate_queryset(narrow(told, request, VERSION_FILTERS))
        for version in page:
            version.collection = collection
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(summary="Read what is known of a version")
    def retrieve(self, request: Request, tag: str, name: str, number: str) -> Response:
        """Its rows are at `/api/v1/collections/{name}/?version={number}`."""
        return self._shown(_version_of(collection_of(request, tag, name), number))

    @extend_schema(summary="Approve the result that waits", request=None, responses=CollectionVersionSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def approve(self, request: Request, tag: str, name: str, number: str) -> Response:
        """Readers see it from now on. 409 where none waits under this address."""
        version = _held(collection_of(request, tag, name), number)
        made = version_services.approve_version(version=version, by=holder_of(request), now=database_now())
        return self._again(request, tag, name, made)

    @extend_schema(summary="Drop the result that waits", request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    @idempotent
    def drop(self, request: Request, tag: str, name: str, number: str) -> Response:
        """As if its run had failed: readers see what they saw."""
        version = _held(collection_of(request, tag, name), number)
        version_services.drop_version(version=version, by=holder_of(request), now=database_now())
        return Response(status=204)

    @extend_schema(
        summary="Roll a collection back to a version", request=None, responses={201: CollectionVersionSerializer}
    )
    @action(detail=True, methods=["post"], url_path="roll-back")
    @idempotent
    def roll_back(self, request: Request, tag: str, name: str, number: str) -> Response:
        """Makes a new version with its rows, on which the next run goes on. 409 while a run fills the collection."""
        version = _numbered(collection_of(request, tag, name), number)
        made = version_services.roll_back_to(version=version, by=holder_of(request), now=database_now())
        return self._again(request, tag, name, made, status=201)

    @extend_schema(summary="Pin a version", request=None, responses=CollectionSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def pin(self, request: Request, tag: str, name: str, number: str) -> Response:
        """Readers see it until it is unpinned, whatever runs bring meanwhile. It is kept as long."""
        version = _numbered(collection_of(request, tag, name), number)
        collection = version_services.pin_version(version=version, by=holder_of(request), now=database_now())
        return Response(CollectionSerializer(collection).data)

    @extend_schema(summary="Unpin a version", request=None, responses=CollectionSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def unpin(self, request: Request, tag: str, name: str, number: str) -> Response:
        """Readers see the newest one again. 409 if it is not this one that is pinned."""
        version = _numbered(collection_of(request, tag, name), number)
        collection = version_services.unpin_version(version=version, by=holder_of(request), now=database_now())
        return Response(CollectionSerializer(collection).data)

    @extend_schema(
        operation_id="async_jobs_collections_versions_difference",
        summary="Compare two versions",
        parameters=[
            OpenApiParameter(
                "from", str, description="The earlier one's number; the one before the other's by default."
            ),
            OpenApiParameter("to", str, description="The later one's number, or `held`; the newest one's by default."),
        ],
        responses=DifferenceSerializer,
        filters=False,
    )
    @action(detail=False, pagination_class=None)
    def difference(self, request: Request, tag: str, name: str) -> HttpResponse:
        """Which rows were added, removed and changed: how many, and the first hundred. For its readers alone."""
        collection = collection_of(request, tag, name)
        ensure_may_read(request, collection)
        later = _asked(collection, "to", request.query_params.get("to")) or collection.current
        if later is None:
            raise Conflict(f"The collection “{name}” has no version yet.")
        earlier = _asked(collection, "from", request.query_params.get("from")) or _before(collection, later)
        return HttpResponse(difference(collection, earlier, later), content_type="application/json")

    def _shown(self, version: Version, status: int = 200) -> Response:
        return Response(self.get_serializer(version).data, status=status)

    def _again(self, request: Request, tag: str, name: str, version: Version, status: int = 200) -> Response:
        version.collection = collection_of(request, tag, name)
        return self._shown(version, status)


def _version_of(collection: Collection, number: str) -> Version:
    """Raises NotFound."""
    versions = Version.objects.for_application(collection.application).filter(collection=collection)
    if number == HELD:
        found = versions.filter(stage=Stage.HELD).first()
    else:
        is_number = number.isascii() and number.isdigit() and len(number) <= 9
        found = versions.filter(stage=Stage.READY, number=int(number)).first() if is_number else None
    if found is None:
        missing = NONE_HELD.format(collection.name) if number == HELD else NO_VERSION.format(collection.name, number)
        raise NotFound(missing)
    found.collection = collection
    return found


def _held(collection: Collection, number: str) -> Version:
    version = _version_of(collection, number)
    if version.stage != Stage.HELD:
        raise Conflict(NOT_HELD.format(number))
    return version


def _numbered(collection: Collection, number: str) -> Version:
    version = _version_of(collection, number)
    if version.stage != Stage.READY:
        raise Conflict(NO_NUMBER)
    return version


def _asked(collection: Collection, name: str, given: str | None) -> Version | None:
    if given is None:
        return None
    if given != HELD and not (given.isascii() and given.isdigit() and len(given) <= 9):
        raise Invalid(**{name: NOT_A_VERSION})
    return _version_of(collection, given)


def _before(collection: Collection, version: Version) -> Version | None:
    """The one that it follows; None for the first that there is."""
    ready = Version.objects.for_application(collection.application).filter(collection=collection).ready()
    if version.number is None:
        return ready.first()
    return ready.filter(number__lt=version.number).first()
