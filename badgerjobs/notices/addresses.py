"""Which addresses may be written to in our name."""

from collections.abc import Iterable

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
    members = Member.objects.filter(workspace=workspace).values_list("user__email", flat=True)
    known = {email.lower() for email in members}
    return [email for email in emails if email.lower() not in known]
