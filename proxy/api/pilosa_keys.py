"""POST /internal/translate/keys: ids of keys, in protobuf; go-pilosa asks for them before it imports roaring bytes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from indexing.client import imports
from indexing.client.imports import ImportRefused
from proxy.api.pilosa_http import binary, body_of, plain, protobuf_only, route
from proxy.protobuf.imports import read_translate_keys, write_translate_keys_response
from proxy.protobuf.wire import ProtobufError


@protobuf_only
def _post_translate_keys(request: HttpRequest) -> HttpResponse:
    try:
        asked = read_translate_keys(body_of(request))
        ids = imports.translate_keys(asked.index, asked.field, asked.keys)
    except ProtobufError as error:
        return plain(f"translate keys: unmarshal body error: {error}", 500)
    except ImportRefused as error:
        return plain(f"translate keys: {error}", error.status)
    return binary(write_translate_keys_response(ids))


translate_keys = route(POST=_post_translate_keys)
