"""The health of a job's conversations on its page."""

from __future__ import annotations

from typing import Any

from capture.models import Job, PassState
from capture.services.conversation_rows import pass_json
from indexing.backends.base import BackendAway, BackendError
from indexing.limits import LimitExceeded
from proxy.health import has_conversations, health_of
from proxy.health_lines import lines
from proxy.links import Where


def health_page(job: Job) -> dict[str, Any]:
    """The context of templates/proxy/job_health.html."""
    context: dict[str, Any] = {"job": job, "ended": job.ended, "lines": [], "health_gone": "", "pass": pass_json(job)}
    if not has_conversations(job):
        return context | {"looks": False}
    looks = context["pass"] is not None and context["pass"]["state"] == PassState.RUNNING
    try:
        found = health_of(job)
    except (BackendAway, BackendError, LimitExceeded) as error:
        return context | {"looks": looks, "health_gone": str(error)}
    where = Where(index=job.index, jobs=(job.pk,))
    told = lines(found, lambda text: where.url("/explore/", text, lang="display")) if found is not None else []
    return context | {"looks": looks, "lines": told}
