from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0008_outages"),
    ]

    operations = [
        migrations.AlterField(
            model_name="run",
            name="cause",
            field=models.CharField(
                choices=[
                    ("schedule", "Its time came"),
                    ("manual", "Somebody ran it"),
                    ("code", "Code started it"),
                    ("replay", "Somebody replayed another run"),
                    ("backfill", "Somebody had a past occurrence run"),
                    ("probe", "It was tried whether it is well again"),
                    ("webhook", "A webhook came"),
                ],
                max_length=10,
            ),
        ),
    ]
