"""The state of TCP: contract.State over the table of conversations."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capture.packets.conversations import tcp_loop
from capture.packets.conversations.contract import MOST_HELD, Found
from capture.packets.conversations.tcp_findings import A_SEGMENT, found, make_findings, together
from capture.packets.conversations.tcp_segments import SEGMENT
from capture.packets.conversations.tcp_table import (
    HEAD,
    NOBODY,
    NODE,
    NODES,
    OPENING,
    ROWS,
    SIDE,
    WAITING,
    fill_slots,
    make_table,
)
from capture.packets.conversations.tcp_unacked import MOST

AT_ONCE = 4096  # segments between two looks at whether arrays must grow
# Of each conversation that may be held, so many segments without an ACK and SYNs that wait
NODES_EACH = 8
VERSION = 2
_NEVER = -(2**63)


def _new_seed() -> NDArray[np.uint64]:
    return np.frombuffer(os.urandom(16), np.uint64).copy()


class TcpState:
    """What is known of the TCP conversations of one partition (those with hash % partitions == partition).

    most: how many conversations all partitions hold together; each holds 4 AT_ONCE at least."""

    def __init__(self, partition: int = 0, partitions: int = 1, most: int = MOST_HELD) -> None:
        if not 0 <= partition < partitions:
            raise ValueError(f"there is no partition {partition} of {partitions}")
        self._partition, self._partitions = partition, partitions
        self._most = max(most // partitions, 4 * AT_ONCE)
        self._forgotten = 0
        self._table = make_table(_new_seed())
        self._own, self._words = np.empty(AT_ONCE, np.int64), np.empty(AT_ONCE, np.uint64)

    def take(self, records: NDArray[Any]) -> Found:
        """SEGMENT (n,), the next batch's, in capture order; those of other partitions are passed over."""
        segments = np.require(records, SEGMENT, ["C", "W"])
        parts, at = [], 0
        while at < len(segments):
            most = min(AT_ONCE, len(segments) - at)
            parts += self._make_room(most)
            findings = make_findings(A_SEGMENT * most + int(self._table.used[WAITING]))
            at = tcp_loop.take(
                self._table, segments, at, self._partition, self._partitions, findings, self._own[:most], self._words[:most]
            )
            parts.append(found(findings))
        return together(parts)

    def expire(self, now_ns: int) -> Found:
        """Settles what nothing at `now_ns` (ns since 1970) or later can change, and forgets conversations that are over then."""
        findings = make_findings(int(self._table.used[WAITING]))
        if tcp_loop.expire(self._table, now_ns, _NEVER, findings):
            if 4 * int(self._table.used[ROWS]) < len(self._table.heads):
                self._shrink()
            else:
                self._table.slots[:] = 0
                fill_slots(self._table)
        return found(findings)

    def end(self) -> Found:
        """No more packets come: all that still waits is settled."""
        findings = make_findings(int(self._table.used[WAITING]))
        tcp_loop.end(self._table, findings)
        return found(findings)

    def waiting(self) -> int | None:
        """The least column whose handshake is not settled."""
        if not self._table.used[WAITING]:
            return None
        return int(tcp_loop.least_waiting(self._table))

    def conversations(self) -> int:
        """How many it holds."""
        return int(self._table.used[ROWS])

    def forgotten(self) -> int:
        """How many it forgot for want of room."""
        return self._forgotten

    def memory(self) -> int:
        """Bytes of its arrays."""
        table = self._table
        return sum(array.nbytes for array in (table.slots, table.heads, table.openings, table.sides, table.nodes))

    def dump(self) -> dict[str, NDArray[Any]]:
        """HEAD and OPENING (n,), SIDE (2 n,), NODE (m,): the lists of all rows, one behind the other. Where they lay in the pool
        is left out."""
        table, rows = self._table, int(self._table.used[ROWS])
        heads, openings = table.heads[:rows].copy(), table.openings[:rows].copy()
        sides, nodes = table.sides[: 2 * rows].copy(), self._lists()
        heads["waiting"] = openings["last_waiting"] = sides["oldest"] = sides["newest"] = nodes["following"] = NOBODY
        own = {"version": np.array([VERSION], np.int64), "forgotten": np.array([self._forgotten], np.int64)}
        return {**own, "heads": heads, "openings": openings, "sides": sides, "nodes": nodes}

    def load(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """What `dump` gave; raises ValueError for what is none (a KeyError of a missing array counts)."""
        if arrays["version"].tolist() != [VERSION]:
            raise ValueError(f"a state of TCP of version {arrays['version'].tolist()}, not {VERSION}")
        (forgotten,) = arrays["forgotten"].tolist()
        given = {}
        for name, dtype in (("heads", HEAD), ("openings", OPENING), ("sides", SIDE), ("nodes", NODE)):
            if arrays[name].dtype != dtype or arrays[name].ndim != 1:
                raise ValueError(f"a state of TCP with {name} of {arrays[name].dtype}, not {dtype}")
            given[name] = arrays[name]
        heads, openings, sides, nodes = given.values()
        counts = openings["waiting_count"].astype(np.int64)
        if not len(heads) == len(openings) == len(sides) / 2:
            raise ValueError(f"a state of TCP with {len(heads)} heads, {len(openings)} openings and {len(sides)} sides")
        if (counts < 0).any() or (sides["count"] > MOST).any() or counts.sum() + int(sides["count"].sum()) != len(nodes):
            raise ValueError("a state of TCP whose lists are not as long as it says")
        self._restore(heads, openings, sides, nodes)
        self._forgotten = int(forgotten)

    def _lists(self) -> NDArray[Any]:
        nodes = np.zeros(self._nodes_in_use(), NODE)
        tcp_loop.lists(self._table, nodes)
        return nodes

    def _nodes_in_use(self) -> int:
        rows = int(self._table.used[ROWS])
        return int(self._table.used[WAITING]) + int(self._table.sides["count"][: 2 * rows].sum(dtype=np.int64))

    def _restore(self, heads: NDArray[Any], openings: NDArray[Any], sides: NDArray[Any], nodes: NDArray[Any]) -> None:
        """The table of these rows, whose lists `nodes` has one behind the other; no larger than they are."""
        table = make_table(_new_seed(), max(64, len(heads)), max(64, len(nodes)))
        table.heads[: len(heads)], table.openings[: len(heads)], table.sides[: len(sides)] = heads, openings, sides
        table.used[ROWS], table.used[WAITING] = len(heads), int(openings["waiting_count"].sum(dtype=np.int64))
        tcp_loop.link_lists(table, np.ascontiguousarray(nodes))
        fill_slots(table)
        self._table = table

    def _shrink(self) -> None:
        """The same in arrays that are no larger than they must be."""
        held, rows = self._table, int(self._table.used[ROWS])
        self._restore(held.heads[:rows], held.openings[:rows], held.sides[: 2 * rows], self._lists())

    def _forget_quiet(self) -> Found:
        """Forgets what was quiet for longest: a quarter of the conversations, and those that were quiet for as long."""
        rows = int(self._table.used[ROWS])
        last = self._table.heads["last"][:rows]
        quiet_since = int(np.partition(last, rows // 4)[rows // 4])
        findings = make_findings(int(self._table.used[WAITING]))
        self._forgotten += int(tcp_loop.expire(self._table, 0, quiet_since, findings))
        self._shrink()
        return found(findings)

    def _make_room(self, segments: int) -> list[Found]:
        """For so many more: each may be a conversation of its own, and two nodes."""
        settled = []
        while int(self._table.used[ROWS]) and self._is_too_much(segments):
            settled.append(self._forget_quiet())
        table = self._table
        rows, nodes = int(table.used[ROWS]), int(table.used[NODES])
        pool = table.nodes
        if nodes + 2 * segments > len(pool):
            pool = np.zeros(max(nodes + 2 * segments, min(2 * len(table.nodes), NODES_EACH * self._most)), NODE)
            pool[:nodes] = table.nodes[:nodes]
            self._table = table._replace(nodes=pool)
        if rows + segments > len(table.heads):
            # with so much to spare that this does not come again with the next batch
            room = max(rows + segments, min(rows + rows // 2 + 2 * segments, self._most))
            grown = make_table(table.seed, room, 0)._replace(nodes=pool, used=table.used)
            grown.heads[:rows], grown.openings[:rows] = table.heads[:rows], table.openings[:rows]
            grown.sides[: 2 * rows] = table.sides[: 2 * rows]
            fill_slots(grown)
            self._table = grown
        return settled

    def _is_too_much(self, segments: int) -> bool:
        """Whether so many more might be more conversations, or nodes, than may be held."""
        table = self._table
        if int(table.used[ROWS]) + segments > self._most:
            return True
        # Nodes that are free count as used: they are counted only when the pool would have to grow
        most = NODES_EACH * self._most
        grows = int(table.used[NODES]) + 2 * segments > len(table.nodes)
        return grows and 2 * len(table.nodes) > most and self._nodes_in_use() + 2 * segments > most
