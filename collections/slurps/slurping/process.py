"""A run in its process: what it is told, and what it answers."""

import logging
import threading
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import Error

from badgerjobs.runs.processes.beside import Beside
from badgerjobs.runs.processes.came import Came
from badgerjobs.runs.processes.lines import write
from badgerjobs.runs.processes.pipe import Work
from badgerjobs.runs.record import may_pass
from slurps.models import AsyncJob, Collection
from slurps.slurping.plan import Plan, SlurpError
from slurps.slurping.slurping import slurp
from slurps.slurping.streaming import GivenUpError

logger = logging.getLogger(__name__)

BUG = "Something went wrong inside Badger Jobs. It has been logged, and the attempt is repeated."
AWAY = "The database was away."


def performed(work: Work, beside: Beside, stopped: threading.Event) -> Came:
    """Do it. Whatever happens, there is an answer."""
    try:
        return Came("done", output=slurp(plan_of(work, beside, stopped, now=beside.now()), stopped=stopped))
    except GivenUpError:
        return Came("aborted")
    except SlurpError as error:
        wait = error.retry_after.total_seconds() if error.retry_after else None
        return _failed(error.error_class, error.message, retry=error.retry, retry_after=wait)
    except AsyncJob.DoesNotExist:
        return Came("aborted", "The async job was deleted.")
    except Error as error:
        logger.exception("a run of an async job failed")
        return _failed("database", AWAY if may_pass(error) else BUG, retry=True)
    except Exception:
        logger.exception("a run of an async job failed")
        return _failed("internal", BUG, retry=True)


def plan_of(work: Work, beside: Beside, stopped: threading.Event, *, now: datetime) -> Plan:
    """All that it needs to know. Raises AsyncJob.DoesNotExist."""
    job = AsyncJob.objects.whole().select_related("application__workspace").get(pk=int(work.definition))
    sources = [place.source for place in job.slurper.places.select_related("source__application__workspace")]

    def say(level: str, message: str, data: Any) -> None:
        beside.insist(lambda: write(work, level, message, data), until=stopped)

    return Plan(
        job=job,
        slurper=job.slurper,
        sources=sources,
        collection=Collection.objects.filter(async_job=job, is_active=True).first(),
        run_id=work.run_id,
        worker=work.worker,
        attempt=work.attempt,
        now=now,
        say=say,
        values=_values_of(work.input),
    )


def _values_of(given: Any) -> Mapping[str, Any]:
    """What a run was given for its sources; nothing where that is not how it was made."""
    values = given.get("values") if isinstance(given, dict) else None
    return values if isinstance(values, dict) else {}


def _failed(error_class: str, message: str, *, retry: bool, retry_after: float | None = None) -> Came:
    error = {"error_class": error_class, "message": message, "retry": retry, "retry_after": retry_after}
    return Came("error", message, error=error)
