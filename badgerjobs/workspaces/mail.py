"""Where mail goes while no mail server is named: into the log, for whoever sits in front of it."""

import logging
from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

logger = logging.getLogger(__name__)


class LoggedMail(BaseEmailBackend):
    """Writes each mail as one block, its lines unbroken: a link is copied from the terminal as it stands."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Log them all. Returns how many."""
        for mail in email_messages:
            logger.warning(
                "EMAIL_URL is not set, so this mail stays here.\n\nTo: %s\nSubject: %s\n\n%s\n",
                ", ".join(mail.to),
                mail.subject,
                mail.body,
            )
        return len(email_messages)
