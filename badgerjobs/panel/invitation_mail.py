"""The mail that brings an invitation."""

import logging

from django.core.mail import send_mail
from django.template.loader import render_to_string

from badgerjobs.workspaces.models import Invitation, Role

logger = logging.getLogger(__name__)

# Nothing that the inviter could choose: else they would write to strangers in our name.
SUBJECT = "You are invited to a workspace of Badger Jobs"


def send(invitation: Invitation, link: str) -> bool:
    """Send the link to the invited address. False when no server takes it: the invitation is there all the same."""
    said = {"invitation": invitation, "role": Role(invitation.role).label, "link": link}
    try:
        send_mail(SUBJECT, render_to_string("panel/invitation_mail.txt", said), None, [invitation.email])
    except OSError as error:  # smtplib's errors are of this kind too
        logger.warning("the invitation %s could not be mailed: %s", invitation.slug, error)
        return False
    return True
