from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core import checks


class CaptureConfig(AppConfig):
    name = "capture"
    verbose_name = "What comes in"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        checks.register(fields_of_packages)


def fields_of_packages(**_: Any) -> list[checks.CheckMessage]:
    """manage.py check: a warning for each installed package whose fields cannot be used."""
    from capture.packets.registry import PROBLEMS

    return [checks.Warning(problem, id="capture.W001") for problem in PROBLEMS]
