from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """How many occurrences came while nothing was dispatched, of incidents that are about that."""

    dependencies = [("runs", "0007_planned_at")]

    operations = [
        migrations.AddField(
            model_name="incident",
            name="overdue",
            field=models.PositiveBigIntegerField(db_default=0, default=0),
        ),
        migrations.AddIndex(
            model_name="incident",
            index=models.Index(fields=["application", "id"], name="incident_of_outage", condition=Q(overdue__gt=0)),
        ),
    ]
