"""POST /index/{index}/field/{field}/import and .../import-roaring/{shard}: bulk writes, in protobuf.

Into which field is written, the body says; that of the URL says how the body is read. Packet indexes take no imports, with
whatever right: each of their columns is a packet of a capture. (Queries may write to them, see pilosa_rights.)
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from capture.packets.registry import FIELDS
from indexing.client import imports, names, tables
from indexing.client.imports import Bits, ImportRefused, Values
from indexing.client.schema import FIELD_NOT_FOUND
from proxy.api.pilosa_http import binary, body_of, flag, plain, protobuf_only, route, unsigned
from proxy.protobuf.imports import read_import, read_import_roaring, read_import_values, write_import_response
from proxy.protobuf.wire import ProtobufError


@protobuf_only
def _post_import(request: HttpRequest, index: str, field: str) -> HttpResponse:
    has_values = _has_values(index, field)
    if has_values is None:
        return plain(FIELD_NOT_FOUND, 500)
    clear, ids_only = flag(request, "clear"), flag(request, "ignoreKeyCheck")
    try:
        if has_values:
            values = read_import_values(body_of(request))
            given = Values(values.column_ids, values.values, values.column_keys)
            imports.import_values(values.index, values.field, given, clear, ids_only)
        else:
            bits = read_import(body_of(request))
            sent = Bits(bits.row_ids, bits.column_ids, bits.timestamps, bits.row_keys, bits.column_keys)
            imports.import_bits(bits.index, bits.field, sent, clear, ids_only)
    except ProtobufError as error:
        return plain(str(error), 400)
    except ImportRefused as error:
        return plain(str(error), error.status)
    return binary(b"")


def _has_values(index: str, field: str) -> bool | None:
    """Whether it is an int field; None if there is none of that name."""
    known = tables.read(index)
    if known is None and field in FIELDS and names.is_packet_index(index):
        return FIELDS[field].kind == "int"
    if known is None or field not in known.fields:
        return None
    return known.fields[field].type == "int"


@protobuf_only
def _post_import_roaring(request: HttpRequest, index: str, field: str, shard: str) -> HttpResponse:
    try:
        message = read_import_roaring(body_of(request))
    except ProtobufError as error:
        return plain(str(error), 400)
    number = unsigned(shard)
    if number is None:
        return plain("shard should be an unsigned integer", 400)
    try:
        imports.import_roaring(index, field, number, dict(message.views), message.clear)
    except ImportRefused as error:
        return binary(write_import_response(str(error)), error.status)
    return binary(b"")


import_bits = route(POST=_post_import, optional=("clear", "ignoreKeyCheck"))
import_roaring = route(POST=_post_import_roaring, optional=("clear", "remote"))
