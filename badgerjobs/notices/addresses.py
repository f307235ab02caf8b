"""Which addresses may be written to in our name."""

from collections.abc import Collection, Iterable

from django.conf import settings

from badgerjobs.workspaces.models import Member, Workspace


def only_members() -> bool:
    """Whether none but members of the workspace may be written to.

    Where anybody may sign up, anybody could else have us write to strangers, with words of their own choice.
    """
    return bool(settings.SIGN_UP == "open" and settings.EMAIL_URL)


def strangers_among(emails: Iterable[str], workspace: Workspace) -> list[str]:
    """Those of these addresses that may not be written to, because no member of the workspace has them."""
    if not only_members():
        return []
    return unknown(emails, members_of([workspace.pk])[workspace.pk])


def members_of(workspace_ids: Collection[int]) -> dict[int, set[str]]:
    """The addresses of the members of each of these workspaces, in lower case."""
    found: dict[int, set[str]] = {workspace_id: set() for workspace_id in workspace_ids}
    members = Member.objects.filter(workspace__in=found)
    for workspace_id, email in members.values_list("workspace_id", "user__email"):
        found[workspace_id].add(email.lower())
    return found


def unknown(emails: Iterable[str], members: Collection[str]) -> list[str]:
    """Those of these addresses that none of these members has."""
    return [email for email in emails if email.lower() not in members]
