from django.db import migrations, models


class Migration(migrations.Migration):
    """By which clock something was planned last, and what a run stands for whose time was past when it was planned."""

    dependencies = [("runs", "0006_unaccounted_since")]

    operations = [
        migrations.AddField(
            model_name="runnable", name="next_occurrence", field=models.DateTimeField(blank=True, null=True)
        ),
        migrations.AddField(
            model_name="runnable", name="planned_at", field=models.DateTimeField(blank=True, null=True)
        ),
    ]
