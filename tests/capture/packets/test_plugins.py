"""Fields of other packages: found by entry point, checked when they are declared, and what they return is checked again."""

from __future__ import annotations

import subprocess
import sys
import types
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from capture.packets import dissect as door
from capture.packets import registry
from capture.packets.columns import IntValues, SetValues
from capture.packets.fields import Field
from capture.packets.plugins import GROUP, Plugin, load, values_of
from tests.capture.packets.making import batch_of, counts
from tests.installed import install
from tests.server import ROOT, clean_environment

COLOUR = Field("colour", "text", "What colour it is.", 'Row(colour="red")')
WEIGHT = Field("weight", "int", "What it weighs.", "Row(weight > 5)", minimum=0, maximum=100)
KIND = Field("kind-of", "choice", "What it is.", 'Row(kind-of="a")', choices=("a", "b"))
ROOM = Field("room", "number", "Where it is.", "Row(room=5)", maximum=10)
ETHERNET = bytes.fromhex("0200000000020200000000010806") + bytes(46)


def u32(*numbers: int) -> Any:
    return np.array(numbers, np.uint32)


def u64(*numbers: int) -> Any:
    return np.array(numbers, np.uint64)


def i64(*numbers: int) -> Any:
    return np.array(numbers, np.int64)


@pytest.fixture
def point(monkeypatch):
    """Makes an entry point whose object has what is given."""

    def make(name: str = "synthetic", **members: Any) -> EntryPoint:
        module = types.ModuleType(f"plugin_{name}")
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return EntryPoint(name, module.__name__, GROUP)

    return make


def returning(*fields: Field, **columns: Any) -> Plugin:
    found = {name.replace("_", "-"): column for name, column in columns.items()}
    return Plugin("synthetic", {field.name: field for field in fields}, lambda batch, wanted: found)


def test_a_package_without_fault_brings_its_fields(point):
    plugins, problems = load(["netsrc"], [point(FIELDS=(COLOUR, WEIGHT, KIND, ROOM), values=lambda batch, fields: {})])
    assert problems == []
    assert [list(one.fields) for one in plugins] == [["colour", "weight", "kind-of", "room"]]
    assert plugins[0].fields["colour"] == replace(COLOUR, plugin="synthetic")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"FIELDS": (replace(COLOUR, name="netsrc"),), "values": dict}, "a field 'netsrc' already, of picapweb itself"),
        ({"FIELDS": (COLOUR, COLOUR), "values": dict}, "a field 'colour' already"),
        ({"FIELDS": ("colour",), "values": dict}, "'colour' is no capture.packets.fields.Field"),
        ({"FIELDS": (replace(COLOUR, name="Colour"),), "values": dict}, "must match"),
        ({"FIELDS": (replace(COLOUR, encoding="float"),), "values": dict}, "encoding 'float' is none of text"),
        ({"FIELDS": (replace(COLOUR, level="second"),), "values": dict}, "level 'second'"),
        ({"FIELDS": (replace(COLOUR, description=""),), "values": dict}, "no description"),
        ({"FIELDS": (replace(COLOUR, always=True),), "values": dict}, "always indexed"),
        ({"FIELDS": (replace(KIND, choices=()),), "values": dict}, "a choice needs choices"),
        ({"FIELDS": (replace(WEIGHT, maximum=0),), "values": dict}, "minimum < maximum"),
        ({"FIELDS": (COLOUR,)}, "values"),
        ({"FIELDS": (COLOUR,), "values": 5}, "cannot be called"),
        ({"values": dict}, "FIELDS"),
    ],
)
def test_a_bad_declaration_leaves_the_package_out_and_says_so(point, members, words):
    good = point("zgood", FIELDS=(COLOUR,), values=dict)
    plugins, (problem,) = load(["netsrc"], [good, point(**members)])
    assert "synthetic" in problem and words in problem
    assert [one.name for one in plugins] == ["zgood"]  # nor does it take the names of others


@pytest.mark.parametrize("text", ["raise RuntimeError('no tshark')", "import nosuchmodule_", "raise SystemExit(3)", "def"])
def test_a_package_that_cannot_be_imported_is_left_out_and_named(tmp_path, monkeypatch, text):
    (tmp_path / "breaking_plugin.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "breaking_plugin", raising=False)
    plugins, (problem,) = load([], [EntryPoint("broken", "breaking_plugin", GROUP)])
    assert plugins == []
    assert "package broken" in problem and "breaking_plugin" in problem


def test_of_two_packages_with_one_name_the_first_by_name_has_it(point):
    points = [point(name, FIELDS=(COLOUR,), values=dict) for name in ("second", "first")]
    plugins, (problem,) = load([], points)
    assert [one.name for one in plugins] == ["first"]
    assert "second" in problem and "'colour' already, of first" in problem


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        (returning(COLOUR, colour=IntValues(u32(0), i64(1))), "IntValues for a field that needs SetValues"),
        (returning(WEIGHT, weight=SetValues(u32(0), u32(0), u64(1))), "SetValues for a field that needs IntValues"),
        (returning(COLOUR, colour=SetValues(i64(0), u32(0), [b"a"])), "`packet` must be uint32 (n,), it is int64"),
        (returning(COLOUR, colour=SetValues(u32(0), [0], [b"a"])), "`code` must be uint32 (n,), it is list"),
        (returning(COLOUR, colour=SetValues(u32(2), u32(0), [b"a"])), "packet 2 is not in the batch, which has 2"),
        (returning(COLOUR, colour=SetValues(u32(1, 0), u32(0, 0), [b"a"])), "ascending"),
        (returning(COLOUR, colour=SetValues(u32(0, 0), u32(0, 0), [b"a"])), "the same value twice"),
        (returning(COLOUR, colour=SetValues(u32(0, 1), u32(0), [b"a"])), "2 packets and 1 codes"),
        (returning(COLOUR, colour=SetValues(u32(0), u32(1), [b"a"])), "code 1 has no value"),
        (returning(COLOUR, colour=SetValues(u32(0), u32(0), ["a"])), "list of bytes"),
        (returning(COLOUR, colour=SetValues(u32(0), u32(0), [b""])), "none of them empty"),
        (returning(COLOUR, colour=SetValues(u32(0, 1), u32(0, 1), [b"a", b"a"])), "stands twice"),
        (returning(COLOUR, colour=SetValues(u32(0), u32(0), u64(1))), "list of bytes"),
        (returning(KIND, kind_of=SetValues(u32(0), u32(0), u64(2))), "value 2 is larger than 1"),
        (returning(KIND, kind_of=SetValues(u32(0), u32(0), [b"a"])), "`values` must be uint64"),
        (returning(ROOM, room=SetValues(u32(0), u32(0), u64(11))), "value 11 is larger than 10"),
        (returning(WEIGHT, weight=IntValues(u32(0), i64(101))), "not from 0 to 100"),
        (returning(WEIGHT, weight=IntValues(u32(0, 0), i64(1, 2))), "strictly ascending"),
        (returning(WEIGHT, weight=IntValues(u32(0, 1), i64(1))), "2 packets and 1 values"),
        (returning(WEIGHT, weight=IntValues(u32(0), np.array([1.5]))), "`value` must be int64"),
        (returning(WEIGHT, weight=None), "NoneType"),
    ],
)
def test_what_breaks_the_contract_is_refused_in_words(plugin, words):
    (name,) = plugin.fields
    kept, missing = values_of(plugin, batch_of(ETHERNET, ETHERNET), [name])
    assert kept == {}
    assert missing[name].startswith("synthetic: ") and words in missing[name]


def test_one_bad_column_costs_that_field_alone():
    good = SetValues(u32(0, 1, 1), u32(0, 0, 1), [b"red", b"blue"])
    plugin = returning(COLOUR, WEIGHT, colour=good, weight=IntValues(u32(5), i64(1)))
    kept, missing = values_of(plugin, batch_of(ETHERNET, ETHERNET), ["colour", "weight", "netsrc"])
    assert kept == {"colour": good}
    assert list(missing) == ["weight"]


@pytest.mark.parametrize("error", [RuntimeError("out of paint"), SystemExit("out of paint"), KeyError("out of paint")])
def test_an_exception_costs_the_batch_the_fields_of_that_package(error):
    def values(batch, fields):
        raise error

    plugin = Plugin("synthetic", {"colour": COLOUR, "weight": WEIGHT}, values)
    kept, missing = values_of(plugin, batch_of(ETHERNET), ["colour"])
    assert kept == {}
    assert list(missing) == ["colour"] and "out of paint" in missing["colour"] and "synthetic" in missing["colour"]


def test_values_of_fields_that_were_not_asked_for_are_refused():
    plugin = returning(COLOUR, ROOM, colour=SetValues(u32(0), u32(0), [b"red"]), room=SetValues(u32(0), u32(0), u64(1)))
    kept, missing = values_of(plugin, batch_of(ETHERNET), ["colour"])
    assert kept == {} and "room" in missing["colour"]


@pytest.mark.parametrize("dissector", list(door.DISSECTORS))
def test_every_dissector_asks_them_and_only_when_a_field_of_theirs_is_wanted(monkeypatch, dissector):
    asked: list[tuple[int, tuple[str, ...]]] = []

    def values(batch, fields):
        asked.append((len(batch), tuple(fields)))
        return {"colour": SetValues(u32(1), u32(0), [b"red"])}

    plugin = Plugin("synthetic", {"colour": COLOUR, "weight": WEIGHT}, values)
    monkeypatch.setattr(door, "PLUGINS", [plugin])
    for name, field in plugin.fields.items():
        monkeypatch.setitem(registry.FIELDS, name, field)
    batch = batch_of(ETHERNET, ETHERNET)
    assert "colour" not in door.dissect(batch, ["picap"], dissector).fields
    assert asked == []
    found = door.dissect(batch, ["picap", "colour"], dissector)
    assert asked == [(2, ("colour",))]
    assert counts(found, "colour") == {"red": 1}
    assert found.not_indexed == {}


PROJECT = """
[project]
name = "picapweb-colours"
version = "1.0"
[project.entry-points."picapweb.fields"]
colours = "colours:source"
"""
MODULE = """
class source:
    from capture.packets.fields import Field
    FIELDS = (Field("colour", "text", "What colour it is.", 'Row(colour="red")'),)
    @staticmethod
    def values(batch, fields):
        return {}
"""


@pytest.mark.parametrize(("module", "known", "said"), [(MODULE, True, ""), ("raise OSError('no paint')", False, "no paint")])
def test_an_installed_package_is_found_and_a_broken_one_is_told_by_check(tmp_path: Path, module, known, said):
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "colours.py").write_text(module)
    environment = clean_environment(PYTHONPATH=str(install(tmp_path, tmp_path)), PICAPWEB_DATA=str(tmp_path / "data"))
    look = "from capture.packets.registry import FIELDS, PRESETS; print('colour' in FIELDS, 'colour' in PRESETS['all'])"
    done = subprocess.run([sys.executable, "-c", look], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.stdout.split() == [str(known)] * 2, done.stderr
    check = subprocess.run(
        [sys.executable, "manage.py", "check", "--fail-level", "ERROR"], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert check.returncode == 0, check.stderr
    assert said in check.stderr and ("picapweb-colours" in check.stderr) is not known
