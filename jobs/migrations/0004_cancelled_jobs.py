from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("jobs", "0003_events")]

    operations = [migrations.AddField("job", "cancelled_at", models.DateTimeField(blank=True, null=True))]
