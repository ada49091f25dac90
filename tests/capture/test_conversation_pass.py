"""The second pass over a job's packets: the same values whatever the batches, after interruptions, again; what jobs say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import connection

from capture.models import ConversationPass, Job, JobState, PassState
from capture.packets.conversations.contract import LATE, NAMES
from capture.packets.conversations.tcp_handshake import OPEN_NS
from capture.packets.registry import FIELDS
from capture.services import control, conversation_rows, conversations, work
from capture.services.checking import check_all
from capture.services.describe import job_json
from indexing import merging, store
from indexing.backends.base import BackendAway
from indexing.calls import Call, Condition, RowRef, RowResult
from indexing.models import Batch, SecondPass
from indexing.reindexing import reindex
from tests.capture.packets.conversations import tcp_random
from tests.capture.packets.conversations.tcp_made import Talk
from tests.jobs import order_job, run_job

pytestmark = pytest.mark.needs("../shared")
# Retransmissions, handshakes, DNS, HTTP, TLS; long enough for many batches
CAPTURES = ["pcaps/protocols/zeek__wikipedia.pcap", "pcaps/protocols/zeek__nmap-vsn.pcap"]

Values = dict[str, set[tuple[int, int]]]


@pytest.fixture
def capture(shared) -> Path:
    return shared / CAPTURES[0]


def values(job: Job) -> Values:
    """What the index says of the job's packets: of each field (packet, from 0; row id or number)."""
    batches = Batch.objects.filter(job=job.pk, packets__gt=0).order_by("first_column")
    columns = [batch.first_column + i for batch in batches for i in range(batch.packets)]
    place = {column: i for i, column in enumerate(columns)}
    mine = Call("Row", args={"row": RowRef("job", job.pk)})

    def asked(call: Call) -> list[int]:
        (result,) = store.backend().query(job.index, [Call("Intersect", [call, mine])])
        assert isinstance(result, RowResult)
        return [place[column] for column in result.columns.tolist()]

    found: Values = {}
    for name in NAMES:
        field = FIELDS[name]
        if field.kind == "set":
            rows = range(len(field.choices)) if field.choices else range(600)
            found[name] = {(packet, row) for row in rows for packet in asked(Call("Row", args={"row": RowRef(name, row)}))}
        else:
            found[name] = set()
            for bit in range(41):  # those at least 2^k apart are told by halving
                some = asked(Call("Row", args={"condition": (name, Condition("><", [1 << bit, (2 << bit) - 1]))}))
                found[name] |= {(packet, bit) for packet in some}
            found[name] |= {(packet, -1) for packet in asked(Call("Row", args={"condition": (name, Condition("==", 0))}))}
    return found


def lapse() -> None:
    """Leases of workers that were ended have run out."""
    ConversationPass.objects.filter(lease_until__isnull=False).update(lease_until="2001-01-01T00:00:00Z")
    conversations._forget()


def test_a_capture_of_one_batch_has_them_at_once(index, capture):
    job = run_job(capture, index=index)
    assert Batch.objects.get(job=job.pk, packets__gt=0).second_pass == SecondPass.DONE
    assert not ConversationPass.objects.exists()
    assert all(values(job)[name] for name in ("tcp-handshake", "tcp-rtt-us", "tcp-irtt-us", "dns-rtt-us", "http-response-us"))
    assert job_json(job)["conversations"] == {"state": "done", "packets": job.packets_indexed, "forgotten": 0, "error": None}


@pytest.mark.parametrize("bufsize", [1, 10, 50])
@pytest.mark.parametrize("name", CAPTURES)
def test_it_does_not_matter_how_packets_are_cut_into_batches(index, shared, name, bufsize):
    if bufsize == 1 and store.backend().name == "pilosa":
        pytest.skip("a batch takes a tenth of a second there")
    whole, cut = run_job(shared / name, index=index), run_job(shared / name, index=index, bufsize=bufsize, again=True)
    assert Batch.objects.filter(job=cut.pk).count() > 2
    assert values(cut) == values(whole)
    assert set(Batch.objects.filter(job=cut.pk, packets__gt=0).values_list("second_pass", flat=True)) == {SecondPass.DONE}
    done = cut.conversation_pass
    assert (done.state, done.packets, done.checkpoint, done.error) == (PassState.DONE, cut.packets_indexed, "", "")
    assert not list(cut.folder.glob("conversations-*"))
    assert not list(check_all(repair=False))


@pytest.mark.parametrize("place", ["take", "import", "late", "checkpoint", "leave"])
@pytest.mark.parametrize("after", [0, 1, 5])
def test_a_worker_that_is_ended_loses_and_doubles_nothing(index, capture, monkeypatch, place, after):
    """At each place where something was done and not noted yet. Turns are as short as can be: a checkpoint a batch."""
    whole = run_job(capture, index=index)
    monkeypatch.setattr(conversations, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(conversations, "BETWEEN_CHECKPOINTS", 0.0)
    left = [after]

    class Ended(BaseException):
        pass

    def ends(holder: Any, name: str, before: bool) -> None:
        once = getattr(holder, name)

        def does(*args: Any, **more: Any) -> Any:
            left[0] -= 1
            if before and left[0] == -1:
                raise Ended
            made = once(*args, **more)
            if not before and left[0] == -1:
                raise Ended
            return made

        monkeypatch.setattr(holder, name, does)

    places = {
        "take": (conversations, "_take", False),
        "import": (conversations, "_import", False),
        "late": (conversations, "_import_late", False),
        "checkpoint": (conversations.checkpoints, "write", False),
        "leave": (conversations, "_leave", True),
    }
    ends(*places[place])
    job = order_job(capture, index=index, bufsize=20, again=True)
    with pytest.raises(Ended):
        work.until_idle()
    lapse()
    work.until_idle()
    assert left[0] < -1
    assert values(job) == values(whole)
    assert ConversationPass.objects.get().state == PassState.DONE
    assert not list(job.folder.glob("conversations-*"))


@pytest.mark.parametrize("packets", [4, 100_000])
def test_when_turns_end_does_not_matter_where_times_go_back(index, monkeypatch, tmp_path, packets):
    """What has run out of time by the packets in between goes on behind them, at times before theirs."""
    monkeypatch.setattr(conversations, "EXPIRE_PACKETS", packets)
    talk = Talk().opened()
    between = Talk(client=("10.0.0.3", 40001), now=talk.now + 2 * OPEN_NS).opened()
    for k in range(5):
        talk.c("PA", 1 + 10 * k, 1, b"0123456789")
        talk.s("A", 1, 11 + 10 * k)
    path = tmp_path / "back.pcap"
    both = (talk.packets, between.packets), (talk.times, between.times)
    tcp_random.write(path, *([*one[:3], *two, *one[3:]] for one, two in both))
    found = []
    for seconds in (1000.0, 0.0):
        monkeypatch.setattr(conversations, "TURN_SECONDS", seconds)
        monkeypatch.setattr(conversations, "BETWEEN_CHECKPOINTS", 0.0)
        found.append(values(run_job(path, index=index, bufsize=2, again=True)))
    assert found[0] == found[1]


@pytest.mark.parametrize("how", ["gone", "damaged", "of another version"])
def test_without_its_checkpoint_it_begins_anew(index, capture, monkeypatch, how):
    whole = run_job(capture, index=index)
    monkeypatch.setattr(conversations, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(conversations, "BETWEEN_CHECKPOINTS", 0.0)
    job = order_job(capture, index=index, bufsize=20, again=True)
    while not ConversationPass.objects.filter(next_sequence__gt=3).exists():
        assert work.step()
    checkpoint = job.folder.parent.parent / ConversationPass.objects.get().checkpoint
    if how == "gone":
        checkpoint.unlink()
    elif how == "damaged":
        checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
    else:
        monkeypatch.setattr(conversations.Conversations, "_versions", lambda self: np.array([9]))
    lapse()
    work.step()
    assert ConversationPass.objects.get().next_sequence <= 1
    work.until_idle()
    assert values(job) == values(whole)


def test_a_job_that_goes_on_after_a_stop_is_gone_through_again(index, capture):
    whole = run_job(capture, index=index)
    job = order_job(capture, index=index, bufsize=20, again=True)
    while Batch.objects.filter(job=job.pk, state="visible").count() < 3:
        assert work.step()
    control.stop(job)
    work.until_idle()
    job.refresh_from_db()
    assert job.state == JobState.STOPPED
    assert 0 < job.packets_indexed < whole.packets_indexed
    assert ConversationPass.objects.get().state == PassState.DONE
    part = values(job)
    control.retry(job)
    work.until_idle()
    assert values(job) == values(whole) != part


def test_batches_that_are_indexed_again_get_them_again(index, capture, monkeypatch):
    monkeypatch.setattr(conversation_rows, "AGAIN_SECONDS", 0.0)
    whole, job = run_job(capture, index=index), run_job(capture, index=index, bufsize=20, again=True)
    before = values(job)
    assert any(before.values())
    done = reindex(list(Batch.objects.values_list("pk", flat=True)))
    assert not done.failed
    assert values(job) != before
    work.until_idle()
    assert values(job) == values(whole) == before
    # Without its fields there is nothing to do, and nothing left of it.
    reindex(list(Batch.objects.values_list("pk", flat=True)), ["netsrc"])
    work.until_idle()
    assert not any(values(job).values())


def test_only_what_the_job_wants_is_there(index, capture):
    whole = run_job(capture, index=index)
    job = run_job(capture, index=index, bufsize=20, again=True, fields="picap,tcp-handshake,tcp-rtt-us")
    every, some = values(whole), values(job)
    assert {name for name, found in some.items() if found} == {"tcp-handshake", "tcp-rtt-us"}
    assert all(some[name] == every[name] for name in ("tcp-handshake", "tcp-rtt-us"))


def test_a_job_without_its_fields_has_no_second_pass(index, capture):
    job = run_job(capture, index=index, fields="picap", bufsize=20)
    assert set(Batch.objects.values_list("second_pass", flat=True)) == {SecondPass.NONE}
    assert not ConversationPass.objects.exists()
    assert job_json(job)["conversations"] is None


def test_the_job_says_that_it_is_running_and_when_it_is_done(index, capture, monkeypatch):
    monkeypatch.setattr(conversations, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(conversations, "BETWEEN_CHECKPOINTS", 0.0)
    job = order_job(capture, index=index, bufsize=20)
    seen = []
    while work.step():
        seen.append(job_json(Job.objects.with_captures().get(pk=job.pk))["conversations"])
    assert seen[0] == {"state": "running", "packets": 0, "forgotten": 0, "error": None}
    assert seen[-1] == {"state": "done", "packets": 136, "forgotten": 0, "error": None}
    assert [one["packets"] for one in seen] == sorted(one["packets"] for one in seen)


def test_a_batch_that_cannot_be_read_is_a_hole(index, capture, monkeypatch):
    job = order_job(capture, index=index, bufsize=20)
    monkeypatch.setattr(conversations, "step", lambda **_: False)
    work.until_idle()
    monkeypatch.undo()
    second = Batch.objects.get(job=job.pk, sequence=1)
    (job.folder.parent.parent / second.locator).unlink()
    work.until_idle()
    told = ConversationPass.objects.get()
    assert told.state == PassState.DONE
    assert "packets 21 to 40 (batch 1) were left out" in told.error
    assert told.packets == 116
    assert not any(packet in range(20, 40) for found in values(job).values() for packet, _ in found)
    assert job_json(Job.objects.with_captures().get(pk=job.pk))["conversations"]["error"] == told.error


def test_a_packet_that_ends_its_worker_does_so_three_times(index, capture):
    order_job(capture, index=index, bufsize=20)
    while not ConversationPass.objects.exists():
        assert work.step()
    for _ in range(conversations.MAX_FAILURES + 1):  # a worker that claims it, and is never heard of again
        claimed = conversations._claim(False)
        assert claimed is not None
        lapse()
    work.until_idle()
    assert "(batch 0) were left out: it could not be taken, or its worker ended" in ConversationPass.objects.get().error


@pytest.mark.parametrize("ends", [True, False], ids=["ends its worker", "cannot be read"])
def test_of_many_batches_only_that_one_is_left_out(index, capture, monkeypatch, ends):
    """It is not the first of a turn when it first does so: those before it must not be taken for it."""
    monkeypatch.setattr(conversations, "BACK_OFF_SECONDS", 0.0)
    monkeypatch.setattr(conversations, "step", lambda **_: False)
    job = order_job(capture, index=index, bufsize=20)
    work.until_idle()
    monkeypatch.undo()
    monkeypatch.setattr(conversations, "BACK_OFF_SECONDS", 0.0)
    poison = Batch.objects.get(job=job.pk, sequence=4).first_column
    take = conversations.Conversations.take

    class Ended(BaseException):
        pass

    def takes(self: Any, batch: Any, first_column: int) -> Any:
        if first_column == poison:
            raise Ended if ends else OSError("Input/output error")
        return take(self, batch, first_column)

    monkeypatch.setattr(conversations.Conversations, "take", takes)
    for _ in range(40):
        try:
            work.until_idle()
        except Ended:
            lapse()
        if ConversationPass.objects.get().state == PassState.DONE:
            break
    told = ConversationPass.objects.get()
    assert (told.state, told.packets) == (PassState.DONE, 116)
    assert "packets 81 to 100 (batch 4) were left out" in told.error
    assert told.error.count("left out") == 1
    assert not any(packet in range(80, 100) for name, found in values(job).items() if name not in LATE for packet, _ in found)


def test_a_backend_that_is_away_is_waited_for(index, capture, monkeypatch):
    whole = run_job(capture, index=index)
    monkeypatch.setattr(conversations, "BACK_OFF_SECONDS", 0.0)
    job = order_job(capture, index=index, bufsize=20, again=True)
    backend = store.backend()
    more, refused = backend.import_more, []

    def sometimes(*args: Any) -> None:
        refused.append(1)
        if len(refused) in (1, 3, 4):
            raise BackendAway("it is away")
        more(*args)

    monkeypatch.setattr(backend, "import_more", sometimes)
    work.until_idle()
    assert len(refused) > 4
    assert values(job) == values(whole)


def test_a_job_that_is_deleted_meanwhile_leaves_nothing(index, capture, monkeypatch):
    monkeypatch.setattr(conversations, "TURN_SECONDS", 0.0)
    monkeypatch.setattr(conversations, "BETWEEN_CHECKPOINTS", 0.0)
    job = order_job(capture, index=index, bufsize=20)
    while not ConversationPass.objects.filter(next_sequence__gt=2).exists():
        assert work.step()
    control.delete(job)
    work.until_idle()
    assert not ConversationPass.objects.exists()
    assert not Batch.objects.filter(job=job.pk).exists()
    assert not job.folder.exists()
    for name in LATE:
        (result,) = store.backend().query(index, [Call("Union", [Call("Row", args={"row": RowRef(name, 0)})])])
        if store.backend().name == "embedded":
            assert not result.columns.size


def test_small_batches_wait_for_it_before_they_become_one(index, capture, monkeypatch):
    if store.backend().name == "pilosa":
        pytest.skip("there is nothing to merge there but rows")
    whole = run_job(capture, index=index)
    job = order_job(capture, index=index, bufsize=5, again=True)
    monkeypatch.setattr(conversations, "step", lambda **_: False)
    work.until_idle()
    Batch.objects.filter(job=job.pk).update(urgent=True)  # as those of a live job
    assert not merging.merge_once(lambda _: True)
    monkeypatch.undo()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM indexing_batch WHERE job = %s", [job.pk])
        assert cursor.fetchone()[0] == 28
    work.until_idle()
    assert Batch.objects.filter(job=job.pk).count() < 28
    assert values(job) == values(whole)
