from django.db import migrations


class Migration(migrations.Migration):
    """Small batches that may become one with their neighbours: a few of a job, whatever the number of its batches."""

    dependencies = [
        ("indexing", "0003_live"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE INDEX batch_mergeable ON indexing_batch (job, sequence) WHERE state = 'visible' AND urgent AND packets < 65536",
            "DROP INDEX batch_mergeable",
        ),
    ]
