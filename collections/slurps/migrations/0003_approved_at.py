from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("collections", "0002_slurps"),
    ]

    operations = [
        migrations.AddField(
            model_name="version",
            name="approved_at",
            field=models.DateTimeField(null=True),
        ),
    ]
