"""The number of the embedded store's layout, which stands in the store: one of another layout is not read, nor written to."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import lmdb

from indexing.backends.base import BackendError

# To be counted up whenever keys, records or blobs change so that what was written before cannot be read as it is.
FORMAT = 1
KEY = b"\0format"
_NUMBER = struct.Struct(">Q")


class OtherFormat(BackendError):
    """The store was written by a version with another layout; the text says what to run."""


def check_folder(path: Path) -> None:
    """Looks at a store that is there without opening it for anything else. Raises OtherFormat."""
    if not (path / "data.mdb").exists():
        return
    try:
        with lmdb.open(str(path), readonly=True, lock=False, max_dbs=4) as env:
            _refuse_others(env, env.open_db(b"schema", create=False), path)
    except lmdb.Error:
        pass  # whoever opens it says what is wrong with it


def check(env: Any, schema: Any, path: Path) -> None:
    """Looks at the number, and writes it where there is none: a new store, or one from before there was a number (the first
    layout). Raises OtherFormat."""
    if _refuse_others(env, schema, path) is None:
        try:
            with env.begin(write=True) as txn:
                txn.put(KEY, _NUMBER.pack(FORMAT), db=schema, overwrite=False)
        except lmdb.Error:  # a full disk is no reason not to read; the next one writes it
            pass


def _refuse_others(env: Any, schema: Any, path: Path) -> int | None:
    with env.begin() as txn:
        found = txn.get(KEY, db=schema)
    if found is None:
        return None
    (number,) = _NUMBER.unpack(found)
    if number > FORMAT:
        raise OtherFormat(
            f"the index store {path} is of format {number}, and this version reads {FORMAT}: a newer picapweb wrote it. "
            "Run that one, or make the index again: manage.py reindex --rebuild"
        )
    if number < FORMAT:
        raise OtherFormat(
            f"the index store {path} is of format {number}, and this version reads {FORMAT}: an older picapweb wrote it. "
            "Make the index again: manage.py reindex --rebuild"
        )
    return int(number)
