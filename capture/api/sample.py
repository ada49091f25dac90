"""POST /jobs/sample/: a job of the sample capture; where there is one already, that one."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.views.decorators.http import require_POST

from capture.api.jobs import get_job
from capture.models import Job
from capture.services import admission, create, storage
from capture.services.describe import job_json
from capture.services.errors import Refused
from capture.services.options import Options
from picapweb.problem import wants_html


@require_POST
def try_sample(request: HttpRequest) -> HttpResponse:
    """202 with the job; a browser is led to its page."""
    job = sample_job(request)
    if wants_html(request):
        return HttpResponseRedirect(job.get_absolute_url(), status=303)
    return JsonResponse(job_json(get_job(job.pk)), status=202, headers={"Location": job.get_absolute_url()})


def sample_job(request: HttpRequest) -> Job:
    """The job of the sample capture. Raises Refused where it cannot be made."""
    from capture.sample import NAME, sample  # scapy, which takes a second to import and is not wanted by each process

    with admission.admitted(request.user):
        upload = storage.receive(iter([sample()]), NAME)
        try:
            return create.from_upload(upload, Options(name=NAME, tags=["sample"]), request.user)
        except Refused as refused:
            known = refused.members.get("job")
            if isinstance(known, Job):
                return known
            raise
