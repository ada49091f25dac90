"""The client as it is installed: a typed package that needs urllib3, and says what is missing for more."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest
import urllib3

from tests.components import ROOT

# What it says without its extras, and without anything of the server
WITHOUT = """
import sys
for name in ("pandas", "pyarrow", "scapy", "scapy.utils", "tqdm", "tqdm.auto", "django", "numpy"):
    sys.modules[name] = None
import picapweb_client
from picapweb_client.table import Column, to_arrow, to_pandas
from picapweb_client.progress import upload_bar
client = picapweb_client.Client("http://127.0.0.1:9")
asked = [
    lambda: to_pandas([Column("a", "int", [1])]),
    lambda: to_arrow([Column("a", "int", [1])]),
    lambda: next(client.carve_scapy("tcp")),
    lambda: client.export_arrow("tcp"),
    lambda: upload_bar(True, "a", 1).__enter__(),
]
for ask in asked:
    try:
        ask()
    except picapweb_client.MissingExtra as error:
        print(error)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # Building writes beside the sources
    shutil.copytree(ROOT / "client", folder / "client", ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*pip, "-w", folder, folder / "client"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_is_whole_typed_and_small(wheel: Path):
    with zipfile.ZipFile(wheel) as files:
        names = {name for name in files.namelist() if name.startswith("picapweb_client/")}
        (metadata,) = (name for name in files.namelist() if name.endswith("/METADATA"))
        told = message_from_bytes(files.read(metadata))
    sources = (ROOT / "client" / "src" / "picapweb_client").glob("*.*")
    assert names == {f"picapweb_client/{source.name}" for source in sources}
    assert "picapweb_client/py.typed" in names
    needed = [one for one in told.get_all("Requires-Dist", []) if "extra ==" not in one]
    assert (told["Name"], len(needed), needed[0].startswith("urllib3")) == ("picapweb-client", 1, True)


def test_without_its_extras_it_says_what_is_missing(wheel: Path, tmp_path: Path):
    with zipfile.ZipFile(wheel) as files:
        files.extractall(tmp_path)
    paths = [str(tmp_path), str(Path(urllib3.__file__).parents[1])]
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = {paths!r}\n{WITHOUT}"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    extras = [line.partition("[")[2].partition("]")[0] for line in done.stdout.splitlines()]
    assert extras == ["pandas", "arrow", "scapy", "arrow", "progress"]
