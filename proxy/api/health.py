"""GET /jobs/N/health/: how the conversations among a job's packets went."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from capture.api.jobs import get_job
from proxy.api.analysis import within_limits
from proxy.health import health_json


class JobHealth(APIView):
    """What the second pass over a job's packets found, counted: retransmissions, handshakes, answers and how long they took."""

    @extend_schema(responses={200: dict[str, Any]})
    def get(self, request: Request, pk: int) -> Response:
        job = get_job(pk)
        return within_limits(lambda _: health_json(job), None)
