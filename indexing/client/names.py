"""A name is a packet index's or a client index's, never both's: who makes either takes the name first."""

from __future__ import annotations

from django.db import connection

DEFAULT_PACKET_INDEX = "net"  # is there, also before its first packet
# Where the translation table keeps the keys of an index's columns: no field can have this name. Those of a field's rows are
# kept under the field's own.
COLUMN_KEYS = "_columns"


class NameTaken(Exception):
    """A packet index was to be made under the name of a client index."""


def take(name: str) -> None:
    """The name is the caller's alone until its transaction ends; others wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('name of index ' || %s, 0))", [name])


def is_packet_index(name: str) -> bool:
    """Whether captures write it."""
    if name == DEFAULT_PACKET_INDEX:
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM indexing_packetindex WHERE name = %s)", [name])
        row = cursor.fetchone()
    return bool(row and row[0])


def packet_indexes() -> dict[str, int]:
    """Their names, and how many columns were given out; the default one is always there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, next_column FROM indexing_packetindex")
        return {DEFAULT_PACKET_INDEX: 0} | dict(cursor.fetchall())


def is_client_index(name: str) -> bool:
    """Whether a client of Pilosa made it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM indexing_clientindex WHERE name = %s)", [name])
        row = cursor.fetchone()
    return bool(row and row[0])


def take_for_packets(name: str) -> None:
    """Makes sure that the name is a packet index's, as part of the transaction that makes a job. Raises NameTaken."""
    if is_packet_index(name):
        return
    take(name)
    if is_client_index(name):
        raise NameTaken(f"index {name} was made by a client of Pilosa: captures cannot write to it")
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO indexing_packetindex (name, next_column) VALUES (%s, 0) ON CONFLICT DO NOTHING", [name])
