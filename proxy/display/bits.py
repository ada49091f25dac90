"""Fields that are the bits of a number (`tcp.flags`, `ip.flags`): a row a bit in the index, a number in Wireshark."""

from __future__ import annotations

from dataclasses import dataclass

from capture.packets.registry import FIELDS
from indexing import predicates as p
from indexing.calls import Call
from proxy.display.holds import holds
from proxy.display.sources import difference, intersect, is_nothing, nothing, row, union, values


@dataclass(frozen=True)
class Flags:
    """names: of the bits, from the lowest. whole: the packets that have the number at all, as (field, its value; "": any)."""

    field: str
    names: tuple[str, ...]
    whole: tuple[str, str]

    @property
    def level(self) -> str:
        return FIELDS[self.field].level

    def there(self) -> Call:
        field, value = self.whole
        return row(field, value) if value else values(field, p.Everything())

    def where(self, predicate: p.Predicate) -> Call:
        size = 1 << len(self.names)
        return self._of(tuple(holds(predicate, b"%d" % number) for number in range(size)), self.there())

    def _of(self, wanted: tuple[bool, ...], among: Call) -> Call:
        """The packets of `among` whose number is wanted. The lowest bits are what `wanted` still differs in."""
        if all(wanted):
            return among
        if not any(wanted):
            return nothing()
        half = len(wanted) // 2
        unset, set_ = wanted[:half], wanted[half:]
        if unset == set_:
            return self._of(unset, among)
        # Whoever has a bit has the number: `among` need not be said
        bit = row(self.field, self.names[half.bit_length() - 1])
        one = intersect([among, bit]) if among.name != "Values" and among != self.there() else bit
        return union([part for part in (self._of(set_, one), self._of(unset, difference(among, bit))) if not is_nothing(part)])


@dataclass(frozen=True)
class Bit:
    """One bit of them as a boolean."""

    flags: Flags
    name: str

    @property
    def level(self) -> str:
        return self.flags.level

    def there(self) -> Call:
        return self.flags.there()

    def where(self, predicate: p.Predicate) -> Call:
        true, false = (holds(predicate, value) for value in (b"1", b"0"))
        if true and false:
            return self.there()
        bit = row(self.flags.field, self.name)
        return bit if true else difference(self.there(), bit) if false else nothing()


@dataclass(frozen=True)
class FlagSet:
    """The same where the index has all bits of a packet as one value, too (`tcp-flagset`)."""

    flags: Flags
    field: str

    @property
    def level(self) -> str:
        return self.flags.level

    def there(self) -> Call:
        return self.flags.there()

    def where(self, predicate: p.Predicate) -> Call:
        numbers = [number for number in range(1 << len(self.flags.names)) if holds(predicate, b"%d" % number)]
        if len(numbers) <= 4:
            return union([row(self.field, self._text(number)) for number in numbers])
        return self.flags.where(predicate)

    def _text(self, number: int) -> str:
        return ",".join(name for bit, name in enumerate(self.flags.names) if number >> bit & 1) or "none"
