from django.db import migrations, models


class Migration(migrations.Migration):
    """From when on a paused schedule has to be accounted for. Those that are off already begin with their resuming."""

    dependencies = [("runs", "0005_policies")]

    operations = [
        migrations.AddField(
            model_name="runnable",
            name="unaccounted_since",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
