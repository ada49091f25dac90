"""Calls in ids -> PQL text that Pilosa 1.4.1 answers rightly. What is wrong in a call was found above; text is ASCII.

Its one-sided comparisons of ints are wrong near 0, -1 and the bit depth; closed ranges are right, so comparisons become those.
"""

from __future__ import annotations

from typing import Any

from indexing.calls import Call, Condition, RowRef
from indexing.client import pilosa_names
from indexing.client.contract import INT64_MAX, ClientIndex, FieldOptions
from indexing.roaring import MAX_ROW

EMPTY = "Union()"
# A row that nobody has: ids are counted from 1 up, and a `previous` of this one does not overflow.
NOBODYS_ROW = 1 << 43
_YEAR_ONE = "0001-01-01T00:00"


def bitmap(call: Call, index: ClientIndex) -> str:
    """PQL of a bitmap call, of any depth."""
    out: list[str] = []
    todo: list[Call | str] = [call]
    while todo:
        item = todo.pop()
        if isinstance(item, str):
            out.append(item)
        elif item.name == "Row":
            out.append(_row(item, index))
        else:
            out.append(item.name + "(")
            todo.append(f",n={item.args['n']})" if item.name == "Shift" and item.args.get("n") is not None else ")")
            for i in range(len(item.children) - 1, -1, -1):
                todo.append(item.children[i])
                if i:
                    todo.append(",")
    return "".join(out)


def _row(call: Call, index: ClientIndex) -> str:
    if "condition" in call.args:
        field, condition = call.args["condition"]
        return compare(field, condition, index.fields[field])
    ref: RowRef = call.args["row"]
    given = times(call.args)
    if call.args.get("from") == _YEAR_ONE and "to" not in call.args:
        return f"Range({row(ref, index)})"  # all time views; Row() would read the standard view
    return f"Row({','.join([row(ref, index), *given])})"


def row(ref: RowRef, index: ClientIndex) -> str:
    """`field=row`. Rows beyond the last one are nobody's: Pilosa would take them for others."""
    options = index.fields[ref.field]
    if options.type == "bool":
        return f"{ref.field}={'true' if ref.row else 'false'}"
    number = NOBODYS_ROW if ref.row is None else int(ref.row)
    return f"{ref.field}={number if options.type == 'int' else min(number, MAX_ROW)}"


def times(args: dict[str, Any]) -> list[str]:
    """`from=` and `to=`."""
    return [f"{name}={_time(args[name])}" for name in ("from", "to") if args.get(name) is not None]


def _time(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value)


def compare(field: str, condition: Condition, options: FieldOptions) -> str:
    """PQL of a comparison, as a closed range within the field's own bounds."""
    minimum, maximum = options.minimum, options.maximum
    value: Any = condition.value
    if condition.op == "!=":
        if value is None or not minimum <= value <= maximum:
            return f"Row({field} != null)"
        return f"Row({field} != {value})"
    low, high = minimum, maximum
    if condition.op == "><":
        low, high = value
    elif condition.op == "==":
        low = high = value
    elif condition.op in ("<", "<="):
        high = value - (condition.op == "<")
    else:
        low = value + (condition.op == ">")
    low, high = max(low, minimum), min(high, maximum)
    if low > high:
        return EMPTY
    if (low, high) == (minimum, maximum):
        return f"Row({field} != null)"
    return f"Row({field} >< [{low},{high}])"


def below(field: str, options: FieldOptions) -> str:
    """The columns whose values lie below the base."""
    return compare(field, Condition("<", pilosa_names.base(options)), options)


def sums(under: str, field: str, options: FieldOptions) -> list[str]:
    """What Sum under a filter is computed of, see `summed`.

    Pilosa subtracts what lies below the base, of the columns outside of the filter as well. So it is asked for sums of what does
    not, which it corrects by all that does; and of the field's mirror, which has no negative values, for both corrections."""
    if not pilosa_names.has_mirror(options):
        return [f"Sum({under},field={field})"]
    negative, magnitudes = below(field, options), pilosa_names.mirror(field)
    return [
        f"Sum(Difference({under},{negative}),field={field})",
        f"Sum({negative},field={magnitudes})",
        f"Sum(Intersect({under},{negative}),field={magnitudes})",
    ]


def summed(answers: list[Any], options: FieldOptions) -> tuple[int, int]:
    """(value, count) of the answers to `sums`. A sum beyond 64 bits wraps around, as Pilosa's own do."""
    if len(answers) == 1:
        return answers[0]["value"], answers[0]["count"]
    above, every, inside = answers
    value, count = 0, above["count"] + inside["count"]
    if above["count"]:  # else Pilosa says 0, whatever it has subtracted
        value += above["value"] + every["value"]
    if inside["count"]:
        value += inside["count"] * pilosa_names.base(options) - inside["value"]
    return (value + INT64_MAX + 1) % (1 << 64) - INT64_MAX - 1, count


def literal(value: Any) -> str:
    """A value in PQL: text in ASCII, for Pilosa's parser loses its way behind anything else."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, float):
        text = format(value, ".340f").rstrip("0")
        return text + "0" if text.endswith(".") else text
    if isinstance(value, int):
        return str(value)
    return '"' + "".join(map(_character, str(value))) + '"'


def _character(one: str) -> str:
    if " " <= one <= "~" and one not in '"\\':
        return one
    code = ord(one)
    if 0xD800 <= code < 0xE000:
        code = 0xFFFD  # half a pair is no text
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


# Writes


def write(call: Call, index: ClientIndex) -> list[str]:
    """PQL of a write; the answer to the last one is the call's."""
    args = call.args
    if call.name == "SetColumnAttrs":
        return [f"SetColumnAttrs({args['column']},{_attrs(args)})"]
    ref: RowRef = args["row"]
    options = index.fields[ref.field]
    if call.name == "SetRowAttrs":
        return [f"SetRowAttrs({ref.field},{ref.row},{_attrs(args)})"]
    if call.name == "ClearRow":
        return [f"ClearRow({row(ref, index)})"]
    if call.name == "Store":
        return [f"Store({bitmap(call.children[0], index)},{row(ref, index)})"]
    column = min(args["column"], INT64_MAX)
    if call.name == "Clear":
        text = f"Clear({column},{row(ref, index)})"
        # What Pilosa says itself of a time field is of the last of its views
        return [text] if options.type != "time" or options.no_standard_view else [f"Rows({ref.field},column={column})", text]
    stamp = f",{args['timestamp']}" if args.get("timestamp") is not None else ""
    text = f"Set({column},{row(ref, index)}{stamp})"
    if options.type == "int" and pilosa_names.has_mirror(options):
        magnitude = pilosa_names.base(options) - int(ref.row or 0)
        if magnitude > 0:
            return [f"Set({column},{pilosa_names.mirror(ref.field)}={magnitude})", text]
    return [text]


def changed(call: Call, index: ClientIndex, answers: list[Any]) -> bool:
    """What a write says of itself, by the answers to `write`."""
    if call.name == "Clear" and len(answers) == 2:
        return call.args["row"].row in (answers[0]["rows"] or ())
    return bool(answers[-1])


def _attrs(args: dict[str, Any]) -> str:
    return ",".join(f"{name}={literal(value)}" for name, value in args["attrs"].items())
