"""Jobs in a test's own process: real Postgres, real scan, dissection and store; the test itself is the worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from capture.models import Job
from capture.services import create, storage, work
from capture.services.options import parse_options


def order_job(path: Path, **options: Any) -> Job:
    """A queued job for a file, as an upload makes it."""
    with path.open("rb") as file:
        upload = storage.receive(iter(lambda: file.read(1 << 20), b""), path.name)
    return create.from_upload(upload, parse_options(options))


def run_job(path: Path, **options: Any) -> Job:
    """A job for a file, worked on until nothing waits."""
    job = order_job(path, **options)
    work.until_idle()
    job.refresh_from_db()
    return job
