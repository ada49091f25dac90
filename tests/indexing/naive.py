"""The slow and obvious engine that the real ones are held against: Python sets, one column at a time. Only for tests."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import product

from indexing.backends.base import BatchBits, SetBits
from indexing.calls import Call, postorder


class Naive:
    """rows[field][row] = set of columns; values[field][column] = int; exists = all columns."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        self.values: dict[str, dict[int, int]] = defaultdict(dict)
        self.exists: set[int] = set()

    def add(self, bits: BatchBits) -> None:
        """A batch comes, or comes again: what was written to its columns is no more."""
        self.remove(bits.first_column, bits.count)
        for column in range(bits.first_column, bits.first_column + bits.count):
            self.exists.add(column)
            self.rows["access"][0].add(column)
        for name, some in bits.fields.items():
            if isinstance(some, SetBits):
                for row, column in zip(some.row.tolist(), some.column.tolist(), strict=True):
                    self.rows[name][row].add(column)
            else:
                for column, value in zip(some.column.tolist(), some.value.tolist(), strict=True):
                    self.values[name][column] = value

    def remove(self, first_column: int, count: int) -> None:
        gone = set(range(first_column, first_column + count))
        self.exists -= gone
        for rows in self.rows.values():
            for columns in rows.values():
                columns -= gone
        for values in self.values.values():
            for column in gone:
                values.pop(column, None)

    # Writes of PQL: each says what Pilosa returns

    def set_bit(self, column: int, field: str, row: int) -> bool:
        changed = column not in self.rows[field][row]
        self.rows[field][row].add(column)
        self._exist(column)
        return changed

    def set_value(self, column: int, field: str, value: int) -> bool:
        changed = self.values[field].get(column) != value
        self.values[field][column] = value
        self._exist(column)
        return changed

    def _exist(self, column: int) -> None:
        self.exists.add(column)
        self.rows["access"][0].add(column)

    def clear_bit(self, column: int, field: str, row: int) -> bool:
        changed = column in self.rows[field][row]
        self.rows[field][row].discard(column)
        return changed

    def store_row(self, source: set[int], field: str, row: int) -> bool:
        """ClearRow is a Store of nothing."""
        changed = self.rows[field][row] != source
        self.rows[field][row] = set(source)
        return changed

    def columns(self, call: Call) -> set[int]:
        """The columns of a bitmap call."""
        found: dict[int, set[int]] = {}
        for node in postorder(call):
            inputs = [found[id(child)] for child in node.children]
            if node.name == "Row" and "condition" in node.args:
                field, condition = node.args["condition"]
                found[id(node)] = {c for c, v in self.values[field].items() if _holds(v, condition.op, condition.value)}
            elif node.name == "Row":
                ref = node.args["row"]
                found[id(node)] = set() if ref.row is None else set(self.rows[ref.field].get(ref.row, ()))
            elif node.name == "Union":
                found[id(node)] = set().union(*inputs)
            elif node.name == "Intersect":
                found[id(node)] = inputs[0].intersection(*inputs[1:])
            elif node.name == "Difference":
                found[id(node)] = inputs[0].difference(*inputs[1:])
            elif node.name == "Xor":
                found[id(node)] = {c for c, n in Counter(c for some in inputs for c in some).items() if n % 2}
            elif node.name == "Not":
                found[id(node)] = self.exists - inputs[0]
            else:
                raise ValueError(node.name)
        return found[id(call)]

    def topn(
        self, field: str, under: set[int], n: int = 0, threshold: int = 0, ids: list[int] | None = None
    ) -> list[tuple[int, int]]:
        """(row, count), the greatest counts first, equal ones by row."""
        counts = [(row, len(columns & under)) for row, columns in self.rows[field].items() if not ids or row in ids]
        ordered = sorted((pair for pair in counts if pair[1] >= max(1, threshold)), key=lambda pair: (-pair[1], pair[0]))
        return ordered[:n] if n and not ids else ordered

    def sum(self, field: str, under: set[int]) -> tuple[int, int]:
        chosen = [value for column, value in self.values[field].items() if column in under]
        return sum(chosen), len(chosen)

    def extreme(self, field: str, under: set[int], pick) -> tuple[int, int]:
        chosen = [value for column, value in self.values[field].items() if column in under]
        return (pick(chosen), chosen.count(pick(chosen))) if chosen else (0, 0)

    def groups(self, fields: list[str], under: set[int]) -> list[tuple[tuple[int, ...], int]]:
        """(rows, count) of every combination that a column has, in the order of rows."""
        counts: Counter[tuple[int, ...]] = Counter()
        for column in under:
            held = [[row for row, columns in self.rows[field].items() if column in columns] for field in fields]
            counts.update(product(*held))
        return sorted(counts.items())


def _holds(value: int, op: str, against: int | list[int] | None) -> bool:
    if against is None:
        return True
    if isinstance(against, list):
        return against[0] <= value <= against[1]
    return {
        "<": value < against,
        "<=": value <= against,
        "==": value == against,
        "!=": value != against,
        ">": value > against,
        ">=": value >= against,
    }[op]
