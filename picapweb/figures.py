"""Figures of this process that somebody else keeps: what the query cache holds, how the pool of connections does."""

from __future__ import annotations

from django.db import connection

from indexing import store


def cache() -> dict[tuple[str, tuple[str, ...]], float]:
    """Of the embedded store's cache; nothing where it was not used yet, or the index is in Pilosa."""
    kept = store.query_cache()
    if kept is None:
        return {}
    return {
        ("picapweb_query_cache_bytes", ()): kept.size,
        ("picapweb_query_cache_lookups", ("hit",)): kept.hits.so_far(),
        ("picapweb_query_cache_lookups", ("miss",)): kept.misses.so_far(),
    }


def pool() -> dict[tuple[str, tuple[str, ...]], float]:
    """Of psycopg's pool; nothing in a process that has none (PICAPWEB_DATABASE_POOL)."""
    found = connection._connection_pools.get("default")  # type: ignore[attr-defined]  # Django has no other way to it
    if found is None:
        return {}
    said = found.get_stats()
    idle = said.get("pool_available", 0)
    return {
        ("picapweb_database_pool_connections", ("idle",)): idle,
        ("picapweb_database_pool_connections", ("used",)): said.get("pool_size", 0) - idle,
        ("picapweb_database_pool_waiting", ()): said.get("requests_waiting", 0),
    }
