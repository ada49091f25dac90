from django.db import migrations, models


def share(apps, schema_editor):
    """Until now everybody who had signed in saw every job: those that there are go on being seen."""
    apps.get_model("capture", "Job").objects.update(shared=True)


class Migration(migrations.Migration):

    dependencies = [("capture", "0003_live")]

    operations = [
        migrations.AddField(
            model_name="job",
            name="shared",
            field=models.BooleanField(default=False, help_text="everybody who may sign in sees it; else its owner and admins do"),
        ),
        migrations.RunPython(share, migrations.RunPython.noop),
    ]
