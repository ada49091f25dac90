"""A package as pip would have installed it, without pip: what importlib.metadata needs to find its entry points."""

from __future__ import annotations

import tomllib
from pathlib import Path


def install(project: Path, site: Path) -> Path:
    """Writes the metadata of the package in folder `project` to `site`; both belong on PYTHONPATH. Answers `site`."""
    said = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    about = site / f"{said['name'].replace('-', '_')}-{said['version']}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {said['name']}\nVersion: {said['version']}\n")
    lines = []
    for group, points in said["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {value}" for name, value in points.items())]
    (about / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return site
