"""Which jobs whoever acts now may see, and change: their own and shared ones; an admin, and who works alone, all.

Packets are their job's: the same bounds every question (proxy.ask), by the rows of the field `job`.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import Q

from capture.models import Job, JobQuerySet
from people import who
from people.models import Role


def is_bounded() -> bool:
    """Whether there may be jobs that whoever acts does not see."""
    return not who.current().sees_all


def seen() -> JobQuerySet:
    """The jobs that whoever acts may see, without deleted ones."""
    one = who.current()
    jobs: JobQuerySet = Job.objects.live()
    if one.sees_all:
        return jobs
    if not one.role:
        return jobs.none()
    own = Q(owner=one.user) if one.user is not None else Q()
    return jobs.filter(Q(shared=True) | own) if own else jobs.filter(shared=True)


def seen_in(index: str) -> tuple[int, ...] | None:
    """The numbers of the jobs of an index that whoever acts may see, ascending; None: of all. Looked up once a request."""
    one = who.current()
    if one.sees_all:
        return None
    key = ("seen in", index)
    if key not in one.known:
        one.known[key] = tuple(seen().filter(index=index).order_by("pk").values_list("pk", flat=True))
    found: tuple[int, ...] = one.known[key]
    return found


def index_names() -> frozenset[str] | None:
    """The names of the indexes of jobs that whoever acts may see; None: of all."""
    one = who.current()
    if one.sees_all:
        return None
    if "index names" not in one.known:
        one.known["index names"] = frozenset(seen().order_by().values_list("index", flat=True).distinct())
    found: frozenset[str] = one.known["index names"]
    return found


def may_see(job: int) -> bool:
    """Whether a job is one of those."""
    return not is_bounded() or seen().filter(pk=job).exists()


def may_change(job: Job) -> bool:
    """Whether whoever acts may stop, retry, delete or share the job: its owner may, and an admin."""
    one = who.current()
    if not (one.writes and one.is_at_least(Role.OPERATOR)):
        return False
    return one.sees_all or (job.owner_id is not None and job.owner_id == one.user)


def check_may_change(job: Job) -> None:
    """Raises PermissionDenied."""
    if not may_change(job):
        raise PermissionDenied(f"job {job.pk} is {job.owner or 'nobody'}'s: its owner changes it, or an admin")
