"""The list of layers' names is complete and fits a mask."""

from __future__ import annotations

from itertools import chain

from capture.packets.labels import leaves
from capture.packets.labels.layers import LAYERS, MOST, RARE_LAYERS
from capture.packets.recognise.names import KINDS


def test_each_name_is_there_once() -> None:
    assert len({*LAYERS, *RARE_LAYERS}) == len(LAYERS) + len(RARE_LAYERS)


def test_positions_fit_a_mask() -> None:
    assert len(LAYERS) <= MOST


def test_applications_and_leaves_have_a_bit() -> None:
    applications = set(chain.from_iterable(names for _, names in KINDS))
    tables = [table for name, table in vars(leaves).items() if name.endswith("_LEAVES")]
    assert len(tables) == 6
    assert applications | set(chain.from_iterable(table.values() for table in tables)) <= set(LAYERS)
