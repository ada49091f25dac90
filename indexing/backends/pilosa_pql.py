"""Bitmap calls -> PQL text that Pilosa 1.4.1 answers rightly.

Its int comparisons drop or add values near the bit depth, 0 and -1; closed ranges (`><`), `==` and `!=` are right. So every
comparison becomes a closed range cut to the field's declared range.

Not is of the columns in the mask: existence, which Pilosa's own Not is made of, forgets columns when ints are imported beside it.
Every read is masked (see PilosaBackend), so that is the same.
"""

from __future__ import annotations

from indexing.backends.base import ACCESS_FIELD, LIVE_ROW
from indexing.backends.check import Schema
from indexing.backends.embedded_plan import interval
from indexing.calls import Call, Condition, QueryError, RowRef, RowSet
from indexing.roaring import MAX_ROW

EMPTY = "Union()"
# Pilosa reads a query at a megabyte a second or so: a row is 15 bytes.
MOST_ROWS = 100_000
_NOT = f"Difference(Row({ACCESS_FIELD}={LIVE_ROW}),"


def bitmap(call: Call, schema: Schema) -> str:
    """PQL of a checked bitmap call, of any depth."""
    out: list[str] = []
    todo: list[Call | str] = [call]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            out.append(item)
        elif item.name == "Row":
            out.append(_row(item, schema))
        else:
            out.append(_NOT if item.name == "Not" and ACCESS_FIELD in schema else item.name + "(")
            todo.append(f",n={item.args['n']})" if item.name == "Shift" and item.args.get("n") is not None else ")")
            for i in range(len(item.children) - 1, -1, -1):
                todo.append(item.children[i])
                if i:
                    todo.append(",")
    return "".join(out)


def _row(call: Call, schema: Schema) -> str:
    if "condition" in call.args:
        field, condition = call.args["condition"]
        return compare(field, condition, schema)
    if isinstance(call.args["row"], RowSet):
        return _row_set(call.args["row"], call.position)
    ref: RowRef = call.args["row"]
    # Row(n=5) of an int field is empty in Pilosa, too; a row id that is too great would wrap around and name another row.
    if ref.row is None or int(ref.row) > MAX_ROW or schema[ref.field].kind == "int":
        return EMPTY
    return f"Row({ref.field}={ref.row})"


def _row_set(some: RowSet, position: int) -> str:
    if some.rows.size > MOST_ROWS:
        text = f"{some.rows.size} values of field {some.field} are meant; of Pilosa at most {MOST_ROWS} may be asked at once"
        raise QueryError(text, position, status=413)
    return "Union(" + ",".join([f"Row({some.field}={row})" for row in some.rows.tolist()]) + ")"


def compare(field: str, condition: Condition, schema: Schema) -> str:
    """PQL of a comparison."""
    minimum, maximum = schema[field].minimum, schema[field].maximum
    if condition.op == "!=":
        value = condition.value
        if value is None or not isinstance(value, int) or not minimum <= value <= maximum:
            return f"Row({field} != null)"
        return f"Row({field} != {value})"
    low, high, _ = interval(condition)
    low, high = max(low, minimum), min(high, maximum)
    if low > high:
        return EMPTY
    return f"Row({field} >< [{low},{high}])"
