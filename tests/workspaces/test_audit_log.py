"""The audit log itself: what can be written, what is never written, how it is read back and forgotten."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db.models import Q

from badgerjobs.lib.ids import uuid7, uuid7_floor
from badgerjobs.runs import retention as runs
from badgerjobs.workspaces import audit, audit_reading, retention
from badgerjobs.workspaces.audit import OPERATOR, UnknownActionError
from badgerjobs.workspaces.audit_reading import all_back, look_back
from badgerjobs.workspaces.models import Application, AuditEntry, User, Workspace
from tests.factories import NOW, make_application, make_member
from tests.plans import plan_of

pytestmark = pytest.mark.django_db

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def id_of(moment: datetime) -> UUID:
    return UUID(int=uuid7_floor(moment).int | (uuid7().int & ((1 << 62) - 1)))


def make_entries(workspace: Workspace, count: int, **fields: Any) -> list[AuditEntry]:
    """Entries of one workspace, a second apart; the last is NOW's."""
    given = {"actor": "alice@example.com", "via": "panel", "action": "job.run", "subject": "a", **fields}
    times = [NOW - number * SECOND for number in reversed(range(count))]
    rows = [AuditEntry(workspace=workspace, id=id_of(at), created_at=at, **given) for at in times]
    return AuditEntry.objects.bulk_create(rows)


@pytest.mark.parametrize("action", ["job.explode", "", "job", "Job.run"])
def test_an_action_that_is_not_in_the_table_cannot_be_written(action: str) -> None:
    with pytest.raises(UnknownActionError):
        audit.record(by=OPERATOR, action=action, subject="x", now=NOW, workspace=make_application().workspace)
    assert not AuditEntry.objects.exists()


def test_where_is_a_workspace_or_an_application_which_is_in_one(django_assert_num_queries: Any) -> None:
    shop = Application.objects.get(pk=make_application().pk)
    with django_assert_num_queries(1):
        audit.record(by=OPERATOR, action="job.run", subject="x", now=NOW, application=shop)
    audit.record(by=OPERATOR, action="workspace.rename", subject="x", now=NOW, workspace=shop.workspace)
    entries = AuditEntry.objects.order_by("id")
    assert [(entry.workspace, entry.application) for entry in entries] == [
        (shop.workspace, shop),
        (shop.workspace, None),
    ]
    with pytest.raises(TypeError, match="belongs to a workspace"):
        audit.record(by=OPERATOR, action="job.run", subject="x", now=NOW)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 2}, {"a": [1, 2]}),
        ({"a": 3}, {"a": 0}, {"a": [3, 0]}),
        ({}, {"a": "x"}, {"a": [None, "x"]}),
        ({"a": ""}, {"a": None}, {}),
        ({"a": True}, {"a": False}, {"a": [True, False]}),
        ({"a": NOW}, {"a": None}, {"a": ["2026-03-02 12:00:00 UTC", None]}),
        ({"a": ["read"]}, {"a": ["read", "write"]}, {"a": ["read", "read, write"]}),
        ({"a": ""}, {"a": "x" * 600}, {"a": ["", "x" * 500 + "…"]}),
        ({"h": {"A": "1", "B": "2"}}, {"h": {"A": "1", "B": "3"}}, {"h": [{"B": "********"}, {"B": "********"}]}),
        ({"h": {}}, {"h": {"X-Harmless": "1"}}, {"h": [{}, {"X-Harmless": "********"}]}),
        ({"h": {"A": "1"}}, {"h": None}, {"h": [{"A": "********"}, {}]}),
    ],
)
def test_a_difference_has_what_changed_and_no_value_of_a_header(
    before: dict[str, Any], after: dict[str, Any], told: dict[str, Any]
) -> None:
    assert audit.difference(before, after) == told


def test_reading_back_gives_pages_that_join_without_a_gap_or_an_overlap() -> None:
    workspace = make_application().workspace
    make_entries(workspace, 25)
    log, before = AuditEntry.objects.filter(workspace=workspace), None
    seen: list[AuditEntry] = []
    for _ in range(3):
        found = look_back(log, wanted=Q(), count=10, before=before)
        seen, before = seen + found.entries, found.before
    assert [entry.id for entry in seen] == list(log.order_by("-id").values_list("id", flat=True))
    assert before is None


@pytest.fixture
def rare(monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """One entry of another actor behind 30 others, where a piece is ten."""
    monkeypatch.setattr(audit_reading, "PIECE", 10)
    workspace = make_application().workspace
    make_entries(workspace, 30)
    AuditEntry.objects.filter(pk=AuditEntry.objects.order_by("id").values("pk")[4:5]).update(actor="bob@example.com")
    return workspace


def test_who_looks_for_few_among_many_is_told_how_far_was_looked(rare: Workspace) -> None:
    log, wanted = AuditEntry.objects.filter(workspace=rare), Q(actor="bob@example.com")
    first = look_back(log, wanted=wanted, count=5)
    assert (first.entries, first.is_cut) == ([], True)
    second = look_back(log, wanted=wanted, count=5, before=first.before)
    third = look_back(log, wanted=wanted, count=5, before=second.before)
    assert [entry.actor for entry in third.entries] == ["bob@example.com"]
    assert look_back(log, wanted=wanted, count=5, before=third.before).before is None


def test_all_that_match_are_found_however_far_back_a_few_at_a_time(
    rare: Workspace, django_assert_num_queries: Any
) -> None:
    log, after_all = AuditEntry.objects.filter(workspace=rare), id_of(NOW + DAY)
    found = list(all_back(log, wanted=Q(actor="bob@example.com"), before=after_all))
    assert [entry.actor for entry in found] == ["bob@example.com"]
    everything = list(all_back(log, wanted=Q(via="panel"), before=after_all))
    assert [entry.id for entry in everything] == list(log.order_by("-id").values_list("id", flat=True))
    with django_assert_num_queries(4):
        assert len(list(all_back(log, wanted=Q(), before=after_all, count=8))) == 30


def test_reading_back_walks_the_index_of_the_workspace_and_sorts_nothing() -> None:
    member = make_member(make_application().workspace)
    for workspace in (member.workspace, make_application("Charlie's").workspace):
        make_entries(workspace, 2000)
    log = AuditEntry.objects.for_user(member.user).filter(workspace=member.workspace, id__lt=id_of(NOW + DAY))
    plan = plan_of(log.order_by("-id")[:50])
    assert "Index Scan Backward using entry_of_workspace" in plan
    assert "Sort" not in plan


def test_the_gate_gives_nobody_the_log_of_others() -> None:
    alice = make_member(make_application().workspace)
    charlie = make_member(make_application("Charlie's").workspace, email="charlie@example.com")
    make_entries(alice.workspace, 2)
    assert AuditEntry.objects.for_user(charlie.user).count() == 0
    assert AuditEntry.objects.for_user(alice.user).count() == 2


@pytest.fixture
def old(settings: Any) -> Workspace:
    settings.AUDIT_DAYS = 10
    workspace = make_application().workspace
    for age in (10 * DAY - SECOND, 10 * DAY + SECOND, 20 * DAY):
        at = NOW - age
        AuditEntry.objects.create(
            workspace=workspace, id=id_of(at), created_at=at, actor="a", via="api", action="job.run", subject="x"
        )
    return workspace


def test_the_log_goes_back_as_many_days_as_the_setting_says(old: Workspace) -> None:
    assert retention.forget_entries(now=NOW) == 2
    assert [entry.created_at for entry in AuditEntry.objects.all()] == [NOW - 10 * DAY + SECOND]


def test_a_batch_is_bounded_and_begins_with_the_oldest(old: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 1)
    assert retention.forget_entries(now=NOW) == 1
    assert AuditEntry.objects.order_by("id").first().created_at == NOW - 10 * DAY - SECOND  # type: ignore[union-attr]


def test_the_tick_that_prunes_forgets_entries_too(old: Workspace) -> None:
    runs.prune(now=NOW)
    assert AuditEntry.objects.count() == 1


def test_what_a_person_did_is_kept_when_they_are_gone() -> None:
    member = make_member(make_application().workspace)
    actor = audit.person(member.user, "192.0.2.7")
    audit.record(by=actor, action="member.invite", subject="bob@example.com", now=NOW, workspace=member.workspace)
    User.objects.all().delete()
    entry = AuditEntry.objects.get()
    assert (entry.user, entry.actor, entry.address) == (None, "alice@example.com", "192.0.2.7")
