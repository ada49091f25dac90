"""A table of packets and their fields, block by block."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from django.conf import settings

from indexing import limits, store
from proxy.export.errors import ExportBroken
from proxy.export.formats import TableFile
from proxy.export.packets import Packets
from proxy.export.values import values_of

# Packets of a block: each field is read once a block. Pilosa is asked packet by packet, so there a block takes its time.
BLOCK, MASKED_BLOCK = 1 << 16, 2_000

logger = logging.getLogger(__name__)


def pieces(file: TableFile, index: str, packets: Packets) -> Iterator[bytes]:
    """The file. Raises ExportBroken, after a piece that no reader takes for the end of a whole file: of an answer without a
    length, some servers do not tell the client that it broke off. Each block is a query with its own limits."""
    try:
        yield file.begin()
        for records in packets.blocks(MASKED_BLOCK if store.ensure_index(index).masked else BLOCK):
            with limits.within(settings.QUERY_SECONDS, settings.QUERY_MEMORY):
                rows = file.rows(records, values_of(index, file.fields, records))
            yield rows
        yield file.end()
    except GeneratorExit:
        raise
    except ExportBroken as error:
        yield file.broken(str(error))
        raise
    except Exception as error:
        logger.exception("an export broke off")
        yield file.broken(str(error))
        raise ExportBroken(str(error)) from error
