from __future__ import annotations

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# In the transaction that makes a batch visible: standing queries are asked of its columns once, whoever dies meanwhile. Merging
# changes visible batches only, and so writes nothing.
ARRIVES = """
CREATE FUNCTION proxy_batch_arrives() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM proxy_standingquery WHERE enabled) THEN
        INSERT INTO proxy_arrival (index_id, first_column, packets, attempts)
            VALUES (NEW.index_id, NEW.first_column, NEW.packets, 0);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER proxy_batch_arrives AFTER UPDATE OF state ON indexing_batch FOR EACH ROW
    WHEN (NEW.state = 'visible' AND OLD.state <> 'visible' AND NEW.packets > 0) EXECUTE FUNCTION proxy_batch_arrives();
"""
UNARRIVES = "DROP TRIGGER proxy_batch_arrives ON indexing_batch; DROP FUNCTION proxy_batch_arrives();"

# Deleting a job and turning a ring both hide batches first: what was written about their packets goes at once.
HIDES = """
CREATE FUNCTION proxy_batch_hides() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM proxy_packetnote WHERE index_id = NEW.index_id
        AND "column" >= NEW.first_column AND "column" < NEW.first_column + NEW.packets;
    RETURN NULL;
END $$;
CREATE TRIGGER proxy_batch_hides AFTER UPDATE OF state ON indexing_batch FOR EACH ROW
    WHEN (NEW.state = 'hidden' AND OLD.state <> 'hidden' AND NEW.packets > 0) EXECUTE FUNCTION proxy_batch_hides();
"""
UNHIDES = "DROP TRIGGER proxy_batch_hides ON indexing_batch; DROP FUNCTION proxy_batch_hides();"


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("indexing", "0007_value_predicates"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="SavedQuery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("index", models.CharField(max_length=64)),
                ("q", models.TextField(blank=True)),
                ("lang", models.CharField(blank=True, help_text="pql, display, or empty: as `q` looks", max_length=8)),
                ("jobs", models.JSONField(default=list, help_text="ids; empty: all jobs")),
                ("begin", models.CharField(blank=True, help_text="`from`", max_length=64)),
                ("end", models.CharField(blank=True, help_text="`to`", max_length=64)),
                ("fields", models.JSONField(default=list, help_text="columns of the table; empty: the table's own")),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("updated", models.DateTimeField(auto_now=True)),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="saved_queries",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=200)),
                ("index", models.CharField(max_length=64)),
                ("question", models.JSONField(help_text="the saved query as it was asked")),
                ("raised", models.DateTimeField(auto_now_add=True)),
                ("count", models.BigIntegerField()),
                ("first_column", models.BigIntegerField()),
                ("last_column", models.BigIntegerField()),
                ("jobs", models.JSONField(default=list)),
                ("first_time_ns", models.BigIntegerField(null=True)),
                ("last_time_ns", models.BigIntegerField(null=True)),
                ("acknowledged", models.DateTimeField(null=True)),
                (
                    "acknowledged_by",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "saved",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="alerts", to="proxy.savedquery"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PacketNote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("column", models.BigIntegerField()),
                ("text", models.TextField()),
                ("written", models.DateTimeField(auto_now=True)),
                (
                    "author",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "index",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="indexing.packetindex",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("index", "column"), name="packet_note_unique")],
            },
        ),
        migrations.CreateModel(
            name="StandingQuery",
            fields=[
                (
                    "saved",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="standing",
                        serialize=False,
                        to="proxy.savedquery",
                    ),
                ),
                ("enabled", models.BooleanField(default=True)),
                ("threshold", models.BigIntegerField(default=1, help_text="packets that make an alert")),
                (
                    "window_seconds",
                    models.IntegerField(help_text="that they must have come within; null: however long it takes", null=True),
                ),
                (
                    "cooldown_seconds",
                    models.IntegerField(default=0, help_text="no other alert for so long; packets go on being counted"),
                ),
                ("webhook", models.TextField(blank=True, help_text="URL that alerts are posted to")),
                ("secret", models.TextField(blank=True, help_text="that they are signed with")),
                ("error", models.TextField(blank=True, help_text="why it could not be asked when it was asked last")),
                (
                    "missed",
                    models.BigIntegerField(
                        default=0, help_text="packets that it was never asked of: it could not be, again and again"
                    ),
                ),
                ("raised", models.DateTimeField(help_text="its last alert", null=True)),
            ],
            options={
                "indexes": [models.Index(condition=models.Q(("enabled", True)), fields=["saved"], name="standing_enabled")],
            },
        ),
        migrations.CreateModel(
            name="Match",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("count", models.BigIntegerField()),
                ("first_column", models.BigIntegerField()),
                ("last_column", models.BigIntegerField()),
                ("jobs", models.JSONField(default=list)),
                ("first_time_ns", models.BigIntegerField(null=True)),
                ("last_time_ns", models.BigIntegerField(null=True)),
                ("standing", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="proxy.standingquery")),
            ],
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("body", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "is to be sent"),
                            ("delivered", "was taken (2xx)"),
                            ("given up", "was refused too often"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempts", models.IntegerField(default=0)),
                (
                    "due",
                    models.DateTimeField(help_text="of the next attempt; while one is at work, when it is taken to have died"),
                ),
                ("status", models.IntegerField(help_text="HTTP status of the last answer", null=True)),
                ("error", models.TextField(blank=True)),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("finished", models.DateTimeField(null=True)),
                (
                    "alert",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.CASCADE, related_name="deliveries", to="proxy.alert"
                    ),
                ),
                ("standing", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to="proxy.standingquery")),
            ],
        ),
        migrations.CreateModel(
            name="Arrival",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_column", models.BigIntegerField()),
                ("packets", models.BigIntegerField()),
                ("attempts", models.IntegerField(default=0)),
                ("not_before", models.DateTimeField(null=True)),
                (
                    "index",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="indexing.packetindex",
                    ),
                ),
                ("only", models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, to="proxy.standingquery")),
            ],
        ),
        migrations.AddConstraint(
            model_name="savedquery",
            constraint=models.UniqueConstraint(fields=("owner", "name"), name="saved_query_unique", nulls_distinct=False),
        ),
        migrations.AddIndex(
            model_name="alert",
            index=models.Index(condition=models.Q(("acknowledged", None)), fields=["raised"], name="alert_open"),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(condition=models.Q(("state", "waiting")), fields=["due"], name="delivery_due"),
        ),
        migrations.AddIndex(
            model_name="arrival",
            index=models.Index(condition=models.Q(("only", None)), fields=["index", "first_column"], name="arrival_new"),
        ),
        migrations.RunSQL(ARRIVES, UNARRIVES),
        migrations.RunSQL(HIDES, UNHIDES),
    ]
