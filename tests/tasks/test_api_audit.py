"""What the audit log says of what is done with tasks by REST."""

from badgerjobs.workspaces.models import AuditEntry
from tasks.models import CacheKey
from tests.callers import Caller
from tests.factories import make_key, make_source
from tests.tasks.rest_tasks import WEBHOOK


def test_what_is_done_with_tasks_is_in_the_audit_log(alice: Caller, keys: list[CacheKey]) -> None:
    alice.post("/tasks/", {"tag": "t", "type": "on_demand", "keys": ["product-1"]})
    alice.patch("/tasks/t/", {"keys": ["product-1", "product-11"], "name": "N"})
    alice.patch("/tasks/t/", {"name": "N"})
    alice.post("/tasks/t/run/")
    alice.delete("/tasks/t/")
    entries = {
        entry.action: entry.changes for entry in AuditEntry.objects.filter(action__startswith="task.").order_by("pk")
    }
    assert list(entries) == ["task.create", "task.update", "task.run", "task.delete"]
    assert entries["task.create"]["keys"] == [None, "1 key: product-1"]
    assert entries["task.update"] == {
        "name": ["t", "N"], "keys added": [None, ["product-11"]],
    }  # fmt: skip


def test_a_key_that_takes_the_place_of_another_is_in_the_audit_log_however_many_there_are(alice: Caller) -> None:
    source = make_source(alice.application)
    names = [make_key(source, f"product-{n:02}").name for n in range(31)]
    alice.post("/tasks/", {"tag": "t", "type": "on_demand", "keys": names[:30]})
    alice.patch("/tasks/t/", {"keys": [*names[:29], names[30]]})
    alice.patch("/tasks/t/", {"keys": [*names[:29], names[30]]})
    alice.patch("/tasks/t/", {"pattern": "product", "selection": "prefix"})
    swapped, emptied = AuditEntry.objects.filter(action="task.update").order_by("pk")
    assert swapped.changes == {"keys added": [None, ["product-30"]], "keys dropped": [None, ["product-29"]]}
    assert emptied.changes["keys dropped"] == [None, [*names[:20], "and 10 more"]]


def test_a_webhooks_secret_stands_not_in_the_audit_log(alice: Caller) -> None:
    secret = alice.post("/tasks/", WEBHOOK).body["webhook_url"].rpartition("/")[2]
    alice.post("/tasks/t/rotate-webhook/")
    assert secret not in str(list(AuditEntry.objects.values()))
