"""The audit log only grows; and who could do everything until now goes on being able to work."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION people_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only: % is refused', TG_OP;
END $$;
CREATE TRIGGER people_audit_append_only BEFORE UPDATE OR DELETE ON people_auditentry
    FOR EACH ROW EXECUTE FUNCTION people_audit_is_append_only();
"""
BACK = """
DROP TRIGGER people_audit_append_only ON people_auditentry;
DROP FUNCTION people_audit_is_append_only();
"""


def operators(apps, schema_editor):
    """Users from before there were roles could make jobs. Staff and superusers are admins without a row."""
    User = apps.get_model("auth", "User")
    Person = apps.get_model("people", "Person")
    Person.objects.bulk_create(
        Person(user=user, role="operator") for user in User.objects.filter(is_staff=False, is_superuser=False)
    )


class Migration(migrations.Migration):

    dependencies = [("people", "0001_initial")]

    operations = [
        migrations.RunSQL(FORWARD, BACK),
        migrations.RunPython(operators, migrations.RunPython.noop),
    ]
