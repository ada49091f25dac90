"""The list of all fields, gathered from where they are declared. Order here is order everywhere (schema, docs, pages)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from capture.packets import applications, plugins
from capture.packets.declarations import conversations, deeper, frame, link, network, transport
from capture.packets.errors import PacketsError
from capture.packets.fields import Field


class UnknownField(PacketsError, LookupError):
    """No field has that name; the text names it and the nearest ones."""

    def __init__(self, name: str, nearest: list[str]) -> None:
        self.name = name
        self.nearest = nearest
        hint = f" (did you mean {' or '.join(nearest)}?)" if nearest else ""
        super().__init__(f"no such field: {name!r}{hint}")

    def __str__(self) -> str:
        return str(self.args[0])


_ALL: list[Field] = [
    frame.LENGTH,
    *network.PICAP,
    *transport.PICAP,
    *applications.PICAP,
    *applications.BY_PORT,
    *frame.FIELDS,
    *link.FIELDS,
    *network.FIELDS,
    *transport.FIELDS,
    *deeper.FIELDS,
    *applications.FIELDS,
    *conversations.FIELDS,
]

# Installed packages may bring more. PROBLEMS: a sentence for each package whose fields cannot be used.
PLUGINS, PROBLEMS = plugins.load([f.name for f in _ALL])

FIELDS: dict[str, Field] = {f.name: f for f in _ALL} | {name: f for plugin in PLUGINS for name, f in plugin.fields.items()}

PRESETS: dict[str, tuple[str, ...]] = {
    "all": tuple(FIELDS),
    "picap": tuple(name for name, f in FIELDS.items() if f.picap),
}


def select(names: Iterable[str]) -> list[Field]:
    """The fields that `names` (fields and presets) mean, in the registry's order, each once, with those that are always there.

    Raises UnknownField for a name that is neither.
    """
    wanted = {name for name, f in FIELDS.items() if f.always}
    for name in names:
        if name in PRESETS:
            wanted.update(PRESETS[name])
        elif name in FIELDS:
            wanted.add(name)
        else:
            raise UnknownField(name, difflib.get_close_matches(name, [*FIELDS, *PRESETS], n=3, cutoff=0.5))
    return [f for f in FIELDS.values() if f.name in wanted]
