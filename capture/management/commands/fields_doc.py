"""manage.py fields_doc: writes docs/fields.md from the field registry."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from capture.packets.fields_doc import render


class Command(BaseCommand):
    help = "Write docs/fields.md from the field registry."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "fields.md"
        path.write_text(render(), encoding="utf-8")
        self.stdout.write(f"written: {path}")
