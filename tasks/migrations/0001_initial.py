import badgerjobs.lib.ids
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.contrib.postgres.operations import BtreeGinExtension, TrigramExtension
from django.db import migrations, models

# Names are searched where they are in order, in the index alone: that reads no row as long as vacuum has been there.
SETTINGS = ("autovacuum_vacuum_scale_factor", "autovacuum_vacuum_insert_scale_factor")
VACUUMED = f"ALTER TABLE tasks_cachekey SET ({', '.join(f'{name} = 0.02' for name in SETTINGS)})"
AS_USUAL = f"ALTER TABLE tasks_cachekey RESET ({', '.join(SETTINGS)})"


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("runs", "0009_webhook_cause"),
        ("sources", "0001_initial"),
        ("workspaces", "0005_token_limit"),
    ]

    operations = [
        # Keys are found by parts of their names, within one application.
        BtreeGinExtension(),
        TrigramExtension(),
        migrations.CreateModel(
            name="CacheKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(db_collation="C", max_length=400)),
                ("variables", models.JSONField(blank=True, default=dict)),
                (
                    "tags",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=100), blank=True, default=list, size=None
                    ),
                ),
                ("ttl_s", models.PositiveIntegerField(blank=True, null=True)),
                ("stale_while_revalidate_s", models.PositiveIntegerField(blank=True, null=True)),
                ("stale_if_error_s", models.PositiveIntegerField(blank=True, null=True)),
                ("created_at", models.DateTimeField()),
                ("updated_at", models.DateTimeField()),
                (
                    "application",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="keys",
                        to="workspaces.application",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.RESTRICT,
                        related_name="keys",
                        to="sources.datasource",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CacheReads",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("hits", models.PositiveBigIntegerField(default=0)),
                ("stale", models.PositiveBigIntegerField(default=0)),
                ("misses", models.PositiveBigIntegerField(default=0)),
                (
                    "application",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="workspaces.application",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="KeySync",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=badgerjobs.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("runnable_id", models.BigIntegerField(null=True)),
                ("key_id", models.BigIntegerField()),
                ("key_name", models.CharField(max_length=400)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("succeeded", "Succeeded"), ("failed", "Failed")],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField()),
                ("started_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("duration_ms", models.PositiveIntegerField(null=True)),
                ("status", models.PositiveSmallIntegerField(null=True)),
                ("bytes", models.PositiveIntegerField(null=True)),
                ("etag", models.CharField(blank=True, default="", max_length=64)),
                ("changed", models.BooleanField(null=True)),
                ("error_class", models.CharField(blank=True, default="", max_length=20)),
                ("error", models.TextField(blank=True, default="")),
                (
                    "application",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="workspaces.application",
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="syncs",
                        to="runs.run",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Task",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tag", models.CharField(max_length=200)),
                ("name", models.CharField(max_length=200)),
                (
                    "type",
                    models.CharField(
                        choices=[("on_demand", "On demand"), ("scheduled", "Scheduled"), ("webhook", "Webhook")],
                        max_length=10,
                    ),
                ),
                (
                    "selection",
                    models.CharField(
                        choices=[
                            ("exact", "Exact keys"),
                            ("contains", "Names that contain"),
                            ("prefix", "Names that begin with"),
                            ("glob", "Names that match"),
                            ("tag", "Keys with the tag"),
                        ],
                        max_length=10,
                    ),
                ),
                ("pattern", models.CharField(blank=True, default="", max_length=500)),
                ("transform", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tasks", to="workspaces.application"
                    ),
                ),
                (
                    "runnable",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="task", to="runs.runnable"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TaskKey",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="tasks.cachekey")),
                (
                    "task",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to="tasks.task"),
                ),
            ],
        ),
        migrations.AddField(
            model_name="task",
            name="keys",
            field=models.ManyToManyField(related_name="tasks", through="tasks.TaskKey", to="tasks.cachekey"),
        ),
        migrations.CreateModel(
            name="CachedValue",
            fields=[
                (
                    "key",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="value",
                        serialize=False,
                        to="tasks.cachekey",
                    ),
                ),
                ("body", models.TextField(null=True)),
                ("bytes", models.PositiveIntegerField(default=0)),
                ("etag", models.CharField(blank=True, default="", max_length=64)),
                ("fetched_at", models.DateTimeField(null=True)),
                ("changed_at", models.DateTimeField(null=True)),
                ("tried_at", models.DateTimeField(null=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("duration_ms", models.PositiveIntegerField(null=True)),
                ("error_class", models.CharField(blank=True, default="", max_length=20)),
                ("error", models.TextField(blank=True, default="")),
                ("asked_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(condition=models.Q(("error_class__gt", "")), fields=["key"], name="value_failing")
                ],
            },
        ),
        migrations.AddIndex(
            model_name="cachekey",
            index=models.Index(fields=["application", "id"], name="key_of_application"),
        ),
        migrations.AddIndex(
            model_name="cachekey",
            index=models.Index(fields=["source", "id"], name="key_of_source"),
        ),
        migrations.AddIndex(
            model_name="cachekey",
            index=django.contrib.postgres.indexes.GinIndex(
                models.F("application"),
                django.contrib.postgres.indexes.OpClass(models.F("name"), name="gin_trgm_ops"),
                fastupdate=False,
                name="key_by_trigrams",
            ),
        ),
        migrations.AddIndex(
            model_name="cachekey",
            index=django.contrib.postgres.indexes.GinIndex(
                models.F("application"), models.F("tags"), fastupdate=False, name="key_by_tags"
            ),
        ),
        migrations.AddConstraint(
            model_name="cachekey",
            constraint=models.UniqueConstraint(fields=("application", "name"), name="one_key_for_a_name"),
        ),
        migrations.AddConstraint(
            model_name="cachereads",
            constraint=models.UniqueConstraint(fields=("application", "hour"), name="one_count_for_an_hour"),
        ),
        migrations.AddIndex(
            model_name="keysync",
            index=models.Index(condition=models.Q(("state", "waiting")), fields=["run", "due_at"], name="sync_waiting"),
        ),
        migrations.AddIndex(
            model_name="keysync",
            index=models.Index(fields=["run", "state", "id"], name="sync_of_run"),
        ),
        migrations.AddIndex(
            model_name="keysync",
            index=models.Index(fields=["key_id", "id"], name="sync_of_key"),
        ),
        migrations.AddIndex(
            model_name="keysync",
            index=models.Index(fields=["runnable_id", "id"], name="sync_of_runnable"),
        ),
        migrations.AddIndex(
            model_name="keysync",
            index=models.Index(fields=["application", "id"], name="sync_of_application"),
        ),
        migrations.AddIndex(
            model_name="keysync",
            index=models.Index(
                condition=models.Q(("state", "failed")), fields=["application", "id"], name="failed_sync"
            ),
        ),
        migrations.AddConstraint(
            model_name="keysync",
            constraint=models.UniqueConstraint(fields=("run", "key_id"), name="one_sync_for_a_key"),
        ),
        migrations.AddConstraint(
            model_name="taskkey",
            constraint=models.UniqueConstraint(fields=("task", "key"), name="each_key_once_in_a_task"),
        ),
        migrations.AddConstraint(
            model_name="task",
            constraint=models.UniqueConstraint(fields=("application", "tag"), name="one_task_for_a_tag"),
        ),
        migrations.RunSQL(VACUUMED, AS_USUAL),
    ]
