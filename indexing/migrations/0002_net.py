"""The default index is there from the start, so that a question before the first job has an answer (nothing yet)."""

from django.db import migrations


def add_net(apps, schema_editor):
    apps.get_model("indexing", "PacketIndex").objects.get_or_create(name="net")


class Migration(migrations.Migration):
    dependencies = [("indexing", "0001_initial")]
    operations = [migrations.RunPython(add_net, migrations.RunPython.noop)]
