from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("jobs", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="job",
            name="fail_statuses",
            field=models.CharField(default="400-599", max_length=200),
        ),
        migrations.AddField(
            model_name="job",
            name="retry_statuses",
            field=models.CharField(blank=True, default="", max_length=200),
        ),
    ]
