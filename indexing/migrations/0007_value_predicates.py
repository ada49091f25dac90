"""What predicates on values need: functions that see a value as text, as octets, as an address; and the copy that is searched.

Postgres' contrib modules pg_trgm and btree_gin are trusted: the owner of the database may create them."""

from django.db import migrations, models

# A value as text, byte b as the character of that number, NUL (which no text has) as U+0100. Of plain ASCII, which most values
# are, `encode` gives it as it is, and may be inlined. (RETURN binds what it calls now: making an index has no search path.)
FORM = r"""
CREATE FUNCTION indexing_form_of_odd(value bytea) RETURNS text IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql AS $$
BEGIN
    IF position('\x00'::bytea IN value) = 0 THEN
        RETURN convert_from(value, 'LATIN1');
    END IF;
    RETURN (SELECT string_agg(chr(CASE get_byte(value, i) WHEN 0 THEN 256 ELSE get_byte(value, i) END), '' ORDER BY i)
            FROM generate_series(0, length(value) - 1) AS i);
END $$;
CREATE FUNCTION indexing_form(value bytea) RETURNS text IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN octet_length(encode(value, 'escape')) = octet_length(value) THEN encode(value, 'escape')
                ELSE indexing_form_of_odd(value) END;
"""
UNFORM = "DROP FUNCTION indexing_form(bytea); DROP FUNCTION indexing_form_of_odd(bytea);"

BYTES = r"""
CREATE FUNCTION indexing_bytes(form text) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql AS $$
BEGIN
    IF position(chr(256) IN form) = 0 THEN
        RETURN convert_to(form, 'LATIN1');
    END IF;
    RETURN (SELECT string_agg(CASE c WHEN chr(256) THEN '\x00'::bytea ELSE convert_to(c, 'LATIN1') END, ''::bytea ORDER BY i)
            FROM string_to_table(form, NULL) WITH ORDINALITY AS letters(c, i));
END $$;
"""
UNBYTES = "DROP FUNCTION indexing_bytes(text);"

# Postgres' own reading of addresses is looser (masks, parts left out, zeros in front): the shape is looked at besides. No regular
# expression for all of it: Postgres makes its automaton anew for each value, which takes longer than reading the address.
ADDRESS = r"""
CREATE FUNCTION indexing_address(value bytea) RETURNS inet IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql AS $$
BEGIN
    RETURN CASE
        WHEN octet_length(value) > 45 THEN NULL
        WHEN position(':'::bytea IN value) > 0 THEN
            CASE WHEN encode(value, 'escape') ~ '^[0-9A-Fa-f:.]+$'
                  AND pg_input_is_valid(encode(value, 'escape'), 'inet')
                  AND (position('.'::bytea IN value) = 0
                       OR encode(value, 'escape') ~ ':(?:0|[1-9][0-9]{0,2})(?:[.](?:0|[1-9][0-9]{0,2})){3}$')
            THEN encode(value, 'escape')::inet END
        WHEN encode(value, 'escape') ~ '^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$'
             AND pg_input_is_valid(encode(value, 'escape'), 'inet')
             AND encode(value, 'escape') !~ '(?:^|[.])0[0-9]'
        THEN encode(value, 'escape')::inet END;
END $$;
"""
UNADDRESS = "DROP FUNCTION indexing_address(bytea);"

OCTETS = r"""
CREATE FUNCTION indexing_hex_octets(form text) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql AS $$
BEGIN
    IF form COLLATE "C" ~ '^[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2})*|(?:[0-9A-Fa-f]{2})*)$' THEN
        RETURN decode(replace(form, ':', ''), 'hex');
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION indexing_ip_octets(value bytea) RETURNS bytea IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql AS $$
BEGIN
    RETURN substring(inet_send(indexing_address(value)) FROM 5);
END $$;
"""
UNOCTETS = "DROP FUNCTION indexing_ip_octets(bytea); DROP FUNCTION indexing_hex_octets(text);"

INDEXES = """
CREATE INDEX translation_copy_key ON indexing_translationcopy (field_id, key, row);
CREATE INDEX translation_copy_address ON indexing_translationcopy (field_id, address, row) WHERE address IS NOT NULL;
CREATE INDEX translation_copy_trigrams ON indexing_translationcopy
    USING gin (field_id, (indexing_form(value) COLLATE "C") gin_trgm_ops) WITH (gin_pending_list_limit = 1024);
"""
UNINDEXES = """
DROP INDEX translation_copy_trigrams;
DROP INDEX translation_copy_address;
DROP INDEX translation_copy_key;
"""

# Once per statement, and only where there are copies: freeing values deletes thousands at once.
TRIGGER = """
CREATE FUNCTION indexing_forget_copies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM indexing_translationcopy c USING gone WHERE c.field_id = gone.field_id AND c.row = gone.row;
    RETURN NULL;
END $$;
CREATE TRIGGER translation_copy_goes AFTER DELETE ON indexing_translationvalue
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION indexing_forget_copies();
"""
UNTRIGGER = """
DROP TRIGGER translation_copy_goes ON indexing_translationvalue;
DROP FUNCTION indexing_forget_copies();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("indexing", "0006_client_indexes"),
    ]

    operations = [
        migrations.RunSQL(
            "CREATE EXTENSION IF NOT EXISTS pg_trgm; CREATE EXTENSION IF NOT EXISTS btree_gin;", migrations.RunSQL.noop
        ),
        migrations.RunSQL(FORM, UNFORM),
        migrations.RunSQL(BYTES, UNBYTES),
        migrations.RunSQL(ADDRESS, UNADDRESS),
        migrations.RunSQL(OCTETS, UNOCTETS),
        migrations.CreateModel(
            name="TranslationSearch",
            fields=[
                ("field_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("covered", models.BigIntegerField(default=0, help_text="its values up to this row are in TranslationCopy")),
            ],
        ),
        migrations.CreateModel(
            name="TranslationCopy",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey("field_id", "row", blank=True, editable=False, primary_key=True, serialize=False),
                ),
                ("field_id", models.BigIntegerField()),
                ("row", models.BigIntegerField()),
                ("value", models.BinaryField()),
                ("key", models.BinaryField(help_text="its first 64 bytes")),
                ("address", models.GenericIPAddressField(help_text="the IP address that it is the text of", null=True)),
            ],
        ),
        migrations.RunSQL(INDEXES, UNINDEXES),
        migrations.RunSQL(TRIGGER, UNTRIGGER),
    ]
