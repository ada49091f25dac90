"""/schema, /index, /index/{index}, /index/{index}/field/{field}: Pilosa's schema, of client indexes and of those of packets."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse

from capture.packets.fields import Field
from capture.packets.registry import FIELDS
from indexing.client import names, tables
from indexing.client.contract import ClientIndex, FieldOptions, IndexOptions
from indexing.client.engine import engine
from indexing.client.schema import (
    FIELD_EXISTS,
    SchemaRefused,
    check_cache_type,
    check_field_name,
    read_field_options,
    read_index_options,
    read_schema,
    shown_index,
)
from indexing.client.tables import packets_only
from proxy.api.pilosa_http import body_of, json_answer, json_only, no_content, plain, route, success
from proxy.ask import is_packet_index

# Rows that the TopN cache of a packet field holds: see indexing.backends.pilosa_schema.CACHE_SIZE.
_PACKET_CACHE = 1 << 20


def packet_index(name: str) -> ClientIndex:
    """A packet index as clients are to see it: all fields of the registry; system fields are hidden."""
    return ClientIndex(name, IndexOptions(), {field.name: _options(field) for field in FIELDS.values()})


def _options(field: Field) -> FieldOptions:
    if field.kind == "int":
        return FieldOptions("int", minimum=field.minimum, maximum=field.maximum)
    return FieldOptions("set", keys=True, cache_size=_PACKET_CACHE)


def _bit_depths(index: ClientIndex) -> dict[str, int]:
    """Of packet fields: what their range needs."""
    ints = {name: options for name, options in index.fields.items() if options.type == "int"}
    return {name: max(abs(o.minimum - o.base), abs(o.maximum - o.base)).bit_length() for name, o in ints.items()}


def _shown_client(index: ClientIndex) -> dict[str, object]:
    has_ints = any(options.type == "int" for options in index.fields.values())
    return shown_index(index, engine().bit_depths(index) if has_ints else {})


def _all_shown() -> Iterator[dict[str, object]]:
    for name in filter(is_packet_index, names.packet_indexes()):
        index = packet_index(name)
        yield shown_index(index, _bit_depths(index))
    for index in tables.read_all():
        yield _shown_client(index)


@json_only
def _get_schema(request: HttpRequest) -> HttpResponse:
    return json_answer({"indexes": sorted(_all_shown(), key=lambda one: str(one["name"])) or None})


def _post_schema(request: HttpRequest) -> HttpResponse:
    for index in read_schema(body_of(request)):
        try:
            _apply(index)
        except SchemaRefused as error:
            raise SchemaRefused(f"apply schema to Pilosa: {error}", 400, plain=True) from None
    return no_content()


def _apply(index: ClientIndex) -> None:
    """Makes what is missing of an index; what is there stays as it is."""
    packets = names.is_packet_index(index.name)
    known = packet_index(index.name) if packets else tables.read(index.name)
    if known is None:
        tables.create_index(index)
        return
    for name, options in index.fields.items():
        if name in known.fields:
            continue
        if packets:
            raise SchemaRefused(packets_only(index.name), 403)
        check_field_name(name)
        check_cache_type(options)
        tables.create_field(index.name, name, options)


@json_only
def _get_index(request: HttpRequest, index: str) -> HttpResponse:
    if names.is_packet_index(index):
        packets = packet_index(index)
        return json_answer(shown_index(packets, _bit_depths(packets)))
    known = tables.read(index)
    if known is None:
        return plain(f"Index {index} Not Found", 404)
    return json_answer(_shown_client(known))


@json_only
def _post_index(request: HttpRequest, index: str) -> HttpResponse:
    tables.create_index(ClientIndex(index, read_index_options(body_of(request))))
    return success()


@json_only
def _delete_index(request: HttpRequest, index: str) -> HttpResponse:
    tables.delete_index(index)
    return success()


@json_only
def _post_field(request: HttpRequest, index: str, field: str) -> HttpResponse:
    options = read_field_options(body_of(request))
    if field in FIELDS and names.is_packet_index(index):
        raise SchemaRefused(f"creating field: {FIELD_EXISTS}", 409)
    tables.create_field(index, field, options)
    return success()


@json_only
def _delete_field(request: HttpRequest, index: str, field: str) -> HttpResponse:
    tables.delete_field(index, field)
    return success()


indexes = route(GET=_get_schema)
schema = route(GET=_get_schema, POST=_post_schema, optional=("remote",))
one_index = route(GET=_get_index, POST=_post_index, DELETE=_delete_index)
one_field = route(POST=_post_field, DELETE=_delete_field)
