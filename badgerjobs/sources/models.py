"""Where data comes from: what is called, with which credentials, and what is made of the answer."""

from collections.abc import Sequence

from django.db import models

from badgerjobs.sources.querysets import DataSourceQuerySet, SourceFileQuerySet
from badgerjobs.workspaces.fields import EncryptedJSONField
from badgerjobs.workspaces.models import Application


class SourceType(models.TextChoices):
    """Each is a row in `badgerjobs/sources/types/__init__.py`, which leads to how it is checked and fetched."""

    REST = "REST", "REST"
    GRAPHQL = "GRAPHQL", "GraphQL"
    JSONL = "JSONL", "JSON lines"
    CSV = "CSV", "CSV"
    XML = "XML", "XML and SOAP"
    SQL = "SQL", "SQL database"
    COLLECTION = "COLLECTION", "Collection"
    STREAM = "STREAM", "Message broker"
    CSV_FILE = "CSV_FILE", "CSV, uploaded"
    JSONL_FILE = "JSONL_FILE", "JSON lines, uploaded"


def source_types() -> list[tuple[str, str]]:
    """The choices of the column, named and not listed there: so a new type needs no migration."""
    return SourceType.choices


class DataSource(models.Model):
    """`tag` is its identity in the application, for ever. The configuration holds credentials and is encrypted.

    `variables` are the names that the configuration's placeholders ask for, in order, and `host` is what is called, its
    port with it where that is not the usual one: kept beside it, so that a list need not decrypt anything to tell them.
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="sources")
    tag = models.CharField(max_length=200)
    name = models.CharField(max_length=200)
    type = models.CharField(max_length=20, choices=source_types)
    configuration = EncryptedJSONField(default=dict, blank=True)
    variables = models.JSONField(default=list, blank=True)
    # The longest name of a host has 253 characters.
    host = models.CharField(max_length=260, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    # What is tried in the place of its file: the beginning of one that is not stored.
    posted: bytes | None = None
    # Of a change that was just made: the variables that it declared anew, and what there is to say, in sentences. Not
    # stored.
    new_variables: Sequence[str] = ()
    warnings: Sequence[str] = ()

    objects = DataSourceQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["application", "tag"], name="one_source_for_a_tag")]

    def __str__(self) -> str:
        return self.tag


class SourceFile(models.Model):
    """A file that somebody uploaded for a source. While it arrives, and where it never did, it is no source's yet.

    It is kept in parts, so that it is stored as it comes and read as it is pulled.
    """

    application = models.ForeignKey(Application, models.CASCADE, related_name="source_files")
    source = models.OneToOneField(DataSource, models.CASCADE, related_name="file", null=True)
    name = models.CharField(max_length=255)
    bytes = models.BigIntegerField(default=0)
    # Who, as the audit log has it.
    uploaded_by = models.CharField(max_length=300)
    uploaded_at = models.DateTimeField()

    objects = SourceFileQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["uploaded_at"], condition=models.Q(source=None), name="files_of_no_source"),
        ]

    def __str__(self) -> str:
        return self.name


class FilePart(models.Model):
    """A part of a file, from 0 on."""

    file = models.ForeignKey(SourceFile, models.CASCADE, related_name="parts", db_index=False)
    position = models.IntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "position"], name="one_part_at_a_position")]

    def __str__(self) -> str:
        return f"{self.file_id} {self.position}"
