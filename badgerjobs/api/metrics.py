"""What Prometheus reads: made anew from the database at each scrape, so that any web process tells the same."""

from collections.abc import Iterator

from django.db.models import Count
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from badgerjobs.runs import fleet, health
from badgerjobs.runs.models import Run, Runnable

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Engine(Collector):
    """The engine's gauges. Only unfinished runs are counted: their index is small, however much history is kept."""

    def collect(self) -> Iterator[Metric]:
        """Yield each gauge."""
        found = health.health()
        yield _gauge("up", "1 while everything works.", int(found.status == "ok"))
        if found.database != "ok":
            return
        yield _gauge(
            "dispatcher_lag_seconds", "How late the first due occurrence is.", (found.dispatcher_lag_ms or 0) / 1000
        )
        yield _gauge("workers", "Worker processes seen lately.", found.workers or 0)
        yield _gauge("beats", "Beat processes seen lately.", fleet.beats_seen(health.WORKER_SEEN))
        yield _gauge("runnables_planned", "Runnables with a next run.", Runnable.objects.planned().count())
        runs = GaugeMetricFamily("badgerjobs_runs", "Runs that are not over.", labels=["state", "queue"])
        counted = Run.objects.unfinished().values_list("state", "queue").annotate(Count("pk"))
        for state, queue, count in counted.order_by():
            runs.add_metric([state, queue], count)
        yield runs


def _gauge(name: str, about: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"badgerjobs_{name}", about, value=value)


def exposition() -> bytes:
    """The metrics as text."""
    registry = CollectorRegistry()
    registry.register(Engine())
    return generate_latest(registry)
