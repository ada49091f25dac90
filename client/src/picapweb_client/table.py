"""Rows of an answer as a pandas DataFrame or an Arrow table, both with the same columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from picapweb_client.errors import MissingExtra

if TYPE_CHECKING:
    import pandas
    import pyarrow

# int: 64 bits, time: nanoseconds since 1970 in UTC, texts: a tuple of texts a row
Kind = Literal["int", "float", "text", "time", "texts"]


@dataclass(frozen=True)
class Column:
    """A column: None is a value that there is not."""

    name: str
    kind: Kind
    values: Sequence[Any]


def to_pandas(columns: Sequence[Column]) -> pandas.DataFrame:
    """int64 (Int64 where values are missing), float64, string, datetime64[ns, UTC]; tuples of texts stay tuples."""
    pd = need_pandas()
    return pd.DataFrame({one.name: _series(pd, one) for one in columns})


def _series(pd: Any, column: Column) -> Any:
    values = list(column.values)
    if column.kind == "time":
        # By way of int64: floats, which pandas takes where one is missing, do not hold nanoseconds.
        numbers = pd.array([pd.NaT.value if one is None else one for one in values], dtype="int64")
        return pd.Series(numbers.to_numpy().view("datetime64[ns]")).dt.tz_localize("UTC")
    if column.kind == "int":
        return pd.Series(values, dtype="Int64" if None in values else "int64")
    return pd.Series(values, dtype={"float": "float64", "text": "string", "texts": "object"}[column.kind])


def to_arrow(columns: Sequence[Column]) -> pyarrow.Table:
    """int64, float64, string, timestamp[ns, UTC], list<string>."""
    pa = need_arrow()
    types = {
        "int": pa.int64(),
        "float": pa.float64(),
        "text": pa.string(),
        "time": pa.timestamp("ns", "UTC"),
        "texts": pa.list_(pa.string()),
    }
    return pa.table({one.name: pa.array(list(one.values), types[one.kind]) for one in columns})


class Tabular:
    """An answer that is a table: who inherits says its columns."""

    def columns_of_table(self) -> list[Column]:
        """The columns of `to_pandas` and `to_arrow`."""
        raise NotImplementedError

    def to_pandas(self) -> pandas.DataFrame:
        """The rows as a DataFrame. Raises MissingExtra without pandas."""
        return to_pandas(self.columns_of_table())

    def to_arrow(self) -> pyarrow.Table:
        """The rows as an Arrow table. Raises MissingExtra without pyarrow."""
        return to_arrow(self.columns_of_table())


def need_pandas() -> Any:
    """The module. Raises MissingExtra."""
    try:
        import pandas
    except ImportError as error:
        raise MissingExtra("pandas", "pandas") from error
    return pandas


def need_arrow() -> Any:
    """The module. Raises MissingExtra."""
    try:
        import pyarrow
    except ImportError as error:
        raise MissingExtra("pyarrow", "arrow") from error
    return pyarrow
