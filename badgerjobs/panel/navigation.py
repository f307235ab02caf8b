"""The side of every page: where one can go. What an app adds is a row in `PLACES`."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from badgerjobs.panel import last_place
from badgerjobs.panel.health_line import HealthLine, health_line
from badgerjobs.workspaces.models import Application, Member, Role, Workspace


@dataclass(frozen=True, slots=True)
class Place:
    """A link in the navigation: `key` is pressed after `g`; shown to members with at least this role."""

    label: str
    view: str
    key: str
    least: Role = Role.VIEWER
    of_workspace: bool = False


PLACES = (
    (
        Place("Overview", "panel:overview", "o"),
        Place("Runs", "runs:list", "r"),
        Place("Incidents", "notices:incidents", "i"),
        Place("Engine", "panel:engine", "e"),
    ),
    (
        Place("Jobs", "jobs:list", "j"),
        Place("Webhooks", "webhooks:list", "k"),
        Place("Events", "jobs:events", "v"),
        Place("Connections", "jobs:connections", "c"),
        Place("GraphQL", "graphql-page", "q"),
    ),
    (
        Place("Sources", "sources:sources", "d"),
        Place("Keys", "tasks:keys", "y"),
        Place("Tasks", "tasks:list", "w"),
        Place("Cache", "tasks:cache", "h"),
        Place("Background tasks", "background:list", "b"),
        Place("Slurpers", "collections:slurpers", "l"),
        Place("Async jobs", "collections:list", "u"),
        Place("Collections", "collections:collections", "n"),
    ),
    (
        Place("Tokens", "panel:tokens", "t", Role.EDITOR),
        Place("Members", "panel:members", "m", of_workspace=True),
        Place("Audit log", "panel:audit", "a", Role.ADMIN, of_workspace=True),
        Place("Settings", "panel:settings", "s"),
    ),
)


# allauth's pages, which know of no application.
ACCOUNTS = "/accounts/"


@dataclass(frozen=True, slots=True)
class Link:
    label: str
    address: str
    key: str
    is_current: bool


class Navigation:
    """What the templates ask of the side. Everything is looked up when it is shown, and not before."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self.application: Application | None = getattr(request, "application", None)
        self.now = timezone.now()
        theme = request.COOKIES.get("theme")
        self.theme = theme if theme in {"light", "dark"} else "system"
        self.may_sign_up, self.takes_nobody = settings.SIGN_UP == "open", settings.SIGN_UP == "closed"
        self.mail_is_logged = not settings.EMAIL_URL

    @property
    def workspace(self) -> Workspace | None:
        return getattr(self._here, "workspace", None)

    @property
    def member(self) -> Member | None:
        return getattr(self._here, "member", None)

    @property
    def may_edit(self) -> bool:
        return self._may(Role.EDITOR)

    @property
    def may_admin(self) -> bool:
        return self._may(Role.ADMIN)

    @property
    def may_own(self) -> bool:
        return self._may(Role.OWNER)

    @cached_property
    def beside(self) -> Application | None:
        """The application that one is in; on a page of the workspace the one of it where one was last, if any."""
        application: Application | None = getattr(self._here, "application", None)
        if application or not self.workspace:
            return application
        return last_place.within(self._request, self.workspace)

    def groups(self) -> Iterator[list[Link]]:
        """The links of each group, for the place where one is."""
        for places in PLACES:
            if links := [self._link(place) for place in places if self._is_open(place)]:
                yield links

    @cached_property
    def health(self) -> HealthLine:
        """Whether the whole works: the line at the foot of the side."""
        return health_line(self.now.timestamp())

    def applications(self) -> Any:
        """What one can switch to, by workspace."""
        found = Application.objects.for_user(self._request.user).select_related("workspace")  # type: ignore[arg-type]
        return found.order_by("workspace__name", "workspace_id", "name")

    @cached_property
    def _here(self) -> HttpRequest:
        """The request with its place. A page of the account has none of its own: it leads back to where one was last.

        Looked up by the side alone: pages that say what went wrong are shown without the database.
        """
        request = self._request
        if request.path_info.startswith(ACCOUNTS) and not self.application and request.user.is_authenticated:
            last_place.enter(request)
        return request

    def _may(self, role: Role) -> bool:
        return bool(self.member and self.member.may(role))

    def _is_open(self, place: Place) -> bool:
        has_place = self.workspace if place.of_workspace else self.beside
        return bool(has_place and self.member and self.member.may(place.least))

    def _link(self, place: Place) -> Link:
        slug = self.workspace.slug if place.of_workspace else self.beside.slug  # type: ignore[union-attr]
        address = reverse(place.view, args=[slug])
        overview = place.view == "panel:overview"
        here = self._request.path
        return Link(place.label, address, place.key, here == address if overview else here.startswith(address))


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Django's context processor: `nav` in every template."""
    return {"nav": Navigation(request)}
