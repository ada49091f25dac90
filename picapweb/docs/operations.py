"""Names of operations in the OpenAPI description, each once."""

from __future__ import annotations

from drf_spectacular.openapi import AutoSchema


class Operations(AutoSchema):
    """drf-spectacular leaves parameters out of the names: `/jobs/` and `/jobs/{id}/` would have one name."""

    def get_operation_id(self) -> str:
        """`jobs_retrieve` of one job, `jobs_get` of what has no parameter at its end."""
        name: str = super().get_operation_id()
        if self.path.rstrip("/").endswith("}") or not name.endswith("_retrieve"):
            return name
        return name.removesuffix("_retrieve") + "_get"
