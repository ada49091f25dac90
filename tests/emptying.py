"""Empties the test database behind a test whose transactions were its own: only the tables in which something is.

Django's way is to truncate all tables, each with its indexes' files, and to make the content types and permissions again: that
takes longer than most of our tests, and there are hundreds of these.
"""

from __future__ import annotations

import functools

from django.db import connection
from django.test import TransactionTestCase

# Made by migrations, the same for every test.
KEPT = {"django_migrations", "django_content_type", "auth_permission"}


def empty(_: TransactionTestCase) -> None:
    """In the place of TransactionTestCase._fixture_teardown."""
    with connection.cursor() as cursor:
        cursor.execute(_question())
        tables = [name for (name,) in cursor.fetchall()]
        if tables:
            cursor.execute(f"TRUNCATE {', '.join(map(connection.ops.quote_name, tables))} CASCADE")


@functools.cache
def _question() -> str:
    """Which tables have rows."""
    names = sorted(set(connection.introspection.django_table_names(only_existing=True, include_views=False)) - KEPT)
    return " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {connection.ops.quote_name(name)})" for name in names)
