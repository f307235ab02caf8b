"""Collections by REST, below the async job that fills them."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.filters import narrow
from badgerjobs.web.idempotency import idempotent
from badgerjobs.web.pagination import NewestFirst
from slurps.collecting import examples, services
from slurps.collecting.serializers import CollectionSerializer
from slurps.models import AsyncJob, Collection

NO_JOB = "There is no async job with the tag “{}” in this application."
NO_COLLECTION = "The async job “{}” has no collection with the name “{}”."

TAG_WORDS = "The async job's tag, percent-encoded."


def job_of(request: Request, tag: str) -> AsyncJob:
    """The async job of the address. Raises NotFound, alike where there is none and where it is another's."""
    application = application_of(request)
    job = AsyncJob.objects.for_application(application).filter(tag=tag).first()
    if job is None:
        raise NotFound(NO_JOB.format(tag))
    job.application = application
    return job


def collection_of(request: Request, tag: str, name: str) -> Collection:
    """The collection of the address. Raises NotFound."""
    job = job_of(request, tag)
    collections = Collection.objects.for_application(job.application).whole()
    collection = collections.filter(async_job=job, name=name).first()
    if collection is None:
        raise NotFound(NO_COLLECTION.format(tag, name))
    collection.application = job.application
    return collection


@extend_schema_view(
    list=extend_schema(summary="List the collections of an async job", responses=CollectionSerializer(many=True)),
)
class CollectionViewSet(viewsets.GenericViewSet[Collection]):
    """The collections of an async job, newest first. At most one is active: the one that runs fill."""

    serializer_class = CollectionSerializer
    queryset = Collection.objects.none()
    pagination_class = NewestFirst
    lookup_field = lookup_url_kwarg = "name"
    lookup_value_regex = r"[^/\x00]+"
    path_words = {"tag": TAG_WORDS, "name": "The collection's name."}

    def list(self, request: Request, tag: str) -> Response:
        job = job_of(request, tag)
        collections = Collection.objects.for_application(job.application).in_rows().filter(async_job=job)
        page = self.paginate_queryset(narrow(collections, request, {}))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(summary="Read a collection's settings")
    def retrieve(self, request: Request, tag: str, name: str) -> Response:
        """Its rows are at `/api/v1/collections/{name}/`."""
        return self._shown(collection_of(request, tag, name))

    @extend_schema(summary="Create a collection", responses={201: CollectionSerializer}, examples=[examples.CREATE])
    @idempotent
    def create(self, request: Request, tag: str) -> Response:
        """409 when another collection of the application has the name. It is filled once it is activated."""
        job = job_of(request, tag)
        fields = self._checked(request.data)
        made = services.create_collection(job=job, by=holder_of(request), now=database_now(), **fields)
        return self._shown(made, status=201)

    @extend_schema(summary="Change a collection", examples=[examples.CHANGE])
    def partial_update(self, request: Request, tag: str, name: str) -> Response:
        """How many versions are kept, what is indexed, its guards, and who may read it. 409 while a run fills it."""
        collection = collection_of(request, tag, name)
        fields = self._checked(request.data, collection)
        changes = {name: value for name, value in fields.items() if name not in {"name", "mode", "key"}}
        by, now = holder_of(request), database_now()
        return self._shown(services.update_collection(collection=collection, by=by, now=now, **changes))

    @extend_schema(summary="Delete a collection, its versions and their rows")
    def destroy(self, request: Request, tag: str, name: str) -> Response:
        """Its async job stays, and stores nothing before another collection is activated."""
        collection = collection_of(request, tag, name)
        services.delete_collection(collection=collection, by=holder_of(request), now=database_now())
        return Response(status=204)

    @extend_schema(summary="Activate a collection", request=None, responses=CollectionSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def activate(self, request: Request, tag: str, name: str) -> Response:
        """Runs of its async job fill it from now on. The one that was active before is not any more."""
        collection = collection_of(request, tag, name)
        return self._shown(services.activate(collection=collection, by=holder_of(request), now=database_now()))

    @extend_schema(summary="Deactivate a collection", request=None, responses=CollectionSerializer)
    @action(detail=True, methods=["post"])
    @idempotent
    def deactivate(self, request: Request, tag: str, name: str) -> Response:
        """Runs of its async job store nothing before another one is activated. It can be read as before."""
        collection = collection_of(request, tag, name)
        return self._shown(services.deactivate(collection=collection, by=holder_of(request), now=database_now()))

    def _shown(self, collection: Collection, status: int = 200) -> Response:
        return Response(self.get_serializer(collection).data, status=status)

    def _checked(self, data: Any, collection: Collection | None = None) -> dict[str, Any]:
        serializer = CollectionSerializer(collection, data=data, partial=collection is not None)
        serializer.is_valid(raise_exception=True)
        return cast("dict[str, Any]", serializer.validated_data)
