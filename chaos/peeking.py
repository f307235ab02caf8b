"""What each tenant's token shows through REST, asked of the real application in this process."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.test import Client

from chaos.books import Books
from chaos.checks.tenants import Shown
from chaos.work import Tenant

# Of each list so many pages of 1,000 at the most, newest first; of what is another's, so many addresses.
PAGES = 5
TRIED = 20


def peek(tenant: Tenant, books: Books) -> Shown:
    """Read this tenant's lists, and try the addresses of all others' newest runs."""
    client = Client(headers={"Authorization": f"Bearer {tenant.token}", "Host": "localhost"})
    owners = {run.id: run.job.split("/")[0] for run in books.runs}
    rows = [("job", row["tag"], row["endpoint"].split("/")[3]) for row in _listed(client, "jobs/")]
    rows += [("run", row["id"], owners.get(row["id"], "")) for row in _listed(client, "runs/")]
    rows += [("result of", row["run_id"], owners.get(row["run_id"], "")) for row in _listed(client, "results/")]
    rows += [("task", row["id"], owners.get(row["id"], "")) for row in _listed(client, "background-tasks/")]
    others = [run.id for run in reversed(books.runs) if owners[run.id] != tenant.name][:TRIED]
    tried = [f"/api/v1/runs/{run}/" for run in others]
    tried += [f"/api/v1/background-tasks/{task}/" for task in _tasks_of_others(tenant, books)]
    return Shown(tenant.name, rows, [address for address in tried if client.get(address).status_code != 404])


def _tasks_of_others(tenant: Tenant, books: Books) -> list[str]:
    return [task.id for task in reversed(books.tasks) if task.tenant != tenant.name][:TRIED]


def _listed(client: Client, path: str) -> Iterator[dict[str, Any]]:
    for page in islice(_pages(client, f"/api/v1/{path}"), PAGES):
        yield from page["results"]


def _pages(client: Client, address: str | None) -> Iterator[dict[str, Any]]:
    while address:
        answer = client.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"{address} answers {answer.status_code}: {answer.content[:500]!r}")
        page: dict[str, Any] = answer.json()
        yield page
        address = page["next"]
