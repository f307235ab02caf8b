"""The app `slurps` stands in a plain folder named `collections`, and shadows nothing."""

import collections
from pathlib import Path

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from slurps.models import Collection
from tests.factories import make_application, make_collection


def test_pythons_own_collections_is_still_pythons_own() -> None:
    assert collections.OrderedDict.__module__ == "collections"
    assert "slurps" not in str(Path(collections.__file__))


def test_the_app_is_known_by_the_label_collections() -> None:
    config = apps.get_app_config("collections")
    assert (config.name, Collection._meta.db_table) == ("slurps", "collections_collection")


@pytest.mark.django_db
def test_a_collection_belongs_to_an_application_and_its_name_is_its_own_there() -> None:
    alices, charlies = make_application("Alice's"), make_application("Charlie's")
    mine = make_collection(alices, name="prices")
    make_collection(charlies, name="prices")
    assert list(Collection.objects.for_application(alices)) == [mine]
    assert str(mine) == "prices"
    with pytest.raises(IntegrityError), transaction.atomic():
        make_collection(alices, name="prices", is_active=False)
