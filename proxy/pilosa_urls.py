"""Pilosa's paths, but for the query: what of them is not here is a 404 in its words."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.urls import path, re_path
from django.views.decorators.csrf import csrf_exempt

from proxy.api import (
    pilosa_attributes,
    pilosa_export,
    pilosa_imports,
    pilosa_keys,
    pilosa_nodes,
    pilosa_schema,
)
from proxy.api.pilosa_http import plain


@csrf_exempt
def not_found(request: HttpRequest) -> HttpResponse:
    """No path of Pilosa's, or none that is served."""
    return plain("404 page not found", 404)


_FIELD = "index/<str:index>/field/<str:field>"

urlpatterns = [
    path("schema", pilosa_schema.schema, name="pilosa-schema"),
    path("index", pilosa_schema.indexes, name="pilosa-indexes"),
    path("index/<str:index>", pilosa_schema.one_index, name="pilosa-index"),
    path(_FIELD, pilosa_schema.one_field, name="pilosa-field"),
    path(f"{_FIELD}/import", pilosa_imports.import_bits, name="pilosa-import"),
    path(f"{_FIELD}/import-roaring/<str:shard>", pilosa_imports.import_roaring, name="pilosa-import-roaring"),
    path("export", pilosa_export.export, name="pilosa-export"),
    path("status", pilosa_nodes.status, name="pilosa-status"),
    path("info", pilosa_nodes.info, name="pilosa-info"),
    path("version", pilosa_nodes.version, name="pilosa-version"),
    path("recalculate-caches", pilosa_nodes.recalculate_caches, name="pilosa-recalculate-caches"),
    path("internal/nodes", pilosa_nodes.nodes, name="pilosa-nodes"),
    path("internal/fragment/nodes", pilosa_nodes.fragment_nodes, name="pilosa-fragment-nodes"),
    path("internal/shards/max", pilosa_nodes.shards_max, name="pilosa-shards-max"),
    path("internal/translate/keys", pilosa_keys.translate_keys, name="pilosa-translate-keys"),
    path("internal/index/<str:index>/attr/diff", pilosa_attributes.of_columns, name="pilosa-column-attributes"),
    path("internal/index/<str:index>/field/<str:field>/attr/diff", pilosa_attributes.of_rows, name="pilosa-row-attributes"),
    re_path(r"^(?:index|internal|cluster)/", not_found, name="pilosa-not-found"),
]
