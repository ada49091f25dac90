"""What Celery's processes have in common, workers and clock: settings, logging, the rights of their files."""

from __future__ import annotations

import os
import warnings
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picapweb.settings")
# Celery has Django check itself at each start, which imports every page; `migrate` has done so before, and so do our tests.
os.environ.setdefault("CELERY_SKIP_CHECKS", "true")

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging

from picapweb.embedded.data import UMASK

# Celery warns root at every start of a worker; what makes root dangerous there (pickle) is not accepted at all.
warnings.filterwarnings("ignore", category=SecurityWarning, module="celery.platforms")


def make_app() -> Celery:
    """A Celery application with the settings of Django's, without tasks; and this process's files are nobody else's."""
    os.umask(UMASK)
    app = Celery("picapweb")
    app.config_from_object("django.conf:settings", namespace="CELERY")
    return app


@setup_logging.connect
def keep_djangos_logging(**_: Any) -> None:
    """Having a receiver at all keeps Celery from setting up logging of its own."""
