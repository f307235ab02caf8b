from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces", "0005_token_limit"),
    ]

    operations = [
        migrations.AddField(
            model_name="application",
            name="background_retention_days",
            field=models.PositiveSmallIntegerField(blank=True, null=True),
        ),
    ]
