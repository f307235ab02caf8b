"""Errors that say what would be right, as something to press."""

import re

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

# How sentences offer something, wherever they come from: `did you mean PT1H?`, `write 0 * * * *.`
_OFFERS = (
    re.compile(r"(?P<before>.*\bdid you mean )(?P<offer>\S+)(?P<after>\?)", re.IGNORECASE | re.DOTALL),
    re.compile(r"(?P<before>.*: write )(?P<offer>\S+(?: \S+){4})(?P<after>\.)", re.DOTALL),
)


@register.filter
def offer(sentence: str, field: str) -> SafeString | str:
    """The sentence, with what it offers as a button that puts it into the field with this id.

    Without scripts the button submits the form, as `do=fill:FIELD=OFFER`.
    """
    found = next((match for pattern in _OFFERS if (match := pattern.fullmatch(str(sentence)))), None)
    if not found:
        return sentence
    return format_html(
        '{before}<button class="link" name="do" value="fill:{field}={offer}" data-fill="{field}">{offer}</button>'
        "{after}",
        field=field,
        **found.groupdict(),
    )
