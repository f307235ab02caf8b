"""Policies, skipped occurrences, limits, incidents: what the engine promises of time, faults and fairness."""

import badgerjobs.lib.ids
import django.db.models.deletion
import uuid
from django.db import migrations, models


# What is switched off already has been so since it was last changed, as far as one knows.
PAUSED = "UPDATE runs_runnable SET paused_at = updated_at WHERE NOT enabled"

# What was to run once, and did, is known by that count from now on: its run may have been deleted.
RAN_ONCE = """
UPDATE runs_runnable SET scheduled_runs = 1
WHERE run_every = '' AND cron = '' AND preset = '' AND next_run_at IS NULL AND last_run_at >= run_at
"""


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0004_runnables_that_ended_badly"),
        ("workspaces", "0004_engine_settings"),
    ]

    operations = [
        migrations.CreateModel(
            name="Beat",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("started_at", models.DateTimeField()),
                ("seen_at", models.DateTimeField(db_index=True)),
            ],
        ),
        migrations.CreateModel(
            name="Incident",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=badgerjobs.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "trouble",
                    models.CharField(
                        choices=[
                            ("failed", "A run failed for good"),
                            ("warned", "It keeps failing"),
                            ("paused", "It was paused because it kept failing"),
                            ("late", "It did not run when it should have"),
                        ],
                        max_length=10,
                    ),
                ),
                ("run", models.UUIDField(null=True)),
                ("sentence", models.TextField()),
                ("opened_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("told_at", models.DateTimeField(null=True)),
                ("closing_told_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Quota",
            fields=[
                (
                    "application",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="quota",
                        serialize=False,
                        to="workspaces.application",
                    ),
                ),
                ("concurrent_runs", models.PositiveIntegerField(blank=True, null=True)),
                ("runs_per_minute", models.PositiveIntegerField(blank=True, null=True)),
                ("tokens", models.FloatField(default=0)),
                ("filled_at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="run",
            name="one_run_for_an_occurrence",
        ),
        migrations.RemoveIndex(
            model_name="run",
            name="run_queued",
        ),
        migrations.AddField(
            model_name="run",
            name="error_class",
            field=models.CharField(blank=True, db_default="", default="", max_length=20),
        ),
        migrations.AddField(
            model_name="run",
            name="held",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="run",
            name="skip_reason",
            field=models.CharField(
                blank=True,
                choices=[
                    ("overlap", "The run before it was not over"),
                    ("missed", "Its time passed while nothing was dispatched"),
                    ("paused", "It was paused"),
                ],
                db_default="",
                default="",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="skipped_count",
            field=models.PositiveBigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="run",
            name="skipped_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="runnable",
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
            model_name="runnable",
            name="breaker",
            field=models.CharField(
                blank=True,
                choices=[("", "Closed"), ("open", "Open"), ("half_open", "Half-open")],
                default="",
                max_length=9,
            ),
        ),
        migrations.AddField(
            model_name="runnable",
            name="catch_up",
            field=models.CharField(
                choices=[("latest", "The latest"), ("none", "None"), ("all", "All")], default="latest", max_length=6
            ),
        ),
        migrations.AddField(
            model_name="runnable",
            name="catch_up_within_s",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="runnable",
            name="end_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="runnable",
            name="failures_in_row",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="runnable",
            name="max_runs",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="runnable",
            name="offset_ms",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="runnable",
            name="overlap",
            field=models.CharField(
                choices=[
                    ("skip", "Skip it"),
                    ("queue_one", "Let one wait"),
                    ("queue_all", "Let all wait"),
                    ("cancel_running", "Abort what runs"),
                    ("allow", "Run beside it"),
                ],
                default="skip",
                max_length=14,
            ),
        ),
        migrations.AddField(
            model_name="runnable",
            name="pause_reason",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name="runnable",
            name="paused_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="runnable",
            name="paused_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="runnable",
            name="retry_delays",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="runnable",
            name="retry_for_s",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="runnable",
            name="scheduled_runs",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="runnable",
            name="spread_s",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="run",
            name="cause",
            field=models.CharField(
                choices=[
                    ("schedule", "Its time came"),
                    ("manual", "Somebody ran it"),
                    ("code", "Code started it"),
                    ("replay", "Somebody replayed another run"),
                    ("backfill", "Somebody had a past occurrence run"),
                    ("probe", "It was tried whether it is well again"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                models.F("queue"),
                models.F("application"),
                models.F("priority"),
                models.F("due_at"),
                condition=models.Q(("held", False), ("state", "queued")),
                name="run_queued",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("held", False), ("state__in", ("queued", "running"))),
                fields=["runnable"],
                name="run_active",
            ),
        ),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(condition=models.Q(("held", True)), fields=["runnable", "id"], name="run_held"),
        ),
        migrations.RemoveIndex(model_name="run", name="run_retrying"),
        migrations.AddIndex(
            model_name="run",
            index=models.Index(
                condition=models.Q(("state__in", ("scheduled", "retrying"))), fields=["runnable"], name="run_waiting_of"
            ),
        ),
        migrations.AddIndex(
            model_name="runnable",
            index=models.Index(
                condition=models.Q(("paused_until__isnull", False)), fields=["paused_until"], name="runnable_resumes"
            ),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "skipped"), _negated=True),
                fields=("runnable", "occurrence"),
                name="one_run_for_an_occurrence",
            ),
        ),
        migrations.AddConstraint(
            model_name="runnable",
            constraint=models.CheckConstraint(
                condition=models.Q(("paused_until", None), ("enabled", False), _connector="OR"),
                name="enabled_is_not_paused",
            ),
        ),
        migrations.AddField(
            model_name="incident",
            name="application",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="incidents",
                to="workspaces.application",
            ),
        ),
        migrations.AddField(
            model_name="incident",
            name="runnable",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="incidents", to="runs.runnable"
            ),
        ),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(fields=["application", "id"], name="incident_of_application"),
        ),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(condition=models.Q(("told_at", None)), fields=["id"], name="incident_untold"),
        ),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(
                condition=models.Q(("closed_at__isnull", False), ("closing_told_at", None)),
                fields=["id"],
                name="incident_end_untold",
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at", None)), fields=("runnable", "trouble"), name="one_open_incident_each"
            ),
        ),
        migrations.AddConstraint(
            model_name="incident",
            constraint=models.UniqueConstraint(
                condition=models.Q(("closed_at", None), ("runnable", None)),
                fields=("application", "trouble"),
                name="one_open_incident_of_the_whole",
            ),
        ),
        migrations.RunSQL(PAUSED, migrations.RunSQL.noop),
        migrations.RunSQL(RAN_ONCE, migrations.RunSQL.noop),
    ]
