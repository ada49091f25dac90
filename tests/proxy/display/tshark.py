"""What tshark finds with display filters: many of them in one run, each a tap of its own with that very filter."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.accuracy.corpus import PCAPS

VERSION = "4.0.17"

# Wireshark's Lua: a listener has a display filter, and is called for the frames that it takes. The last line of what it writes
# is the number of frames; tshark counts pcapng blocks that are no packets, too: those have no link type.
_SCRIPT = """
local encapsulation = Field.new("frame.encap_type")
local taps, found = {}, {}
for i, filter in ipairs(FILTERS) do
  local made, tap = pcall(Listener.new, nil, filter)
  if made then
    local numbers = {}
    found[i] = numbers
    tap.packet = function(pinfo)
      if encapsulation() then numbers[#numbers + 1] = pinfo.number end
    end
    taps[i] = tap
  else
    found[i] = "refused: " .. tostring(tap):gsub("%s+", " ")
  end
end
local last = Listener.new(nil, "")
function last.draw()
  local out = assert(io.open(OUT, "w"))
  for i = 1, #FILTERS do
    out:write(type(found[i]) == "string" and found[i] or table.concat(found[i], " "), "\\n")
  end
  out:close()
end
"""


def switched_off() -> list[str]:
    """The preferences that the truth of the corpus is made with, as arguments: each of them FALSE."""
    text = (PCAPS / "scripts/gen_truth.py").read_text()
    names = ast.literal_eval(re.search(r"^OFF = (\[.*?\])$", text, re.DOTALL | re.MULTILINE)[1])
    return [part for name in names for part in ("-o", f"{name}:FALSE")]


# What belongs to conversations is asked with the analysis on, and nothing put together, for what is found in a stream stands on
# another segment than what is found in each of them. That nothing answers is known in a second pass.
ANALYSED = [
    *("-o", "tcp.desegment_tcp_streams:FALSE"),
    *("-o", "tcp.track_bytes_in_flight:FALSE"),
    *("-o", "ip.defragment:FALSE"),
    *("-o", "ipv6.defragment:FALSE"),
]
_ANALYSED = re.compile(r"tcp\.analysis|(dns|http)\.time|(icmp|icmpv6)\.(resptime|no_resp)")
_TWO_PASSES = re.compile(r"\bno_resp\b")


def options(filter_text: str) -> tuple[str, ...]:
    """How tshark is to look at a capture for a filter."""
    if not _ANALYSED.search(filter_text):
        return tuple(switched_off())
    return (*ANALYSED, "-2") if _TWO_PASSES.search(filter_text) else tuple(ANALYSED)


def frames(capture: Path, filters: Sequence[str], folder: Path) -> list[set[int] | str]:
    """For each filter the numbers of its frames, or tshark's refusal."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for one in filters:
        alike.setdefault(options(one), []).append(one)
    found: dict[str, set[int] | str] = {}
    for how, some in alike.items():
        found.update(zip(some, _frames(capture, some, folder, how), strict=True))
    return [found[one] for one in filters]


def _frames(capture: Path, filters: Sequence[str], folder: Path, how: tuple[str, ...]) -> list[set[int] | str]:
    script, out = folder / "taps.lua", folder / "frames"
    listed = ", ".join(_quoted(one) for one in filters)
    script.write_text(f"local FILTERS = {{{listed}}}\nlocal OUT = {_quoted(str(out))}\n{_SCRIPT}")
    out.unlink(missing_ok=True)
    command = ["tshark", "-n", "-q", "-r", str(capture), *how, "-X", f"lua_script:{script}"]
    done = subprocess.run(command, capture_output=True, text=True)
    if not out.exists():
        raise RuntimeError(f"tshark: {done.stderr}")
    lines = out.read_text(errors="replace").split("\n")[: len(filters)]
    return [line if line.startswith("refused: ") else set(map(int, line.split())) for line in lines]


def frames_of(capture: Path, filter_text: str) -> set[int]:
    """The numbers of the frames of one filter, as `tshark -Y` prints them."""
    command = ["tshark", "-n", "-r", str(capture), *options(filter_text), "-Y", filter_text, "-T", "fields"]
    told = subprocess.run([*command, "-e", "frame.number", "-e", "frame.encap_type"], capture_output=True, text=True).stdout
    return {int(line.split("\t")[0]) for line in told.splitlines() if line.split("\t")[1]}


def _quoted(text: str) -> str:
    """A Lua string."""
    return '"' + "".join(f"\\{byte:03d}" for byte in text.encode()) + '"'
