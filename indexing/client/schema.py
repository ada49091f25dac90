"""The schema of client indexes as Pilosa's HTTP API speaks of it: options in JSON <-> dataclasses, names, errors.

Everything that is refused is a SchemaRefused with Pilosa's words and status. Nothing here imports Django.
Source: http/handler.go, index.go and field.go of Pilosa 1.4.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, cast, get_args

from indexing.backends.base import SHARD_WIDTH
from indexing.backends.generation_names import is_generation_name
from indexing.client import go_json, pilosa_names
from indexing.client.contract import INT64_MAX, INT64_MIN, ClientIndex, FieldOptions, FieldType, IndexOptions

INDEX_NOT_FOUND, FIELD_NOT_FOUND = "index not found", "field not found"
INDEX_EXISTS, FIELD_EXISTS = "index already exists", "field already exists"
EXISTENCE_FIELD = "_exists"

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}", re.ASCII)
_QUANTA = ("Y", "YM", "YMD", "YMDH", "M", "MD", "MDH", "D", "DH", "H", "")
_CACHE_TYPES = ("ranked", "lru", "none")
_DEFAULT_CACHE_SIZE = 50000
_INT64, _UINT32 = (INT64_MIN, INT64_MAX, "int64"), (0, (1 << 32) - 1, "uint32")
# Of the options in JSON: what Go's struct has, and in which words it refuses other values.
_FIELD_KEYS = ("type", "cacheType", "cacheSize", "min", "max", "timeQuantum", "keys", "noStandardView")
_TEXTS = {"type": "string", "cacheType": "string", "timeQuantum": "pilosa.TimeQuantum"}
_NUMBERS = {"min": _INT64, "max": _INT64, "cacheSize": _UINT32, "base": _INT64, "bitDepth": (0, (1 << 64) - 1, "uint")}
# Which options a type has not, in the order in which Pilosa looks.
_NOT_OF_TYPE = {
    "set": ("min", "max", "timeQuantum"),
    "int": ("cacheType", "cacheSize", "timeQuantum"),
    "time": ("cacheType", "cacheSize", "min", "max"),
    "mutex": ("min", "max", "timeQuantum"),
    "bool": ("cacheType", "cacheSize", "min", "max", "timeQuantum", "keys"),
}


class SchemaRefused(Exception):
    """What cannot be done to the schema. status: HTTP's. plain: the answer is the bare text, else it is JSON."""

    def __init__(self, message: str, status: int, plain: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.plain = plain


def check_index_name(name: str) -> None:
    """Raises SchemaRefused for a name that no index of a client can have."""
    if not _NAME.fullmatch(name):
        raise SchemaRefused(f"creating index: creating: validating name: {_bad_name(name)}", 500)
    if is_generation_name(name) or pilosa_names.is_physical(name):
        reason = f"'{name}': picapweb keeps names like this for itself"
        raise SchemaRefused(f"creating index: creating: validating name: {reason}", 500)


def check_field_name(name: str) -> None:
    """Raises SchemaRefused for a name that no field can have."""
    if not _NAME.fullmatch(name):
        raise SchemaRefused(f"creating field: validating name: {_bad_name(name)}", 500)


def _bad_name(name: str) -> str:
    return f"'{name}': invalid index or field name, must match [a-z][a-z0-9_-]* and contain at most 64 characters"


# Reading


def read_index_options(body: bytes) -> IndexOptions:
    """The body of POST /index/{index}. Raises SchemaRefused."""
    value = _decoded(body)
    if value is None:
        return IndexOptions()
    if not isinstance(value, dict):
        text = f"json: cannot unmarshal {go_json.kind(value)} into Go value of type map[string]interface {{}}"
        raise SchemaRefused(f"unmarshalling unexpected values: {text}", 500)
    for name, options in value.items():
        if name != "options":
            raise SchemaRefused(f"unknown key: {name}:{go_json.printed(options)}", 500)
        if not isinstance(options, dict):
            raise SchemaRefused("options is not map[string]interface{}", 500)
        for key, one in options.items():
            if key not in ("keys", "trackExistence"):
                raise SchemaRefused(f"unknown key: {key}:{go_json.printed(one)}", 500)
    options = value.get("options", {})
    try:
        return IndexOptions(
            keys=_flag(options, "keys", False, "IndexOptions.options"),
            track_existence=_flag(options, "trackExistence", True, "IndexOptions.options"),
        )
    except SchemaRefused as error:
        raise SchemaRefused(f"unmarshalling expected values: {error}", 500) from None


def read_field_options(body: bytes) -> FieldOptions:
    """The body of POST /index/{index}/field/{field}. Raises SchemaRefused.

    A cache type that Pilosa does not know is refused by check_cache_type, later, as there."""
    value = _decoded(body)
    if value is not None and not isinstance(value, dict):
        text = f"json: cannot unmarshal {go_json.kind(value)} into Go value of type http.postFieldRequest"
        raise SchemaRefused(text, 500)
    options: Any = {}
    for name, one in (value or {}).items():
        if name.lower() != "options":
            raise SchemaRefused(f'json: unknown field "{name}"', 500)
        options = {} if one is None else one
        if not isinstance(options, dict):
            into = "Go struct field postFieldRequest.options of type http.fieldOptions"
            raise SchemaRefused(f"json: cannot unmarshal {go_json.kind(one)} into {into}", 500)
    given = _given(options, "fieldOptions.options", _FIELD_KEYS, strict=True)
    of_type = given.get("type") or "set"
    _check_options(of_type, given)
    made = _made(of_type, given)
    if of_type == "int" and made.minimum > made.maximum:
        raise SchemaRefused("applying option: int field min cannot be greater than max", 400, plain=True)
    if made.time_quantum not in _QUANTA:
        raise SchemaRefused("applying option: invalid time quantum", 400, plain=True)
    return made


def check_cache_type(options: FieldOptions) -> None:
    """Raises SchemaRefused for a cache that Pilosa does not know."""
    if options.cache_type not in _CACHE_TYPES:
        raise SchemaRefused("creating field: invalid cache type", 500)


def read_schema(body: bytes) -> list[ClientIndex]:
    """The body of POST /schema. Unknown members are passed over, as there. Raises SchemaRefused."""
    try:
        found, value = go_json.decode(body)
    except go_json.GoJsonError as error:
        raise _bad_schema(str(error)) from None
    if not found:
        raise _bad_schema("EOF")
    if value is not None and not isinstance(value, dict):
        raise _bad_schema(f"json: cannot unmarshal {go_json.kind(value)} into Go value of type pilosa.Schema")
    try:
        return [_read_index(one) for one in _members(value or {}, "indexes", "Schema.Indexes", "[]*pilosa.IndexInfo")]
    except SchemaRefused as error:
        raise error if error.plain else _bad_schema(str(error)) from None


def _unfit(text: str) -> SchemaRefused:
    return SchemaRefused(f"apply schema to Pilosa: {text}", 400, plain=True)


def _bad_schema(text: str) -> SchemaRefused:
    return SchemaRefused(f"decoding request as JSON Pilosa schema: {text}", 400, plain=True)


def _members(value: dict[str, Any], name: str, field: str, of: str) -> list[dict[str, Any]]:
    found = next((one for key, one in value.items() if key.lower() == name), None) or []
    if not isinstance(found, list):
        raise SchemaRefused(f"json: cannot unmarshal {go_json.kind(found)} into Go struct field {field} of type {of}", 400)
    for one in found:
        if not isinstance(one, dict):
            wanted = of.removeprefix("[]*")
            raise SchemaRefused(f"json: cannot unmarshal {go_json.kind(one)} into Go struct field {field} of type {wanted}", 400)
    return found


def _read_index(value: dict[str, Any]) -> ClientIndex:
    options = _object(value, "IndexInfo.Indexes", "pilosa.IndexOptions")
    fields = _members(value, "fields", "IndexInfo.Indexes.fields", "[]*pilosa.FieldInfo")
    struct = "IndexOptions.Indexes.options"
    made = IndexOptions(_flag(options, "keys", False, struct), _flag(options, "trackExistence", False, struct))
    name = _name_of(value, "IndexInfo.Indexes")
    return ClientIndex(
        name,
        made,
        {
            _name_of(one, "FieldInfo.Indexes.fields"): _read_field(
                _object(one, "FieldInfo.Indexes.fields", "pilosa.FieldOptions")
            )
            for one in fields
        },
    )


def _read_field(options: dict[str, Any]) -> FieldOptions:
    given = _given(options, "FieldOptions.Indexes.fields.options", (*_FIELD_KEYS, "base", "bitDepth"), strict=False)
    of_type = given.get("type", "")
    if of_type not in get_args(FieldType):
        raise _unfit("marshalling schema: json: error calling MarshalJSON for type pilosa.FieldOptions: invalid field type")
    # Go's zero, where an int field does not say.
    ends = {"min": 0, "max": 0} if of_type == "int" else {}
    made = _made(of_type, ends | {key: one for key, one in given.items() if key not in _NOT_OF_TYPE[of_type]})
    if made.minimum > made.maximum:  # Pilosa makes such a field, which takes no value
        raise _unfit("creating field: int field min cannot be greater than max")
    if made.time_quantum not in _QUANTA:
        raise _unfit("creating field: applying options: setting time quantum: invalid time quantum")
    return made


def _object(value: dict[str, Any], struct: str, of: str) -> dict[str, Any]:
    options = value.get("options")
    if options is not None and not isinstance(options, dict):
        raise SchemaRefused(_wrong(go_json.kind(options), struct, "options", of), 400)
    return options or {}


def _name_of(value: dict[str, Any], struct: str) -> str:
    name = value.get("name") or ""
    if not isinstance(name, str):
        raise SchemaRefused(_wrong(go_json.kind(name), struct, "name", "string"), 400)
    return name


def _decoded(body: bytes) -> Any:
    """The value of a body, None for no body or null. Raises SchemaRefused."""
    try:
        return go_json.decode(body)[1]
    except go_json.GoJsonError as error:
        raise SchemaRefused(str(error), 500) from None


def _flag(options: dict[str, Any], name: str, default: bool, struct: str) -> bool:
    value = options.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise SchemaRefused(_wrong(go_json.kind(value), struct, name, "bool"), 500)
    return value


def _wrong(what: str, struct: str, name: str, of: str) -> str:
    return f"json: cannot unmarshal {what} into Go struct field {struct}.{name} of type {of}"


def _given(options: dict[str, Any], struct: str, known: tuple[str, ...], strict: bool) -> dict[str, Any]:
    """The options that are there and not null, under their own names (Go takes them in any case)."""
    names = {name.lower(): name for name in known}
    given: dict[str, Any] = {}
    for key, value in options.items():
        name = names.get(key.lower())
        if name is None and strict:
            raise SchemaRefused(f'json: unknown field "{key}"', 500)
        if name is None or value is None:
            continue
        what = go_json.kind(value)
        if name in _NUMBERS:
            least, most, of = _NUMBERS[name]
            if what != "number":
                raise SchemaRefused(_wrong(what, struct, name, of), 500)
            if not isinstance(value, int) or not least <= value <= most:
                raise SchemaRefused(_wrong(f"number {go_json.number_text(value)}", struct, name, of), 500)
        elif what != ("string" if name in _TEXTS else "bool"):
            raise SchemaRefused(_wrong(what, struct, name, _TEXTS.get(name, "bool")), 500)
        given[name] = value
    return given


def _check_options(of_type: str, given: Mapping[str, Any]) -> None:
    if of_type not in _NOT_OF_TYPE:
        raise SchemaRefused(f"invalid field type: {of_type}", 500)
    for name in _NOT_OF_TYPE[of_type]:
        if name in given:
            raise SchemaRefused(f"{name} does not apply to field type {of_type}", 400)
    if of_type == "time" and "timeQuantum" not in given:
        raise SchemaRefused("timeQuantum is required for field type time", 400)


def _made(of_type: str, given: Mapping[str, Any]) -> FieldOptions:
    made = FieldOptions(
        type=cast(FieldType, of_type),
        keys=given.get("keys", False),
        minimum=given.get("min", INT64_MIN if of_type == "int" else FieldOptions.minimum),
        maximum=given.get("max", INT64_MAX if of_type == "int" else FieldOptions.maximum),
        time_quantum=given.get("timeQuantum", ""),
        no_standard_view=given.get("noStandardView", False) if of_type == "time" else False,
    )
    if of_type not in ("set", "mutex"):
        return made
    # One that Pilosa does not know is refused later: see check_cache_type.
    cache_type = cast(Literal["ranked", "lru", "none"], given.get("cacheType") or "ranked")
    # Go's zero is "not said"; without a cache its size is 0, unless 0 was said.
    cache_size = given.get("cacheSize", _DEFAULT_CACHE_SIZE) or _DEFAULT_CACHE_SIZE
    if cache_type == "none" and given.get("cacheSize") != 0:
        cache_size = 0
    return replace(made, cache_type=cache_type, cache_size=cache_size)


# Showing


def shown_index(index: ClientIndex, bit_depths: Mapping[str, int]) -> dict[str, Any]:
    """An index as GET /index/{index} shows it. bit_depths: of its int fields."""
    fields = [
        {"name": name, "options": shown_options(index.fields[name], bit_depths.get(name, 0))} for name in sorted(index.fields)
    ]
    return {
        "name": index.name,
        "options": {"keys": index.options.keys, "trackExistence": index.options.track_existence},
        "fields": fields or None,
        "shardWidth": SHARD_WIDTH,
    }


def shown_options(options: FieldOptions, bit_depth: int) -> dict[str, Any]:
    """A field's options; which ones, its type says."""
    shown: dict[str, Any] = {"type": options.type}
    if options.type in ("set", "mutex"):
        return {**shown, "cacheType": options.cache_type, "cacheSize": options.cache_size, "keys": options.keys}
    if options.type == "int":
        shown |= {"base": options.base, "bitDepth": bit_depth, "min": options.minimum, "max": options.maximum}
        return {**shown, "keys": options.keys}
    if options.type == "time":
        shown |= {"timeQuantum": options.time_quantum, "keys": options.keys}
        return {**shown, "noStandardView": options.no_standard_view}
    return shown
