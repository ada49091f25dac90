"""Values that nobody uses are freed: not while an import wants them, never twice, and whoever has cached them notices."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from django.db import connection, transaction

from indexing import store, translation, translation_cache, translation_epoch, translation_freeing
from indexing.backends.base import BackendError, BatchBits, BatchRange, FieldSchema, SetBits
from indexing.models import (
    Batch,
    BatchState,
    PacketIndex,
    TranslationDying,
    TranslationEpoch,
    TranslationMark,
    TranslationSweep,
    TranslationValue,
)

A, B, C = b"10.0.0.1", b"10.0.0.2", b"10.0.0.3"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(translation_freeing, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(translation_freeing, "LEAST_PATIENCE", 0.05)
    monkeypatch.setattr(translation_freeing, "_patience", 0.05)
    monkeypatch.setattr(translation_freeing, "_resting_until", 0.0)
    monkeypatch.setattr(translation, "TRUST_SECONDS", 0.0)


class Importer:
    """Batches of one packet for each value, by number: what a worker does, in steps."""

    def __init__(self, index: str) -> None:
        self.index = index
        store.backend().ensure_index(index, [FieldSchema("netsrc", "set")])

    def resolve(self, values: list[bytes]) -> tuple[int, list[int]]:
        noted = translation.epoch(self.index)
        return noted, translation.resolve(self.index, {"netsrc": values})["netsrc"].tolist()

    def put(self, batch: int, rows: list[int]) -> None:
        column = np.arange(len(rows), dtype=np.uint64) + np.uint64(100 * batch)
        bits = SetBits(np.array(rows, np.uint64), column)
        store.backend().import_batch(self.index, BatchBits(batch, 100 * batch, len(rows), {"netsrc": bits}))

    def run(self, batch: int, values: list[bytes]) -> list[int]:
        noted, rows = self.resolve(values)
        while True:
            with transaction.atomic():
                if translation.shares_epoch(self.index, noted):
                    self.put(batch, rows)
                    return rows
            translation.catch_up(self.index)
            noted, rows = self.resolve(values)

    def delete(self, batch: int, count: int) -> None:
        gone = [BatchRange(batch, 100 * batch, count)]
        store.backend().hide_batches(self.index, gone)
        with transaction.atomic():
            store.backend().clear_batches(self.index, gone)
            translation_freeing.want([self.index])

    def table(self) -> dict[bytes, int]:
        rows = TranslationValue.objects.filter(field__index=self.index).values_list("value", "row")
        return {bytes(value): row for value, row in rows}

    def read(self, value: bytes) -> int | None:
        return translation.lookup(self.index, {"netsrc": [value]})["netsrc"].get(value)


@pytest.fixture
def importer(index: str) -> Importer:
    return Importer(index)


@pytest.fixture
def embedded(data) -> Importer:
    return Importer(f"i{uuid.uuid4().hex[:12]}")


def free_all() -> int:
    steps = 0
    while translation_freeing.free_once():
        steps += 1
    return steps


def mark() -> None:
    """All values that nobody uses are marked, none is settled."""
    while translation_freeing._look_on():
        pass


@contextmanager
def another_process() -> Iterator[None]:
    """Inside, the cache is another process's; outside again, it is as it was."""
    mine = (translation._rows, translation._values, translation._epochs)
    translation._rows, translation._values, translation._epochs = translation_cache.Pairs(), translation_cache.Pairs(), {}
    try:
        yield
    finally:
        translation._rows, translation._values, translation._epochs = mine


def test_values_of_a_deleted_batch_that_nobody_else_has_are_freed(importer):
    rows = dict(zip([A, B], importer.run(1, [A, B]), strict=True))
    rows |= dict(zip([B, C], importer.run(2, [B, C]), strict=True))
    importer.delete(1, 2)
    assert importer.table() == rows
    free_all()
    assert importer.table() == {B: rows[B], C: rows[C]}
    assert (importer.read(A), importer.read(B)) == (None, rows[B])
    assert not TranslationDying.objects.exists()
    importer.delete(2, 2)
    free_all()
    assert importer.table() == {}


def test_a_value_that_comes_again_has_a_new_id_and_ids_are_never_reused(importer):
    first = importer.run(1, [A, B])
    for batch in range(2, 5):
        importer.delete(batch - 1, 2)
        free_all()
        again = importer.run(batch, [A, B])
        assert min(again) > max(first)
        assert [importer.read(A), importer.read(B)] == again
        assert translation.values_of(importer.index, {"netsrc": again}) == {"netsrc": dict(zip(again, [A, B], strict=True))}
        first = again


def test_nothing_is_looked_at_where_nothing_went(embedded):
    embedded.run(1, [A])
    assert free_all() == 0


def test_an_import_that_had_resolved_before_the_mark_resolves_again(importer):
    importer.run(1, [A])
    noted, rows = importer.resolve([A])
    importer.delete(1, 1)
    mark()
    with transaction.atomic():
        assert not translation.shares_epoch(importer.index, noted)
    translation.catch_up(importer.index)
    again = importer.run(2, [A])
    assert again == rows, "it was taken back"
    free_all()
    assert importer.table() == {A: rows[0]}


@pytest.mark.parametrize("settled", [False, True])
def test_an_import_with_a_cache_of_an_older_epoch_never_uses_what_was_freed(importer, settled):
    importer.run(1, [A, B])
    with another_process():
        importer.delete(1, 2)
        mark()
        if settled:
            free_all()
    rows = importer.run(2, [A])
    free_all()
    assert importer.table() == {A: rows[0]}
    assert rows == ([3] if settled else [1])


def test_an_import_in_flight_is_waited_for_and_keeps_its_values(importer, monkeypatch):
    """It shares the epoch, and its bits are not in the backend yet."""
    importer.run(1, [A])
    importer.delete(1, 1)
    noted, rows = importer.resolve([A])
    inside, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        try:
            with transaction.atomic():
                assert translation.shares_epoch(importer.index, noted)
                inside.set()
                assert go_on.wait(30)
                importer.put(2, rows)
        finally:
            connection.close()

    thread = threading.Thread(target=slow)
    thread.start()
    assert inside.wait(30)
    assert not translation_freeing.free_once(), "its patience is short"
    assert translation_freeing._patience > translation_freeing.LEAST_PATIENCE, "and becomes longer"
    assert not TranslationMark.objects.exists()
    monkeypatch.setattr(translation_freeing, "_patience", 30.0)
    marked = threading.Thread(target=lambda: (mark(), connection.close()))
    marked.start()
    go_on.set()
    thread.join()
    marked.join()
    free_all()
    assert importer.table() == {A: rows[0]}


def test_imports_that_come_while_freeing_waits_go_on_when_it_gives_up(embedded):
    embedded.run(1, [A])
    embedded.delete(1, 1)
    noted = translation.epoch(embedded.index)
    shared, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            translation.shares_epoch(embedded.index, noted)
            shared.set()
            done.wait(30)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    shared.wait(30)
    assert not translation_freeing.free_once()
    with transaction.atomic():
        assert translation.shares_epoch(embedded.index, noted), "nobody has it alone"
    done.set()
    holder.join()
    assert free_all() > 0
    assert embedded.table() == {}


def test_a_value_taken_back_after_the_backend_was_asked_is_not_freed(embedded, monkeypatch):
    embedded.run(1, [A, B])
    embedded.delete(1, 2)
    mark()
    used, rows = translation_freeing.used_rows, []

    def then_one_is_taken_back(*args):
        found = used(*args)
        if not rows:
            thread = threading.Thread(target=lambda: (rows.extend(embedded.run(2, [A])), connection.close()))
            thread.start()
            thread.join()
        return found

    monkeypatch.setattr(translation_freeing, "used_rows", then_one_is_taken_back)
    assert translation_freeing._settle_one()
    assert embedded.table() == {A: rows[0]} == {A: 1}
    assert not TranslationDying.objects.exists()


def test_a_value_that_is_marked_again_is_not_settled_by_the_older_mark(embedded, monkeypatch):
    """The older settlement has asked the backend before the value was used again, and that went, too, and was marked anew."""
    embedded.run(1, [A])
    embedded.delete(1, 1)
    mark()
    used, times = translation_freeing.used_rows, []

    def meanwhile() -> None:
        embedded.run(2, [A])
        embedded.delete(2, 1)
        mark()
        connection.close()

    def slow(*args):
        found = used(*args)
        times.append(1)
        if len(times) == 1:
            thread = threading.Thread(target=meanwhile)
            thread.start()
            thread.join()
        return found

    monkeypatch.setattr(translation_freeing, "used_rows", slow)
    assert translation_freeing._settle_one()
    assert embedded.table() == {A: 1}, "it belongs to the younger mark"
    assert TranslationDying.objects.count() == 1
    free_all()
    assert embedded.table() == {}


def test_what_is_dying_is_read_and_not_kept(embedded):
    embedded.run(1, [A])
    embedded.delete(1, 1)
    mark()
    assert embedded.read(A) == 1
    with another_process():
        free_all()
        rows = embedded.run(2, [A])
    assert embedded.read(A) == rows[0] == 2


def test_a_reader_of_another_process_notices_a_value_that_came_again(importer):
    importer.run(1, [A, B])
    assert importer.read(A) == 1
    with another_process():
        importer.delete(1, 2)
        free_all()
        importer.run(2, [A])
    assert importer.read(A) == 3
    assert importer.read(B) is None


def test_a_reader_believes_its_cache_for_less_than_the_grace(embedded, monkeypatch):
    monkeypatch.undo()
    assert translation.TRUST_SECONDS * 2 < translation_freeing.GRACE_SECONDS
    embedded.run(1, [A])
    embedded.delete(1, 1)
    mark()
    free_all()
    assert embedded.table() == {A: 1}, "too early"
    TranslationMark.objects.update(made="2020-01-01T00:00:00Z")
    free_all()
    assert embedded.table() == {}


def test_only_what_was_marked_is_forgotten_and_all_where_that_is_not_known_any_more(embedded):
    embedded.run(1, [A])
    embedded.run(2, [B])
    with another_process():
        embedded.delete(1, 1)
        free_all()
    translation.catch_up(embedded.index)
    assert translation._rows.find((embedded.index, "netsrc"), [A, B]) == [None, 2]
    with another_process():
        embedded.run(3, [C])
        embedded.delete(3, 1)
        free_all()
        TranslationMark.objects.all().delete()
    translation.catch_up(embedded.index)
    assert translation._rows.find((embedded.index, "netsrc"), [A, B]) == [None, None]


def test_what_another_thread_read_of_an_older_epoch_is_not_kept(embedded):
    embedded.run(1, [A])
    old = translation.epoch(embedded.index)
    embedded.delete(1, 1)
    free_all()
    translation.catch_up(embedded.index)
    translation._remember(embedded.index, "netsrc", {A: 1}, old)
    assert embedded.read(A) is None


class Killed(BaseException):
    """kill -9: nothing of ours runs after it, and Postgres rolls back."""


@pytest.mark.parametrize("at", ["used_rows", "_mark", "move_on", "Bigints"])
def test_freeing_that_is_killed_between_its_steps_goes_on(importer, monkeypatch, at):
    importer.run(1, [A, B])
    importer.run(2, [C])
    importer.delete(1, 2)
    module = translation_epoch if at == "move_on" else translation_freeing
    real = getattr(module, at)
    times = iter(range(100))
    deaths = 0

    def dies(*args, **kwargs):
        result = real(*args, **kwargs)
        if next(times) % 2 == 0:
            raise Killed
        return result

    monkeypatch.setattr(module, at, dies)
    for _ in range(100):
        try:
            if not translation_freeing.free_once():
                break
        except Killed:
            deaths += 1
    assert deaths
    assert importer.table() == {C: 3}
    assert importer.run(3, [A, B]) == [4, 5]


def test_freeing_by_two_processes_at_once_ends_as_by_one(embedded, monkeypatch):
    monkeypatch.setattr(translation_freeing, "MARKED", 7)
    values = [b"%d" % i for i in range(60)]
    embedded.run(1, values)
    embedded.run(2, values[::3])
    embedded.delete(1, 60)
    threads = [threading.Thread(target=lambda: (free_all(), connection.close())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    free_all()
    assert set(embedded.table()) == set(values[::3])
    assert TranslationEpoch.objects.get(index=embedded.index).epoch == TranslationMark.objects.count() >= 6


def test_importers_and_freeing_at_once_leave_no_bit_without_its_value(importer):
    """Three workers import and delete the same few values over and over while two others free."""
    stop, errors = threading.Event(), []
    values = [b"%d" % i for i in range(12)]

    def work(number: int) -> None:
        try:
            for turn in range(12):
                batch = 1 + number * 100 + turn
                some = [values[(number + turn + i) % 12] for i in range(4)]
                rows = importer.run(batch, some)
                table = importer.table()
                if [table.get(value) for value in some] != rows:
                    errors.append((some, rows, table))
                importer.delete(batch, 4)
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    def free() -> None:
        while not stop.is_set():
            free_all()
        connection.close()

    workers = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    freers = [threading.Thread(target=free) for _ in range(2)]
    for thread in workers + freers:
        thread.start()
    for thread in workers:
        thread.join()
    stop.set()
    for thread in freers:
        thread.join()
    assert errors == []
    free_all()
    assert importer.table() == {}
    assert not TranslationSweep.objects.exclude(due=None, field_id=None).exists()


def test_a_backend_that_lacks_what_was_indexed_frees_nothing(embedded):
    embedded.run(1, [A])
    index = PacketIndex.objects.create(name=embedded.index)
    Batch.objects.create(
        index=index, job=1, sequence=0, state=BatchState.VISIBLE, capture="", locator="", fields=[], dissector="", first_column=0,
        packets=2, read=2, filtered_out=0,
    )  # fmt: skip
    with transaction.atomic():
        translation_freeing.want([embedded.index])
    with pytest.raises(BackendError, match="1 columns where 2 packets"):
        translation_freeing._look_on()
    assert not translation_freeing.free_once()
    assert embedded.table() == {A: 1}


def test_a_batch_that_was_half_imported_keeps_its_values(data, settings, pilosa_server):
    """On Pilosa its bits are there and not live (the embedded store has a batch, or it has not); who imports it again finds the
    same row ids."""
    settings.INDEX_URL = pilosa_server.url
    store.close()
    importer = Importer(f"i{uuid.uuid4().hex[:12]}")
    importer.run(1, [A])
    rows = importer.run(2, [B])
    store.backend().hide_batches(importer.index, [BatchRange(2, 200, 1)])
    importer.delete(1, 1)
    free_all()
    assert importer.table() == {B: rows[0]}
