"""The WSGI application: pages, API and proxy on one port."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picapweb.settings")

application = get_wsgi_application()
