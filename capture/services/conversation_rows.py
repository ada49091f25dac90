"""What Postgres says of the second pass over a job's packets; the pass itself is capture.services.conversations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from capture.models import ConversationPass, Job, PassState
from indexing import second_pass
from indexing.models import Batch, SecondPass


def note_batch(job: int) -> None:
    """A batch of a job is visible that the second pass is to take. Part of the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO capture_conversationpass
                   (job_id, state, next_sequence, checkpoint, packets, conversations, again, error, moved, attempt, failures,
                    worker)
               VALUES (%s, 'running', 0, '', 0, 0, false, '', now(), 0, 0, '') ON CONFLICT DO NOTHING""",
            [job],
        )


def is_whole(batch: Batch) -> bool:
    """Whether a batch holds all packets of its job, and none will follow: then the second pass is done with the first."""
    if batch.second_pass != SecondPass.WAITING or batch.sequence != 0 or batch.urgent:
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT NOT EXISTS (SELECT 1 FROM capture_capturefile WHERE job_id = %s AND scan_state <> 'done')
                  AND NOT EXISTS (SELECT 1 FROM indexing_batch WHERE job = %s AND id <> %s AND packets > 0)
                  AND EXISTS (SELECT 1 FROM capture_job WHERE id = %s AND kind = 'file')""",
            [batch.job, batch.job, batch.pk, batch.job],
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def begin_again(job: int, after_seconds: float = 0.0) -> None:
    """The job's packets are not what they were: batches were tried again, or indexed again. All values are found anew.

    after_seconds: not before that, for it may come to this again. Part of the caller's transaction."""
    mine = Batch.objects.filter(job=job).exclude(second_pass=SecondPass.NONE)
    list(mine.select_for_update(of=("self",)).order_by("id").values_list("pk"))
    if not mine.update(second_pass=SecondPass.WAITING):
        return
    note_batch(job)
    ConversationPass.objects.filter(job=job).update(
        state=PassState.RUNNING,
        next_sequence=0,
        checkpoint="",
        packets=0,
        again=True,
        error="",
        forgotten=0,
        attempt=F("attempt") + 1,  # who works on it has lost it
        failures=0,
        lease_until=None,
        not_before=Now() + timedelta(seconds=after_seconds),
    )


# Batches that are indexed again come one after the other: the pass over their job waits until there is an end of it, perhaps.
AGAIN_SECONDS = 20.0


def begin_again_what_changed() -> bool:
    """Jobs of which batches were indexed again behind their pass, or after its end. True if there was one."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT DISTINCT b.job FROM indexing_batch b JOIN capture_job j ON j.id = b.job
               LEFT JOIN capture_conversationpass p ON p.job_id = b.job
               WHERE b.second_pass = 'waiting' AND b.state = 'visible' AND j.deleted IS NULL
                 AND (p.job_id IS NULL OR p.next_sequence > b.sequence OR p.state = 'done')"""
        )
        jobs = [row[0] for row in cursor.fetchall()]
    for job in jobs:
        with transaction.atomic():
            begin_again(job, AGAIN_SECONDS)
    return bool(jobs)


def pass_json(job: Job) -> dict[str, Any] | None:
    """How far the second pass over a job's packets is; None where none of its fields is wanted.

    A job without a pass of its own gets these values when its only batch is indexed."""
    if not second_pass.wanted(job.fields):
        return None
    known = getattr(job, "conversation_pass", None)
    if known is not None:
        return {
            "state": known.state,
            "packets": known.packets,
            "forgotten": known.forgotten,
            "error": known.error or None,
        }
    waiting = not job.ended or Batch.objects.filter(job=job.pk, second_pass=SecondPass.WAITING).exists()
    state = PassState.RUNNING if waiting else PassState.DONE
    return {"state": state, "packets": 0 if waiting else job.packets_indexed, "forgotten": 0, "error": None}
