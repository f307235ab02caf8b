"""The closed sets of words that rows hold: states, causes, and what a policy may be."""

from django.db import models


class State(models.TextChoices):
    """Where a run is. docs/run-life-cycle.md draws who moves it on; only `lifecycle.py` does."""

    SCHEDULED = "scheduled", "Scheduled"  # its time has not come
    QUEUED = "queued", "Queued"  # due: the next free slot takes it
    RUNNING = "running", "Running"  # a worker has it
    RETRYING = "retrying", "Retrying"  # an attempt failed, the next one waits for its time
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    ABORTED = "aborted", "Aborted"
    SKIPPED = "skipped", "Skipped"  # an occurrence that was not run, with the reason


FINAL = (State.SUCCEEDED, State.FAILED, State.ABORTED, State.SKIPPED)
WAITING = (State.SCHEDULED, State.RETRYING)
# What the next occurrence would overlap with. A run that waits for another attempt is not among them.
ACTIVE = (State.QUEUED, State.RUNNING)
# How few runs end: what an index may hold without costing those that succeed anything.
RARE = (State.FAILED, State.ABORTED, State.SKIPPED)


class Cause(models.TextChoices):
    """Why there is a run."""

    SCHEDULE = "schedule", "Its time came"
    MANUAL = "manual", "Somebody ran it"
    CODE = "code", "Code started it"
    REPLAY = "replay", "Somebody replayed another run"
    BACKFILL = "backfill", "Somebody had a past occurrence run"
    PROBE = "probe", "It was tried whether it is well again"
    WEBHOOK = "webhook", "A webhook came"


class Queue(models.TextChoices):
    """What work costs: waiting for the network, or computing."""

    IO = "io", "Waits for the network"
    COMPUTE = "compute", "Computes"


class Preset(models.TextChoices):
    HOURLY = "hourly", "Hourly"
    DAILY = "daily", "Daily"
    WEEKLY = "weekly", "Weekly"


class Overlap(models.TextChoices):
    """What happens when an occurrence comes while a run of the same runnable is queued or running."""

    SKIP = "skip", "Skip it"
    QUEUE_ONE = "queue_one", "Let one wait"
    QUEUE_ALL = "queue_all", "Let all wait"
    CANCEL_RUNNING = "cancel_running", "Abort what runs"
    ALLOW = "allow", "Run beside it"


class CatchUp(models.TextChoices):
    """What is run of the occurrences whose time passed while nobody dispatched them."""

    LATEST = "latest", "The latest"
    NONE = "none", "None"
    ALL = "all", "All"


class SkipReason(models.TextChoices):
    """Why a planned occurrence was not run."""

    OVERLAP = "overlap", "The run before it was not over"
    MISSED = "missed", "Its time passed while nothing was dispatched"
    PAUSED = "paused", "It was paused"


class Breaker(models.TextChoices):
    """Whether a runnable that kept failing was paused (`open`), and is being tried again (`half_open`)."""

    CLOSED = "", "Closed"
    OPEN = "open", "Open"
    HALF_OPEN = "half_open", "Half-open"
