"""A source's file as it is pulled: part by part, in a thread with a connection of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from django.db import connection
from django.db.models import QuerySet

from badgerjobs.sources.models import DataSource, FilePart, SourceFile
from badgerjobs.sources.rows.pulling import PullError
from badgerjobs.sources.rows.streams import Body

NO_FILE = "No file has been uploaded yet."
REPLACED = "Another file was uploaded while this one was read."

T = TypeVar("T")


class FileBody(Body):
    """The parts of a file; or the beginning of one that is only tried."""

    def __init__(self, source: DataSource, thread: ThreadPoolExecutor) -> None:
        super().__init__()
        self._thread = thread
        self._source, self._posted = source, source.posted
        self._file: SourceFile | None = None
        self._position = self._length = 0

    async def begin(self) -> None:
        """Look for the file. Raises PullError where there is none."""
        if self._posted is None:
            self._file = await self._asked(SourceFile.objects.filter(source=self._source.pk).first)
            if self._file is None:
                raise PullError("file", NO_FILE, retry=False)

    async def _next(self) -> bytes:
        """See `Body`. Raises PullError where the rest is gone."""
        if self._file is None:
            posted, self._posted = self._posted or b"", b""
            return posted
        if self._length == self._file.bytes:
            return b""
        data = await self._asked(self._parts().first)
        if data is None:
            raise PullError("file", REPLACED)
        self._position += 1
        self._length += len(data)
        return bytes(data)

    def _parts(self) -> QuerySet[FilePart, bytes | memoryview]:
        return FilePart.objects.filter(file=self._file, position=self._position).values_list("data", flat=True)

    async def _asked(self, question: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, question)


@asynccontextmanager
async def file_of(source: DataSource) -> AsyncIterator[FileBody]:
    """The file of a source. Raises PullError."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="file")
    body = FileBody(source, thread)
    try:
        await body.begin()
        yield body
    finally:
        await body.close()
        thread.submit(_let_go)
        thread.shutdown()


def _let_go() -> None:
    """Of the connection of the thread that calls it."""
    connection.close()
