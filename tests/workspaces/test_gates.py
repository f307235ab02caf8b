"""The gates: what a person and what an application can reach."""

import pytest

from badgerjobs.workspaces.models import Application, Member, Role, User, Workspace
from jobs.models import Job
from tests.factories import make_application, make_job, make_member

pytestmark = pytest.mark.django_db


def test_a_person_reaches_the_workspaces_and_applications_they_are_a_member_of() -> None:
    shop, store = make_application(), make_application("Charlie's", "store")
    alice = make_member(shop.workspace).user
    charlie = make_member(store.workspace, email="charlie@example.com").user
    bob = User.objects.create_user("bob@example.com")
    Member.objects.create(workspace=shop.workspace, user=bob, role=Role.VIEWER)
    assert list(Application.objects.for_user(alice)) == list(Application.objects.for_user(bob)) == [shop]
    assert list(Workspace.objects.for_user(bob)) == [shop.workspace]
    assert shop not in Application.objects.for_user(charlie)
    assert list(Application.objects.for_user(User.objects.create_user("nobody@example.com"))) == []


def test_an_application_reaches_its_own_rows() -> None:
    alices, charlies = make_application("Alice's"), make_application("Charlie's")
    mine = make_job(alices)
    make_job(charlies)
    assert list(Job.objects.for_application(alices)) == [mine]


def test_an_address_is_one_person_in_any_case() -> None:
    assert User.objects.create_user("Alice@Example.COM").email == "alice@example.com"


def test_a_superuser_can_be_made_for_the_command_line() -> None:
    person = User.objects.create_superuser("root@example.com", "correct horse")
    assert (person.is_staff, person.is_superuser, person.check_password("correct horse")) == (True, True, True)
    assert str(person) == "root@example.com"


def test_an_application_takes_all_it_owns_with_it() -> None:
    application = make_application()
    make_job(application)
    application.delete()
    assert not Job.objects.exists()
