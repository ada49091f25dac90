"""The WSGI application: pages, API and proxy on one port."""

import gc
import os
import signal

from django.core.wsgi import get_wsgi_application

from picapweb import environment
from picapweb.embedded.data import UMASK
from picapweb.embedded.launch import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picapweb.settings")
os.umask(UMASK)

if environment.boolean("PICAPWEB_SUPERVISED", False):
    # A web process must not outlive a server that was killed: it would keep the port.
    die_with_parent(signal.SIGKILL)

django = get_wsgi_application()

# Not before: these need Django's settings.
from picapweb.one_write import OneWrite  # noqa: E402
from picapweb.requests import Requests  # noqa: E402
from proxy.api.pilosa_fast import FastQueries  # noqa: E402

application = Requests(FastQueries(OneWrite(django)))

# What is loaded by now stays: looking through it again and again for garbage would stop all threads for milliseconds.
gc.collect()
gc.freeze()
