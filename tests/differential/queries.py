"""A seeded source of queries of every call over load.py's data set, and of what is left of them after a few edits.

Reads go to all indexes; writes to `wf` and `wk` (WRITTEN), which are made for it. What makes a real Pilosa 1.4.1 fall over is
left out (Options() without a call, Store without or with two sources, TopN(ids=) of a field with keys), and what it answers at
random (two fields in one call).
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SHARD = 1 << 20
_KEYS = ["alpha", "beta", "gamma", "delta", "eps:1", "ten.0.0.1", "/index.html", "a b", "o'k", 'x"y', "UPPER", "10.0.0.1"]
_PROTOCOLS = ["tcp", "udp", "icmp", "esp"]
_STAMPS = [
    *("2018-01-01T00:00", "2018-01-05T12:30", "2018-02-27T22:30", "2018-03-01T00:00", "2018-07-04T05:00", "2018-12-31T23:59"),
    *("2019-01-01T00:00", "2019-06-15T08:00", "2019-12-31T00:00", "2020-01-01T00:00", "2017-06-01T00:00", "2020-02-29T10:00"),
]


@dataclass
class Kind:
    """A field as the generator needs it. rows: those that are likely; edges: values about which comparisons go wrong."""

    type: str
    rows: list[Any] = field(default_factory=list)
    keys: bool = False
    edges: list[int] = field(default_factory=list)
    quantum: str = ""
    cached: bool = True
    options: dict[str, Any] = field(default_factory=dict)


_INTS = {
    "i1": [-1001, -1000, -256, -255, -254, -200, -17, -2, -1, 0, 1, 2, 100, 254, 255, 256, 999, 1000, 1001],
    "i2": [0, 99, 100, 101, 131, 1000, 5098, 5099, 8291, 8292, 99999, 100000, 100001],
    "i3": [-600, -500, -74, -73, -69, -42, -11, -10, -9, 0, 10],
    "i4": [-(1 << 62), -1, 0, 1, 1 << 40, 1 << 62, (1 << 63) - 1, -(1 << 63) + 1],
}
_SCRATCH = {
    "s": Kind("set", [1, 2, 3, 50]),
    "c": Kind("set", [1, 2, 3], cached=False, options={"cacheType": "none"}),
    "k": Kind("set", ["one", "two", "a b", 'x"y'], keys=True),
    "i": Kind("int", edges=[-101, -100, -64, -63, -2, -1, 0, 1, 2, 63, 64, 100, 101], options={"min": -100, "max": 100}),
    "p": Kind("int", edges=[9, 10, 11, 15, 42, 89, 90, 91], options={"min": 10, "max": 90}),
    "t": Kind("time", [1, 2], quantum="YMDH", cached=False),
    "n": Kind("time", [1, 2], quantum="MD", cached=False, options={"noStandardView": True}),
    "m": Kind("mutex", [1, 2, 3]),
    "b": Kind("bool", [True, False], cached=False),
}
READ: dict[str, dict[str, Kind]] = {
    "c": {
        "s1": Kind("set", [0, 1, 2, 3, 5, 12, 39, 100, 101, 139, 999]),
        "s2": Kind("set", list(range(17))),
        "s3": Kind("set", list(range(9)), cached=False),
        "sk": Kind("set", _KEYS, keys=True),
        **{name: Kind("int", edges=edges) for name, edges in _INTS.items()},
        "t1": Kind("time", list(range(6)), quantum="YMDH", cached=False),
        "t2": Kind("time", list(range(4)), quantum="D", cached=False, options={"noStandardView": True}),
        "tk": Kind("time", _PROTOCOLS, keys=True, quantum="YM", cached=False),
        "m1": Kind("mutex", list(range(8))),
        "mk": Kind("mutex", _PROTOCOLS, keys=True),
        "b1": Kind("bool", [True, False], cached=False),
        "e1": Kind("set", [0, 1]),
        "ek": Kind("set", ["a"], keys=True),
        "ei": Kind("int", edges=[-1, 0, 5, 10, 11]),
    },
    "ck": {
        "a": Kind("set", _KEYS, keys=True),
        "n": Kind("set", list(range(12))),
        "v": Kind("int", edges=[-5001, -5000, -1024, -1023, -1000, -1, 0, 1, 1000, 1023, 1024, 5000]),
        "m": Kind("mutex", _PROTOCOLS, keys=True),
        "t": Kind("time", _PROTOCOLS[:2], keys=True, quantum="YMD", cached=False),
        "b": Kind("bool", [True, False], cached=False),
    },
    "nx": {"f": Kind("set", list(range(5))), "i": Kind("int", edges=[-9, -8, -7, -1, 0, 1, 7, 8])},
}
WRITTEN: dict[str, dict[str, Kind]] = {
    "wf": _SCRATCH,
    "wk": {
        **{name: _SCRATCH[name] for name in ("s", "k", "i", "b")},
        "m": Kind("mutex", _PROTOCOLS, keys=True),
        "t": Kind("time", _PROTOCOLS[:2], keys=True, quantum="YMD", cached=False),
    },
}
KEYED = frozenset({"ck", "wk"})
_WEIGHTS = {
    "bitmap": 22, "count": 22, "topn": 10, "rows": 10, "group_by": 8, "value": 12, "end_row": 4, "options": 5, "several": 5,
}  # fmt: skip


def options_of(kind: Kind) -> dict[str, Any]:
    """A field's options as the HTTP API takes them."""
    out: dict[str, Any] = {"type": kind.type, **kind.options}
    if kind.keys:
        out["keys"] = True
    if kind.quantum:
        out["timeQuantum"] = kind.quantum
    return out


@dataclass(frozen=True)
class Query:
    """One request: index, PQL, and what stands behind the "?" of its path; damaged: after a few edits."""

    index: str
    text: str
    parameters: str = ""
    damaged: bool = False


class Queries:
    """Seeded: the same seed gives the same queries."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def valid(self) -> Query:
        """A query that Pilosa can read; a few it refuses (a field that is not there, a call that a field does not take)."""
        if self.random.random() < 0.12:
            return self.write()
        index = self.random.choices(list(READ) + list(WRITTEN), [12, 4, 1, 2, 1])[0]
        which = self.random.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        make: Callable[[_Index], str] = getattr(_Index, which)
        text = make(_Index(self.random, index))
        parameters = ""
        if self.random.random() < 0.06:
            parameters = self.random.choice(
                ["?shards=0", "?shards=1,5", "?columnAttrs=true", "?excludeColumns=true", "?excludeRowAttrs=true", "?shards=7"]
            )
        return Query(index, text, parameters)

    def write(self) -> Query:
        """Writes, and sometimes a look at what they made."""
        index = self.random.choice(list(WRITTEN))
        of = _Index(self.random, index)
        calls = [of.write() for _ in range(self.random.choice([1, 1, 1, 2, 3]))]
        if self.random.random() < 0.5:
            calls.append(self.random.choice([of.count, of.rows, of.bitmap])())
        return Query(index, "".join(calls))

    def mutated(self) -> Query:
        """A query after one to three edits, of characters or of tokens."""
        query = self.valid()
        text = query.text
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            text = self._edit(text)
        return Query(query.index, text, query.parameters, damaged=True)

    def _edit(self, text: str) -> str:
        pick = self.random
        if not text:
            return "("
        if pick.random() < 0.5:
            at = pick.randrange(len(text))
            new = pick.choice("()[],=<>!\"'\\ \t\n-_:.0159aZRé\r\x00")
            return text[:at] + pick.choice([new + text[at:], text[at + 1 :], new + text[at + 1 :], text[at] + text[at:]])
        tokens = re.findall(r"[A-Za-z0-9_:.-]+|\s+|><|[<>=!]=|.", text, re.DOTALL)
        at = pick.randrange(len(tokens))
        other = pick.choice([*tokens, "null", "true", "-1", "1.5", "0", "99999999999999999999", "Row", "from", "_col", "[1,2]"])
        kind = pick.randrange(4)
        if kind == 0:
            tokens.pop(at)
        elif kind == 1:
            tokens.insert(at, tokens[at])
        elif kind == 2:
            tokens[at] = other
        else:
            tokens.insert(at, other)
        return "".join(tokens)


class _Index:
    """Texts about one index."""

    def __init__(self, source: random.Random, index: str) -> None:
        self.random, self.index = source, index
        self.fields = READ.get(index) or WRITTEN[index]

    def _name(self, *types: str) -> str:
        names = [name for name, kind in self.fields.items() if not types or kind.type in types]
        return self.random.choice(names)

    def _row(self, kind: Kind) -> str:
        if self.random.random() < 0.04:
            return '"nobody"' if kind.keys else "true" if kind.type == "bool" else "424242"
        row = self.random.choice(kind.rows)
        if not isinstance(row, str):
            return json.dumps(row)
        if re.fullmatch("[A-Za-z][A-Za-z0-9]*", row) and self.random.random() < 0.2:
            return row if self.random.random() < 0.5 else f"'{row}'"
        return json.dumps(row)

    def _stamp(self) -> str:
        stamp = self.random.choice(_STAMPS)
        return self.random.choice([stamp, f"'{stamp}'", f'"{stamp}"'])

    def _column(self) -> str:
        """Of an index that is written: few columns, at the edges of shards."""
        if self.index in KEYED:
            return json.dumps(self.random.choice(["x", "y z", "col0001", "q'", "7"]))
        return str(self.random.choice([0, 1, 2, 3, 65535, 65536, SHARD - 1, SHARD, SHARD + 1, 3 * SHARD + 5]))

    def _comparison(self) -> str:
        name = self._name("int")
        edges = self.fields[name].edges
        pick = self.random.choice
        value = pick(edges) if self.random.random() < 0.6 else self.random.randint(min(edges), max(edges))
        other = pick(edges)
        kind = self.random.random()
        if kind < 0.7:
            op = pick(["<", "<=", "==", "!=", ">", ">="])
            return f"Row({name} {op} {value})" if self.random.random() < 0.7 else f"Row({name}{op}{value})"
        if kind < 0.85:
            low, high = (value, other) if self.random.random() < 0.1 else sorted([value, other])
            return f"Row({name} >< [{low},{high}])"
        if kind < 0.95:
            low, high = sorted([value, other])
            return f"Row({low} {pick(['<', '<='])} {name} {pick(['<', '<='])} {high})"
        return f"Row({name} != null)"

    def _leaf(self) -> str:
        kind = self.random.random()
        if kind < 0.3:
            return self._comparison()
        times = [name for name, one in self.fields.items() if one.quantum]
        if kind < 0.42 and times:
            name = self.random.choice(times)
            row = self._row(self.fields[name])
            if self.random.random() < 0.2:
                return f"Range({name}={row}, {self._stamp()}, {self._stamp()})"
            bounds = [f"from={self._stamp()}", f"to={self._stamp()}"]
            if self.random.random() < 0.2:
                bounds = bounds[:1]
            elif self.random.random() < 0.1 and "Y" in self.fields[name].quantum:
                bounds = bounds[1:]
            return f"Row({name}={row}, {', '.join(bounds)})"
        if kind < 0.43:
            return "Row(zz=1)"
        name = self._name("set", "mutex", "bool", "time")
        return f"Row({name}={self._row(self.fields[name])})"

    def bitmap(self, depth: int = 0) -> str:
        """A bitmap call, nested to four levels."""
        if depth >= 4 or self.random.random() < (0.25 if depth == 0 else 0.55):
            return self._leaf()
        name = self.random.choice(["Union", "Intersect", "Difference", "Xor", "Not", "Shift"])
        if self.index == "nx" and name == "Not" and self.random.random() < 0.8:
            name = "Xor"
        if name == "Not":
            return f"Not({self.bitmap(depth + 1)})"
        if name == "Shift":
            return f"Shift({self.bitmap(depth + 1)}, n={self.random.choice([0, 1, 1, 2, 3])})"
        children = [self.bitmap(depth + 1) for _ in range(self.random.choice([0, 1, 2, 2, 2, 3]) or (name in "XorUnion") or 2)]
        return f"{name}({', '.join(children)})"

    def count(self) -> str:
        return f"Count({self.bitmap()})"

    def topn(self) -> str:
        names = [name for name, kind in self.fields.items() if kind.type in ("set", "mutex") and kind.cached]
        name = self.random.choice(names) if self.random.random() < 0.95 else self._name()
        kind = self.fields[name]
        parts = [name]
        if self.random.random() < 0.4:
            parts.append(self.bitmap(2))
        if self.random.random() < 0.5:
            parts.append(f"n={self.random.choice([0, 1, 2, 3, 5, 100])}")
        if self.random.random() < 0.2:
            parts.append(f"threshold={self.random.choice([1, 5, 60, 300, 1000])}")
        if self.random.random() < 0.2 and not kind.keys and kind.rows:
            chosen = self.random.sample(kind.rows, min(3, len(kind.rows)))
            parts.append(f"ids={json.dumps(chosen)}")
        if self.random.random() < 0.1:
            parts.append('attrName="name", attrValues=["zero","five"]' if name == "s1" else 'attrName="cat", attrValues=["x"]')
        return f"TopN({', '.join(parts)})"

    def _rows(self, name: str, grouped: bool = False) -> str:
        kind = self.fields[name]
        parts = [name]
        if self.random.random() < (0.1 if grouped else 0.3) and kind.rows:
            parts.append(f"previous={self._row(kind)}")
        if self.random.random() < 0.3:
            parts.append(f"limit={self.random.choice([0, 1, 2, 3, 7])}")
        if self.random.random() < 0.15:
            loaded = self.random.choice(["3", "10", "17", "1048579", "2097155", "99999999"])
            keyed = self.random.choice(['"col0003"', '"col0007"', '"nobody"'])
            written = self._column() if self.index in WRITTEN else keyed if self.index in KEYED else loaded
            parts.append(f"column={written}")
        if kind.quantum and self.random.random() < 0.4 and not grouped:
            parts += [f"from={self._stamp()}", f"to={self._stamp()}"]
        if self.random.random() < 0.05:
            parts[0] = f"field={name}"
        return f"Rows({', '.join(parts)})"

    def rows(self) -> str:
        return self._rows(self._name())

    def group_by(self) -> str:
        # Three are not asked of Pilosa (rules.may_never_end), and only where the naive engine is done in time
        sizes = [1, 1, 2, 2, 3] if self.index != "c" else [1, 1, 2, 2]
        names = [self._name("set", "mutex", "time") for _ in range(self.random.choice(sizes))]
        children = [self._rows(name, grouped=True) for name in names]
        parts = list(children)
        if self.random.random() < 0.4:
            parts.append(f"limit={self.random.choice([0, 1, 3, 10, 50])}")
        if self.random.random() < 0.2:
            parts.append(f"offset={self.random.choice([0, 1, 2, 20])}")
        if self.random.random() < 0.3:
            parts.append(f"filter={self._leaf()}")
        return f"GroupBy({', '.join(parts)})"

    def value(self) -> str:
        name = self._name("int") if self.random.random() < 0.95 else self.random.choice([self._name(), "zz"])
        under = self.bitmap(2) + ", " if self.random.random() < 0.6 else ""
        return f"{self.random.choice(['Sum', 'Min', 'Max'])}({under}field={name})"

    def end_row(self) -> str:
        """MaxRow of a filter is not asked of Pilosa (rules.may_never_end): where that has nothing, it counts down for ever."""
        under = self.bitmap(2) + ", " if self.random.random() < 0.6 else ""
        name = self.random.choice(["MinRow", "MaxRow"])
        return f"{name}({under}field={self._name('set', 'mutex', 'time')})"

    def options(self) -> str:
        inner = self.random.choice([self.bitmap, self.bitmap, self.count, self.topn, self.value, self.group_by])()
        choices = ["columnAttrs=true", "excludeColumns=true", "excludeRowAttrs=true", "shards=[0]", "shards=[1,2]", "shards=[5]"]
        chosen = {one.split("=")[0]: one for one in self.random.sample(choices, self.random.choice([1, 1, 2]))}
        return f"Options({inner}, {', '.join(chosen.values())})"

    def several(self) -> str:
        makers = [self.count, self.rows, self.bitmap, self.topn, self.value]
        return self.random.choice(["", " ", "\n"]).join(self.random.choice(makers)() for _ in range(self.random.choice([2, 3])))

    def write(self) -> str:
        """One write that is no error."""
        kind = self.random.random()
        if kind < 0.55:
            return self._set()
        if kind < 0.72:
            name = self._name()
            return f"Clear({self._column()}, {name}={self._written(name).removeprefix('-')})"
        if kind < 0.78:
            name = self._name("set", "mutex", "time", "bool")
            return f"ClearRow({name}={self._row(self.fields[name])})"
        if kind < 0.86:  # A row with a key Pilosa cannot store to
            name = self.random.choice([name for name, one in self.fields.items() if one.type == "set" and not one.keys])
            return f"Store({self.bitmap(2)}, {name}={self.random.choice(self.fields[name].rows)})"
        value = self.random.choice(['"x"', "7", "true", "1.25", "null", '"a b"'])
        if kind < 0.94:
            name = self._name("set", "mutex")
            return f"SetRowAttrs({name}, {json.dumps(self.random.choice(self.fields[name].rows))}, {self._attribute()}={value})"
        return f"SetColumnAttrs({self._column()}, {self._attribute()}={value})"

    def _attribute(self) -> str:
        return self.random.choice(["name", "x1", "cat"])  # none that a bool field has: Pilosa takes it for a row of that

    def _written(self, name: str) -> str:
        """A row, or a value within the bounds of an int field."""
        kind = self.fields[name]
        if kind.type == "int":
            return str(self.random.choice([edge for edge in kind.edges if kind.options["min"] <= edge <= kind.options["max"]]))
        return self._row(kind)

    def _set(self) -> str:
        name = self._name()
        # In quotes Pilosa refuses it here
        stamp = f", {self.random.choice(_STAMPS)}" if self.fields[name].quantum and self.random.random() < 0.8 else ""
        return f"Set({self._column()}, {name}={self._written(name)}{stamp})"
