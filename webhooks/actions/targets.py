"""What actions act upon: looked for when a hook is saved, offered by name, and found by application and tag."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from django.db.models import Model
from rest_framework import serializers

from badgerjobs.web.definitions.fields import check_tag
from badgerjobs.workspaces.models import Application
from webhooks.actions import MOST_OFFERED, Did, Doing, There
from webhooks.models import ActState

# An application's id, and the tag of something of it.
Place = tuple[int, str]

MISSING_NOW = "There is no {} with the tag “{}” in this application."
GONE = "There is no {} with the tag “{}” any more."


class TargetField(serializers.CharField):
    """The tag of something that the application has; `what` it is called. Without an application nothing is looked for.

    The serializer's context has the `application`.
    """

    def __init__(self, model: type[Model], what: str, **kwargs: Any) -> None:
        super().__init__(max_length=200, trim_whitespace=False, validators=[check_tag], **kwargs)
        self.model, self.what = model, what

    def run_validators(self, value: Any) -> None:
        """Raises ValidationError also where there is nothing of that tag."""
        super().run_validators(value)
        application = self.context.get("application")
        if application and not _owned(self.model, application).filter(tag=value).exists():
            raise serializers.ValidationError(MISSING_NOW.format(self.what, value))


def offered(model: type[Model]) -> Callable[[Application], Sequence[tuple[str, str]]]:
    """The targets of a model that an application has: tag and name of each, by name."""

    def found(application: Application) -> list[tuple[str, str]]:
        return list(_owned(model, application).order_by("name", "pk").values_list("tag", "name")[:MOST_OFFERED])

    return found


def there(model: type[Model]) -> Callable[[Application, Collection[str]], There]:
    """Which of some tags an application has."""

    def found(application: Application, tags: Collection[str]) -> There:
        return There(looked_for=_owned(model, application).filter(tag__in=tags).order_by())

    return found


def placed(model: type[Model], doings: Iterable[Doing], field: str, *columns: str) -> dict[Place, tuple[Any, ...]]:
    """Those targets that are there, with these columns of each: one query, whosever they are."""
    wanted = {place_of(doing, field) for doing in doings}
    owners, tags = {owner for owner, _ in wanted}, {tag for _, tag in wanted}
    rows = model._default_manager.filter(application_id__in=owners, tag__in=tags)
    found = rows.values_list("application_id", "tag", *columns)
    return {(owner, tag): tuple(rest) for owner, tag, *rest in found if (owner, tag) in wanted}


def place_of(doing: Doing, field: str) -> Place:
    """Where the target of an action is: the field that names it is this one."""
    return doing.application_id, str(doing.fields[field])


def gone(doing: Doing, field: str, what: str) -> Did:
    """It was deleted: trying again brings it not back."""
    return Did(ActState.FAILED, GONE.format(what, doing.fields[field]), again=False)


def _owned(model: type[Model], application: Application) -> Any:
    gate: Any = model._default_manager
    return gate.for_application(application)
