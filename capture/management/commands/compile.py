"""manage.py compile: what `script/environment`, `up`, `picap` and the image's build do by themselves."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from capture.packets.fast import warm


class Command(BaseCommand):
    help = "Compile the dissector's loops into the cache (PICAPWEB_COMPILED), where that is not done yet; remove stale code."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        warm.main(["--verbose"])
