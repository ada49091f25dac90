"""Celery's clock: `celery -A picapweb.clock beat --scheduler picapweb.clock:Clock`. It knows tasks by their names, and does not
import them. It also says that it ticks: a file of the data folder, for `manage.py health beat`."""

from __future__ import annotations

from pathlib import Path

from celery.beat import Scheduler
from django.conf import settings

from picapweb.celery_app import make_app

FILE = "beat"

app = make_app()


class Clock(Scheduler):
    """It keeps no file of its schedule: all it does, it does every few seconds."""

    def tick(self, *args: object, **kwargs: object) -> float:
        """Does what is due; the seconds until the next look."""
        try:
            (Path(settings.PICAPWEB_DATA) / FILE).touch()
        except OSError:  # a full disk does not stop the clock
            pass
        return float(super().tick(*args, **kwargs))
