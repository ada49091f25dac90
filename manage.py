#!/usr/bin/env python
"""Django's command line for picapweb. `manage.py up` starts everything on this machine."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "picapweb.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise SystemExit(f"Django is not installed here ({error}). script/server sets everything up.") from error
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
