"""Which process of `pytest -n` gets which file, and when: what takes long comes first, files that share a server stay together.

xdist's own order is that of the number of tests in a file. The files with the fewest tests start the most servers: they would
come last, and at the end of a run one process would wait for the other.
"""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

# Files that have something in common which takes long to make, as starts of their paths. A server takes 15 seconds of a
# processor to start and to end: tests/live/conftest.py and tests/browser/conftest.py have one for all. The payloads of the shared
# captures are looked for once in a process (corpus() in both.py and payloads.py). And a test of tests/live makes the clone's
# python-capture and removes it, which another's live worker must not be started with.
TOGETHER = (
    "tests/live/",
    "tests/browser/",
    "tests/clients/",
    "tests/python_client/",
    "tests/capture/packets/applications/",
    "tests/capture/packets/recognise/",
)
# What has the servers of tests/product_servers.py is one unit, under one name.
UNDER = dict.fromkeys(
    (
        "tests/differential/",
        "tests/proxy/analysis/",
        "tests/proxy/export/test_over_http.py",
        "tests/proxy/flows/",
        "tests/proxy/pilosa_http/test_over_the_wire.py",
        "tests/proxy/test_corpus_http.py",
    ),
    "tests/clients/",
)
# What takes longest, longest first. Another file that takes more than a few seconds should be here too; nothing depends on it.
FIRST = (
    "tests/live/",
    "tests/clients/",
    "tests/end_to_end/",
    "tests/faults/",
    "tests/picapweb/test_up.py",
    "tests/browser/",
    "tests/python_client/",
    "tests/commands/",
    "tests/indexing/backends/test_pilosa_cluster.py",
    "tests/proxy/display/",
    "tests/proxy/pilosa_http/",
    "tests/proxy/client/",
    "tests/indexing/client/",
    "tests/benchmarks/",
    "tests/capture/packets/test_compiled_cache.py",
    "tests/examples/",
    "tests/accuracy/",
    "tests/indexing/backends/",
    "tests/picapweb/",
    "tests/capture/packets/sources/",
    "tests/capture/packets/recognise/",
    "tests/capture/packets/applications/",
)


def place(scope: str) -> int:
    """A file's place in FIRST, or behind all of them."""
    return next((at for at, start in enumerate(FIRST) if scope.startswith(start)), len(FIRST))


class LongestFirst(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        unit = next((unit for start, unit in UNDER.items() if file.startswith(start)), file)
        return next((start for start in TOGETHER if unit.startswith(start)), unit)

    def remove_node(self, node: WorkerController) -> str | None:
        """A process has ended, or died. What it had left goes to the others; gives the test it died in.

        xdist's own puts back what is done, too, and the test that killed it: who is given a file with nothing left to do in it
        is never heard of again, and the run never ends."""
        workload = self.assigned_work.pop(node)
        left = [(scope, [test for test, done in unit.items() if not done]) for scope, unit in workload.items()]
        died_in = next((tests[0] for _, tests in left if tests), None)
        if died_in is None:
            return None
        for scope, tests in left:
            if unit := {test: False for test in tests if test != died_in}:
                self.workqueue[scope] = unit
        for other in self.assigned_work:
            self._reschedule(other)
        return died_in

    def _reschedule(self, node: WorkerController) -> None:
        """A process runs a test when it knows the next one, or that there is none.

        xdist gives who comes late one file: with a single test in it, it waits for ever if no other takes the rest."""
        super()._reschedule(node)
        while self.workqueue and not node.shutting_down and self._pending_of(self.assigned_work[node]) < 2:
            self._assign_work_unit(node)

    def _assign_work_unit(self, node: WorkerController) -> None:
        self.workqueue.move_to_end(min(self.workqueue, key=place), last=False)
        super()._assign_work_unit(node)
