"""Set, Clear, ClearRow and Store on a packet index, for who may write there (proxy.api.pilosa_rights)."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from indexing import store, translation
from indexing.calls import Call, QueryError, Result, RowRef
from proxy.pql.translate import row_bytes, translate, untranslate
from proxy.pql.walk import everything
from proxy.resolve import resolve
from proxy.translator import TableTranslator

_ALLOCATING = frozenset({"Set", "Store"})


def write_packets(index: str, calls: Sequence[Call], shards: Sequence[int] | None = None) -> list[Result]:
    """Answers calls in order, of which some write. Values that are new get row ids. Raises QueryError, BackendAway.

    As with an import, the values' epoch is shared until the bits are in: a value is not freed meanwhile."""
    backend = store.ensure_index(index)
    if backend.masked:
        raise QueryError(
            f"{backend.name} holds the packets, and queries do not write there: INDEX_URL=embedded: has that", status=501
        )
    translator = TableTranslator(index)
    calls = resolve(index, calls)
    translate(calls, translator)  # what is wrong with a call allocates nothing
    new: dict[str, list[bytes]] = {}
    for call in calls:
        for node in everything(call):
            if node.name in ("SetRowAttrs", "SetColumnAttrs"):
                raise QueryError(f"{node.name}: packet indexes have no attributes", node.position)
            if node.name in _ALLOCATING:
                ref = node.args.get("row")
                if not isinstance(ref, RowRef):  # refused by the backend
                    continue
                field = translator.field(ref.field)
                if field is not None and field.encoding == "text":
                    new.setdefault(ref.field, []).append(row_bytes(ref.row))
    while True:
        noted = translation.epoch(index)
        if new:
            translation.resolve(index, new)
        asked = translate(calls, translator)
        with transaction.atomic():
            if translation.shares_epoch(index, noted):
                return untranslate(backend.query(index, asked, shards), translator)
        translation.catch_up(index)
