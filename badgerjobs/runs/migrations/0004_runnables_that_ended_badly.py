from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("runs", "0003_replays")]

    operations = [
        # A job's failed runs among many good ones. No run that succeeded is in it: recording one costs no more.
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("state__in", ("failed", "aborted", "skipped"))),
                fields=["runnable", "state", "id"],
                name="runnable_ended_badly",
            ),
        ),
    ]
