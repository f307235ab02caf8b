"""Statements in threads beside a loop."""

import asyncio
from typing import Any

import pytest

from badgerjobs.runs.statements import Statements


@pytest.mark.parametrize("raised", [SystemExit(1), KeyboardInterrupt()], ids=["exit", "interrupt"])
def test_what_would_end_a_process_is_an_ordinary_error_on_the_loop(raised: BaseException) -> None:
    def end() -> Any:
        raise raised

    async def asked() -> None:
        statements = Statements(1)
        with pytest.raises(RuntimeError, match=type(raised).__name__):
            await statements.run(end)

    asyncio.run(asked())
