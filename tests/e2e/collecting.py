"""Collections by REST: each with a source, a slurper and an async job of its name, and no run yet."""

from typing import Any

from tests.e2e.stack import Stack

MODES = (
    "normal",
    "upserted",
    "accumulative",
    "versioned",
    "upserted_versioned",
    "accumulative_versioned",
)
KEPT, KEY = 3, "id"


def post(stack: Stack, path: str, **body: Any) -> Any:
    """What REST answers; fails unless it did what was asked."""
    reply = stack.request("POST", path, body or None)
    assert reply.status in {200, 201, 202}, reply
    return reply.data


def make_collection(stack: Stack, name: str, *, mode: str = "normal", source: dict[str, Any], **slurper: Any) -> None:
    """One that is active, of a job that is run by hand and not tried again."""
    post(stack, "sources/", tag=name, **source)
    post(stack, "slurpers/", tag=name, sources=[name], **slurper)
    post(stack, "async-jobs/", tag=name, slurper=name, overlap="queue_all", retries=0)
    given: dict[str, Any] = {"name": name, "mode": mode}
    if mode.startswith("upserted"):
        given["key"] = [KEY]
    if mode.endswith("versioned"):
        given["keep"] = KEPT
    post(stack, f"async-jobs/{name}/collections/", **given)
    post(stack, f"async-jobs/{name}/collections/{name}/activate/")


def lines(url: str) -> dict[str, Any]:
    """A source of JSON lines."""
    return {"type": "JSONL", "configuration": {"url": url}}


def run_all(stack: Stack, names: tuple[str, ...] = MODES) -> dict[str, Any]:
    """Run these jobs at once, and wait. Returns job → its run, as REST shows it when it is over."""
    begun = {name: post(stack, f"async-jobs/{name}/run/")["id"] for name in names}
    over: dict[str, Any] = {}

    def are_over() -> bool:
        for name in begun.keys() - over.keys():
            run = stack.get(f"runs/{begun[name]}/")
            if run["finished_at"]:
                over[name] = run
        return len(over) == len(begun)

    stack.until(are_over, f"all of {', '.join(names)} are over")
    return over
