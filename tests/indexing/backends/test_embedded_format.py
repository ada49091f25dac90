"""A store of another layout is neither read nor written to; what to run is said."""

from __future__ import annotations

import struct
from pathlib import Path

import lmdb
import pytest

from indexing.backends.base import FieldSchema
from indexing.backends.embedded import EmbeddedBackend
from indexing.backends.embedded_format import FORMAT, KEY, OtherFormat, check_folder
from picapweb.up import CannotStart, Options, Up


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with an index."""
    backend = EmbeddedBackend(tmp_path / "index")
    backend.ensure_index("net", [FieldSchema("netsrc", "set")])
    backend.close()
    return tmp_path / "index"


def written(folder: Path, number: int | None) -> None:
    with lmdb.open(str(folder), max_dbs=4) as env, env.begin(write=True) as txn:
        schema = env.open_db(b"schema", txn=txn)
        txn.delete(KEY, db=schema) if number is None else txn.put(KEY, struct.pack(">Q", number), db=schema)


@pytest.mark.parametrize(("number", "who"), [(FORMAT + 1, "a newer picapweb"), (FORMAT - 1, "an older picapweb")])
def test_another_one_is_refused(folder: Path, number: int, who: str):
    written(folder, number)
    backend = EmbeddedBackend(folder)
    words = rf"format {number}, .* reads {FORMAT}: {who} wrote it.*manage.py reindex --rebuild"
    for _ in range(2):  # and the refusal leaves nothing open
        with pytest.raises(OtherFormat, match=words):
            backend.indexes()
    with pytest.raises(OtherFormat):
        check_folder(folder)
    written(folder, FORMAT)
    assert list(backend.indexes()) == ["net"]
    backend.close()


def test_one_from_before_there_was_a_number_gets_one(folder: Path):
    written(folder, None)
    check_folder(folder)
    backend = EmbeddedBackend(folder)
    assert list(backend.indexes()) == ["net"]
    backend.close()
    with lmdb.open(str(folder), max_dbs=4) as env, env.begin() as txn:
        assert txn.get(KEY, db=env.open_db(b"schema", txn=txn)) == struct.pack(">Q", FORMAT)


def test_up_does_not_start_on_it(folder: Path):
    written(folder, FORMAT + 1)
    with pytest.raises(CannotStart, match="manage.py reindex --rebuild"), Up(Options(data=folder.parent, port=0)):
        pass
    check_folder(folder.parent / "nothing")
