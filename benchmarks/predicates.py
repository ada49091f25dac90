"""`python -m benchmarks.predicates [--values N]`: predicates on a field of N distinct values, in a Postgres of its own.

Prints how fast values are written, with and without what predicates have added to their table; a table: rows found, and the
milliseconds of a search before the values are copied and after (best of three, with nothing kept); and how fast they are copied.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SYLLABLES = ["ka", "lo", "mi", "te", "ru", "ns", "pa", "co", "x1", "da", "vi", "be", "so", "gra", "ph", "ex", "cdn", "img"]
LONGEST = 2.0  # seconds of a search


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.predicates", description=__doc__)
    parser.add_argument("--values", type=int, default=1_000_000, help="distinct values of each of two fields")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PICAPWEB_DATA"] = folder
        os.environ["DJANGO_SETTINGS_MODULE"] = "picapweb.settings"
        from picapweb.embedded.services import Embedded

        with Embedded(Path(folder), broker=False):
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)
            _measure(args.values)
    return 0


def _measure(count: int) -> None:
    from django.db import connection

    from indexing import translation_copy

    some = random.Random(1)
    _write_speed(some)
    values = {"netsrc": _addresses(some, count), "http-hostname": _names(some, count)}
    for field, of_field in values.items():
        _write(field, of_field)
    print("| field | predicate | rows | ms, not copied | ms, copied |\n|---|---|---|---|---|")
    asked = _predicates()
    before = [_search(field, predicate, 1) for field, predicate in asked]
    began, longest = time.perf_counter(), 0.0
    while True:
        step = time.perf_counter()
        if not translation_copy.copy_once():
            break
        longest = max(longest, time.perf_counter() - step)
    copying = time.perf_counter() - began
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE indexing_translationcopy")  # autovacuum does so within a minute
    for (field, predicate), (_, first) in zip(asked, before, strict=True):
        rows, again = _search(field, predicate, 3)
        print(f"| {field} | `{predicate}` | {rows} | {first} | {again} |", flush=True)
    copied = sum(map(len, values.values()))
    print(f"\ncopied: {copied} values in {copying:.0f} s ({copied / copying:.0f}/s), a step {longest * 1e3:.0f} ms at most")
    with connection.cursor() as cursor:
        for table in ("indexing_translationvalue", "indexing_translationcopy"):
            cursor.execute("SELECT pg_size_pretty(pg_total_relation_size(%s::regclass))", [table])
            print(f"{table}: {cursor.fetchall()[0][0]} with its indexes")


def _predicates() -> list[tuple[str, Any]]:
    from indexing import predicates as p

    addresses = [
        p.InNetwork("10.0.0.0/8"),
        p.InNetwork("10.1.0.0/16"),
        p.InNetwork("2001:db8:1::/48"),
        p.InNetwork("0.0.0.0/1"),
        p.Not(p.InNetwork("10.0.0.0/8")),
        p.StartsWith(b"10.20."),
        p.Between(b"10.0.0.0", b"10.3.0.0", "address"),
        p.Contains(b".77."),
        p.Octets("ip", p.SliceCompare(0, 2, "==", b"\x0a\x00")),
        p.Everything(),
    ]
    names = [
        p.StartsWith(b"kalo"),
        p.Contains(b"graph"),
        p.Contains(b"CDNIMG", True),
        p.Contains(b"cdn"),
        p.EndsWith(b".example.net"),
        p.Glob(b"*cdn*img*"),
        p.Matches("(?i)cdnimg"),
        p.Matches(r"^ka.*x1\.gra"),
        p.Matches(r"(ka|lo)+\.(mi)+\."),
        p.Matches(r"\d[a-z]\d"),
        p.Matches(r"^[^x]*$"),
        p.Matches(r"(.)*(a|b)*$"),
        p.Compare("<", b"bead"),
        p.Length(">", 30),
    ]
    return [*(("netsrc", one) for one in addresses), *(("http-hostname", one) for one in names)]


def _search(field: str, predicate: Any, times: int) -> tuple[str, str]:
    """Rows found, and the best time in milliseconds."""
    from capture.packets.registry import FIELDS
    from indexing import translation_predicates as of

    best, rows = float("inf"), ""
    for _ in range(times):
        of.forget()
        began = time.perf_counter()
        try:
            rows = f"{of.rows_matching('net', FIELDS[field], predicate, seconds=LONGEST).rows.size:,}"
        except of.PredicateTooLong:
            return "", f"ended after {LONGEST:g} s"
        best = min(best, time.perf_counter() - began)
    return rows, f"{best * 1e3:.1f}"


def _write(field: str, values: list[bytes]) -> None:
    from indexing import translation

    for at in range(0, len(values), 100_000):
        translation.resolve("net", {field: values[at : at + 100_000]})


def _write_speed(some: random.Random) -> None:
    """New values, in turns with and without the trigger: the one thing that predicates add to the table that is written."""
    from django.db import connection

    best = {"DISABLE": 0.0, "ENABLE": 0.0}
    for _ in range(5):
        for state in best:
            with connection.cursor() as cursor:
                cursor.execute(f"ALTER TABLE indexing_translationvalue {state} TRIGGER translation_copy_goes")
            values = [f"{some.getrandbits(60):x}.example".encode() for _ in range(100_000)]
            began = time.perf_counter()
            _write("dns-qname", values)
            best[state] = max(best[state], len(values) / (time.perf_counter() - began))
    print(f"new values written a second, best of 5: {best['DISABLE']:,.0f} without, {best['ENABLE']:,.0f} with the trigger\n")


def _addresses(some: random.Random, count: int) -> list[bytes]:
    of = [str(ipaddress.IPv4Address(some.getrandbits(32))) for _ in range(count * 9 // 10)]
    of += [str(ipaddress.IPv6Address((0x20010DB8 << 96) | some.getrandbits(90))) for _ in range(count // 10)]
    some.shuffle(of)
    return list(dict.fromkeys(text.encode() for text in of))


def _names(some: random.Random, count: int) -> list[bytes]:
    def word() -> str:
        return "".join(some.choices(SYLLABLES, k=some.randrange(2, 5)))

    of: dict[bytes, None] = {}
    while len(of) < count:
        of[f"{word()}.{word()}.{some.choice(['com', 'net', 'org', 'example.net'])}".encode()] = None
    return list(of)


if __name__ == "__main__":
    sys.exit(main())
