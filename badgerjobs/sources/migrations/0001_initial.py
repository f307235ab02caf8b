import badgerjobs.sources.models
import badgerjobs.workspaces.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("workspaces", "0004_engine_settings"),
    ]

    operations = [
        migrations.CreateModel(
            name="DataSource",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("tag", models.CharField(max_length=200)),
                ("name", models.CharField(max_length=200)),
                ("type", models.CharField(choices=badgerjobs.sources.models.source_types, max_length=20)),
                ("configuration", badgerjobs.workspaces.fields.EncryptedJSONField(blank=True, default=dict)),
                ("variables", models.JSONField(blank=True, default=list)),
                ("host", models.CharField(blank=True, default="", max_length=260)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sources", to="workspaces.application"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("application", "tag"), name="one_source_for_a_tag")],
            },
        ),
    ]
