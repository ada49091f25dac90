from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Removal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("job", models.BigIntegerField()),
                ("job_name", models.TextField()),
                ("why", models.CharField(choices=[("age", "older than the server keeps (PICAPWEB_RETENTION_AGE)"), ("job age", "older than the job is kept (keep_seconds)"), ("bytes", "captures took more than PICAPWEB_RETENTION_BYTES"), ("job bytes", "the job's captures took more than its keep_bytes")], max_length=9)),
                ("takes", models.CharField(choices=[("all", "the job goes: captures, packets in the index, and the job itself"), ("captures", "captures go; packets stay in every answer, without their bytes"), ("index", "packets leave the index; captures stay")], max_length=8)),
                ("files", models.IntegerField(help_text="captures removed")),
                ("bytes", models.BigIntegerField(help_text="of those")),
                ("packets", models.BigIntegerField(help_text="that left the index")),
            ],
            options={"ordering": ["-id"], "indexes": [models.Index(fields=["job"], name="removal_job")]},
        ),
    ]
