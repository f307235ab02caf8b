"""Storing a file as it arrives, and letting it become its source's in one step."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from badgerjobs.sources.models import DataSource, FilePart, SourceFile
from badgerjobs.web.definitions.keeping import GONE
from badgerjobs.web.lengths import FILE_BYTES
from badgerjobs.web.problems import Conflict
from badgerjobs.workspaces import audit
from badgerjobs.workspaces.models import Application, Workspace

PART_BYTES = 1024 * 1024
# Of `FILES_MB`.
MB = 1_000_000
# No file arrives for longer: what is older and no source's never became whole.
LEFT_AFTER = timedelta(hours=1)
LONGEST_NAME = 255
NAMELESS = "file"


class FileError(Exception):
    """A file that is not taken: a sentence for people, and the status of HTTP."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


class TooLongError(FileError):
    """The file is longer than any may be."""

    def __init__(self) -> None:
        super().__init__(
            f"The file has more than {FILE_BYTES:,} bytes: pack it by gzip, or let a source call for it.", 413
        )


class FullError(FileError):
    """The workspace would have more bytes of files than it may."""

    def __init__(self) -> None:
        super().__init__(
            f"The uploaded files of this workspace may have {settings.FILES_MB:,} MB together (FILES_MB), and with this"
            " one they would have more. Nothing was stored: delete sources whose files nobody needs, or let a source"
            " call for it.",
            413,
        )


class Keeping:
    """`write` a file piece by piece, and `end` it. It is nobody's until `give` says whose it is; else `drop` it.

    `tag` is of the source that is to have it, where that is known: the file that it has goes, and does not count.
    """

    def __init__(
        self, application: Application, name: str, *, by: audit.Actor, now: datetime, tag: str | None = None
    ) -> None:
        forget_left(now)
        self._application, self._tag = application, tag
        self.file = SourceFile.objects.create(
            application=application, name=_named(name), uploaded_by=by.name, uploaded_at=now
        )
        self._room = self._left()
        self._waiting = bytearray()
        self._position = 0

    def write(self, piece: bytes) -> None:
        """Its next bytes. Raises TooLongError and FullError."""
        self.file.bytes += len(piece)
        if self.file.bytes > FILE_BYTES:
            raise TooLongError
        self._ensure_room()
        self._waiting += piece
        while len(self._waiting) >= PART_BYTES:
            self._store(bytes(self._waiting[:PART_BYTES]))
            del self._waiting[:PART_BYTES]

    def end(self) -> SourceFile:
        """All of it came. Raises FullError."""
        if self._waiting:
            self._store(bytes(self._waiting))
            self._waiting.clear()
        with transaction.atomic():
            # Of two that come at once the second sees the first.
            Workspace.objects.select_for_update(no_key=True).filter(pk=self._application.workspace_id).first()
            self._room = self._left()
            self._ensure_room()
            self.file.save(update_fields=["bytes"])
        return self.file

    def _left(self) -> int | None:
        """How many bytes it may have beside the other files of the workspace; None for as many as may be."""
        if not settings.FILES_MB:
            return None
        others = SourceFile.objects.filter(application__workspace=self._application.workspace_id)
        if self._tag is not None:
            others = others.exclude(source__tag=self._tag, application=self._application)
        stored: int = others.exclude(pk=self.file.pk).aggregate(stored=Sum("bytes", default=0))["stored"]
        return int(settings.FILES_MB) * MB - stored

    def _ensure_room(self) -> None:
        if self._room is not None and self.file.bytes > self._room:
            raise FullError

    def drop(self) -> None:
        """Forget it, unless it is a source's by now."""
        SourceFile.objects.filter(pk=self.file.pk, source=None).delete()

    def _store(self, data: bytes) -> None:
        FilePart.objects.create(file=self.file, position=self._position, data=data)
        self._position += 1


@transaction.atomic
def give(*, source: DataSource, file: SourceFile, by: audit.Actor, now: datetime) -> DataSource:
    """Make it the source's file, in the place of the one before it. Raises Conflict for a source that is gone."""
    if not DataSource.objects.select_for_update().filter(pk=source.pk).exists():
        raise Conflict(GONE.format("source"))
    before = SourceFile.objects.filter(source=source).first()
    if before:
        before.delete()
    file.source = source
    file.save(update_fields=["source"])
    audit.record(
        by=by,
        action="source.upload",
        subject=source.tag,
        now=now,
        application=source.application,
        changes={
            "file": [getattr(before, "name", None), file.name],
            "bytes": [getattr(before, "bytes", None), file.bytes],
        },
    )
    return source


def forget_left(now: datetime) -> None:
    """Delete what never became whole, whoever sent it."""
    SourceFile.objects.filter(source=None, uploaded_at__lt=now - LEFT_AFTER).delete()


def _named(name: str) -> str:
    """As it is shown: without folders, and with nothing in it that the database cannot hold."""
    plain = "".join(letter for letter in name.replace("\\", "/").rpartition("/")[2] if letter.isprintable())
    return plain[-LONGEST_NAME:] or NAMELESS
