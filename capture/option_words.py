"""What is said of each option of a job: on the form, and in the API's description. Defaults are those of Options."""

from __future__ import annotations

from capture.packets.dissect import DISSECTORS
from capture.services.options import RETENTION, dissectors_in_words, presets_in_words

# Name, words, the HTML input that fits, hint.
Words = tuple[str, str, str, str]
MAIN_OPTIONS: tuple[Words, ...] = (
    ("filter", "BPF", "text", "capture filter: only packets that match are indexed, for example tcp port 80"),
    ("name", "Name", "text", "empty: the file's name, or the interfaces"),
    ("tags", "Tags", "text", "words with commas between"),
)
MORE_OPTIONS: tuple[Words, ...] = (
    ("index", "Index", "text", "packets of one index are asked together"),
    ("fields", "Fields", "text", f"names with commas between, or a preset. {presets_in_words()}"),
    ("dissector", "Dissector", "select", dissectors_in_words()),
    ("bufsize", "Batch", "number", "packets indexed at a time"),
    ("concurrency", "Concurrency", "number", "batches at work at a time; 0: as many as there are workers"),
    ("max_packets", "Stop after packets", "number", "0: no limit"),
    ("shared", "Shared", "checkbox", "everybody who may sign in sees the job and its packets; else you and admins do"),
    ("retention", "Retention", "select", "what goes once it is too old or too large; empty: as the server says; keep: nothing"),
    ("keep_seconds", "Keep for", "text", "seconds, or 720h, after its end; 0: as long as the server keeps"),
    ("keep_bytes", "Keep at most", "number", "bytes of its captures; the oldest go. 0: no limit of its own"),
    ("again", "Again", "checkbox", "index a file that is known already"),
)
LIVE_OPTIONS: tuple[Words, ...] = (
    ("max_seconds", "Stop after time", "text", "seconds, or 1m30s; 0: no limit"),
    ("max_bytes", "Stop after bytes", "number", "0: no limit"),
    ("ring_bytes", "Ring file size", "number", "bytes a file; 0: the server's own size"),
    ("ring_files", "Ring files kept", "number", "the oldest goes when there are more; 0: all are kept"),
    ("ring_keep_index", "Keep the index", "checkbox", "when a ring file goes, its packets stay in the index, without bytes"),
    ("own_traffic", "Own traffic", "checkbox", "take traffic of picapweb's own listeners too: else it is left out"),
    ("promisc", "Promiscuous", "checkbox", "take packets for others too"),
    ("snaplen", "Snaplen", "number", "bytes kept of each packet"),
    ("buffer_bytes", "Kernel buffer", "number", "bytes that wait for the capture while it is not looking"),
    ("timeout", "Read timeout", "text", "seconds, or 1ms"),
)
ALL_OPTIONS = (*MAIN_OPTIONS, *MORE_OPTIONS, *LIVE_OPTIONS)
CHOICES = {"dissector": tuple(DISSECTORS), "retention": RETENTION}
