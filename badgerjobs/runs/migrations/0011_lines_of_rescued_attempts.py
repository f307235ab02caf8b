from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0010_iterations"),
    ]

    operations = [
        migrations.AddField(
            model_name="logline",
            name="rescues",
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
    ]
