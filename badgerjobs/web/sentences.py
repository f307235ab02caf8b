"""What forms and serializers say when a value is wrong, wherever a field has no words of its own: what to do about it.

Django and DRF keep such sentences on their classes. They are set once, when the process starts, and so hold for every
field there is, allauth's too. A field that can say it better says it itself, by `error_messages`.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.core import validators
from rest_framework import serializers

AN_EMAIL = "Give an e-mail address like bob@example.com."
A_URL = "Give an address like https://example.com/refresh."
A_DAY = "Give a day like 2026-11-21."

# Codes of Django's fields. Who reads them has the field before them.
OF_FORMS: Mapping[type[forms.Field], Mapping[str, str]] = {
    forms.Field: {"required": "Fill this in."},
    forms.IntegerField: {"invalid": "Give a whole number."},
    forms.FloatField: {"invalid": "Give a number."},
    forms.DecimalField: {"invalid": "Give a number."},
    forms.DateField: {"invalid": A_DAY},
    forms.DateTimeField: {"invalid": "Give a day and a time, like 2026-11-21 22:50."},
    forms.URLField: {"invalid": A_URL},
    forms.JSONField: {"invalid": "Give JSON."},
    forms.ChoiceField: {"invalid_choice": "“%(value)s” is none of these: choose one of them."},
    forms.MultipleChoiceField: {
        "invalid_choice": "“%(value)s” is none of these: choose among them.",
        "invalid_list": "Choose among these.",
    },
    forms.ModelChoiceField: {"invalid_choice": "That is none of these: choose one of them."},
}


class _Bounded(str):
    """A sentence with a bound, which has commas where it is filled in: 3,650."""

    __slots__ = ()

    def __mod__(self, facts: Any) -> str:
        limit = facts["limit_value"]
        told = f"{limit:,}" if isinstance(limit, int | float | Decimal) else limit
        return str.__mod__(self, {**facts, "limit_value": told})


# What a validator says, of a form or of a row.
OF_VALIDATORS: Mapping[type, str] = {
    validators.MaxLengthValidator: _Bounded("Give at most %(limit_value)s characters: this has %(show_value)d."),
    validators.MinLengthValidator: _Bounded("Give at least %(limit_value)s characters: this has %(show_value)d."),
    validators.MaxValueValidator: _Bounded("Give at most %(limit_value)s: this is %(show_value)s."),
    validators.MinValueValidator: _Bounded("Give at least %(limit_value)s: this is %(show_value)s."),
    validators.EmailValidator: AN_EMAIL,
    validators.URLValidator: A_URL,
    validators.ProhibitNullCharactersValidator: "Leave the null character out.",
}

# The bounds stand in braces, what was given in %(…): DRF fills in the ones, Django's validators the others.
_BOUNDS = {
    "max_value": "Give at most {max_value:,}: this is %(show_value)s.",
    "min_value": "Give at least {min_value:,}: this is %(show_value)s.",
    "max_string_length": "Give a shorter number.",
}
_COUNTS = {
    "empty": "Give at least one.",
    "max_length": "Give at most {max_length:,} of them: these are %(show_value)d.",
    "min_length": "Give at least {min_length:,} of them: these are %(show_value)d.",
}
# Codes of DRF's fields. Who reads them wrote the request, and has the field's name beside them.
OF_SERIALIZERS: Mapping[type, Mapping[str, str]] = {
    serializers.Field: {"required": "Give this field: it is needed.", "null": "Give a value: null is none."},
    serializers.BooleanField: {"invalid": "Give true or false."},
    serializers.CharField: {
        "invalid": "Give a string.",
        "blank": "Give a string that is not empty.",
        "max_length": "Give at most {max_length:,} characters: this has %(show_value)d.",
        "min_length": "Give at least {min_length:,} characters: this has %(show_value)d.",
    },
    serializers.EmailField: {"invalid": AN_EMAIL},
    serializers.URLField: {"invalid": A_URL},
    serializers.UUIDField: {"invalid": "Give an id as the API tells it."},
    serializers.IntegerField: {"invalid": "Give a whole number.", **_BOUNDS},
    serializers.FloatField: {"invalid": "Give a number.", **_BOUNDS},
    serializers.DateTimeField: {
        "invalid": "Give a time like 2026-11-21T22:50:28Z.",
        "date": "Give a time too, like 2026-11-21T22:50:28Z: this is a day.",
        "make_aware": "Give a time that “{timezone}” has: its clocks leave this one out.",
        "overflow": "Give a time that calendars have, up to the year 9999.",
    },
    serializers.DateField: {"invalid": A_DAY, "datetime": "Give a day like 2026-11-21, without a time."},
    serializers.ChoiceField: {
        "invalid_choice": "Take one of those that /api/v1/schema/ lists: “{input}” is not there."
    },
    serializers.ListField: {"not_a_list": 'Give a list, like ["a", "b"].', **_COUNTS},
    serializers.DictField: {"not_a_dict": 'Give an object, like {{"name": "value"}}.', "empty": "Give at least one."},
    serializers.JSONField: {"invalid": "Give JSON."},
    serializers.FileField: {
        "required": "Give a file.",
        "invalid": "Give a file, as a field of a form.",
        "no_name": "Give the file a name.",
        "empty": "Give a file that is not empty.",
        "max_length": "Give the file a name of at most {max_length:,} characters: this has {length:,}.",
    },
    serializers.Serializer: {"invalid": "Give an object with fields."},
    serializers.ListSerializer: {"not_a_list": "Give a list of objects.", **_COUNTS},
}


def speak() -> None:
    """Put our sentences in the place of the frameworks'. Fields that are made from now on have them."""
    for field, messages in [*OF_FORMS.items(), *OF_SERIALIZERS.items()]:
        field.default_error_messages.update(messages)  # type: ignore[attr-defined]  # of classes of two libraries
    for validator, message in OF_VALIDATORS.items():
        validator.message = message  # type: ignore[attr-defined]
