"""go-pilosa, as an ordinary client: schema, imports of every kind (roaring is its default), queries of every kind, export."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.clients.said import differences
from tests.conftest import needs
from tests.product_servers import Peer

HERE = Path(__file__).parent / "go"
# What Pilosa 1.4.1 itself answers, where that is not what it should be (the steps of main.go)
PILOSA_IS_WRONG = {
    "< 0": [{"columns": [0, 1, 2, 6], "type": 1}],  # has zeros
    "> -1": [{"columns": [4], "type": 1}],  # has neither 0 nor 1
    "sum of a row": [{"count": 1, "type": 3, "value": -1064}],  # negative values outside of the row are subtracted as well
    "keyed rows": "refused",  # text outside of ASCII
    "rows after a key": "refused",  # previous= is not translated in Rows(field=...)
    "info": "refused",  # cpuMHz may be -1, which the client cannot read
}


@pytest.fixture(scope="session")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """main.go, built; its modules come from the Go module proxy and are checked by go.sum."""
    needs("Go")
    program = tmp_path_factory.mktemp("go-pilosa") / "session"
    environment = {**os.environ, "CGO_ENABLED": "0"}
    done = subprocess.run(["go", "build", "-o", program, "."], cwd=HERE, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return program


def test_a_session(any_peer: Peer, session: Path) -> None:
    done = subprocess.run([session, any_peer.address], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-4000:]
    found = differences(done.stdout, HERE / "expected.json", any_peer, PILOSA_IS_WRONG)
    assert not found, f"{any_peer.name}: {len(found)} steps\n" + "\n".join(found)
