"""What Django's models cannot say of tables that are written thousands of times a second."""

from django.db import migrations

# Room on each page for the new version of a row, and vacuum as soon as a hundredth of the rows is dead: dispatch walks
# the head of an index whose entries die with every tick.
HOT = "ALTER TABLE {} SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_cost_delay = 0)"
COOL = "ALTER TABLE {} RESET (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_cost_delay)"


class Migration(migrations.Migration):
    dependencies = [("runs", "0001_initial")]

    operations = [
        migrations.RunSQL(HOT.format(table), COOL.format(table))
        for table in ("runs_runnable", "runs_run", "runs_worker")
    ]
