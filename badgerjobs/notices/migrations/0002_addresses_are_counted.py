"""What mails left named all addresses, to everybody who may see runs: from now on it says how many they were."""

from django.db import migrations

COUNT = """
UPDATE runs_attempt
SET result = (result - 'mailed') || jsonb_build_object('mailed_to', jsonb_array_length(result -> 'mailed'))
WHERE runnable_id IS NULL AND jsonb_typeof(result -> 'mailed') = 'array'
"""


class Migration(migrations.Migration):
    dependencies = [
        ("notices", "0001_who_is_told_of_what"),
        ("runs", "0006_unaccounted_since"),
    ]

    operations = [migrations.RunSQL(COUNT, migrations.RunSQL.noop)]
