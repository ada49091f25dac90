import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """What freeing values needs. And no foreign key of values: it cost more than all the rest of writing one, for fields never go."""

    dependencies = [
        ("indexing", "0004_batch_mergeable"),
    ]

    operations = [
        migrations.AlterField(
            model_name="translationvalue",
            name="field",
            field=models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to="indexing.translationfield"),
        ),
        migrations.CreateModel(
            name="TranslationEpoch",
            fields=[
                ("index", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("epoch", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="TranslationSweep",
            fields=[
                ("index", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("due", models.DateTimeField(help_text="when all values are to be looked at (again)", null=True)),
                ("field_id", models.BigIntegerField(help_text="at work on it; null: not at work", null=True)),
                ("row", models.BigIntegerField(default=0, help_text="of that field, the last row id that was looked at")),
            ],
        ),
        migrations.CreateModel(
            name="TranslationMark",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("index", models.CharField(max_length=64)),
                ("epoch", models.BigIntegerField(help_text="which began with it")),
                ("field_id", models.BigIntegerField()),
                ("rows", models.BinaryField(help_text="row ids, little endian, 8 bytes each")),
                ("made", models.DateTimeField()),
                ("settled", models.BooleanField(default=False)),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("index", "epoch"), name="translation_mark_unique")],
                "indexes": [models.Index(condition=models.Q(("settled", False)), fields=["made"], name="translation_mark_open")],
            },
        ),
        migrations.CreateModel(
            name="TranslationDying",
            fields=[
                ("pk", models.CompositePrimaryKey("field_id", "row", blank=True, editable=False, primary_key=True, serialize=False)),
                ("field_id", models.BigIntegerField()),
                ("row", models.BigIntegerField()),
                ("mark", models.BigIntegerField(help_text="the mark that it belongs to")),
            ],
        ),
    ]
