from typing import Any

import badgerjobs.lib.ids
import badgerjobs.workspaces.fields
import django.db.models.deletion
import webhooks.models.hook
from django.db import migrations, models

from badgerjobs.workspaces.retry_policy import RETRY_COLUMNS


def give_runnables(apps: Any, schema_editor: Any) -> None:
    """Every hook that is there belongs to a task: it is called as that is, and gets a runnable of its own."""
    hook_model, runnable_model = apps.get_model("webhooks", "Hook"), apps.get_model("runs", "Runnable")
    for hook in hook_model.objects.select_related("task", "application").iterator():
        hook.tag, hook.name = f"task:{hook.task.tag}", hook.task.name
        owner = hook.application
        retries = {name: getattr(owner, name) for name in RETRY_COLUMNS}
        hook.runnable = runnable_model.objects.create(
            application_id=owner.pk,
            kind="delivery",
            name=hook.tag[:200],
            anchor=hook.created_at,
            overlap="allow",
            **retries,
        )
        if hook.task.transform:
            hook.transform, hook.transform_version = hook.task.transform, 1
        hook.save()
        if hook.transform:
            hook.versions.create(number=1, code=hook.transform, made_at=hook.created_at)
    # What is checked when all is committed is checked now, or the table could not be altered after this.
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0009_webhook_cause"),
        ("tasks", "0001_initial"),
        ("webhooks", "0001_initial"),
        ("workspaces", "0005_token_limit"),
    ]

    operations = [
        migrations.CreateModel(
            name="Act",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("runnable_id", models.BigIntegerField()),
                ("delivery_id", models.UUIDField()),
                ("run_id", models.UUIDField()),
                ("position", models.PositiveSmallIntegerField()),
                ("name", models.CharField(max_length=100)),
                ("type", models.CharField(max_length=40)),
                ("target", models.CharField(blank=True, db_default="", default="", max_length=400)),
                ("given", models.JSONField(default=dict)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("done", "Done"),
                            ("skipped", "Skipped"),
                            ("failed", "Failed"),
                        ],
                        max_length=10,
                    ),
                ),
                ("caused", models.UUIDField(null=True)),
                ("said", models.TextField(blank=True, db_default="", default="")),
                ("made_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["run_id", "position"],
            },
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=badgerjobs.lib.ids.uuid7, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("run_id", models.UUIDField(null=True)),
                (
                    "standing",
                    models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("stored", "Stored"),
                            ("held", "Held"),
                            ("duplicate", "Duplicate"),
                            ("refused", "Refused"),
                        ],
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, db_default="", default="", max_length=300)),
                ("duplicate_of", models.UUIDField(null=True)),
                ("event_id", models.CharField(blank=True, db_default="", default="", max_length=200)),
                ("verified", models.CharField(blank=True, db_default="", default="", max_length=20)),
                ("method", models.CharField(max_length=7)),
                ("query", models.TextField(blank=True, db_default="", default="")),
                ("headers", models.JSONField(default=dict)),
                ("address", models.GenericIPAddressField(null=True)),
                ("body", models.BinaryField(default=b"")),
                ("packed", models.BooleanField(db_default=False, default=False)),
                ("bytes", models.PositiveIntegerField(default=0)),
                ("received_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "deliveries",
            },
        ),
        migrations.CreateModel(
            name="Example",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100)),
                ("headers", models.JSONField(blank=True, default=dict)),
                ("body", models.TextField(blank=True)),
                ("expected", models.JSONField(blank=True, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Seen",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("runnable_id", models.BigIntegerField()),
                ("digest", models.CharField(max_length=64)),
                ("delivery_id", models.UUIDField()),
                ("seen_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "seen",
            },
        ),
        migrations.CreateModel(
            name="TransformVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("code", models.TextField(blank=True)),
                ("made_by", models.CharField(blank=True, max_length=300)),
                ("made_at", models.DateTimeField()),
            ],
            options={
                "ordering": ["-number"],
            },
        ),
        migrations.AddField(
            model_name="hook",
            name="actions",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="hook",
            name="challenge",
            field=models.CharField(
                choices=[
                    ("none", "None"),
                    ("hub", "hub.challenge (Meta, WebSub)"),
                    ("echo", "challenge (Dropbox)"),
                    ("token", "validationToken (Microsoft)"),
                    ("header", "X-Okta-Verification-Challenge (Okta)"),
                ],
                default="none",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="hook",
            name="max_bytes",
            field=models.PositiveIntegerField(default=1000000),
        ),
        migrations.AddField(
            model_name="hook",
            name="methods",
            field=models.JSONField(blank=True, default=webhooks.models.hook.only_post),
        ),
        migrations.AddField(
            model_name="hook",
            name="name",
            field=models.CharField(default="", max_length=200),
        ),
        migrations.AddField(
            model_name="hook",
            name="previous_digest",
            field=models.CharField(blank=True, max_length=64, null=True, unique=True),
        ),
        migrations.AddField(
            model_name="hook",
            name="previous_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="hook",
            name="rate",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="hook",
            name="repeats",
            field=models.CharField(
                choices=[
                    ("none", "Not looked for"),
                    ("provider", "The provider's id"),
                    ("header", "A header"),
                    ("body", "The body"),
                ],
                default="none",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="hook",
            name="repeats_header",
            field=models.CharField(blank=True, default="", max_length=100),
        ),
        migrations.AddField(
            model_name="hook",
            name="repeats_window_s",
            field=models.PositiveIntegerField(default=86400),
        ),
        migrations.AddField(
            model_name="hook",
            name="response",
            field=models.CharField(
                choices=[("id", "202 with the id"), ("empty", "200, empty"), ("fixed", "A fixed body")],
                default="id",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="hook",
            name="response_body",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.AddField(
            model_name="hook",
            name="response_status",
            field=models.PositiveSmallIntegerField(default=200),
        ),
        migrations.AddField(
            model_name="hook",
            name="response_type",
            field=models.CharField(blank=True, default="text/plain", max_length=100),
        ),
        migrations.AddField(
            model_name="hook",
            name="runnable",
            field=models.OneToOneField(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="hook", to="runs.runnable"
            ),
        ),
        migrations.AddField(
            model_name="hook",
            name="settings",
            field=badgerjobs.workspaces.fields.EncryptedJSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="hook",
            name="tag",
            field=models.CharField(default="", max_length=205),
        ),
        migrations.AddField(
            model_name="hook",
            name="transform",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.AddField(
            model_name="hook",
            name="transform_version",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="hook",
            name="verification",
            field=models.CharField(choices=webhooks.models.hook.verifications, default="none", max_length=20),
        ),
        migrations.AddConstraint(
            model_name="hook",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("previous_digest", None), ("previous_until", None)),
                    models.Q(("previous_digest__isnull", False), ("previous_until__isnull", False)),
                    _connector="OR",
                ),
                name="a_previous_secret_ends",
            ),
        ),
        migrations.AddField(
            model_name="act",
            name="application",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="workspaces.application",
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="application",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="workspaces.application",
            ),
        ),
        migrations.AddField(
            model_name="delivery",
            name="runnable",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="deliveries",
                to="runs.runnable",
            ),
        ),
        migrations.AddField(
            model_name="example",
            name="hook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="examples", to="webhooks.hook"
            ),
        ),
        migrations.AddIndex(
            model_name="seen",
            index=models.Index(fields=["seen_at"], name="seen_at"),
        ),
        migrations.AddConstraint(
            model_name="seen",
            constraint=models.UniqueConstraint(fields=("runnable_id", "digest"), name="seen_once"),
        ),
        migrations.AddField(
            model_name="transformversion",
            name="hook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="versions", to="webhooks.hook"
            ),
        ),
        migrations.AddIndex(
            model_name="act",
            index=models.Index(fields=["delivery_id"], name="act_of_delivery"),
        ),
        migrations.AddIndex(
            model_name="act",
            index=models.Index(
                condition=models.Q(("caused__isnull", False)), fields=["caused"], name="act_that_caused"
            ),
        ),
        migrations.AddIndex(
            model_name="act",
            index=models.Index(fields=["application", "made_at"], name="act_of_application"),
        ),
        migrations.AddIndex(
            model_name="act",
            index=models.Index(fields=["runnable_id"], name="act_of_runnable"),
        ),
        migrations.AddConstraint(
            model_name="act",
            constraint=models.UniqueConstraint(fields=("run_id", "position"), name="one_act_for_a_position"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["runnable", "id"], name="delivery_of_hook"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["application", "id"], name="delivery_of_application"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("standing__in", ("accepted", "stored")), _negated=True),
                fields=["runnable", "standing", "id"],
                name="unusual_delivery",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("run_id__isnull", False)), fields=["run_id"], name="delivery_of_run"
            ),
        ),
        migrations.AddConstraint(
            model_name="example",
            constraint=models.UniqueConstraint(fields=("hook", "name"), name="one_example_for_a_name"),
        ),
        migrations.AddConstraint(
            model_name="transformversion",
            constraint=models.UniqueConstraint(fields=("hook", "number"), name="one_version_for_a_number"),
        ),
        migrations.RunPython(give_runnables, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="hook",
            name="runnable",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE, related_name="hook", to="runs.runnable"
            ),
        ),
        migrations.AlterField(
            model_name="hook",
            name="tag",
            field=models.CharField(max_length=205),
        ),
        migrations.AlterField(
            model_name="hook",
            name="name",
            field=models.CharField(max_length=200),
        ),
        migrations.AddConstraint(
            model_name="hook",
            constraint=models.UniqueConstraint(fields=("application", "tag"), name="one_hook_for_a_tag"),
        ),
    ]
