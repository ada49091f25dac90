"""The WSGI application: pages, API and proxy on one port."""

import os
import signal

from django.core.wsgi import get_wsgi_application

from picapweb import environment
from picapweb.embedded.launch import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picapweb.settings")

if environment.boolean("PICAPWEB_SUPERVISED", False):
    # A web process must not outlive a server that was killed: it would keep the port.
    die_with_parent(signal.SIGKILL)

application = get_wsgi_application()
