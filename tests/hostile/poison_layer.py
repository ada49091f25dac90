"""An installed package that brings scapy a layer of its own, for UDP ports: of some it kills its process, of some it hangs."""

from __future__ import annotations

import os
from pathlib import Path

from tests.installed import install

NAME, WELL, HANGS, KILLS = "Poison", 9998, 9999, 10_000

PROJECT = """
[project]
name = "picapweb-layer"
version = "1"
[project.entry-points."picapweb.fields"]
layer = "picapweb_layer"
"""
CODE = f"""
import os, re, signal

FIELDS = []

def values(batch, fields):
    return {{}}

def bind():
    from scapy.fields import ByteField
    from scapy.layers.inet import UDP
    from scapy.packet import Packet, bind_layers

    class Poison(Packet):
        name = {NAME!r}
        fields_desc = [ByteField("one", 0)]

        def do_dissect(self, data):
            port = self.underlayer.dport
            if port == {HANGS}:
                re.match(r"(a|aa)+$", "a" * 60 + "b")  # for ages, in C, with Python's lock held
            if port == {KILLS}:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().do_dissect(data)

    for port in ({WELL}, {HANGS}, {KILLS}):
        bind_layers(UDP, Poison, dport=port)

bind()
"""


def poisoned_path(folder: Path) -> str:
    """PYTHONPATH of a process that is to have the package."""
    project = folder / "layer"
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT)
    (project / "picapweb_layer.py").write_text(CODE)
    return os.pathsep.join((str(install(project, folder / "layer-site")), str(project)))
