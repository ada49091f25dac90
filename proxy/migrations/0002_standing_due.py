from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("proxy", "0001_kept_questions"),
    ]

    operations = [
        migrations.AddField(
            model_name="standingquery",
            name="due",
            field=models.DateTimeField(help_text="its cooldown ends, and there is an alert to be raised then", null=True),
        ),
    ]
