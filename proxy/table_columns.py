"""The columns of the table of packets: fields that a reader chose (`columns=netsrc,length`), in that order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import QueryDict
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from capture.packets.registry import FIELDS
from capture.services.errors import Refused
from capture.templatetags.show import visible
from proxy.api.question import field_names
from proxy.field_groups import grouped
from proxy.links import Where
from proxy.packets import LENGTHS
from proxy.page_query import changed

DEFAULT = ("netsrc", "transsrc", "netdst", "transdst", "appproto", "length", "tcp", "http-hostname")
MOST = 24


@dataclass(frozen=True)
class Column:
    """left, right: the page with it one place further; remove: without it. "" where there is none."""

    name: str
    description: str
    is_number: bool
    left: str
    right: str
    remove: str


def chosen(given: QueryDict) -> tuple[str, ...]:
    """Names of the columns. Raises Refused."""
    names = [name for text in given.getlist("columns") for name in text.split(",") if name]
    if not names:
        return DEFAULT
    try:
        known = field_names(",".join(names))
    except Refused as error:
        raise Refused(error.detail, option="columns") from None
    if len(known) > MOST:
        raise Refused(f"at most {MOST} columns, not {len(known)}", option="columns")
    return tuple(known)


def from_boxes(given: QueryDict) -> str:
    """`columns` after the boxes of the menu (`column`) were ticked: what was there keeps its order, what is new follows."""
    ticked = [name for name in given.getlist("column") if name]
    before = chosen(given)
    names = [name for name in before if name in ticked]
    names += [name for name in ticked if name not in names]
    return "" if tuple(names) == DEFAULT else ",".join(names)


def columns_of(given: QueryDict, names: tuple[str, ...]) -> list[Column]:
    """The columns, each with the pages that move it and take it away."""

    def page(order: list[str]) -> str:
        return changed(given, columns="" if tuple(order) == DEFAULT else ",".join(order))

    def swapped(i: int, j: int) -> str:
        order = list(names)
        order[i], order[j] = order[j], order[i]
        return page(order)

    return [
        Column(
            name=name,
            description=FIELDS[name].description,
            is_number=is_number(name),
            left=swapped(i, i - 1) if i else "",
            right=swapped(i, i + 1) if i + 1 < len(names) else "",
            remove=page([one for one in names if one != name]) if len(names) > 1 else "",
        )
        for i, name in enumerate(names)
    ]


def is_number(name: str) -> bool:
    """Whether values stand at the right: numbers that are no more than that."""
    about = FIELDS[name]
    return about.encoding == "int" or (about.encoding == "number" and not about.labels)


def menu_of(names: tuple[str, ...]) -> list[dict[str, Any]]:
    """All fields by group, each with whether it is a column."""
    return [{"title": one.title, "names": [(name, name in names) for name in one.names]} for one in grouped()]


def rows_of(where: Where, names: tuple[str, ...], packets: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The packets with their cells, written: most values come again and again, and each is written once."""

    @cache
    def written(name: str, value: str) -> SafeString:
        url, shown = where.narrow(name, value), visible(value)
        if not url:
            return format_html("{}", shown)
        link = '<a href="{}" title="{}" data-field="{}" data-value="{}">{}</a>'
        return format_html(link, url, shown, name, value, shown)

    numbers = {name: is_number(name) for name in names}
    return [
        {
            **one,
            "cells": [(numbers[name], _joined([written(name, value) for value in _values(one, name)])) for name in names],
        }
        for one in packets
    ]


def _joined(values: list[SafeString]) -> SafeString:
    return values[0] if len(values) == 1 else mark_safe(" ".join(values))


def _values(packet: dict[str, Any], name: str) -> list[str]:
    return [str(packet[LENGTHS[name]])] if name in LENGTHS else packet["fields"].get(name, [])
