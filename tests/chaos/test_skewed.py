"""A process whose clock is wrong: Python sees another time of day, and its monotonic clock is right."""

import json
import os
import subprocess
import sys
import time
from typing import Any

import pytest

from chaos.stack import SKEWED

ASK = """
import json, time
from datetime import UTC, datetime, timedelta
now = datetime.now(UTC)
print(json.dumps({
    "time": time.time(), "time_ns": time.time_ns() / 1e9, "datetime": now.timestamp(), "monotonic": time.monotonic(),
    "of its class": isinstance(now, datetime) and isinstance(now + timedelta(1), datetime),
    "made": datetime(2026, 1, 2, tzinfo=UTC).isoformat(), "read": datetime.fromisoformat("2026-01-02").isoformat(),
}))
"""


def asked(offset: str) -> dict[str, Any]:
    environment = os.environ | {"PYTHONPATH": str(SKEWED), "CHAOS_CLOCK_OFFSET_S": offset}
    told = subprocess.run([sys.executable, "-c", ASK], env=environment, stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(told.stdout)
    return found


@pytest.mark.parametrize("offset", ["500", "-500"])
def test_the_time_of_day_is_another_and_the_monotonic_clock_is_not(offset: str) -> None:
    told, now = asked(offset), time.time()
    for name in ("time", "time_ns", "datetime"):
        assert told[name] == pytest.approx(now + float(offset), abs=60)
    assert told["monotonic"] == pytest.approx(time.monotonic(), abs=60)


def test_moments_are_what_they_were() -> None:
    told = asked("500")
    assert told["of its class"]
    assert (told["made"], told["read"]) == ("2026-01-02T00:00:00+00:00", "2026-01-02T00:00:00")


def test_without_an_offset_the_clock_is_right() -> None:
    assert asked("0")["time"] == pytest.approx(time.time(), abs=60)
