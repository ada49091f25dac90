import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """The schema of the indexes that Pilosa's clients make, and the right to write to those of packets."""

    dependencies = [
        ("indexing", "0005_freeing_values"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClientIndex",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=64, unique=True)),
                ("keys", models.BooleanField(help_text="columns have names")),
                ("track_existence", models.BooleanField()),
            ],
        ),
        migrations.AlterModelOptions(
            name="packetindex",
            options={
                "permissions": [
                    ("write_packets", "Can change packet indexes by queries, where PICAPWEB_PACKET_WRITES lets anybody")
                ]
            },
        ),
        migrations.CreateModel(
            name="ClientField",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=64)),
                ("type", models.CharField(max_length=8)),
                ("keys", models.BooleanField()),
                ("cache_type", models.CharField(max_length=8)),
                ("cache_size", models.BigIntegerField()),
                ("minimum", models.BigIntegerField()),
                ("maximum", models.BigIntegerField()),
                ("time_quantum", models.CharField(max_length=4)),
                ("no_standard_view", models.BooleanField()),
                (
                    "index",
                    models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, to="indexing.clientindex"),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("index", "name"), name="client_field_unique")],
            },
        ),
    ]
