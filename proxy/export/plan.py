"""From a question to an export whose head is known: how many packets, how many bytes, what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from capture.services.errors import Refused
from proxy.api.packets import LARGEST_SORT
from proxy.api.question import Question
from proxy.export import table
from proxy.export.formats import CAPTURES, table_file
from proxy.export.packets import Packets
from proxy.export.snapshot import Snapshot

ORDERS = ("capture", "time")
GONE = 410
_SAID = 500  # characters of a query that the file itself says
_JOBS_NAMED = 5


@dataclass(frozen=True)
class Export:
    """What is to be sent. size: bytes, None if not known. gone: packets of the question that are left out."""

    packets: Packets
    pieces: Iterator[bytes]
    content_type: str
    name: str
    count: int
    gone: int
    size: int | None


def planned(question: Question, form: str, order: str, *, skip_gone: bool = False) -> Export:
    """Asks, looks at where all packets lie, and says how large the file will be. Nothing of it is read yet.

    Raises Refused (410 where bytes are gone, unless `skip_gone`), QueryError (LimitExceeded too), BackendAway."""
    packets = found(question, order, with_bytes=True)
    file = CAPTURES[form]()
    count = 0
    for records in packets.blocks():
        file.survey(records)
        count += records.shape[1]
    gone = packets.gone.total()
    if gone and not skip_gone:
        raise _bytes_gone(packets, count)
    size = file.settle(packets, _comment(question, packets))
    return Export(packets, file.pieces(packets), file.content_type, file_name(question, count, file.extension), count, gone, size)


def planned_table(question: Question, form: str, order: str, names: Sequence[str], *, skip_gone: bool = False) -> Export:
    """The same for a table with the fields `names`. Of packets only their place in the index need be there, and their locator."""
    packets = found(question, order, with_bytes=False)
    count = sum(records.shape[1] for records in packets.blocks())
    if packets.gone and not skip_gone:
        raise _bytes_gone(packets, count)
    file = table_file(form, question.index, names)
    name = file_name(question, count, file.extension)
    pieces = table.pieces(file, question.index, packets)
    return Export(packets, pieces, file.content_type, name, count, packets.gone.total(), None)


def found(question: Question, order: str, *, with_bytes: bool) -> Packets:
    """The packets of a question now. Raises as `planned`."""
    snapshot = Snapshot(question.index, question.call)
    if order == "time" and snapshot.count > LARGEST_SORT:
        raise Refused(
            f"order=time is for at most {LARGEST_SORT:,} packets, these are {snapshot.count:,}: narrow the query", option="order"
        )
    return Packets(snapshot, by_time=order == "time", with_bytes=with_bytes)


def file_name(question: Question, count: int, extension: str) -> str:
    """What the file is called."""
    jobs = [f"job-{job}" for job in question.jobs] if len(question.jobs) <= _JOBS_NAMED else [f"{len(question.jobs)}-jobs"]
    return "-".join([question.index, *jobs, f"{count}-packets"]) + f".{extension}"


def _comment(question: Question, packets: Packets) -> str:
    said = question.q.strip() or "every packet"
    jobs = f" of job {', '.join(map(str, question.jobs[:_JOBS_NAMED]))}" if question.jobs else ""
    lines = [f"index {question.index}{jobs}: {said[:_SAID] + '…' if len(said) > _SAID else said}"]
    if packets.gone:
        lines.append(f"left out, for their bytes are gone: {_by_job(packets)}")
    return "\n".join(lines)


def _by_job(packets: Packets) -> str:
    jobs = sorted(packets.gone.items())
    words = [f"{count:,} packets of job {job}" for job, count in jobs[:_JOBS_NAMED]]
    more = [f"others of {len(jobs) - _JOBS_NAMED} more jobs"] if len(jobs) > _JOBS_NAMED else []
    return ", ".join(words + more)


def _bytes_gone(packets: Packets, count: int) -> Refused:
    gone = packets.gone.total()
    return Refused(
        f"of {gone:,} of these {count + gone:,} packets the bytes are gone ({_by_job(packets)}): their capture was removed, and "
        "the index was kept. gone=skip exports the others",
        GONE,
        option="gone",
        gone=gone,
        packets=count,
    )
