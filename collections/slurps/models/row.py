"""One row of a collection. Written and read by the statements of `slurps/storing/`, thousands at a time."""

from django.db import models

# So many fields of a collection may be declared to be found quickly: each has a column of its own in every row.
SLOTS = 4
# As JSON; a key that is longer is known by its hash.
KEY_LETTERS = 100


class Row(models.Model):
    """A row from the generation that added it (`first`) to the last one that has it (`last`; null: it goes on).

    `position` orders them, and a row that is updated keeps it. `key` says its key's values, or is their hash, where the
    collection has a key. The slots hold the declared fields, as JSON, long texts cut. No foreign key is enforced: it
    would be looked at for each of a million rows.
    """

    pk = models.CompositePrimaryKey("collection_id", "position", "first")
    collection_id = models.BigIntegerField()
    position = models.BigIntegerField()
    first = models.IntegerField()
    last = models.IntegerField(null=True)
    key = models.CharField(max_length=KEY_LETTERS, null=True, db_collation="C")  # noqa: DJ001  null: none
    data = models.JSONField()
    slot1 = models.JSONField(null=True)
    slot2 = models.JSONField(null=True)
    slot3 = models.JSONField(null=True)
    slot4 = models.JSONField(null=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["collection_id", "key"],
                name="row_with_key",
                condition=models.Q(key__isnull=False, last__isnull=True),
            ),
            models.Index(fields=["collection_id", "last"], name="row_closed", condition=models.Q(last__isnull=False)),
            *(
                models.Index(
                    fields=["collection_id", f"slot{slot}", "position"],
                    name=f"row_slot{slot}",
                    condition=models.Q(**{f"slot{slot}__isnull": False}),
                )
                for slot in range(1, SLOTS + 1)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.collection_id}: {self.position}"
