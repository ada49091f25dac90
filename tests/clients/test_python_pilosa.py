"""python-pilosa 1.3.1, as an ordinary client: schema, imports of every kind, queries of every kind."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.said import differences
from tests.components import ROOT
from tests.product_servers import Peer

HERE = Path(__file__).parent / "python"
# What Pilosa 1.4.1 itself answers, where that is not what it should be (the steps of session.py)
PILOSA_IS_WRONG = {
    "lt": {"columns": [0, 1, 2, 6]},  # < 0 has zeros
    "gt": {"columns": [4]},  # > -1 has neither 0 nor 1
    "sum of a row": {"count": 1, "value": -1064},  # negative values outside of the row are subtracted as well
    "values of keyed columns": [{"keys": ["k3", "k4"]}, {"count": 5}, {"count": 2, "value": -2}],
    "rows of keys": "refused: [executing: getting previous: could not convert red of type string to uint64 in Call.UintArg",
}


@pytest.fixture(scope="session")
def client_python() -> Path:
    """A Python with python-pilosa, in a virtual environment of its own: it needs an old protobuf."""
    wanted = [HERE / "requirements-build.txt", HERE / "requirements.txt"]
    stamp = hashlib.sha256(b"".join(file.read_bytes() for file in wanted) + sys.version.encode()).hexdigest()[:16]
    folder = ROOT / ".cache" / "python-pilosa"
    folder.parent.mkdir(exist_ok=True)
    with (ROOT / ".cache" / "python-pilosa.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / stamp).exists():
            shutil.rmtree(folder, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "venv", folder], check=True)
            for file in wanted:
                options = ["--quiet", "--disable-pip-version-check", "--no-build-isolation"]
                done = subprocess.run(
                    [folder / "bin" / "python", "-m", "pip", "install", *options, "-r", file], capture_output=True, text=True
                )
                if done.returncode and os.environ.get("CI") != "true":
                    pytest.skip("needs python-pilosa (PyPI)")
                assert done.returncode == 0, done.stderr
            (folder / stamp).touch()
    return folder / "bin" / "python"


def test_a_session(any_peer: Peer, client_python: Path) -> None:
    # -I: nothing of ours is on its path
    done = subprocess.run(
        [client_python, "-I", HERE / "session.py", any_peer.address], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-4000:]
    found = differences(done.stdout, HERE / "expected.json", any_peer, PILOSA_IS_WRONG)
    assert not found, f"{any_peer.name}: {len(found)} steps\n" + "\n".join(found)
