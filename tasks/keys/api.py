"""Cache keys by REST. Their values are delivered by `cache/`."""

from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.runs.fleet import database_now
from badgerjobs.runs.run_serializers import RunSerializer
from badgerjobs.web.asked import asked_of
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.filters import narrow
from badgerjobs.web.idempotency import idempotent
from badgerjobs.web.pagination import NewestFirst
from badgerjobs.web.problems import Invalid
from tasks.keys import examples, services
from tasks.keys.choosing import KEYS_DESCRIBED, chosen, key_filters
from tasks.keys.many import MOST, delete_keys, upsert_keys
from tasks.keys.serializers import (
    KeyChoiceSerializer,
    KeyCountSerializer,
    KeySerializer,
    Sources,
    UpsertedSerializer,
    UpsertSerializer,
    WholeKeySerializer,
)
from tasks.models import CacheKey, KeySync
from tasks.syncs.asking import refresh_key
from tasks.syncs.choosing import SYNC_FILTERS, SYNCS_DESCRIBED
from tasks.syncs.serializers import SyncSerializer

# Of the syncs of one key.
KEY_SYNC_FILTERS = {"state": SYNC_FILTERS["state"]}
KEY_SYNCS_DESCRIBED = [one for one in SYNCS_DESCRIBED if one.name in KEY_SYNC_FILTERS]


class KeyViewSet(viewsets.GenericViewSet[CacheKey]):
    """The cache keys of the token's application, newest first. A key's address is its name."""

    serializer_class = WholeKeySerializer
    queryset = CacheKey.objects.none()
    pagination_class = NewestFirst
    lookup_field = lookup_url_kwarg = "name"
    path_words = {"name": "The key's name, percent-encoded."}
    lookup_value_regex = r"[^/\x00]+"

    def get_queryset(self) -> QuerySet[CacheKey]:
        """The application's keys with their sources, and what is known of their values; in lists without these."""
        keys = CacheKey.objects.for_application(application_of(self.request))
        return keys.in_rows() if self.action == "list" else keys.whole().select_related("value")

    def get_object(self) -> CacheKey:
        """The key of the address. Raises NotFound, alike where there is none and where it is another's."""
        try:
            key = super().get_object()
        except Http404:
            raise NotFound(f"There is no key with the name “{self.kwargs['name']}” in this application.") from None
        key.application = application_of(self.request)
        return key

    @extend_schema(summary="List cache keys", responses=KeySerializer(many=True), parameters=KEYS_DESCRIBED)
    def list(self, request: Request) -> Response:
        """A page of keys: what they are and how they stand, without their values."""
        now = database_now()
        page: Any = self.paginate_queryset(
            narrow(self.get_queryset(), request, key_filters(application_of(request), now))
        )
        return self.get_paginated_response(KeySerializer(page, many=True, context={"now": now}).data)

    @extend_schema(summary="Create a cache key", responses={201: WholeKeySerializer}, examples=[examples.CREATE])
    @idempotent
    def create(self, request: Request) -> Response:
        """409 when the name is taken. Nothing is fetched yet: who reads it first, or a task, has that done."""
        fields, now = self._checked(request.data), database_now()
        key = services.create_key(application=application_of(request), by=holder_of(request), now=now, **fields)
        return self._shown(key, status=201)

    @extend_schema(summary="Read a cache key and its value")
    def retrieve(self, request: Request, name: str) -> Response:  # noqa: ARG002
        """For people and programs that look after keys. `cache/{key}` is the quick way to a value alone."""
        return self._shown(self.get_object())

    @extend_schema(summary="Change a cache key", examples=[examples.CHANGE])
    def partial_update(self, request: Request, name: str) -> Response:  # noqa: ARG002
        """Only what is given changes; variables are given whole. Another source or other values drop the stored one."""
        key = self.get_object()
        fields = self._checked(request.data, key, partial=True)
        fields.pop("name", None)
        return self._shown(services.update_key(key=key, by=holder_of(request), now=database_now(), **fields))

    @extend_schema(
        summary="Create or update a cache key",
        responses={200: WholeKeySerializer, 201: WholeKeySerializer},
        examples=[examples.REPLACE],
    )
    @idempotent
    def update(self, request: Request, name: str) -> Response:
        """The key as given, whether there was one or not: fields left out take their defaults."""
        data: dict[str, Any] = request.data  # type: ignore[assignment]  # the parser takes nothing but objects
        if data.get("name", name) != name:
            raise Invalid(name=f"The address says “{name}”: leave the name out, or give the same.")
        found = CacheKey.objects.for_application(application_of(request)).whole().filter(name=name).first()
        fields = {**self._checked({**data, "name": name}, found), "name": name}
        place, by = application_of(request), holder_of(request)
        key, made = services.create_or_update_key(application=place, by=by, now=database_now(), **fields)
        return self._shown(key, status=201 if made else 200)

    @extend_schema(summary="Delete a cache key and its value")
    def destroy(self, request: Request, name: str) -> Response:  # noqa: ARG002
        """Tasks that name it do so no more."""
        services.delete_key(key=self.get_object(), by=holder_of(request), now=database_now())
        return Response(status=204)

    @extend_schema(summary="Fetch a cache key now", request=None, responses={202: RunSerializer})
    @action(detail=True, methods=["post"])
    @idempotent
    def sync(self, request: Request, name: str) -> Response:  # noqa: ARG002
        """As a run of its own, beside all tasks. What it comes to stands in `syncs/`."""
        run = refresh_key(key=self.get_object(), by=holder_of(request), now=database_now())
        return Response(RunSerializer(run).data, status=202)

    @extend_schema(
        summary="List the syncs of a cache key", responses=SyncSerializer(many=True), parameters=KEY_SYNCS_DESCRIBED
    )
    @action(detail=True)
    def syncs(self, request: Request, name: str) -> Response:  # noqa: ARG002
        """One for each run that fetched it, newest first, for as long as runs are kept."""
        rows: Any = KeySync.objects.for_application(application_of(request)).filter(key_id=self.get_object().pk)
        page: Any = self.paginate_queryset(narrow(rows, request, KEY_SYNC_FILTERS))
        return self.get_paginated_response(SyncSerializer(page, many=True).data)

    # Many

    @extend_schema(
        operation_id="keys_upsert_many",
        summary="Create or update many cache keys",
        request=UpsertSerializer,
        responses=UpsertedSerializer,
        examples=[examples.UPSERT],
    )
    @action(detail=False, methods=["post"], url_path="bulk", url_name="upsert-many")
    @idempotent
    def upsert_many(self, request: Request) -> Response:
        """Up to 10,000 of them, all or none, in a body of up to 4 MB. What is wrong is told by place."""
        place = application_of(request)
        data: dict[str, Any] = request.data  # type: ignore[assignment]  # the parser takes nothing but objects
        given = data.get("keys")
        rows = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
        context = {"sources": Sources(place, (one.get("source") for one in rows[:MOST]))}
        asked = UpsertSerializer(data=data, context=context)
        asked.is_valid(raise_exception=True)
        items = asked.validated_data["keys"]
        counts = upsert_keys(application=place, items=items, by=holder_of(request), now=database_now())
        return Response(counts._asdict())

    @extend_schema(
        operation_id="keys_delete_many",
        summary="Delete many cache keys and their values",
        request=KeyChoiceSerializer,
        responses=KeyCountSerializer,
        examples=[examples.DELETE_MANY],
    )
    @action(detail=False, methods=["post"], url_path="delete", url_name="delete-many")
    @idempotent
    def delete_many(self, request: Request) -> Response:
        """Those that match."""
        place, now, choice = application_of(request), database_now(), asked_of(request, KeyChoiceSerializer)
        keys = chosen(CacheKey.objects.for_application(place), place, choice, now)
        ids = list(keys.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
        count = len(ids[:MOST])
        if not choice["dry_run"]:
            count = delete_keys(application=place, ids=ids[:MOST], by=holder_of(request), now=now)
        return Response({"count": count, "more": len(ids) > MOST})

    def _checked(self, data: Any, key: CacheKey | None = None, *, partial: bool = False) -> dict[str, Any]:
        context = {"sources": Sources(application_of(self.request), [data.get("source")]), "now": database_now()}
        serializer = WholeKeySerializer(key, data=data, partial=partial, context=context)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _shown(self, key: CacheKey, status: int = 200) -> Response:
        return Response(WholeKeySerializer(key, context={"now": database_now()}).data, status=status)
