# ruff: noqa: E501
"""docs/accuracy.md out of a comparison."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from benchmarks.accuracy import corpus
from benchmarks.accuracy.comparison import Comparison, Difference
from benchmarks.accuracy.reasons import REASONS
from benchmarks.accuracy.rules import MORE

PAGE = Path(__file__).resolve().parents[2] / "docs" / "accuracy.md"
MOST_VALUES, MOST_TEXT = 4, 60

_HEAD = """# Accuracy

<!-- Written by `script/accuracy`; a test compares anew and fails on a difference without a reason. -->

Every quantity of the truth of `../shared/pcaps` ({captures} captures; tshark 4.0.17, capinfos, tcpdump 4.99.3) that follows from our
fields, against what the dissector `{dissector}` gives. A quantity is one table or figure of one capture: `first.ip.src`, the number of
packets in which each address is the first source; `bpf tcp port 80`, the packets that this filter takes.

Our fields without a prefix are of the first IP header, `inner-` of those behind it, `quoted-` of what ICMP errors quote; the truth's
`first.*` is the first in the packet wherever it stands, and follows from the three. Where a packet has several values of a field, the
truth's first one must be among them, and all packets together must give the truth's counts (a flow problem, solved exactly).
"""

# what of the truth is not compared, and why
NOT_COMPARED = {
    "`malformed_packets`, `short_packets`": "complaints of any of tshark's dissectors; no statement on our fields (notes 11, 12)",
    "`protocol_stacks`": "tshark's protocols in their order; our `protocols` is a set",
    "`protocols` of names that ours does not have": "`ethertype`, `data`, `data-text-lines`, `x509sat` ...: layers of tshark's own",
    "`first.dtls.*`": "no field of ours",
    "`non_packet_records`": "blocks that are no packets have no column",
}


def render(comparison: Comparison) -> str:
    """The page."""
    lines = [_HEAD.format(captures=len(corpus.names()), dissector=comparison.dissector), *totals(comparison), ""]
    lines += ["## Differences and their reasons", ""]
    explained = [difference for difference in comparison.differences if difference.reason]
    for reason, text in REASONS.items():
        of_reason = [difference for difference in explained if difference.reason == reason]
        if of_reason:
            lines += [f"### {reason}", "", text, "", *_table(of_reason), ""]
    if comparison.unexplained():
        lines += ["### Unexplained", "", *_table(comparison.unexplained()), ""]
    lines += ["## Quantities", "", "| quantity | captures | of them different |", "| --- | --- | --- |"]
    differing = Counter(_kind(quantity) for _, quantity in {(d.capture, d.quantity) for d in comparison.differences})
    lines += [f"| `{kind}` | {count} | {differing[kind] or ''} |" for kind, count in sorted(comparison.kinds.items())]
    lines += ["", "Not compared:", "", *(f"- {what}: {why}." for what, why in NOT_COMPARED.items())]
    return "\n".join(lines) + "\n"


def totals(comparison: Comparison) -> list[str]:
    """The table of totals: what the test compares with the page."""
    return [
        "| | |",
        "| --- | --- |",
        f"| captures | {comparison.captures} |",
        f"| packets | {comparison.packets:,} |",
        f"| quantities compared | {comparison.quantities:,} |",
        f"| values in them | {comparison.figures:,} |",
        f"| quantities equal | **{comparison.quantities - comparison.differing:,}** |",
        f"| quantities different, with a reason | {comparison.differing - comparison.without_reason:,} |",
        f"| quantities different without a reason | **{comparison.without_reason:,}** |",
        f"| BPF counts and refusals compared | {comparison.filters} |",
    ]


def _kind(quantity: str) -> str:
    return "bpf" if quantity.startswith("bpf ") else quantity


def _table(differences: list[Difference]) -> list[str]:
    lines = ["| capture | quantity | ours has more | ours has less |", "| --- | --- | --- | --- |"]
    for capture, quantity in dict.fromkeys((d.capture, d.quantity) for d in differences):
        some = [d for d in differences if (d.capture, d.quantity) == (capture, quantity)]
        more, less = [d for d in some if d.side == MORE], [d for d in some if d.side != MORE]
        lines.append(f"| {capture} | `{quantity}` | {_values(more)} | {_values(less)} |")
    return lines


def _values(differences: list[Difference]) -> str:
    shown = [f"`{_text(d.value)}`{f' ×{d.packets}' if d.packets > 1 else ''}" for d in differences[:MOST_VALUES]]
    if len(differences) > MOST_VALUES:
        shown.append(f"and {len(differences) - MOST_VALUES} more")
    return ", ".join(shown)


def _text(value: str) -> str:
    text = value.encode("unicode_escape").decode().replace("|", "\\|").replace("`", "'")
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}..."
