"""Celery's clock, which also says that it ticks: a file of the data folder, for `manage.py health beat`."""

from __future__ import annotations

from pathlib import Path

from celery.beat import Scheduler
from django.conf import settings

FILE = "beat"


class Clock(Scheduler):
    """It keeps no file of its schedule: all it does, it does every few seconds."""

    def tick(self, *args: object, **kwargs: object) -> float:
        """Does what is due; the seconds until the next look."""
        try:
            (Path(settings.PICAPWEB_DATA) / FILE).touch()
        except OSError:  # a full disk does not stop the clock
            pass
        return float(super().tick(*args, **kwargs))
