"""How an application wants its failures repeated, and when it wants to be told."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces", "0003_token_rotated_at"),
    ]

    operations = [
        migrations.AddField(
            model_name="application",
            name="backoff",
            field=models.CharField(
                choices=[
                    ("incremental", "Step x attempt"),
                    ("exponential", "Step x 2^(attempt - 1)"),
                    ("polynomial", "Step x attempt^4"),
                    ("list", "A list of waits"),
                ],
                default="incremental",
                max_length=12,
            ),
        ),
        migrations.AddField(
            model_name="application",
            name="late_after_s",
            field=models.PositiveIntegerField(blank=True, default=300, null=True),
        ),
        migrations.AddField(
            model_name="application",
            name="pause_after",
            field=models.PositiveSmallIntegerField(blank=True, default=20, null=True),
        ),
        migrations.AddField(
            model_name="application",
            name="probe_after_s",
            field=models.PositiveIntegerField(default=900),
        ),
        migrations.AddField(
            model_name="application",
            name="retry_delays",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="application",
            name="retry_for_s",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="application",
            name="warn_after",
            field=models.PositiveSmallIntegerField(blank=True, default=5, null=True),
        ),
    ]
