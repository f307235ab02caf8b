from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("workspaces", "0002_people_and_policies"),
    ]

    operations = [
        migrations.AddField(
            model_name="token",
            name="rotated_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
