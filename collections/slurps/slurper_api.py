"""Slurpers by REST."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from badgerjobs.runs.fleet import database_now
from badgerjobs.web.asked import asked_of
from badgerjobs.web.authentication import application_of, holder_of
from badgerjobs.web.definitions.rest import SEARCH, DefinitionViewSet, Verbs
from badgerjobs.web.filters import one_of
from badgerjobs.web.idempotency import idempotent
from badgerjobs.web.problems import Invalid
from slurps import examples, slurper_services
from slurps.models import Language, Slurper
from slurps.slurper_serializers import SlurperSerializer
from slurps.trial_serializers import (
    NewSlurperTrialSerializer,
    SlurperTrialSerializer,
    SlurperTriedSerializer,
    definition_of,
)
from slurps.trials import told, try_slurper

SLURPER_FILTERS = {
    "search": lambda slurpers, value: slurpers.search(value),
    "language": lambda slurpers, value: slurpers.filter(language__in=one_of(Language.values, value.lower())),
    "source": lambda slurpers, value: slurpers.filter(places__source__tag=value),
}
# What a PUT that leaves them out sets.
_BLANK = {"code": "", "function": "", "sources": []}

NO_SUCH_SOURCE = "The slurper pulls from no source “{}”."


@extend_schema_view(
    list=extend_schema(
        summary="List slurpers",
        responses=SlurperSerializer(many=True),
        parameters=[
            SEARCH,
            OpenApiParameter("language", str, description=f"One or more of {', '.join(Language.values)}, with commas."),
            OpenApiParameter("source", str, description="Only those that pull from the source with this tag."),
        ],
    ),
    retrieve=extend_schema(summary="Read a slurper"),
)
class SlurperViewSet(DefinitionViewSet[Slurper]):
    """The slurpers of the token's application, newest first. A slurper's address is its tag."""

    what = "slurper"
    verbs = Verbs(
        "slurper",
        slurper_services.create_slurper,
        slurper_services.update_slurper,
        slurper_services.create_or_update_slurper,
        slurper_services.delete_slurper,
        database_now,
        _BLANK,
    )
    serializer_class = SlurperSerializer
    queryset = Slurper.objects.none()
    filters = SLURPER_FILTERS

    def get_queryset(self) -> QuerySet[Slurper]:
        """The application's slurpers; in lists without their code."""
        slurpers = Slurper.objects.for_application(application_of(self.request))
        return slurpers.in_rows() if self.action == "list" else slurpers.whole()

    @extend_schema(
        summary="Create a slurper", responses={201: SlurperSerializer}, examples=[examples.SLURPER, examples.BATCHES]
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """409 when the tag is taken. Nothing is pulled before an async job runs it, or it is tried."""
        return self._create(request)

    @extend_schema(summary="Change a slurper", examples=[examples.CHANGE_SLURPER])
    def partial_update(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Only what is given changes; sources are given whole. It holds from the next run on."""
        return self._change(request)

    @extend_schema(
        summary="Create or update a slurper",
        responses={200: SlurperSerializer, 201: SlurperSerializer},
        examples=[examples.REPLACE_SLURPER],
    )
    @idempotent
    def update(self, request: Request, tag: str) -> Response:
        """The slurper as given, whether there was one or not: fields left out take their defaults."""
        return self._put(request, tag)

    @extend_schema(summary="Delete a slurper")
    def destroy(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """409, naming them, while async jobs use it."""
        return self._delete(request)

    @extend_schema(
        summary="Try a slurper out",
        request=SlurperTrialSerializer,
        responses={200: SlurperTriedSerializer},
        examples=[examples.TRY_SLURPER],
        operation_id="slurpers_try_stored",
    )
    @action(detail=True, methods=["post"], url_path="try")
    def tried(self, request: Request, tag: str) -> Response:  # noqa: ARG002
        """Over rows that are given, or the first that its sources have now. Nothing is stored; 30 seconds at most."""
        slurper, given = self.get_object(), asked_of(request, SlurperTrialSerializer)
        return self._try(slurper, definition_of(given.get("definition", {}), slurper, slurper.application), given)

    @extend_schema(
        summary="Try a slurper that is not stored",
        request=NewSlurperTrialSerializer,
        responses={200: SlurperTriedSerializer},
        examples=[examples.TRY_NEW_SLURPER],
        operation_id="slurpers_try_new",
    )
    @action(detail=False, methods=["post"], url_path="try")
    def tried_new(self, request: Request) -> Response:
        """The same for one that is only given here."""
        given, application = asked_of(request, NewSlurperTrialSerializer), application_of(request)
        definition = definition_of(given["definition"], None, application)
        return self._try(Slurper(application=application), definition, given)

    def _try(self, slurper: Slurper, definition: dict[str, Any], given: dict[str, Any]) -> Response:
        tags = definition.get("sources")
        if tags is None:
            tags = slurper_services.tags_of_sources(slurper)
        slurper.language, slurper.code = definition["language"], definition.get("code", slurper.code)
        slurper.function = definition.get("function", slurper.function)
        with transaction.atomic():  # held no longer than they are read
            sources = slurper_services.sources_named(slurper.application, tags)
        rows = given.get("rows")
        if unknown := [tag for tag in rows or () if tag not in tags]:
            raise Invalid(rows=NO_SUCH_SOURCE.format(unknown[0]))
        trial = try_slurper(
            slurper=slurper,
            sources=sources,
            by=holder_of(self.request),
            now=database_now(),
            rows=rows,
            values=given.get("values"),
        )
        return Response(SlurperTriedSerializer(told(trial)).data)

    def _shown(self, row: Slurper, status: int = 200) -> Response:
        """As it is now, with the jobs that use it."""
        found = self.get_queryset().filter(pk=row.pk).first()
        return super()._shown(found or row, status)
