"""Bars: of an upload by bytes, of a job by its share of the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from picapweb_client.errors import MissingExtra
from picapweb_client.job import Job, Watch


def _tqdm() -> Any:
    try:
        from tqdm.auto import tqdm
    except ImportError as error:
        raise MissingExtra("tqdm", "progress") from error
    return tqdm


@contextmanager
def upload_bar(progress: Watch, name: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """What is told how many more bytes were sent. size: in all, None if unknown. Raises MissingExtra without tqdm."""
    if progress is not True:
        yield lambda _: None
        return
    with _tqdm()(total=size, desc=f"{name}: sending", unit="B", unit_scale=True, unit_divisor=1024) as bar:
        yield bar.update


@contextmanager
def job_bar(progress: Watch) -> Iterator[Callable[[Job], None]]:
    """What is told the job at each change. Raises MissingExtra without tqdm."""
    if progress is not True:
        yield progress or (lambda _: None)
        return
    form = "{l_bar}{bar}| {postfix[0]}"
    with _tqdm()(total=100, desc="job", bar_format=form, postfix=[""]) as bar:

        def show(job: Job) -> None:
            bar.desc = f"{job.name}: {job.state}"
            bar.n = round(100 * job.progress.fraction, 1)
            bar.postfix[0] = f"{job.packets.indexed:,} packets, {job.progress.packets_per_second:,.0f} a second"
            bar.refresh()

        yield show
