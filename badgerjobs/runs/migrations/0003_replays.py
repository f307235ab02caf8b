from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0002_hot_tables")]

    operations = [
        migrations.AlterField(
            model_name="run",
            name="cause",
            field=models.CharField(
                choices=[
                    ("schedule", "Its time came"),
                    ("manual", "Somebody ran it"),
                    ("code", "Code started it"),
                    ("replay", "Somebody replayed another run"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddField(model_name="run", name="replay_of", field=models.UUIDField(null=True)),
        # Neither holds a run that succeeded: recording a success writes to no more indexes than before.
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("state__in", ("failed", "aborted", "skipped"))),
                fields=["application", "state", "id"],
                name="run_ended_badly",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("replay_of__isnull", False)), fields=["replay_of"], name="run_replayed"
            ),
        ),
    ]
