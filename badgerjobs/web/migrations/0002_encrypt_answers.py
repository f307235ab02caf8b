"""Answers are encrypted at rest. Those that were not are dropped with their keys, which live a day at most."""

from django.db import migrations

import badgerjobs.workspaces.fields


class Migration(migrations.Migration):
    dependencies = [("web", "0001_initial")]

    operations = [
        migrations.RunSQL("DELETE FROM web_keyedrequest", migrations.RunSQL.noop),
        migrations.RemoveField(model_name="keyedrequest", name="answer"),
        migrations.AddField(
            model_name="keyedrequest",
            name="answer",
            field=badgerjobs.workspaces.fields.EncryptedJSONField(blank=True, default=dict),
        ),
    ]
