"""Which jobs did not index a field that a query names: where they are silent, and not without such packets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import connection

from capture import sight
from capture.packets.registry import FIELDS
from indexing.calls import Call, RowRef, RowSet, postorder
from proxy.recent import Recent

HEADER = "Picapweb-Not-Indexed"
MOST_JOBS = 20  # listed for a field
# Every query asks this. A job that has just begun to index is missing from the header for so long.
_recent: Recent[tuple[str, tuple[str, ...]], dict[str, list[int]]] = Recent(seconds=1.0, most=1024)


def fields_of(calls: Iterable[Call]) -> list[str]:
    """The packet fields that calls name, each once; not those that every job indexes."""
    named: dict[str, None] = {}
    for call in calls:
        for node in postorder(call):
            named.update(dict.fromkeys(_of_conversations(node)))
            row, condition = node.args.get("row"), node.args.get("condition")
            for name in (
                node.args.get("field"),
                row.field if isinstance(row, RowRef | RowSet) else None,
                condition[0] if isinstance(condition, tuple) and condition else None,
            ):
                if isinstance(name, str) and name in FIELDS and not FIELDS[name].always:
                    named[name] = None
    return list(named)


def _of_conversations(node: Call) -> Sequence[str]:
    """What Flow and Named look at, which do not name it."""
    if node.name not in ("Flow", "Named"):
        return ()
    from proxy.flows import flow, named  # they ask questions of their own, by way of this module

    return flow.FIELDS if node.name == "Flow" else named.fields_of(node)


def not_indexed(index: str, fields: Sequence[str]) -> dict[str, list[int]]:
    """Field -> jobs with packets in the index that were indexed without it: not chosen, not there yet, or its plug-in failed.

    Of jobs that whoever asks may see. As it was at most a second ago. The answer is everybody's: nobody may change it."""
    if not fields:
        return {}
    named = tuple(fields)
    found = _recent.get((index, named), lambda: _not_indexed(index, named))
    seen = sight.seen_in(index)
    if seen is None:
        return found
    there = {name: [job for job in jobs if job in seen] for name, jobs in found.items()}
    return {name: jobs for name, jobs in there.items() if jobs}


def _not_indexed(index: str, fields: Sequence[str]) -> dict[str, list[int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            # by jobs and not by their batches: jobs are few
            """SELECT f.name, array_agg(j.id ORDER BY j.id) FROM capture_job j, unnest(%s::text[]) AS f(name)
               WHERE j.index = %s AND j.deleted IS NULL AND j.packets_indexed > 0
                 AND (NOT j.fields @> to_jsonb(f.name) OR j.not_indexed ? f.name)
               GROUP BY f.name""",
            [list(fields), index],
        )
        return {name: list(jobs) for name, jobs in cursor.fetchall()}


def header(missing: dict[str, list[int]]) -> str:
    """The header's text: `tls-sni=3,7; dns-qname=3`; of many jobs the first ones and `...`."""
    texts = []
    for name, jobs in missing.items():
        shown = [str(job) for job in jobs[:MOST_JOBS]] + ["..."] * (len(jobs) > MOST_JOBS)
        texts.append(f"{name}={','.join(shown)}")
    return "; ".join(texts)
