# ruff: noqa: E501
"""DuckDB's own table of a capture: what the fast dissector finds, a column a field, as it is indexed here.

A cell has one value: of fields with several values a packet the first. Addresses and names are text, numbers are numbers, the time is
in nanoseconds. Batches go in as Arrow; DuckDB compresses text into dictionaries when it writes its file.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from capture.packets.columns import SetValues
from capture.packets.dissect import dissect
from capture.packets.reading import read_batch
from capture.packets.sources import open_capture
from capture.packets.values import text_of

TEXTS = ("netsrc", "netdst", "netproto", "transproto", "tcp-flagset", "http-hostname", "dns-qname")
NUMBERS = {"transsrc": "USMALLINT", "transdst": "USMALLINT", "ttl": "UTINYINT"}
SET_FIELDS = (*TEXTS, *NUMBERS)
BATCH = 122_880  # packets: a row group of DuckDB's


def made(captures: Sequence[Path], file: Path) -> duckdb.DuckDBPyConnection:
    """A connection to a file with the table `packets`; `half` is the number of the capture, from 0."""
    database = duckdb.connect(str(file))
    columns = [f'"{name}" VARCHAR' for name in TEXTS] + [f'"{name}" {kind}' for name, kind in NUMBERS.items()]
    database.execute(f'CREATE TABLE packets (half UTINYINT, "time" BIGINT, length UINTEGER, {", ".join(columns)})')
    for half, capture in enumerate(captures):
        with open_capture(capture) as source:
            for scanned in source.scan(BATCH):
                batch = _arrow(capture, scanned.locator, half)
                database.register("batch", batch)
                database.execute("INSERT INTO packets SELECT * FROM batch")
                database.unregister("batch")
    database.execute("CHECKPOINT")
    return database


def _arrow(capture: Path, locator: Any, half: int) -> pa.Table:
    found = dissect(read_batch(capture, locator), list(SET_FIELDS)).fields
    count = len(locator)
    columns: dict[str, Any] = {
        "half": pa.array(np.full(count, half, np.uint8)),
        "time": pa.array(locator["time_ns"]),
        "length": pa.array(locator["wire_length"]),
    }
    for name in SET_FIELDS:
        column = found.get(name)
        columns[name] = pa.nulls(count, pa.string() if name not in NUMBERS else pa.int64())
        if isinstance(column, SetValues):
            columns[name] = _column(name, column, count)
    return pa.table(columns)


def _column(name: str, column: SetValues, count: int) -> Any:
    code = np.full(count, -1, np.int32)
    code[column.packet[::-1]] = column.code[::-1]  # the first of several
    missing = code < 0
    if name in NUMBERS:
        numbers = np.asarray(column.values, np.int64)
        return pa.array(numbers[np.where(missing, 0, code)], mask=missing)
    texts = pa.array([text_of(one) for one in column.values if isinstance(one, bytes)])
    return pa.DictionaryArray.from_arrays(pa.array(code, mask=missing), texts).cast(pa.string())
