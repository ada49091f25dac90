"""Recognises payloads one by one, each in an array of just its bytes, in a process of its own that checks every index.

`python -m tests.capture.packets.recognise.alone`: a pickled list of payloads on stdin, answers as a JSON list on stdout.
"""

from __future__ import annotations

import json
import pickle
import sys

import numpy as np

from capture.packets.compiled_cache import BOUNDS_CHECK
from capture.packets.fast.out import make_payloads
from capture.packets.fast.recognise.dispatch import classified
from tests.capture.packets.recognise.payloads import TRANSPORTS, compiled


def main() -> None:
    assert BOUNDS_CHECK
    try:  # an end that lies: the check must notice
        where = make_payloads(1)
        where.at[0], where.end[0], where.transport[0] = 0, 100, TRANSPORTS["tcp"]
        classified(np.frombuffer(b"GET /" + b"a" * 12, np.uint8).copy(), where)
    except IndexError:
        pass
    else:
        raise SystemExit("indices are not checked")
    payloads = pickle.load(sys.stdin.buffer)
    json.dump([compiled([payload])[0] for payload in payloads], sys.stdout)


if __name__ == "__main__":
    main()
