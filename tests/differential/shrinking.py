"""Smaller queries from one that shows a difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tests.differential.queries import Query


def smaller(query: Query) -> Iterator[Query]:
    """Queries with one thing less, smallest first: the URL's parameters, a call that becomes one of its inputs, an item."""
    if query.parameters:
        yield replace(query, parameters="")
    texts = {query.text[a:b] for a, b in _calls(query.text)}
    for a, b in _calls(query.text):
        for c, d in _calls(query.text):
            if a < c and d <= b:
                texts.add(query.text[:a] + query.text[c:d] + query.text[b:])
    for a, b in _items(query.text):
        texts.add(query.text[:a] + query.text[b:])
    texts.discard(query.text)
    for text in sorted(texts, key=lambda one: (len(one), one)):
        if text.strip():
            yield replace(query, text=text)


def _calls(text: str) -> list[tuple[int, int]]:
    """Spans of calls: a name, its parentheses and what is between them."""
    spans, opened = [], []
    for at, letter in enumerate(text):
        if letter == "(":
            start = at
            while start and text[start - 1].isalnum():
                start -= 1
            opened.append(start)
        elif letter == ")" and opened:
            spans.append((opened.pop(), at + 1))
    return spans


def _items(text: str) -> list[tuple[int, int]]:
    """Spans of items between commas, with the comma before or behind them."""
    spans = []
    depth, starts = 0, [0]
    for at, letter in enumerate(text):
        if letter in "([":
            depth += 1
            starts.append(at + 1)
        elif letter in ")]" and depth:
            start = starts.pop()
            depth -= 1
            if text[start - 1] == ",":
                spans.append((start - 1, at))
        elif letter == "," and depth:
            start = starts[-1]
            spans.append((start - 1, at) if text[start - 1] == "," else (start, at + 1))
            starts[-1] = at + 1
    return spans
