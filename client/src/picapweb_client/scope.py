"""What every question may be narrowed by: language, jobs, index, times."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, TypedDict

from picapweb_client.when import When, rfc3339

if TYPE_CHECKING:
    from picapweb_client.job import Job

Lang = Literal["display", "pql"]


class Scope(TypedDict, total=False):
    """Keyword arguments of every question.

    lang: what `q` is (without it: PQL if it begins like a call, else a display filter). jobs: only packets of these (a job, its
    number, or several). index: default net. start (inclusive), end (exclusive): times of packets (see When)."""

    lang: Lang | None
    jobs: int | Job | Iterable[int | Job] | None
    index: str
    start: When | None
    end: When | None


def parameters_of(q: str, scope: Scope) -> list[tuple[str, str]]:
    """The parameters that say a question. Raises TypeError for a keyword that there is not, ValueError for a time without a
    zone."""
    for name in scope:
        if name not in Scope.__annotations__:
            raise TypeError(f"there is no keyword {name!r}: a question takes {', '.join(Scope.__annotations__)}")
    said = [("q", q), ("index", scope.get("index", "net"))]
    if lang := scope.get("lang"):
        said.append(("lang", lang))
    said += [("job", str(number)) for number in job_numbers(scope.get("jobs"))]
    for name, when in (("from", scope.get("start")), ("to", scope.get("end"))):
        if when is not None:
            said.append((name, rfc3339(when)))
    return said


def job_numbers(jobs: int | Job | Iterable[int | Job] | None) -> list[int]:
    """Numbers of jobs. An empty list of jobs is a ValueError: without jobs, a question is about all of them."""
    if jobs is None:
        return []
    several = jobs if isinstance(jobs, Iterable) else [jobs]
    numbers = [one if isinstance(one, int) else one.id for one in several]
    if not numbers:
        raise ValueError("jobs is empty: leave it out to ask about all jobs")
    return numbers
