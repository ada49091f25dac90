"""Packets of a question as a file, or as scapy's packets: streamed, so that no number of them is too many."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, cast

from urllib3.response import BaseHTTPResponse

from picapweb_client.asking import Asking, copy, written
from picapweb_client.errors import Away, MissingExtra, PicapwebError
from picapweb_client.http import PIECE, fits_url
from picapweb_client.packet import Order
from picapweb_client.scope import Scope, parameters_of
from picapweb_client.table import need_arrow

if TYPE_CHECKING:
    import pandas
    import pyarrow
    from scapy.packet import Packet as ScapyPacket

CaptureFormat = Literal["pcap", "pcapng"]
TableFormat = Literal["csv", "jsonl", "parquet"]
# What the last bytes of a whole table are: its length is not known beforehand, so a server that ends in the middle may look as if
# it had come to the end. What it writes then has another end.
LAST = {"csv": b"\n", "jsonl": b"\n", "parquet": b"PAR1"}


@dataclass(frozen=True)
class Exported:
    """A file that was written. gone: packets that were left out, for their bytes are gone. data: its bytes, where no path was
    given."""

    packets: int
    gone: int
    size: int
    data: bytes | None = field(default=None, repr=False)


class Carving(Asking):
    """See above. `q` and the keywords of Scope as in every question."""

    def carve(
        self,
        q: str = "",
        path: str | Path | None = None,
        *,
        format: CaptureFormat | None = None,
        order: Order = "capture",
        skip_gone: bool = False,
        **scope: Unpack[Scope],
    ) -> Exported:
        """Writes the packets to a capture file, which is there only once it is whole; without a path, `data` has its bytes.

        format: by the path's name, else pcapng, which alone holds packets of several link types. order: as captured, or by time.
        skip_gone: leave out packets whose bytes are gone with their ring file; without it they are an error (410)."""
        form = format or ("pcap" if path is not None and Path(path).suffix == ".pcap" else "pcapng")
        with self._export(q, scope, form, order, skip_gone) as answer:
            return _exported(answer, path, b"")

    def carved_size(
        self, q: str = "", *, format: CaptureFormat = "pcapng", skip_gone: bool = False, **scope: Unpack[Scope]
    ) -> int:
        """Bytes that `carve` would write."""
        parameters = _parameters(q, scope, format, "capture", skip_gone)
        if fits_url(parameters):
            try:
                with self.http.stream("HEAD", "/packets/export", parameters) as answer:
                    return int(answer.headers["Content-Length"])
            except PicapwebError:
                pass  # an answer to HEAD has no words: GET's has
        with self._export(q, scope, format, "capture", skip_gone) as answer:
            return int(answer.headers["Content-Length"])

    def carve_scapy(
        self, q: str = "", *, order: Order = "capture", skip_gone: bool = False, **scope: Unpack[Scope]
    ) -> Iterator[ScapyPacket]:
        """The packets as scapy's, one by one as they come. Raises MissingExtra without scapy.

        Their `time` is exact to the nanosecond, `wirelen` is the original length."""
        try:
            import scapy.layers.all  # as scapy.all does: without it, packets would be bytes  # noqa: F401
            from scapy.utils import PcapReader
        except ImportError as error:
            raise MissingExtra("scapy", "scapy") from error
        with (
            self._export(q, scope, "pcapng", order, skip_gone) as answer,
            io.BufferedReader(_Readable(answer), PIECE) as file,
            PcapReader(cast("Any", file)) as reader,
        ):
            yield from reader

    def export(
        self,
        q: str = "",
        path: str | Path | None = None,
        *,
        format: TableFormat | None = None,
        fields: Sequence[str] = (),
        order: Order = "capture",
        skip_gone: bool = False,
        **scope: Unpack[Scope],
    ) -> Exported:
        """Writes a table of the packets and their values to a file; without a path, `data` has its bytes.

        format: by the path's name, else csv. fields: names and presets (without it: those of the explore page's table).
        skip_gone: leave out packets whose place in the capture is forgotten."""
        suffix = Path(path).suffix.removeprefix(".") if path is not None else ""
        form = format or (suffix if suffix in LAST else "csv")
        with self._export(q, scope, form, order, skip_gone, fields) as answer:
            return _exported(answer, path, LAST[form])

    def export_arrow(
        self,
        q: str = "",
        *,
        fields: Sequence[str] = (),
        order: Order = "capture",
        skip_gone: bool = False,
        **scope: Unpack[Scope],
    ) -> pyarrow.Table:
        """The same table in Arrow, with typed columns: numbers are int64, of each field a list. Raises MissingExtra."""
        need_arrow()
        import pyarrow.parquet

        with self._export(q, scope, "parquet", order, skip_gone, fields) as answer, tempfile.TemporaryFile() as file:
            _complete(copy(answer, file)[1], LAST["parquet"])
            file.seek(0)
            return pyarrow.parquet.read_table(file)

    def export_pandas(self, q: str = "", *, fields: Sequence[str] = (), **scope: Unpack[Scope]) -> pandas.DataFrame:
        """The same as a DataFrame, by way of Arrow (it needs both extras): times are datetime64[ns, UTC], values arrays."""
        return self.export_arrow(q, fields=fields, **scope).to_pandas()

    @contextmanager
    def _export(
        self, q: str, scope: Scope, form: str, order: Order, skip_gone: bool, fields: Sequence[str] = ()
    ) -> Iterator[BaseHTTPResponse]:
        parameters = _parameters(q, scope, form, order, skip_gone)
        if fields:
            parameters.append(("fields", fields if isinstance(fields, str) else ",".join(fields)))
        with self.http.open_question("/packets/export", parameters, q) as answer:
            yield answer


def _parameters(q: str, scope: Scope, form: str, order: Order, skip_gone: bool) -> list[tuple[str, str]]:
    asked = [*parameters_of(q, scope), ("format", form), ("order", order)]
    return [*asked, ("gone", "skip")] if skip_gone else asked


def _exported(answer: BaseHTTPResponse, path: str | Path | None, last: bytes) -> Exported:
    packets, gone = (int(answer.headers.get(name, 0)) for name in ("Picapweb-Packets", "Picapweb-Packets-Gone"))
    if path is None:
        memory = io.BytesIO()
        size, end = copy(answer, memory)
        _complete(end, last)
        return Exported(packets, gone, size, memory.getvalue())
    with written(path) as file:
        size, end = copy(answer, file)
        _complete(end, last)
    return Exported(packets, gone, size)


def _complete(end: bytes, last: bytes) -> None:
    if not end.endswith(last) and end:
        raise Away(f"the export broke off: {end[-500:].decode(errors='replace')}")


class _Readable(io.RawIOBase):
    """An answer as a file that is read from its beginning to its end."""

    def __init__(self, answer: BaseHTTPResponse) -> None:
        self._pieces = answer.stream(PIECE)
        self._held = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        if not self._held:
            self._held = memoryview(next(self._pieces, b""))
        size = min(len(into), len(self._held))
        into[:size] = self._held[:size]
        self._held = self._held[size:]
        return size
